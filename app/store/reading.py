"""Reads the store into frames. Instants are read as the integers they are stored as, which is many times faster than a
`datetime` a row."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    Table,
    Text,
    and_,
    any_,
    exists,
    func,
    join,
    literal,
    or_,
    select,
    type_coerce,
)

from app.protocol.evidence import COLUMNS, Evidence, empty
from app.protocol.frames import instants
from app.records.people.roster import Roster
from app.store import consents, tables
from app.store.encryption import DecryptionError, EncryptedBytes, EncryptedNumber, EncryptedText, decrypt
from app.store.versions import get_person_column, valid_versions
from app.vocabulary.terms import ConcernCategory

REVISION = "revision"
_AT_ONCE = 1000  # rows
_BLANK = np.iinfo("int64").min  # a blank instant


def read_frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """A query's rows: instants as datetime64[us, UTC], days as datetime64[s], yes/no as "boolean", whole numbers as
    "Int64" where one is blank, everything else as objects with None."""
    columns = list(query.selected_columns)
    stored = [
        type_coerce(c, BigInteger if isinstance(c.type, tables.Instant) else Text).label(c.name)
        if isinstance(c.type, tables.Instant | EncryptedText)
        else c
        for c in columns
    ]
    result = connection.execute(query.with_only_columns(*stored, maintain_column_froms=True))
    is_encrypted = any(isinstance(c.type, EncryptedNumber | EncryptedBytes) for c in columns)
    # SQLAlchemy's rows take twice as long as the cursor's.
    rows: Any = result if is_encrypted or result.cursor is None else result.cursor
    cells: list[list[Any]] = [[] for _ in columns]
    while part := rows.fetchmany(_AT_ONCE):  # few: the more there are, the longer garbage collection takes
        for column, some in zip(cells, zip(*part, strict=True), strict=True):
            column.extend(some)
    result.close()
    index = pd.RangeIndex(len(cells[0]))  # the same for all columns, so that they need not be aligned
    values = {c.name: _typed(c.type, column) for c, column in zip(columns, cells, strict=True)}
    return pd.DataFrame({name: pd.Series(column, index, dtype=column.dtype) for name, column in values.items()}, index)


def _typed(kind: Any, values: list[Any]) -> Any:
    """A column's values as an array of pandas or NumPy."""
    if isinstance(kind, tables.Instant):
        return instants(np.array([_BLANK if value is None else value for value in values], "int64")).array
    if isinstance(kind, EncryptedText):
        return pd.array(kind.read_all(values), dtype=object)
    if isinstance(kind, Boolean):
        return pd.array(values, dtype="boolean")
    if isinstance(kind, Date):
        return np.array(values, "datetime64[D]").astype("datetime64[s]")  # SQLite stores days as text
    if isinstance(kind, Integer):
        return pd.array(values, dtype="Int64") if None in values else np.array(values, "int64")
    return pd.array(values, dtype=object)


def get_revision(connection: Connection) -> int:
    """The number that every write raises."""
    return int(connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == REVISION)) or 0)


def read_roster(connection: Connection) -> Roster:
    """Everybody who is or was on the roster, to find them by address, also a former one, and by Entra id."""
    former = tables.former_emails.c

    def ids(table: Table, former_owner: Column[Any]) -> tuple[dict[str, int], dict[str, int]]:
        rows = connection.execute(select(table.c.id, table.c.email, table.c.entra_id)).all()
        earlier = connection.execute(select(former.email, former_owner).where(former_owner.is_not(None)))
        by_email = dict(earlier.all()) | {row.email: row.id for row in rows}
        return by_email, {row.entra_id: row.id for row in rows if row.entra_id}

    def absences(versions: Table) -> dict[int, list[tuple[date, date | None]]]:
        version, away = valid_versions(versions), defaultdict(list)
        person = version.c[get_person_column(versions)]
        query = select(person, version.c.from_day, version.c.until).where(version.c.has_left)
        for number, left, back in connection.execute(query.order_by(version.c.from_day)):
            away[number].append((left, back))
        return dict(away)

    staff, staff_entra = ids(tables.staff, former.staff_id)
    pupils, pupil_entra = ids(tables.pupils, former.pupil_id)
    gone = absences(tables.staff_versions), absences(tables.pupil_versions)
    return Roster(staff, pupils, staff_entra, pupil_entra, *gone)


def logs_and_calls(connection: Connection, session_ids: Collection[int]) -> tuple[Sequence[int], Sequence[str]]:
    """The ids of the logs and calls of some sessions."""
    session, of_call = tables.sessions.c, tables.session_calls.c
    logs = select(session.log_id).where(is_among(connection, session.id, session_ids), session.log_id.is_not(None))
    calls = select(of_call.call_id).where(is_among(connection, of_call.session_id, session_ids))
    return connection.scalars(logs).all(), connection.scalars(calls).all()


def read_evidence(
    connection: Connection,
    *,
    session_ids: Collection[int] | None = None,
    logs: Collection[int] = (),
    calls: Collection[str] = (),
    pupils: Collection[int] = (),
) -> Evidence:
    """Everything on record for some judged sessions, or for some logs and calls, in the form that the rules need, and
    for further `pupils` besides those of the sessions."""
    is_in = partial(is_among, connection)
    if session_ids is not None:
        logs, calls = logs_and_calls(connection, session_ids)

    def read(name: str, query: Select[Any], key: Column[Any], values: Collection[Any]) -> pd.DataFrame:
        return _select_known(name, read_frame(connection, query.where(is_in(key, values)))) if values else empty(name)

    log, call, stay = tables.logs, tables.calls, tables.call_stays
    events, invited, recordings = empty("calendar_events"), empty("calendar_invited"), empty("recordings")
    if calls:
        events, invited = _read_calendar(connection, is_in(call.c.id, calls))
        recordings = _read_recordings(connection, is_in(call.c.id, calls))
    log_pupils = read("log_pupils", select(tables.log_pupils), tables.log_pupils.c.log_id, logs)
    stays = read("stays", select(stay).order_by(stay.c.id), stay.c.call_id, calls)
    videos, listed_table = tables.call_videos, tables.call_listed
    listed = read("listed", select(listed_table), listed_table.c.call_id, calls)
    pupils = {*pupils, *pd.concat([rows["pupil_id"] for rows in (log_pupils, stays, listed)]).dropna().tolist()}
    letter, consent = tables.letters, tables.consents.c
    given = select(consents.select_given_consents(is_in(consent.pupil_id, pupils)))
    return Evidence(
        logs=read("logs", select(log.c.id.label("log_id"), *_known("logs", log)), log.c.id, logs),
        log_pupils=log_pupils,
        log_invited=read("log_invited", select(tables.log_invited), tables.log_invited.c.log_id, logs),
        calls=read("calls", select(call.c.id.label("call_id"), *_known("calls", call)), call.c.id, calls),
        stays=stays,
        videos=read("videos", select(videos), videos.c.call_id, calls),
        listed=listed,
        calendar_events=events,
        calendar_invited=invited,
        recordings=recordings,
        staff=_select_known("staff", read_frame(connection, _STAFF)),
        pupils=read_pupils(connection, pupils),
        letters=read("letters", select(letter), letter.c.pupil_id, pupils),
        consents=_select_known("consents", read_frame(connection, given)),
        remote_pupils=read_remote_pupils(connection, pupils),
        concerns=_read_concerns(connection, is_in(log.c.id, logs), calls),
    )


def read_pupils(connection: Connection, pupils: Collection[int]) -> pd.DataFrame:
    """Every version of some pupils (`pupils` of the evidence)."""
    version = tables.pupil_versions
    query = select(*_known("pupils", version)).where(is_among(connection, version.c.pupil_id, pupils))
    return _select_known("pupils", read_frame(connection, query)) if pupils else empty("pupils")


def read_remote_pupils(connection: Connection, pupils: Collection[int]) -> pd.DataFrame:
    """The remote learning of some single pupils that is in force (`remote_pupils` of the evidence)."""
    entry = tables.remote_pupils
    query = select(*_known("remote_pupils", entry)).where(entry.c.ended_at.is_(None))
    query = query.where(is_among(connection, entry.c.pupil_id, pupils))
    return _select_known("remote_pupils", read_frame(connection, query)) if pupils else empty("remote_pupils")


_STAFF = select(tables.staff_versions, tables.schools.c.senior).join(
    tables.schools, tables.schools.c.code == tables.staff_versions.c.school
)


def _read_calendar(connection: Connection, of_calls: ColumnElement[bool]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The calendars' events with the join links of the selected calls, and whom they invite."""
    event, invited, call = tables.calendar_events, tables.calendar_invited, tables.calls.c
    has_link = event.c.join_key.in_(select(call.join_key).where(of_calls))
    events = select(event.c.id.label("event_id"), *_known("calendar_events", event)).where(has_link)
    people = select(invited).join(event, event.c.id == invited.c.event_id).where(has_link)
    frames = read_frame(connection, events), read_frame(connection, people)
    return _select_known("calendar_events", frames[0]), _select_known("calendar_invited", frames[1])


def _read_recordings(connection: Connection, of_calls: ColumnElement[bool]) -> pd.DataFrame:
    """The recordings of the selected calls, and those of their organisers that name no call."""
    recording, call = tables.recordings, tables.calls.c
    of_call = recording.c.call_id.in_(select(call.id).where(of_calls))
    of_organiser = recording.c.organiser_id.in_(select(call.organiser_id).where(of_calls))
    query = select(recording).where(or_(of_call, and_(recording.c.call_id.is_(None), of_organiser)))
    return _select_known("recordings", read_frame(connection, query))


def _read_concerns(connection: Connection, of_logs: ColumnElement[bool], calls: Collection[str]) -> pd.DataFrame:
    """The concerns linked to some logs (any version of theirs) or calls: whether one is about a child
    home alone, as its categories are now, and whether a DSP was alerted."""
    link, concern, event, log = tables.concern_sessions, tables.concerns, tables.concern_events.c, tables.logs
    alerted = exists().where(event.concern_id == concern.c.id, event.kind == "alerted", event.recipient_id.is_not(None))
    facts = (concern.c.id.label("concern_id"), concern.c.categories, alerted.label("alerted"))
    linked = join(link, concern, concern.c.id == link.c.concern_id)
    by_log = select(log.c.id.label("log_id"), literal(None).label("call_id"), *facts).where(of_logs)
    by_log = by_log.select_from(linked.join(log, log.c.ref == link.c.log_ref))
    by_call = select(literal(None).label("log_id"), link.c.call_id, *facts).select_from(linked)
    by_call = by_call.where(is_among(connection, link.c.call_id, calls))
    rows = pd.concat([read_frame(connection, by_log), read_frame(connection, by_call)], ignore_index=True)
    corrected = _read_corrected_categories(connection, set(rows["concern_id"]))
    reported = zip(rows["concern_id"], rows["categories"], strict=True)
    home_alone = [ConcernCategory.HOME_ALONE in corrected.get(number, words).split(";") for number, words in reported]
    return _select_known("concerns", rows.assign(home_alone=pd.array(home_alone, "boolean")))


def _read_corrected_categories(connection: Connection, concerns: Collection[int]) -> dict[int, str]:
    """The present categories of those of some concerns that somebody has corrected; a correction whose key is lost does
    not count."""
    event, found = tables.concern_events.c, {}
    query = select(event.concern_id, type_coerce(event.content, Text)).where(event.kind == "corrected")
    for number, content in connection.execute(
        query.where(is_among(connection, event.concern_id, concerns)).order_by(event.id)
    ):
        try:
            correction = json.loads(decrypt(content.encode()))
        except DecryptionError:
            continue
        if correction["field"] == "categories":
            found[number] = correction["after"]
    return found


def _known(name: str, table: Table) -> list[Column[Any]]:
    return [column for column in table.c if column.name in COLUMNS[name]]


def _select_known(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The columns that the rules know, with their types."""
    if rows.empty:
        return empty(name)
    # One column after the other: for a few rows `astype` of a whole frame takes three times as long.
    columns = {column: rows[column].astype(kind) for column, kind in empty(name).dtypes.items()}
    return pd.DataFrame(columns, rows.index, copy=False)


def is_among(connection: Connection, key: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Whether `key`, a number or a text, is one of the values, of which there may be any number."""
    if connection.dialect.name == "postgresql":
        return key == any_(literal(list(values), ARRAY(key.type)))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return key.in_(select(listed.c.value))
