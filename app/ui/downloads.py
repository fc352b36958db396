"""The downloads of the Overview. A file is created when somebody asks for it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

import streamlit as st

from app.access.administration import record_access
from app.access.people import read_revision
from app.access.policy import Person
from app.reports import governors
from app.reports.inspection import create_inspection_pack
from app.school import School
from app.ui.text import note
from app.ui.widgets import download


@st.fragment
def show_export(school: School, person: Person, days: tuple[date, date], chosen: Mapping[str, Sequence[str]]) -> None:
    """Show the downloads of the Overview for some days; `chosen` are its filters' values by column."""
    with st.expander("Export", icon=":material/download:", key="take", on_change="rerun") as place:
        if not place.open:
            return
        span = f"{days[0]} to {days[1]}"
        workbook = partial(governors.create_figures_workbook, school, person, days)
        filters = str(sorted((column, *values) for column, values in chosen.items()))
        note("For governors: the whole school, without names, counts under 3 hidden. Takes a few seconds.")
        report = partial(governors.create_governors_report, school, person, days)
        tables = partial(workbook, governors=True)
        pack = partial(create_inspection_pack, school, person)
        _offer(school, person, "Governors' report (PDF)", f"governors report {span}.pdf", report)
        _offer(school, person, "Tables for governors (Excel)", f"tables for governors {span}.xlsx", tables)
        _offer(school, person, "Inspection pack (PDF)", f"inspection pack {school.today()}.pdf", pack)
        note("For leadership only: as shown on this page, with its filters and small counts.")
        tables = partial(workbook, governors=False, chosen=chosen)
        _offer(school, person, "Tables as shown (Excel)", f"tables for leadership {span}.xlsx", tables, filters)


def _offer(
    school: School, person: Person, label: str, file: str, create: Callable[[], bytes], filters: str = ""
) -> None:
    """Show a button that creates a file, then one to download it until the data or the filters it uses change."""
    key = f"take {label}"
    state = (file, filters, person.staff_id, read_revision(school))
    with st.container(horizontal=True):
        if st.button(label, key=key, icon=":material/description:"):
            with st.spinner("Creating…", show_time=True):
                st.session_state[f"{key} made"] = (state, create())
        created_for, content = st.session_state.get(f"{key} made", (None, b""))
        if created_for == state:
            record = partial(record_access, school, person, "exported", file)
            download(f"Download {file}", content, file, key=f"{key} download", type="primary", on_click=record)
