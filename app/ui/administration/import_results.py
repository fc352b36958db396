"""The result of an import, and the form for attendance reports."""

from collections.abc import Callable

import streamlit as st

from app.formatting import how_many, start_sentence
from app.intake.result import ImportResult
from app.records.evidence.attendance_times import DateOrder
from app.records.rows import UnreadableFileError
from app.store.database import DatabaseError
from app.ui.administration.import_leavers import show_names
from app.ui.text import note, show_error, write_html

_DATES = {
    "": "As the file shows it",
    DateOrder.DMY: "Day first (31/12/2026)",
    DateOrder.MDY: "Month first (12/31/2026)",
}
ReadReport = Callable[[tuple[str, bytes], DateOrder | None], ImportResult]


def show_attendance_import(read: ReadReport) -> None:
    """Show the form that imports an attendance report. `read` imports it, given (name, content) and the order of
    dates."""
    note(
        "Attendance reports show who was in a meeting where there is no call record. Download them in Teams: Calendar, "
        "the meeting, Attendance, Download. A report that Microsoft Graph gives (JSON) can be imported too."
    )
    with st.form("import attendance", clear_on_submit=True):
        file = st.file_uploader("Attendance report", type=["csv", "tsv", "txt", "json", "jsonl"])
        order = st.selectbox("Dates in the report", list(_DATES), format_func=_DATES.__getitem__)
        sent = st.form_submit_button("Import report", type="primary", icon=":material/upload:")
    if sent and file is not None:
        content, dates = (file.name, file.getvalue()), DateOrder(order) if order else None
        _show_import(lambda: read(content, dates))


def _show_import(run: Callable[[], ImportResult]) -> None:
    """Run an import and show its result."""
    try:
        result = run()
    except UnreadableFileError as error:
        show_error("The file could not be read. Nothing was changed.", str(error))
        return
    except DatabaseError as error:
        show_error("The file was not imported.", str(error))
        return
    show_result(result)


def show_result(result: ImportResult) -> None:
    """Show the result of an import."""
    count = result.count()
    numbers = {
        "new": count["added"],
        "changed": count["changed"],
        "unchanged": count["unchanged"],
        "rejected": len(result.rejected),
    }
    write_html(
        "<b>{result.source}</b>, {rows}: <b>{counts}</b>.",
        result=result,
        rows=how_many(count["read"], "row"),
        counts=", ".join(f"{number:,} {words}" for words, number in numbers.items() if number) or "nothing",
    )
    if count["dropped"]:
        write_html(
            "{reports} of meetings that are not sessions: not stored.", reports=how_many(count["dropped"], "report")
        )
    show_names(result, "left", "Marked as having left")
    show_names(result, "missing", "Not in the file, and still on the roster")
    if result.resolved:
        write_html("This import resolved {rows}.", rows=how_many(result.resolved, "earlier rejection"))
    for words in result.notes:
        write_html("{words}.", words=start_sentence(words))
    if result.unknown_columns:
        note(f"Columns not read: {', '.join(result.unknown_columns)}.")
    for words in result.unread:
        write_html("{words}", words=words)
