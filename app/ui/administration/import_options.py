"""The options of an import of people (corrections of the past, and new names), and the templates of the tables."""

from datetime import date
from functools import partial

import streamlit as st

from app.intake.people import RosterOptions
from app.reports.table_templates import create_xlsx_template
from app.ui.text import note
from app.ui.widgets import download
from app.vocabulary.terms import TableKind


def show_templates() -> None:
    """Offer an empty table of each kind, with an explanation of its columns."""
    with st.expander("Templates of every table"):
        note("For tables that you fill in yourself. Import other tables as they are: the next step matches columns.")
        places = st.columns(3)
        for n, kind in enumerate(TableKind):
            with places[n % 3]:
                download(
                    kind.label,
                    partial(create_xlsx_template, kind),
                    f"{kind}.xlsx",
                    key=f"template {kind}",
                    type="tertiary",
                )


def ask_roster_options(today: date) -> RosterOptions:
    """Ask for the options of an import of staff or pupils, except who has left."""
    valid_from, same_person = None, ""
    with st.expander("Backdated corrections, new first names and new accounts"):
        left, right = st.columns(2)
        if left.checkbox("They correct something in the past", key="import past"):
            valid_from = left.date_input(
                "Valid from",
                today,
                max_value=today,
                format="DD/MM/YYYY",
                help="Sessions since this day are checked again.",
                key="import valid from",
            )
        if right.checkbox("Somebody has a new first name or account", key="import same"):
            same_person = right.text_input(
                "Their addresses",
                help="Email addresses that still belong to the same person. Separate several by semicolons.",
                key="import same person",
            )
    addresses = frozenset(filter(None, map(str.strip, same_person.split(";"))))
    return RosterOptions(valid_from if isinstance(valid_from, date) else None, None, addresses)
