"""What is known of a person over time: versions, each valid from a day on, the first also before it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, select

from app.store.versions import get_person_column

EVER = date(1900, 1, 1)  # the day of a first version

Facts = dict[str, Any]
Timeline = list[tuple[date, Facts]]


def revise(timeline: Sequence[tuple[date, Facts]], day: date, given: Facts) -> Timeline:
    """The timeline if some facts are what is given from a day on, which is not before the first version's. Facts that
    are not given stay as they were on each day."""
    revised = [version for version in timeline if version[0] < day]
    at_day = [facts for start, facts in timeline if start <= day][-1]
    for start, facts in ((day, at_day), *(version for version in timeline if version[0] > day)):
        if not revised or revised[-1][1] != facts | given:
            revised.append((start, facts | given))
    return revised


def get_facts_on(timeline: Sequence[tuple[date, Facts]], day: date) -> Facts:
    """The facts as of a day; none of a timeline without versions until then."""
    return next((facts for start, facts in reversed(timeline) if start <= day), {})


def read_timelines(connection: Connection, versions: Table) -> dict[int, Timeline]:
    """Everybody's versions, by person, of `staff_versions` or `pupil_versions`."""
    key, timelines = get_person_column(versions), dict[int, Timeline]()
    for row in connection.execute(select(versions).order_by(versions.c.from_day)).mappings():
        facts = {name: row[name] for name in row if name not in ("id", key, "from_day")}
        timeline = timelines.setdefault(row[key], [])
        timeline.append((row["from_day"] if timeline else EVER, facts))
    return timelines
