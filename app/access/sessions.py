"""Figures and lists of sessions."""

from collections.abc import Collection

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, exists, func, not_, or_, select

from app.access.policy import SHOWN_OF_COUNSELLING, Days, Person
from app.access.scope import (
    PUPIL_FACTS,
    SESSION,
    in_school_time,
    is_confidential,
    is_during,
    is_open_to,
    join_values,
    sort_by_name,
    with_staff_name,
)
from app.protocol.judge import find_status
from app.school import School
from app.store import reading, tables
from app.store.outcomes import decode_outcomes
from app.store.versions import valid_versions
from app.vocabulary.roles import Role
from app.vocabulary.terms import Outcome

_FACTS = ("started_at", "ended_at", "school", "department", "purpose", "one_to_one", "status", "disputed", "due_at")


def list_sessions(school: School, person: Person, days: Days) -> pd.DataFrame:
    """The sessions of the days that the person may open, the newest first.

    Columns: `session_id`, `started_at`, `ended_at`, `staff_name` (blank: unknown), `school`,
    `department`, `purpose` (blank: not logged), `pupils` (names joined; blank where withheld),
    `withheld` (somebody else's counselling: of its clauses only SHOWN_OF_COUNSELLING is counted in what follows),
    `one_to_one`, `status`, `disputed`, `logged`, `own`, `n_breach`, `n_gaps` (clauses without evidence),
    `unlogged` (a log is missing), `staff_id` (blank: unknown), `breaches` (the names of the clauses with a breach).
    """
    return find_sessions(school, person, is_during(days))


def list_session_pupils(school: School, person: Person, days: Days) -> pd.DataFrame:
    """Who took part in the sessions of `list_sessions`, as on the day, less those whose pupils are withheld:
    `session_id`, `pupil_id`, `name`, `year_group`, `house`."""
    is_shown = and_(is_open_to(person, school.today()), _shows_pupils(person), is_during(days))
    columns = ["session_id", "pupil_id", "name", "year_group", "house"]
    with school.engine.connect() as connection:
        return read_session_pupils(connection, connection.scalars(select(SESSION.id).where(is_shown)).all())[columns]


def list_sessions_of_pupil(school: School, person: Person, pupil_id: int) -> pd.DataFrame:
    """The sessions with a pupil that the person may open, as `list_sessions`, less those whose pupils are withheld."""
    participant = tables.session_pupils.c
    with_pupil = select(participant.session_id).where(participant.pupil_id == pupil_id)
    return find_sessions(school, person, SESSION.id.in_(with_pupil), _shows_pupils(person))


def _shows_pupils(person: Person) -> ColumnElement[bool]:
    """Whether the person may see who took part in a session that is open to them."""
    return or_(not_(is_confidential()), _is_own(person))


def list_unlogged_calls(school: School, person: Person, days: Days) -> pd.DataFrame:
    """The calls of others on the days that are not logged and that the person may open; never a counsellor's.
    Columns as in `list_sessions`, and `due_at` (when the time to log it ends; blank: it has ended)."""
    unlogged = (SESSION.log_id.is_(None), not_(is_confidential()), not_(_is_own(person)))
    sessions = find_sessions(school, person, is_during(days), *unlogged)
    return sessions[sessions["unlogged"]].reset_index(drop=True)


def holds_sessions(school: School, person: Person) -> bool:
    """Whether the person works with pupils by their roles, or has held a session."""
    if not person.roles or any(role.has_pupils or role is Role.COUNSELLOR for role in person.roles):
        return True
    with school.engine.connect() as connection:
        return bool(connection.scalar(select(exists().where(SESSION.staff_id == person.staff_id))))


def _is_own(person: Person) -> ColumnElement[bool]:
    return func.coalesce(SESSION.staff_id, 0) == person.staff_id


def find_sessions(school: School, person: Person, *conditions: ColumnElement[bool]) -> pd.DataFrame:
    """The sessions that the person may open and that meet some conditions, as `list_sessions`."""
    visible = and_(is_open_to(person, school.today()), *conditions)
    query = (
        select(
            SESSION.id.label("session_id"),
            SESSION.staff_id,
            *(SESSION[name] for name in _FACTS),
            and_(is_confidential(), not_(_is_own(person))).label("withheld"),
            SESSION.log_id.is_not(None).label("logged"),
            _is_own(person).label("own"),
            SESSION.codes,
            SESSION.clause_set_id,
        )
        .where(visible)
        .order_by(SESSION.started_at.desc(), SESSION.id)
    )
    with school.engine.connect() as connection:
        named = with_staff_name(query, "staff_name", SESSION.staff_id, SESSION.day)
        frame = reading.read_frame(connection, named)
        outcomes = decode_outcomes(connection, frame)
        withheld = frame["withheld"].to_numpy(bool)
        pupils = read_session_pupils(connection, frame.loc[~withheld, "session_id"].tolist())
    frame["pupils"] = join_values(frame["session_id"], pupils, "session_id")
    for name in outcomes.columns.drop(SHOWN_OF_COUNSELLING, errors="ignore"):
        outcomes.loc[withheld, name] = Outcome.NOT_APPLICABLE
    frame.loc[withheld, "status"] = [find_status(list(row)) for row in outcomes[withheld].to_numpy(object)]
    frame.loc[withheld, "disputed"] = False
    # In a room without staff there was nothing to log.
    frame["unlogged"] = ~frame["logged"].astype(bool) & (outcomes["logged"] != Outcome.NOT_APPLICABLE)
    broken = (outcomes == "breach").to_numpy()
    frame["n_breach"] = broken.sum(axis=1)
    frame["breaches"] = pd.Series([tuple(outcomes.columns[row]) for row in broken], frame.index, dtype=object)
    frame["n_gaps"] = (outcomes == "no_evidence").sum(axis=1)
    return in_school_time(school, frame.drop(columns=["codes", "clause_set_id"]))


def read_session_pupils(connection: Connection, sessions: Collection[int]) -> pd.DataFrame:
    """The pupils of some sessions (ids) as they were on the day, by name: `session_id`, `pupil_id`, `email`, and
    PUPIL_FACTS. Their versions are joined here: a database would look for each pupil in every session."""
    found = ["session_id", "pupil_id", "email", *PUPIL_FACTS]
    if not sessions:
        return pd.DataFrame(columns=found)
    pupil, participant = valid_versions(tables.pupil_versions).c, tables.session_pupils.c
    took_part = (
        select(participant.session_id, participant.pupil_id, SESSION.day)
        .join(tables.sessions, SESSION.id == participant.session_id)
        .where(reading.is_among(connection, participant.session_id, sessions))
        .order_by(participant.session_id)
    )
    rows = reading.read_frame(connection, took_part)
    columns = ("pupil_id", *PUPIL_FACTS, "since", "until")
    versions = (
        select(tables.pupils.c.email, *(pupil[name] for name in columns))
        .join(tables.pupils, tables.pupils.c.id == pupil.pupil_id)
        .where(reading.is_among(connection, pupil.pupil_id, rows["pupil_id"].unique().tolist()))
    )
    rows = rows.merge(reading.read_frame(connection, versions), on="pupil_id")
    on_day = (rows["since"] <= rows["day"]) & ~(rows["until"] <= rows["day"])
    return sort_by_name(rows.loc[on_day, found])
