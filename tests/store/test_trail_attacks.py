"""Somebody with every right to the database, but no key, changes the audit trail: each way is found."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, create_engine, delete, insert, select, text
from sqlalchemy.exc import DBAPIError

from app.__main__ import cli
from app.school import School, open_school
from app.settings import ROOT, SettingsError
from app.store import audit_log, tables
from app.store.backup import backup
from app.store.database import open_database
from app.store.encryption import generate_key
from app.store.key_rotation import reencrypt_all
from app.store.writing import get_meta, set_meta
from tests.conftest import SETTINGS
from tests.store.test_audit_log import change_by_hand, fill, verify

KEY, NEWER = generate_key(), generate_key()


@pytest.fixture
def keyed(empty_school: School, monkeypatch: pytest.MonkeyPatch) -> School:
    """A trail of six entries, which a key protects."""
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    fill(empty_school, 6)
    assert verify(empty_school) == (6, None)
    return empty_school


def chain(connection: Connection, before: str, number: int, row: dict[str, object]) -> str:
    """The code that an entry has without a key, as everybody can compute it."""
    content = [before, number, row["occurred_at"].timestamp(), row["actor"], row["action"], row["subject"]]  # type: ignore[attr-defined]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def rewrite(connection: Connection, change: Callable[[list[dict[str, object]]], None]) -> None:
    """Write the whole trail anew without a key, with a chain and a head that fit."""
    rows = [dict(row) for row in connection.execute(select(tables.audit).order_by(tables.audit.c.id)).mappings()]
    connection.execute(delete(tables.audit))
    change(rows)
    before = "0" * 64
    for number, row in enumerate(rows, 1):
        before = chain(connection, before, number, row)
        connection.execute(insert(tables.audit).values(**row | {"id": number, "hash": before}))
    set_meta(connection, "audit_head", f"{len(rows)} {before}")


def alter(rows: list[dict[str, object]]) -> None:
    rows[2]["subject"] = "session 99"


def drop_one(rows: list[dict[str, object]]) -> None:
    del rows[2]


def replace_all(rows: list[dict[str, object]]) -> None:
    rows[:] = [row | {"actor": "innocent@habs.example"} for row in rows[:2]]


@pytest.mark.parametrize("change", [alter, drop_one, replace_all, lambda rows: None])
@pytest.mark.parametrize("forget_keys", [False, True])
def test_verify_finds_a_trail_written_anew_without_the_key(
    keyed: School, change: Callable[[list[dict[str, object]]], None], forget_keys: bool
) -> None:
    change_by_hand(keyed)
    with keyed.writing() as connection:
        rewrite(connection, change)
        if forget_keys:
            connection.execute(delete(tables.meta).where(tables.meta.c.key == "audit_keys"))
    assert verify(keyed)[1]


def test_verify_finds_a_trail_that_was_cut_at_its_end_with_its_head(keyed: School) -> None:
    change_by_hand(keyed, "delete from audit where id > 4")
    with keyed.writing() as connection:
        assert "not the entry it ended at" in str(audit_log.verify(connection)[1])
        number, chained = audit_log.get_head(connection) or (0, "")
        set_meta(connection, "audit_head", f"{number} {chained}")
    assert "which no key protects" in str(verify(keyed)[1])


def test_verify_finds_a_trail_that_was_emptied(keyed: School) -> None:
    change_by_hand(keyed, "delete from audit", "delete from meta where key in ('audit_head', 'audit_anchor')")
    assert "the trail was deleted" in str(verify(keyed)[1])


def test_verify_finds_an_emptied_trail_of_a_used_school_whose_keys_were_deleted_too(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    fill(school, 1)
    change_by_hand(school, "delete from audit", "delete from meta where key like 'audit%'")
    assert "the trail was deleted" in str(verify(school)[1])


def test_verify_finds_a_trail_that_was_rolled_back_by_a_noted_head(keyed: School) -> None:
    with keyed.writing() as connection:
        old = connection.execute(select(tables.audit)).all(), get_meta(connection, "audit_head") or ""
    fill(keyed, 2)
    with keyed.engine.connect() as connection:
        noted = audit_log.get_head(connection)
        assert noted
        assert audit_log.verify(connection, noted) == (8, None)
    change_by_hand(keyed, "delete from audit where id > 6")
    with keyed.writing() as connection:
        set_meta(connection, "audit_head", old[1])
        assert audit_log.verify(connection) == (6, None)  # nothing in the database tells
        assert "entry 8 was noted" in str(audit_log.verify(connection, noted)[1])
    fill(keyed, 2)  # the program goes on, unaware
    with keyed.engine.connect() as connection:
        assert "not the one that was noted" in str(audit_log.verify(connection, (8, "0" * 64))[1])


def test_older_entries_fit_after_the_key_was_replaced(keyed: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", f"{NEWER},{KEY}")
    with keyed.writing() as connection:
        reencrypt_all(connection)
    monkeypatch.setenv("ENCRYPTION_KEYS", NEWER)
    assert verify(keyed) == (6, None)
    fill(keyed, 2)
    assert verify(keyed) == (8, None)


def test_a_trail_from_before_the_key_goes_on_with_it(empty_school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(empty_school, 3)
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    assert "which no key protects" in str(verify(empty_school)[1])
    fill(empty_school, 2)
    assert verify(empty_school) == (5, None)
    change_by_hand(empty_school, "update audit set subject = 'session 9' where id = 1")
    assert verify(empty_school)[0] == 1


def test_without_its_key_nothing_is_added(keyed: School, monkeypatch: pytest.MonkeyPatch) -> None:
    for keys in ("", NEWER):
        monkeypatch.setenv("ENCRYPTION_KEYS", keys)
        with pytest.raises(SettingsError, match="ENCRYPTION_KEYS does not hold"):
            fill(keyed, 1)
        assert "ENCRYPTION_KEYS does not hold" in str(verify(keyed)[1])


def test_audit_verify_compares_with_a_noted_head(keyed: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", keyed.engine.url.render_as_string(hide_password=False))
    said = CliRunner().invoke(cli, ["audit", "verify"])
    assert said.exit_code == 0
    head = said.output.split()[-1]
    assert CliRunner().invoke(cli, ["audit", "verify", "--head", head]).exit_code == 0
    again = CliRunner().invoke(cli, ["audit", "verify"]).output.split()[-1]
    assert again != head, "no number and no code can be compared"
    assert "6" not in said.output.removesuffix(f"{head}\n")
    for wrong in (f"6:{'0' * 64}", f"7:{'0' * 64}", "6", head[:-9]):
        assert CliRunner().invoke(cli, ["audit", "verify", "--head", wrong]).exit_code == 2


def test_restore_records_which_entries_were_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    monkeypatch.setenv("DATABASE_URL", url)
    before = open_school(url)
    fill(before, 3)
    backup(before.engine, tmp_path / "copy.sqlite")
    fill(before, 2)
    with before.engine.connect() as connection:
        lost = audit_log.get_head(connection)
        assert lost
    before.engine.dispose()
    assert CliRunner().invoke(cli, ["restore", str(tmp_path / "copy.sqlite")]).exit_code == 0
    school = open_school(url)
    with school.engine.connect() as connection:
        newest = connection.execute(select(tables.audit).order_by(tables.audit.c.id.desc()).limit(1)).one()
    assert newest.id == 4
    assert f"entries 4 to 5 of the audit trail, hash {lost[1]}, are only in" in newest.subject
    assert verify(school) == (4, None)
    school.engine.dispose()


@pytest.fixture
def as_program(postgresql: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Iterator[School]:
    """A school as a role of PostgreSQL that does not own the trail, set up by the statements of docs/service.md."""
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    keyed = School(open_database(postgresql()), SETTINGS)
    fill(keyed, 6)
    program, owner = (f"{name}_{uuid.uuid4().hex}" for name in ("protocol", "protocol_owner"))
    given = (ROOT / "docs" / "service.md").read_text(encoding="utf-8").split("```sql")[1].split("```")[0]
    words = re.sub(r"protocol(_owner)?\b", lambda found: owner if found[1] else program, given)
    statements = [f"create role {program} login", *filter(str.strip, words.split(";"))]
    with keyed.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    url = keyed.engine.url.set(username=program)
    school = School(create_engine(url), keyed.settings)
    yield school
    school.engine.dispose()
    with keyed.engine.begin() as connection:
        for role in (program, owner):
            connection.execute(text(f"reassign owned by {role} to current_user"))
            connection.execute(text(f"drop owned by {role}"))
            connection.execute(text(f"drop role {role}"))
    keyed.engine.dispose()


@pytest.mark.postgresql
def test_a_role_that_does_not_own_the_trail_can_only_add_to_it(as_program: School) -> None:
    fill(as_program, 2)
    assert verify(as_program) == (8, None)
    for statement in (
        "update audit set subject = 'x'",
        "delete from audit",
        "truncate audit",
        "drop table audit cascade",
        "alter table audit disable trigger all",
        "drop trigger audit_only_added on audit",
        "create or replace function audit_only_added() returns trigger language plpgsql as 'begin return old; end'",
    ):
        with pytest.raises(DBAPIError), as_program.writing() as connection:
            connection.execute(text(statement))
    assert verify(as_program) == (8, None)
