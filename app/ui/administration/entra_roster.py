"""The roster from Microsoft Entra, on the tab Roster: when it was last read, what an import would change, and
importing."""

from collections.abc import Callable
from typing import Protocol

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.formatting import how_many, moment, start_sentence
from app.graph.roster import RosterSync
from app.graph.sync import RosterState
from app.intake.people import RosterOptions
from app.intake.preview import Preview
from app.school import School
from app.ui.administration.import_leavers import LEFT, LeaversChoice, count_people, show_names
from app.ui.administration.import_preview import show_preview
from app.ui.administration.import_results import show_result
from app.ui.authority import guard
from app.ui.lists import table
from app.ui.text import note, show_error, write_html

# Keys in the session state: the result of a dry run, and of an import, which is shown once.
_CHECKED, _IMPORTED = "entra roster checked", "entra roster imported"


class Read(Protocol):
    """Reads the roster from Entra (see `operations.sync`)."""

    def __call__(self, options: RosterOptions, report: Callable[[str], None], *, dry_run: bool) -> RosterSync: ...


def show_entra_roster(school: School, person: Person, source: RosterState, read: Read) -> None:
    """Show the state of the roster from Entra, and let the administrator check and import it. `read` reads it, given
    options, a function that shows progress, and whether it is a dry run."""
    st.subheader("From Microsoft Entra")
    if not source.is_named:
        note(
            "The roster comes from files. It can also come from the school's directory: name its groups in the "
            "settings (docs/entra.md)."
        )
        return
    if source.refusal:
        show_error("Microsoft refused the roster.", source.refusal)
    read_at = f"Last read {moment(source.read_at.astimezone(school.settings.zone))}." if source.read_at else ""
    write_html("{words}", words=read_at or "It has not been read yet.")
    if not source.can_sync:
        note("It cannot be read from here: no sync with Microsoft Graph is set up.")
        return
    if imported := st.session_state.pop(_IMPORTED, None):
        st.success("Imported.", icon=":material/check:")
        for result in imported.results:
            show_result(result)
    if st.button("Check what would change", icon=":material/fact_check:"):
        _read(read, RosterOptions(), dry_run=True)
    if (checked := st.session_state.get(_CHECKED)) is not None:
        _show_checked(school, person, checked, read)


def _read(read: Read, options: RosterOptions, *, dry_run: bool) -> None:
    """Read the roster, and store the result for the next run of the page. Shows an error if that fails."""
    st.session_state.pop(_CHECKED, None)
    try:
        with st.status("Reading accounts and groups", expanded=True) as status:
            line = st.empty()

            def show(words: str) -> None:
                line.text(words)

            done = read(options, show, dry_run=dry_run)
            status.update(label="Read", state="complete", expanded=False)
    except ValueError as error:
        show_error("The roster was not read from Entra.", str(error))
        return
    st.session_state[_CHECKED if dry_run else _IMPORTED] = done
    st.rerun()


def _show_checked(school: School, person: Person, checked: RosterSync, read: Read) -> None:
    """Show what an import would change, with the button that imports it."""
    if not isinstance(checked.done, Preview):
        return
    with st.container(border=True):
        write_html("What would change", "h4")
        show_preview(checked.done)
        options = _ask_leavers(school, person, checked)
        _show_faults(checked)
        missing = count_people(checked.results, "missing")
        label = f"Import, and mark {missing} as having left" if options.left_on and missing else "Import"
        with st.container(horizontal=True):
            wanted = st.button(label, type="primary", icon=":material/upload:", key="import entra roster")
            st.button("Discard", on_click=guard(_discard))
        if wanted:
            _read(read, options, dry_run=False)


def _ask_leavers(school: School, person: Person, checked: RosterSync) -> RosterOptions:
    """Show who is leaving, and ask whether people whom Entra no longer lists have left."""
    choice = LeaversChoice("entra", school.today(), person.email)
    have_left = choice.chosen == LEFT
    for result in checked.results:
        show_names(result, "left", "Leaving")
    if not count_people(checked.results, "missing"):
        return RosterOptions()
    choice.ask(have_left=have_left)
    note("Their accounts are disabled, or no longer in a group. Entra does not say whether they have left.")
    for result in checked.results:
        show_names(result, "missing", "Not in Entra's lists")
    return choice.add_to(RosterOptions()) if have_left else RosterOptions()


def _show_faults(checked: RosterSync) -> None:
    """Show the rejected accounts, and those that are neither staff nor pupils. They are corrected in Entra."""
    rejected = [(result, row) for result in checked.results for row in result.rejected]
    if rejected:
        rows = pd.DataFrame(
            [
                (
                    row.original.get("name") or row.original.get("email") or "",
                    result.headings.get(row.column or "", row.column or ""),
                    row.reason,
                    row.fix,
                )
                for result, row in rejected
            ],
            columns=["Who", "Column", "What is wrong", "Fix"],
        )
        write_html("Rejected: {accounts}, to be corrected in Entra", "h4", accounts=how_many(len(rows), "account"))
        table(rows, "Accounts that are rejected", "rejected accounts")
    if checked.unknown:
        with st.expander(f"Neither staff nor pupils: {how_many(len(checked.unknown), 'account')}"):
            rows = pd.DataFrame({"Account": checked.unknown})
            table(rows, "Accounts that are neither staff nor pupils", "other accounts")
    for words in checked.notes:
        write_html("{words}.", words=start_sentence(words))


def _discard() -> None:
    st.session_state.pop(_CHECKED, None)
