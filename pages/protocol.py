"""Protocol: the clauses in plain words with this term's figures, the version in force, and the what-if."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.access.administration import record_access
from app.access.overview import get_protocol_figures
from app.access.people import read_revision
from app.access.policy import Person, scopes
from app.access.what_if import run_what_if
from app.formatting import moment, on_day, with_counts
from app.judging import what_if
from app.protocol.clause import Heading
from app.protocol.clauses import CLAUSES
from app.reports import charts
from app.school import School
from app.settings import Period, Rules, SettingsError, changed
from app.ui.labels import OUTCOME_WORDS
from app.ui.shell import require
from app.ui.text import note, show_error, write_html
from app.ui.widgets import draw, table, table_expander
from app.vocabulary import Page, Resource


def show_version(school: School, today: date) -> None:
    day = st.date_input("Version in force on", today, format="DD/MM/YYYY")
    version = school.settings.version_on(day)
    if version is None:
        st.info("No protocol was in force on that day.")
    else:
        write_html("<b>{name}</b>, in force since {day}.", name=version.name, day=on_day(version.from_))
        if version.next_review and version.next_review < today:
            st.warning(
                f"The protocol was due for review on {on_day(version.next_review)}.", icon=":material/event_busy:"
            )
        elif version.next_review:
            write_html("Next review: {day}.", day=on_day(version.next_review))

    rules = school.settings.rules_on(day)
    slots = "; ".join(f"{s.name} {s.from_:%H:%M}–{s.to:%H:%M} ({', '.join(s.days)})" for s in rules.one_to_one_slots)
    with st.expander("Settings in force on that day"):
        write_html(
            "Academic tuition {a} to {b}. One-to-ones: {slots}. Grace when joining and leaving: {grace} seconds. Camera on "
            "for at least {camera} of the time. Time to log a call: {log} hours. A log and its call may lie {match} "
            "minutes apart.",
            a=f"{rules.academic_hours[0]:%H:%M}",
            b=f"{rules.academic_hours[1]:%H:%M}",
            slots=slots,
            grace=f"{rules.grace_seconds:g}",
            camera=f"{rules.camera_share:.0%}",
            log=f"{rules.log_within_hours:g}",
            match=f"{rules.match_minutes:g}",
        )


def show_clauses(school: School, person: Person, today: date) -> None:
    term = school.settings.term_on(today)
    told = get_protocol_figures(school, person, (term.from_, today)) if term else None
    if term:
        write_html("Figures: {term}, whole school, without counselling.", term=term.name)
    for heading, title in (
        (Heading.GENERAL, "All sessions"),
        (Heading.ONE_TO_ONE, "Pastoral one-to-ones in remote learning"),
    ):
        st.header(title)
        for clause in (c for c in CLAUSES.values() if c.reference.heading == heading):
            with st.container(border=True):
                left, right = st.columns([3, 1])
                with left:
                    st.subheader(clause.title)
                    st.write(clause.words)
                    note(
                        f"Applies to: {clause.applies_to}. Decided by: {clause.decided_by} Source: {clause.reference}."
                    )
                with right:
                    if told is None:
                        continue
                    row = told.loc[clause.name]
                    kept = int(row["met"] + row["exempt"])
                    shown = kept + int(row["breach"])
                    st.markdown(f"**{with_counts(row['rate'], kept, shown)}**" if shown else "**No sessions yet**")
                    if shown:
                        note("met or exempt")
                    if row["no_evidence"]:
                        note(f"{int(row['no_evidence']):,} without evidence")


# --- what if ----------------------------------------------------------------------------------------------


def show_what_if(school: School, person: Person, today: date) -> None:
    st.write(
        "Try other settings: the sessions of a term are checked again and compared with their outcomes. Nothing is saved, "
        "and nobody else sees the result. Counselling is left out."
    )
    terms = [t for t in school.settings.terms if t.from_ <= today]
    if not terms:
        st.info("No term has begun yet. The ICT administrator enters the terms in the settings file.")
        return
    terms.sort(key=lambda t: t.from_, reverse=True)
    term = st.selectbox("Term", terms, index=min(1, len(terms) - 1), format_func=lambda t: t.name, key="what if term")
    rules = school.settings.rules_on(min(term.to, today))
    asked = ask_figures(rules, term)
    if asked is not None:
        try:
            checked = changed(school.settings, asked).rules_on(term.to)
        except SettingsError as error:
            show_error("These settings cannot be used. Nothing was checked again.", str(error))
            st.session_state.pop("what if", None)
            return
        # A figure that stays as it is may have been another earlier in the term: only what was changed is replaced.
        figures = what_if.differing({name: getattr(checked, name) for name in what_if.FIGURES}, rules)
        if not figures:
            st.session_state.pop("what if", None)
            st.info("These are the settings in force. Change at least one of them.")
            return
        judge_again(school, person, term, {name: asked[name] for name in figures}, figures)
    key, *kept = st.session_state.get("what if", [None])
    if key == (person.staff_id, term.name, read_revision(school)):
        asked, figures, found = kept
        show_changes(figures, found)
        show_in_force(school, asked, today)


def ask_figures(rules: Rules, term: Period) -> dict[str, Any] | None:
    """The figures typed, as the settings file has them; None until they are sent."""
    with st.form(f"what if {term.name}"):
        row = st.columns(5)
        begins = row[0].text_input("Tuition from", f"{rules.academic_hours[0]:%H:%M}")
        ends = row[1].text_input("Tuition until", f"{rules.academic_hours[1]:%H:%M}")
        grace = row[2].number_input("Grace (seconds)", value=float(rules.grace_seconds), step=5.0, format="%g")
        share = row[3].number_input("Camera on (% of the time)", value=rules.camera_share * 100, step=5.0, format="%g")
        hours = row[4].number_input("Time to log (hours)", value=float(rules.log_within_hours), step=24.0, format="%g")
        st.write("Times for one-to-ones. You can add and remove rows.")
        slots = st.data_editor(
            pd.DataFrame(
                [[s.name, ", ".join(s.days), f"{s.from_:%H:%M}", f"{s.to:%H:%M}"] for s in rules.one_to_one_slots],
                columns=["Name", "Days", "From", "Until"],
            ),
            num_rows="dynamic",
            hide_index=True,
            key=f"what if slots {term.name}",
        )
        if not st.form_submit_button("Run", type="primary"):
            return None
    cells = slots.fillna("").astype(str).apply(lambda column: column.str.strip())
    return {
        "academic_hours": [begins.strip(), ends.strip()],
        "grace_seconds": grace,
        "camera_share": share / 100,
        "log_within_hours": hours,
        "one_to_one_slots": [
            {"name": name, "days": [d.strip().lower() for d in days.split(",") if d.strip()], "from": begin, "to": end}
            for name, days, begin, end in cells.itertuples(index=False)
            if name or days or begin or end
        ],
    }


def judge_again(school: School, person: Person, term: Period, asked: dict[str, Any], figures: dict[str, Any]) -> None:
    bar = st.progress(0.0, text=f"Checking the sessions of {term.name} again…")

    def show_share(share: float) -> None:
        bar.progress(share)

    found = run_what_if(school, person, (term.from_, term.to), asked, show_share)
    bar.empty()
    record_access(school, person, "viewed", f"what if, {term.from_} to {term.to}")
    key = (person.staff_id, term.name, read_revision(school))
    st.session_state["what if"] = [key, asked, figures, found]


def show_changes(figures: dict[str, Any], found: what_if.WhatIf) -> None:
    st.header("What would change")
    words = what_if.sentence(figures, found)
    write_html("<b>{words}</b>", words=words)
    note(f"Of {found.sessions:,} sessions, counselling left out.")
    if found.clauses.empty:
        return
    draw(charts.what_if_bars(found.clauses), words)
    table_expander(
        found.clauses.rename(
            columns={
                "title": "Clause",
                "was_broken": "Breaches now",
                "would_be_broken": "Breaches then",
                "gained": "Newly met",
                "lost": "No longer met",
                "open": "Evidence gained or lost",
            }
        ),
        "what if by clause",
        "What would change, clause by clause",
    )
    st.subheader("By department")
    table(
        found.departments.rename(
            columns={
                "department": "Department",
                "sessions": "Sessions that change",
                "gained": "Checks newly met",
                "lost": "Checks no longer met",
            }
        ),
        "What would change, by department",
        "what if by department",
    )
    if len(found.changes):
        show_sessions(found.changes)


def show_sessions(changes: pd.DataFrame) -> None:
    st.subheader("The sessions")
    write_html("Every check that would change, newest session first. Select a row to open the session.")
    event = table(
        pd.DataFrame(
            {
                "When": [moment(when) for when in changes["started_at"]],
                "Staff": changes["staff_name"].fillna("unknown"),
                "Department": changes["department"].fillna(""),
                "Clause": changes["title"],
                "Now": changes["was"].map(OUTCOME_WORDS),
                "Then": changes["would_be"].map(OUTCOME_WORDS),
            }
        ),
        "Checks that would have another outcome",
        "what if sessions",
        on_select="rerun",
        selection_mode="single-row",
        key=f"what if sessions {len(changes)} {changes['session_id'].iloc[0]}",
        height="content" if len(changes) < 14 else 520,
    )
    if event["selection"]["rows"]:
        number = int(changes["session_id"].iloc[event["selection"]["rows"][0]])
        st.switch_page("pages/sessions.py", query_params={"session": str(number)})


def show_in_force(school: School, asked: dict[str, Any], today: date) -> None:
    st.header("Putting it into force")
    first = max(what_if.first_day(school.settings), today + timedelta(days=1))
    day = st.date_input("From", first, min_value=what_if.first_day(school.settings), format="DD/MM/YYYY")
    st.write(
        "Give these lines to the ICT administrator, to put at the end of the settings file (`data/protocol.toml`, or the "
        "one that `PROTOCOL_FILE` names) and restart the program. Sessions before that day keep their outcomes. "
        "The text of the protocol must say the same: enter its new version there too."
    )
    st.code(what_if.in_force(school.settings, asked, day), language="toml")


school, person = require(Page.PROTOCOL)
today = school.today()
st.title("The protocol")
view = "clauses"
if scopes(person, Resource.WHAT_IF):
    view = (
        st.segmented_control(
            "View",
            ["clauses", "what if"],
            format_func={"clauses": "The clauses", "what if": "What if"}.__getitem__,
            default="what if" if st.query_params.get("view") == "what-if" else "clauses",
            key="protocol view",
            required=True,
            label_visibility="collapsed",
        )
        or "clauses"
    )
if view == "what if":
    show_what_if(school, person, today)
else:
    show_version(school, today)
    show_clauses(school, person, today)
