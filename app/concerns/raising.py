"""Concerns, about a child and about an adult's conduct: their words, and how one is opened.

What was reported is never changed; everything that happens to it afterwards is added to its events, by
`app.casework`. The two kinds are kept in registers of their own and are never one list.
"""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from app.access.concern_scope import find_conduct_team, find_dsps
from app.access.forms import list_staff_to_choose
from app.access.policy import Person
from app.access.scope import confidential
from app.access.session_detail import SessionView, get_session
from app.alerts.outbox import Alert, enqueue, shared_channel
from app.alerts.sending import send_in_background
from app.formatting import on_day_at
from app.judging.rejudge import Touched, rejudge
from app.school import School
from app.store import tables
from app.store.concerns import CATEGORIES, CHILD, CONDUCT, MOST_CATEGORIES, NOT_ASSESSED, Register
from app.store.writing import raise_revision
from app.vocabulary import Role

# No 0, 1, O or I: a reference is read out on the telephone. Not counted up, so that nobody can tell
# from their own concern's reference how many others there are.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Elsewhere:
    """Where the narrative is kept, if not here: the school's own safeguarding system, and its reference there."""

    system: str
    reference: str


def open_concern(
    connection: Connection,
    *,
    raised_by: int,
    raised_at: datetime,
    happened_at: datetime | None,
    summary: str,
    childs_words: str | None,
    told_dsp: bool | None,
    categories: Sequence[str],
    level: str,
    pupil_ids: Sequence[int],
    place: str | None = None,
    log_ref: str | None = None,
    call_id: str | None = None,
    elsewhere: Elsewhere | None = None,
) -> str:
    """Keep a concern about a child, alert each DSP of each pupil's school, and give its reference.

    `raised_by` is a staff id, both times are aware, `categories` one to three of CATEGORIES, `level`
    one of LEVELS. `log_ref` or `call_id` link the session it came out of. With `elsewhere` the summary may be
    empty. Runs in the caller's transaction, which also raises the revision and judges the linked session
    again. ValueError, without any of the words given, when something is missing or not known.
    """
    if not pupil_ids:
        raise ValueError("A concern needs a pupil: choose the child it is about.")
    reported = {
        "raised_by": raised_by,
        "raised_at": raised_at,
        "happened_at": happened_at,
        "place": place or None,
        "summary": summary,
        "childs_words": childs_words,
        "told_dsp": told_dsp,
    }
    concern_id, ref = _keep(connection, CHILD, reported, categories, level, pupil_ids, elsewhere)
    if log_ref or call_id:
        connection.execute(
            insert(tables.concern_sessions).values(concern_id=concern_id, log_ref=log_ref, call_id=call_id)
        )
    alert(connection, CHILD, concern_id, find_dsps(connection, pupil_ids, raised_at.date()), raised_at)
    return ref


@dataclass(frozen=True)
class LinkedSession:
    """A session that a concern about conduct came out of; `description` says what it was."""

    log_ref: str | None
    call_id: str | None
    description: str


def open_conduct_concern(
    connection: Connection,
    *,
    raised_by: int,
    raised_at: datetime,
    happened_at: datetime | None,
    summary: str,
    childs_words: str | None,
    told_dsp: bool | None,
    categories: Sequence[str],
    staff_ids: Sequence[int],
    others: Sequence[str] = (),
    pupil_ids: Sequence[int] = (),
    place: str | None = None,
    session: LinkedSession | None = None,
    elsewhere: Elsewhere | None = None,
) -> str:
    """Keep a concern about an adult's conduct and alert whoever may see it. `staff_ids` are named in it, and
    `others` by name, who are not on the roster. Else as `open_concern`, with CONDUCT_CATEGORIES."""
    others = [name.strip() for name in others if name.strip()]
    if not staff_ids and not others:
        raise ValueError("A concern about conduct needs the adult it is about: choose or write a name.")
    reported = {
        "raised_by": raised_by,
        "raised_at": raised_at,
        "happened_at": happened_at,
        "place": place or None,
        "summary": summary,
        "childs_words": childs_words,
        "told_dsp": told_dsp,
    }
    concern_id, ref = _keep(connection, CONDUCT, reported, categories, NOT_ASSESSED, pupil_ids, elsewhere)
    named: list[dict[str, object]] = [{"staff_id": number, "name": None} for number in dict.fromkeys(staff_ids)]
    named += [{"staff_id": None, "name": name} for name in dict.fromkeys(others)]
    connection.execute(insert(tables.conduct_named), [one | {"concern_id": concern_id} for one in named])
    if session:
        connection.execute(insert(tables.conduct_sessions).values(concern_id=concern_id, **vars(session)))
    alert(connection, CONDUCT, concern_id, find_conduct_team(connection, concern_id, raised_at.date()), raised_at)
    return ref


def _keep(
    connection: Connection,
    register: Register,
    reported: Mapping[str, object],
    categories: Sequence[str],
    level: str,
    pupil_ids: Sequence[int],
    elsewhere: Elsewhere | None,
) -> tuple[int, str]:
    """The row, its pupils and its first events; its number and reference."""
    _check(register, str(reported["summary"]), categories, level, elsewhere)
    ref = register.prefix + "".join(secrets.choice(_LETTERS) for _ in range(8))
    kept = insert(register.concerns).returning(register.concerns.c.id)
    concern_id = connection.scalar(kept.values(ref=ref, categories=";".join(dict.fromkeys(categories)), **reported))
    if concern_id is None:
        raise AssertionError("a row that was kept has a number")
    if pupil_ids:
        about = [{"concern_id": concern_id, "pupil_id": pupil} for pupil in sorted(set(pupil_ids))]
        connection.execute(insert(register.pupils), about)
    event = {"concern_id": concern_id, "occurred_at": reported["raised_at"], "actor_id": reported["raised_by"]}
    connection.execute(insert(register.events).values(event | {"kind": "opened", "level": level}))
    if elsewhere:
        content = json.dumps({"system": elsewhere.system.strip(), "reference": elsewhere.reference.strip()})
        connection.execute(insert(register.events).values(event | {"kind": "handed_over", "content": content}))
    return concern_id, ref


def alert(
    connection: Connection, register: Register, concern_id: int, staff_ids: Collection[int], at: datetime
) -> None:
    """Say to people, each once, that a concern is there for them; nobody is written to of their own."""
    event, kept = register.events.c, register.concerns.c
    told = select(event.recipient_id).where(event.concern_id == concern_id, event.kind == "alerted")
    known = set(connection.scalars(told))
    row = connection.execute(select(register.concerns).where(kept.id == concern_id)).one()
    words, kind = "", "conduct"
    if register is CHILD:
        kind = "concern"
        words = f"What kind: {'; '.join(CATEGORIES[kind].lower() for kind in row.categories.split(';'))}."
    for person in sorted(set(staff_ids) - known):
        values = {"concern_id": concern_id, "occurred_at": at, "kind": "alerted", "recipient_id": person}
        connection.execute(insert(register.events).values(values))
    to: list[int | None] = [person for person in sorted(set(staff_ids) - known) if person != row.raised_by]
    if register is CHILD and shared_channel():
        to.append(None)
    for person_or_all in to:
        enqueue(connection, Alert(person_or_all, kind, f"concern {row.ref}", at, words))


def _check(
    register: Register, summary: str, categories: Sequence[str], level: str, elsewhere: Elsewhere | None
) -> None:
    if elsewhere and not (elsewhere.system.strip() and elsewhere.reference.strip()):
        raise ValueError("A concern kept elsewhere needs the name of the system and the reference there.")
    if not elsewhere and not summary.strip():
        raise ValueError("A concern needs a summary: say in a sentence what it is about.")
    if not set(categories) <= register.categories.keys() or not 1 <= len(set(categories)) <= MOST_CATEGORIES:
        raise ValueError(f"A concern has one to {MOST_CATEGORIES} categories of: {', '.join(register.categories)}.")
    if level not in register.levels:
        raise ValueError(f"A concern's level is one of: {', '.join(register.levels)}.")


def raise_concern(
    school: School,
    person: Person,
    *,
    happened_at: datetime | None,
    summary: str,
    childs_words: str | None,
    told_dsp: bool | None,
    categories: Sequence[str],
    pupil_ids: Sequence[int],
    place: str | None = None,
    session_id: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> str:
    """Open a concern that a member of staff raises, alert the DSPs of the pupils' schools, and give its
    reference. A session is linked if it is the person's to see. ValueError, in words, if something is
    missing; whoever is no DSP has to say whether they told one in person."""
    _check_told(person, told_dsp=told_dsp)
    view = get_session(school, person, session_id) if session_id is not None else None
    with school.writing() as connection:
        ref = open_concern(
            connection,
            raised_by=person.staff_id,
            raised_at=school.now(),
            happened_at=happened_at,
            place=place,
            summary=summary,
            childs_words=childs_words or None,
            told_dsp=told_dsp,
            categories=categories,
            level=NOT_ASSESSED,
            pupil_ids=pupil_ids,
            log_ref=view.log_ref if view else None,
            call_id=view.call_ids[0] if view and view.call_ids and not view.log_ref else None,
            elsewhere=elsewhere,
        )
        if view:
            rejudge(connection, school.settings, Touched(sessions={view.session_id}), school.now())
        raise_revision(connection)
        put_on_trail(connection, school, person, f"concern {ref}, raised")
    send_in_background(school)
    return ref


def raise_conduct_concern(
    school: School,
    person: Person,
    *,
    happened_at: datetime | None,
    summary: str,
    childs_words: str | None,
    told_dsp: bool | None,
    categories: Sequence[str],
    staff_ids: Sequence[int],
    others: Sequence[str] = (),
    pupil_ids: Sequence[int] = (),
    place: str | None = None,
    session_id: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> list[str]:
    """Open a concern about an adult's conduct; the names of those who have it now, none if everybody who could
    is named in it. Nothing of it comes onto the audit trail, and no revision tells of it. Else as
    `raise_concern`."""
    _check_told(person, told_dsp=told_dsp)
    view = get_session(school, person, session_id) if session_id is not None else None
    with school.writing() as connection:
        ref = open_conduct_concern(
            connection,
            raised_by=person.staff_id,
            raised_at=school.now(),
            happened_at=happened_at,
            place=place,
            summary=summary,
            childs_words=childs_words or None,
            told_dsp=told_dsp,
            categories=categories,
            staff_ids=staff_ids,
            others=others,
            pupil_ids=pupil_ids,
            session=_as_linked(connection, view),
            elsewhere=elsewhere,
        )
        event, kept = tables.conduct_events.c, tables.conduct_concerns.c
        told = select(event.recipient_id).join(tables.conduct_concerns, kept.id == event.concern_id)
        numbers = connection.scalars(told.where(kept.ref == ref, event.kind == "alerted")).all()
    send_in_background(school)
    people = list_staff_to_choose(school, person).set_index("staff_id")["name"]
    return sorted(people[number] for number in numbers)


def _as_linked(connection: Connection, view: SessionView | None) -> LinkedSession | None:
    """A session with what it was; counselling is not written down elsewhere."""
    if view is None:
        return None
    session = tables.sessions.c
    if connection.scalar(select(session.id).where(session.id == view.session_id, ~confidential())) is None:
        return None
    call_id = view.call_ids[0] if view.call_ids and not view.log_ref else None
    if not view.log_ref and not call_id:
        return None
    when = f"{on_day_at(view.started_at)} to {view.ended_at:%H:%M}"
    broken = ", ".join(view.clauses.loc[view.clauses["outcome"] == "breach", "title"]) or "none"
    told = (
        f"{when}, {view.purpose or 'not logged'}, {view.staff_name or 'unknown'}, "
        f"with {', '.join(view.pupils['name']) or 'no pupil known'}; breaches: {broken}"
    )
    return LinkedSession(view.log_ref, call_id, told)


def _check_told(person: Person, *, told_dsp: bool | None) -> None:
    if told_dsp is None and Role.DSP not in person.roles:
        raise ValueError("Say whether you have told a DSP in person.")


def put_on_trail(connection: Connection, school: School, person: Person, about: str) -> None:
    school.add_to_trail(connection, person.email, "changed", about)
