"""What `check` and the Administration page say of optional sources."""

from dataclasses import replace

from app.graph.source_checks import describe_sources
from app.graph.sync import check_graph
from app.operations.health import check_school
from app.school import School
from app.settings import PupilPolicies
from app.store.meeting_links import MeetingLink, remember_links
from tests import people
from tests.clock import Clock
from tests.graph.conftest import run
from tests.graph.standin import Fault, StandIn

REFUSED = Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
OTHERS = "calendarView|onlineMeetings|getAllRecordings|userConfigurations"


def know_a_link(school: School) -> None:
    with school.writing() as connection:
        known = MeetingLink("key", people.entra("teacher"), "https://teams.example/o'neill")
        remember_links(connection, [known], school.now())


def with_policies(school: School) -> School:
    wanted = PupilPolicies.model_validate({"TeamsMeetingPolicy": "Pupils"})
    return replace(school, settings=school.settings.model_copy(update={"pupil_policies": wanted}))


def test_check_graph_names_permission_fix_and_clause_of_each_refused_source(school: School, graph: StandIn) -> None:
    school = with_policies(school)
    know_a_link(school)
    graph.always = {OTHERS: REFUSED}
    found = check_graph(school)
    assert [words for good, words, _ in found if not good and "No sync has succeeded yet" not in words] == []
    text = "\n".join(f"{words} {fix}" for _, words, fix in found)
    for permission in (
        "Calendars.Read ",
        "OnlineMeetingRecording.Read.All",
        "CallRecordings.Read.All",
        "OnlineMeetings.Read.All and OnlineMeetingArtifact.Read.All",
        "TeamsUserConfiguration.Read.All",
    ):
        assert f"application permission {permission.strip()} and grant admin consent" in text
    assert "“Second member invited”" in text
    assert "403 ErrorAccessDenied: Access is denied" in text
    assert "which pupils are under other policies" in text
    assert len(graph.asked_for(OTHERS)) == 5
    assert "\n".join(f"{words} {fix}" for _, words, fix in check_graph(school)) == text
    assert len(graph.asked_for(OTHERS)) == 5, "none of them within a day again"
    status = "\n".join(words for _, _, words in check_school(school, thorough=False))
    assert "Calendars.Read" in status


def test_check_graph_says_which_sources_can_be_read(school: School, graph: StandIn, clock: Clock) -> None:
    words = [words for _, words, _ in check_graph(school)]
    assert "Calendars of pastoral staff can be read." in words
    assert "Attendance reports (optional) are not asked for, because no meeting's join link is known yet." in words
    assert words[-2].startswith("Policies of pupils in Teams (optional) are not asked for, because the settings name")
    know_a_link(school)
    assert "Attendance reports can be read." in [words for _, words, _ in check_graph(school)]
    assert not graph.asked_for("attendanceReports"), "the meeting is not there any more"
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
