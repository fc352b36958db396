"""The downloads of the Overview. A file is created only when somebody selects it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

import streamlit as st

from app.access.administration import record_access
from app.access.policy import Person
from app.reports import governors
from app.reports.inspection import create_inspection_pack
from app.reports.periods import list_report_periods
from app.school import School
from app.ui.text import note
from app.ui.widgets import download


def show_export(school: School, person: Person, days: tuple[date, date], chosen: Mapping[str, Sequence[str]]) -> None:
    """Show the menu of the Overview's downloads for some days. `chosen` are the filters' values by column. A file is
    created, and recorded in the audit trail, when it is selected."""
    span = f"{days[0]} to {days[1]}"
    workbook = partial(governors.create_figures_workbook, school, person)

    def offer(label: str, file: str, create: Callable[[], bytes]) -> None:
        download(label, partial(_create, school, person, file, create), file, type="tertiary", key=f"export {label}")

    with st.popover("Export", icon=":material/download:"):
        note("For governors: the whole school, without names, counts under 3 hidden. Takes a few seconds.")
        periods = list_report_periods(school.settings, school.today())
        chosen_days = st.selectbox(
            "Period of the governors' report",
            list(periods),
            index=list(periods).index(days) if days in periods else 0,
            format_func=periods.__getitem__,
            help="Whole terms and completed weeks: small numbers cannot be worked out by comparing two reports.",
        )
        days_of_report = f"{chosen_days[0]} to {chosen_days[1]}"
        report = partial(governors.create_governors_report, school, person, chosen_days)
        offer("Governors' report (PDF)", f"governors report {days_of_report}.pdf", report)
        tables = partial(workbook, chosen_days, governors=True)
        offer("Tables for governors (Excel)", f"tables for governors {days_of_report}.xlsx", tables)
        pack = partial(create_inspection_pack, school, person)
        offer("Inspection pack (PDF)", f"inspection pack {school.today()}.pdf", pack)
        note("For leadership only: as shown on this page, with its filters and small counts.")
        all_counts = partial(workbook, days, governors=False, chosen=chosen)
        offer("Excel workbook", f"tables for leadership {span}.xlsx", all_counts)


def _create(school: School, person: Person, file: str, create: Callable[[], bytes]) -> bytes:
    content = create()
    record_access(school, person, "exported", file)
    return content
