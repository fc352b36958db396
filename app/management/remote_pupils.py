"""Remote learning of one pupil, such as in quarantine: entered, ended early or withdrawn.

The days of an entry never change. Ending one early withdraws it and enters the days that remain. The pupil's sessions
on these days are judged again in the same transaction.
"""

from datetime import date, timedelta

from sqlalchemy import Connection, and_, exists, insert, select, update

from app.access.policy import Days, NotAllowedError, Person, require
from app.access.scope import SESSION, is_led_by, is_open_to
from app.formatting import on_day
from app.judging.rejudge import rejudge_pupils
from app.management.effects import Effect, measure_effect
from app.school import School
from app.store import tables
from app.store.versions import is_there_on, valid_on, valid_versions
from app.store.writing import raise_revision
from app.vocabulary.roles import Resource

MOST_DAYS = 366

_entry = tables.remote_pupils.c


class RemoteLearningError(ValueError):
    """The days cannot be entered or ended. The message says why, with the fix."""


def enter_remote_learning(
    school: School, person: Person, pupil_id: int, from_day: date, to_day: date, reason: str
) -> Effect:
    """Enter that a pupil learns from home from one day to another, both included. Raises RemoteLearningError, or
    NotAllowedError if the person does not lead the pupil."""
    require(person, Resource.REMOTE_PUPILS)
    reason = _check(from_day, to_day, reason)
    with school.writing() as connection:
        _require_pupil(connection, school, person, pupil_id)
        _refuse_overlap(connection, pupil_id, (from_day, to_day))
        entry_id = _insert(connection, school, person, pupil_id, (from_day, to_day), reason)
        description = f"entry {entry_id}, {from_day} to {to_day}"
        return _judge_again(connection, school, person, pupil_id, (from_day, to_day), description)


def end_remote_learning(school: School, person: Person, entry_id: int, last_day: date) -> Effect:
    """End an entry early, after `last_day`. If that is before its first day, withdraw it. Raises RemoteLearningError,
    or NotAllowedError if the person does not lead the pupil."""
    require(person, Resource.REMOTE_PUPILS)
    entry = tables.remote_pupils
    with school.writing() as connection:
        row = connection.execute(select(entry).where(_entry.id == entry_id, _entry.ended_at.is_(None))).one_or_none()
        if row is None:
            raise RemoteLearningError("This entry has been ended already. Open the pupil's page again.")
        _require_pupil(connection, school, person, row.pupil_id, with_leavers=True)
        if last_day >= row.to_day:
            raise RemoteLearningError(f"It ends on {on_day(row.to_day)} anyway. Choose an earlier day.")
        ended = update(entry).where(_entry.id == entry_id)
        connection.execute(ended.values(ended_at=school.now(), ended_by=person.staff_id))
        description = f"entry {entry_id}, withdrawn"
        if last_day >= row.from_day:
            _insert(connection, school, person, row.pupil_id, (row.from_day, last_day), row.reason)
            description = f"entry {entry_id}, ended after {last_day}"
        days = max(row.from_day, last_day + timedelta(days=1)), row.to_day
        return _judge_again(connection, school, person, row.pupil_id, days, description)


def _check(from_day: date, to_day: date, reason: str) -> str:
    """The reason, without surrounding spaces. Raises RemoteLearningError if it is empty or the days are not valid."""
    if to_day < from_day:
        raise RemoteLearningError("The last day is before the first. Correct one of them.")
    if (to_day - from_day).days >= MOST_DAYS:
        raise RemoteLearningError(f"This is longer than {MOST_DAYS} days. Choose an earlier last day.")
    if not reason.strip():
        raise RemoteLearningError("Enter a reason, such as quarantine.")
    return reason.strip()


def _require_pupil(
    connection: Connection, school: School, person: Person, pupil_id: int, *, with_leavers: bool = False
) -> None:
    """Raise RemoteLearningError unless the pupil is on the roster today (`with_leavers`: or has left), and
    NotAllowedError unless the person leads them."""
    pupil, today = valid_versions(tables.pupil_versions), school.today()
    is_there = valid_on(pupil, today) if with_leavers else is_there_on(pupil, today)
    query = select(pupil.c.pupil_id).where(pupil.c.pupil_id == pupil_id, is_there)
    if connection.scalar(query) is None:
        raise RemoteLearningError("There is no such pupil at the school today. Choose a pupil of the roster.")
    if connection.scalar(query.where(is_led_by(person, Resource.REMOTE_PUPILS, pupil))) is None:
        raise NotAllowedError("You do not have access to remote learning of this pupil.")


def _refuse_overlap(connection: Connection, pupil_id: int, days: Days) -> None:
    is_same = _entry.pupil_id == pupil_id, _entry.ended_at.is_(None)
    overlaps = and_(_entry.from_day <= days[1], _entry.to_day >= days[0])
    query = select(_entry.from_day, _entry.to_day).where(*is_same, overlaps).order_by(_entry.from_day)
    if other := connection.execute(query).first():
        raise RemoteLearningError(
            f"Remote learning from {on_day(other.from_day)} to {on_day(other.to_day)} is entered for this pupil "
            "already. Choose other days, or end that entry first."
        )


def _insert(connection: Connection, school: School, person: Person, pupil_id: int, days: Days, reason: str) -> int:
    """Store an entry. Returns its id."""
    row = {"pupil_id": pupil_id, "from_day": days[0], "to_day": days[1], "reason": reason}
    who = {"entered_at": school.now(), "entered_by": person.staff_id}
    added = insert(tables.remote_pupils).values(**row, **who).returning(_entry.id)
    return int(connection.execute(added).scalar_one())


def _judge_again(
    connection: Connection, school: School, person: Person, pupil_id: int, days: Days, description: str
) -> Effect:
    """Judge the pupil's sessions on some days again, and record the change in the audit trail."""
    participant = tables.session_pupils.c
    of_pupil = exists().where(participant.session_id == SESSION.id, participant.pupil_id == pupil_id)
    sessions = and_(of_pupil, is_open_to(person, school.today()))
    effect = measure_effect(connection, lambda: rejudge_pupils(connection, school, [pupil_id], days), sessions)
    school.add_to_trail(connection, person.email, "changed", f"remote learning of pupil {pupil_id}, {description}")
    raise_revision(connection)
    return effect
