"""One concern in full, and the chronology of one child."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, and_, select

from app.access.concern_history import FIELDS, Action, Entry, LinkedSession, Version
from app.access.concern_reading import read_histories, read_names
from app.access.concern_scope import concerns_open_to, find_conduct_team, find_followed
from app.access.linked_sessions import describe_sessions, find_linked_sessions
from app.access.policy import Person, require
from app.access.scope import read_frame_by_name, select_pupils
from app.school import School
from app.store.concerns import CHILD, CONDUCT, Register, register_of


@dataclass
class ConcernView:
    """A concern in full, as it is now.

    - `version`: the number of its last change; `may_change`: the person follows it up (otherwise they only read it)
    - `fields`: for each of FIELDS its versions as text, the newest first
    - `pupils`: `pupil_id`, `name`, `school`, `year_group`, `house`, as of today; `adults`: the names in a
      concern about conduct
    - `entries`: the chronology; `opened_by`: who opened and downloaded a concern about conduct
    - `sessions`: the linked sessions that the person may open: `session_id`, `started_at`, `staff_name`,
      `purpose`, `status`; `links`: those that they may know of, with descriptions
    - `shared_with`: staff ids with names
    """

    ref: str
    register: Register
    open: bool
    level: str
    version: int
    may_change: bool
    raised_at: datetime
    happened_at: datetime | None
    raised_by: str
    owner: str
    summary: str
    childs_words: str | None
    place: str | None
    told_dsp: bool | None
    categories: tuple[str, ...]
    fields: dict[str, list[Version]]
    adults: list[str]
    pupils: pd.DataFrame
    sessions: pd.DataFrame
    links: list[LinkedSession]
    actions: list[Action]
    shared_with: dict[int, str]
    handed_over: tuple[str, str] | None
    outcome: str | None
    entries: list[Entry]
    opened_by: list[Entry]


def get_concern(school: School, person: Person, ref: str) -> ConcernView | None:
    """One concern of either kind; None if it does not exist or the person may not open it. Raises NotAllowedError if
    the person's roles allow no concern of its kind."""
    register = register_of(ref)
    require(person, register.resource)
    zone = school.settings.zone
    with school.engine.connect() as connection:
        condition = and_(register.concerns.c.ref == ref, concerns_open_to(school, person, register))
        histories = read_histories(connection, register, condition, zone)
        if not histories:
            return None
        history = histories[0]
        followed = find_followed(school, connection, person, register)
        described = describe_sessions(school, connection, person, histories, followed)
    pupils = select_pupils(school.today())
    linked = pupils.where(pupils.selected_columns["pupil_id"].in_(history.pupil_ids))
    may_change = history.row.id in followed
    handed, closed = history.last("handed_over"), history.last("closed")
    return ConcernView(
        ref=ref,
        register=register,
        open=history.open,
        level=history.level,
        version=history.version,
        may_change=may_change,
        raised_at=history.row.raised_at.astimezone(zone),
        raised_by=history.names.member(history.row.raised_by),
        owner=", ".join(history.alerted),
        **history.current(),
        fields={name: history.versions(name) for name in FIELDS},
        adults=history.adults,
        pupils=read_frame_by_name(school, linked).drop(columns="email"),
        sessions=find_linked_sessions(school, person, history.links),
        links=[LinkedSession(*link[:2], described[link[:2]]) for link in history.links if link[:2] in described],
        actions=history.actions,
        shared_with={number: history.names.member(number) for number in history.shared_with},
        handed_over=(handed[1]["system"], handed[1]["reference"]) if handed else None,
        outcome=closed[1].get("outcome") if closed and not history.open else None,
        entries=history.entries(described),
        opened_by=history.opened_by(),
    )


def get_chronology(school: School, person: Person, pupil_id: int) -> list[Entry]:
    """Everything that the person may know of concerns about one child: each concern's report, events and linked
    sessions, in order of time. Empty if the person may open none; concerns about conduct are never included."""
    require(person, CHILD.resource)
    about = select(CHILD.pupils.c.concern_id).where(CHILD.pupils.c.pupil_id == pupil_id)
    condition = and_(CHILD.concerns.c.id.in_(about), concerns_open_to(school, person, CHILD))
    with school.engine.connect() as connection:
        histories = read_histories(connection, CHILD, condition, school.settings.zone)
        followed = find_followed(school, connection, person, CHILD)
        described = describe_sessions(school, connection, person, histories, followed)
    entries = [entry for history in histories for entry in history.entries(described)]
    for history in histories:
        for session in find_linked_sessions(school, person, history.links).itertuples():
            words = (("With", session.staff_name or "unknown"), ("Purpose", session.purpose or "not logged"))
            entries.append(Entry(0, session.started_at, history.row.ref, "Session", "", words, "session"))
    return sorted(entries, key=lambda entry: (entry.at, entry.ref, entry.number))


def list_entries_about(school: School, connection: Connection, pupil_id: int) -> list[list[Entry]]:
    """For subject access: the chronology of each concern about a pupil, without what the linked sessions were."""
    about = select(CHILD.pupils.c.concern_id).where(CHILD.pupils.c.pupil_id == pupil_id)
    histories = read_histories(connection, CHILD, CHILD.concerns.c.id.in_(about), school.settings.zone)
    return [history.entries({}) for history in histories]


def list_conduct_team(school: School, person: Person, ref: str) -> dict[int, str]:
    """The names of those who may see a concern about conduct, by staff id: only they can be given an action. Empty if
    the person may not see it."""
    require(person, CONDUCT.resource)
    concern = CONDUCT.concerns.c
    query = select(concern.id).where(concern.ref == ref, concerns_open_to(school, person, CONDUCT))
    with school.engine.connect() as connection:
        concern_id = connection.scalar(query)
        names = read_names(connection, school.settings.zone)
        allowed = find_conduct_team(connection, concern_id, school.today()) if concern_id is not None else ()
    return {number: names.member(number) for number in allowed}
