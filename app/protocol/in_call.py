"""The clauses of the general protocol that concern the call itself: recording, opening and ending it, and cameras."""

import numpy as np
import pandas as pd

from app.protocol.clause import Heading, Reference, clause
from app.protocol.facts import ENOUGH, SENT, SHORT, UNKNOWN, SessionFacts, join_names
from app.protocol.frames import NONE, Ints, Mask, Words
from app.protocol.outcomes import BREACH, CALL, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING
from app.protocol.rulings import Rows, Ruling, by_log_if_recorded, fill, format_durations

_RECORDED = "Sessions that were recorded"


@clause(
    "Recording announced",
    Reference(Heading.GENERAL, 4),
    words="If the session is recorded, pupils are told at the start.",
    applies_to=_RECORDED,
    decided_by="The log.",
)
def recording_announced(facts: SessionFacts) -> Ruling:
    """General protocol, point 4: whoever records says so at the start."""
    return by_log_if_recorded(
        facts,
        "recording_announced",
        if_met="Pupils were told at the start that the session would be recorded.",
        if_breach="The session was recorded, and pupils were not told at the start.",
        if_blank="The session was recorded; the log does not say whether pupils were told.",
    )


@clause(
    "Recording on the Team",
    Reference(Heading.GENERAL, 4),
    words="A recording is placed on the Team, not kept privately.",
    applies_to=_RECORDED,
    decided_by="A channel meeting stores it there automatically; for any other meeting, the log.",
)
def recording_on_team(facts: SessionFacts) -> Ruling:
    """General protocol, point 4: the recording goes on the Team."""
    return by_log_if_recorded(
        facts,
        "recording_on_team",
        if_in_channel="It was a channel meeting, whose recording stays in the channel.",
        if_met="The recording was placed on the Team.",
        if_breach="The recording was not placed on the Team.",
        if_blank="The session was recorded; the log does not say where the recording is kept.",
    )


@clause(
    "Cameras off offered",
    Reference(Heading.GENERAL, 4),
    words="While they are recorded, pupils may turn their cameras off.",
    applies_to=_RECORDED,
    decided_by="The log.",
)
def camera_choice(facts: SessionFacts) -> Ruling:
    """General protocol, point 4: pupils who are recorded may turn their cameras off."""
    return by_log_if_recorded(
        facts,
        "cameras_off_offered",
        if_met="Pupils could turn their cameras off while they were recorded.",
        if_breach="The session was recorded, and pupils could not turn their cameras off.",
        if_blank="The session was recorded; the log does not say whether pupils could turn their cameras off.",
    )


@clause(
    "No private recording",
    Reference(Heading.GENERAL, 4),
    words="Neither staff nor pupils make private recordings.",
    decided_by="The log.",
)
def no_private_recording(facts: SessionFacts) -> Ruling:
    """General protocol, point 4: pupils do not record, and nobody keeps a private recording."""
    ruling = Ruling(facts, log_yes=facts.no("private_recording"), log_no=facts.yes("private_recording"))
    ruling.decide_by_log(if_met="Nobody made a private recording.", if_breach="A private recording was made.")
    return ruling


@clause(
    "Staff open the call",
    Reference(Heading.GENERAL, 5),
    words="The member of staff is in the call before the pupils.",
    decided_by="Who called, or joined first; where the call record does not show it, the log.",
)
def staff_opens(facts: SessionFacts) -> Ruling:
    """General protocol, point 5: staff open the call."""
    pupil = facts.pupil_span[0]
    waited, at_least = (_gap(pupil, staff) for staff in (facts.staff_span[0], facts.possible_staff_span[0]))
    ruling = Ruling(facts, log_yes=facts.yes("staff_opened"), log_no=facts.no("staff_opened"), of_unattended=True)
    nobody = np.where(facts.with_unidentified, "No member of staff was identified", "No member of staff was")
    ruling.decide(facts.no_staff_came, BREACH, CALL, fill("{nobody} in the call.", nobody=nobody))
    ruling.decide(facts.staff_called_first, MET, CALL, "The member of staff called the pupil.")
    ruling.decide(facts.pupil_called_first, BREACH, CALL, "The pupil called the member of staff.")
    too_early = fill(
        "A pupil was in the call {least}{time} before the first member of staff.",
        least=np.where(at_least < waited, "at least ", ""),
        time=lambda i: format_durations(at_least[i]),
    )
    ruling.decide(facts.staff_came & (at_least > facts.grace), BREACH, CALL, too_early)
    in_time = facts.staff_came & (waited <= facts.grace) & ~facts.pupils_without_times
    ruling.decide(in_time, MET, CALL, "A member of staff was in the call before the pupils.")
    ruling.decide_by_log(
        if_met="The log says that staff opened the call.",
        if_breach="The log says that staff did not open the call.",
        if_blank="Neither a call record nor the log says who opened the call.",
    )
    return ruling


@clause(
    "Staff end the call",
    Reference(Heading.GENERAL, 5),
    words="The member of staff ends the call: no pupil stays after them.",
    decided_by="Who left last; where the call record does not show it, the log.",
)
def staff_ends(facts: SessionFacts) -> Ruling:
    """General protocol, point 5: staff end the call."""
    pupil = facts.pupil_span[1]
    stayed, at_least = (_gap(staff, pupil) for staff in (facts.staff_span[1], facts.possible_staff_span[1]))
    ruling = Ruling(facts, log_yes=facts.yes("staff_ended"), log_no=facts.no("staff_ended"))
    too_long = fill(
        "A pupil was in the call {least}{time} after the last member of staff had left.",
        least=np.where(at_least < stayed, "at least ", ""),
        time=lambda i: format_durations(at_least[i]),
    )
    ruling.decide(facts.staff_came & (at_least > facts.grace), BREACH, CALL, too_long)
    in_time = facts.staff_came & (stayed <= facts.grace) & ~facts.pupils_without_times & ~facts.ended_directly
    ruling.decide(in_time, MET, CALL, "No pupil stayed after the last member of staff had left.")
    ruling.decide_by_log(
        if_met="The log says that staff ended the call.",
        if_breach="The log says that staff did not end the call.",
        if_blank="Neither a call record nor the log says who ended the call.",
    )
    return ruling


def _gap(earlier: Ints, later: Ints) -> Ints:
    """For each session, the time between two instants in microseconds; 0 if the second is not later."""
    return np.where(earlier < later, later - earlier, 0)


@clause(
    "Pupils never alone",
    Reference(Heading.GENERAL, 5),
    words="Once staff have joined, pupils are never in the call without them, nor in a room to which no staff come.",
    decided_by="Who was in the call, and when; where the call record does not show it, the log.",
)
def never_alone(facts: SessionFacts) -> Ruling:
    """General protocol, point 5: no pupil stays in the call without staff."""
    was_alone = facts.mask_of(facts.alone["session"])
    never = "No pupil was in the call without staff once staff had joined."
    log_yes, log_no = facts.no("pupil_left_alone"), facts.yes("pupil_left_alone")
    ruling = Ruling(facts, log_yes=log_yes, log_no=log_no, of_unattended=True)
    ruling.decide(was_alone, BREACH, CALL, lambda i: _who_was_alone(facts, i))
    ruling.decide(facts.shows_throughout, MET, CALL, never)
    ruling.decide_by_log(
        if_met="The log says that no pupil was left alone.",
        if_breach="The log says that a pupil was left alone.",
        if_blank="Neither a call record nor the log says whether a pupil was left alone.",
    )
    return ruling


def _who_was_alone(facts: SessionFacts, sessions: Rows) -> Words:
    """For each of the given sessions, sentences that name every stretch in which pupils were alone, and the pupils."""
    stretches, pupils = facts.alone, facts.pupils_alone()
    session = stretches["session"].to_numpy()
    day = facts.day[session[pupils["stretch"]]]
    rows = facts.pupil_versions.rows(pupils["pupil_id"].to_numpy(), day)
    named = pupils.assign(name=facts.pupil_versions.fact("name", rows)).groupby("stretch")["name"]
    names = named.agg([join_names, "count"])
    words = pd.DataFrame(
        {
            "names": names["join_names"] + np.where(names["count"] > 1, " were", " was").astype(object),
            "since": facts.clock_times(stretches["start"].to_numpy()),
            "length": format_durations((stretches["end"] - stretches["start"]).to_numpy()),
        }
    ).to_dict("records")
    after = stretches["after"] & (stretches["start"] >= facts.end[session]) & ~facts.unattended[session]
    unidentified = np.append(facts.on_record.with_unidentified, False)[stretches["call"]]
    forms = np.select(
        [stretches["call"] == NONE, after & ~unidentified, after, ~unidentified],
        [_IN_CALL, _AFTER, _AFTER_UNIDENTIFIED, _NO_STAFF],
        _UNIDENTIFIED,
    )
    sentences = pd.Series([form.format(**row) for form, row in zip(forms, words, strict=True)], dtype=object)
    return np.asarray(sentences.groupby(session).agg(" ".join).reindex(sessions), object)


_IN_CALL = "{names} in the call without staff from {since} for {length}."
_AFTER = "After the session, from {since}, {names} in the room for {length} without staff."
_AFTER_UNIDENTIFIED = "After the session, from {since}, {names} in the room for {length} without identified staff."
_NO_STAFF = "{names} in a room without staff from {since} for {length}: no member of staff came."
_UNIDENTIFIED = "{names} in a room from {since} for {length}: no member of staff was identified in it."


@clause(
    "Cameras on",
    Reference(Heading.GENERAL, 6),
    words="Pupils have their cameras on and can be seen, unless they are recorded and object, or have no camera.",
    decided_by="Each pupil's own video in the call; where that shows nothing, the log.",
)
def cameras_on(facts: SessionFacts) -> Ruling:
    """General protocol, point 6: pupils who have a camera keep it on so that they can be seen, unless they object to
    being recorded."""
    log = facts.word("cameras_on")
    no_camera, objected = log == "no_camera", log == "objected"
    says_on, says_off = log == "yes", (log == "no") | no_camera | objected
    objected_to_recording = objected & facts.was_recorded
    by_call = _with_camera(facts, UNKNOWN, SHORT, SENT, ENOUGH)
    short, unknown = _with_camera(facts, SHORT), _with_camera(facts, UNKNOWN)
    too_short = short | (_with_camera(facts, SENT, UNKNOWN) & says_off)
    may_be_exempt = too_short | ~by_call
    ruling = Ruling(facts, log_yes=says_on, log_no=says_off)
    ruling.disputed |= unknown & ~short & says_on

    def off(sessions: Rows) -> Words:
        return _camera_off(facts, objected, sessions)

    ruling.decide(too_short & ~no_camera & ~objected_to_recording, BREACH, np.where(short, CALL, LOG), off)
    ruling.decide(may_be_exempt & no_camera, EXEMPT, LOG, "The log says that there is no camera.")
    may_object = "The session was recorded and the log says that the pupil objected."
    ruling.decide(may_be_exempt & objected_to_recording, EXEMPT, LOG, may_object)
    no_proof = (
        "The log says that cameras were on. The call record does not show it for every pupil, which does not prove "
        "that a camera was off."
    )
    ruling.decide(unknown & says_on, MET, LOG, no_proof)
    nothing = "The call record does not show whether every pupil's camera was on, and no log says so."
    ruling.decide(unknown, NO_EVIDENCE, NOTHING, nothing)
    ruling.decide(by_call, MET, CALL, lambda i: _camera_on(facts, i))
    ruling.decide_by_log(
        if_met="The log says that pupils had their cameras on.",
        if_breach=off,
        if_blank="Neither a call record nor the log says whether cameras were on.",
    )
    return ruling


def _with_camera(facts: SessionFacts, *cameras: int) -> Mask:
    """Whether each session has a pupil in the call whose `camera` is one of the given values."""
    return facts.mask_of(facts.cameras.loc[facts.cameras["camera"].isin(cameras), "session"])


def _camera_off(facts: SessionFacts, objected: Mask, sessions: Rows) -> Words:
    """The reason for each of the given sessions: whose camera was off for too long or, if the call does not show that,
    what the log says."""
    short = facts.cameras[facts.cameras["camera"] == SHORT]
    required = facts.setting(lambda rules: rules.camera_share)[short["session"]]
    names = facts.pupil_versions.fact("name", short["row"].to_numpy())
    # Round down, so that nothing below 80% is shown as 80%.
    about = np.where(short["most"] > short["least"], "at most ", "")
    words = [
        f"{name}'s camera was on for {at_most}{int(share * 100)}% of their time in the call; "
        f"the school requires {asked:.0%}."
        for name, at_most, share, asked in zip(names, about, short["most"], required, strict=True)
    ]
    by_call = pd.Series(words, dtype=object).groupby(short["session"].to_numpy()).agg(" ".join).reindex(sessions)
    by_log = np.where(
        objected[sessions],
        "The log says that a pupil objected to the camera, but the session is not known to have been recorded.",
        "The log says cameras were off.",
    )
    return np.where(by_call.isna(), by_log, by_call.to_numpy(object))


def _camera_on(facts: SessionFacts, sessions: Rows) -> Words:
    return np.where(
        _with_camera(facts, SENT)[sessions],
        "Every pupil sent video; Teams does not say for how long.",
        "Every pupil's camera was on for as long as the school requires.",
    ).astype(object)
