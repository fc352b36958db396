"""The fictional DSPs' casework, and one concern about an adult's conduct."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from app.concerns.raising import Report, open_concern
from app.store import tables
from app.store.concerns import CONDUCT
from app.store.versions import list_contains, valid_on, valid_versions
from app.vocabulary.roles import Role

_SYSTEM = "MySafeguarding"  # not meant as a real product
_Step = tuple[int, str, dict[str, Any]]  # hours after the concern was raised, the kind of event, and its answers


def follow_up(connection: Connection, now: datetime, today: date) -> None:
    """Add steps to the concerns. The newest is unread and the one before it only read; of the others, the older ones
    are closed and the rest are open."""
    concern, event = tables.concerns.c, tables.concern_events.c
    alerts = connection.execute(select(event.concern_id, event.recipient_id).where(event.kind == "alerted"))
    dsp = dict(alerts.all())
    rows = connection.execute(select(concern.id, concern.raised_at).order_by(concern.raised_at)).all()
    events: list[dict[str, Any]] = []
    for place, (concern_id, raised_at) in enumerate(rows[:-1]):
        steps: list[_Step] = [(1, "read", {})]
        if place < len(rows) - 2:
            steps += _list_steps_to_close(place) if place < len(rows) // 2 else _open_steps(place, today)
        events += _iter_events(concern_id, raised_at, dsp.get(concern_id), steps)
    _add_events(connection, tables.concern_events, events, now)


def _list_steps_to_close(place: int) -> list[_Step]:
    level = ("early help", "child protection", "monitoring")[place % 3]
    steps: list[_Step] = [(20, "level", {"level": level, "text": "Spoken with the child and with home."})]
    if level == "child protection":
        steps += [
            (21, "decision", {"decision": "Refer to children's services.", "text": "What was answers may be harm."}),
            (22, "referral", {"to": "Children's services, duty desk", "on": None, "reference": f"D-{4100 + place}"}),
        ]
    outcome = "Support is in place; nothing new for three weeks."
    if place % 2:
        steps.append((30, "handed_over", {"system": _SYSTEM, "reference": f"{7000 + place}"}))
        outcome = "Handed over; followed up there."
    return [*steps, (21 * 24, "closed", {"outcome": outcome, "text": "Nothing is left to be done here."})]


def _open_steps(place: int, today: date) -> list[_Step]:
    level = ("early help", "monitoring", "child protection")[place % 3]
    due = str(today + timedelta(days=-3 if place % 2 else 4))
    steps: list[_Step] = [
        (18, "level", {"level": "early help", "text": "Spoken with the child: tired, and much alone in the evenings."}),
        (19, "action", {"what": "Ring home, and ask who is in after school.", "due": due}),
        (26, "note", {"text": "The form tutor will look in every morning this week."}),
    ]
    if level != "early help":
        steps.append((40, "level", {"level": level, "text": "After the talk with home."}))
    if place % 3 == 0:
        corrected = {"field": "place", "after": "At home, in the kitchen", "text": "Told by the child."}
        steps.append((44, "corrected", corrected))
    return steps


def _add_events(connection: Connection, table: Table, events: Iterable[dict[str, Any]], now: datetime) -> None:
    """Add those events that have happened by now."""
    connection.execute(insert(table), [event for event in events if event["occurred_at"] <= now])


def _iter_events(
    concern_id: int, raised_at: datetime, actor_id: int | None, steps: Iterable[_Step]
) -> Iterator[dict[str, Any]]:
    """The steps as rows of a table of events."""
    for hours, kind, answers in steps:
        at = raised_at + timedelta(hours=hours)
        content = {name: value for name, value in answers.items() if name not in ("level", "text")}
        if kind == "referral":
            content["on"] = str(at.date())
        yield {
            "concern_id": concern_id,
            "occurred_at": at,
            "actor_id": actor_id,
            "kind": kind,
            "level": answers.get("level"),
            "recipient_id": actor_id if kind == "action" else None,
            "text": answers.get("text"),
            "content": json.dumps(content) if content else None,
        }


def raise_about_conduct(connection: Connection, now: datetime, today: date) -> None:
    """Raise a concern about a music teacher in a HOY's name, with the steps that the Senior Deputy Head took."""
    hoy, leader, teacher = (
        _find_staff(connection, today, role) for role in (Role.HOY, Role.SENIOR_DEPUTY_HEAD, Role.MUSIC_TEACHER)
    )
    raised_at = now - timedelta(days=6)
    report = Report(
        CONDUCT,
        summary="A pupil told me that lessons are arranged over a private messaging account, late in the evening.",
        childs_words="He answers it is easier if it is just between us.",
        categories=["private_contact", "boundaries"],
        staff_ids=[teacher],
        happened_at=raised_at - timedelta(hours=3),
        place="In my office",
        told_dsp=True,
    )
    concern_id = open_concern(connection, report, raised_by=hoy, raised_at=raised_at, day=today).concern_id
    due = str(today + timedelta(days=1))
    steps: list[_Step] = [
        (2, "read", {}),
        (3, "level", {"level": "lower level", "text": "No sign of harm so far; it breaks the code of conduct."}),
        (4, "action", {"what": "Speak with the Head, and ask the designated officer.", "due": due}),
        (28, "decision", {"decision": "Speak with the pupil's parents first.", "text": "They may know of it."}),
    ]
    _add_events(connection, tables.conduct_events, _iter_events(concern_id, raised_at, leader, steps), now)


def _find_staff(connection: Connection, today: date, role: Role) -> int:
    """The id of the first member of staff on the roster with the role."""
    staff = valid_versions(tables.staff_versions)
    having = select(staff.c.staff_id).where(valid_on(staff, today), list_contains(staff.c.roles, role))
    return int(connection.execute(having.order_by(staff.c.staff_id).limit(1)).scalar_one())
