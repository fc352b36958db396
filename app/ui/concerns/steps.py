"""The next step of a concern: its form, and what others changed while it was filled in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Any

import streamlit as st

from app.access.concern_detail import ConcernView, list_conduct_team
from app.access.concern_history import FIELDS, Entry, LinkedSession
from app.access.concerns import list_leaders_to_share_with
from app.access.forms import get_draft
from app.access.linked_sessions import list_sessions_to_link
from app.access.policy import Person
from app.concerns import casework
from app.concerns.steps import STEPS, Ask
from app.formatting import moment
from app.school import School
from app.store.concerns import CONDUCT, MOST_CATEGORIES
from app.ui.concerns.draft import Draft, pupils, staff
from app.ui.text import write_html


def choose_step(person: Person, view: ConcernView, kind: str | None, action: int | None = None) -> None:
    """Choose what is added next, and about which action; the box that shows it is a new one."""
    number, *_ = st.session_state.get(_chosen(person, view), (0,))
    st.session_state[_chosen(person, view)] = (number + 1, kind, action)


def next_step(school: School, person: Person, view: ConcernView) -> None:
    """One more step: what to add, what it asks, and what changed meanwhile."""
    st.header("Add an update")
    version = st.session_state.setdefault(_opened_at(person, view), view.version)
    with st.container(border=True):
        kind = _choice(school, person, view)
        sent = False
        if kind:
            draft = _draft(school, person, view, kind)
            given = _asked(school, person, view, kind, draft)
            draft.keep()
            with st.container(horizontal=True, vertical_alignment="center"):
                sent = st.button("Save", type="primary", icon=":material/save:", key=f"keep {view.ref}")
                if st.button("Cancel", type="tertiary", key=f"not now {view.ref}"):
                    draft.drop()
                    choose_step(person, view, None)
                    st.rerun()
        if kind and sent:
            _keep(school, person, view, version, kind, given, draft)
        elif version != view.version:
            _meanwhile(casework.since(view, version))
            st.session_state[_opened_at(person, view)] = view.version


def _chosen(person: Person, view: ConcernView) -> str:
    return f"step {view.ref} {person.staff_id}"


def _opened_at(person: Person, view: ConcernView) -> str:
    return f"version {view.ref} {person.staff_id}"


def _choice(school: School, person: Person, view: ConcernView) -> str | None:
    steps = list(casework.steps_for(view))
    if _chosen(person, view) not in st.session_state:  # one may have been begun in another browser
        begun = next((kind for kind in steps if get_draft(school, person, f"{view.ref} {kind}")), None)
        choose_step(person, view, begun)
    number, chosen, _ = st.session_state[_chosen(person, view)]
    return st.selectbox(
        "What do you want to add?",
        steps,
        index=steps.index(chosen) if chosen in steps else None,
        format_func=lambda kind: STEPS[kind].label,
        key=f"{_chosen(person, view)} {number}",
        placeholder="Level, action, decision, note, handover, close, …",
    )


def _draft(school: School, person: Person, view: ConcernView, kind: str) -> Draft:
    """What was typed for this step; an action that was pressed just now is the one it is about."""
    draft = Draft(school, person, f"{view.ref} {kind}")
    number, chosen, action = st.session_state[_chosen(person, view)]
    if action is not None:
        st.session_state[_chosen(person, view)] = (number, chosen, None)
        draft.put("action", action)
    return draft


def _keep(
    school: School, person: Person, view: ConcernView, version: int, kind: str, given: dict[str, Any], draft: Draft
) -> None:
    try:
        casework.record(school, person, view.ref, version, kind, given)
    except casework.ConcernChangedError as error:
        _meanwhile(error.entries)
        st.session_state[_opened_at(person, view)] = error.version
    except (casework.IncompleteStepError, casework.NotYoursError) as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
    else:
        draft.drop()
        del st.session_state[_opened_at(person, view)]
        choose_step(person, view, None)
        st.toast("Saved.", icon=":material/check:")
        st.rerun()


def _meanwhile(entries: Sequence[Entry]) -> None:
    st.warning(
        "Somebody changed this concern while you were writing. Nothing you wrote is lost: read what changed, then save "
        "again if it still applies.",
        icon=":material/sync_problem:",
    )
    for entry in entries:
        show_entry(entry)


def _asked(school: School, person: Person, view: ConcernView, kind: str, draft: Draft) -> dict[str, Any]:
    given = {ask.name: _ask(school, person, view, ask, draft) for ask in STEPS[kind].asks}
    if kind == "corrected" and given["field"]:
        given["after"] = _after(school, view, given["field"], draft)
    waiting = sum(action.done_on is None for action in view.actions)
    if kind == "closed" and waiting:
        given["although"] = draft.tick(
            "although", f"Close it although {'an action is' if waiting == 1 else f'{waiting} actions are'} open"
        )
    return given


def _ask(school: School, person: Person, view: ConcernView, ask: Ask, draft: Draft) -> Any:
    if ask.what == "words":
        return draft.words(ask.name, ask.question, lines=3)
    if ask.what == "line":
        return draft.line(ask.name, ask.question)
    if ask.what == "day":
        return draft.day(ask.name, ask.question)
    if ask.what in ("session", "session_of"):
        found = _sessions_to_link(school, person, view) if ask.what == "session" else view.links
        sessions = {f"{session.log_ref or ''}|{session.call_id or ''}": session for session in found}
        options = {key: session.description for key, session in sessions.items()}
        return sessions.get(draft.one(ask.name, ask.question, options))
    choices: dict[str, Callable[[], Mapping[Any, str]]] = {
        "level": lambda: {level: level for level in view.register.levels if level != view.level},
        "staff": lambda: (
            list_conduct_team(school, person, view.ref)
            if view.register is CONDUCT and ask.needed
            else staff(school, person)
        ),
        "pupil": lambda: pupils(school, person),
        "pupil_of": lambda: dict(zip(view.pupils["pupil_id"].tolist(), view.pupils["name"], strict=True)),
        "leader": lambda: list_leaders_to_share_with(school, person),
        "shared": lambda: view.shared_with,
        "action": lambda: {action.number: action.what for action in view.actions if action.done_on is None},
        "field": lambda: FIELDS,
    }
    return draft.one(ask.name, ask.question, choices[ask.what]())


def _sessions_to_link(school: School, person: Person, view: ConcernView) -> list[LinkedSession]:
    linked = {session[:2] for session in view.links}
    return [session for session in list_sessions_to_link(school, person, view.ref) if session[:2] not in linked]


def _after(school: School, view: ConcernView, name: str, draft: Draft) -> Any:
    """What a field is to say from now on; it begins as it is."""
    box = f"after {name}"
    if box not in draft.values and name in ("summary", "childs_words", "place"):
        draft.values[box] = getattr(view, name) or ""
    if name in ("summary", "childs_words"):
        return draft.words(box, "Corrected text")
    if name == "place":
        return draft.line(box, "Corrected text")
    if name == "told_dsp":
        return draft.yes_no(box, "A DSP was told in person", "Yes", "Not before it was raised")
    if name == "categories":
        if box not in draft.values:
            draft.values[box] = list(view.categories)
        return draft.some(box, "Categories", view.register.categories, max_selections=MOST_CATEGORIES)
    left, right = st.columns(2)
    with left:
        day = draft.day(box, "It happened on", max_value=school.today())
    with right:
        at = draft.clock(f"{box} at", "At, if known")
    return datetime.combine(day, at or time(), school.settings.zone) if day else None


def show_entry(entry: Entry) -> None:
    """One entry of a chronology, its words as they were typed."""
    lines = "".join(
        f"<br>{{label{n}}}: <span style='white-space: pre-wrap'>{{text{n}}}</span>" for n in range(len(entry.words))
    )
    words = {f"label{n}": label for n, (label, _) in enumerate(entry.words)}
    words |= {f"text{n}": text for n, (_, text) in enumerate(entry.words)}
    by = " · {by}" if entry.by else ""
    write_html(
        "<b>{when}</b> · <b>{what}</b>" + by + lines, when=moment(entry.at), what=entry.what, by=entry.by, **words
    )
