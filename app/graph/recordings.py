"""Fetches which calls have recordings, of scheduled meetings and of other calls; never the recordings' content."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import or_, select

from app.graph.asking import Context, ask_people
from app.graph.client import Client, stamp
from app.graph.errors import RequestFailedError
from app.graph.sources import Source
from app.intake.calls import is_of_stored_call, store_recordings
from app.intake.confidential import count_confidential
from app.intake.quarantine import RejectedRecord, reject_entry
from app.intake.result import ImportResult
from app.judging.rejudge import Affected
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.evidence.recordings import Recording, read_recording
from app.school import School
from app.store.tables import calls
from app.store.writing import raise_revision

_PATHS = {  # by the organiser
    Source.RECORDINGS: "/users/{0}/onlineMeetings/getAllRecordings(meetingOrganizerUserId='{0}',{1})",
    Source.ADHOC_RECORDINGS: "/users/{0}/adhocCalls/getAllRecordings(userId='{0}',{1})",
}


def fetch_recordings(source: Source, from_at: datetime, to_at: datetime, context: Context) -> None:
    """Store that stored calls have recordings, from the lists of their organisers. `source` is one of the two kinds of
    recordings."""

    def ask(organiser: str) -> list[Any]:
        return list_recordings(context.client, source, organiser, (from_at, to_at))

    def reject(organiser: str, error: RequestFailedError) -> None:
        key = organiser if source is Source.RECORDINGS else f"{source}|{organiser}"
        _store(context, [], [RejectedRecord("recordings", key, error.words, error.content)])

    for _, entries in ask_people(context, source, list_organisers(context.school, from_at), ask, reject):
        _store(context, *_read(entries))


def list_recordings(client: Client, source: Source, organiser: str, times: tuple[datetime, datetime]) -> list[Any]:
    """Graph's list of the recordings of what somebody organised between two times."""
    from_at, to_at = map(stamp, times)
    path = _PATHS[source].format(quote(organiser, safe=""), f"startDateTime={from_at},endDateTime={to_at}")
    return client.list_entries(path)


def list_organisers(school: School, from_at: datetime) -> Sequence[str]:
    """The Entra ids of the school's own organisers of stored calls since a time."""
    call, tenant = calls.c, school.settings.tenant_id.lower()
    ours = or_(call.organiser_tenant.is_(None), call.organiser_tenant == tenant)
    known = call.organiser_id.is_not(None), ~call.organiser_id.contains(":")
    query = select(call.organiser_id).where(call.started_at >= from_at, *known, ours).distinct()
    with school.engine.connect() as connection:
        return connection.scalars(query.order_by(call.organiser_id)).all()


def _store(context: Context, recordings: list[Recording], wrong: Sequence[RejectedRecord]) -> None:
    """Store the recordings of stored calls, and nothing about other meetings."""
    if not recordings and not wrong:
        return
    with context.school.writing() as connection:
        context.lease.hold(connection)
        result, affected = ImportResult("recordings", "sync"), Affected()
        ours = [recording for recording in recordings if is_of_stored_call(connection, recording)]
        store_recordings(connection, ours, result, affected)
        context.judge(connection, affected)
        if (result.added or result.changed) and not affected.sessions:
            raise_revision(connection)
        count_confidential(connection, result)
        context.done.recordings += sum(result.count()[name] for name in ("added", "changed"))
        context.quarantine(connection, wrong)
        context.log.save(connection)


def _read(entries: Sequence[Any]) -> tuple[list[Recording], list[RejectedRecord]]:
    """The recordings in an organiser's list, and its entries that cannot be read."""
    recordings, wrong = [], []
    for entry in entries:
        try:
            recordings.append(read_recording(entry))
        except UnreadableObjectError as error:
            wrong.append(reject_entry("recordings", entry, str(error)))
        except Exception as error:  # as with call records
            wrong.append(reject_entry("recordings", entry, f"it is not what a recording is ({type(error).__name__})"))
    return recordings, wrong
