"""Following up a concern step by step until it is closed.

Each step adds an event and never changes an earlier one; STEPS says what each asks. A step carries the version that the
concern had when the form was opened. If somebody else has changed the concern since, the step is not saved
(`ConcernChangedError`). Steps of a concern about a child are recorded in the audit trail. Those of a concern about
conduct are stored only with the concern, so that nobody named in it finds a trace.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from app.access.concern_detail import ConcernView, get_concern, list_conduct_team
from app.access.concern_history import AUTOMATIC_EVENTS, Entry, LinkedSession
from app.access.concern_scope import find_conduct_team, find_dsps
from app.access.concerns import list_actions_to_do, list_leaders_to_share_with
from app.access.linked_sessions import list_sessions_to_link
from app.access.policy import Person
from app.alerts.outbox import Alert, enqueue
from app.concerns.raising import add_event, alert, judge_linked, link_session
from app.concerns.steps import STEPS, Step
from app.school import School
from app.store import tables
from app.store.concerns import CHILD, CONDUCT, MOST_CATEGORIES, Register, register_of
from app.store.writing import raise_revision

_ONLY = {"shared": CHILD, "unshared": CHILD, "named": CONDUCT}
_COLUMNS = ("level", "recipient_id", "text")  # the answers that have their own column


class NotYoursError(ValueError):
    """The concern does not exist, or the person does not follow it up."""


class IncompleteStepError(ValueError):
    """An answer is missing or not valid; the message says which."""


class ConcernChangedError(Exception):
    """Somebody else changed the concern, by `entries`, to `version`. Nothing was saved."""

    def __init__(self, entries: Sequence[Entry], version: int) -> None:
        super().__init__("The concern was changed in the meantime.")
        self.entries, self.version = entries, version


def find_possible_steps(view: ConcernView) -> dict[str, Step]:
    """The steps that can be added to a concern, by kind."""
    state = "open" if view.open else "closed"
    has_open_actions = any(action.done_on is None for action in view.actions)
    possible = {
        "done": has_open_actions,
        "moved": has_open_actions,
        "unlinked": len(view.pupils) > (1 if view.register is CHILD else 0),
        "session_unlinked": bool(view.links),
        "unshared": bool(view.shared_with),
    }
    return {
        kind: step
        for kind, step in STEPS.items()
        if step.when in (state, "any") and _ONLY.get(kind, view.register) is view.register and possible.get(kind, True)
    }


def record(school: School, person: Person, ref: str, version: int, kind: str, given: Mapping[str, Any]) -> None:
    """Add a step to a concern. `kind` is a key of STEPS, and `given` has its answers by name: days as dates; people,
    pupils and actions by number; a session as LinkedSession. `closed` also takes `although` (true if actions may be
    open), and `corrected` takes `after`, the field's new value. Raises NotYoursError, IncompleteStepError or
    ConcernChangedError."""
    with school.writing() as connection:
        view = get_concern(school, person, ref)
        if view is None or not view.may_change or kind not in find_possible_steps(view):
            raise NotYoursError(
                "You cannot change this concern, or it has been closed or reopened in the meantime. Reload the page."
            )
        if view.version != version:
            raise ConcernChangedError(list_changes_since(view, version), view.version)
        answers = _read_answers(view.register, kind, given)
        for check in _CHECKS.get(kind, ()):
            check(_Update(school, person, view, given, answers))
        columns = {name: answers[name] for name in _COLUMNS if name in answers}
        content = {name: answer for name, answer in answers.items() if name not in _COLUMNS}
        number = _add_step(connection, school, person, ref, kind=kind, content=content, **columns)
        _change_links(connection, school, view.register, number, kind, answers)


def list_changes_since(view: ConcernView, version: int) -> list[Entry]:
    """The entries that people made in a concern after a version, in order."""
    return [entry for entry in view.entries if entry.number > version and entry.kind not in AUTOMATIC_EVENTS]


def _add_step(connection: Connection, school: School, person: Person, ref: str, **event: Any) -> int:
    """Add an event by a person to a concern, and return the concern's id. Other columns of the event are in `event`."""
    register = register_of(ref)
    concern = register.concerns.c
    number = int(connection.execute(select(concern.id).where(concern.ref == ref)).scalar_one())
    add_event(connection, register, number, occurred_at=school.now(), actor_id=person.staff_id, **event)
    if register is CHILD:
        step = event["kind"].replace("_", " ")
        school.add_to_trail(connection, person.email, "changed", f"concern {ref}, {step}")
        raise_revision(connection)
    return number


def _read_answers(register: Register, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers in the form in which an event stores them. Raises IncompleteStepError if one is missing."""
    answers: dict[str, Any] = {}
    for ask in STEPS[kind].asks:
        value: Any = given.get(ask.name)
        value = value.strip() if isinstance(value, str) else value
        if value is None or value == "":
            if ask.needed:
                raise IncompleteStepError(f"Answer “{ask.question}”.")
        elif ask.what in ("session", "session_of"):
            answers["log_ref"], answers["call_id"], description = value
            if register is CONDUCT:
                answers["words"] = description
        else:
            answers[ask.name] = value.isoformat() if isinstance(value, date) else value
    return answers


# --- whether the answers fit the concern -------------------------------------------------------------------


@dataclass(frozen=True)
class _Update:
    """A step that somebody wants to add, with the answers as the form gives them and as the event will store them."""

    school: School
    person: Person
    view: ConcernView
    given: Mapping[str, Any]
    answers: dict[str, Any]


def _check_level(update: _Update) -> None:
    level, view = update.answers["level"], update.view
    if level not in view.register.levels:
        raise IncompleteStepError("Choose a level.")
    if level == view.level:
        raise IncompleteStepError(f"The level is already {level}.")


def _check_owner(update: _Update) -> None:
    view = update.view
    if view.register is CONDUCT:
        team = list_conduct_team(update.school, update.person, view.ref)
        if update.answers["recipient_id"] not in team:
            raise IncompleteStepError(
                "Choose a DSP or Senior Deputy Head who is not named in it: nobody else may know of it."
            )


def _check_action(update: _Update) -> None:
    if update.answers["action"] not in {action.number for action in update.view.actions if action.done_on is None}:
        raise IncompleteStepError("That action has already been done.")


def _check_day(update: _Update) -> None:
    if date.fromisoformat(update.answers["on"]) > update.school.today():
        raise IncompleteStepError("The day is in the future.")


def _check_named(update: _Update) -> None:
    if ("staff_id" in update.answers) == ("name" in update.answers):
        raise IncompleteStepError("Choose a member of staff, or write the name of somebody who is not on the roster.")


def _check_linked(update: _Update) -> None:
    if update.answers["pupil"] in update.view.pupils["pupil_id"].tolist():
        raise IncompleteStepError("This child is already linked.")


def _check_shared(update: _Update) -> None:
    if update.answers["recipient_id"] not in list_leaders_to_share_with(update.school, update.person):
        raise IncompleteStepError("It can be shared only with a HOY or HM.")
    if update.answers["recipient_id"] in update.view.shared_with:
        raise IncompleteStepError("It is already shared with them.")


def _check_session_linked(update: _Update) -> None:
    link = (update.answers["log_ref"], update.answers["call_id"])
    possible = list_sessions_to_link(update.school, update.person, update.view.ref)
    if link in _list_links(update.view.links) or link not in _list_links(possible):
        raise IncompleteStepError("That session is already linked, or cannot be linked.")


def _check_session_unlinked(update: _Update) -> None:
    if (update.answers["log_ref"], update.answers["call_id"]) not in _list_links(update.view.links):
        raise IncompleteStepError("That session is not linked.")


def _list_links(sessions: Sequence[LinkedSession]) -> set[tuple[str | None, str | None]]:
    return {(session.log_ref, session.call_id) for session in sessions}


def _check_corrected(update: _Update) -> None:
    """Check a correction, and add the new value to the answers as `after`."""
    view, name, after = update.view, update.answers["field"], update.given.get("after")
    if isinstance(after, str):
        after = after.strip() or None
    if name == "summary":
        after = after or ""
        if not after and not view.handed_over:
            raise IncompleteStepError("Write a sentence about what happened.")
    if name == "categories":
        after = tuple(dict.fromkeys(after or ()))
        if not after or not set(after) <= view.register.categories.keys():
            raise IncompleteStepError("Choose a category.")
        if len(after) > MOST_CATEGORIES:
            raise IncompleteStepError(f"Choose at most {MOST_CATEGORIES}.")
    if after == getattr(view, name):
        raise IncompleteStepError("This is already the present text.")
    if isinstance(after, tuple):
        after = ";".join(after)
    update.answers["after"] = after.isoformat() if isinstance(after, datetime) else after


def _check_closed(update: _Update) -> None:
    """Check that a concern may be closed, and add the number of open actions to the answers."""
    open_actions = sum(action.done_on is None for action in update.view.actions)
    if open_actions and not update.given.get("although"):
        raise IncompleteStepError(
            f"{'One action is' if open_actions == 1 else f'{open_actions} actions are'} still open. Mark each as done, "
            "or tick the box to close it anyway."
        )
    if open_actions:
        update.answers["open_actions"] = open_actions


_CHECKS: dict[str, tuple[Callable[[_Update], None], ...]] = {
    "level": (_check_level,),
    "action": (_check_owner,),
    "moved": (_check_owner, _check_action),
    "done": (_check_action, _check_day),
    "named": (_check_named,),
    "corrected": (_check_corrected,),
    "closed": (_check_closed,),
    "linked": (_check_linked,),
    "shared": (_check_shared,),
    "session_linked": (_check_session_linked,),
    "session_unlinked": (_check_session_unlinked,),
}


def _change_links(
    connection: Connection, school: School, register: Register, number: int, kind: str, answers: Mapping[str, Any]
) -> None:
    """Change the pupils, sessions and adults that the concern is about, if the step says so, and judge the sessions
    that it is or was linked to again, if it is about a child."""
    pupils, sessions, now = register.pupils, register.sessions, school.now()
    is_judged = register is CHILD and kind in ("corrected", "linked", "session_linked", "session_unlinked")
    links = _read_links(connection, number) if is_judged else set()
    if kind == "linked":
        connection.execute(insert(pupils).values(concern_id=number, pupil_id=answers["pupil"]))
        if register is CHILD:
            alert(connection, CHILD, number, find_dsps(connection, [answers["pupil"]], school.today()), now)
    elif kind == "unlinked":
        unlinked = (pupils.c.concern_id == number) & (pupils.c.pupil_id == answers["pupil"])
        connection.execute(delete(pupils).where(unlinked))
    elif kind == "named":
        named = {name: answers.get(name) for name in ("staff_id", "name")}
        connection.execute(insert(tables.conduct_named).values(concern_id=number, **named))
        alert(connection, CONDUCT, number, find_conduct_team(connection, number, school.today()), now)
    elif kind in ("session_linked", "session_unlinked"):
        session = LinkedSession(answers["log_ref"], answers["call_id"], answers.get("words", ""))
        if kind == "session_linked":
            link_session(connection, register, number, session)
        else:
            rows = connection.execute(select(sessions).where(sessions.c.concern_id == number)).all()
            link = [row.id for row in rows if (row.log_ref, row.call_id) == (session.log_ref, session.call_id)]
            connection.execute(delete(sessions).where(sessions.c.id.in_(link)))
    if is_judged:
        judge_linked(connection, school, links | _read_links(connection, number))


def _read_links(connection: Connection, number: int) -> set[tuple[str | None, str | None]]:
    """The log references and call ids of the sessions that a concern about a child is linked to."""
    link = tables.concern_sessions.c
    rows = connection.execute(select(link.log_ref, link.call_id).where(link.concern_id == number))
    return {(row.log_ref, row.call_id) for row in rows}


# --- raised, read, done ------------------------------------------------------------------------------------


def record_opening(school: School, person: Person, ref: str) -> None:
    """Record that somebody who follows up a concern opened it. The first time, alert the person who raised it. For a
    concern about conduct every opening is recorded."""
    view = get_concern(school, person, ref)
    if view is None or not view.may_change:
        return
    with school.writing() as connection:
        concern, event = view.register.concerns.c, view.register.events.c
        row = connection.execute(select(concern.id, concern.raised_by).where(concern.ref == ref)).one()
        read_before = select(func.count()).where(
            event.concern_id == row.id, event.kind == "read", event.actor_id == person.staff_id
        )
        if row.raised_by != person.staff_id and not connection.scalar(read_before):
            now = school.now()
            add_event(connection, view.register, row.id, kind="read", occurred_at=now, actor_id=person.staff_id)
            _alert_author(connection, view, row.raised_by, now)
        if view.register is CONDUCT:
            _add_step(connection, school, person, ref, kind="viewed")


def _alert_author(connection: Connection, view: ConcernView, raised_by: int | None, at: datetime) -> None:
    """Tell the person who raised a concern that it was read, once; also if it names them by now: an email that does not
    come would tell of that."""
    if raised_by is not None:
        is_conduct = view.register is CONDUCT
        enqueue(connection, Alert(raised_by, "concern_read", f"concern {view.ref}", at, confidential=is_conduct))


def record_download(school: School, person: Person, refs: Sequence[str]) -> None:
    """Record the download of some concerns about conduct, only with each concern itself."""
    with school.writing() as connection:
        for ref in refs:
            _add_step(connection, school, person, ref, kind="taken")


def finish_action(school: School, person: Person, ref: str, action: int, words: str) -> None:
    """Mark the person's own action as done, even if they may not open the concern. Raises NotYoursError or
    IncompleteStepError."""
    actions = list_actions_to_do(school, person)
    if actions[(actions["ref"] == ref) & (actions["number"] == action) & actions["mine"]].empty:
        raise NotYoursError("This action has already been done, or is not yours.")
    if not words.strip():
        raise IncompleteStepError("Say in a sentence what was done.")
    with school.writing() as connection:
        content = {"action": action, "on": school.today().isoformat()}
        _add_step(connection, school, person, ref, kind="done", text=words.strip(), content=content)
