"""Which logs and calls make up each session."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from app.settings import Rules, Settings
from app.vocabulary.terms import CallPart, CallSource
from tests.reference.intervals import overlap
from tests.reference.rows import MINUTE, Call, Log, World

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PEER_TO_PEER = "peerToPeer"


@dataclass
class Session:
    """A session. `calls` has the matched call first; `log_ids` are the ids of `log` and of other logs of the same
    session."""

    log: Log | None
    log_ids: set[int]
    calls: list[Call]
    after: list[Call] = field(default_factory=list)
    reports: list[Call] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, CallPart]:
        """The part that each call plays in the session."""
        parts = dict.fromkeys((call.call_id for call in self.calls), CallPart.SESSION)
        parts |= dict.fromkeys((call.call_id for call in self.after), CallPart.AFTER)
        return parts | dict.fromkeys((call.call_id for call in self.reports), CallPart.REPORT)


class Calendar:
    """The school's clock and settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.zone: ZoneInfo = settings.zone
        self._rules: dict[date, Rules] = {}

    def local(self, instant: int) -> datetime:
        """An instant in the school's time."""
        return (EPOCH + timedelta(microseconds=instant)).astimezone(self.zone)

    def day(self, instant: int) -> date:
        return self.local(instant).date()

    def rules(self, day: date) -> Rules:
        if day not in self._rules:
            self._rules[day] = self.settings.rules_on(day)
        return self._rules[day]

    def week(self, day: date) -> str | None:
        """Whether a day is in week A or B. The weeks alternate from the one in which the term starts; None outside the
        terms."""
        for term in self.settings.terms:
            if term.from_ <= day <= term.to:
                week, each = term.first_week, term.from_
                while each < day:
                    each += timedelta(days=1)
                    if each.weekday() == 0:
                        week = "B" if week == "A" else "A"
                return week
        return None

    def is_elsewhere(self, call: Call) -> bool:
        """Whether another organisation hosted a call."""
        tenant = call.organiser_tenant
        return tenant is not None and tenant.lower() != self.settings.tenant_id.lower()


def is_room_without_staff(call: Call, calendar: Calendar) -> bool:
    """Whether a call is a group call that staff organised in the school's tenant, with pupils but without staff."""
    is_ours = call.organiser_staff_id is not None and not calendar.is_elsewhere(call)
    return call.type != PEER_TO_PEER and is_ours and bool(call.pupils) and not call.staff


def assemble(world: World, calendar: Calendar) -> list[Session]:
    """The sessions of a world."""
    logs, twins = _distinct_logs(world.logs)
    calls, set_aside = _set_reports_aside(world.calls)
    pairs = _fitting_pairs(logs, calls, calendar)
    matched = _match(pairs)
    taken = {call.call_id for call in matched.values()}
    after = _rooms_after(calls, taken, calendar)
    joined = _Joining(pairs, matched, calendar).join(taken | after.keys())
    sessions = [Session(log, twins[log.log_id], joined.get(log.log_id, [])) for log in logs]
    used = {call.call_id for session in sessions for call in session.calls} | after.keys()
    sessions += [Session(None, set(), [call]) for call in calls if call.call_id not in used]
    of_call = {call.call_id: session for session in sessions for call in session.calls}
    for room_id, (room, before) in sorted(after.items(), key=lambda item: item[1][0].started_at):
        of_call[room_id] = of_call[before.call_id]
        of_call[room_id].after.append(room)
    for report, record in set_aside:
        of_call[record.call_id].reports.append(report)
    return sessions


def _distinct_logs(logs: Iterable[Log]) -> tuple[list[Log], dict[int, set[int]]]:
    """One log of those with the same staff, pupils and start, and the ids of all of them by that log's id."""
    kept: dict[object, Log] = {}
    twins: dict[object, set[int]] = defaultdict(set)
    for log in sorted(logs, key=lambda one: one.ref):
        key = (log.staff_id, frozenset(log.pupils), log.started_at)
        kept.setdefault(key, log)
        twins[key].add(log.log_id)
    return list(kept.values()), {log.log_id: twins[key] for key, log in kept.items()}


def _set_reports_aside(calls: Iterable[Call]) -> tuple[list[Call], list[tuple[Call, Call]]]:
    """The calls that count, and the attendance reports that do not because there is a call record, each with that
    record."""
    by_organiser = defaultdict(list)
    by_link = defaultdict(list)
    counting, set_aside = [], []
    calls = list(calls)
    for call in calls:
        if call.source == CallSource.RECORD and call.type != PEER_TO_PEER:
            by_link[call.join_key].append(call)
            for organiser in _organisers(call):
                by_organiser[organiser].append(call)
    for call in calls:
        if call.source == CallSource.RECORD:
            counting.append(call)
            continue
        same_link = by_link[call.join_key] if call.join_key is not None else []
        same_people = [
            record for key in _organisers(call) for record in by_organiser[key] if record.pupils & call.pupils
        ]
        records = [record for record in same_link + same_people if overlap(_time(record), _time(call)) > 0]
        if records:
            set_aside.append((call, min(records, key=lambda record: _rank(_time(call), record))))
        else:
            counting.append(call)
    return counting, set_aside


def _organisers(call: Call) -> list[object]:
    return [one for one in (call.organiser_id, call.organiser_staff_id) if one is not None]


def _time(one: Log | Call) -> tuple[int, int]:
    return one.started_at, one.ended_at


def _rank(time: tuple[int, int], call: Call) -> tuple[int, int, str]:
    """The rank of a call for a log's time, lower for a better fit: longest overlap, then nearest start, then lowest
    id."""
    return -max(0, overlap(time, _time(call))), abs(time[0] - call.started_at), call.call_id


def _fitting_pairs(logs: Iterable[Log], calls: Iterable[Call], calendar: Calendar) -> list[tuple[Log, Call]]:
    """All pairs of a log and a call that it may match, the best first."""
    by_pupil: dict[tuple[int, int], list[Call]] = defaultdict(list)
    day = 24 * 60 * MINUTE
    for call in calls:
        for number in range(call.started_at // day - 1, call.ended_at // day + 2):
            for pupil in call.pupils:
                by_pupil[pupil, number].append(call)
    pairs = []
    for log in logs:
        near = {call.call_id: call for pupil in log.pupils for call in by_pupil[pupil, log.started_at // day]}
        pairs += [(log, call) for call in near.values() if _fits(log, call, calendar)]
    return sorted(pairs, key=lambda pair: (*_rank(_time(pair[0]), pair[1]), pair[0].ref))


def _fits(log: Log, call: Call, calendar: Calendar) -> bool:
    staff = call.staff
    if staff and log.staff_id not in staff:
        return False
    return overlap(_time(log), _time(call)) >= -_tolerance(log, calendar)


def _tolerance(log: Log, calendar: Calendar) -> float:
    """How far apart, in microseconds, a log and its call or two calls of a session may be."""
    return calendar.rules(calendar.day(log.started_at)).match_minutes * MINUTE


def _match(pairs: Iterable[tuple[Log, Call]]) -> dict[int, Call]:
    """The matched call of each log, by the log's id."""
    matched: dict[int, Call] = {}
    taken = set()
    for log, call in pairs:
        if log.log_id not in matched and call.call_id not in taken:
            matched[log.log_id] = call
            taken.add(call.call_id)
    return matched


def _rooms_after(calls: list[Call], taken: set[str], calendar: Calendar) -> dict[str, tuple[Call, Call]]:
    """The rooms without staff that belong to the session of an earlier call with the same join link, with that call, by
    id."""
    by_link = defaultdict(list)
    for call in calls:
        if call.join_key is not None:
            by_link[call.join_key].append(call)
    after = {}
    for room in calls:
        if room.call_id in taken or room.join_key is None or not is_room_without_staff(room, calendar):
            continue
        before = [
            call
            for call in by_link[room.join_key]
            if call.started_at < room.started_at and calendar.day(call.started_at) == calendar.day(room.started_at)
        ]
        last = min(before, key=lambda call: (-call.ended_at, call.call_id), default=room)
        if last.ended_at <= room.started_at and last is not room:
            after[room.call_id] = (room, last)
    return after


class _Joining:
    """Joins further calls to the sessions of matched logs, always the best remaining pair."""

    def __init__(self, pairs: Iterable[tuple[Log, Call]], matched: dict[int, Call], calendar: Calendar) -> None:
        self.calendar = calendar
        self.sessions = {log_id: [call] for log_id, call in matched.items()}
        self.further: dict[int, list[tuple[int, Call]]] = defaultdict(list)  # the calls that each log covers, by rank
        self.logs: dict[int, Log] = {}
        for rank, (log, call) in enumerate(pairs):
            if log.log_id not in matched or not _covers(log, call):
                continue
            first = matched[log.log_id]
            is_room = is_room_without_staff(call, calendar) or is_room_without_staff(first, calendar)
            has_same_staff = is_room or _has_same_staff(log, first, call)
            if has_same_staff and _is_of_session(log, first, call):
                self.further[log.log_id].append((rank, call))
                self.logs[log.log_id] = log

    def join(self, taken: Iterable[str]) -> dict[int, list[Call]]:
        """The calls of each log's session, the matched one first, by the log's id. The `taken` calls join none."""
        gone = set(taken)
        ready: list[tuple[int, int, Call]] = []
        for log_id in self.logs:
            self._push_near(ready, log_id, self.sessions[log_id][0])
        while ready:
            _, log_id, call = heappop(ready)
            if call.call_id not in gone:
                gone.add(call.call_id)
                self.sessions[log_id].append(call)
                self._push_near(ready, log_id, call)
        return self.sessions

    def _push_near(self, ready: list[tuple[int, int, Call]], log_id: int, newest: Call) -> None:
        """Add the calls that are at most the tolerance apart from the newest call of a session."""
        tolerance = _tolerance(self.logs[log_id], self.calendar)
        for rank, call in self.further[log_id]:
            if overlap(_time(newest), _time(call)) >= -tolerance:
                heappush(ready, (rank, log_id, call))


def _covers(log: Log, call: Call) -> bool:
    return overlap(_time(log), _time(call)) > 0


def _is_of_session(log: Log, first: Call, second: Call) -> bool:
    """Whether everybody on the roster in the second call was in the first, or is in the log."""
    return second.staff <= first.staff | {log.staff_id} and second.pupils <= first.pupils | set(log.pupils)


def _has_same_staff(log: Log, first: Call, second: Call) -> bool:
    """Whether the member of staff who logged was in both calls or in neither."""
    return (log.staff_id in first.staff) == (log.staff_id in second.staff)
