"""Plans."""

import pytest

from app.access.plans import list_plans
from app.school import School
from tests.access.school import ID, PLANS, someone


@pytest.mark.parametrize("name", ID)
def test_list_plans_gives_the_planners_own_alone(school: School, name: str) -> None:
    assert list(list_plans(school, someone(school, name))["ref"]) == [
        f"P-{number}" for number, (by, *_) in enumerate(PLANS, start=1) if by == name
    ]
