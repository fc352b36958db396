"""Times and limits on the Protocol page: those in force, and putting others into force from a given day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.formatting import on_day
from app.judging.what_if import describe_figures, find_differences
from app.management.protocol import Change
from app.reports.inspection import describe_rules
from app.school import School
from app.settings import Rules, SettingsError, replace_figures
from app.store.protocol import FIGURES
from app.ui.dialogs import Change as Confirmed
from app.ui.dialogs import open_dialog
from app.ui.protocol.effects import REASON_HELP, make_change, show_last_term
from app.ui.text import write_html
from app.vocabulary.terms import ProtocolKind

_SLOT_COLUMNS = ("Name", "Days", "From", "Until", "Years", "Schools", "Week")


def show_figures(school: School, person: Person) -> None:
    """Show the times and limits in force today and from later days, with the button to change them."""
    st.subheader("Times and limits", anchor=False)
    today = school.today()
    write_html("{words}", words=describe_rules(school.settings.rules_on(today)))
    for rules in school.settings.rules:
        if rules.from_ > today:
            write_html("<b>From {day}</b>: {words}", day=rules.from_, words=describe_rules(rules))
    if st.button("Change times and limits", icon=":material/edit:", key="change figures"):
        open_figures(school, person, today, {})


def open_figures(school: School, person: Person, day: date, chosen: Mapping[str, Any]) -> None:
    """Open the form for other times and limits from a day. `chosen` are figures to start with, as in the settings
    file."""
    entered: list[Change] = []
    means: list[str] = []

    def ask() -> Confirmed:
        first = st.date_input("In force from", day, format="DD/MM/YYYY", key="figures from")
        rules = school.settings.rules_on(first)
        start = replace_figures(school.settings, chosen).rules_on(first)
        asked = ask_figures(start, f"figures {rules.from_}", with_all=True)
        words = st.text_input("What has changed, and why", max_chars=500, key="figures note", help=REASON_HELP)

        def changes() -> list[Change]:
            _, found = find_changes(school, rules, asked, first)
            if not found:
                raise ValueError("These are the settings in force. Change at least one of them.")
            return found

        try:
            differing, entered[:] = find_changes(school, rules, asked, first)
            means[:] = [f"With {describe_figures(differing)}"] if differing else []
        except SettingsError:
            entered.clear()
        return make_change(school, person, changes, lambda: words, f"In force from {on_day(first)}.")

    def below() -> None:
        if entered and means:
            show_last_term(school, person, entered, means[0])

    open_dialog("Times and limits", ask, "Put into force", below=below)


def find_changes(
    school: School, rules: Rules, asked: Mapping[str, Any], first: date
) -> tuple[dict[str, Any], list[Change]]:
    """The figures that differ from the rules of a day, and the changes that put them into force. Raises SettingsError
    if a figure is wrong."""
    checked = replace_figures(school.settings, asked).rules_on(first)
    differing = find_differences({name: getattr(checked, name) for name in FIGURES}, rules)
    plain = checked.model_dump(mode="json", by_alias=True)
    return differing, [
        Change(ProtocolKind.FIGURE, {"figure": name, "from": first.isoformat(), "value": plain[name]})
        for name in differing
    ]


def ask_figures(rules: Rules, key: str, *, with_all: bool) -> dict[str, Any]:
    """Show the fields for times and limits, filled in from some rules. Returns what was typed, in the format of the
    settings file. `with_all` adds the fields that do not affect any outcome of a single session."""
    row = st.columns(5)
    begins = row[0].text_input("Tuition from", f"{rules.academic_hours[0]:%H:%M}", key=f"{key} begins")
    ends = row[1].text_input("Tuition until", f"{rules.academic_hours[1]:%H:%M}", key=f"{key} ends")
    figures: dict[str, Any] = {
        "academic_hours": [begins.strip(), ends.strip()],
        "grace_seconds": _ask_number(row[2], "Grace (seconds)", rules.grace_seconds, 5, f"{key} grace"),
        "camera_share": _ask_number(row[3], "Camera on (%)", rules.camera_share * 100, 5, f"{key} share") / 100,
        "log_within_hours": _ask_number(row[4], "Time to log (hours)", rules.log_within_hours, 24, f"{key} hours"),
    }
    if with_all:
        more = st.columns(3)
        share = _ask_number(more[2], "Spot checks (%)", rules.spot_check_share * 100, 1, f"{key} checks")
        figures |= {
            "match_minutes": _ask_number(
                more[0], "Log and call may differ by (minutes)", rules.match_minutes, 5, f"{key} match"
            ),
            "breach_days": round(
                _ask_number(more[1], "To resolve a breach (school days)", rules.breach_days, 1, f"{key} days")
            ),
            "spot_check_share": share / 100,
        }
    return figures | {"one_to_one_slots": _ask_slots(rules, key)}


def _ask_number(place: Any, label: str, value: float, step: float, key: str) -> float:
    return float(place.number_input(label, value=float(value), step=float(step), format="%g", key=key))


def _ask_slots(rules: Rules, key: str) -> list[dict[str, Any]]:
    """Ask for the times for one-to-ones. Returns them in the format of the settings file."""
    st.write(
        "Times for one-to-ones, such as tutor time, C4L and lunch. Leave years, schools and week blank to include all."
    )
    times = [(f"{slot.from_:%H:%M}", f"{slot.to:%H:%M}") for slot in rules.one_to_one_slots]
    now = [
        [slot.name, ", ".join(slot.days), *time, ", ".join(slot.years), ", ".join(slot.schools), slot.week or ""]
        for slot, time in zip(rules.one_to_one_slots, times, strict=True)
    ]
    table = st.data_editor(
        pd.DataFrame(now, columns=list(_SLOT_COLUMNS)).astype(str),
        num_rows="dynamic",
        hide_index=True,
        key=f"{key} slots",
        column_config={"Week": st.column_config.SelectboxColumn(options=["", "A", "B"])},
    )
    cells = table.fillna("").astype(str).apply(lambda column: column.str.strip())
    return [_as_slot(row) for row in cells.itertuples(index=False, name=None) if any(row)]


def _as_slot(row: tuple[str, ...]) -> dict[str, Any]:
    name, days, begin, end, years, schools, week = row
    lists = {"days": [d.lower() for d in _split(days)], "years": _split(years), "schools": _split(schools)}
    return {"name": name, "from": begin, "to": end, "week": week or None} | lists


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.replace(";", ",").split(",") if part.strip()]
