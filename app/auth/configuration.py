"""The configuration of sign-in, and what prevents the program from showing anything.

Without any configuration the program shows the demonstration to everybody. Once anything is configured for a real
school, it needs sign-in, and a database without the demonstration.
"""

import sys
from datetime import timedelta
from typing import Any

from app.auth.entra_roles import describe_missing_roles
from app.keys import encryption_keys
from app.school import School, open_school
from app.settings import SettingsError, get_variable, load_secrets
from app.store.database import UNAVAILABLE, DatabaseError
from app.store.key_rotation import is_key_lost

GREATEST_AGE = timedelta(hours=12)  # people sign in again after this, however active they are
_NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
_SECRET_CHARACTERS = 32
_OF_GRAPH = ("GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "GRAPH_CLIENT_SECRET", "GRAPH_CERTIFICATE_FILE")


def find_obstacle(school: School) -> str | None:
    """Why the school may not be shown, with the fix; None if nothing prevents it."""
    real = list_configured()
    if school.is_demonstration():
        if not real:
            return None
        return (
            f"Configured for a real school: {' and '.join(real)}. But the database holds the demonstration, into which "
            "anybody may look. Set DATABASE_URL to a database of the school's own, or remove that configuration."
        )
    entries = _read_entries()
    if missing := [entry for entry in _NEEDED if not entries.get(entry)]:
        return (
            "This database is not the demonstration's, so nothing of it is shown without sign-in. Missing in "
            f".streamlit/secrets.toml, under [auth]: {', '.join(missing)}. The ICT administrator finds how in "
            "docs/service.md."
        )
    return _find_weakness(school)


def _find_weakness(school: School) -> str | None:
    """What would leave a real school's records open, with the fix, so that the program does not start."""
    secret = str(_read_entries().get("cookie_secret") or "")
    if secret and len(secret) < _SECRET_CHARACTERS:
        return (
            f"cookie_secret in .streamlit/secrets.toml has {len(secret)} characters. Whoever guesses it can sign in as "
            f"anybody: give at least {_SECRET_CHARACTERS} random ones, such as python -m app keys new prints."
        )
    if not encryption_keys() and not school.is_untouched():
        return (
            "ENCRYPTION_KEYS is not set, and this database holds real records: what people wrote, who pupils are "
            "and call records could be read in a stolen copy. Set a key, which python -m app keys new prints, and "
            "start again; python -m app keys rotate encrypts what is there."
        )
    with school.engine.connect() as connection:
        if is_key_lost(connection):
            return (
                "The database is encrypted with a key that ENCRYPTION_KEYS does not hold. Add that key, after the "
                "others and separated by a comma, and start again."
            )
    return None


def check_start() -> None:
    """End the program with a message if it would leave a real school's records open, or does not know who may see them.
    What else is missing is shown on its pages."""
    try:
        school = open_school()
    except (SettingsError, DatabaseError, *UNAVAILABLE):
        return  # the pages say why, and try again
    try:
        weakness = None if school.is_demonstration() else _find_weakness(school) or describe_missing_roles(school)
    except SettingsError as error:
        weakness = str(error)
    school.engine.dispose()
    if weakness:
        sys.exit(f"The program does not start. {weakness}")


def list_configured() -> list[str]:
    """The names of what is configured for a real school."""
    graph = any(get_variable(name) for name in _OF_GRAPH)
    return ["Microsoft Graph"] * graph + ["sign-in"] * bool(_read_entries())


def _read_entries() -> dict[str, Any]:
    entries: dict[str, Any] = load_secrets().get("auth", {})
    return entries


def get_idle_time() -> timedelta:
    """How long a person may do nothing: IDLE_MINUTES, 30 by default. Raises SettingsError if it is not a number
    above 0."""
    value = get_variable("IDLE_MINUTES") or "30"
    try:
        minutes = float(value)
    except ValueError:
        minutes = 0
    if not 0 < minutes <= 24 * 60:
        raise SettingsError(f"IDLE_MINUTES is {value!r}: give the minutes after which sign-in ends, for example 30.")
    return timedelta(minutes=minutes)
