"""The next step of a concern: its form, and what others changed while it was filled in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
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
from app.ui.drafts import Draft, label_pupils, label_staff
from app.ui.text import write_html


class NextStep:
    """The form for one more step of a concern."""

    def __init__(self, school: School, person: Person, view: ConcernView) -> None:
        self.school, self.person, self.view = school, person, view
        self._state = st.session_state.setdefault(f"step {view.ref} {person.staff_id}", {"number": 0})
        self._state.setdefault("version", view.version)
        if "kind" not in self._state:  # one may have been begun in another browser
            kinds = casework.find_possible_steps(view)
            self.choose(next((kind for kind in kinds if get_draft(school, person, f"{view.ref} {kind}")), None))

    def choose(self, kind: str | None, action: int | None = None) -> None:
        """Choose the next step, and the action that it is about; a new box shows the choice."""
        self._state.update(number=self._state["number"] + 1, kind=kind, action=action)

    def show(self) -> None:
        """Show the choice of step, its questions, and changes that others made meanwhile."""
        st.header("Add an update")
        with st.container(border=True):
            kind, sent = self._ask_kind(), False
            if kind:
                draft = self._draft(kind)
                given = self._ask_all(kind, draft)
                draft.store()
                with st.container(horizontal=True, vertical_alignment="center"):
                    sent = st.button("Save", type="primary", icon=":material/save:", key=f"keep {self.view.ref}")
                    st.button(
                        "Cancel", type="tertiary", key=f"not now {self.view.ref}", on_click=self._cancel, args=(draft,)
                    )
            if kind and sent:
                self._save(kind, given, draft)
            elif self._state["version"] != self.view.version:
                self._show_changes(casework.list_changes_since(self.view, self._state["version"]), self.view.version)

    def _cancel(self, draft: Draft) -> None:
        """Give the step up, unless it is being saved: both buttons may be pressed before the page runs."""
        if not st.session_state.get(f"keep {self.view.ref}"):
            draft.drop()
            self.choose(None)

    def _ask_kind(self) -> str | None:
        kinds, chosen = list(casework.find_possible_steps(self.view)), self._state["kind"]
        return st.selectbox(
            "What do you want to add?",
            kinds,
            index=kinds.index(chosen) if chosen in kinds else None,
            format_func=lambda kind: STEPS[kind].label,
            key=f"step {self.view.ref} {self.person.staff_id} {self._state['number']}",
            placeholder="Level, action, decision, note, handover, close, …",
        )

    def _draft(self, kind: str) -> Draft:
        """The draft of this step, about the action whose button was just pressed, if any."""
        draft = Draft(self.school, self.person, f"{self.view.ref} {kind}")
        if self._state["action"] is not None:
            draft.begin(draft.values | {"action": self._state["action"]})
            self._state["action"] = None
        return draft

    def _save(self, kind: str, given: dict[str, Any], draft: Draft) -> None:
        try:
            casework.record(self.school, self.person, self.view.ref, self._state["version"], kind, given)
        except casework.ConcernChangedError as error:
            self._show_changes(error.entries, error.version)
        except (casework.IncompleteStepError, casework.NotYoursError) as error:
            st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        else:
            draft.drop()
            del self._state["version"]
            self.choose(None)
            st.toast("Saved.", icon=":material/check:")
            st.rerun()

    def _show_changes(self, entries: Sequence[Entry], version: int) -> None:
        """Show what others changed up to a version, on which the next save is then based."""
        self._state["version"] = version
        st.warning(
            "Somebody changed this concern while you were writing. Nothing you wrote is lost: read what changed, then "
            "save again if it still applies.",
            icon=":material/sync_problem:",
        )
        for entry in entries:
            show_entry(entry)

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
        """The sessions that could be linked but are not."""
        linked = {session[:2] for session in self.view.links}
        sessions = list_sessions_to_link(self.school, self.person, self.view.ref)
        return [session for session in sessions if session[:2] not in linked]

    def _ask_correction(self, name: str, draft: Draft) -> Any:
        """Ask for the corrected content of a field; its box starts with the present content."""
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
