"""The list of all sessions that the person may open, with its filters."""

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.sessions import list_session_pupils, list_sessions
from app.formatting import how_many
from app.protocol.clauses import title_of
from app.school import School
from app.ui import address
from app.ui.filters import Filter, make_filter, show_filters
from app.ui.labels import STATUS_WORDS, describe_purpose
from app.ui.lists import session_table
from app.ui.text import write_html
from app.ui.widgets import choose_days, link
from app.vocabulary.roles import Page
from app.vocabulary.terms import Status


def show_all_sessions(school: School, person: Person) -> None:
    """Show the sessions of some days that the filters leave."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school)
        rows = list_sessions(school, person, days)
        if len(rows):
            pupils = list_session_pupils(school, person, days)
            rows = rows[show_filters(rows["session_id"], _list_filters(rows, pupils))]
    if rows.empty and not any(address.get_all(name) for name in ("staff", "pupils", "year", "house", "clause")):
        st.info("No sessions to show for these dates. Choose other dates, or log a session.")
        link(Page.LOG, "Log a session")
        return
    rows = _choose_kind(rows)
    if rows.empty:
        st.info("No matches. Remove a filter, or choose other dates.")
        return
    broken = int((rows["status"] == "breach").sum())
    write_html(
        "<b>{sessions}</b>, newest first; <b>{broken:,}</b> with a breach. Select a row to open the session.",
        sessions=how_many(len(rows), "session"),
        broken=broken,
    )
    show_sessions(rows, "Sessions", "sessions")


def _choose_kind(rows: pd.DataFrame) -> pd.DataFrame:
    """Let the person choose the kind of sessions, each shown with its count. Returns the sessions of that kind."""
    kinds = {
        "all": ("All", pd.Series(data=True, index=rows.index)),
        "breach": (STATUS_WORDS[Status.BREACH], rows["status"] == Status.BREACH),
        "incomplete": (STATUS_WORDS[Status.INCOMPLETE], rows["status"] == Status.INCOMPLETE),
        "unlogged": ("Unlogged", rows["unlogged"].astype(bool)),
        "disputed": ("Log and call record disagree", rows["disputed"].astype(bool)),
    }
    labels = {kind: f"{label} {int(chosen.sum()):,}" for kind, (label, chosen) in kinds.items()}
    return rows[kinds[address.choose_one("Show", labels, "all", "show", label_visibility="collapsed")][1]]


def _list_filters(rows: pd.DataFrame, pupils: pd.DataFrame) -> list[Filter]:
    ids = rows["session_id"]
    clauses = rows[["session_id", "breaches"]].explode("breaches").dropna()
    titles = clauses["breaches"].map(title_of)
    purposes = rows["purpose"].fillna("none")
    who, names = pupils["session_id"], pupils["name"] + ", year " + pupils["year_group"]
    return [
        make_filter("staff", "Staff", ids, rows["staff_id"], rows["staff_name"]),
        make_filter("pupils", "Pupil", who, pupils["pupil_id"], names),
        make_filter("year", "Year", who, pupils["year_group"], pupils["year_group"]),
        make_filter("house", "House", who, pupils["house"].replace("", None), pupils["house"]),
        make_filter("clause", "Clause with a breach", clauses["session_id"], clauses["breaches"], titles),
        make_filter("department", "Department", ids, rows["department"].replace("", None), rows["department"]),
        make_filter("purpose", "Purpose", ids, purposes, rows["purpose"].map(describe_purpose)),
    ]


def show_sessions(rows: pd.DataFrame, alt: str, name: str) -> None:
    """Show a list of sessions, with the most important columns on the left."""
    listing = pd.DataFrame(
        {
            "When": rows["started_at"],
            "Protocol": rows["status"].map(STATUS_WORDS),
            "Breaches": rows["n_breach"],
            "No evidence": rows["n_gaps"],
            "Logged": (~rows["unlogged"].astype(bool)).map({True: "", False: "unlogged"}),
            "Staff": rows["staff_name"].fillna("unknown"),
            "Pupils": rows["pupils"].mask(rows["withheld"].astype(bool), "confidential"),
            "Purpose": rows["purpose"].map(describe_purpose),
            "Log and record": rows["disputed"].map({True: "disagree", False: ""}),
            "Department": rows["department"].fillna(""),
        }
    )
    config = {
        "Breaches": st.column_config.NumberColumn(width=75, help="Clauses with a breach"),
        "No evidence": st.column_config.NumberColumn(width=95, help="Clauses for which there is no evidence"),
        "Logged": st.column_config.TextColumn(width=80),
        "Staff": st.column_config.TextColumn(width=140),
        "Pupils": st.column_config.TextColumn(width=200),
    }
    session_table(listing, rows["session_id"].tolist(), alt, name, column_config=config)
