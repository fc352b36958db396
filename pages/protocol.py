"""Protocol: the clauses in plain words with this term's figures, and the version in force."""

import streamlit as st

from app import access
from app.protocol import CLAUSES
from app.screen import aside, on_day, percent, require, say

school, person = require("protocol")
today = school.today()
st.title("The protocol")

day = st.date_input("The version in force on", today, format="DD/MM/YYYY")
version = school.settings.version_on(day)
if version is None:
    st.info("On that day there was no protocol yet.")
else:
    say("<b>{name}</b>, in force since {day}.", name=version.name, day=on_day(version.from_))
    if version.next_review and version.next_review < today:
        st.warning(
            f"Its review was due on {on_day(version.next_review)} and no newer version has been entered.",
            icon=":material/event_busy:",
        )
    elif version.next_review:
        say("Next review: {day}.", day=on_day(version.next_review))

rules = school.settings.rules_on(day)
slots = "; ".join(f"{s.name} {s.from_:%H:%M}–{s.to:%H:%M} ({', '.join(s.days)})" for s in rules.one_to_one_slots)
with st.expander("The figures in force on that day"):
    say(
        "Academic tuition {a} to {b}. One-to-ones: {slots}. Grace when joining and leaving: {grace} seconds. Camera on "
        "for at least {camera} of the time. Time to log a call: {log} hours. A log and its call may lie {match} "
        "minutes apart.",
        a=f"{rules.academic_hours[0]:%H:%M}", b=f"{rules.academic_hours[1]:%H:%M}", slots=slots,
        grace=f"{rules.grace_seconds:g}", camera=f"{rules.camera_share:.0%}", log=f"{rules.log_within_hours:g}",
        match=f"{rules.match_minutes:g}",
    )  # fmt: skip

term = school.settings.term_on(today)
told = access.protocol_figures(school, person, (term.from_, today)) if term else None
if term:
    say("The figures are those of {term}, the whole school, without counselling.", term=term.name)

for heading, of in (("All sessions", "all"), ("Pastoral one-to-ones in remote learning", "one_to_one")):
    st.header(heading)
    for clause in (c for c in CLAUSES if c.of == of):
        with st.container(border=True):
            left, right = st.columns([3, 1])
            with left:
                st.subheader(clause.title)
                st.write(clause.words)
                aside(f"Applies to: {clause.applies}. Decided by: {clause.decided_by} Source: {clause.section}.")
            with right:
                if told is None:
                    continue
                row = told.loc[clause.name]
                kept = int(row["met"] + row["exempt"])
                shown = kept + int(row["breach"])
                st.markdown(f"**{percent(row['rate'], kept, shown)}**" if shown else "**No session yet**")
                if shown:
                    aside("kept, or covered by an exception")
                if row["no_evidence"]:
                    aside(f"{int(row['no_evidence']):,} without evidence")
