"""Overview: is the protocol kept, what is drifting, where, and what needs attention."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.access.breaches import count_breaches_by_owner, list_unresolved_breaches
from app.access.concerns import get_oldest_concern
from app.access.overview import count_counselling_sessions, get_overview, list_late_consents
from app.access.people import read_revision
from app.access.policy import scopes
from app.formatting import FEW, how_many, on_day, percent, with_counts
from app.protocol.clauses import CLAUSES, title_of
from app.protocol.judge import figures
from app.reports import charts
from app.ui.downloads import show_export
from app.ui.key_figures import KeyFigure, show_figures
from app.ui.labels import PURPOSE_WORDS
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import choose_days, draw, filtered, table, table_expander
from app.vocabulary import Page, Resource, Scope

_FILTERS = (("school", "School"), ("department", "Department"), ("purpose", "Purpose"))


@st.cache_resource(max_entries=20, show_spinner=False)
def sessions_of(days: tuple[date, date], key: tuple[Any, ...]) -> pd.DataFrame:  # noqa: ARG001 - for the cache
    """What people with these roles may see; `key` says which roles, and of which state of the data. One frame for
    all of them, which nobody changes: a copy for each click would take longer than the figures from it."""
    return charts.placed(get_overview(school, person, days))


@st.cache_data(max_entries=20, show_spinner=False)
def late_consents_of(days: tuple[date, date], key: tuple[Any, ...]) -> int:  # noqa: ARG001 - for the cache
    """How many consents came late; `key` as of `sessions_of`."""
    return len(list_late_consents(school, person, days))


def counted(rows: pd.DataFrame) -> pd.DataFrame:
    """What the key figures count, session by session, with its `week`."""
    outcomes = charts.counts(rows, None)
    broken, silent = rows["status"] == "breach", ~rows["has_log"].astype(bool)
    return rows[["week"]].assign(sessions=1, broken=broken, silent=silent, **outcomes)


def key_figures(rows: pd.DataFrame, earlier: pd.DataFrame) -> None:
    """Four figures against the period before, each with its weeks."""
    sessions = counted(rows)
    now, then = sessions.drop(columns="week").sum(), counted(earlier).drop(columns="week").sum()
    weeks = sessions.groupby("week").sum()
    few, known_before = len(rows) < FEW, len(earlier) >= FEW

    def figure(label: str, part: str, whole: str, more_is_better: bool) -> KeyFigure:
        share, before = (of[part] / max(of[whole], 1) for of in (now, then))
        counts = f"{now[part]:,} of {now[whole]:,}"
        return KeyFigure(
            label,
            counts if few else percent(share),
            "too few for a share" if few else counts,
            100 * (share - before) if known_before and not few else None,
            more_is_better,
            (100 * weeks[part] / weeks[whole]).dropna().tolist(),
        )

    show_figures(
        [
            figure("Checks met", "kept", "of", True),
            figure("Sessions with a breach", "broken", "sessions", False),
            figure("Unlogged calls", "silent", "sessions", False),
            figure("Checks with evidence", "of", "known", True),
        ]
    )
    if known_before:
        note(f"Compared with the same number of days before ({how_many(len(earlier), 'session')}). Lines show weeks.")


def what_waits(rows: pd.DataFrame) -> None:
    st.header("Needs attention", anchor=False)
    waiting = []
    unlogged = rows[~rows["has_log"]]
    if len(unlogged):
        late = int((unlogged["logged"] == "breach").sum())
        waiting.append(("unlogged", f"{how_many(len(unlogged), 'unlogged call')}, {late:,} overdue"))
    if disputed := int(rows["disputed"].sum()):
        waiting.append(("disputed", f"{how_many(disputed, 'session')} where the log and the call record disagree"))
    if by_name and (late_consents := late_consents_of(days, key)):
        write_html(
            "<b>{sessions}</b> for which a parent's consent, or informing SLT, came too late.",
            sessions=how_many(late_consents, "session"),
        )
        waiting.append(("consents", ""))
    for show, words in [entry for entry in waiting if entry[1]]:
        if by_name:
            st.page_link("pages/sessions.py", label=words, icon=":material/arrow_forward:", query_params={"show": show})
        else:
            st.write(words)
    if by_name and (unresolved := list_unresolved_breaches(school, person))[0]:
        show_unresolved(*unresolved)
        waiting.append(("breaches", ""))
    if scopes(person, Resource.OLDEST_CONCERN) and (oldest := get_oldest_concern(school, person)):
        write_html(
            "<b>{concerns}</b>; the oldest, {ref}, is <b>{age}</b> old, level “{level}”, with {owner}.",
            concerns=how_many(oldest["waiting"], "open concern"),
            ref=oldest["ref"],
            age=how_many(oldest["age_days"], "day"),
            level=oldest["level"],
            owner=oldest["owner"] or "nobody: no DSP was alerted",
        )
        waiting.append(("concerns", ""))
    if not waiting:
        st.write("Nothing needs attention.")
    version = school.settings.version_on(school.today())
    if version and version.next_review and version.next_review < school.today():
        st.warning(
            f"The protocol was due for review on {version.next_review.day} {version.next_review:%B %Y}.",
            icon=":material/event_busy:",
        )


def show_unresolved(sessions: int, days: int) -> None:
    write_html(
        "<b>{sessions}</b> with unresolved breaches; oldest <b>{days}</b>.",
        sessions=how_many(sessions, "session"),
        days=how_many(days, "day"),
    )
    st.page_link(
        "pages/sessions.py", label="Waiting for you", icon=":material/arrow_forward:", query_params={"view": "resolve"}
    )
    columns = {"owner": "With", "sessions": "Sessions", "exceptions": "Breaches", "oldest": "Oldest (days)"}
    table_expander(
        lambda: count_breaches_by_owner(school, person).rename(columns=columns),
        "unresolved breaches",
        "Unresolved breaches by owner",
        "Outstanding by owner",
        "A breach with both a HOY and an HM counts for both; either can resolve it.",
    )


def by_department_and_hour(rows: pd.DataFrame, measure: str | None, name: str) -> None:
    st.header("By department and time of day", anchor=False)
    cells = charts.rates(rows, ["department", "band"], measure)
    if cells.empty:
        st.info("No session on these dates has evidence for this clause.")
        return
    write_html("{sentence}", sentence=charts.heat_sentence(cells, name))
    key = f"{days} {measure} {list(chosen.values())}"
    event = draw(
        charts.heat_map(cells),
        "Heat map of compliance by department and hour; the same figures are in the table below it.",
        on_select="rerun",
        selection_mode="cell",
        key=f"heat {key}",
    )
    note("% of checks met. (n): fewer than three sessions. Select a cell to list its sessions.")
    picked = cell_without_mouse(cells, key)
    points = [(point["department"], point["band"]) for point in event["selection"]["cell"]]
    for department, hour in [picked] if picked else points:
        sessions_of_cell(rows[(rows["department"] == department) & (rows["band"] == hour)], department, hour, measure)


def cell_without_mouse(cells: pd.DataFrame, key: str) -> tuple[str, str] | None:
    """The cells as a table, and as a list to choose from; drawn once they are opened."""
    words = {
        "department": "Department",
        "band": "Hour",
        "kept": "Met",
        "of": "Checks",
        "sessions": "Sessions",
        "rate": "Share met",
    }
    with st.expander("Select by department and hour · View as table", key="cells", on_change="rerun") as place:
        if not place.open:
            return None
        names = {f"{cell.department}, hour {cell.band}": (cell.department, cell.band) for cell in cells.itertuples()}
        picked = st.selectbox("Cell", list(names), index=None, placeholder="Department, hour", key=f"cell {key}")
        table(cells.rename(columns=words), "Compliance by department and hour", "department and hour")
    return names[picked] if picked else None


def sessions_of_cell(rows: pd.DataFrame, department: str, hour: str, measure: str | None) -> None:
    """The sessions behind a cell, those first in which something was not kept."""
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
            "Purpose": [PURPOSE_WORDS.get(p, "Other") if isinstance(p, str) else "not logged" for p in rows["purpose"]],
            "Breaches": rows["broken"],
        }
    )
    if not by_name:
        table(listing.drop(columns="Staff"), "Sessions of the cell", "sessions of a cell")
        return
    note("Select a row to open the session.")
    event = table(
        listing,
        "Sessions of the cell",
        "sessions of a cell",
        on_select="rerun",
        selection_mode="single-row",
        key=f"cell rows {days} {measure} {department} {hour} {rows['session_id'].tolist()[:1]} {len(rows)}",
    )
    if event["selection"]["rows"]:
        session = int(rows["session_id"].iloc[event["selection"]["rows"][0]])
        st.switch_page("pages/sessions.py", query_params={"session": str(session)})


def clause_by_clause(rows: pd.DataFrame) -> None:
    st.header("By clause", anchor=False)
    told = figures(rows[list(CLAUSES)])
    told.insert(0, "title", [title_of(name) for name in told.index])
    shown = told[["met", "exempt", "breach"]].sum(axis=1)
    known = told[shown >= FEW]
    if not known.empty:
        least = known.sort_values("rate").iloc[0]
        kept = int(least["met"] + least["exempt"])
        write_html(
            "Lowest: {title}, {words}.",
            title=least["title"],
            words=with_counts(least["rate"], kept, kept + int(least["breach"])),
        )
    draw(charts.clause_bars(told), "Compliance of each clause; the same figures are in the table below.")
    words = {
        "title": "Clause",
        "met": "Met",
        "exempt": "Exempt",
        "breach": "Breach",
        "no_evidence": "No evidence",
        "not_applicable": "Not applicable",
        "rate": "Share met",
        "evidence_share": "Share with evidence",
    }
    table_expander(told.reset_index(drop=True).rename(columns=words), "clause by clause", "Outcomes of each clause")


def week_by_week(rows: pd.DataFrame, measure: str | None, name: str) -> None:
    st.header("Week by week", anchor=False)
    weeks = charts.rates(rows, ["week"], measure)
    if weeks.empty:
        st.info("No session on these dates has evidence for this clause.")
        return
    write_html("{name}: {sentence}", name=name, sentence=charts.week_sentence(weeks))
    draw(charts.week_line(weeks), "Compliance week by week; the same figures are in the table below.")
    words = {"week": "Week of", "kept": "Met", "of": "Checks", "sessions": "Sessions", "rate": "Share met"}
    table_expander(
        weeks.assign(week=[on_day(week) for week in weeks["week"]]).rename(columns=words),
        "week by week",
        "Week by week",
    )


def narrowed_down(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the schools, departments and purposes that are chosen in the lists drawn here."""
    for place, (column, label) in zip(st.columns(len(_FILTERS)), _FILTERS, strict=True):
        with place:
            rows = filtered(
                rows,
                column,
                label,
                f"overview {column}",
                lambda word: PURPOSE_WORDS.get(word, word.capitalize() if word == "other" else word),
            )
    return rows


def period_before() -> pd.DataFrame:
    """The sessions of the period of the same length before, of what is chosen alone."""
    length = days[1] - days[0] + timedelta(days=1)
    rows = sessions_of((days[0] - length, days[0] - timedelta(days=1)), key)
    for column, values in chosen.items():
        if values:
            rows = rows[rows[column].isin(values)]
    return rows


school, person = require(Page.OVERVIEW)
by_name = Scope.WITH_NAMES in scopes(person, Resource.OVERVIEW)
st.title("Overview", anchor=False)
days = choose_days(school, "overview")
key = (sorted(person.roles), read_revision(school), school.today(), str(school.engine.url))
rows, measure = sessions_of(days, key), None
# Its lists are drawn once it is open: until then nobody sees them, and the charts are there sooner.
with st.expander("Filters", key="overview narrow", on_change="rerun") as place:
    if place.open or any(st.session_state.get(f"overview {what}") for what in (*dict(_FILTERS), "clause")):
        rows = narrowed_down(rows)
        measure = st.selectbox(
            "Clause that “By department and time of day” and “Week by week” show",
            [None, *CLAUSES],
            format_func=lambda c: title_of(c) if c else "All clauses",
            key="overview clause",
        )
chosen = {column: st.session_state.get(f"overview {column}") or [] for column, _ in _FILTERS}
write_html(
    "{first} to {last}. Counselling is confidential and not included.", first=on_day(days[0]), last=on_day(days[1])
)
if rows.empty:
    st.info("No sessions to show for these dates. Choose other dates, or import call records and logs.")
    st.stop()
above = st.container()  # looked up last: the charts need not wait for it
name = title_of(measure) if measure else "All clauses"
by_department_and_hour(rows, measure, name)
week_by_week(rows, measure, name)
clause_by_clause(rows)
with above:
    key_figures(rows, period_before())
    show_export(school, person, days, chosen)
    what_waits(rows)
counts = count_counselling_sessions(school, person)
if not counts.empty:
    st.header("Counselling", anchor=False)
    write_html("{words}.", words="; ".join(f"{row.term}: {row.sessions} sessions" for row in counts.itertuples()))
    note("Rounded to multiples of three, so that no figure reveals a single session.")
