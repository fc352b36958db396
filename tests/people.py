"""A small school: everybody that a test may need, by a short name, and functions for what happens there."""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from app.access.people import find_person
from app.access.policy import Person
from app.intake.calls import import_calls
from app.intake.files import import_letters, import_roster
from app.school import School
from app.store import reading
from app.store.writing import get_meta, set_meta

Found = TypeVar("Found")

NOW = datetime(2026, 11, 27, 16, tzinfo=UTC)  # a Friday; everything in the tests has happened by then
TENANT = "5c7001aa-0000-4000-8000-000000000001"

# short name: school, department, roles, year groups, houses
STAFF = {
    "sdh": ("SEN", "Pastoral", "senior_deputy_head;slt", "", ""),
    "hoy9": ("SEN", "English", "teacher;hoy", "9", ""),
    "hm": ("SEN", "Sciences", "teacher;hm", "", "Monnow"),
    "tutor": ("SEN", "English", "teacher;tutor", "", ""),
    "teacher": ("SEN", "Mathematics", "teacher", "", ""),
    "musician": ("SEN", "Music", "music_teacher", "", ""),
    "counsellor": ("SEN", "Pastoral", "counsellor", "", ""),
    "dsp": ("SEN", "Pastoral", "dsp", "", ""),
    "prepdsp": ("PREP", "Pastoral", "dsp", "", ""),
    "slt": ("SEN", "Pastoral", "slt", "", ""),
    "admin": ("SEN", "ICT", "admin", "", ""),
    "preptutor": ("PREP", "English", "teacher;tutor", "", ""),
}
# short name: name, school, year, house, tutor
PUPILS = {
    "aled": ("Aled Pugh", "SEN", "9", "Monnow", "tutor"),
    "bethan": ("Bethan Rees", "SEN", "9", "Wye", "tutor"),
    "carys": ("Carys Owen", "SEN", "10", "Monnow", "tutor"),
    "dai": ("Dai Prosser", "PREP", "7", "Dore", "preptutor"),
}
# The answers of a log when everything is in order.
IN_ORDER = {
    "platform": "teams",
    "account": "school",
    "recorded": "no",
    "private_recording": "no",
    "staff_opened": "yes",
    "staff_ended": "yes",
    "pupil_left_alone": "no",
    "cameras_on": "yes",
    "dress_ok": "yes",
    "background_ok": "yes",
    "room": "public",
    "concern": "no",
}
GOOD = {"purpose": "academic"} | IN_ORDER


def find_pupil(school: School, who: str) -> int:
    """The number of a pupil, given by name or address: addresses are encrypted in the database."""
    address = who if "@" in who else email(who)
    with school.engine.connect() as connection:
        return reading.read_roster(connection).pupils[address]


def email(who: str) -> str:
    """Somebody's email, by their short name. An email is returned unchanged."""
    return who if "@" in who else f"{who}@{'pupils.' if who in PUPILS else ''}habs.example"


def staff_id(school: School, who: str) -> int:
    """The id of a member of staff in the school."""
    with school.engine.connect() as connection:
        return reading.read_roster(connection).staff[email(who)]


def entra(who: str) -> str:
    return f"00000000-0000-4000-8000-{[*STAFF, *PUPILS].index(who):012d}"


def table(file: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write rows into a CSV file, and return the file."""
    rows = list(rows)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def roster(folder: Path) -> Path:
    """Write the three files of the roster into a folder, and return the folder."""
    folder.mkdir(exist_ok=True)
    table(
        folder / "schools.csv",
        [
            {"code": code, "name": code, "senior": senior, "email_domain": "habs.example"}
            for code, senior in (("SEN", "yes"), ("PREP", "no"))
        ],
    )
    table(
        folder / "staff.csv",
        [
            {
                "email": email(who),
                "name": who.title(),
                "school": school,
                "department": department,
                "roles": roles,
                "year_groups": years,
                "houses": houses,
                "entra_id": entra(who),
            }
            for who, (school, department, roles, years, houses) in STAFF.items()
        ],
    )
    table(
        folder / "pupils.csv",
        [
            {
                "email": email(who),
                "name": name,
                "school": school,
                "year_group": year,
                "house": house,
                "tutor_email": email(tutor),
                "entra_id": entra(who),
            }
            for who, (name, school, year, house, tutor) in PUPILS.items()
        ],
    )
    return folder


def letters(folder: Path) -> Path:
    """Write the register of letters into a folder: a letter of introduction to every pupil's parents. Returns the
    file."""
    rows = [{"pupil_email": email(who), "kind": "introduction", "sent_on": "2020-09-01"} for who in PUPILS]
    return table(folder / "letters.csv", rows)


def move_in(school: School, folder: Path) -> None:
    """Write the roster and the letters into a folder and import them."""
    assert not any(result.rejected for result in import_roster(school, roster(folder / "roster")))
    assert not import_letters(school, letters(folder)).rejected


def import_as_its_own(school: School, file: Path) -> int:
    """Import call records into the demonstration as while it was filled; afterwards it refuses them. The number of
    calls that are new."""
    with school.writing() as connection:
        demo = get_meta(connection, "demo") or ""
        set_meta(connection, "demo", "")
    added = import_calls(school, file).added
    with school.writing() as connection:
        set_meta(connection, "demo", demo)
    return added


def found(value: Found | None) -> Found:
    """The value, which must not be None."""
    assert value is not None
    return value


def someone(school: School, who: str) -> Person:
    """A member of staff, by their short name."""
    return found(find_person(school, email(who)))


def log(by: str, pupils: str, start: str, minutes: int = 30, **answers: str) -> dict[str, str]:
    """A row of a log. `pupils` are short names separated by spaces; `start` is in school time."""
    begun = datetime.fromisoformat(start)
    return (
        GOOD
        | {
            "staff_email": email(by),
            "pupil_emails": ";".join(email(pupil) for pupil in pupils.split()),
            "started_at": begun.isoformat(),
            "ended_at": (begun + timedelta(minutes=minutes)).isoformat(),
        }
        | answers
    )


def call(
    call_id: str, start: str, who: Mapping[str, tuple[float, float]], version: int = 1, tenant: str = TENANT
) -> dict[str, Any]:
    """A group call in Graph's format. `who` has, by short name or email, the minutes after `start` (UTC) at which each
    person joined and left."""
    begun = datetime.fromisoformat(start).replace(tzinfo=UTC)

    def at(minute: float) -> str:
        return (begun + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")

    def leg(person: str, came: float, went: float) -> dict[str, Any]:
        video = {"streamDirection": "callerToCallee", "packetUtilization": 90000}
        return {
            "id": f"{call_id}-{person}",
            "startDateTime": at(came),
            "endDateTime": at(went),
            "caller": {
                "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
                "associatedIdentity": {"id": _get_id(person), "tenantId": tenant, "userPrincipalName": email(person)},
            },
            "callee": {"@odata.type": "#microsoft.graph.callRecords.serviceEndpoint"},
            "segments": [{"media": [{"label": "main-video", "streams": [video]}]}],
        }

    organiser = next(iter(who))
    return {
        "id": call_id,
        "version": version,
        "type": "groupCall",
        "startDateTime": at(min(came for came, _ in who.values())),
        "endDateTime": at(max(went for _, went in who.values())),
        "organizer_v2": {"identity": {"user": {"id": entra(organiser), "tenantId": TENANT}}}
        if organiser in STAFF | PUPILS
        else None,
        "sessions": [leg(person, came, went) for person, (came, went) in who.items()],
    }


def _get_id(person: str) -> str | None:
    """The Entra id of a person in a call: none for an email, whose account may have another id on the roster."""
    if person in STAFF | PUPILS:
        return entra(person)
    return None if "@" in person else f"stranger-{person}"


def calls(file: Path, *records: dict[str, Any]) -> Path:
    """Write call records into a file as a page of Graph, and return the file."""
    file.write_text(json.dumps({"value": records}), encoding="utf-8")
    return file
