"""What an import would change, in words and tables, and the rejected rows, which can be corrected there."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.access.administration import select_shown_cells
from app.formatting import how_many, start_sentence
from app.intake.preview import Corrections, Preview, describe_effect, list_new_rows
from app.intake.result import ImportResult
from app.records.rows import RejectedRow
from app.ui.administration.import_columns import label_column
from app.ui.lists import table
from app.ui.text import note, write_html
from app.vocabulary.terms import TableKind

CORRECTIONS = "import corrections"  # key in the session state: the `Corrections` made so far, by kind
_PART, _ROW, _WHY = "Sheet or file", "Row", "What is wrong"
_CORRECTED_AT_ONCE, _MOST_REASONS = 20, 5
_CHANGES = {"who": "Who", "column": "What", "before": "Now", "after": "After the import"}


def show_preview(preview: Preview) -> None:
    """Show what an import would do, except for leavers and rejected rows."""
    for result in preview.results:
        _show_counts(result)
    for words in describe_effect(preview):
        note(words)
    for result in preview.results:
        _show_new(result)
    _show_changed(preview)
    for result in preview.results:
        _show_notes(result)


def show_rejected(preview: Preview) -> None:
    """Show the rejected rows in tables in which their cells can be corrected."""
    for result in preview.results:
        _show_rejected(result)


def _show_counts(result: ImportResult) -> None:
    count = result.count()
    numbers = {
        "new": count["added"],
        "changed": count["changed"],
        "leaving": len(result.left),
        "not in the file": len(result.missing),
        "rejected": len(result.rejected),
        "unchanged": count["unchanged"],
    }
    write_html(
        "<b>{kind}</b>, {result.source}, {rows}: <b>{counts}</b>.",
        kind=TableKind(result.kind).label,
        result=result,
        rows=how_many(count["read"], "row"),
        counts=", ".join(f"{number:,} {words}" for words, number in numbers.items() if number) or "nothing",
    )


def _show_new(result: ImportResult) -> None:
    if not result.new_rows:
        return
    new = list_new_rows(result)
    rows = pd.DataFrame([{_ROW: int(number)} | cells for number, cells in new]).fillna("")
    with st.expander(f"New: {how_many(len(new), 'row')} of {TableKind(result.kind).label.lower()}"):
        name = f"new {result.kind}"
        table(rows, f"Rows of {TableKind(result.kind).label.lower()} that would be added", name)


def _show_changed(preview: Preview) -> None:
    if not preview.changed:
        return
    rows = pd.DataFrame([vars(fact) | {"column": label_column(fact.column)} for fact in preview.changed])
    people = rows[["kind", "who"]].drop_duplicates().shape[0]
    with st.expander(f"Changed: {how_many(people, 'entry', 'entries')} of the roster", expanded=len(rows) <= 20):
        shown = rows[list(_CHANGES)].rename(columns=_CHANGES)
        table(shown, "What would change on the roster", "changed on the roster")


def _show_notes(result: ImportResult) -> None:
    notes = list(result.notes)
    if result.unknown_columns:
        notes.insert(0, f"columns that are not read: {', '.join(result.unknown_columns)}")
    if notes:
        with st.expander(f"Notes on {TableKind(result.kind).label.lower()} ({len(notes):,})"):
            for words in notes:
                write_html("{words}.", words=start_sentence(words))


def _show_rejected(result: ImportResult) -> None:
    """Show a result's rejected rows, whose cells can be corrected. If there are many, show the reasons first."""
    if not result.rejected:
        return
    count = how_many(len(result.rejected), "row")
    with st.container(border=True):
        write_html("Rejected: {count} of {kind}", "h4", count=count, kind=TableKind(result.kind).label.lower())
        others = "The other rows can be imported now. " if len(result.rejected) < result.count()["read"] else ""
        note(f"{others}Rejected rows are kept under “Rejected rows” until somebody fixes or dismisses them.")
        if len(result.rejected) <= _CORRECTED_AT_ONCE:
            _ask_corrections(result)
            return
        reasons = Counter(_explain_rejection(result, rejected) for rejected in result.rejected)
        for why, number in reasons.most_common(_MOST_REASONS):
            write_html("<b>{rows}:</b> {why}.", rows=how_many(number, "row"), why=why)
        with st.expander("Correct them one by one"):
            _ask_corrections(result)


def _ask_corrections(result: ImportResult) -> None:
    rows = [_describe_rejected(result, rejected) for rejected in result.rejected]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shown = pd.DataFrame(rows, columns=columns).fillna("").astype({_ROW: int})
    config: dict[str, Any] = {name: label_column(name) for name in columns}
    config |= {_ROW: st.column_config.NumberColumn(width="small"), _WHY: st.column_config.Column(width="large")}
    with st.form(f"correct {result.kind}", border=False):
        edited = st.data_editor(
            shown,
            key=f"rejected {result.kind} {hash(shown.to_csv())}",
            hide_index=True,
            disabled=[_PART, _ROW, _WHY],
            width="stretch",
            alt=f"Rejected rows of {TableKind(result.kind).label.lower()}, to be corrected",
            column_config=config,
        )
        note("Write what is right into the cells, then check again.")
        if st.form_submit_button("Check again", icon=":material/refresh:"):
            _store_corrections(result.kind, shown, edited)
            st.rerun()


def _explain_rejection(result: ImportResult, rejected: RejectedRow) -> str:
    """Why a row was rejected, and how to fix it. The sheet is left out, because it has its own column."""
    column = rejected.column or ""
    reason = rejected.reason.removesuffix(f" (in the sheet {rejected.sheet})")
    return f"{result.headings.get(column) or column or 'the row'} {reason}: {rejected.fix}"


def _describe_rejected(result: ImportResult, rejected: RejectedRow) -> dict[str, object]:
    """A rejected row as cells by column: where it is, why it was rejected, and the cells that may be corrected."""
    cells = {name: cell for name, cell in rejected.original.items() if name}
    _, fixable = select_shown_cells(result.kind, cells, rejected.column)
    column = rejected.column or ""
    shown = {name: cells.get(name, "") for name in fixable if name in cells or name == column}
    part = rejected.sheet or rejected.file
    where = {_PART: part} if part else {}
    return where | {_ROW: int(rejected.row), _WHY: _explain_rejection(result, rejected)} | shown


def _store_corrections(kind: str, shown: pd.DataFrame, edited: pd.DataFrame) -> None:
    """Store the cells that differ, in addition to earlier corrections."""
    every: dict[str, dict[tuple[str, int], dict[str, str]]] = st.session_state.setdefault(CORRECTIONS, {})
    of_kind = every.setdefault(kind, {})
    for before, after in zip(shown.to_dict("records"), edited.to_dict("records"), strict=True):
        given = {name: str(cell or "") for name, cell in after.items() if cell != before[name]}
        if given:
            of_kind.setdefault((before.get(_PART, ""), int(before[_ROW])), {}).update(given)


def get_corrections(kind: str) -> Corrections:
    """The corrections made so far to the rows of a kind."""
    every: Mapping[str, Corrections] = st.session_state.get(CORRECTIONS, {})
    return every.get(kind, {})
