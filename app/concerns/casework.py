"""Following up a concern step by step until it is closed.

Each step adds an event and changes none: STEPS says what each asks. A step carries the version of the concern that its
form was opened at; if somebody else has changed the concern since, it is not saved (`ConcernChangedError`). Steps of a
concern about a child go on the audit trail; those about conduct stay with the concern, so that nobody named in it finds
a trace.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from app.access.concern_detail import ConcernView, get_concern, list_conduct_team
from app.access.concern_history import BY_ITSELF, Entry
from app.access.concern_scope import find_conduct_team, find_dsps
from app.access.concerns import list_actions_to_do, list_leaders_to_share_with
from app.access.linked_sessions import list_sessions_to_link
from app.access.policy import Person
from app.alerts.outbox import Alert, enqueue
from app.concerns.raising import alert, put_on_trail
from app.concerns.steps import STEPS, Step
from app.formatting import on_day_at
from app.judging.rejudge import Touched, rejudge
from app.school import School
from app.store import tables
from app.store.concerns import CHILD, CONDUCT, MOST_CATEGORIES, Register, register_of
from app.store.writing import raise_revision

_ONLY = {"shared": CHILD, "unshared": CHILD, "named": CONDUCT}
_COLUMNS = ("level", "recipient_id", "text")  # what an event keeps in columns of its own


class NotYoursError(Exception):
    """The concern does not exist, or is not the person's to follow up."""


class IncompleteStepError(Exception):
    """An answer is missing or does not fit; the message says which."""


class ConcernChangedError(Exception):
    """The concern was changed meanwhile: by `entries`, to `version`. Nothing was saved."""

    def __init__(self, entries: Sequence[Entry], version: int) -> None:
        super().__init__("The concern was changed meanwhile.")
        self.entries, self.version = entries, version


def steps_for(view: ConcernView) -> dict[str, Step]:
    """The steps that make sense for a concern as it stands."""
    state = "open" if view.open else "closed"
    found = {
        kind: step
        for kind, step in STEPS.items()
        if step.when in (state, "any") and _ONLY.get(kind, view.register) is view.register
    }
    has = {
        "done": any(action.done_on is None for action in view.actions),
        "moved": any(action.done_on is None for action in view.actions),
        "unlinked": len(view.pupils) > (1 if view.register is CHILD else 0),
        "session_unlinked": bool(view.links),
        "unshared": bool(view.shared_with),
    }
    return {kind: step for kind, step in found.items() if has.get(kind, True)}


def record(school: School, person: Person, ref: str, version: int, kind: str, given: Mapping[str, Any]) -> None:
    """Add a step to a concern: `kind` one of STEPS, `given` its answers by name (days as dates, people, pupils
    and actions by number, a session as (log reference, call id, words)). `closed` takes `although` (true: actions
    may be open), `corrected` takes `after`, the field's new value. NotYoursError, IncompleteStepError,
    ConcernChangedError."""
    with school.writing() as connection:
        view = get_concern(school, person, ref)
        if view is None or not view.may_change or kind not in steps_for(view):
            raise NotYoursError(
                "You cannot change this concern, or it has been closed or reopened meanwhile. Open it again to see."
            )
        if view.version != version:
            raise ConcernChangedError(since(view, version), view.version)
        answers = _answered(school, person, view, kind, given)
        number = connection.scalar(select(view.register.concerns.c.id).where(view.register.concerns.c.ref == ref))
        if number is None:
            raise AssertionError("a concern that was found has a number")
        event = {"concern_id": number, "occurred_at": school.now(), "actor_id": person.staff_id, "kind": kind}
        event |= {name: answers.pop(name, None) for name in _COLUMNS}
        content = json.dumps(answers) if answers else None
        connection.execute(insert(view.register.events).values(event | {"content": content}))
        _follow(connection, school, view.register, number, kind, answers | {"recipient_id": event["recipient_id"]})
        if view.register is CHILD:
            put_on_trail(connection, school, person, f"concern {ref}, {kind.replace('_', ' ')}")
            raise_revision(connection)


def since(view: ConcernView, version: int) -> list[Entry]:
    """What people did to a concern after a version, in its order."""
    return [entry for entry in view.entries if entry.number > version and entry.kind not in BY_ITSELF]


def _answered(school: School, person: Person, view: ConcernView, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as an event keeps them. IncompleteStepError where one is missing or does not fit."""
    answers: dict[str, Any] = {}
    for ask in STEPS[kind].asks:
        value = given.get(ask.name)
        value = value.strip() if isinstance(value, str) else value
        if value is None or value == "":
            if ask.needed:
                raise IncompleteStepError(f"Answer “{ask.question}”.")
            continue
        if ask.what in ("session", "session_of"):
            answers |= dict(zip(("log_ref", "call_id"), value[:2], strict=True))
            if view.register is CONDUCT:
                answers["words"] = value[2]
        else:
            answers[ask.name] = value.isoformat() if isinstance(value, date) else value
    checks = {
        "level": _check_level,
        "action": _check_owner,
        "moved": _check_owner,
        "done": _check_done,
        "named": _check_named,
        "corrected": _check_corrected,
        "closed": _check_closed,
        "linked": _check_linked,
        "shared": _check_shared,
    }
    if check := checks.get(kind):
        check(school, person, view, given, answers)
    if kind in ("session_linked", "session_unlinked"):
        _check_session(school, person, view, kind, answers)
    return answers


def _check_level(_s: Any, _p: Any, view: ConcernView, _given: Any, answers: dict[str, Any]) -> None:
    if answers["level"] not in view.register.levels:
        raise IncompleteStepError("Choose a level.")
    if answers["level"] == view.level:
        raise IncompleteStepError(f"The level is already {view.level}.")


def _check_owner(school: School, person: Person, view: ConcernView, _given: Any, answers: dict[str, Any]) -> None:
    if view.register is CONDUCT and answers["recipient_id"] not in list_conduct_team(school, person, view.ref):
        raise IncompleteStepError(
            "Choose a DSP or Senior Deputy Head whom it does not name: nobody else may know of it."
        )
    _check_action(view, answers)


def _check_action(view: ConcernView, answers: dict[str, Any]) -> None:
    waiting = {action.number for action in view.actions if action.done_on is None}
    if "action" in answers and answers["action"] not in waiting:
        raise IncompleteStepError("That action has already been done.")


def _check_done(school: School, _p: Any, view: ConcernView, _given: Any, answers: dict[str, Any]) -> None:
    _check_action(view, answers)
    if date.fromisoformat(answers["on"]) > school.today():
        raise IncompleteStepError("The day is in the future.")


def _check_named(_s: Any, _p: Any, _v: Any, _given: Any, answers: dict[str, Any]) -> None:
    if ("recipient_id" in answers) == ("name" in answers):
        raise IncompleteStepError("Choose a member of staff, or write the name of somebody who is not on the roster.")


def _check_linked(_s: Any, _p: Any, view: ConcernView, _given: Any, answers: dict[str, Any]) -> None:
    if answers["pupil"] in view.pupils["pupil_id"].tolist():
        raise IncompleteStepError("This child is already linked.")


def _check_shared(school: School, person: Person, view: ConcernView, _given: Any, answers: dict[str, Any]) -> None:
    if answers["recipient_id"] not in list_leaders_to_share_with(school, person):
        raise IncompleteStepError("It can be shared only with a HOY or HM.")
    if answers["recipient_id"] in view.shared_with:
        raise IncompleteStepError("It is already shared with them.")


def _check_session(school: School, person: Person, view: ConcernView, kind: str, answers: dict[str, Any]) -> None:
    key, known = (answers["log_ref"], answers["call_id"]), {link[:2] for link in view.links}
    if kind == "session_unlinked" and key not in known:
        raise IncompleteStepError("That session is not linked.")
    if kind == "session_linked":
        rows = list_sessions_to_link(school, person, view.ref).astype(object)
        if key in known or key not in {link_of(row)[:2] for row in rows.itertuples()}:
            raise IncompleteStepError("That session is already linked, or cannot be linked.")


def _check_corrected(_s: Any, _p: Any, view: ConcernView, given: Mapping[str, Any], answers: dict[str, Any]) -> None:
    name, after = answers["field"], given.get("after")
    after = after.strip() or None if isinstance(after, str) else after
    if name == "categories":
        after = ";".join(dict.fromkeys(after or ()))
        if not after or not set(after.split(";")) <= view.register.categories.keys():
            raise IncompleteStepError("Choose a category.")
        if len(after.split(";")) > MOST_CATEGORIES:
            raise IncompleteStepError(f"Choose at most {MOST_CATEGORIES}.")
    if name == "summary" and not after and not view.handed_over:
        raise IncompleteStepError("Say in a sentence what it is about.")
    if isinstance(after, datetime):
        after = after.isoformat()
    answers["after"] = after or "" if name == "summary" else after
    now = {
        "summary": view.summary,
        "childs_words": view.childs_words,
        "place": view.place,
        "told_dsp": view.told_dsp,
        "happened_at": view.happened_at,
        "categories": ";".join(view.categories),
    }
    before = now[name]
    if answers["after"] == (before.isoformat() if isinstance(before, datetime) else before):
        raise IncompleteStepError("It already says this.")


def _check_closed(_s: Any, _p: Any, view: ConcernView, given: Mapping[str, Any], answers: dict[str, Any]) -> None:
    still_open = sum(action.done_on is None for action in view.actions)
    if still_open and not given.get("although"):
        raise IncompleteStepError(
            f"{'One action is' if still_open == 1 else f'{still_open} actions are'} still open. Mark each as done, "
            "or tick the box to close it anyway."
        )
    if still_open:
        answers["open_actions"] = still_open


def _follow(
    connection: Connection, school: School, register: Register, number: int, kind: str, answers: dict[str, Any]
) -> None:
    """What a step changes beside the events: whom and what the concern is about now."""
    pupils, sessions, now = register.pupils, register.sessions, school.now()
    if kind == "linked":
        connection.execute(insert(pupils).values(concern_id=number, pupil_id=answers["pupil"]))
        if register is CHILD:
            alert(connection, CHILD, number, find_dsps(connection, [answers["pupil"]], school.today()), now)
    elif kind == "unlinked":
        mine = (pupils.c.concern_id == number) & (pupils.c.pupil_id == answers["pupil"])
        connection.execute(delete(pupils).where(mine))
    elif kind == "session_linked":
        link = {"log_ref": answers["log_ref"], "call_id": answers["call_id"]}
        link |= {"description": answers["words"]} if register is CONDUCT else {}
        connection.execute(insert(sessions).values(concern_id=number, **link))
    elif kind == "session_unlinked":
        key = [sessions.c[name].is_not_distinct_from(answers[name]) for name in ("log_ref", "call_id")]
        connection.execute(delete(sessions).where(sessions.c.concern_id == number, *key))
    elif kind == "named":
        connection.execute(
            insert(tables.conduct_named).values(
                concern_id=number, staff_id=answers["recipient_id"], name=answers.get("name")
            )
        )
        alert(connection, CONDUCT, number, find_conduct_team(connection, number, school.today()), now)
    if register is CHILD and kind in ("session_linked", "session_unlinked"):
        touched = Touched(sessions=_sessions_of(connection, answers["log_ref"], answers["call_id"]))
        rejudge(connection, school.settings, touched, now)


def _sessions_of(connection: Connection, log_ref: str | None, call_id: str | None) -> set[int]:
    session, log, call = tables.sessions.c, tables.logs.c, tables.session_calls.c
    by_log = select(session.id).join(tables.logs, log.id == session.log_id).where(log.ref == log_ref)
    by_call = select(call.session_id).where(call.call_id == call_id)
    return set(connection.scalars(by_log if log_ref else by_call))


def link_of(row: Any) -> tuple[str | None, str | None, str]:
    """A session of `access.sessions_to_link` as a link keeps it: by its log, else by its call."""
    log_ref = row.log_ref if isinstance(row.log_ref, str) else None
    call_id = row.call_id if isinstance(row.call_id, str) and log_ref is None else None
    who = row.staff_name if isinstance(row.staff_name, str) else "unknown"
    purpose = row.purpose if isinstance(row.purpose, str) else "not logged"
    return log_ref, call_id, f"{on_day_at(row.started_at)}, {purpose}, {who}"


# --- raised, read, done ------------------------------------------------------------------------------------


def opened(school: School, person: Person, ref: str) -> None:
    """Record that somebody who follows a concern up opened it; the first time alerts who raised it. A concern about
    conduct records every time."""
    view = get_concern(school, person, ref)
    if view is None or not view.may_change:
        return
    with school.writing() as connection:
        kept, event = view.register.concerns.c, view.register.events.c
        row = connection.execute(select(kept.id, kept.raised_by).where(kept.ref == ref)).one()
        mine = select(func.count()).where(
            event.concern_id == row.id, event.kind == "read", event.actor_id == person.staff_id
        )
        values = {"concern_id": row.id, "occurred_at": school.now(), "actor_id": person.staff_id}
        if row.raised_by != person.staff_id and not connection.scalar(mine):
            connection.execute(insert(view.register.events).values(values | {"kind": "read"}))
            _tell_who_raised_it(connection, view, row.id, row.raised_by, values["occurred_at"])
        if view.register is CONDUCT:
            record_look(connection, school, person, ref, "viewed")


def _tell_who_raised_it(
    connection: Connection, view: ConcernView, number: int, raised_by: int | None, at: datetime
) -> None:
    """By an alert that it was read, once; of one about conduct not to somebody whom it names."""
    named = tables.conduct_named.c
    naming = select(named.id).where(named.concern_id == number, named.staff_id == raised_by).limit(1)
    is_conduct = view.register is CONDUCT
    if raised_by is None or (is_conduct and connection.scalar(naming) is not None):
        return
    enqueue(connection, Alert(raised_by, "concern_read", f"concern {view.ref}", at, confidential=is_conduct))


def record_look(connection: Connection, school: School, person: Person, ref: str, kind: str) -> None:
    """Record with a concern about conduct that somebody opened it ("viewed") or downloaded from it ("taken")."""
    kept = CONDUCT.concerns.c
    number = connection.scalar(select(kept.id).where(kept.ref == ref))
    values = {"concern_id": number, "occurred_at": school.now(), "actor_id": person.staff_id, "kind": kind}
    connection.execute(insert(CONDUCT.events).values(values))


def note_conduct(school: School, person: Person, refs: Sequence[str]) -> None:
    """Record that a list of concerns about conduct was downloaded, with each of them and nowhere else."""
    with school.writing() as connection:
        for ref in refs:
            record_look(connection, school, person, ref, "taken")


def finish(school: School, person: Person, ref: str, action: int, words: str) -> None:
    """Mark one's own action as done, also where the concern is not one's own to open. NotYoursError;
    IncompleteStepError."""
    found = list_actions_to_do(school, person)
    if found[(found["ref"] == ref) & (found["number"] == action) & found["mine"]].empty:
        raise NotYoursError("This action has already been done, or is not yours.")
    if not words.strip():
        raise IncompleteStepError("Say in a sentence what was done.")
    register = register_of(ref)
    with school.writing() as connection:
        number = connection.scalar(select(register.concerns.c.id).where(register.concerns.c.ref == ref))
        content = json.dumps({"action": action, "on": school.today().isoformat()})
        connection.execute(
            insert(register.events).values(
                concern_id=number,
                occurred_at=school.now(),
                actor_id=person.staff_id,
                kind="done",
                text=words.strip(),
                content=content,
            )
        )
        if register is CHILD:
            put_on_trail(connection, school, person, f"concern {ref}, done")
            raise_revision(connection)
