"""Random settings, and the days and times at which something changes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from app.settings import WEEKDAYS, Settings

TENANT = "5c7001aa-0000-4000-8000-000000000001"
# Around both changes of the clock, on all kinds of days of the week, and at the end of the days.
DAYS = (
    date(2026, 1, 4),
    date(2026, 1, 5),
    date(2026, 3, 27),
    date(2026, 3, 29),
    date(2026, 3, 30),
    date(2026, 10, 23),
    date(2026, 10, 25),
    date(2026, 10, 26),
    date(2026, 11, 25),
    date(2026, 11, 26),
)
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Setting:
    """Settings, the time of judging in microseconds, and times of day at which something starts or ends."""

    settings: Settings
    now: int
    edges: tuple[time, ...]


def make_settings(random: Random) -> Setting:
    """Settings that change on one or two of `DAYS`."""
    changes = sorted(random.sample(DAYS[1:], random.choice((1, 2))))
    first = date(2020, 9, 1) if random.random() < 0.75 else changes[0] - timedelta(days=1)
    rules = [_make_rules(random, day) for day in (first, *changes)]
    content = {
        "name": "A school",
        "timezone": "Europe/London",
        "tenant_id": TENANT,
        "versions": [{"name": "First", "from": date(2020, 11, 1)}],
        "terms": _make_terms(random),
        "remote_learning": [_make_period(random) for _ in range(random.choice((1, 2, 3)))],
        "rules": rules,
    }
    settings = Settings.model_validate(content)
    edges = {clock for entry in settings.rules for clock in entry.academic_hours}
    edges |= {clock for entry in settings.rules for slot in entry.one_to_one_slots for clock in (slot.from_, slot.to)}
    return Setting(settings, round(NOW.timestamp()) * 1_000_000, tuple(sorted(edges)))


def _make_terms(random: Random) -> list[dict[str, Any]]:
    """Two or three terms that start or end on any day of the week, each with its own first week."""
    spans = [
        (date(2026, 1, 4), date(2026, 3, 27)),
        (date(2026, 3, 29), date(2026, 10, 24)),
        (date(2026, 10, 25), date(2026, 12, 11)),
    ]
    return [
        {
            "name": f"Term from {first}",
            "from": first + timedelta(days=random.choice((0, 0, 1))),
            "to": last - timedelta(days=random.choice((0, 0, 1))),
            "first_week": random.choice("AB"),
        }
        for first, last in random.sample(spans, random.choice((2, 3)))
    ]


def _make_period(random: Random) -> dict[str, Any]:
    """Days of remote learning, for the whole school or for pupils in some schools, years and houses."""
    first, last = sorted(random.choices(DAYS, k=2))
    period = {"name": f"From {first}", "from": first, "to": last}
    return period if random.random() < 0.4 else period | _make_group(random, ("schools", "years", "houses"))


def _make_group(random: Random, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Names of one or more kinds, in the different ways that people write them."""
    names: dict[str, tuple[Any, ...]] = {
        "schools": ("SEN", "sen", "GIRLS", "Prep", "PREP"),
        "years": (7, "9", "Year 9", "year 10", "09", "Year 07"),
        "houses": ("Monnow", "MONNOW", "wye", "Wye"),
    }
    chosen = random.sample(kinds, random.choice((1, 1, len(kinds))))
    return {kind: random.sample(names[kind], random.choice((1, 2, 3))) for kind in chosen}


def _make_slot(random: Random, name: str, start: str, end: str) -> dict[str, Any]:
    """A slot for everybody, or for some years, schools or weeks."""
    slot = {"name": name, "days": random.sample(WEEKDAYS, random.choice((3, 5, 7))), "from": start, "to": end}
    if random.random() < 0.5:
        slot |= _make_group(random, ("schools", "years"))
    return slot | ({"week": random.choice("AB")} if random.random() < 0.3 else {})


def _make_rules(random: Random, day: date) -> dict[str, Any]:
    slots = [
        ("Tutor time", random.choice((("08:40", "09:00"), ("08:00", "12:10")))),
        ("Lunch", random.choice((("12:40", "13:40"), ("12:00", "16:00")))),
        ("Evening", random.choice((("17:00", "18:00"), ("13:40", "14:10")))),
    ]
    return {
        "from": day,
        "academic_hours": random.choice((["08:30", "17:30"], ["09:00", "16:00"], ["00:00", "23:00"])),
        "grace_seconds": random.choice((10, 10, 0, 2.5, 60)),
        "camera_share": random.choice((0.8, 0.8, 0.7, 0.55, 1.0)),
        "match_minutes": random.choice((15, 15, 5, 0, 30)),
        "log_within_hours": random.choice((48, 48, 24, 1.5)),
        "one_to_one_slots": [
            _make_slot(random, name, start, end) for name, (start, end) in slots[: random.choice((2, 3))]
        ],
    }
