"""The fictional school's emails to the families of new pupils, with their status. None was ever sent."""

from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from app.demo.people import DemoSchool, Row
from app.school import School
from app.store import reading, tables
from app.store.writing import insert_rows
from app.vocabulary.terms import EmailState, LetterKind

_REJECTED = (
    "The mail server rejects the address (550 5.1.1 no such user). Correct it on the roster, or ask the mail "
    "administrator."
)


def enter_emails(connection: Connection, school: School, made: DemoSchool) -> None:
    """Enter the emails with letters of introduction to the families of new pupils: sent on the day of the letter; for
    families without a letter, yesterday, and rejected."""
    sent_on = {row["pupil_email"]: row["sent_on"] for row in made.letters if row["kind"] == LetterKind.INTRODUCTION}
    roster = reading.read_roster(connection)
    rows: list[dict[str, Any]] = []
    for pupil in made.new:
        day = sent_on.get(pupil["email"])
        queued_at = datetime.combine(school.today() - timedelta(days=1), time(10), school.settings.zone)
        if day:
            queued_at = datetime.combine(datetime.fromisoformat(day).date(), time(10), school.settings.zone)
        result = {"state": EmailState.SENT, "sent_at": queued_at} if day else {"state": EmailState.FAILED}
        for address in filter(None, pupil["contact_emails"].split(";")):
            email = {"recipient": address, "queued_at": queued_at, "next_attempt_at": queued_at, "attempts": 0}
            ids = {"pupil_id": roster.pupils[pupil["email"]], "sender_id": roster.staff[_find_hoy(made, pupil)]}
            texts = {"number": sha256(address.encode()).hexdigest()[:32], "kind": LetterKind.INTRODUCTION}
            error = {"error": None if day else _REJECTED, "sent_at": None, "language": pupil["language"] or "en"}
            rows.append(email | ids | texts | error | result)
    insert_rows(connection, tables.family_emails, rows)


def _find_hoy(made: DemoSchool, pupil: Row) -> str:
    return made.hoys[pupil["year_group"]]["email"]
