"""The school at which the tests of this folder plan: in winter, by a clock that stands."""

import pytest

from app.school import School
from tests.sessions.plans import WINTER, AtTime


@pytest.fixture
def winter(school: School) -> AtTime:
    return AtTime(school.engine, WINTER)
