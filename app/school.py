"""The school: its database and its settings, opened together.

The settings file starts the protocol of an empty database. From then on the protocol in force, with the school's name,
time zone and tenant, is in the database; everything else is read from the file at each start.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256

from pydantic import BaseModel
from sqlalchemy import Connection, Engine, func, select

from app import clock
from app.protocol.clauses import CLAUSES
from app.settings import (
    PupilPolicies,
    RemotePeriod,
    Settings,
    SettingsError,
    Term,
    Training,
    check_settings,
    get_database_url,
    get_settings_file,
    load_settings,
)
from app.store import audit_log, protocol, tables
from app.store.database import disposed_on_error, open_database, writing
from app.store.writing import get_meta, raise_revision, set_meta

OWN_SETTINGS = "own_settings"  # the key under which a database stores them
_FILE = "protocol_file"  # the settings file that the protocol is from: its path and a digest; empty: changed since


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
    """A school's database, its tables at the newest version, and the settings it is judged by. `state`: which state of
    the protocol in the database the settings are; None: they are not from there and stay as they are."""

    engine: Engine
    settings: Settings
    state: str | None = field(default=None, kw_only=True)

    def as_of(self, connection: Connection) -> "School":
        """The school with the protocol that is in force in a transaction, since another process may have changed it."""
        if self.state is None or (state := protocol.read_state(connection)) == self.state:
            return self
        plain = self.settings.model_dump(by_alias=True) | protocol.compose(protocol.read_entries(connection))
        return replace(self, settings=check_settings(plain, "The protocol in the database"), state=state)

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
    check_clauses(settings)
    engine = open_database(url or get_database_url())
    with disposed_on_error(engine):
        with engine.connect() as connection:
            own = get_meta(connection, OWN_SETTINGS)
            is_new = _is_file_new(connection, own)
        if own is not None:
            settings = settings.model_copy(update=dict(OwnSettings.model_validate_json(own)))
        if is_new:
            _take_over_file(engine, settings, own)
        with engine.connect() as connection:
            return School(engine, settings, state="").as_of(connection)


def check_clauses(settings: Settings) -> None:
    """SettingsError if a version has words for a clause that the program does not know."""
    for version in settings.versions:
        for name in version.text:
            if name not in CLAUSES:
                fix = f"name it as docs/protocol.md does, such as {next(iter(CLAUSES))}"
                raise SettingsError(f"versions: {version.name}: text: {name!r} is not a clause; {fix}.")


def _is_file_new(connection: Connection, own: str | None) -> bool:
    """Whether the protocol is to be taken from the settings file: the database holds none, or the file that it is from
    was edited and nobody has changed the protocol on the screen. Another file changes nothing, so that two processes
    with two files cannot judge everything in turns."""
    if protocol.read_state(connection) is None:
        return True
    path, _, digest = (get_meta(connection, _FILE) or "").rpartition(" ")
    own_path, own_digest = _describe_file()
    return own is None and path == own_path and digest != own_digest


def _describe_file() -> tuple[str, str]:
    file = get_settings_file()
    return str(file.resolve()), sha256(file.read_bytes()).hexdigest()


def _take_over_file(engine: Engine, settings: Settings, own: str | None) -> None:
    with writing(engine) as connection:
        if not _is_file_new(connection, own):
            return  # another process was quicker
        now = clock.now()
        if protocol.read_state(connection) is not None:
            words = "protocol, from the settings file"
            audit_log.add(connection, occurred_at=now, actor=audit_log.COMMAND, action="changed", subject=words)
        protocol.store_settings(connection, settings, now)
        remember_file(connection)
        raise_revision(connection)


def remember_file(connection: Connection) -> None:
    """Let the protocol be known as that of the settings file: it is taken over again when the file is edited."""
    set_meta(connection, _FILE, " ".join(_describe_file()))


def forget_file(connection: Connection) -> None:
    """Let the protocol be known as changed on the screen: the settings file no longer decides."""
    set_meta(connection, _FILE, "")


def find_difference_from_file(school: School) -> str | None:
    """In what the protocol in force differs from the settings file; None if it does not, or if the data have settings
    of their own."""
    with school.engine.connect() as connection:
        if get_meta(connection, OWN_SETTINGS) is not None:
            return None
    file, ours = (protocol.compose(protocol.list_contents(each)) for each in (load_settings(), school.settings))
    different = [name for name, value in file.items() if value != ours[name]]
    return f"{', '.join(different)} of the settings file differ from the protocol in force" if different else None
