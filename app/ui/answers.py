"""What pages have asked before: asked again only after a write or on another day, since most clicks change neither."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from app.access.people import read_revision
from app.access.policy import Person
from app.school import School

_T = TypeVar("_T")
State = tuple[object, ...]


def read_state(school: School) -> State:
    """What changes with every write and every day."""
    return str(school.engine.url), read_revision(school), str(school.today())


def ask_once(state: State, question: Callable[..., _T], school: School, person: Person, *more: Hashable) -> _T:
    """What `question(school, person, *more)` answers, asked again if `read_state` is no longer `state`. The answer may
    not depend on the time of day. All callers share it and must not change it."""
    who = (person.staff_id, person.school, *map(sorted, (person.roles, person.year_groups, person.houses)))
    answer: _T = _ask(question, school, person, more, (question.__qualname__, *who, *state))
    return answer


@st.cache_resource(max_entries=200, show_spinner=False)
def _ask(
    _question: Callable[..., Any],
    _school: School,
    _person: Person,
    more: tuple[Hashable, ...],
    key: tuple[object, ...],  # noqa: ARG001 - for the cache
) -> Any:
    return _question(_school, _person, *more)
