"""TODO."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from app.protocol.clause import Rows, _by_hours, _by_log, _parents_told
from app.protocol.facts import SessionFacts
from app.protocol.frames import words_in
from app.protocol.outcomes import BREACH, CALL, LOG, MET, NO_EVIDENCE, NOTHING, REGISTER, Mask, Ruling, Words

# --- pastoral one-to-ones -------------------------------------------------------------------------


def one_to_one_parents_told(cases: SessionFacts) -> Ruling:
    return _parents_told(cases, "one_to_one", "letter about one-to-ones", cases.one_to_one)


def one_to_one_reason(cases: SessionFacts) -> Ruling:
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


def one_to_one_hours(cases: SessionFacts) -> Ruling:
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


def second_member_invited(cases: SessionFacts) -> Ruling:
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


def _is_second_member(cases: SessionFacts, people: pd.DataFrame, by_leader: Mask) -> Mask:
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


def adult_introduced(cases: SessionFacts) -> Ruling:
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


def home_alone_reported(cases: SessionFacts) -> Ruling:
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
