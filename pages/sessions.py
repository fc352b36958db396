"""Sessions: the list, those to explain or resolve, repeated one-to-ones, and one session clause by clause."""

import pandas as pd
import streamlit as st

from app.access.breaches import list_breaches_to_explain, list_breaches_to_resolve
from app.access.policy import Person, get_scopes
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.formatting import how_many, moment
from app.school import School
from app.ui import address
from app.ui.address import choose_one
from app.ui.breaches import show_breaches
from app.ui.current import record_once
from app.ui.labels import STATUS_WORDS, describe_purpose
from app.ui.lists import as_listing, select_row, session_table
from app.ui.repeats import show_repeats
from app.ui.session_detail import show_reasons, show_session
from app.ui.shell import require
from app.ui.text import write_html
from app.ui.widgets import choose_days, filter_rows, link
from app.vocabulary import Page, Resource, Scope

_FILTERS = {"staff_name": "Staff", "department": "Department", "purpose": "Purpose"}
_SHOW = {
    "all": "All",
    "breach": "✗ Breach",
    "incomplete": "? Evidence missing",
    "unlogged": "Not logged",
    "disputed": "Log and call record disagree",
}


def show_all(school: School, person: Person) -> None:
    st.title("Sessions")
    to_resolve, to_explain = list_breaches_to_resolve(school, person), list_breaches_to_explain(school, person)
    views = {"list": "All sessions"}
    if len(to_explain):
        views = {"explain": f"To explain ({len(to_explain)})"} | views
    if len(to_resolve) or get_scopes(person, Resource.BREACHES) - {Scope.OWN}:
        views = {"resolve": f"To resolve ({len(to_resolve)})"} | views
    if get_scopes(person, Resource.REPEATED_ONE_TO_ONES):
        views["repeats"] = "Repeated one-to-ones"
    default = "list" if "show" in st.query_params else next(iter(views))
    view = "list"
    if len(views) > 1:
        said = address.get("view", default)
        view = choose_one(
            "View", views, "", "view", chosen=said if said in views else default, label_visibility="collapsed"
        )
    if view == "resolve":
        show_waiting(school, person, to_resolve, "resolve")
    elif view == "explain":
        show_waiting(school, person, to_explain, "explain")
    elif view == "repeats":
        show_repeats(school, person)
    else:
        show_list(school, person)


def show_waiting(school: School, person: Person, rows: pd.DataFrame, what: str) -> None:
    """Show sessions with open breaches one at a time: the oldest, or the one that is selected."""
    if rows.empty:
        st.success(f"Nothing to {what}.", icon=":material/check:")
        return
    oldest = int(rows["days"].max())
    write_html(
        "<b>{n}</b> to {what}, oldest first"
        + (" (<b>{oldest}</b> days). " if oldest else ". ")
        + ("Select a session." if len(rows) > 1 else ""),
        n="One session" if len(rows) == 1 else f"{len(rows):,} sessions",
        what=what,
        oldest=oldest,
    )
    listing = as_listing(
        rows.assign(
            staff_name=rows["staff_name"].fillna("unknown"),
            explained=rows["explained"].map({True: "yes", False: "not yet"}),
        ),
        ["started_at", "days", "explained", "clauses", "staff_name", "pupils"],
        started_at="When",
        clauses="Breaches",
        staff_name="Staff",
        days="Days",
    )
    if what == "explain":
        listing = listing.drop(columns=["Staff", "Explained"])
    ids = rows["session_id"].tolist()
    config = {
        "Days": st.column_config.NumberColumn(help="How long it has been waiting"),
        "Breaches": st.column_config.TextColumn(width="medium"),
    }
    said = address.get("chosen")
    chosen = int(said) if said.isdecimal() and int(said) in ids else ids[0]
    left, right = st.columns([3, 2], gap="large")
    with left:
        alt, name = f"Sessions to {what}", f"sessions to {what}"
        select_row(listing, ids, alt, name, choose_waiting, marked=chosen, column_config=config)
    with right:
        show_one_waiting(school, person, chosen)


def choose_waiting(number: int) -> None:
    address.put("chosen", str(number))


def show_one_waiting(school: School, person: Person, number: int) -> None:
    """Show what is needed to explain or resolve a session's breaches without opening it."""
    view = get_session(school, person, number)
    if view is None:
        return
    record_once(school, person, "viewed", f"session {number}")
    st.subheader(moment(view.started_at), anchor=False)
    write_html(
        "<b>{staff}</b> with {pupils}",
        staff=view.staff_name or "Unknown",
        pupils=", ".join(view.pupils["name"]) or "no pupil known",
    )
    show_reasons(view.clauses[view.clauses["outcome"] == "breach"])
    show_breaches(school, person, view)
    link(Page.SESSIONS, "Open the session", query={"session": str(number)})


def show_list(school: School, person: Person) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school)
    rows = list_sessions(school, person, days)
    if rows.empty:
        st.info("No sessions to show for these dates. Choose other dates, or log a session.")
        return
    rows = filter_list(rows)
    broken, gaps = int((rows["status"] == "breach").sum()), int((rows["status"] == "incomplete").sum())
    write_html(
        "<b>{sessions}</b>, newest first: <b>{broken:,}</b> with a breach, <b>{gaps:,}</b> without enough evidence. "
        "Select a row to open a session.",
        sessions=how_many(len(rows), "session"),
        broken=broken,
        gaps=gaps,
    )
    if rows.empty:
        st.info("No matches for these dates.")
        return
    ids = rows["session_id"].tolist()
    config = {"Pupils": st.column_config.TextColumn(width="medium")}
    session_table(list_columns(rows), ids, "Sessions", "sessions", column_config=config)


def filter_list(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that the filters leave."""
    shown = choose_one("Show", _SHOW, "all", "show")
    with st.expander("Filters"):
        rows = filter_rows(rows, _FILTERS, describe_purpose)
    if shown in ("breach", "incomplete"):
        rows = rows[rows["status"] == shown]
    elif shown == "unlogged":
        rows = rows[rows["unlogged"]]
    elif shown == "disputed":
        rows = rows[rows["disputed"]]
    return rows


def list_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Sessions as people see them in a list."""
    return pd.DataFrame(
        {
            "When": rows["started_at"],
            "Protocol": rows["status"].map(STATUS_WORDS),
            "Staff": rows["staff_name"].fillna("unknown"),
            "Pupils": rows["pupils"].mask(rows["withheld"].astype(bool), "confidential"),
            "Breaches": rows["n_breach"],
            "No evidence": rows["n_gaps"],
            "Log and record": rows["disputed"].map({True: "disagree", False: ""}),
            "Purpose": rows["purpose"].map(describe_purpose),
            "Department": rows["department"].fillna(""),
        }
    )


school, person = require(Page.SESSIONS)
if "session" in st.query_params:
    show_session(school, person, st.query_params["session"])
else:
    show_all(school, person)
