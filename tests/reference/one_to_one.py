"""The clauses of pastoral one-to-ones. They are judged for one-to-ones only."""

from collections.abc import Iterable
from datetime import date, time

from app.settings import WEEKDAYS
from app.vocabulary.terms import EvidenceKind, LetterKind, Outcome
from tests.reference.facts import NO_EVIDENCE, NOT_APPLICABLE, Check, Facts, is_among, is_kept, is_of_year
from tests.reference.general import covers, is_disputed, is_within, letters
from tests.reference.intervals import overlap
from tests.reference.rows import MINUTE, Call, Event

CALL, REGISTER, LOG = EvidenceKind.CALL, EvidenceKind.REGISTER, EvidenceKind.LOG


def parents_told(facts: Facts) -> Check:
    return letters(facts, LetterKind.ONE_TO_ONE, facts.pupils)


def reason(facts: Facts) -> Check:
    words = facts.word("reason")
    return is_kept(None if words is None else words in ("safeguarding", "continuity", "routine"))


def hours(facts: Facts) -> Check:
    slots = _slots_on(facts, facts.day)
    logged = _slots_on(facts, facts.records.calendar.day(facts.log.started_at)) if facts.log else []
    disputed = is_disputed(facts, slots, logged)
    if is_within(facts, slots):
        return Check(Outcome.MET, facts.timed_by, disputed)
    has_consent = any(
        consent.kind == "one_to_one" and covers(facts, consent) and bool((consent.reason or "").strip())
        for consent in facts.records.consents.get(facts.pupils[0], [])
    )
    if has_consent:
        return Check(Outcome.EXEMPT, REGISTER, disputed)
    return Check(Outcome.BREACH, facts.timed_by, disputed)


def _slots_on(facts: Facts, day: date) -> list[tuple[time, time]]:
    """The times of a day at which a one-to-one with the pupil may take place."""
    pupil = facts.records.pupil_on(facts.pupils[0], facts.day)
    return [
        (slot.from_, slot.to)
        for slot in facts.rules.one_to_one_slots
        if WEEKDAYS[day.weekday()] in slot.days
        and (slot.week is None or slot.week == facts.records.calendar.week(day))
        and (not slot.years or is_of_year(slot.years, pupil.year_group))
        and (not slot.schools or is_among(slot.schools, pupil.school))
    ]


def second_member_invited(facts: Facts) -> Check:
    if "senior_deputy_head" in facts.roles:
        return NOT_APPLICABLE
    if any(_is_second(facts, one) for call in facts.calls for one in call.staff):
        return is_kept(True, CALL)
    invited = facts.log.invited if facts.log else ()
    by_log = any(one is not None and _is_second(facts, one) for one in invited) if invited else None
    by_calendar = _is_second_in_calendar(facts)
    if by_calendar is None:
        return is_kept(by_log, LOG)
    return is_kept(by_calendar, CALL)._replace(disputed=by_log is not None and by_log != by_calendar)


def _is_second(facts: Facts, staff_id: int) -> bool:
    """Whether somebody is a member of staff who has to be invited."""
    staff = facts.records.staff_on(staff_id, facts.day)
    if {"hoy", "hm"} & set(facts.roles):
        return "senior_deputy_head" in staff.roles
    pupil = facts.records.pupil_on(facts.pupils[0], facts.day)
    if pupil.school != staff.school:
        return False
    of_year = "hoy" in staff.roles and pupil.year_group in staff.year_groups
    of_house = "hm" in staff.roles and pupil.house in staff.houses
    return of_year or of_house


def _is_second_in_calendar(facts: Facts) -> bool | None:
    """Whether the calendar invites the second member; None if it has no event for the calls."""
    versions: dict[str, Event] = {}
    for call in facts.calls:
        for event in facts.records.events.get(call.join_key or "", []):
            last = versions.get(event.event_key)
            if event.changed_at < facts.start and (last is None or event.changed_at > last.changed_at):
                versions[event.event_key] = event
    found = [_meeting_of(facts, call, versions.values()) for call in facts.calls]
    meetings = [meeting for meeting in found if meeting is not None]
    if not meetings:
        return None
    return any(_is_second(facts, staff_id) for event in meetings for staff_id in event.invited)


def _meeting_of(facts: Facts, call: Call, events: Iterable[Event]) -> Event | None:
    """The event that fits a call best, as a call fits a log; None if none does."""
    time, tolerance = (call.started_at, call.ended_at), facts.rules.match_minutes * MINUTE
    by_fit = {}
    for event in events:
        common = overlap((event.starts_at, event.ends_at), time)
        if event.join_key == call.join_key and common >= -tolerance:
            apart = abs(event.starts_at - call.started_at)
            by_fit[-max(0, common), apart, -event.changed_at, event.event_key] = event
    return by_fit[min(by_fit)] if by_fit else None


def adult_introduced(facts: Facts) -> Check:
    answers = [facts.answer(name) for name in ("adult_present", "adult_introduced", "adult_permission")]
    if False in answers:
        return is_kept(False)
    return is_kept(None if None in answers else True)


def home_alone_reported(facts: Facts) -> Check:
    if facts.answer("home_alone"):
        return is_kept(any(one.home_alone and one.alerted for one in facts.concerns), REGISTER)
    if facts.answer("home_alone") is False or facts.answer("adult_present"):
        return NOT_APPLICABLE
    return NO_EVIDENCE
