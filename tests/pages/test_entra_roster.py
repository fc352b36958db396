"""The roster from Microsoft Entra on the Administration page: checked, then imported."""

from pathlib import Path

import pytest
import tomli_w

from app.access.administration import get_roster
from app.school import School
from tests import people
from tests.graph.conftest import entra, graph
from tests.graph.entra import Entra, settings
from tests.pages.conftest import OpenAs, text
from tests.people import someone

__all__ = ["entra", "graph"]
pytestmark = pytest.mark.usefixtures("story_clock")


@pytest.fixture
def named(open_as: OpenAs, entra: Entra, tmp_path: Path) -> OpenAs:  # a fixture of that name
    """The pages of a school whose settings name the groups of Entra."""
    with (tmp_path / "protocol.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + tomli_w.dumps({"entra_roster": settings(entra)}))
    return open_as


def _press(at: object, label: str) -> None:
    next(button for button in at.button if button.label == label).click().run()  # type: ignore[attr-defined]
    assert not at.exception  # type: ignore[attr-defined]


def test_roster_from_entra_is_checked_then_imported(named: OpenAs, entra: Entra, school: School) -> None:
    entra.user("teacher").update(displayName="Theo Renamed")
    entra.user("aled")["accountEnabled"] = False
    at = named("admin", "Roster")
    assert "It has not been read yet." in text(at)
    _press(at, "Check what would change")
    assert "Theo Renamed" in text(at)
    assert people.PUPILS["aled"][0] in text(at)
    admin = someone(school, "admin")
    assert "Theo Renamed" not in set(get_roster(school, admin)["staff"]["name"])
    _press(at, "Import")
    roster = get_roster(school, admin)
    assert "Theo Renamed" in set(roster["staff"]["name"])
    assert people.PUPILS["aled"][0] in set(roster["pupils"]["name"])  # nobody said that he had left
    assert "Last read" in text(at)


def test_roster_from_entra_says_why_it_cannot_be_read(named: OpenAs, entra: Entra) -> None:
    entra.groups.pop("All staff")
    at = named("admin", "Roster")
    _press(at, "Check what would change")
    assert "The roster was not read from Entra" in " ".join(error.value for error in at.error)


def test_roster_says_that_it_comes_from_files(open_as: OpenAs) -> None:
    at = open_as("admin", "Roster")
    assert "The roster comes from files." in text(at)
