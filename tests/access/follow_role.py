"""Imports a roster and prints, as JSON, what follows for one person: run in a copy of the program with a new role."""

import json
import sys
from datetime import date
from pathlib import Path

from app.access.overview import get_overview
from app.access.people import find_person
from app.access.policy import Days, describe_post, get_first_page, list_grants, may_open
from app.access.sessions import list_sessions
from app.intake.files import import_roster
from app.school import School
from app.store.database import open_database
from app.vocabulary.roles import Page, Resource
from tests.conftest import SETTINGS


def follow_role(url: str, folder: Path, email: str, days: Days) -> dict[str, object]:
    """Everything that a role decides for the person with this email."""
    school = School(open_database(url), SETTINGS)
    imported = import_roster(school, folder)
    person = find_person(school, email)
    assert person is not None
    overview = get_overview(school, person, days)
    return {
        "rejected": sum(len(result.rejected) for result in imported),
        "roles": sorted(person.roles),
        "post": describe_post(person),
        "first_page": get_first_page(person),
        "pages": [page for page in Page if may_open(person, page)],
        "pupils": sorted(list_sessions(school, person, days)["pupils"]),
        "overview": len(overview),
        "names": int(overview["staff_name"].notna().sum()),
        "table": [
            f"{resource.label} | {role.label} | {scope.label}"
            for resource in Resource
            for role, scope in list_grants(resource)
            if role and role in person.roles
        ],
    }


if __name__ == "__main__":
    _, address, roster, whose = sys.argv
    ever = date(1900, 1, 1), date(2100, 1, 1)
    print(json.dumps(follow_role(address, Path(roster), whose, ever)))
