"""The governors' report, the workbook behind it, and a log form on paper.

They name nobody. Counts under three are hidden (see `app.reports.disclosure`), except in the workbook for leadership.
Every figure comes through `app.access`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from app.access.overview import count_counselling_sessions, get_overview
from app.access.policy import Days, Person
from app.access.pupil_policies import get_pupil_policies
from app.access.reporting import count_by_deadline, count_registers, count_resolved_breaches
from app.formatting import FEW, on_day, percent
from app.protocol.clauses import CLAUSES, title_of
from app.protocol.judge import count_outcomes
from app.records import log_form
from app.reports import assurance, charts, figures
from app.reports.disclosure import (
    GONE,
    HIDDEN,
    SHOWN,
    UNDER,
    WITHHELD,
    find_lower_bound,
    format_count,
    format_part,
    suppress,
)
from app.reports.endings import describe_endings, tabulate_endings
from app.reports.pdf import create_pdf, draw_svg
from app.reports.periods import find_similar, require_report_period
from app.reports.xlsx import create_workbook
from app.school import School
from app.vocabulary.terms import Outcome, Purpose

_WIDTH = 560  # pixels: the width of a chart without its labels, with which it fills the page
_OUTCOMES = {
    Outcome.EXEMPT: "Of those met: exempt",
    Outcome.NO_EVIDENCE: Outcome.NO_EVIDENCE.label,
    Outcome.NOT_APPLICABLE: Outcome.NOT_APPLICABLE.label,
    "evidence_share": "Share with evidence",
}
HOW_MEASURED = (
    "Every session with pupils is judged against each clause of the school's protocol that applies to it: by the "
    "call record of Microsoft Teams where it has the answer, otherwise by the school's registers of letters and "
    "consents, otherwise by the staff member's log. A check without evidence counts as neither met nor a breach, and "
    "is shown separately; an exempt check counts as met."
)
SMALL_COUNTS = (
    f"Counts under {FEW} are not shown, nor others from which they could be worked out. The report covers the whole "
    "school; counselling is confidential and excluded from all figures."
)


def create_governors_report(school: School, person: Person, days: Days) -> bytes:
    """The Overview of these days as a PDF for governors. Raises NotAllowedError if the person may not see the
    Overview, ValueError if a report may not cover these days (see `periods.require_report_period`)."""
    require_report_period(school.settings, days, school.today())
    seen = _read_figures(school, person, days)
    data = describe_paper(school, "Videoconferencing with pupils: report to governors") | {
        "period": f"{on_day(days[0])} to {on_day(days[1])}",
        "measured": HOW_MEASURED,
        "small": SMALL_COUNTS,
        "version": describe_version(school),
        "key": [_describe_key_figure(*figure) for figure in _list_key_figures(seen)],
        "compared": _describe_comparison(seen),
        "heat": _describe_heat(seen),
        "clauses": _describe_clauses(seen),
        "weeks": _describe_weeks(seen),
        "done": describe_endings(
            count_resolved_breaches(school, person, days), count_by_deadline(school, person, days)
        ),
        "attention": _list_attention(school, person, days, seen.rows),
        "counselling": _describe_counselling(school, person, days),
        "points": assurance.describe_points({"This period": seen.clauses}),
        "confirmed": assurance.describe_confirmations(school, person),
        "spot_checks": assurance.describe_spot_checks(school, person, days),
        "policies": [each.describe() for each in get_pupil_policies(school, person)],
        "training": [f"{each.name} ({each.reference}), {on_day(each.on)}" for each in school.settings.training],
    }
    return create_pdf("governors", data)


def create_figures_workbook(
    school: School, person: Person, days: Days, *, governors: bool, chosen: Mapping[str, Sequence[str]] | None = None
) -> bytes:
    """The tables behind the Overview's charts as an Excel workbook. For `governors`, it hides small counts and covers
    the whole school; otherwise, it covers the sessions that have one of the `chosen` values in each of these columns of
    `access.overview`. Raises as `create_governors_report`."""
    if governors:
        require_report_period(school.settings, days, school.today())
    seen = _read_figures(school, person, days, {} if governors else chosen or {})
    narrowed = [f"{column}: {', '.join(values)}" for column, values in (chosen or {}).items() if values]
    about = {
        "School": school.settings.name,
        "First day": days[0],
        "Last day": days[1],
        "Made on": school.today(),
        "Protocol": describe_version(school),
        "How it is measured": HOW_MEASURED,
        "Edition": SMALL_COUNTS if governors else "For leadership: shows small counts. Do not share.",
        "Filters": "None: the whole school" if governors or not narrowed else "; ".join(narrowed),
    }
    key = [_as_key_row(*figure[:3], governors=governors) for figure in _list_key_figures(seen)]
    sheets = {
        "About": pd.DataFrame({"What": about.keys(), "Entry": about.values()}),
        "Key figures": pd.DataFrame(key, columns=["Figure", "Number", "Of", "Share"]),
        "Department and hour": _tabulate_rates(
            seen.cells, {"department": "Department", "band": "Hour"}, governors=governors
        ),
        "By clause": _tabulate_rates(
            seen.clauses, {"title": "Clause", "reference": "Reference"}, governors=governors, more=_OUTCOMES
        ),
        "Week by week": _tabulate_rates(seen.weeks, {"week": "Week of"}, governors=governors),
    }
    if governors or not narrowed:
        ended, timely = count_resolved_breaches(school, person, days), count_by_deadline(school, person, days)
        sheets["Breaches"] = tabulate_endings(ended, timely, governors=governors)
    return create_workbook(sheets)


def create_blank_log(school: School) -> bytes:
    """A log form on one sheet of paper, for use offline, as a PDF."""
    purposes = [purpose.label for purpose in Purpose if purpose is not Purpose.OTHER]
    questions = {"purposes": purposes, "groups": log_form.list_printed_questions()}
    return create_pdf("log_form", describe_paper(school, "Log of a videoconferencing session") | questions)


# --- figures ------------------------------------------------------------------------------------------------


@dataclass
class _Figures:
    """The sessions of the days (`rows`) and of a similar period (`earlier`, with the name "" if there is none), and the
    compliance of `rows` by cell, clause and week: `passed`, `total`, `rate`, `sessions` (not by clause), and `state`
    (see `disclosure.suppress`)."""

    rows: pd.DataFrame
    earlier: pd.DataFrame
    earlier_name: str
    cells: pd.DataFrame
    clauses: pd.DataFrame
    weeks: pd.DataFrame


def _read_figures(
    school: School, person: Person, days: Days, chosen: Mapping[str, Sequence[str]] | None = None
) -> _Figures:
    def sessions_of(days: Days) -> pd.DataFrame:
        rows = get_overview(school, person, days)
        for column, values in (chosen or {}).items():
            rows = rows[rows[column].isin(values)] if values else rows
        return figures.add_band_and_week(rows)

    rows = sessions_of(days)
    earlier, name = find_similar(school.settings, days, rows, sessions_of)
    cells, weeks = (
        add_state(figures.compute_rates(rows, by, figures.CHECKS)) for by in (["department", "band"], ["week"])
    )
    clauses = add_state(compute_rates_by_clause(count_outcomes(rows[list(CLAUSES)])), lowest=0)
    return _Figures(rows, earlier, name, cells, clauses, weeks)


def compute_rates_by_clause(counts: pd.DataFrame) -> pd.DataFrame:
    """Compliance by clause, from the result of `app.protocol.judge.count_outcomes`: every clause, also one without
    evidence, since a clause that is left out would be known to have none."""
    passed = counts["met"] + counts["exempt"]
    rates = counts.assign(passed=passed, total=passed + counts["breach"], title=counts.index.map(title_of))
    rates["reference"] = [str(clause.reference) for clause in CLAUSES.values()]
    return rates.assign(rate=rates["rate"].where(rates["total"] >= FEW))


def add_state(rates: pd.DataFrame, *, lowest: int = 1) -> pd.DataFrame:
    """Add a column `state`: how each rate may be shown (see `disclosure.suppress`)."""
    state = suppress(rates, lowest=lowest)
    return rates.assign(state=GONE if state is None else state)


def _list_key_figures(seen: _Figures) -> list[tuple[str, int, int, float | None]]:
    """The key figures of the Overview: label, number, total, and change in percentage points (None if any of the counts
    is small)."""
    now, then = (figures.count_by_session(rows).sum().astype(int) for rows in (seen.rows, seen.earlier))
    found = []
    for figure in figures.KEY_FIGURES:
        number, whole = figure.part, figure.whole
        small = any(min(c[number], c[whole] - c[number]) < FEW for c in (now, then))
        change = None if small else (now[number] / now[whole] - then[number] / then[whole]) * 100
        found.append((figure.label, int(now[number]), int(now[whole]), change))
    return found


# --- as text -----------------------------------------------------------------------------------------------


def describe_paper(school: School, title: str) -> dict[str, Any]:
    return {"title": title, "school": school.settings.name, "made": on_day(school.today())}


def describe_version(school: School) -> str:
    """One or two sentences about the version of the protocol in force and its review."""
    today = school.today()
    version = school.settings.version_on(today)
    if version is None:
        return "No version of the protocol is in force."
    if version.next_review is None:
        review = "No review date is set."
    else:
        due = "review was due" if version.next_review < today else "next review is due"
        review = f"Its {due} on {on_day(version.next_review)}."
    return f"Version {version.name}, in force since {on_day(version.from_)}. {review}"


def _describe_key_figure(label: str, number: int, whole: int, change: float | None) -> dict[str, str]:
    shown = FEW <= number <= whole - FEW
    return {
        "label": label,
        "figure": percent(number / whole) if shown else _describe_small(number, whole),
        "counts": f"{number:,} of {whole:,}" if shown else "",
        "change": "" if change is None else f"{change:+.1f} points",
    }


def _describe_comparison(seen: _Figures) -> str:
    if not seen.earlier_name:
        return "No similar period has enough sessions for a comparison."
    return f"Compared with {seen.earlier_name} ({len(seen.earlier):,} sessions)."


def _select_shown(rates: pd.DataFrame) -> pd.DataFrame:
    return rates[rates["state"] == SHOWN]


def _describe_heat(seen: _Figures) -> dict[str, Any]:
    cells = seen.cells
    if _select_shown(cells).empty:
        return {"sentence": "There are too few sessions to show by department and time of day."}
    shown = cells["state"] == SHOWN
    lower = pd.Series([find_lower_bound(total) for total in cells["total"]], cells.index).where(cells["state"] == UNDER)
    words = lower.map(lambda share: "–" if pd.isna(share) else f">{share * 100:.0f}")
    text = charts.to_percent(cells["rate"]).where(shown, words)
    drawn = cells.assign(rate=cells["rate"].where(shown, lower), text=text, passed=0, total=0)
    return {
        "sentence": figures.describe_cells(_select_shown(cells), "All clauses", figures.CHECKS),
        "chart": draw_svg(charts.draw_heat_map(drawn), _WIDTH),
        "note": f"% of checks met. “>” before a figure: more than that, fewer than {FEW} breaches. "
        "A dash: too few sessions, or withheld so that nothing can be worked out.",
    }


def _describe_clauses(seen: _Figures) -> dict[str, Any]:
    rates, exact = seen.clauses, _select_shown(seen.clauses)
    rare = rates.loc[rates["state"] == UNDER, "title"].tolist()
    others = rates.loc[~rates["state"].isin([SHOWN, UNDER]), "title"].tolist()
    sentences = []
    if not exact.empty:
        least = exact.sort_values("rate").iloc[0]
        sentences.append(f"Lowest: {least['title']}, {format_part(int(least['passed']), int(least['total']))}.")
    if rare:
        sentences.append(f"Fewer than {FEW} breaches: {', '.join(rare)}.")
    if len(others) == len(rates):
        sentences.append("There are too few checks to show by clause.")
    elif others:
        sentences.append(f"Withheld, so that no small count can be worked out: {', '.join(others)}.")
    gaps = rates[(rates["evidence_share"] < 0.975) & (rates["total"] >= 100)].sort_values("evidence_share")
    if len(gaps):
        worst = gaps.iloc[0]
        share = round(worst["evidence_share"] * 20) * 5
        sentences.append(f"Evidence is most often missing for {worst['title']}: about {share}% of checks have it.")
    return {
        "sentence": " ".join(sentences),
        "chart": draw_svg(charts.draw_clause_bars(exact), _WIDTH - 60) if len(exact) else "",
    }


def _describe_weeks(seen: _Figures) -> dict[str, Any]:
    exact = _select_shown(seen.weeks)
    left_out = len(seen.weeks) - len(exact)
    note = f" Weeks omitted because of small counts: {left_out}." if left_out else ""
    return {
        "sentence": figures.describe_weeks(exact) + note,
        "chart": draw_svg(charts.draw_week_line(exact), _WIDTH, height=130) if len(exact) > 1 else "",
    }


def _describe_counselling(school: School, person: Person, days: Days) -> list[str]:
    """A sentence for each term that overlaps the days, with its number of counselling sessions."""
    terms = {term.name for term in school.settings.terms if term.from_ <= days[1] and term.to >= days[0]}
    counts = count_counselling_sessions(school, person).itertuples()
    return [f"{row.term}: {row.sessions} sessions." for row in counts if row.term in terms]


def _list_attention(school: School, person: Person, days: Days, rows: pd.DataFrame) -> list[str]:
    """What needs attention, one sentence each. There is one even for a count of 0, since leaving it out would reveal
    the count."""
    late = count_registers(school, person, days)["late"]
    counts = {
        "unlogged calls with pupils": int(figures.is_unlogged(rows).sum()),
        "sessions where the log and the call record disagree": int(rows["disputed"].sum()),
        "sessions that began before the parent's consent came or SLT was informed": late,
    }
    return [f"{format_count(number).capitalize()} {what}." for what, number in counts.items()]


# --- tables -------------------------------------------------------------------------------------------------


def _tabulate_rates(
    rates: pd.DataFrame, by: Mapping[str, str], *, governors: bool, more: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """The table behind a chart. `by` has the headings of its first columns, `more` those of further columns for
    leadership."""
    numbers = {"sessions": "Sessions", "passed": "Checks met", "total": "Checks with evidence"}
    last = {"broken": "Breaches", "rate": "Share met"} | ({} if governors else dict(more or {}))
    table = rates.assign(broken=rates["total"] - rates["passed"])
    table = table[[*by, *(name for name in numbers if name in table), *last]].astype(object)
    if governors:
        shown, under, gone = (rates["state"] == state for state in (SHOWN, UNDER, GONE))
        table["passed"] = table["passed"].where(shown, WITHHELD)
        table["broken"] = table["broken"].where(shown, under.map({True: HIDDEN, False: WITHHELD}))
        table["rate"] = table["rate"].where(shown, rates["total"].map(_describe_lower_bound).where(under, WITHHELD))
        table.loc[gone, [name for name in ("sessions", "total") if name in table]] = WITHHELD
        if "title" in by:
            # Together with the unlogged calls, the number of checks of a clause would reveal how many were logged late.
            table["total"] = table["total"].where(shown, WITHHELD)
    return table.rename(columns={**by, **numbers, **last})


def _describe_lower_bound(total: int) -> str:
    share = find_lower_bound(total)
    return WITHHELD if share is None else f"over {share * 100:.0f}%"


def _as_key_row(
    label: str, number: int, whole: int, *, governors: bool
) -> tuple[str, int | str, int | str, float | str]:
    if not governors or FEW <= number <= whole - FEW:
        return label, number, whole, number / whole if whole >= FEW else ""
    if number < FEW:
        return label, HIDDEN, whole if whole >= FEW else HIDDEN, _describe_small(number, whole)
    return label, WITHHELD, WITHHELD, _describe_small(number, whole)


def _describe_small(number: int, whole: int) -> str:
    """A key figure of which a part is small, as text. Two key figures share a number of checks, so "all but under 3" is
    given without the total, from which the small count could be worked out."""
    return format_part(number, whole) if number < FEW else f"all but {HIDDEN}"
