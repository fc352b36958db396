"""The sessions that are linked to concerns: those that a person may open, and what the others were, in words."""

from collections.abc import Collection, Iterable, Sequence, Set
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select, true

from app.access.concern_history import LINKS, ConcernHistory, Link
from app.access.concern_scope import concerns_open_to
from app.access.policy import Person, require
from app.access.scope import SESSION, confidential, in_school_time, open_to
from app.access.sessions import find_sessions
from app.formatting import on_day_at
from app.school import School
from app.store import reading, tables
from app.store.concerns import CHILD, register_of
from app.store.versions import valid_on, valid_versions
from app.vocabulary import Resource


def list_sessions_to_link(school: School, person: Person, ref: str) -> pd.DataFrame:
    """The sessions that can be linked to a concern that the person follows up: those of its children, and of the
    adults whom a concern about conduct names, never counselling, the newest first: `session_id`, `started_at`,
    `staff_name`, `purpose`, `log_ref`, `call_id`. Empty where there is no such concern."""
    register = register_of(ref)
    require(person, Resource.LINKABLE_SESSIONS)
    who, link = valid_versions(tables.staff_versions), tables.session_calls.c
    kept, about, named, among = register.concerns.c, register.pupils.c, tables.conduct_named.c, tables.session_pupils.c
    mine = select(kept.id).where(kept.ref == ref, concerns_open_to(school, person, register))
    with_pupils = select(among.session_id).where(
        among.pupil_id.in_(select(about.pupil_id).where(about.concern_id.in_(mine)))
    )
    adults = select(named.staff_id).where(named.concern_id.in_(mine), named.staff_id.is_not(None))
    by_named = SESSION.staff_id.in_(adults)
    which = SESSION.id.in_(with_pupils) if register is CHILD else or_(SESSION.id.in_(with_pupils), by_named)
    query = (
        select(
            SESSION.id.label("session_id"),
            SESSION.started_at,
            who.c.name.label("staff_name"),
            SESSION.purpose,
            tables.logs.c.ref.label("log_ref"),
            link.call_id,
        )
        .outerjoin(who, and_(who.c.staff_id == SESSION.staff_id, valid_on(who, SESSION.day)))
        .outerjoin(tables.logs, tables.logs.c.id == SESSION.log_id)
        .outerjoin(tables.session_calls, and_(link.session_id == SESSION.id, link.place == 0))
        .where(which, not_(confidential()))
        .order_by(SESSION.started_at.desc())
        .limit(200)
    )
    with school.engine.connect() as connection:
        return in_school_time(school, reading.frame(connection, query))


def find_linked_sessions(school: School, person: Person, links: Sequence[Any]) -> pd.DataFrame:
    """The linked sessions that a person may open, without any counselling: beside the concern's pupils
    it would tell who took part."""
    found = find_sessions(school, person, _linked_to(links))
    return found.loc[~found["withheld"], ["session_id", "started_at", "staff_name", "purpose", "status"]]


def _linked_to(links: Sequence[Any]) -> ColumnElement[bool]:
    log, call = tables.logs.c, tables.session_calls.c
    by_log = select(log.id).where(log.ref.in_([link.log_ref for link in links if link.log_ref]))
    by_call = select(call.session_id).where(call.call_id.in_([link.call_id for link in links if link.call_id]))
    return or_(SESSION.log_id.in_(by_log), SESSION.id.in_(by_call))


def describe_sessions(
    school: School, connection: Connection, person: Person, found: Sequence[ConcernHistory], followed: Set[int]
) -> dict[Link, str]:
    """What each link's session was, in words, now or at any time before: all those of concerns that the person
    follows, of others only sessions that are theirs to open. Counselling is never among them."""
    mine = _all_links(history for history in found if history.row.id in followed)
    shared = _all_links(history for history in found if history.row.id not in followed)
    return (
        _describe(school, connection, shared, open_to(person, school.today()))
        | _describe(school, connection, mine, true())
        | {link: words for link, words in mine.items() if words}
    )


def _all_links(found: Iterable[ConcernHistory]) -> dict[Link, str | None]:
    """Every link there is or was, with what was written down of its session, where anything was."""
    links: dict[Link, str | None] = {}
    for history in found:
        links |= {(link.log_ref, link.call_id): getattr(link, "description", None) for link in history.links}
        links |= {(content["log_ref"], content["call_id"]): content.get("words") for _, content in history.of(*LINKS)}
    return links


def _describe(
    school: School, connection: Connection, links: Collection[Link], visible: ColumnElement[bool]
) -> dict[Link, str]:
    who, log, link = valid_versions(tables.staff_versions), tables.logs.c, tables.session_calls.c
    refs, calls = {ref for ref, _ in links if ref}, {call for _, call in links if call}
    query = (
        select(SESSION.started_at, SESSION.purpose, who.c.name, log.ref, link.call_id)
        .outerjoin(who, and_(who.c.staff_id == SESSION.staff_id, valid_on(who, SESSION.day)))
        .outerjoin(tables.logs, log.id == SESSION.log_id)
        .outerjoin(tables.session_calls, link.session_id == SESSION.id)
        .where(or_(log.ref.in_(refs), link.call_id.in_(calls)), not_(confidential()), visible)
    )
    described: dict[Link, str] = {}
    for row in connection.execute(query):
        when = on_day_at(row.started_at.astimezone(school.settings.zone))
        words = f"{when}, {row.purpose or 'not logged'}, {row.name or 'unknown'}"
        described |= {key: words for key in ((row.ref, None), (None, row.call_id)) if key in links}
    return described
