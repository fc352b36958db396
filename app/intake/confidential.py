"""Which records of an import or a sync are or may be counselling, so that no count tells of them."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from app.access.scope import is_confidential, select_past_and_present_counsellors
from app.intake.result import ImportResult
from app.store import tables
from app.store.reading import is_among


def count_confidential(connection: Connection, result: ImportResult) -> None:
    """Note in a result how many of its logs, calls and recordings are confidential, after they were judged, and leave
    out what it says of them."""
    keys = {key for keys in result.keys.values() for key in keys}
    if not keys:
        return
    if result.kind == "logs":
        confidential = _find_logs(connection, keys)
    elif result.kind == "recordings":
        confidential = find_recordings_of_counsellors(connection, keys)
    else:
        confidential = _find_calls(connection, keys) | find_calls_with_counsellors(connection, keys)
    result.withhold(confidential)


def _find_logs(connection: Connection, refs: Collection[str]) -> set[str]:
    session, log = tables.sessions.c, tables.logs.c
    query = select(log.ref).join(tables.sessions, session.log_id == log.id)
    return set(connection.scalars(query.where(is_among(connection, log.ref, refs), is_confidential())))


def _find_calls(connection: Connection, call_ids: Collection[str]) -> set[str]:
    of_session = tables.session_calls.c
    query = select(of_session.call_id).join(tables.sessions)
    return set(connection.scalars(query.where(is_among(connection, of_session.call_id, call_ids), is_confidential())))


def find_calls_with_counsellors(connection: Connection, call_ids: Collection[str]) -> set[str]:
    """Those of some stored calls in which somebody took part, or which somebody organised, who is or was a counsellor:
    until such a call is judged, it counts as counselling."""
    counsellors, call = select_past_and_present_counsellors(), tables.calls.c
    organised = is_among(connection, call.id, call_ids), call.organiser_staff_id.in_(counsellors)
    found = set(connection.scalars(select(call.id).where(*organised)))
    for people in (tables.call_stays, tables.call_listed):
        took_part = is_among(connection, people.c.call_id, call_ids), people.c.staff_id.in_(counsellors)
        found |= set(connection.scalars(select(people.c.call_id).where(*took_part)))
    return found


def find_recordings_of_counsellors(connection: Connection, recording_ids: Collection[str]) -> set[str]:
    """Those of some stored recordings that are of a call with a counsellor, or that a counsellor organised."""
    recording, staff = tables.recordings.c, tables.staff.c
    ours = select(func.lower(staff.entra_id)).where(staff.id.in_(select_past_and_present_counsellors()))
    rows = connection.execute(
        select(recording.id, recording.call_id, func.lower(recording.organiser_id).in_(ours).label("organised")).where(
            is_among(connection, recording.id, recording_ids)
        )
    ).all()
    calls = find_calls_with_counsellors(connection, {row.call_id for row in rows if row.call_id})
    return {row.id for row in rows if row.organised or row.call_id in calls}
