"""Planned sessions: only the person who planned one sees it."""

import pandas as pd
from sqlalchemy import select

from app.access.policy import Person, require
from app.access.scope import in_school_time, join_values, sort_by_name
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.roles import Resource

_plan, _pupil, _invited = tables.plans.c, tables.plan_pupils.c, tables.plan_invited.c


def list_plans(school: School, person: Person) -> pd.DataFrame:
    """The sessions that the person planned and has not logged, the earliest first: `ref`, `started_at`, `ended_at`,
    `purpose`, `reason` ("" if none), `changes`, `pupils` (names), `pupil_emails` and `second_emails`
    (";"-joined)."""
    require(person, Resource.PLANS)
    mine = _plan.staff_id == person.staff_id
    pupil = valid_versions(tables.pupil_versions)
    with school.engine.connect() as connection:
        frame = reading.read_frame(connection, select(tables.plans).where(mine).order_by(_plan.started_at, _plan.id))
        pupils = reading.read_frame(
            connection,
            select(_pupil.plan_id, tables.pupils.c.email, pupil.c.name)
            .join(tables.plans, _plan.id == _pupil.plan_id)
            .join(tables.pupils, tables.pupils.c.id == _pupil.pupil_id)
            .join(pupil, pupil.c.pupil_id == _pupil.pupil_id)
            .where(mine, valid_on(pupil, school.today())),
        ).pipe(sort_by_name)
        second = reading.read_frame(
            connection,
            select(_invited.plan_id, tables.staff.c.email)
            .join(tables.plans, _plan.id == _invited.plan_id)
            .join(tables.staff, tables.staff.c.id == _invited.staff_id)
            .where(mine)
            .order_by(tables.staff.c.email),
        )
    frame["reason"] = frame["reason"].fillna("")
    frame["pupils"] = join_values(frame["id"], pupils, "plan_id")
    frame["pupil_emails"] = join_values(frame["id"], pupils, "plan_id", "email", ";")
    frame["second_emails"] = join_values(frame["id"], second, "plan_id", "email", ";")
    return in_school_time(school, frame.drop(columns=["id", "staff_id"]))
