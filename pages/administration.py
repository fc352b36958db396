"""Administration: the roster, imports with their refused rows, and what works."""

import pandas as pd
import streamlit as st

from app import access, intake
from app.checks import check
from app.intake import DatabaseError, UnreadableFile
from app.retention import keeping
from app.screen import aside, moment, on_day, require, say, table, trouble

_KINDS = {
    "logs": "Session logs", "letters": "Letters to parents", "consents": "Parental consents", "schools": "Schools",
    "staff": "Staff", "pupils": "Pupils",
}  # fmt: skip

_KEPT = {
    "sessions": "Sessions with their logs, calls and exceptions", "call_originals": "Call records word for word",
    "concerns": "Closed concerns, from the last thing that happened",
    "unfinished": "Refused rows, drafts, records put aside", "audit": "The audit trail",
}  # fmt: skip

school, person = require("administration")
st.title("Administration")

st.header("Does everything work?")
for name, good, words in check(ask_graph=False):
    say("{mark} <b>{name}</b>: {words}", mark="✓" if good else "✗", name=name, words=words)

st.header("Call records from Microsoft Graph")
sync = access.sync(school, person)
{"red": st.error, "yellow": st.warning}.get(sync.level, st.info)(sync.words)
if sync.last_run is not None:
    figures = ", ".join(
        f"{number:,} {name.replace('_', ' ')}" for name, number in sync.last_run.figures.items() if number
    )
    say(
        "The last run began {when} and {how}: {figures}. {trouble}",
        when=moment(sync.last_run.started_at.astimezone(school.settings.zone)),
        how="ended well" if sync.last_run.ended_well else "did not end well", figures=figures or "nothing new",
        trouble=sync.last_run.trouble,
    )  # fmt: skip
if sync.configured and st.button("Sync now", icon=":material/sync:", disabled=sync.running):
    with st.status("Fetching call records", expanded=True) as status:
        line = st.empty()

        def show(words: str) -> None:
            line.text(words)

        good, words = access.sync_now(school, person, show)
        show(words)
        status.update(
            label="Fetched" if good else "Not all of it could be fetched", state="complete" if good else "error"
        )
if sync.put_aside:
    say(
        "{n} records could not be read. They are kept whole; `python -m app sync --retry` tries them again.",
        n=len(sync.put_aside),
    )
    rows = pd.DataFrame([{"Kind": p.kind, "Reference": p.ref, "Why": p.why, "Tries": p.tries} for p in sync.put_aside])
    table(rows, "Records put aside", "records put aside")

st.header("Import a file")
aside(
    "CSV or .xlsx with the columns that the manual lists. Good rows land, refused ones are listed below; the same file twice changes nothing. Call records come by the sync, or by `python -m app import calls`."
)
with st.form("import", clear_on_submit=True):
    kind = st.selectbox("What is in it?", list(_KINDS), format_func=_KINDS.__getitem__)
    file = st.file_uploader("The file", type=["csv", "xlsx"])
    sent = st.form_submit_button("Import", type="primary", icon=":material/upload:")
if sent and file is not None:
    content = (file.name, file.getvalue())
    try:
        result = intake.import_table(school, kind, content, by=person.staff_id)
        say(
            "{file}: {read} rows read, {added} new, {changed} changed, {unchanged} known already, {refused} refused.",
            file=file.name, read=result.read, added=result.added, changed=result.changed, unchanged=result.unchanged, refused=len(result.refused),
        )  # fmt: skip
        if result.unknown_columns:
            say("Columns that nobody knows were passed over: {columns}.", columns=", ".join(result.unknown_columns))
    except UnreadableFile as error:
        trouble("The file could not be read, and nothing was changed.", str(error))
    except DatabaseError as error:
        trouble("The file was not taken in.", str(error))

st.header("Refused rows")
refused = access.refused_rows(school, person)
if refused.empty:
    st.write("None: every row of every import could be used.")
else:
    say("{n} rows wait to be mended. Mend them where they came from and import the file again.", n=len(refused))
    rows = pd.DataFrame(
        {
            "From": refused["source"], "Row": refused["row"], "Column": refused["column"].fillna(""), "Value": refused["value"].fillna(""),
            "Why": refused["why"], "Mend": refused["mend"],
        }
    )  # fmt: skip
    table(rows, "Refused rows with their mend", "refused rows")

st.header("Imports")
done = access.imports(school, person)
if done.empty:
    st.write("Nothing has been imported yet. Begin with the roster: schools, staff, pupils.")
else:
    rows = done.assign(at=[moment(when) for when in done["at"]], by=done["by"].fillna("a command")).rename(
        columns=lambda name: name.capitalize()
    )
    table(rows, "Imports, the newest first", "imports")

st.header("Roster")
for name, people in access.roster(school, person).items():
    with st.expander(f"{name.capitalize()} ({len(people):,})"):
        table(
            people.astype(str).rename(columns=lambda column: column.replace("_", " ").capitalize()),
            f"The roster's {name}",
            f"roster {name}",
        )

st.header("How long records are kept")
years = school.settings.retention.model_dump()
rows = pd.DataFrame(
    [(_KEPT[kind], years[kind], on_day(first)) for kind, first in keeping(school).items()],
    columns=["What", "Years", "Kept from"],
)
table(rows, "How long each kind of record is kept", "how long records are kept", height="content")
aside("Set in the settings. Nothing goes by itself: `python -m app purge` on the server, first with `--dry-run`.")

st.header("Audit trail")
trail = access.audit_trail(school, person)
if trail.empty:
    st.write("Nothing is on it yet.")
else:
    say(
        "{n} entries, the newest first. `python -m app audit verify` proves that none was altered or removed.",
        n=f"{len(trail):,}",
    )
    rows = pd.DataFrame(
        {
            "Number": trail["id"],
            "When": [moment(when) for when in trail["at"]],
            "Who": trail["by"],
            "What": trail["what"],
            "About": trail["about"],
        }
    )
    table(rows, "The audit trail", "audit trail")
