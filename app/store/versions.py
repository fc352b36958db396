"""The days on which each version of a member of staff or a pupil was valid."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, Subquery, Table, and_, case, func, literal, not_, or_, select


def get_person_column(versions: Table) -> str:
    """The column that holds whose version it is: `staff_id` or `pupil_id`."""
    return versions.name.removesuffix("_versions").rstrip("s") + "_id"


def valid_versions(versions: Table) -> Subquery:
    """`staff_versions` or `pupil_versions` with `since` (the first valid day; unlimited for the first version) and
    `until` (the day after the last; blank for the last version)."""
    person = versions.c[get_person_column(versions)]
    first = func.row_number().over(partition_by=person, order_by=versions.c.from_day) == 1
    following = func.lead(versions.c.from_day, type_=Date()).over(partition_by=person, order_by=versions.c.from_day)
    return select(
        versions, case((first, literal(date.min)), else_=versions.c.from_day).label("since"), following.label("until")
    ).subquery()


def valid_on(version: Subquery, day: ColumnElement[date] | date) -> ColumnElement[bool]:
    """Whether a version of `valid_versions` was the one in force on a day."""
    return and_(version.c.since <= day, or_(version.c.until.is_(None), version.c.until > day))


def is_there_on(version: Subquery, day: ColumnElement[date] | date) -> ColumnElement[bool]:
    """Whether a version of `valid_versions` was in force on a day, and the person had not left."""
    return and_(valid_on(version, day), not_(version.c.has_left))


def select_leavers(versions: Table) -> Select[Any]:
    """The ids of the staff or pupils who have left."""
    version = valid_versions(versions)
    person = version.c[get_person_column(versions)]
    return select(person).where(version.c.until.is_(None), version.c.has_left)


def list_contains(cell: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Whether a cell's list, separated by ";", contains a word."""
    return (";" + cell + ";").contains(f";{word};", autoescape=True)
