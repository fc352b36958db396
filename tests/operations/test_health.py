"""The checks of a school, as the administrator sees them."""

from app.operations.health import check_school
from app.school import open_school


def test_check_school_finds_no_fault_in_the_demonstration(demonstration: str) -> None:
    school = open_school(demonstration)
    findings = list(check_school(school, thorough=False))
    school.engine.dispose()
    assert [finding for finding in findings if not finding[1]] == []
    scenes = [words for _, _, words in findings if "In the demonstration this is meant to be so." in words]
    assert scenes
