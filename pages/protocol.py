"""Protocol: the clauses in the words of the version in force with this term's figures, and the what-if."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.access.administration import record_access
from app.access.overview import get_protocol_figures
from app.access.people import read_revision
from app.access.policy import get_scopes, may_open
from app.access.what_if import run_what_if
from app.judging import what_if
from app.reports import charts
from app.reports.inspection import describe_rules
from app.settings import Period, Rules, SettingsError, replace_figures
from app.ui.address import choose_one
from app.ui.clauses import show_clauses
from app.ui.labels import OUTCOME_WORDS
from app.ui.lists import as_listing, session_table, table, table_expander
from app.ui.shell import require
from app.ui.text import note, show_error, write_html
from app.ui.widgets import draw
from app.vocabulary.roles import Page, Resource

school, person = require(Page.PROTOCOL)
today = school.today()


def choose_version() -> date:
    """Let the person choose a day, and show the version of the protocol that was in force on it. Returns the day."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input("Version in force on", today, format="DD/MM/YYYY", width=180)
        version = school.settings.version_on(day)
        if version is None:
            write_html("No protocol was in force on that day.")
            return day
        review = "is due" if version.next_review and version.next_review >= today else "was due"
        write_html(
            "<b>{version.name}</b>, in force since {version.from_}. "
            + (f"Its review {review} on {{version.next_review}}." if version.next_review else ""),
            version=version,
        )
    return day


def show_settings(day: date) -> None:
    with st.expander("Settings in force on that day"):
        write_html("{words}", words=describe_rules(school.settings.rules_on(day)))


def show_protocol() -> None:
    day = choose_version()
    show_settings(day)
    version, term = school.settings.version_on(day), school.settings.term_on(today)
    figures = get_protocol_figures(school, person, (term.from_, today)) if term else None
    words = version.name if version else "today's version"
    show_clauses(figures, term.name if term else "Figures", words, with_lists=may_open(person, Page.OVERVIEW))
    note("Figures: the whole school, without counselling. Exempt counts as met.")


def show_what_if() -> None:
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
        st.session_state.pop("what if", None)
        try:
            checked = replace_figures(school.settings, asked).rules_on(term.to)
        except SettingsError as error:
            show_error("These settings cannot be used. Nothing was checked again.", str(error))
            return
        # A figure that is not changed here may have been another earlier in the term: only what was changed is replaced.
        figures = what_if.find_differences({name: getattr(checked, name) for name in what_if.FIGURES}, rules)
        if not figures:
            st.info("These are the settings in force. Change at least one of them.")
            return
        judge_again(term, {name: asked[name] for name in figures}, figures)
    key, *result = st.session_state.get("what if", [None])
    if key == (person.staff_id, term.name, read_revision(school)):
        asked, figures, changes = result
        show_changes(figures, changes)
        show_in_force(asked)


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


def judge_again(term: Period, asked: dict[str, Any], figures: dict[str, Any]) -> None:
    """Judge the sessions of a term again, and store the result in the session."""
    bar = st.progress(0.0, text=f"Checking the sessions of {term.name} again…")
    other = replace_figures(school.settings, asked)
    changes = run_what_if(school, person, (term.from_, term.to), other, bar.progress)
    bar.empty()
    record_access(school, person, "viewed", f"what if, {term.from_} to {term.to}")
    key = (person.staff_id, term.name, read_revision(school))
    st.session_state["what if"] = [key, asked, figures, changes]


def show_changes(figures: dict[str, Any], changes: what_if.WhatIf) -> None:
    st.header("What would change")
    words = what_if.describe(figures, changes)
    write_html("<b>{words}</b>", words=words)
    note(f"Of {changes.sessions:,} sessions, counselling left out.")
    if changes.clauses.empty:
        return
    draw(charts.draw_what_if_bars(changes.clauses), words)
    clauses = {
        "title": "Clause",
        "was_broken": "Breaches now",
        "would_be_broken": "Breaches then",
        "gained": "Newly met",
        "lost": "No longer met",
        "open": "Evidence gained or lost",
    }
    alt = "What would change, clause by clause"
    table_expander(changes.clauses.rename(columns=clauses), "what if by clause", alt)
    st.subheader("By department")
    departments = {
        "department": "Department",
        "sessions": "Sessions that change",
        "gained": "Checks newly met",
        "lost": "Checks no longer met",
    }
    alt, name = "What would change, by department", "what if by department"
    table(changes.departments.rename(columns=departments), alt, name)
    if len(changes.changes):
        show_sessions(changes.changes)


def show_sessions(changes: pd.DataFrame) -> None:
    st.subheader("The sessions")
    write_html("Every check that would change, newest session first. Select a row to open the session.")
    rows = changes.assign(
        staff_name=changes["staff_name"].fillna("unknown"),
        was=changes["was"].map(OUTCOME_WORDS),
        would_be=changes["would_be"].map(OUTCOME_WORDS),
    )
    columns = ["started_at", "staff_name", "department", "title", "was", "would_be"]
    headings = {"started_at": "When", "staff_name": "Staff", "title": "Clause", "was": "Now", "would_be": "Then"}
    listing = as_listing(rows, columns, **headings)
    ids = changes["session_id"].tolist()
    session_table(listing, ids, "Checks that would have another outcome", "what if sessions")


def show_in_force(asked: dict[str, Any]) -> None:
    st.header("Putting it into force")
    first = max(what_if.get_earliest_start(school.settings), today + timedelta(days=1))
    day = st.date_input("From", first, min_value=what_if.get_earliest_start(school.settings), format="DD/MM/YYYY")
    st.write(
        "Give these lines to the ICT administrator, to put at the end of the settings file (`data/protocol.toml`, or the "
        "one that `PROTOCOL_FILE` names) and restart the program. Sessions before that day keep their outcomes. "
        "The text of the protocol must say the same: enter its new version there too."
    )
    st.code(what_if.format_settings_entry(school.settings, asked, day), language="toml")


st.title("The protocol")
view = "clauses"
if get_scopes(person, Resource.WHAT_IF):
    views = {"clauses": "The clauses", "what-if": "What if"}
    view = choose_one("View", views, "clauses", "view", label_visibility="collapsed")
if view == "what-if":
    show_what_if()
else:
    show_protocol()
