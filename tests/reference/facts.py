"""The facts that the clauses ask about a session."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from app.vocabulary.terms import EvidenceKind, Outcome
from tests.reference.intervals import overlap
from tests.reference.rows import (
    Call,
    Concern,
    Consent,
    Event,
    Letter,
    PupilVersion,
    Recording,
    RemotePupil,
    StaffVersion,
    World,
)
from tests.reference.sessions import PEER_TO_PEER, Calendar, Session, is_room_without_staff


class Check(NamedTuple):
    """The outcome of a clause for a session, what decided it, and whether the log says the opposite of the call
    record."""

    outcome: Outcome
    evidence: EvidenceKind = EvidenceKind.NOTHING
    disputed: bool = False


NOT_APPLICABLE = Check(Outcome.NOT_APPLICABLE)
NO_EVIDENCE = Check(Outcome.NO_EVIDENCE)


def is_kept(kept: bool | None, evidence: EvidenceKind = EvidenceKind.LOG) -> Check:
    """The check for an answer: met, breach, or no evidence if it is None."""
    if kept is None:
        return NO_EVIDENCE
    return Check(Outcome.MET if kept else Outcome.BREACH, evidence)


def call_before_log(by_call: bool | None, by_log: bool | None) -> Check:
    """The check decided by the call record if it shows an answer, else by the log."""
    if by_call is None:
        return is_kept(by_log)
    disputed = by_log is not None and by_log != by_call
    return is_kept(by_call, EvidenceKind.CALL)._replace(disputed=disputed)


class Records:
    """A world, indexed by person and by call."""

    def __init__(self, world: World, calendar: Calendar) -> None:
        self.calendar = calendar
        self.staff: dict[int, list[StaffVersion]] = defaultdict(list)
        self.pupils: dict[int, list[PupilVersion]] = defaultdict(list)
        self.letters: dict[int, list[Letter]] = defaultdict(list)
        self.consents: dict[int, list[Consent]] = defaultdict(list)
        self.remote: dict[int, list[RemotePupil]] = defaultdict(list)
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.recordings: dict[str, list[Recording]] = defaultdict(list)  # by call or, without a call's id, by organiser
        self.concerns: dict[int | str, list[Concern]] = defaultdict(list)  # by log or by call
        for staff in world.staff:
            self.staff[staff.staff_id].append(staff)
        for pupil in world.pupils:
            self.pupils[pupil.pupil_id].append(pupil)
        for letter in world.letters:
            self.letters[letter.pupil_id].append(letter)
        for consent in world.consents:
            self.consents[consent.pupil_id].append(consent)
        for entry in world.remote_pupils:
            self.remote[entry.pupil_id].append(entry)
        for event in world.events:
            self.events[event.join_key].append(event)
        for recording in world.recordings:
            key = f"call {recording.call_id}" if recording.call_id else f"organiser {recording.organiser_id}"
            self.recordings[key].append(recording)
        for concern in world.concerns:
            for link in (concern.log_id, concern.call_id):
                if link is not None:
                    self.concerns[link].append(concern)

    def has_recording(self, call: Call) -> bool:
        """Whether Graph lists a recording of a call: by the call's id, or by organiser and time."""
        if self.recordings.get(f"call {call.call_id}"):
            return True
        if call.organiser_id is None:
            return False
        of_organiser = self.recordings.get(f"organiser {call.organiser_id}", [])
        return any(call.started_at <= recording.created_at <= call.ended_at for recording in of_organiser)

    def staff_on(self, staff_id: int, day: date) -> StaffVersion:
        """The version of a member of staff that was valid on a day; before the first one, the first."""
        versions = sorted(self.staff[staff_id], key=lambda version: version.from_day)
        return next((v for v in reversed(versions) if v.from_day <= day), versions[0])

    def pupil_on(self, pupil_id: int, day: date) -> PupilVersion:
        versions = sorted(self.pupils[pupil_id], key=lambda version: version.from_day)
        return next((v for v in reversed(versions) if v.from_day <= day), versions[0])

    def is_remote(self, pupil_id: int, day: date) -> bool:
        """Whether a pupil learns from home on a day: alone, or as part of a group."""
        if any(entry.from_day <= day <= entry.to_day for entry in self.remote.get(pupil_id, [])):
            return True
        pupil = self.pupil_on(pupil_id, day)
        for period in self.calendar.settings.remote_learning:
            named = ((period.schools, pupil.school), (period.houses, pupil.house))
            is_named = all(not names or is_among(names, own) for names, own in named)
            in_year = not period.years or is_of_year(period.years, pupil.year_group)
            if period.from_ <= day <= period.to and is_named and in_year:
                return True
        return False


def is_among(names: Iterable[str], own: str) -> bool:
    """Whether names include a code or a house, in any case."""
    return own.lower() in [name.lower() for name in names]


def is_of_year(years: Iterable[str], own: str) -> bool:
    """Whether years include a year group, as a number or after the word year."""
    return _number_of(own) in [_number_of(year) for year in years]


def _number_of(year: str) -> str:
    word = year.lower().removeprefix("year").strip().lstrip("0")
    return {"lower sixth": "12", "upper sixth": "13"}.get(word, word)


class Facts:
    """A session with what is on record about it, as at `now`."""

    def __init__(self, session: Session, records: Records, now: int) -> None:
        self.session, self.records, self.now = session, records, now
        self.log, self.calls = session.log, session.calls
        self.answers = session.log.answers if session.log else {}
        self.purpose = session.log.purpose if session.log else None
        self.pupils = self._find_pupils()
        self.known_pupils = sorted({*self.pupils, *(session.log.pupils if session.log else ())})
        self.start, self.end, self.timed_by = self._find_time()
        self.start_local = records.calendar.local(self.start)
        self.end_local = records.calendar.local(self.end)
        self.day = self.start_local.date()
        self.rules = records.calendar.rules(self.day)
        self.grace = round(self.rules.grace_seconds * 1_000_000)
        self.staff_id = self._find_staff()
        self.staff = None if self.staff_id is None else records.staff_on(self.staff_id, self.day)
        self.roles = self.staff.roles if self.staff else ()
        is_pastoral = self.purpose == "pastoral" and len(self.pupils) == 1
        self.is_one_to_one = is_pastoral and records.is_remote(self.pupils[0], self.day)
        self.is_room_alone = session.log is None and is_room_without_staff(session.calls[0], records.calendar)

    def _find_pupils(self) -> list[int]:
        if self.calls:
            return sorted({pupil for call in self.calls for pupil in call.pupils})
        return sorted(self.log.pupils) if self.log else []

    def _find_time(self) -> tuple[int, int, EvidenceKind]:
        """From the first pupil's joining to the last one's leaving, or as logged, or as in the call."""
        stays = [stay for call in self.calls for stay in call.stays if stay.pupil_id is not None]
        if stays:
            joined, left = min(stay.joined_at for stay in stays), max(stay.left_at for stay in stays)
            return joined, left, EvidenceKind.CALL
        if self.log:
            return self.log.started_at, self.log.ended_at, EvidenceKind.LOG
        return self.calls[0].started_at, self.calls[0].ended_at, EvidenceKind.CALL

    def _find_staff(self) -> int | None:
        """Whoever logged the session, or the organiser, or the member of staff who joined first."""
        if self.log:
            return self.log.staff_id
        call = self.calls[0]
        if call.organiser_staff_id is not None:
            return call.organiser_staff_id
        stays = [(stay.joined_at, stay.staff_id) for stay in call.stays if stay.staff_id is not None]
        return min(stays)[1] if stays else min(call.staff, default=None)

    def answer(self, name: str) -> bool | None:
        """A yes or no in the log; None if it was left blank or there is no log."""
        answer = self.answers.get(name)
        return answer if isinstance(answer, bool) else None

    def word(self, name: str) -> str | None:
        answer = self.answers.get(name)
        return answer if isinstance(answer, str) else None

    def is_blind(self, call: Call) -> bool:
        """Whether a call shows nothing about staff: it was hosted elsewhere, or only an unidentified person could be
        staff."""
        return self.records.calendar.is_elsewhere(call) or (not call.staff and call.has_unidentified)

    @property
    def is_recorded(self) -> bool | None:
        """Whether Graph lists a recording or the log says that there was one; None if not known."""
        return True if self.is_listed_as_recorded else self.answer("recorded")

    @property
    def is_listed_as_recorded(self) -> bool:
        return any(self.records.has_recording(call) for call in self.calls)

    @property
    def concerns(self) -> list[Concern]:
        """The concerns linked to the session by any of its logs or calls."""
        links: list[int | str] = [*self.session.log_ids, *self.session.parts]
        return [concern for link in links for concern in self.records.concerns.get(link, [])]

    @property
    def rooms(self) -> list[list[Call]]:
        """The calls that are not peer-to-peer calls, grouped by the room in which they took place."""
        rooms: list[list[Call]] = []
        groups = [call for call in self.calls if call.type != PEER_TO_PEER]
        for call in sorted(groups, key=lambda one: (one.started_at, one.call_id)):
            for room in rooms:
                if all(self._overlap(call, other) <= self.grace for other in room):
                    room.append(call)
                    break
            else:
                rooms.append([call])
        return rooms

    @staticmethod
    def _overlap(one: Call, other: Call) -> int:
        return overlap((one.started_at, one.ended_at), (other.started_at, other.ended_at))
