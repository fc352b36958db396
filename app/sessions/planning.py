"""Planned sessions: how the protocol judges them beforehand, and how a plan fills in the log.

A plan is judged as if it were a log, by the rules that later judge the session. Clauses with a remedy can be decided
beforehand; the others only by the session itself. Only the planner sees a plan, and it is deleted when its session is
logged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import delete, insert, select, update

from app.access.forms import is_one_to_one, list_pupils_to_choose, list_staff_to_choose
from app.access.parents import list_consents
from app.access.people import find_person
from app.access.policy import Person, describe_post
from app.judging.rejudge import preview_plans
from app.parents import consents
from app.protocol.clause import Heading, Remedy
from app.protocol.clauses import CLAUSES
from app.protocol.matching import match
from app.records import log_form
from app.records.log_form import Form
from app.records.logs import Log, parse_log
from app.records.registers import Consent
from app.records.rows import InvalidCellError, RejectedRow, reject
from app.school import School
from app.store import reading, tables
from app.vocabulary.terms import Outcome

_plan = tables.plans.c
_GOOD = (Outcome.MET, Outcome.EXEMPT)
_BEFOREHAND = [name for name, clause in CLAUSES.items() if clause.remedy]  # decided before the session begins
# A request for consent covers this much time before and after the session, because sessions start early and overrun.
MARGIN = timedelta(minutes=15)


class Verdict(StrEnum):
    """Whether a session may be held as planned. NOT_YET if something is not on record."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not yet"


class NotYoursError(Exception):
    """The plan belongs to somebody else."""


@dataclass(frozen=True)
class PlanChecks:
    """The checks of a planned session.

    - `clauses`: those that apply and are decided beforehand, with `clause`, `title`, `outcome`, `reason`, `fix` (text),
      `letter` and `consent` (the kind that would meet the clause, or "")
    - `lacking`: for each unmet clause that a letter or consent would meet, the emails of the pupils without it
    - `in_session`: the clauses that only the session itself can decide, with `clause`, `title` and `words`, those of
      one-to-ones first
    """

    clauses: pd.DataFrame
    lacking: dict[str, list[str]]
    in_session: pd.DataFrame

    @property
    def verdict(self) -> Verdict:
        return _verdict(self.clauses["outcome"])


def as_row(school: School, form: Form, person: Person) -> dict[str, str]:
    """The form of a person's plan or log as a row of a log file."""
    return log_form.as_row(form, person.email, one_to_one=is_one_to_one(school, form))


def read_plan(school: School, values: Mapping[str, str], *, planned: bool = True) -> Log | RejectedRow:
    """A plan, from the row of a log file (`as_row`), as the log that it would be, or the reason why it cannot be
    one."""
    with school.engine.connect() as connection:
        roster = reading.read_roster(connection)
    try:
        return parse_log(dict(values), roster, school.settings, school.now(), planned=planned)
    except InvalidCellError as fault:
        return reject(0, dict(values), fault)


def check_plan(school: School, person: Person, plan: Log) -> PlanChecks:
    """Check a plan clause by clause, by the settings in force on its day."""
    # Judging the session with each pupil alone shows whose letter or consent is missing, without a second rule.
    with_one_pupil = [plan.model_copy(update={"pupil_ids": (pupil,)}) for pupil in plan.pupil_ids]
    judged = _judge(school, [plan, *with_one_pupil])
    own = judged[judged["plan"] == 0].set_index("clause")
    known = own[own.index.isin(_BEFOREHAND) & (own["outcome"] != Outcome.NOT_APPLICABLE)]
    emails = list_pupils_to_choose(school, person).set_index("pupil_id")["email"]
    lacking = {}
    for name in known.index[~known["outcome"].isin(_GOOD)]:
        remedy = CLAUSES[name].remedy
        if remedy and (remedy.letter or remedy.consent):
            of_one = judged[(judged["clause"] == name) & (judged["plan"] > 0)].set_index("plan")["outcome"]
            short = [plan.pupil_ids[n - 1] for n in of_one.index[~of_one.isin(_GOOD)]]
            lacking[str(name)] = [str(emails[pupil]) for pupil in short if pupil in emails.index]
    in_session = [
        {"clause": clause.name, "title": clause.title, "words": clause.words}
        for clause in sorted(CLAUSES.values(), key=lambda clause: clause.reference.heading != Heading.ONE_TO_ONE)
        if clause.remedy is None and own.loc[clause.name, "outcome"] not in (Outcome.NOT_APPLICABLE, Outcome.EXEMPT)
    ]
    return PlanChecks(_add_remedies(known), lacking, pd.DataFrame(in_session, columns=["clause", "title", "words"]))


def judge_plans(school: School, person: Person, plans: pd.DataFrame) -> dict[str, Verdict]:
    """The verdicts on those plans (rows of `list_plans`) that have not begun, by reference."""
    coming = plans[plans["started_at"] > school.now()]
    rows = [as_row(school, create_form(row), person) for row in coming.itertuples()]
    logs = [log for row in rows if isinstance(log := read_plan(school, row), Log)]
    judged = _judge(school, logs) if logs else pd.DataFrame()
    return {
        log.ref: _verdict(judged[(judged["plan"] == place) & judged["clause"].isin(_BEFOREHAND)]["outcome"])
        for place, log in enumerate(logs)
    }


def _judge(school: School, plans: Sequence[Log]) -> pd.DataFrame:
    with school.engine.connect() as connection:
        return preview_plans(connection, school.settings, plans)


def _verdict(outcomes: pd.Series) -> Verdict:
    distinct = set(outcomes)
    if Outcome.BREACH in distinct:
        return Verdict.NO
    return Verdict.NOT_YET if Outcome.NO_EVIDENCE in distinct else Verdict.YES


def find_second_members(school: School, person: Person, log: Log) -> dict[str, str]:
    """The staff whom the protocol accepts as second member of a planned or held session: their name and post by email.
    Empty if the protocol requires no second member."""
    staff = list_staff_to_choose(school, person)
    # Each member of staff is tried, so that the rule itself decides whom it accepts.
    tried = [log.model_copy(update={"invited": (("", number),)}) for number in staff["staff_id"]]
    clauses = [name for name, clause in CLAUSES.items() if clause.remedy and clause.remedy.second_member]
    judged = _judge(school, tried)
    accepted = judged[judged["clause"].isin(clauses) & (judged["outcome"] == Outcome.MET)]["plan"]
    people = [find_person(school, email) for email in staff["email"].iloc[sorted(accepted)]]
    return {member.email: f"{member.name} · {describe_post(member)}" for member in people if member}


def _add_remedies(known: pd.DataFrame) -> pd.DataFrame:
    """The clauses decided beforehand, each with its remedy."""
    clauses = [CLAUSES[name] for name in known.index]
    remedies = [clause.remedy or Remedy("") for clause in clauses]
    return (
        known[["outcome", "reason"]]
        .reset_index()
        .assign(
            title=[clause.title for clause in clauses],
            fix=[remedy.words for remedy in remedies],
            letter=[remedy.letter for remedy in remedies],
            consent=[remedy.consent for remedy in remedies],
        )
    )


# --- saving and deleting ---------------------------------------------------------------------------


def save_plan(school: School, person: Person, plan: Log) -> None:
    """Save a plan, in place of one with the same reference. Raises NotYoursError if either is somebody else's."""
    if plan.staff_id != person.staff_id:
        raise NotYoursError("You can plan only your own sessions.")
    values = {
        "started_at": plan.started_at,
        "ended_at": plan.ended_at,
        "purpose": plan.answers["purpose"],
        "reason": plan.answers["reason"],
    }
    with school.writing() as connection:
        number = _find_own(connection, person, plan.ref)
        if number is None:
            new = insert(tables.plans).values(ref=plan.ref, staff_id=person.staff_id, changes=0, **values)
            number = connection.execute(new.returning(_plan.id)).scalar_one()
        else:
            _delete_people(connection, number)
            changed = update(tables.plans).where(_plan.id == number)
            connection.execute(changed.values(changes=_plan.changes + 1, **values))
        connection.execute(
            insert(tables.plan_pupils), [{"plan_id": number, "pupil_id": pupil} for pupil in plan.pupil_ids]
        )
        if second := {staff for _, staff in plan.invited if staff is not None}:
            connection.execute(
                insert(tables.plan_invited), [{"plan_id": number, "staff_id": n} for n in sorted(second)]
            )
        school.add_to_trail(connection, person.email, "changed", f"plan {plan.ref}")


def is_saved(school: School, person: Person, row: Any, plan: Log) -> bool:
    """Whether a row of `list_plans` is the same as a plan."""
    saved = read_plan(school, as_row(school, create_form(row), person))
    return isinstance(saved, Log) and saved.fingerprint == plan.fingerprint


def delete_plan(school: School, person: Person, ref: str) -> None:
    """Delete a plan, because it is logged or the session will not take place. Does nothing if it is already deleted.
    Raises NotYoursError if it is somebody else's."""
    with school.writing() as connection:
        number = _find_own(connection, person, ref)
        if number is None:
            return
        _delete_people(connection, number)
        connection.execute(delete(tables.plans).where(_plan.id == number))
        school.add_to_trail(connection, person.email, "changed", f"plan {ref}, deleted")


def _find_own(connection: Any, person: Person, ref: str) -> int | None:
    """The id of the person's plan, or None. Raises NotYoursError if the plan is somebody else's."""
    row = connection.execute(select(_plan.id, _plan.staff_id).where(_plan.ref == ref)).one_or_none()
    if row is None:
        return None
    if row.staff_id != person.staff_id:
        raise NotYoursError("This is somebody else's plan.")
    return int(row.id)


def _delete_people(connection: Any, number: int) -> None:
    for table in (tables.plan_pupils, tables.plan_invited):
        connection.execute(delete(table).where(table.c.plan_id == number))


# --- the consents that are missing ------------------------------------------------------------------------


def find_consents(school: School, person: Person, plan: Log, kind: str, emails: Sequence[str]) -> pd.DataFrame:
    """The consents of some pupils of a plan, one row for each pupil: `email`, `pupil` (name), `consent_id` (blank if
    none was asked for), `state` ("" if none was asked for) and `slt_informed_at`."""
    names = list_pupils_to_choose(school, person).set_index("email")["name"]
    rows = list_consents(school, person)
    fits = (rows["kind"] == kind) & (rows["covers_from"] <= plan.started_at) & (rows["covers_to"] >= plan.ended_at)
    newest = rows[fits].drop_duplicates("email").set_index("email")
    rows = newest[["consent_id", "state", "slt_informed_at"]].reindex(list(emails))
    return (
        rows.assign(pupil=names.reindex(list(emails)), state=rows["state"].fillna(""))
        .rename_axis("email")
        .reset_index()
    )


def ask_for_consents(school: School, person: Person, plan: Log, kind: str, emails: Sequence[str], reason: str) -> None:
    """Ask the parents of some pupils for their consent to a plan's time, with a reason. Raises ValueError, with a
    message to show, if there is no reason."""
    pupils = list_pupils_to_choose(school, person).set_index("email")["pupil_id"]
    for email in emails:
        request = Consent(
            pupil_id=int(pupils[email]),
            kind=kind,
            covers_from=plan.started_at - MARGIN,
            covers_to=plan.ended_at + MARGIN,
            reason=reason,
        )
        consents.ask_for_consent(school, person, request)


# --- from the plan to the form and the log -----------------------------------------------------------------


def create_form(plan: Any) -> Form:
    """The form (see `log_form`) of a plan, given as a row of `list_plans`."""
    return {
        "ref": plan.ref,
        "purpose": plan.purpose,
        "reason": plan.reason,
        "pupils": plan.pupil_emails.split(";") if plan.pupil_emails else [],
        "second": plan.second_emails.split(";") if plan.second_emails else [],
        "day": plan.started_at.date().isoformat(),
        "from": f"{plan.started_at:%H:%M}",
        "to": f"{plan.ended_at:%H:%M}",
    }


def create_log_form(plan: Any) -> Form:
    """The form of a plan's log, filled in as planned. The plan is a row of `list_plans`."""
    return {name: value for name, value in create_form(plan).items() if name != "ref"} | {"plan": plan.ref}


def fill_log_form(form: Form, plan: Any) -> Form:
    """The log form of a call (`log_form.from_call`), with what its plan says: purpose, reason and second members."""
    planned = create_log_form(plan)
    second = list(dict.fromkeys([*planned["second"], *form["second"]]))
    facts = {name: planned[name] for name in ("purpose", "reason", "plan") if planned[name]}
    return form | facts | {"second": second, "proposed": ""}


def match_plans_with_calls(school: School, calls: pd.DataFrame, plans: pd.DataFrame) -> dict[int, str]:
    """The plans (`ref`) of calls from `list_calls_to_log`, by `session_id`. They are matched by pupils and times, as
    logs are."""
    pupils, _ = pd.factorize(
        pd.Series(";".join([*plans["pupil_emails"], *calls["pupil_emails"]]).split(";"), dtype=object)
    )
    planned, called = (frame["pupil_emails"].str.count(";") + 1 for frame in (plans, calls))
    split = int(planned.sum())
    minutes = [school.settings.rules_on(when.date()).match_minutes for when in plans["started_at"]]
    matched = match(
        plans.assign(staff_id=-1),
        pd.DataFrame({"log": np.repeat(np.arange(len(plans)), planned), "pupil_id": pupils[:split]}),
        calls,
        pd.DataFrame({"call": np.repeat(np.arange(len(calls)), called), "staff_id": -1, "pupil_id": pupils[split:]}),
        np.zeros(len(calls), bool),
        (np.array(minutes) * 60_000_000).astype(np.int64),
    )
    pairs = zip(calls["session_id"].iloc[matched["call"]], plans["ref"].iloc[matched["log"]], strict=True)
    return {int(session): str(ref) for session, ref in pairs}
