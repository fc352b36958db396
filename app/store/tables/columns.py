"""The column types, and helpers that all tables share.

Instants are stored as microseconds since 1970 in UTC, days as the school's dates, emails and Entra ids in lower case.
An instant goes in and comes out as an aware `datetime`; frames read the integers themselves, which is many times
faster (`reading.read_frame`).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String, Table, TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds since 1970 in UTC; that number may be given as well."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, _dialect: Any) -> int | None:
        return (value - EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value

    def process_result_value(self, value: int | None, _dialect: Any) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Reference(TypeDecorator[str]):
    """The reference by which people know a record. NUL, which a link may contain and PostgreSQL rejects, is left
    out."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else value.replace("\0", "")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def foreign_key(name: str, target: str, **options: Any) -> Column[Any]:
    """A column of ids of another table; `target`: "staff.id"."""
    return Column(name, ForeignKey(target), **options)


def as_stored(table: Table) -> Table:
    """A table to read and write exactly what the database stores: instants as integers, encrypted values encrypted."""
    types = {c.name: c.type.impl if isinstance(c.type, TypeDecorator) else c.type for c in table.c}
    return Table(table.name, MetaData(), *(Column(name, kind) for name, kind in types.items()))
