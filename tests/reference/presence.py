"""Who opened the call, who ended it, and whether pupils were alone.

Each question is answered yes, no or None. None: the calls do not show it, as the unknown times of people, or people who
may be staff, could change the answer.
"""

from collections.abc import Iterable

from tests.reference.facts import Facts
from tests.reference.intervals import Stretch, subtract, unite
from tests.reference.rows import Call, Stay
from tests.reference.sessions import PEER_TO_PEER

NEVER = 1 << 62
ALWAYS: Stretch = (-NEVER, NEVER)


class Room:
    """Who was in a room, as far as it is known. Of a call that shows nothing of staff, anybody may be staff."""

    def __init__(self, calls: list[Call], facts: Facts) -> None:
        self.blind = [call for call in calls if facts.is_blind(call)]
        seen = [call for call in calls if not facts.is_blind(call)]
        self.staff = _stretches(stay for call in seen for stay in call.stays if stay.staff_id is not None)
        self.pupils = _stretches(stay for call in calls for stay in call.stays if stay.pupil_id is not None)
        # Whoever took part at unknown times may have been there at any.
        has_staff = any(one.staff_id is not None for call in seen for one in call.listed)
        has_pupils = any(one.pupil_id is not None for call in calls for one in call.listed)
        self.staff_listed = [ALWAYS] if has_staff else []
        self.pupils_listed = [ALWAYS] if has_pupils else []
        self.staff_possible = [*self.staff_listed, *((call.started_at, call.ended_at) for call in self.blind)]

    @property
    def had_staff(self) -> bool:
        return bool(self.staff or self.staff_listed)


def _stretches(stays: Iterable[Stay]) -> list[Stretch]:
    return [(stay.joined_at, stay.left_at) for stay in stays]


def opened_by_staff(facts: Facts) -> bool | None:
    """Whether no pupil joined more than grace before the first member of staff."""
    rooms = [Room(calls, facts) for calls in facts.rooms]
    if not rooms:
        return _rang_first(facts)
    if not any(facts.is_blind(call) or call.staff for call in facts.calls):
        return False
    first = rooms[0]
    if not first.had_staff:
        return None
    staff_earliest = min(start for start, _ in first.staff + first.staff_possible)
    staff_latest = min([start for start, _ in first.staff] + [end for _, end in first.staff_listed])
    pupil_earliest = min(start for start, _ in first.pupils + first.pupils_listed)
    pupil_latest = min([start for start, _ in first.pupils] + [end for _, end in first.pupils_listed])
    if pupil_latest + facts.grace < staff_earliest:
        return False
    return True if pupil_earliest + facts.grace >= staff_latest else None


def _rang_first(facts: Facts) -> bool | None:
    """Whether staff were the caller of the first leg of the first peer-to-peer call; None: neither staff nor pupil."""
    if not facts.calls:
        return None
    call = min(facts.calls, key=lambda one: (one.started_at, one.call_id))
    if facts.is_blind(call) or call.listed or not call.stays:
        return None
    began = min(stay.joined_at for stay in call.stays)
    caller: list[Stay] = [stay for stay in call.stays if stay.joined_at == began and stay.caller]
    if any(stay.staff_id is not None for stay in caller):
        return True
    return False if any(stay.pupil_id is not None for stay in caller) else None


def ended_by_staff(facts: Facts) -> bool | None:
    """Whether no pupil left more than grace after the last member of staff."""
    rooms = [Room(calls, facts) for calls in facts.rooms]
    if not rooms or not rooms[0].had_staff:
        return None
    first = rooms[0]
    staff_latest = max(end for _, end in first.staff + first.staff_possible)
    staff_earliest = max([end for _, end in first.staff] + [start for start, _ in first.staff_listed])
    pupil_latest = max(end for _, end in first.pupils + first.pupils_listed)
    pupil_earliest = max([end for _, end in first.pupils] + [start for start, _ in first.pupils_listed])
    if pupil_earliest > staff_latest + facts.grace:
        return False
    return True if pupil_latest <= staff_earliest + facts.grace else None


def never_alone(facts: Facts) -> bool | None:
    """Whether pupils were never without staff in any of the rooms for longer than grace."""
    if facts.session.after:
        return False
    answers = [_never_alone_in(Room(calls, facts), facts.grace) for calls in facts.rooms]
    answers += [None if facts.is_blind(call) else True for call in facts.calls if call.type == PEER_TO_PEER]
    if not answers or False in answers:
        return False if answers else None
    return None if None in answers else True


def _never_alone_in(room: Room, grace: int) -> bool | None:
    if not room.had_staff:
        return None if room.blind else False
    surely_after = min([start for start, _ in room.staff] + [end for _, end in room.staff_listed])
    surely_alone = subtract(room.pupils, [*room.staff, *room.staff_possible, (-NEVER, surely_after)])
    if _longest(surely_alone) > grace:
        return False
    perhaps_after = min(start for start, _ in room.staff + room.staff_possible)
    perhaps_alone = subtract(room.pupils + room.pupils_listed, [*room.staff, (-NEVER, perhaps_after)])
    return None if room.blind or _longest(perhaps_alone) > grace else True


def _longest(stretches: list[Stretch]) -> int:
    return max((end - start for start, end in unite(stretches)), default=0)
