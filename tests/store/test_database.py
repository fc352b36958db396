"""Opening a database that cannot be used."""

import os
import subprocess
import traceback
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DataError, IntegrityError

from app.school import OWN_SETTINGS, School, open_school
from app.settings import ROOT
from app.store import tables
from app.store.database import DatabaseError, open_database
from app.store.writing import set_meta
from tests.running import PYTHON, run


def open_files() -> list[str]:
    """The files that this process has open, where the system tells."""
    return [os.path.realpath(f"/dev/fd/{number}") for number in os.listdir("/dev/fd")]


def open_in(folder: Path) -> list[str]:
    return [file for file in open_files() if file.startswith(str(folder))]


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"x" * 5000])
def test_open_database_closes_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "school.sqlite"
    file.write_bytes(content)
    for _ in range(3):
        with pytest.raises(DatabaseError):
            open_database(f"sqlite:///{file}")
    assert open_in(tmp_path) == []


def test_open_database_closes_one_of_a_newer_version(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseError, match="newer version"):
        open_database(url)
    assert open_in(tmp_path) == []


def test_open_school_closes_a_database_whose_settings_cannot_be_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    engine = open_database(url)
    with engine.begin() as connection:
        set_meta(connection, OWN_SETTINGS, "{}")
    engine.dispose()
    with pytest.raises(ValueError, match="OwnSettings"):
        open_school(url)
    assert open_in(tmp_path) == []


def test_an_error_of_the_database_holds_nothing_of_a_row(school: School) -> None:
    """Such as for the server's log, in which it would be written whole."""
    stored = tables.as_stored(tables.pupils)
    with school.engine.connect() as connection:
        pupil = connection.execute(select(stored).limit(1)).mappings().one()
    with pytest.raises(IntegrityError) as raised, school.writing() as connection:
        connection.execute(insert(stored).values(**{**pupil, "id": 99_999}))
    told = "".join(traceback.format_exception(raised.value))
    assert "pupils" in told
    assert pupil["email"] not in told
    if school.engine.dialect.name == "postgresql":
        with pytest.raises(DataError) as refused, school.writing() as connection:
            connection.execute(text("select cast('Aled' as integer)"))
        assert "invalid" not in str(refused.value)


def test_commands_report_a_read_only_database(tmp_path: Path) -> None:
    folder = tmp_path / "read"
    folder.mkdir()
    file = folder / "school.sqlite"
    open_database(f"sqlite:///{file}").dispose()
    was = file.read_bytes()
    file.chmod(0o444)
    folder.chmod(0o555)
    # Root may write everywhere, but without this.
    as_anybody = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]
    done = subprocess.run(
        [*(as_anybody if os.geteuid() == 0 else []), *PYTHON, "app", "demo", "--sessions", "100"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": f"sqlite:///{file}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    folder.chmod(0o755)
    assert done.returncode == 2
    assert "The database cannot be written: let the program's user write to its file and folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert file.read_bytes() == was


def test_commands_report_a_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run(f"sqlite:///{tmp_path / 'file' / 'school.sqlite'}", "outcomes")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
