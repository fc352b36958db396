"""The audit trail lets go what is past its keeping, from the front, and nothing else."""

from alembic import op

revision = "0006"
down_revision = "0005"

_SQLITE = [
    "drop trigger audit_no_delete",
    """
    create trigger audit_no_delete before delete on audit
    when old.id > coalesce((select cast(value as integer) from meta where key = 'audit_anchor'), 0)
    begin select raise(abort, 'the audit trail is only ever added to'); end
    """,
]
_POSTGRESQL = [
    "drop trigger audit_only_added on audit",
    """
    create or replace function audit_only_added() returns trigger language plpgsql as
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
]


def upgrade() -> None:
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
