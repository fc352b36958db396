"""A school whose keys do not decrypt its records is not shown, with what to do."""

from pathlib import Path

import pytest

from app.auth.configuration import check_start, find_obstacle
from app.school import School
from app.settings import load_secrets
from app.store.encryption import generate_key
from app.store.key_rotation import reencrypt_all
from tests.apptest import AUTH, write_secrets


def test_find_obstacle_names_a_lost_key(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_secrets(AUTH)
    ours = generate_key()
    monkeypatch.setenv("ENCRYPTION_KEYS", ours)
    with school.writing() as connection:
        reencrypt_all(connection)
    assert find_obstacle(school) is None
    monkeypatch.setenv("ENCRYPTION_KEYS", generate_key())
    assert "ENCRYPTION_KEYS does not hold" in str(find_obstacle(school))
    monkeypatch.setenv("DATABASE_URL", school.engine.url.render_as_string(hide_password=False))
    with pytest.raises(SystemExit, match="does not start"):
        check_start()
    monkeypatch.setenv("ENCRYPTION_KEYS", f"{generate_key()},{ours}")
    assert find_obstacle(school) is None
    load_secrets.cache_clear()
