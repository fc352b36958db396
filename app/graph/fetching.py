"""Fetches everything that a sync reads into the database, so that no call is lost and none is stored twice.

A run lists the calls of the last days, page by page, and fetches those it has not seen, several at a time. Each page is
stored in one transaction with the note that it was seen, so that a run that was killed continues where it stopped. For
calls that are not sessions only digests and the version are stored. What cannot be read goes into quarantine.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Connection, cast, delete, select
from sqlalchemy.exc import OperationalError

from app import lease
from app.graph.asking import Context, read_source
from app.graph.attendance import fetch_reports
from app.graph.calendars import fetch_calendars
from app.graph.client import Client, is_call_entry
from app.graph.errors import GoneError, GraphError, RequestFailedError, StoppedError
from app.graph.policies import fetch_policies
from app.graph.recordings import fetch_recordings
from app.graph.roster import fetch_roster
from app.graph.runs import CLOCK_TOLERANCE, LISTED, Lease, Run, RunLog, complete_until, require_registration
from app.graph.sources import Source, forget_refusals
from app.graph.transport import WORKERS
from app.intake import quarantine
from app.intake.calls import store_calls
from app.intake.confidential import count_confidential, find_calls_with_counsellors
from app.intake.quarantine import RejectedRecord, reject_entry
from app.intake.result import ImportResult
from app.judging.fingerprint import READER
from app.judging.rejudge import Affected
from app.records.evidence.calls import Call, read_call
from app.records.evidence.graph_objects import UnreadableObjectError
from app.school import School
from app.store import reading
from app.store.quarantined import digest
from app.store.tables import calls as calls_table
from app.store.tables import session_calls, sync_seen
from app.store.writing import insert_rows

_FORGOTTEN = timedelta(days=40)  # Graph no longer lists anything so old
_AT_ONCE = 60  # records in a transaction, as many as a page lists
_JUDGED_TOGETHER = 20  # pages
_MOST_LISTINGS = 3


def synchronise(
    school: School,
    *,
    days: int | None = None,
    retry: bool = False,
    report: Callable[[str], None] = lambda _: None,
    client: Client | None = None,
) -> Run:
    """Run the sync once: fetch what is new in the last `days`, by default since shortly before the last success.
    `retry` also tries again everything in quarantine. `report` is called with the progress as text; tests pass a
    `client` that does not wait. Raises GraphError, or an error of `lease`, if the run could not be completed; what it
    had fetched stays stored."""
    registered = require_registration(school)
    with Lease(school) as held, client or Client(registered, report) as asking:
        return _Sync(school, asking, held, report).run(days, retry=retry)


@dataclass
class _Fetched:
    """Calls that were requested together, grouped by result."""

    read: dict[str, Call] = field(default_factory=dict)
    unreadable: list[RejectedRecord] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    stopped: StoppedError | None = None  # why the rest were not fetched


class _Sync:
    def __init__(self, school: School, client: Client, held: Lease, report: Callable[[str], None]) -> None:
        self._school, self._client, self._lease, self._report = school, client, held, report
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="sync")
        self._done = Run()
        self._log = RunLog(school, self._done)
        self._context = Context(school, client, held, self._pool, self._done, self._log)
        self._tried: set[str] = set()  # calls that were gone or in quarantine

    def run(self, days: int | None, *, retry: bool) -> Run:
        from_at, to_at = self._log.begin(days)
        if retry:
            with self._school.writing() as connection:
                forget_refusals(connection)
        try:
            # First, because the roster decides which calls are stored.
            read_source(self._context, Source.ROSTER, fetch_roster)
            # Before the calls, because calendars have to be read before the sessions begin.
            read_source(self._context, Source.CALENDARS, fetch_calendars)
            self._list(from_at, to_at)
            self._try_again(to_at, everything=retry)
            self._judge_new()
            for source in (Source.RECORDINGS, Source.ADHOC_RECORDINGS):
                read_source(self._context, source, partial(fetch_recordings, source, from_at, to_at))
                self._report_progress()
            read_source(self._context, Source.ATTENDANCE, fetch_reports)
            read_source(self._context, Source.PUPIL_POLICIES, fetch_policies)
            self._finish(from_at, to_at, retry=retry)
        except (GraphError, lease.LostError) as error:
            self._log.end(error=str(error))
            if isinstance(error, GraphError):
                self._judge_new()
            raise
        finally:
            self._client.close()  # stops the threads that are still waiting
            self._pool.shutdown(cancel_futures=True)
        return self._done

    def _finish(self, from_at: datetime, to_at: datetime, *, retry: bool) -> None:
        listed_to = to_at
        if (ahead := self._client.clock_ahead) > CLOCK_TOLERANCE:
            self._log.note_clock_ahead(ahead)
            to_at -= ahead
        with self._school.writing() as connection:
            self._lease.hold(connection)
            connection.execute(delete(sync_seen).where(sync_seen.c.seen_at < to_at - _FORGOTTEN))
            if retry:
                quarantine.delete_unlisted(connection, listed_to)
            until = complete_until(connection, to_at)
            if until is not None and from_at > max(until, to_at - LISTED):
                # Only these days were requested; the time between the last success and them has yet to be fetched.
                self._done.errors.append("The days before were not fetched: run it again without --days.")
                to_at = until
        self._log.end(until=to_at)

    def _list(self, from_at: datetime, to_at: datetime) -> None:
        """List the calls and store what is new. A list that changed while its pages were read may have left out a
        record, so it is read again."""
        met: set[str] = set()
        pages = 0
        for listing in range(_MOST_LISTINGS):
            has_moved, gone_before = False, self._done.gone
            this_time: set[str] = set()
            for page in self._client.iter_call_pages(from_at, to_at):
                calls = {entry["id"]: self._digest_listed(entry) for entry in page if is_call_entry(entry)}
                has_moved = has_moved or not this_time.isdisjoint(calls)
                this_time |= calls.keys()
                self._count_listed(calls.keys() - met)
                met |= calls.keys()
                wrong = [entry for entry in page if not is_call_entry(entry)] if listing == 0 else []
                self._fetch_page(calls, wrong)
                pages += 1
                if pages % _JUDGED_TOGETHER == 0:
                    self._judge_new()
            if not has_moved and self._done.gone == gone_before:
                return

    def _count_listed(self, call_ids: Collection[str]) -> None:
        """Count calls that were listed for the first time in this run, less stored ones with a counsellor."""
        with self._school.engine.connect() as connection:
            stored = find_calls_with_counsellors(connection, [call_id.lower() for call_id in call_ids])
        self._done.listed += len(call_ids) - len(stored)

    def _digest_listed(self, entry: dict[str, Any]) -> str:
        """A digest that changes when a listed record changes. If Graph gives neither a version nor a time of change, a
        record fetched since the last success counts as unchanged."""
        state = [entry.get("version"), entry.get("lastModifiedDateTime")]
        return digest(json.dumps(state if state != [None, None] else [self._log.first_run]))

    def _fetch_page(self, stamps: Mapping[str, str], wrong: Sequence[Any]) -> None:
        """Fetch and store the calls of a page that were not fetched in their present state, and put its `wrong` entries
        into quarantine. `stamps` are the digests of their states by call id. A call that was dropped is fetched again
        if the roster has changed, because it may now be a session."""
        keys = {digest(call_id): call_id for call_id in stamps if call_id not in self._tried}
        with self._school.engine.connect() as connection:
            roster = _digest_roster(connection)
            rows = connection.execute(select(sync_seen.c.id, sync_seen.c.stamp).where(sync_seen.c.id.in_(list(keys))))
            seen = {keys[row.id]: row.stamp for row in rows}
        new = [
            call_id
            for call_id in keys.values()
            if seen.get(call_id) not in (stamps[call_id], digest(stamps[call_id] + roster))
        ]
        fetched = self._fetch(new)
        fetched.unreadable += [reject_entry("calls", entry, "an entry of the list has no id") for entry in wrong]
        self._store(fetched, stamps, roster)

    def _fetch(self, call_ids: Collection[str]) -> _Fetched:
        futures = {call_id: self._pool.submit(self._client.fetch_call_record, call_id) for call_id in call_ids}
        fetched = _Fetched()
        for call_id, future in futures.items():
            try:
                record, content = future.result()
            except StoppedError as error:
                fetched.stopped = error
            except GoneError:
                fetched.gone.add(call_id)
            except RequestFailedError as error:
                fetched.unreadable.append(RejectedRecord("calls", call_id, error.words, error.content, is_call=True))
            else:
                _read(call_id, record, content, fetched)
        return fetched

    def _store(self, fetched: _Fetched, stamps: Mapping[str, str], roster: str) -> None:
        """Store what was fetched together, and how far the run has come, in one transaction. Then raises StoppedError
        if the run cannot go on."""
        with self._school.writing() as connection:
            self._lease.hold(connection)
            asked = {call.id: call_id for call_id, call in fetched.read.items()}
            before = find_calls_with_counsellors(connection, asked)
            for entry in self._store_calls(connection, list(fetched.read.values())):
                fetched.unreadable.append(entry)
                fetched.read.pop(asked.pop(entry.key, ""), None)
            known = connection.scalars(select(calls_table.c.id).where(calls_table.c.id.in_(list(asked))))
            stored = {asked[call_id] for call_id in known}
            self._remember(
                connection,
                {
                    call_id: stamps.get(call_id, "") if call_id in stored else digest(stamps.get(call_id, "") + roster)
                    for call_id in fetched.read
                },
            )
            versions = {call.id: call.version for call in fetched.read.values()}
            quarantine.settle_calls(connection, versions, self._school.now())
            self._context.quarantine(connection, fetched.unreadable)
            self._done.gone += len(fetched.gone)
            confidential = find_calls_with_counsellors(connection, asked)
            self._done.fetched += len(fetched.read) - len(confidential)
            self._done.listed -= len(confidential - before) if stamps else 0
            self._tried |= fetched.gone | {entry.key for entry in fetched.unreadable}
            self._log.save(connection)
        self._report_progress()
        if fetched.stopped:
            raise fetched.stopped

    def _store_calls(self, connection: Connection, calls: list[Call]) -> list[RejectedRecord]:
        """Store the calls that are sessions, and judge what they affect. Returns those that cannot be stored."""
        if not calls:
            return []
        try:
            with connection.begin_nested():
                self._store_all(connection, calls)
        except OperationalError:
            raise
        except Exception as error:  # an unforeseen kind of record must not keep out the others
            if len(calls) > 1:
                return [entry for call in calls for entry in self._store_calls(connection, [call])]
            reason = f"a record that cannot be stored ({type(error).__name__})"
            return [RejectedRecord("calls", calls[0].id, reason, calls[0].original, is_call=True)]
        return []

    def _store_all(self, connection: Connection, calls: list[Call]) -> None:
        result, affected = ImportResult("calls", "sync"), Affected()
        store_calls(connection, self._school, calls, reading.read_roster(connection), result, affected)
        if len(affected.times) > result.added:  # judged calls were replaced; new ones are judged later
            self._context.judge(connection, affected)
        count_confidential(connection, result)
        self._done.count(result)

    def _remember(self, connection: Connection, stamps: Mapping[str, str]) -> None:
        """Note that calls were fetched. Only digests are stored; they are deleted after 40 days."""
        rows = [
            {"id": digest(call_id), "stamp": stamp, "seen_at": self._school.now()} for call_id, stamp in stamps.items()
        ]
        connection.execute(delete(sync_seen).where(sync_seen.c.id.in_([row["id"] for row in rows])))
        insert_rows(connection, sync_seen, rows)

    def _judge_new(self) -> None:
        """Judge the stored calls that are not in a session yet, including those of a run that was killed. Judging many
        together takes hardly longer than judging one page."""
        call, of_session = calls_table.c, session_calls.c
        with self._school.writing() as connection:
            self._lease.hold(connection)
            new = (
                select(cast(call.started_at, BigInteger), cast(call.ended_at, BigInteger))
                .outerjoin(session_calls, of_session.call_id == call.id)
                .where(of_session.call_id.is_(None))
            )
            affected = Affected(times=[(start, end) for start, end in connection.execute(new)])
            try:
                self._context.judge(connection, affected)
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise StoppedError(
                    f"Calls were stored but cannot be judged ({type(error).__name__}).",
                    "Report it with the version's number.",
                ) from None

    def _try_again(self, before: datetime, *, everything: bool) -> None:
        """Fetch again what earlier runs put into quarantine and this run did not list: only what never arrived, or
        everything."""
        with self._school.engine.connect() as connection:
            roster = _digest_roster(connection)
            call_ids = quarantine.list_calls_to_retry(connection, before, everything=everything)
        for start in range(0, len(call_ids), _AT_ONCE):
            fetched, only_in_files = self._fetch(call_ids[start : start + _AT_ONCE]), _Fetched()
            with self._school.engine.connect() as connection:
                for call_id in fetched.gone:  # a newer version of the program may read what came earlier
                    content, was_fetched = quarantine.get_call_content(connection, call_id)
                    _read_stored(call_id, content, fetched if was_fetched else only_in_files)
            fetched.read |= only_in_files.read
            fetched.gone.clear()
            self._store(fetched, {}, roster)

    def _report_progress(self) -> None:
        run = self._done
        self._report(f"{run.listed} calls listed, {run.fetched} fetched, {run.recordings} recordings")


def _digest_roster(connection: Connection) -> str:
    """A digest of what decides whether a call is stored: the roster and the version of the reader."""
    return digest(json.dumps([READER, asdict(reading.read_roster(connection))], sort_keys=True, default=str))


def _read(call_id: str, record: Any, content: bytes, fetched: _Fetched) -> None:
    """Read a call record, and add it to the calls in `fetched` or to its unreadable records."""
    try:
        call = read_call(record, content)
        if call.id.lower() != call_id.lower():
            raise UnreadableObjectError("it is another call's record")
        fetched.read[call_id] = call
    except UnreadableObjectError as error:
        fetched.unreadable.append(RejectedRecord("calls", call_id, str(error), content, is_call=True))
    except Exception as error:  # no record may end the run, whatever is wrong with it
        reason = f"it is not what a call record is ({type(error).__name__})"
        fetched.unreadable.append(RejectedRecord("calls", call_id, reason, content, is_call=True))


def _read_stored(call_id: str, content: bytes, fetched: _Fetched) -> None:
    """Read the copy in quarantine of a call record that Graph no longer has."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        record = None
    _read(call_id, record, content, fetched)
