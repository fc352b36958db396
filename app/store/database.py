"""Opens the database, brings its tables up to date, and lets one process write at a time.

SQLite is embedded, with a write-ahead log and foreign keys; writers wait for each other. On PostgreSQL an advisory lock
makes our writers take turns as well: a write judges again what it affects in its own transaction, which must see
everything that others have written.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import uniform
from time import monotonic, sleep
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, MetaData, create_engine, event, inspect, make_url, select, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.schema import CreateSchema

from app import clock
from app.log_questions import QUESTIONS
from app.store.copies import copy_file
from app.store.encryption import encrypt
from app.store.tables import logs, metadata

_MIGRATIONS = Path(__file__).with_name("migrations")
_BUSY_SECONDS = 120
_BUSY_SECONDS_OF_SQLITE = 10  # the last of these, in which SQLite itself waits
_UPGRADE_SECONDS = 60 * 60  # the longest that a process waits for another one to bring the tables up to date
_WRITERS = 7_302_113  # a number of our own among PostgreSQL's advisory locks

# What a database that cannot be reached, is locked, or has no connection free, raises.
UNAVAILABLE = (DBAPIError, PoolTimeoutError)


class DatabaseError(Exception):
    """The database cannot be used; the message says why, and how to fix it."""


def open_database(url: str) -> Engine:
    """An engine on the database at `url`, its tables at the newest version. DatabaseError if it cannot be used."""
    try:
        parsed = make_url(url)
        is_embedded = parsed.get_backend_name() == "sqlite"
        engine = _open_sqlite(url) if is_embedded else _open_postgresql(url)
        event.listen(engine, "handle_error", _hide_values)
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise DatabaseError(
            "DATABASE_URL is not the address of a database. Give one such as "
            "sqlite:////srv/protocol/protocol.sqlite or postgresql+psycopg://user@host/name."
        ) from None
    try:
        with disposed_on_error(engine):
            _create_or_upgrade(engine)
    except (DBAPIError, OSError) as error:
        raise DatabaseError(describe_error(error)) from None
    return engine


@contextmanager
def disposed_on_error(engine: Engine) -> Iterator[None]:
    """Close the engine if opening fails, since nobody else can."""
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def describe_error(error: Exception) -> str:
    """Explain an error of the database, without the values of any row."""
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    for signs, words in _CAUSES:
        if any(sign in cause for sign in signs):
            return f"{words} Nothing was changed."
    if isinstance(error, OperationalError):
        return f"The database cannot be reached or used ({cause}). Check DATABASE_URL and that its server runs."
    return "The database refused what was asked of it. Nothing was changed."


def _hide_values(context: ExceptionContext) -> None:
    """Keep what people typed out of an error, and so out of the server's log: PostgreSQL adds lines with the values of
    the row, and quotes a value that it cannot read."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error and error.args and isinstance(error.args[0], str):
            first = (error.args[0].splitlines() or [""])[0]
            is_quoted = isinstance(context.sqlalchemy_exception, DataError)
            error.args = ("A value does not fit its column." if is_quoted else first, *error.args[1:])


_CAUSES = (  # what the database says of it, and what we say
    (
        ("locked", "busy", "connection timed out"),
        f"The database is in use by another program and did not come free within {_BUSY_SECONDS} seconds; try again.",
    ),
    (("full", "No space left"), "The disk with the database is full; make room and try again."),
    (("disk I/O error",), "The disk with the database could not be written or read: is it full, or failing?"),
    (
        ("readonly", "read-only", "unable to open"),
        "The database cannot be written: let the program's user write to its file and folder.",
    ),
    (("not a database", "malformed"), "The database file is damaged: restore a backup."),
)


def _open_sqlite(url: str) -> Engine:
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    # Any number of connections: each that waits to write has one, and others can still read.
    engine = create_engine(
        url, max_overflow=-1, connect_args={"timeout": _BUSY_SECONDS_OF_SQLITE}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        for pragma in ("journal_mode=wal", "foreign_keys=on", "synchronous=full"):
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once, because it would fail instead of waiting if it took it after reading.
        if not connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("begin")
        elif not _acquire_write_lock(connection.connection.driver_connection):
            connection.exec_driver_sql("begin immediate")

    return engine


def _open_postgresql(url: str) -> Engine:
    return create_engine(
        url, pool_size=10, max_overflow=20, pool_timeout=_BUSY_SECONDS, pool_pre_ping=True, hide_parameters=True
    )


def _acquire_write_lock(connection: Any) -> bool:
    """Wait for the write lock; whether it was acquired. SQLite polls so rarely that a writer can starve, and one that
    has just written would have the lock again before any other looks. Waiting at random before each attempt, and less
    the longer it has waited, gives every writer a turn."""
    began, longest = monotonic(), 0.01
    connection.execute("pragma busy_timeout=0")
    try:
        while (waited := monotonic() - began) < _BUSY_SECONDS - _BUSY_SECONDS_OF_SQLITE:
            sleep(uniform(longest / 4, longest))  # not used for security # noqa: S311 # nosec B311
            try:
                connection.execute("begin immediate")
                return True
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    break  # `begin` raises it again, as SQLAlchemy's
            longest = 0.01 + 0.5 / (1 + waited)
    finally:
        connection.execute(f"pragma busy_timeout={_BUSY_SECONDS_OF_SQLITE * 1000}")
    return False


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it or nothing, one at a time."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _WRITERS})
        yield connection


def _create_or_upgrade(engine: Engine) -> None:
    """Create the tables of a new database, or bring an earlier version's up to date after copying it: in one
    transaction. Of several processes that start at the same time one does, and the others wait for it."""
    scripts = _read_scripts(_MIGRATIONS)
    last = monotonic() + _UPGRADE_SECONDS
    while not _is_up_to_date(engine, scripts):
        try:
            with _removed_on_error() as copies, writing(engine) as connection:
                _create_or_upgrade_in(connection, scripts, copies)
        except OperationalError as error:
            if "locked" not in str(error.orig) or monotonic() > last:
                raise


@contextmanager
def _removed_on_error() -> Iterator[list[Path]]:
    """A list to add files to, which are removed if what follows fails: otherwise every attempt would leave one."""
    files: list[Path] = []
    try:
        yield files
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        raise


def _is_up_to_date(engine: Engine, scripts: ScriptDirectory) -> bool:
    with engine.connect() as connection:
        return _read_version(connection) == scripts.get_current_head() and not _list_missing_answers(connection)


def _create_or_upgrade_in(connection: Connection, scripts: ScriptDirectory, copies: list[Path]) -> None:
    """Create or upgrade the tables in a transaction; a file with a copy of the database is added to `copies`."""
    version = _read_version(connection)
    if version is None:
        metadata.create_all(connection, checkfirst=False)
        MigrationContext.configure(connection).stamp(scripts, "head")
    elif version != scripts.get_current_head():
        _check_can_upgrade(version, scripts)
        encrypt(b"")  # a key that cannot be used is reported before anything is copied
        _back_up_before_upgrade(connection, version, copies)
        config = _configure(_MIGRATIONS)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    operations = Operations(MigrationContext.configure(connection))
    for column in _list_missing_answers(connection):
        operations.add_column(logs.name, Column(column.name, column.type))


def _configure(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


@cache
def _read_scripts(migrations: Path) -> ScriptDirectory:
    """The migrations, read once: that takes longer than all the rest of opening a database."""
    return ScriptDirectory.from_config(_configure(migrations))


def _check_can_upgrade(version: str, scripts: ScriptDirectory) -> None:
    """DatabaseError if the version is older than the first migration, or unknown."""
    if version < str(scripts.get_base()):
        raise DatabaseError(
            "The database is older than version 0.1.0 of this program, the first that was released. Open it once with "
            "version 0.1.0, which brings it up to date, and then with this version. Nothing was changed."
        )
    if version not in {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseError(
            "The database was made by a newer version of this program. Install that version, or restore a backup."
        )


def _list_missing_answers(connection: Connection) -> list[Column[Any]]:
    """The columns of log questions that the database still lacks. They need no migration: they may be blank, and an
    older program that does not know them works as before."""
    known = {column["name"] for column in inspect(connection).get_columns(logs.name)}
    return [logs.c[question.name] for question in QUESTIONS if question.name not in known]


def _back_up_before_upgrade(connection: Connection, version: str, copies: list[Path]) -> None:
    """Copy a database of an earlier version, while the lock to write is held: an embedded one to a file beside it,
    which is added to `copies`, PostgreSQL's tables into a schema."""
    name = f"version-{version}-{clock.now().astimezone():%Y%m%d-%H%M%S}"
    if connection.dialect.name == "postgresql":
        _copy_into_schema(connection, name.replace("-", "_"))
        return
    database = Path(str(connection.engine.url.database))
    copy = database.with_name(f"{database.stem}-{name}{database.suffix}")
    try:
        copy_file(database, copy, protected=True)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(
            f"The database is of an earlier version and is copied before it is brought up to date; the copy {copy} "
            f"could not be written ({error}). Make room beside it, and start again. Nothing was changed."
        ) from None
    copies.append(copy)


def _copy_into_schema(connection: Connection, schema: str) -> None:
    existing = MetaData()
    existing.reflect(connection)
    connection.execute(CreateSchema(schema))
    for table in existing.sorted_tables:
        connection.execute(select(table).into(table.name, schema=schema))


def empty_write_ahead_log(engine: Engine) -> bool:
    """Write what the write-ahead log of an embedded database holds into its file, and empty it. Returns whether that
    was done: not while others read an earlier state."""
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        # Past SQLAlchemy, which would begin a transaction first.
        is_busy, *_ = connection.connection.cursor().execute("pragma wal_checkpoint(truncate)").fetchone()
    return not is_busy


def _read_version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
