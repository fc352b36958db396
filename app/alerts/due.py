"""The alerts that become due with time: about concerns that nobody has read, and the digest of each school day."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, and_, delete, func, select

from app.access.breaches import find_open_breaches, find_owners
from app.access.concern_scope import find_dsps
from app.access.deadlines import count_days, find_due_days
from app.access.parents import list_unanswered_requests
from app.access.policy import list_roles_with
from app.access.scope import SESSION, select_past_and_present_counsellors, select_staff
from app.alerts.outbox import WAITING, Alert, enqueue
from app.formatting import how_many, on_day
from app.judging.upkeep import refresh
from app.school import School
from app.store import reading, tables
from app.store.outcomes import decode_outcomes
from app.store.writing import get_meta, set_meta
from app.vocabulary.roles import Resource, Role, Scope
from app.vocabulary.terms import Outcome

_HISTORY = timedelta(days=7)  # how far back the first digest looks
_UNREAD = "concern_unread"
_AGAIN = timedelta(days=1)  # between reminders about an unread concern
_WAITING = ("to_log", "to_explain", "to_resolve", "overdue", "escalated")
_DIGEST = "digest"  # key of the time when the last digests were queued


def enqueue_due(school: School) -> None:
    """Put the alerts that are due into the outbox, each once."""
    _enqueue_unread(school)
    _enqueue_digests(school)


def _enqueue_unread(school: School) -> None:
    with school.engine.connect() as connection:
        due = list(_list_unread(school, connection))
    if due:
        with school.writing() as connection:
            for alert in due:
                enqueue(connection, alert)


def _list_unread(school: School, connection: Connection) -> Iterator[Alert]:
    """Alerts about concerns that nobody has touched since they were raised: to the DSPs after a while, and to the
    Senior Deputy Head after twice that time, or at once if there is no DSP; then once a day. The time counts from when
    the first alert could be sent. The person who raised the concern gets none."""
    now, patience = school.now(), timedelta(minutes=school.settings.alerts.unread_minutes)
    about, alert = tables.concern_pupils.c, tables.alerts.c
    seniors = set(connection.scalars(select_staff(school.today(), [Role.SENIOR_DEPUTY_HEAD])))
    of_reminders = select(alert.subject, alert.recipient_id).where(alert.kind == _UNREAD, alert.state == WAITING)
    waiting = {(row.subject, row.recipient_id) for row in connection.execute(of_reminders)}
    for row in connection.execute(_select_unread()).all():
        pupils = connection.scalars(select(about.pupil_id).where(about.concern_id == row.id)).all()
        dsps = set(find_dsps(connection, pupils, school.today())) - {row.raised_by}
        others = seniors - dsps - {row.raised_by}
        begins = row.answered_at if row.alerts else row.raised_at
        if not dsps:
            due = [(others, min(row.raised_at, now))]
        elif begins is None:  # no email about it could be sent yet
            continue
        else:
            begins = begins if begins <= now else now - 2 * patience  # the clock was ahead
            due = [(dsps, begins + patience), (others, begins + 2 * patience)]
        for staff_ids, since in due:
            for to in sorted(staff_ids) if since <= now else ():
                if (f"concern {row.ref}", to) not in waiting:
                    yield Alert(to, _UNREAD, f"concern {row.ref}", now, repeat=(now - since) // _AGAIN)


def _select_unread() -> Select[Any]:
    """The concerns that nobody has touched: `id`, `ref`, `raised_at`, `raised_by`, the number of `alerts` about each,
    and when the first of these could be sent (`answered_at`, blank if none could)."""
    concern, event, alert = tables.concerns.c, tables.concern_events.c, tables.alerts.c
    touched = select(event.concern_id).where(event.kind.not_in(["opened", "alerted"]))
    first = (
        select(alert.subject, func.count().label("number"), func.min(alert.answered_at).label("answered_at"))
        .where(alert.kind == "concern")
        .group_by(alert.subject)
        .subquery()
    )
    return (
        select(
            concern.id,
            concern.ref,
            concern.raised_at,
            concern.raised_by,
            func.coalesce(first.c.number, 0).label("alerts"),
            first.c.answered_at,
        )
        .outerjoin(first, first.c.subject == "concern " + concern.ref)
        .where(concern.id.not_in(touched))
        .order_by(concern.id)
    )


def _enqueue_digests(school: School) -> None:
    """Queue each person's digest of the school day: what is new, and unanswered requests for consent to sessions soon.
    The week's first digest also lists what is still open."""
    now = school.now().astimezone(school.settings.zone)
    if not school.settings.is_school_day(now.date()) or now.time() < school.settings.alerts.digest_at:
        return
    with school.engine.connect() as connection:
        last = _read_last_digest(connection, school)
    if last and last.date() >= now.date():
        return
    refresh(school)
    since = last or now - _HISTORY
    first_of_week = since.isocalendar()[:2] != now.isocalendar()[:2]
    waiting = count_waiting_for_each(school, since)
    new = waiting[["unanswered", *(f"new_{name}" for name in _WAITING)]].any(axis=1)
    last_day = _find_last_day_ahead(school)
    alert = tables.alerts.c
    with school.writing() as connection:
        if _read_last_digest(connection, school) != last:
            return  # another process was quicker
        for row in waiting[new | first_of_week].itertuples():
            outdated = and_(alert.kind == "digest", alert.recipient_id == row.staff_id, alert.state == WAITING)
            connection.execute(delete(tables.alerts).where(outdated))
            about = f"digest {now.date()}"
            words = _write_digest(row, last_day)
            enqueue(connection, Alert(row.staff_id, "digest", about, now, words, bool(row.confidential)))
        set_meta(connection, _DIGEST, now.isoformat())


def _read_last_digest(connection: Connection, school: School) -> datetime | None:
    """When the last digests were queued. None if never, or if a clock that was ahead set the time."""
    stored = get_meta(connection, _DIGEST)
    last = datetime.fromisoformat(stored).astimezone(school.settings.zone) if stored else None
    return last if last and last <= school.now() else None


def _find_last_day_ahead(school: School) -> date:
    """The day up to which requests are listed: the next school day, so that the digest before a weekend or holiday
    covers the days without school too."""
    return school.settings.find_next_school_day(school.today()) or school.today() + _HISTORY


def _write_digest(row: Any, last_day: date) -> str:
    lines = []
    if row.unanswered:
        requests = how_many(row.unanswered, "request for consent", "requests for consent")
        lines.append(f"Unanswered: {requests} for sessions up to {on_day(last_day)}.")
    if row.to_log:
        lines.append(f"To log: {how_many(row.to_log, 'call')}.")
    if row.to_explain:
        lines.append(f"To explain: {how_many(row.to_explain, 'session')} with a breach.")
    if row.to_resolve:
        new = f", {row.new_to_resolve} of them new" if row.new_to_resolve else ""
        longest = f" The oldest is {how_many(row.oldest, 'day')} old." if row.oldest else ""
        lines.append(f"To resolve: {how_many(row.to_resolve, 'session')} with a breach{new}.{longest}")
    if row.overdue:
        lines.append(f"Overdue: {how_many(row.overdue, 'session')} of these.")
    if row.escalated:
        lines.append(f"Long overdue with other staff: {how_many(row.escalated, 'session')} with a breach.")
    return "\n".join(lines)


def count_waiting_for_each(school: School, since: datetime) -> pd.DataFrame:
    """Count what needs the attention of each member of staff. For the program itself, which sends each person their
    own.

    Columns: `staff_id`; the calls `to_log`; the sessions `to_explain` and `to_resolve`, the `overdue` ones among the
    latter, and those `escalated` to the Senior Deputy Head; for each of these `new_…`, the number since a moment;
    `unanswered`, their requests for consent to sessions soon; `oldest`, the age in days of the oldest session to
    resolve; and `confidential`, whether they are or were a counsellor, so that nobody else may know what they have to
    do.
    """
    with school.engine.connect() as connection:
        waiting = {"to_log": _find_to_log(connection, since)} | _find_with_breaches(school, connection, since)
        counsellors = connection.scalars(select_past_and_present_counsellors()).all()
    parts: list[pd.DataFrame | pd.Series] = [
        rows.groupby(rows["staff_id"].astype("int64")).agg(**{name: ("new", "size"), f"new_{name}": ("new", "sum")})
        for name, rows in waiting.items()
    ]
    parts.append(_count_unanswered(school).rename("unanswered"))
    each = pd.concat(parts, axis=1).fillna(0).astype("int64")
    to_resolve = waiting["to_resolve"]
    waited = count_days(school, to_resolve["oldest"]).groupby(to_resolve["staff_id"]).max()
    each["oldest"] = waited.reindex(each.index).fillna(0).astype("int64")
    each["confidential"] = each.index.isin(counsellors)
    return each.rename_axis("staff_id").sort_index().reset_index()


def _find_to_log(connection: Connection, since: datetime) -> pd.DataFrame:
    """The calls that are not logged: `session_id`, `staff_id`, and whether each is `new` since a moment."""
    call, link = tables.calls.c, tables.session_calls.c
    unlogged = (
        select(
            SESSION.id.label("session_id"),
            SESSION.staff_id,
            call.stored_at.label("since"),
            SESSION.codes,
            SESSION.clause_set_id,
        )
        .join(tables.session_calls, and_(link.session_id == SESSION.id, link.place == 0))
        .join(tables.calls, call.id == link.call_id)
        .where(SESSION.log_id.is_(None), SESSION.staff_id.is_not(None))
    )
    to_log = reading.read_frame(connection, unlogged)
    # In a room without staff there was nothing to log.
    to_log = to_log[decode_outcomes(connection, to_log)["logged"] != Outcome.NOT_APPLICABLE]
    return to_log.assign(new=to_log["since"] > pd.Timestamp(since))


def _find_with_breaches(school: School, connection: Connection, since: datetime) -> dict[str, pd.DataFrame]:
    """The sessions with open breaches that somebody has to deal with, by what has to be done: `session_id`, `staff_id`
    (who has to), `new` (since a moment) and `oldest` (when the oldest breach was opened)."""
    breaches = find_open_breaches(school, connection)
    owners = find_owners(school, connection, breaches).rename(columns={"owner_id": "staff_id"})
    seniors = connection.scalars(
        select_staff(school.today(), list_roles_with(Resource.BREACHES, Scope.REMAINING))
    ).all()
    explained = connection.scalars(
        select(tables.breaches.c.session_id)
        .join(tables.breach_events, tables.breach_events.c.breach_id == tables.breaches.c.id)
        .where(tables.breach_events.c.kind == "explained", tables.breaches.c.state == "open")
    ).all()
    opened = breaches.groupby("session_id").agg(
        conducted_by=("staff_id", "first"), since=("since", "max"), oldest=("opened_at", "min"), due=("due", "min")
    )
    opened["escalates"] = find_due_days(school, breaches["since"], times=2).groupby(breaches["session_id"]).min()
    opened["new"] = opened["since"] > pd.Timestamp(since)
    to_explain = opened[~opened.index.isin(explained)].dropna(subset=["conducted_by"])
    to_resolve = owners.merge(opened, left_on="session_id", right_index=True)
    others = to_resolve.drop(columns="staff_id").drop_duplicates("session_id")
    to_seniors = others.merge(pd.DataFrame({"staff_id": seniors}, dtype="int64"), how="cross")
    own = pd.MultiIndex.from_frame(owners[["session_id", "staff_id"]])
    to_seniors = to_seniors[~pd.MultiIndex.from_frame(to_seniors[["session_id", "staff_id"]]).isin(own)]
    not_their_session = to_seniors["conducted_by"].fillna(0) != to_seniors["staff_id"]
    return {
        "to_explain": to_explain.rename(columns={"conducted_by": "staff_id"}),
        "to_resolve": to_resolve,
        "overdue": _select_past(school, to_resolve, "due", since),
        "escalated": _select_past(school, to_seniors[not_their_session], "escalates", since),
    }


def _select_past(school: School, rows: pd.DataFrame, column: str, since: datetime) -> pd.DataFrame:
    """The rows whose day in a column has passed. `new` is whether it had not passed at a moment."""
    past = rows[rows[column] < school.today()]
    return past.assign(new=past[column] >= since.astimezone(school.settings.zone).date())


def _count_unanswered(school: School) -> pd.Series:
    """The number of unanswered requests of each member of staff, for sessions between now and the last day ahead."""
    requests = list_unanswered_requests(school).dropna(subset=["asked_by"])
    begins = requests["covers_from"]
    near = (begins > pd.Timestamp(school.now())) & (begins.dt.date <= _find_last_day_ahead(school))
    return requests[near].groupby(requests["asked_by"].astype("int64")).size()
