"""The Overview's figures from the store, compared with DuckDB on the same rows in memory, with a column per clause."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb
import pandas as pd

from app.access.overview import get_overview
from app.access.people import list_demo_people
from app.protocol.clauses import CLAUSES
from app.protocol.judge import count_outcomes
from app.reports import figures
from app.school import School, open_school
from benchmarks.judging import timed

_NAMES = list(CLAUSES)
_PASSED = " + ".join(f'("{name}" <= 1)::int' for name in _NAMES)
_KNOWN = " + ".join(f'("{name}" <= 2)::int' for name in _NAMES)
_BY = f"sum({_PASSED}) as passed, sum({_KNOWN}) as total, sum(({_KNOWN} > 0)::int) as sessions"
_QUERIES = (
    "select count(*), sum((status = 'breach')::int), sum((not has_log)::int), sum(disputed::int) from rows",
    f"select department, band, {_BY} from rows group by department, band",
    f"select week, {_BY} from rows group by week",
    "select "
    + ", ".join(f'sum(("{name}" = {outcome})::int)' for name in _NAMES for outcome in range(5))
    + " from rows",
)


def _rows(school: School, days: tuple[date, date]) -> pd.DataFrame:
    person = list_demo_people(school)[0]
    return figures.add_band_and_week(get_overview(school, person, days))


def _ours(school: School, days: tuple[date, date]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rows = _rows(school, days)
    return (
        figures.compute_rates(rows, ["department", "band"], figures.CHECKS),
        figures.compute_rates(rows, ["week"], figures.CHECKS),
        count_outcomes(rows[_NAMES]),
    )


def measure(url: str, times: int = 5) -> dict[str, list[float]]:
    """For a `term` and for `three years`: the time from the store to the figures, divided by DuckDB's; `times`
    ratios."""
    school = open_school(url)
    term = school.settings.term_on(school.today())
    assert term is not None
    days = {
        "term": (term.from_, school.today()),
        "three years": (school.today() - timedelta(days=3 * 365), school.today()),
    }
    found: dict[str, list[float]] = {}
    for what, which in days.items():
        connection = duckdb.connect()
        rows = _rows(school, which)
        coded = rows.assign(**{name: rows[name].cat.codes for name in _NAMES})
        connection.register("frame", coded.astype({"department": object, "band": object, "status": object}))
        connection.execute("create table rows as select * from frame")
        ratios = []
        for _ in range(times):
            theirs, answers = timed(partial(_ask_all, connection))
            ours, (_, _, told) = timed(partial(_ours, school, which))
            assert [int(n) for n in told.iloc[:, :5].to_numpy().ravel()] == list(answers[3][0])
            ratios.append(ours / theirs)
        found[what] = ratios
    return found


def _ask_all(connection: duckdb.DuckDBPyConnection) -> list[list[tuple[Any, ...]]]:
    return [connection.execute(query).fetchall() for query in _QUERIES]
