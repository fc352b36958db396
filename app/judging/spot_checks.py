"""Draws the sessions that are looked at in a spot check, among those that only their log calls in order.

docs/spot-checks.md describes the draw so that anybody can compute it again: a session's number is the SHA-256 of the
term's seed and the reference of its log. It depends on nothing else, so that the order and the time of imports make no
difference. A session that is no longer in order, or gone, leaves the open checks; what somebody has answered stays.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection, Select, delete, exists, not_, select

from app.protocol.frames import Versions, days_since_1970, ids
from app.school import School
from app.settings import Settings
from app.store import audit_log, reading, tables
from app.store.writing import get_meta, insert_rows, set_meta
from app.vocabulary.roles import Role
from app.vocabulary.terms import Status

_SEEDS = "spot_check_seeds"  # by the term's name, as JSON
_session, _check, _log = tables.sessions.c, tables.spot_checks.c, tables.logs.c


@dataclass(frozen=True)
class Touched:
    """Whose sessions were judged again, and on which days: all that a draw can depend on."""

    staff_ids: frozenset[int] = frozenset()
    days: frozenset[date] = frozenset()

    def __or__(self, other: "Touched") -> "Touched":
        return Touched(self.staff_ids | other.staff_ids, self.days | other.days)


def find_touched(connection: Connection, session_ids: Collection[int]) -> Touched:
    """Who held some sessions, and when."""
    query = select(_session.staff_id, _session.day).where(reading.is_among(connection, _session.id, session_ids))
    return _read_touched(connection, query)


def _read_touched(connection: Connection, query: Select[tuple[int, date]]) -> Touched:
    rows = connection.execute(query.distinct()).all()
    return Touched(frozenset(row.staff_id for row in rows if row.staff_id), frozenset(row.day for row in rows))


def draw_again(connection: Connection, school: School) -> None:
    """Draw among all sessions, after the terms or the shares have changed."""
    with_log = select(_session.staff_id, _session.day).where(_session.log_id.is_not(None))
    draw(connection, school, _read_touched(connection, with_log))


def draw(connection: Connection, school: School, touched: Touched) -> None:
    """Draw among the sessions of some staff in the terms of some days, and remove the open checks of sessions that are
    no longer drawn. Changes nothing if they were drawn before."""
    terms = {term.name for day in touched.days if (term := school.settings.term_on(day))}
    if not terms:
        return
    sessions = _read_eligible(connection, school.settings, touched.staff_ids, terms)
    seeds = _read_or_make_seeds(connection, school, sessions["term"].unique())
    sessions["digest"] = [compute_draw(seeds[row.term], row.ref) for row in sessions.itertuples()]
    known = _read_checks(connection, terms, sessions["session_id"].tolist())
    answered = known[known["result"].notna()]
    chosen = sessions[choose(sessions, set(zip(answered["staff_id"], answered["term"], strict=True)))]
    is_drawn = pd.MultiIndex.from_frame(known[["session_id", "term"]]).isin(
        pd.MultiIndex.from_frame(chosen[["session_id", "term"]])
    )
    is_theirs = known["staff_id"].isin(touched.staff_ids) | known["staff_id"].isna()
    gone = known[known["result"].isna() & is_theirs & ~is_drawn]
    connection.execute(delete(tables.spot_checks).where(reading.is_among(connection, _check.id, gone["id"].tolist())))
    stays = known.loc[~known["id"].isin(gone["id"]), "session_id"]
    new = chosen.loc[~chosen["session_id"].isin(stays), ["session_id", "term"]]
    insert_rows(connection, tables.spot_checks, new.assign(drawn_at=pd.Timestamp(school.now())))


def choose(sessions: pd.DataFrame, answered: Collection[tuple[int, str]]) -> "pd.Series[bool]":
    """Which sessions are drawn (`staff_id`, `term`, `share` on the day, `is_tutor`: on the day, `digest`): those whose
    number is below the share, and of each tutor and term without one the lowest, unless a check of theirs in that term
    was `answered` (staff and term)."""
    by_share = pd.Series([compute_number(digest) for digest in sessions["digest"]], sessions.index) < sessions["share"]
    keys = pd.Series(list(zip(sessions["staff_id"], sessions["term"], strict=True)), sessions.index, dtype=object)
    satisfied = {*keys[by_share], *answered}
    others = sessions[sessions["is_tutor"] & (sessions["share"] > 0) & ~keys.isin(satisfied)]
    lowest = others.sort_values("digest").drop_duplicates(["staff_id", "term"]).index
    return by_share | sessions.index.isin(lowest)


def compute_draw(seed: str, ref: str) -> str:
    """The SHA-256 of a term's seed, a colon and the reference of a log, in hexadecimal digits."""
    return hashlib.sha256(f"{seed}:{ref}".encode()).hexdigest()


def compute_number(digest: str) -> float:
    """A number from 0 up to, but not including, 1: the first eight digits as a share of all there can be."""
    return int(digest[:8], 16) / 2**32


def compute_commitment(seed: str) -> str:
    """The SHA-256 of a seed, which goes on the audit trail when the seed is made."""
    return hashlib.sha256(seed.encode()).hexdigest()


def read_seeds(connection: Connection) -> dict[str, str]:
    """The seeds by the names of their terms."""
    seeds: dict[str, str] = json.loads(get_meta(connection, _SEEDS) or "{}")
    return seeds


def _read_or_make_seeds(connection: Connection, school: School, terms: Iterable[str]) -> dict[str, str]:
    """The seeds, with new ones for the terms that have none."""
    for term in sorted(set(terms) - read_seeds(connection).keys()):
        store_seed(connection, school, term, secrets.token_hex(32))
    return read_seeds(connection)


def store_seed(connection: Connection, school: School, term: str, seed: str) -> None:
    """Store the seed of a term, and its SHA-256 on the audit trail."""
    set_meta(connection, _SEEDS, json.dumps(read_seeds(connection) | {term: seed}))
    subject = f"seed of the spot checks of {term}, made; its SHA-256 is {compute_commitment(seed)}"
    school.add_to_trail(connection, audit_log.COMMAND, "changed", subject)


def fingerprint_settings(settings: Settings) -> str:
    """A digest of the settings that a draw depends on."""
    terms = [f"{term.name} {term.from_}" for term in settings.terms]
    shares = [f"{rules.from_} {rules.spot_check_share}" for rules in settings.rules]
    return hashlib.sha256("\0".join([*terms, *shares]).encode()).hexdigest()


def _read_eligible(
    connection: Connection, settings: Settings, staff_ids: Collection[int], terms: Collection[str]
) -> pd.DataFrame:
    """The sessions of some staff in some terms that only their log calls in order: `session_id`, `staff_id`, `day`,
    `ref` (of the log), `term`, `share`, `is_tutor`."""
    starts = sorted(term.from_ for term in settings.terms)
    first = min(term.from_ for term in settings.terms if term.name in terms)
    last = max(term.from_ for term in settings.terms if term.name in terms)
    until = next((start - timedelta(days=1) for start in starts if start > last), date.max)
    has_call = exists().where(tables.session_calls.c.session_id == _session.id)
    query = (
        select(_session.id.label("session_id"), _session.staff_id, _session.day, _log.ref)
        .join(tables.logs, _log.id == _session.log_id)
        .where(
            reading.is_among(connection, _session.staff_id, staff_ids),
            _session.day.between(first, until),
            _session.status != Status.BREACH,
            not_(_session.confidential),
            not_(has_call),
        )
        .order_by(_session.id)
    )
    rows = reading.read_frame(connection, query)
    days = {day: settings.term_on(pd.Timestamp(day).date()) for day in rows["day"].unique()}
    rows["term"] = rows["day"].map({day: term.name if term else None for day, term in days.items()}).astype(object)
    shares = {day: settings.rules_on(pd.Timestamp(day).date()).spot_check_share for day in days}
    rows["share"] = rows["day"].map(shares).astype(float)
    rows["is_tutor"] = _find_tutors(connection, rows)
    return rows[rows["term"].isin(terms)].reset_index(drop=True)


def _find_tutors(connection: Connection, sessions: pd.DataFrame) -> "pd.Series[bool]":
    """Whether who held each session was a tutor on its day."""
    version = tables.staff_versions.c
    of_staff = reading.is_among(connection, version.staff_id, sessions["staff_id"].unique().tolist())
    query = select(version.staff_id, version.from_day, version.roles).where(of_staff)
    staff = Versions(reading.read_frame(connection, query), "staff_id")
    rows = staff.rows(ids(sessions["staff_id"]), days_since_1970(sessions["day"]))
    return pd.Series(staff.lists("roles", Role.TUTOR)[rows], sessions.index)


def _read_checks(connection: Connection, terms: Collection[str], session_ids: Collection[int]) -> pd.DataFrame:
    """The checks of some terms and sessions: `id`, `session_id`, `term`, `result`, and `staff_id` (blank: there is no
    such session any more)."""
    query = (
        select(_check.id, _check.session_id, _check.term, _check.result, _session.staff_id)
        .outerjoin(tables.sessions, _session.id == _check.session_id)
        .where(_check.term.in_(terms) | reading.is_among(connection, _check.session_id, session_ids))
    )
    return reading.read_frame(connection, query)
