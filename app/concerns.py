"""A safeguarding concern about a child: how one is opened.

What was reported is never changed; everything that happens to it afterwards is added to its events.
"""

import secrets
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from app.alerts import queue, shared_channel
from app.store import tables
from app.store.held import held, listed, on

CATEGORIES = {
    "home_alone": "A child home alone",
    "unknown_adult": "An unknown adult",
    "disclosure": "Something the child disclosed",
    "seen_or_heard": "Something seen or heard on the call",
    "left_alone": "Left alone in a call",
    "distress": "Distress",
    "other": "Something else",
}
MOST_CATEGORIES = 3

# As they are looked at: a concern that nobody has assessed yet may be anything.
LEVELS = ("immediate danger", "not yet assessed", "child protection", "early help", "monitoring")
NOT_ASSESSED = "not yet assessed"

# No 0, 1, O or I: a reference is read out on the telephone. Not counted up, so that nobody can tell
# from their own concern's reference how many others there are.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def known_category(words: str | None) -> str:
    """The category that somebody's words name ("Home alone" is `home_alone`), else `other`."""
    name = (words or "").strip().lower().replace(" ", "_").replace("-", "_")
    return name if name in CATEGORIES else "other"


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
    log_ref: str | None = None,
    call_id: str | None = None,
) -> str:
    """Keep a concern, alert each DSP of each pupil's school, and give its reference.

    `raised_by` is a staff id, both times are aware, `categories` one to three of CATEGORIES, `level`
    one of LEVELS. `log_ref` or `call_id` link the session it came out of. Runs in the caller's
    transaction, which also raises the revision and judges the linked session again. ValueError,
    without any of the words given, when something is missing or not known.
    """
    _check(summary, categories, level, pupil_ids)
    ref = "C-" + "".join(secrets.choice(_LETTERS) for _ in range(8))
    concern_id = connection.scalar(
        insert(tables.concerns)
        .returning(tables.concerns.c.id)
        .values(
            ref=ref,
            raised_by=raised_by,
            raised_at=raised_at,
            happened_at=happened_at,
            summary=summary,
            childs_words=childs_words,
            told_dsp=told_dsp,
            categories=";".join(dict.fromkeys(categories)),
        )
    )
    pupils = sorted(set(pupil_ids))
    connection.execute(
        insert(tables.concern_pupils), [{"concern_id": concern_id, "pupil_id": pupil} for pupil in pupils]
    )
    if log_ref or call_id:
        connection.execute(
            insert(tables.concern_sessions).values(concern_id=concern_id, log_ref=log_ref, call_id=call_id)
        )
    event = {"concern_id": concern_id, "at": raised_at, "by": raised_by, "level": None, "told": None, "text": None}
    dsps = dsps_of(connection, pupils, raised_at.date())
    alerted = [event | {"kind": "alerted", "by": None, "told": dsp} for dsp in dsps]
    connection.execute(insert(tables.concern_events), [event | {"kind": "opened", "level": level}, *alerted])
    words = f"What kind: {'; '.join(CATEGORIES[kind].lower() for kind in dict.fromkeys(categories))}."
    for to in [*sorted({*dsps} - {raised_by}), *([None] if shared_channel() else [])]:
        key = f"concern {ref} raised, to {to or 'all'}"
        queue(connection, to=to, kind="concern", about=f"concern {ref}", key=key, at=raised_at, words=words)
    return ref


def _check(summary: str, categories: Sequence[str], level: str, pupil_ids: Sequence[int]) -> None:
    if not summary.strip():
        raise ValueError("A concern needs a summary: say in a sentence what it is about.")
    if not pupil_ids:
        raise ValueError("A concern needs a pupil: choose the child it is about.")
    if not set(categories) <= CATEGORIES.keys() or not 1 <= len(set(categories)) <= MOST_CATEGORIES:
        raise ValueError(f"A concern has one to {MOST_CATEGORIES} categories of: {', '.join(CATEGORIES)}.")
    if level not in LEVELS:
        raise ValueError(f"A concern's level is one of: {', '.join(LEVELS)}.")


def dsps_of(connection: Connection, pupil_ids: Sequence[int], day: date) -> Sequence[int]:
    """The staff ids of the DSPs, on a day, of the schools that the pupils are in."""
    pupil, staff = held(tables.pupil_versions), held(tables.staff_versions)
    schools = select(pupil.c.school).where(pupil.c.pupil_id.in_(pupil_ids), on(pupil, day))
    dsps = select(staff.c.staff_id).where(on(staff, day), listed(staff.c.roles, "dsp"), staff.c.school.in_(schools))
    return connection.scalars(dsps.order_by(staff.c.staff_id)).all()
