"""Reading concerns with everything that happened to them."""

from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, case, select, true

from app.access.concern_history import CLOSED, STATES, ConcernHistory, LinkedSession, Names
from app.store import tables
from app.store.concerns import CONDUCT, Register
from app.store.versions import valid_versions


def read_histories(
    connection: Connection, register: Register, condition: ColumnElement[bool], zone: ZoneInfo, *, whole: bool = True
) -> list[ConcernHistory]:
    """The concerns of a register that meet a condition. Without `whole`, events have only the texts that a list needs,
    since each has to be decrypted."""
    concern, event = register.concerns.c, register.events.c
    names = read_names(connection, zone)
    histories = {
        row.id: ConcernHistory(register, row, names)
        for row in connection.execute(
            select(register.concerns).where(condition).order_by(concern.raised_at, concern.id)
        )
    }
    ids = select(concern.id).where(condition)
    needed = true() if whole else event.kind.in_(("corrected", "action", "moved", "done", "linked", "unlinked"))
    words = [case((needed, event[name])).label(name) for name in ("text", "content")]
    plain = [column for column in event if column.name not in ("text", "content")]
    events = select(*plain, *words).where(event.concern_id.in_(ids)).order_by(event.occurred_at, event.id)
    for row in connection.execute(events):
        histories[row.concern_id].events.append(row)
    for pupil in connection.execute(select(register.pupils).where(register.pupils.c.concern_id.in_(ids))):
        histories[pupil.concern_id].pupil_ids.append(pupil.pupil_id)
    links = select(register.sessions).where(register.sessions.c.concern_id.in_(ids)).order_by(register.sessions.c.id)
    for link in connection.execute(links):
        session = LinkedSession(link.log_ref, link.call_id, getattr(link, "description", ""))
        histories[link.concern_id].links.append(session)
    if register is CONDUCT:
        named = tables.conduct_named
        for adult in connection.execute(select(named).where(named.c.concern_id.in_(ids)).order_by(named.c.id)):
            histories[adult.concern_id].named.append(adult)
    return list(histories.values())


def list_open(connection: Connection, register: Register) -> list[int]:
    """The ids of the open concerns of a register (see `ConcernHistory.open`), the oldest first."""
    concern, event = register.concerns.c, register.events.c
    states = select(event.concern_id, event.kind).where(event.kind.in_(STATES)).order_by(event.occurred_at, event.id)
    last = dict(connection.execute(states).all())
    everything = connection.scalars(select(concern.id).order_by(concern.raised_at, concern.id))
    return [number for number in everything if last.get(number) != CLOSED]


def read_names(connection: Connection, zone: ZoneInfo) -> Names:
    """Everybody's newest name."""
    staff, pupil = valid_versions(tables.staff_versions), valid_versions(tables.pupil_versions)
    of_staff = select(staff.c.staff_id, staff.c.name).where(staff.c.until.is_(None))
    of_pupils = select(pupil.c.pupil_id, pupil.c.name).where(pupil.c.until.is_(None))
    return Names(dict(connection.execute(of_staff).all()), dict(connection.execute(of_pupils).all()), zone)
