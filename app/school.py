"""The school: its database and its settings, opened together.

The protocol of an empty database is taken from the settings file. From then on, the protocol in force is in the
database, with the school's name, time zone and tenant; everything else is read from the file at each start.
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

# Keys of the table `meta`: settings that belong to the data; and the path and digest of the settings file from which
# the protocol was taken, "" if it has been changed since.
OWN_SETTINGS = "own_settings"
_FILE = "protocol_file"


class OwnSettings(BaseModel):
    """Settings that belong to the data and are stored with them, as for the fictional school."""

    name: str
    tenant_id: str
    terms: tuple[Term, ...]
    remote_learning: tuple[RemotePeriod, ...]
    training: tuple[Training, ...]
    dsp_telephones: dict[str, str] = {}
    pupil_policies: PupilPolicies | None = None


@dataclass(frozen=True)
class School:
    """A school's database, with its tables at the newest version, and the settings by which it is judged. `state`
    identifies the state of the database's protocol that the settings are from; None if they are not from there and
    never change."""

    engine: Engine
    settings: Settings
    state: str | None = field(default=None, kw_only=True)

    def as_of(self, connection: Connection) -> "School":
        """The school with the protocol in force in this transaction: another process may have changed it."""
        if self.state is None or (state := protocol.read_state(connection)) == self.state:
            return self
        plain = self.settings.model_dump(by_alias=True) | protocol.compose(protocol.read_entries(connection))
        return replace(self, settings=check_settings(plain, "The protocol in the database"), state=state)

    def now(self) -> datetime:
        """The present time, in UTC with its time zone."""
        return clock.now()

    def today(self) -> date:
        """The present day in the school's time zone."""
        return self.now().astimezone(self.settings.zone).date()

    def writing(self) -> AbstractContextManager[Connection]:
        """A write transaction: all or nothing, and only one at a time."""
        return writing(self.engine)

    def add_to_trail(self, connection: Connection, actor: str, action: str, subject: str) -> None:
        """Add an entry with the present time to the audit trail; see `audit_log.add`."""
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
    """Open the school that `url` (by default DATABASE_URL) and PROTOCOL_FILE name. SettingsError or DatabaseError, with
    the fix, if one of them cannot be used."""
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
    """Raise SettingsError if a version has words for a clause that the program does not know."""
    for version in settings.versions:
        for name in version.text:
            if name not in CLAUSES:
                fix = f"name it as docs/protocol.md does, such as {next(iter(CLAUSES))}"
                raise SettingsError(f"versions: {version.name}: text: {name!r} is not a clause; {fix}.")


def _is_file_new(connection: Connection, own: str | None) -> bool:
    """Whether to take the protocol from the settings file: the database has none, or it came from this file, which has
    been edited, and nobody has changed the protocol on the screen. A different file changes nothing: otherwise, two
    processes with different files would keep judging everything again."""
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
    """Record that the protocol came from the settings file, so that it is taken again when the file is edited."""
    set_meta(connection, _FILE, " ".join(_describe_file()))


def forget_file(connection: Connection) -> None:
    """Record that the protocol was changed on the screen, so that the settings file no longer changes it."""
    set_meta(connection, _FILE, "")


def find_difference_from_file(school: School) -> str | None:
    """A sentence that says in which entries the protocol in force differs from the settings file; None if in none, or
    if the data have settings of their own."""
    with school.engine.connect() as connection:
        if get_meta(connection, OWN_SETTINGS) is not None:
            return None
    file, ours = (protocol.compose(protocol.list_contents(each)) for each in (load_settings(), school.settings))
    different = [name for name, value in file.items() if value != ours[name]]
    return f"{', '.join(different)} of the settings file differ from the protocol in force" if different else None
