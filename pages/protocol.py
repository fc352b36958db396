"""Protocol: the clauses in the words of a version with this term's figures, the what-if and the settings."""

from datetime import date
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
from app.settings import Rules, SettingsError, Term, replace_figures
from app.ui.address import choose_one
from app.ui.clauses import show_clauses
from app.ui.confirmations import show_confirmations
from app.ui.labels import OUTCOME_WORDS
from app.ui.lists import as_listing, session_table, table, table_expander
from app.ui.protocol.figures import ask_figures, open_figures
from app.ui.protocol.managing import show_settings
from app.ui.protocol.remote_learning import offer_today
from app.ui.shell import require
from app.ui.text import as_plain_text, note, show_error, write_html
from app.ui.widgets import draw, show_confirmation
from app.vocabulary.roles import Page, Resource, Scope

school, person = require(Page.PROTOCOL)
today = school.today()


def choose_version() -> date:
    """Let the person choose a day, and show the version of the protocol in force on it. Returns the day."""
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


def show_rules(day: date) -> None:
    with st.expander("Settings in force on that day"):
        write_html("{words}", words=describe_rules(school.settings.rules_on(day)))


def show_protocol() -> None:
    day = choose_version()
    show_rules(day)
    version, term = school.settings.version_on(day), school.settings.term_on(today)
    figures = get_protocol_figures(school, person, (term.from_, today)) if term else None
    show_clauses(figures, term.name if term else "Figures", version, with_lists=may_open(person, Page.OVERVIEW))
    note("Figures: the whole school, without counselling. Exempt counts as met.")


def show_what_if() -> None:
    st.write(
        "Try other settings on the sessions of a term, and compare the outcomes. Nothing is saved, and nobody else sees "
        "the result. Counselling is not included."
    )
    terms = [t for t in school.settings.terms if t.from_ <= today]
    if not terms:
        st.info("No term has begun yet. The Senior Deputy Head enters the terms under Settings.")
        return
    terms.sort(key=lambda t: t.from_, reverse=True)
    term = st.selectbox("Term", terms, index=min(1, len(terms) - 1), format_func=lambda t: t.name, key="what if term")
    rules = school.settings.rules_on(min(term.to, today))
    asked = read_form(rules, term)
    if asked is not None:
        st.session_state.pop("what if", None)
        try:
            checked = replace_figures(school.settings, asked).rules_on(term.to)
        except SettingsError as error:
            show_error("These settings are not valid. Nothing was checked.", str(error))
            return
        # A figure not changed here may have been different earlier in the term, so only changed figures are replaced.
        figures = what_if.find_differences({name: getattr(checked, name) for name in asked}, rules)
        if not figures:
            st.info("These are the settings in force. Change at least one of them.")
            return
        judge_again(term, {name: asked[name] for name in figures}, figures)
    key, *result = st.session_state.get("what if", [None])
    if key == (person.staff_id, term.name, read_revision(school)):
        asked, figures, changes = result
        show_changes(figures, changes)
        if get_scopes(person, Resource.PROTOCOL_SETTINGS) and st.button("Put these into force…", key="put into force"):
            open_figures(school, person, today, asked)


def read_form(rules: Rules, term: Term) -> dict[str, Any] | None:
    """The figures typed, in the format of the settings file; None until the form is sent."""
    with st.form(f"what if {term.name}"):
        asked = ask_figures(rules, f"what if {term.name}", with_all=False)
        return asked if st.form_submit_button("Run", type="primary") else None


def judge_again(term: Term, asked: dict[str, Any], figures: dict[str, Any]) -> None:
    """Judge the sessions of a term again, and store the result in the session state."""
    bar = st.progress(0.0, text=f"Checking the sessions of {as_plain_text(term.name)} again…")
    other = replace_figures(school.settings, asked)
    changes = run_what_if(school, person, (term.from_, term.to), other, bar.progress)
    bar.empty()
    record_access(school, person, "viewed", f"what if, {term.from_} to {term.to}")
    key = (person.staff_id, term.name, read_revision(school))
    st.session_state["what if"] = [key, asked, figures, changes]


def show_changes(figures: dict[str, Any], changes: what_if.WhatIf) -> None:
    st.header("What would change")
    words = what_if.describe(f"With {what_if.describe_figures(figures)}", changes)
    write_html("<b>{words}</b>", words=words)
    note(f"Of {changes.sessions:,} sessions, counselling left out.")
    if changes.clauses.empty:
        return
    draw(charts.draw_what_if_bars(changes.clauses), words)
    clauses = {
        "title": "Clause",
        "was_broken": "Breaches now",
        "would_be_broken": "Breaches with the change",
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
    headings = {
        "started_at": "When",
        "staff_name": "Staff",
        "title": "Clause",
        "was": "Now",
        "would_be": "With the change",
    }
    listing = as_listing(rows, columns, **headings)
    ids = changes["session_id"].tolist()
    session_table(listing, ids, "Checks that would have another outcome", "what if sessions")


st.title("The protocol")
show_confirmation()
views = {"clauses": "The clauses"}
if get_scopes(person, Resource.WHAT_IF):
    views["what-if"] = "What if"
if get_scopes(person, Resource.PROTOCOL_SETTINGS):
    views["settings"] = "Settings"
    offer_today(school, person)
if Scope.ALL in get_scopes(person, Resource.CONFIRMATIONS):
    views["confirmations"] = "Read and understood"
view = choose_one("View", views, "clauses", "view", label_visibility="collapsed") if len(views) > 1 else "clauses"
if view == "settings":
    show_settings(school, person)
elif view == "what-if":
    show_what_if()
elif view == "confirmations":
    show_confirmations(school, person)
else:
    show_protocol()
