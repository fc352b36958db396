"""A random roster and random registers for one world."""

from datetime import date, timedelta
from random import Random

from tests.reference.random_settings import DAYS
from tests.reference.rows import HOUR, MINUTE, SECOND, Consent, Letter, PupilVersion, RemotePupil, StaffVersion

YEARS, HOUSES, SCHOOLS = ("7", "9", "10"), ("Monnow", "Wye"), ("SEN", "GIRLS", "PREP")
ROLES = (
    ("teacher", "tutor"),
    ("tutor",),
    ("teacher", "hoy"),
    ("tutor", "hoy"),
    ("teacher", "hm"),
    ("hm", "hoy"),
    ("senior_deputy_head", "slt"),
    ("senior_deputy_head", "hoy"),
    ("counsellor",),
    ("counsellor", "tutor"),
    ("music_teacher",),
    ("teacher",),
    ("dsp",),
    (),
)


def make_staff(random: Random, base: int) -> list[StaffVersion]:
    """Six members of staff: a tutor, a HOY, an HM, a Senior Deputy Head, a counsellor and one with any role. Some
    change."""
    versions = []
    firsts = [*(ROLES[number] for number in (0, 2, 4, 6, 8)), random.choice(ROLES)]
    for number, roles in enumerate(firsts):
        versions.append(_make_staff_version(random, base + 1 + number, _first_day(random), roles))
        if random.random() < 0.2:
            day = random.choice([day for day in DAYS[1:] if day != DAYS[5]])
            versions.append(_make_staff_version(random, base + 1 + number, day, random.choice(ROLES)))
    random.shuffle(versions)
    return versions


def _make_staff_version(random: Random, staff_id: int, day: date, roles: tuple[str, ...]) -> StaffVersion:
    school = random.choice(("SEN", "SEN", "SEN", "GIRLS", "PREP"))
    years = tuple(random.sample(YEARS, random.choice((1, 2)))) if "hoy" in roles or random.random() < 0.1 else ()
    houses = tuple(random.sample(HOUSES, 1)) if "hm" in roles or random.random() < 0.1 else ()
    return StaffVersion(staff_id, day, f"Staff {staff_id}", school, school != "PREP", "English", roles, years, houses)


def _first_day(random: Random) -> date:
    """The day from which somebody is known: usually before all sessions, now and then in the middle of them."""
    return date(2026, 1, 1) if random.random() < 0.9 else DAYS[5]


def make_pupils(random: Random, base: int) -> list[PupilVersion]:
    """Five pupils; some change year, house or school."""
    versions = []
    for pupil_id in range(base + 101, base + 106):
        later = [random.choice([day for day in DAYS[1:] if day != DAYS[5]])] if random.random() < 0.2 else []
        for day in (_first_day(random), *later):
            school, year, house = random.choice(SCHOOLS), random.choice(YEARS), random.choice(HOUSES)
            versions.append(PupilVersion(pupil_id, day, f"Pupil {pupil_id}", school, year, house))
    return versions


def make_letters(random: Random, pupils: list[int], days: list[date]) -> list[Letter]:
    """Letters sent well before the days of the world's sessions, just before, on such a day or after it."""
    letters = []
    for pupil in pupils:
        for kind in ("introduction", "one_to_one"):
            if random.random() < 0.6:
                letters.append(Letter(pupil, kind, date(2025, 9, 1)))
                continue
            for _ in range(random.choice((0, 1, 1, 2))):
                sent_on = random.choice(days) + timedelta(days=random.choice((-1, 0, 1)))
                letters.append(Letter(pupil, kind, sent_on))
    return letters


def make_remote_pupils(random: Random, pupils: list[int], days: list[date]) -> list[RemotePupil]:
    """Days on which some pupils learn from home. They start and end around the days of the world's sessions."""
    entries = []
    for pupil in pupils:
        for _ in range(random.choice((0, 0, 1, 1, 2))):
            first = random.choice(days) + timedelta(days=random.choice((-3, -1, 0, 0, 1)))
            entries.append(RemotePupil(pupil, first, first + timedelta(days=random.choice((0, 1, 3)))))
    return entries


def make_consent(random: Random, pupil: int, start: int, end: int) -> Consent:
    """A consent for about a session's time. Any of its times may mean that it does not cover the session."""

    def near(instant: int, likely: int) -> int:
        """The instant, usually `likely` away from the given one, otherwise very close to it."""
        return instant + (likely if random.random() < 0.8 else random.choice((-1, 0, 1, -SECOND, SECOND)))

    return Consent(
        pupil_id=pupil,
        kind=random.choice(("outside_hours", "one_to_one")),
        covers_from=near(start, random.choice((0, -HOUR))),
        covers_to=near(end, random.choice((0, HOUR))),
        reason=random.choice(("The time difference", "The time difference", "The time difference", "", " ", None)),
        obtained_at=near(start, -24 * HOUR),
        withdrawn_at=random.choice((None, None, None, start + 24 * HOUR, start - HOUR, near(start, -MINUTE))),
        slt_informed_at=random.choice((None, near(start, -HOUR), near(start, -HOUR), near(start, -HOUR))),
    )
