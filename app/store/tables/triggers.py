"""The triggers by which the database itself acts on every change, whoever makes it.

It refuses changes to the audit trail and to what happened to a concern about conduct, and empties the packed day of a
session that is added, changed or deleted. The triggers are created with their tables.
"""

from sqlalchemy import DDL, Table, event

from app.store.tables.operations import audit
from app.store.tables.safeguarding import conduct_events
from app.store.tables.session_records import sessions


def _create_with(table: Table, dialect: str, *statements: str) -> None:
    for statement in statements:
        event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


# Entries of the audit trail are only added. Expired ones are deleted up to the anchor (`app.store.audit_log`).
_create_with(
    audit,
    "sqlite",
    """
    create trigger audit_no_update before update on audit
    begin select raise(abort, 'the audit trail is only ever added to'); end
    """,
    """
    create trigger audit_no_delete before delete on audit
    when old.id > coalesce((select cast(value as integer) from meta where key = 'audit_anchor'), 0)
    begin select raise(abort, 'the audit trail is only ever added to'); end
    """,
)
_create_with(
    audit,
    "postgresql",
    """
    create function audit_only_added() returns trigger language plpgsql as
    $$ begin
        if tg_op = 'DELETE' then
            if old.id <= coalesce(
                (select split_part(value, ' ', 1)::bigint from meta where key = 'audit_anchor'), 0
            ) then
                return old;
            end if;
        end if;
        raise exception 'the audit trail is only ever added to';
    end $$
    """,
    """
    create trigger audit_only_added before update or delete on audit
    for each row execute function audit_only_added()
    """,
    """
    create trigger audit_no_truncate before truncate on audit
    for each statement execute function audit_only_added()
    """,
)

# `level`, `text` and `content` may change: a new key encrypts them again.
_CONDUCT_EVENTS = """
    create trigger conduct_events_no_update
    before update of occurred_at, actor_id, kind, recipient_id, concern_id on conduct_events
"""
_create_with(
    conduct_events,
    "sqlite",
    f"{_CONDUCT_EVENTS} begin select raise(abort, 'what happened to a concern is only ever added to'); end",
)
_create_with(
    conduct_events,
    "postgresql",
    """
    create function conduct_events_only_added() returns trigger language plpgsql as
    $$ begin raise exception 'what happened to a concern is only ever added to'; end $$
    """,
    f"{_CONDUCT_EVENTS} for each row execute function conduct_events_only_added()",
)

_EMPTY = "insert into session_days (day) values ({row}.day) on conflict (day) do update set packed = null;"
for _event, _rows in {"insert": ("new",), "update": ("old", "new"), "delete": ("old",)}.items():
    _empty = " ".join(_EMPTY.format(row=row) for row in _rows)
    _create_with(
        sessions, "sqlite", f"create trigger sessions_after_{_event} after {_event} on sessions begin {_empty} end"
    )
    _create_with(
        sessions,
        "postgresql",
        f"""
        create function sessions_after_{_event}() returns trigger language plpgsql as
        $$ begin {_empty} return null; end $$
        """,
        f"""
        create trigger sessions_after_{_event} after {_event} on sessions
        for each row execute function sessions_after_{_event}()
        """,
    )
