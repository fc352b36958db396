"""The rules: what the school's protocol asks, judged for every session from what is on record.

Pure functions on data frames and settings: no database, no network, no screens. `judge` takes an
`Evidence` and gives a `Judged`; `CLAUSES` says in words what is judged and why.
"""

from app.protocol.clauses import CLAUSES, Clause, Remedy
from app.protocol.evidence import Evidence
from app.protocol.judge import Judged, decode, figures, judge
from app.protocol.outcomes import EVIDENCE, OUTCOMES

__all__ = ["CLAUSES", "EVIDENCE", "OUTCOMES", "Clause", "Evidence", "Judged", "Remedy", "decode", "figures", "judge"]
