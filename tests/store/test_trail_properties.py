"""Whatever somebody with every right to the database, but no key, does to a trail: it is found, every time."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text

from app.school import School
from app.store import audit_log, tables
from app.store.encryption import generate_key
from app.store.writing import get_meta, set_meta

KEY, NEWER = generate_key(), generate_key()
Rows = list[dict[str, Any]]
Attack = Callable[[Rows, int], Rows]

_ACTIONS = st.sampled_from(sorted(audit_log.KINDS))
_WORDS = st.text("abc 123,:é", max_size=12)
_ENTRIES = st.lists(st.tuples(_ACTIONS, _WORDS), min_size=1, max_size=6)


def _delete(rows: Rows, at: int) -> Rows:
    return rows[:at] + rows[at + 1 :]


def _cut(rows: Rows, at: int) -> Rows:
    return rows[:at]


def _cut_front(rows: Rows, at: int) -> Rows:
    return rows[at + 1 :]


def _empty(rows: Rows, at: int) -> Rows:
    return []


def _alter(rows: Rows, at: int) -> Rows:
    return [*rows[:at], rows[at] | {"subject": f"{rows[at]['subject']}!"}, *rows[at + 1 :]]


def _replace(rows: Rows, at: int) -> Rows:
    return [row | {"actor": "innocent@habs.example"} for row in rows]


def _insert(rows: Rows, at: int) -> Rows:
    return [*rows[:at], rows[at] | {"subject": "session 0"}, *rows[at:]]


_ATTACKS = (_delete, _cut, _cut_front, _empty, _alter, _replace, _insert)


def _write_anew(connection: Connection, rows: Rows, first: int) -> None:
    """Number the rows from one on; from `first` on compute the codes as everybody can without a key."""
    connection.execute(delete(tables.audit))
    before = rows[first - 1]["hash"] if first else "0" * 64
    for number, row in enumerate(rows, 1):
        if number > first:
            content = [before, number, row["occurred_at"].timestamp(), row["actor"], row["action"], row["subject"]]
            before = hashlib.sha256(json.dumps(content).encode()).hexdigest()
            row = row | {"hash": before}
        connection.execute(insert(tables.audit).values(row | {"id": number}))
    set_meta(connection, "audit_head", f"{len(rows)} {before}")


def _put_back(connection: Connection, rows: Rows) -> None:
    connection.execute(delete(tables.audit))
    if rows:
        connection.execute(insert(tables.audit), rows)


def _fill(connection: Connection, school: School, entries: list[tuple[str, str]]) -> None:
    for action, subject in entries:
        school.add_to_trail(connection, "sdh@habs.example", action, subject)


def _read(connection: Connection) -> Rows:
    return [dict(row) for row in connection.execute(select(tables.audit).order_by(tables.audit.c.id)).mappings()]


def _disable_triggers(connection: Connection) -> None:
    of_sqlite = ("drop trigger audit_no_update", "drop trigger audit_no_delete")
    of_postgresql = ("alter table audit disable trigger all",)
    for statement in of_sqlite if connection.dialect.name == "sqlite" else of_postgresql:
        connection.execute(text(statement))


def _use(connection: Connection, school: School) -> None:
    counts = dict.fromkeys(("read", "added", "changed", "unchanged", "dropped", "rejected"), 0)
    done = {"kind": "logs", "source": "x", "imported_at": school.now()} | counts
    connection.execute(insert(tables.imports).values(done))


_PROPERTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)


@_PROPERTY
@given(
    unprotected=st.lists(st.tuples(_ACTIONS, _WORDS), max_size=3),
    entries=_ENTRIES,
    rotated=st.booleans(),
    attack=st.sampled_from(_ATTACKS),
    place=st.integers(0, 100),
    rewritten_from=st.none() | st.integers(0, 100),
    forget=st.sampled_from(["", "audit_keys", "audit_head", "audit%"]),
)
def test_verify_finds_each_attack_on_any_trail(
    empty_school: School,
    monkeypatch: pytest.MonkeyPatch,
    unprotected: list[tuple[str, str]],
    entries: list[tuple[str, str]],
    rotated: bool,
    attack: Attack,
    place: int,
    rewritten_from: int | None,
    forget: str,
) -> None:
    with empty_school.writing() as connection:
        monkeypatch.delenv("ENCRYPTION_KEYS", raising=False)
        _use(connection, empty_school)
        _fill(connection, empty_school, unprotected)
        monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
        _fill(connection, empty_school, entries)
        if rotated:
            monkeypatch.setenv("ENCRYPTION_KEYS", f"{NEWER},{KEY}")
            _fill(connection, empty_school, entries)
        assert audit_log.verify(connection)[1] is None
        noted, rows = audit_log.get_head(connection), _read(connection)
        _disable_triggers(connection)
        changed = attack(rows, place % len(rows))
        if rewritten_from is None:
            _put_back(connection, [row | {"id": number} for number, row in enumerate(changed, 1)])
        else:
            _write_anew(connection, changed, min(rewritten_from, len(changed)) if changed else 0)
        if forget:
            connection.execute(delete(tables.meta).where(tables.meta.c.key.like(forget)))
        assert audit_log.verify(connection)[1]
        assert audit_log.verify(connection, noted)[1]
        connection.rollback()


@_PROPERTY
@given(entries=_ENTRIES, later=_ENTRIES, again=st.lists(st.tuples(_ACTIONS, _WORDS), max_size=6))
def test_verify_finds_any_trail_that_was_rolled_back_by_a_noted_head(
    empty_school: School,
    monkeypatch: pytest.MonkeyPatch,
    entries: list[tuple[str, str]],
    later: list[tuple[str, str]],
    again: list[tuple[str, str]],
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    with empty_school.writing() as connection:
        _fill(connection, empty_school, entries)
        rows, head = _read(connection), get_meta(connection, "audit_head") or ""
        _fill(connection, empty_school, later)
        noted = audit_log.get_head(connection)
        _disable_triggers(connection)
        _put_back(connection, rows)
        set_meta(connection, "audit_head", head)
        assert audit_log.verify(connection)[1] is None  # nothing in the database tells
        assert audit_log.verify(connection, noted)[1]
        _fill(connection, empty_school, again)  # the program goes on, unaware
        if again[: len(later)] != later:  # the very same entries at the very same time are the same trail
            assert audit_log.verify(connection, noted)[1]
        connection.rollback()
