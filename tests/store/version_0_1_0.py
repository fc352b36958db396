"""A database as version 0.1.0 wrote it: a school of a few people to whom everything happened once.

`earlier/0.1.0.sql` is the whole database of SQLite. For PostgreSQL there are its tables, in
`earlier/0.1.0-postgresql.sql`; the rows are taken from the other.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, insert, make_url, select

KEY = "c2Nob29sIGtleSBmb3IgdGhlIHRlc3Qgb2YgMC4xLjA="  # what it encrypted with
_FOLDER = Path(__file__).with_name("earlier")


def create_database(url: str) -> None:
    """Fill an empty database with what 0.1.0 wrote."""
    rows = (_FOLDER / "0.1.0.sql").read_text(encoding="utf-8")
    if make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            connection.executescript(rows)
        return
    source, target = create_engine("sqlite://"), create_engine(url)
    with source.connect() as from_, target.begin() as to:
        sqlite_connection: Any = from_.connection.driver_connection
        server_connection: Any = to.connection.driver_connection
        sqlite_connection.executescript(rows)
        server_connection.execute((_FOLDER / "0.1.0-postgresql.sql").read_text(encoding="utf-8"))
        old, new = MetaData(), MetaData()
        old.reflect(from_)
        new.reflect(to)
        for table in old.sorted_tables:
            values = [dict(row) for row in from_.execute(select(table)).mappings()]
            if values and table.name not in ("alembic_version", "session_days"):  # triggers fill the days
                to.execute(insert(new.tables[table.name]), values)
    source.dispose()
    target.dispose()
