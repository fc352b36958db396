"""What `python -m app check` says: whether each part works, and how to fix it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, not_, select
from sqlalchemy.exc import DBAPIError

from app.alerts.outbox import WAITING
from app.alerts.sending import hindrance
from app.auth import sign_in
from app.graph.sync import check_graph
from app.operations.verification import last_restore_test
from app.school import School, open_school
from app.settings import SettingsError, variable
from app.store import tables
from app.store.database import DatabaseError, describe_error
from app.store.encryption import DecryptionError, decrypt, encrypt, encryption_keys
from app.store.key_rotation import KeyCounts, count_by_key, round_counts

Finding = tuple[str, bool, str]  # what was looked at, whether it works, in words
_LATE = timedelta(minutes=30)  # an alert older than this shows that nothing sends them


def check_everything() -> Iterator[Finding]:
    """The findings of a thorough `check_school` for the school as it is configured, or why it cannot be opened. It may
    take a minute."""
    try:
        school = open_school()
    except SettingsError as error:
        yield "settings", False, str(error)
        return
    except (DatabaseError, DBAPIError) as error:
        yield "database", False, str(error) if isinstance(error, DatabaseError) else describe_error(error)
        return
    try:
        yield from check_school(school, thorough=True)
    finally:
        school.engine.dispose()


def check_school(school: School, *, thorough: bool) -> Iterator[Finding]:
    """One finding for each part of a school that is open. Only a `thorough` check asks Microsoft Graph and the mail
    server, and looks at encrypted values."""
    settings = school.settings
    yield "settings", True, f"{settings.name}, {len(settings.rules)} set(s) of rules, {len(settings.terms)} term(s)"
    try:
        yield from _database(school)
    except DBAPIError as error:
        yield "database", False, describe_error(error)
        return
    yield from _sealing(school, thorough)
    yield from _backups(school)
    if thorough:
        yield from _graph(school)
    yield _alerts(school, thorough)
    yield _sign_in(school)


def _database(school: School) -> Iterator[Finding]:
    with school.engine.connect() as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(table)) or 0 for table in (tables.staff, tables.pupils)
        ]
    kind = "the demonstration, " if school.is_demonstration() else ""
    staff, pupils = counts
    yield "database", True, f"{kind}{staff} staff and {pupils} pupils are or were on the roster"
    if not staff or not pupils:
        yield "roster", False, "nobody is on it yet: python -m app import roster DIR"


def _sealing(school: School, thorough: bool) -> Iterator[Finding]:
    try:
        decrypt(encrypt(b"test"))
    except (SettingsError, DecryptionError) as error:
        yield "encryption", False, str(error)
        return
    if not encryption_keys():
        if not school.is_demonstration():
            yield (
                "encryption",
                False,
                "ENCRYPTION_KEYS is not set, so narratives and call records can be read in a stolen backup: "
                "python -m app keys new prints a key",
            )
        return
    words = "narratives, notes and call records are encrypted"
    if thorough:
        with school.engine.connect() as connection:
            good, found = describe_key_counts(round_counts(count_by_key(connection, sample=True)))
        yield "encryption", good, f"{words}. In a sample of a thousand of each kind: {found}"
    else:
        yield "encryption", True, f"{words}; {len(encryption_keys())} key(s) are set"


def describe_key_counts(found: Sequence[KeyCounts]) -> tuple[bool, str]:
    """Whether the keys that are set decrypt everything, and what to do."""
    told = sum(found, KeyCounts("all"))
    if told.lost:
        return False, (
            f"Up to {told.lost:,} values are encrypted with a key that is missing in ENCRYPTION_KEYS. Nobody can "
            "read them until that key is added again, after the others."
        )
    if not encryption_keys():
        return True, "no key is set, and nothing is encrypted."
    if told.no_key:
        return False, (
            f"Up to {told.no_key:,} values are not encrypted, because they are older than the first key. "
            "python -m app keys rotate encrypts them."
        )
    if told.older:
        return True, (
            f"Up to {told.older:,} values still use an older key. python -m app keys rotate encrypts them with the "
            "newest; keep the older keys until then."
        )
    if len(encryption_keys()) > 1:
        return True, "all use the newest key. When `keys used` says so for everything, the older keys can be removed."
    return True, "all use the one key."


_OFTEN = timedelta(days=120)  # once a term


def _backups(school: School) -> Iterator[Finding]:
    if school.is_demonstration() or school.engine.dialect.name != "sqlite":
        return
    last = last_restore_test(school)
    if last is None:
        words = "no backup has been tested yet: python -m app restore FILE --test"
    else:
        words = f"a backup was tested on {last.astimezone(school.settings.zone):%d %b %Y}"
        if school.now() - last > _OFTEN:
            words += ", too long ago: python -m app restore FILE --test"
    yield "backup", last is not None and school.now() - last <= _OFTEN, words


def _graph(school: School) -> Iterator[Finding]:
    if not variable("GRAPH_CLIENT_ID"):
        yield (
            "Microsoft Graph",
            True,
            "no sync is configured (GRAPH_TENANT_ID, GRAPH_CLIENT_ID); call records come from files",
        )
        return

    for good, words, fix in check_graph(school):
        yield "Microsoft Graph", good, f"{words} {fix}".strip()


def _alerts(school: School, thorough: bool) -> Finding:
    alert, now = tables.alerts.c, school.now()
    mine = not_(alert.confidential)
    with school.engine.connect() as connection:
        waiting, oldest = connection.execute(
            select(func.count(), func.min(alert.queued_at)).where(mine, alert.state == WAITING)
        ).one()
    words = f"{waiting} not sent" + (f", the oldest since {_moment(school, oldest)}" if waiting else "")
    if hinders := hindrance(school, ask=thorough):
        return "alerts", school.is_demonstration(), f"{hinders} {words.capitalize()}."
    if waiting and now - oldest > _LATE:
        return ("alerts", False, f"{words}: run python -m app alerts every five minutes by a timer")
    return "alerts", True, words


def _moment(school: School, when: datetime) -> str:
    return f"{when.astimezone(school.settings.zone):%d %b, %H:%M}".lstrip("0")


def _sign_in(school: School) -> Finding:
    if hindrance := sign_in.hindrance(school):
        return "sign-in", False, hindrance
    if school.is_demonstration():
        return "sign-in", True, "the demonstration needs none"
    return "sign-in", True, "configured in .streamlit/secrets.toml"
