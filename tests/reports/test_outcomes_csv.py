"""Cells of downloads: no spreadsheet takes what people typed for a formula."""

import pytest

from app.reports.outcomes_csv import make_harmless


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫"])
@pytest.mark.parametrize(
    "before", ["", " ", "\t", "\r\n", "\u200b", "\ufeff", "\u2060\u202e", "\u00a0", "\u00ad", "\x00"]
)
def test_make_harmless_finds_a_formula_behind_anything_invisible(before: str, sign: str) -> None:
    assert make_harmless(f"{before}{sign}1+cmd|'/c calc'!A0") == f"'{before}{sign}1+cmd|'/c calc'!A0"


@pytest.mark.parametrize("text", ["", "Aled", "-5", "+1.5", "a=b", "Ŵyn", "中", "\u200bAled", "5 - 3"])
def test_make_harmless_leaves_other_text_as_it_is(text: str) -> None:
    assert make_harmless(text) == text
