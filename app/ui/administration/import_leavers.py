"""The people on the roster who are not in the imported files: whether they have left, and since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
import streamlit as st

from app.formatting import how_many
from app.intake.people import RosterOptions
from app.intake.preview import Preview
from app.intake.result import ImportResult
from app.ui.authority import guard
from app.ui.lists import table
from app.ui.text import note, write_html

_MOST = 1 / 3  # of a list: if more people are missing from a file, it is probably not the whole list
LEFT, STAY = "left", "stay"
_CHOICES = {LEFT: "They have left", STAY: "They stay on the roster"}
_UNITS = {"staff": ("member of staff", "staff"), "pupils": ("pupil", "pupils")}
_SHOWN_AT_ONCE = 10


@dataclass(frozen=True)
class LeaversChoice:
    """Whether the people who are not in some files have left. `key` identifies these files; `today` is the first day
    without them unless another is chosen; `actor_email` belongs to whoever is asked, who has not left."""

    key: str
    today: date
    actor_email: str

    @property
    def chosen(self) -> str | None:
        """What was chosen, or None if nothing has been."""
        chosen: str | None = st.session_state.get(f"{self.key} chosen")
        return chosen

    def add_to(self, options: RosterOptions) -> RosterOptions:
        """The options, with the first day without these people."""
        left_on = st.session_state.get(f"{self.key} day") or self.today
        return replace(options, left_on=left_on, staying=options.staying | {self.actor_email})

    def ask(self, *, have_left: bool) -> None:
        """Ask whether they have left, and since when. `have_left` is the answer to show first."""
        left, right = st.columns([2, 1])
        box = f"{self.key} {have_left}"
        with left:
            st.segmented_control(
                "People who are not in the files",
                list(_CHOICES),
                format_func=_CHOICES.__getitem__,
                default=LEFT if have_left else STAY,
                required=True,
                key=box,
                on_change=guard(self._remember),
                args=(box,),
            )
        if have_left:
            right.date_input(
                "First day without them",
                self.today,
                max_value=self.today,
                format="DD/MM/YYYY",
                help="Staff have no role from that day. Everybody's sessions stay.",
                key=f"{self.key} day",
            )

    def _remember(self, box: str) -> None:
        st.session_state[f"{self.key} chosen"] = st.session_state[box]


def is_plausible(results: Sequence[ImportResult], on_roster: Mapping[str, int]) -> bool:
    """Whether the files may be complete lists: at most a third of the people on the roster are leaving. `on_roster`
    counts these by kind."""
    return all(len(result.left) <= _MOST * on_roster.get(result.kind, 0) for result in results)


def show_leavers(preview: Preview, choice: LeaversChoice, options: RosterOptions) -> None:
    """Show who is not in the files, and ask whether they have left. They leave if `options.left_on` is set."""
    results = [result for result in preview.results if result.left or result.missing]
    if not results:
        return
    left, missing = (count_people(results, names) for names in ("left", "missing"))
    with st.container(border=True):
        if left:
            write_html("Leaving: {people} who are not in the files", "h4", people=left)
            choice.ask(have_left=True)
        else:
            write_html("Not in the files: {people}", "h4", people=missing)
            if options.left_on is None:
                choice.ask(have_left=False)
        if missing and options.left_on is not None:
            write_html(
                "{people} stay on the roster for now, because a rejected row below may be about one of them. Correct "
                "the row, or take it out of the file.",
                people=missing,
            )
        elif not left and choice.chosen is None:
            note(
                "Many people are missing, so this may not be the full list. Nobody becomes a leaver unless you say so."
            )
        for result in results:
            show_names(result, "left", "Leaving")
            show_names(result, "missing", "Staying")


def show_names(result: ImportResult, which: str, label: str) -> None:
    """Show the names in a result's list `which` ("left" or "missing"), if there are any."""
    names: list[str] = getattr(result, which)
    if not names:
        return
    few = len(names) <= _SHOWN_AT_ONCE
    words = f"{label}: {_count(result.kind, len(names))}"
    with st.expander(words, expanded=few):
        rows = pd.DataFrame({"Who": names})
        table(rows, words, f"{which} {result.kind}")


def name_import(preview: Preview) -> str:
    """The label of the button that imports. It says how many people would leave."""
    left = count_people(preview.results, "left")
    return f"Import, and mark {left} as having left" if left else "Import"


def count_people(results: Sequence[ImportResult], names: str) -> str:
    """How many people of each kind are in the results' lists `names`, such as "100 pupils and 1 member of staff"."""
    return " and ".join(_count(result.kind, number) for result in results if (number := len(getattr(result, names))))


def _count(kind: str, number: int) -> str:
    return how_many(number, *_UNITS[kind])
