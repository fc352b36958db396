"""Periods that are compared."""

from datetime import date

import pandas as pd
import pytest

from app.access.policy import Days
from app.reports.periods import find_similar, list_similar_periods
from app.settings import Period
from tests.conftest import SETTINGS

TERMS = tuple(
    Period.model_validate({"name": name, "from": first, "to": last})
    for name, first, last in (
        ("Michaelmas 2025", date(2025, 9, 3), date(2025, 12, 12)),
        ("Lent 2026", date(2026, 1, 6), date(2026, 3, 27)),
        ("Summer 2026", date(2026, 4, 20), date(2026, 7, 8)),
        ("Michaelmas 2026", date(2026, 9, 2), date(2026, 12, 11)),
    )
)
YEAR = SETTINGS.model_copy(update={"terms": TERMS})


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # A term so far: the last one and the same of last year, each to the same school week.
        (
            (date(2026, 9, 2), date(2026, 10, 9)),
            [
                ((date(2026, 4, 20), date(2026, 5, 29)), "Summer 2026 to the same school week"),
                ((date(2025, 9, 3), date(2025, 10, 10)), "Michaelmas 2025 to the same school week"),
            ],
        ),
        # A whole term, by far longer than the last one: the same of last year alone.
        ((date(2026, 9, 2), date(2026, 12, 11)), [((date(2025, 9, 3), date(2025, 12, 12)), "Michaelmas 2025")]),
        # Days of a term, and as many before; last year they were days of a term as well.
        (
            (date(2026, 11, 9), date(2026, 11, 22)),
            [
                ((date(2026, 10, 26), date(2026, 11, 8)), "the 14 days before"),
                ((date(2025, 11, 10), date(2025, 11, 23)), "the same days last year"),
            ],
        ),
        # After the holidays: not with the holidays.
        ((date(2026, 9, 3), date(2026, 10, 2)), [((date(2025, 9, 4), date(2025, 10, 3)), "the same days last year")]),
        ((date(2026, 7, 20), date(2026, 8, 20)), []),
    ],
)
def test_list_similar_periods_leaves_out_what_is_not_alike(days: Days, expected: list[tuple[Days, str]]) -> None:
    assert [(similar.days, similar.name) for similar in list_similar_periods(YEAR, days)] == expected


@pytest.mark.parametrize(("now", "then", "expected"), [(30, 30, 30), (19, 30, 0), (30, 19, 0)])
def test_find_similar_compares_no_few_sessions(now: int, then: int, expected: int) -> None:
    days = (date(2026, 9, 2), date(2026, 10, 9))
    rows, name = find_similar(YEAR, days, pd.DataFrame(index=range(now)), lambda _: pd.DataFrame(index=range(then)))
    assert (len(rows), bool(name)) == (expected, expected > 0)
