"""Every clause refers to a point of the school's text, as docs/protocol.md outlines it."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.protocol.clause import Clause, Heading, Reference
from app.protocol.clauses import CLAUSES, title_of

OUTLINE = Path(__file__).parents[2] / "docs" / "protocol.md"
POINT = re.compile(
    r"""^(?P<number>\d+)\.\ \*\*(?P<title>[^*]+)\*\*\ \(`(?P<identifier>[a-z0-9-]+)`\):\ (?P<summary>\S.*)\n
    \ +(?:Clauses:\ (?P<clauses>`.+`)|No\ clause:\ (?P<reason>\S.*))$""",
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class Point:
    identifier: str
    title: str
    summary: str
    clauses: tuple[str, ...]
    reason: str


def outline() -> dict[Reference, Point]:
    """The points of docs/protocol.md in order."""
    words = OUTLINE.read_text(encoding="utf-8")
    found: dict[Reference, Point] = {}
    for part in words.split("\n## ")[1:]:
        label, _, points = part.partition("\n")
        heading = next(heading for heading in Heading if heading.label == label)
        for point in POINT.finditer(points):
            reference = Reference(heading, int(point["number"]))
            assert reference not in found, reference
            clauses = tuple(re.findall("`([^`]+)`", point["clauses"] or ""))
            found[reference] = Point(
                point["identifier"], point["title"], point["summary"], clauses, point["reason"] or ""
            )
    return found


def test_outline_has_every_point_of_the_text_in_order() -> None:
    general = [Reference(Heading.GENERAL, number) for number in range(1, 12)]
    one_to_one = [Reference(Heading.ONE_TO_ONE, number) for number in range(1, 7)]
    points = outline()
    assert list(points) == general + one_to_one
    assert [point.identifier for point in points.values()] == [f"{r.heading}-{r.bullet}" for r in points]
    numbered = re.findall(r"^\d+\. ", OUTLINE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(points) == len(numbered), "a point is written in another form"


def test_outline_names_the_clauses_that_refer_to_each_point() -> None:
    referring = {
        reference: tuple(name for name, clause in CLAUSES.items() if clause.reference == reference)
        for reference in outline()
    }
    assert referring == {reference: point.clauses for reference, point in outline().items()}
    assert sum(map(len, referring.values())) == len(CLAUSES), "a clause refers to a point that the text does not have"


def test_outline_gives_a_reason_for_a_point_without_a_clause() -> None:
    assert [r for r, point in outline().items() if bool(point.clauses) == bool(point.reason)] == []


def test_reference_reads_as_people_say_it() -> None:
    assert str(Reference(Heading.GENERAL, 4)) == "General protocol, point 4"
    assert str(Reference(Heading.ONE_TO_ONE, 2)) == "Pastoral one-to-ones, point 2"


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=list(CLAUSES))
def test_docstring_of_a_clause_names_its_point_and_says_what_it_asks(clause: Clause) -> None:
    point, colon, asks = (clause.judge.__doc__ or "").partition(": ")
    assert (point, colon) == (str(clause.reference), ": ")
    assert asks.endswith(".")


def test_title_of_gives_the_name_of_a_clause_that_no_longer_exists() -> None:
    assert title_of("cameras-on") == "Cameras on"
    assert title_of("a-clause-of-old") == "a-clause-of-old"
