"""What `python -m app check` says: whether each part works, in words, with the mend."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from app.school import School, open_school
from app.settings import SettingsError, load_settings, variable
from app.store import tables
from app.store.database import DatabaseError, in_words
from app.store.vault import CannotOpen, keys, seal, unseal

Finding = tuple[str, bool, str]  # what was looked at, whether it works, in words


def check(ask_graph: bool = True) -> Iterator[Finding]:
    """One finding for each part. Microsoft Graph is asked only if so wished: that may take a minute."""
    try:
        settings = load_settings()
    except SettingsError as error:
        yield "settings", False, str(error)
        return
    yield "settings", True, f"{settings.name}, {len(settings.rules)} set(s) of rules, {len(settings.terms)} term(s)"
    try:
        school = open_school()
        yield from _database(school)
    except (SettingsError, DatabaseError) as error:
        yield "database", False, str(error)
        return
    except DBAPIError as error:
        yield "database", False, in_words(error)
        return
    yield from _sealing(school)
    if ask_graph:
        yield from _graph(school)
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


def _sealing(school: School) -> Iterator[Finding]:
    try:
        unseal(seal(b"test"))
    except (SettingsError, CannotOpen) as error:
        yield "sealing", False, str(error)
        return
    if keys():
        older = (
            "" if len(keys()) == 1 else f" {len(keys())} keys are set: after `keys rotate` all but the first can go."
        )
        yield "sealing", True, f"narratives, notes and call records are sealed.{older}"
    elif not school.is_demonstration():
        yield (
            "sealing",
            False,
            "ENCRYPTION_KEYS is not set, so narratives and call records can be read in a stolen backup: "
            "python -m app keys new prints a key",
        )


def _graph(school: School) -> Iterator[Finding]:
    if not variable("GRAPH_CLIENT_ID"):
        yield (
            "Microsoft Graph",
            True,
            "no sync is configured (GRAPH_TENANT_ID, GRAPH_CLIENT_ID); call records come from files",
        )
        return
    from app.graph.sync import check_graph

    for good, words, mend in check_graph(school):
        yield "Microsoft Graph", good, f"{words} {mend}".strip()


def _sign_in(school: School) -> Finding:
    from app import sign_in  # brings Streamlit, which no other command needs

    if hindrance := sign_in.hindrance(school):
        return "sign-in", False, hindrance
    if school.is_demonstration():
        return "sign-in", True, "the demonstration needs none"
    return "sign-in", True, "configured in .streamlit/secrets.toml"
