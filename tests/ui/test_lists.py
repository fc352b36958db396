"""Lists as the screens show them, without a page."""

import pandas as pd

from app.ui.lists import as_listing
from app.ui.widgets import filter_values
from tests.apptest import AppTest

ROWS = pd.DataFrame(
    {
        "pupil": ["Aled", None],
        "year_group": ["7", "10"],
        "started_at": pd.to_datetime(["2020-11-03T14:05Z", None], utc=True),
        "sessions": [1, 2],
    }
)


def test_as_listing_names_columns_keeps_times_and_leaves_blanks_empty() -> None:
    listing = as_listing(ROWS, ["started_at", "pupil", "year_group", "sessions"], started_at="When")
    assert listing["When"].tolist() == ROWS["started_at"].tolist()
    assert listing.drop(columns="When").to_dict("list") == {
        "Pupil": ["Aled", ""],
        "Year group": [7, 10],
        "Sessions": [1, 2],
    }


def dates() -> None:
    import datetime

    import pandas as pd

    from app.ui.lists import table

    day, when = datetime.date(2026, 11, 3), pd.Timestamp("2026-11-03T14:05", tz="Europe/London")
    rows = pd.DataFrame({"Day": [day, None], "When": [when, pd.NaT], "Text": ["=1+1", None], "Number": [1.5, 2]})
    table(rows, "Anything", "anything")


def test_table_sorts_days_as_days_and_downloads_them_with_the_year() -> None:
    at = AppTest.from_function(dates).run()
    assert not at.exception
    shown = at.dataframe[0].value
    assert [str(kind)[:10] for kind in shown.dtypes] == ["datetime64", "datetime64", "str", "float64"]
    file = at.get("download_button")[0].proto
    assert file.label == "Download this list"


def page() -> None:
    import pandas as pd

    from app.ui.lists import wrapped_table

    wrapped_table(pd.DataFrame({"Reason": ["<b>Long</b>", '"']}), 'all & "every"', "a list")


def test_wrapped_table_shows_text_as_it_was_typed() -> None:
    at = AppTest.from_function(page).run()
    assert not at.exception
    shown = at.get("html")[0].proto.body
    assert "<bdi>&lt;b&gt;Long&lt;/b&gt;</bdi>" in shown
    assert "<bdi>&quot;</bdi>" in shown
    assert 'aria-label="all &amp; &quot;every&quot;"' in shown
    assert at.get("download_button")[0].proto.label == "Download this list"


def test_matching_without_a_filter_accepts_every_value() -> None:
    assert filter_values(ROWS, year_group=["10"], pupil=[])["sessions"].tolist() == [2]
