"""A session at the fictional school and its records: call records, a recording and a log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.demo import graph
from app.demo.chance import Chance
from app.demo.graph import Leg
from app.demo.people import DemoSchool, Row

_LATE = 16  # the hour from which more cameras are off
_YES_NO = {True: "yes", False: "no"}
FORGOTTEN = ("dress_ok", "background_ok", "private_recording", "room")  # questions that are sometimes left out


@dataclass
class Session:
    """What happened in one session, and what went wrong in its call. Staff and pupils are rows of the roster."""

    staff: Row
    pupils: list[Row]
    purpose: str
    start: datetime
    minutes: int
    one_to_one: bool = False
    invited: Row | None = None  # the second member of staff
    invited_in_log: bool = True  # the log names them
    invited_in_calendar: bool = True  # the calendar shows them
    number: int = 0
    direct: bool = False  # a direct call, not a meeting
    recorded: bool = False
    early: float = 0  # seconds that a pupil was there before staff
    waiting: float = 0  # seconds that a pupil stayed after staff
    cut_off: float = 0  # seconds without a connection for staff
    cameras_off: Sequence[str] = ()  # emails of pupils
    as_guest: bool = False  # staff joined with a personal account
    noticed: bool = True  # the log says what went wrong

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    @property
    def names_second_member(self) -> bool:
        """Whether the log of a one-to-one names a second member of staff as invited."""
        return self.invited is not None and self.invited_in_log


class SessionRecords:
    """Adds the call records, recordings and logs of sessions to the files of the school."""

    def __init__(self, chance: Chance, school: DemoSchool) -> None:
        self.chance, self.school = chance, school

    def add_mishaps(self, session: Session) -> None:
        """Make things go wrong in a session, with realistic frequency."""
        often, between = self.chance.often, self.chance.between
        session.noticed = often(0.65)
        late = session.start.hour >= _LATE
        if often(0.01 if session.purpose == "counselling" else 0.22 if late else 0.022):
            first = session.pupils[0]
            session.cameras_off = [pupil["email"] for pupil in session.pupils if pupil is first or often(0.4)]
        if session.direct:
            return
        if often(0.13 if session.purpose == "music" else 0.004):
            session.waiting = between(25, 240)
        elif often(0.004):
            session.cut_off = between(20, 90)
        if often(0.009):
            session.early = between(20, 240)
        session.as_guest = often(0.0015)

    # --- calls ----------------------------------------------------------------------------------------------

    def add_calls(self, session: Session) -> None:
        """Add the call records of a session: one, or two if everybody lost the connection."""
        chance = self.chance
        start, end = session.start.astimezone(UTC), session.end.astimezone(UTC)
        if session.direct:
            self.school.calls.append(self._create_direct_call(session, start, end))
            return
        in_channel = session.recorded and chance.often(0.6)
        smooth = not (session.early or session.waiting or session.cut_off)
        parts = [(start, end)]
        if smooth and session.minutes >= 30 and not session.recorded and chance.often(0.015):
            broken_at = self._pick_middle(start, end)
            parts = [(start, broken_at), (broken_at + timedelta(minutes=chance.between(2, 4)), end)]
        for part in parts:
            legs = self._create_legs(session, *part)
            call = graph.create_meeting(chance, session.staff, legs, in_channel=in_channel, recorded=session.recorded)
            if call["version"] > 1 and chance.often(0.05):
                self.school.calls.append(graph.create_earlier_version(call))
            self.school.calls.append(call)
        if session.one_to_one:
            self._add_event(session, call, start, end)
        if session.recorded and not in_channel and chance.often(0.95):  # Graph lists no recordings of channel meetings
            started = start + timedelta(seconds=chance.between(20, 60))
            self.school.recordings.append(
                graph.create_recording(chance, call, session.staff, started, end - timedelta(seconds=70))
            )

    def _add_event(self, session: Session, call: dict[str, Any], start: datetime, end: datetime) -> None:
        """Add the meeting to its organiser's calendar, always if the log names no second member of staff, otherwise
        mostly."""
        if session.names_second_member and not self.chance.often(0.8):
            return
        changed = start - timedelta(hours=self.chance.between(2, 70))
        guests = [session.invited] if session.invited and session.invited_in_calendar else []
        event = graph.create_event(self.chance, call, [*session.pupils, *guests], (changed, start, end))
        self.school.events.append(event)

    def _create_direct_call(self, session: Session, start: datetime, end: datetime) -> dict[str, Any]:
        staff = Leg(session.staff, start, end)
        pupil = Leg(session.pupils[0], start, end, camera=not session.cameras_off)
        caller, callee = (pupil, staff) if self.chance.often(0.02) else (staff, pupil)
        return graph.create_peer_to_peer_call(self.chance, caller, callee)

    def _pick_seconds(self, low: float, high: float) -> timedelta:
        return timedelta(seconds=self.chance.between(low, high))

    def _pick_middle(self, start: datetime, end: datetime) -> datetime:
        """A random moment near the middle."""
        return start + (end - start) * self.chance.between(0.3, 0.7)

    def _create_legs(self, session: Session, start: datetime, end: datetime) -> list[Leg]:
        """Who was in the meeting and when. Staff join first and leave last, unless something went wrong."""
        often, seconds = self.chance.often, self._pick_seconds
        opened, ended = start - seconds(20, 200), end + seconds(-60, 60)
        closed = ended - timedelta(seconds=session.waiting)
        staff = None if session.as_guest else session.staff
        legs = [Leg(staff, opened, closed, shares_screen=session.purpose == "academic" and often(0.4))]
        if session.cut_off:
            broken_at = self._pick_middle(opened, closed)
            back_at = broken_at + timedelta(seconds=session.cut_off)
            legs = [Leg(staff, opened, broken_at), Leg(staff, back_at, closed)]
        elif often(0.02):  # a tablet as well
            legs.append(Leg(staff, opened + seconds(60, 200), closed - seconds(60, 200), camera=False))
        if session.invited and often(0.3):
            legs.append(Leg(session.invited, start + seconds(0, 120), closed - seconds(20, 60)))
        in_room = session.purpose == "music" and often(0.15)  # a room system reports how long it sent video
        for pupil in session.pupils:
            first = pupil is session.pupils[0]
            joined = opened - timedelta(seconds=session.early) if first and session.early else start + seconds(0, 75)
            left = ended if first and session.waiting else closed - seconds(3, 20)
            on = pupil["email"] not in session.cameras_off
            filmed = self.chance.between(0.9, 1.0) if on else self.chance.between(0.2, 0.7)
            legs += self._create_stays(Leg(pupil, joined, left, on, filmed if in_room else None))
        if session.one_to_one and often(0.03):
            legs.append(Leg(None, start + seconds(30, 90), closed - seconds(30, 90)))  # a parent, as a visitor
        return legs

    def _create_stays(self, leg: Leg) -> list[Leg]:
        """A person's time in a call as Graph lists it: one leg, two after a lost connection, two with a second device,
        the same leg twice, or one without details."""
        kind = self.chance.share()
        if kind < 0.05:
            broken_at = self._pick_middle(leg.joined, leg.left)
            return [replace(leg, left=broken_at), replace(leg, joined=broken_at + self._pick_seconds(5, 40))]
        if kind < 0.08:
            return [leg, Leg(leg.person, leg.joined + self._pick_seconds(20, 120), leg.left, camera=False)]
        if kind < 0.1:
            return [leg, leg]
        return [replace(leg, details=False)] if kind < 0.105 and leg.camera else [leg]

    # --- logs -----------------------------------------------------------------------------------------------

    def add_log(self, session: Session) -> Row:
        """Add the log of a session, as its member of staff wrote it, and return it."""
        often = self.chance.often
        start = session.start + timedelta(minutes=self.chance.whole(0 if session.one_to_one else -2, 2))
        row = {
            "ref": f"AW-{session.number:05d}",
            "staff_email": session.staff["email"],
            "pupil_emails": ";".join(pupil["email"] for pupil in session.pupils),
            "purpose": session.purpose,
            "started_at": f"{start:%Y-%m-%dT%H:%M}",
            "ended_at": f"{session.end:%Y-%m-%dT%H:%M}",
        }
        row |= self._pick_answers(session)
        if session.one_to_one:
            row |= self._pick_one_to_one_answers(session)
        if often(0.012):
            row[self.chance.one(FORGOTTEN)] = ""
        self.school.logs.append(row)
        return row

    def _pick_answers(self, session: Session) -> Row:
        often, noticed = self.chance.often, session.noticed
        cameras = "yes"
        if session.cameras_off and (noticed or often(0.8)):
            cameras = "no_camera" if often(0.15) else "objected" if session.recorded and often(0.5) else "no"
        answers = {
            "platform": "teams",
            "account": "personal" if session.as_guest and noticed else "school",
            "recorded": _YES_NO[session.recorded],
            "private_recording": _YES_NO[often(0.001)],
            "staff_opened": _YES_NO[not (session.early and noticed)],
            "staff_ended": _YES_NO[not (session.waiting and noticed)],
            "pupil_left_alone": _YES_NO[noticed and session.waiting + session.cut_off > 0],
            "cameras_on": cameras,
            "dress_ok": _YES_NO[often(0.996)],
            "background_ok": _YES_NO[often(0.989)],
            "room": "public",
            "concern": "no",
        }
        if session.recorded:
            for question, share in (
                ("recording_announced", 0.97),
                ("recording_on_team", 0.95),
                ("cameras_off_offered", 0.95),
            ):
                answers[question] = _YES_NO[often(share)]
        if often(0.065):
            reason = "only_room" if often(0.85) else "quarantine" if often(0.6) else "more comfortable there"
            answers |= {"room": "bedroom", "bedroom_reason": reason, "door_open": _YES_NO[often(0.94)]}
        return answers

    def _pick_one_to_one_answers(self, session: Session) -> Row:
        often = self.chance.often
        usual = ("routine", "routine", "continuity", "safeguarding")
        return {
            "reason": "catching up on homework" if often(0.02) else self.chance.one(usual),
            "second_staff_emails": session.invited["email"] if session.invited and session.invited_in_log else "",
            "adult_present": "yes",
            "adult_introduced": "" if often(0.01) else _YES_NO[often(0.955)],
            "adult_permission": _YES_NO[often(0.99)],
            "home_alone": "no",
        }
