"""Forms whose answers are saved as a draft while they are typed, so that they appear in another browser too."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

import pandas as pd
import streamlit as st

from app.access.forms import get_draft, get_draft_time
from app.access.policy import Person
from app.school import School
from app.sessions.drafts import save_draft
from app.ui.authority import guard
from app.ui.text import write_html


class Draft:
    """The answers of an unsent form, by question (`values`), and the boxes that ask for them.

    When a page's button has been pressed, the page calls `collect` and saves before it draws anything. Elements that
    are replaced in the run that drew them would stay on the screen, with their buttons.
    """

    def __init__(self, school: School, person: Person, name: str) -> None:
        self.school, self.person, self.name = school, person, name
        self._state = st.session_state.setdefault(f"draft {name} {person.staff_id}", {"number": 0, "boxes": {}})
        if "values" not in self._state:
            self._state["values"] = get_draft(school, person, name) or {}
            self._state["stored"] = _given(self.values)
            if self.values:
                self._state.update(begun={}, restored=get_draft_time(school, person, name))

    @property
    def values(self) -> dict[str, Any]:
        values: dict[str, Any] = self._state["values"]
        return values

    @property
    def result(self) -> Any:
        """The result passed to `finish`, until the form is started again."""
        return self._state.get("result")

    @property
    def is_changed(self) -> bool:
        """Whether anything has been typed since the form was first shown."""
        begun: dict[str, Any] | None = self._state.get("begun")
        return begun is not None and _given(self.values) != begun

    def key(self, question: str) -> str:
        """The key of a question's box. It changes when the form starts again, because old boxes show what was typed in
        them."""
        return f"{self.name} {question} {self.person.staff_id} {self._state['number']}"

    def begin(self, values: dict[str, Any], result: Any = None) -> None:
        """Start the form again with these answers."""
        # In one step: after a second click, any use of the session's state could end the run.
        self._state.update(values=values, begun=None, boxes={}, restored=None, result=result)
        self._state["number"] += 1

    def fill_in(self, values: dict[str, Any]) -> None:
        """Set the answers to more questions, in new boxes. What was typed so far remains."""
        begun, restored = self._state.get("begun") or {}, self._state.get("restored")
        self.begin(self.values | values)
        self._state.update(begun=begun, restored=restored)

    def mark_saved(self) -> None:
        """Treat the present answers as those that the form started with, because they have been saved. The form stays
        open."""
        self._state.update(begun=_given(self.values), restored=None)

    def discard(self) -> None:
        """Start an empty form, because this one was discarded."""
        self.begin({})
        self._write({})

    def finish(self, result: Any) -> None:
        """Start an empty form and keep the result, because this one was sent. A second click finds nothing to send."""
        self.begin({}, result)
        self._write({})

    def store(self) -> None:
        """Save the draft if somebody has changed an answer. Call this once the form is drawn."""
        if self._state.get("begun") is None:
            self._state["begun"] = _given(self.values)
        self._write(_given(self.values) if self.is_changed else {})

    def _write(self, given: dict[str, Any]) -> None:
        if given != self._state["stored"]:
            save_draft(self.school, self.person, self.name, given or None)
            self._state["stored"] = given

    def collect(self) -> None:
        """Store the present contents of the boxes, before they are drawn again."""
        for key, store in list(self._state["boxes"].items()):
            if key in st.session_state:
                store(st.session_state[key])

    def store_box(self, key: str, content: Any, store: Callable[[Any], None]) -> None:
        """Store the content of a box. `store` does so, and is remembered for `collect`."""
        self._state["boxes"][key] = store
        store(content)

    def show_restored(self, what: str) -> None:
        """Say that this is a restored draft, with a button that discards it. `what` names it in the sentence."""
        restored: datetime | None = self._state.get("restored")
        if restored is None:
            return
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            write_html("<b>Draft restored.</b> You last changed {what} on {restored}.", what=what, restored=restored)
            st.button("Discard", icon=":material/delete:", key=self.key("discard"), on_click=guard(self.discard))

    def _set(self, name: str, convert: Callable[[Any], Any] = lambda content: content) -> Callable[[Any], None]:
        """A function that stores the content of a box as the answer to a question."""

        def store(content: Any) -> None:
            self.values[name] = convert(content)

        return store

    def ask_text(self, name: str, question: str, *, lines: int = 3, **more: Any) -> str:
        key, before = self.key(name), self.values.get(name, "")
        typed = st.text_area(question, before, max_chars=10_000, key=key, height=28 * lines, **more)
        self.store_box(key, typed, self._set(name))
        return self.values[name] or ""

    def ask_line(self, name: str, question: str, **more: Any) -> str:
        key = self.key(name)
        typed = st.text_input(question, self.values.get(name, ""), max_chars=500, key=key, **more)
        self.store_box(key, typed, self._set(name))
        return self.values[name] or ""

    def ask_day(self, name: str, question: str, **more: Any) -> date | None:
        key = self.key(name)
        before = date.fromisoformat(self.values[name]) if self.values.get(name) else None
        day = st.date_input(question, before, key=key, format="DD/MM/YYYY", **more)
        self.store_box(key, day, self._set(name, lambda day: day.isoformat() if isinstance(day, date) else None))
        return day if isinstance(day, date) else None

    def ask_time(self, name: str, question: str) -> time | None:
        key = self.key(name)
        before = time.fromisoformat(self.values[name]) if self.values.get(name) else None
        at = st.time_input(question, before, key=key, step=300)
        self.store_box(key, at, self._set(name, lambda at: f"{at:%H:%M}" if at else None))
        return at

    def ask_one(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> Any:
        key = self.key(name)
        chosen = st.selectbox(
            question,
            list(options),
            index=self._place(name, options),
            format_func=lambda option: options.get(option, ""),
            key=key,
            placeholder="Choose",
            filter_mode="contains",
            **more,
        )
        self.store_box(key, chosen, self._set(name))
        return self.values[name]

    def ask_several(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> list[Any]:
        """Ask for any number of options. The Enter key selects the highlighted option."""
        key = self.key(name)
        chosen = st.multiselect(
            question,
            list(options),
            default=[option for option in self.values.get(name, []) if option in options],
            format_func=lambda option: options.get(option, ""),
            key=key,
            select_all=False,
            filter_mode="contains",
            wrap=True,
            **more,
        )
        self.store_box(key, chosen, self._set(name, list))
        return list(self.values[name])

    def ask_yes_no(self, name: str, question: str, yes: str, no: str) -> bool | None:
        options, key = {"yes": yes, "no": no}, self.key(name)
        chosen = st.radio(
            question,
            list(options),
            index=self._place(name, options),
            format_func=options.__getitem__,
            horizontal=True,
            key=key,
        )
        self.store_box(key, chosen, self._set(name))
        return None if self.values[name] is None else self.values[name] == "yes"

    def ask_checkbox(self, name: str, words: str) -> bool:
        key = self.key(name)
        ticked = st.checkbox(words, bool(self.values.get(name)), key=key)
        self.store_box(key, ticked, self._set(name))
        return ticked

    def _place(self, name: str, options: Mapping[Any, str]) -> int | None:
        """The position of the present answer among the options, or None."""
        answer = self.values.get(name)
        return list(options).index(answer) if answer in options else None


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], False)}


def label_pupils(pupils: pd.DataFrame, by: str = "pupil_id") -> dict[Any, str]:
    """Labels of pupils to choose from (see `access.forms`), by id or email."""
    return {getattr(row, by): f"{row.name} · year {row.year_group} · {row.house}" for row in pupils.itertuples()}


def label_staff(staff: pd.DataFrame, by: str = "staff_id") -> dict[Any, str]:
    """Labels of staff to choose from (see `access.forms`), by id or email."""
    return {getattr(row, by): f"{row.name} · {row.department}" for row in staff.itertuples()}
