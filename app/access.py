"""Who sees what: every question about people's data is asked here, and nowhere else.

Each function takes the school and the person who asks and answers only with what that person may see;
the filter stands in the query itself. Who holds a role is decided by the roster in force today, whose
tutor or pupil somebody was by the one in force on the session's day. TABLE says in words what the
functions do, and they look it up there.

Counselling: a confidential session is left out of everything for everybody but the member of staff who
conducted it, so that no filter and no difference of two figures tells of one. The one exception is a
session logged as counselling by somebody who is no counsellor: the Senior Deputy Head sees that it took
place, without pupils, notes and reasons. `counselling_counts` is the only figure there is.

Times in frames are in school time. A question that the person may not ask at all raises NotAllowed.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
)

from app import audit
from app.concerns import LEVELS
from app.protocol import CLAUSES, decode, figures, judge
from app.protocol.matching import recorded_calls
from app.store import reading, tables
from app.store.held import held, listed, on

if TYPE_CHECKING:
    from app.graph.sync import SyncState
    from app.school import School

Days = tuple[date, date]  # both belong to it

ROLES = (
    "teacher",
    "music_teacher",
    "tutor",
    "hoy",
    "hm",
    "counsellor",
    "senior_deputy_head",
    "slt",
    "dsp",
    "admin",
)
STAFF = "staff"  # every member of staff, whatever their roles

# What is asked for -> role -> how much of it that role sees; who is not named sees nothing of it.
TABLE: dict[str, dict[str, str]] = {
    "sessions": {
        STAFF: "their own",
        "hoy": "by tutors of, and with pupils of, their year groups",
        "hm": "by tutors of, and with pupils of, their houses",
        "dsp": "linked to a concern of their school",
        "senior_deputy_head": "all",
    },
    "counselling sessions": {
        STAFF: "their own",
        "senior_deputy_head": "by others than counsellors, without pupils, notes and reasons",
    },
    "number of counselling sessions": {
        "senior_deputy_head": "each term, in threes",
        "slt": "each term, in threes",
    },
    "overview": {
        "senior_deputy_head": "with names of staff",
        "slt": "without names",
    },
    "figures of the protocol": {
        STAFF: "the whole school, a term at a time",
        "senior_deputy_head": "the whole school, any days",
        "slt": "the whole school, any days",
    },
    "concerns": {
        STAFF: "their own words, and who received them",
        "dsp": "of their school",
        "senior_deputy_head": "all",
    },
    "oldest open concern": {
        "senior_deputy_head": "its level, age and owner, without its narrative",
    },
    "names to choose from": {STAFF: "all"},
    "roster": {"admin": "all"},
    "imports": {"admin": "all"},
    "refused rows": {"admin": "without narratives and without pupils of counselling"},
    "sync": {"admin": "all but what call records say"},
    "audit trail": {"admin": "all; it names records by reference"},
}

# The pages, and the roles that open each; STAFF: every member of staff.
PAGES: dict[str, frozenset[str]] = {
    "overview": frozenset({"senior_deputy_head", "slt"}),
    "sessions": frozenset({STAFF}),
    "log": frozenset({STAFF}),
    "concerns": frozenset({STAFF}),
    "protocol": frozenset({STAFF}),
    "administration": frozenset({"admin"}),
}

WITHHELD = "Counselling is confidential: the reason is for the counsellor."
WITHHELD_ABOUT = "withheld: counselling is confidential"
COUNSELLING = "counselling"
OTHER_PURPOSES = ("music", "academic", "pastoral")
UNDER = 3  # no smaller number of counselling sessions is ever told


class NotAllowed(Exception):
    """The person may not ask this; the message names what was asked for and nobody."""


# --- people -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A member of staff as the roster knows them today. `year_groups` and `houses` are those that
    they look after as HOY or HM, in their own school."""

    staff_id: int
    email: str
    name: str
    school: str
    department: str
    roles: frozenset[str]
    year_groups: frozenset[str]
    houses: frozenset[str]


def person(school: "School", email: str) -> Person | None:
    """The member of staff with this email; None if the roster has none."""
    found = _people(school, tables.staff.c.email == email.strip().lower())
    return found[0] if found else None


def demonstration_people(school: "School") -> list[Person]:
    """One person of each kind to look through the eyes of; none unless this is the demonstration.

    In order: Senior Deputy Head, HOY, HM, tutor, counsellor, DSP, SLT, administrator. Of several
    the one with the fewest other roles, and then with the most calls still to log.
    """
    with school.engine.connect() as connection:
        if connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "demo")) is None:
            return []
        waiting = (
            select(_session.staff_id, func.count().label("waiting"))
            .where(_session.log_id.is_(None))
            .group_by(_session.staff_id)
        )
        to_log = {row.staff_id: row.waiting for row in connection.execute(waiting)}
    everybody = sorted(_people(school, true()), key=lambda p: (len(p.roles), -to_log.get(p.staff_id, 0), p.email))
    chosen: list[Person] = []
    for role in ("senior_deputy_head", "hoy", "hm", "tutor", "counsellor", "dsp", "slt", "admin"):
        chosen += [p for p in everybody if role in p.roles and p not in chosen][:1]
    return chosen


def _people(school: "School", which: ColumnElement[bool]) -> list[Person]:
    version = held(tables.staff_versions)
    query = (
        select(tables.staff.c.email, version)
        .join(version, version.c.staff_id == tables.staff.c.id)
        .where(which, on(version, _today(school)))
        .order_by(tables.staff.c.email)
    )
    with school.engine.connect() as connection:
        return [
            Person(
                row.staff_id,
                row.email,
                row.name,
                row.school,
                row.department,
                _items(row.roles),
                _items(row.year_groups),
                _items(row.houses),
            )
            for row in connection.execute(query)
        ]


def _items(cell: str) -> frozenset[str]:
    return frozenset(item.strip() for item in cell.split(";") if item.strip())


def may_open(person: Person, page: str) -> bool:
    """Whether a page of PAGES is for this person."""
    return bool(PAGES[page] & {STAFF, *person.roles})


def sees(person: Person, thing: str) -> set[str]:
    """How much of a thing of TABLE the person sees, by each of their roles; empty: nothing."""
    return {how_much for role, how_much in TABLE[thing].items() if role == STAFF or role in person.roles}


def _require(person: Person, thing: str, how_much: str | None = None) -> None:
    seen = sees(person, thing)
    if not seen or (how_much is not None and how_much not in seen):
        raise NotAllowed(f"This is not for you to see: {thing}.")


def _by(person: Person, thing: str, role: str) -> bool:
    """Whether the person sees the thing by this role."""
    return role in TABLE[thing] and (role == STAFF or role in person.roles)


def revision(school: "School") -> int:
    """A number that every write raises: what was read at one revision holds until the next.

    Part of what is read depends on the person too, and some on the day: a cache's key holds all three.
    """
    with school.engine.connect() as connection:
        return reading.revision(connection)


# --- which sessions -----------------------------------------------------------------------------------

_session = tables.sessions.c


def _ever_counsellor() -> Select[Any]:
    """Staff who are or were counsellors: who is new in it may have begun before the roster said so."""
    version = tables.staff_versions.c
    return select(version.staff_id).where(listed(version.roles, "counsellor")).correlate(None)


def _confidential() -> ColumnElement[bool]:
    """Counselling, a counsellor's call that is not logged, or one whose purpose the counsellor misspelt."""
    purpose = func.lower(func.coalesce(_session.purpose, ""))
    return or_(
        _session.confidential,
        purpose == COUNSELLING,
        and_(func.coalesce(_session.staff_id, 0).in_(_ever_counsellor()), purpose.not_in(OTHER_PURPOSES)),
    )


def _counselling_by_others() -> ColumnElement[bool]:
    return and_(func.lower(_session.purpose) == COUNSELLING, _session.staff_id.not_in(_ever_counsellor()))


def _visible(person: Person, today: date) -> ColumnElement[bool]:
    """The sessions that a person may open, as a condition on `sessions`."""
    open_to: list[ColumnElement[bool]] = [false()]
    if _by(person, "sessions", "senior_deputy_head"):
        open_to = [true()]
    else:
        if _by(person, "sessions", "hoy") and person.year_groups:
            open_to.append(_looked_after(person, "year_group", person.year_groups))
        if _by(person, "sessions", "hm") and person.houses:
            open_to.append(_looked_after(person, "house", person.houses))
        if _by(person, "sessions", "dsp"):
            open_to.append(_linked_to_concern(person.school, today))
    scope = or_(_session.staff_id == person.staff_id, and_(not_(_confidential()), or_(*open_to)))
    if _by(person, "counselling sessions", "senior_deputy_head"):
        return or_(scope, _counselling_by_others())
    return scope


def _looked_after(person: Person, of: str, which: frozenset[str]) -> ColumnElement[bool]:
    """Sessions with the pupils of a year or house of the person's school, and by those pupils' tutors;
    who they were on the session's day."""
    pupil = held(tables.pupil_versions)
    here = and_(
        pupil.c.school == person.school,
        or_(pupil.c[of].in_(which), func.lower(pupil.c[of]).in_([word.lower() for word in which])),
        on(pupil, _session.day),
    )
    among = tables.session_pupils.c
    # Only `sessions` is the outer query's: the pupils that it may join are others than these.
    with_pupils = select(among.pupil_id).where(
        among.session_id == _session.id, among.pupil_id == pupil.c.pupil_id, here
    )
    by_tutors = select(pupil.c.pupil_id).where(pupil.c.tutor_id == _session.staff_id, here)
    return or_(*(exists(query.correlate(tables.sessions)) for query in (with_pupils, by_tutors)))


def _of_school(code: str, today: date) -> Select[Any]:
    """The ids of concerns about a pupil who is at the school today."""
    pupil, about = held(tables.pupil_versions), tables.concern_pupils.c
    return (
        select(about.concern_id)
        .join(pupil, pupil.c.pupil_id == about.pupil_id)
        .where(pupil.c.school == code, on(pupil, today))
    )


def _linked_to_concern(code: str, today: date) -> ColumnElement[bool]:
    link, log, call = tables.concern_sessions.c, tables.logs.c, tables.session_calls.c
    ours = link.concern_id.in_(_of_school(code, today))
    by_log = select(log.id).join(tables.concern_sessions, link.log_ref == log.ref).where(ours)
    by_call = select(call.session_id).join(tables.concern_sessions, link.call_id == call.call_id).where(ours)
    return or_(_session.log_id.in_(by_log.correlate(None)), _session.id.in_(by_call.correlate(None)))


def _on(days: Days) -> ColumnElement[bool]:
    return _session.day.between(*days)


# --- frames of sessions -------------------------------------------------------------------------------


def overview(school: "School", person: Person, days: Days) -> pd.DataFrame:
    """One row a session of the days, confidential ones left out, no pupil in it. NotAllowed but for
    the overview's readers.

    Columns: `session_id`, `day` (datetime64), `minute` (of the school's day at which it started),
    `hour`, `school`, `department`, `purpose` ("music", "academic", "pastoral", "other"; blank: not
    logged), `staff_name` (blank for SLT), `one_to_one`, `status`, `disputed`, `has_log`, and one
    categorical column of outcomes for each clause, named as in CLAUSES (`logged` is a clause).
    """
    _require(person, "overview")
    named = _by(person, "overview", "senior_deputy_head")
    who = held(tables.staff_versions)
    query = select(
        _session.id.label("session_id"),
        _session.day,
        _session.minute,
        _session.school,
        _session.department,
        _session.purpose,
        (who.c.name if named else literal(None)).label("staff_name"),
        _session.one_to_one,
        _session.status,
        _session.disputed,
        _session.log_id.is_not(None).label("has_log"),
        _session.codes,
    ).where(_on(days), not_(_confidential()))
    if named:
        query = query.outerjoin(who, and_(who.c.staff_id == _session.staff_id, on(who, _session.day)))
    with school.engine.connect() as connection:
        frame = reading.frame(connection, query.order_by(_session.started_at, _session.id))
    frame["day"] = pd.to_datetime(frame["day"])
    frame.insert(3, "hour", frame["minute"] // 60)
    # What somebody typed there instead of a purpose may name a pupil.
    told = frame["purpose"].isna() | frame["purpose"].isin(OTHER_PURPOSES)
    frame["purpose"] = frame["purpose"].where(told, "other")
    return pd.concat([frame.drop(columns="codes"), decode(frame["codes"])], axis=1)


def protocol_figures(school: "School", person: Person, days: Days) -> pd.DataFrame:
    """How often the whole school kept each clause, counselling left out: `app.protocol.figures`.

    Who does not read the overview gets the whole term that the last of the days falls in, whatever days
    were asked for: a week's figures would tell of one session.
    """
    _require(person, "figures of the protocol")
    if not {"senior_deputy_head", "slt"} & person.roles:
        term = school.settings.term_on(days[1])
        days = (term.from_, term.to) if term else (date.max, date.min)
    query = select(_session.codes).where(_on(days), not_(_confidential()))
    with school.engine.connect() as connection:
        return figures(decode(reading.frame(connection, query)["codes"]))


def late_consents(school: "School", person: Person, days: Days) -> pd.DataFrame:
    """The sessions of the days for which a parent's consent came, or SLT was told, only after they had
    begun: `session_id`, `started_at`, the newest first. For the Senior Deputy Head."""
    _require(person, "overview", TABLE["overview"]["senior_deputy_head"])
    given, among = tables.consents.c, tables.session_pupils.c
    kind = case((_session.one_to_one, "one_to_one"), else_="outside_hours")
    late = or_(
        given.obtained_at >= _session.started_at,
        and_(kind == "outside_hours", func.coalesce(given.slt_informed_at, given.obtained_at) >= _session.started_at),
    )
    query = (
        select(_session.id.label("session_id"), _session.started_at, _session.codes)
        .join(tables.session_pupils, among.session_id == _session.id)
        .join(tables.consents, given.pupil_id == among.pupil_id)
        .where(_on(days), not_(_confidential()), given.kind == kind, given.obtained_at.is_not(None), late)
        .where(given.covers_from <= _session.started_at, given.covers_to >= _session.ended_at)
        .order_by(_session.started_at.desc())
        .distinct()
    )
    with school.engine.connect() as connection:
        frame = reading.frame(connection, query)
    outcomes = decode(frame["codes"])
    broken = (outcomes[["academic-hours", "one-to-one-hours"]] == "breach").any(axis=1)
    return _in_school_time(school, frame[broken].drop(columns="codes").reset_index(drop=True))


def counselling_counts(school: "School", person: Person) -> pd.DataFrame:
    """How many counselling sessions by counsellors there were: the only figure of them there is.

    Columns: `term` (its name), `until` (the last day counted: completed weeks only), `sessions` in
    words: "under 3", or "at least 3", 6, 9 … A count that went up by one would tell of the one session
    that was logged since, so it goes up in threes, for the whole school and for whole terms.
    """
    _require(person, "number of counselling sessions")
    today = _today(school)
    last_sunday = today - timedelta(days=today.isoweekday())
    rows = []
    with school.engine.connect() as connection:
        for term in (t for t in school.settings.terms if t.from_ <= today):
            until = min(term.to, last_sunday)
            counted = select(func.count()).where(
                _on((term.from_, until)),
                func.lower(_session.purpose) == COUNSELLING,
                _session.staff_id.in_(_ever_counsellor()),
            )
            rows.append({"term": term.name, "until": until, "sessions": _in_threes(connection.scalar(counted) or 0)})
    return pd.DataFrame(rows, columns=["term", "until", "sessions"])


def _in_threes(count: int) -> str:
    return f"at least {count - count % UNDER}" if count >= UNDER else f"under {UNDER}"


def sessions(school: "School", person: Person, days: Days) -> pd.DataFrame:
    """The sessions of the days that the person may open, the newest first.

    Columns: `session_id`, `started_at`, `ended_at`, `staff_name` (blank: nobody known), `school`,
    `department`, `purpose` (blank: not logged), `pupils` (names joined; blank where withheld),
    `withheld` (counselling that is not theirs), `one_to_one`, `status`, `disputed`, `logged`, `own`,
    `n_breach`, `n_gaps` (clauses without evidence).
    """
    return _listed(school, person, _on(days))


def unlogged(school: "School", person: Person, days: Days) -> pd.DataFrame:
    """Of the days, the calls of others that nobody logged and that the person may open; never a
    counsellor's. Columns as of `sessions`, and `due_at` (when the time to log it ends; blank: it has)."""
    return _listed(
        school,
        person,
        _on(days),
        _session.log_id.is_(None),
        not_(_confidential()),
        func.coalesce(_session.staff_id, 0) != person.staff_id,
    )


def _listed(school: "School", person: Person, *which: ColumnElement[bool]) -> pd.DataFrame:
    visible = and_(_visible(person, _today(school)), *which)
    who = held(tables.staff_versions)
    query = (
        select(
            _session.id.label("session_id"),
            _session.started_at,
            _session.ended_at,
            who.c.name.label("staff_name"),
            _session.school,
            _session.department,
            _session.purpose,
            and_(_confidential(), func.coalesce(_session.staff_id, 0) != person.staff_id).label("withheld"),
            _session.one_to_one,
            _session.status,
            _session.disputed,
            _session.log_id.is_not(None).label("logged"),
            (func.coalesce(_session.staff_id, 0) == person.staff_id).label("own"),
            _session.due_at,
            _session.codes,
        )
        .outerjoin(who, and_(who.c.staff_id == _session.staff_id, on(who, _session.day)))
        .where(visible)
        .order_by(_session.started_at.desc(), _session.id)
    )
    with school.engine.connect() as connection:
        frame = reading.frame(connection, query)
        pupils = reading.frame(connection, _pupils_of_sessions().where(visible))
    theirs = frame["session_id"].mask(frame["withheld"].astype(bool))
    frame.insert(7, "pupils", _joined(theirs, pupils, "session_id"))
    outcomes = decode(frame["codes"])
    frame["n_breach"] = (outcomes == "breach").sum(axis=1)
    frame["n_gaps"] = (outcomes == "no_evidence").sum(axis=1)
    return _in_school_time(school, frame.drop(columns="codes"))


def _pupils_of_sessions() -> Select[Any]:
    """The pupils of sessions as they were on the day: `session_id`, `pupil_id`, `email`, `name`, …"""
    pupil, among = held(tables.pupil_versions), tables.session_pupils
    return (
        select(
            among.c.session_id,
            among.c.pupil_id,
            tables.pupils.c.email,
            pupil.c.name,
            pupil.c.school,
            pupil.c.year_group,
            pupil.c.house,
        )
        .join(tables.sessions, _session.id == among.c.session_id)
        .join(tables.pupils, tables.pupils.c.id == among.c.pupil_id)
        .join(pupil, and_(pupil.c.pupil_id == among.c.pupil_id, on(pupil, _session.day)))
        .order_by(pupil.c.name, among.c.pupil_id)
    )


def _joined(ids: pd.Series, rows: pd.DataFrame, key: str, column: str = "name", by: str = ", ") -> list[str]:
    """For each id the column of its rows, joined; "" where it has none."""
    found = rows.groupby(key)[column].agg(by.join).to_dict()
    return [found.get(i, "") for i in ids]


def _in_school_time(school: "School", frame: pd.DataFrame) -> pd.DataFrame:
    for column in frame.select_dtypes("datetimetz"):
        frame[column] = frame[column].dt.tz_convert(school.settings.timezone)
    return frame


def _today(school: "School") -> date:
    return school.now().astimezone(school.settings.zone).date()


# --- one session ------------------------------------------------------------------------------------


@dataclass
class SessionView:
    """One session, explained. Frames are empty where nothing is known or everything is withheld.

    - `pupils`: `pupil_id`, `email`, `name`, `school`, `year_group`, `house`, as on the session's day
    - `clauses`: `clause`, `title`, `outcome`, `evidence`, `disputed`, `reason`
    - `stays`: `name`, `role` ("pupil", "staff", "other"), `joined_at`, `left_at`, `camera` (true: they
      sent video; blank: not known); `videos`: `name`, `role`, `started_at`, `ended_at` (those with times)
    - `alone`: `from_at`, `to_at`, `seconds`: pupils without staff
    - `log`: its answers, named as in `tables.logs`, with `pupils` and `invited` (names); None if not logged
    - `versions`: earlier and current versions of the log, the newest first: `version`, `entered_at`,
      `entered_by` (name), `why`, and the answers
    - `concerns`: `ref`, `raised_at`, `level`: those linked to it that the person may open
    """

    session_id: int
    log_ref: str | None
    call_ids: list[str]
    started_at: datetime
    ended_at: datetime
    staff_name: str | None
    school: str | None
    department: str | None
    purpose: str | None
    one_to_one: bool
    status: str
    disputed: bool
    logged: bool
    own: bool
    withheld: bool
    pupils: pd.DataFrame
    clauses: pd.DataFrame
    stays: pd.DataFrame
    videos: pd.DataFrame
    alone: pd.DataFrame
    versions: pd.DataFrame
    concerns: pd.DataFrame
    log: dict[str, Any] | None = field(default=None)


def session(school: "School", person: Person, session_id: int) -> SessionView | None:
    """One session explained by the rules that judged it; None if it is not there or not for them."""
    who = held(tables.staff_versions)
    query = (
        select(
            tables.sessions,
            who.c.name.label("staff_name"),
            tables.logs.c.ref.label("log_ref"),
            _confidential().label("is_confidential"),
        )
        .outerjoin(who, and_(who.c.staff_id == _session.staff_id, on(who, _session.day)))
        .outerjoin(tables.logs, tables.logs.c.id == _session.log_id)
        .where(_session.id == session_id, _visible(person, _today(school)))
    )
    zone = school.settings.zone
    with school.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        own = row.staff_id == person.staff_id
        withheld = bool(row.is_confidential) and not own
        pupils = reading.frame(connection, _pupils_of_sessions().where(_session.id == session_id))
        told = _explained(school, connection, row, withheld)
        versions = _versions(school, connection, row.log_ref, own)
        view = SessionView(
            session_id=session_id,
            log_ref=None if withheld else row.log_ref,
            call_ids=[] if withheld else told.call_ids,
            started_at=row.started_at.astimezone(zone),
            ended_at=row.ended_at.astimezone(zone),
            staff_name=row.staff_name,
            school=row.school,
            department=row.department,
            purpose=row.purpose,
            one_to_one=row.one_to_one,
            status=row.status,
            disputed=row.disputed,
            logged=row.log_id is not None,
            own=own,
            withheld=withheld,
            pupils=pupils.drop(columns="session_id").iloc[: 0 if withheld else None],
            clauses=told.clauses,
            stays=told.stays.iloc[: 0 if withheld else None],
            videos=told.videos.iloc[: 0 if withheld else None],
            alone=told.alone.iloc[: 0 if withheld else None],
            versions=versions.iloc[: 0 if withheld else None],
            concerns=_concerns_linked(school, connection, person, row.log_ref, told.call_ids, withheld),
        )
    if not withheld and not _may_read_concern(person, own):
        view.versions = view.versions.drop(columns=["concern_summary", "concern_category"])
    for current in view.versions.drop(columns=["version", "entered_at", "entered_by", "why"]).to_dict("records")[:1]:
        view.log = {str(answer): given for answer, given in current.items()}
    return view


def _may_read_concern(person: Person, own: bool) -> bool:
    """Whether a log's words about a concern are for them: a concern's narrative is not for HOY or HM."""
    return own or bool({"dsp", "senior_deputy_head"} & person.roles)


@dataclass
class _Explained:
    call_ids: list[str]
    clauses: pd.DataFrame
    stays: pd.DataFrame
    videos: pd.DataFrame
    alone: pd.DataFrame


def _explained(school: "School", connection: Connection, row: Any, withheld: bool) -> _Explained:
    """Judge the one session again, now with reasons."""
    evidence = reading.evidence(connection, session_ids=[row.id])
    judged = judge(evidence, school.settings, school.now(), reasons=True)
    call = tables.session_calls.c
    kept = connection.scalars(select(call.call_id).where(call.session_id == row.id).order_by(call.place))
    call_ids = list(kept)
    if row.log_id is not None:
        number = judged.sessions.index[judged.sessions["log_id"] == row.log_id][0]
    else:
        number = judged.calls.loc[judged.calls["call_id"].isin(call_ids), "session"].iloc[0]
    clauses = judged.table().query("session == @number").drop(columns="session").reset_index(drop=True)
    clauses.insert(1, "title", [clause.title for clause in CLAUSES])
    if withheld:
        clauses["reason"] = clauses["reason"].where(clauses["clause"] == "purpose-allowed", WITHHELD)

    alone = judged.alone.loc[judged.alone["session"] == number, ["from_at", "to_at", "seconds"]]
    return _Explained(call_ids, clauses, *_timeline(school, connection, call_ids, row.day), _by_time(school, alone))


def _timeline(
    school: "School", connection: Connection, call_ids: list[str], day: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Who was in the calls when, and with camera when, as `stays` and `videos` of SessionView.

    Who is not on the roster has no name, only what kind of participant they were: their address or
    telephone number is nobody's business."""
    stay, video = tables.call_stays.c, tables.call_videos.c
    staff, pupil = held(tables.staff_versions), held(tables.pupil_versions)
    stays = reading.frame(
        connection,
        select(
            stay.call_id,
            stay.person,
            func.coalesce(staff.c.name, pupil.c.name, "Not on the roster (" + stay.kind + ")").label("name"),
            case((stay.staff_id.is_not(None), "staff"), (stay.pupil_id.is_not(None), "pupil"), else_="other").label(
                "role"
            ),
            stay.joined_at,
            stay.left_at,
        )
        .outerjoin(staff, and_(staff.c.staff_id == stay.staff_id, on(staff, day)))
        .outerjoin(pupil, and_(pupil.c.pupil_id == stay.pupil_id, on(pupil, day)))
        .where(stay.call_id.in_(call_ids)),
    )
    videos = reading.frame(
        connection,
        select(video.call_id, video.person, video.started_at, video.ended_at).where(video.call_id.in_(call_ids)),
    )
    person = ["call_id", "person"]
    sent = pd.Series(pd.MultiIndex.from_frame(stays[person]).isin(pd.MultiIndex.from_frame(videos[person])))
    stays["camera"] = sent.astype("boolean").where(sent, pd.NA)
    named = videos.merge(stays[[*person, "name", "role"]].drop_duplicates(person), on=person)
    timed = named[named["started_at"].notna() & named["ended_at"].notna()]
    return (
        _by_time(school, stays[["name", "role", "joined_at", "left_at", "camera"]]),
        _by_time(school, timed[["name", "role", "started_at", "ended_at"]]),
    )


def _by_time(school: "School", frame: pd.DataFrame) -> pd.DataFrame:
    times = list(frame.select_dtypes("datetimetz"))
    return _in_school_time(school, frame.sort_values(times, ignore_index=True))


_ANSWERS = (*tables.WORDS, *tables.YES_NO, "concern_summary", "concern_category", "notes")


def _versions(school: "School", connection: Connection, ref: str | None, own: bool) -> pd.DataFrame:
    """The versions of a log, the newest first. One that said counselling is the author's alone, and with
    it the reasons why the log was corrected."""
    log, by = tables.logs, held(tables.staff_versions)
    query = (
        select(
            log.c.id,
            log.c.version,
            log.c.entered_at,
            by.c.name.label("entered_by"),
            log.c.why,
            log.c.started_at,
            log.c.ended_at,
            *(log.c[answer] for answer in _ANSWERS),
        )
        .outerjoin(by, and_(by.c.staff_id == log.c.entered_by, on(by, _today(school))))
        .where(log.c.ref == ref)
        .order_by(log.c.version.desc())
    )
    versions = reading.frame(connection, query)
    counselling = versions["purpose"].astype("str").str.lower() == COUNSELLING
    if not own and counselling.any():
        versions = versions[~counselling].assign(why=None)
    pupil, who = held(tables.pupil_versions), held(tables.staff_versions)
    among, invited = tables.log_pupils.c, tables.log_invited.c
    ids = [int(i) for i in versions["id"]]
    pupils = reading.frame(
        connection,
        select(among.log_id, pupil.c.name)
        .join(pupil, pupil.c.pupil_id == among.pupil_id)
        .join(log, log.c.id == among.log_id)
        .where(among.log_id.in_(ids), on(pupil, _today(school)))
        .order_by(pupil.c.name),
    )
    guests = reading.frame(
        connection,
        select(invited.log_id, func.coalesce(who.c.name, invited.email).label("name"))
        .outerjoin(who, and_(who.c.staff_id == invited.staff_id, on(who, _today(school))))
        .where(invited.log_id.in_(ids))
        .order_by("name"),
    )
    for column, names in (("pupils", pupils), ("invited", guests)):
        versions[column] = _joined(versions["id"], names, "log_id")
    return _in_school_time(school, versions.drop(columns="id").reset_index(drop=True))


def calls_to_log(school: "School", person: Person) -> pd.DataFrame:
    """The person's own calls that nobody logged yet, the newest first, with what the call itself tells.

    Columns: `session_id`, `call_id`, `started_at`, `ended_at`, `due_at` (when the time to log it ends;
    blank: it has), `pupils` (names), `pupil_emails` (";"-joined), `staff_opened`, `staff_ended`,
    `pupil_left_alone`, `recorded` (true, false or blank: the call does not show it).
    """
    call, link, recording = tables.calls.c, tables.session_calls.c, tables.recordings.c
    mine = and_(_session.staff_id == person.staff_id, _session.log_id.is_(None))
    query = (
        select(
            _session.id.label("session_id"),
            link.call_id,
            _session.started_at,
            _session.ended_at,
            _session.due_at,
            _session.codes,
        )
        .join(tables.session_calls, and_(link.session_id == _session.id, link.place == 0))
        .where(mine)
        .order_by(_session.started_at.desc(), _session.id)
    )
    with school.engine.connect() as connection:
        frame = reading.frame(connection, query)
        pupils = reading.frame(connection, _pupils_of_sessions().where(mine))
        calls = reading.frame(
            connection,
            select(call.id.label("call_id"), call.organiser_id, call.started_at, call.ended_at)
            .join(tables.session_calls, link.call_id == call.id)
            .join(tables.sessions, _session.id == link.session_id)
            .where(mine),
        )
        earliest = select(func.min(call.started_at)).where(call.id.in_(list(calls["call_id"])))
        listed_recordings = reading.frame(
            connection,
            select(recording.call_id, recording.organiser_id, recording.created_at).where(
                recording.created_at >= earliest.scalar_subquery()
            ),
        )
    frame["pupils"] = _joined(frame["session_id"], pupils, "session_id")
    frame["pupil_emails"] = _joined(frame["session_id"], pupils, "session_id", "email", ";")
    outcomes = decode(frame["codes"])
    for answer, clause, yes, no in (
        ("staff_opened", "staff-opens", "met", "breach"),
        ("staff_ended", "staff-ends", "met", "breach"),
        ("pupil_left_alone", "never-alone", "breach", "met"),
    ):
        frame[answer] = outcomes[clause].astype("object").map({yes: True, no: False}).astype("boolean")
    recorded = set(calls.loc[recorded_calls(calls, listed_recordings), "call_id"])
    frame["recorded"] = frame["call_id"].isin(recorded).astype("boolean").replace(False, pd.NA)
    return _in_school_time(school, frame.drop(columns="codes"))


def own_log(school: "School", person: Person, ref: str) -> dict[str, str] | None:
    """The current version of a log that the person wrote, as the columns of a log file hold it (times with
    their offset, yes/no, lists joined by ";"); None if there is none or it is somebody else's."""
    log, among, invited = tables.logs.c, tables.log_pupils.c, tables.log_invited.c
    with school.engine.connect() as connection:
        row = connection.execute(
            select(tables.logs).where(log.ref == ref, log.current, log.staff_id == person.staff_id)
        ).one_or_none()
        if row is None:
            return None
        pupils = connection.scalars(
            select(tables.pupils.c.email)
            .join(tables.log_pupils, among.pupil_id == tables.pupils.c.id)
            .where(among.log_id == row.id)
            .order_by(tables.pupils.c.email)
        ).all()
        second = connection.scalars(select(invited.email).where(invited.log_id == row.id).order_by(invited.email)).all()
    answers = {name: _as_typed(getattr(row, name)) for name in _ANSWERS}
    return answers | {
        "ref": row.ref,
        "staff_email": person.email,
        "pupil_emails": ";".join(pupils),
        "second_staff_emails": ";".join(second),
        "started_at": row.started_at.astimezone(school.settings.zone).isoformat(),
        "ended_at": row.ended_at.astimezone(school.settings.zone).isoformat(),
    }


def _as_typed(value: Any) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


# --- people to choose from, drafts --------------------------------------------------------------------


def pupils_to_choose(school: "School", person: Person) -> pd.DataFrame:
    """Every pupil as of today, by name: `pupil_id`, `email`, `name`, `school`, `year_group`, `house`."""
    _require(person, "names to choose from")
    version = held(tables.pupil_versions)
    query = (
        select(
            version.c.pupil_id,
            tables.pupils.c.email,
            version.c.name,
            version.c.school,
            version.c.year_group,
            version.c.house,
        )
        .join(version, version.c.pupil_id == tables.pupils.c.id)
        .where(on(version, _today(school)))
        .order_by(version.c.name, tables.pupils.c.email)
    )
    with school.engine.connect() as connection:
        return reading.frame(connection, query)


def staff_to_choose(school: "School", person: Person) -> pd.DataFrame:
    """Every member of staff as of today, by name: `staff_id`, `email`, `name`, `school`, `department`."""
    _require(person, "names to choose from")
    version = held(tables.staff_versions)
    query = (
        select(version.c.staff_id, tables.staff.c.email, version.c.name, version.c.school, version.c.department)
        .join(version, version.c.staff_id == tables.staff.c.id)
        .where(on(version, _today(school)))
        .order_by(version.c.name, tables.staff.c.email)
    )
    with school.engine.connect() as connection:
        return reading.frame(connection, query)


def draft(school: "School", person: Person, form: str) -> dict[str, Any] | None:
    """What the person had typed into a form and not sent; None if nothing."""
    kept = tables.drafts.c
    with school.engine.connect() as connection:
        content = connection.scalar(select(kept.content).where(kept.staff_id == person.staff_id, kept.form == form))
    return None if content is None else json.loads(content)


def keep_draft(school: "School", person: Person, form: str, content: dict[str, Any] | None) -> None:
    """Keep what the person has typed so far (values that JSON knows) instead of what was kept before;
    None: nothing. The revision stays: nobody else sees it."""
    kept = tables.drafts.c
    with school.engine.begin() as connection:
        connection.execute(delete(tables.drafts).where(kept.staff_id == person.staff_id, kept.form == form))
        if content is not None:
            connection.execute(
                insert(tables.drafts).values(
                    staff_id=person.staff_id, form=form, content=json.dumps(content), saved_at=school.now()
                )
            )


# --- concerns -----------------------------------------------------------------------------------------


def concerns_list(school: "School", person: Person) -> pd.DataFrame:
    """The concerns that the person may open, open ones first, then by level and age. NotAllowed but for
    DSPs and the Senior Deputy Head.

    Columns: `ref`, `open`, `level`, `raised_at`, `happened_at`, `age_days` (whole days since it was
    raised), `categories` (as in CATEGORIES, joined by ";"), `pupils` (names), `raised_by`, `owner` (the
    DSPs alerted; blank: nobody), `summary`.
    """
    _require_concerns(person)
    with school.engine.connect() as connection:
        return _concerns(school, connection, _concerns_open_to(school, person))


def oldest_concern(school: "School", person: Person) -> dict[str, Any] | None:
    """The oldest open concern without its narrative and pupils: `ref`, `level`, `raised_at`, `age_days`,
    `owner`, and `waiting` (how many are open); None if none is. For the Senior Deputy Head."""
    _require(person, "oldest open concern")
    with school.engine.connect() as connection:
        concerns = _concerns(school, connection, true())
    concerns = concerns[concerns["open"]].sort_values("raised_at")
    if concerns.empty:
        return None
    oldest = concerns.iloc[0]
    return {name: oldest[name] for name in ("ref", "level", "raised_at", "age_days", "owner")} | {
        "waiting": len(concerns)
    }


def own_concerns(school: "School", person: Person) -> pd.DataFrame:
    """What the person raised themselves, the newest first: `ref`, `raised_at`, `happened_at`, `pupils`,
    `summary`, `childs_words`, `received_by` (names of the DSPs alerted; blank: nobody yet)."""
    mine = tables.concerns.c.raised_by == person.staff_id
    with school.engine.connect() as connection:
        concerns = _concerns(school, connection, mine)
    concerns = concerns.rename(columns={"owner": "received_by"}).sort_values("raised_at", ascending=False)
    columns = ["ref", "raised_at", "happened_at", "pupils", "summary", "childs_words", "received_by"]
    return concerns[columns].reset_index(drop=True)


@dataclass
class ConcernView:
    """A concern in full.

    - `pupils`: `pupil_id`, `name`, `school`, `year_group`, `house`, as of today
    - `events`: `at`, `by` (name), `kind`, `level`, `told` (name), `text`, in their order
    - `sessions`: the linked sessions that the person may open: `session_id`, `started_at`, `staff_name`,
      `purpose`, `status`
    """

    ref: str
    open: bool
    level: str
    raised_at: datetime
    happened_at: datetime | None
    raised_by: str | None
    owner: str
    summary: str
    childs_words: str | None
    told_dsp: bool | None
    categories: tuple[str, ...]
    pupils: pd.DataFrame
    events: pd.DataFrame
    sessions: pd.DataFrame


def concern(school: "School", person: Person, ref: str) -> ConcernView | None:
    """One concern; None if it is not there or not for them. NotAllowed as `concerns_list`."""
    _require_concerns(person)
    kept, about, link = tables.concerns.c, tables.concern_pupils.c, tables.concern_sessions.c
    pupil, event = held(tables.pupil_versions), tables.concern_events.c
    by, told = held(tables.staff_versions), held(tables.staff_versions)
    today, zone = _today(school), school.settings.zone
    with school.engine.connect() as connection:
        which = and_(kept.ref == ref, _concerns_open_to(school, person))
        listed_row = _concerns(school, connection, which)
        if listed_row.empty:
            return None
        facts = listed_row.iloc[0]
        row = connection.execute(select(tables.concerns).where(kept.ref == ref)).one()
        pupils = reading.frame(
            connection,
            select(about.pupil_id, pupil.c.name, pupil.c.school, pupil.c.year_group, pupil.c.house)
            .join(pupil, pupil.c.pupil_id == about.pupil_id)
            .where(about.concern_id == row.id, on(pupil, today))
            .order_by(pupil.c.name),
        )
        events = reading.frame(
            connection,
            select(event.at, by.c.name.label("by"), event.kind, event.level, told.c.name.label("told"), event.text)
            .outerjoin(by, and_(by.c.staff_id == event.by, on(by, today)))
            .outerjoin(told, and_(told.c.staff_id == event.told, on(told, today)))
            .where(event.concern_id == row.id)
            .order_by(event.at, event.id),
        )
        links = connection.execute(select(link.log_ref, link.call_id).where(link.concern_id == row.id)).all()
    return ConcernView(
        ref=row.ref,
        open=bool(facts["open"]),
        level=facts["level"],
        raised_at=row.raised_at.astimezone(zone),
        happened_at=row.happened_at and row.happened_at.astimezone(zone),
        raised_by=facts["raised_by"],
        owner=facts["owner"],
        summary=row.summary,
        childs_words=row.childs_words,
        told_dsp=row.told_dsp,
        categories=tuple(row.categories.split(";")),
        pupils=pupils,
        events=_in_school_time(school, events),
        sessions=_sessions_linked(school, person, links),
    )


def _require_concerns(person: Person) -> None:
    if not (_by(person, "concerns", "dsp") or _by(person, "concerns", "senior_deputy_head")):
        raise NotAllowed("This is not for you to see: concerns.")


def _concerns_open_to(school: "School", person: Person) -> ColumnElement[bool]:
    """The concerns that a person may open, as a condition on `concerns`."""
    if _by(person, "concerns", "senior_deputy_head"):
        return true()
    if _by(person, "concerns", "dsp"):
        return tables.concerns.c.id.in_(_of_school(person.school, _today(school)).correlate(None))
    return false()


def _concerns(school: "School", connection: Connection, which: ColumnElement[bool]) -> pd.DataFrame:
    kept, event, about = tables.concerns.c, tables.concern_events.c, tables.concern_pupils.c
    by, pupil = held(tables.staff_versions), held(tables.pupil_versions)
    today = _today(school)
    concerns = reading.frame(
        connection,
        select(tables.concerns, by.c.name.label("raised_by_name"))
        .outerjoin(by, and_(by.c.staff_id == kept.raised_by, on(by, today)))
        .where(which),
    )
    ids = select(kept.id).where(which)
    events = reading.frame(
        connection,
        select(event.concern_id, event.kind, event.level, by.c.name.label("told"))
        .outerjoin(by, and_(by.c.staff_id == event.told, on(by, today)))
        .where(event.concern_id.in_(ids))
        .order_by(event.at, event.id),
    )
    pupils = reading.frame(
        connection,
        select(about.concern_id, pupil.c.name)
        .join(pupil, pupil.c.pupil_id == about.pupil_id)
        .where(about.concern_id.in_(ids), on(pupil, today))
        .order_by(pupil.c.name),
    )
    state = events[events["kind"].isin(["opened", "closed", "reopened"])].groupby("concern_id")["kind"].last()
    level = events.dropna(subset=["level"]).groupby("concern_id")["level"].last()
    told = events[events["kind"] == "alerted"].dropna(subset=["told"]).drop_duplicates(["concern_id", "told"])
    concern_id = concerns["id"]
    now = pd.Timestamp(school.now())
    concerns["raised_by"] = concerns.pop("raised_by_name")
    concerns["open"] = concern_id.map(state) != "closed"
    concerns["level"] = concern_id.map(level)
    concerns["age_days"] = (now - concerns["raised_at"]).dt.days
    concerns["owner"] = _joined(concern_id, told, "concern_id", "told")
    concerns["pupils"] = _joined(concern_id, pupils, "concern_id")
    columns = [
        "ref",
        "open",
        "level",
        "raised_at",
        "happened_at",
        "age_days",
        "categories",
        "pupils",
        "raised_by",
        "owner",
        "summary",
        "childs_words",
    ]
    gravity = concerns["level"].map({level: place for place, level in enumerate(LEVELS)})
    in_order = concerns.assign(gravity=gravity).sort_values(
        ["open", "gravity", "raised_at"], ascending=[False, True, True], ignore_index=True
    )
    return _in_school_time(school, in_order[columns].copy())


def _concerns_linked(
    school: "School", connection: Connection, person: Person, log_ref: str | None, call_ids: list[str], withheld: bool
) -> pd.DataFrame:
    link = tables.concern_sessions.c
    linked = select(link.concern_id).where(or_(link.log_ref == log_ref, link.call_id.in_(call_ids)))
    which = false() if withheld else and_(tables.concerns.c.id.in_(linked), _concerns_open_to(school, person))
    return _concerns(school, connection, which)[["ref", "raised_at", "level"]]


def _sessions_linked(school: "School", person: Person, links: Sequence[Any]) -> pd.DataFrame:
    """The linked sessions that a person may open, without any counselling: beside the concern's pupils
    it would tell who took part."""
    log, call = tables.logs.c, tables.session_calls.c
    by_log = select(log.id).where(log.ref.in_([ref for ref, _ in links if ref]))
    by_call = select(call.session_id).where(call.call_id.in_([call_id for _, call_id in links if call_id]))
    found = _listed(school, person, or_(_session.log_id.in_(by_log), _session.id.in_(by_call)))
    return found.loc[~found["withheld"], ["session_id", "started_at", "staff_name", "purpose", "status"]]


# --- administration -----------------------------------------------------------------------------------


def roster(school: "School", person: Person) -> dict[str, pd.DataFrame]:
    """The roster as of today, for the administrator: `schools` (`code`, `name`, `senior`, `email_domain`),
    `staff` (`email`, `name`, `school`, `department`, `roles`, `year_groups`, `houses`, `from_day`) and
    `pupils` (`email`, `name`, `school`, `year_group`, `house`, `tutor`, `from_day`)."""
    _require(person, "roster")
    staff, pupil, tutor = held(tables.staff_versions), held(tables.pupil_versions), tables.staff.alias("tutor")
    today = _today(school)
    listed_staff = ("name", "school", "department", "roles", "year_groups", "houses", "from_day")
    queries = {
        "schools": select(tables.schools).order_by(tables.schools.c.code),
        "staff": select(tables.staff.c.email, *(staff.c[name] for name in listed_staff))
        .join(staff, staff.c.staff_id == tables.staff.c.id)
        .where(on(staff, today))
        .order_by(staff.c.name),
        "pupils": select(
            tables.pupils.c.email,
            *(pupil.c[name] for name in ("name", "school", "year_group", "house")),
            tutor.c.email.label("tutor"),
            pupil.c.from_day,
        )
        .join(pupil, pupil.c.pupil_id == tables.pupils.c.id)
        .outerjoin(tutor, tutor.c.id == pupil.c.tutor_id)
        .where(on(pupil, today))
        .order_by(pupil.c.name),
    }
    with school.engine.connect() as connection:
        return {name: reading.frame(connection, query) for name, query in queries.items()}


def imports(school: "School", person: Person) -> pd.DataFrame:
    """What was imported, the newest first, for the administrator: `kind`, `source`, `at`, `by` (name;
    blank: by a command), and the numbers `read`, `added`, `changed`, `unchanged`, `dropped`, `refused`."""
    _require(person, "imports")
    kept, by = tables.imports.c, held(tables.staff_versions)
    numbers = (kept.read, kept.added, kept.changed, kept.unchanged, kept.dropped, kept.refused)
    query = (
        select(kept.kind, kept.source, kept.at, by.c.name.label("by"), *numbers)
        .outerjoin(by, and_(by.c.staff_id == kept.by, on(by, _today(school))))
        .order_by(kept.id.desc())
    )
    with school.engine.connect() as connection:
        return _in_school_time(school, reading.frame(connection, query))


def sync(school: "School", person: Person) -> "SyncState":
    """How the sync with Microsoft Graph stands, for the administrator; nothing of any call."""
    _require(person, "sync")
    from app.graph.sync import sync_state  # which itself takes in calls, and so asks here

    return sync_state(school)


def sync_now(school: "School", person: Person, say: Callable[[str], None]) -> tuple[bool, str]:
    """Sync once, telling `say` how far it has come; whether it ended well, and what it did, in words."""
    _require(person, "sync")
    from app.graph.errors import GraphError
    from app.graph.sync import synchronise

    try:
        run = synchronise(
            school, progress=lambda run: say(f"{run.listed} calls listed, {run.fetched} fetched"), note=say
        )
    except GraphError as error:
        return False, str(error)
    return (
        not run.put_aside,
        f"{run.fetched} fetched: {run.added} new, {run.changed} changed, {run.put_aside} put aside",
    )


def audit_trail(school: "School", person: Person) -> pd.DataFrame:
    """Who saw and did what, the newest first, for the administrator: `id`, `at`, `by` (email), `what`,
    `about` (a reference), `hash`.

    What a counsellor opened, logged or downloaded is withheld: each new reference would be one more
    counselling session. Concerns stay, whoever raised them."""
    _require(person, "audit trail")
    with school.engine.connect() as connection:
        entries = audit.entries(connection)
        counsellors = connection.scalars(
            select(tables.staff.c.email).where(
                tables.staff.c.id.in_(_ever_counsellor()), tables.staff.c.id != person.staff_id
            )
        ).all()
    of_sessions = entries["what"].isin(["viewed", "changed", "exported"]) & ~entries["about"].str.startswith("concern ")
    entries["about"] = entries["about"].mask(entries["by"].isin(counsellors) & of_sessions, WITHHELD_ABOUT)
    return _in_school_time(school, entries)


def note(school: "School", person: Person, what: str, about: str) -> None:
    """Put on the audit trail what the person saw or did: `what` one of `audit.KINDS`, `about` a reference."""
    with school.writing() as connection:
        audit.add(connection, at=school.now(), by=person.email, what=what, about=about)


# Of a refused row, what the administrator may read in order to mend it. Anything else of a log or a call
# may be a narrative or tell of a concern; a consent's reason may too.
_SHOWN = {
    "schools": ("code", "name", "senior", "email_domain"),
    "staff": ("email", "name", "school", "department", "roles", "year_groups", "houses", "entra_id"),
    "pupils": ("email", "name", "school", "year_group", "house", "tutor_email", "entra_id"),
    "letters": ("pupil_email", "kind", "sent_on"),
    "consents": ("pupil_email", "kind", "covers_from", "covers_to", "obtained_at", "given_by", "slt_informed_at"),
    "logs": ("ref", "staff_email", "started_at", "ended_at"),
}
_SHOWN_OF_OTHER_LOGS = ("purpose", "pupil_emails", "second_staff_emails", "platform", "account", "cameras_on")


def refused_rows(school: "School", person: Person) -> pd.DataFrame:
    """The rows that no import could use and nobody has settled, for the administrator to mend.

    Columns: `id`, `kind`, `source`, `at`, `row` (as in the file), `column`, `value` (blank where withheld),
    `why`, `mend`, `original` (the cells that may be shown, by column), `withheld` (cells were left out).
    Of logs the pupils are shown only where the row says that it was no counselling; never a narrative.
    """
    _require(person, "refused rows")
    kept, imported = tables.refused_rows.c, tables.imports.c
    query = (
        select(
            kept.id,
            kept.kind,
            kept.source,
            imported.at,
            kept.row,
            kept.column,
            kept.value,
            kept.why,
            kept.mend,
            kept.original,
        )
        .join(tables.imports, imported.id == kept.import_id)
        .where(kept.settled_at.is_(None))
        .order_by(kept.id)
    )
    with school.engine.connect() as connection:
        rows = reading.frame(connection, query)
    originals = [_cells(original) for original in rows["original"]]
    shown = [_shown(kind, cells) for kind, cells in zip(rows["kind"], originals, strict=True)]
    rows["original"] = shown
    rows["withheld"] = [len(some) < len(cells) for some, cells in zip(shown, originals, strict=True)]
    rows["value"] = [
        value if isinstance(column, str) and column.strip().lower() in some else None
        for value, column, some in zip(rows["value"], rows["column"], shown, strict=True)
    ]
    return _in_school_time(school, rows)


def _cells(original: str) -> dict[str, Any]:
    """A row as it came: its cells by column. A call record is no row of cells."""
    cells = json.loads(original)
    return {str(name).strip().lower(): cell for name, cell in cells.items()} if isinstance(cells, dict) else {"": cells}


def _shown(kind: str, cells: dict[str, Any]) -> dict[str, Any]:
    names = _SHOWN.get(kind, ())
    if kind == "logs" and str(cells.get("purpose") or "").strip().lower() in OTHER_PURPOSES:
        names += _SHOWN_OF_OTHER_LOGS
    return {name: cells[name] for name in names if name in cells}
