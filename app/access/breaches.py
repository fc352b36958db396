"""Breaches: who owns them, who may explain and resolve them, and how many are open.

A breach belongs to the HOYs and HMs of the tutor who conducted the session (those in whose years and houses the tutees
were on that day), otherwise to those of its pupils; each of them may resolve it. Breaches by HOYs, HMs and the Senior
Deputy Head, and those without a HOY or HM, belong to the Senior Deputy Head; if there is only one, their own as well.
"""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, func, not_, or_, select

from app.access.deadlines import count_days, find_due_days, last_opened
from app.access.policy import Person, list_roles_with, require
from app.access.scope import (
    SESSION,
    in_school_time,
    is_confidential,
    is_open_to,
    join_values,
    select_staff,
    with_staff_name,
)
from app.access.sessions import read_session_pupils
from app.protocol.clauses import title_of
from app.protocol.frames import Versions, days_since_1970, ids
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import BreachEventKind, BreachState

_breach, _event = tables.breaches.c, tables.breach_events.c


@dataclass
class SessionBreaches:
    """The breaches of one session: `rows` (`id`, `clause`, `title`, `state`, `opened_at`, `due`), `events` in their
    order (`title`, `occurred_at`, `actor` (name; blank: automatically), `kind`, `resolution`, `text`), the names of the
    `owners`, and the ids of those that the person may explain and resolve."""

    rows: pd.DataFrame
    events: pd.DataFrame
    owners: list[str]
    to_explain: list[int]
    to_resolve: list[int]


def list_breaches_to_resolve(school: School, person: Person) -> pd.DataFrame:
    """The sessions with open breaches that the person may resolve, the oldest first:
    `session_id`, `started_at`, `staff_name`, `pupils`, `clauses` (titles), `explained`, `opened_at`, `days`, `due` (a
    date, the earliest of its breaches)."""
    with school.engine.connect() as connection:
        return _to_rows(school, connection, _find_to_resolve(school, connection, person))


def count_sessions_to_resolve(school: School, person: Person) -> int:
    """How many sessions `list_breaches_to_resolve` lists."""
    with school.engine.connect() as connection:
        return int(_find_to_resolve(school, connection, person)["session_id"].nunique())


def _find_to_resolve(school: School, connection: Connection, person: Person) -> pd.DataFrame:
    """The open breaches that the person may resolve, as `find_open_breaches`."""
    require(person, Resource.BREACHES)
    open_breaches = find_open_breaches(school, connection)
    owners = find_owners(school, connection, open_breaches)
    mine = owners.loc[owners["owner_id"] == person.staff_id, "session_id"]
    return open_breaches[open_breaches["session_id"].isin(mine)]


def list_breaches_to_explain(school: School, person: Person) -> pd.DataFrame:
    """The person's own sessions with open breaches that they have not explained, as `list_breaches_to_resolve`."""
    require(person, Resource.BREACHES)
    with school.engine.connect() as connection:
        own = find_open_breaches(school, connection, SESSION.staff_id == person.staff_id)
        rows = _to_rows(school, connection, own)
    return rows[~rows["explained"]].reset_index(drop=True)


def list_open_breaches(school: School, person: Person) -> pd.DataFrame:
    """The sessions with open breaches: `session_id`, `day`, `opened_at` (of the oldest) and `due` (a date, the
    earliest), the oldest first."""
    require(person, Resource.BREACH_COUNTS)
    with school.engine.connect() as connection:
        breaches = find_open_breaches(school, connection)
    rows = breaches.drop_duplicates("session_id", ignore_index=True)[["session_id", "day", "opened_at"]]
    rows["due"] = rows["session_id"].map(_find_earliest_due(breaches))
    return in_school_time(school, rows)


def _find_earliest_due(breaches: pd.DataFrame) -> pd.Series:
    """The earliest due day of each session's breaches, by session."""
    return breaches.sort_values("due").groupby("session_id")["due"].first()  # `min` of dates takes 50 times as long


def count_sessions_breached_since(school: School, person: Person, since: datetime, besides: int) -> int:
    """How many sessions that the person may open, besides one, show a breach that was opened since a moment."""
    require(person, Resource.BREACHES)
    event = tables.breach_events.c
    reopened = select(event.breach_id).where(event.kind == BreachEventKind.REOPENED, event.occurred_at >= since)
    query = (
        select(func.count(_breach.session_id.distinct()))
        .join(tables.sessions, SESSION.id == _breach.session_id)
        .where(*_open_conditions(), is_open_to(person, school.today()), SESSION.id != besides)
        .where(or_(_breach.opened_at >= since, _breach.id.in_(reopened)))
    )
    with school.engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def count_breaches_by_owner(school: School, person: Person) -> pd.DataFrame:
    """How many sessions wait for each owner, the longest waiting first: `owner` (name), `sessions`, of these `overdue`,
    `breaches`, `oldest` (days). A session with several owners counts for each of them."""
    require(person, Resource.BREACH_COUNTS)
    with school.engine.connect() as connection:
        open_breaches = find_open_breaches(school, connection)
        owners = find_owners(school, connection, open_breaches)
        owners["owner"] = _find_names(school, connection, owners["owner_id"])
    each = open_breaches.merge(owners, on="session_id")
    each["days"] = count_days(school, each["opened_at"])
    each["overdue"] = each["session_id"].where(each["due"] < school.today())
    waiting = each.groupby("owner").agg(
        sessions=("session_id", "nunique"),
        overdue=("overdue", "nunique"),
        breaches=("id", "nunique"),
        oldest=("days", "max"),
    )
    return waiting.reset_index().sort_values(["oldest", "sessions"], ascending=False, ignore_index=True)


def get_session_breaches(school: School, person: Person, session_id: int) -> SessionBreaches:
    """The breaches of a session that the person may open; empty if they may not, or there are none."""
    query = select(SESSION.id.label("session_id"), SESSION.staff_id, SESSION.day).where(
        SESSION.id == session_id, is_open_to(person, school.today()), not_(is_confidential())
    )
    with school.engine.connect() as connection:
        session = reading.read_frame(connection, query)
        of_session = _breach.session_id.in_(session["session_id"].tolist())
        of_breaches = select(tables.breaches, last_opened().label("since")).where(of_session).order_by(_breach.id)
        rows = reading.read_frame(connection, of_breaches)
        happened = (
            select(_breach.clause, _event.occurred_at, _event.kind, _event.resolution, _event.text)
            .join(tables.breaches, _breach.id == _event.breach_id)
            .where(of_session)
            .order_by(_event.occurred_at, _event.id)
        )
        events = reading.read_frame(connection, with_staff_name(happened, "actor", _event.actor_id, school.today()))
        owners = find_owners(school, connection, session[session["session_id"].isin(rows["session_id"])])
        names = _find_names(school, connection, owners["owner_id"])
    rows["due"] = find_due_days(school, rows.pop("since"))
    for frame in (rows, events):
        frame.insert(0, "title", frame["clause"].map(title_of))
    open_ones = rows.loc[rows["state"] == BreachState.OPEN, "id"].tolist()
    is_own = (session["staff_id"] == person.staff_id).any()
    return SessionBreaches(
        rows=in_school_time(school, rows.drop(columns="session_id")),
        events=in_school_time(school, events.drop(columns="clause")),
        owners=sorted(names),
        to_explain=open_ones if is_own else [],
        to_resolve=open_ones if (owners["owner_id"] == person.staff_id).any() else [],
    )


def _find_names(school: School, connection: Connection, staff_ids: pd.Series) -> pd.Series:
    """Today's name for each staff id."""
    staff = valid_versions(tables.staff_versions)
    names = connection.execute(select(staff.c.staff_id, staff.c.name).where(valid_on(staff, school.today())))
    return staff_ids.map({row.staff_id: row.name for row in names})


def find_open_breaches(school: School, connection: Connection, *conditions: ColumnElement[bool]) -> pd.DataFrame:
    """Open breaches with their sessions: `id`, `session_id`, `clause`, `opened_at`, `since` (when it was last opened),
    `staff_id`, `day`, `started_at`, `due` (a date)."""
    columns = (_breach.id, _breach.session_id, _breach.clause, _breach.opened_at, last_opened().label("since"))
    query = (
        select(*columns, SESSION.staff_id, SESSION.day, SESSION.started_at)
        .join(tables.sessions, SESSION.id == _breach.session_id)
        .where(*_open_conditions(), *conditions)
        .order_by(_breach.opened_at, _breach.id)
    )
    breaches = reading.read_frame(connection, query)
    return breaches.assign(due=find_due_days(school, breaches["since"]))


def _open_conditions() -> tuple[ColumnElement[bool], ...]:
    """The open breaches of sessions that are not confidential, as conditions."""
    return _breach.state == BreachState.OPEN, not_(is_confidential())


def _to_rows(school: School, connection: Connection, breaches: pd.DataFrame) -> pd.DataFrame:
    """One row for each session with open breaches, as `list_breaches_to_resolve`."""
    numbers = breaches["session_id"].unique().tolist()
    is_listed = reading.is_among(connection, SESSION.id, numbers)
    staff = with_staff_name(select(SESSION.id).where(is_listed), "name", SESSION.staff_id, SESSION.day)
    names = reading.read_frame(connection, staff).set_index("id")["name"]
    pupils = read_session_pupils(connection, numbers)
    explained = connection.scalars(
        select(_breach.session_id)
        .join(tables.breach_events, _event.breach_id == _breach.id)
        .where(_event.kind == BreachEventKind.EXPLAINED, reading.is_among(connection, _breach.session_id, numbers))
    ).all()
    rows = (
        breaches.assign(clause=breaches["clause"].map(title_of))
        .groupby("session_id", sort=False)
        .agg(started_at=("started_at", "first"), clauses=("clause", ", ".join), opened_at=("opened_at", "min"))
        .reset_index()
    )
    rows["due"] = rows["session_id"].map(_find_earliest_due(breaches))
    rows["staff_name"] = rows["session_id"].map(names)
    rows["pupils"] = join_values(rows["session_id"], pupils, "session_id")
    rows["explained"] = rows["session_id"].isin(explained)
    rows["days"] = count_days(school, rows["opened_at"])
    columns = ["session_id", "started_at", "staff_name", "pupils", "clauses", "explained", "opened_at", "days", "due"]
    return in_school_time(school, rows[columns].sort_values("opened_at", ignore_index=True))


def find_owners(school: School, connection: Connection, sessions: pd.DataFrame) -> pd.DataFrame:
    """The owners of the breaches of some sessions (`session_id`, `staff_id`, `day`): `session_id`, `owner_id`."""
    if sessions.empty:
        return pd.DataFrame(columns=["session_id", "owner_id"], dtype="int64")
    sessions = sessions[["session_id", "staff_id", "day"]].drop_duplicates("session_id")
    pupil = valid_versions(tables.pupil_versions)
    pupils = Versions(reading.read_frame(connection, select(pupil)), "pupil_id")
    of_pupils = _find_owners_of_pupils(school, connection, pupils.frame)
    tutees = _find_tutees(sessions, pupils.frame)
    others = sessions[~sessions["session_id"].isin(tutees["session_id"])]
    concerned = pd.concat([tutees, _find_pupils(connection, others, pupils)])
    led = concerned.merge(of_pupils, on="version").merge(sessions, on="session_id")
    own = led["owner_id"] == led["staff_id"].fillna(0)
    by_leaders = led["session_id"].isin(_find_led_by_owners(connection, sessions))
    owned = led.loc[~own & ~by_leaders, ["session_id", "owner_id"]].drop_duplicates()
    rest = sessions[~sessions["session_id"].isin(owned["session_id"])]
    seniors = connection.scalars(
        select_staff(school.today(), list_roles_with(Resource.BREACHES, Scope.REMAINING))
    ).all()
    senior = rest.merge(pd.DataFrame({"owner_id": seniors}, dtype="int64"), how="cross")
    someone_else = senior["owner_id"] != senior["staff_id"].fillna(0)
    senior = senior[someone_else | ~senior["session_id"].isin(senior.loc[someone_else, "session_id"])]
    return pd.concat([owned, senior[["session_id", "owner_id"]]], ignore_index=True)


def _find_owners_of_pupils(school: School, connection: Connection, pupils: pd.DataFrame) -> pd.DataFrame:
    """Today's HOYs and HMs of pupils as they were: `version` (a row of `pupils`), `owner_id`."""
    facts = pupils.rename(columns={"year_group": "year_groups", "house": "houses"}).rename_axis("version").reset_index()
    long = facts.melt(["version", "school"], ["year_groups", "houses"], var_name="group_kind", value_name="group_name")
    long["group_name"] = long["group_name"].str.strip().str.lower()
    led = long.merge(_find_leaders(school, connection), on=["school", "group_kind", "group_name"])
    return led[["version", "owner_id"]].drop_duplicates()


def _find_tutees(sessions: pd.DataFrame, pupils: pd.DataFrame) -> pd.DataFrame:
    """For each session, the tutees on that day of the member of staff who conducted it: `session_id`, `version`."""
    here = pupils.loc[~pupils["has_left"].astype(bool), ["tutor_id", "since", "until"]]
    tutees = here.rename_axis("version").reset_index().dropna(subset=["tutor_id"])
    pairs = sessions.dropna(subset=["staff_id"]).merge(tutees, left_on="staff_id", right_on="tutor_id")
    on_day = (pairs["since"] <= pairs["day"]) & ~(pairs["until"] <= pairs["day"])
    return pairs.loc[on_day, ["session_id", "version"]]


def _find_pupils(connection: Connection, sessions: pd.DataFrame, pupils: Versions) -> pd.DataFrame:
    """The pupils of sessions as they were on the day: `session_id`, `version`."""
    participant = tables.session_pupils.c
    of_sessions = reading.is_among(connection, participant.session_id, sessions["session_id"].tolist())
    query = select(participant.session_id, participant.pupil_id).where(of_sessions)
    pairs = reading.read_frame(connection, query).merge(sessions)
    versions = pupils.rows(pairs["pupil_id"].to_numpy(), days_since_1970(pairs["day"]))
    return pairs[["session_id"]].assign(version=versions)


def _find_leaders(school: School, connection: Connection) -> pd.DataFrame:
    """Today's HOYs and HMs by what they look after: `school`, `group_kind`, `group_name`, `owner_id`."""
    lists = []
    for scope, kind in ((Scope.YEAR_GROUPS, "year_groups"), (Scope.HOUSES, "houses")):
        staff = reading.read_frame(connection, select_staff(school.today(), list_roles_with(Resource.BREACHES, scope)))
        lists.append(
            staff.assign(group_kind=kind, group_name=staff[kind].str.lower().str.split(";")).explode("group_name")
        )
    led = pd.concat(lists, ignore_index=True).rename(columns={"staff_id": "owner_id"})
    led["group_name"] = led["group_name"].str.strip()
    return led.loc[led["group_name"].fillna("") != "", ["school", "group_kind", "group_name", "owner_id"]]


def _find_led_by_owners(connection: Connection, sessions: pd.DataFrame) -> pd.Series:
    """The ids of those sessions that were conducted by somebody who may own breaches: a HOY, an HM or the Senior
    Deputy Head."""
    version = tables.staff_versions.c
    staff = Versions(
        reading.read_frame(connection, select(version.staff_id, version.from_day, version.roles)), "staff_id"
    )
    rows = staff.rows(ids(sessions["staff_id"]), days_since_1970(sessions["day"]))
    return sessions.loc[staff.lists("roles", *list_roles_with(Resource.BREACHES))[rows], "session_id"]
