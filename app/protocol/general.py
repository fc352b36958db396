"""The clauses of the general protocol, except those about the call itself (see `in_call`)."""

from app.protocol.clause import Heading, Reference, Remedy, clause
from app.protocol.facts import SessionFacts
from app.protocol.outcomes import BREACH, CALL, CONCERNS, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING
from app.protocol.rulings import Ruling, by_hours, by_letters, fill
from app.protocol.sessions import MINUTE
from app.vocabulary.roles import Role


@clause(
    "Parents told",
    Reference(Heading.GENERAL, 1),
    words="The school writes to parents before the first session, to introduce the service.",
    applies_to="Every session with a known pupil",
    decided_by="The register of letters: for every pupil, a letter of introduction from before the day of the session.",
    remedy=Remedy("Have the letter of introduction sent; it counts from the day after.", letter="introduction"),
)
def parents_told(facts: SessionFacts) -> Ruling:
    """General protocol, point 1: parents are told about video sessions in writing before their child has one."""
    return by_letters(facts, facts.every_session, "introduction", "letter of introduction")


@clause(
    "Allowed purpose",
    Reference(Heading.GENERAL, 2),
    words=(
        "Sessions are for music, academic tuition, counselling with a school counsellor, or a pastoral check by a "
        "tutor, HOY or HM."
    ),
    decided_by="The purpose in the log, and the role of the member of staff.",
    remedy=Remedy("Choose a purpose that is yours, or ask a colleague who may hold the session."),
)
def purpose_allowed(facts: SessionFacts) -> Ruling:
    """General protocol, point 2: sessions are for music, tuition, counselling or a check on a pupil's welfare. The last
    two are only for the staff whose task they are."""
    purpose = facts.purpose
    counselling, pastoral = purpose == "counselling", purpose == "pastoral"
    ruling = Ruling(facts)
    ruling.decide(~facts.logged, NO_EVIDENCE, NOTHING, "The session was not logged, so its purpose is not known.")
    ruling.decide(purpose == "", NO_EVIDENCE, NOTHING, "The log does not say.")
    ruling.decide(purpose == "music", MET, LOG, "Music tuition is an allowed purpose.")
    ruling.decide(purpose == "academic", MET, LOG, "Academic tuition is an allowed purpose.")
    ruling.decide(counselling & facts.has_role(Role.COUNSELLOR), MET, LOG, "Counselling by a school counsellor.")
    ruling.decide(counselling, BREACH, LOG, "Logged as counselling, by somebody who is not a school counsellor.")
    ruling.decide(
        pastoral & facts.has_role(Role.TUTOR, Role.HOY, Role.HM), MET, LOG, "A pastoral check by a tutor, HOY or HM."
    )
    ruling.decide(pastoral, BREACH, LOG, "Logged as pastoral, by somebody who is not a tutor, HOY or HM.")
    other = "The purpose is not music, academic tuition, counselling or a pastoral check."
    ruling.decide(ruling.undecided, BREACH, LOG, other)
    return ruling


@clause(
    "School account in Teams",
    Reference(Heading.GENERAL, 3),
    words="Staff of a senior school use Microsoft Teams with their school account, never a personal one.",
    applies_to="Sessions of staff of a senior school",
    decided_by="The account that took part in the call; without a call record, the log.",
)
def school_account(facts: SessionFacts) -> Ruling:
    """General protocol, point 3: staff of the senior schools use Teams, signed in with their school account."""
    platform, account = facts.word("platform"), facts.word("account")
    other_platform = (platform != "") & (platform != "teams")
    other_account = (account != "") & (account != "school")
    in_teams = (platform == "teams") & (account == "school")
    ruling = Ruling(facts, facts.senior, log_yes=in_teams, log_no=other_platform | other_account)
    ruling.decide(facts.school_account, MET, CALL, "Staff took part with their school account in Teams.")
    without = "No member of staff took part in the call with a school account."
    ruling.decide(facts.has_call & ~facts.hides_staff, BREACH, CALL, without)
    ruling.decide(other_platform, BREACH, LOG, "The log names a platform other than Teams.")
    ruling.decide(other_account, BREACH, LOG, "The log names an account other than the school's.")
    ruling.decide(in_teams, MET, LOG, "The log says that Teams was used with the school account.")
    ruling.decide_blank("The log does not give both platform and account.")
    return ruling


@clause(
    "Appropriate dress",
    Reference(Heading.GENERAL, 7),
    words="Pupils and staff are dressed appropriately.",
    decided_by="The log.",
)
def dress(facts: SessionFacts) -> Ruling:
    """General protocol, point 7: staff and pupils dress decently; at home, pupils need no uniform."""
    ruling = Ruling(facts, log_yes=facts.yes("dress_ok"), log_no=facts.no("dress_ok"))
    ruling.decide_by_log(
        if_met="Everybody was dressed appropriately.", if_breach="Somebody was not dressed appropriately."
    )
    return ruling


@clause(
    "Public room",
    Reference(Heading.GENERAL, 8),
    words=(
        "The pupil is in a room where an adult can come and go; a bedroom only in quarantine or as the only room that "
        "serves, with the door open."
    ),
    applies_to="Every session; counselling by a school counsellor is exempt",
    decided_by="The log.",
)
def public_room(facts: SessionFacts) -> Ruling:
    """General protocol, point 8: the pupil is in a room that an adult of the household can enter at any time. A bedroom
    needs a good reason and an open door. Sessions with a school counsellor are exempt."""
    room, reason = facts.word("room"), facts.word("bedroom_reason")
    in_bedroom, door_open, door_shut = room == "bedroom", facts.yes("door_open"), facts.no("door_open")
    allowed_reason = reason.isin(["quarantine", "only_room"])
    other_reason = (reason != "") & ~allowed_reason
    by_counsellor = (facts.purpose == "counselling") & facts.has_role(Role.COUNSELLOR)
    ruling = Ruling(facts)
    ruling.decide(by_counsellor, EXEMPT, LOG, "A session with a school counsellor need not be in a public room.")
    ruling.decide(room == "public", MET, LOG, "The pupil was in a room where an adult can come and go freely.")
    ruling.decide(in_bedroom & door_shut, BREACH, LOG, "The pupil was in a bedroom with the door shut.")
    not_allowed = "The pupil was in a bedroom for a reason that the protocol does not allow."
    ruling.decide(in_bedroom & other_reason, BREACH, LOG, not_allowed)
    allowed = "The pupil was in a bedroom for a reason that the protocol allows, with the door open."
    ruling.decide(in_bedroom & allowed_reason & door_open, EXEMPT, LOG, allowed)
    incomplete = "The pupil was in a bedroom; the log does not give both the reason and whether the door was open."
    ruling.decide(in_bedroom, NO_EVIDENCE, NOTHING, incomplete)
    ruling.decide(room != "", BREACH, LOG, "The pupil was in a room that is not a public one.")
    ruling.decide_blank()
    return ruling


@clause(
    "Neutral background",
    Reference(Heading.GENERAL, 9),
    words="The background is neutral or blurred and shows nothing personal.",
    decided_by="The log.",
)
def background(facts: SessionFacts) -> Ruling:
    """General protocol, point 9: the background is plain or blurred and reveals nothing personal."""
    ruling = Ruling(facts, log_yes=facts.yes("background_ok"), log_no=facts.no("background_ok"))
    ruling.decide_by_log(
        if_met="The background was neutral or blurred.", if_breach="The background was not neutral or blurred."
    )
    return ruling


@clause(
    "Tuition hours",
    Reference(Heading.GENERAL, 10),
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
    """General protocol, point 10: tuition takes place within the school's hours, unless parents consented and SLT was
    informed beforehand."""
    reasons = {
        MET: "within {hours}.",
        EXEMPT: "outside {hours}, with parental consent given beforehand and SLT informed.",
        BREACH: "outside {hours}, and no consent given beforehand with SLT informed covers it for {pupils}.",
    }
    return by_hours(facts, facts.purpose == "academic", facts.in_academic_hours, "outside_hours", reasons)


@clause(
    "Session logged",
    Reference(Heading.GENERAL, 11),
    words="Staff keep a log of every session.",
    decided_by="There is a log; a call without one is a breach once overdue.",
)
def logged(facts: SessionFacts) -> Ruling:
    """General protocol, point 11: staff log every session."""
    hours = facts.setting(lambda rules: rules.log_within_hours)
    overdue = facts.now - facts.call_ended > hours * 60 * MINUTE
    ruling = Ruling(facts)
    ruling.decide(facts.logged, MET, LOG, "The session is in the log.")
    too_late = fill("Not logged within {hours:g} hours of the end of the call.", hours=hours)
    ruling.decide(overdue, BREACH, CALL, too_late)
    in_time = fill("Not logged yet; the log is due within {hours:g} hours of the end of the call.", hours=hours)
    ruling.decide(ruling.undecided, NO_EVIDENCE, NOTHING, in_time)
    return ruling


@clause(
    "Concern reported",
    Reference(Heading.GENERAL, 11),
    words="A safeguarding concern that arises in a session is reported to the DSP.",
    applies_to="Sessions whose log says that a concern arose",
    decided_by="The register of concerns: one is linked to the session and the DSP was alerted.",
)
def concern_reported(facts: SessionFacts) -> Ruling:
    """General protocol, point 11: staff report every safeguarding concern from a session to the DSP responsible."""
    arose = facts.yes("concern")
    ruling = Ruling(facts, facts.logged & ~facts.no("concern"))
    reported = "A concern is on record for the session and the DSP was alerted."
    ruling.decide(arose & facts.reported(), MET, CONCERNS, reported)
    not_reported = (
        "The log says that a concern arose, but no concern that reached the DSP is on record for the session."
    )
    ruling.decide(arose, BREACH, CONCERNS, not_reported)
    ruling.decide(ruling.undecided, NO_EVIDENCE, NOTHING, "The log does not say whether a concern arose.")
    return ruling
