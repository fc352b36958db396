"""The roster as part of a sync, in `check`, and as a command."""

import pytest
from sqlalchemy import func, select

from app.graph.sync import check_graph
from app.school import School
from app.store import tables
from tests import people
from tests.clock import Clock
from tests.graph.conftest import ago, ids, lesson, run
from tests.graph.entra import Entra, account, roster, with_settings
from tests.graph.standin import REFUSED, StandIn

pytestmark = pytest.mark.usefixtures("story_clock")


def test_fetch_roster_is_part_of_a_sync_and_comes_before_calls(school: School, graph: StandIn, entra: Entra) -> None:
    entra.users.append(account("aled", id="new", userPrincipalName="efan@pupils.habs.example"))
    for group in ("All pupils", "SEN", "Year 9", "House Wye"):
        entra.groups[group].members.append("new")
    entra.user("slt")["accountEnabled"] = False
    call = lesson("c1", ago(hours=5))
    call["sessions"][1]["caller"]["associatedIdentity"] = {"id": "new", "tenantId": people.TENANT}
    call["participants_v2"] = []
    graph.add(call)
    done = run(with_settings(school, entra))
    assert [(result.kind, result.added) for result in done.roster] == [("staff", 0), ("pupils", 1)]
    assert ids(school) == {"c1": 1}
    assert done.errors == [
        "Roster from Entra: 1 person on the roster not in Entra; python -m app sync roster names them."
    ]


def test_fetch_roster_asks_nothing_unless_the_settings_name_groups(school: School, graph: StandIn) -> None:
    assert run(school).roster == []
    assert not graph.asked_for(r"/users\?|/groups")


@pytest.mark.parametrize("address", [r"/users\?", "/groups"])
def test_fetch_roster_carries_on_where_the_permission_is_missing(
    school: School, graph: StandIn, entra: Entra, clock: Clock, address: str
) -> None:
    graph.always = {address: REFUSED}
    graph.add(lesson("c1", ago(hours=5)))
    wanted, before = with_settings(school, entra), roster(school.engine)
    done = run(wanted)
    assert ids(school) == {"c1": 1}
    (error,) = done.errors
    assert "Accounts and groups of Entra were refused (403 Authorization_RequestDenied" in error
    assert roster(school.engine) == before
    asked = len(graph.asked_for(address))
    assert run(wanted).errors == []
    assert len(graph.asked_for(address)) == asked, "not again within a day"
    text = "\n".join(f"{words} {fix}" for _, words, fix in check_graph(wanted))
    assert "application permission User.Read.All and GroupMember.Read.All" in text
    assert "nobody notices new people" in text
    graph.always = {}
    clock.later(hours=25)
    assert len(run(wanted).roster) == 2


def test_fetch_roster_notes_what_is_wrong_and_carries_on(school: School, graph: StandIn, entra: Entra) -> None:
    wanted = with_settings(school, entra, houses={"Monnow": "Nowhere"})
    graph.add(lesson("c1", ago(hours=5)))
    (error,) = run(wanted).errors
    assert error.startswith("The roster was not read from Entra: Entra has no group")
    assert ids(school) == {"c1": 1}


def test_fetch_roster_names_nobody(school: School, entra: Entra) -> None:
    """What a sync prints may end in a log."""
    entra.users.append(account("sdh", id="1", displayName="Caretaker", userPrincipalName="care@habs.example"))
    entra.user("slt")["accountEnabled"] = False
    entra.move("aled", into="House Wye")
    done = run(with_settings(school, entra))
    assert len(done.errors) == 2
    assert not any(name in " ".join(done.errors) for name in ("Slt", "Aled", "Caretaker", "@"))


def test_check_roster_counts_whom_entra_lists_or_says_what_is_wrong(school: School, entra: Entra) -> None:
    with school.engine.connect() as connection:
        before = connection.scalar(select(func.count()).select_from(tables.imports))
    found = check_graph(with_settings(school, entra))
    assert (True, "Entra lists for the roster: 12 staff, 4 pupils; 0 enabled accounts of neither.", "") in found
    found = check_graph(with_settings(school, entra, houses={"Monnow": "Nowhere"}))
    words = "Entra has no group with the name or object id “Nowhere”."
    assert (False, words, "Correct it in the settings (entra_roster).") in found
    with school.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.imports)) == before
