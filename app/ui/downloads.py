"""What the Overview gives to take along. Nothing is made before it is clicked."""

from collections.abc import Callable, Sequence
from datetime import date

import streamlit as st

from app.access.administration import record_access
from app.access.people import read_revision
from app.access.policy import Person
from app.reports import governors
from app.reports.inspection import inspection_pack
from app.school import School
from app.ui.text import note

_PDF, _XLSX = "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@st.fragment
def show_export(school: School, person: Person, days: tuple[date, date], chosen: dict[str, Sequence[str]]) -> None:
    """The downloads of the Overview, as it stands for these days; `chosen` are its filters' values by column."""
    label = "Export"
    with st.expander(label, icon=":material/download:", key="take", on_change="rerun") as place:
        if not place.open:
            return
        span, as_of = f"{days[0]} to {days[1]}", read_revision(school)

        def offer(label: str, file: str, kind: str, make: Callable[[], bytes], of: str = "") -> None:
            _offer(school, person, label, file, kind, make, (file, of, person.staff_id, as_of))

        note("For governors: the whole school, without names, counts under 3 hidden. Takes a few seconds.")
        offer(
            "Governors' report (PDF)",
            f"governors report {span}.pdf",
            _PDF,
            lambda: governors.governors_report(school, person, days),
        )
        offer(
            "Tables for governors (Excel)",
            f"tables for governors {span}.xlsx",
            _XLSX,
            lambda: governors.figures_workbook(school, person, days, governors=True),
        )
        offer(
            "Inspection pack (PDF)",
            f"inspection pack {school.today()}.pdf",
            _PDF,
            lambda: inspection_pack(school, person),
        )
        note("For leadership only: as shown on this page, with its filters and small counts.")
        offer(
            "Tables as shown (Excel)",
            f"tables for leadership {span}.xlsx",
            _XLSX,
            lambda: governors.figures_workbook(school, person, days, governors=False, chosen=chosen),
            of=str(sorted((column, *values) for column, values in chosen.items())),
        )


def _offer(
    school: School,
    person: Person,
    label: str,
    file: str,
    kind: str,
    make: Callable[[], bytes],
    state: tuple[object, ...],
) -> None:
    """A button that makes a file, then one that downloads it, until its `state` changes."""
    key = f"take {label}"
    with st.container(horizontal=True):
        if st.button(label, key=key, icon=":material/description:"):
            with st.spinner("Creating…", show_time=True):
                st.session_state[f"{key} made"] = (state, make())
        made = st.session_state.get(f"{key} made")
        if made and made[0] == state:
            st.download_button(
                f"Download {file}",
                made[1],
                file,
                kind,
                key=f"{key} download",
                type="primary",
                on_click=_exported,
                args=(school, person, file),
                icon=":material/download:",
            )


def _exported(school: School, person: Person, file: str) -> None:
    record_access(school, person, "exported", file)
