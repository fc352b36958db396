"""The people of the fictional school, and its parents' registers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from typing import Any

from app.demo.calendar import Calendar
from app.demo.chance import Chance

Row = dict[str, str]  # a row of a file: its cells by column
Rows = list[Row]

DRIFTING, WAITING = "Modern Languages", "Music"  # departments of the story
_DEPARTMENTS = ("English", "Mathematics", "Sciences", DRIFTING, "Humanities", "Welsh", "Art and Design", "Computing")
_SCHOOLS = {"SEN": ("Senior School", "yes", "afonwen.example"), "PREP": ("Prep School", "no", "prep.afonwen.example")}
_YEARS = {"SEN": (9, 10, 11, 12, 13), "PREP": (7, 8)}
_HOUSES = {"SEN": ("Monnow", "Wye", "Usk", "Teifi"), "PREP": ("Dore", "Honddu", "Trothy", "Ebbw")}
_PUPILS = {"SEN": 430, "PREP": 170}
_TUTORS_A_YEAR = 4

# Where pupils abroad are, and when they can be taught: evening here is their afternoon.
_EVENING = ("Toronto", "Boston", "Bermuda", "Barbados", "São Paulo", "Chicago", "Vancouver", "New York", "Halifax")
_MORNING = ("Hong Kong", "Singapore", "Shanghai")

_FIRST = """
Aled Angharad Anwen Arwel Beca Bethan Betsan Bryn Cadi Caio Carys Catrin Ceri Cerys Cian Daniel Deio Dewi Dylan
Efa Eira Elen Eleri Elin Elis Emily Emrys Enid Erin Esyllt Ethan Fflur Ffion Gareth George Gethin Glesni Grace
Greta Gruff Gwen Gwenllian Gwion Hana Hari Hedd Heledd Hywel Iago Ianto Idris Iestyn Ifan Ioan Isla Iwan Jac Jack
Leisa Lewys Lily Llew Llinos Lowri Luned Macsen Mabli Mair Manon Mared Marged Martha Mati Megan Mali Meilyr Menna
Mirain Moi Morgan Myfi Nansi Nel Nia Non Oliver Olwen Osian Owain Rhian Rhodri Rhun Rhys Ruby Sara Seren Siân Siôn
Sioned Steffan Taliesin Tegid Teifion Tirion Tomos Twm Wil William Ynyr Zara
""".split()  # noqa: SIM905 - a list would take a line for each name

_LAST = """
Adams Bevan Bowen Brookes Bryant Cadwallader Clarke Cullen Davies Dawkins Edwards Ellis Evans Eynon Fletcher
Francis Gittins Griffiths Gwilym Harries Haycock Hopkins Howells Hughes Humphreys Jenkins John Jones Kendrick
Lewis Llewelyn Lloyd Maddocks Meredith Morgan Morris Mostyn Nicholas Onions Owen Parry Penhale Perrott Phillips
Powell Price Pritchard Probert Prosser Pugh Rees Reynolds Richards Roberts Rowlands Samuel Savage Sayce Stephens
Thomas Treharne Tudor Turner Vaughan Watkins Whittall Wilkins Williams Wynne Yorath
""".split()  # noqa: SIM905


@dataclass
class DemoSchool:
    """The fictional school as the files of a real one, and its people by role. `corrections` are corrected logs, each
    with its reason in `why`. `calls`, `recordings`, `attendance` (meetings with their reports) and `events` (of
    calendars) are objects as Graph returns them."""

    schools: Rows = field(default_factory=list)
    staff: Rows = field(default_factory=list)
    pupils: Rows = field(default_factory=list)
    letters: Rows = field(default_factory=list)
    consents: Rows = field(default_factory=list)
    logs: Rows = field(default_factory=list)
    corrections: Rows = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)
    attendance: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    tutors: dict[tuple[str, str], Rows] = field(default_factory=lambda: defaultdict(list))  # by school and year
    hoys: dict[str, Row] = field(default_factory=dict)  # by year
    hms: dict[str, Row] = field(default_factory=dict)  # by house
    teachers: dict[str, Rows] = field(default_factory=lambda: defaultdict(list))  # by department
    counsellors: Rows = field(default_factory=list)
    abroad: list[tuple[Row, str]] = field(default_factory=list)  # each pupil with a town
    new: Rows = field(default_factory=list)  # pupils who joined this term

    @property
    def senior_deputy_head(self) -> Row:
        return self.staff[0]

    @property
    def forgetful(self) -> Row:
        """The tutor who often does not log calls."""
        return self.tutors["SEN", "10"][1]

    @property
    def not_abroad(self) -> Rows:
        away = [pupil for pupil, _ in self.abroad]
        return [pupil for pupil in self.pupils if pupil not in away]

    @property
    def shown_tutor(self) -> Row:
        """The tutor whom the demonstration shows first."""
        return self.tutors["SEN", "9"][0]

    @property
    def shown(self) -> list[str]:
        """The emails of the people whom the demonstration shows first: a tutor, the HOY and HM of the tutor's pupils, a
        counsellor and a DSP."""
        dsp = next(person for person in self.staff if person["roles"] == "dsp")
        shown = (self.shown_tutor, self.hoys["9"], self.hms["Monnow"], self.counsellors[0], dsp)
        return [person["email"] for person in shown]


def invent(chance: Chance) -> DemoSchool:
    """Invent sixty staff and six hundred pupils."""
    school = DemoSchool()
    taken: set[str] = set()
    for code, (name, senior, domain) in _SCHOOLS.items():
        school.schools.append({"code": code, "name": name, "senior": senior, "email_domain": domain})

    def staff(code: str, department: str, roles: str, **looks_after: str) -> Row:
        person = (
            _create_name(chance, taken, _SCHOOLS[code][2])
            | {"school": code, "department": department, "roles": roles, "year_groups": "", "houses": ""}
            | looks_after
        )
        school.staff.append(person)
        if {"teacher", "music_teacher"} & set(roles.split(";")):
            school.teachers[department].append(person)
        return person

    teaches = cycle(_DEPARTMENTS)
    staff("SEN", "Pastoral", "senior_deputy_head;slt")
    staff("SEN", "English", "slt")
    staff("SEN", "Humanities", "slt")
    staff("SEN", "Computing", "admin")
    for code in _SCHOOLS:
        school.counsellors.append(staff(code, "Pastoral", "counsellor"))
        staff(code, "Pastoral", "dsp")
    for code, years in _YEARS.items():
        for year in map(str, years):
            school.hoys[year] = staff(code, next(teaches), "teacher;hoy", year_groups=year)
            for _ in range(_TUTORS_A_YEAR):
                school.tutors[code, year].append(staff(code, next(teaches), "teacher;tutor"))
        for house in _HOUSES[code]:
            school.hms[house] = staff(code, next(teaches), "teacher;hm", houses=house)
    for code in ("SEN", "SEN", "SEN", "SEN", "PREP", "PREP"):
        staff(code, WAITING, "music_teacher")
    for _ in range(3):
        staff("SEN", next(teaches), "teacher")

    for code, number in _PUPILS.items():
        for place in range(number):
            year = str(_YEARS[code][place % len(_YEARS[code])])
            tutor = school.tutors[code, year][place // len(_YEARS[code]) % _TUTORS_A_YEAR]
            pupil = _create_name(chance, taken, f"pupils.{_SCHOOLS[code][2]}")
            group = {"school": code, "year_group": year, "house": _HOUSES[code][place % 4]}
            school.pupils.append(pupil | group | {"tutor_email": tutor["email"]} | _invent_family(pupil, place))
    seniors = chance.some([p for p in school.pupils if p["school"] == "SEN"], 18)
    school.abroad = list(zip(seniors, (*_EVENING, *_MORNING), strict=False))
    school.new = seniors[12:] + chance.some([p for p in school.pupils if p["school"] == "PREP"], 4)
    return school


def _create_name(chance: Chance, taken: set[str], domain: str) -> Row:
    """A person's email, name and Entra object id. The name is added to `taken`, and is not in it before."""
    while True:
        first, last = chance.one(_FIRST), chance.one(_LAST)
        plain = f"{first}.{last}".lower().translate(str.maketrans("âêîôûŵŷ", "aeiouwy"))
        if plain not in taken:
            taken.add(plain)
            return {"email": f"{plain}@{domain}", "name": f"{first} {last}", "entra_id": chance.uuid()}


def _invent_family(pupil: Row, place: int) -> Row:
    """The email addresses and language of a pupil's family: every third family has two addresses, every tenth has none,
    and every fifth reads Welsh."""
    name = pupil["email"].partition("@")[0]
    addresses = [f"family.{name}@cartref.example", f"{name}.2@adref.example"][: 2 if place % 3 == 0 else 1]
    return {"contact_emails": "" if place % 10 == 9 else ";".join(addresses), "language": "en" if place % 5 else "cy"}


def send_letters(school: DemoSchool, calendar: Calendar, chance: Chance) -> None:
    """Enter letters of introduction: before the terms, but late or not at all for new pupils. Enter letters about
    one-to-ones before the fortnight of remote learning, for nearly all pupils."""

    def send(pupil: Row, kind: str, day: date) -> None:
        if day <= calendar.day:
            school.letters.append({"pupil_email": pupil["email"], "kind": kind, "sent_on": str(day)})

    for pupil in school.pupils:
        place = school.new.index(pupil) if pupil in school.new else None
        if place is None:
            send(pupil, "introduction", calendar.last_term.from_ - timedelta(days=10))
        elif place % 5 != 4:  # every fifth has had no letter yet
            send(pupil, "introduction", calendar.half_term.to + timedelta(days=3 + 2 * place))
        if chance.often(0.97):
            send(pupil, "one_to_one", calendar.remote.from_ - timedelta(days=4))


def create_consent_row(pupil: Row, kind: str, covers: Sequence[str], reason: str, given: date, by: str) -> Row:
    """A consent obtained on the morning of a day; SLT was informed an hour later."""
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


def ask_parents_abroad(school: DemoSchool, calendar: Calendar) -> None:
    """Enter consents to the lessons of pupils abroad: most before the terms, some after the start, and none for two
    pupils."""
    covers = (str(calendar.last_term.from_), str(calendar.this_term.to))
    for place, (pupil, town) in enumerate(school.abroad):
        if place in (3, 7):
            continue  # nobody asked
        late = place in (1, 5)
        given = calendar.half_term.to + timedelta(days=9) if late else calendar.last_term.from_ - timedelta(days=5)
        reason, by = f"At home in {town}: another time zone", "Mother" if place % 3 else "Father"
        school.consents.append(create_consent_row(pupil, "outside_hours", covers, reason, given, by))
