"""The fields of letters and emails to parents, in English and in Welsh."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from app.access.policy import Person, describe_post
from app.parents.templates import Fields
from app.protocol.remote import is_for_pupil
from app.school import School
from app.settings import WEEKDAYS, Slot
from app.vocabulary.roles import Role
from app.vocabulary.terms import ConsentKind

# A letter never mentions counselling, even if a counsellor who also teaches writes it.
_POSTS = [role for role in Role if role.has_pupils]


@dataclass(frozen=True)
class _Language:
    """The words that the program inserts into letters in a language.

    - `day`: what comes before the name of a day; `on_day`: the same within a sentence, where Welsh changes it
    - `named_slots`: whether times for one-to-ones have their names from the settings, which are in English
    """

    days: Sequence[str]
    months: Sequence[str]
    day: str
    on_day: str
    from_: str
    to: str
    and_: str
    or_: str
    in_week: str
    named_slots: bool
    consent_to: dict[str, str]


_ENGLISH = _Language(
    days=tuple(calendar.day_name),
    months=tuple(calendar.month_name),
    day="",
    on_day="",
    from_="from",
    to="to",
    and_="and",
    or_="or",
    in_week="in week",
    named_slots=True,
    consent_to={
        ConsentKind.OUTSIDE_HOURS: "Academic tuition by videoconference outside the usual hours",
        ConsentKind.ONE_TO_ONE: "A one-to-one with a member of the pastoral team outside lunchtime and tutor time",
    },
)
_WELSH = _Language(
    days=("Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul"),
    months=(
        *("", "Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin"),
        *("Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"),
    ),
    day="dydd ",
    on_day="ddydd ",
    from_="o",
    to="i",
    and_="a",
    or_="neu",
    in_week="yn wythnos",
    named_slots=False,
    consent_to={
        ConsentKind.OUTSIDE_HOURS: "Gwersi academaidd drwy fideogynadledda y tu allan i’r oriau arferol",
        ConsentKind.ONE_TO_ONE: "Sgwrs un i un ag aelod o’r tîm bugeiliol y tu allan i amser cinio a’r cyfnod tiwtor",
    },
)
_LANGUAGES = {"en": _ENGLISH, "cy": _WELSH}


def create_letter_fields(school: School, person: Person, row: Any, language: str = "en") -> Fields:
    """The fields of a letter about the pupil in `row`, which is a row of `list_letters_sent` or `list_consents`."""
    today, words = school.today(), _LANGUAGES[language]
    rules = school.settings.rules_on(today)
    opens, closes = rules.academic_hours
    slots = [slot for slot in rules.one_to_one_slots if is_for_pupil(slot, row.school, row.year_group)]
    return {
        "pupil": row.pupil,
        "year_group": row.year_group,
        "house": row.house,
        "tutor": getattr(row, "tutor", None) or "",
        "school": school.settings.name,
        "date": _write_date(today, words),
        "sender": person.name,
        "sender_role": describe_post(person, _POSTS, welsh=language == "cy"),
        "tuition_from": f"{opens:%H:%M}",
        "tuition_to": f"{closes:%H:%M}",
        "one_to_one_times": f" {words.or_} ".join(_describe_slot(slot, words) for slot in slots),
    }


def create_request_fields(school: School, person: Person, row: Any, language: str = "en") -> Fields:
    """The fields of a request for the consent in `row`, which is a row of `list_consents`."""
    return create_letter_fields(school, person, row, language) | {
        "what": _LANGUAGES[language].consent_to[row.kind],
        "reason": row.reason or "",
        "times": format_period(row.covers_from, row.covers_to, language),
    }


def format_period(start: datetime | pd.Timestamp, end: datetime | pd.Timestamp, language: str = "en") -> str:
    """A period, given in school time, as text for a letter. Whole days are written without times."""
    words = _LANGUAGES[language]

    def day(when: datetime | pd.Timestamp, before: str) -> str:
        return f"{before}{words.days[when.weekday()]} {_write_date(when, words)}"

    whole = f"{start:%H:%M}" == "00:00" and f"{end:%H:%M}" in ("00:00", "23:59")
    last = end - pd.Timedelta(seconds=1) if whole and f"{end:%H:%M}" == "00:00" else end
    if start.date() == last.date():
        hours = "" if whole else f", {words.from_} {start:%H:%M} {words.to} {end:%H:%M}"
        return day(start, words.day) + hours
    first, final = day(start, words.on_day), day(last, words.on_day)
    if whole:
        return f"{words.from_} {first} {words.to} {final}"
    return f"{words.from_} {first}, {start:%H:%M}, {words.to} {final}, {end:%H:%M}"


def _write_date(day: date, words: _Language) -> str:
    return f"{day.day} {words.months[day.month]} {day.year}"


def _describe_slot(slot: Slot, words: _Language) -> str:
    names = [f"{words.on_day}{words.days[WEEKDAYS.index(day)]}" for day in slot.days]
    week = f" {words.in_week} {slot.week}" if slot.week else ""
    if words.named_slots:
        on = ("" if len(names) >= 5 else f" on {f' {words.and_} '.join(names)}") + week
        return f"{slot.name[:1].lower() + slot.name[1:]} ({slot.from_:%H:%M} to {slot.to:%H:%M}{on})"
    on = ("" if len(names) >= 5 else f" ar {f' {words.and_} '.join(names)}") + week
    return f"{words.from_} {slot.from_:%H:%M} {words.to} {slot.to:%H:%M}{on}"
