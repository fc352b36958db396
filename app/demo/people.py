"""Who there is at the fictional school, and what its parents' registers hold."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle

from app.demo.calendar import Calendar
from app.demo.chance import Chance
from app.demo.names import FIRST, LAST

Person = dict[str, str]  # a row of the roster

DRIFTING, WAITING = "Modern Languages", "Music"  # departments of the story
_DEPARTMENTS = ("English", "Mathematics", "Sciences", DRIFTING, "Humanities", "Welsh", "Art and Design", "Computing")
_SCHOOLS = {"SEN": ("Senior School", "yes", "afonwen.example"), "PREP": ("Prep School", "no", "prep.afonwen.example")}
_YEARS = {"SEN": (9, 10, 11, 12, 13), "PREP": (7, 8)}
_HOUSES = {"SEN": ("Monnow", "Wye", "Usk", "Teifi"), "PREP": ("Dore", "Honddu", "Trothy", "Ebbw")}
_PUPILS = {"SEN": 430, "PREP": 170}
_TUTORS_A_YEAR = 4

# Where pupils from abroad are, and when it suits them to be taught: evening here is their afternoon.
_EVENING = ("Toronto", "Boston", "Bermuda", "Barbados", "São Paulo", "Chicago", "Vancouver", "New York", "Halifax")
_MORNING = ("Hong Kong", "Singapore", "Shanghai")


@dataclass
class People:
    """The rosters as rows of their files, and who plays which part."""

    schools: list[Person] = field(default_factory=list)
    staff: list[Person] = field(default_factory=list)
    pupils: list[Person] = field(default_factory=list)
    tutors: dict[tuple[str, str], list[Person]] = field(default_factory=lambda: defaultdict(list))  # school and year
    hoys: dict[str, Person] = field(default_factory=dict)  # by year
    hms: dict[str, Person] = field(default_factory=dict)  # by house
    teachers: dict[str, list[Person]] = field(default_factory=lambda: defaultdict(list))  # by department
    counsellors: list[Person] = field(default_factory=list)
    abroad: list[tuple[Person, str]] = field(default_factory=list)  # a pupil, and where
    new: list[Person] = field(default_factory=list)  # pupils who came this term

    @property
    def senior_deputy_head(self) -> Person:
        return self.staff[0]

    @property
    def forgetful(self) -> Person:
        """The tutor whose calls go unlogged."""
        return self.tutors["SEN", "10"][1]

    @property
    def shown_tutor(self) -> Person:
        """The tutor whom the demonstration shows first."""
        return self.tutors["SEN", "9"][0]

    @property
    def shown(self) -> list[Person]:
        """Whom the demonstration shows first of their role: those who lead the tutor's pupils, and their school's."""
        dsp = next(person for person in self.staff if person["roles"] == "dsp")
        return [self.shown_tutor, self.hoys["9"], self.hms["Monnow"], self.counsellors[0], dsp]


def invent(chance: Chance) -> People:
    """Sixty staff and six hundred pupils."""
    people, named = People(), _Namer(chance)
    for code, (name, senior, domain) in _SCHOOLS.items():
        people.schools.append({"code": code, "name": name, "senior": senior, "email_domain": domain})

    def staff(code: str, department: str, roles: str, **looks_after: str) -> Person:
        person = (
            named.person(_SCHOOLS[code][2])
            | {"school": code, "department": department, "roles": roles, "year_groups": "", "houses": ""}
            | looks_after
        )
        people.staff.append(person)
        if {"teacher", "music_teacher"} & set(roles.split(";")):
            people.teachers[department].append(person)
        return person

    teaches = cycle(_DEPARTMENTS)
    staff("SEN", "Pastoral", "senior_deputy_head;slt")
    staff("SEN", "English", "slt")
    staff("SEN", "Humanities", "slt")
    staff("SEN", "Computing", "admin")
    for code in _SCHOOLS:
        people.counsellors.append(staff(code, "Pastoral", "counsellor"))
        staff(code, "Pastoral", "dsp")
    for code, years in _YEARS.items():
        for year in map(str, years):
            people.hoys[year] = staff(code, next(teaches), "teacher;hoy", year_groups=year)
            for _ in range(_TUTORS_A_YEAR):
                people.tutors[code, year].append(staff(code, next(teaches), "teacher;tutor"))
        for house in _HOUSES[code]:
            people.hms[house] = staff(code, next(teaches), "teacher;hm", houses=house)
    for code in ("SEN", "SEN", "SEN", "SEN", "PREP", "PREP"):
        staff(code, WAITING, "music_teacher")
    for _ in range(3):
        staff("SEN", next(teaches), "teacher")

    for code, number in _PUPILS.items():
        for place in range(number):
            year = str(_YEARS[code][place % len(_YEARS[code])])
            tutor = people.tutors[code, year][place // len(_YEARS[code]) % _TUTORS_A_YEAR]
            people.pupils.append(
                named.person(f"pupils.{_SCHOOLS[code][2]}")
                | {"school": code, "year_group": year, "house": _HOUSES[code][place % 4], "tutor_email": tutor["email"]}
            )
    seniors = chance.some([p for p in people.pupils if p["school"] == "SEN"], 18)
    people.abroad = list(zip(seniors, (*_EVENING, *_MORNING), strict=False))
    people.new = seniors[12:] + chance.some([p for p in people.pupils if p["school"] == "PREP"], 4)
    return people


class _Namer:
    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.taken: set[str] = set()

    def person(self, domain: str) -> Person:
        """A name that nobody has yet, with its address and its Entra object id."""
        while True:
            first, last = self.chance.one(FIRST), self.chance.one(LAST)
            plain = f"{first}.{last}".lower().translate(str.maketrans("âêîôûŵŷ", "aeiouwy"))
            if plain not in self.taken:
                self.taken.add(plain)
                return {"email": f"{plain}@{domain}", "name": f"{first} {last}", "entra_id": self.chance.uuid()}


def letters(people: People, calendar: Calendar, chance: Chance) -> list[Person]:
    """Introductions before the terms, to new pupils' parents late or not at all; letters about one-to-ones
    before the fortnight of remote learning, to nearly all."""
    rows = []

    def sent(pupil: Person, kind: str, on: date) -> None:
        if on <= calendar.day:
            rows.append({"pupil_email": pupil["email"], "kind": kind, "sent_on": str(on)})

    new = {pupil["email"]: place for place, pupil in enumerate(people.new)}
    for pupil in people.pupils:
        place = new.get(pupil["email"])
        if place is None:
            sent(pupil, "introduction", calendar.last_term.from_ - timedelta(days=10))
        elif place % 5 != 4:  # to every fifth nobody has written yet
            sent(pupil, "introduction", calendar.half_term.to + timedelta(days=3 + 2 * place))
        if chance.often(0.97):
            sent(pupil, "one_to_one", calendar.remote.from_ - timedelta(days=4))
    return rows


def consent_row(pupil: Person, kind: str, covers: tuple[str, str], reason: str, given: date, by: str) -> Person:
    """A consent obtained in the morning of a day, of which SLT is informed an hour later."""
    return {
        "pupil_email": pupil["email"],
        "kind": kind,
        "covers_from": covers[0],
        "covers_to": covers[1],
        "reason": reason,
        "obtained_at": f"{given}T09:15",
        "given_by": by,
        "slt_informed_at": f"{given}T10:30",
    }


def consents_abroad(people: People, calendar: Calendar) -> list[Person]:
    """For the lessons of pupils abroad: most before the terms, some when it had begun, for two none."""
    rows = []
    for place, (pupil, town) in enumerate(people.abroad):
        if place in (3, 7):
            continue  # nobody asked
        late = place in (1, 5)
        given = calendar.half_term.to + timedelta(days=9) if late else calendar.last_term.from_ - timedelta(days=5)
        covers = (str(calendar.last_term.from_), str(calendar.this_term.to))
        by = "Mother" if place % 3 else "Father"
        rows.append(consent_row(pupil, "outside_hours", covers, f"At home in {town}: another time zone", given, by))
    return rows
