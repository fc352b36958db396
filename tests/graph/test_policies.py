"""Policies of pupils in Teams: read once a day, and shown as figures and, to some, as names."""

import io
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader

from app.access.policy import NotAllowedError
from app.access.pupil_policies import get_pupil_policies
from app.graph.sources import Source, read_states
from app.operations.health import check_school
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.evidence.pupil_policies import read_policies
from app.reports.inspection import create_inspection_pack
from app.school import School
from app.settings import PupilPolicies
from app.store.writing import set_meta
from tests import people
from tests.clock import Clock
from tests.graph.conftest import run
from tests.graph.standin import BROKEN, Fault, StandIn

MEETING, CALLING = "TeamsMeetingPolicy", "TeamsCallingPolicy"
REFUSED = Fault(403, "Forbidden", "Missing role permissions on the request.")


@pytest.fixture
def school(school: School) -> School:
    wanted = PupilPolicies.model_validate({MEETING: ["Pupils", "Sixth form"], CALLING: "No calls"})
    return replace(school, settings=school.settings.model_copy(update={"pupil_policies": wanted}))


def assigned(**names: str | None) -> list[dict[str, Any]]:
    return [
        {"policyType": kind, "policyAssignment": {"displayName": name, "assignmentType": "unknownFutureValue"}}
        for kind, name in names.items()
    ]


def add_pupils(graph: StandIn) -> None:
    right = assigned(TeamsMeetingPolicy="pupils", TeamsCallingPolicy="No calls", TeamsMessagingPolicy="Other")
    graph.policies = {people.entra(who): right for who in people.PUPILS}
    graph.policies[people.entra("bethan")] = assigned(TeamsMeetingPolicy="Global", TeamsCallingPolicy="No calls")
    del graph.policies[people.entra("dai")]  # no account in Teams


def test_fetch_policies_reads_each_pupil_once_a_day(school: School, graph: StandIn, clock: Clock) -> None:
    add_pupils(graph)
    assert run(school).errors == []
    asked = graph.asked_for("userConfigurations")
    assert {address.rsplit("/", 1)[1] for address in asked} == {people.entra(who) for who in people.PUPILS}
    clock.later(hours=23)
    run(school)
    assert len(graph.asked_for("userConfigurations")) == 4
    clock.later(hours=2)
    run(school)
    assert len(graph.asked_for("userConfigurations")) == 8


def test_fetch_policies_asks_nothing_unless_the_settings_name_policies(school: School, graph: StandIn) -> None:
    run(replace(school, settings=school.settings.model_copy(update={"pupil_policies": None})))
    assert not graph.asked_for("userConfigurations")


def test_fetch_policies_asks_one_pupil_where_the_permission_is_missing(school: School, graph: StandIn) -> None:
    graph.always = {"userConfigurations": REFUSED}
    (error,) = run(school).errors
    assert "Policies of pupils in Teams were refused (403 Forbidden: Missing role" in error
    run(school)
    assert len(graph.asked_for("userConfigurations")) == 1
    with school.engine.connect() as connection:
        assert read_states(connection)[Source.PUPIL_POLICIES].refused_at is not None


def test_fetch_policies_keeps_what_came_before_the_service_went_down(school: School, graph: StandIn) -> None:
    add_pupils(graph)
    graph.always = {f"userConfigurations/{people.entra(who)}": BROKEN for who in ("carys", "dai")}
    (error,) = run(school).errors
    assert "2 could not be read" in error
    assert [figures.known for figures in get_pupil_policies(school, people.someone(school, "admin"))] == [2, 2]


def test_get_pupil_policies_gives_figures_and_names_by_role(school: School, graph: StandIn, clock: Clock) -> None:
    admin = people.someone(school, "admin")
    before = [figures.describe() for figures in get_pupil_policies(school, admin)]
    assert before == [f"No pupil's {kind} policy has been read in the last week." for kind in ("meeting", "calling")]
    add_pupils(graph)
    graph.always = {f"userConfigurations/{people.entra('carys')}": BROKEN}
    run(school)
    for who in ("admin", "sdh"):
        meeting, calling = get_pupil_policies(school, people.someone(school, who))
        assert meeting.describe() == "1 of 4 pupils are under the pupils' meeting policy; of 1 nothing is known."
        assert dict(meeting.others) == {"Bethan Rees": "Global", "Dai Prosser": "none"}
        assert (calling.under, dict(calling.others)) == (2, {"Dai Prosser": "none"})
    assert [figures.others for figures in get_pupil_policies(school, people.someone(school, "slt"))] == [(), ()]
    with pytest.raises(NotAllowedError):
        get_pupil_policies(school, people.someone(school, "hoy9"))
    clock.later(days=8)
    assert [figures.known for figures in get_pupil_policies(school, admin)] == [0, 0]


def test_check_school_says_how_to_give_pupils_the_right_policy(school: School, graph: StandIn) -> None:
    add_pupils(graph)
    run(school)
    meeting, calling = (found for found in check_school(school, thorough=False) if found[0] == "pupils' policies")
    assert not meeting[1]
    assert "2 pupils with a different policy are listed on the Administration page: give them “" in meeting[2]
    assert "1 pupil with a different policy is listed" in calling[2]
    assert "Dai" not in meeting[2]
    with school.writing() as connection:
        set_meta(connection, "demo", "2026-11-27")
    demonstration = [good for name, good, _ in check_school(school, thorough=False) if name == "pupils' policies"]
    assert demonstration == [True, True]


def test_create_inspection_pack_counts_policies_without_names(school: School, graph: StandIn) -> None:
    add_pupils(graph)
    run(school)
    pages = PdfReader(io.BytesIO(create_inspection_pack(school, people.someone(school, "sdh")))).pages
    words = " ".join(" ".join(page.extract_text().split()) for page in pages)
    assert "2 of 4 pupils are under the pupils' meeting policy." in words.replace("’", "'")
    assert not any(name in words for name in ("Bethan", "Dai"))


@pytest.mark.parametrize("content", [None, [], {}, {"effectivePolicyAssignments": "x"}, {"value": []}])
def test_read_policies_refuses_what_is_no_configuration(content: Any) -> None:
    with pytest.raises(UnreadableObjectError, match="effectivePolicyAssignments"):
        read_policies(content, "a", [MEETING])


def test_read_policies_takes_only_the_kinds_that_are_asked_for() -> None:
    odd = [None, {}, {"policyType": MEETING}, {"policyType": [], "policyAssignment": {"displayName": "x"}}]
    content = {"value": {"id": "A", "effectivePolicyAssignments": [*odd, *assigned(TeamsMeetingPolicy="P", Other="O")]}}
    assert read_policies(content, "a", [MEETING, CALLING]) == {MEETING: "P", CALLING: ""}
    with pytest.raises(UnreadableObjectError, match="another person"):
        read_policies(content, "b", [MEETING])
