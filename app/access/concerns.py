"""Lists of concerns about children and, separately, about adults' conduct; the actions that they ask of people."""

import math
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from app.access.concern_history import ConcernHistory
from app.access.concern_reading import list_open, read_histories
from app.access.concern_scope import concerns_open_to, find_followed
from app.access.deadlines import count_days
from app.access.policy import Person, list_roles_with, require
from app.access.scope import in_school_time, read_frame, read_frame_by_name, select_pupils, select_staff
from app.school import School
from app.store import tables
from app.store.concerns import CHILD, CONDUCT, Register
from app.vocabulary.roles import Resource, Scope


def list_concerns(school: School, person: Person, register: Register = CHILD) -> pd.DataFrame:
    """The concerns of a register that the person may open, open ones first, then by level and age.
    Raises NotAllowedError if the person's roles allow no access.

    Columns: `ref`, `open`, `level`, `raised_at`, `happened_at`, `categories` (as in CATEGORIES, joined by ";"),
    `pupils` (names), `raised_by`, `owner` (the DSPs alerted; blank: nobody), `summary`, `childs_words` (as last
    corrected), `read` (by a DSP), `actions` (how many are open), for CONDUCT `adults` (names), and `age_days` (days
    since it was raised).
    """
    require(person, register.resource)
    with school.engine.connect() as connection:
        return _read_concerns(school, connection, register, concerns_open_to(school, person, register))


def get_oldest_concern(school: School, person: Person) -> dict[str, Any] | None:
    """The oldest open concern about a child without its narrative and pupils: `ref`, `level`, `raised_at`,
    `age_days`, `owner`, and `waiting` (how many are open); None if none is open. For the Senior Deputy Head."""
    require(person, Resource.OLDEST_CONCERN)
    with school.engine.connect() as connection:
        open_ids = list_open(connection, CHILD)
        oldest = _read_concerns(school, connection, CHILD, CHILD.concerns.c.id.in_(open_ids[:1]))
    facts: list[dict[str, Any]] = oldest[["ref", "level", "raised_at", "age_days", "owner"]].to_dict("records")
    return facts[0] | {"waiting": len(open_ids)} if facts else None


def list_own_concerns(school: School, person: Person, register: Register = CHILD) -> pd.DataFrame:
    """The concerns that the person raised, the newest first, also one about conduct that names them by now: if it went
    from the list, they would learn of it. As first reported: `ref`, `raised_at`, `happened_at`, `pupils`, `summary`,
    `childs_words`. Since then: `received_by` (names of those alerted; blank: nobody yet), `read_by` (names with the
    time; blank: nobody yet)."""
    raised = register.concerns.c.raised_by == person.staff_id
    with school.engine.connect() as connection:
        histories = read_histories(connection, register, raised, school.settings.zone, whole=False)[::-1]
    columns = {
        "ref": [history.row.ref for history in histories],
        "raised_at": [history.row.raised_at for history in histories],
        "happened_at": [history.row.happened_at for history in histories],
        "pupils": [", ".join(history.reported_about) for history in histories],
        "summary": [history.row.summary for history in histories],
        "childs_words": [history.row.childs_words for history in histories],
        "received_by": [", ".join(history.alerted) for history in histories],
        "read_by": ["; ".join(_describe_readers(history)) for history in histories],
    }
    return _in_school_time(school, columns)


def _describe_readers(history: ConcernHistory) -> list[str]:
    names = history.names
    return [
        f"{names.member(event.actor_id)}, {names.moment(event.occurred_at)}"
        for event, _ in history.events_of_kind("read")
    ]


def list_actions_to_do(school: School, person: Person) -> pd.DataFrame:
    """The open actions of open concerns: the person's own, and all of those concerns that they follow up. The person's
    own come first, then by day.

    Columns: `ref`, `number`, `what`, `due` (a day), `overdue`, `owner`, `mine`, `asked_by`, `conduct`, `may_open`.
    """
    rows = []
    with school.engine.connect() as connection:
        today, zone = school.today(), school.settings.zone
        event = tables.concern_events.c
        asked = select(event.concern_id).where(
            event.kind.in_(("action", "moved")), event.recipient_id == person.staff_id
        )
        for register, by_asking in ((CHILD, tables.concerns.c.id.in_(asked)), (CONDUCT, false())):
            open_to = concerns_open_to(school, person, register)
            to_open = set(connection.scalars(select(register.concerns.c.id).where(open_to)))
            followed = find_followed(school, connection, person, register)
            for history in read_histories(connection, register, or_(open_to, by_asking), zone, whole=False):
                rows += [
                    vars(action)
                    | {
                        "ref": history.row.ref,
                        "overdue": action.due < today,
                        "mine": action.owner_id == person.staff_id,
                        "conduct": register is CONDUCT,
                        "may_open": history.row.id in to_open,
                    }
                    for action in history.actions
                    if history.open
                    and action.done_on is None
                    and (action.owner_id == person.staff_id or history.row.id in followed)
                ]
    columns = ["ref", "number", "what", "due", "overdue", "owner", "mine", "asked_by", "conduct", "may_open"]
    actions = pd.DataFrame(rows, columns=columns).astype(
        dict.fromkeys(("overdue", "mine", "conduct", "may_open"), bool)
    )
    return actions.sort_values(["mine", "due", "ref", "number"], ascending=[False, True, True, True], ignore_index=True)


def list_pupils_on_record(school: School, person: Person) -> pd.DataFrame:
    """The pupils whose complete record the person may download: `pupil_id`, `email`, `name`, `year_group`, by name.
    They are the pupils of the DSP's school, including those who have left."""
    require(person, Resource.SUBJECT_ACCESS)
    pupils = select_pupils(school.today())
    of_school = pupils.where(pupils.selected_columns["school"] == person.school)
    return read_frame_by_name(school, of_school)[["pupil_id", "email", "name", "year_group"]]


def list_leaders_to_share_with(school: School, person: Person) -> dict[int, str]:
    """The names of the HOYs and HMs with whom a concern can be shared, by staff id, for those who follow them up."""
    require(person, Resource.LINKABLE_SESSIONS)
    leaders = read_frame(school, select_staff(school.today(), list_roles_with(Resource.CONCERNS, Scope.SHARED)))
    leaders = leaders.sort_values("name")
    return dict(zip(leaders["staff_id"], leaders["name"], strict=True))


def _read_concerns(
    school: School, connection: Connection, register: Register, condition: ColumnElement[bool]
) -> pd.DataFrame:
    """The concerns of a register that meet a condition, as `list_concerns` lists them."""
    order = {level: place for place, level in enumerate(register.levels)}
    histories = read_histories(connection, register, condition, school.settings.zone, whole=False)
    histories.sort(key=lambda history: (not history.open, order.get(history.level, math.inf), history.row.raised_at))
    columns = {
        "ref": [history.row.ref for history in histories],
        "open": [history.open for history in histories],
        "level": [history.level for history in histories],
        "raised_at": [history.row.raised_at for history in histories],
        "happened_at": [history.current()["happened_at"] for history in histories],
        "categories": [history.value("categories") for history in histories],
        "pupils": [", ".join(history.reported_about) for history in histories],
        "raised_by": [history.names.member(history.row.raised_by) or None for history in histories],
        "owner": [", ".join(history.alerted) for history in histories],
        "summary": [history.value("summary") for history in histories],
        "childs_words": [history.value("childs_words") for history in histories],
        "read": [history.last("read") is not None for history in histories],
        "actions": [sum(action.done_on is None for action in history.actions) for history in histories],
    }
    if register is CONDUCT:
        columns["adults"] = [", ".join(history.adults) for history in histories]
    frame = _in_school_time(school, columns).astype({"open": bool, "read": bool})
    return frame.assign(age_days=count_days(school, frame["raised_at"]))


def _in_school_time(school: School, columns: dict[str, list[Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    for column in ("raised_at", "happened_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return in_school_time(school, frame)


def select_linked_concerns(
    school: School, connection: Connection, person: Person, linked: ColumnElement[bool]
) -> pd.DataFrame:
    """The concerns about children that the person may open and that have a link for which `linked` holds, a condition
    on `concern_sessions`: `ref`, `raised_at`, `level`. Never one about conduct."""
    ids = select(tables.concern_sessions.c.concern_id).where(linked)
    condition = and_(tables.concerns.c.id.in_(ids), concerns_open_to(school, person, CHILD))
    return _read_concerns(school, connection, CHILD, condition)[["ref", "raised_at", "level"]]
