"""From 0.2.0 to 0.3.0: who pupils are, whom a concern about conduct names, and more of what people wrote, encrypted."""

import json
from collections.abc import Callable, Collection, Mapping
from functools import partial

import sqlalchemy as sa
from alembic import op

from app.store.encryption import decrypt, encrypt, hide_name, is_hidden

revision = "0018"
down_revision = "0017"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_ENCRYPTED = {
    "call_listed": ("entra_id", "upn"),
    "call_stays": ("entra_id", "upn"),
    "concern_events": ("level",),
    "concerns": ("categories",),
    "conduct_concerns": ("categories",),
    "conduct_events": ("level",),
    "consent_events": ("parent", "reason"),
    "consents": ("reason",),
    "imports": ("source",),
    "letters_struck": ("reason",),
    "logs": ("concern_category", "correction_reason", "fingerprint"),
    "pupil_versions": ("name",),
    "pupils": ("email", "entra_id"),
    "quarantine": ("source", "reason", "fix"),
    "sync_runs": ("error",),
}
_PURPOSES = ("music", "academic", "pastoral", "counselling", "other")
_LISTED = {  # encrypted unless it is one of some words
    ("logs", "purpose"): _PURPOSES,
    ("logs", "platform"): ("teams", "other"),
    ("logs", "account"): ("school", "personal"),
    ("logs", "cameras_on"): ("yes", "no", "no_camera", "objected"),
    ("logs", "room"): ("public", "bedroom", "other"),
    ("logs", "bedroom_reason"): ("quarantine", "only_room", "other"),
    ("logs", "reason"): ("safeguarding", "continuity", "routine", "other"),
    ("plans", "purpose"): _PURPOSES,
    ("sessions", "purpose"): _PURPOSES,
}
_AS_TEXT = {  # columns that were too short for encrypted values: their types
    "call_listed": {"entra_id": "VARCHAR(200)", "upn": "VARCHAR(320)"},
    "call_stays": {"entra_id": "VARCHAR(200)", "upn": "VARCHAR(320)"},
    "concern_events": {"level": "VARCHAR(40)"},
    "conduct_events": {"level": "VARCHAR(40)"},
    "logs": {"fingerprint": "VARCHAR(64)"},
    "pupils": {"email": "VARCHAR(320)", "entra_id": "VARCHAR(100)"},
}
_AT_ONCE = 5000


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("pragma secure_delete=on")  # leave nothing of it in the file
    _change_conduct_events(connection)
    _widen(connection)
    for name, columns in _ENCRYPTED.items():
        _rewrite(connection, name, dict.fromkeys(columns, _encrypt))
    for (name, column), words in _LISTED.items():
        _rewrite(connection, name, {column: partial(_encrypt_unless, words)})
    for name in ("call_stays", "call_videos", "call_listed"):
        _rewrite(connection, name, {"person": _hide})
    _hide_who_is_named(connection)


def _encrypt(text: str) -> str:
    return encrypt(text.encode()).decode()


def _hide(person: str) -> str:
    return person if is_hidden(person) else hide_name(person)


def _encrypt_unless(words: Collection[str], text: str) -> str:
    return text if text.strip().lower() in ("", *words) else f"~{_encrypt(text)}"


def _rewrite(connection: sa.Connection, name: str, changes: Mapping[str, Callable[[str], str]]) -> None:
    """Change the values of some columns that are not blank, some thousand rows at a time."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    columns = [column for column in changes if column in table.c]
    key = list(table.primary_key)
    update = sa.update(table).where(*(part == sa.bindparam(f"key_{part.name}") for part in key))
    update = update.values({column: sa.bindparam(f"new_{column}") for column in columns})
    query = sa.select(*key, *(table.c[column].label(f"new_{column}") for column in columns))
    query = query.where(sa.or_(*(table.c[column].is_not(None) for column in columns))).order_by(*key).limit(_AT_ONCE)
    rows = connection.execute(query).all()
    while rows:
        changed = []
        for *own, values in ((*row[: len(key)], row[len(key) :]) for row in rows):
            new = [None if value is None else changes[c](value) for c, value in zip(columns, values, strict=True)]
            if tuple(new) != tuple(values):
                keys = {f"key_{part.name}": value for part, value in zip(key, own, strict=True)}
                changed.append(keys | {f"new_{c}": value for c, value in zip(columns, new, strict=True)})
        if changed:
            connection.execute(update, changed)
        last = rows[-1][: len(key)]
        rows = connection.execute(query.where(sa.tuple_(*key) > sa.tuple_(*last))).all()


def _change_conduct_events(connection: sa.Connection) -> None:
    """Encrypt whom an event names, and rewrite the trigger that refused to change the level of an event, which a new
    key encrypts again."""
    on_table = " on conduct_events" if connection.dialect.name == "postgresql" else ""
    connection.exec_driver_sql(f"drop trigger conduct_events_no_update{on_table}")
    _hide_adults_added(connection)
    act = (
        "for each row execute function conduct_events_only_added()"
        if on_table
        else "begin select raise(abort, 'what happened to a concern is only ever added to'); end"
    )
    connection.exec_driver_sql(
        "create trigger conduct_events_no_update "
        f"before update of occurred_at, actor_id, kind, recipient_id, concern_id on conduct_events {act}"
    )


def _hide_adults_added(connection: sa.Connection) -> None:
    """Move the adult whom an event names from a column of its own into its encrypted content."""
    event = sa.Table("conduct_events", sa.MetaData(), autoload_with=connection)
    named = sa.select(event.c.id, event.c.recipient_id, event.c.content)
    named = named.where(event.c.kind == "named", event.c.recipient_id.is_not(None))
    for number, staff_id, stored in connection.execute(named).all():
        content = json.loads(decrypt(stored.encode())) if stored else {}
        hidden = _encrypt(json.dumps(content | {"staff_id": staff_id}))
        connection.execute(sa.update(event).where(event.c.id == number).values(recipient_id=None, content=hidden))


def _widen(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        for name, types in _AS_TEXT.items():
            for column in types:
                op.alter_column(name, column, type_=sa.Text())
        return
    # SQLite stores text of any length in these columns. It cannot alter a column's type but in its own schema, as its
    # documentation of ALTER TABLE describes.
    version = connection.exec_driver_sql("pragma schema_version").scalar_one()
    connection.exec_driver_sql("pragma writable_schema=on")
    for name, types in _AS_TEXT.items():
        for column, kind in types.items():
            connection.exec_driver_sql(
                "update sqlite_master set sql = replace(replace(sql, ?, ?), ?, ?) where type = 'table' and name = ?",
                (f"{column} {kind}", f"{column} TEXT", f'"{column}" {kind}', f"{column} TEXT", name),
            )
    connection.exec_driver_sql(f"pragma schema_version={version + 1}")
    connection.exec_driver_sql("pragma writable_schema=off")


def _hide_who_is_named(connection: sa.Connection) -> None:
    """Encrypt whom concerns about conduct name, and the sessions that they are linked to, in tables made anew."""
    columns = {
        "conduct_named": [sa.Column("staff_id", sa.Text()), sa.Column("name", sa.Text())],
        "conduct_sessions": [
            sa.Column("log_ref", sa.Text()),
            sa.Column("call_id", sa.Text()),
            sa.Column("description", sa.Text(), nullable=False),
        ],
    }
    for name, others in columns.items():
        stored = sa.Table(name, sa.MetaData(), autoload_with=connection)
        rows = [dict(row) for row in connection.execute(sa.select(stored)).mappings()]
        for row in rows:
            for column in {"staff_id", "log_ref", "call_id"} & row.keys():
                row[column] = None if row[column] is None else _encrypt(str(row[column]))
        op.drop_table(name)
        concern = sa.ForeignKey("conduct_concerns.id")
        table = op.create_table(
            name,
            sa.Column("id", _NUMBER, primary_key=True),
            sa.Column("concern_id", _NUMBER, concern, nullable=False, index=True),
            *others,
        )
        if rows:
            connection.execute(sa.insert(table), rows)
            if connection.dialect.name == "postgresql":
                continue_ids = f"select setval(pg_get_serial_sequence('{name}', 'id'), (select max(id) from {name}))"  # noqa: S608 # nosec B608
                connection.exec_driver_sql(continue_ids)
