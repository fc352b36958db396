"""The status of each consent, derived from its events.

An event that was struck out, because it was entered by mistake, counts nowhere. A later answer replaces an earlier one
from its own time on, in whatever order they were entered.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Subquery, and_, case, func, select

from app.store import tables

ANSWERS = ("given", "refused", "withdrawn")

_consent, _event = tables.consents.c, tables.consent_events.c


def is_not_struck() -> ColumnElement[bool]:
    """Whether an event was neither struck out nor is the striking out itself."""
    struck = tables.consent_events.alias().c.struck_event_id
    return and_(_event.struck_event_id.is_(None), _event.id.not_in(select(struck).where(struck.is_not(None))))


def select_given_consents(*conditions: ColumnElement[bool]) -> Subquery:
    """One row for each time that a consent was given: the columns of `consents` that meet the conditions,
    `given_by`, `obtained_at`, `withdrawn_at` (blank: it still holds) and `slt_informed_at`."""
    ended = func.min(case((_event.kind != "given", _event.occurred_at))).over(
        partition_by=_event.consent_id, order_by=(_event.occurred_at, _event.id), rows=(1, None)
    )
    answers = (
        select(_event.consent_id, _event.kind, _event.parent, _event.occurred_at, ended.label("withdrawn_at"))
        .join(tables.consents, _consent.id == _event.consent_id)
        .where(_event.kind.in_(ANSWERS), is_not_struck(), *conditions)
        .subquery()
    )
    return (
        select(
            tables.consents,
            answers.c.parent.label("given_by"),
            answers.c.occurred_at.label("obtained_at"),
            answers.c.withdrawn_at,
            _from_event(_event.occurred_at, ["slt_informed"]).label("slt_informed_at"),
        )
        .join(answers, answers.c.consent_id == _consent.id)
        .where(answers.c.kind == "given")
        .subquery()
    )


@cache
def consent_status() -> Subquery:
    """The status of each consent: `consent_id`, `state` ("asked", or the last answer), `answered_at` and `answered_by`
    (blank while nobody answered), `asked_at`, `asked_by` (a staff id; both blank for a consent from a file that holds
    its answer), `sent_at` (when the request went out), `sent_by` (a staff id), `slt_informed_at`, `confirmed_at` (when
    SLT confirmed that)."""
    return select(
        _consent.id.label("consent_id"),
        func.coalesce(_from_event(_event.kind, ANSWERS, last=True), "asked").label("state"),
        _from_event(_event.occurred_at, ANSWERS, last=True).label("answered_at"),
        _from_event(_event.parent, ANSWERS, last=True).label("answered_by"),
        _from_event(_event.occurred_at, ["asked"]).label("asked_at"),
        _from_event(_event.actor_id, ["asked"]).label("asked_by"),
        _from_event(_event.occurred_at, ["sent"]).label("sent_at"),
        _from_event(_event.actor_id, ["sent"]).label("sent_by"),
        _from_event(_event.occurred_at, ["slt_informed"]).label("slt_informed_at"),
        _from_event(_event.occurred_at, ["confirmed"]).label("confirmed_at"),
    ).subquery()


def _from_event(fact: Column[Any], kinds: Collection[str], *, last: bool = False) -> ScalarSelect[Any]:
    """A column of a consent's first, or last, event of some kinds."""
    order = (_event.occurred_at.desc(), _event.id.desc()) if last else (_event.occurred_at, _event.id)
    of_consent = select(fact).where(_event.consent_id == _consent.id, _event.kind.in_(kinds), is_not_struck())
    return of_consent.order_by(*order).limit(1).correlate(tables.consents).scalar_subquery()
