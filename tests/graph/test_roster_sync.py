"""The roster as part of a sync, in `check`, and as a command."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from app.__main__ import cli
from app.graph.sync import check_graph
from app.operations.sync import sync_now
from app.school import School
from app.settings import ROOT
from app.store import tables
from tests import people
from tests.clock import Clock
from tests.graph.conftest import ago, ids, lesson, run
from tests.graph.entra import Entra, account, facts, roster, settings, with_settings
from tests.graph.standin import REFUSED, StandIn

pytestmark = pytest.mark.usefixtures("story_clock")


def test_fetch_roster_is_part_of_a_sync_and_comes_before_calls(school: School, graph: StandIn, entra: Entra) -> None:
    entra.users.append(account("aled", id="new-1", userPrincipalName="efan@pupils.habs.example"))
    for group in ("All pupils", "SEN", "Year 9", "House Wye"):
        entra.groups[group].members.append("new-1")
    entra.user("slt")["accountEnabled"] = False
    call = lesson("c1", ago(hours=5))
    call["sessions"][1]["caller"]["associatedIdentity"] = {"id": "new-1", "tenantId": people.TENANT}
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
    entra.users.append(
        account("sdh", id="1", displayName="Caretaker", mail=None, userPrincipalName="care@habs.example")
    )
    entra.user("slt")["accountEnabled"] = False
    entra.move("aled", into="House Wye")
    done = run(with_settings(school, entra))
    assert len(done.errors) == 2
    assert not any(name in " ".join(done.errors) for name in ("Slt", "Aled", "Caretaker", "@"))


def test_sync_now_says_what_became_of_the_roster(school: School, entra: Entra) -> None:
    entra.user("teacher")["department"] = "Computing"
    good, words = sync_now(with_settings(school, entra), people.someone(school, "admin"), lambda _: None)
    assert good
    assert words.endswith("Roster: 0 new, 1 changed, 0 left, 0 rejected")


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


@pytest.fixture
def command(school: School, entra: Entra, tmp_path: Path) -> Callable[..., Result]:
    """Runs a command on the school's database, with settings that name the groups of Entra."""

    def write(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(key)} = {write(words)}" for key, words in value.items()) + "}"
        return json.dumps(value)

    file = tmp_path / "protocol.toml"
    own = (ROOT / "data/protocol.toml").read_text(encoding="utf-8")
    lines = [f"{name} = {write(value)}" for name, value in settings(entra).items()]
    words = "\n".join(["", "[entra_roster]", *lines])
    file.write_text(own.replace("00000000-0000-0000-0000-000000000000", people.TENANT) + words, encoding="utf-8")
    database = school.engine.url.render_as_string(hide_password=False)
    return partial(CliRunner().invoke, cli, env={"DATABASE_URL": database, "PROTOCOL_FILE": str(file)})


def test_sync_roster_command_names_people_for_the_office(
    school: School, entra: Entra, command: Callable[..., Result]
) -> None:
    entra.users.append(
        account("sdh", id="1", displayName="Caretaker", mail=None, userPrincipalName="care@habs.example")
    )
    entra.user("slt")["accountEnabled"] = False
    done = command(["sync", "roster"])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Microsoft Entra: 11 read, 0 new, 0 changed, 11 known, 0 rejected",
        "Microsoft Entra: 4 read, 0 new, 0 changed, 4 known, 0 rejected",
    ]
    assert "1 person on the roster not in it: Slt (slt@habs.example). They stay until" in done.stderr
    assert "1 enabled account of neither staff nor pupils: Caretaker (care@habs.example)" in done.stderr
    done = command(["sync", "roster", "--leavers", "2026-11-20"])
    assert "1 person marked as no longer there from Fri 20 Nov 2026: Slt (slt@habs.example)" in done.stderr
    assert facts(school.engine, "slt")["has_left"]


def test_sync_roster_command_names_a_rejected_account_by_its_id(entra: Entra, command: Callable[..., Result]) -> None:
    entra.move("aled", into="House Wye")
    done = command(["sync", "roster"])
    assert done.exit_code == 1
    assert f"Microsoft Entra, account {people.entra('aled')}, column house: is in the groups of" in done.stderr
    assert "Aled" not in done.stderr
    done = command(["sync"])
    assert done.exit_code == 1
    assert "Microsoft Entra, pupils: 4 read, 0 new, 0 changed, 0 left, 1 rejected" in done.stdout


def test_sync_roster_command_says_what_a_dry_run_would_change(
    school: School, entra: Entra, command: Callable[..., Result]
) -> None:
    before = roster(school.engine)
    entra.user("teacher")["department"] = "Computing"
    entra.user("slt")["employeeLeaveDateTime"] = "2026-10-31T00:00:00Z"
    done = command(["sync", "roster", "--dry-run"])
    assert done.exit_code == 0, done.stderr
    assert "Teacher (teacher@habs.example): department: from Mathematics to Computing" in done.stdout
    assert "Dry run: nothing was changed." in done.stdout
    assert "1 person marked as no longer there: Slt (slt@habs.example)" in done.stderr
    assert roster(school.engine) == before


def test_sync_roster_command_ends_with_the_fix_where_it_is_refused(
    graph: StandIn, command: Callable[..., Result]
) -> None:
    graph.always = {r"/users\?": REFUSED}
    done = command(["sync", "roster"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "python -m app check says how to grant them" in done.stderr
    assert command(["sync", "--days", "3", "roster"]).exit_code == 2
