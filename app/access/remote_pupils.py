"""Remote learning of single pupils, such as in quarantine, as the pages show it to those who enter it."""

import pandas as pd
from sqlalchemy import and_, select

from app.access.policy import Person, get_scopes, require
from app.access.scope import is_led_by, read_frame, with_staff_name
from app.school import School
from app.store import tables
from app.store.versions import is_there_on, valid_on, valid_versions
from app.vocabulary.roles import Resource

_entry = tables.remote_pupils.c


def list_remote_learning(school: School, person: Person) -> pd.DataFrame:
    """The remote learning of each pupil whom the person looks after, as of today, the latest first.

    Columns: `entry_id`, `pupil_id`, `pupil` (name), `year_group`, `house`, `from_day`, `to_day` (both included),
    `reason`, `entered_at`, `entered_by` (name), `ended_at`, `ended_by` (name; both blank: it was not withdrawn), and
    `is_in_force`: not withdrawn, and its last day is not over.
    """
    require(person, Resource.REMOTE_PUPILS)
    pupil, today = valid_versions(tables.pupil_versions), school.today()
    query = (
        select(
            _entry.id.label("entry_id"),
            _entry.pupil_id,
            pupil.c.name.label("pupil"),
            pupil.c.year_group,
            pupil.c.house,
            *(_entry[name] for name in ("from_day", "to_day", "reason", "entered_at", "ended_at")),
        )
        .join(pupil, and_(pupil.c.pupil_id == _entry.pupil_id, valid_on(pupil, today)))
        .where(is_led_by(person, Resource.REMOTE_PUPILS, pupil))
        .order_by(_entry.from_day.desc(), _entry.id.desc())
    )
    for name in ("entered_by", "ended_by"):
        query = with_staff_name(query, name, _entry[name], today)
    rows = read_frame(school, query)
    rows["is_in_force"] = rows["ended_at"].isna() & (rows["to_day"] >= pd.Timestamp(today))
    return rows


def may_enter_remote_learning(school: School, person: Person, pupil_id: int) -> bool:
    """Whether the person may enter remote learning of a pupil, who is at the school today."""
    if not get_scopes(person, Resource.REMOTE_PUPILS):
        return False
    pupil = valid_versions(tables.pupil_versions)
    is_led = and_(is_there_on(pupil, school.today()), is_led_by(person, Resource.REMOTE_PUPILS, pupil))
    with school.engine.connect() as connection:
        query = select(pupil.c.pupil_id).where(pupil.c.pupil_id == pupil_id, is_led)
        return connection.scalar(query) is not None
