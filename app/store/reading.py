"""Reading the store into frames. Instants are read as the integers they are kept as, which is many
times faster than a `datetime` a row."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    Table,
    and_,
    delete,
    exists,
    insert,
    join,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.schema import CreateTable

from app.protocol.evidence import COLUMNS, Evidence, empty
from app.protocol.frames import instants
from app.records.roster import Roster
from app.store import consents, tables
from app.store.encryption import EncryptedBytes, EncryptedText

REVISION = "revision"
HOME_ALONE = "home_alone"  # the category of a concern that a clause asks for
_MOST_PARAMETERS = 500  # in one statement


def frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """A query's rows: instants as datetime64[us, UTC], days as datetime64[s], yes/no as "boolean",
    whole numbers as "Int64" where they may be blank, everything else as objects with None."""
    columns = list(query.selected_columns)
    plain = query.with_only_columns(*map(_plain, columns), maintain_column_froms=True)
    result = connection.execute(plain)
    if result.cursor is not None and not any(isinstance(c.type, EncryptedText | EncryptedBytes) for c in columns):
        rows = result.cursor.fetchall()  # as the driver gives them: a row object each would cost more than the query
        result.close()
    else:
        rows = result.all()
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return pd.DataFrame({c.name: _typed(c.type, column) for c, column in zip(columns, values, strict=True)})


def _plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Instants as the integers they are kept as."""
    return type_coerce(column, BigInteger).label(column.name) if isinstance(column.type, tables.Instant) else column


def _typed(kind: Any, values: Iterable[Any]) -> Any:
    values = list(values)
    if isinstance(kind, tables.Instant):
        known = pd.Series(values, dtype="Int64")
        return instants(known.fillna(0).to_numpy("int64")).mask(known.isna().to_numpy(bool))
    if isinstance(kind, Boolean):
        known = np.array([value is not None for value in values], bool)
        return pd.arrays.BooleanArray(np.array([bool(value) for value in values], bool), ~known)
    if isinstance(kind, Date):
        return pd.Series(np.array(values, "datetime64[D]").astype("datetime64[s]"))  # SQLite keeps days as text
    if isinstance(kind, BigInteger | Integer | SmallInteger):
        return pd.array(values, dtype="Int64") if None in values else pd.Series(values, dtype="int64")
    return pd.Series(values, dtype=object)


def revision(connection: Connection) -> int:
    """The number that every write raises."""
    return int(connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == REVISION)) or 0)


def roster(connection: Connection) -> Roster:
    """Everybody who is or was on the roster, to find them by address and by Entra id."""
    people = {}
    for table in (tables.staff, tables.pupils):
        rows = connection.execute(select(table.c.id, table.c.email, table.c.entra_id)).all()
        people[table.name] = {row.email: row.id for row in rows}
        people[table.name + " entra"] = {row.entra_id: row.id for row in rows if row.entra_id}
    return Roster(people["staff"], people["pupils"], people["staff entra"], people["pupils entra"])


def evidence(
    connection: Connection,
    *,
    session_ids: Collection[int] | None = None,
    logs: Collection[int] = (),
    calls: Collection[str] = (),
    pupils: Collection[int] = (),
) -> Evidence:
    """Everything on record for some judged sessions, or for some logs and calls, as the rules take it; and
    for the pupils named, beside those of the sessions."""
    session, of_call = tables.sessions.c, tables.session_calls.c
    if session_ids is not None:
        mine = is_among(connection, "sessions", session.id, session_ids)
        logs = connection.scalars(select(session.log_id).where(mine, session.log_id.is_not(None))).all()
        calls = connection.scalars(
            select(of_call.call_id).join_from(tables.session_calls, tables.sessions).where(mine)
        ).all()

    def by(kind: str, key: Column[Any], wanted: Collection[Any]) -> ColumnElement[bool]:
        return is_among(connection, kind, key, wanted)

    def read(name: str, query: Select[Any], kind: str, key: Column[Any], wanted: Collection[Any]) -> pd.DataFrame:
        if not wanted:
            return empty(name)
        return _fit(name, frame(connection, query.where(by(kind, key, wanted))))

    log, call, stay = tables.logs, tables.calls, tables.call_stays
    log_pupils = read("log_pupils", select(tables.log_pupils), "logs", tables.log_pupils.c.log_id, logs)
    stays = read("stays", select(stay).order_by(stay.c.id), "calls", stay.c.call_id, calls)
    pupils = {*pupils, *pd.concat([log_pupils["pupil_id"], stays["pupil_id"]]).dropna().tolist()}
    version, letter = tables.pupil_versions, tables.letters
    videos, listed = tables.call_videos, tables.call_listed
    return Evidence(
        logs=read("logs", select(log.c.id.label("log_id"), *_known("logs", log)), "logs", log.c.id, logs),
        log_pupils=log_pupils,
        log_invited=read("log_invited", select(tables.log_invited), "logs", tables.log_invited.c.log_id, logs),
        calls=read("calls", select(call.c.id.label("call_id"), *_known("calls", call)), "calls", call.c.id, calls),
        stays=stays,
        videos=read("videos", select(videos), "calls", videos.c.call_id, calls),
        listed=read("listed", select(listed), "calls", listed.c.call_id, calls),
        recordings=_recordings(connection, by("calls", call.c.id, calls)) if calls else empty("recordings"),
        staff=_fit("staff", frame(connection, _STAFF)),
        pupils=read("pupils", select(version), "pupils", version.c.pupil_id, pupils),
        letters=read("letters", select(letter), "pupils", letter.c.pupil_id, pupils),
        consents=_fit("consents", frame(connection, select(consents.given_consents(by("pupils", _consented, pupils))))),
        concerns=_concerns(connection, by, logs, calls),
    )


_consented = tables.consents.c.pupil_id
_STAFF = select(tables.staff_versions, tables.schools.c.senior).join(
    tables.schools, tables.schools.c.code == tables.staff_versions.c.school
)


def _recordings(connection: Connection, called: ColumnElement[bool]) -> pd.DataFrame:
    """The recordings of calls, and those of their organisers that name no call."""
    recording, call = tables.recordings, tables.calls.c
    of_call = recording.c.call_id.in_(select(call.id).where(called))
    of_organiser = recording.c.organiser_id.in_(select(call.organiser_id).where(called))
    query = select(recording).where(or_(of_call, and_(recording.c.call_id.is_(None), of_organiser)))
    return _fit("recordings", frame(connection, query))


def _concerns(
    connection: Connection, by: Callable[..., ColumnElement[bool]], logs: Collection[int], calls: Collection[str]
) -> pd.DataFrame:
    """The concerns linked to some logs (any version of theirs) or calls: whether one is about a child
    home alone, and whether a DSP was alerted."""
    link, concern, event, log = tables.concern_sessions, tables.concerns, tables.concern_events.c, tables.logs.c
    alerted = exists().where(event.concern_id == concern.c.id, event.kind == "alerted", event.recipient_id.is_not(None))
    facts = (concern.c.categories, alerted.label("alerted"))
    linked = join(link, concern, concern.c.id == link.c.concern_id)
    by_log = select(log.id.label("log_id"), literal(None).label("call_id"), *facts)
    by_log = by_log.select_from(linked.join(tables.logs, log.ref == link.c.log_ref))
    by_call = select(literal(None).label("log_id"), link.c.call_id, *facts).select_from(linked)
    rows = pd.concat(
        [
            frame(connection, by_log.where(by("logs", log.id, logs))),
            frame(connection, by_call.where(by("calls", link.c.call_id, calls))),
        ]
    )
    home_alone = [HOME_ALONE in categories.split(";") for categories in rows.pop("categories")]
    return _fit("concerns", rows.assign(home_alone=pd.array(home_alone, "boolean")))


def _known(name: str, table: Table) -> list[Column[Any]]:
    return [column for column in table.c if column.name in COLUMNS[name]]


def _fit(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The columns that the rules know, in their types."""
    if rows.empty:
        return empty(name)
    return rows[list(COLUMNS[name])].astype(COLUMNS[name])


def is_among(
    connection: Connection, kind: str, key: ColumnElement[Any], wanted: Collection[Any]
) -> ColumnElement[bool]:
    """Whether `key` is among the wanted ids: a few as parameters, many in a temporary table of their kind."""
    if len(wanted) <= _MOST_PARAMETERS:
        return key.in_(list(wanted))
    table = Table(f"chosen_{kind}", MetaData(), Column("id", key.type, primary_key=True), prefixes=["TEMPORARY"])
    connection.execute(CreateTable(table, if_not_exists=True))
    connection.execute(delete(table))
    connection.execute(insert(table), [{"id": one} for one in set(wanted)])
    return key.in_(select(table.c.id))
