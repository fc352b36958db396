"""Safeguarding concerns about children; concerns about adults' conduct, apart; what they ask people to do.

A concern about conduct is the DSPs' and the Senior Deputy Head's, less anybody it names: `_conduct_open_to`
is that rule, and every query of one stands under it. Once named means never to see it.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, false, func, not_, or_, select, true

from app.access.concern_history import (
    FIELDS,
    LINKS,
    Action,
    ConcernHistory,
    Entry,
    Link,
    Version,
    read_histories,
    read_names,
)
from app.access.policy import Person, require, roles_with, scopes
from app.access.scope import SESSION, confidential, holds_any, in_school_time, of_school, open_to
from app.access.sessions import find_sessions
from app.formatting import on_day_at
from app.school import School
from app.store import reading, tables
from app.store.concerns import CHILD, CONDUCT, Register, for_conduct, register_of
from app.store.versions import valid_on, valid_versions
from app.vocabulary import Resource, Scope

_LISTED = [
    "ref", "open", "level", "raised_at", "happened_at", "age_days", "categories", "pupils", "raised_by", "owner",
    "summary", "childs_words", "read", "actions",
]  # fmt: skip


def list_concerns(school: School, person: Person) -> pd.DataFrame:
    """The concerns about children that the person may open, open ones first, then by level and age. NotAllowed
    but for DSPs, the Senior Deputy Head, and HOYs and HMs, who have those that were shared with them.

    Columns: `ref`, `open`, `level`, `raised_at`, `happened_at`, `age_days` (whole days since it was
    raised), `categories` (as in CATEGORIES, joined by ";"), `pupils` (names), `raised_by`, `owner` (the
    DSPs alerted; blank: nobody), `summary`, `childs_words` (as corrected last), `read` (by a DSP), `actions` (how
    many are open).
    """
    return _list(school, person, CHILD)


def list_conduct_concerns(school: School, person: Person) -> pd.DataFrame:
    """The concerns about adults' conduct that the person may open, as `concerns_list`, with `adults` (whom they
    name). NotAllowed but for DSPs and the Senior Deputy Head."""
    return _list(school, person, CONDUCT)


def _list(school: School, person: Person, register: Register) -> pd.DataFrame:
    require(person, register.resource)
    with school.engine.connect() as connection:
        found = read_histories(
            connection, register, _open_to(school, person, register), _names(school, connection), whole=False
        )
    return _frame(school, found, register)


def get_oldest_concern(school: School, person: Person) -> dict[str, Any] | None:
    """The oldest open concern about a child without its narrative and pupils: `ref`, `level`, `raised_at`,
    `age_days`, `owner`, and `waiting` (how many are open); None if none is. For the Senior Deputy Head."""
    require(person, Resource.OLDEST_CONCERN)
    with school.engine.connect() as connection:
        concerns = _frame(
            school, read_histories(connection, CHILD, true(), _names(school, connection), whole=False), CHILD
        )
    concerns = concerns[concerns["open"]].sort_values("raised_at")
    if concerns.empty:
        return None
    oldest = concerns.iloc[0]
    return {name: oldest[name] for name in ("ref", "level", "raised_at", "age_days", "owner")} | {
        "waiting": len(concerns)
    }


def list_own_concerns(school: School, person: Person) -> pd.DataFrame:
    """What the person raised about children themselves, the newest first: `ref`, `raised_at`, `happened_at`,
    `pupils`, `summary`, `childs_words` (their own words, as they reported them), `received_by` (names of the DSPs
    alerted; blank: nobody yet), `read_by` (names with the time; blank: nobody yet)."""
    return _own(school, person, CHILD, true())


def list_own_conduct_concerns(school: School, person: Person) -> pd.DataFrame:
    """What the person raised about adults' conduct and is not named in themselves, as `own_concerns`."""
    return _own(school, person, CONDUCT, _does_not_name(person))


def _own(school: School, person: Person, register: Register, which: ColumnElement[bool]) -> pd.DataFrame:
    mine = and_(register.concerns.c.raised_by == person.staff_id, which)
    with school.engine.connect() as connection:
        found = read_histories(connection, register, mine, _names(school, connection), whole=False)
    rows = [
        {
            "ref": life.row.ref, "raised_at": life.row.raised_at, "happened_at": life.row.happened_at,
            "pupils": ", ".join(life.about), "summary": life.row.summary, "childs_words": life.row.childs_words,
            "received_by": ", ".join(life.told), "read_by": _read_by(life),
        }
        for life in reversed(found)
    ]  # fmt: skip
    columns = [
        "ref", "raised_at", "happened_at", "pupils", "summary", "childs_words", "received_by", "read_by"
    ]  # fmt: skip
    return _timed(school, pd.DataFrame(rows, columns=columns), "raised_at", "happened_at")


def _read_by(life: ConcernHistory) -> str:
    return "; ".join(
        f"{life.names.member(event.actor_id)}, {life.names.moment(event.occurred_at)}" for event, _ in life.of("read")
    )


def list_actions_to_do(school: School, person: Person) -> pd.DataFrame:
    """What open concerns ask to be done and is not: of the person, and for whom a concern is open, of everybody.
    The person's own first, then by day.

    Columns: `ref`, `number`, `what`, `due` (a day), `overdue`, `owner`, `mine`, `asked_by`, `conduct`, `may_open`.
    """
    rows = []
    with school.engine.connect() as connection:
        names, today = _names(school, connection), school.today()
        event = tables.concern_events.c
        asked = select(event.concern_id).where(
            event.kind.in_(("action", "moved")), event.recipient_id == person.staff_id
        )
        for register, by_asking in ((CHILD, tables.concerns.c.id.in_(asked)), (CONDUCT, false())):
            open_to = _open_to(school, person, register)
            to_open = set(connection.scalars(select(register.concerns.c.id).where(open_to)))
            followed = _followed(school, connection, person, register)
            for life in read_histories(connection, register, or_(open_to, by_asking), names, whole=False):
                rows += [
                    {
                        "ref": life.row.ref, "number": action.number, "what": action.what, "due": action.due,
                        "overdue": action.due < today, "owner": action.owner,
                        "mine": action.owner_id == person.staff_id,
                        "asked_by": action.asked_by, "conduct": register is CONDUCT, "may_open": life.row.id in to_open,
                    }
                    for action in life.actions
                    if life.open and action.done_on is None
                    and (action.owner_id == person.staff_id or life.row.id in followed)
                ]  # fmt: skip
    columns = ["ref", "number", "what", "due", "overdue", "owner", "mine", "asked_by", "conduct", "may_open"]
    found = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(("overdue", "mine", "conduct", "may_open"), bool))
    return found.sort_values(["mine", "due", "ref", "number"], ascending=[False, True, True, True], ignore_index=True)


def list_pupils_on_record(school: School, person: Person) -> pd.DataFrame:
    """The pupils of whom the person may have everything that is held: `pupil_id`, `email`, `name`,
    `year_group`, by name. Those of the DSP's school, also those who have left."""
    require(person, Resource.SUBJECT_ACCESS)
    pupil = valid_versions(tables.pupil_versions)
    query = (
        select(pupil.c.pupil_id, tables.pupils.c.email, pupil.c.name, pupil.c.year_group)
        .join(tables.pupils, tables.pupils.c.id == pupil.c.pupil_id)
        .where(pupil.c.school == person.school, valid_on(pupil, school.today()))
        .order_by(pupil.c.name, tables.pupils.c.email)
    )
    with school.engine.connect() as connection:
        return reading.frame(connection, query)


@dataclass
class ConcernView:
    """A concern in full, as it stands.

    - `version`: the number of its last change; `may_change`: the person follows it up (else they read it)
    - `fields`: for each of FIELDS its versions in words, the newest first
    - `pupils`: `pupil_id`, `name`, `school`, `year_group`, `house`, as of today; `adults`: whom a concern about
      conduct names
    - `entries`: the chronology; `opened_by`: who opened and took away a concern about conduct
    - `sessions`: the linked sessions that the person may open: `session_id`, `started_at`, `staff_name`,
      `purpose`, `status`; `links`: each link to a session that they may know of: its log reference, call id, and
      words for it
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
    links: list[tuple[str | None, str | None, str]]
    actions: list[Action]
    shared_with: dict[int, str]
    handed_over: tuple[str, str] | None
    outcome: str | None
    entries: list[Entry]
    opened_by: list[Entry]


def get_concern(school: School, person: Person, ref: str) -> ConcernView | None:
    """One concern of either kind; None if it is not there or not for them. NotAllowed as the list of its kind."""
    register = register_of(ref)
    require(person, register.resource)
    with school.engine.connect() as connection:
        which = and_(register.concerns.c.ref == ref, _open_to(school, person, register))
        found = read_histories(connection, register, which, _names(school, connection))
        if not found:
            return None
        pupils = _pupils(school, connection, found[0].pupil_ids)
        followed = _followed(school, connection, person, register)
        described = _describe_sessions(school, connection, person, found, followed)
    return _view(school, person, found[0], pupils, described, may_change=found[0].row.id in followed)


def _view(
    school: School,
    person: Person,
    life: ConcernHistory,
    pupils: pd.DataFrame,
    described: Mapping[Link, str],
    *,
    may_change: bool,
) -> ConcernView:
    row, happened, handed = life.row, life.value("happened_at"), life.last("handed_over")
    closed = life.last("closed")
    return ConcernView(
        ref=row.ref,
        register=life.register,
        open=life.open,
        level=life.level,
        version=life.version,
        may_change=may_change,
        raised_at=row.raised_at.astimezone(school.settings.zone),
        happened_at=datetime.fromisoformat(happened).astimezone(school.settings.zone) if happened else None,
        raised_by=life.names.member(row.raised_by),
        owner=", ".join(life.told),
        summary=life.value("summary"),
        childs_words=life.value("childs_words"),
        place=life.value("place"),
        told_dsp=life.value("told_dsp"),
        categories=tuple(life.value("categories").split(";")),
        fields={name: life.versions(name) for name in FIELDS},
        adults=life.adults,
        pupils=pupils,
        sessions=_sessions_linked(school, person, life.links),
        links=[(*key, described[key]) for link in life.links if (key := (link.log_ref, link.call_id)) in described],
        actions=life.actions,
        shared_with={number: life.names.member(number) for number in life.shared_with},
        handed_over=(handed[1]["system"], handed[1]["reference"]) if handed else None,
        outcome=closed[1].get("outcome") if closed and not life.open else None,
        entries=life.entries(described, every_link=may_change),
        opened_by=life.opened_by(),
    )


def get_chronology(school: School, person: Person, pupil_id: int) -> list[Entry]:
    """Everything that the person may know of concerns about one child: each concern's report and events and the
    sessions linked to them, as one list in time. Empty if none is theirs to see; of an adult's conduct nothing."""
    require(person, CHILD.resource)
    about = select(CHILD.pupils.c.concern_id).where(CHILD.pupils.c.pupil_id == pupil_id)
    which = and_(CHILD.concerns.c.id.in_(about), _open_to(school, person, CHILD))
    with school.engine.connect() as connection:
        found = read_histories(connection, CHILD, which, _names(school, connection))
        followed = _followed(school, connection, person, CHILD)
        described = _describe_sessions(school, connection, person, found, followed)
    entries = [entry for life in found for entry in life.entries(described, every_link=life.row.id in followed)]
    for life in found:
        for session in _sessions_linked(school, person, life.links).itertuples():
            who = session.staff_name or "unknown"
            words = (("With", who), ("Purpose", session.purpose or "not logged"))
            entries.append(Entry(0, session.started_at, life.row.ref, "Session", "", words, "session"))
    return sorted(entries, key=lambda entry: (entry.at, entry.ref, entry.number))


def list_entries_about(school: School, connection: Connection, pupil_id: int) -> list[list[Entry]]:
    """For subject access: the chronology of each concern about a pupil, without what the linked sessions were."""
    about = select(CHILD.pupils.c.concern_id).where(CHILD.pupils.c.pupil_id == pupil_id)
    found = read_histories(connection, CHILD, CHILD.concerns.c.id.in_(about), _names(school, connection))
    return [life.entries({}, every_link=True) for life in found]


def list_sessions_to_link(school: School, person: Person, ref: str) -> pd.DataFrame:
    """The sessions that can be linked to a concern that the person follows up: those of its children, and of the
    adults whom a concern about conduct names, never counselling, the newest first: `session_id`, `started_at`,
    `staff_name`, `purpose`, `log_ref`, `call_id`. Empty where there is no such concern."""
    register = register_of(ref)
    require(person, Resource.LINKABLE_SESSIONS)
    who, link = valid_versions(tables.staff_versions), tables.session_calls.c
    kept, about, named, among = register.concerns.c, register.pupils.c, tables.conduct_named.c, tables.session_pupils.c
    mine = select(kept.id).where(kept.ref == ref, _open_to(school, person, register))
    with_pupils = select(among.session_id).where(
        among.pupil_id.in_(select(about.pupil_id).where(about.concern_id.in_(mine)))
    )
    adults = select(named.staff_id).where(named.concern_id.in_(mine), named.staff_id.is_not(None))
    by_named = SESSION.staff_id.in_(adults)
    which = SESSION.id.in_(with_pupils) if register is CHILD else or_(SESSION.id.in_(with_pupils), by_named)
    query = (
        select(
            SESSION.id.label("session_id"), SESSION.started_at, who.c.name.label("staff_name"), SESSION.purpose,
            tables.logs.c.ref.label("log_ref"), link.call_id,
        )
        .outerjoin(who, and_(who.c.staff_id == SESSION.staff_id, valid_on(who, SESSION.day)))
        .outerjoin(tables.logs, tables.logs.c.id == SESSION.log_id)
        .outerjoin(tables.session_calls, and_(link.session_id == SESSION.id, link.place == 0))
        .where(which, not_(confidential()))
        .order_by(SESSION.started_at.desc())
        .limit(200)
    )  # fmt: skip
    with school.engine.connect() as connection:
        return in_school_time(school, reading.frame(connection, query))


def list_leaders_to_share_with(school: School, person: Person) -> dict[int, str]:
    """The HOYs and HMs with whom a concern can be shared, by staff id, for whoever follows concerns up."""
    require(person, Resource.LINKABLE_SESSIONS)
    version = valid_versions(tables.staff_versions)
    leads = holds_any(version.c.roles, roles_with(Resource.CONCERNS, Scope.SHARED))
    query = (
        select(version.c.staff_id, version.c.name)
        .where(valid_on(version, school.today()), leads)
        .order_by(version.c.name)
    )
    with school.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def list_conduct_team(school: School, person: Person, ref: str) -> dict[int, str]:
    """Who may see a concern about conduct, by staff id: only they can be asked to do something about it. Empty
    where it is not the person's to see."""
    require(person, CONDUCT.resource)
    kept = CONDUCT.concerns.c
    mine = select(kept.id).where(kept.ref == ref, _open_to(school, person, CONDUCT))
    with school.engine.connect() as connection:
        number = connection.scalar(mine)
        names = _names(school, connection)
        allowed = for_conduct(connection, number, school.today()) if number is not None else ()
    return {one: names.member(one) for one in allowed}


# --- who may see what ---------------------------------------------------------------------------------------


def _open_to(school: School, person: Person, register: Register) -> ColumnElement[bool]:
    """The concerns of a register that a person may open, as a condition on its concerns."""
    followed = _followed_by(school, person, register)
    if Scope.SHARED in scopes(person, register.resource):
        return or_(followed, tables.concerns.c.id.in_(_shared_with(person)))
    return followed


def _followed_by(school: School, person: Person, register: Register) -> ColumnElement[bool]:
    """Those that they may open and change: a DSP who leads a year only reads what another school shares with them."""
    if register is CONDUCT:
        return _conduct_open_to(person)
    granted = scopes(person, Resource.CONCERNS)
    if Scope.ALL in granted:
        return true()
    if Scope.OWN_SCHOOL in granted:
        return tables.concerns.c.id.in_(of_school(person.school, school.today()).correlate(None))
    return false()


def _followed(school: School, connection: Connection, person: Person, register: Register) -> set[int]:
    return set(connection.scalars(select(register.concerns.c.id).where(_followed_by(school, person, register))))


def _shared_with(person: Person) -> Any:
    """The concerns of which the last word on sharing with the person is that it is."""
    event = tables.concern_events.c
    of_sharing = and_(event.recipient_id == person.staff_id, event.kind.in_(("shared", "unshared")))
    last = select(func.max(event.id)).where(of_sharing).group_by(event.concern_id)
    return select(event.concern_id).where(event.id.in_(last), event.kind == "shared").correlate(None)


def _conduct_open_to(person: Person) -> ColumnElement[bool]:
    """The concerns about conduct that a person may open, as a condition on `conduct_concerns`."""
    granted = scopes(person, Resource.CONDUCT_CONCERNS)
    return _does_not_name(person) if Scope.NOT_NAMING_THEM in granted else false()


def _does_not_name(person: Person) -> ColumnElement[bool]:
    named = tables.conduct_named.c
    naming = select(named.concern_id).where(named.staff_id == person.staff_id).correlate(None)
    return tables.conduct_concerns.c.id.not_in(naming)


# --- frames -------------------------------------------------------------------------------------------------


def _names(school: School, connection: Connection) -> Any:
    return read_names(connection, school.settings.zone)


def _frame(school: School, found: Sequence[ConcernHistory], register: Register) -> pd.DataFrame:
    now = school.now()
    rows = [
        {
            "ref": life.row.ref, "open": life.open, "level": life.level, "raised_at": life.row.raised_at,
            "happened_at": pd.Timestamp(happened) if (happened := life.value("happened_at")) else None,
            "age_days": (now - life.row.raised_at).days, "categories": life.value("categories"),
            "pupils": ", ".join(life.about), "raised_by": life.names.member(life.row.raised_by) or None,
            "owner": ", ".join(life.told), "summary": life.value("summary"),
            "childs_words": life.value("childs_words"), "read": life.last("read") is not None,
            "actions": sum(action.done_on is None for action in life.actions), "adults": ", ".join(life.adults),
        }
        for life in found
    ]  # fmt: skip
    order = {level: place for place, level in enumerate(register.levels)}
    rows.sort(key=lambda row: (not row["open"], order.get(str(row["level"]), math.inf), row["raised_at"]))
    columns = [*_LISTED, "adults"] if register is CONDUCT else _LISTED
    listed_rows = pd.DataFrame(rows, columns=columns).astype({"open": bool, "read": bool})
    return _timed(school, listed_rows, "raised_at", "happened_at")


def _timed(school: School, frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    for column in columns:
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return in_school_time(school, frame)


def _pupils(school: School, connection: Connection, pupil_ids: Sequence[int]) -> pd.DataFrame:
    pupil = valid_versions(tables.pupil_versions)
    return reading.frame(
        connection,
        select(pupil.c.pupil_id, pupil.c.name, pupil.c.school, pupil.c.year_group, pupil.c.house)
        .where(pupil.c.pupil_id.in_(pupil_ids), valid_on(pupil, school.today()))
        .order_by(pupil.c.name),
    )


def select_linked_concerns(
    school: School, connection: Connection, person: Person, log_ref: str | None, call_ids: list[str], withheld: bool
) -> pd.DataFrame:
    """The concerns about children that hang on a session and are the person's to open; never one about conduct."""
    link = tables.concern_sessions.c
    linked = select(link.concern_id).where(or_(link.log_ref == log_ref, link.call_id.in_(call_ids)))
    which = false() if withheld else and_(tables.concerns.c.id.in_(linked), _open_to(school, person, CHILD))
    found = read_histories(connection, CHILD, which, _names(school, connection), whole=False)
    return _frame(school, found, CHILD)[["ref", "raised_at", "level"]]


def _linked_to(links: Sequence[Any]) -> ColumnElement[bool]:
    log, call = tables.logs.c, tables.session_calls.c
    by_log = select(log.id).where(log.ref.in_([link.log_ref for link in links if link.log_ref]))
    by_call = select(call.session_id).where(call.call_id.in_([link.call_id for link in links if link.call_id]))
    return or_(SESSION.log_id.in_(by_log), SESSION.id.in_(by_call))


def _sessions_linked(school: School, person: Person, links: Sequence[Any]) -> pd.DataFrame:
    """The linked sessions that a person may open, without any counselling: beside the concern's pupils
    it would tell who took part."""
    found = find_sessions(school, person, _linked_to(links))
    return found.loc[~found["withheld"], ["session_id", "started_at", "staff_name", "purpose", "status"]]


def _describe_sessions(
    school: School, connection: Connection, person: Person, found: Sequence[ConcernHistory], followed: Set[int]
) -> dict[Link, str]:
    """What each link's session was, in words, now or at any time before: all those of concerns that the person
    follows, of others only sessions that are theirs to open. Counselling is never among them."""
    mine = _all_links(life for life in found if life.row.id in followed)
    shared = _all_links(life for life in found if life.row.id not in followed)
    return (
        _in_words(school, connection, shared, open_to(person, school.today()))
        | _in_words(school, connection, mine, true())
        | {link: words for link, words in mine.items() if words}
    )


def _all_links(found: Iterable[ConcernHistory]) -> dict[Link, str | None]:
    """Every link there is or was, with what was written down of its session, where anything was."""
    links: dict[Link, str | None] = {}
    for life in found:
        links |= {(link.log_ref, link.call_id): getattr(link, "description", None) for link in life.links}
        links |= {(said["log_ref"], said["call_id"]): said.get("words") for _, said in life.of(*LINKS)}
    return links


def _in_words(
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
