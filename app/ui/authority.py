"""Access ends when authority ends: what a page leaves behind checks again before it shows, changes or creates anything.

A fragment of a page, a dialog, a callback and a download that is created when it is selected all hold the person as
they were when the page was drawn. Each goes through this module, which checks whether their sign-in is still valid and
their roles and posts are still the same. If not, the page only runs again, and shows what they may see now. Streamlit's
own functions for these are used nowhere else (a test checks this).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from app.access.administration import record_access
from app.access.people import find_person
from app.access.policy import NotAllowedError, Person
from app.auth import configuration, sign_in
from app.school import School
from app.store.database import UNAVAILABLE
from app.ui.served_files import made_for
from app.ui.text import explaining_database_errors, show_database_error

P = ParamSpec("P")
T = TypeVar("T")

_SHOWN_FOR, _CHANGED, _ERROR = "shown for", "access changed", "database error"


@dataclass(frozen=True)
class Authority:
    """The person for whom a page was drawn, and the claims of their sign-in."""

    school: School
    person: Person
    claims: Mapping[str, Any]

    def holds(self) -> bool:
        """Whether the person is still signed in, and still has the same roles and posts."""
        if configuration.find_obstacle(self.school):
            return False
        if self.school.is_demonstration():
            return find_person(self.school, self.person.email) == self.person
        return sign_in.get_person(self.school, self.claims) == self.person


def begin(school: School, person: Person) -> None:
    """Store the person for whom the page is drawn from now on."""
    authority = Authority(school, person, st.user.to_dict())
    st.session_state[_SHOWN_FOR] = authority
    made_for.set((authority.claims, person))


def show_change() -> None:
    """Show that something was refused because the person's access has changed, or that a callback failed because the
    database could not be used."""
    if error := st.session_state.pop(_ERROR, None):
        show_database_error(error)
    if st.session_state.pop(_CHANGED, None):
        st.warning("Your access has changed since this page was shown. Nothing was done.", icon=":material/lock:")


def guard(callback: Callable[P, object]) -> Callable[P, None]:
    """A callback of a button, box or list that does nothing if the authority with which it was drawn has ended."""
    holds = _keep()

    @wraps(callback)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            if holds():
                callback(*args, **kwargs)
            else:
                st.session_state[_CHANGED] = True
        except UNAVAILABLE as error:
            st.session_state[_ERROR] = error.with_traceback(None)  # which holds what was typed

    return call


def guard_download(create: Callable[[], T]) -> Callable[[], T]:
    """A function that creates a file. It raises NotAllowedError if the authority with which it was offered has
    ended."""
    authority: Authority | None = st.session_state.get(_SHOWN_FOR)

    @wraps(create)
    def call() -> T:
        if authority is None or not authority.holds():
            if authority:
                record_access(authority.school, authority.person, "refused", "download")
            raise NotAllowedError("Your access has changed since this page was shown. No file was created.")
        made_for.set((authority.claims, authority.person))
        return create()

    return call


def fragment(show: Callable[P, None]) -> Callable[P, None]:
    """A part of a page that runs alone when something in it is used. If the authority with which it was drawn has
    ended, the whole page runs instead."""

    @wraps(show)
    def draw(*args: P.args, **kwargs: P.kwargs) -> None:
        st.fragment(_end_with_authority(show))(*args, **kwargs)

    return draw


def dialog(title: str, **more: Any) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A dialog that closes if the authority with which it was opened has ended. `more` is passed to `st.dialog`."""

    def decorate(show: Callable[P, None]) -> Callable[P, None]:
        @wraps(show)
        def open_(*args: P.args, **kwargs: P.kwargs) -> None:
            st.dialog(title, **more)(_end_with_authority(show))(*args, **kwargs)

        return open_

    return decorate


def _end_with_authority(show: Callable[P, None]) -> Callable[P, None]:
    """A function that runs first with its page, when the person has just been checked, and later alone, when it checks
    again."""
    authority: Authority | None = st.session_state.get(_SHOWN_FOR)
    holds, drawn = _keep(), list[bool]()

    @wraps(show)
    def part(*args: P.args, **kwargs: P.kwargs) -> None:
        if drawn and not holds():
            st.session_state[_CHANGED] = True
            st.rerun()
        else:
            drawn.append(True)
            if authority:
                made_for.set((authority.claims, authority.person))
            with explaining_database_errors():
                show(*args, **kwargs)

    return part


def _keep() -> Callable[[], bool]:
    """A function that says later whether the authority with which the page is now drawn still holds."""
    authority: Authority | None = st.session_state.get(_SHOWN_FOR)
    return lambda: authority is not None and authority.claims == st.user.to_dict() and authority.holds()
