"""The parents' registers: letters, and consents.

A person may see a pupil's letters and consents if today they are the pupil's HOY, HM or tutor, or conducted a session
with the pupil within the last year. Counselling sessions give no access. A consent to a one-to-one reveals why somebody
wants to speak to a child alone, so staff who only taught the pupil do not see it unless they asked for it themselves.
SLT reads the consents of which it was informed.
"""

from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Boolean, ColumnElement, Date, Subquery, and_, func, not_, or_, select, type_coerce

from app.access.policy import Person, get_scopes, require
from app.access.scope import SESSION, is_confidential, is_led_by, read_frame, with_staff_name
from app.records.registers import LETTERS
from app.school import School
from app.store import tables
from app.store.consents import consent_status
from app.store.versions import is_there_on, valid_on, valid_versions
from app.vocabulary import ConsentKind, Resource, Scope

_consent = tables.consents.c
_LOOK_BACK = timedelta(days=365)


def list_letters_sent(school: School, person: Person) -> pd.DataFrame:
    """The pupils at the school whose registers the person may see, and when their parents were first written to.

    Columns: `pupil_id`, `email`, `pupil` (name), `school`, `year_group`, `house`, `tutor` (name), for each kind
    of letter the day of the first one (`introduction`, `one_to_one`; blank: none), and `led`: whether the person
    writes to them, as HOY, HM or Senior Deputy Head.
    """
    require(person, Resource.PARENT_REGISTERS)
    pupil, letter, today = valid_versions(tables.pupil_versions), tables.letters.c, school.today()
    first = {
        kind: select(func.min(letter.sent_on)).where(letter.pupil_id == pupil.c.pupil_id, letter.kind == kind)
        for kind in LETTERS
    }
    led, is_tutee = is_led_by(person, Resource.PARENT_REGISTERS, pupil), pupil.c.tutor_id == person.staff_id
    query = (
        select(
            *_pupil_columns(pupil),
            *(type_coerce(day.scalar_subquery(), Date).label(kind) for kind, day in first.items()),
            type_coerce(led, Boolean).label("led"),
        )
        .join(tables.pupils, tables.pupils.c.id == pupil.c.pupil_id)
        .where(is_there_on(pupil, today), or_(led, is_tutee, _taught_by(school, person, pupil)))
        .order_by(pupil.c.name, pupil.c.pupil_id)
    )
    return read_frame(school, with_staff_name(query, "tutor", pupil.c.tutor_id, today))


def _pupil_columns(pupil: Subquery) -> list[ColumnElement[Any]]:
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
        .order_by(letter.sent_on.desc(), letter.pupil_id)
    )
    return read_frame(school, query)


def list_consents(school: School, person: Person) -> pd.DataFrame:
    """The consents that the person may see, the last asked for first.

    Columns: `consent_id`, `pupil_id`, `email`, `pupil` (name), `school`, `year_group`, `house`, `kind`,
    `covers_from`, `covers_to`, `reason`, `state` ("asked", "given", "refused", "withdrawn"), `asked_at`,
    `asked_by` (name; both blank if it came from a file), `sent_at` (when the request went to the
    parents), `answered_at`, `answered_by`, `slt_informed_at`, `own` (whether the person may enter the answer),
    `status`: the state, but without an answer "waiting", "lapsed" (its times are over) or "covered" (by another
    consent that holds), and "given_late" if its times had begun; `missing_step`: what it still needs to cover
    coming sessions, "answer", "slt" or "".
    """
    require(person, Resource.PARENT_REGISTERS)
    pupil, state = valid_versions(tables.pupil_versions), consent_status()
    own = _consents_open_to(school, person, pupil, state)
    readable = own
    if Scope.SLT_INFORMED in get_scopes(person, Resource.PARENT_REGISTERS):
        is_outside_hours = _consent.kind == ConsentKind.OUTSIDE_HOURS
        readable = or_(own, and_(is_outside_hours, state.c.slt_informed_at.is_not(None)))
    facts = ("state", "asked_at", "sent_at", "answered_at", "answered_by", "slt_informed_at")
    query = (
        select(
            _consent.id.label("consent_id"),
            *_pupil_columns(pupil),
            *(_consent[name] for name in ("kind", "covers_from", "covers_to", "reason")),
            *(state.c[name] for name in facts),
            type_coerce(own, Boolean).label("own"),
        )
        .join(state, state.c.consent_id == _consent.id)
        .join(tables.pupils, tables.pupils.c.id == _consent.pupil_id)
        .join(pupil, and_(pupil.c.pupil_id == _consent.pupil_id, valid_on(pupil, school.today())))
        .where(readable)
        .order_by(_consent.id.desc())
    )
    rows = read_frame(school, with_staff_name(query, "asked_by", state.c.asked_by, school.today()))
    return _add_status(rows, pd.Timestamp(school.now()))


def _add_status(rows: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Consents with `status` and `missing_step`, as `list_consents` describes them."""
    ahead, asked, given = rows["covers_to"] > now, rows["state"] == "asked", rows["state"] == "given"
    rows["own"] = rows["own"].fillna(value=False)  # blank if the person may only read it
    rows["status"] = rows["state"].where(~asked, "waiting").mask(asked & ~ahead, "lapsed")
    rows["status"] = rows["status"].mask(asked & rows["consent_id"].isin(_find_covered(rows)), "covered")
    rows["status"] = rows["status"].mask(given & (rows["answered_at"] > rows["covers_from"]), "given_late")
    slt_not_informed = given & ahead & (rows["kind"] == ConsentKind.OUTSIDE_HOURS) & rows["slt_informed_at"].isna()
    missing_step = pd.Series("", rows.index).mask(rows["status"] == "waiting", "answer")
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

    Columns: `event_id`, `kind` ("asked", "sent", "given", "refused", "withdrawn", "slt_informed", "struck"),
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
        .where(_consent.id == consent_id, _consents_open_to(school, person, pupil, state))
    )
    with school.engine.connect() as connection:
        return connection.scalar(query) is not None


def _consents_open_to(school: School, person: Person, pupil: Subquery, state: Subquery) -> ColumnElement[bool]:
    """The consents that a person may answer, as a condition on `consents` with their pupils and status."""
    return or_(
        is_led_by(person, Resource.PARENT_REGISTERS, pupil),
        pupil.c.tutor_id == person.staff_id,
        state.c.asked_by == person.staff_id,
        and_(_consent.kind == ConsentKind.OUTSIDE_HOURS, _taught_by(school, person, pupil)),
    )


def _taught_by(school: School, person: Person, pupil: Subquery) -> ColumnElement[bool]:
    """Whether a person conducted a session with a pupil in the last year that is not confidential."""
    participant, is_recent = tables.session_pupils.c, SESSION.day >= school.today() - _LOOK_BACK
    taught = select(participant.pupil_id).join(tables.sessions, SESSION.id == participant.session_id)
    return pupil.c.pupil_id.in_(taught.where(SESSION.staff_id == person.staff_id, is_recent, not_(is_confidential())))
