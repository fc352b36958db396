"""Versions of the protocol on its page: a new version, with its text beside last term's figures, and the review."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.access.overview import get_protocol_figures
from app.access.policy import Person
from app.formatting import on_day, with_counts
from app.management.protocol import Change
from app.protocol.clauses import CLAUSES
from app.records.rows import UnreadableFileError
from app.records.tables.tabular import read_table
from app.school import School
from app.settings import Version
from app.store.protocol import Entry
from app.ui.dialogs import Change as Confirmed
from app.ui.dialogs import open_dialog
from app.ui.lists import select_row
from app.ui.protocol.effects import (
    REASON_HELP,
    find_last_term,
    list_newest_first,
    make_change,
    open_entry,
    require_text,
)
from app.ui.text import note, show_refusal, write_html
from app.vocabulary.terms import ProtocolKind

_KIND = ProtocolKind.VERSION


def show_review(school: School, person: Person, entries: Sequence[Entry]) -> None:
    """Show when the version in force is due for review, with buttons to record the review or to put it off."""
    version = school.settings.version_on(school.today())
    entry = next((e for e in entries if e.kind == _KIND and version and e.content["from"] == str(version.from_)), None)
    if version is None or entry is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if version.next_review is None:
            write_html("<b>{name}</b>: no review is planned.", name=version.name)
        else:
            is_due = version.next_review <= school.today()
            words = "was due for review on {day}." if is_due else "is due for review on {day}."
            write_html(f"<b>{{name}}</b> {words}", name=version.name, day=version.next_review)
        if st.button("Reviewed", icon=":material/task_alt:", key="reviewed"):
            _open_review(school, person, entry, "Review done", "Reviewed. The next review is on {day}.")
        if st.button("Postpone", icon=":material/event_repeat:", key="put off review"):
            _open_review(school, person, entry, "Postpone the review", "Postponed. The review is now due on {day}.")


def _open_review(school: School, person: Person, entry: Entry, title: str, confirmation: str) -> None:
    def ask() -> Confirmed:
        day = st.date_input(
            "Next review",
            pd.Timestamp(school.today()) + pd.DateOffset(years=1),
            min_value=school.today(),
            format="DD/MM/YYYY",
            key="next review",
        )
        words = st.text_area("Note", max_chars=1000, key="review note", placeholder="What was decided, and by whom")

        def changes() -> list[Change]:
            require_text(words, "a note: what was decided, and by whom")
            return [Change(_KIND, entry.content | {"next_review": day.isoformat()}, replaces=entry.id)]

        return make_change(school, person, changes, lambda: words, confirmation.format(day=on_day(day)))

    open_dialog(title, ask, "Save")


def show_versions(school: School, person: Person, entries: Sequence[Entry]) -> None:
    """Show the versions. A click opens one."""
    st.subheader("Versions", anchor=False)
    versions = list_newest_first(entries, _KIND)
    read = [Version.model_validate(entry.content) for entry in versions]
    rows = pd.DataFrame(
        {
            "In force from": [version.from_ for version in read],
            "Name": [version.name for version in read],
            "Next review": pd.to_datetime([version.next_review for version in read]),
            "Clauses reworded": [len(version.text) for version in read],
        }
    )
    ids = [entry.id or 0 for entry in versions]
    select_row(rows, ids, "Versions of the protocol", "versions", open_entry, rows_shown=6)
    if st.button("New version", icon=":material/add:", key="new version"):
        latest = read[0] if read else Version.model_validate({"name": "First version", "from": school.today()})
        blank = {"from_": school.today(), "name": "", "next_review": None}
        open_version(school, person, latest.model_copy(update=blank))


def open_version(school: School, person: Person, version: Version, entry_id: int | None = None) -> None:
    """Open the form for a new version, or to change the version with the id `entry_id`. Its text is typed beside last
    term's figures, or read from a file with the columns `clause` and `words`."""

    def ask() -> Confirmed:
        name = st.text_input("Name", version.name, max_chars=80, key="version name", placeholder="January 2027")
        left, right = st.columns(2)
        first = left.date_input("In force from", version.from_, format="DD/MM/YYYY", key="version from")
        review = right.date_input("Next review", version.next_review, format="DD/MM/YYYY", key="version review")
        text = _ask_text(school, person, version)
        words = st.text_input("What has changed, and why", max_chars=500, key="version note", help=REASON_HELP)

        def changes() -> list[Change]:
            content = {
                "name": require_text(name, "a name"),
                "from": first.isoformat(),
                "next_review": review.isoformat() if review else None,
                "text": text,
            }
            return [Change(_KIND, content, replaces=entry_id)]

        confirmation = f"{name.strip()} is in force from {on_day(first)}."
        return make_change(school, person, changes, lambda: words, confirmation)

    def below() -> None:
        if (term := find_last_term(school)) is not None:
            note(f"Beside each clause: how often it was met in {term.name}, the whole school without counselling.")
        note("Leave a clause blank to use the standard wording.")

    open_dialog("Change the version" if entry_id else "New version", ask, "Put into force", below=below)


def _ask_text(school: School, person: Person, version: Version) -> dict[str, str]:
    """Ask for the words of each clause, with last term's figures beside them. Returns, by clause, those that differ
    from the program's own."""
    text = version.text | _read_upload()
    term = find_last_term(school)
    figures = get_protocol_figures(school, person, (term.from_, term.to)) if term else None
    columns = {
        "Clause": [clause.title for clause in CLAUSES.values()],
        "Words of this version": [text.get(name, clause.words) for name, clause in CLAUSES.items()],
    }
    if term is not None and figures is not None:
        columns[f"Met in {term.name}"] = [_count(figures.loc[name]) for name in CLAUSES]
    edited = st.data_editor(
        pd.DataFrame(columns),
        hide_index=True,
        disabled=[name for name in columns if name != "Words of this version"],
        column_config={"Words of this version": st.column_config.TextColumn(width="large")},
        height=300,
        key=f"version text {hash(tuple(text.items()))}",
    )
    words = edited["Words of this version"].fillna("").str.strip()
    typed = dict(zip(CLAUSES, words, strict=True))
    return {name: line for name, line in typed.items() if line and line != CLAUSES[name].words}


def _count(figures: "pd.Series[Any]") -> str:
    met, known = int(figures["met"] + figures["exempt"]), int(figures[["met", "exempt", "breach"]].sum())
    return with_counts(met / known if known else None, met, known)


def _read_upload() -> dict[str, str]:
    """The words of clauses, by name, from an uploaded table. Shows which rows cannot be used."""
    label = "The text from a file (optional): a table with the columns clause and words"
    file = st.file_uploader(label, type=["csv", "xlsx"], key="version file")
    if file is None:
        return {}
    try:
        rows = read_table((file.name, file.getvalue())).rows
    except UnreadableFileError as error:
        show_refusal(str(error))
        return {}
    names = {clause.title.casefold(): name for name, clause in CLAUSES.items()} | {name: name for name in CLAUSES}
    found, unknown = {}, []
    for _, row in rows:
        cells = {heading.strip().casefold(): str(cell or "").strip() for heading, cell in row.items()}
        name = names.get(cells.get("clause", "").casefold())
        if name is None:
            unknown.append(cells.get("clause", ""))
        else:
            found[name] = cells.get("words", "")
    if unknown:
        show_refusal(f"Not used, because no clause has this name: {', '.join(unknown)}.")
    note(f"{len(found)} of {len(CLAUSES)} clauses were read from the file.")
    return found
