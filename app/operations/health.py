"""What `python -m app check` says: whether each part works, and how to fix it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import func, not_, select
from sqlalchemy.exc import DBAPIError

from app.access.pupil_policies import compute_pupil_policies
from app.alerts.outbox import WAITING
from app.alerts.sending import find_obstacle
from app.auth import configuration, entra_roles
from app.formatting import how_many, moment, on_day
from app.graph.source_checks import describe_sources
from app.graph.sync import check_graph
from app.keys import encryption_keys
from app.operations.verification import get_last_restore_test
from app.reports.periods import describe_missing_term
from app.school import School, find_difference_from_file, open_school
from app.settings import SettingsError, get_variable
from app.store import tables
from app.store.database import DatabaseError, describe_error
from app.store.encryption import DecryptionError, decrypt, encrypt
from app.store.groups import list_groups_without_pupils, list_leaders_without_groups
from app.store.key_rotation import KeyCounts, count_by_key, round_counts
from app.vocabulary.terms import EmailState

Finding = tuple[str, bool, str]  # the part, whether it works, and a message
_MEANT = " This is part of the demonstration."
_LATE = timedelta(minutes=30)  # an alert older than this shows that nothing sends them
_TESTED_EVERY = timedelta(days=120)  # once a term


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
    rules = how_many(len(settings.rules), "set of rules", "sets of rules")
    yield "settings", True, f"{settings.name}, {rules}, {how_many(len(settings.terms), 'term')}"
    if difference := find_difference_from_file(school):
        advice = "`python -m app protocol import FILE` puts it into force, `protocol export` writes the one in force"
        yield "settings file", True, f"{difference}; {advice}"
    if missing := describe_missing_term(settings, school.today()):
        fix = "Enter the next ones: until then nobody gets a digest, and no figure is by term."
        meant = school.is_demonstration()
        yield "terms", meant, f"{missing}{_MEANT if meant else f' {fix}'}"
    try:
        yield from _check_database(school)
    except DBAPIError as error:
        yield "database", False, describe_error(error)
        return
    yield from _check_encryption(school, thorough=thorough)
    yield from _check_backups(school)
    yield from _check_graph(school, thorough=thorough)
    yield from _check_pupil_policies(school)
    yield _check_alerts(school, thorough=thorough)
    yield from _check_family_emails(school)
    yield _check_sign_in(school)


def _check_database(school: School) -> Iterator[Finding]:
    with school.engine.connect() as connection:
        staff, pupils = (
            connection.scalar(select(func.count()).select_from(table)) for table in (tables.staff, tables.pupils)
        )
        empty = list_groups_without_pupils(connection, school.today())
        idle = list_leaders_without_groups(connection, school.today())
    kind = "the demonstration, " if school.is_demonstration() else ""
    yield "database", True, f"{kind}{staff} staff and {pupils} pupils are or were on the roster"
    if not staff or not pupils:
        yield "roster", False, "nobody is on it yet: python -m app import roster DIR"
    if idle:
        yield "roster", False, "; ".join(idle)
    if empty:
        yield "roster", False, f"{'; '.join(empty)}: write years and houses of staff as those of pupils"


def _check_encryption(school: School, *, thorough: bool) -> Iterator[Finding]:
    try:
        decrypt(encrypt(b"test"))
    except (SettingsError, DecryptionError) as error:
        yield "encryption", False, str(error)
        return
    keys = len(encryption_keys())
    number = how_many(keys, "key is", "keys are")
    good, words = True, f"narratives, notes and call records are encrypted; {number} set"
    if keys and thorough:
        with school.engine.connect() as connection:
            good, advice = describe_key_counts(round_counts(count_by_key(connection, sample=True)))
        words += f". In a sample of a thousand of each kind: {advice}"
    if not keys and not school.is_demonstration():
        good, words = (
            False,
            (
                "ENCRYPTION_KEYS is not set, so what people wrote, who pupils are and call records can be "
                "read in a stolen backup: python -m app keys new prints a key"
            ),
        )
    if keys or not good:
        yield "encryption", good, words


def describe_key_counts(counts: Sequence[KeyCounts]) -> tuple[bool, str]:
    """Whether the keys that are set decrypt everything, and a message with what to do."""
    total = sum(counts, KeyCounts("all"))
    if total.lost:
        return False, (
            f"Up to {total.lost:,} values are encrypted with a key that is missing in ENCRYPTION_KEYS. Nobody can "
            "read them until that key is added again, after the others."
        )
    if not encryption_keys():
        return True, "no key is set, and nothing is encrypted."
    if total.no_key:
        return False, (
            f"Up to {total.no_key:,} values are not encrypted, because they are older than the first key. "
            "python -m app keys rotate encrypts them."
        )
    if total.older:
        return True, (
            f"Up to {total.older:,} values still use an older key. python -m app keys rotate encrypts them with the "
            "newest; keep the older keys until then."
        )
    if len(encryption_keys()) > 1:
        return True, "all use the newest key. When `keys used` says so for everything, the older keys can be removed."
    return True, "all use the one key."


def _check_backups(school: School) -> Iterator[Finding]:
    if school.is_demonstration() or school.engine.dialect.name != "sqlite":
        return
    last, fix = get_last_restore_test(school), "python -m app restore FILE --test"
    if last is None:
        yield "backup", False, f"no backup has been tested yet: {fix}"
        return
    words = f"a backup was tested on {on_day(last.astimezone(school.settings.zone))}"
    if school.now() - last > _TESTED_EVERY:
        yield "backup", False, f"{words}, too long ago: {fix}"
    else:
        yield "backup", True, words


def _check_graph(school: School, *, thorough: bool) -> Iterator[Finding]:
    if not get_variable("GRAPH_CLIENT_ID"):
        if thorough:
            words = "no sync is configured (GRAPH_TENANT_ID, GRAPH_CLIENT_ID); call records come from files"
            yield "Microsoft Graph", True, words
        return
    sources = [(True, words, fix) for words, fix in describe_sources(school)]
    for good, words, fix in check_graph(school) if thorough else sources:
        yield "Microsoft Graph", good, f"{words} {fix}".strip()


def _check_pupil_policies(school: School) -> Iterator[Finding]:
    for figures in compute_pupil_policies(school):
        words, number = figures.describe(), len(figures.others)
        if number:
            policy = " or ".join(f"“{name}”" for name in figures.names)
            others = how_many(number, "pupil with a different policy is", "pupils with a different policy are")
            words += f" {others} listed on the Administration page: give them {policy} in the Teams admin centre."
            if school.is_demonstration():
                words += _MEANT
        yield "pupils' policies", not number or school.is_demonstration(), words


def _check_alerts(school: School, *, thorough: bool) -> Finding:
    alert = tables.alerts.c
    counted = select(func.count(), func.min(alert.queued_at)).where(not_(alert.confidential), alert.state == WAITING)
    with school.engine.connect() as connection:
        waiting, oldest = connection.execute(counted).one()
    since = f", the oldest since {moment(oldest.astimezone(school.settings.zone))}" if waiting else ""
    words = f"{waiting} not sent{since}"
    if reason := find_obstacle(school, ask=thorough):
        return "alerts", school.is_demonstration(), f"{reason} {words}."
    if waiting and school.now() - oldest > _LATE:
        return "alerts", False, f"{words}: run python -m app alerts every five minutes by a timer"
    return "alerts", True, words


def _check_family_emails(school: School) -> Iterator[Finding]:
    """How many emails to families wait and how many failed, if there are any."""
    email = tables.family_emails.c
    counted = select(email.state, func.count().label("number")).group_by(email.state)
    with school.engine.connect() as connection:
        counts = {row.state: row.number for row in connection.execute(counted)}
    waiting, failed = counts.get(EmailState.WAITING, 0), counts.get(EmailState.FAILED, 0)
    if not waiting and not failed:
        return
    words = f"{waiting} not yet sent, {failed} failed: see the Parents page."
    if failed and school.is_demonstration():
        words += _MEANT
    yield "emails to families", not failed or school.is_demonstration(), words


def _check_sign_in(school: School) -> Finding:
    if reason := configuration.find_obstacle(school):
        return "sign-in", False, reason
    if school.is_demonstration():
        return "sign-in", True, "the demonstration needs none"
    try:
        reason = entra_roles.describe_missing_roles(school) or entra_roles.describe_outdated_roles(school)
    except SettingsError as error:
        reason = str(error)
    if reason:
        return "sign-in", False, reason
    return "sign-in", True, "configured in .streamlit/secrets.toml"
