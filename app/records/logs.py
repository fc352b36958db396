"""Session logs: what a member of staff writes down about a session."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, create_model

from app.log_questions import QUESTIONS, Question
from app.records import Parsed, Read, Rejected
from app.records.fields import (
    YES_NO,
    Blankable,
    Email,
    Needed,
    Row,
    Unfit,
    Word,
    YesNo,
    checked,
    email,
    instant,
    items,
    of,
    refusal,
    short,
)
from app.records.roster import Roster
from app.records.tabular import Table
from app.settings import Settings
from app.vocabulary import ConcernCategory, Labelled, Purpose

LONGEST = timedelta(hours=12)
_PURPOSES = [purpose.value for purpose in Purpose if purpose is not Purpose.OTHER]


def _one_of(answers: type[Labelled], other_words: bool) -> BeforeValidator:
    """One of the answers, whatever its case; with `other_words`, any other words as they are typed."""
    known = {str(answer) for answer in answers} - {"other"}

    def read(value: Any) -> str | None:
        typed = str(value or "").strip()
        word = typed.lower().replace(" ", "_")
        if "yes" in known and word in YES_NO:
            word = "yes" if YES_NO[word] else "no"
        if word in known or not typed:
            return word or None
        if not other_words:
            raise Unfit("is none of its words", f"write one of: {', '.join(answers)}, or leave it blank")
        return typed

    return BeforeValidator(read)


def _emails(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(email(item) for item in items(value)))


class _SessionCells(Row):
    """The cells that say which session a log is of, each in its kind."""

    ref: Annotated[Blankable, short(200)]
    staff_email: Email
    pupil_emails: Annotated[tuple[str, ...], BeforeValidator(_emails)]
    purpose: Annotated[str | None, _one_of(Purpose, other_words=True)]
    started_at: Needed
    ended_at: Needed
    second_staff_emails: Annotated[tuple[str, ...], BeforeValidator(_emails)]


def _answer_cell(question: Question) -> Any:
    if question.is_yes_no:
        return YesNo
    if question.answers is None:
        return Blankable
    if question.answers is ConcernCategory:
        return Word  # stored in lower case even if unknown
    return Annotated[str | None, _one_of(question.answers, question.other_words)]


_Cells = create_model("_Cells", __base__=_SessionCells, **{q.name: (_answer_cell(q), ...) for q in QUESTIONS})  # type: ignore[call-overload]
COLUMNS = tuple(_Cells.model_fields)
_NEEDED = ("staff_email", "pupil_emails", "purpose", "started_at", "ended_at")
_ANSWERS = {"purpose", *(question.name for question in QUESTIONS)}

# The answers that fingerprints have counted even when blank since before questions could be added. A later question
# counts only once it is answered, so that a file from before it came is still known when it is imported again.
_COUNTED_WHEN_BLANK = (
    "purpose platform account recorded recording_announced recording_on_team cameras_off_offered private_recording "
    "staff_opened staff_ended pupil_left_alone cameras_on dress_ok background_ok room bedroom_reason door_open reason "
    "adult_present adult_introduced adult_permission home_alone concern concern_summary concern_category notes"
)


class Log(Row):
    """A checked log. `answers` are the columns of the table `logs` that the row fills; `invited` are
    emails with the staff id where the roster has one."""

    ref: str
    staff_id: int
    pupil_ids: tuple[int, ...]
    invited: tuple[tuple[str, int | None], ...]
    started_at: datetime
    ended_at: datetime
    answers: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Of the content: the same for a row that says the same."""
        content = [
            self.staff_id,
            self.pupil_ids,
            [address for address, _ in self.invited],
            self.started_at,
            self.ended_at,
        ]
        given = {name: answer for name, answer in self.answers.items() if answer is not None}
        answers = dict.fromkeys(_COUNTED_WHEN_BLANK.split()) | given
        return hashlib.sha256(json.dumps([content, answers], default=str, sort_keys=True).encode()).hexdigest()


def parse_logs(table: Table, roster: Roster, settings: Settings, now: datetime) -> Parsed[Log]:
    """The rows of a file of logs."""
    table.require(_NEEDED)
    rows: list[Read[Log]] = []
    refused: list[Rejected] = []
    for number, cells in table.rows:
        try:
            rows.append(Read(number, cells, parse_log(cells, roster, settings, now)))
        except Unfit as fault:
            refused.append(refusal(number, cells, fault))
    return Parsed(rows, refused, table.unknown(COLUMNS))


def parse_log(
    cells: Mapping[str, str], roster: Roster, settings: Settings, now: datetime, planned: bool = False
) -> Log:
    """One log, from a file's row or the form; or one that is `planned`, of a session still to come. Unfit, with
    its column, if it cannot be one."""
    row = checked(_Cells, cells)
    if row.purpose is None:
        raise Unfit("is blank", f"write one of: {', '.join(_PURPOSES)}, or in other words what it was", "purpose")
    if row.staff_email not in roster.staff:
        raise Unfit(
            "is not on the roster of staff", "mend the address, or import the roster with them first", "staff_email"
        )
    if not row.pupil_emails:
        raise Unfit("is blank", "write the pupils' addresses, separated by ;", "pupil_emails")
    if not all(pupil in roster.pupils for pupil in row.pupil_emails):
        raise Unfit(
            "names somebody who is not on the roster of pupils",
            "mend the address, or import the roster with them first",
            "pupil_emails",
        )
    started_at, ended_at = _times(row, settings, now, planned)
    answers = row.model_dump(include=_ANSWERS)
    if answers["concern"] is None and answers["concern_summary"]:
        answers["concern"] = True  # who writes down a concern says that there is one
    pupil_ids = tuple(sorted(roster.pupils[pupil] for pupil in row.pupil_emails))
    return Log(
        ref=row.ref or _derived(row.staff_email, started_at, row.pupil_emails),
        staff_id=roster.staff[row.staff_email],
        pupil_ids=pupil_ids,
        invited=tuple((address, roster.staff.get(address)) for address in row.second_staff_emails),
        started_at=started_at,
        ended_at=ended_at,
        answers=answers,
    )


def _times(row: _SessionCells, settings: Settings, now: datetime, planned: bool) -> tuple[datetime, datetime]:
    with of("started_at"):
        started_at = instant(row.started_at, settings)
    with of("ended_at"):
        ended_at = instant(row.ended_at, settings)
    if ended_at <= started_at:
        raise Unfit("is not after the start", "mend the one of the two that is wrong", "ended_at")
    if ended_at - started_at > LONGEST:
        raise Unfit("is more than 12 hours after the start", "mend the one of the two that is wrong", "ended_at")
    if planned:
        if started_at <= now:
            raise Unfit("is in the past", "plan a session that is still to come; log one that has been", "started_at")
        return started_at, ended_at
    if started_at > now:
        raise Unfit("is in the future", "log a session when it has taken place", "started_at")
    if ended_at > now:
        raise Unfit("is in the future", "log a session when it has ended", "ended_at")
    return started_at, ended_at


def reference(cells: Mapping[str, str], settings: Settings) -> str | None:
    """The reference that a row without one would be given; None where that cannot be told."""
    try:
        begun = instant(cells.get("started_at", ""), settings)
        pupils = _emails(cells.get("pupil_emails"))
        return _derived(email(cells.get("staff_email")), begun, pupils) if pupils else None
    except Unfit:
        return None


def _derived(staff: str, started_at: datetime, pupils: tuple[str, ...]) -> str:
    """A reference for a log that brings none: the same for the same staff, start and pupils."""
    told = "|".join([staff, started_at.isoformat(), *sorted(pupils)])
    return f"L-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
