"""Describes what would change under other figures, and how to put them into force.

`access.what_if` judges the sessions of some days under other figures and stores nothing. The tolerance for matching a
log with a call cannot be varied: it would make different sessions of the same logs and calls, which cannot be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import tomli_w

from app.protocol.clauses import title_of
from app.settings import Rules, Settings, replace_figures

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


def describe(figures: Mapping[str, Any], changes: WhatIf) -> str:
    """What would change, as text."""
    means = f"With {_list_in_words([_describe_figure(name, value) for name, value in figures.items()])}, "
    if changes.clauses.empty:
        return means + f"none of the {changes.sessions:,} sessions would be judged differently."
    parts = []
    for row in changes.clauses.itertuples():
        gained, lost = _count_sessions(row.gained), _count_sessions(row.lost)
        words = f"“{row.title}” would be newly met in {gained}, and a new breach in {lost}"
        if row.open:
            words += f"; in {_count_sessions(row.open)} it would gain or lose its evidence"
        parts.append(words)
    return means + ". ".join(parts) + "."


def _describe_figure(name: str, value: Any) -> str:
    if name == "academic_hours":
        return f"tuition from {value[0]:%H:%M} to {value[1]:%H:%M}"
    if name == "one_to_one_slots":
        slots = [f"{slot.name} {slot.from_:%H:%M}–{slot.to:%H:%M}" for slot in value]
        return f"one-to-ones at {_list_in_words(slots) or 'no time'}"
    return {
        "grace_seconds": f"a grace of {value:g} seconds",
        "camera_share": f"cameras on for {value * 100:g}% of the time",
        "log_within_hours": f"{value:g} hour{'s' * (value != 1)} to log a call",
    }[name]


def _list_in_words(items: list[str]) -> str:
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def _count_sessions(n: int) -> str:
    return {0: "no session", 1: "one session"}.get(n, f"{n:,} sessions")


def get_earliest_start(settings: Settings) -> date:
    """The first day on which other figures can come into force: the day after the last entry's."""
    return settings.rules[-1].from_ + timedelta(days=1)


def format_settings_entry(settings: Settings, figures: Mapping[str, Any], day: date) -> str:
    """The TOML entry to add to the end of the settings file so that the figures apply from a day on."""
    rules = replace_figures(settings, {**figures, "from": day}).rules[-1]
    entry = rules.model_dump(by_alias=True)
    for slot in entry["one_to_one_slots"]:
        slot |= {"from": f"{slot['from']:%H:%M}", "to": f"{slot['to']:%H:%M}"}
    entry["academic_hours"] = [f"{clock:%H:%M}" for clock in entry["academic_hours"]]
    return tomli_w.dumps({"rules": [entry]})
