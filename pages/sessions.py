"""Sessions: the list, calls nobody logged, and one session explained clause by clause."""

import pandas as pd
import streamlit as st

from app.access.breaches import list_breaches_to_explain, list_breaches_to_resolve
from app.access.policy import Person, scopes
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.formatting import how_many, moment
from app.school import School
from app.ui.breaches import show_breaches
from app.ui.current import seen
from app.ui.labels import STATUS_WORDS, describe_purpose
from app.ui.repeats import show_repeats
from app.ui.session_detail import reasons, show_session
from app.ui.shell import require
from app.ui.text import write_html
from app.ui.widgets import choose_days, filtered, table
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
    if len(to_resolve) or scopes(person, Resource.BREACHES) - {Scope.OWN}:
        views = {"resolve": f"To resolve ({len(to_resolve)})"} | views
    if scopes(person, Resource.REPEATED_ONE_TO_ONES):
        views["repeats"] = "Repeated one-to-ones"
    wanted = st.query_params.get("view", "list" if "show" in st.query_params else next(iter(views)))
    view: str | None = "list"
    if len(views) > 1:
        view = st.segmented_control(
            "View",
            list(views),
            format_func=views.__getitem__,
            default=wanted if wanted in views else "list",
            key=f"sessions view {person.staff_id}",
            required=True,
            label_visibility="collapsed",
        )
    if view == "resolve":
        show_waiting(school, person, to_resolve, "resolve", "Nothing to resolve.")
    elif view == "explain":
        show_waiting(school, person, to_explain, "explain", "Nothing to explain.")
    elif view == "repeats":
        show_repeats(school, person)
    else:
        show_list(school, person)


def show_waiting(school: School, person: Person, rows: pd.DataFrame, what: str, nothing: str) -> None:
    """Sessions with open breaches, one after the other: the oldest, or the one that is selected."""
    if rows.empty:
        st.success(nothing, icon=":material/check:")
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
    first, others = st.columns([2, 3], gap="large")
    listing = pd.DataFrame(
        {
            "When": [moment(when) for when in rows["started_at"]],
            "Breaches": rows["clauses"],
            "Staff": rows["staff_name"].fillna("unknown"),
            "Pupils": rows["pupils"],
            "Explained": rows["explained"].map({True: "yes", False: "not yet"}),
            "Waiting (days)": rows["days"],
        }
    )
    if what == "explain":
        listing = listing.drop(columns=["Staff", "Explained"])
    with others:
        event = table(
            listing,
            f"Sessions to {what}",
            f"sessions to {what}",
            on_select="rerun",
            selection_mode="single-row",
            key=f"waiting {what} {person.staff_id} {len(rows)} {rows['session_id'].iloc[0]}",
            height="content" if len(rows) < 14 else 520,
            column_config={"Breaches": st.column_config.TextColumn(width="medium")},
        )
    chosen = event["selection"]["rows"]
    with first:
        show_one_waiting(school, person, int(rows["session_id"].iloc[chosen[0] if chosen else 0]))


def show_one_waiting(school: School, person: Person, number: int) -> None:
    """What is needed to explain or resolve a session without opening it."""
    view = get_session(school, person, number)
    if view is None:
        return
    seen(school, person, f"session {number}")
    st.subheader(moment(view.started_at), anchor=False)
    write_html(
        "<b>{staff}</b> with {pupils}",
        staff=view.staff_name or "Unknown",
        pupils=", ".join(view.pupils["name"]) or "no pupil known",
    )
    reasons(view.clauses[view.clauses["outcome"] == "breach"])
    show_breaches(school, person, view)
    st.page_link(
        "pages/sessions.py", label="Open the session", icon=":material/groups:", query_params={"session": str(number)}
    )


def show_list(school: School, person: Person) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school, "sessions")
    rows = list_sessions(school, person, days)
    if rows.empty:
        st.info("No sessions to show for these dates. Choose other dates, or log a session.")
        return
    shown, rows = filter_list(rows)
    broken, gaps = int((rows["status"] == "breach").sum()), int((rows["status"] == "incomplete").sum())
    write_html(
        "<b>{sessions}</b>, newest first: <b>{broken}</b> with a breach, <b>{gaps}</b> without enough evidence. "
        "Select a row to open a session.",
        sessions=how_many(len(rows), "session"),
        broken=f"{broken:,}",
        gaps=f"{gaps:,}",
    )
    if rows.empty:
        st.info("No matches for these dates.")
        return
    # A list keeps the position of a selected row when its rows change, so each list has a key of its own.
    key = f"sessions {person.staff_id} {days} {shown} {len(rows)} {rows['session_id'].iloc[0]}"
    event = table(
        as_listing(rows),
        "Sessions",
        "sessions",
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        height=520,
        column_config={"Pupils": st.column_config.TextColumn(width="medium")},
    )
    if event["selection"]["rows"]:
        st.query_params["session"] = str(int(rows["session_id"].iloc[event["selection"]["rows"][0]]))
        st.rerun()


def filter_list(rows: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Which kind of session is shown, and the rows that the filters leave."""
    wanted = st.query_params.get("show", "all")
    shown = st.segmented_control(
        "Show",
        list(_SHOW),
        format_func=_SHOW.__getitem__,
        default=wanted if wanted in _SHOW else "all",
        key="sessions show",
        required=True,
    )
    with st.expander("Filters"):
        for place, (column, label) in zip(st.columns(3), _FILTERS.items(), strict=True):
            with place:
                words = describe_purpose if column == "purpose" else str
                rows = filtered(rows, column, label, f"sessions {column}", words)
    if shown in ("breach", "incomplete"):
        rows = rows[rows["status"] == shown]
    elif shown == "unlogged":
        rows = rows[~rows["logged"]]
    elif shown == "disputed":
        rows = rows[rows["disputed"]]
    return str(shown), rows


def as_listing(rows: pd.DataFrame) -> pd.DataFrame:
    """Sessions as people see them in a list."""
    return pd.DataFrame(
        {
            "When": [moment(when) for when in rows["started_at"]],
            "Protocol": rows["status"].map(STATUS_WORDS),
            "Staff": rows["staff_name"].fillna("unknown"),
            "Pupils": rows["pupils"].mask(rows["withheld"].astype(bool), "confidential"),
            "Purpose": rows["purpose"].map(describe_purpose),
            "Department": rows["department"].fillna(""),
            "Breaches": rows["n_breach"],
            "No evidence": rows["n_gaps"],
            "Log and record": rows["disputed"].map({True: "disagree", False: ""}),
        }
    )


school, person = require(Page.SESSIONS)
if "session" in st.query_params:
    show_session(school, person, st.query_params["session"])
else:
    show_all(school, person)
