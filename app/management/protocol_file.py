"""The protocol as a settings file: exported as `data/protocol.toml` would contain it, and imported as a whole."""

import tomllib
from datetime import time
from pathlib import Path
from typing import Any

import tomli_w

from app.access.policy import Person, require
from app.management.effects import Effect
from app.management.protocol import judge_again
from app.school import School, check_clauses, forget_file, remember_file
from app.settings import Settings, SettingsError, check_settings, get_settings_file
from app.store import audit_log, protocol
from app.vocabulary.roles import Resource


def export_protocol(school: School, person: Person | None) -> str:
    """The settings in force as a settings file (TOML), without remote learning of single pupils. `person` is who
    exports it, or None for a command. Recorded in the audit trail. Raises NotAllowedError."""
    if person is not None:
        require(person, Resource.PROTOCOL_FILE)
    with school.writing() as connection:
        school = school.as_of(connection)
        school.add_to_trail(connection, person.email if person else audit_log.COMMAND, "exported", "protocol as a file")
    return format_settings(school.settings)


def format_settings(settings: Settings) -> str:
    """Settings as a settings file (TOML). Reading it again gives equal settings."""
    return tomli_w.dumps(_without_blanks(settings.model_dump(mode="python", by_alias=True)))


def _without_blanks(value: Any) -> Any:
    """A value as in a settings file: without entries that are empty, and times of day as text."""
    if isinstance(value, dict):
        written = {name: _without_blanks(item) for name, item in value.items()}
        return {name: item for name, item in written.items() if name in _ALWAYS or item not in (None, {}, [])}
    if isinstance(value, list | tuple):
        return [_without_blanks(item) for item in value]
    return f"{value:%H:%M:%S}".removesuffix(":00") if isinstance(value, time) else value


_ALWAYS = {"terms", "remote_learning", "one_to_one_slots"}  # must be there even if empty


def import_protocol(
    school: School, person: Person | None, text: str, path: Path | None = None
) -> tuple[Effect, list[str]]:
    """Put into force what a settings file says about the school, its terms, remote learning, versions and rules.

    `person` is who imports it, or None for a command. `path` is where the file is on the server, or None. Returns the
    effect on past sessions, and the names of other entries that differ from the settings in use: the program reads
    those only from the server's own file. Raises NotAllowedError, or SettingsError if the file cannot be used; nothing
    has changed then.
    """
    if person is not None:
        require(person, Resource.PROTOCOL_FILE)
    settings = _read(text)
    with school.writing() as connection:
        before = school.as_of(connection)
        staff_id = person.staff_id if person else None
        protocol.store_settings(connection, settings, before.now(), staff_id)
        before.add_to_trail(
            connection, person.email if person else audit_log.COMMAND, "imported", "protocol from a file"
        )
        if path is not None and path.resolve() == get_settings_file().resolve():
            remember_file(connection)
        else:
            forget_file(connection)
        effect = judge_again(connection, before)
    others = [name for name in Settings.model_fields if name not in protocol.IN_DATABASE]
    return effect, [name for name in others if getattr(settings, name) != getattr(school.settings, name)]


def _read(text: str) -> Settings:
    try:
        entries = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The file is not valid TOML: {error}. Nothing was changed.") from None
    except RecursionError:
        raise SettingsError("The file is nested too deeply for settings. Nothing was changed.") from None
    settings = check_settings(entries, "The file")
    check_clauses(settings)
    return settings
