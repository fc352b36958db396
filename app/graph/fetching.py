"""Fetching call records and recordings into the database, so that none is lost and none is stored twice.

A run lists the calls of the last days, page by page, and fetches those it has not seen as they are listed, several at a
time. Each page is stored in one transaction with the note that it was seen, so that a killed run continues where
it was. Of calls that are no sessions only a digest of the id is stored. What cannot be read goes into quarantine.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, cast, delete, or_, select
from sqlalchemy.exc import OperationalError

from app.graph import quarantine
from app.graph.client import Client, is_call_entry
from app.graph.errors import (
    ForbiddenError,
    GoneError,
    GraphError,
    LeaseLostError,
    NotConfiguredError,
    RequestFailedError,
    StoppedError,
)
from app.graph.lease import Lease
from app.graph.quarantine import Unreadable, digest, unreadable
from app.graph.registration import registration
from app.graph.runs import LISTED, Run, RunLog, complete_until
from app.graph.seen import dropped_stamp, roster_digest, store_seen
from app.intake.calls import is_of_stored_call, store_calls, store_recordings
from app.intake.transaction import ImportResult
from app.judging.rejudge import Touched, rejudge
from app.records.calls import Call, read_call
from app.records.graph_objects import UnreadableObjectError
from app.records.recordings import Recording, read_recording
from app.school import School
from app.store import reading
from app.store.tables import calls as calls_table
from app.store.tables import session_calls, sync_seen
from app.store.writing import raise_revision

WORKERS = 4
_FORGOTTEN = timedelta(days=40)  # Graph lists nothing of that age any more
_AT_ONCE = 60  # records in a transaction, as many as a page lists
_JUDGED_TOGETHER = 20  # pages
_MOST_LISTINGS = 3
_UNKNOWN = "a record that cannot be kept"


Progress = Callable[[Run], None]


def synchronise(
    school: School,
    *,
    days: int | None = None,
    retry: bool = False,
    workers: int = WORKERS,
    progress: Progress = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
    client: Client | None = None,
) -> Run:
    """Fetch once what is new. `days` back, else from a little before the last success; `retry` also tries
    again everything in quarantine; `workers` requests at a time. `progress` is called with the counts so
    far, `note` with the reason for a pause; `client` asks in the place of one that would really wait. GraphError
    if it could not be done, with what came so far kept."""
    registered = registration()
    if registered is None:
        raise NotConfiguredError(
            "No sync is configured.", "Set GRAPH_TENANT_ID, GRAPH_CLIENT_ID and GRAPH_CERTIFICATE_FILE."
        )
    if school.is_demonstration():
        raise NotConfiguredError(
            "This database holds the demonstration: no real call comes into it.",
            "Set DATABASE_URL to a database of the school's own.",
        )
    with Lease(school) as lease, client or Client(registered, workers, note) as asking:
        return _Sync(school, asking, lease, workers, progress).run(days, retry)


@dataclass(frozen=True)
class _Fetched:
    """A call record that was asked for: read, gone, or in quarantine; blank if the run ended before."""

    call_id: str
    stamp: str
    call: Call | None = None
    gone: bool = False
    aside: Unreadable | None = None
    stopped: StoppedError | None = None


class _Sync:
    def __init__(self, school: School, client: Client, lease: Lease, workers: int, progress: Progress) -> None:
        self._school, self._client, self._lease, self._progress = school, client, lease, progress
        self._workers = workers
        self._done = Run()
        self._log = RunLog(school, self._done)
        self._tried: set[str] = set()  # calls that were gone or in quarantine

    def run(self, days: int | None, retry: bool) -> Run:
        from_at, to_at = self._log.begin(days)
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="sync")
        try:
            self._list(pool, from_at, to_at)
            self._try_again(pool, to_at, retry)
            self._judge_new()
            self._recordings(pool, from_at, to_at)
            self._finish(from_at, to_at, retry)
        except GraphError as error:
            self._log.end(trouble=str(error))
            if not isinstance(error, LeaseLostError):
                self._judge_new()
            raise
        finally:
            self._client.close()  # stops the threads that still wait
            pool.shutdown(cancel_futures=True)
        return self._done

    def _finish(self, from_at: datetime, to_at: datetime, retry: bool) -> None:
        with self._school.writing() as connection:
            self._lease.hold(connection)
            connection.execute(delete(sync_seen).where(sync_seen.c.seen_at < to_at - _FORGOTTEN))
            if retry:
                quarantine.release_unlisted(connection, to_at)
            until = complete_until(connection)
            if until is not None and from_at > max(until, to_at - LISTED):
                # Only these days were asked for; what lies between them and the last success has yet to be fetched.
                self._done.troubles.append("The days before were not fetched: run it again without --days.")
                to_at = until
        self._log.end(until=to_at)

    def _list(self, pool: ThreadPoolExecutor, from_at: datetime, to_at: datetime) -> None:
        """List the calls and keep what is new. A list that changed while it was paged may have hidden a
        record from us, so it is read again."""
        met: set[str] = set()
        pages = 0
        for listing in range(_MOST_LISTINGS):
            moved = False
            gone = self._done.gone
            this_time: set[str] = set()
            for page in self._client.call_pages(from_at, to_at):
                ids = {digest(entry["id"]) for entry in page if is_call_entry(entry)}
                moved = moved or not this_time.isdisjoint(ids)
                this_time |= ids
                self._done.listed += len(ids - met)
                met |= ids
                self._page(pool, page, met_before=listing > 0)
                pages += 1
                if pages % _JUDGED_TOGETHER == 0:
                    self._judge_new()
            if not moved and self._done.gone == gone:
                return

    def _page(self, pool: ThreadPoolExecutor, page: list[Any], met_before: bool) -> None:
        wrong = [
            unreadable("entry", entry, "an entry of the list has no id") for entry in page if not is_call_entry(entry)
        ]
        with self._school.engine.connect() as connection:
            roster = roster_digest(reading.roster(connection))
            wanted = self._new(connection, {e["id"]: self._stamp(e) for e in page if is_call_entry(e)}, roster)
        fetched = list(pool.map(self._fetch, wanted.items()))
        self._keep(fetched, [] if met_before else wrong, roster)

    def _stamp(self, entry: dict[str, Any]) -> str:
        """What tells a record as listed from the same record changed. Where Graph says neither version nor
        time of change, a record fetched since the last success counts as unchanged."""
        said = [entry.get("version"), entry.get("lastModifiedDateTime")]
        return digest(json.dumps(said if said != [None, None] else [self._log.chain]))

    def _new(self, connection: Connection, stamps: dict[str, str], roster: str) -> dict[str, str]:
        """Those of the listed calls that were not fetched as they are now. One that was dropped is fetched
        again when the roster has changed: it may have become a session."""
        by_key = {digest(call_id): call_id for call_id in stamps}
        seen = dict(
            connection.execute(select(sync_seen.c.id, sync_seen.c.stamp).where(sync_seen.c.id.in_(list(by_key)))).all()
        )
        return {
            call_id: stamps[call_id]
            for key, call_id in by_key.items()
            if call_id not in self._tried
            and seen.get(key) not in (stamps[call_id], dropped_stamp(stamps[call_id], roster))
        }

    def _fetch(self, wanted: tuple[str, str]) -> _Fetched:
        """One call record, read; runs beside others."""
        call_id, stamp = wanted
        try:
            record, content = self._client.call_record(call_id)
        except StoppedError as error:
            return _Fetched(call_id, stamp, stopped=error)
        except GoneError:
            return _Fetched(call_id, stamp, gone=True)
        except RequestFailedError as error:
            return _Fetched(call_id, stamp, aside=Unreadable("call", call_id, error.words, error.content))
        try:
            call = read_call(record, content)
            if call.id.lower() != call_id.lower():
                raise UnreadableObjectError("it is another call's record")
            _check_times(call)
        except UnreadableObjectError as error:
            why = str(error)
        except Exception as error:  # whatever a record does to its reader, it must not end the run
            why = f"it is not what a call record is ({type(error).__name__})"
        else:
            return _Fetched(call_id, stamp, call=call)
        return _Fetched(call_id, stamp, aside=Unreadable("call", call_id, why, content))

    def _keep(self, fetched: Sequence[_Fetched], wrong: Sequence[Unreadable], roster: str) -> None:
        """Keep a page in one transaction, and how far the run has come. StoppedError, after that, if the run
        cannot go on."""
        asides = [*wrong, *(one.aside for one in fetched if one.aside)]
        read = {one.call_id: one for one in fetched if one.call}
        with self._school.writing() as connection:
            self._lease.hold(connection)
            unkept = self._keep_calls(connection, [one.call for one in read.values() if one.call])
            asides += unkept
            for aside in unkept:
                read.pop(aside.ref, None)
            now = self._school.now()
            kept = {
                digest(call_id)
                for call_id in connection.scalars(select(calls_table.c.id).where(calls_table.c.id.in_(list(read))))
            }
            store_seen(
                connection,
                {
                    (key := digest(one.call_id)): one.stamp if key in kept else dropped_stamp(one.stamp, roster)
                    for one in read.values()
                },
                now,
            )
            quarantine.release_calls(connection, list(read))
            for aside in asides:
                quarantine.store(connection, aside, now)
            self._done.quarantined += len(asides)
            gone = {one.call_id for one in fetched if one.gone}
            self._done.gone += len(gone)
            self._tried |= gone | {aside.ref for aside in asides}
            self._done.fetched += len(read)
            self._log.save(connection)
        self._progress(self._done)
        for one in fetched:
            if one.stopped:
                raise one.stopped

    def _keep_calls(self, connection: Connection, calls: list[Call]) -> list[Unreadable]:
        """Keep those that are sessions, and judge what they touch; the rest goes into quarantine."""
        if not calls:
            return []
        try:
            with connection.begin_nested():
                self._keep_all(connection, calls)
        except OperationalError:
            raise
        except Exception as error:  # one record that nobody foresaw must not keep out the others
            if len(calls) == 1:
                return [Unreadable("call", calls[0].id, f"{_UNKNOWN} ({type(error).__name__})", calls[0].original)]
            return [aside for call in calls for aside in self._keep_calls(connection, [call])]
        return []

    def _keep_all(self, connection: Connection, calls: list[Call]) -> None:
        result, touched = ImportResult("calls", "sync"), Touched()
        store_calls(connection, self._school, calls, reading.roster(connection), result, touched)
        if len(touched.times) > result.added:  # some replaced what was judged already; new ones wait for more
            self._judge(connection, touched)
        self._done.added += result.added
        self._done.changed += result.changed
        self._done.dropped += result.dropped

    def _judge(self, connection: Connection, touched: Touched) -> None:
        if touched.times or touched.sessions:
            rejudge(connection, self._school.settings, touched, self._school.now())
            raise_revision(connection)

    def _judge_new(self) -> None:
        """Judge the calls that were kept and are in no session yet, also those of a run that was killed:
        many together take hardly longer than a page of them."""
        call, of_session = calls_table.c, session_calls.c
        with self._school.writing() as connection:
            self._lease.hold(connection)
            new = (
                select(cast(call.started_at, BigInteger), cast(call.ended_at, BigInteger))
                .outerjoin(session_calls, of_session.call_id == call.id)
                .where(of_session.call_id.is_(None))
            )
            touched = Touched(times=[(start, end) for start, end in connection.execute(new)])
            try:
                self._judge(connection, touched)
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise StoppedError(
                    f"Calls were kept but cannot be judged ({type(error).__name__}).",
                    "Report it with the version's number.",
                ) from None

    def _try_again(self, pool: ThreadPoolExecutor, before: datetime, everything: bool) -> None:
        """Fetch again what earlier runs put into quarantine and this one did not list: what never arrived, or all."""
        with self._school.engine.connect() as connection:
            roster = roster_digest(reading.roster(connection))
            refs = quarantine.call_refs(connection, before, everything=everything)
        for start in range(0, len(refs), _AT_ONCE):
            fetched = list(pool.map(self._fetch, [(ref, "") for ref in refs[start : start + _AT_ONCE]]))
            self._keep([self._from_what_came(one) if one.gone else one for one in fetched], [], roster)

    def _from_what_came(self, one: _Fetched) -> _Fetched:
        """A record that Graph has no more may still be read from the copy in quarantine, by a newer reader."""
        with self._school.engine.connect() as connection:
            content = quarantine.call_content(connection, one.call_id)
        try:
            return replace(one, call=read_call(json.loads(content)))
        except Exception:  # as unreadable as before
            why = "it cannot be read, and Microsoft Graph has it no more"
            return replace(one, aside=Unreadable("call", one.call_id, why, content))

    def _recordings(self, pool: ThreadPoolExecutor, from_at: datetime, to_at: datetime) -> None:
        """That there are recordings of the calls that were kept, from their organisers' lists."""
        call = calls_table.c
        ours = or_(call.organiser_tenant.is_(None), call.organiser_tenant == self._school.settings.tenant_id.lower())
        with self._school.engine.connect() as connection:
            organisers = connection.scalars(
                select(call.organiser_id)
                .where(
                    call.started_at >= from_at, call.organiser_id.is_not(None), ~call.organiser_id.contains(":"), ours
                )
                .distinct()
            ).all()
        for organiser, found in zip(
            organisers, pool.map(lambda one: self._recordings_of(one, from_at, to_at), organisers), strict=True
        ):
            if isinstance(found, StoppedError):
                raise found
            if isinstance(found, ForbiddenError | GoneError):
                self._refused(found)
            elif isinstance(found, RequestFailedError):
                self._keep_recordings([], [Unreadable("recordings", organiser, found.words, found.content)])
            else:
                self._keep_recordings(*found)
            self._progress(self._done)

    def _recordings_of(
        self, organiser: str, from_at: datetime, to_at: datetime
    ) -> tuple[list[Recording], list[Unreadable]] | StoppedError | RequestFailedError:
        try:
            entries = self._client.recordings(organiser, from_at, to_at)
        except (StoppedError, RequestFailedError) as error:
            return error
        recordings: list[Recording] = []
        asides: list[Unreadable] = []
        for entry in entries:
            try:
                recordings.append(read_recording(entry))
            except UnreadableObjectError as error:
                asides.append(unreadable("recording", entry, str(error)))
            except Exception as error:  # as with call records
                asides.append(unreadable("recording", entry, f"it is not what a recording is ({type(error).__name__})"))
        return recordings, asides

    def _refused(self, error: RequestFailedError) -> None:
        self._done.rejected += 1
        if self._done.rejected == 1:
            self._done.troubles.append(
                f"Recordings were refused ({error.words}); for them the app registration needs "
                "OnlineMeetingRecording.Read.All and an application access policy (docs/graph.md)."
            )

    def _keep_recordings(self, recordings: list[Recording], asides: Sequence[Unreadable]) -> None:
        """Keep the recordings of calls that are sessions; of other meetings nothing is kept."""
        if not recordings and not asides:
            return
        with self._school.writing() as connection:
            self._lease.hold(connection)
            result, touched = ImportResult("recordings", "sync"), Touched()
            ours = [recording for recording in recordings if is_of_stored_call(connection, recording)]
            store_recordings(connection, ours, result, touched)
            self._judge(connection, touched)
            if (result.added or result.changed) and not touched.sessions:
                raise_revision(connection)
            self._done.recordings += result.added + result.changed
            for aside in asides:
                quarantine.store(connection, aside, self._school.now())
            self._done.quarantined += len(asides)
            self._log.save(connection)


def _check_times(call: Call) -> None:
    """Times that no school can have had are not to be judged by."""
    times = [call.started_at, call.ended_at, *(t for stay in call.stays for t in (stay.joined_at, stay.left_at))]
    if not all(2000 <= time.year < 2100 for time in times):
        raise UnreadableObjectError("its times cannot be right")
