"""The clauses as one table, each with its words and a bar that shows how often it was met."""

from html import escape

import pandas as pd
import streamlit as st

from app.formatting import FEW, percent
from app.protocol.clause import Clause, Heading
from app.protocol.clauses import CLAUSES
from app.settings import Version

_GROUPS = {Heading.GENERAL: "All sessions", Heading.ONE_TO_ONE: "Pastoral one-to-ones in remote learning"}


def show_clauses(figures: pd.DataFrame | None, period: str, version: Version | None, *, with_lists: bool) -> None:
    """Show every clause in the words of a version (None: the program's own), with its figures for a period. `figures`
    are those of `judge.count_outcomes`, or None if there are none yet; `with_lists` links breaches to their sessions.
    Long text wraps; on a phone each clause is a box."""
    headings = ["Clause", f"Wording of {version.name}" if version else "Standard wording", period]
    text = version.text if version else {}
    cells = "".join(f'<th scope="col" role="columnheader">{escape(heading)}</th>' for heading in headings)
    body = ""
    for heading, group in _GROUPS.items():
        title = f'<th role="rowheader" scope="rowgroup" colspan="3">{escape(group)}</th>'
        body += f'<tr role="row" class="group">{title}</tr>'
        for clause in (clause for clause in CLAUSES.values() if clause.reference.heading == heading):
            shown = "–" if figures is None else _draw_bar(clause, figures.loc[clause.name], with_lists)
            body += _draw_row(clause, text.get(clause.name, clause.words), headings, shown)
    st.html(
        '<table class="wrapped clauses" role="table" aria-label="The clauses of the protocol">'
        f'<thead role="rowgroup"><tr role="row">{cells}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
    )


def _draw_row(clause: Clause, words: str, headings: list[str], figures: str) -> str:
    name = f"<b>{escape(clause.title)}</b><br><small>{escape(str(clause.reference))}</small>"
    text = (
        f"{escape(words)}<details><summary>Applies to, decided by</summary>Applies to: "
        f"{escape(clause.applies_to)}.<br>Decided by: {escape(clause.decided_by)}</details>"
    )
    cells = zip(headings, [name, text, figures], strict=True)
    row = "".join(f'<td role="cell" data-heading="{escape(heading)}">{cell}</td>' for heading, cell in cells)
    return f'<tr role="row">{row}</tr>'


def _draw_bar(clause: Clause, figures: pd.Series, with_lists: bool) -> str:  # noqa: FBT001 - of one caller
    """The HTML of how often a clause was met: a bar with its counts, and how often there was no evidence."""
    met, breaches = int(figures["met"] + figures["exempt"]), int(figures["breach"])
    known, gaps = met + breaches, int(figures["no_evidence"])
    lines = [f"{met:,} of {known:,} met" if known else "No sessions yet"]
    if known >= FEW:
        lines.insert(0, f"<b>{percent(met / known)}</b>")
    if breaches and with_lists:
        lines.append(f'<a href="overview?list=clause&of={clause.name}" target="_self">{breaches:,} with a breach</a>')
    if gaps:
        lines.append(f"{gaps:,} without evidence")
    words = " · ".join(lines)
    if known < FEW:
        return words
    return f'<div class="bar"><div style="width: {100 * met / known:.1f}%"></div></div>{words}'
