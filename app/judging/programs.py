"""Which programs have judged the sessions of a database.

While a school upgrades, processes of two ages can run at once. Once a newer one has judged, an older one must not write
its outcomes over those: it stops and says so.
"""

from sqlalchemy import Connection

from app.judging.fingerprint import PROGRAM
from app.store.database import DatabaseError
from app.store.writing import get_meta, set_meta

_PROGRAMS = "programs"  # their fingerprints, in the order in which they first judged
_MOST = 50


class SupersededError(DatabaseError):
    """A newer program has judged the sessions since this one did."""

    def __init__(self) -> None:
        super().__init__(
            "A newer version of the program has already checked the sessions in this database. Nothing was changed. "
            "Restart this process with the newer version, or restore the backup from before the upgrade."
        )


def check_in(connection: Connection) -> None:
    """Record that this program judges, in the transaction in which it does. Raises SupersededError if it may not."""
    known = (get_meta(connection, _PROGRAMS) or "").split()
    if known[-1:] == [PROGRAM]:
        return
    if PROGRAM in known:
        raise SupersededError
    set_meta(connection, _PROGRAMS, " ".join([*known, PROGRAM][-_MOST:]))
