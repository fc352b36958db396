"""Sessions with open breaches, one after another: the list on the left, the chosen session on the right."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.session_detail import get_session
from app.formatting import how_many, moment
from app.school import School
from app.ui import address
from app.ui.current import record_once
from app.ui.deadlines import DUE, style_due
from app.ui.lists import as_listing, select_row
from app.ui.sessions.breaches import show_breaches
from app.ui.sessions.detail import show_people, show_reasons
from app.ui.text import write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page

_COLUMNS = ["started_at", "due", "explained", "days", "clauses", "staff_name", "pupils"]
_HEADINGS = {"started_at": "When", "days": "Waiting", "clauses": "Breaches", "staff_name": "Staff"}


def show_waiting(school: School, person: Person, rows: pd.DataFrame, what: str) -> None:
    """Show sessions from `list_breaches_to_resolve` or `list_breaches_to_explain`. `what` is "resolve" or "explain"."""
    if rows.empty:
        st.success(f"Nothing to {what}.", icon=":material/check:")
        return
    left, right = st.columns([3, 2], gap="large")
    ids = [int(number) for number in rows["session_id"]]
    chosen = get_chosen(ids)
    with left:
        show_waiting_list(school, rows, what, chosen)
    with right:
        show_chosen(school, person, chosen, ids)


def get_chosen(ids: list[int]) -> int:
    """The session that the address names, or the first."""
    chosen = address.get("chosen")
    return int(chosen) if chosen.isdecimal() and int(chosen) in ids else ids[0]


def show_waiting_list(school: School, rows: pd.DataFrame, what: str, chosen: int, **more: Any) -> None:
    """Show the list, oldest first, with the chosen session marked."""
    oldest, overdue = int(rows["days"].max()), int((rows["due"] < school.today()).sum())
    write_html(
        "<b>{n}</b> to {what}, oldest first"
        + ("; oldest <b>{oldest}</b>" if oldest else "")
        + ("; <b>{overdue:,}</b> overdue." if overdue else "."),
        overdue=overdue,
        n="One session" if len(rows) == 1 else f"{len(rows):,} sessions",
        what=what,
        oldest=how_many(oldest, "day"),
    )
    explained = rows["explained"].map({True: "yes", False: "not yet"})
    listing = as_listing(
        rows.assign(staff_name=rows["staff_name"].fillna("unknown"), explained=explained), _COLUMNS, **_HEADINGS
    )
    if what == "explain":
        listing = listing.drop(columns=["Staff", "Explained"])
    config = {
        DUE: st.column_config.DateColumn(width=145, help="The last day on which it is resolved in time"),
        "Waiting": st.column_config.NumberColumn(format="%d d", width=75, help="Days since the breach was found"),
        "Explained": st.column_config.TextColumn(width=80, help="Whether the member of staff said what happened"),
        "Breaches": st.column_config.TextColumn(width=150),
        "Staff": st.column_config.TextColumn(width=125),
        "Pupils": st.column_config.TextColumn(width=160),
    }
    alt, name = f"Sessions to {what}", f"sessions to {what}"
    ids = [int(number) for number in rows["session_id"]]
    style = partial(style_due, today=school.today())
    select_row(listing, ids, alt, name, choose, marked=chosen, column_config=config, style=style, **more)


def choose(number: int) -> None:
    address.put("chosen", str(number))


def find_following(ids: list[int], number: int) -> int | None:
    """The id after the given one, wrapping round at the end; None if there is no other."""
    place = ids.index(number)
    return next(iter([*ids[place + 1 :], *ids[:place]]), None)


def show_chosen(school: School, person: Person, number: int, ids: list[int]) -> None:
    """Show what is needed to explain or resolve a session's breaches without opening it. `ids` are all sessions in the
    list, in order; the next one is shown afterwards."""
    view = get_session(school, person, number)
    if view is None:
        return
    record_once(school, person, "viewed", f"session {number}")
    st.subheader(moment(view.started_at), anchor=False)
    show_people(school, person, view)
    show_reasons(view.clauses[view.clauses["outcome"] == "breach"])
    show_breaches(school, person, view, find_following(ids, number))
    link(Page.SESSIONS, "Open the session", query={"session": str(number)})
