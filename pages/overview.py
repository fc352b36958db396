"""Overview: is the protocol kept, what is drifting, where, and what needs attention."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.access.breaches import count_breaches_by_owner, count_sessions_with_open_breaches
from app.access.concerns import get_oldest_concern
from app.access.overview import count_counselling_sessions, get_overview, list_late_consents
from app.access.people import read_revision
from app.access.policy import get_scopes
from app.formatting import FEW, how_many, on_day, with_counts
from app.protocol.clauses import CLAUSES, title_of
from app.protocol.judge import count_outcomes
from app.reports import charts
from app.ui import address
from app.ui.downloads import show_export
from app.ui.key_figures import KeyFigure, show_figures
from app.ui.labels import PURPOSE_WORDS
from app.ui.lists import session_table, table, table_expander
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import choose_days, draw, filter_rows, filter_values, link
from app.vocabulary import Outcome, Page, Purpose, Resource, Scope

_FILTERS = {"school": "School", "department": "Department", "purpose": "Purpose"}
_PURPOSES = PURPOSE_WORDS | {Purpose.OTHER: "Other"}
_COLUMNS = {
    "title": "Clause",
    "department": "Department",
    "band": "Hour",
    "week": "Week of",
    "owner": "With",
    "kept": "Met",
    "of": "Checks",
    "sessions": "Sessions",
    "breaches": "Breaches",
    "oldest": "Oldest (days)",
    "rate": "Share met",
    "evidence_share": "Share with evidence",
    **{outcome.value: outcome.label for outcome in Outcome},
}


@st.cache_resource(max_entries=20, show_spinner=False)
def load_sessions(days: tuple[date, date], key: tuple[Any, ...]) -> pd.DataFrame:  # noqa: ARG001 - for the cache
    """The sessions that people with these roles may see; `key` names the roles and the state of the data. All share one
    frame, which nobody changes: a copy for each click would take longer than the figures from it."""
    return charts.add_band_and_week(get_overview(school, person, days))


@st.cache_data(max_entries=20, show_spinner=False)
def count_late_consents(days: tuple[date, date], key: tuple[Any, ...]) -> int:  # noqa: ARG001 - for the cache
    """How many consents came late; `key` as in `load_sessions`."""
    return len(list_late_consents(school, person, days))


def count_by_session(rows: pd.DataFrame) -> pd.DataFrame:
    """For each session its `week`, and the counts from which the key figures are computed."""
    outcomes = charts.count_kept(rows, None)
    broken, unlogged = rows["status"] == "breach", rows["logged"].isin(["breach", "no_evidence"])
    return rows[["week"]].assign(sessions=1, broken=broken, unlogged=unlogged, **outcomes)


def show_key_figures(rows: pd.DataFrame, earlier: pd.DataFrame) -> None:
    """Show four figures, each compared with the same number of days before (`earlier`), and by week."""
    sessions = count_by_session(rows)
    now, then = sessions.drop(columns="week").sum(), count_by_session(earlier).drop(columns="week").sum()
    weeks = sessions.groupby("week").sum()
    known_before = len(earlier) >= FEW

    def figure(label: str, part: str, whole: str, *, more_is_better: bool) -> KeyFigure:
        before = then[part] / max(then[whole], 1) if known_before else None
        by_week = (100 * weeks[part] / weeks[whole]).dropna().tolist()
        return KeyFigure(label, now[part], now[whole], before, more_is_better, by_week, len(rows) < FEW)

    show_figures(
        [
            figure("Checks met", "kept", "of", more_is_better=True),
            figure("Sessions with a breach", "broken", "sessions", more_is_better=False),
            figure("Unlogged calls", "unlogged", "sessions", more_is_better=False),
            figure("Checks with evidence", "of", "known", more_is_better=True),
        ]
    )
    if known_before:
        note(f"Compared with the same number of days before ({how_many(len(earlier), 'session')}). Lines show weeks.")


def show_what_needs_attention(rows: pd.DataFrame) -> None:
    st.header("Needs attention", anchor=False)
    needs_attention = False
    if by_name and (late_consents := count_late_consents(days, key)):
        needs_attention = True
        write_html(
            "<b>{sessions}</b> for which a parent's consent, or informing SLT, came too late.",
            sessions=how_many(late_consents, "session"),
        )
    unlogged = rows[rows["logged"].isin(["breach", "no_evidence"])]
    overdue, disputed = int((unlogged["logged"] == "breach").sum()), int(rows["disputed"].sum())
    for show, number, words in (
        ("unlogged", len(unlogged), f"{how_many(len(unlogged), 'unlogged call')}, {overdue:,} overdue"),
        ("disputed", disputed, f"{how_many(disputed, 'session')} where the log and the call record disagree"),
    ):
        if number and by_name:
            link(Page.SESSIONS, words, "arrow_forward", query={"show": show})
        elif number:
            st.write(words)
        needs_attention = needs_attention or number > 0
    if by_name and (unresolved := count_sessions_with_open_breaches(school, person))[0]:
        needs_attention = True
        show_unresolved(*unresolved)
    if get_scopes(person, Resource.OLDEST_CONCERN) and (oldest := get_oldest_concern(school, person)):
        needs_attention = True
        write_html(
            "<b>{concerns}</b>; the oldest, {oldest[ref]}, is <b>{age}</b> old, level “{oldest[level]}”, with {owner}.",
            concerns=how_many(oldest["waiting"], "open concern"),
            oldest=oldest,
            age=how_many(oldest["age_days"], "day"),
            owner=oldest["owner"] or "nobody: no DSP was alerted",
        )
    if not needs_attention:
        st.write("Nothing needs attention.")
    version = school.settings.version_on(school.today())
    if version and version.next_review and version.next_review < school.today():
        st.warning(
            f"The protocol was due for review on {version.next_review.day} {version.next_review:%B %Y}.",
            icon=":material/event_busy:",
        )


def show_unresolved(sessions: int, days: int) -> None:
    words = "<b>{sessions}</b> with unresolved breaches; oldest <b>{days}</b>."
    write_html(words, sessions=how_many(sessions, "session"), days=how_many(days, "day"))
    link(Page.SESSIONS, "Waiting for you", "arrow_forward", query={"view": "resolve"})
    table_expander(
        lambda: count_breaches_by_owner(school, person).rename(columns=_COLUMNS),
        "unresolved breaches",
        "Unresolved breaches by owner",
        "Outstanding by owner",
        "A breach with both a HOY and an HM counts for both; either can resolve it.",
    )


def show_by_department_and_hour(rows: pd.DataFrame, measure: str | None, name: str) -> list[tuple[str, str]]:
    """Show the heat map. Returns the cells, department and hour, that are selected."""
    st.header("By department and time of day", anchor=False)
    cells = charts.compute_rates(rows, ["department", "band"], measure)
    if cells.empty:
        st.info("No session on these dates has evidence for this clause.")
        return []
    write_html("{sentence}", sentence=charts.describe_heat_map(cells, name))
    key = f"{days} {measure} {list(chosen.values())}"
    event = draw(
        charts.draw_heat_map(cells),
        "Heat map of compliance by department and hour; the same figures are in the table below it.",
        on_select="rerun",
        selection_mode="cell",
        key=f"heat {key}",
    )
    note("% of checks met. (n): fewer than three sessions. Select a cell to list its sessions.")
    picked = choose_cell(cells, key)
    return [picked] if picked else [(point["department"], point["band"]) for point in event["selection"]["cell"]]


def choose_cell(cells: pd.DataFrame, key: str) -> tuple[str, str] | None:
    """The cells as a list to choose from, for those who use no mouse, and as a table."""
    with st.expander("Select by department and hour · View as table", key="cells", on_change="rerun") as place:
        if not place.open:
            return None
        names = {f"{cell.department}, hour {cell.band}": (cell.department, cell.band) for cell in cells.itertuples()}
        picked = st.selectbox("Cell", list(names), index=None, placeholder="Department, hour", key=f"cell {key}")
        table(cells.rename(columns=_COLUMNS), "Compliance by department and hour", "department and hour")
    return names[picked] if picked else None


def show_cell(rows: pd.DataFrame, department: str, hour: str, measure: str | None) -> None:
    """The sessions behind a cell, those with a breach first."""
    rows = rows[(rows["department"] == department) & (rows["band"] == hour)]
    names = [measure] if measure else list(CLAUSES)
    broken = (rows[names] == "breach").apply(lambda row: ", ".join(title_of(c) for c in names if row[c]), axis=1)
    rows = rows.assign(broken=broken, fine=broken == "").sort_values(
        ["fine", "day", "minute"], ascending=[True, False, False]
    )
    st.subheader("Sessions in this cell")
    write_html(
        "{department}, {hour}: <b>{sessions}</b>, <b>{broken}</b> with a breach.",
        department=department,
        hour=hour,
        sessions=how_many(len(rows), "session"),
        broken=int((~rows["fine"]).sum()),
    )
    listing = pd.DataFrame(
        {
            "When": [
                f"{on_day(d)}, {m // 60:02}:{m % 60:02}" for d, m in zip(rows["day"], rows["minute"], strict=True)
            ],
            "Staff": rows["staff_name"].fillna("unknown"),
            "Purpose": [_PURPOSES[p] if isinstance(p, str) else "not logged" for p in rows["purpose"]],
            "Breaches": rows["broken"],
        }
    )
    alt, name = "Sessions of the cell", "sessions of a cell"
    if not by_name:
        table(listing.drop(columns="Staff"), alt, name)
        return
    note("Select a row to open the session.")
    session_table(listing, rows["session_id"].tolist(), alt, name)


def show_by_clause(rows: pd.DataFrame) -> None:
    st.header("By clause", anchor=False)
    clauses = count_outcomes(rows[list(CLAUSES)])
    clauses.insert(0, "title", [title_of(name) for name in clauses.index])
    known = clauses[clauses[["met", "exempt", "breach"]].sum(axis=1) >= FEW]
    if not known.empty:
        least = known.sort_values("rate").iloc[0]
        kept = int(least["met"] + least["exempt"])
        words = with_counts(least["rate"], kept, kept + int(least["breach"]))
        write_html("Lowest: {title}, {words}.", title=least["title"], words=words)
    draw(charts.draw_clause_bars(clauses), "Compliance of each clause; the same figures are in the table below.")
    listing = clauses.reset_index(drop=True).rename(columns=_COLUMNS)
    table_expander(listing, "clause by clause", "Outcomes of each clause")


def show_by_week(rows: pd.DataFrame, measure: str | None, name: str) -> None:
    st.header("Week by week", anchor=False)
    weeks = charts.compute_rates(rows, ["week"], measure)
    if weeks.empty:
        st.info("No session on these dates has evidence for this clause.")
        return
    write_html("{name}: {sentence}", name=name, sentence=charts.describe_weeks(weeks))
    draw(charts.draw_week_line(weeks), "Compliance week by week; the same figures are in the table below.")
    listing = weeks.assign(week=[on_day(week) for week in weeks["week"]]).rename(columns=_COLUMNS)
    table_expander(listing, "week by week", "Week by week")


school, person = require(Page.OVERVIEW)
by_name = Scope.WITH_NAMES in get_scopes(person, Resource.OVERVIEW)
st.title("Overview", anchor=False)
days = choose_days(school)
key = (sorted(person.roles), read_revision(school), school.today(), str(school.engine.url))
rows, measure = load_sessions(days, key), None
left, export = st.columns(2)
# Draw its lists only once it is open, so that the charts appear sooner.
with left.expander("Filters", key="overview narrow", on_change="rerun") as place:
    if place.open or any(address.get_all(what) for what in (*_FILTERS, "clause")):
        rows = filter_rows(rows, _FILTERS, lambda word: _PURPOSES.get(word, word))
        said = address.get("clause")
        measure = st.selectbox(
            "Clause that “By department and time of day” and “Week by week” show",
            [None, *CLAUSES],
            format_func=lambda c: title_of(c) if c else "All clauses",
            **address.bind("clause", said if said in CLAUSES else None, lambda clause: [clause] if clause else []),
        )
chosen = {column: address.get_all(column) for column in _FILTERS}
write_html("{days[0]} to {days[1]}. Counselling is confidential and not included.", days=days)
if rows.empty:
    st.info("No sessions to show for these dates. Choose other dates, or import call records and logs.")
    st.stop()
figures = st.container()  # with what needs attention looked up last: the charts need not wait for it
name = title_of(measure) if measure else "All clauses"
left, attention = st.columns([2, 1], gap="large")
with left:
    cells = show_by_department_and_hour(rows, measure, name)
for department, hour in cells:
    show_cell(rows, department, hour, measure)
show_by_week(rows, measure, name)
show_by_clause(rows)
length = days[1] - days[0] + timedelta(days=1)
earlier = filter_values(load_sessions((days[0] - length, days[1] - length), key), **chosen)
with figures:
    show_key_figures(rows, earlier)
with export:
    show_export(school, person, days, chosen)
with attention:
    show_what_needs_attention(rows)
counts = count_counselling_sessions(school, person)
if not counts.empty:
    st.header("Counselling", anchor=False)
    write_html("{words}.", words="; ".join(f"{row.term}: {row.sessions} sessions" for row in counts.itertuples()))
    note("Rounded to multiples of three, so that no figure reveals a single session.")
