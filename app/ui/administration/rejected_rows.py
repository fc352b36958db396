"""The rejected rows on the page Administration: those to fix or dismiss, and those resolved."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.access.administration import RECORDS, count_rejected_rows, list_rejected_rows, list_resolved_rows
from app.access.policy import Person
from app.formatting import how_many, start_sentence
from app.records.rows import RejectedRow
from app.school import School
from app.store.database import DatabaseError
from app.ui.authority import guard
from app.ui.lists import as_listing, table
from app.ui.text import as_plain_text, note, show_error, write_html
from app.ui.widgets import confirm_on_rerun, filter_rows, show_confirmation
from app.vocabulary.terms import RowResolution, TableKind

_KINDS = {kind.value: kind.label for kind in TableKind} | {"attendance": "Attendance reports"}
Tried = RejectedRow | None  # why a row or record was rejected again; None if it was imported
Fix = Callable[[int, Mapping[str, str]], Tried]
Give = Callable[[int, tuple[str, bytes]], Tried]
Dismiss = Callable[[Collection[int], str], int]
_FILTERS = {"file": "Kind of record", "source": "File", "what": "Reason"}


def show_rejected_rows(school: School, person: Person, fix: Fix, give: Give, dismiss: Dismiss) -> None:
    """Show the rejected rows with the forms to `fix` a row, to `give` a record again or to `dismiss` rows (see
    `operations.rejected_rows`), and the resolved rows."""
    show_confirmation()
    rejected = list_rejected_rows(school, person)
    number, number_resolved = count_rejected_rows(school, person)
    if rejected.empty:
        st.write("None.")
    else:
        write_html(
            "{rows} to fix. Fix a row here, or correct the source and import it again: that resolves the row.",
            rows=how_many(number, "row"),
        )
        if number > len(rejected):
            note(f"The first {len(rejected):,} are listed. The others follow once these are resolved.")
        _show_unresolved(rejected, fix, give, dismiss)
    if number_resolved:
        with st.expander(f"Resolved ({number_resolved:,})"):
            resolved = list_resolved_rows(school, person)
            _show_resolved(resolved)
            if number_resolved > len(resolved):
                note(f"The last {len(resolved):,} are listed.")


def _show_resolved(resolved: pd.DataFrame) -> None:
    rows = resolved.assign(
        resolution=resolved["resolution"].map(lambda word: RowResolution(word).label),
        resolved_by=resolved["resolved_by"].fillna("a command"),
        reason=_list_reasons(resolved),
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


def _list_reasons(rows: pd.DataFrame) -> list[str]:
    """Each row's reason as a phrase. A record's reason already is one."""
    return [
        f"{row.column or 'the row'} {row.reason}" if row.kind in set(TableKind) or row.column else row.reason
        for row in rows.itertuples()
    ]


def _show_unresolved(rejected: pd.DataFrame, fix: Fix, give: Give, dismiss: Dismiss) -> None:
    rejected = rejected.assign(
        what=_list_reasons(rejected),
        file=rejected["kind"].map(_KINDS).fillna("Call records and recordings"),
        title=rejected["source"] + ", " + rejected["place"],
    )
    listed = filter_rows(rejected, _FILTERS) if len(rejected) > 1 else rejected
    columns = ["source", "place", "column", "value", "reason", "fix", "rejected_at", "attempts"]
    rows = as_listing(listed, columns, source="File", place="Row or call", rejected_at="Rejected")
    widths = {"File": 80, "Row or call": 80, "Column": 100, "Value": 100, "Reason": 190, "Fix": 240}
    config = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    table(rows, "Rejected rows and how to fix them", "rejected rows", column_config=config)
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
            "{name} cannot be fixed here. “Sync now” fetches it again. Dismiss it if it is not needed.",
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
    with st.form(form := f"fix {number}"):
        write_html("Fix {row[title]}", "h3", row=row)
        write_html("{column} {row[reason]}: {row[fix]}.", column=row["column"] or "The row", row=row)
        if line := row["original"].get(""):
            write_html("Original line: {line}", line=line)
        if row["withheld"]:
            note("You do not have access to the row's other cells. They stay as they are.")
        boxes = _ask_cells(row, number)

        def send() -> Tried:
            return fix(number, {column: st.session_state[key] for column, key in boxes.items()})

        _submit(f"Import {as_plain_text(row['place'])}", partial(_send, form, row["place"], send))
        _show_fault(form)


def _give(row: pd.Series, number: int, give: Give) -> None:
    """Show the form that takes a file with a rejected record, corrected or fetched again."""
    with st.form(form := f"give {number}"):
        write_html("Fix {row[title]}", "h3", row=row)
        write_html("{row[reason]}: {row[fix]}.", row=row)
        note(
            "Call records are not shown here. Upload a file with this record, corrected or fetched again. "
            "“Sync now” also fetches a call record again, while Microsoft has it."
        )
        st.file_uploader("File with the record", key=(box := f"give file {number}"))

        def send() -> Tried:
            file = st.session_state[box]
            if file is None:
                raise ValueError("Choose a file first.")
            return give(number, (file.name, file.getvalue()))

        _submit("Import the record", partial(_send, form, row["place"], send))
        _show_fault(form)


def _submit(label: str, send: Callable[[], None], icon: str = "upload", **more: Any) -> None:
    """Show the button of a form. It acts before the page is drawn, so that the whole page shows the result."""
    st.form_submit_button(label, on_click=guard(send), icon=f":material/{icon}:", **({"type": "primary"} | more))


def _send(form: str, place: str, send: Callable[[], Tried]) -> None:
    """Import a row or record again, and have the page show the result."""
    try:
        again = send()
    except (ValueError, DatabaseError) as error:
        _keep_fault(form, f"{place.capitalize()} was not imported.", str(error))
        return
    if again is None:
        confirm_on_rerun(f"{place.capitalize()} was imported.")
        return
    words = f"{again.column} {again.reason}" if again.column else again.reason
    fix = f"{start_sentence(words)}: {again.fix}."
    _keep_fault(form, "It was rejected again. Nothing was changed.", fix)


def _keep_fault(form: str, what: str, fix: str) -> None:
    st.session_state[f"fault of {form}"] = (what, fix)


def _show_fault(form: str) -> None:
    """Show in a form what was wrong when it was last sent."""
    if fault := st.session_state.pop(f"fault of {form}", None):
        show_error(*fault)


def _ask_cells(row: pd.Series, number: int) -> dict[str, str]:
    """Show a box for each cell that may be changed, with its rejected content. Returns the key of each box, by
    column."""
    places, keys = st.columns(2), {column: f"fix {number} {column}" for column in row["fixable"]}
    for n, (column, key) in enumerate(keys.items()):
        label = f"{column} (to fix)" if column == row["column"] else column
        places[n % 2].text_input(as_plain_text(label), row["original"].get(column, ""), key=key)
    return keys


def _dismiss(numbers: list[int], name: str, dismiss: Dismiss) -> None:
    form, several = f"dismiss {hash(tuple(numbers))}", len(numbers) > 1
    with st.form(form):
        write_html("Dismiss {name}", "h3", name=name)
        hint = "has left the school; was entered by hand; a test"
        st.text_input("Reason", placeholder=hint, key=f"{form} reason")
        if several:
            st.checkbox(f"Dismiss all {len(numbers):,} rows", key=f"{form} sure")

        def send() -> None:
            if several and not st.session_state[f"{form} sure"]:
                _keep_fault(form, "Nothing was dismissed.", f"Tick the box to dismiss all {len(numbers):,} rows.")
                return
            try:
                dismissed = dismiss(numbers, st.session_state[f"{form} reason"])
            except ValueError as error:
                _keep_fault(form, "Nothing was dismissed.", str(error))
                return
            confirm_on_rerun(f"{how_many(dismissed, 'row')} dismissed.")

        _submit("Dismiss", send, "block", type="secondary")
        _show_fault(form)
