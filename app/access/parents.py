"""The parents' registers: letters, and consents.

A person may see a pupil's letters and consents if today they are the pupil's HOY, HM or tutor, or conducted a session
with the pupil within the last year. Counselling sessions give no access. A consent to a one-to-one reveals why somebody
wants to speak to a child alone, so staff who only taught the pupil do not see it unless they asked for it themselves.
SLT reads the consents of which it was informed.
"""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Boolean, ColumnElement, Date, Select, Subquery, and_, false, func, not_, or_, select, type_coerce

from app.access.policy import Person, get_scopes, require
from app.access.scope import SESSION, is_confidential, is_led_by, read_frame, read_frame_by_name, with_staff_name
from app.protocol.frames import Mask, Versions, ids
from app.protocol.remote import find_concerned
from app.records.registers import LETTERS
from app.school import School
from app.store import tables
from app.store.consents import consent_status
from app.store.versions import is_there_on, valid_on, valid_versions
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import ConsentKind, ConsentStatus, EmailState, FamilyEmailKind

_consent, _email = tables.consents.c, tables.family_emails.c
_STATES = (EmailState.FAILED, EmailState.WAITING, EmailState.SENT)
_EMAIL_FACTS = ("state", "error", "queued_at", "sent_at")
_LOOK_BACK = timedelta(days=365)


def list_letters_sent(school: School, person: Person) -> pd.DataFrame:
    """The pupils at the school whose registers the person may see, and when their parents were first written to.

    Columns: `pupil_id`, `email`, `pupil` (name), `school`, `year_group`, `house`, `tutor` (name), for each kind
    of letter the day of the first one (`introduction`, `one_to_one`; blank: none), `contacts` (the number of addresses
    of the family on the roster), `language` (of emails to them, blank if the roster has none), `led`: whether the
    person writes to them, as HOY, HM or Senior Deputy Head, and `remote`: whether the pupil learns from home today or
    later.
    """
    require(person, Resource.PARENT_REGISTERS)
    pupil, letter, today = valid_versions(tables.pupil_versions), tables.letters.c, school.today()
    first = {
        kind: select(func.min(letter.sent_on)).where(letter.pupil_id == pupil.c.pupil_id, letter.kind == kind)
        for kind in LETTERS
    }
    led = is_led_by(person, Resource.PARENT_REGISTERS, pupil)
    query = (
        select(
            *_select_pupil_columns(pupil),
            *(type_coerce(day.scalar_subquery(), Date).label(kind) for kind, day in first.items()),
            tables.pupils.c.contact_emails.label("contacts"),
            tables.pupils.c.language,
            type_coerce(led, Boolean).label("led"),
        )
        .join(tables.pupils, tables.pupils.c.id == pupil.c.pupil_id)
        .where(is_there_on(pupil, today), _has_letters_open_to(school, person, pupil))
    )
    rows = read_frame_by_name(school, with_staff_name(query, "tutor", pupil.c.tutor_id, today), "pupil")
    rows["contacts"] = [len(cell.split(";")) if cell else 0 for cell in rows["contacts"]]
    rows["remote"] = _find_coming_remote_learning(school, rows)
    return rows


def _find_coming_remote_learning(school: School, pupils: pd.DataFrame) -> Mask:
    """Which of some pupils on the roster today learn from home today or later, with a group or by themselves."""
    today, entry = school.today(), tables.remote_pupils.c
    own = select(entry.pupil_id).where(entry.ended_at.is_(None), entry.to_day >= today)
    with school.engine.connect() as connection:
        remote = pupils["pupil_id"].isin(list(connection.scalars(own))).to_numpy(bool, copy=True)
    versions = Versions(pupils.assign(from_day=pd.Timestamp(today)), "pupil_id")
    row = versions.rows(ids(pupils["pupil_id"]), np.zeros(len(pupils), np.int64))
    for period in school.settings.remote_learning:
        if period.to >= today:
            remote |= find_concerned(versions, period.schools, period.years, period.houses)[row]
    return np.asarray(remote)


def list_letter_emails(school: School, person: Person) -> pd.DataFrame:
    """The emails with letters to the families of the pupils of `list_letters_sent`, the first one first: `pupil_id`,
    `kind`, `state` (an EmailState), `error` (why it was not accepted; blank: no reason), `queued_at`, `sent_at`. The
    addresses stay out of it."""
    require(person, Resource.PARENT_REGISTERS)
    pupil, today = valid_versions(tables.pupil_versions), school.today()
    query = (
        select(_email.pupil_id, *(_email[name] for name in ("kind", *_EMAIL_FACTS)))
        .join(pupil, and_(pupil.c.pupil_id == _email.pupil_id, is_there_on(pupil, today)))
        .where(_email.consent_id.is_(None), _has_letters_open_to(school, person, pupil))
        .order_by(_email.id)
    )
    return read_frame(school, query)


def list_consent_emails(school: School, person: Person, consent_id: int) -> pd.DataFrame:
    """The emails about a consent, if the person may answer it, the first one first: `kind`, `state`, `error`,
    `queued_at`, `sent_at`, as in `list_letter_emails`."""
    columns = (_email[name] for name in ("kind", *_EMAIL_FACTS))
    of_consent = _email.consent_id == consent_id if may_answer_consent(school, person, consent_id) else false()
    return read_frame(school, select(*columns).where(of_consent).order_by(_email.id))


def count_consent_contacts(school: School, person: Person, consent_id: int) -> int:
    """The number of addresses on the roster of the family of a consent's pupil, if the person may answer it, else 0."""
    if not may_answer_consent(school, person, consent_id):
        return 0
    query = select(tables.pupils.c.contact_emails).join(tables.consents, _consent.pupil_id == tables.pupils.c.id)
    with school.engine.connect() as connection:
        cell = connection.scalar(query.where(_consent.id == consent_id))
    return len(cell.split(";")) if cell else 0


def _has_letters_open_to(school: School, person: Person, pupil: Subquery) -> ColumnElement[bool]:
    """The pupils whose letters a person may see."""
    led = is_led_by(person, Resource.PARENT_REGISTERS, pupil)
    return or_(led, pupil.c.tutor_id == person.staff_id, _is_taught_by(school, person, pupil))


def _select_pupil_columns(pupil: Subquery) -> list[ColumnElement[Any]]:
    """`pupil_id`, `email`, `pupil` (name), `school`, `year_group`, `house`."""
    others = (pupil.c.school, pupil.c.year_group, pupil.c.house)
    return [pupil.c.pupil_id, tables.pupils.c.email, pupil.c.name.label("pupil"), *others]


def list_letters_by_day(school: School, person: Person) -> pd.DataFrame:
    """The letters on the register to the parents of the pupils whom the person leads, the last day first:
    `pupil_id`, `kind`, `sent_on`."""
    require(person, Resource.PARENT_REGISTERS)
    pupil, letter = valid_versions(tables.pupil_versions), tables.letters.c
    query = (
        select(letter.pupil_id, letter.kind, letter.sent_on)
        .join(pupil, and_(pupil.c.pupil_id == letter.pupil_id, valid_on(pupil, school.today())))
        .where(is_led_by(person, Resource.PARENT_REGISTERS, pupil))
        .order_by(letter.sent_on.desc(), letter.pupil_id, letter.id)
    )
    return read_frame(school, query)


def list_consents(school: School, person: Person) -> pd.DataFrame:
    """The consents that the person may see, the last asked for first.

    Columns: `consent_id`, `pupil_id`, `email`, `pupil` (name), `school`, `year_group`, `house`, `kind`, `covers_from`,
    `covers_to`, `reason`, `state` ("asked", "given", "refused", "withdrawn"), `asked_at`, `asked_by` (name; both blank
    if it came from a file), `sent_at` (when the request went to the parents), `answered_at`, `answered_by`,
    `slt_informed_at`, `confirmed_at` (when SLT confirmed that), and

    - `request`: its status: the EmailState of its emails, "sent" if it went out by hand, "" if it did not
    - `own`: whether the person may enter the answer; `to_slt`: whether they may confirm for SLT
    - `status`: its ConsentStatus
    - `missing_step`: what it still needs to cover coming sessions, "answer", "slt" or ""
    """
    require(person, Resource.PARENT_REGISTERS)
    pupil, state = valid_versions(tables.pupil_versions), consent_status()
    own = _is_open_to(school, person, pupil, state)
    informed: ColumnElement[bool] = false()
    if Scope.SLT_INFORMED in get_scopes(person, Resource.PARENT_REGISTERS):
        informed = and_(_consent.kind == ConsentKind.OUTSIDE_HOURS, state.c.slt_informed_at.is_not(None))
    query = _select_consents(school, pupil, state).add_columns(
        type_coerce(own, Boolean).label("own"), type_coerce(informed, Boolean).label("to_slt")
    )
    query = query.where(or_(own, informed))
    rows = read_frame(school, with_staff_name(query, "asked_by", state.c.asked_by, school.today()))
    rows["request"] = _describe_requests(school, rows)
    rows["to_slt"] = rows["to_slt"].fillna(value=False)
    return _add_status(rows, pd.Timestamp(school.now()))


def _describe_requests(school: School, rows: pd.DataFrame) -> list[str]:
    """The column `request` of `list_consents`: failed before waiting, waiting before sent."""
    requests = select(_email.consent_id, _email.state).where(_email.kind == FamilyEmailKind.REQUEST)
    states = read_frame(school, requests).groupby("consent_id")["state"].agg(set)
    by_hand = {EmailState.SENT}
    return [
        next((state for state in _STATES if state in found), "")
        for row in rows.itertuples()
        for found in (states.get(row.consent_id, by_hand if pd.notna(row.sent_at) else set()),)
    ]


def list_unanswered_requests(school: School) -> pd.DataFrame:
    """The requests for consent of pupils at the school that await an answer, for the program itself: the columns of
    `list_consents` up to `confirmed_at`, `asked_by` and `sent_by` (staff ids, blank if nobody is known)."""
    pupil, state = valid_versions(tables.pupil_versions), consent_status()
    query = _select_consents(school, pupil, state).add_columns(state.c.asked_by, state.c.sent_by)
    rows = read_frame(school, query.where(not_(pupil.c.has_left), _consent.covers_to > school.now()))
    rows = _add_status(rows.assign(own=False), pd.Timestamp(school.now()))
    return rows[rows["status"] == ConsentStatus.WAITING]


def _select_consents(school: School, pupil: Subquery, state: Subquery) -> Select[Any]:
    """Every consent with its pupil as on today and its status: the columns of `list_consents` up to
    `confirmed_at`."""
    facts = ("state", "asked_at", "sent_at", "answered_at", "answered_by", "slt_informed_at", "confirmed_at")
    return (
        select(
            _consent.id.label("consent_id"),
            *_select_pupil_columns(pupil),
            *(_consent[name] for name in ("kind", "covers_from", "covers_to", "reason")),
            *(state.c[name] for name in facts),
        )
        .join(state, state.c.consent_id == _consent.id)
        .join(tables.pupils, tables.pupils.c.id == _consent.pupil_id)
        .join(pupil, and_(pupil.c.pupil_id == _consent.pupil_id, valid_on(pupil, school.today())))
        .order_by(_consent.id.desc())
    )


def _add_status(rows: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Consents with `status` and `missing_step`, as `list_consents` describes them."""
    ahead, asked, given = rows["covers_to"] > now, rows["state"] == "asked", rows["state"] == "given"
    rows["own"] = rows["own"].fillna(value=False)  # blank if the person may only read it
    rows["status"] = rows["state"].where(~asked, ConsentStatus.WAITING).mask(asked & ~ahead, ConsentStatus.LAPSED)
    rows["status"] = rows["status"].mask(asked & rows["consent_id"].isin(_find_covered(rows)), ConsentStatus.COVERED)
    rows["status"] = rows["status"].mask(given & (rows["answered_at"] > rows["covers_from"]), ConsentStatus.GIVEN_LATE)
    slt_not_informed = given & ahead & (rows["kind"] == ConsentKind.OUTSIDE_HOURS) & rows["slt_informed_at"].isna()
    missing_step = pd.Series("", rows.index).mask(rows["status"] == ConsentStatus.WAITING, "answer")
    rows["missing_step"] = missing_step.mask(slt_not_informed, "slt")
    return rows


def _find_covered(rows: pd.DataFrame) -> pd.Series:
    """The ids of consents that nobody answered while another one that holds covers their times."""
    times = ["pupil_id", "kind", "covers_from", "covers_to"]
    asked = rows.loc[rows["state"] == "asked", ["consent_id", *times]]
    both = asked.merge(rows.loc[rows["state"] == "given", times], on=["pupil_id", "kind"], suffixes=("", "_given"))
    inside = (both["covers_from_given"] <= both["covers_from"]) & (both["covers_to_given"] >= both["covers_to"])
    return both.loc[inside, "consent_id"]


def get_consent_history(school: School, person: Person, consent_id: int) -> pd.DataFrame:
    """Everything that was entered about a consent, in order; empty if the person may not see it.

    Columns: `event_id`, `kind` ("asked", "sent", "reminded", "given", "refused", "withdrawn", "slt_informed",
    "confirmed", "struck"),
    `occurred_at`, `entered_at` (blank: before that was kept), `entered_by` (name; blank: a file), `parent`,
    `struck_event_id` (the event that this one strikes out), `reason` (for striking it out), `struck`: whether
    another event strikes this one out.
    """
    event = tables.consent_events.c
    allowed = consent_id if may_answer_consent(school, person, consent_id) else None
    columns = (event.kind, event.occurred_at, event.entered_at, event.parent, event.struck_event_id, event.reason)
    query = select(event.id.label("event_id"), *columns).where(event.consent_id == allowed).order_by(event.id)
    rows = read_frame(school, with_staff_name(query, "entered_by", event.actor_id, school.today()))
    rows["struck"] = rows["event_id"].isin(rows["struck_event_id"].dropna())
    return rows


def may_answer_consent(school: School, person: Person, consent_id: int) -> bool:
    """Whether the person may enter the answer to a consent and what follows."""
    pupil, state = valid_versions(tables.pupil_versions), consent_status()
    query = (
        select(_consent.id)
        .join(state, state.c.consent_id == _consent.id)
        .join(pupil, and_(pupil.c.pupil_id == _consent.pupil_id, valid_on(pupil, school.today())))
        .where(_consent.id == consent_id, _is_open_to(school, person, pupil, state))
    )
    with school.engine.connect() as connection:
        return connection.scalar(query) is not None


def _is_open_to(school: School, person: Person, pupil: Subquery, state: Subquery) -> ColumnElement[bool]:
    """The consents that a person may answer, as a condition on `consents` with their pupils and status."""
    return or_(
        is_led_by(person, Resource.PARENT_REGISTERS, pupil),
        pupil.c.tutor_id == person.staff_id,
        state.c.asked_by == person.staff_id,
        and_(_consent.kind == ConsentKind.OUTSIDE_HOURS, _is_taught_by(school, person, pupil)),
    )


def _is_taught_by(school: School, person: Person, pupil: Subquery) -> ColumnElement[bool]:
    """Whether a person conducted a session with a pupil in the last year that is not confidential."""
    participant, is_recent = tables.session_pupils.c, SESSION.day >= school.today() - _LOOK_BACK
    taught = select(participant.pupil_id).join(tables.sessions, SESSION.id == participant.session_id)
    return pupil.c.pupil_id.in_(taught.where(SESSION.staff_id == person.staff_id, is_recent, not_(is_confidential())))
