"""Random calls: who was in them and when, on which devices and with which cameras."""

from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from tests.reference.random_settings import TENANT
from tests.reference.rows import MINUTE, SECOND, Call, Listed, Stay, Video

ELSEWHERE = "0e15ec7e-0000-4000-8000-000000000009"
PEER_TO_PEER, GROUP = "peerToPeer", "groupCall"


@dataclass(frozen=True)
class Meeting:
    """The basis of a call: who is in it, and roughly from when to when."""

    staff: tuple[int, ...]
    pupils: tuple[int, ...]
    strangers: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Scale:
    """The figures that times should be close to, and what may happen."""

    grace: int
    share: Fraction
    kinds: frozenset[str]


class Camera:
    """The cameras of one call."""

    def __init__(self, random: Random, scale: Scale) -> None:
        self.random, self.scale = random, scale
        self.way = random.choice(("none", "none", "untimed", "timed", "timed", "timed"))

    def videos_of(self, stays: list[Stay]) -> list[Video]:
        """The camera video of one person: none, of unknown length, or about as long as is required."""
        random = self.random
        way = self.way if random.random() < 0.8 else random.choice(("none", "untimed", "timed"))
        if way == "none":
            return []
        videos = []
        for stay in stays:
            if not stay.has_media and random.random() < 0.8:
                continue
            if way == "untimed" or random.random() < 0.05:
                videos.append(Video(stay.person, None, None))
                continue
            length = stay.left_at - stay.joined_at
            wanted = int(self.scale.share * length) + random.choice(
                (0, 0, -1, 1, SECOND, -SECOND, length, -length // 2)
            )
            start = stay.joined_at + random.choice((0, 0, -SECOND))
            end = min(start + wanted, stay.left_at + SECOND) if start == stay.joined_at else stay.left_at
            if end > start:
                videos += self._split(Video(stay.person, start, end))
        return videos

    def _split(self, video: Video) -> list[Video]:
        """A stream, or the same time in two streams that touch or overlap."""
        assert video.started_at is not None
        assert video.ended_at is not None
        middle = (video.started_at + video.ended_at) // 2
        if self.random.random() < 0.7 or middle in (video.started_at, video.ended_at):
            return [video]
        return [replace(video, ended_at=middle), replace(video, started_at=max(video.started_at, middle - SECOND))]


def _edge(random: Random, scale: Scale) -> int:
    """A delay: usually none, sometimes close to the grace, or any."""
    draw = random.random()
    if draw < 0.45:
        return 0
    if draw < 0.75:
        return random.choice((1, -1)) * (scale.grace + random.choice((0, 1, -1, SECOND)))
    return random.choice((1, -1)) * random.randrange(1, 300) * SECOND


def make_stays(random: Random, scale: Scale, who: Stay, start: int, end: int) -> list[Stay]:
    """The stays of one person: one, or with a rejoin, a second device (perhaps under another key) or a stay of no
    length."""
    joined, left = start + _edge(random, scale), end + _edge(random, scale)
    if left <= joined:
        joined, left = start, end
    has_media = "no_media" not in scale.kinds or random.random() < 0.8
    whole = replace(who, joined_at=joined, left_at=left, has_media=has_media)
    if random.random() < 0.04:
        moment = replace(whole, joined_at=start, left_at=start)
        return [moment, whole] if random.random() < 0.5 else [moment]
    draw, middle = random.random(), (joined + left) // 2
    if draw > 0.35 or left - joined < MINUTE:
        return [whole]
    if draw < 0.2:
        back = middle + random.choice((0, scale.grace, scale.grace + 1, 60 * SECOND))
        second = replace(whole, joined_at=back, has_media=has_media or random.random() < 0.5)
        return [replace(whole, left_at=middle), second] if back < left else [whole]
    device = replace(whole, joined_at=middle, left_at=left + random.choice((0, 1, scale.grace + 1)), has_media=True)
    return [whole, replace(device, person=f"{who.person} again") if random.random() < 0.3 else device]


def person_row(random: Random, staff: int | None = None, pupil: int | None = None, stranger: str = "") -> Stay:
    """A person as a stay without times."""
    if stranger:
        kind = random.choice(("guest", "phone", "acs", "unknown", "user"))
        tenant = random.choice((None, ELSEWHERE))
        return Stay(stranger, kind, tenant, None, None, True, 0, 0)
    tenants = (TENANT, TENANT, TENANT, TENANT.upper(), None, ELSEWHERE) if staff else (TENANT, TENANT, None)
    return Stay(f"user:{staff or pupil}", "user", random.choice(tenants), staff, pupil, True, 0, 0)


def make_group(random: Random, scale: Scale, meeting: Meeting, call: Call) -> Call:
    """A group call for a meeting: `call` with its people and times. Some people may only be listed."""
    camera = Camera(random, scale)
    people = [person_row(random, staff=one) for one in meeting.staff]
    people += [person_row(random, pupil=one) for one in meeting.pupils]
    people += [person_row(random, stranger=one) for one in meeting.strangers]
    stays, videos, listed = [], [], []
    listing = random.choice((0.0, 0.0, 0.3, 0.6)) if "listed" in scale.kinds else 0.0
    for one in people:
        if random.random() < listing:
            listed.append(Listed(one.person, one.staff_id, one.pupil_id, one.tenant))
            continue
        own = make_stays(random, scale, one, meeting.start, meeting.end)
        stays += own
        videos += camera.videos_of(own)
    times = [time for stay in stays for time in (stay.joined_at, stay.left_at)] or [meeting.start, meeting.end]
    slack = random.choice((0, 0, 0, SECOND, scale.grace + SECOND))
    random.shuffle(stays)
    return replace(
        call,
        started_at=min(times) - slack,
        ended_at=max(times) + slack,
        stays=tuple(stays),
        videos=tuple(videos),
        listed=tuple(listed),
    )


def make_peer_to_peer(random: Random, scale: Scale, meeting: Meeting, call: Call) -> Call:
    """A call between two people, with one or more legs. Either may ring first, and the other may ring back. One of them
    may only be listed."""
    camera = Camera(random, scale)
    other = person_row(random, staff=meeting.staff[0]) if meeting.staff else person_row(random, stranger="guest")
    ends = [person_row(random, pupil=meeting.pupils[0]), other]
    stays: list[Stay] = []
    start = meeting.start
    length = (meeting.end - meeting.start) // random.choice((1, 1, 2, 3))
    while start < meeting.end and len(stays) < 6:
        random.shuffle(ends)
        has_media = "no_media" not in scale.kinds or random.random() < 0.8
        for number, end in enumerate(ends):
            leg = replace(end, caller=number == 0, joined_at=start, left_at=start + length, has_media=has_media)
            stays.append(leg)
        start += length + random.choice((1, 5 * SECOND, 2 * MINUTE))
    call = replace(call, started_at=min(stay.joined_at for stay in stays), ended_at=max(stay.left_at for stay in stays))
    if "listed" in scale.kinds and random.random() < 0.1:
        one = ends.pop()
        stays = [stay for stay in stays if stay.person != one.person]
        call = replace(call, listed=(Listed(one.person, one.staff_id, one.pupil_id, one.tenant),))
    videos = [video for end in ends for video in camera.videos_of([s for s in stays if s.person == end.person])]
    return replace(call, type=PEER_TO_PEER, stays=tuple(stays), videos=tuple(videos))
