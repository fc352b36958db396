"""TODO."""

import numpy as np
import pandas as pd

from app.protocol.clause import (
    _BLANK,
    Rows,
    _all,
    _by_hours,
    _by_log,
    _not_recorded,
    _of_recording,
    _parents_told,
    _recorded,
    _seconds,
    _unknown,
)
from app.protocol.facts import MINUTE, SENT, SHORT, UNKNOWN, SessionFacts, in_words
from app.protocol.outcomes import BREACH, CALL, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING, REGISTER, Mask, Ruling, Words


def parents_told(cases: SessionFacts) -> Ruling:
    return _parents_told(cases, "introduction", "letter of introduction", _all(cases))


def purpose_allowed(cases: SessionFacts) -> Ruling:
    purpose = cases.purpose
    counsellor, pastoral = cases.has_role("counsellor"), cases.has_role("tutor", "hoy", "hm")
    ruling = Ruling(cases.n)
    ruling.decide(~cases.logged, NO_EVIDENCE, NOTHING, "The session was not logged, so its purpose is not known.")
    ruling.decide(purpose == "music", MET, LOG, "Music tuition is an allowed purpose.")
    ruling.decide(purpose == "academic", MET, LOG, "Academic tuition is an allowed purpose.")
    ruling.decide((purpose == "counselling") & counsellor, MET, LOG, "Counselling with one of the school counsellors.")
    ruling.decide(
        purpose == "counselling", BREACH, LOG, "Logged as counselling, by somebody who is not a school counsellor."
    )
    ruling.decide((purpose == "pastoral") & pastoral, MET, LOG, "A pastoral check by a tutor, HOY or HM.")
    ruling.decide(purpose == "pastoral", BREACH, LOG, "Logged as pastoral, by somebody who is not a tutor, HOY or HM.")
    ruling.decide(purpose == "", NO_EVIDENCE, NOTHING, _BLANK)
    ruling.decide(
        _all(cases), BREACH, LOG, "The purpose is not music, academic tuition, counselling or a pastoral check."
    )
    return ruling


def school_account(cases: SessionFacts) -> Ruling:
    where = cases.senior
    platform, account = cases.word("platform"), cases.word("account")
    says_school = (platform == "teams") & (account == "school")
    says_other = ((platform != "") & (platform != "teams")) | ((account != "") & (account != "school"))
    by_call = where & cases.has_call
    ruling = Ruling(cases.n)
    ruling.decide(
        by_call & cases.school_account, MET, CALL, "Staff took part with their school account in Teams.", says_other
    )
    ruling.decide(by_call, BREACH, CALL, "No member of staff took part in the call with a school account.", says_school)
    ruling.decide(where & says_other, BREACH, LOG, "The log names another platform than Teams, or a personal account.")
    ruling.decide(where & says_school, MET, LOG, "The log says Teams with the school account.")
    _unknown(ruling, cases, where, "The log does not give both platform and account.")
    return ruling


def recording_announced(cases: SessionFacts) -> Ruling:
    return _of_recording(
        cases,
        "recording_announced",
        "Pupils were told at the start that the session would be recorded.",
        "The session was recorded, and pupils were not told at the start.",
    )


def recording_on_team(cases: SessionFacts) -> Ruling:
    recorded, unknown, disputed = _recorded(cases)
    ruling = Ruling(cases.n)
    ruling.decide(
        recorded & cases.channel,
        MET,
        CALL,
        "It was a channel meeting, whose recording stays in the channel.",
        disputed | cases.no("recording_on_team"),
    )
    ruling.decide(
        recorded & cases.yes("recording_on_team"), MET, LOG, "The recording was placed on the Team.", disputed
    )
    ruling.decide(
        recorded & cases.no("recording_on_team"), BREACH, LOG, "The recording was not placed on the Team.", disputed
    )
    ruling.decide(
        recorded & ~cases.logged,
        NO_EVIDENCE,
        NOTHING,
        "The session was recorded but not logged, and only a log can say.",
    )
    ruling.decide(
        recorded, NO_EVIDENCE, NOTHING, "The session was recorded; the log does not say where it is kept.", disputed
    )
    _not_recorded(ruling, cases, unknown)
    return ruling


def camera_choice(cases: SessionFacts) -> Ruling:
    return _of_recording(
        cases,
        "cameras_off_offered",
        "Pupils could turn their cameras off while they were recorded.",
        "The session was recorded, and pupils were not offered to turn their cameras off.",
    )


def no_private_recording(cases: SessionFacts) -> Ruling:
    return _by_log(
        cases,
        _all(cases),
        cases.no("private_recording"),
        cases.yes("private_recording"),
        "Nobody made a private recording.",
        "A private recording was made.",
    )


def staff_opens(cases: SessionFacts) -> Ruling:
    staff, pupil = cases.staff_span[0], cases.pupil_span[0]
    staff_called, pupil_called = cases.staff_called_first, cases.pupil_called_first
    by_call = cases.shows_beginning & (~cases.began_as_direct_call | staff_called | pupil_called)
    says_yes, says_no = cases.yes("staff_opened"), cases.no("staff_opened")
    waited = np.where(pupil < staff, staff - pupil, 0)
    ruling = Ruling(cases.n)
    ruling.decide(by_call & staff_called, MET, CALL, "The member of staff rang the pupil.", says_no)
    ruling.decide(by_call & pupil_called, BREACH, CALL, "The pupil rang the member of staff.", says_yes)
    ruling.decide(
        by_call & (waited > cases.grace),
        BREACH,
        CALL,
        lambda i: "A pupil was in the call " + _seconds(waited[i]) + " before the first member of staff.",
        says_yes,
    )
    ruling.decide(by_call, MET, CALL, "A member of staff was in the call before the pupils.", says_no)
    ruling.decide(says_yes, MET, LOG, "The log says that staff opened the call.")
    ruling.decide(says_no, BREACH, LOG, "The log says that staff did not open the call.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says who opened the call.")
    return ruling


def staff_ends(cases: SessionFacts) -> Ruling:
    staff, pupil = cases.staff_span[1], cases.pupil_span[1]
    by_call = cases.shows_end & ~cases.ended_as_direct_call
    says_yes, says_no = cases.yes("staff_ended"), cases.no("staff_ended")
    stayed = np.where(pupil > staff, pupil - staff, 0)
    ruling = Ruling(cases.n)
    ruling.decide(
        by_call & (stayed > cases.grace),
        BREACH,
        CALL,
        lambda i: "A pupil was in the call " + _seconds(stayed[i]) + " after the last member of staff had left.",
        says_yes,
    )
    ruling.decide(by_call, MET, CALL, "No pupil stayed after the last member of staff had left.", says_no)
    ruling.decide(says_yes, MET, LOG, "The log says that staff ended the call.")
    ruling.decide(says_no, BREACH, LOG, "The log says that staff did not end the call.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says who ended the call.")
    return ruling


def never_alone(cases: SessionFacts) -> Ruling:
    says_yes, says_no = cases.yes("pupil_left_alone"), cases.no("pupil_left_alone")
    was_alone = cases.those(cases.alone.group)
    ruling = Ruling(cases.n)
    ruling.decide(was_alone, BREACH, CALL, lambda i: _who_was_alone(cases, i), says_no)
    ruling.decide(
        cases.shows_throughout, MET, CALL, "No pupil was in the call without staff once staff had joined.", says_yes
    )
    ruling.decide(says_no, MET, LOG, "The log says that no pupil was left alone.")
    ruling.decide(says_yes, BREACH, LOG, "The log says that a pupil was left alone.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says whether a pupil was left alone.")
    return ruling


def _who_was_alone(cases: SessionFacts, sessions: Rows) -> Words:
    """The alone stretches of some sessions in words, with who was there."""
    found = cases.alone
    stretch = pd.DataFrame({"session": found.group, "alone_from": found.start, "alone_to": found.end})
    there = stretch.reset_index(names="stretch").merge(cases.pupil_stays(), on="session")
    there = there.query("start < alone_to and end > alone_from")
    there = there.drop_duplicates(["stretch", "pupil_id"]).sort_values(["stretch", "pupil_id"])
    names = there.groupby("stretch")["name"].agg([in_words, "count"])
    verb = np.where(names["count"] > 1, " were", " was").astype(object)
    since, length = cases.at(found.start), _seconds(found.end - found.start)
    words = names["in_words"] + verb + " in the call without staff from " + since + " for " + length + "."
    return words.groupby(found.group).agg(" ".join).reindex(sessions).to_numpy(object)


def cameras_on(cases: SessionFacts) -> Ruling:
    log = cases.word("cameras_on")
    recorded = _recorded(cases)[0]
    says_on, says_not = log == "yes", log.isin(["no", "no_camera", "objected"])
    no_camera, objected = log == "no_camera", log == "objected"

    seen = cases.cameras
    session, camera = seen["session"].to_numpy(), seen["camera"].to_numpy()

    def some(rows: Mask) -> Mask:
        return cases.those(session[rows])

    by_call = cases.those(session)
    short_by_call = camera == SHORT
    short = some(short_by_call | (((camera == SENT) | (camera == UNKNOWN)) & says_not[session]))
    by_log = short | ~by_call
    ruling = Ruling(cases.n)
    ruling.decide(
        short & ~no_camera & ~(objected & recorded),
        BREACH,
        np.where(some(short_by_call), CALL, LOG),
        lambda i: _camera_off(cases, log, i),
        says_on,
    )
    ruling.decide(by_log & no_camera, EXEMPT, LOG, "The log says that there is no camera.")
    ruling.decide(
        by_log & objected & recorded,
        EXEMPT,
        LOG,
        "The session was recorded and the log says that the pupil objected.",
    )
    ruling.decide(
        some((camera == UNKNOWN) & says_on[session]),
        MET,
        LOG,
        "The log says that cameras were on; the call record shows none for a pupil, which does not prove it off.",
        _all(cases),
    )
    ruling.decide(
        some(camera == UNKNOWN),
        NO_EVIDENCE,
        NOTHING,
        "The call record shows no camera of a pupil, which proves nothing, and no log says whether it was on.",
    )
    ruling.decide(by_call, MET, CALL, lambda i: _camera_on(cases, i), says_not)
    ruling.decide(says_on, MET, LOG, "The log says that pupils had their cameras on.")
    ruling.decide(objected, BREACH, LOG, "The log says that a pupil objected to the camera, but not to a recording.")
    ruling.decide(log == "no", BREACH, LOG, "The log says that cameras were not on.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says whether cameras were on.")
    return ruling


def _camera_off(cases: SessionFacts, log: pd.Categorical, sessions: Rows) -> Words:
    """Whose camera was off for too long; where the call does not show it, what the log says."""
    short = cases.cameras[cases.cameras["camera"] == SHORT]
    asked = cases.figure(lambda r: r.camera_share)[short["session"]]
    names = cases.pupil_versions.fact("name", short["row"].to_numpy())
    # Rounded down, so that what is short of 80 % is not read out as 80 %.
    words = [
        f"{name}'s camera was on for {int(share * 100)} % of their time in the call; {wanted * 100:.0f} % is asked."
        for name, share, wanted in zip(names, short["share"], asked, strict=True)
    ]
    by_call = pd.Series(words, dtype=object).groupby(short["session"].to_numpy()).agg(" ".join).reindex(sessions)
    says = np.where(
        log[sessions] == "objected",
        "The log says that a pupil objected to the camera, but the session is not known to have been recorded.",
        "The log says that cameras were not on.",
    )
    return np.where(by_call.isna(), says, by_call.to_numpy(object))


def _camera_on(cases: SessionFacts, sessions: Rows) -> Words:
    sent = cases.those(cases.cameras.loc[cases.cameras["camera"] == SENT, "session"])[sessions]
    return np.where(
        sent,
        "Every pupil sent video; Teams does not say for how long.",
        "Every pupil's camera was on for as much of their time in the call as is asked.",
    ).astype(object)


def dress(cases: SessionFacts) -> Ruling:
    return _by_log(
        cases,
        _all(cases),
        cases.yes("dress_ok"),
        cases.no("dress_ok"),
        "Everybody was dressed appropriately.",
        "Somebody was not dressed appropriately.",
    )


def public_room(cases: SessionFacts) -> Ruling:
    room, reason = cases.word("room"), cases.word("bedroom_reason")
    bedroom = room == "bedroom"
    good_reason = reason.isin(["quarantine", "only_room"])
    by_counsellor = (cases.purpose == "counselling") & cases.has_role("counsellor")
    ruling = Ruling(cases.n)
    ruling.decide(by_counsellor, EXEMPT, LOG, "A session with a school counsellor need not be in a public room.")
    ruling.decide(room == "public", MET, LOG, "The pupil was in a room where an adult can come and go freely.")
    ruling.decide(bedroom & cases.no("door_open"), BREACH, LOG, "In a bedroom with the door closed.")
    ruling.decide(
        bedroom & (reason != "") & ~good_reason,
        BREACH,
        LOG,
        "In a bedroom for a reason that the protocol does not allow.",
    )
    ruling.decide(
        bedroom & good_reason & cases.yes("door_open"),
        EXEMPT,
        LOG,
        "In a bedroom for a reason that the protocol allows, with the door open.",
    )
    ruling.decide(
        bedroom,
        NO_EVIDENCE,
        NOTHING,
        "In a bedroom; the log does not give both the reason and whether the door was open.",
    )
    ruling.decide(room != "", BREACH, LOG, "The pupil was in a room that is not a public one.")
    _unknown(ruling, cases, _all(cases))
    return ruling


def background(cases: SessionFacts) -> Ruling:
    return _by_log(
        cases,
        _all(cases),
        cases.yes("background_ok"),
        cases.no("background_ok"),
        "The background was neutral or blurred.",
        "The background was not neutral or blurred.",
    )


def academic_hours(cases: SessionFacts) -> Ruling:
    hours = cases.figure(lambda r: " to ".join(t.strftime("%H:%M") for t in r.academic_hours))

    def each(i: Rows, words: str) -> Words:
        return np.array([words.format(h) for h in hours[i]], object)

    return _by_hours(
        cases,
        cases.purpose == "academic",
        cases.in_academic_hours,
        "outside_hours",
        lambda i: each(i, "within {}."),
        lambda i: each(i, "outside {}, with parental consent given beforehand and SLT informed."),
        lambda i, covered: (
            each(i, "outside {}, and no consent given beforehand with SLT informed covers it for ")
            + cases.names(~covered, i)
            + "."
        ),
    )


def logged(cases: SessionFacts) -> Ruling:
    hours = cases.figure(lambda r: r.log_within_hours)
    late = cases.now - cases.call_ended > hours * 60 * MINUTE
    ruling = Ruling(cases.n)
    ruling.decide(cases.logged, MET, LOG, "The session is in the log.")
    ruling.decide(
        late,
        BREACH,
        CALL,
        lambda i: np.array([f"Not logged, more than {h:g} hours after the call ended." for h in hours[i]], object),
    )
    ruling.decide(
        _all(cases),
        NO_EVIDENCE,
        NOTHING,
        lambda i: np.array(
            [f"Not logged yet; there are {h:g} hours from the call's end to do it." for h in hours[i]], object
        ),
    )
    return ruling


def concern_reported(cases: SessionFacts) -> Ruling:
    arose = cases.yes("concern")
    ruling = Ruling(cases.n)
    ruling.decide(
        arose & cases.reported(), MET, REGISTER, "A concern is on record for the session and the DSP was alerted."
    )
    ruling.decide(
        arose,
        BREACH,
        REGISTER,
        "The log says that a concern arose, and no concern that reached the DSP is on record for the session.",
    )
    ruling.decide(
        cases.logged & ~cases.no("concern"), NO_EVIDENCE, NOTHING, "The log does not say whether a concern arose."
    )
    return ruling
