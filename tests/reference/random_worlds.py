"""Random worlds: a few people and their sessions on some days. The same seed gives the same world."""

from dataclasses import replace
from datetime import date, datetime, time
from fractions import Fraction
from random import Random

from tests.reference.random_calls import ELSEWHERE, PEER_TO_PEER, Meeting, Scale, make_group, make_peer_to_peer
from tests.reference.random_logs import PURPOSES, make_answers, make_invited, vary_log
from tests.reference.random_people import make_consent, make_letters, make_pupils, make_remote_pupils, make_staff
from tests.reference.random_settings import DAYS, TENANT, Setting
from tests.reference.rows import HOUR, MINUTE, SECOND, Call, Concern, Event, Log, Recording, World
from tests.reference.sessions import Calendar, is_room_without_staff

EPISODES = 12  # in each world; they lead to a few more sessions

KINDS = frozenset(
    {
        "attendance",  # attendance reports, with or without a call record
        "calendar",  # events in the organiser's calendar
        "elsewhere",  # calls that another organisation hosts
        "listed",  # people without times
        "mixed",  # one pupil in the call, more in the log; calls of one session of different types
        "no_media",  # stays without media details
        "no_staff",  # rooms without staff
        "parallel",  # calls of one session at once
        "peer_to_peer",
        "strangers",  # unidentified people
    }
)


class WorldMaker:
    """Makes one world."""

    def __init__(self, random: Random, number: int, setting: Setting, kinds: frozenset[str]) -> None:
        self.random, self.number, self.setting, self.kinds = random, number, setting, kinds
        self.calendar = Calendar(setting.settings)
        self.base = number * 1000
        self.days = random.sample(DAYS, 2)
        self.world = World(staff=make_staff(random, self.base), pupils=make_pupils(random, self.base))
        self.staff = sorted({version.staff_id for version in self.world.staff})
        self.pupils = sorted({version.pupil_id for version in self.world.pupils})
        self.world.letters = make_letters(random, self.pupils, self.days)
        self.world.remote_pupils = make_remote_pupils(random, self.pupils, self.days)
        self.starts: list[int] = []
        self.in_channel = random.random() < 0.2

    def make(self, episodes: int) -> World:
        """A world with this many episodes."""
        for _ in range(episodes):
            self._happen()
        self.random.shuffle(self.world.logs)
        self.random.shuffle(self.world.calls)
        return self.world

    def _happen(self) -> None:
        """Add one session: perhaps its call with related records, perhaps its log."""
        random = self.random
        meeting = self._meet()
        self.starts.append(meeting.start)
        call = None
        if random.random() < 0.75:
            call = self._call(meeting)
        if call is None or random.random() < 0.8:
            self._log(meeting)
        if call is not None:
            self._add_beside(meeting, call)

    def _meet(self) -> Meeting:
        random = self.random
        staff = tuple(random.sample(self.staff, random.choice((1, 1, 1, 2))))
        pupils = tuple(random.sample(self.pupils, random.choice((1, 1, 1, 2, 3))))
        strangers: tuple[str, ...] = ()
        if "strangers" in self.kinds and random.random() < 0.25:
            strangers = tuple(f"guest:{number}" for number in range(random.choice((1, 1, 2))))
            if random.random() < 0.4:
                staff = ()
        start, length = self._start(), random.randrange(2, 70) * MINUTE
        if random.random() < 0.2:
            start, length = self._hit_edge(start, length)
        return Meeting(staff, pupils, strangers, start, start + length)

    def _start(self) -> int:
        """A start at any time of the day, close to another session or, when the clocks change, at night."""
        random, draw = self.random, self.random.random()
        if self.starts and draw < 0.35:
            near = random.choice(self.starts)
            return near + random.choice((0, 10, 15, 30, 45, 60, -20)) * MINUTE + random.choice((0, 0, 1, -1)) * SECOND
        day, hour = random.choice(self.days), random.randrange(8, 18)
        if draw > 0.9:
            hour = random.randrange(0, 4)
        return self._instant(day, time(hour, random.randrange(0, 60, 5)), fold=random.choice((0, 1)))

    def _hit_edge(self, start: int, length: int) -> tuple[int, int]:
        """A start and a length with which the session starts or ends at, or very close to, a time in the settings."""
        random = self.random
        edge = self._instant(self.calendar.day(start), random.choice(self.setting.edges))
        edge += random.choice((0, 0, 1, -1, SECOND, -SECOND))
        return (edge, length) if random.random() < 0.5 else (edge - length, length)

    def _instant(self, day: date, clock: time, fold: int = 0) -> int:
        local = datetime.combine(day, clock, self.calendar.zone).replace(fold=fold)
        return round(local.timestamp()) * SECOND

    def _scale(self, instant: int) -> Scale:
        rules = self.calendar.rules(self.calendar.day(instant))
        return Scale(round(rules.grace_seconds * SECOND), Fraction(str(rules.camera_share)), self.kinds)

    def _call(self, meeting: Meeting) -> Call | None:
        """The call record of a meeting, or None if such a call would not be stored."""
        random, scale = self.random, self._scale(meeting.start)
        call = self._blank_call(meeting)
        if "peer_to_peer" in self.kinds and random.random() < 0.2:
            staff = meeting.staff[:1] if not meeting.strangers or random.random() < 0.5 else ()
            if staff or meeting.strangers:
                organiser = f"user:{staff[0]}" if staff else None
                call = replace(call, channel=False, join_key=None, organiser_id=organiser, organiser_tenant=TENANT)
                call = replace(call, organiser_staff_id=staff[0] if staff else None)
                if "elsewhere" in self.kinds and random.random() < 0.2:
                    call = replace(call, organiser_tenant=ELSEWHERE, organiser_staff_id=None)
                return self._store(make_peer_to_peer(random, scale, replace(meeting, staff=staff), call))
        if "elsewhere" in self.kinds and random.random() < 0.1:
            call = replace(call, organiser_id="user:elsewhere", organiser_tenant=ELSEWHERE, organiser_staff_id=None)
        if "no_staff" in self.kinds and random.random() < 0.1:
            meeting = replace(meeting, staff=())
        stored = last = self._store(make_group(random, scale, meeting, call))
        while last is not None and random.random() < 0.35:
            last = self._call_again(meeting, last)
        return stored

    def _blank_call(self, meeting: Meeting) -> Call:
        random = self.random
        name = f"{self.number:05d}-{random.randrange(1000):03d}-{len(self.world.calls)}"
        organiser = meeting.staff[0] if meeting.staff and random.random() < 0.8 else random.choice(self.staff)
        return Call(
            call_id=name,
            source="record",
            type=random.choice(("groupCall", "groupCall", "groupCall", "unknown")),
            started_at=meeting.start,
            ended_at=meeting.end,
            organiser_id=random.choice((f"user:{organiser}",) * 5 + (None,)),
            organiser_tenant=random.choice((TENANT, TENANT, TENANT.upper(), None)),
            organiser_staff_id=organiser if random.random() < 0.9 else None,
            channel=random.random() < 0.2 if "mixed" in self.kinds else self.in_channel,
            join_key=f"link:{name}" if random.random() < 0.8 else None,
            stays=(),
        )

    def _call_again(self, meeting: Meeting, call: Call) -> Call | None:
        """A second call: after a lost connection, at the same time in another room, or of pupils who come back."""
        random, length = self.random, meeting.end - meeting.start
        scale = self._scale(meeting.start)
        gap = random.choice((1, scale.grace, 30 * SECOND, 5 * MINUTE, 12 * MINUTE, 20 * MINUTE))
        start, link = call.ended_at + gap, call.join_key
        if "parallel" in self.kinds and random.random() < 0.4:
            start, link = call.started_at + random.choice((0, length // 2, length - scale.grace)), None
        again = replace(meeting, start=start, end=start + random.randrange(1, 40) * MINUTE)
        if random.random() < 0.3:
            again = replace(again, pupils=again.pupils[:1])
        if "no_staff" in self.kinds and random.random() < 0.4:
            again = replace(again, staff=())
        second = replace(self._blank_call(meeting), join_key=link)
        second = replace(second, organiser_id=call.organiser_id, organiser_staff_id=call.organiser_staff_id)
        if "parallel" in self.kinds and random.random() < 0.1:  # fits any log as well as the first
            return self._store(replace(call, call_id=second.call_id, join_key=None))
        return self._store(make_group(random, scale, again, replace(second, organiser_tenant=call.organiser_tenant)))

    def _store(self, call: Call) -> Call | None:
        """Put a call on record if it is a session, and no other call with its link takes place at the same time."""
        is_call = bool(call.pupils) and (bool(call.staff) or call.has_unidentified)
        is_room = "no_staff" in self.kinds and is_room_without_staff(call, self.calendar)
        if not is_call and not is_room:
            return None
        if not call.staff and not is_room and is_room_without_staff(call, self.calendar):
            return None
        for other in self.world.calls:
            at_once = other.started_at < call.ended_at and call.started_at < other.ended_at
            same_link = call.join_key is not None and call.join_key == other.join_key
            same_people = call.pupils & other.pupils or call.staff & other.staff
            near = abs(other.started_at - call.started_at) < 4 * HOUR
            is_mixed = (other.type == PEER_TO_PEER) != (call.type == PEER_TO_PEER) and near and same_people
            if is_mixed and "mixed" not in self.kinds:
                return None
            if at_once and (same_link or ("parallel" not in self.kinds and same_people)):
                return None
        self.world.calls.append(call)
        return call

    def _log(self, meeting: Meeting) -> None:
        """Add a log of a meeting, usually at about its time and with its pupils; now and then add two."""
        random = self.random
        staff = meeting.staff[0] if meeting.staff and random.random() < 0.9 else random.choice(self.staff)
        match = round(self.calendar.rules(self.calendar.day(meeting.start)).match_minutes * MINUTE)
        shift = random.choice((0, 0, MINUTE, -MINUTE, random.randrange(-40, 40) * MINUTE))
        start, end = meeting.start + shift, meeting.end + random.choice((shift, 0, 10 * MINUTE, 30 * MINUTE))
        if random.random() < 0.05:
            end = start + random.randrange(2, 12) * HOUR
        if random.random() < 0.08:
            start = meeting.end + match + random.choice((0, 1, -1))
        pupils = meeting.pupils
        if random.random() < 0.15:
            pupils = tuple(random.sample(self.pupils, random.choice((1, 2))))
        purpose = random.choice(PURPOSES)
        if purpose == "pastoral" and len(pupils) > 1 and "mixed" not in self.kinds:
            purpose = "music"
        number = self.base + 2 * len(self.starts)
        log = Log(
            log_id=number,
            staff_id=staff,
            started_at=start,
            ended_at=max(end, start + MINUTE),
            ref=f"{random.randrange(10_000):04d}-{number}",
            purpose=purpose,
            pupils=pupils,
            invited=make_invited(random, self.staff),
            answers=make_answers(random),
        )
        self._store_log(log)
        if random.random() < 0.08:
            other = vary_log(random, log)
            if len(meeting.staff) > 1 and random.random() < 0.5:  # both members of staff log it
                other = replace(other, staff_id=meeting.staff[1], started_at=log.started_at, ended_at=log.ended_at)
            self._store_log(replace(other, log_id=number + 1, ref=f"{random.randrange(10_000):04d}-{number + 1}"))
        self._add_registers(log)

    def _store_log(self, log: Log) -> None:
        """Put a log on record. Of two with the same staff, pupils and start, the import stores only one."""
        if all((other.staff_id, other.started_at) != (log.staff_id, log.started_at) for other in self.world.logs):
            self.world.logs.append(log)

    def _add_registers(self, log: Log) -> None:
        """Add consents for a logged session, and concerns linked to it."""
        random = self.random
        for pupil in log.pupils:
            if random.random() < 0.5:
                self.world.consents.append(make_consent(random, pupil, log.started_at, log.ended_at))
        if random.random() < 0.3:
            concern = Concern(log.log_id, None, random.random() < 0.5, random.random() < 0.7)
            self.world.concerns.append(concern)

    def _add_beside(self, meeting: Meeting, call: Call) -> None:
        """Add other records about a call."""
        random = self.random
        if random.random() < 0.1:
            self.world.concerns.append(Concern(None, call.call_id, random.random() < 0.5, random.random() < 0.7))
        if random.random() < 0.3:
            self._record(call)
        for pupil in call.pupils:
            if random.random() < 0.2:
                self.world.consents.append(make_consent(random, pupil, call.started_at, call.ended_at))
        if "calendar" in self.kinds and call.join_key is not None and random.random() < 0.6:
            self._invite(call, call.join_key)
        if "attendance" in self.kinds and "peer" not in call.type and random.random() < 0.3:
            self._report(meeting, call)

    def _record(self, call: Call) -> None:
        """Add a recording, with the call's id or only its organiser's."""
        random = self.random
        at = random.choice(
            (call.started_at, call.ended_at, (call.started_at + call.ended_at) // 2, call.ended_at + HOUR)
        )
        known = random.random() < 0.5
        self.world.recordings.append(Recording(call.call_id if known else None, call.organiser_id, at))

    def _invite(self, call: Call, link: str) -> None:
        """Add the meeting to the organiser's calendar, in one or more versions, perhaps as one of a series."""
        random, key = self.random, f"event:{call.call_id}"
        for version in range(random.choice((1, 1, 2, 3))):
            moved = random.choice((0, 0, 0, 5 * MINUTE, 24 * HOUR))
            changed = call.started_at + random.choice((-48 * HOUR, -HOUR, -1, 0, 1, 5 * MINUTE))
            changed -= version * SECOND  # no two at the same time
            invited = tuple(random.sample(self.staff, random.choice((0, 1, 2))))
            number = self.base + len(self.world.events) + 1
            event = Event(number, key, link, call.started_at + moved, call.ended_at + moved, changed, invited)
            self.world.events.append(event)
        if random.random() < 0.2:
            number = self.base + len(self.world.events) + 1
            earlier = random.choice((7 * 24 * HOUR, 24 * HOUR, event.ends_at - event.starts_at, MINUTE))
            again = replace(event, event_id=number, event_key=f"{key} again", starts_at=event.starts_at - earlier)
            self.world.events.append(replace(again, ends_at=event.ends_at - earlier, invited=tuple(self.staff[:2])))

    def _report(self, meeting: Meeting, call: Call) -> None:
        """Add an attendance report, instead of or as well as the call record."""
        random = self.random
        report = replace(call, call_id=f"{call.call_id}-report", source="attendance", type="groupCall", videos=())
        report = replace(report, stays=tuple(replace(stay, has_media=False, caller=True) for stay in call.stays))
        if random.random() < 0.5:
            self.world.calls[self.world.calls.index(call)] = replace(report, call_id=call.call_id)
            return
        later = random.choice((0, 0, 20 * SECOND, MINUTE))
        stays = tuple(replace(stay, left_at=stay.left_at + later) for stay in report.stays)
        report = replace(report, stays=stays, ended_at=report.ended_at + later, listed=())
        if random.random() < 0.5:
            report = replace(report, join_key=None)
        if report.pupils and (report.staff or report.has_unidentified):
            self.world.calls.append(report)


def make_world(seed: int, number: int, setting: Setting, kinds: frozenset[str]) -> World:
    """World `number` of a seed. The worlds of one seed share no people."""
    maker = WorldMaker(Random(f"{seed} {number}"), number, setting, kinds)
    return maker.make(EPISODES)
