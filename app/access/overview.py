"""The overview's sessions, the figures of the protocol, and the number of counselling sessions."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, select

from app.access.policy import COUNSELLING, UNDER, Days, Person, get_scopes, require
from app.access.scope import SESSION, find_counselling, in_school_time, is_during, select_past_and_present_counsellors
from app.protocol.frames import Versions, days_since_1970
from app.protocol.judge import count_outcomes
from app.school import School
from app.store import consents, reading, tables
from app.store import session_days as day_rows
from app.vocabulary.roles import Resource, Scope


def get_overview(school: School, person: Person, days: Days) -> pd.DataFrame:
    """One row for each session of the days, without confidential sessions and without pupils. Raises NotAllowedError
    if the person's roles give no access to the overview.

    Columns: `session_id`, `day` (datetime64), `minute` (of the school's day at which it started),
    `school`, `department`, `purpose` ("music", "academic", "pastoral", "other"; blank: not logged),
    `staff_name` (blank for SLT), `one_to_one`, `status`, `disputed`, `has_log`, and the outcomes of each
    clause, named as in CLAUSES (`logged` is a clause); text columns are categorical.
    """
    require(person, Resource.OVERVIEW)
    version = tables.staff_versions.c
    query = select(version.staff_id, version.from_day, version.name)
    with school.engine.connect() as connection:
        frame = _read_without_counselling(connection, days)
        people = Versions(reading.read_frame(connection, query), "staff_id")
    if Scope.WITH_NAMES in get_scopes(person, Resource.OVERVIEW):
        names = people.fact("name", people.rows(frame["staff_id"].to_numpy(), days_since_1970(frame["day"])))
    else:
        names = np.full(len(frame), None)
    named = frame.assign(staff_id=pd.Categorical(names))
    return named.rename(columns={"staff_id": "staff_name"})


def _read_without_counselling(connection: Connection, days: Days) -> pd.DataFrame:
    """`session_days.read` without what is, or may be, counselling."""
    rows = day_rows.read(connection, *days)
    counsellors = connection.scalars(select_past_and_present_counsellors()).all()
    may_be = find_counselling(rows["purpose"], rows["staff_id"], counsellors)
    return rows[~may_be].reset_index(drop=True) if may_be.any() else rows


def get_protocol_figures(school: School, person: Person, days: Days) -> pd.DataFrame:
    """How often the whole school kept each clause, without counselling: `app.protocol.judge.count_outcomes`.

    Those who may not read the overview get the term of the last day, so far, whatever days they ask for.
    """
    require(person, Resource.PROTOCOL_FIGURES)
    if Scope.ANY_DAYS not in get_scopes(person, Resource.PROTOCOL_FIGURES):
        term = school.settings.term_on(days[1])
        days = (term.from_, term.to) if term else (date.max, date.min)
    with school.engine.connect() as connection:
        return count_outcomes(_read_without_counselling(connection, days))


def list_late_consents(school: School, person: Person, days: Days) -> pd.DataFrame:
    """The sessions of the days for which a parent's consent came, or SLT was informed, only after the start:
    `session_id`, `started_at`, the newest first. For the Senior Deputy Head."""
    require(person, Resource.OVERVIEW, Scope.WITH_NAMES)
    return find_late_consents(school, days)


def find_late_consents(school: School, days: Days) -> pd.DataFrame:
    participant = tables.session_pupils.c
    facts = (SESSION.started_at, SESSION.ended_at, SESSION.one_to_one, participant.pupil_id)
    with school.engine.connect() as connection:
        rows = _read_without_counselling(connection, days)
        broken = (rows["academic-hours"] == "breach") | (rows["one-to-one-hours"] == "breach")
        given = reading.read_frame(connection, select(consents.select_given_consents()))
        of_broken = reading.is_among(connection, SESSION.id, rows.loc[broken, "session_id"].tolist())
        asked = participant.pupil_id.in_(given["pupil_id"].unique().tolist())
        query = select(SESSION.id.label("session_id"), *facts).where(of_broken, asked)
        query = query.join(tables.session_pupils, participant.session_id == SESSION.id)
        sessions = reading.read_frame(connection, query)
    both = sessions.merge(given, on="pupil_id")
    begun, one_to_one = both["started_at"], both["one_to_one"].astype(bool)
    right = both["kind"] == np.where(one_to_one, "one_to_one", "outside_hours")
    covered = (both["covers_from"] <= begun) & (both["covers_to"] >= both["ended_at"])
    slt_informed_at = both["slt_informed_at"].fillna(both["obtained_at"])
    late = (both["obtained_at"] >= begun) | (~one_to_one & (slt_informed_at >= begun))
    late_sessions = both.loc[right & covered & late, ["session_id", "started_at"]].drop_duplicates("session_id")
    return in_school_time(school, late_sessions.sort_values("started_at", ascending=False, ignore_index=True))


def count_counselling_sessions(school: School, person: Person) -> pd.DataFrame:
    """How many sessions counsellors held: the only figure about counselling that anybody gets.

    Columns: `term` (its name), `until` (the last day counted: completed weeks only), `sessions` as text: "under 3", or
    "at least 3", 6, 9 … A count that rose by one would reveal the session logged since, so it rises in threes, for the
    whole school and for whole terms.
    """
    require(person, Resource.COUNSELLING_COUNT)
    today = school.today()
    last_sunday = today - timedelta(days=today.isoweekday())
    rows = []
    with school.engine.connect() as connection:
        for term in (t for t in school.settings.terms if t.from_ <= today):
            until = min(term.to, last_sunday)
            counted = select(func.count()).where(
                is_during((term.from_, until)),
                SESSION.confidential,
                func.lower(SESSION.purpose) == COUNSELLING,
                SESSION.staff_id.in_(select_past_and_present_counsellors()),
            )
            count = connection.scalar(counted) or 0
            words = f"at least {count - count % UNDER}" if count >= UNDER else f"under {UNDER}"
            rows.append({"term": term.name, "until": until, "sessions": words})
    return pd.DataFrame(rows, columns=["term", "until", "sessions"])
