"""Administration: the roster, imports with their refused rows, and what works."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from app.access.administration import (
    count_encrypted_values,
    get_audit_trail,
    get_roster,
    list_imports,
    list_rejected_rows,
    list_resolved_rows,
    verify_audit_trail,
)
from app.auth import sign_in
from app.formatting import how_many, moment, on_day
from app.intake.files import import_table
from app.operations.alerts import get_alerts_view, send_alerts_now
from app.operations.health import check_school, standing_in_words
from app.operations.rejected_rows import dismiss_rows, fix_row
from app.operations.retention import keeping
from app.operations.sync import get_sync_state, sync_now
from app.records.rows import UnreadableFileError
from app.store import audit_log
from app.store.database import DatabaseError
from app.ui.shell import require
from app.ui.text import note, show_error, write_html
from app.ui.widgets import filtered, table
from app.vocabulary import Page, Role, RowResolution

_KINDS = {
    "logs": "Session logs",
    "letters": "Letters to parents",
    "consents": "Parental consents",
    "schools": "Schools",
    "staff": "Staff",
    "pupils": "Pupils",
}

_KEPT = {
    "sessions": "Sessions with their logs, calls and exceptions",
    "call_originals": "Call records word for word",
    "concerns": "Closed concerns, from the last thing that happened",
    "unfinished": "Rejected rows, drafts, records put aside",
    "audit": "The audit trail",
}

_COLUMNS = {"from_day": "As now since", "signed_in": "Last signed in", "email_domain": "Email domain"}

school, person = require(Page.ADMINISTRATION)
st.title("Administration")

st.header("System status")
for name, good, words in check_school(school, thorough=False):
    write_html("{mark} <b>{name}</b>: {words}", mark="✓" if good else "✗", name=name, words=words)

st.header("Call records from Microsoft Graph")
sync = get_sync_state(school, person)
{"red": st.error, "yellow": st.warning}.get(sync.level, st.info)(sync.words)
if sync.last_run is not None:
    figures = ", ".join(
        f"{number:,} {name.replace('_', ' ')}" for name, number in sync.last_run.figures.items() if number
    )
    write_html(
        "The last run began {when} and {how}: {figures}. {trouble}",
        when=moment(sync.last_run.started_at.astimezone(school.settings.zone)),
        how="ended well" if sync.last_run.ended_well else "did not end well",
        figures=figures or "nothing new",
        trouble=sync.last_run.trouble,
    )
if sync.configured and st.button("Sync now", icon=":material/sync:", disabled=sync.running):
    with st.status("Fetching call records", expanded=True) as status:
        line = st.empty()

        def show(words: str) -> None:
            line.text(words)

        good, words = sync_now(school, person, show)
        show(words)
        status.update(
            label="Fetched" if good else "Not all of it could be fetched", state="complete" if good else "error"
        )
if sync.put_aside:
    write_html(
        "{n} records could not be read. They are kept whole; `python -m app sync --retry` tries them again.",
        n=len(sync.put_aside),
    )
    rows = pd.DataFrame([{"Kind": p.kind, "Reference": p.ref, "Why": p.why, "Tries": p.tries} for p in sync.put_aside])
    table(rows, "Records put aside", "records put aside")

st.header("Alerts")
alerts = get_alerts_view(school, person)
if school.is_demonstration():
    st.info("In the demonstration nothing is ever sent: its people are invented. A school would send what waits here.")
elif alerts.hindrance:
    show_error("Email alerts are not being sent.", alerts.hindrance)
if len(alerts.waiting):
    words = (
        "<b>One</b> alert waits, since {since}."
        if len(alerts.waiting) == 1
        else "<b>{n}</b> alerts wait, the oldest since {since}."
    )
    write_html(words, n=f"{len(alerts.waiting):,}", since=moment(alerts.waiting["queued_at"].min()))
    rows = pd.DataFrame(
        {
            "To": alerts.waiting["to"],
            "Subject": alerts.waiting["subject"],
            "Since": [moment(when) for when in alerts.waiting["queued_at"]],
        }
    )
    if alerts.waiting["attempts"].any():
        rows = rows.assign(**{"Tried": alerts.waiting["attempts"], "What hindered it": alerts.waiting["error"]})
    table(rows, "Alerts that wait", "alerts that wait", height="content" if len(rows) < 10 else 360)
elif not alerts.hindrance:
    write_html(
        "Nothing waits. {last}", last=f"The last was sent {moment(alerts.last_sent)}." if alerts.last_sent else ""
    )
if len(alerts.waiting) and not alerts.hindrance and st.button("Send now", icon=":material/send:"):
    with st.spinner("Sending"):
        good, words = send_alerts_now(school, person)
    (st.success if good else st.warning)(words)

st.header("Import a file")
note(
    "CSV or .xlsx with the columns that the manual lists. Good rows land, refused ones are listed below; the same file twice changes nothing. Call records come by the sync, or by “python -m app import calls”."
)
with st.form("import", clear_on_submit=True):
    kind = st.selectbox("What is in it?", list(_KINDS), format_func=_KINDS.__getitem__)
    file = st.file_uploader("The file", type=["csv", "xlsx"])
    sent = st.form_submit_button("Import", type="primary", icon=":material/upload:")
if sent and file is not None:
    content = (file.name, file.getvalue())
    try:
        result = import_table(school, kind, content, person.staff_id)
        write_html(
            "{file}: {read} rows read, {added} new, {changed} changed, {unchanged} known already, {refused} refused.",
            file=file.name,
            read=result.read,
            added=result.added,
            changed=result.changed,
            unchanged=result.unchanged,
            refused=len(result.rejected),
        )
        if result.resolved:
            write_html("This import resolved {rows}.", rows=how_many(result.resolved, "earlier rejection"))
        if result.unknown_columns:
            write_html("Unknown columns ignored: {columns}.", columns=", ".join(result.unknown_columns))
    except UnreadableFileError as error:
        show_error("The file could not be read, and nothing was changed.", str(error))
    except DatabaseError as error:
        show_error("The file was not taken in.", str(error))

st.header("Rejected rows")


def _refused_rows() -> None:
    if words := st.session_state.pop("settled", None):
        st.success(words, icon=":material/check:")
    refused = list_rejected_rows(school, person)
    if refused.empty:
        st.write("None waits: every row of every import could be used, or is settled.")
    else:
        write_html(
            "{n} rows wait. Mend a row here, or where it came from and import that file again: what comes mended settles the row by itself.",
            n=f"{len(refused):,}",
        )
        _waiting(refused)
    settled = list_resolved_rows(school, person)
    if len(settled):
        with st.expander(f"Settled ({len(settled):,})"):
            rows = pd.DataFrame(
                {
                    "When": [moment(when) for when in settled["resolved_at"]],
                    "How": settled["resolution"].map(lambda word: RowResolution(word).label),
                    "By": settled["resolved_by"].fillna("a command"),
                    "From": settled["source"],
                    "Row": settled["row"],
                    "Was refused": _what(settled["column"], settled["reason"]),
                    "Reason": settled["resolution_reason"].fillna(""),
                }
            )
            table(rows, "Rejected rows that are settled, the latest first", "settled rows")


def _what(columns: pd.Series, reasons: pd.Series) -> list[str]:
    return [f"{column or 'the row'} {why}" for column, why in zip(columns, reasons, strict=True)]


def _waiting(refused: pd.DataFrame) -> None:
    refused = refused.assign(
        what=_what(refused["column"], refused["reason"]), file=refused["kind"].map(_KINDS).fillna("Call records")
    )
    some = refused
    if len(refused) > 1:
        places = st.columns(3)
        for place, (column, label) in zip(
            places, {"file": "What", "source": "From", "what": "Why"}.items(), strict=True
        ):
            with place:
                some = filtered(some, column, label, f"refused {column}")
    rows = pd.DataFrame(
        {
            "From": some["source"],
            "Row": some["row"],
            "Column": some["column"].fillna(""),
            "Value": some["value"].fillna(""),
            "Why": some["reason"],
            "Mend": some["fix"],
            "Imported": [moment(when) for when in some["imported_at"]],
        }
    )
    table(rows, "Rejected rows with their mend", "refused rows")
    names = {row.id: f"{row.source}, row {row.row}: {row.what}" for row in some.itertuples()}
    chosen = st.selectbox(
        "Row to fix",
        list(names),
        format_func=names.__getitem__,
        index=None,
        placeholder="Choose a row",
        key="refused row",
    )
    if chosen is not None:
        _mend(some.set_index("id").loc[chosen], int(chosen))
        _dismiss(
            [int(chosen)],
            f"{some.set_index('id').loc[chosen, 'source']}, row {some.set_index('id').loc[chosen, 'row']}",
        )
    elif len(some) > 1:
        with st.expander(f"Dismiss all {len(some):,} that are listed"):
            _dismiss([int(number) for number in some["id"]], f"the {len(some):,} rows listed above")


def _mend(row: pd.Series, number: int) -> None:
    if not row["mendable"]:
        write_html(
            "{name} cannot be mended here, since what is wrong is not for you to see. Ask whoever it came from to send it mended, and import that; or dismiss it once it was entered another way.",
            name=f"{row['source']}, row {row['row']}",
        )
        return
    with st.form(f"mend {number}"):
        write_html("Mend {name}", kind="h3", name=f"{row['source']}, row {row['row']}")
        write_html("{column} {why}: {mend}.", column=row["column"] or "The row", why=row["reason"], mend=row["fix"])
        if line := row["original"].get(""):
            write_html("As it came: {line}", line=line)
        if row["withheld"]:
            note("The other cells of the row are not for you to see, and stay as they came.")
        places = st.columns(2)
        cells = {
            column: places[n % 2].text_input(
                f"{column} – to mend" if column == row["column"] else column,
                row["original"].get(column, ""),
                key=f"mend {number} {column}",
            )
            for n, column in enumerate(row["mendable"])
        }
        if st.form_submit_button(f"Import row {row['row']}", type="primary", icon=":material/upload:"):
            try:
                again = fix_row(school, person, number, cells)
            except (ValueError, DatabaseError) as error:
                show_error("The row was not taken in.", str(error))
                return
            if again is None:
                st.session_state["settled"] = f"Row {row['row']} was taken in."
                st.rerun()
            show_error(
                "The row is refused again, and nothing was changed.",
                f"{again.column or 'It'} {again.reason}: {again.fix}.",
            )


def _dismiss(numbers: list[int], name: str) -> None:
    with st.form(f"dismiss {hash(tuple(numbers))}"):
        write_html("Dismiss {name}", kind="h3", name=name)
        reason = st.text_input(
            "Why need it not be mended?", placeholder="has left the school; was entered by hand; a test"
        )
        sure = len(numbers) == 1 or st.checkbox(f"All {len(numbers):,} of them")
        if not st.form_submit_button("Dismiss", icon=":material/block:"):
            return
        if not sure:
            show_error("Nothing was dismissed.", f"Tick that all {len(numbers):,} are meant.")
            return
        try:
            done = dismiss_rows(school, person, numbers, reason)
        except ValueError as error:
            show_error("Nothing was dismissed.", str(error))
            return
        st.session_state["settled"] = f"{done:,} row(s) dismissed."
        st.rerun()


_refused_rows()

st.header("Imports")
done = list_imports(school, person)
if done.empty:
    st.write("Nothing has been imported yet. Begin with the roster: schools, staff, pupils.")
else:
    rows = done.assign(
        imported_at=[moment(when) for when in done["imported_at"]], imported_by=done["imported_by"].fillna("a command")
    ).rename(columns=lambda name: {"imported_at": "At", "imported_by": "By"}.get(name, name.capitalize()))
    table(rows, "Imports, the newest first", "imports")

st.header("Roster")
roster = get_roster(school, person)
staff = roster["staff"].assign(
    roles=[cell.split(";") if cell else [] for cell in roster["staff"]["roles"]],
    signed_in=[moment(when) or "never" for when in roster["staff"]["signed_in"]],
)
if len(staff):
    never, without = int((staff["signed_in"] == "never").sum()), int((staff["roles"].str.len() == 0).sum())
    write_html(
        "{staff} members of staff and {pupils} pupils. {never} of the staff never signed in; {without} have no role, and see their own sessions alone.",
        staff=f"{len(staff):,}",
        pupils=f"{len(roster['pupils']):,}",
        never=f"{never:,}",
        without=f"{without:,}",
    )
    if sign_in.roles_from_entra():
        st.info("ROLES_FROM is entra: the roles in force are those of Entra ID, not these of the roster.")
    holders = staff.explode("roles").groupby("roles")["name"].agg(list)
    for role, why in {
        Role.DSP: "nobody receives concerns",
        Role.SENIOR_DEPUTY_HEAD: "nobody sees the whole",
        Role.ADMIN: "nobody can open this page",
    }.items():
        missing = (
            []
            if role is not Role.DSP
            else [
                code
                for code in roster["schools"]["code"]
                if not ((staff["school"] == code) & staff["roles"].map(lambda roles: Role.DSP in roles)).any()
            ]
        )
        if role not in holders.index:
            st.warning(f"Nobody on the roster is {role.label}: {why}.", icon=":material/warning:")
        elif missing:
            write_html(
                "No DSP on the roster for {schools}: concerns about its pupils have nobody of their own.",
                schools=", ".join(missing),
            )
    rows = pd.DataFrame(
        [(role.label, len(holders.get(role, [])), ", ".join(sorted(holders.get(role, [])))) for role in Role],
        columns=["Role", "How many", "Who"],
    )
    with st.expander("Who holds which role"):
        table(rows, "Who holds which role, as the roster has it", "roles", height="content")
    with st.expander(f"Who never signed in ({never:,})"):
        table(
            staff.loc[staff["signed_in"] == "never", ["name", "email", "school", "department"]].rename(
                columns=str.capitalize
            ),
            "Staff on the roster who never signed in",
            "never signed in",
        )
for name, people in roster.items():
    with st.expander(f"{name.capitalize()} ({len(people):,})"):
        shown = people.assign(signed_in=staff["signed_in"]) if name == "staff" else people
        table(
            shown.astype(str).rename(
                columns=lambda column: _COLUMNS.get(column, column.replace("_", " ").capitalize())
            ),
            f"The roster's {name}",
            f"roster {name}",
        )

st.header("Keys")
note(
    "Narratives, notes, drafts and original call records are sealed in the database with the keys of ENCRYPTION_KEYS, the newest first."
)
if st.button("Check encryption keys", icon=":material/key:"):
    with st.spinner("Every sealed value is opened: some 5,000 a second"):
        sealed = count_encrypted_values(school, person)
    good, words = standing_in_words(sealed)
    write_html("{mark} {words}", mark="✓" if good else "✗", words=words)
    if sealed:
        rows = pd.DataFrame(
            [(one.table, one.newest, one.older, one.no_key, one.lost) for one in sealed],
            columns=["What, up to so many", "Newest key", "An older key", "No key", "A key that is lost"],
        )
        table(rows, "How many sealed values stand under which key", "keys", height="content")
with st.expander("Rotate keys"):
    st.markdown(
        "1. On the server, `python -m app keys new` prints a new key.\n"
        "2. Put it in front of the others in ENCRYPTION_KEYS, separated by a comma, and start the program anew: what is written from now on is sealed with it, and the others still open what is there.\n"
        "3. `python -m app keys rotate` seals everything with the new key.\n"
        "4. When the count above says that all stands under the newest, take the older keys away. Keep them with the backups that were made before: those still need them."
    )

st.header("How long records are kept")
years = school.settings.retention.model_dump()
rows = pd.DataFrame(
    [(_KEPT[kind], years[kind], on_day(first)) for kind, first in keeping(school).items()],
    columns=["What", "Years", "Kept from"],
)
table(rows, "How long each kind of record is kept", "how long records are kept", height="content")
note("Set in the settings. Nothing goes by itself: “python -m app purge” on the server, first with “--dry-run”.")

st.header("Audit trail")
today = school.today()
own = st.date_input(
    "From and to", (today - timedelta(days=6), today), max_value=today, format="DD/MM/YYYY", key="audit days"
)
if isinstance(own, tuple) and len(own) == 2:
    trail = get_audit_trail(school, person, own)
    trail["action"] = trail["action"].map(audit_log.KINDS)
    if len(trail):
        places = st.columns(2)
        with places[0]:
            trail = filtered(trail, "action", "What", "audit what")
        with places[1]:
            trail = filtered(trail, "actor", "Who", "audit who")
        write_html("{n} entries, the newest first.", n=f"{len(trail):,}")
        rows = pd.DataFrame(
            {
                "Number": trail["id"],
                "When": [moment(when) for when in trail["occurred_at"]],
                "Who": trail["actor"],
                "What": trail["action"],
                "About": trail["subject"],
            }
        )
        table(rows, "The audit trail", f"audit trail {own[0]} to {own[1]}")
    else:
        st.write("Nothing is on it of these days.")
else:
    st.info("Choose the end date as well.")
if st.button("Verify the whole trail", icon=":material/verified_user:"):
    with st.spinner("Every entry is compared with the one before it"):
        found = verify_audit_trail(school, person)
    if found.fault:
        show_error(
            "The trail was altered.", f"{found.fault} Keep the database as it is, and compare it with your backups."
        )
    elif found.newest_hash:
        write_html(
            "✓ Up to entry {number} every one is as it was written; none was altered, removed or put in between. The newest has the hash {hash}: note it somewhere else, and compare it another time.",
            number=f"{found.number:,}",
            hash=found.newest_hash,
        )
    else:
        st.write("Nothing is on the trail yet.")
