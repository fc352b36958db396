"""A form's boxes: whatever somebody types is saved as a draft whenever they leave a box, so that it is there again in
another browser."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

import streamlit as st

from app.access.forms import get_draft, list_pupils_to_choose, list_staff_to_choose
from app.access.policy import Person
from app.school import School
from app.sessions.drafts import save_draft


class Draft:
    """What somebody has typed into a form and not sent, by question; `number` tells its widgets from those of
    the form before."""

    def __init__(self, school: School, person: Person, name: str) -> None:
        self.school, self.person, self.name = school, person, name
        self._key = f"draft {name} {person.staff_id}"
        if self._key not in st.session_state:
            st.session_state[self._key] = get_draft(school, person, name) or {}
        self.values: dict[str, Any] = st.session_state[self._key]
        self._kept = _given(self.values)
        self.number = st.session_state.setdefault(f"{self._key} number", 0)

    def _box(self, question: str) -> str:
        return f"{self.name} {question} {self.person.staff_id} {self.number}"

    def keep(self) -> None:
        """Keep what was typed, if anything is new."""
        given = _given(self.values)
        if given != self._kept:
            save_draft(self.school, self.person, self.name, given or None)

    def put(self, name: str, answer: Any) -> None:
        """Answer a question for them; what they had chosen in its box before does not hold any more."""
        self.values[name] = answer
        self._renew()

    def drop(self) -> None:
        """It was sent, or is not wanted: an empty form comes next."""
        save_draft(self.school, self.person, self.name, None)
        del st.session_state[self._key]
        self._renew()

    def _renew(self) -> None:
        """New boxes, which show the draft and not what was typed into the old ones."""
        self.number += 1
        st.session_state[f"{self._key} number"] = self.number

    # --- the boxes of a form -------------------------------------------------------------------------------

    def words(self, name: str, question: str, *, lines: int = 4, **more: Any) -> str:
        self.values[name] = st.text_area(
            question, self.values.get(name, ""), max_chars=10_000, key=self._box(name), height=28 * lines, **more
        )
        return self.values[name] or ""

    def line(self, name: str, question: str, **more: Any) -> str:
        self.values[name] = st.text_input(
            question, self.values.get(name, ""), max_chars=500, key=self._box(name), **more
        )
        return self.values[name] or ""

    def day(self, name: str, question: str, **more: Any) -> date | None:
        kept = self.values.get(name)
        day = st.date_input(
            question, date.fromisoformat(kept) if kept else None, key=self._box(name), format="DD/MM/YYYY", **more
        )
        self.values[name] = day.isoformat() if isinstance(day, date) else None
        return day if isinstance(day, date) else None

    def clock(self, name: str, question: str) -> time | None:
        kept = self.values.get(name)
        at = st.time_input(question, time.fromisoformat(kept) if kept else None, key=self._box(name), step=300)
        self.values[name] = f"{at:%H:%M}" if at else None
        return at

    def one(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> Any:
        kept = self.values.get(name)
        found = list(options)
        self.values[name] = st.selectbox(
            question,
            found,
            index=found.index(kept) if kept in options else None,
            format_func=lambda o: options.get(o, ""),
            key=self._box(name),
            placeholder="Choose",
            **more,
        )
        return self.values[name]

    def some(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> list[Any]:
        kept = [one for one in self.values.get(name, []) if one in options]
        self.values[name] = st.multiselect(
            question, list(options), default=kept, format_func=lambda o: options.get(o, ""), key=self._box(name), **more
        )
        return list(self.values[name])

    def yes_no(self, name: str, question: str, yes: str, no: str) -> bool | None:
        kept = self.values.get(name)
        options = {"yes": yes, "no": no}
        self.values[name] = st.radio(
            question,
            list(options),
            index=list(options).index(kept) if kept in options else None,
            format_func=options.__getitem__,
            horizontal=True,
            key=self._box(name),
        )
        return None if self.values[name] is None else self.values[name] == "yes"

    def tick(self, name: str, words: str) -> bool:
        self.values[name] = st.checkbox(words, bool(self.values.get(name)), key=self._box(name))
        return bool(self.values[name])


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], False)}


def pupils(school: School, person: Person) -> dict[int, str]:
    """The pupils to choose from, by number."""
    people = list_pupils_to_choose(school, person)
    return {row.pupil_id: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}


def staff(school: School, person: Person) -> dict[int, str]:
    """The staff to choose from, by number."""
    people = list_staff_to_choose(school, person)
    return {row.staff_id: f"{row.name} · {row.department}" for row in people.itertuples()}
