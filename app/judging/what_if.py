"""What if the figures were others: what would change, in words, and how to put it into force.

`access.what_if` judges the sessions of some days under other figures, for the eye only. How far a log and its
call may lie apart is not among them: another figure there makes other sessions of the same logs and calls, so
that nothing could stand beside what was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import tomli_w

from app.protocol.clauses import title_of
from app.settings import Rules, Settings, changed

FIGURES = ("academic_hours", "one_to_one_slots", "grace_seconds", "camera_share", "log_within_hours")


@dataclass(frozen=True)
class WhatIf:
    """What `sessions` sessions came to, and what they would come to.

    - `clauses` (index: the clauses of which an outcome would change): `title`, `was_broken`, `would_be_broken`
      (sessions that did not keep it), `gained` (would keep it and did not), `lost` (kept it and would not),
      `open` (sessions that would have no evidence, or have some now)
    - `departments`: `department`, `sessions` (of which an outcome would change), `gained`, `lost` (outcomes)
    - `changes`: one row for each outcome that would change: `session_id`, `started_at`, `staff_name`,
      `department`, `purpose`, `title` (of the clause), `was`, `would_be`; without rows for SLT
    """

    sessions: int
    clauses: pd.DataFrame
    departments: pd.DataFrame
    changes: pd.DataFrame


def differing(figures: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """Those of some checked figures that are others than the rules'."""
    return {name: value for name, value in figures.items() if value != getattr(rules, name)}


def compare(was: pd.DataFrame, would_be: pd.DataFrame, sessions: pd.DataFrame) -> WhatIf:
    """Two decoded frames of the same sessions, and what is known of them (the columns of `changes`)."""
    kept = {"met": "kept", "exempt": "kept", "breach": "broken", "no_evidence": "open", "not_applicable": "none"}
    rows = []
    for name in was.columns:
        differ = (was[name] != would_be[name]).to_numpy(bool)
        part = sessions[differ].assign(clause=name, was=was[name][differ], would_be=would_be[name][differ])
        rows.append(part.astype({"was": object, "would_be": object}))
    changes = pd.concat(rows, ignore_index=True)
    before, after = changes["was"].map(kept), changes["would_be"].map(kept)
    marked = changes.assign(
        gained=(after == "kept") & (before != "kept"),
        lost=(after == "broken") & (before != "broken"),
        open=(after == "open") | (before == "open"),
    )
    clauses = (
        marked.groupby("clause")[["gained", "lost", "open"]]
        .sum()
        .reindex([c for c in was if c in set(marked["clause"])])
    )
    clauses.insert(0, "would_be_broken", [int((would_be[name] == "breach").sum()) for name in clauses.index])
    clauses.insert(0, "was_broken", [int((was[name] == "breach").sum()) for name in clauses.index])
    clauses.insert(0, "title", [title_of(name) for name in clauses.index])
    departments = (
        marked.assign(department=marked["department"].fillna("not known"))
        .groupby("department", as_index=False)
        .agg(sessions=("session_id", "nunique"), gained=("gained", "sum"), lost=("lost", "sum"))
        .sort_values(["sessions", "department"], ascending=[False, True], ignore_index=True)
    )
    changes.insert(changes.columns.get_loc("clause"), "title", changes.pop("clause").map(title_of))
    return WhatIf(
        len(sessions), clauses, departments, changes.sort_values("started_at", ascending=False, ignore_index=True)
    )


def sentence(figures: Mapping[str, Any], found: WhatIf) -> str:
    """What would change, in words."""
    means = f"With {_in_words([_figure_words(name, value) for name, value in figures.items()])}, "
    if found.clauses.empty:
        return means + f"none of the {found.sessions:,} sessions would be judged differently."
    parts = []
    for row in found.clauses.itertuples():
        words = (
            f"“{row.title}” would be kept in {_sessions(row.gained)} in which it was not; "
            f"{'none' if not row.lost else f'{row.lost:,}'} would be lost"
        )
        if row.open:
            words += f"; in {_sessions(row.open)} it would gain or lose its evidence"
        parts.append(words)
    return means + ". ".join(parts) + "."


def _figure_words(name: str, value: Any) -> str:
    if name == "academic_hours":
        return f"tuition from {value[0]:%H:%M} to {value[1]:%H:%M}"
    if name == "grace_seconds":
        return f"a grace of {value:g} seconds"
    if name == "camera_share":
        return f"cameras on for {value * 100:g}% of the time"
    if name == "log_within_hours":
        return f"{value:g} hours to log a call"
    return "one-to-ones at " + (
        _in_words([f"{s.name} {s.from_:%H:%M}–{s.to:%H:%M}" for s in value]) if value else "no time"
    )


def _in_words(items: list[str]) -> str:
    return " and ".join(part for part in (", ".join(items[:-1]), items[-1]) if part)


def _sessions(n: int) -> str:
    return {0: "no session", 1: "one session"}.get(n, f"{n:,} sessions")


def first_day(settings: Settings) -> date:
    """The first day on which other figures can come into force: after the last entry's."""
    return date.fromordinal(settings.rules[-1].from_.toordinal() + 1)


def in_force(settings: Settings, figures: Mapping[str, Any], day: date) -> str:
    """What to put at the end of the settings file, so that the figures hold from a day on."""
    rules = changed(settings, {**figures, "from": day}).rules[-1]
    entry = rules.model_dump(by_alias=True)
    for slot in entry["one_to_one_slots"]:
        slot |= {"from": f"{slot['from']:%H:%M}", "to": f"{slot['to']:%H:%M}"}
    entry["academic_hours"] = [f"{clock:%H:%M}" for clock in entry["academic_hours"]]
    return tomli_w.dumps({"rules": [entry]})
