"""No real people get into the demonstration, which anybody may view as anybody.

Files of logs and registers, and attendance reports, can be tried there with made-up people, whose addresses end in
`.example` and so belong to nobody (RFC 2606). The roster and the call records are the demonstration's own.
"""

import re
from collections.abc import Iterable, Iterator

from app.records.evidence.json_files import FoundObject
from app.records.people.roster import ROSTER_TABLES
from app.records.tables.tabular import Table
from app.school import School
from app.store.database import DatabaseError
from app.store.writing import get_meta

_ADDRESS = re.compile(r"[^\s@]@(?!thread\.(?:tac)?v2(?![\w.-]))[\w.-]+")  # not the number of a meeting's chat
_NONE_REAL = (
    "This is the demonstration's database, and no real people may be imported into it{but}. A school starts with an "
    "empty database: set DATABASE_URL to one of the school's own. Nothing was changed."
)


def check_not_demonstration(school: School, kind: str) -> None:
    """Raise DatabaseError if the database is the demonstration's, and the kind the roster's or of call records. While
    it is being filled, call records get in: they name people by Entra ids, so its own look like others."""
    if kind in (*ROSTER_TABLES, "calls", "recordings") and _is_demonstration(school, unfinished=kind in ROSTER_TABLES):
        raise DatabaseError(_NONE_REAL.format(but=""))


def check_table(school: School, kind: str, table: Table) -> None:
    """Raise DatabaseError if a table would bring somebody real into the demonstration."""
    check_not_demonstration(school, kind)
    if _is_demonstration(school, unfinished=True):
        _check_made_up(" ".join(map(str, cells.values())) for _, cells in table.rows)


def check_objects(school: School, found: Iterable[FoundObject]) -> Iterator[FoundObject]:
    """The objects as they are. Raises DatabaseError at one that would bring somebody real into the demonstration."""
    is_demonstration = _is_demonstration(school, unfinished=True)
    for item in found:
        if is_demonstration:
            table = (item.table or b"").replace(b"\0", b"").decode("latin-1")  # in UTF-8 or UTF-16
            _check_made_up([f"{item.content} {table}"])
        yield item


def _is_demonstration(school: School, *, unfinished: bool = False) -> bool:
    """Whether the database is the demonstration's; `unfinished`: also while it is being filled."""
    with school.engine.connect() as connection:
        names = ("demo", "demo_unfinished") if unfinished else ("demo",)
        return any(get_meta(connection, name) for name in names)


def _check_made_up(texts: Iterable[str]) -> None:
    for text in texts:
        addresses = _ADDRESS.findall(text)
        if not addresses or not all(address.lower().rstrip(".").endswith(".example") for address in addresses):
            raise DatabaseError(
                _NONE_REAL.format(but=": each row has to name made-up people by addresses that end in .example")
            )
