"""Which logs are stored already: by their reference, and by their session."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, select, type_coerce, update

from app.access.concern_history import LINKS
from app.access.scope import is_counselling
from app.intake.transaction import span
from app.records.logs import Log, are_derived
from app.records.rows import InvalidCellError
from app.store import reading, tables
from app.store.concerns import find_conduct_links

_Session = tuple[int, tuple[int, ...], datetime]  # staff, pupils in order, start


SUPERSEDED = "the log of the same session with the lower reference says otherwise"  # why there is a new version


class StoredLog(NamedTuple):
    """A stored log: its reference, the fingerprint of its content, whether its author has entered, confirmed or
    corrected it on the screen, and whether it is or may be counselling."""

    ref: str
    fingerprint: str
    by_author: bool = False
    is_counselling: bool = False


class StoredLogs:
    """The stored logs that have a reference or a session of some logs."""

    def __init__(self, connection: Connection, logs: Sequence[Log]) -> None:
        self._versions: dict[str, set[str]] = defaultdict(set)  # the fingerprints of every version, by reference
        self._renamed: dict[str, str] = {}  # the new reference of stored logs that take another one
        log = tables.logs.c
        of_refs = reading.is_among(connection, log.ref, [given.ref for given in logs])
        self._counselling: set[tuple[str, int]] = set()  # references of counselling, with its member of staff
        private = is_counselling(log.purpose, log.staff_id).label("is_counselling")
        query = select(log.ref, log.fingerprint, log.staff_id, log.current, private).where(of_refs)
        for row in connection.execute(query):
            self._versions[row.ref].add(row.fingerprint)
            if row.current and row.is_counselling:
                self._counselling.add((row.ref, row.staff_id))
        self._sessions, self._earlier = _list_sessions(connection, logs)
        changed = [given for given in logs if given.ref in self._versions and not self._is_stored(given)]
        for given in _find_equal(connection, changed):
            self._versions[given.ref].add(given.fingerprint)

    def add(self, log: Log) -> None:
        """Count a log as stored."""
        self._versions[log.ref].add(log.fingerprint)
        self._sessions[_get_session(log)] = StoredLog(log.ref, log.fingerprint)

    def find_same(self, log: Log) -> str | None:
        """The reference under which a log is stored, perhaps as an earlier version, or under which the one is stored
        that it supersedes; None if it is new. InvalidCellError if another log has its reference and says otherwise, or
        its session with a lower reference. What an author has entered, confirmed or corrected is never superseded."""
        if self._is_stored(log):
            return log.ref
        if self._versions.get(log.ref):
            raise InvalidCellError(
                "is already the reference of a log that says otherwise",
                "give this log a reference of its own, or correct the other log on the page “Log a session”",
                "ref",
            )
        if ref := self._earlier.get((_get_session(log), log.fingerprint)):
            return ref
        other = self.find_other(log)
        stays = other and (other.ref < log.ref or other.by_author or are_derived(other.ref, log.ref))
        if other and stays and other.fingerprint != log.fingerprint:
            raise InvalidCellError(
                "belongs to a session that another log describes otherwise: same staff, pupils and start",
                "keep one of the two, or correct the other log on the page “Log a session”",
                "ref",
            )
        return other.ref if other else None

    def find_counselling(self, log: Log) -> str | None:
        """The reference of a stored log of counselling that has the session of a log, or its reference and its member
        of staff; None if there is none."""
        same = self._sessions.get(_get_session(log))
        if same and same.is_counselling:
            return same.ref
        return log.ref if (log.ref, log.staff_id) in self._counselling else None

    def find_other(self, log: Log) -> StoredLog | None:
        """The log of the same session (staff, pupils, start) that has another reference."""
        found = self._sessions.get(_get_session(log))
        return found if found and found.ref != log.ref else None

    def supersedes(self, log: Log) -> bool:
        """Whether another log of the same session is stored that says otherwise, and never said the same."""
        other = self.find_other(log)
        said = (_get_session(log), log.fingerprint) in self._earlier
        return other is not None and other.fingerprint != log.fingerprint and not said

    def take_reference(self, log: Log, ref: str) -> None:
        """Count a log that is stored under `ref` as one with the reference of another one of the same session."""
        self._versions[log.ref] = self._versions.pop(ref, set()) | {log.fingerprint}
        self._sessions[_get_session(log)] = StoredLog(log.ref, log.fingerprint)
        self._renamed[ref] = log.ref

    def store_references(self, connection: Connection) -> None:
        """Store the references that were taken."""
        log = tables.logs
        for ref, new_ref in self._renamed.items():
            connection.execute(update(log).where(log.c.ref == ref).values(ref=new_ref))
        relink_concerns(connection, self._renamed)

    def _is_stored(self, log: Log) -> bool:
        return log.fingerprint in self._versions.get(log.ref, ())


def _get_session(log: Log) -> _Session:
    return log.staff_id, log.pupil_ids, log.started_at


def relink_concerns(connection: Connection, renamed: Mapping[str, str]) -> None:
    """Link the concerns that are or were linked to some logs to those with their new references."""
    if not renamed:
        return
    for event in (tables.concern_events, tables.conduct_events):
        steps = connection.execute(select(event.c.id, event.c.content).where(event.c.kind.in_(LINKS))).all()
        for number, content in steps:
            answers = json.loads(content)
            if new_ref := renamed.get(answers["log_ref"]):
                relinked = json.dumps(answers | {"log_ref": new_ref})
                connection.execute(update(event).where(event.c.id == number).values(content=relinked))
    of_child = tables.concern_sessions.c
    is_renamed = reading.is_among(connection, of_child.log_ref, renamed)
    child_links = connection.execute(select(of_child.id, of_child.log_ref).where(is_renamed)).all()
    links = {
        tables.concern_sessions: dict(child_links),
        tables.conduct_sessions: find_conduct_links(connection, "log_ref", renamed),
    }
    for table, refs in links.items():
        for number, ref in refs.items():
            connection.execute(update(table).where(table.c.id == number).values(log_ref=renamed[ref]))


def _list_sessions(
    connection: Connection, logs: Sequence[Log]
) -> tuple[dict[_Session, StoredLog], dict[tuple[_Session, str], str]]:
    """The stored logs that may be of the same session as one of some logs; and the references of their earlier
    versions, by session and fingerprint."""
    log = tables.logs.c
    starts = {span(given.started_at, given.ended_at)[0] for given in logs}
    is_then = reading.is_among(connection, type_coerce(log.started_at, BigInteger), starts)
    content = log.id, log.ref, log.fingerprint, log.staff_id, log.started_at
    private = is_counselling(log.purpose, log.staff_id).label("is_counselling")
    stored = connection.execute(
        select(*content, log.current, log.unconfirmed, log.correction_reason, private).where(is_then)
    ).all()
    pupils = _list_pupils(connection, [row.id for row in stored])
    current, earlier = {}, {}
    for row in stored:
        session = (row.staff_id, pupils[row.id], row.started_at)
        if row.current:
            # Version 0.2.0 did not store which logs came from files: all of them count as confirmed.
            by_author = not row.unconfirmed or row.correction_reason not in (None, SUPERSEDED)
            current[session] = StoredLog(row.ref, row.fingerprint, by_author, row.is_counselling)
        else:
            earlier[session, row.fingerprint] = row.ref
    return current, earlier


def _find_equal(connection: Connection, logs: Sequence[Log]) -> list[Log]:
    """Those of some logs whose stored content is equal, although an earlier version of the program, which read other
    words, gave it another fingerprint."""
    log, invited = tables.logs.c, tables.log_invited.c
    of_refs = reading.is_among(connection, log.ref, [given.ref for given in logs])
    stored = {row["ref"]: row for row in connection.execute(select(tables.logs).where(log.current, of_refs)).mappings()}
    numbers = [row["id"] for row in stored.values()]
    pupils = _list_pupils(connection, numbers)
    emails: dict[int, set[str]] = defaultdict(set)
    of_logs = reading.is_among(connection, invited.log_id, numbers)
    for number, email in connection.execute(select(invited.log_id, invited.email).where(of_logs)):
        emails[number].add(email)

    def is_equal(given: Log) -> bool:
        row = stored[given.ref]
        session = given.staff_id, given.pupil_ids, given.started_at, given.ended_at
        return (
            (row["staff_id"], pupils[row["id"]], row["started_at"], row["ended_at"]) == session
            and emails[row["id"]] == {email for email, _ in given.invited}
            and all(row[name] == answer for name, answer in given.answers.items())
        )

    return [given for given in logs if given.ref in stored and is_equal(given)]


def _list_pupils(connection: Connection, logs: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The pupils of each log, in order."""
    pupil = tables.log_pupils.c
    found: dict[int, list[int]] = {number: [] for number in logs}
    of_logs = reading.is_among(connection, pupil.log_id, logs)
    for log_id, pupil_id in connection.execute(select(pupil.log_id, pupil.pupil_id).where(of_logs)):
        found[log_id].append(pupil_id)
    return {number: tuple(sorted(pupils)) for number, pupils in found.items()}
