"""How reports show that the leadership oversees the protocol: the text in force, how each of its points was met, who
has confirmed it, and spot checks. Counts under three are hidden."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.access.confirmations import count_confirmations
from app.access.policy import Days, Person
from app.access.spot_checks import count_spot_checks
from app.formatting import on_day
from app.protocol.clauses import CLAUSES
from app.reports.disclosure import HIDDEN, SHOWN, UNDER, WITHHELD, format_count, format_part, suppress_counts
from app.reports.outline import POINTS
from app.school import School
from app.vocabulary.terms import SpotCheckResult

_OPEN = "Not yet reviewed"
_SPOT_CHECKS = (
    "Of the sessions that only their log calls in order, a share is drawn by chance that anybody can compute again, "
    "at least one for each tutor each term. The Head of Year or House, or the Senior Deputy Head, looks at them."
)


def find_words(school: School) -> dict[str, str]:
    """The words of each clause in the version in force, or the program's own if the version has none for it."""
    version = school.settings.version_on(school.today())
    text = version.text if version else {}
    return {name: text.get(name) or clause.words for name, clause in CLAUSES.items()}


def describe_text(school: School) -> str:
    """A sentence that says whether the clauses are in the school's words or the program's."""
    version = school.settings.version_on(school.today())
    missing = [clause.title for name, clause in CLAUSES.items() if version is None or not version.text.get(name)]
    if version is None or len(missing) == len(CLAUSES):
        return "The words are the program's own: the school has entered none for the version in force."
    words = f"The words are those of the version {version.name}, in force since {on_day(version.from_)}."
    return f"{words} In the program's own words: {', '.join(missing)}." if missing else words


def describe_points(rates_by_period: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Each point of the school's text, with its clauses and how often each was met in each period. The rates of a
    period are as `governors.compute_rates_by_clause` returns them, with their `state`."""
    return [
        {
            "reference": str(point.reference),
            "title": point.title,
            "summary": point.summary,
            "without": point.without_clause,
            "clauses": [
                {
                    "title": clause.title,
                    "passed": [describe_passed(rates, clause.name) for rates in rates_by_period.values()],
                }
                for clause in CLAUSES.values()
                if clause.reference == point.reference
            ],
        }
        for point in POINTS
    ]


def describe_passed(rates: pd.DataFrame, clause: str) -> str:
    """How often a clause was met, as text, as far as it may be shown; "not shown" also if it was never judged with
    evidence."""
    row = rates.loc[clause]
    if row["state"] == SHOWN:
        return format_part(int(row["passed"]), int(row["total"]))
    return f"all but {HIDDEN}" if row["state"] == UNDER else "not shown"


def describe_confirmations(school: School, person: Person) -> str:
    """How many staff have confirmed the version in force, as a sentence."""
    counts = count_confirmations(school, person)
    if counts is None:
        return "No version of the protocol is in force."
    part = format_part(counts.confirmed, counts.asked)
    return f"Staff who have confirmed that they have read and understood {counts.version.name}: {part}."


def describe_spot_checks(school: School, person: Person, days: Days) -> dict[str, Any]:
    """The spot checks on sessions of these days: a sentence and, unless it would reveal a small count, a table."""
    figures = count_spot_checks(school, person, days)
    sentence = f"{_SPOT_CHECKS} Drawn in this period: {format_count(figures.drawn)}."
    labels = [SpotCheckResult.IN_ORDER.label, SpotCheckResult.TO_EXPLAIN.label, _OPEN]
    counts = pd.Series([figures.in_order, figures.to_explain, figures.open], labels)
    state = suppress_counts(counts)
    if state is None:
        return {"sentence": f"{sentence} Their results are not shown, because they are too few."}
    hidden = {UNDER: HIDDEN, WITHHELD: WITHHELD}
    rows = [[label, hidden.get(state[label], f"{counts[label]:,}")] for label in labels]
    return {"sentence": sentence, "table": {"columns": ["Spot checks", "Sessions"], "rows": rows}}
