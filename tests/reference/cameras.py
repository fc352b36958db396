"""Whether pupils had their cameras on."""

from enum import Enum, auto
from fractions import Fraction

from app.vocabulary.terms import CallSource, EvidenceKind, Outcome
from tests.reference.facts import NO_EVIDENCE, Check, Facts
from tests.reference.intervals import Stretch, intersect, measure, subtract, unite


class Camera(Enum):
    """What the calls show of a pupil's camera."""

    ENOUGH = auto()
    SENT = auto()  # for an unknown time
    UNKNOWN = auto()
    SHORT = auto()


def camera_of(facts: Facts, pupil: int) -> Camera:
    """What the calls of a session show of a pupil's camera."""
    present: list[Stretch] = []
    unknown: list[Stretch] = []
    on: list[Stretch] = []
    has_timed = has_untimed = False
    for call in facts.calls:
        stays = [stay for stay in call.stays if stay.pupil_id == pupil]
        people = {stay.person for stay in stays}
        known = [(stay.joined_at, stay.left_at) for stay in stays if stay.has_media]
        not_known = [(stay.joined_at, stay.left_at) for stay in stays if not stay.has_media]
        present += known + not_known
        unknown += subtract(not_known, known)
        for video in call.videos:
            if video.person not in people:
                continue
            if video.started_at is None or video.ended_at is None:
                has_untimed = True
            else:
                has_timed = True
                on += intersect([(video.started_at, video.ended_at)], known + not_known)
    enough = Fraction(str(facts.rules.camera_share)) * measure(present)
    if has_timed and measure(present) and measure(on) >= enough:
        return Camera.ENOUGH
    if has_untimed:
        return Camera.SENT
    if not has_timed or not measure(present):
        return Camera.UNKNOWN
    return Camera.SHORT if measure(unite(on + unknown)) < enough else Camera.UNKNOWN


def judge_cameras(facts: Facts) -> Check:
    """The outcome for all pupils. Where the calls do not show a pupil's camera, the log decides."""
    answer = facts.word("cameras_on")
    cameras = [camera_of(facts, pupil) for pupil in facts.pupils] if facts.calls else [Camera.UNKNOWN]
    by_call: list[bool] = []  # whether the cameras were on, where the calls show it
    by_log: list[bool] = []
    for camera in cameras:
        if camera is Camera.SHORT:
            by_call.append(False)
        elif camera is Camera.ENOUGH or (camera is Camera.SENT and answer in (None, "yes")):
            by_call.append(True)
        elif answer is not None:
            by_log.append(answer == "yes")
    on = by_call + by_log
    is_exempt = answer == "no_camera" or (answer == "objected" and facts.is_recorded)
    if False in on:
        if is_exempt:
            return Check(Outcome.EXEMPT, EvidenceKind.LOG)
        evidence = EvidenceKind.CALL if False in by_call else EvidenceKind.LOG
        return Check(Outcome.BREACH, evidence, answer == "yes" and False in by_call)
    if len(on) < len(cameras) or not on:
        return NO_EVIDENCE
    if by_log:
        is_on_record = any(call.source == CallSource.RECORD for call in facts.calls)
        return Check(Outcome.MET, EvidenceKind.LOG, is_on_record)
    return Check(Outcome.MET, EvidenceKind.CALL, answer not in (None, "yes"))
