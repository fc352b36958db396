"""The school: its database and its settings, opened together."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel
from sqlalchemy import Connection, Engine, func, select

from app import clock
from app.settings import PupilPolicies, RemotePeriod, Settings, Term, Training, get_database_url, load_settings
from app.store import audit_log, tables
from app.store.database import disposed_on_error, open_database, writing
from app.store.writing import get_meta

OWN_SETTINGS = "own_settings"  # the key under which a database stores them


class OwnSettings(BaseModel):
    """Settings that belong to the data and are stored with them: those of the fictional school."""

    name: str
    tenant_id: str
    terms: tuple[Term, ...]
    remote_learning: tuple[RemotePeriod, ...]
    training: tuple[Training, ...]
    dsp_telephones: dict[str, str] = {}
    pupil_policies: PupilPolicies | None = None


@dataclass(frozen=True)
class School:
    """A school's database, its tables at the newest version, and the settings it is judged by."""

    engine: Engine
    settings: Settings

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return clock.now()

    def today(self) -> date:
        """The day in the school's time zone."""
        return self.now().astimezone(self.settings.zone).date()

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that writes: all of it or nothing, one at a time."""
        return writing(self.engine)

    def add_to_trail(self, connection: Connection, actor: str, action: str, subject: str) -> None:
        """Add an entry to the audit trail, of this moment; see `audit_log.add`."""
        audit_log.add(connection, occurred_at=self.now(), actor=actor, action=action, subject=subject)

    def is_demonstration(self) -> bool:
        """Whether the database holds the fictional school."""
        with self.engine.connect() as connection:
            return get_meta(connection, "demo") is not None

    def is_untouched(self) -> bool:
        """Whether nothing was ever imported into the database."""
        with self.engine.connect() as connection:
            return not connection.scalar(select(func.count()).select_from(tables.imports))


def open_school(url: str | None = None) -> School:
    """The school that DATABASE_URL (or `url`) and PROTOCOL_FILE name. SettingsError or DatabaseError,
    each with its fix, if one of them cannot be used."""
    settings = load_settings()
    engine = open_database(url or get_database_url())
    with disposed_on_error(engine):
        with engine.connect() as connection:
            own = get_meta(connection, OWN_SETTINGS)
        if own is not None:
            settings = settings.model_copy(update=dict(OwnSettings.model_validate_json(own)))
    return School(engine, settings)
