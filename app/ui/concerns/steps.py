"""The steps of a concern, each a button with a dialog, and what others changed in the meantime."""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from functools import partial
from typing import Any

import streamlit as st

from app.access.concern_detail import ConcernView, list_conduct_team
from app.access.concern_history import FIELDS, Entry, LinkedSession
from app.access.concerns import list_leaders_to_share_with
from app.access.forms import get_draft, list_pupils_to_choose, list_staff_to_choose
from app.access.linked_sessions import list_sessions_to_link
from app.access.policy import Person
from app.concerns import casework
from app.concerns.steps import STEPS, Ask
from app.school import School
from app.store.concerns import CONDUCT, MOST_CATEGORIES
from app.ui.authority import guard
from app.ui.dialogs import Change, open_dialog
from app.ui.drafts import Draft, label_pupils, label_staff
from app.ui.text import write_html

_FIRST = ("level", "action", "decision", "referral", "note", "closed", "reopened")  # the rest are in a menu
_OF_ACTIONS = ("done", "moved")  # their buttons are with each action


class Steps:
    """The steps that a person can take in a concern, each a button that opens a dialog."""

    def __init__(self, school: School, person: Person, view: ConcernView) -> None:
        self.school, self.person, self.view = school, person, view
        self.kinds = casework.find_possible_steps(view)

    def show_buttons(self) -> None:
        """Show a button for each step, and the steps that were begun and not saved."""
        with st.container(horizontal=True, key=f"steps {self.view.ref}"):
            for kind in _FIRST:
                if kind in self.kinds and st.button(self.kinds[kind].label, key=f"{kind} {self.view.ref}"):
                    self.open(kind)
            others = [kind for kind in self.kinds if kind not in (*_FIRST, *_OF_ACTIONS)]
            chosen = st.menu_button(
                "More", others, format_func=lambda kind: STEPS[kind].label, key=f"more {self.view.ref}"
            )
            if chosen:
                self.open(chosen)
        for kind in self.kinds:
            if get_draft(self.school, self.person, f"{self.view.ref} {kind}"):
                self._show_unsaved(kind)

    def _show_unsaved(self, kind: str) -> None:
        draft = self._create_draft(kind)
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            write_html("<b>Not saved yet:</b> {label}.", label=STEPS[kind].label)
            if st.button("Continue", key=f"continue {kind} {self.view.ref}", icon=":material/edit_note:"):
                self.open(kind)
            st.button("Discard", key=f"discard {kind} {self.view.ref}", type="tertiary", on_click=guard(draft.discard))

    def open(self, kind: str, action: int | None = None) -> None:
        """Open the dialog of a step. `action` is the number of the action it is about, if any."""
        draft = self._create_draft(kind)
        if action is not None:
            draft.begin(draft.values | {"action": action})
        version = [self.view.version]  # the version that the next save is based on

        def ask() -> Change:
            given = self._ask_all(kind, draft)
            draft.store()
            return partial(self._save, kind, given, draft, version)

        open_dialog(STEPS[kind].label, ask, "Save", "save", on_cancel=draft.discard)

    def _create_draft(self, kind: str) -> Draft:
        return Draft(self.school, self.person, f"{self.view.ref} {kind}")

    def _save(self, kind: str, given: dict[str, Any], draft: Draft, version: list[int]) -> str:
        try:
            casework.record(self.school, self.person, self.view.ref, version[0], kind, given)
        except casework.ConcernChangedError as error:
            version[0] = error.version
            for entry in error.entries:
                show_entry(entry)
            raise ValueError(
                "Somebody changed this concern while you were writing. Nothing you wrote is lost: read above what "
                "changed, then save again if it still applies."
            ) from None
        draft.discard()
        return f"Saved: {STEPS[kind].label.lower()}."

    def _ask_all(self, kind: str, draft: Draft) -> dict[str, Any]:
        given = {ask.name: self._ask(ask, draft) for ask in STEPS[kind].asks}
        if kind == "corrected" and given["field"]:
            given["after"] = self._ask_correction(given["field"], draft)
        waiting = sum(action.done_on is None for action in self.view.actions)
        if kind == "closed" and waiting:
            actions = "an action is" if waiting == 1 else f"{waiting} actions are"
            given["although"] = draft.ask_checkbox("although", f"Close it although {actions} open")
        return given

    def _ask(self, ask: Ask, draft: Draft) -> Any:
        school, person, view = self.school, self.person, self.view
        boxes: dict[str, Callable[[str, str], Any]]
        boxes = {"words": draft.ask_text, "line": draft.ask_line, "day": draft.ask_day}
        if ask.what in boxes:
            return boxes[ask.what](ask.name, ask.question)
        if ask.what in ("session", "session_of"):
            candidates = self._list_sessions() if ask.what == "session" else view.links
            sessions = {f"{session.log_ref or ''}|{session.call_id or ''}": session for session in candidates}
            options = {key: session.description for key, session in sessions.items()}
            return sessions.get(draft.ask_one(ask.name, ask.question, options))
        choices: dict[str, Callable[[], Mapping[Any, str]]] = {
            "level": lambda: {level: level for level in view.register.levels if level != view.level},
            "staff": lambda: (
                list_conduct_team(school, person, view.ref)
                if view.register is CONDUCT and ask.needed
                else label_staff(list_staff_to_choose(school, person))
            ),
            "pupil": lambda: label_pupils(list_pupils_to_choose(school, person)),
            "pupil_of": lambda: dict(zip(view.pupils["pupil_id"].tolist(), view.pupils["name"], strict=True)),
            "leader": lambda: list_leaders_to_share_with(school, person),
            "shared": lambda: view.shared_with,
            "action": lambda: {action.number: action.what for action in view.actions if action.done_on is None},
            "field": lambda: FIELDS,
        }
        return draft.ask_one(ask.name, ask.question, choices[ask.what]())

    def _list_sessions(self) -> list[LinkedSession]:
        """The sessions that could be linked and are not."""
        linked = {session[:2] for session in self.view.links}
        sessions = list_sessions_to_link(self.school, self.person, self.view.ref)
        return [session for session in sessions if session[:2] not in linked]

    def _ask_correction(self, name: str, draft: Draft) -> Any:
        """Ask for the corrected content of a field. The box starts with the present content."""
        box = f"after {name}"
        if name in ("summary", "childs_words", "place", "categories"):
            draft.values.setdefault(box, getattr(self.view, name) or "")
        if name in ("summary", "childs_words"):
            return draft.ask_text(box, "Corrected text")
        if name == "place":
            return draft.ask_line(box, "Corrected text")
        if name == "told_dsp":
            return draft.ask_yes_no(box, "A DSP was told in person", "Yes", "Not before it was raised")
        if name == "categories":
            return draft.ask_several(box, "Categories", self.view.register.categories, max_selections=MOST_CATEGORIES)
        left, right = st.columns(2)
        with left:
            day = draft.ask_day(box, "It happened on", max_value=self.school.today())
        with right:
            at = draft.ask_time(f"{box} at", "At, if known")
        return datetime.combine(day, at or time(), self.school.settings.zone) if day else None


def show_entry(entry: Entry) -> None:
    """Show an entry of a chronology, with text as it was typed."""
    by = " · {entry.by}" if entry.by else ""
    lines = "".join(
        f"<br>{{entry.words[{n}][0]}}: <span style='white-space: pre-wrap'>{{entry.words[{n}][1]}}</span>"
        for n in range(len(entry.words))
    )
    write_html("<b>{entry.at}</b> · <b>{entry.what}</b>" + by + lines, entry=entry)
