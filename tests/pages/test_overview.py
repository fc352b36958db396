"""The Overview: every figure and line opens exactly what it counts."""

import re
from typing import Any
from urllib.parse import parse_qsl

import pytest

from app.vocabulary.terms import Purpose
from tests.apptest import AppTest
from tests.clock import Clock
from tests.pages.conftest import Opened, text

CHOICES: list[dict[str, str]] = [{}, {"days": "last-term"}, {"days": "30-days", "purpose": Purpose.MUSIC}]


def links(at: AppTest) -> list[tuple[str, str, dict[str, str]]]:
    """The links on the page that count something: words, page, and what they open there."""
    protos: list[Any] = [element.proto for element in at.main if element.type == "page_link"]
    found = [(p.label, p.page, dict(parse_qsl(p.query_string))) for p in protos]
    return [(words, page, query) for words, page, query in found if re.search(r"\d", words)]


def count(words: str) -> int:
    """The number that a line begins with, or ends with in brackets."""
    found = re.search(r"^([\d,]+)|\(([\d,]+)\)$", words.replace("\\", ""))  # brackets are escaped in links
    assert found, words
    return int((found[1] or found[2]).replace(",", ""))


@pytest.mark.parametrize("role", ["senior_deputy_head", "slt"])
@pytest.mark.parametrize("choice", CHOICES)
def test_every_line_opens_what_it_counts(opened: Opened, role: str, choice: dict[str, str]) -> None:
    lines = [line for line in links(opened("overview", role, **choice)) if "due for review" not in line[0]]
    kinds = {query["list"] for *_, query in lines if "list" in query}
    assert {"breach", "unlogged", "gaps"} <= kinds
    assert "unresolved" in kinds or role == "slt" or choice  # fewer sessions may have none
    assert not {"unresolved", "late"} & kinds or role == "senior_deputy_head"
    for words, page, query in lines:
        page = page.split("/")[-1] or "overview"
        at = opened(page, role, **query)
        assert choice.items() <= query.items() or "list" not in query
        shown = [table.value for table in at.dataframe]
        if page == "concerns":
            shown = [table for table in shown if "Level" in table.columns]
        assert (len(shown[0]) if shown else 0) == count(words), words
        assert not at.exception


def test_lists_of_slt_name_nobody(opened: Opened) -> None:
    at = opened("overview", "slt", list="breach")
    assert len(at.dataframe[0].value)
    assert "Staff" not in at.dataframe[0].value.columns
    for hidden in ("late", "unresolved", "earlier"):
        assert "This list does not exist" in text(opened("overview", "slt", list=hidden))


@pytest.mark.parametrize(
    "query", [{"list": "cell", "of": "x", "hour": "99"}, {"list": "clause", "of": "x"}, {"list": "week", "of": "x"}]
)
def test_a_list_that_does_not_exist_says_so(opened: Opened, query: dict[str, str]) -> None:
    at = opened("overview", "senior_deputy_head", **query)
    assert not at.exception
    assert "This list does not exist" in text(at)


def test_a_list_shows_the_sessions_of_its_cell(opened: Opened) -> None:
    at = opened("overview", "senior_deputy_head", list="cell", of="Music", hour="10")
    shown = at.dataframe[0].value
    assert set(shown["Department"]) == {"Music"}
    assert set(shown["When"].dt.hour) == {10}
    assert at.title[0].value.replace("\\", "") == "Music, from 10:00"


@pytest.mark.parametrize(("role", "days"), [("senior_deputy_head", "this-term"), ("slt", "30-days")])
def test_needs_attention_says_that_no_term_is_entered(opened: Opened, clock: Clock, role: str, days: str) -> None:
    """Also where no session is to be shown."""

    def words() -> list[str]:
        return [line[0] for line in links(opened("overview", role, days=days)) if "No term" in line[0]]

    assert words() == []
    clock.later(days=40)
    assert [line.startswith("No term is entered after ") for line in words()] == [True]
