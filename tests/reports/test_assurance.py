"""What reports say of the text in force, of each point of it, of confirmations and of spot checks."""

import io
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader
from sqlalchemy import insert

from app.access.policy import NotAllowedError
from app.intake.files import import_logs
from app.management.confirmations import confirm_version
from app.protocol.clauses import CLAUSES
from app.reports.assurance import (
    describe_confirmations,
    describe_points,
    describe_spot_checks,
    describe_text,
    find_words,
)
from app.reports.governors import create_governors_report
from app.reports.inspection import create_inspection_pack
from app.reports.outline import POINTS
from app.school import School
from app.settings import Term
from app.store import tables
from app.vocabulary.terms import SpotCheckResult
from tests.people import STAFF, log, someone, table
from tests.protocol.test_references import outline

pytestmark = pytest.mark.usefixtures("story_clock")

DAYS = (date(2026, 9, 1), date(2026, 11, 27))


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).replace("\u2068", "").replace("\u2069", "").split())


def with_text(school: School, text: dict[str, str]) -> School:
    *earlier, current = school.settings.versions
    versions = (*earlier, current.model_copy(update={"text": text}))
    return replace(school, settings=school.settings.model_copy(update={"versions": versions}))


def with_checks(school: School, folder: Path, in_order: int, to_explain: int, waiting: int) -> None:
    """Spot checks of sessions of one tutor, with these results."""
    results = [SpotCheckResult.IN_ORDER] * in_order + [SpotCheckResult.TO_EXPLAIN] * to_explain + [None] * waiting
    days = pd.bdate_range("2026-09-07", periods=len(results))
    rows = [log("teacher", "aled", f"{day:%Y-%m-%d}T10:00", ref=f"L{n:02}") for n, day in enumerate(days)]
    assert not import_logs(school, table(folder / "l.csv", rows)).rejected
    with school.writing() as connection:
        connection.execute(tables.spot_checks.delete())
        sessions = [row.id for row in connection.execute(tables.sessions.select().order_by(tables.sessions.c.day))]
        for number, result in zip(sessions, results, strict=True):
            row = {"session_id": number, "term": "Michaelmas 2026", "drawn_at": school.now(), "result": result}
            connection.execute(insert(tables.spot_checks).values(row))


def test_points_are_those_of_the_outline() -> None:
    outlined = outline()
    assert [point.reference for point in POINTS] == list(outlined)
    for point in POINTS:
        outlined_point = outlined[point.reference]
        assert (point.title, point.summary) == (outlined_point.title, outlined_point.summary)
        assert point.without_clause == outlined_point.reason


def test_describe_points_gives_each_clause_once_below_its_point() -> None:
    rates = pd.DataFrame(
        {"passed": [41, 9], "total": [44, 10], "state": ["shown", "under"]}, index=["staff-opens", "staff-ends"]
    ).reindex(list(CLAUSES))
    points = describe_points({"Lent": rates, "Summer": rates.assign(state="gone")})
    clauses = [clause["title"] for point in points for clause in point["clauses"]]
    assert clauses == [clause.title for clause in CLAUSES.values()]
    opening = next(point for point in points if point["title"] == "Opening and ending")
    assert [clause["passed"] for clause in opening["clauses"]] == [
        ["41 of 44 (93.2%)", "not shown"],
        ["all but under 3", "not shown"],
        ["not shown", "not shown"],
    ]
    assert [point["title"] for point in points if point["without"]] == ["Counselling is confidential"]


def test_words_are_those_of_the_version_in_force_else_the_programs(school: School) -> None:
    assert find_words(school)["dress"] == CLAUSES["dress"].words
    assert "the program's own" in describe_text(school)
    school = with_text(school, {"dress": "Dress as on a school day. *#1*"})
    assert find_words(school)["dress"] == "Dress as on a school day. *#1*"
    assert find_words(school)["background"] == CLAUSES["background"].words
    assert CLAUSES["background"].title in describe_text(school)
    assert CLAUSES["dress"].title not in describe_text(school)


def test_confirmations_are_counted_without_names_and_small_numbers(school: School) -> None:
    words = "Staff who have confirmed that they have read and understood January 2021"
    confirming = [who for who in STAFF if who != "admin"]
    assert describe_confirmations(school, someone(school, "slt")) == f"{words}: under 3 of 11."
    for who in confirming[:4]:
        confirm_version(school, someone(school, who), date(2021, 1, 1))
    assert describe_confirmations(school, someone(school, "slt")) == f"{words}: 4 of 11 (36.4%)."
    with pytest.raises(NotAllowedError):
        describe_confirmations(school, someone(school, "hoy9"))


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ((12, 4, 5), ["12", "4", "5"]),
        ((12, 0, 5), ["12", "under 3", "withheld"]),
        ((12, 1, 1), ["12", "under 3", "under 3"]),
    ],
)
def test_spot_checks_hide_small_counts(
    school: School, tmp_path: Path, counts: tuple[int, int, int], shown: list[str]
) -> None:
    with_checks(school, tmp_path, *counts)
    found = describe_spot_checks(school, someone(school, "slt"), DAYS)
    assert f"Drawn in this period: {sum(counts)}." in found["sentence"]
    assert [row[1] for row in found["table"]["rows"]] == shown
    assert [row[0] for row in found["table"]["rows"]] == ["Reviewed: no issues", "To explain", "Not yet reviewed"]


def test_spot_checks_without_any_reveal_nothing(school: School) -> None:
    found = describe_spot_checks(school, someone(school, "sdh"), DAYS)
    assert "Drawn in this period: under 3." in found["sentence"]
    assert {row[1] for row in found.get("table", {"rows": []})["rows"]} <= {"under 3"}


def test_papers_lead_from_each_point_of_the_text_to_how_it_was_met(school: School, tmp_path: Path) -> None:
    with_checks(school, tmp_path, 12, 4, 5)
    school = with_text(school, {"dress": "Dress as on a school day. *#1*"})
    deputy = someone(school, "sdh")
    pack = text_of(create_inspection_pack(school, deputy))
    term = Term.model_validate({"name": "Michaelmas 2026", "from": DAYS[0], "to": DAYS[1] - timedelta(days=1)})
    over = replace(school, settings=school.settings.model_copy(update={"terms": (term,)}))
    report = text_of(create_governors_report(over, deputy, (term.from_, term.to)))
    for words in (pack, report):
        for point in POINTS:
            assert point.title in words
        assert "Drawn in this period: 21." in words
        assert "have read and understood January 2021: under 3 of 11." in words
        assert "No check: the program itself keeps counselling confidential" in words
    assert "Dress as on a school day. *#1*" in pack
