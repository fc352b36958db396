"""For how many days something has waited."""

from datetime import UTC, datetime, timedelta

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from app.access.deadlines import count_days
from app.school import School
from app.settings import load_settings
from tests.clock import stopped_at

SCHOOL = School(create_engine("sqlite://"), load_settings())
EVENING = datetime(2026, 3, 28, 23, 50, tzinfo=SCHOOL.settings.zone)  # the clocks go forward in this night
MOMENTS = st.integers(-500_000, 500_000).map(
    lambda minutes: (EVENING.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(SCHOOL.settings.zone)
)


@example(since=[EVENING], now=EVENING + timedelta(minutes=5), until=EVENING + timedelta(minutes=20))
@given(since=st.lists(MOMENTS, max_size=3), now=MOMENTS, until=MOMENTS)
def test_count_days_counts_days_of_the_schools_calendar(since: list[datetime], now: datetime, until: datetime) -> None:
    times = pd.Series(pd.to_datetime(since, utc=True), dtype="datetime64[us, UTC]")
    with stopped_at(now):
        assert list(count_days(SCHOOL, times)) == [(now.date() - each.date()).days for each in since]
    ends = pd.Series(pd.Timestamp(until), times.index).dt.tz_convert("UTC")
    assert list(count_days(SCHOOL, times, ends)) == [(until.date() - each.date()).days for each in since]
