"""The clauses of the general protocol."""

from collections.abc import Iterable
from datetime import datetime, time

from app.vocabulary.terms import EvidenceKind, LetterKind, Outcome
from tests.reference.cameras import judge_cameras
from tests.reference.facts import NO_EVIDENCE, NOT_APPLICABLE, Check, Facts, call_before_log, is_kept
from tests.reference.presence import ended_by_staff, never_alone, opened_by_staff
from tests.reference.rows import HOUR, Consent

CALL, REGISTER, LOG = EvidenceKind.CALL, EvidenceKind.REGISTER, EvidenceKind.LOG


def letters(facts: Facts, kind: LetterKind, pupils: list[int]) -> Check:
    """Whether the parents of all these pupils had been sent a letter dated before the day."""
    by_pupil = [
        [letter.sent_on for letter in facts.records.letters.get(pupil, []) if letter.kind == kind] for pupil in pupils
    ]
    if not by_pupil:
        return NOT_APPLICABLE
    if any(days and min(days) >= facts.day for days in by_pupil):
        return is_kept(False, REGISTER)
    return is_kept(True if all(by_pupil) else None, REGISTER)


def parents_told(facts: Facts) -> Check:
    return letters(facts, LetterKind.INTRODUCTION, facts.known_pupils)


def purpose_allowed(facts: Facts) -> Check:
    purpose, roles = facts.purpose, set(facts.roles)
    if purpose is None:
        return NO_EVIDENCE
    if purpose == "counselling":
        return is_kept("counsellor" in roles)
    if purpose == "pastoral":
        return is_kept(bool(roles & {"tutor", "hoy", "hm"}))
    return is_kept(purpose in ("music", "academic"))


def school_account(facts: Facts) -> Check:
    if facts.staff is None or not facts.staff.senior:
        return NOT_APPLICABLE
    platform, account = facts.word("platform"), facts.word("account")
    by_log = None
    if platform not in (None, "teams") or account not in (None, "school"):
        by_log = False
    elif platform and account:
        by_log = True
    return call_before_log(_school_account_in_call(facts), by_log)


def _school_account_in_call(facts: Facts) -> bool | None:
    """Whether staff took part with the school's account: the roster knows them, and the record names no other tenant.
    None if the calls do not show it."""
    tenant = facts.records.calendar.settings.tenant_id.lower()
    tenants = [one.tenant for call in facts.calls for one in call.people if one.staff_id is not None]
    if any(other is None or other.lower() == tenant for other in tenants):
        return True
    if not facts.calls or (facts.records.calendar.is_elsewhere(facts.calls[0]) and not tenants):
        return None
    return False


def _of_recorded(facts: Facts, answer: bool | None, by_call: bool | None = None) -> Check:
    """The check of a clause that applies to recorded sessions only."""
    if facts.is_recorded is None:
        return NO_EVIDENCE
    if not facts.is_recorded:
        return NOT_APPLICABLE
    check = call_before_log(by_call, answer)
    denied = facts.is_listed_as_recorded and facts.answer("recorded") is False
    return check._replace(disputed=check.disputed or denied)


def recording_announced(facts: Facts) -> Check:
    return _of_recorded(facts, facts.answer("recording_announced"))


def recording_on_team(facts: Facts) -> Check:
    """Recordings of meetings in a channel are stored with the team."""
    recorded = [call for call in facts.calls if facts.records.has_recording(call)] or facts.calls
    in_channel = bool(recorded) and all(call.channel for call in recorded)
    return _of_recorded(facts, facts.answer("recording_on_team"), True if in_channel else None)


def camera_choice(facts: Facts) -> Check:
    return _of_recorded(facts, facts.answer("cameras_off_offered"))


def no_private_recording(facts: Facts) -> Check:
    return is_kept(_not(facts.answer("private_recording")))


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def staff_opens(facts: Facts) -> Check:
    return call_before_log(opened_by_staff(facts), facts.answer("staff_opened"))


def staff_ends(facts: Facts) -> Check:
    return call_before_log(ended_by_staff(facts), facts.answer("staff_ended"))


def is_never_alone(facts: Facts) -> Check:
    return call_before_log(never_alone(facts), _not(facts.answer("pupil_left_alone")))


def cameras_on(facts: Facts) -> Check:
    return judge_cameras(facts)


def dress(facts: Facts) -> Check:
    return is_kept(facts.answer("dress_ok"))


def public_room(facts: Facts) -> Check:
    if facts.purpose == "counselling" and "counsellor" in facts.roles:
        return Check(Outcome.EXEMPT, LOG)
    room, reason, door = facts.word("room"), facts.word("bedroom_reason"), facts.answer("door_open")
    if room != "bedroom":
        return is_kept(None if room is None else room == "public")
    if reason not in (None, "quarantine", "only_room") or door is False:
        return is_kept(False)
    return Check(Outcome.EXEMPT, LOG) if reason and door else NO_EVIDENCE


def background(facts: Facts) -> Check:
    return is_kept(facts.answer("background_ok"))


def is_within(facts: Facts, slots: Iterable[tuple[time, time]]) -> bool:
    """Whether the session took place within one of these periods of the school's day, both ends included."""
    return _is_within(facts.start_local, facts.end_local, slots)


def is_disputed(facts: Facts, slots: list[tuple[time, time]], slots_of_log: list[tuple[time, time]]) -> bool:
    """Whether the log's times, on the log's own day, say the opposite of the call's."""
    if facts.log is None or facts.timed_by != CALL:
        return False
    logged = [facts.records.calendar.local(instant) for instant in (facts.log.started_at, facts.log.ended_at)]
    return _is_within(logged[0], logged[1], slots_of_log) != is_within(facts, slots)


def _is_within(start: datetime, end: datetime, slots: Iterable[tuple[time, time]]) -> bool:
    first, last = start.replace(tzinfo=None), end.replace(tzinfo=None)
    return any(
        datetime.combine(first.date(), opens) <= first and last <= datetime.combine(first.date(), closes)
        for opens, closes in slots
    )


def covers(facts: Facts, consent: Consent) -> bool:
    """Whether a consent was given before the session began, was still valid then and covers its time."""
    was_given = consent.obtained_at < facts.start
    holds = consent.withdrawn_at is None or consent.withdrawn_at > facts.start
    return was_given and holds and consent.covers_from <= facts.start and facts.end <= consent.covers_to


def academic_hours(facts: Facts) -> Check:
    if facts.purpose != "academic":
        return NOT_APPLICABLE
    hours = [facts.rules.academic_hours]
    disputed = is_disputed(facts, hours, hours)
    if is_within(facts, hours):
        return Check(Outcome.MET, facts.timed_by, disputed)

    def has_consent(pupil: int) -> bool:
        return any(
            consent.kind == "outside_hours"
            and covers(facts, consent)
            and consent.slt_informed_at is not None
            and consent.slt_informed_at < facts.start
            for consent in facts.records.consents.get(pupil, [])
        )

    if all(has_consent(pupil) for pupil in facts.known_pupils):
        return Check(Outcome.EXEMPT, REGISTER, disputed)
    return Check(Outcome.BREACH, facts.timed_by, disputed)


def logged(facts: Facts) -> Check:
    if facts.log:
        return is_kept(True, LOG)
    is_late = facts.now - facts.calls[0].ended_at > facts.rules.log_within_hours * HOUR
    return is_kept(False if is_late else None, CALL)


def concern_reported(facts: Facts) -> Check:
    concern = facts.answer("concern")
    if concern:
        return is_kept(any(one.alerted for one in facts.concerns), REGISTER)
    return NO_EVIDENCE if facts.log and concern is None else NOT_APPLICABLE
