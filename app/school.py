"""The school: its database and its settings, opened together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Engine, select

from app.settings import Settings, database_url, load_settings
from app.store import tables
from app.store.database import open_database, writing


@dataclass(frozen=True)
class School:
    """A school's database, its tables at the newest version, and the settings it is judged by."""

    engine: Engine
    settings: Settings

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The day in the school's time zone."""
        return self.now().astimezone(self.settings.zone).date()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it or nothing, one at a time."""
        with writing(self.engine) as connection:
            yield connection

    def is_demonstration(self) -> bool:
        """Whether the database holds the invented school."""
        return _demonstration_day(self.engine) is not None


def open_school(url: str | None = None) -> School:
    """The school that DATABASE_URL (or `url`) and PROTOCOL_FILE name. SettingsError or DatabaseError,
    each with its mend, if one of them cannot be used."""
    settings = load_settings()
    engine = open_database(url or database_url())
    day = _demonstration_day(engine)
    if day is not None:
        from app.demo.calendar import demonstration

        settings = demonstration(settings, day)
    return School(engine, settings)


def _demonstration_day(engine: Engine) -> date | None:
    """The day up to which the demonstration was filled; None where the data are real."""
    with engine.connect() as connection:
        day = connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "demo"))
    return date.fromisoformat(day) if day else None
