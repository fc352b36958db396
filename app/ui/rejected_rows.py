"""The rejected rows on the page Administration: those to fix or dismiss, and the resolved ones."""

from collections.abc import Callable, Collection, Mapping

import pandas as pd
import streamlit as st

from app.access.administration import RECORDS, list_rejected_rows, list_resolved_rows
from app.access.policy import Person
from app.formatting import how_many
from app.records.rows import RejectedRow
from app.school import School
from app.store.database import DatabaseError
from app.ui.text import note, show_error, write_html
from app.ui.widgets import as_listing, confirm_on_rerun, filter_rows, show_confirmation, table
from app.vocabulary import RowResolution

KINDS = {
    "logs": "Session logs",
    "letters": "Letters to parents",
    "consents": "Parental consents",
    "schools": "Schools",
    "staff": "Staff",
    "pupils": "Pupils",
}
_OF_TEAMS = {"attendance": "Attendance reports"}
Fix = Callable[[int, Mapping[str, str]], RejectedRow | None]
Give = Callable[[int, tuple[str, bytes]], RejectedRow | None]
Dismiss = Callable[[Collection[int], str], int]
_FILTERS = {"file": "Kind of record", "source": "File", "what": "Reason"}


def show_rejected_rows(school: School, person: Person, fix: Fix, give: Give, dismiss: Dismiss) -> None:
    """Show the rejected rows with the forms to `fix` them, to `give` a record again or to `dismiss` them (see
    `operations.rejected_rows`), and resolved rows."""
    show_confirmation()
    rejected = list_rejected_rows(school, person)
    if rejected.empty:
        st.write("None.")
    else:
        write_html(
            "{rows} to fix. Fix a row here, or correct the source and import it again: that resolves the row.",
            rows=how_many(len(rejected), "row"),
        )
        _show_unresolved(rejected, fix, give, dismiss)
    resolved = list_resolved_rows(school, person)
    if len(resolved):
        with st.expander(f"Resolved ({len(resolved):,})"):
            _show_resolved(resolved)


def _show_resolved(resolved: pd.DataFrame) -> None:
    rows = resolved.assign(
        resolution=resolved["resolution"].map(lambda word: RowResolution(word).label),
        resolved_by=resolved["resolved_by"].fillna("a command"),
        reason=_reasons(resolved),
    )
    listing = as_listing(
        rows,
        ["resolved_at", "resolution", "resolved_by", "source", "place", "reason", "resolution_reason"],
        resolved_at="When",
        resolution="How",
        resolved_by="By",
        source="File",
        place="Row or call",
        reason="Rejected because",
        resolution_reason="Why dismissed",
    )
    table(listing, "Resolved rows, newest first", "resolved rows")


def _reasons(rows: pd.DataFrame) -> list[str]:
    """Each reason as a phrase; a record's reason already is one."""
    return [
        f"{row.column or 'the row'} {row.reason}" if row.kind in KINDS or row.column else row.reason
        for row in rows.itertuples()
    ]


def _show_unresolved(rejected: pd.DataFrame, fix: Fix, give: Give, dismiss: Dismiss) -> None:
    rejected = rejected.assign(
        what=_reasons(rejected),
        file=rejected["kind"].map(KINDS | _OF_TEAMS).fillna("Call records and recordings"),
        title=rejected["source"] + ", " + rejected["place"],
    )
    listed = filter_rows(rejected, _FILTERS, "rejected") if len(rejected) > 1 else rejected
    columns = ["source", "place", "column", "value", "reason", "fix", "rejected_at", "attempts"]
    rows = as_listing(listed, columns, source="File", place="Row or call", rejected_at="Rejected")
    table(rows, "Rejected rows and how to fix them", "rejected rows")
    names = {row.id: f"{row.title}: {row.what}" for row in listed.itertuples()}
    chosen = st.selectbox(
        "Row to fix",
        list(names),
        format_func=names.__getitem__,
        index=None,
        placeholder="Choose a row",
        key="rejected row",
    )
    if chosen is not None:
        row = listed.set_index("id").loc[chosen]
        if row["kind"] in RECORDS:
            _give(row, int(chosen), give)
        else:
            _fix(row, int(chosen), fix)
        _dismiss([int(chosen)], row["title"], dismiss)
    elif len(listed) > 1:
        with st.expander(f"Dismiss all {len(listed):,}"):
            ids = [int(number) for number in listed["id"]]
            _dismiss(ids, f"the {len(listed):,} rows listed above", dismiss)


def _fix(row: pd.Series, number: int, fix: Fix) -> None:
    if row["source"] == "sync":
        write_html(
            "{name} cannot be fixed here. “Sync now” fetches it again; or dismiss it, if it need not be read.",
            name=row["title"],
        )
        return
    if not row["fixable"]:
        write_html(
            "{name} cannot be fixed here, because you do not have access to the value that is wrong. Ask for a "
            "corrected file and import it, or dismiss the row once it has been entered another way.",
            name=row["title"],
        )
        return
    with st.form(f"fix {number}"):
        write_html("Fix {row[title]}", "h3", row=row)
        write_html("{column} {row[reason]}: {row[fix]}.", column=row["column"] or "The row", row=row)
        if line := row["original"].get(""):
            write_html("Original line: {line}", line=line)
        if row["withheld"]:
            note("You do not have access to the row's other cells. They stay as they are.")
        cells = _cells(row, number)
        if not st.form_submit_button(f"Import {row['place']}", type="primary", icon=":material/upload:"):
            return
        try:
            again = fix(number, cells)
        except (ValueError, DatabaseError) as error:
            show_error("The row was not imported.", str(error))
            return
        _show_result(row, again)


def _give(row: pd.Series, number: int, give: Give) -> None:
    """A box for a file that holds a rejected record, corrected or fetched again."""
    with st.form(f"give {number}"):
        write_html("Fix {row[title]}", "h3", row=row)
        write_html("{row[reason]}: {row[fix]}.", row=row)
        note(
            "Call records are not shown here. Give a file that holds this record, corrected or fetched again. "
            "“Sync now” also fetches a call record again, while Microsoft has it."
        )
        file = st.file_uploader("File with the record", key=f"give file {number}")
        if not st.form_submit_button("Import the record", type="primary", icon=":material/upload:") or file is None:
            return
        try:
            again = give(number, (file.name, file.getvalue()))
        except (ValueError, DatabaseError) as error:
            show_error("The record was not imported.", str(error))
            return
        _show_result(row, again)


def _show_result(row: pd.Series, again: RejectedRow | None) -> None:
    if again is None:
        confirm_on_rerun(f"{row['place'].capitalize()} was imported.")
        st.rerun()
    else:
        words = f"{again.column} {again.reason}" if again.column else again.reason
        show_error("It was rejected again. Nothing was changed.", f"{words[:1].upper()}{words[1:]}: {again.fix}.")


def _cells(row: pd.Series, number: int) -> dict[str, str]:
    """Show a box for each cell that may be changed, with its rejected content."""
    places = st.columns(2)
    return {
        column: places[n % 2].text_input(
            f"{column} (to fix)" if column == row["column"] else column,
            row["original"].get(column, ""),
            key=f"fix {number} {column}",
        )
        for n, column in enumerate(row["fixable"])
    }


def _dismiss(numbers: list[int], name: str, dismiss: Dismiss) -> None:
    with st.form(f"dismiss {hash(tuple(numbers))}"):
        write_html("Dismiss {name}", "h3", name=name)
        reason = st.text_input("Reason", placeholder="has left the school; was entered by hand; a test")
        sure = len(numbers) == 1 or st.checkbox(f"Dismiss all {len(numbers):,} rows")
        if not st.form_submit_button("Dismiss", icon=":material/block:"):
            return
        if not sure:
            show_error("Nothing was dismissed.", f"Tick the box to dismiss all {len(numbers):,} rows.")
            return
        try:
            dismissed = dismiss(numbers, reason)
        except ValueError as error:
            show_error("Nothing was dismissed.", str(error))
            return
        confirm_on_rerun(f"{how_many(dismissed, 'row')} dismissed.")
        st.rerun()
