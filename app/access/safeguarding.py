"""Safeguarding concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    false,
    or_,
    select,
    true,
)

from app.access.figures import list_sessions
from app.access.people import NotAllowed, Person, by_role, require
from app.access.scope import SESSION, in_school_time, joined, of_school
from app.concerns import LEVELS
from app.store import reading, tables
from app.store.held import held, on

if TYPE_CHECKING:
    from app.school import School


def concerns_list(school: "School", person: Person) -> pd.DataFrame:
    """The concerns that the person may open, open ones first, then by level and age. NotAllowed but for
    DSPs and the Senior Deputy Head.

    Columns: `ref`, `open`, `level`, `raised_at`, `happened_at`, `age_days` (whole days since it was
    raised), `categories` (as in CATEGORIES, joined by ";"), `pupils` (names), `raised_by`, `owner` (the
    DSPs alerted; blank: nobody), `summary`.
    """
    _require_concerns(person)
    with school.engine.connect() as connection:
        return _concerns(school, connection, _concerns_open_to(school, person))


def oldest_concern(school: "School", person: Person) -> dict[str, Any] | None:
    """The oldest open concern without its narrative and pupils: `ref`, `level`, `raised_at`, `age_days`,
    `owner`, and `waiting` (how many are open); None if none is. For the Senior Deputy Head."""
    require(person, "oldest open concern")
    with school.engine.connect() as connection:
        concerns = _concerns(school, connection, true())
    concerns = concerns[concerns["open"]].sort_values("raised_at")
    if concerns.empty:
        return None
    oldest = concerns.iloc[0]
    return {name: oldest[name] for name in ("ref", "level", "raised_at", "age_days", "owner")} | {
        "waiting": len(concerns)
    }


def own_concerns(school: "School", person: Person) -> pd.DataFrame:
    """What the person raised themselves, the newest first: `ref`, `raised_at`, `happened_at`, `pupils`,
    `summary`, `childs_words`, `received_by` (names of the DSPs alerted; blank: nobody yet)."""
    mine = tables.concerns.c.raised_by == person.staff_id
    with school.engine.connect() as connection:
        concerns = _concerns(school, connection, mine)
    concerns = concerns.rename(columns={"owner": "received_by"}).sort_values("raised_at", ascending=False)
    columns = ["ref", "raised_at", "happened_at", "pupils", "summary", "childs_words", "received_by"]
    return concerns[columns].reset_index(drop=True)


def pupils_held(school: "School", person: Person) -> pd.DataFrame:
    """The pupils of whom the person may have everything that is held: `pupil_id`, `email`, `name`,
    `year_group`, by name. Those of the DSP's school, also those who have left."""
    require(person, "everything held on a pupil")
    pupil = held(tables.pupil_versions)
    query = (
        select(pupil.c.pupil_id, tables.pupils.c.email, pupil.c.name, pupil.c.year_group)
        .join(tables.pupils, tables.pupils.c.id == pupil.c.pupil_id)
        .where(pupil.c.school == person.school, on(pupil, school.today()))
        .order_by(pupil.c.name, tables.pupils.c.email)
    )
    with school.engine.connect() as connection:
        return reading.frame(connection, query)


def everything_held(school: "School", person: Person, pupil_id: int) -> str | None:
    """An HTML page with everything that is held on a pupil, for the DSP to read and redact, without a sign
    of counselling; None if the pupil is not theirs. That it was asked for stands on the audit trail."""
    if pupil_id not in set(pupils_held(school, person)["pupil_id"]):
        return None
    from app.subject import page  # which itself asks here what is counselling

    return page(school, pupil_id, by=person.email, counselling=False)


@dataclass
class ConcernView:
    """A concern in full.

    - `pupils`: `pupil_id`, `name`, `school`, `year_group`, `house`, as of today
    - `events`: `at`, `by` (name), `kind`, `level`, `told` (name), `text`, in their order
    - `sessions`: the linked sessions that the person may open: `session_id`, `started_at`, `staff_name`,
      `purpose`, `status`
    """

    ref: str
    open: bool
    level: str
    raised_at: datetime
    happened_at: datetime | None
    raised_by: str | None
    owner: str
    summary: str
    childs_words: str | None
    told_dsp: bool | None
    categories: tuple[str, ...]
    pupils: pd.DataFrame
    events: pd.DataFrame
    sessions: pd.DataFrame


def concern(school: "School", person: Person, ref: str) -> ConcernView | None:
    """One concern; None if it is not there or not for them. NotAllowed as `concerns_list`."""
    _require_concerns(person)
    kept, about, link = tables.concerns.c, tables.concern_pupils.c, tables.concern_sessions.c
    pupil, event = held(tables.pupil_versions), tables.concern_events.c
    by, told = held(tables.staff_versions), held(tables.staff_versions)
    today, zone = school.today(), school.settings.zone
    with school.engine.connect() as connection:
        which = and_(kept.ref == ref, _concerns_open_to(school, person))
        listed_row = _concerns(school, connection, which)
        if listed_row.empty:
            return None
        facts = listed_row.iloc[0]
        row = connection.execute(select(tables.concerns).where(kept.ref == ref)).one()
        pupils = reading.frame(
            connection,
            select(about.pupil_id, pupil.c.name, pupil.c.school, pupil.c.year_group, pupil.c.house)
            .join(pupil, pupil.c.pupil_id == about.pupil_id)
            .where(about.concern_id == row.id, on(pupil, today))
            .order_by(pupil.c.name),
        )
        events = reading.frame(
            connection,
            select(event.at, by.c.name.label("by"), event.kind, event.level, told.c.name.label("told"), event.text)
            .outerjoin(by, and_(by.c.staff_id == event.by, on(by, today)))
            .outerjoin(told, and_(told.c.staff_id == event.told, on(told, today)))
            .where(event.concern_id == row.id)
            .order_by(event.at, event.id),
        )
        links = connection.execute(select(link.log_ref, link.call_id).where(link.concern_id == row.id)).all()
    return ConcernView(
        ref=row.ref,
        open=bool(facts["open"]),
        level=facts["level"],
        raised_at=row.raised_at.astimezone(zone),
        happened_at=row.happened_at and row.happened_at.astimezone(zone),
        raised_by=facts["raised_by"],
        owner=facts["owner"],
        summary=row.summary,
        childs_words=row.childs_words,
        told_dsp=row.told_dsp,
        categories=tuple(row.categories.split(";")),
        pupils=pupils,
        events=in_school_time(school, events),
        sessions=_sessions_linked(school, person, links),
    )


def _require_concerns(person: Person) -> None:
    if not (by_role(person, "concerns", "dsp") or by_role(person, "concerns", "senior_deputy_head")):
        raise NotAllowed("This is not for you to see: concerns.")


def _concerns_open_to(school: "School", person: Person) -> ColumnElement[bool]:
    """The concerns that a person may open, as a condition on `concerns`."""
    if by_role(person, "concerns", "senior_deputy_head"):
        return true()
    if by_role(person, "concerns", "dsp"):
        return tables.concerns.c.id.in_(of_school(person.school, school.today()).correlate(None))
    return false()


def _concerns(school: "School", connection: Connection, which: ColumnElement[bool]) -> pd.DataFrame:
    kept, event, about = tables.concerns.c, tables.concern_events.c, tables.concern_pupils.c
    by, pupil = held(tables.staff_versions), held(tables.pupil_versions)
    today = school.today()
    concerns = reading.frame(
        connection,
        select(tables.concerns, by.c.name.label("raised_by_name"))
        .outerjoin(by, and_(by.c.staff_id == kept.raised_by, on(by, today)))
        .where(which),
    )
    ids = select(kept.id).where(which)
    events = reading.frame(
        connection,
        select(event.concern_id, event.kind, event.level, by.c.name.label("told"))
        .outerjoin(by, and_(by.c.staff_id == event.told, on(by, today)))
        .where(event.concern_id.in_(ids))
        .order_by(event.at, event.id),
    )
    pupils = reading.frame(
        connection,
        select(about.concern_id, pupil.c.name)
        .join(pupil, pupil.c.pupil_id == about.pupil_id)
        .where(about.concern_id.in_(ids), on(pupil, today))
        .order_by(pupil.c.name),
    )
    state = events[events["kind"].isin(["opened", "closed", "reopened"])].groupby("concern_id")["kind"].last()
    level = events.dropna(subset=["level"]).groupby("concern_id")["level"].last()
    told = events[events["kind"] == "alerted"].dropna(subset=["told"]).drop_duplicates(["concern_id", "told"])
    concern_id = concerns["id"]
    now = pd.Timestamp(school.now())
    concerns["raised_by"] = concerns.pop("raised_by_name")
    concerns["open"] = concern_id.map(state) != "closed"
    concerns["level"] = concern_id.map(level)
    concerns["age_days"] = (now - concerns["raised_at"]).dt.days
    concerns["owner"] = joined(concern_id, told, "concern_id", "told")
    concerns["pupils"] = joined(concern_id, pupils, "concern_id")
    columns = [
        "ref",
        "open",
        "level",
        "raised_at",
        "happened_at",
        "age_days",
        "categories",
        "pupils",
        "raised_by",
        "owner",
        "summary",
        "childs_words",
    ]
    gravity = concerns["level"].map({level: place for place, level in enumerate(LEVELS)})
    in_order = concerns.assign(gravity=gravity).sort_values(
        ["open", "gravity", "raised_at"], ascending=[False, True, True], ignore_index=True
    )
    return in_school_time(school, in_order[columns].copy())


def concerns_linked(
    school: "School", connection: Connection, person: Person, log_ref: str | None, call_ids: list[str], withheld: bool
) -> pd.DataFrame:
    link = tables.concern_sessions.c
    linked = select(link.concern_id).where(or_(link.log_ref == log_ref, link.call_id.in_(call_ids)))
    which = false() if withheld else and_(tables.concerns.c.id.in_(linked), _concerns_open_to(school, person))
    return _concerns(school, connection, which)[["ref", "raised_at", "level"]]


def _sessions_linked(school: "School", person: Person, links: Sequence[Any]) -> pd.DataFrame:
    """The linked sessions that a person may open, without any counselling: beside the concern's pupils
    it would tell who took part."""
    log, call = tables.logs.c, tables.session_calls.c
    by_log = select(log.id).where(log.ref.in_([ref for ref, _ in links if ref]))
    by_call = select(call.session_id).where(call.call_id.in_([call_id for _, call_id in links if call_id]))
    found = list_sessions(school, person, or_(SESSION.log_id.in_(by_log), SESSION.id.in_(by_call)))
    return found.loc[~found["withheld"], ["session_id", "started_at", "staff_name", "purpose", "status"]]
