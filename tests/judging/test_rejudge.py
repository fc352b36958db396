"""Judging again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.judging.upkeep import refresh
from app.school import School


def test_refresh_announces_judging_everything_again_and_only_that(school: School) -> None:
    steps = []

    @contextmanager
    def announcing() -> Iterator[None]:
        steps.append("begun")
        yield
        steps.append("done")

    refresh(school)
    refresh(school, announcing)
    assert steps == []
    elsewhere = school.settings.model_copy(update={"timezone": "Europe/Paris"})
    for _ in range(2):
        refresh(replace(school, settings=elsewhere), announcing)
    assert steps == ["begun", "done"]
