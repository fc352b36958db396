"""Every clause of the protocol: its name, what it means in plain words, and what decides it.

A clause is one entry in `CLAUSES`. Its `judge` gives a `Ruling` for all sessions of a `Cases` at
once: within it the first `decide` that fits a session stands, so each function reads from top to
bottom like the clause itself. The forms, charts, exports and the Protocol page follow from the entry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.protocol.cases import ENOUGH, MINUTE, SECOND, SENT, SHORT, UNKNOWN, Cases, in_words
from app.protocol.frames import ids
from app.protocol.outcomes import BREACH, CALL, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING, REGISTER, Mask, Ruling, Words

Rows = npt.NDArray[np.intp]

_NOT_LOGGED = "The session was not logged, and only a log can say."
_BLANK = "The log does not say."


@dataclass(frozen=True)
class Remedy:
    """What puts a clause right before the session begins, in words; and what of it the program can do: a letter
    or a consent of that kind, or a second member of staff to be invited."""

    words: str
    letter: str = ""
    consent: str = ""
    second_member: bool = False


@dataclass(frozen=True)
class Clause:
    """One clause: `title` and `words` are for people, `section` is the bullet of the school's text that it
    stands for, `applies` and `decided_by` say to which sessions and on what evidence. One with a `remedy` is
    decided by what is known when a session is planned; any other only the session itself can show."""

    name: str
    title: str
    words: str
    section: str
    applies: str
    decided_by: str
    of: Literal["all", "one_to_one"]
    judge: Callable[[Cases], Ruling]
    remedy: Remedy | None = None


def _all(cases: Cases) -> Mask:
    return np.ones(cases.n, bool)


def _unknown(ruling: Ruling, cases: Cases, where: Mask, blank: str = _BLANK) -> None:
    """Whatever is left of `where` has no evidence: the log is blank, or there is none."""
    ruling.decide(where & ~cases.logged, NO_EVIDENCE, NOTHING, _NOT_LOGGED)
    ruling.decide(where, NO_EVIDENCE, NOTHING, blank)


def _by_log(cases: Cases, where: Mask, kept: Mask, broken: Mask, kept_words: str, broken_words: str) -> Ruling:
    """A clause that only the log can answer."""
    ruling = Ruling(cases.n)
    ruling.decide(where & kept, MET, LOG, kept_words)
    ruling.decide(where & broken, BREACH, LOG, broken_words)
    _unknown(ruling, cases, where)
    return ruling


def _seconds(micros: npt.NDArray[np.int64]) -> pd.Series:
    """A length as people say it: "64 seconds", "5 min 10 s"."""
    whole = pd.Series(np.round(micros / SECOND).astype(np.int64))
    minutes = (whole // 60).astype("str") + " min " + (whole % 60).astype("str") + " s"
    return minutes.where(whole >= 120, whole.astype("str") + " seconds")


# --- all sessions ---------------------------------------------------------------------------------


def _parents_told(cases: Cases, kind: str, letter: str, where: Mask) -> Ruling:
    before, any_letter = cases.letters(kind)
    session = cases.pupils["session"].to_numpy()

    def some(rows: Mask) -> Mask:
        found = np.zeros(cases.n, bool)
        found[session[rows]] = True
        return found

    ruling = Ruling(cases.n)
    where = where & cases.has_pupils
    late, none = any_letter & ~before, ~any_letter
    ruling.decide(
        where & some(late),
        BREACH,
        REGISTER,
        lambda i: f"The {letter} for " + cases.names(late)[i] + " was not sent before the day of the session.",
    )
    ruling.decide(
        where & some(none),
        NO_EVIDENCE,
        NOTHING,
        lambda i: f"No {letter} is on record for " + cases.names(none)[i] + ".",
    )
    ruling.decide(where, MET, REGISTER, f"The {letter} went to every pupil's parents before the day of the session.")
    return ruling


def parents_told(cases: Cases) -> Ruling:
    return _parents_told(cases, "introduction", "letter of introduction", _all(cases))


def purpose_allowed(cases: Cases) -> Ruling:
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


def school_account(cases: Cases) -> Ruling:
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


def _recorded(cases: Cases) -> tuple[Mask, Mask, Mask]:
    """Sessions that were recorded; of which it is not known; and of which log and Graph disagree."""
    listed = cases.recorded_listed
    says_no = cases.no("recorded")
    recorded = listed | cases.yes("recorded")
    return recorded, ~recorded & ~says_no, listed & says_no


def _not_recorded(ruling: Ruling, cases: Cases, unknown: Mask) -> None:
    ruling.decide(
        unknown & ~cases.logged,
        NO_EVIDENCE,
        NOTHING,
        "The session was not logged; whether it was recorded is not known.",
    )
    ruling.decide(unknown, NO_EVIDENCE, NOTHING, "The log does not say whether the session was recorded.")


def _of_recording(cases: Cases, answer: str, kept_words: str, broken_words: str) -> Ruling:
    recorded, unknown, disputed = _recorded(cases)
    ruling = Ruling(cases.n)
    ruling.decide(recorded & cases.yes(answer), MET, LOG, kept_words, disputed)
    ruling.decide(recorded & cases.no(answer), BREACH, LOG, broken_words, disputed)
    ruling.decide(
        recorded & ~cases.logged,
        NO_EVIDENCE,
        NOTHING,
        "The session was recorded but not logged, and only a log can say.",
    )
    ruling.decide(recorded, NO_EVIDENCE, NOTHING, "The session was recorded; the log does not say.", disputed)
    _not_recorded(ruling, cases, unknown)
    return ruling


def recording_announced(cases: Cases) -> Ruling:
    return _of_recording(
        cases,
        "recording_announced",
        "Pupils were told at the start that the session would be recorded.",
        "The session was recorded, and pupils were not told at the start.",
    )


def recording_on_team(cases: Cases) -> Ruling:
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


def camera_choice(cases: Cases) -> Ruling:
    return _of_recording(
        cases,
        "cameras_off_offered",
        "Pupils could turn their cameras off while they were recorded.",
        "The session was recorded, and pupils were not offered to turn their cameras off.",
    )


def no_private_recording(cases: Cases) -> Ruling:
    return _by_log(
        cases,
        _all(cases),
        cases.no("private_recording"),
        cases.yes("private_recording"),
        "Nobody made a private recording.",
        "A private recording was made.",
    )


def staff_opens(cases: Cases) -> Ruling:
    staff, pupil = cases.staff_span[0], cases.pupil_span[0]
    by_call, rung = cases.shows_staff, cases.rung
    says_yes, says_no = cases.yes("staff_opened"), cases.no("staff_opened")
    waited = np.where(by_call & (pupil < staff), staff - np.minimum(pupil, staff), 0)
    ruling = Ruling(cases.n)
    ruling.decide(by_call & rung & cases.staff_rang, MET, CALL, "The member of staff rang the pupil.", says_no)
    ruling.decide(by_call & rung, BREACH, CALL, "The pupil rang the member of staff.", says_yes)
    ruling.decide(
        by_call & (waited > cases.grace),
        BREACH,
        CALL,
        lambda i: ("A pupil was in the call " + _seconds(waited[i]) + " before the first member of staff.").to_numpy(
            object
        ),
        says_yes,
    )
    ruling.decide(by_call, MET, CALL, "A member of staff was in the call before the pupils.", says_no)
    ruling.decide(says_yes, MET, LOG, "The log says that staff opened the call.")
    ruling.decide(says_no, BREACH, LOG, "The log says that staff did not open the call.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says who opened the call.")
    return ruling


def staff_ends(cases: Cases) -> Ruling:
    staff, pupil = cases.staff_span[1], cases.pupil_span[1]
    by_call = cases.shows_staff & ~cases.rung_off
    says_yes, says_no = cases.yes("staff_ended"), cases.no("staff_ended")
    stayed = np.where(by_call & (pupil > staff), pupil - np.minimum(pupil, staff), 0)
    ruling = Ruling(cases.n)
    ruling.decide(
        by_call & (stayed > cases.grace),
        BREACH,
        CALL,
        lambda i: (
            "A pupil was in the call " + _seconds(stayed[i]) + " after the last member of staff had left."
        ).to_numpy(object),
        says_yes,
    )
    ruling.decide(by_call, MET, CALL, "No pupil stayed after the last member of staff had left.", says_no)
    ruling.decide(says_yes, MET, LOG, "The log says that staff ended the call.")
    ruling.decide(says_no, BREACH, LOG, "The log says that staff did not end the call.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says who ended the call.")
    return ruling


def never_alone(cases: Cases) -> Ruling:
    by_call = cases.shows_staff
    says_yes, says_no = cases.yes("pupil_left_alone"), cases.no("pupil_left_alone")
    was_alone = np.zeros(cases.n, bool)
    was_alone[cases.alone.group] = True
    ruling = Ruling(cases.n)
    ruling.decide(by_call & was_alone, BREACH, CALL, lambda i: _who_was_alone(cases)[i], says_no)
    ruling.decide(by_call, MET, CALL, "No pupil was in the call without staff once staff had joined.", says_yes)
    ruling.decide(says_no, MET, LOG, "The log says that no pupil was left alone.")
    ruling.decide(says_yes, BREACH, LOG, "The log says that a pupil was left alone.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says whether a pupil was left alone.")
    return ruling


def _who_was_alone(cases: Cases) -> Words:
    """Each session's alone stretches in words, with who was there."""
    found = cases.alone
    stays = cases.pupil_stays()
    stretch = pd.DataFrame({"session": found.group, "alone_from": found.start, "alone_to": found.end})
    stretch["stretch"] = np.arange(len(stretch))
    there = stretch.merge(stays, on="session").query("start < alone_to and end > alone_from")
    there = there.drop_duplicates(["stretch", "pupil_id"]).sort_values(["stretch", "pupil_id"])
    names = there.groupby("stretch")["name"].agg([in_words, "count"])
    stretch = stretch.join(names, on="stretch")
    verb = pd.Series(np.where(stretch["count"] > 1, " were", " was"))
    since, length = cases.at(found.start), _seconds(found.end - found.start)
    stretch["words"] = stretch["in_words"] + verb + " in the call without staff from " + since + " for " + length + "."
    return stretch.groupby("session")["words"].agg(" ".join).reindex(range(cases.n)).fillna("").to_numpy(object)


def cameras_on(cases: Cases) -> Ruling:
    log = cases.word("cameras_on")
    recorded = _recorded(cases)[0]
    says_on, says_not = log == "yes", log.isin(["no", "no_camera", "objected"])
    excused = (log == "no_camera") | ((log == "objected") & recorded)

    seen = cases.cameras
    session, camera = seen["session"].to_numpy(), seen["camera"].to_numpy()
    enough = (camera == ENOUGH) | ((camera == SENT) & ~says_not[session])
    short_by_call = camera == SHORT
    short_by_log = ((camera == SENT) | (camera == UNKNOWN)) & says_not[session]
    on_by_log = (camera == UNKNOWN) & says_on[session]
    open_ = (camera == UNKNOWN) & (log[session] == "")

    def some(rows: Mask) -> Mask:
        found = np.zeros(cases.n, bool)
        found[session[rows]] = True
        return found

    by_call = np.bincount(session, minlength=cases.n) > 0
    short = some(short_by_call | short_by_log)
    decided_by = np.where(some(short_by_call), CALL, LOG).astype(np.uint8)
    ruling = Ruling(cases.n)
    ruling.decide(by_call & short & ~excused, BREACH, decided_by, lambda i: _camera_off(cases, log)[i], says_on)
    ruling.decide(
        by_call & some(open_),
        NO_EVIDENCE,
        NOTHING,
        "The call record shows no camera of a pupil, which proves nothing, and no log says whether it was on.",
    )
    ruling.decide(by_call & short & (log == "no_camera"), EXEMPT, LOG, "The log says that there is no camera.")
    ruling.decide(by_call & short, EXEMPT, LOG, "The session was recorded and the log says that the pupil objected.")
    ruling.decide(
        by_call & some(on_by_log),
        MET,
        LOG,
        "The log says that cameras were on; the call record shows none for a pupil, which does not prove it off.",
        _all(cases),
    )
    ruling.decide(by_call & some(enough), MET, CALL, lambda i: _camera_on(cases)[i], says_not)
    ruling.decide(says_on, MET, LOG, "The log says that pupils had their cameras on.")
    ruling.decide(log == "no_camera", EXEMPT, LOG, "The log says that there is no camera.")
    ruling.decide(
        (log == "objected") & recorded,
        EXEMPT,
        LOG,
        "The session was recorded and the log says that the pupil objected.",
    )
    ruling.decide(
        log == "objected", BREACH, LOG, "The log says that a pupil objected to the camera, but not to a recording."
    )
    ruling.decide(log == "no", BREACH, LOG, "The log says that cameras were not on.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says whether cameras were on.")
    return ruling


def _camera_off(cases: Cases, log: pd.Categorical) -> Words:
    seen = cases.cameras
    short = seen[seen["camera"] == SHORT]
    names = pd.Series(cases.pupil_versions.fact("name", short["row"].to_numpy()), index=short.index)
    wanted = pd.Series(cases.figure(lambda r: r.camera_share)).reindex(short["session"]).to_numpy()
    percent = (short["share"] * 100).map("{:.0f} %".format)
    words = names.fillna("A pupil").astype(object) + "'s camera was on for " + percent + " of their time in the call; "
    words += pd.Series(wanted * 100, index=short.index).map("{:.0f} % is asked.".format)
    by_session = words.groupby(short["session"]).agg(" ".join).reindex(range(cases.n))
    says = np.where(
        log == "objected",
        "The log says that a pupil objected to the camera, but the session is not known to have been recorded.",
        "The log says that cameras were not on.",
    )
    return by_session.fillna(pd.Series(says)).to_numpy(object)


def _camera_on(cases: Cases) -> Words:
    seen = cases.cameras
    sent = np.bincount(seen.loc[seen["camera"] == SENT, "session"], minlength=cases.n) > 0
    return np.where(
        sent,
        "Every pupil sent video; Teams does not say for how long.",
        "Every pupil's camera was on for as much of their time in the call as is asked.",
    ).astype(object)


def dress(cases: Cases) -> Ruling:
    return _by_log(
        cases,
        _all(cases),
        cases.yes("dress_ok"),
        cases.no("dress_ok"),
        "Everybody was dressed appropriately.",
        "Somebody was not dressed appropriately.",
    )


def public_room(cases: Cases) -> Ruling:
    room, reason = cases.word("room"), cases.word("bedroom_reason")
    bedroom = room == "bedroom"
    door_open, door_shut = cases.yes("door_open"), cases.no("door_open")
    good_reason = reason.isin(["quarantine", "only_room"])
    ruling = Ruling(cases.n)
    ruling.decide(
        cases.purpose == "counselling", EXEMPT, LOG, "A session with a school counsellor need not be in a public room."
    )
    ruling.decide(room == "public", MET, LOG, "The pupil was in a room where an adult can come and go freely.")
    ruling.decide(
        bedroom & ((reason == "") | ~(door_open | door_shut)),
        NO_EVIDENCE,
        NOTHING,
        "In a bedroom; the log does not give both the reason and whether the door was open.",
    )
    ruling.decide(
        bedroom & good_reason & door_open,
        EXEMPT,
        LOG,
        "In a bedroom for a reason that the protocol allows, with the door open.",
    )
    ruling.decide(bedroom & door_shut, BREACH, LOG, "In a bedroom with the door closed.")
    ruling.decide(bedroom, BREACH, LOG, "In a bedroom for a reason that the protocol does not allow.")
    ruling.decide(room != "", BREACH, LOG, "The pupil was in a room that is not a public one.")
    _unknown(ruling, cases, _all(cases))
    return ruling


def background(cases: Cases) -> Ruling:
    return _by_log(
        cases,
        _all(cases),
        cases.yes("background_ok"),
        cases.no("background_ok"),
        "The background was neutral or blurred.",
        "The background was not neutral or blurred.",
    )


def academic_hours(cases: Cases) -> Ruling:
    where = cases.purpose == "academic"
    inside = cases.in_academic_hours(cases.local_start, cases.local_end)
    logged_inside = cases.in_academic_hours(cases.logged_local_start, cases.logged_local_end)
    consented, covered = cases.consented("outside_hours", where & ~inside)
    disputed = cases.has_call & (inside != logged_inside)
    by = np.where(cases.has_call, CALL, LOG).astype(np.uint8)
    hours = cases.figure(lambda r: " to ".join(t.strftime("%H:%M") for t in r.academic_hours))

    def lacking(i: Rows) -> Words:
        words = (
            _the_time(cases)
            + "is outside "
            + pd.Series(hours)
            + ", and no consent given beforehand with SLT informed covers it for "
        )
        return (words + cases.names(~covered) + ".").to_numpy(object)[i]

    ruling = Ruling(cases.n)
    ruling.decide(
        where & inside,
        MET,
        by,
        lambda i: (_the_time(cases) + "is within " + pd.Series(hours) + ".").to_numpy(object)[i],
        disputed,
    )
    ruling.decide(
        where & consented,
        EXEMPT,
        REGISTER,
        lambda i: (
            _the_time(cases)
            + "is outside "
            + pd.Series(hours)
            + ", with parental consent given beforehand and SLT informed."
        ).to_numpy(object)[i],
        disputed,
    )
    ruling.decide(where, BREACH, by, lacking, disputed)
    return ruling


def _the_time(cases: Cases) -> pd.Series:
    return "The time, " + cases.at(cases.start) + " to " + cases.at(cases.end) + ", "


def logged(cases: Cases) -> Ruling:
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


def concern_reported(cases: Cases) -> Ruling:
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


# --- pastoral one-to-ones -------------------------------------------------------------------------


def one_to_one_parents_told(cases: Cases) -> Ruling:
    return _parents_told(cases, "one_to_one", "letter about one-to-ones", cases.one_to_one)


def one_to_one_reason(cases: Cases) -> Ruling:
    reason = cases.word("reason")
    allowed = reason.isin(["safeguarding", "continuity", "routine"])
    return _by_log(
        cases,
        cases.one_to_one,
        allowed,
        (reason != "") & ~allowed,
        "The reason is one that the letter to parents gives.",
        "The reason is not safeguarding, continuity of pastoral care or a routine check.",
    )


def one_to_one_hours(cases: Cases) -> Ruling:
    where = cases.one_to_one
    inside = cases.in_slot(cases.local_start, cases.local_end)
    logged_inside = cases.in_slot(cases.logged_local_start, cases.logged_local_end)
    consented, _ = cases.consented("one_to_one", where & ~inside)
    disputed = cases.has_call & (inside != logged_inside)
    by = np.where(cases.has_call, CALL, LOG).astype(np.uint8)

    def say(rest: str) -> Callable[[Rows], Words]:
        return lambda i: (_the_time(cases) + rest).to_numpy(object)[i]

    ruling = Ruling(cases.n)
    ruling.decide(where & inside, MET, by, say("is at lunchtime or in tutor time."), disputed)
    ruling.decide(
        where & consented,
        EXEMPT,
        REGISTER,
        say("is covered by a parent's consent given beforehand for the time and the reason."),
        disputed,
    )
    ruling.decide(
        where,
        BREACH,
        by,
        say(
            "is outside lunchtime and tutor time, without a parent's consent given beforehand for the time and the reason."
        ),
        disputed,
    )
    return ruling


def second_member_invited(cases: Cases) -> Ruling:
    by_senior_deputy = cases.has_role("senior_deputy_head")
    where = cases.one_to_one & ~by_senior_deputy
    by_leader = cases.has_role("hoy", "hm") & ~by_senior_deputy
    wanted = np.where(by_leader, "the Senior Deputy Head (Pastoral)", "the pupil's HOY or HM").astype(object)
    in_call, on_list, in_log = cases.took_part(), cases.invited_to_call(), cases.invited_in_log()
    call_list, log_list = _any_session(cases, on_list), _any_session(cases, in_log)

    def right(people: pd.DataFrame) -> Mask:
        people = people[where[people["session"]]]
        return _any_session(cases, people[_is_second_member(cases, people, by_leader)])

    def say(before: str, after: str) -> Callable[[Rows], Words]:
        return lambda i: (before + pd.Series(wanted[i]) + after).to_numpy(object)

    ruling = Ruling(cases.n)
    ruling.decide(where & right(in_call), MET, CALL, say("In the call took part ", "."))
    ruling.decide(where & right(on_list), MET, CALL, say("Invited to the call was ", "."))
    ruling.decide(where & right(in_log), MET, LOG, say("Invited was ", "."))
    ruling.decide(
        where & (call_list | log_list),
        BREACH,
        np.where(call_list, CALL, LOG).astype(np.uint8),
        say("Among the people in the call, or invited to it, is not ", "."),
    )
    ruling.decide(where, NO_EVIDENCE, NOTHING, say("Nothing on record says whether ", " was invited."))
    return ruling


def _any_session(cases: Cases, people: pd.DataFrame) -> Mask:
    found = np.zeros(cases.n, bool)
    found[people["session"].to_numpy(np.int64)] = True
    return found


def _is_second_member(cases: Cases, people: pd.DataFrame, by_leader: Mask) -> Mask:
    """Whether each person is who must be invited: for a HOY or HM the Senior Deputy Head, for a tutor
    the HOY of the pupil's year or the HM of the pupil's house, in the pupil's school."""
    session, staff_id = people["session"].to_numpy(np.int64), ids(people["staff_id"])
    staff, pupils = cases.staff, cases.pupil_versions
    who = staff.rows(staff_id, cases.day[session])
    pupil = (
        cases.pupils.drop_duplicates("session").set_index("session")["row"].reindex(session, fill_value=-1).to_numpy()
    )

    def has(column: str, wanted: str) -> Mask:
        lists, values = staff.fact(column, who), pupils.fact(wanted, pupil)
        pairs = (
            (str(held or "").lower().split(";"), str(value or "").lower())
            for held, value in zip(lists, values, strict=True)
        )
        return np.fromiter((value != "" and value in map(str.strip, held) for held, value in pairs), bool, len(who))

    same_school = staff.fact("school", who) == pupils.fact("school", pupil)
    hoy = staff.lists("roles", "hoy")[who] & has("year_groups", "year_group")
    hm = staff.lists("roles", "hm")[who] & has("houses", "house")
    senior_deputy = staff.lists("roles", "senior_deputy_head")[who]
    return (staff_id != cases.staff_id[session]) & np.where(by_leader[session], senior_deputy, same_school & (hoy | hm))


def adult_introduced(cases: Cases) -> Ruling:
    answers = ("adult_present", "adult_introduced", "adult_permission")
    kept = np.logical_and.reduce([cases.yes(a) for a in answers])
    broken = np.logical_or.reduce([cases.no(a) for a in answers])
    return _by_log(
        cases,
        cases.one_to_one,
        kept,
        broken,
        "An adult in the house introduced themselves on camera and gave permission.",
        "No adult was in the house, introduced themselves on camera and gave permission.",
    )


def home_alone_reported(cases: Cases) -> Ruling:
    where = cases.one_to_one
    was_alone = where & cases.yes("home_alone")
    ruling = Ruling(cases.n)
    ruling.decide(
        was_alone & cases.reported(home_alone=True),
        MET,
        REGISTER,
        "That the child was home alone is on record as a concern and the DSP was alerted.",
    )
    ruling.decide(
        was_alone,
        BREACH,
        REGISTER,
        "The log says that a child was home alone, and no concern about it that reached the DSP is on record.",
    )
    safe = cases.no("home_alone") | cases.yes("adult_present")
    ruling.decide(where & ~safe, NO_EVIDENCE, NOTHING, "The log does not say whether the child was home alone.")
    return ruling


_SESSIONS = "Every session"
_RECORDED = "Sessions that were recorded"
_ONE_TO_ONES = "One-to-ones: pastoral sessions with one pupil during remote learning"
_GENERAL = "Protocol for videoconferencing sessions"
_PASTORAL = "Pastoral one-to-one sessions"

CLAUSES: tuple[Clause, ...] = (
    Clause(
        "parents-told",
        "Parents told",
        "The school writes to parents before the first session, to introduce the service.",
        f"{_GENERAL}, 1: writing to parents",
        "Every session with a known pupil",
        "The register of letters: a letter of introduction dated before the day of the session, for every pupil.",
        "all",
        parents_told,
        Remedy("Have the letter of introduction sent; it counts from the day after.", letter="introduction"),
    ),
    Clause(
        "purpose-allowed",
        "Allowed purpose",
        "Sessions are for music, academic tuition, counselling with a school counsellor, or a pastoral check by a tutor, HOY or HM.",
        f"{_GENERAL}, 2: purposes",
        _SESSIONS,
        "The purpose in the log, and the role of the member of staff.",
        "all",
        purpose_allowed,
        Remedy("Choose a purpose that is yours, or ask a colleague who may hold the session."),
    ),
    Clause(
        "school-account",
        "School account in Teams",
        "Staff of a senior school use Microsoft Teams with their school account, never a personal one.",
        f"{_GENERAL}, 3: Teams and accounts",
        "Sessions of staff of a senior school",
        "The account that took part in the call; without a call record, the log.",
        "all",
        school_account,
    ),
    Clause(
        "recording-announced",
        "Recording announced",
        "If the session is recorded, pupils are told at the start.",
        f"{_GENERAL}, 4: recording",
        _RECORDED,
        "The log.",
        "all",
        recording_announced,
    ),
    Clause(
        "recording-on-team",
        "Recording on the Team",
        "A recording is placed on the Team, not kept privately.",
        f"{_GENERAL}, 4: recording",
        _RECORDED,
        "A channel meeting keeps it there by itself; for any other meeting, the log.",
        "all",
        recording_on_team,
    ),
    Clause(
        "camera-choice",
        "Cameras off offered",
        "While they are recorded, pupils may turn their cameras off.",
        f"{_GENERAL}, 4: recording",
        _RECORDED,
        "The log.",
        "all",
        camera_choice,
    ),
    Clause(
        "no-private-recording",
        "No private recording",
        "Neither staff nor pupils make private recordings.",
        f"{_GENERAL}, 4: recording",
        _SESSIONS,
        "The log.",
        "all",
        no_private_recording,
    ),
    Clause(
        "staff-opens",
        "Staff open the call",
        "The member of staff is in the call before the pupils.",
        f"{_GENERAL}, 5: opening and ending",
        _SESSIONS,
        "Who joined first in the call; without a telling call record, the log.",
        "all",
        staff_opens,
    ),
    Clause(
        "staff-ends",
        "Staff end the call",
        "The member of staff ends the call: no pupil stays after them.",
        f"{_GENERAL}, 5: opening and ending",
        _SESSIONS,
        "Who left last in the call; without a telling call record, the log.",
        "all",
        staff_ends,
    ),
    Clause(
        "never-alone",
        "Pupils never alone",
        "Once staff have joined, pupils are never in the call without them.",
        f"{_GENERAL}, 5: opening and ending",
        _SESSIONS,
        "Who was in the call when; without a telling call record, the log.",
        "all",
        never_alone,
    ),
    Clause(
        "cameras-on",
        "Cameras on",
        "Pupils have their cameras on and can be seen, unless they are recorded and object, or have no camera.",
        f"{_GENERAL}, 6: cameras",
        _SESSIONS,
        "Each pupil's own video in the call; where that shows nothing, the log.",
        "all",
        cameras_on,
    ),
    Clause(
        "dress",
        "Appropriate dress",
        "Pupils and staff are dressed appropriately.",
        f"{_GENERAL}, 7: dress",
        _SESSIONS,
        "The log.",
        "all",
        dress,
    ),
    Clause(
        "public-room",
        "Public room",
        "The pupil is in a room where an adult can come and go; a bedroom only in quarantine or as the only room that serves, with the door open.",
        f"{_GENERAL}, 8: the room",
        "Every session; counselling is exempt",
        "The log.",
        "all",
        public_room,
    ),
    Clause(
        "background",
        "Neutral background",
        "The background is neutral or blurred and shows nothing personal.",
        f"{_GENERAL}, 9: background",
        _SESSIONS,
        "The log.",
        "all",
        background,
    ),
    Clause(
        "academic-hours",
        "Tuition hours",
        "Academic tuition stays within the hours; outside them only with parental consent beforehand and SLT informed.",
        f"{_GENERAL}, 10: timings",
        "Academic tuition",
        "The time pupils were in the call, else the logged time; outside the hours, the register of consents.",
        "all",
        academic_hours,
        Remedy(
            "Choose a time within the hours, or ask the parents for their consent and have SLT informed before it begins.",
            consent="outside_hours",
        ),
    ),
    Clause(
        "logged",
        "Session logged",
        "Staff keep a log of every session.",
        f"{_GENERAL}, 11: log and concerns",
        _SESSIONS,
        "There is a log; a call without one is a breach once the time to log it has passed.",
        "all",
        logged,
    ),
    Clause(
        "concern-reported",
        "Concern reported",
        "A safeguarding concern that arises in a session is reported to the DSP.",
        f"{_GENERAL}, 11: log and concerns",
        "Sessions whose log says that a concern arose",
        "The register of concerns: one is linked to the session and the DSP was alerted.",
        "all",
        concern_reported,
    ),
    Clause(
        "one-to-one-parents-told",
        "Parents told of one-to-ones",
        "Parents are written to about one-to-ones during remote learning before the first takes place.",
        f"{_PASTORAL}, 1: writing to parents",
        _ONE_TO_ONES,
        "The register of letters: a letter about one-to-ones dated before the day of the session.",
        "one_to_one",
        one_to_one_parents_told,
        Remedy("Have the letter about one-to-ones sent; it counts from the day after.", letter="one_to_one"),
    ),
    Clause(
        "one-to-one-reason",
        "Reason for the one-to-one",
        "The reason is safeguarding, continuity of pastoral care or a routine check.",
        f"{_PASTORAL}, 1: reasons",
        _ONE_TO_ONES,
        "The log.",
        "one_to_one",
        one_to_one_reason,
        Remedy("Choose one of the three reasons that the letter to parents gives."),
    ),
    Clause(
        "one-to-one-hours",
        "One-to-one hours",
        "One-to-ones take place at lunchtime or in tutor time; otherwise only with a parent's consent beforehand, for the time and the reason.",
        f"{_PASTORAL}, 2: timings",
        _ONE_TO_ONES,
        "The time the pupil was in the call, else the logged time; outside, the register of consents.",
        "one_to_one",
        one_to_one_hours,
        Remedy("Choose lunchtime or tutor time, or ask a parent for consent to this time.", consent="one_to_one"),
    ),
    Clause(
        "second-member-invited",
        "Second member invited",
        "A tutor invites the pupil's HOY or HM; a HOY or HM invites the Senior Deputy Head (Pastoral).",
        f"{_PASTORAL}, 3: second member",
        f"{_ONE_TO_ONES}, but not those of the Senior Deputy Head",
        "Who took part in the call, or was invited to it, by its record or the log.",
        "one_to_one",
        second_member_invited,
        Remedy("Invite the second member of the pastoral team.", second_member=True),
    ),
    Clause(
        "adult-introduced",
        "Adult introduced",
        "An adult in the house introduces themselves on camera at the start and gives permission.",
        f"{_PASTORAL}, 4: chaperone",
        _ONE_TO_ONES,
        "The log.",
        "one_to_one",
        adult_introduced,
    ),
    Clause(
        "home-alone-reported",
        "Home alone reported",
        "A child who is not old enough to be home alone, and is, is reported to the safeguarding team.",
        f"{_PASTORAL}, 5: home alone",
        "One-to-ones whose log says that the child was home alone",
        "The register of concerns: one about it is linked and the DSP was alerted.",
        "one_to_one",
        home_alone_reported,
    ),
)
