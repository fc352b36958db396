"""Databases of earlier versions, as SQL in `earlier/`.

`0.1.0.sql` was written by that release itself: a school of a few people to whom everything happened once, with what it
encrypts under `KEY`. Those named by a migration have two rows in every table, from before the first release.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, insert, make_url, select

from app.store.database import _MIGRATIONS

KEY = "c2Nob29sIGtleSBmb3IgdGhlIHRlc3Qgb2YgMC4xLjA="
FOLDER = Path(__file__).with_name("earlier")
_LAST_MIGRATION = "0013"  # of 0.1.0


def load(version: str, url: str) -> None:
    """Fill an empty SQLite database with an earlier version of the program's; a PostgreSQL database only with those
    whose last migration was that of 0.1.0."""
    if make_url(url).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            connection.executescript((FOLDER / f"{version}.sql").read_text(encoding="utf-8"))
        return
    target = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with target.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, _LAST_MIGRATION)
    source = create_engine("sqlite://")
    with source.connect() as from_, target.begin() as to:
        from_.connection.driver_connection.executescript(  # type: ignore[union-attr]
            (FOLDER / f"{version}.sql").read_text(encoding="utf-8")
        )
        tables, theirs = MetaData(), MetaData()
        tables.reflect(from_)
        theirs.reflect(to)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in from_.execute(select(table)).mappings()]
            if rows and table.name not in ("alembic_version", "session_days"):  # days come by the sessions' triggers
                to.execute(insert(theirs.tables[table.name]), rows)
    source.dispose()
    target.dispose()
