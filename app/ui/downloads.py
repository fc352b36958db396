"""The downloads of the Overview. A file is created only when somebody selects it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

import streamlit as st

from app.access.administration import record_access
from app.access.policy import Person
from app.reports import governors
from app.reports.inspection import create_inspection_pack
from app.school import School
from app.ui.text import note
from app.ui.widgets import download


def show_export(school: School, person: Person, days: tuple[date, date], chosen: Mapping[str, Sequence[str]]) -> None:
    """Show the menu of the Overview's downloads for some days. `chosen` are the filters' values by column. A file is
    created, and recorded in the audit trail, when it is selected."""
    span = f"{days[0]} to {days[1]}"
    workbook = partial(governors.create_figures_workbook, school, person, days)

    def offer(label: str, file: str, create: Callable[[], bytes]) -> None:
        download(label, partial(_create, school, person, file, create), file, type="tertiary", key=f"export {label}")

    with st.popover("Export", icon=":material/download:"):
        note("For governors: the whole school, without names, counts under 3 hidden. Takes a few seconds.")
        report = partial(governors.create_governors_report, school, person, days)
        offer("Governors' report (PDF)", f"governors report {span}.pdf", report)
        offer("Tables for governors (Excel)", f"tables for governors {span}.xlsx", partial(workbook, governors=True))
        pack = partial(create_inspection_pack, school, person)
        offer("Inspection pack (PDF)", f"inspection pack {school.today()}.pdf", pack)
        note("For leadership only: as shown on this page, with its filters and small counts.")
        tables = partial(workbook, governors=False, chosen=chosen)
        offer("Excel workbook", f"tables for leadership {span}.xlsx", tables)


def _create(school: School, person: Person, file: str, create: Callable[[], bytes]) -> bytes:
    content = create()
    record_access(school, person, "exported", file)
    return content
