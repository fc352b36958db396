"""Whom to contact about a child: the DSPs, by name and telephone."""

from collections.abc import Collection
from typing import Any

import pandas as pd
import streamlit as st

from app.access.forms import Dsps, list_dsps
from app.access.policy import Person
from app.alerts import channels
from app.school import School
from app.ui.text import show_error, write_html


def list_codes(pupils: pd.DataFrame, column: str, chosen: Collection[Any]) -> list[str]:
    """The codes of the schools of the chosen pupils. `column` is the column of `list_pupils_to_choose` that holds
    `chosen`."""
    return sorted({str(code) for code in pupils.loc[pupils[column].isin(chosen), "school"]})


def show_dsps(school: School, person: Person, codes: Collection[str] = ()) -> None:
    """Show the DSPs of some schools, given by their codes, by default of all."""
    for one in list_dsps(school, person, codes):
        show_dsp(one)


def show_dsp(dsps: Dsps) -> None:
    """Show the DSPs of one school."""
    if not dsps.names:
        show_error("The roster has no DSP for this school.", "Tell the Senior Deputy Head in person.")
        return
    write_html(
        "DSP, {dsps.school}: <b>{names}</b>" + (", <b>{dsps.telephone}</b>" if dsps.telephone else ""),
        dsps=dsps,
        names=", ".join(dsps.names),
    )


def warn_without_email(school: School) -> None:
    """Show a warning if email alerts cannot be sent."""
    if not (channels.is_configured() or school.is_demonstration()):
        st.warning("Email alerts are not set up: tell them in person as well.", icon=":material/person:")
