"""Alerts: how they stand, for the administrator; and what the program itself asks in order to tell people."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import and_, func, not_, select

from app.access.exceptions import open_exceptions, owners_of, with_role
from app.access.people import Person, require
from app.access.scope import SESSION, ever_counsellor, in_school_time
from app.alerts import HANDED, IN_DOUBT_FOR, KINDS, SENT, WAITING
from app.concerns import dsps_of
from app.lease import is_held
from app.store import reading, tables
from app.store.held import held, on

if TYPE_CHECKING:
    from app.school import School

_alert = tables.alerts.c
_TO_ALL = "the shared channel"


@dataclass
class AlertsView:
    """How alerts stand, confidential ones left out: `waiting`, the oldest first (`to` (name), `subject`,
    `queued_at`, `tries`, `next_try_at`, `trouble` (blank: not tried yet)); `in_doubt` (`to`, `subject`,
    `queued_at`, `trouble`): handed over in the last days, and nobody knows whether they arrived; when one was
    `last_sent`; what hinders all of them, in words (`hindrance`; blank: nothing known)."""

    hindrance: str

    waiting: pd.DataFrame
    in_doubt: pd.DataFrame
    last_sent: datetime | None


def alerts(school: "School", person: Person) -> AlertsView:
    """How alerts stand, for the administrator."""
    require(person, "alerts")
    from app.alerts.sending import hindrance  # which itself asks here

    to = held(tables.staff_versions)
    query = (
        select(
            to.c.name.label("to"), _alert.kind, _alert.queued_at, _alert.tries, _alert.next_try_at, _alert.trouble,
            _alert.state,
        )
        .outerjoin(to, and_(to.c.staff_id == _alert.to, on(to, school.today())))
        .where(_alert.state.in_([WAITING, HANDED]), not_(_alert.confidential))
        .order_by(_alert.id)
    )  # fmt: skip
    last = select(func.max(_alert.sent_at)).where(_alert.state == SENT, not_(_alert.confidential))
    with school.engine.connect() as connection:
        found = reading.frame(connection, query)
        last_sent = connection.scalar(last)
        sending = is_held(connection, "alerts", school.now())
    found = in_school_time(school, found.assign(to=found["to"].fillna(_TO_ALL), trouble=found["trouble"].fillna("")))
    found.insert(1, "subject", found.pop("kind").map({name: kind.subject for name, kind in KINDS.items()}))
    recent = found["queued_at"] > pd.Timestamp(school.now() - IN_DOUBT_FOR)
    in_doubt = found[(found["state"] == HANDED) & recent & ((found["trouble"] != "") | (not sending))]
    return AlertsView(
        hindrance=hindrance(school),
        waiting=found[found["state"] == WAITING].drop(columns="state").reset_index(drop=True),
        in_doubt=in_doubt[["to", "subject", "queued_at", "trouble"]].reset_index(drop=True),
        last_sent=last_sent and last_sent.astimezone(school.settings.zone),
    )


def send_alerts(school: "School", person: Person) -> tuple[bool, str]:
    """Send at once what waits; whether all of it was taken, and what was done, in words."""
    require(person, "alerts")
    from app.alerts.sending import send_in_words

    return send_in_words(school)


@dataclass(frozen=True)
class Unread:
    """A concern that nobody has read: who could, by staff id, without whoever raised it."""

    ref: str
    raised_at: datetime
    dsps: list[int]
    seniors: list[int]


def unread_concerns(school: "School", since: datetime) -> list[Unread]:
    """The concerns raised since a moment to which nothing has happened but that DSPs were told. Asked by the
    program itself, in order to tell others."""
    kept, event, about = tables.concerns.c, tables.concern_events.c, tables.concern_pupils.c
    touched = select(event.concern_id).where(event.kind.not_in(["opened", "alerted"]))
    query = select(kept.id, kept.ref, kept.raised_at, kept.raised_by).where(
        kept.raised_at >= since, kept.id.not_in(touched)
    )
    with school.engine.connect() as connection:
        seniors = set(with_role(school, connection, "senior_deputy_head")["owner_id"].tolist())
        unread = []
        for row in connection.execute(query.order_by(kept.id)).all():
            pupils = connection.scalars(select(about.pupil_id).where(about.concern_id == row.id)).all()
            dsps = set(dsps_of(connection, pupils, school.today())) - {row.raised_by}
            unread.append(Unread(row.ref, row.raised_at, sorted(dsps), sorted(seniors - dsps - {row.raised_by})))
    return unread


def waiting_for_each(school: "School", since: datetime) -> pd.DataFrame:
    """What waits for each member of staff, in numbers: `staff_id`, the calls `to_log`, the sessions `to_explain` and
    `to_settle`, of each those `new_…` since a moment, `oldest` (days that one to settle has waited), and
    `confidential` (who is or was a counsellor: nobody else may learn of it). Asked by the program itself, to tell
    each their own."""
    call, link, moment = tables.calls.c, tables.session_calls.c, pd.Timestamp(since)
    unlogged = (
        select(SESSION.id.label("session_id"), SESSION.staff_id, call.stored_at.label("since"))
        .join(tables.session_calls, and_(link.session_id == SESSION.id, link.place == 0))
        .join(tables.calls, call.id == link.call_id)
        .where(SESSION.log_id.is_(None), SESSION.staff_id.is_not(None))
    )
    explained = (
        select(tables.exceptions.c.session_id)
        .join(tables.exception_events, tables.exception_events.c.exception_id == tables.exceptions.c.id)
        .where(tables.exception_events.c.kind == "explained", tables.exceptions.c.state == "open")
    )
    with school.engine.connect() as connection:
        to_log = reading.frame(connection, unlogged)
        found = open_exceptions(connection)
        owned = owners_of(school, connection, found).rename(columns={"owner_id": "staff_id"})
        said = connection.scalars(explained).all()
        counsellors = connection.scalars(ever_counsellor()).all()
    opened = found.groupby("session_id").agg(
        staff_id=("staff_id", "first"), since=("opened_at", "max"), oldest=("opened_at", "min")
    )
    to_explain = opened[~opened.index.isin(said)].dropna(subset=["staff_id"])
    to_settle = owned.merge(opened[["since", "oldest"]], left_on="session_id", right_index=True)
    parts = []
    for name, rows in (("to_log", to_log), ("to_explain", to_explain), ("to_settle", to_settle)):
        by = rows.assign(new=rows["since"] > moment).groupby(rows["staff_id"].astype("int64"))
        parts.append(by.agg(**{name: ("new", "size"), f"new_{name}": ("new", "sum")}))
    each = pd.concat(parts, axis=1).fillna(0).astype("int64")
    waited = (pd.Timestamp(school.now()) - to_settle["oldest"]).dt.days.groupby(to_settle["staff_id"]).max()
    each["oldest"] = waited.reindex(each.index).fillna(0).astype("int64")
    each["confidential"] = each.index.isin(counsellors)
    return each.rename_axis("staff_id").sort_index().reset_index()
