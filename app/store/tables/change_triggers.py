"""The triggers that write down every row that an import adds, changes or deletes, whoever in the program does it.

On PostgreSQL they belong to the tables and act while `app.recording` is on. On SQLite, where each would slow down every
write, they are created for the transaction of an import. Of judged sessions only the deletions are written down: they
are judged again when an import is undone, and keep their numbers.
"""

from sqlalchemy import Connection, LargeBinary, MetaData, Table, event
from sqlalchemy.types import TypeDecorator

from app.store.tables.columns import metadata

_JUDGED = ("sessions", "session_calls")
# What no import changes, or what is written again when sessions are judged; and concerns about conduct, of which
# nothing may show that there are any.
_UNRECORDED = frozenset(
    {
        "audit",
        "clause_sets",
        "conduct_concerns",
        "conduct_events",
        "conduct_named",
        "conduct_pupils",
        "conduct_sessions",
        "confirmations",
        "drafts",
        "graph_sources",
        "import_changes",
        "leases",
        "meta",
        "protocol_entries",
        "remote_pupils",
        "session_days",
        "session_pupils",
        "sign_ins",
        "spot_checks",
        "sync_runs",
        "sync_seen",
    }
)
_FUNCTION = """
    create function record_change() returns trigger language plpgsql as
    $$ begin
        insert into import_changes (table_name, before, after)
        values (tg_table_name, to_jsonb(old)::text, to_jsonb(new)::text);
        return null;
    end $$
"""
_TRIGGER = """
    create trigger {table}_changes after {events} on {table} for each row
    when (current_setting('app.recording', true) = 'on') execute function record_change()
"""


def is_recorded(table: Table) -> bool:
    """Whether every change of a table is written down."""
    return table.name not in _UNRECORDED and table.name not in _JUDGED


def _list_events(table: Table) -> tuple[str, ...]:
    if table.name in _UNRECORDED:
        return ()
    return ("delete",) if table.name in _JUDGED else ("insert", "update", "delete")


@event.listens_for(metadata, "after_create")
def _create_triggers(_metadata: MetaData, connection: Connection, **_options: object) -> None:
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql(_FUNCTION)
    for table in metadata.sorted_tables:
        if events := _list_events(table):
            connection.exec_driver_sql(_TRIGGER.format(table=table.name, events=" or ".join(events)))


def start_recording(connection: Connection) -> None:
    """Write down the changes from now on, in this transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("select set_config('app.recording', 'on', true)")
        return
    for table in metadata.sorted_tables:
        for kind in _list_events(table):
            before = "null" if kind == "insert" else _as_json(table, "old")
            after = "null" if kind == "delete" else _as_json(table, "new")
            connection.exec_driver_sql(
                f"create temp trigger {table.name}_{kind}_changes after {kind} on {table.name} begin "  # noqa: S608 # nosec B608
                f"insert into import_changes (table_name, before, after) values ('{table.name}', {before}, {after}); "
                "end"
            )


def stop_recording(connection: Connection) -> None:
    """Write down no more changes in this transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("select set_config('app.recording', 'off', true)")
        return
    for table in metadata.sorted_tables:
        for kind in _list_events(table):
            connection.exec_driver_sql(f"drop trigger temp.{table.name}_{kind}_changes")


def _as_json(table: Table, row: str) -> str:
    """SQL for a row as JSON, which cannot hold bytes: they are written in hexadecimal digits."""
    pairs = []
    for column in table.c:
        kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
        cell = f'{row}."{column.name}"'
        pairs.append(f"'{column.name}', " + (f"hex({cell})" if isinstance(kind, LargeBinary) else cell))
    return f"json_object({', '.join(pairs)})"
