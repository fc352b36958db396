"""The checks of a school, as the administrator sees them."""

from datetime import UTC, date, datetime, time

import pytest

from app.operations.health import check_school
from app.reports.periods import describe_missing_term
from app.school import School, open_school
from app.settings import Term
from tests.clock import Clock


def test_check_school_finds_no_fault_in_the_demonstration(demonstration: str) -> None:
    school = open_school(demonstration)
    findings = list(check_school(school, thorough=False))
    school.engine.dispose()
    assert [finding for finding in findings if not finding[1]] == []
    scenes = [words for _, _, words in findings if "This is part of the demonstration." in words]
    assert scenes


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-12-18", []),
        ("2026-12-19", ["No term is entered after 18 December 2026. Enter the next ones: until then nobody gets a"]),
    ],
)
def test_check_school_says_that_no_term_is_entered(
    school: School, clock: Clock, today: str, expected: list[str]
) -> None:
    term = Term.model_validate({"name": "Autumn", "from": date(2026, 9, 1), "to": date(2026, 12, 18)})
    school = School(school.engine, school.settings.model_copy(update={"terms": (term,)}))
    clock.set(datetime.combine(date.fromisoformat(today), time(12), UTC))
    findings = [found for found in check_school(school, thorough=False) if found[0] == "terms"]
    assert [good for _, good, _ in findings] == [False] * len(expected)
    assert all(words.startswith(start) for (_, _, words), start in zip(findings, expected, strict=True))


def test_describe_missing_term_says_so_without_any(school: School) -> None:
    assert describe_missing_term(school.settings.model_copy(update={"terms": ()}), date(2026, 1, 1)) == (
        "No term is entered."
    )
