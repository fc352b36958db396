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

from app.protocol.cases import MINUTE, SECOND, SENT, SHORT, UNKNOWN, Cases, in_words
from app.protocol.frames import Ints, words_in
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


def _seconds(micros: Ints) -> Words:
    """Lengths as people say them: "64 seconds", "5 min 10 s"."""
    whole = [round(length / SECOND) for length in micros.tolist()]
    return np.array([f"{s // 60} min {s % 60} s" if s >= 120 else f"{s} seconds" for s in whole], object)


# --- all sessions ---------------------------------------------------------------------------------


def _parents_told(cases: Cases, kind: str, letter: str, where: Mask) -> Ruling:
    before, any_letter = cases.letters(kind)
    session = cases.pupils["session"].to_numpy()

    def some(rows: Mask) -> Mask:
        return cases.those(session[rows])

    ruling = Ruling(cases.n)
    where = where & cases.has_pupils
    late, none = any_letter & ~before, ~any_letter
    ruling.decide(
        where & some(late),
        BREACH,
        REGISTER,
        lambda i: f"The {letter} for " + cases.names(late, i) + " was not sent before the day of the session.",
    )
    ruling.decide(
        where & some(none),
        NO_EVIDENCE,
        NOTHING,
        lambda i: f"No {letter} is on record for " + cases.names(none, i) + ".",
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
    waited = np.where(pupil < staff, staff - pupil, 0)
    ruling = Ruling(cases.n)
    ruling.decide(by_call & rung & cases.staff_rang, MET, CALL, "The member of staff rang the pupil.", says_no)
    ruling.decide(by_call & rung, BREACH, CALL, "The pupil rang the member of staff.", says_yes)
    ruling.decide(
        waited > cases.grace,
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


def staff_ends(cases: Cases) -> Ruling:
    staff, pupil = cases.staff_span[1], cases.pupil_span[1]
    by_call = cases.shows_staff & ~cases.rung_off
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


def never_alone(cases: Cases) -> Ruling:
    by_call = cases.shows_staff
    says_yes, says_no = cases.yes("pupil_left_alone"), cases.no("pupil_left_alone")
    was_alone = cases.those(cases.alone.group)
    ruling = Ruling(cases.n)
    ruling.decide(by_call & was_alone, BREACH, CALL, lambda i: _who_was_alone(cases, i), says_no)
    ruling.decide(by_call, MET, CALL, "No pupil was in the call without staff once staff had joined.", says_yes)
    ruling.decide(says_no, MET, LOG, "The log says that no pupil was left alone.")
    ruling.decide(says_yes, BREACH, LOG, "The log says that a pupil was left alone.")
    _unknown(ruling, cases, _all(cases), "Neither a call record nor the log says whether a pupil was left alone.")
    return ruling


def _who_was_alone(cases: Cases, sessions: Rows) -> Words:
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


def cameras_on(cases: Cases) -> Ruling:
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


def _camera_off(cases: Cases, log: pd.Categorical, sessions: Rows) -> Words:
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


def _camera_on(cases: Cases, sessions: Rows) -> Words:
    sent = cases.those(cases.cameras.loc[cases.cameras["camera"] == SENT, "session"])[sessions]
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


def _by_hours(
    cases: Cases,
    where: Mask,
    within: Callable[[Ints, Ints], Mask],
    consent: str,
    kept: Callable[[Rows], Words | str],
    excused: Callable[[Rows], Words | str],
    broken: Callable[[Rows, Mask], Words | str],
) -> Ruling:
    """A clause of hours, outside which a consent of that kind is needed. Its words follow "The time, 17:00 to
    17:40, is "; `broken` is told which rows of the cases' pupils have their consent."""
    inside = within(cases.local_start, cases.local_end)
    logged_inside = within(cases.logged_local_start, cases.logged_local_end)
    consented, covered = cases.consented(consent, where & ~inside)
    disputed = cases.has_call & (inside != logged_inside)
    by = np.where(cases.has_call, CALL, LOG)

    def the_time(i: Rows, rest: Words | str) -> Words:
        return "The time, " + cases.at(cases.start[i]) + " to " + cases.at(cases.end[i]) + ", is " + rest

    ruling = Ruling(cases.n)
    ruling.decide(where & inside, MET, by, lambda i: the_time(i, kept(i)), disputed)
    ruling.decide(where & consented, EXEMPT, REGISTER, lambda i: the_time(i, excused(i)), disputed)
    ruling.decide(where, BREACH, by, lambda i: the_time(i, broken(i, covered)), disputed)
    return ruling


def academic_hours(cases: Cases) -> Ruling:
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
    return _by_hours(
        cases,
        cases.one_to_one,
        cases.in_slot,
        "one_to_one",
        lambda _: "at lunchtime or in tutor time.",
        lambda _: "covered by a parent's consent given beforehand for the time and the reason.",
        lambda *_: (
            "outside lunchtime and tutor time, without a parent's consent given beforehand for the time and the reason."
        ),
    )


def second_member_invited(cases: Cases) -> Ruling:
    by_senior_deputy = cases.has_role("senior_deputy_head")
    where = cases.one_to_one & ~by_senior_deputy
    by_leader = cases.has_role("hoy", "hm")
    wanted = np.where(by_leader, "the Senior Deputy Head (Pastoral)", "the pupil's HOY or HM")
    in_call, on_list, in_log = cases.took_part(), cases.invited_to_call(), cases.invited_in_log()
    call_list, log_list = cases.those(on_list["session"]), cases.those(in_log["session"])

    def right(people: pd.DataFrame) -> Mask:
        people = people[where[people["session"]]]
        return cases.those(people.loc[_is_second_member(cases, people, by_leader), "session"])

    def say(before: str, after: str) -> Callable[[Rows], Words]:
        return lambda i: np.array([before + who + after for who in wanted[i]], object)

    ruling = Ruling(cases.n)
    ruling.decide(where & right(in_call), MET, CALL, say("In the call took part ", "."))
    ruling.decide(where & right(on_list), MET, CALL, say("Invited to the call was ", "."))
    ruling.decide(where & right(in_log), MET, LOG, say("Invited was ", "."))
    ruling.decide(
        where & (call_list | log_list),
        BREACH,
        np.where(call_list, CALL, LOG),
        say("Among the people in the call, or invited to it, is not ", "."),
    )
    ruling.decide(where, NO_EVIDENCE, NOTHING, say("Nothing on record says whether ", " was invited."))
    return ruling


def _is_second_member(cases: Cases, people: pd.DataFrame, by_leader: Mask) -> Mask:
    """Whether each person is who must be invited: for a HOY or HM the Senior Deputy Head, for a tutor
    the HOY of the pupil's year or the HM of the pupil's house, in the pupil's school. It cannot be
    whoever conducts the session."""
    session, staff_id = people["session"].to_numpy(), people["staff_id"].to_numpy()
    staff, pupils = cases.staff, cases.pupil_versions
    who = staff.rows(staff_id, cases.day[session])
    pupil = (
        cases.pupils.drop_duplicates("session").set_index("session")["row"].reindex(session, fill_value=-1).to_numpy()
    )

    def has(column: str, wanted: str) -> Mask:
        pairs = zip(staff.fact(column, who), pupils.fact(wanted, pupil), strict=True)
        return np.array([bool(words_in(value) & words_in(held)) for held, value in pairs], bool)

    same_school = staff.fact("school", who) == pupils.fact("school", pupil)
    hoy = staff.lists("roles", "hoy")[who] & has("year_groups", "year_group")
    hm = staff.lists("roles", "hm")[who] & has("houses", "house")
    senior_deputy = staff.lists("roles", "senior_deputy_head")[who]
    return np.where(by_leader[session], senior_deputy, same_school & (hoy | hm))


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
