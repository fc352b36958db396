"""Text on the screens is shown as it was typed."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    from datetime import UTC, date, datetime

    from app.ui.text import write_html

    words = {"typed": "<b>{x}</b>", "day": date(2020, 11, 3), "at": datetime(2020, 11, 3, 14, 5, tzinfo=UTC)}
    write_html("<i>{words[typed]}</i>, {words[day]}, {words[at]}, {words[at]:%H:%M}, {n:,}", words=words, n=1200)


def test_write_html_escapes_what_is_filled_in_and_writes_days_and_times_in_words() -> None:
    at = AppTest.from_function(page).run()
    assert not at.exception
    assert at.get("html")[0].proto.body == (
        "<p><i><bdi>&lt;b&gt;{x}&lt;/b&gt;</bdi></i>, <bdi>Tue 3 Nov 2020</bdi>, <bdi>Tue 3 Nov 2020, 14:05</bdi>, "
        "<bdi>14:05</bdi>, <bdi>1,200</bdi></p>"
    )
