"""What falls due by the clock: a concern that nobody has read, and the digest of a school day."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete

from app import access
from app.alerts import WAITING, queue
from app.judging import refresh
from app.school import School
from app.store import tables
from app.store.writing import remember, remembered
from app.wording import how_many

_HISTORY = timedelta(days=7)  # a concern unread for longer was there before alerts were
_DIGEST = "digest"  # the moment of the last


def put_in(school: School) -> None:
    """Put what is due into the outbox; what is or was in it is not put in again."""
    _unread(school)
    _digests(school)


def _unread(school: School) -> None:
    """Of a concern that nobody has read for a while all DSPs are told anew, and after twice that time, or at once
    where there is no DSP to tell, the Senior Deputy Head."""
    now, patience = school.now(), timedelta(minutes=school.settings.alerts.unread_minutes)
    found = access.unread_concerns(school, now - _HISTORY)
    due = [
        (concern, person)
        for concern in found
        for people, since in (
            (concern.dsps, concern.raised_at + patience),
            (concern.seniors, concern.raised_at + 2 * patience if concern.dsps else concern.raised_at),
        )
        for person in people
        if since <= now
    ]
    if not due:
        return
    with school.writing() as connection:
        for concern, person in due:
            about, key = f"concern {concern.ref}", f"concern {concern.ref} unread, to {person}"
            queue(connection, to=person, kind="concern_unread", about=about, key=key, at=now)


def _digests(school: School) -> None:
    """One a person and school day, of what is new since the last; on the week's first also of what still waits."""
    if not _digest_is_due(school):
        return
    refresh(school)
    now = school.now().astimezone(school.settings.zone)
    with school.engine.connect() as connection:
        last = _last_digest(connection) or now - _HISTORY
    first_of_week = last.astimezone(school.settings.zone).isocalendar()[:2] != now.isocalendar()[:2]
    waiting = access.waiting_for_each(school, last)
    new = waiting[["new_to_log", "new_to_explain", "new_to_settle"]].any(axis=1)
    with school.writing() as connection:
        if _last_digest(connection) not in (None, last):
            return  # another was quicker
        for row in waiting[new | first_of_week].itertuples():
            outdated = tables.alerts.c.kind == "digest", tables.alerts.c.to == row.staff_id
            connection.execute(delete(tables.alerts).where(*outdated, tables.alerts.c.state == WAITING))
            queue(
                connection, to=row.staff_id, kind="digest", about=f"digest {now.date()}", at=now, words=_words(row),
                key=f"digest {now.date()}, to {row.staff_id}", confidential=bool(row.confidential),
            )  # fmt: skip
        remember(connection, _DIGEST, now.isoformat())


def _digest_is_due(school: School) -> bool:
    now = school.now().astimezone(school.settings.zone)
    if not school.settings.is_school_day(now.date()) or now.time() < school.settings.alerts.digest_at:
        return False
    with school.engine.connect() as connection:
        last = _last_digest(connection)
    return last is None or last.astimezone(school.settings.zone).date() < now.date()


def _last_digest(connection: Connection) -> datetime | None:
    told = remembered(connection, _DIGEST)
    return datetime.fromisoformat(told) if told else None


def _words(row: Any) -> str:
    lines = []
    if row.to_log:
        lines.append(f"To log: {how_many(row.to_log, 'call')}.")
    if row.to_explain:
        lines.append(f"To explain: {how_many(row.to_explain, 'session')} with a clause not kept.")
    if row.to_settle:
        new = f", {row.new_to_settle} of them new" if row.new_to_settle else ""
        longest = f" The longest has waited {how_many(row.oldest, 'day')}." if row.oldest else ""
        lines.append(f"To settle: {how_many(row.to_settle, 'session')} with a clause not kept{new}.{longest}")
    return "\n".join(lines)
