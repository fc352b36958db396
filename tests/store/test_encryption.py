"""A stolen database reveals nothing that is encrypted, and keys can be changed."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select, text

from app.access.administration import count_encrypted_values
from app.access.people import find_person
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.operations.health import describe_key_counts
from app.school import School
from app.settings import SettingsError
from app.store import tables
from app.store.encryption import DecryptionError, EncryptedBytes, EncryptedText, decrypt, encrypt, generate_key
from app.store.key_rotation import reencrypt_all
from tests import people

pytestmark = pytest.mark.usefixtures("story_clock")

Keys = Callable[..., None]
WORDS = "She said: “Mae'n ddrwg gen i.” 🙁"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    def use(*newest_first: str) -> None:
        monkeypatch.setenv("ENCRYPTION_KEYS", ",".join(newest_first))

    use()
    return use


def test_encrypt_stores_plain_text_without_a_key(keys: Keys) -> None:
    assert WORDS.encode() in encrypt(WORDS.encode())
    assert decrypt(encrypt(WORDS.encode())) == WORDS.encode()


def test_the_database_file_does_not_contain_encrypted_text(keys: Keys, tmp_path: Path) -> None:
    keys(generate_key())
    table = Table(
        "t",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("a", EncryptedText),
        Column("b", EncryptedBytes),
    )
    engine = create_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(table), [{"a": WORDS, "b": WORDS.encode()}, {"a": None, "b": None}])
        assert connection.execute(select(table.c.a, table.c.b)).all() == [(WORDS, WORDS.encode()), (None, None)]
        raw = connection.execute(text("select a, b from t where id = 1")).one()
    assert "ddrwg" not in str(raw)
    assert b"ddrwg" not in (tmp_path / "x.sqlite").read_bytes()


def test_the_newest_key_encrypts_and_older_ones_still_decrypt(keys: Keys) -> None:
    old, new = generate_key(), generate_key()
    keys(old)
    kept = encrypt(b"notes")
    keys(new, old)
    assert decrypt(kept) == b"notes"
    again = encrypt(decrypt(kept))
    keys(new)
    assert decrypt(again) == b"notes"
    with pytest.raises(DecryptionError, match="add that key"):
        decrypt(kept)


def test_decrypt_reads_what_was_stored_before_there_was_a_key(keys: Keys) -> None:
    plain = encrypt(b"notes")
    keys(generate_key())
    assert decrypt(plain) == b"notes"
    assert b"notes" not in encrypt(decrypt(plain))


def test_decrypt_returns_text_that_looks_encrypted(keys: Keys) -> None:
    assert decrypt(encrypt(b"sgAAAA")) == b"sgAAAA"


def test_encrypt_names_the_variable_of_a_malformed_key(keys: Keys) -> None:
    keys("secret")
    with pytest.raises(SettingsError, match="ENCRYPTION_KEYS"):
        encrypt(b"notes")


def test_reencrypt_all_encrypts_everything_with_the_newest_key(keys: Keys, school: School, tmp_path: Path) -> None:
    old, new = generate_key(), generate_key()
    rows = [
        people.log("teacher", "aled", "2026-11-03T10:00", ref="L1", notes=WORDS, concern="yes", concern_summary=WORDS)
    ]
    import_logs(school, people.table(tmp_path / "logs.csv", rows))  # before there was any key
    keys(old)
    who = {"teacher": (0.0, 30.0), "aled": (1.0, 29.0)}
    import_calls(school, people.calls(tmp_path / "calls.json", people.call("c1", "2026-11-03T10:00", who)))
    keys(new, old)
    with school.writing() as connection:
        assert reencrypt_all(connection)
        assert not reencrypt_all(connection)  # everything uses the newest key
    keys(new)
    with school.engine.connect() as connection:
        assert connection.scalar(select(tables.logs.c.notes)) == WORDS
        assert connection.scalar(select(tables.concerns.c.summary)) == WORDS
        assert b"c1" in zlib.decompress(connection.execute(select(tables.call_originals.c.original)).scalar_one())
        raw = [
            *connection.execute(text("select notes, concern_summary from logs")),
            *connection.execute(text("select summary from concerns")),
        ]
    assert "ddrwg" not in str(raw)


def test_count_encrypted_values_reveals_no_single_record(keys: Keys, school: School, tmp_path: Path) -> None:
    old, new = generate_key(), generate_key()
    keys(old)
    with school.writing() as connection:
        reencrypt_all(connection)  # the roster is from before there was a key
    rows = [people.log("teacher", "aled", "2026-11-03T10:00", ref="L1", notes=WORDS)]
    import_logs(school, people.table(tmp_path / "logs.csv", rows))
    admin = find_person(school, people.email("admin"))
    assert admin is not None

    def counted() -> tuple[dict[str, int], str]:
        found = next(row for row in count_encrypted_values(school, admin) if row.table.startswith("narratives"))
        return {name: n for name, n in vars(found).items() if n and name != "table"}, describe_key_counts([found])[1]

    assert counted() == ({}, "all use the one key.")
    keys(new, old)
    assert counted()[0] == {"older": 100}
    assert "keys rotate" in counted()[1]
    keys(new)
    assert counted()[0] == {"lost": 100}
    keys(new, old)
    with school.writing() as connection:
        reencrypt_all(connection)
    assert counted()[0] == {}
