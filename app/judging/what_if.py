"""Describes what would change under other settings.

`access.what_if` judges the sessions of some days under other settings and stores nothing. The tolerance for matching a
log with a call cannot be varied: it would make different sessions of the same logs and calls, which cannot be compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from app.formatting import how_many
from app.protocol.clauses import title_of
from app.settings import Period, RemotePeriod, Rules, Settings, Slot, replace_figures
from app.vocabulary.terms import ProtocolKind

FIGURES = ("academic_hours", "one_to_one_slots", "grace_seconds", "camera_share", "log_within_hours")


@dataclass(frozen=True)
class WhatIf:
    """How the outcomes of `sessions` sessions would change.

    - `clauses` (index: the clauses of which an outcome would change): `title`, `was_broken`, `would_be_broken`
      (sessions with a breach), `gained` (newly met), `lost` (newly a breach), `open` (sessions that would have no
      evidence, or have none now)
    - `departments`: `department`, `sessions` (of which an outcome would change), `gained`, `lost` (outcomes)
    - `changes`: one row for each outcome that would change: `session_id`, `started_at`, `staff_name`,
      `department`, `purpose`, `title` (of the clause), `was`, `would_be`; without rows for SLT
    """

    sessions: int
    clauses: pd.DataFrame
    departments: pd.DataFrame
    changes: pd.DataFrame


def find_differences(figures: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """The checked figures that differ from the rules."""
    return {name: value for name, value in figures.items() if value != getattr(rules, name)}


def compare(was: pd.DataFrame, would_be: pd.DataFrame, sessions: pd.DataFrame) -> WhatIf:
    """Compare two decoded frames of the same sessions; `sessions` has what is known of them (columns of `changes`)."""
    before, after = was.to_numpy(object), would_be.to_numpy(object)
    row, column = np.nonzero(before != after)
    changes = sessions.iloc[row].assign(
        title=[title_of(name) for name in was.columns[column]], was=before[row, column], would_be=after[row, column]
    )
    group = {"met": "met", "exempt": "met", "breach": "breach", "no_evidence": "open"}
    grouped, grouped_after = changes["was"].map(group), changes["would_be"].map(group)
    marked = changes.assign(
        clause=was.columns[column],
        gained=(grouped_after == "met") & (grouped != "met"),
        lost=(grouped_after == "breach") & (grouped != "breach"),
        open=(grouped_after == "open") | (grouped == "open"),
        department=changes["department"].fillna("not known"),
    )
    order = was.columns[np.unique(column)]
    clauses = pd.DataFrame(
        {
            "title": [title_of(name) for name in order],
            "was_broken": (was[order] == "breach").sum(),
            "would_be_broken": (would_be[order] == "breach").sum(),
        },
        index=order,
    ).join(marked.groupby("clause")[["gained", "lost", "open"]].sum())
    departments = (
        marked.groupby("department", as_index=False)
        .agg(sessions=("session_id", "nunique"), gained=("gained", "sum"), lost=("lost", "sum"))
        .sort_values(["sessions", "department"], ascending=[False, True], ignore_index=True)
    )
    changes = changes.sort_values("started_at", ascending=False, ignore_index=True)
    return WhatIf(len(sessions), clauses, departments, changes)


def imagine(settings: Settings, changes: Iterable[tuple[ProtocolKind, Mapping[str, Any]]], days: Period) -> Settings:
    """The settings as if some changes had been in force on all of some days: figures that can be varied, and remote
    learning for the same pupils. Equal settings: no outcome depends on the changes. SettingsError if one is wrong."""
    figures = {}
    for kind, content in changes:
        if kind == ProtocolKind.REMOTE_LEARNING:
            whole = RemotePeriod.model_validate({**content, "from": days.from_, "to": days.to})
            settings = settings.model_copy(update={"remote_learning": (*settings.remote_learning, whole)})
        elif kind == ProtocolKind.FIGURE and content["figure"] in FIGURES:
            figures[content["figure"]] = content["value"]
    return replace_figures(settings, figures)


def describe(means: str, changes: WhatIf) -> str:
    """What would change, as text; `means` says under which settings ("With a grace of 30 seconds")."""
    if changes.clauses.empty:
        return f"{means}, none of the {changes.sessions:,} sessions would be judged differently."
    parts = []
    for row in changes.clauses.itertuples():
        gained, lost = _count_sessions(row.gained), _count_sessions(row.lost)
        words = f"“{row.title}” would be newly met in {gained}, and a new breach in {lost}"
        if row.open:
            words += f"; in {_count_sessions(row.open)} it would gain or lose its evidence"
        parts.append(words)
    return f"{means}, {'. '.join(parts)}."


def describe_figures(figures: Mapping[str, Any]) -> str:
    """Checked figures as text: "a grace of 30 seconds and 24 hours to log a call"."""
    return list_in_words([_describe_figure(name, value) for name, value in figures.items()])


def _describe_figure(name: str, value: Any) -> str:
    if name == "academic_hours":
        return f"tuition from {value[0]:%H:%M} to {value[1]:%H:%M}"
    if name == "one_to_one_slots":
        slots = [f"{slot.name} {slot.from_:%H:%M}–{slot.to:%H:%M}{describe_groups(slot)}" for slot in value]
        return f"one-to-ones at {list_in_words(slots) or 'no time'}"
    return {
        "grace_seconds": f"a grace of {value:g} seconds",
        "camera_share": f"cameras on for {value * 100:g}% of the time",
        "match_minutes": f"at most {how_many(round(value), 'minute')} between a log and its call",
        "log_within_hours": f"{value:g} hour{'s' * (value != 1)} to log a call",
        "breach_days": f"{how_many(round(value), 'school day')} to resolve a breach",
        "spot_check_share": f"spot checks of {value * 100:g}%",
    }[name]


def describe_groups(scope: RemotePeriod | Slot) -> str:
    """For which pupils and weeks a period or slot is: " for Years 9 and 10, week B"; "" for all."""
    years = f"Year{'s' * (len(scope.years) > 1)} {list_in_words(list(scope.years))}" if scope.years else ""
    named = [years, list_in_words(list(scope.schools))]
    if isinstance(scope, Slot):
        named.append(f"week {scope.week}" if scope.week else "")
    else:
        named.append(list_in_words(list(scope.houses)))
    words = ", ".join(filter(None, named))
    return f" for {words}" if words else ""


def list_in_words(items: list[str]) -> str:
    """Items as text: "a, b and c"."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def _count_sessions(n: int) -> str:
    return {0: "no session", 1: "one session"}.get(n, f"{n:,} sessions")
