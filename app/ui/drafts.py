"""Forms whose answers are stored as a draft while they are typed, so that another browser shows them too."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

import pandas as pd
import streamlit as st

from app.access.forms import get_draft
from app.access.policy import Person
from app.school import School
from app.sessions.drafts import save_draft


class Draft:
    """The answers of an unsent form, by question (`values`), and the boxes that ask for them."""

    def __init__(self, school: School, person: Person, name: str) -> None:
        self.school, self.person, self.name = school, person, name
        self._state = st.session_state.setdefault(f"draft {name} {person.staff_id}", {"number": 0})
        if "values" not in self._state:
            self._state["values"] = get_draft(school, person, name) or {}
            self._state["stored"] = _given(self.values)

    @property
    def values(self) -> dict[str, Any]:
        values: dict[str, Any] = self._state["values"]
        return values

    def key(self, question: str) -> str:
        """The key of a box; a form that starts again needs new boxes, since old ones show what was typed there."""
        return f"{self.name} {question} {self.person.staff_id} {self._state['number']}"

    def begin(self, values: dict[str, Any]) -> None:
        """Start the form again, with these answers."""
        self._state["values"] = values
        self._state["number"] += 1

    def drop(self) -> None:
        """Start an empty form, because this one was sent or given up."""
        self.begin({})
        self.store()

    def store(self) -> None:
        """Store the answers if any has changed."""
        given = _given(self.values)
        if given != self._state["stored"]:
            save_draft(self.school, self.person, self.name, given or None)
            self._state["stored"] = given

    def ask_text(self, name: str, question: str, *, lines: int = 3, **more: Any) -> str:
        self.values[name] = st.text_area(
            question, self.values.get(name, ""), max_chars=10_000, key=self.key(name), height=28 * lines, **more
        )
        return self.values[name] or ""

    def ask_line(self, name: str, question: str, **more: Any) -> str:
        self.values[name] = st.text_input(
            question, self.values.get(name, ""), max_chars=500, key=self.key(name), **more
        )
        return self.values[name] or ""

    def ask_day(self, name: str, question: str, **more: Any) -> date | None:
        before = date.fromisoformat(self.values[name]) if self.values.get(name) else None
        day = st.date_input(question, before, key=self.key(name), format="DD/MM/YYYY", **more)
        day = day if isinstance(day, date) else None
        self.values[name] = day.isoformat() if day else None
        return day

    def ask_time(self, name: str, question: str) -> time | None:
        before = time.fromisoformat(self.values[name]) if self.values.get(name) else None
        at = st.time_input(question, before, key=self.key(name), step=300)
        self.values[name] = f"{at:%H:%M}" if at else None
        return at

    def ask_one(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> Any:
        self.values[name] = st.selectbox(
            question,
            list(options),
            index=self._place(name, options),
            format_func=lambda option: options.get(option, ""),
            key=self.key(name),
            placeholder="Choose",
            **more,
        )
        return self.values[name]

    def ask_several(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> list[Any]:
        self.values[name] = st.multiselect(
            question,
            list(options),
            default=[option for option in self.values.get(name, []) if option in options],
            format_func=lambda option: options.get(option, ""),
            key=self.key(name),
            **more,
        )
        return list(self.values[name])

    def ask_yes_no(self, name: str, question: str, yes: str, no: str) -> bool | None:
        options = {"yes": yes, "no": no}
        self.values[name] = st.radio(
            question,
            list(options),
            index=self._place(name, options),
            format_func=options.__getitem__,
            horizontal=True,
            key=self.key(name),
        )
        return None if self.values[name] is None else self.values[name] == "yes"

    def ask_checkbox(self, name: str, words: str) -> bool:
        ticked = st.checkbox(words, bool(self.values.get(name)), key=self.key(name))
        self.values[name] = ticked
        return ticked

    def _place(self, name: str, options: Mapping[Any, str]) -> int | None:
        """The position of the present answer among the options."""
        answer = self.values.get(name)
        return list(options).index(answer) if answer in options else None


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], False)}


def label_pupils(pupils: pd.DataFrame, by: str = "pupil_id") -> dict[Any, str]:
    """Pupils to choose from (see `access.forms`), by number or email."""
    return {getattr(row, by): f"{row.name} · year {row.year_group} · {row.house}" for row in pupils.itertuples()}


def label_staff(staff: pd.DataFrame, by: str = "staff_id") -> dict[Any, str]:
    """Staff to choose from (see `access.forms`), by number or email."""
    return {getattr(row, by): f"{row.name} · {row.department}" for row in staff.itertuples()}
