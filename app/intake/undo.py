"""Undoes the whole of the last import, as long as nothing has been built on it.

What the import changed was written down row by row (`app.store.changes`). The rows are put back, and what they affect
is judged again. Nothing is undone if somebody has since changed one of its rows, or written something that refers to
one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from app.access.administration import is_import_shown
from app.intake.roles import ALERT, RoleChange, read_addresses, receives_own_role, record_account, record_roles
from app.intake.stored_logs import relink_concerns
from app.intake.timeline import Timeline, read_timelines
from app.intake.transaction import record_change
from app.intake.undo_sessions import detach_sessions, find_sessions_before, judge_undone, restore_sessions
from app.school import School
from app.store import audit_log, changes, reading, session_days, tables
from app.store.changes import Change
from app.store.concerns import find_conduct_links, list_named
from app.store.writing import raise_revision

_breach, _done = tables.breaches.c, tables.imports.c
# What was done since, by the table that shows it.
_SINCE = {
    "alerts": "an alert about it was sent or is waiting for one of its people",
    "breach_events": "a breach was explained or resolved",
    "breaches": "a breach was opened or closed",
    "calendar_events": "the sync has read calendars of staff whom it added",
    "calendar_invited": "the sync has read calendars that name staff whom it added",
    "call_listed": "calls were read with people whom it added",
    "call_stays": "calls were read with people whom it added",
    "calls": "calls were read with people whom it added",
    "confirmations": "one of its staff has confirmed the protocol",
    "consent_events": "a parent's consent was answered or changed",
    "consents": "a parent's consent was asked for",
    "drafts": "one of its people has begun a form",
    "family_emails": "an email to a family was sent or is waiting",
    "former_emails": "the roster was changed",
    "imports": "one of its people has imported a file",
    "letters": "a letter to parents was recorded",
    "letters_struck": "a letter to parents was struck out",
    "log_invited": "a session was logged",
    "log_pupils": "a session was logged",
    "logs": "a session was logged or corrected",
    "plan_invited": "a session was planned",
    "plan_pupils": "a session was planned",
    "plans": "a session was planned",
    "pupil_policies": "the sync has read policies of pupils whom it added",
    "pupil_versions": "the roster was changed",
    "spot_checks": "a spot check was answered",
    "pupils": "the roster was changed",
    "quarantine": "a rejected row was fixed or dismissed",
    "remote_pupils": "a pupil's remote learning was entered or ended",
    "schools": "the roster was changed",
    "staff": "the roster was changed",
    "staff_versions": "the roster was changed",
}
Accounts = Mapping[int, tuple[str, str | None]]  # the address and Entra id of staff, by staff id
_CONFIDENTIAL = "something confidential was recorded"  # nobody may learn whether it is a concern, and of which kind


class NotUndoneError(Exception):
    """The last import cannot be undone; the message says why."""


@dataclass(frozen=True)
class LastImport:
    """The last import that could be undone: its files, without those of nothing but counselling, and when it was
    made."""

    numbers: tuple[int, ...]
    sources: tuple[str, ...]
    imported_at: datetime


def describe_last_import(school: School) -> LastImport | None:
    """The last import; None if there is none that could be undone, or if it is of nothing but counselling, which no
    list of imports shows."""
    with school.engine.connect() as connection:
        return _describe(connection, changes.read_changes(connection, tables.imports))


def find_obstacles(school: School) -> list[str]:
    """What has been built on the last import, as clauses; it can be undone if there is nothing."""
    with school.engine.connect() as connection:
        return _list_obstacles(connection, changes.read_changes(connection))


def undo_last_import(school: School, actor_id: int | None = None) -> LastImport:
    """Undo the last import and judge again what it affected. Raises NotUndoneError, with nothing changed, if something
    has been built on it."""
    with school.writing() as connection:
        recorded = changes.read_changes(connection)
        last = _describe(connection, recorded)
        if last is None:
            raise NotUndoneError("There is no import to undo. Only the last one can be undone, and only once.")
        if obstacles := _list_obstacles(connection, recorded):
            raise NotUndoneError(
                f"The import of {', '.join(last.sources)} cannot be undone, because since then "
                f"{'; '.join(obstacles)}. Import a corrected file instead. Nothing was changed."
            )
        own = _list_own(recorded)
        before = read_timelines(connection, tables.staff_versions)
        accounts = _read_accounts(connection)
        change = RoleChange(connection, school, school.now(), actor_id, read_addresses(connection))
        detached = detach_sessions(connection, own)
        changes.reverse(connection, own)
        _record_roles(change, before)
        _record_accounts(change, before, accounts)
        _take_back_references(connection, own)
        restore_sessions(connection, recorded, detached)
        judge_undone(connection, school, recorded, detached)
        session_days.pack(connection)
        undone = update(tables.imports).where(_done.id.in_(last.numbers))
        connection.execute(undone.values(undone_at=school.now()))
        kinds = select(_done.kind, is_import_shown().label("shown")).where(_done.id.in_(last.numbers))
        for row in connection.execute(kinds.order_by(_done.id)).all():
            prefix = "" if row.shown else audit_log.CONFIDENTIAL
            record_change(connection, school, actor_id, "changed", f"{prefix}import of {row.kind}, undone")
        changes.forget(connection)
        raise_revision(connection)
    return last


def _record_roles(change: RoleChange, before: Mapping[int, Timeline]) -> None:
    """Record which roles were given and taken again. NotUndoneError if somebody would give themselves one."""
    after = read_timelines(change.connection, tables.staff_versions)
    if receives_own_role(change.school, change.actor_id, before, after):
        raise NotUndoneError("It would give you a role back, and nobody can give themselves one. Nothing was changed.")
    record_roles(change, before, {number: after.get(number, []) for number in before})


def _record_accounts(change: RoleChange, before: Mapping[int, Timeline], accounts: Accounts) -> None:
    """Record who has another address or Entra id again; `accounts`: those of everybody before."""
    change = replace(change, addresses=read_addresses(change.connection))
    for number, account in sorted(_read_accounts(change.connection).items()):
        if account != accounts.get(number, account):
            record_account(change, before, number)


def _read_accounts(connection: Connection) -> Accounts:
    staff = tables.staff.c
    return {
        row.id: (row.email, row.entra_id) for row in connection.execute(select(staff.id, staff.email, staff.entra_id))
    }


def _take_back_references(connection: Connection, own: Sequence[Change]) -> None:
    """Link concerns to logs by the references that these had before, also those whose changes are not written down."""
    renamed = {
        change.after["ref"]: change.before["ref"]
        for change in own
        if change.table is tables.logs
        and change.before
        and change.after
        and change.before["ref"] != change.after["ref"]
    }
    relink_concerns(connection, renamed)


def _list_own(recorded: Sequence[Change]) -> list[Change]:
    """The changes to put back: all but those of the list of imports, of judged sessions, and of alerts about roles, so
    that nobody gives one and takes it back without anybody being told."""
    return [
        change
        for change in recorded
        if tables.is_recorded(change.table) and change.table is not tables.imports and not _is_of_roles(change)
    ]


def _is_of_roles(change: Change) -> bool:
    return change.table is tables.alerts and (change.after or change.before or {})["kind"] == ALERT


def _describe(connection: Connection, recorded: Sequence[Change]) -> LastImport | None:
    rows = [change.after for change in recorded if change.table is tables.imports and change.after]
    numbers = tuple(row["id"] for row in rows)
    shown = select(_done.source).where(_done.id.in_(numbers), is_import_shown()).order_by(_done.id)
    sources = tuple(connection.scalars(shown))
    if not sources:
        return None
    return LastImport(numbers, sources, tables.EPOCH + timedelta(microseconds=rows[0]["imported_at"]))


def _list_obstacles(connection: Connection, recorded: Sequence[Change]) -> list[str]:
    last = _describe(connection, recorded)
    if last is None:
        return []
    query = select(_done.source, is_import_shown().label("shown")).where(_done.id > max(last.numbers))
    later = connection.execute(query.order_by(_done.id)).all()
    shown = [row.source for row in later if row.shown]
    words = [f"{', '.join(shown)} was imported"] if shown else [_CONFIDENTIAL] if later else []
    return list(dict.fromkeys([*words, *_find_obstacles(connection, recorded, last.imported_at)]))


def _find_obstacles(connection: Connection, recorded: Sequence[Change], imported_at: datetime) -> Iterator[str]:
    """What was done since an import with its changes, as clauses; perhaps one several times."""
    own = _list_own(recorded)
    by_table: dict[str, list[Change]] = defaultdict(list)
    for change in changes.net_changes(own):
        by_table[change.table.name].append(change)
    for name, net in by_table.items():
        now = changes.read_rows(connection, net[0].table, [change.key for change in net])
        if any(now.get(change.key) != change.after for change in net):
            yield _describe_obstacle(name)
    yield from _find_references(connection, by_table)
    yield from _find_writing(connection, own, find_sessions_before(recorded))
    emails = [(change.after or {})["email"] for change in by_table["staff"] if change.before is None]
    if audit_log.has_acted_since(connection, emails, imported_at):
        yield "one of its staff has signed in"


def _describe_obstacle(table: str) -> str:
    return _SINCE.get(table, _CONFIDENTIAL)


def _find_references(connection: Connection, by_table: Mapping[str, Sequence[Change]]) -> Iterator[str]:
    """What refers to a row that the import added, or since then to a breach that it changed, and is not of it."""
    for table in tables.metadata.sorted_tables:
        if table in (tables.sessions, tables.session_calls, tables.session_pupils):
            continue
        ours = {change.key for change in by_table.get(table.name, ()) if change.after is not None}
        for key in table.foreign_keys:
            target = key.column.table
            ids = {
                change.key[0]
                for change in by_table.get(target.name, ())
                if change.after is not None and (change.before is None or target is tables.breaches)
            }
            if not ids:
                continue
            column = table.c[key.parent.name]
            referring = select(*table.primary_key).where(reading.is_among(connection, column, ids))
            if target is tables.breaches:  # a breach may have events from before: they have lower numbers
                referring = referring.where(table.c.id >= min(ours, default=(0,))[0])
            if any(tuple(row) not in ours for row in connection.execute(referring)):
                yield _describe_obstacle(table.name)


def _find_writing(connection: Connection, own: Sequence[Change], sessions_before: set[int]) -> Iterator[str]:
    """What people wrote about the sessions that the import's logs and calls made, and about its new staff. What they
    write about a session from before the import stays when that is undone."""
    logs = [change for change in own if change.table is tables.logs and change.before is None]
    calls = [change for change in own if change.table is tables.calls and change.before is None]
    refs, log_ids = [(change.after or {})["ref"] for change in logs], [change.key[0] for change in logs]
    call_ids = [change.key[0] for change in calls]
    ours = {change.key[0] for change in own if change.table is tables.concern_sessions}
    link, session, of_call = tables.concern_sessions.c, tables.sessions.c, tables.session_calls.c
    links = select(link.id).where(
        reading.is_among(connection, link.log_ref, refs) | reading.is_among(connection, link.call_id, call_ids)
    )
    if set(connection.scalars(links)) - ours or _is_in_conduct_concern(connection, own):
        yield _CONFIDENTIAL
    sessions = set(connection.scalars(select(session.id).where(reading.is_among(connection, session.log_id, log_ids))))
    of_calls = select(of_call.session_id).where(reading.is_among(connection, of_call.call_id, call_ids))
    sessions |= set(connection.scalars(of_calls))
    sessions -= sessions_before
    event = tables.breach_events.c
    written = select(event.id).join(tables.breaches, _breach.id == event.breach_id)
    written = written.where(event.actor_id.is_not(None), reading.is_among(connection, _breach.session_id, sessions))
    if connection.scalar(written.limit(1)) is not None:
        yield _describe_obstacle("breach_events")
    check = tables.spot_checks.c
    answered = check.result.is_not(None) & reading.is_among(connection, check.session_id, sessions)
    if connection.scalar(select(check.id).where(answered).limit(1)) is not None:
        yield _describe_obstacle("spot_checks")


def _is_in_conduct_concern(connection: Connection, own: Sequence[Change]) -> bool:
    """Whether a concern about conduct names somebody new of an import's, or is linked to a log or call of its own. What
    these concerns refer to is encrypted, so no foreign key says it."""
    new = [change for change in own if change.before is None and change.after is not None]
    staff = {change.key[0] for change in new if change.table is tables.staff}
    if not staff.isdisjoint(staff_id for _, staff_id in list_named(connection)):
        return True
    # A log that only got another reference may have been linked before the import.
    logs = [change for change in own if change.table is tables.logs and change.after is not None]
    renamed = {
        row["ref"] for change in logs if (row := change.after) and change.before and change.before["ref"] != row["ref"]
    }
    refs = {(change.after or {})["ref"] for change in new if change.table is tables.logs} - renamed
    calls = {change.key[0] for change in new if change.table is tables.calls}
    return any(find_conduct_links(connection, *given) for given in (("log_ref", refs), ("call_id", calls)))
