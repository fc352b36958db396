"""What both tabs of the page Parents use: filters, changes with their confirmation, and letters to download."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.access.policy import NotAllowedError
from app.parents.letters import Download, TemplateError
from app.ui.text import show_error


def matching(rows: pd.DataFrame, **wanted: list[str]) -> pd.DataFrame:
    """The rows with one of the wanted values in each named column; an empty list wants all."""
    for column, values in wanted.items():
        if values:
            rows = rows[rows[column].isin(values)]
    return rows


def sorted_years(years: pd.Series) -> list[str]:
    """Year groups, 7 before 10."""
    return sorted(years.unique(), key=lambda year: (len(year), year))


def attempt(change: Callable[[], object], confirmation: str) -> None:
    """Make a change and run the page again with the confirmation at its top; or say why it was not made."""
    try:
        change()
    except (ValueError, NotAllowedError) as error:
        st.warning(f"{error} Nothing was changed.", icon=":material/edit:")
        return
    confirm_on_rerun(confirmation)
    st.rerun()


def confirm_on_rerun(words: str) -> None:
    st.session_state["parents done"] = words


def show_confirmation() -> None:
    if words := st.session_state.pop("parents done", None):
        st.success(words, icon=":material/check:")


def offer_letters(label: str, key: str, make: Callable[[Callable[[float], None]], Download]) -> None:
    """A button that creates a file, then one that downloads it; `make` takes a function that shows the share done."""
    made: dict[str, Download] = st.session_state.setdefault("letters made", {})
    if key not in made and st.button(label, key=f"make {key}", icon=":material/draft:"):
        bar = st.progress(0.0, text="Creating letters…")

        def show_share(share: float) -> None:
            bar.progress(share, text="Creating letters…")

        try:
            made.clear()
            made[key] = make(show_share)
        except TemplateError as error:
            show_error("The letters could not be created. Nothing was changed.", str(error))
        bar.empty()
    if key in made:
        file = made[key]
        st.download_button(
            "Download",
            file.content,
            file.name,
            file.type,
            key=f"download {key}",
            on_click="ignore",
            icon=":material/download:",
            type="primary",
        )
