"""Taking in what comes from outside: one transaction from checked rows to judged sessions.

Good rows land, each refused row is kept until somebody mends or dismisses it, and the same file a second
time changes nothing. A process that is killed leaves all of an import or none of it.
"""

from app.intake.calls import import_calls, import_recordings, keep_calls, keep_recordings
from app.intake.files import (
    import_consents,
    import_letters,
    import_logs,
    import_people,
    import_roster,
    import_table,
    mend_row,
)
from app.intake.logs import Entered, enter_log, foresee_log
from app.intake.taking import ImportResult
from app.records import Refused, UnreadableFile
from app.store.database import DatabaseError

__all__ = [
    "DatabaseError",
    "Entered",
    "ImportResult",
    "Refused",
    "UnreadableFile",
    "enter_log",
    "foresee_log",
    "import_calls",
    "import_consents",
    "import_letters",
    "import_logs",
    "import_people",
    "import_recordings",
    "import_roster",
    "import_table",
    "keep_calls",
    "keep_recordings",
    "mend_row",
]
