"""The clauses of the general protocol, but for those about the call itself (`in_call`)."""

import numpy as np

from app.protocol.clause import Heading, Reference, Remedy, clause
from app.protocol.facts import SessionFacts
from app.protocol.outcomes import BREACH, CALL, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING, REGISTER, Ruling, Words
from app.protocol.rulings import NOT_SAID, Rows, by_hours, by_letters, by_log, decide_rest, every_session
from app.protocol.sessions import MINUTE


@clause(
    name="parents-told",
    title="Parents told",
    reference=Reference(Heading.GENERAL, 1),
    words="The school writes to parents before the first session, to introduce the service.",
    applies_to="Every session with a known pupil",
    decided_by="The register of letters: for every pupil, a letter of introduction from before the day of the session.",
    remedy=Remedy("Have the letter of introduction sent; it counts from the day after.", letter="introduction"),
)
def parents_told(facts: SessionFacts) -> Ruling:
    """General protocol, point 1: parents read about video sessions before their child has one."""
    return by_letters(facts, every_session(facts), "introduction", "letter of introduction")


@clause(
    name="purpose-allowed",
    title="Allowed purpose",
    reference=Reference(Heading.GENERAL, 2),
    words=(
        "Sessions are for music, academic tuition, counselling with a school counsellor, or a pastoral check by a "
        "tutor, HOY or HM."
    ),
    applies_to="Every session",
    decided_by="The purpose in the log, and the role of the member of staff.",
    remedy=Remedy("Choose a purpose that is yours, or ask a colleague who may hold the session."),
)
def purpose_allowed(facts: SessionFacts) -> Ruling:
    """General protocol, point 2: sessions are for music, tuition, counselling or a check on a pupil's welfare, the last
    two by the staff whose task they are."""
    purpose = facts.purpose
    counselling, pastoral = purpose == "counselling", purpose == "pastoral"
    ruling = Ruling(facts.n)
    ruling.decide(~facts.logged, NO_EVIDENCE, NOTHING, "The session was not logged, so its purpose is not known.")
    ruling.decide(purpose == "music", MET, LOG, "Music tuition is an allowed purpose.")
    ruling.decide(purpose == "academic", MET, LOG, "Academic tuition is an allowed purpose.")
    ruling.decide(counselling & facts.has_role("counsellor"), MET, LOG, "Counselling by a school counsellor.")
    ruling.decide(counselling, BREACH, LOG, "Logged as counselling, by somebody who is not a school counsellor.")
    ruling.decide(pastoral & facts.has_role("tutor", "hoy", "hm"), MET, LOG, "A pastoral check by a tutor, HOY or HM.")
    ruling.decide(pastoral, BREACH, LOG, "Logged as pastoral, by somebody who is not a tutor, HOY or HM.")
    ruling.decide(purpose == "", NO_EVIDENCE, NOTHING, NOT_SAID)
    ruling.decide(
        every_session(facts),
        BREACH,
        LOG,
        "The purpose is not music, academic tuition, counselling or a pastoral check.",
    )
    return ruling


@clause(
    name="school-account",
    title="School account in Teams",
    reference=Reference(Heading.GENERAL, 3),
    words="Staff of a senior school use Microsoft Teams with their school account, never a personal one.",
    applies_to="Sessions of staff of a senior school",
    decided_by="The account that took part in the call; without a call record, the log.",
)
def school_account(facts: SessionFacts) -> Ruling:
    """General protocol, point 3: staff of the senior schools work in Teams, signed in with the school's account."""
    where = facts.senior
    platform, account = facts.word("platform"), facts.word("account")
    other_platform = (platform != "") & (platform != "teams")
    other_account = (account != "") & (account != "school")
    says_yes, says_no = (platform == "teams") & (account == "school"), other_platform | other_account
    by_call = where & facts.has_call
    ruling = Ruling(facts.n)
    ruling.decide(
        by_call & facts.school_account, MET, CALL, "Staff took part with their school account in Teams.", says_no
    )
    ruling.decide(by_call, BREACH, CALL, "No member of staff took part in the call with a school account.", says_yes)
    ruling.decide(where & other_platform, BREACH, LOG, "The log names a platform other than Teams.")
    ruling.decide(where & other_account, BREACH, LOG, "The log names an account other than the school's.")
    ruling.decide(where & says_yes, MET, LOG, "The log says that Teams was used with the school account.")
    decide_rest(ruling, facts, where, "The log does not give both platform and account.")
    return ruling


@clause(
    name="dress",
    title="Appropriate dress",
    reference=Reference(Heading.GENERAL, 7),
    words="Pupils and staff are dressed appropriately.",
    applies_to="Every session",
    decided_by="The log.",
)
def dress(facts: SessionFacts) -> Ruling:
    """General protocol, point 7: staff and pupils dress decently; at home, pupils need no uniform."""
    return by_log(
        facts,
        every_session(facts),
        facts.yes("dress_ok"),
        facts.no("dress_ok"),
        if_met="Everybody was dressed appropriately.",
        if_breach="Somebody was not dressed appropriately.",
    )


@clause(
    name="public-room",
    title="Public room",
    reference=Reference(Heading.GENERAL, 8),
    words=(
        "The pupil is in a room where an adult can come and go; a bedroom only in quarantine or as the only room that "
        "serves, with the door open."
    ),
    applies_to="Every session; counselling by a school counsellor is exempt",
    decided_by="The log.",
)
def public_room(facts: SessionFacts) -> Ruling:
    """General protocol, point 8: an adult of the household can walk in at any time. A bedroom needs a good reason and
    an open door. Sessions with a school counsellor are free of this."""
    room, reason = facts.word("room"), facts.word("bedroom_reason")
    in_bedroom = room == "bedroom"
    allowed_reason = reason.isin(["quarantine", "only_room"])
    by_counsellor = (facts.purpose == "counselling") & facts.has_role("counsellor")
    ruling = Ruling(facts.n)
    ruling.decide(by_counsellor, EXEMPT, LOG, "A session with a school counsellor need not be in a public room.")
    ruling.decide(room == "public", MET, LOG, "The pupil was in a room where an adult can come and go freely.")
    ruling.decide(in_bedroom & facts.no("door_open"), BREACH, LOG, "The pupil was in a bedroom with the door shut.")
    ruling.decide(
        in_bedroom & (reason != "") & ~allowed_reason,
        BREACH,
        LOG,
        "The pupil was in a bedroom for a reason that the protocol does not allow.",
    )
    ruling.decide(
        in_bedroom & allowed_reason & facts.yes("door_open"),
        EXEMPT,
        LOG,
        "The pupil was in a bedroom for a reason that the protocol allows, with the door open.",
    )
    ruling.decide(
        in_bedroom,
        NO_EVIDENCE,
        NOTHING,
        "The pupil was in a bedroom; the log does not give both the reason and whether the door was open.",
    )
    ruling.decide(room != "", BREACH, LOG, "The pupil was in a room that is not a public one.")
    decide_rest(ruling, facts, every_session(facts))
    return ruling


@clause(
    name="background",
    title="Neutral background",
    reference=Reference(Heading.GENERAL, 9),
    words="The background is neutral or blurred and shows nothing personal.",
    applies_to="Every session",
    decided_by="The log.",
)
def background(facts: SessionFacts) -> Ruling:
    """General protocol, point 9: the picture behind a person is plain or blurred and gives away nothing personal."""
    return by_log(
        facts,
        every_session(facts),
        facts.yes("background_ok"),
        facts.no("background_ok"),
        if_met="The background was neutral or blurred.",
        if_breach="The background was not neutral or blurred.",
    )


@clause(
    name="academic-hours",
    title="Tuition hours",
    reference=Reference(Heading.GENERAL, 10),
    words=(
        "Academic tuition stays within the hours; outside them only with parental consent beforehand and SLT informed."
    ),
    applies_to="Academic tuition",
    decided_by="The time pupils were in the call, else the logged time; outside the hours, the register of consents.",
    remedy=Remedy(
        "Choose a time within the hours, or ask the parents for their consent and have SLT informed before it begins.",
        consent="outside_hours",
    ),
)
def academic_hours(facts: SessionFacts) -> Ruling:
    """General protocol, point 10: tuition keeps to the school's hours, unless parents consented and SLT knew before."""
    hours = facts.setting(lambda rules: " to ".join(t.strftime("%H:%M") for t in rules.academic_hours))

    def with_hours(i: Rows, words: str) -> Words:
        return np.array([words.format(each) for each in hours[i]], object)

    return by_hours(
        facts,
        facts.purpose == "academic",
        facts.in_academic_hours,
        "outside_hours",
        if_met=lambda i: with_hours(i, "within {}."),
        if_exempt=lambda i: with_hours(i, "outside {}, with parental consent given beforehand and SLT informed."),
        if_breach=lambda i, has_consent: (
            with_hours(i, "outside {}, and no consent given beforehand with SLT informed covers it for ")
            + facts.names(~has_consent, i)
            + "."
        ),
    )


@clause(
    name="logged",
    title="Session logged",
    reference=Reference(Heading.GENERAL, 11),
    words="Staff keep a log of every session.",
    applies_to="Every session",
    decided_by="There is a log; a call without one is a breach once overdue.",
)
def logged(facts: SessionFacts) -> Ruling:
    """General protocol, point 11: staff log every session."""
    hours = facts.setting(lambda rules: rules.log_within_hours)
    overdue = facts.now - facts.call_ended > hours * 60 * MINUTE

    def with_hours(words: str) -> Words:
        return np.array([words.format(f"{each:g}") for each in hours], object)

    ruling = Ruling(facts.n)
    ruling.decide(facts.logged, MET, LOG, "The session is in the log.")
    ruling.decide(overdue, BREACH, CALL, lambda i: with_hours("Not logged within {} hours of the end of the call.")[i])
    ruling.decide(
        every_session(facts),
        NO_EVIDENCE,
        NOTHING,
        lambda i: with_hours("Not logged yet; the log is due within {} hours of the end of the call.")[i],
    )
    return ruling


@clause(
    name="concern-reported",
    title="Concern reported",
    reference=Reference(Heading.GENERAL, 11),
    words="A safeguarding concern that arises in a session is reported to the DSP.",
    applies_to="Sessions whose log says that a concern arose",
    decided_by="The register of concerns: one is linked to the session and the DSP was alerted.",
)
def concern_reported(facts: SessionFacts) -> Ruling:
    """General protocol, point 11: staff take every safeguarding concern from a session to the DSP responsible."""
    arose = facts.yes("concern")
    ruling = Ruling(facts.n)
    ruling.decide(
        arose & facts.reported(), MET, REGISTER, "A concern is on record for the session and the DSP was alerted."
    )
    ruling.decide(
        arose,
        BREACH,
        REGISTER,
        "The log says that a concern arose, but no concern that reached the DSP is on record for the session.",
    )
    ruling.decide(
        facts.logged & ~facts.no("concern"), NO_EVIDENCE, NOTHING, "The log does not say whether a concern arose."
    )
    return ruling
