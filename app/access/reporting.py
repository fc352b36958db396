"""Figures that only reports use: counts without names."""

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, and_, case, exists, func, not_, select

from app.access.deadlines import count_days, find_due_days, last_opened
from app.access.overview import find_late_consents
from app.access.policy import Days, Person, require
from app.access.scope import SESSION, find_start_and_end, is_confidential, is_during
from app.school import School
from app.store import audit_log, reading, tables
from app.store.consents import ANSWERS, consent_status
from app.store.versions import is_there_on, valid_versions
from app.vocabulary.roles import Resource
from app.vocabulary.terms import BreachEventKind, BreachState, Deadline


def count_resolved_breaches(school: School, person: Person, days: Days) -> pd.DataFrame:
    """How the breaches of the days' sessions ended: `how` (a Resolution, BreachState.CLOSED, or the Deadline of an open
    one), `breaches`, `days` (the median of days from opening to the end; of open ones until now)."""
    require(person, Resource.RESOLUTION_FIGURES)
    rows = _read_breaches(school, days)
    how = rows["resolution"].where(rows["state"] == BreachState.RESOLVED, rows["deadline"].fillna(rows["state"]))
    took = count_days(school, rows["opened_at"], rows["occurred_at"].fillna(pd.Timestamp(school.now())))
    return (
        pd.DataFrame({"how": how.astype("object"), "days": took})
        .groupby("how", as_index=False)
        .agg(breaches=("days", "size"), days=("days", "median"))
    )


def count_by_deadline(school: School, person: Person, days: Days) -> pd.DataFrame:
    """How many breaches of the days' sessions were resolved in time or late, and how many are open in time or overdue:
    `deadline` (each Deadline), `breaches`. One that later evidence closed is none of them."""
    require(person, Resource.RESOLUTION_FIGURES)
    counts = _read_breaches(school, days)["deadline"].value_counts().reindex(list(Deadline), fill_value=0)
    return pd.DataFrame({"deadline": list(Deadline), "breaches": counts.to_numpy()})


def _read_breaches(school: School, days: Days) -> pd.DataFrame:
    """The breaches of the days' sessions: `state`, `opened_at`, `occurred_at` (of the end), `resolution`, `deadline` (a
    Deadline; blank: closed by later evidence)."""
    breach, event = tables.breaches.c, tables.breach_events.c
    last = (
        select(event.breach_id, func.max(event.id).label("id"))
        .where(event.kind.in_([BreachEventKind.RESOLVED, BreachEventKind.CLOSED]))
        .group_by(event.breach_id)
        .subquery()
    )
    query = (
        select(breach.state, breach.opened_at, last_opened().label("since"), event.occurred_at, event.resolution)
        .join(tables.sessions, SESSION.id == breach.session_id)
        .outerjoin(last, and_(last.c.breach_id == breach.id, breach.state != BreachState.OPEN))
        .outerjoin(tables.breach_events, event.id == last.c.id)
        .where(is_during(days), not_(is_confidential()))
    )
    with school.engine.connect() as connection:
        rows = reading.read_frame(connection, query)
    ended_at = rows["occurred_at"].fillna(pd.Timestamp(school.now())).dt.tz_convert(school.settings.timezone)
    in_time = ended_at.dt.date <= find_due_days(school, rows["since"])
    resolved, is_open = rows["state"] == BreachState.RESOLVED, rows["state"] == BreachState.OPEN
    rows["deadline"] = np.select(
        [resolved & in_time, resolved, is_open & in_time, is_open], [str(each) for each in Deadline], ""
    )
    return rows.assign(deadline=rows["deadline"].replace("", None))


def count_registers(school: School, person: Person, days: Days) -> dict[str, int]:
    """The parents' registers in figures: `pupils` on the roster today, of them `introduction` and `one_to_one`
    (have such a letter); of the consents that cover any of the days `asked` (no answer yet), `given`, `refused`
    and `withdrawn`; `late`, the sessions for which consent came, or SLT was informed, only after the start.
    """
    require(person, Resource.REGISTER_FIGURES)
    pupil, letter, consent = valid_versions(tables.pupil_versions), tables.letters.c, tables.consents.c
    today = is_there_on(pupil, school.today())

    def with_letter(kind: str) -> ColumnElement[int]:
        has = exists().where(letter.pupil_id == pupil.c.pupil_id, letter.kind == kind).correlate(pupil)
        return func.count(case((has, 1)))

    state = consent_status()
    begin, end = find_start_and_end(school, days)
    covered = and_(consent.covers_from < end, consent.covers_to >= begin)
    with school.engine.connect() as connection:
        pupils = connection.execute(
            select(func.count(), with_letter("introduction"), with_letter("one_to_one")).select_from(pupil).where(today)
        ).one()
        consents = connection.execute(
            select(state.c.state, func.count().label("number"))
            .join(tables.consents, consent.id == state.c.consent_id)
            .where(covered)
            .group_by(state.c.state)
        ).all()
    counts = dict.fromkeys(("asked", *ANSWERS), 0) | {row.state: row.number for row in consents}
    counts |= dict(zip(("pupils", "introduction", "one_to_one"), pupils, strict=True))
    return counts | {"late": len(find_late_consents(school, days))}


def check_audit_trail(school: School, person: Person) -> str | None:
    """A description of the first fault of the audit trail; None if there is none."""
    require(person, Resource.AUDIT_CHECK)
    with school.engine.connect() as connection:
        return audit_log.verify(connection)[1]
