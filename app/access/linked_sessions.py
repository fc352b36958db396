"""The sessions that are linked to concerns: those that a person may open, and descriptions of the others."""

from collections.abc import Collection, Iterable, Sequence, Set
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, not_, or_, select, true

from app.access.concern_history import LINKS, ConcernHistory, Link, LinkedSession, key_of
from app.access.concern_scope import concerns_open_to
from app.access.policy import Person, require
from app.access.scope import SESSION, is_confidential, is_linked, is_open_to, with_staff_name
from app.access.sessions import find_sessions
from app.formatting import on_day_at
from app.school import School
from app.store import tables
from app.store.concerns import CONDUCT, list_named, register_of
from app.vocabulary.roles import Resource


def list_sessions_to_link(school: School, person: Person, ref: str) -> list[LinkedSession]:
    """The sessions that can be linked to a concern that the person follows up: those of its children, and of the
    adults whom a concern about conduct names, never counselling, the newest 200. Empty if there is no such concern."""
    require(person, Resource.LINKABLE_SESSIONS)
    register, participant = register_of(ref), tables.session_pupils.c
    concern, about = register.concerns.c, register.pupils.c
    concerned = select(concern.id).where(concern.ref == ref, concerns_open_to(school, person, register))
    pupils = select(about.pupil_id).where(about.concern_id.in_(concerned))
    with_pupils = SESSION.id.in_(select(participant.session_id).where(participant.pupil_id.in_(pupils)))
    with school.engine.connect() as connection:
        numbers = set(connection.scalars(concerned)) if register is CONDUCT else set()
        adults = [staff_id for concern_id, staff_id in list_named(connection) if concern_id in numbers]
        query = _select_sessions(or_(with_pupils, SESSION.staff_id.in_(adults)), first_call=True)
        rows = connection.execute(query.order_by(SESSION.started_at.desc(), SESSION.id).limit(200)).all()
    return [LinkedSession(row.ref, None if row.ref else row.call_id, _describe(school, row)) for row in rows]


def find_linked_sessions(school: School, person: Person, links: Sequence[LinkedSession]) -> pd.DataFrame:
    """The linked sessions that a person may open, except counselling: next to the concern's pupils a counselling
    session would reveal who took part."""
    log_refs, call_ids = (
        [link.log_ref for link in links if link.log_ref],
        [link.call_id for link in links if link.call_id],
    )
    sessions = find_sessions(school, person, is_linked(log_refs, call_ids))
    return sessions.loc[~sessions["withheld"], ["session_id", "started_at", "staff_name", "purpose", "status"]]


def describe_sessions(
    school: School, connection: Connection, person: Person, histories: Sequence[ConcernHistory], followed: Set[int]
) -> dict[Link, str]:
    """A description of the session of each present or past link: of the concerns that the person follows up every
    session, of other concerns only the sessions that the person may open. Counselling is never included, nor are
    sessions that are no longer on record, which may have been counselling: a link to one is as if it had never been."""
    mine = _read_links(history for history in histories if history.row.id in followed)
    shared = _read_links(history for history in histories if history.row.id not in followed)
    return (
        _describe_links(school, connection, shared, is_open_to(person, school.today()))
        | _describe_links(school, connection, mine, true())
        | {link: words for link, words in mine.items() if words}
    )


def _read_links(histories: Iterable[ConcernHistory]) -> dict[Link, str]:
    """Every present or past link, with the stored description of its session ("" if there is none)."""
    links: dict[Link, str] = {}
    for history in histories:
        links |= {link[:2]: link.description for link in history.links}
        links |= {key_of(content): content.get("words", "") for _, content in history.events_of_kind(*LINKS)}
    return links


def _describe_links(
    school: School, connection: Connection, links: Collection[Link], visible: ColumnElement[bool]
) -> dict[Link, str]:
    linked = is_linked([log_ref for log_ref, _ in links], [call_id for _, call_id in links])
    described: dict[Link, str] = {}
    for row in connection.execute(_select_sessions(linked, visible)):
        keys = ((row.ref, None), (None, row.call_id))
        described |= {key: _describe(school, row) for key in keys if key in links}
    return described


def _select_sessions(*conditions: ColumnElement[bool], first_call: bool = False) -> Select[Any]:
    """Sessions that are not counselling, one row for each of their calls, or only for the first call."""
    link = tables.session_calls.c
    calls = and_(link.session_id == SESSION.id, link.place == 0 if first_call else true())
    query = (
        select(SESSION.started_at, SESSION.purpose, tables.logs.c.ref, link.call_id)
        .outerjoin(tables.logs, tables.logs.c.id == SESSION.log_id)
        .outerjoin(tables.session_calls, calls)
        .where(not_(is_confidential()), *conditions)
    )
    return with_staff_name(query, "staff_name", SESSION.staff_id, SESSION.day)


def _describe(school: School, session: Row[Any]) -> str:
    when = on_day_at(session.started_at.astimezone(school.settings.zone))
    return f"{when}, {session.purpose or 'not logged'}, {session.staff_name or 'unknown'}"
