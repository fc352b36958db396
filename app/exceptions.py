"""An exception: a clause that a session did not keep, from its opening to its end.

Judging opens one for each breach, and closes it by itself when evidence that came later shows no breach
any more. The member of staff explains; its owner settles it. Nothing that happened to it is ever changed.
Who owns it and who may see it stands in `app.access`. Of a confidential session none is opened: the
counsellor has the outcomes, and nobody else learns of the session.
"""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, select, update

from app import access, audit
from app.protocol import decode
from app.store import reading, tables
from app.store.writing import insert_rows, raise_revision

if TYPE_CHECKING:
    from app.access import Person
    from app.school import School

# How an exception can be settled, and how that reads to everybody, the member of staff too. One that led to a
# concern about conduct is settled "another way", as is much else: its trail must not tell.
WAYS = {
    "explained": "Explained: nothing more to do",
    "spoken_with": "Spoken with",
    "training": "Training agreed",
    "other": "Settled another way",
}
OPEN, SETTLED, KEPT = "open", "settled", "kept"

_exception = tables.exceptions.c


class NotYours(Exception):
    """Somebody tried to explain or settle what is not theirs, or what has ended meanwhile."""


def follow(connection: Connection, sessions: pd.DataFrame, gone: Collection[int], now: datetime) -> None:
    """Open, close and reopen what the judging of some sessions asks for, in its transaction.

    `sessions`: `id`, `confidential`, `codes` as judged now; `gone`: the numbers of sessions that are no more.
    """
    outcomes = decode(sessions["codes"])
    row, column = np.nonzero(((outcomes == "breach") & ~sessions[["confidential"]].to_numpy(bool)).to_numpy())
    broken = pd.DataFrame(
        {"session_id": sessions["id"].to_numpy(np.int64)[row], "clause": outcomes.columns.to_numpy(object)[column]}
    )
    mine = reading.chosen(connection, "excepted", _exception.session_id, {*sessions["id"].tolist(), *gone})
    known = reading.frame(connection, select(tables.exceptions).where(mine))
    both = broken.merge(known, on=["session_id", "clause"], how="outer", indicator="found")
    new = both.loc[both["found"] == "left_only", ["session_id", "clause"]]
    insert_rows(connection, tables.exceptions, new.assign(opened_at=pd.Timestamp(now), state=OPEN))
    ended = both.loc[(both["found"] == "right_only") & (both["state"] == OPEN), "id"]
    again = both.loc[(both["found"] == "both") & (both["state"] == KEPT), "id"]
    _change(connection, ended.tolist(), KEPT, now, "kept")
    _change(connection, again.tolist(), OPEN, now, "reopened")


def _change(
    connection: Connection, ids: Collection[int], state: str, at: datetime, kind: str, **more: int | str | None
) -> None:
    """Give exceptions a state, and each the event that led to it; `more` of it: `by`, `how`, `text`."""
    if not ids:
        return
    chosen = reading.chosen(connection, "changed", _exception.id, ids)
    connection.execute(update(tables.exceptions).where(chosen).values(state=state))
    event = {"at": at, "kind": kind} | more
    connection.execute(insert(tables.exception_events), [event | {"exception_id": int(number)} for number in ids])


def explain(school: "School", person: "Person", session_id: int, words: str) -> None:
    """The member of staff says how it came that a session of theirs broke a clause."""
    ids = access.exceptions_of(school, person, session_id).to_explain
    _record(school, person, session_id, ids, OPEN, "explained", text=words.strip())


def settle(school: "School", person: "Person", session_id: int, how: str, words: str) -> None:
    """The owner settles everything that is open of a session, together: `how` one of WAYS, and a note."""
    if how not in WAYS:
        raise ValueError(f"{how!r} is no way to settle an exception")
    ids = access.exceptions_of(school, person, session_id).to_settle
    _record(school, person, session_id, ids, SETTLED, "settled", how=how, text=words.strip() or None)


def _record(
    school: "School", person: "Person", session_id: int, ids: list[int], state: str, kind: str, **event: str | None
) -> None:
    with school.writing() as connection:
        still_open = _exception.id.in_(ids) & (_exception.state == OPEN)
        current = connection.scalars(select(_exception.id).where(still_open)).all()
        if not current or len(current) < len(ids):
            raise NotYours("It is not open any more, or not yours: open the session again to see how it stands.")
        _change(connection, current, state, school.now(), kind, by=person.staff_id, **event)
        audit.add(
            connection, at=school.now(), by=person.email, what="changed", about=f"exceptions of session {session_id}"
        )
        raise_revision(connection)
