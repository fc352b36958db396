"""What the fictional DSPs did about the concerns, and one concern about an adult's conduct."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from app.concerns.raising import Report, open_concern
from app.store import tables
from app.store.concerns import CONDUCT
from app.store.versions import list_contains, valid_on, valid_versions
from app.vocabulary import Role

_SYSTEM = "MySafeguarding"  # no product of this name is meant
# Hours after the concern was raised, what was done, and its words.
Step = tuple[int, str, dict[str, Any]]


def follow_up(connection: Connection, now: datetime, today: date) -> None:
    """The newest two wait, one of them read; the others have a level and what followed; the older half is closed."""
    concern, event = tables.concerns.c, tables.concern_events.c
    alerts = connection.execute(select(event.concern_id, event.recipient_id).where(event.kind == "alerted"))
    dsp = {alert.concern_id: alert.recipient_id for alert in alerts}
    rows = connection.execute(select(concern.id, concern.raised_at).order_by(concern.raised_at)).all()
    for place, (number, raised_at) in enumerate(rows[:-1]):
        steps: list[Step] = [(1, "read", {})]
        if place < len(rows) - 2:
            steps += _closed(place) if place < len(rows) // 2 else _open(place, today)
        _keep(connection, tables.concern_events, number, raised_at, dsp.get(number), now, steps)


def _closed(place: int) -> list[Step]:
    level = ("early help", "child protection", "monitoring")[place % 3]
    steps: list[Step] = [(20, "level", {"level": level, "text": "Spoken with the child and with home."})]
    if level == "child protection":
        steps += [
            (21, "decision", {"decision": "Refer to children's services.", "text": "What was said may be harm."}),
            (22, "referral", {"to": "Children's services, duty desk", "on": None, "reference": f"D-{4100 + place}"}),
        ]
    if place % 2:
        steps.append((30, "handed_over", {"system": _SYSTEM, "reference": f"{7000 + place}"}))
    outcome = "Handed over; followed up there." if place % 2 else "Support is in place; nothing new for three weeks."
    steps.append((21 * 24, "closed", {"outcome": outcome, "text": "Nothing is left to be done here."}))
    return steps


def _open(place: int, today: date) -> list[Step]:
    level = ("early help", "monitoring", "child protection")[place % 3]
    due = _day(today, -3 if place % 2 else 4)
    steps: list[Step] = [
        (18, "level", {"level": "early help", "text": "Spoken with the child: tired, and much alone in the evenings."}),
        (19, "action", {"what": "Ring home, and ask who is in after school.", "due": due}),
        (26, "note", {"text": "The form tutor will look in every morning this week."}),
    ]
    if level != "early help":
        steps.insert(2, (40, "level", {"level": level, "text": "After the talk with home."}))
    if place % 3 == 0:
        steps.append(
            (44, "corrected", {"field": "place", "after": "At home, in the kitchen", "text": "Told by the child."})
        )
    return steps


def _day(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()


def _keep(
    connection: Connection,
    events: Any,
    number: int,
    raised_at: datetime,
    by: int | None,
    now: datetime,
    steps: Sequence[Step],
) -> None:
    for hours, kind, said in sorted(steps, key=lambda step: step[0]):
        at = raised_at + timedelta(hours=hours)
        if at > now:
            continue
        event = {name: said.get(name) for name in ("level", "text")}
        content = {name: value for name, value in said.items() if name not in event}
        if "on" in content:
            content["on"] = at.date().isoformat()
        event |= {
            "concern_id": number,
            "occurred_at": at,
            "actor_id": by,
            "kind": kind,
            "recipient_id": by if kind == "action" else None,
        }
        event["content"] = json.dumps(content) if content else None
        connection.execute(insert(events).values(event))


def raise_about_conduct(connection: Connection, now: datetime, today: date) -> None:
    """One, raised by a HOY about a music teacher, looked into by the Senior Deputy Head."""
    hoy, leader, teacher = (
        _somebody(connection, today, role) for role in (Role.HOY, Role.SENIOR_DEPUTY_HEAD, Role.MUSIC_TEACHER)
    )
    raised_at = now - timedelta(days=6)
    report = Report(
        CONDUCT,
        summary="A pupil told me that lessons are arranged over a private messaging account, late in the evening.",
        childs_words="He said it is easier if it is just between us.",
        categories=["private_contact", "boundaries"],
        staff_ids=[teacher],
        happened_at=raised_at - timedelta(hours=3),
        place="In my office",
        told_dsp=True,
    )
    number = open_concern(connection, report, raised_by=hoy, raised_at=raised_at).concern_id
    steps: list[Step] = [
        (2, "read", {}),
        (3, "level", {"level": "lower level", "text": "No sign of harm so far; it breaks the code of conduct."}),
        (4, "action", {"what": "Speak with the Head, and ask the designated officer.", "due": _day(today, 1)}),
        (28, "decision", {"decision": "Speak with the pupil's parents first.", "text": "They may know of it."}),
    ]
    _keep(connection, tables.conduct_events, number, raised_at, leader, now, steps)


def _somebody(connection: Connection, today: date, role: Role) -> int:
    who = valid_versions(tables.staff_versions)
    query = (
        select(who.c.staff_id).where(valid_on(who, today), list_contains(who.c.roles, role)).order_by(who.c.staff_id)
    )
    return connection.scalars(query).first() or 0
