"""Administration, in tabs: status, imports with their rejected rows, the roster, alerts and the audit trail."""

from functools import partial

import pandas as pd
import streamlit as st

from app.access import administration
from app.access.policy import Person
from app.access.pupil_policies import get_pupil_policies
from app.formatting import how_many, moment
from app.operations.alerts import get_alerts_view, send_alerts_now
from app.operations.health import check_school, describe_key_counts
from app.operations.rejected_rows import dismiss_rows, fix_row, give_record
from app.operations.retention import find_first_days_kept
from app.operations.setup import list_setup_steps
from app.operations.sync import get_roster_state, get_sync_state, sync_now, sync_roster_now
from app.school import School
from app.ui import address
from app.ui.administration.audit import show_audit
from app.ui.administration.checklist import show_checklist
from app.ui.administration.entra_roster import show_entra_roster
from app.ui.administration.imports import show_imports
from app.ui.administration.rejected_rows import show_rejected_rows
from app.ui.administration.roster import show_roster
from app.ui.lists import as_listing, table
from app.ui.protocol.file import show_file
from app.ui.shell import require
from app.ui.text import note, show_error, write_html
from app.vocabulary.roles import Page
from app.vocabulary.terms import RetainedKind, TableKind


def _show_status(school: School, person: Person) -> None:
    """Show the set-up checklist, system status, sync, encryption keys and retention periods."""
    show_checklist(list_setup_steps(school, person))
    st.header("System status")
    for name, good, words in check_school(school, thorough=False):
        write_html("{mark} <b>{name}</b>: {words}", mark="✓" if good else "✗", name=name, words=words)
    _show_pupil_policies(school, person)
    _show_sync(school, person)
    _show_keys(school, person)
    _show_retention(school)


def _show_pupil_policies(school: School, person: Person) -> None:
    """List the pupils with a different policy, for each kind of policy; show nothing if there are none."""
    for figures in get_pupil_policies(school, person):
        if not figures.others:
            continue
        with st.expander(f"Pupils with a different {figures.kind} policy ({len(figures.others):,})"):
            rows = pd.DataFrame(figures.others, columns=["Pupil", "Policy in Teams"])
            title = f"Pupils whose {figures.kind} policy is not {' or '.join(figures.names)}"
            table(rows, title, f"pupils with a different {figures.kind} policy")


def _show_sync(school: School, person: Person) -> None:
    st.header("Call records from Microsoft Graph")
    sync = get_sync_state(school, person)
    {"red": st.error, "yellow": st.warning}.get(sync.level, st.info)(sync.words)
    if sync.last_run is not None:
        figures = ", ".join(
            f"{number:,} {name.replace('_', ' ')}" for name, number in sync.last_run.counts.items() if number
        )
        write_html(
            "Last run: {started_at}, {how}: {figures}. {run.error}",
            started_at=sync.last_run.started_at.astimezone(school.settings.zone),
            how="completed" if sync.last_run.completed else "not completed",
            figures=figures or "nothing new",
            run=sync.last_run,
        )
    if sync.configured and st.button("Sync now", icon=":material/sync:", disabled=sync.running):
        with st.status("Fetching call records", expanded=True) as status:
            line = st.empty()

            def show(words: str) -> None:
                line.text(words)

            good, words = sync_now(school, person, show)
            show(words)
            status.update(
                label="Fetched" if good else "Some records could not be fetched", state="complete" if good else "error"
            )
    if sync.quarantined:
        write_html(
            "{records} could not be read; see “Rejected rows” below. “Sync now” fetches them again.",
            records=how_many(sync.quarantined, "record"),
        )


def _show_keys(school: School, person: Person) -> None:
    st.header("Keys")
    note(
        "Narratives, notes, drafts and original call records are encrypted in the database with the keys in ENCRYPTION_KEYS, newest first."
    )
    if st.button("Check encryption keys", icon=":material/key:"):
        with st.spinner("Decrypting every value, about 5,000 a second…"):
            st.session_state["keys counted"] = administration.count_encrypted_values(school, person)
    counts = st.session_state.get("keys counted")  # a download of the list runs the page again
    if counts is not None:
        good, words = describe_key_counts(counts)
        write_html("{mark} {words}", mark="✓" if good else "✗", words=words)
        if counts:
            rows = pd.DataFrame(counts).drop(columns="newest")
            rows.columns = ["Records", "Older key", "Not encrypted", "Lost key"]
            table(rows, "Encrypted values by key", "keys")
    with st.expander("Rotate keys"):
        st.markdown(
            "1. On the server, `python -m app keys new` prints a new key.\n"
            "2. Put it before the others in ENCRYPTION_KEYS, separated by a comma, and restart the program. New values are encrypted with it; the other keys still decrypt existing ones.\n"
            "3. `python -m app keys rotate` encrypts everything with the new key.\n"
            "4. When the check above says that all use the newest key, remove the older keys. Store them with the backups made before: those still need them."
        )


def _show_retention(school: School) -> None:
    st.header("How long records are kept")
    years = school.settings.retention.model_dump()
    rows = pd.DataFrame(
        [(RetainedKind(kind).label, years[kind], first) for kind, first in find_first_days_kept(school).items()],
        columns=["Records", "Years", "Kept from"],
    )
    table(rows, "Retention of each kind of record", "how long records are kept")
    note(
        "Set in the settings file. Nothing is deleted automatically: run “python -m app purge” on the server, first with “--dry-run”."
    )


def _show_alerts(school: School, person: Person) -> None:
    """Show the alerts waiting to be sent."""
    st.header("Alerts")
    alerts = get_alerts_view(school, person)
    if school.is_demonstration():
        st.info(
            "The demonstration sends no email: its people are fictional. A school would send the alerts listed here."
        )
    elif alerts.obstacle:
        show_error("Email alerts are not being sent.", alerts.obstacle)
    waiting = alerts.waiting
    if len(waiting):
        words = "<b>{number}</b> waiting to be sent; oldest {oldest}."
        write_html(words, number=how_many(len(waiting), "alert"), oldest=waiting["queued_at"].min())
        columns = ["to", "subject", "queued_at", *(["attempts", "error"] if waiting["attempts"].any() else [])]
        rows = as_listing(waiting, columns, queued_at="Since", error="Last error")
        table(rows, "Alerts waiting to be sent", "alerts waiting")
    elif not alerts.obstacle:
        write_html(
            "No alerts waiting. {last}", last=f"Last sent {moment(alerts.last_sent)}." if alerts.last_sent else ""
        )
    if len(waiting) and not alerts.obstacle and st.button("Send now", icon=":material/send:"):
        with st.spinner("Sending"):
            good, words = send_alerts_now(school, person)
        (st.success if good else st.warning)(words)


def _show_imports(school: School, person: Person) -> None:
    """Show the import of files, the rejected rows and the list of imports."""
    if show_imports(school, person):
        return
    st.header("Rejected rows")
    show_rejected_rows(
        school,
        person,
        partial(fix_row, school, person),
        partial(give_record, school, person),
        partial(dismiss_rows, school, person),
    )
    st.header("Imports")
    done = administration.list_imports(school, person)
    if done.empty:
        st.write("Nothing has been imported yet. Start with the roster: schools, staff, pupils.")
    else:
        kinds = done["kind"].map({kind: kind.label for kind in TableKind}).fillna(done["kind"].str.capitalize())
        done = done.assign(kind=kinds, imported_by=done["imported_by"].fillna("a command"))
        rows = as_listing(done, done.columns, imported_at="At", imported_by="By", undone_at="Undone")
        table(rows, "Imports, newest first", "imports")
    show_file(school, person)


def _show_roster(school: School, person: Person) -> None:
    """Show the people and schools on the roster, and the roster from Entra."""
    st.header("Roster")
    show_roster(school, person)
    show_entra_roster(school, person, get_roster_state(school, person), partial(sync_roster_now, school, person))


_TABS = {
    "Status": _show_status,
    "Import": _show_imports,
    "Roster": _show_roster,
    "Alerts": _show_alerts,
    "Audit": show_audit,
}

school, person = require(Page.ADMINISTRATION)
st.title("Administration")
for tab, show in zip(address.show_tabs(list(_TABS)), _TABS.values(), strict=True):
    if tab.open:
        with tab:
            show(school, person)
