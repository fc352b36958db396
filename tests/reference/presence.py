"""Who opened the call, who ended it, and whether pupils were alone.

The answer to each question is True, False or None. None means that the calls do not show it: people's unknown times, or
people who may be staff, could change the answer.
"""

from collections.abc import Iterable

from tests.reference.facts import Facts
from tests.reference.intervals import Stretch, subtract, unite
from tests.reference.rows import Call, Stay
from tests.reference.sessions import PEER_TO_PEER

NEVER = 1 << 62


class Room:
    """Who was in a room, as far as is known. In a call that shows nothing about staff, anybody may be staff."""

    def __init__(self, calls: list[Call], facts: Facts) -> None:
        self.blind = [call for call in calls if facts.is_blind(call)]
        seen = [call for call in calls if not facts.is_blind(call)]
        self.staff = _stretches(stay for call in seen for stay in call.stays if stay.staff_id is not None)
        self.pupils = _stretches(stay for call in calls for stay in call.stays if stay.pupil_id is not None)
        # Staff whose times are unknown were there at some time during the call. Pupils may have been there at any
        # time, because a record that lacks their times may end before they left.
        self.staff_listed = _times(call for call in seen if any(one.staff_id is not None for one in call.listed))
        self.staff_possible = self.staff_listed + _times(self.blind)
        self.has_listed_pupils = any(one.pupil_id is not None for call in calls for one in call.listed)

    @property
    def had_staff(self) -> bool:
        return bool(self.staff or self.staff_listed)


def _times(calls: Iterable[Call]) -> list[Stretch]:
    return [(call.started_at, call.ended_at) for call in calls]


def _stretches(stays: Iterable[Stay]) -> list[Stretch]:
    return [(stay.joined_at, stay.left_at) for stay in stays]


def opened_by_staff(facts: Facts) -> bool | None:
    """Whether no pupil joined more than the grace before the first member of staff."""
    by_ringing = _rang_first(facts)
    if not facts.rooms:
        return by_ringing
    if by_ringing is False or not any(facts.is_blind(call) or call.staff for call in facts.calls):
        return False
    first = Room(facts.rooms[0], facts)
    if not first.had_staff:
        return None
    pupil_joined = min((start for start, _ in first.pupils), default=NEVER)
    if pupil_joined + facts.grace < min(start for start, _ in first.staff + first.staff_possible):
        return False
    if first.has_listed_pupils:
        return None
    staff_joined = min((start for start, _ in first.staff), default=NEVER)
    return True if pupil_joined + facts.grace >= staff_joined else None


def _rang_first(facts: Facts) -> bool | None:
    """Whether staff were the caller of the first leg of the peer-to-peer call with which the session began. None if
    there was no such call, or the caller was neither staff nor pupil."""
    began = min((call.started_at for call in facts.calls), default=NEVER)
    direct = [call for call in facts.calls if call.type == PEER_TO_PEER and call.started_at == began]
    if not direct:
        return None
    call = min(direct, key=lambda one: one.call_id)
    if facts.is_blind(call) or call.listed or not call.stays:
        return None
    began = min(stay.joined_at for stay in call.stays)
    caller: list[Stay] = [stay for stay in call.stays if stay.joined_at == began and stay.caller]
    if any(stay.staff_id is not None for stay in caller):
        return True
    return False if any(stay.pupil_id is not None for stay in caller) else None


def ended_by_staff(facts: Facts) -> bool | None:
    """Whether no pupil left more than the grace after the last member of staff."""
    if not facts.rooms:
        return None
    first = Room(facts.rooms[0], facts)
    if not first.had_staff:
        return None
    pupil_left = max((end for _, end in first.pupils), default=-NEVER)
    if pupil_left > max(end for _, end in first.staff + first.staff_possible) + facts.grace:
        return False
    room_ended = max(call.ended_at for call in facts.rooms[0])
    ended_directly = any(call.type == PEER_TO_PEER and call.ended_at >= room_ended for call in facts.calls)
    if first.has_listed_pupils or ended_directly:
        return None
    staff_left = max((end for _, end in first.staff), default=-NEVER)
    return True if pupil_left <= staff_left + facts.grace else None


def never_alone(facts: Facts) -> bool | None:
    """Whether pupils were never without staff for longer than the grace, in any room."""
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
    perhaps_alone = subtract(room.pupils, [*room.staff, (-NEVER, perhaps_after)])
    return None if room.blind or room.has_listed_pupils or _longest(perhaps_alone) > grace else True


def _longest(stretches: list[Stretch]) -> int:
    return max((end - start for start, end in unite(stretches)), default=0)
