"""The days on which each version of a member of staff or a pupil was valid."""

from datetime import date

from sqlalchemy import ColumnElement, Date, Subquery, Table, and_, case, func, literal, or_, select


def valid_versions(versions: Table) -> Subquery:
    """`staff_versions` or `pupil_versions` with `since` (the first valid day; unlimited for the first version) and
    `until` (the day after the last; blank for the last version)."""
    person = versions.c[versions.name.removesuffix("_versions").rstrip("s") + "_id"]
    first = func.row_number().over(partition_by=person, order_by=versions.c.from_day) == 1
    following = func.lead(versions.c.from_day, type_=Date()).over(partition_by=person, order_by=versions.c.from_day)
    return select(
        versions, case((first, literal(date.min)), else_=versions.c.from_day).label("since"), following.label("until")
    ).subquery()


def valid_on(version: Subquery, day: ColumnElement[date] | date) -> ColumnElement[bool]:
    """Whether a version of `valid_versions` was the one in force on a day."""
    return and_(version.c.since <= day, or_(version.c.until.is_(None), version.c.until > day))


def list_contains(cell: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Whether a cell's list, separated by ";", contains a word."""
    return (";" + cell + ";").contains(f";{word};", autoescape=True)
