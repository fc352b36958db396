"""The reference: judges every clause for every session of a world, one session after another."""

from collections.abc import Callable
from dataclasses import dataclass

from app.settings import Settings
from app.vocabulary.terms import EvidenceKind, Outcome, Status
from tests.reference import general, one_to_one
from tests.reference.facts import NOT_APPLICABLE, Check, Facts, Records, is_kept
from tests.reference.rows import World
from tests.reference.sessions import Calendar, Session, assemble

GENERAL: dict[str, Callable[[Facts], Check]] = {
    "parents-told": general.parents_told,
    "purpose-allowed": general.purpose_allowed,
    "school-account": general.school_account,
    "recording-announced": general.recording_announced,
    "recording-on-team": general.recording_on_team,
    "camera-choice": general.camera_choice,
    "no-private-recording": general.no_private_recording,
    "staff-opens": general.staff_opens,
    "staff-ends": general.staff_ends,
    "never-alone": general.is_never_alone,
    "cameras-on": general.cameras_on,
    "dress": general.dress,
    "public-room": general.public_room,
    "background": general.background,
    "academic-hours": general.academic_hours,
    "logged": general.logged,
    "concern-reported": general.concern_reported,
}
ONE_TO_ONE: dict[str, Callable[[Facts], Check]] = {
    "one-to-one-parents-told": one_to_one.parents_told,
    "one-to-one-reason": one_to_one.reason,
    "one-to-one-hours": one_to_one.hours,
    "second-member-invited": one_to_one.second_member_invited,
    "adult-introduced": one_to_one.adult_introduced,
    "home-alone-reported": one_to_one.home_alone_reported,
}


@dataclass(frozen=True)
class Verdict:
    """A judged session: its parts, when it began, its checks by clause and its status."""

    session: Session
    start: int
    checks: dict[str, Check]
    status: Status

    @property
    def log_id(self) -> int | None:
        return self.session.log.log_id if self.session.log else None

    @property
    def call_id(self) -> str | None:
        """The matched call."""
        return self.session.calls[0].call_id if self.session.calls else None


def judge_plainly(world: World, settings: Settings, now: int) -> list[Verdict]:
    """The outcome of every clause for every session, as things are at `now`."""
    calendar = Calendar(settings)
    records = Records(world, calendar)
    return [_judge(Facts(session, records, now)) for session in assemble(world, calendar)]


def _judge(facts: Facts) -> Verdict:
    if facts.is_room_alone:
        checks = dict.fromkeys((*GENERAL, *ONE_TO_ONE), NOT_APPLICABLE)
        no_staff_came = is_kept(False, EvidenceKind.CALL)
        checks |= {"parents-told": general.parents_told(facts)}
        checks |= {"staff-opens": no_staff_came, "never-alone": no_staff_came}
    else:
        checks = {name: clause(facts) for name, clause in GENERAL.items()}
        for name, clause in ONE_TO_ONE.items():
            checks[name] = clause(facts) if facts.is_one_to_one else NOT_APPLICABLE
    return Verdict(facts.session, facts.start, checks, status_of(checks))


def status_of(checks: dict[str, Check]) -> Status:
    outcomes = {check.outcome for check in checks.values()}
    if Outcome.BREACH in outcomes:
        return Status.BREACH
    return Status.INCOMPLETE if Outcome.NO_EVIDENCE in outcomes else Status.COMPLIANT
