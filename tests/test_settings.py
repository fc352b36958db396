"""The settings file: errors are named with their fix."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.settings import ROOT, Rules, Settings, SettingsError, Term, load_settings


def written(folder: Path, more: str) -> Path:
    file = folder / "protocol.toml"
    text = (ROOT / "data/protocol.toml").read_text(encoding="utf-8")
    file.write_text(f"{text}\n{more}\n", encoding="utf-8")
    return file


def test_load_settings_reads_the_pupils_policies(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "")).pupil_policies is None
    policies = load_settings(
        written(
            tmp_path, '[pupil_policies]\nTeamsMeetingPolicy = " Pupils "\nTeamsCallingPolicy = ["None", "Sixth form"]'
        )
    ).pupil_policies
    assert policies is not None
    assert policies.by_kind == {"TeamsMeetingPolicy": ("Pupils",), "TeamsCallingPolicy": ("None", "Sixth form")}
    policies = load_settings(written(tmp_path, '[pupil_policies]\nTeamsMeetingPolicy = "Pupils"')).pupil_policies
    assert policies is not None
    assert policies.by_kind == {"TeamsMeetingPolicy": ("Pupils",)}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "pupil_policies: name the pupils' policy"),
        ("TeamsMeetingPolicy = []", "pupil_policies: name the pupils' policy"),
        ("TeamsMeetingPolicy = 5", "pupil_policies.TeamsMeetingPolicy: write one name"),
        ('TeamsCallingPolicy = ["a", " "]', "pupil_policies.TeamsCallingPolicy: write one name"),
        ('TeamsMessagingPolicy = "a"', "pupil_policies.TeamsMessagingPolicy: not an entry of the settings"),
        ('meeting = "a"', "pupil_policies.meeting: not an entry of the settings"),
    ],
)
def test_load_settings_names_what_is_wrong_with_pupil_policies(tmp_path: Path, entry: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        load_settings(written(tmp_path, f"[pupil_policies]\n{entry}"))


def test_load_settings_reads_the_groups_of_the_roster(tmp_path: Path) -> None:
    lines = ("[entra_roster]", 'staff = "Staff"', 'pupils = "@pupils.habs.example"', 'year_groups.9 = ["Y9", "Staff"]')
    text = "\n".join(lines)
    wanted = load_settings(written(tmp_path, text)).entra_roster
    assert wanted is not None
    assert (wanted.year_groups, wanted.list_groups()) == ({"9": ("Y9", "Staff")}, ("Staff", "Y9"))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "entra_roster: name the groups or the domain of `staff`"),
        ('pupils = "Pupils"\ntutor_groups = "9A"', "entra_roster: name the groups or the domain of `staff` as well"),
        ("staff = 5", "entra_roster.staff: write one name"),
        ('staff = "Staff"\ntutors = "T"', "entra_roster.tutors: not an entry of the settings"),
        ('staff = "Staff"\nroles = {hoy = 9}', "entra_roster.roles.hoy: write one name"),
    ],
)
def test_load_settings_names_what_is_wrong_with_the_groups_of_the_roster(
    tmp_path: Path, entry: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason):
        load_settings(written(tmp_path, f"[entra_roster]\n{entry}"))


MONDAY = date(2026, 9, 7)
# In turn: the days from a term's end to the next one's start, and the days that the next term lasts.
LENGTHS = st.lists(st.integers(0, 40), max_size=8)


def term(first: int, last: int) -> Term:
    return Term.model_validate(
        {"name": "T", "from": MONDAY + timedelta(days=first), "to": MONDAY + timedelta(days=last)}
    )


def with_days(terms: list[Term], breach_days: int, later: int) -> Settings:
    """Settings with `breach_days` until day 50, and `later` from then on."""
    shipped = load_settings()
    figures = shipped.rules[0].model_dump(by_alias=True)
    entries = [(date(2020, 1, 1), breach_days), (MONDAY + timedelta(days=50), later)]
    rules = [Rules.model_validate(figures | {"from": day, "breach_days": number}) for day, number in entries]
    return shipped.model_copy(update={"terms": tuple(terms), "rules": tuple(rules)})


def find_slowly(settings: Settings, opened: date, times: int) -> date:
    """The due day, found by counting each day on which somebody is at school, or would be after all terms."""
    counted: list[date] = []
    day = opened
    number = settings.rules[opened >= MONDAY + timedelta(days=50)].breach_days * times
    while len(counted) < number:
        day += timedelta(days=1)
        in_term = any(term.from_ <= day <= term.to for term in settings.terms)
        after_all_terms = all(term.to < day for term in settings.terms)
        if day.strftime("%a") not in ("Sat", "Sun") and (in_term or after_all_terms):
            counted.append(day)
    return counted[-1]


@given(LENGTHS, st.integers(-10, 200), st.integers(1, 12), st.integers(1, 12), st.integers(1, 2))
@example([], 0, 5, 5, 1)  # no term at all
@example([0, 4], 4, 5, 5, 1)  # on the last day of the last term
@example([0, 4, 16, 4], 3, 5, 5, 2)  # over the holidays
def test_find_due_day_equals_a_count_day_by_day(
    lengths: list[int], opened: int, breach_days: int, later: int, times: int
) -> None:
    terms, day = [], 0
    for gap, length in zip(lengths[::2], lengths[1::2], strict=False):
        terms.append(term(day + gap, day + gap + length))
        day += gap + length + 1
    settings = with_days(terms[::-1], breach_days, later)
    on = MONDAY + timedelta(days=opened)
    assert settings.find_due_day(on, times) == find_slowly(settings, on, times)


def test_find_due_day_skips_weekends_and_holidays() -> None:
    settings = with_days([term(0, 18), term(28, 60)], 5, 5)
    assert settings.find_due_day(MONDAY) == date(2026, 9, 14)
    assert settings.find_due_day(date(2026, 9, 23)) == date(2026, 10, 7)  # two days left before the holidays
