"""Administration: system status, sync, alerts, imports with their rejected rows, the roster, keys and the audit trail."""

from datetime import timedelta
from functools import partial

import pandas as pd
import streamlit as st

from app.access import administration
from app.auth.configuration import takes_roles_from_entra
from app.formatting import how_many, moment, on_day
from app.intake.attendance import import_attendance
from app.intake.files import import_table
from app.operations.alerts import get_alerts_view, send_alerts_now
from app.operations.health import check_school, describe_key_counts
from app.operations.rejected_rows import dismiss_rows, fix_row, give_record
from app.operations.retention import find_first_days_kept
from app.operations.sync import get_sync_state, sync_now
from app.store import audit_log
from app.ui.imports import ask_roster_options, show_attendance_import, show_import
from app.ui.pupil_policies import show_pupil_policies
from app.ui.rejected_rows import KINDS, show_rejected_rows
from app.ui.shell import require
from app.ui.text import note, show_error, write_html
from app.ui.widgets import as_listing, choose_dates, filter_rows, table
from app.vocabulary import Page, Role

_RETENTION = {
    "sessions": "Sessions with their logs, calls and breaches",
    "call_originals": "Call records word for word",
    "concerns": "Closed concerns, from the last entry",
    "unfinished": "Rejected rows, drafts, unreadable records",
    "audit": "The audit trail",
}
_NEEDED = {
    Role.DSP: "nobody receives concerns",
    Role.SENIOR_DEPUTY_HEAD: "nobody sees the whole school",
    Role.ADMIN: "nobody can open this page",
}


school, person = require(Page.ADMINISTRATION)
st.title("Administration")

st.header("System status")
for name, good, words in check_school(school, thorough=False):
    write_html("{mark} <b>{name}</b>: {words}", mark="✓" if good else "✗", name=name, words=words)
show_pupil_policies(school, person)

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

st.header("Alerts")
alerts = get_alerts_view(school, person)
if school.is_demonstration():
    st.info("The demonstration sends no email: its people are fictional. A school would send the alerts listed here.")
elif alerts.obstacle:
    show_error("Email alerts are not being sent.", alerts.obstacle)
waiting = alerts.waiting
if len(waiting):
    words = "<b>{number}</b> waiting to be sent; oldest {oldest}."
    write_html(words, number=how_many(len(waiting), "alert"), oldest=waiting["queued_at"].min())
    columns = ["to", "subject", "queued_at", *(["attempts", "error"] if waiting["attempts"].any() else [])]
    rows = as_listing(waiting, columns, queued_at="Since", error="Last error")
    table(rows, "Alerts waiting to be sent", "alerts waiting", height="content" if len(rows) < 10 else 360)
elif not alerts.obstacle:
    write_html("No alerts waiting. {last}", last=f"Last sent {moment(alerts.last_sent)}." if alerts.last_sent else "")
if len(waiting) and not alerts.obstacle and st.button("Send now", icon=":material/send:"):
    with st.spinner("Sending"):
        good, words = send_alerts_now(school, person)
    (st.success if good else st.warning)(words)

st.header("Import a file")
note(
    "CSV or .xlsx, with the columns in the manual. Valid rows are imported; rejected rows are listed below. Importing the same file again changes nothing. Call records come from the sync, or from “python -m app import calls”."
)
with st.form("import", clear_on_submit=True):
    kind = st.selectbox("Kind of record", list(KINDS), format_func=KINDS.__getitem__)
    file = st.file_uploader("File", type=["csv", "txt", "tsv", "xlsx", "xlsm"])
    with st.expander("Staff and pupils: corrections and leavers"):
        options = ask_roster_options(school.today())
    sent = st.form_submit_button("Import", type="primary", icon=":material/upload:")
if sent and file is not None:
    content = (file.name, file.getvalue())
    show_import(file.name, lambda: import_table(school, kind, content, person.staff_id, options))
show_attendance_import(lambda content, dates: import_attendance(school, content, dates=dates, actor_id=person.staff_id))

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
    done = done.assign(imported_by=done["imported_by"].fillna("a command"))
    rows = as_listing(done, done.columns, imported_at="At", imported_by="By")
    table(rows, "Imports, newest first", "imports")

st.header("Roster")
roster = administration.get_roster(school, person)
staff = roster["staff"].assign(
    roles=[cell.split(";") if cell else [] for cell in roster["staff"]["roles"]],
    signed_in=[moment(when) or "never" for when in roster["staff"]["signed_in"]],
)
if len(staff):
    never, without_role = staff[staff["signed_in"] == "never"], int((staff["roles"].str.len() == 0).sum())
    write_html(
        "{staff:,} staff and {pupils:,} pupils. {never:,} staff have never signed in; {without:,} have no role, and see only their own sessions.",
        staff=len(staff),
        pupils=len(roster["pupils"]),
        never=len(never),
        without=without_role,
    )
    if takes_roles_from_entra():
        st.info("Roles come from Entra ID (ROLES_FROM is entra). The roles on the roster are not used.")
    by_role = staff.explode("roles")
    holders = by_role.groupby("roles")["name"].agg(sorted).to_dict()
    has_dsp = set(by_role.loc[by_role["roles"] == Role.DSP, "school"])
    without_dsp = [code for code in roster["schools"]["code"] if code not in has_dsp]
    if Role.DSP in holders and without_dsp:
        write_html(
            "The roster has no DSP for {schools}: nobody there receives concerns about its pupils.",
            schools=", ".join(without_dsp),
        )
    for role, consequence in _NEEDED.items():
        if role not in holders:
            st.warning(f"The roster has no {role.label}: {consequence}.", icon=":material/warning:")
    rows = pd.DataFrame(
        [(role.label, len(holders.get(role, ())), ", ".join(holders.get(role, ()))) for role in Role],
        columns=["Role", "Staff", "Names"],
    )
    with st.expander("Staff by role"):
        table(rows, "Staff by role, from the roster", "roles", height="content")
    with st.expander(f"Staff who have never signed in ({len(never):,})"):
        rows = as_listing(never, ["name", "email", "school", "department"])
        table(rows, "Staff on the roster who have never signed in", "never signed in")
for name, people in roster.items():
    with st.expander(f"{name.capitalize()} ({len(people):,})"):
        shown = people.assign(signed_in=staff["signed_in"]) if name == "staff" else people
        rows = as_listing(
            shown.astype(str), shown.columns, from_day="Valid from", signed_in="Last signed in", last_day="Last day"
        )
        table(rows, f"The roster's {name}", f"roster {name}")

st.header("Keys")
note(
    "Narratives, notes, drafts and original call records are encrypted in the database with the keys in ENCRYPTION_KEYS, newest first."
)
if st.button("Check encryption keys", icon=":material/key:"):
    with st.spinner("Decrypting every value, about 5,000 a second…"):
        counts = administration.count_encrypted_values(school, person)
    good, words = describe_key_counts(counts)
    write_html("{mark} {words}", mark="✓" if good else "✗", words=words)
    if counts:
        rows = pd.DataFrame(counts)
        rows.columns = ["Records", "Newest key", "Older key", "Not encrypted", "Lost key"]
        table(rows, "Encrypted values by key", "keys", height="content")
with st.expander("Rotate keys"):
    st.markdown(
        "1. On the server, `python -m app keys new` prints a new key.\n"
        "2. Put it before the others in ENCRYPTION_KEYS, separated by a comma, and restart the program. New values are encrypted with it; the other keys still decrypt existing ones.\n"
        "3. `python -m app keys rotate` encrypts everything with the new key.\n"
        "4. When the check above shows only the newest key, remove the older keys. Store them with the backups made before: those still need them."
    )

st.header("How long records are kept")
years = school.settings.retention.model_dump()
rows = pd.DataFrame(
    [(_RETENTION[kind], years[kind], on_day(first)) for kind, first in find_first_days_kept(school).items()],
    columns=["Records", "Years", "Kept from"],
)
table(rows, "Retention of each kind of record", "how long records are kept", height="content")
note(
    "Set in the settings file. Nothing is deleted automatically: run “python -m app purge” on the server, first with “--dry-run”."
)

st.header("Audit trail")
today = school.today()
if days := choose_dates((today - timedelta(days=6), today), today, "audit days"):
    trail = administration.get_audit_trail(school, person, days)
    trail["action"] = trail["action"].map(audit_log.KINDS)
    if len(trail):
        trail = filter_rows(trail, {"action": "What", "actor": "Who"}, "audit")
        write_html("{entries}, newest first.", entries=how_many(len(trail), "entry", "entries"))
        rows = as_listing(
            trail,
            ["id", "occurred_at", "actor", "action", "subject"],
            id="Number",
            occurred_at="When",
            actor="Who",
            action="What",
            subject="About",
        )
        table(rows, "The audit trail", f"audit trail {days[0]} to {days[1]}")
    else:
        st.write("No entries for these dates.")
if st.button("Verify the audit trail", icon=":material/verified_user:"):
    with st.spinner("Comparing every entry with the one before it…"):
        check = administration.verify_audit_trail(school, person)
    if check.fault:
        show_error(
            "The audit trail was altered.", f"{check.fault} Do not change the database; compare it with your backups."
        )
    elif check.newest_hash:
        write_html(
            "✓ All entries up to number {check.number:,} are as written: none was altered, removed or inserted. The hash of the newest is {check.newest_hash}. Note it elsewhere, and compare it next time.",
            check=check,
        )
    else:
        st.write("The audit trail has no entries yet.")
