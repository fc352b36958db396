"""What became of each consent, read from its events.

An event that somebody struck out, because it was entered by mistake, counts nowhere. Of several answers
the later one holds from its own moment on, whenever and in whatever order they were entered.
"""

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select

from app.store import tables

ANSWERS = ("given", "refused", "withdrawn")

_consent, _event = tables.consents.c, tables.consent_events.c


def is_not_struck() -> ColumnElement[bool]:
    """Whether an event is what it was entered as: neither struck out nor the striking out itself."""
    struck = tables.consent_events.alias().c.struck_event_id
    return and_(_event.struck_event_id.is_(None), _event.id.not_in(select(struck).where(struck.is_not(None))))


def given_consents(*which: ColumnElement[bool]) -> Subquery:
    """One row for each time that a consent was given: the columns of `consents` that meet the conditions,
    `given_by`, `obtained_at`, `withdrawn_at` (blank: it still holds) and `slt_informed_at`."""
    ended = func.min(case((_event.kind != "given", _event.occurred_at))).over(
        partition_by=_event.consent_id, order_by=(_event.occurred_at, _event.id), rows=(1, None)
    )
    answers = (
        select(_event.consent_id, _event.kind, _event.parent, _event.occurred_at, ended.label("withdrawn_at"))
        .join(tables.consents, _consent.id == _event.consent_id)
        .where(_event.kind.in_(ANSWERS), is_not_struck(), *which)
        .subquery()
    )
    told = _slt_informed()
    return (
        select(
            tables.consents,
            answers.c.parent.label("given_by"),
            answers.c.occurred_at.label("obtained_at"),
            answers.c.withdrawn_at,
            told.c.slt_informed_at,
        )
        .join(answers, answers.c.consent_id == _consent.id)
        .outerjoin(told, told.c.consent_id == _consent.id)
        .where(answers.c.kind == "given")
        .subquery()
    )


def consent_status() -> Subquery:
    """How each consent stands: `consent_id`, `state` ("asked", or the last answer), `answered_at` and
    `answered_by` (blank while nobody answered), `asked_at`, `asked_by` (a staff id; both blank where only a
    file tells of it), `sent_at` (when the request went out), `slt_informed_at`."""
    latest = func.row_number().over(
        partition_by=_event.consent_id, order_by=(_event.occurred_at.desc(), _event.id.desc())
    )
    answers = (
        select(_event.consent_id, _event.kind, _event.parent, _event.occurred_at, latest.label("place"))
        .where(_event.kind.in_(ANSWERS), is_not_struck())
        .subquery()
    )
    asked = _first("asked", _event.occurred_at.label("asked_at"), _event.actor_id.label("asked_by"))
    sent, told = _first("sent", _event.occurred_at.label("sent_at")), _slt_informed()
    return (
        select(
            _consent.id.label("consent_id"),
            func.coalesce(answers.c.kind, "asked").label("state"),
            answers.c.occurred_at.label("answered_at"),
            answers.c.parent.label("answered_by"),
            asked.c.asked_at,
            asked.c.asked_by,
            sent.c.sent_at,
            told.c.slt_informed_at,
        )
        .outerjoin(answers, and_(answers.c.consent_id == _consent.id, answers.c.place == 1))
        .outerjoin(asked, asked.c.consent_id == _consent.id)
        .outerjoin(sent, sent.c.consent_id == _consent.id)
        .outerjoin(told, told.c.consent_id == _consent.id)
        .subquery()
    )


def _slt_informed() -> Subquery:
    return _first("slt_informed", _event.occurred_at.label("slt_informed_at"))


def _first(kind: str, *facts: ColumnElement[object]) -> Subquery:
    """Facts of the first event of a kind of each consent."""
    place = (
        func.row_number().over(partition_by=_event.consent_id, order_by=(_event.occurred_at, _event.id)).label("place")
    )
    rows = select(_event.consent_id, *facts, place).where(_event.kind == kind, is_not_struck()).subquery()
    first: Select[tuple[object, ...]] = select(rows).where(rows.c.place == 1)
    return first.subquery()
