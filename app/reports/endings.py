"""What was done about breaches, and how many were resolved in time, as reports show it."""

from typing import Any

import pandas as pd

from app.formatting import FEW
from app.reports.disclosure import HIDDEN, SHOWN, UNDER, WITHHELD, format_part, suppress_split
from app.vocabulary.terms import BreachState, Deadline, Resolution

_ENDINGS = {resolution.value: resolution.label for resolution in Resolution} | {
    BreachState.CLOSED: "Closed automatically by later evidence",
    Deadline.OPEN_IN_TIME: Deadline.OPEN_IN_TIME.label,
    Deadline.OVERDUE: Deadline.OVERDUE.label,
}
_RESOLVED = {Deadline.RESOLVED_IN_TIME: "All resolved: in time", Deadline.RESOLVED_LATE: "All resolved: late"}


def describe_endings(ended: pd.DataFrame, timely: pd.DataFrame) -> dict[str, Any]:
    """What was done about breaches, and how many were resolved in time: a `sentence`, and a `table` if it may be shown.
    `ended` is from `count_resolved_breaches`, `timely` from `count_by_deadline`. Small counts are hidden."""
    if ended.empty:
        return {"sentence": "There were no breaches to resolve."}
    total = int(ended["breaches"].sum())
    done = total - int(ended.loc[ended["how"].isin([Deadline.OPEN_IN_TIME, Deadline.OVERDUE]), "breaches"].sum())
    sentence = (
        "A check that a session did not meet is a breach: the member of staff explains it, and the Head of Year or "
        "House, or the Senior Deputy Head, resolves it by a set day."
    )
    table = tabulate_endings(ended, timely, governors=True)
    waiting = table.loc[table["What was done"].isin([_ENDINGS[Deadline.OPEN_IN_TIME], _ENDINGS[Deadline.OVERDUE]])]
    # The number resolved follows from the total and the open breaches in the table, so it is given only if these are.
    if len(waiting) and not waiting["Breaches"].isin([HIDDEN, WITHHELD]).any() and done >= FEW:
        sentence += f" Of these sessions' breaches {format_part(done, total)} are resolved or closed."
    if table.empty:
        return {"sentence": sentence}
    cells = table.map(lambda cell: cell if isinstance(cell, str) else "" if pd.isna(cell) else f"{cell:,.0f}")
    return {"sentence": sentence, "table": {"columns": list(table.columns), "rows": cells.to_numpy().tolist()}}


def tabulate_endings(ended: pd.DataFrame, timely: pd.DataFrame, *, governors: bool) -> pd.DataFrame:
    """How breaches ended, one row for each of _ENDINGS, and how many of the resolved ones were in time. Endings without
    breaches have a row too: without it, readers would know that the hidden counts of others are not 0. For `governors`,
    small counts are hidden; the table has no rows if that is not enough. KeyError if `ended` has another ending."""
    if unknown := set(ended["how"]) - _ENDINGS.keys():
        raise KeyError(f"not in the table of what was done: {', '.join(sorted(unknown))}")
    ended = ended.set_index("how").reindex(list(_ENDINGS))
    counts = ended["breaches"].fillna(0).astype(int)
    in_time = timely.set_index("deadline")["breaches"].loc[list(_RESOLVED)]
    breaches = pd.concat([counts, in_time])
    names = [*_ENDINGS.values(), *_RESOLVED.values()]
    columns = {"What was done": names, "Breaches": breaches, "Days (median)": ended["days"].reindex(breaches.index)}
    table = pd.DataFrame(columns, dtype=object)
    if governors:
        ways = counts.index.isin(set(Resolution))
        states = suppress_split(counts[ways], in_time, counts[~ways])
        if states is None:
            return table.iloc[:0]
        state = pd.concat(states)[breaches.index]
        table["Breaches"] = table["Breaches"].where(state == SHOWN, state.replace(UNDER, HIDDEN))
        table["Days (median)"] = table["Days (median)"].where(state == SHOWN, "")
    return table
