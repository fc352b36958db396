"""Groups and lists of Microsoft Entra: what contradicts itself, and what cannot be read whole, changes nothing."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from app.graph.errors import GraphError
from app.graph.roster import sync_roster
from app.intake.people import RosterOptions
from app.school import School
from app.vocabulary.roles import Role
from tests import people
from tests.graph.conftest import asking, sync_entra
from tests.graph.entra import Entra, Group, account, facts, roster, with_settings
from tests.graph.standin import BROKEN, CUT, REFUSED, StandIn
from tests.people import someone

pytestmark = pytest.mark.usefixtures("story_clock")


def test_sync_roster_reads_several_houses_and_roles_of_staff(school: School, entra: Entra) -> None:
    entra.move("hm", into="House Wye")
    entra.move("hm", into="Role dsp")
    entra.move("tutor", into="House Wye")
    entra.move("hoy9", into="Year 10")
    assert sync_entra(school, entra).results[0].rejected == []
    assert facts(school.engine, "hm")["houses"] == "Monnow;Wye"
    assert someone(school, "hm").roles == {Role.TEACHER, Role.HM, Role.DSP}
    assert facts(school.engine, "tutor")["houses"] == ""
    assert facts(school.engine, "hoy9")["year_groups"] == "9;10"


@pytest.mark.parametrize(
    ("who", "change", "column", "reason"),
    [
        ("aled", {"into": "House Wye"}, "house", "is in the groups of Monnow and Wye"),
        ("aled", {"into": "Year 10"}, "year_group", "is in the groups of 9 and 10"),
        ("aled", {"into": "PREP"}, "school", "is in the groups of SEN and PREP"),
        ("aled", {"out_of": "Year 9"}, "year_group", "in none of the groups"),
        ("aled", {"into": "All staff"}, "email", "is that of staff and of a pupil"),
        ("aled", {"into": "Tutees of preptutor"}, "tutor_email", "in the groups of several tutors"),
        ("dai", {"who": "tutor", "into": "Tutees of preptutor"}, "tutor_email", "has no tutor, or several"),
        ("hoy9", {"out_of": "Year 9"}, "year_groups", "this Head of Year is in none"),
        ("hm", {"out_of": "House Monnow"}, "houses", "this Head of House is in none"),
        ("teacher", {"out_of": "SEN"}, "school", "in none of the groups"),
    ],
)
def test_sync_roster_rejects_whom_groups_contradict_and_lets_them_stay(
    school: School, entra: Entra, who: str, change: dict[str, str], column: str, reason: str
) -> None:
    before = facts(school.engine, who)
    entra.move(**{"who": who} | change)
    synced = sync_entra(school, entra, RosterOptions(left_on=date(2026, 11, 20)))
    rejected = [row for result in synced.results for row in result.rejected if row.column == column]
    assert {row.original["entra_id"] for row in rejected} == {people.entra(who)}
    assert reason in rejected[0].reason
    assert [result.left for result in synced.results] == [[], []]
    assert facts(school.engine, who) == before


def test_sync_roster_finds_the_tutor_among_several_staff_by_the_role(school: School, entra: Entra) -> None:
    entra.move("teacher", into="Tutees of tutor")
    entra.move("bethan", out_of="Tutees of tutor")
    assert sync_entra(school, entra).results[1].changed == 1
    assert facts(school.engine, "aled")["tutor_id"] == people.staff_id(school, "tutor")
    assert facts(school.engine, "bethan")["tutor_id"] is None


def test_sync_roster_leaves_alone_what_no_group_is_named_for(school: School, entra: Entra) -> None:
    before = roster(school.engine)
    synced = sync_entra(school, entra, tutor_groups=[])
    assert [result.changed for result in synced.results] == [0, 0]
    synced = sync_entra(school, entra, pupils=[], houses={}, year_groups={})
    assert [(result.kind, result.changed) for result in synced.results] == [("staff", 0)]
    assert roster(school.engine) == before


def lose(graph: StandIn) -> None:
    del graph.entra.groups["House Wye"]


def empty(graph: StandIn) -> None:
    graph.entra.groups["House Wye"].members.clear()


def hide(graph: StandIn) -> None:
    graph.entra.groups["House Wye"] = Group([], "HiddenMembership")


def refuse(graph: StandIn) -> None:
    hide(graph)
    graph.always = {graph.entra.groups["House Wye"].id + "/transitiveMembers": REFUSED}


def double(graph: StandIn) -> None:
    graph.entra.same_name = {"House Wye": Group([])}


def cut(graph: StandIn) -> None:
    graph.always = {"transitiveMembers": CUT}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lose, "Entra has no group with the name or object id “House Wye”"),
        (empty, "The group “House Wye” of the settings has no members"),
        (hide, "The group “House Wye” hides its members. .*Member.Read.Hidden"),
        (refuse, "The group “House Wye” hides its members. .*Member.Read.Hidden"),
        (double, "Entra has 2 groups with the name “House Wye”. Write the object id"),
        (cut, "A list could not be read to its end .* Nothing of the roster was changed"),
    ],
)
def test_sync_roster_changes_nothing_if_a_group_cannot_be_read(
    school: School, graph: StandIn, entra: Entra, change: Callable[[StandIn], None], words: str
) -> None:
    wanted, before = with_settings(school, entra), roster(school.engine)
    change(graph)
    entra.remove("slt")
    with pytest.raises(GraphError, match=words):
        sync_roster(wanted, RosterOptions(left_on=date(2026, 11, 20)), client=asking())
    assert roster(school.engine) == before


def test_sync_roster_takes_groups_by_object_id_and_with_an_apostrophe(school: School, entra: Entra) -> None:
    entra.groups["King's"] = entra.groups["House Wye"]
    houses = {"Wye": "King's", "Monnow": entra.groups["House Monnow"].id, "Dore": ["House Dore"]}
    assert [result.changed for result in sync_entra(school, entra, houses=houses).results] == [0, 0]
    with pytest.raises(GraphError, match="no group"):
        sync_entra(school, entra, houses=houses | {"Usk": "00000000-0000-4000-8000-00000000ffff"})


@pytest.mark.parametrize("address", [r"/users\?.*skiptoken", r"/users\?", "transitiveMembers.*skiptoken"])
def test_sync_roster_lets_nobody_leave_by_half_a_list(
    school: School, graph: StandIn, entra: Entra, address: str
) -> None:
    before = roster(school.engine)
    entra.groups["SEN"].members += [f"device-{number}" for number in range(10)]
    graph.always = {address: BROKEN}
    with pytest.raises(GraphError, match="could not be read to its end"):
        sync_entra(school, entra, RosterOptions(left_on=date(2026, 11, 20)))
    assert roster(school.engine) == before


@pytest.mark.parametrize(
    "entry", [None, {}, {"id": None}, account("sdh", accountEnabled=None), account("sdh", employeeLeaveDateTime="soon")]
)
def test_sync_roster_refuses_a_list_with_what_is_no_whole_account(school: School, entra: Entra, entry: Any) -> None:
    before = roster(school.engine)
    entra.users.append(entry or {})
    with pytest.raises(GraphError, match="A list cannot be used"):
        sync_entra(school, entra)
    assert roster(school.engine) == before


def test_sync_roster_reads_everything_through_faults(school: School, graph: StandIn, entra: Entra) -> None:
    graph.rate, graph.seed = 0.3, 3
    entra.user("teacher")["department"] = "Computing"
    assert [result.changed for result in sync_entra(school, entra).results] == [1, 0]


def test_sync_roster_does_without_what_is_refused_and_not_needed(school: School, graph: StandIn, entra: Entra) -> None:
    graph.always = {"employeeLeaveDateTime": REFUSED, "deletedItems": REFUSED}
    entra.remove("slt")
    synced = sync_entra(school, entra)
    assert synced.results[0].missing == ["Slt (slt@habs.example)"]
    assert any("User-LifeCycleInfo.Read.All" in words for words in synced.notes)
    assert any("deleted accounts could not be read" in words for words in synced.notes)
