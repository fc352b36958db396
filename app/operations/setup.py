"""What a new school still has to set up, for the administrator."""

from dataclasses import dataclass

from sqlalchemy import func, select

from app.access.administration import get_roster
from app.access.policy import Person
from app.formatting import start_sentence
from app.operations.health import check_school
from app.operations.sync import get_sync_state
from app.school import School
from app.store import tables
from app.vocabulary.roles import Role

_CHECKED = {
    "encryption": ("Narratives are encrypted", "Status"),
    "sign-in": ("Staff can sign in", ""),
    "alerts": ("Alerts are sent by email", "Alerts"),
    "backup": ("A backup has been tested", ""),
}
_NEEDED = (Role.DSP, Role.SENIOR_DEPUTY_HEAD)


@dataclass(frozen=True)
class SetupStep:
    """Something to set up: what is then so, whether it is, what to do, and the tab of the Administration page for it
    (blank: it is done on the server)."""

    label: str
    is_done: bool
    fix: str
    tab: str


def list_setup_steps(school: School, person: Person) -> list[SetupStep]:
    """What there is to set up; nothing in the demonstration."""
    return [] if school.is_demonstration() else [*_list_people(school, person), *_list_services(school, person)]


def _list_people(school: School, person: Person) -> list[SetupStep]:
    roster = get_roster(school, person)
    holders = {role for roles in roster["staff"]["roles"] for role in roles.split(";")}
    with school.engine.connect() as connection:
        letters = connection.scalar(select(func.count()).select_from(tables.letters))
    found = {
        "Schools are on the roster": (len(roster["schools"]), "Import the list of schools; there is a template."),
        "Staff are on the roster": (len(roster["staff"]) > 1, "Import the list of staff as your system exports it."),
        "Pupils are on the roster": (len(roster["pupils"]), "Import the list of pupils as your system exports it."),
        "Letters to parents are on record": (letters, "Import those sent so far, or send them on the Parents page."),
    }
    steps = [SetupStep(label, bool(number), fix, "Import") for label, (number, fix) in found.items()]
    for role in _NEEDED:
        fix = f"Give somebody this role ({role}) in the list of staff, and import it again."
        steps.insert(-1, SetupStep(f"There is a {role.label}", role in holders, fix, "Import"))
    return steps


def _list_services(school: School, person: Person) -> list[SetupStep]:
    findings = {name: (good, words) for name, good, words in check_school(school, thorough=False)}
    steps = []
    for name, (label, tab) in _CHECKED.items():
        good, words = findings.get(name, (True, ""))
        steps.append(SetupStep(label, good, f"{start_sentence(words)}.".replace("..", "."), tab))
    sync = get_sync_state(school, person)
    fix = sync.words if sync.configured else "Connect Microsoft Graph (docs/graph.md), or import call records."
    steps.append(SetupStep("Call records are fetched", sync.configured and sync.level == "none", fix, "Status"))
    return steps
