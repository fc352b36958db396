"""What `check` and the Administration page say of optional sources."""

from dataclasses import replace

from app.graph.source_checks import describe_sources
from app.graph.sync import check_graph
from app.operations.health import check_school
from app.school import School
from app.settings import PupilPolicies
from tests.clock import Clock
from tests.graph.conftest import run
from tests.graph.standin import Fault, StandIn

REFUSED = Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
OTHERS = "calendarView|getAllRecordings|userConfigurations"


def with_policies(school: School) -> School:
    wanted = PupilPolicies.model_validate({"TeamsMeetingPolicy": "Pupils"})
    return replace(school, settings=school.settings.model_copy(update={"pupil_policies": wanted}))


def test_check_graph_names_permission_fix_and_clause_of_each_refused_source(school: School, graph: StandIn) -> None:
    school = with_policies(school)
    graph.always = {OTHERS: REFUSED}
    found = check_graph(school)
    assert all(good for good, words, _ in found if "up to date" not in words and "No sync" not in words)
    text = "\n".join(f"{words} {fix}" for _, words, fix in found)
    for permission in (
        "Calendars.Read ",
        "OnlineMeetingRecording.Read.All",
        "CallRecordings.Read.All",
        "TeamsUserConfiguration.Read.All",
    ):
        assert f"application permission {permission.strip()} and grant admin consent" in text
    assert "“Second member invited”" in text
    assert "403 ErrorAccessDenied: Access is denied" in text
    assert "which pupils are under other policies" in text
    assert len(graph.asked_for(OTHERS)) == 4
    assert "\n".join(f"{words} {fix}" for _, words, fix in check_graph(school)) == text
    assert len(graph.asked_for(OTHERS)) == 4, "none of them within a day again"
    status = "\n".join(words for _, _, words in check_school(school, thorough=False))
    assert "Calendars.Read" in status


def test_check_graph_says_which_sources_can_be_read(school: School, graph: StandIn, clock: Clock) -> None:
    words = [words for _, words, _ in check_graph(school)]
    assert "Calendars of pastoral staff can be read." in words
    run(school)
    clock.later(hours=1)
    (words_of_calendars, fix), *_ = describe_sources(school)
    assert words_of_calendars.startswith("Calendars of pastoral staff: last read on ")
    assert fix == ""


def test_check_graph_carries_on_where_a_source_fails(school: School, graph: StandIn) -> None:
    graph.always = {"calendarView": Fault(404, "MailboxNotEnabledForRESTAPI"), "getAllRecordings": Fault(400, "Bad")}
    words = "\n".join(words for _, words, _ in check_graph(school))
    assert "Calendars of pastoral staff can be read." in words
    assert "Recordings of scheduled meetings could not be read (400 Bad" in words
