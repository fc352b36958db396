"""The list of the sessions behind a mark of the Overview."""

from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app.access.breaches import list_open_breaches
from app.access.policy import get_scopes
from app.formatting import how_many, on_day
from app.protocol.clauses import CLAUSES, title_of
from app.reports.details import TITLES, add_titles
from app.reports.figures import BANDS
from app.ui import address
from app.ui.deadlines import DUE, style_due
from app.ui.lists import session_table, table
from app.ui.overview.attention import find_sessions
from app.ui.overview.view import PURPOSES, View, carry_choices
from app.ui.text import title, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page, Resource

_OPEN = ("unresolved", "overdue", "earlier")  # lists of sessions with open breaches


def get_list() -> str:
    """The list that the address names, or ""."""
    kind = address.get("list")
    return kind if kind in TITLES else ""


def show_title(kind: str) -> None:
    """Show the title of a list in TITLES, with the link back."""
    link(Page.OVERVIEW, "Overview", "arrow_back", query=carry_choices())
    title(_find_place(kind)[1])


def show_list(view: View, kind: str) -> None:
    """Show a list in TITLES."""
    place, words = _find_place(kind)
    if place is None or (kind in ("late", *_OPEN) and not _may_list(view)):
        st.info("This list does not exist, or you do not have access to it.")
        return
    rows = add_titles(find_sessions(view, kind, place), view.measure)
    broken = int((~rows["fine"]).sum())
    spans = {"earlier": "Before {view.days[0]}", "overdue": "On all days"}
    when = spans.get(kind, "{view.days[0]} to {view.days[1]}")
    filters = [", ".join(PURPOSES.get(value, value) for value in values) for values in view.chosen.values() if values]
    write_html(
        f"{when}: <b>{{sessions}}</b>, <b>{{broken:,}}</b> with a breach. {{filters}}",
        sessions=how_many(len(rows), "session"),
        broken=broken,
        view=view,
        filters=f"Only {'; '.join(filters)}." if filters else "",
    )
    if rows.empty:
        st.info("No sessions to show.")
        return
    listing = _as_listing(rows, view.school.settings.zone)
    if not view.by_name:
        table(listing.drop(columns="Staff"), words, TITLES[kind].lower())
        return
    if kind not in _OPEN:
        session_table(listing, rows["session_id"].tolist(), words, TITLES[kind].lower())
        return
    due = list_open_breaches(view.school, view.person).set_index("session_id")["due"]
    listing.insert(1, DUE, rows["session_id"].map(due))
    style = partial(style_due, today=view.school.today())
    config = {DUE: st.column_config.DateColumn(width=145)}
    session_table(listing, rows["session_id"].tolist(), words, TITLES[kind].lower(), style=style, column_config=config)


def _may_list(view: View) -> bool:
    return view.by_name and bool(get_scopes(view.person, Resource.BREACH_COUNTS))


def _find_place(kind: str) -> tuple[dict[str, str] | None, str]:
    """The cell, clause or week in the address ({} for other lists, None if it is not valid), and the list's title."""
    of, hour = address.get("of"), address.get("hour")
    if kind == "cell":
        words = {"before 08": "before 08:00", "from 20": "from 20:00"}.get(hour, f"from {hour}:00")
        return ({"department": of, "band": hour} if hour in BANDS else None), f"{of}, {words}"
    if kind == "clause":
        return ({"clause": of}, f"Breaches of “{title_of(of)}”") if of in CLAUSES else (None, TITLES[kind])
    if kind == "week":
        try:
            return {"week": str(date.fromisoformat(of))}, f"Week of {on_day(date.fromisoformat(of))}"
        except ValueError:
            return None, TITLES[kind]
    return {}, TITLES[kind]


def _as_listing(rows: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    began = rows["day"] + pd.to_timedelta(rows["minute"].astype("int64"), unit="min")
    return pd.DataFrame(
        {
            "When": began.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward"),
            "Staff": rows["staff_name"].astype(object).fillna("unknown"),
            "Department": rows["department"].astype(object).fillna(""),
            "Purpose": [PURPOSES[word] if isinstance(word, str) else "not logged" for word in rows["purpose"]],
            "Breaches": rows["breaches"],
            "No evidence": rows["gaps"],
        }
    )
