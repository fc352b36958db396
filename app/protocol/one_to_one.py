"""The clauses of pastoral one-to-ones."""

import numpy as np
import pandas as pd

from app.protocol.clause import Heading, Reference, Remedy, clause
from app.protocol.facts import SessionFacts
from app.protocol.frames import Mask, words_in
from app.protocol.outcomes import BREACH, CALENDAR, CALL, CONCERNS, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING
from app.protocol.rulings import Ruling, by_hours, by_letters, fill
from app.vocabulary.roles import Role

_ONE_TO_ONES = "One-to-ones: pastoral sessions with one pupil during remote learning"


@clause(
    "Parents told of one-to-ones",
    Reference(Heading.ONE_TO_ONE, 1),
    words="Parents are written to about one-to-ones during remote learning before the first takes place.",
    applies_to=_ONE_TO_ONES,
    decided_by="The register of letters: a letter about one-to-ones dated before the day of the session.",
    remedy=Remedy("Have the letter about one-to-ones sent; it counts from the day after.", letter="one_to_one"),
)
def one_to_one_parents_told(facts: SessionFacts) -> Ruling:
    """Pastoral one-to-ones, point 1: parents are told in writing beforehand that pastoral staff may meet their child
    alone."""
    return by_letters(facts, facts.one_to_one, "one_to_one", "letter about one-to-ones")


@clause(
    "Reason for the one-to-one",
    Reference(Heading.ONE_TO_ONE, 1),
    words="The reason is safeguarding, continuity of pastoral care or a routine check.",
    applies_to=_ONE_TO_ONES,
    decided_by="The log.",
    remedy=Remedy("Choose one of the three reasons that the letter to parents gives."),
)
def one_to_one_reason(facts: SessionFacts) -> Ruling:
    """Pastoral one-to-ones, point 1: the reason for the meeting is one of the three that the letter to parents
    gives."""
    reason = facts.word("reason")
    allowed = reason.isin(["safeguarding", "continuity", "routine"])
    ruling = Ruling(facts, facts.one_to_one, log_yes=allowed, log_no=(reason != "") & ~allowed)
    ruling.decide_by_log(
        if_met="The reason is one that the letter to parents gives.",
        if_breach="The reason is not safeguarding, continuity of pastoral care or a routine check.",
    )
    return ruling


@clause(
    "One-to-one hours",
    Reference(Heading.ONE_TO_ONE, 2),
    words=(
        "One-to-ones take place at lunchtime or in tutor time; otherwise only with a parent's consent beforehand, for "
        "the time and the reason."
    ),
    applies_to=_ONE_TO_ONES,
    decided_by="The time the pupil was in the call, else the logged time; outside, the register of consents.",
    remedy=Remedy("Choose lunchtime or tutor time, or ask a parent for consent to this time.", consent="one_to_one"),
)
def one_to_one_hours(facts: SessionFacts) -> Ruling:
    """Pastoral one-to-ones, point 2: one-to-ones take place at lunchtime or in tutor time, unless a parent agreed to
    another time, and the reason for it, beforehand."""
    outside = (
        "outside lunchtime and tutor time, without a parent's consent given beforehand for the time and the reason."
    )
    reasons = {
        MET: "at lunchtime or in tutor time.",
        EXEMPT: "covered by a parent's consent given beforehand for the time and the reason.",
        BREACH: outside,
    }
    return by_hours(facts, facts.one_to_one, facts.in_slot, "one_to_one", reasons)


@clause(
    "Second member invited",
    Reference(Heading.ONE_TO_ONE, 3),
    words="A tutor invites the pupil's HOY or HM; a HOY or HM invites the Senior Deputy Head (Pastoral).",
    applies_to=f"{_ONE_TO_ONES}, but not those of the Senior Deputy Head",
    decided_by="Who took part in the call, or was invited to it as the calendar shows, or else the log.",
    remedy=Remedy("Invite the second member of the pastoral team.", second_member=True),
)
def second_member_invited(facts: SessionFacts) -> Ruling:
    """Pastoral one-to-ones, point 3: a second member of the pastoral team, senior to whoever makes the call, is
    invited."""
    by_leader = facts.has_role(Role.HOY, Role.HM)
    who = np.where(by_leader, "Senior Deputy Head (Pastoral)", "pupil's HOY or HM")
    by_calendar, by_log = facts.invited_by_calendar(), facts.invited_by_log()
    has_calendar, has_log_list = facts.mask_of(by_calendar["session"]), facts.mask_of(by_log["session"])

    def includes(people: pd.DataFrame) -> Mask:
        people = people[facts.one_to_one[people["session"]]]
        return facts.mask_of(people.loc[_is_second_member(facts, people, by_leader), "session"])

    took_part, in_calendar, in_log = includes(facts.took_part()), includes(by_calendar), includes(by_log)
    ruling = Ruling(facts, facts.one_to_one & ~facts.has_role(Role.SENIOR_DEPUTY_HEAD))
    differ = has_calendar & has_log_list & (in_calendar != in_log)
    ruling.disputed |= ruling.undecided & ~took_part & differ
    ruling.decide(took_part, MET, CALL, fill("The {who} took part in the call.", who=who))
    ruling.decide(in_calendar, MET, CALENDAR, fill("The calendar shows that the {who} was invited.", who=who))
    not_in_calendar = "The {who} was not in the call, and the calendar shows that they were not invited."
    ruling.decide(has_calendar, BREACH, CALENDAR, fill(not_in_calendar, who=who))
    ruling.decide(in_log, MET, LOG, fill("The {who} was invited.", who=who))
    absent = fill("The {who} was neither in the call nor invited.", who=who)
    ruling.decide(has_log_list, BREACH, LOG, absent)
    unknown = fill("Nothing on record shows whether the {who} was invited.", who=who)
    ruling.decide(ruling.undecided, NO_EVIDENCE, NOTHING, unknown)
    return ruling


def _is_second_member(facts: SessionFacts, people: pd.DataFrame, by_leader: Mask) -> Mask:
    """For each row of `people` (`session`, `staff_id`), whether this is somebody who must be invited: if a HOY or HM
    conducted the session, the Senior Deputy Head; else the HOY of the pupil's year or the HM of the pupil's house, at
    the pupil's school."""
    session, staff_id = people["session"].to_numpy(), people["staff_id"].to_numpy()
    staff, pupils = facts.staff, facts.pupil_versions
    member = staff.rows(staff_id, facts.day[session])
    pupil = facts.only_pupil_version[session]

    def shares(column: str, pupils_column: str) -> Mask:
        pairs = zip(staff.fact(column, member), pupils.fact(pupils_column, pupil), strict=True)
        return np.array([bool(words_in(of_member) & words_in(of_pupil)) for of_member, of_pupil in pairs], bool)

    same_school = staff.fact("school", member) == pupils.fact("school", pupil)
    is_hoy = staff.lists("roles", Role.HOY)[member] & shares("year_groups", "year_group")
    is_hm = staff.lists("roles", Role.HM)[member] & shares("houses", "house")
    is_senior_deputy = staff.lists("roles", Role.SENIOR_DEPUTY_HEAD)[member]
    return np.where(by_leader[session], is_senior_deputy, same_school & (is_hoy | is_hm))


@clause(
    "Adult introduced",
    Reference(Heading.ONE_TO_ONE, 4),
    words="An adult in the house introduces themselves on camera at the start and gives permission.",
    applies_to=_ONE_TO_ONES,
    decided_by="The log.",
)
def adult_introduced(facts: SessionFacts) -> Ruling:
    """Pastoral one-to-ones, point 4: an adult is in the house, appears on camera at the start and allows the
    session."""
    present, introduced, permission = "adult_present", "adult_introduced", "adult_permission"
    not_introduced, not_permitted = facts.no(introduced), facts.no(permission)
    all_yes = facts.yes(present) & facts.yes(introduced) & facts.yes(permission)
    ruling = Ruling(facts, facts.one_to_one)
    ruling.decide(facts.no(present), BREACH, LOG, "No adult was at home.")
    neither = "The adult did not introduce themselves on camera and did not give permission."
    ruling.decide(not_introduced & not_permitted, BREACH, LOG, neither)
    ruling.decide(not_introduced, BREACH, LOG, "The adult did not introduce themselves on camera.")
    ruling.decide(not_permitted, BREACH, LOG, "The adult did not give permission.")
    ruling.decide(all_yes, MET, LOG, "An adult in the house introduced themselves on camera and gave permission.")
    ruling.decide_blank()
    return ruling


@clause(
    "Home alone reported",
    Reference(Heading.ONE_TO_ONE, 5),
    words="A child who is home alone, and too young for it, is reported to the safeguarding team.",
    applies_to="One-to-ones whose log says that the child was home alone",
    decided_by="The register of concerns: one about it is linked and the DSP was alerted.",
)
def home_alone_reported(facts: SessionFacts) -> Ruling:
    """Pastoral one-to-ones, point 5: a child who is alone at home, and not old enough for it, is reported to the
    safeguarding team."""
    was_alone = facts.yes("home_alone")
    not_alone = facts.no("home_alone") | facts.yes("adult_present")
    ruling = Ruling(facts, facts.one_to_one & (was_alone | ~not_alone))
    reported = "A concern that the child was home alone is on record, and the DSP was alerted."
    ruling.decide(was_alone & facts.reported(home_alone=True), MET, CONCERNS, reported)
    not_reported = (
        "The log says that a child was home alone, but no concern about it that reached the DSP is on record."
    )
    ruling.decide(was_alone, BREACH, CONCERNS, not_reported)
    ruling.decide(ruling.undecided, NO_EVIDENCE, NOTHING, "The log does not say whether the child was home alone.")
    return ruling
