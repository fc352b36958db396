"""The sessions behind a figure, cell, bar or point of the Overview: each opens exactly the sessions that it counts."""

from collections.abc import Collection, Mapping

import pandas as pd

from app.protocol.clauses import CLAUSES, title_of
from app.reports.figures import SESSIONS, count_passed, is_unlogged
from app.vocabulary.terms import Outcome, Status

# The titles of the lists of sessions, by their words in the address.
TITLES = {
    "breach": "Sessions with a breach",
    "unlogged": "Unlogged calls",
    "disputed": "Sessions where the log and the call record disagree",
    "gaps": "Sessions without evidence for a check",
    "late": "Sessions with a late consent",
    "unresolved": "Sessions with unresolved breaches",
    "overdue": "Sessions with an overdue breach",
    "earlier": "Earlier sessions with unresolved breaches",
    "cell": "Sessions of a department and hour",
    "clause": "Sessions with a breach of a clause",
    "week": "Sessions of a week",
}


def select_sessions(
    sessions: pd.DataFrame, kind: str, place: Mapping[str, str], ids: Collection[int], measure: str = SESSIONS
) -> pd.DataFrame:
    """The sessions in a list (a key of TITLES), from a frame of `access.overview` with `band` and `week`. `place` says
    which `department`, `band`, `clause` or `week`. `ids` are the sessions of lists that do not follow from the frame:
    late, unresolved, overdue and earlier. Cells and weeks have the sessions that count for the measure."""
    if kind == "breach":
        chosen = sessions["status"] == Status.BREACH
    elif kind == "unlogged":
        chosen = is_unlogged(sessions)
    elif kind == "disputed":
        chosen = sessions["disputed"].astype(bool)
    elif kind == "gaps":
        chosen = (sessions[list(CLAUSES)] == Outcome.NO_EVIDENCE).any(axis=1)
    elif kind == "clause":
        chosen = sessions[place["clause"]] == Outcome.BREACH
    elif kind in ("cell", "week"):
        chosen = pd.Series(count_passed(sessions, measure)["total"] > 0, index=sessions.index)
        for column in ("department", "band") if kind == "cell" else ("week",):
            chosen &= sessions[column].astype(str) == place[column]
    else:
        chosen = sessions["session_id"].isin(ids)
    return sessions[chosen]


def add_titles(sessions: pd.DataFrame, measure: str = SESSIONS) -> pd.DataFrame:
    """The sessions with `breaches` and `gaps`, the titles of clauses that they breach or that lack evidence, and
    `fine`, whether they breach none. If the measure is a clause, only this one counts. Sessions with a breach come
    first, then the newest."""
    names = [measure] if measure in CLAUSES else list(CLAUSES)
    titles = {
        "breaches": _join_titles(sessions, names, Outcome.BREACH),
        "gaps": _join_titles(sessions, names, Outcome.NO_EVIDENCE),
    }
    found = sessions.assign(**titles)
    found["fine"] = found["breaches"] == ""
    return found.sort_values(["fine", "day", "minute"], ascending=[True, False, False], ignore_index=True)


def _join_titles(sessions: pd.DataFrame, names: list[str], outcome: Outcome) -> list[str]:
    """For each session, the titles of the clauses that have the outcome."""
    has = (sessions[names] == outcome).to_numpy()
    titles = [title_of(name) for name in names]
    return [", ".join(title for title, there in zip(titles, row, strict=True) if there) for row in has]
