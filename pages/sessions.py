"""Sessions: those that need attention, the list, repeated one-to-ones, the pupils, and one session clause by clause."""

from collections.abc import Callable

import streamlit as st

from app.access.breaches import list_breaches_to_explain, list_breaches_to_resolve
from app.access.policy import Person, get_scopes
from app.access.pupils import list_pupils
from app.access.spot_checks import list_spot_checks, list_spot_checks_to_explain, looks_at_spot_checks
from app.school import School
from app.ui import address
from app.ui.sessions.detail import show_session
from app.ui.sessions.lists import show_all_sessions
from app.ui.sessions.pupils import show_pupil, show_pupils
from app.ui.sessions.repeats import show_repeats
from app.ui.sessions.spot_checks import show_spot_checks, show_to_explain
from app.ui.sessions.today import show_today
from app.ui.sessions.waiting import show_waiting
from app.ui.shell import require
from app.vocabulary.roles import Page, Resource, Scope


def show_all(school: School, person: Person) -> None:
    st.title("Sessions", anchor=False)
    to_resolve, to_explain = list_breaches_to_resolve(school, person), list_breaches_to_explain(school, person)

    def explain() -> None:
        if len(to_explain):
            show_waiting(school, person, to_explain, "explain")
        show_to_explain(school, person)

    show: dict[str, Callable[[], None]] = {
        "today": lambda: show_today(school, person, to_resolve),
        "resolve": lambda: show_waiting(school, person, to_resolve, "resolve"),
        "explain": explain,
        "spot-checks": lambda: show_spot_checks(school, person),
        "list": lambda: show_all_sessions(school, person),
        "repeats": lambda: show_repeats(school, person),
        "pupils": lambda: show_pupils(school, person),
    }
    show[choose_view(list_views(school, person, len(to_resolve), len(to_explain)))]()


def list_views(school: School, person: Person, to_resolve: int, to_explain: int) -> dict[str, str]:
    """The views that the person has, with their labels. `to_resolve` and `to_explain` are the numbers of sessions with
    breaches to resolve and to explain."""
    views = {}
    if get_scopes(person, Resource.SESSIONS) & {Scope.YEAR_GROUPS, Scope.HOUSES}:
        views["today"] = "Today"
    if to_resolve or get_scopes(person, Resource.BREACHES) - {Scope.OWN}:
        views["resolve"] = f"To resolve ({to_resolve})"
    if to_explain := to_explain + len(list_spot_checks_to_explain(school, person)):
        views["explain"] = f"To explain ({to_explain})"
    if looks_at_spot_checks(person):
        views["spot-checks"] = f"Spot checks ({len(list_spot_checks(school, person))})"
    views["list"] = "All sessions"
    if get_scopes(person, Resource.REPEATED_ONE_TO_ONES):
        views["repeats"] = "Repeated one-to-ones"
    if pupils := len(list_pupils(school, person)):
        views["pupils"] = f"Pupils ({pupils:,})"
    return views


def choose_view(views: dict[str, str]) -> str:
    """Let the person choose a view, which the address names. The default is the first, or the list if it is
    filtered."""
    first = "list" if "show" in st.query_params else next(iter(views))
    view = address.get("view", first)
    view = view if view in views else first
    if len(views) > 1:
        address.choose_one("View", views, "", "view", chosen=view, label_visibility="collapsed")
    return view


school, person = require(Page.SESSIONS)
if "session" in st.query_params:
    show_session(school, person, st.query_params["session"])
elif "pupil" in st.query_params:
    show_pupil(school, person, st.query_params["pupil"])
else:
    show_all(school, person)
