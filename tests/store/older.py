"""A database of each earlier version, as SQL: `python -m tests.store.older` writes those that are missing.

Each was filled by plain SQL when it was the newest: two rows in every table.
"""

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Column, MetaData, Table, create_engine, insert, select

from app.store.database import _MIGRATIONS

FOLDER = Path(__file__).with_name("earlier")


def at_version(url: str, version: str) -> None:
    """Makes an empty database one of that version, by its migrations."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    engine.dispose()


def fill(url: str) -> None:
    """Two rows in every table, each pointing at the rows of the tables before it."""
    engine = create_engine(url)
    there = MetaData()
    there.reflect(engine)
    with engine.begin() as connection:
        for table in there.sorted_tables:
            if table.name not in ("alembic_version", "meta", "audit", "session_days"):
                connection.execute(insert(table), [_row(connection, table, n) for n in (1, 2)])
    engine.dispose()


def _row(connection: Any, table: Table, n: int) -> dict[str, Any]:
    return {column.name: _value(connection, column, n) for column in table.c}


def _value(connection: Any, column: Column[Any], n: int) -> Any:
    if column.foreign_keys:
        other = next(iter(column.foreign_keys)).column
        return connection.scalars(select(other)).all()[n - 1] if other.table is not column.table else None
    kind = column.type.python_type
    if kind is str:
        return _WORDS.get(column.name, f"p{column.name} {n}")  # "p": kept as it is, unsealed
    if kind is bytes:
        return f"p{n}".encode()
    if kind is bool:
        return n == 1
    if kind is int:
        return n if column.primary_key else 1_606_000_000_000_000 + n if column.name.endswith("_at") else n
    return date.fromisoformat(f"2020-11-{n:02}")


_WORDS = {
    "roles": "teacher", "year_groups": "", "houses": "", "purpose": "academic", "cameras_on": "yes",
    "kind": "one_to_one", "status": "compliant", "codes": "0" * 23, "state": "open", "clause": "logged",
    "clauses": ";".join(f"clause-{n}" for n in range(23)),
    "categories": "distress", "cameras": "yes", "form": "log",
    "original": 'p{"ref": "L1"}', "content": 'p{"ref": "L1"}', "value": "p1",
}  # fmt: skip


def dump(file: Path) -> str:
    """The database as SQL."""
    with sqlite3.connect(file) as connection:
        return "\n".join(connection.iterdump()) + "\n"


if __name__ == "__main__":
    import tempfile

    for migration in sorted(_MIGRATIONS.glob("versions/[0-9]*.py")):
        version = migration.name[:4]
        if not (FOLDER / f"{version}.sql").exists():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "x.sqlite"
                at_version(f"sqlite:///{file}", version)
                fill(f"sqlite:///{file}")
                (FOLDER / f"{version}.sql").write_text(dump(file), encoding="utf-8")
