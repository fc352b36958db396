"""What the number format of a cell shows."""

import pytest

from app.records.tables.number_formats import Shows, find_shown


@pytest.mark.parametrize(
    ("code", "shows"),
    [
        ("General", Shows.NUMBER),
        ("0.00", Shows.NUMBER),
        ("#,##0;[Red]-#,##0", Shows.NUMBER),
        ('0 "days"', Shows.NUMBER),
        ("@", Shows.NUMBER),
        ("dd/mm/yyyy", Shows.DAY),
        ("[$-809]d mmmm yyyy;@", Shows.DAY),
        ("mmm-yy", Shows.DAY),
        ("yyyy\\-mm\\-dd", Shows.DAY),
        ("hh:mm", Shows.TIME),
        ("[h]:mm:ss", Shows.TIME),
        ("h:mm AM/PM", Shows.TIME),
        ("mm:ss.0", Shows.TIME),
        ("dd/mm/yyyy hh:mm", Shows.BOTH),
        ('d mmm yyyy "at" h:mm', Shows.BOTH),
        ("yyyy-mm-dd\\Thh:mm", Shows.BOTH),
    ],
)
def test_find_shown_tells_days_and_times_from_numbers(code: str, shows: Shows) -> None:
    assert find_shown(code) is shows
