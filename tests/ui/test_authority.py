"""What a page leaves behind (parts, dialogs, callbacks, downloads) ends with the authority it was drawn with."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import update
from sqlalchemy.sql.dml import UpdateBase
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

from app.access.policy import NotAllowedError
from app.intake.files import import_table
from app.school import School
from app.settings import ROOT, load_secrets
from app.store import tables
from app.ui import authority, current
from tests import people
from tests.apptest import AUTH, KEY, AppTest, sign_in, write_secrets, write_settings
from tests.clock import Clock

pytestmark = pytest.mark.usefixtures("story_clock")

KEYWORDS = {"on_click", "on_change", "on_select", "on_dismiss", "on_submit"}
PARTS = {"fragment", "dialog", "download_button", "experimental_fragment", "experimental_dialog"}

# What has to work without authority, by file and code, and why.
EXEMPT = {
    ("app/ui/authority.py", "st.fragment"): "asks",
    ("app/ui/authority.py", "st.dialog"): "asks",
    ("app/ui/widgets.py", "st.download_button"): "is given only functions that ask",
    ("app/ui/shell.py", "on_click=_sign_out"): "somebody whose sign-in has ended signs out",
    ("app/ui/shell.py", "on_click=st.login"): "nobody is signed in yet",
    ("app/ui/shell.py", "st.fragment"): "looks itself whether the sign-in has ended",
    ("app/ui/current.py", "on_click=_begin_filling"): "the database is empty: nobody can be signed in",
    ("app/ui/current.py", "st.fragment"): "shows only how far the demonstration is",
}


@dataclass
class Left:
    """What the page below left behind, and what was done of it."""

    parts: list[Callable[[], object]] = field(default_factory=list)
    download: Callable[[], bytes] | None = None
    done: list[str] = field(default_factory=list)


left = Left()


def page() -> None:
    from tests.ui.test_authority import draw

    draw()


def draw() -> None:
    """A page with each kind; Streamlit runs a part alone when something in it is used."""
    if left.parts:
        parts = left.parts.copy()
        left.parts.clear()
        for part in parts:
            part()
        return
    school = current.get_school()
    person = current.current_person(school)
    if person is None:
        st.write("Sign in")
        return
    authority.begin(school, person)
    authority.show_change()
    authority.fragment(lambda: left.done.append("fragment"))()
    authority.dialog("Change")(lambda: left.done.append("dialog"))()
    st.button("Do", on_click=authority.guard(note_callback))
    left.download = authority.guard_download(lambda: b"a file")
    context = get_script_run_ctx()
    assert context
    storage = context.fragment_storage
    left.parts = [storage.lookup(key) for key in storage._fragments]  # type: ignore[attr-defined] # no public list


def note_callback() -> None:
    left.done.append("callback")


@pytest.fixture
def opened(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The page above, drawn for a DSP who has just signed in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", school.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PROTOCOL_FILE", str(write_settings(tmp_path / "protocol.toml")))
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    write_secrets(AUTH)
    current._opened.clear()
    left.parts, left.download, left.done = [], None, []
    at = AppTest.from_function(page, default_timeout=60)
    sign_in(at, "dsp")
    at.run()
    assert not at.exception
    assert left.done == ["fragment", "dialog"]
    assert len(left.parts) == 2
    yield at
    current._opened.clear()
    load_secrets.cache_clear()


def change(school: School, statement: UpdateBase) -> None:
    with school.writing() as connection:
        connection.execute(statement)


def remove_role(school: School, folder: Path, clock: Clock) -> None:
    row = {"email": people.email("dsp"), "name": "Dsp", "school": "SEN", "department": "English", "roles": "teacher"}
    import_table(school, "staff", people.table(folder / "staff.csv", [row]))


def sign_out(school: School, folder: Path, clock: Clock) -> None:
    """In another window."""
    clock.later(seconds=10)
    change(school, update(tables.sign_ins).values(ended_at=school.now()))


def be_idle(school: School, folder: Path, clock: Clock) -> None:
    clock.later(minutes=31)


def expire(school: School, folder: Path, clock: Clock) -> None:
    """Although active."""
    clock.later(hours=12, minutes=1)
    change(school, update(tables.sign_ins).values(seen_at=school.now()))


def become_another_account(school: School, folder: Path, clock: Clock) -> None:
    """The roster's address belongs to another Entra id."""
    is_theirs = tables.staff.c.email == people.email("dsp")
    change(school, update(tables.staff).where(is_theirs).values(entra_id="another"))


Ending = Callable[[School, Path, Clock], None]
ENDINGS = [remove_role, sign_out, be_idle, expire, become_another_account]
ended = pytest.mark.parametrize("end", ENDINGS)


def test_everything_works_while_authority_holds(opened: AppTest) -> None:
    assert left.download
    assert left.download() == b"a file"
    for part, name in zip(left.parts.copy(), ("fragment", "dialog"), strict=True):
        left.parts[:], left.done[:] = [part], []
        opened.run()
        assert left.done == [name]
    left.parts.clear()
    opened.run()
    left.parts.clear()
    opened.button[0].click().run()
    assert "callback" in left.done


@ended
def test_guard_download_refuses(opened: AppTest, school: School, tmp_path: Path, clock: Clock, end: Ending) -> None:
    end(school, tmp_path, clock)
    assert left.download
    with pytest.raises(NotAllowedError, match="Your access has changed"):
        left.download()


@ended
def test_guard_makes_a_callback_do_nothing(
    opened: AppTest, school: School, tmp_path: Path, clock: Clock, end: Ending
) -> None:
    end(school, tmp_path, clock)
    left.parts.clear()
    opened.button[0].click().run()
    assert "callback" not in left.done
    assert is_told(opened)


@ended
@pytest.mark.parametrize("kind", [0, 1], ids=["fragment", "dialog"])
def test_fragment_and_dialog_give_way_to_the_page(
    opened: AppTest, school: School, tmp_path: Path, clock: Clock, end: Ending, kind: int
) -> None:
    end(school, tmp_path, clock)
    left.parts[:], left.done[:] = [left.parts[kind]], []
    opened.run()
    assert not opened.exception
    assert is_told(opened)
    assert left.done in ([], ["fragment", "dialog"])  # by the page, for the person as they are now


def is_told(at: AppTest) -> bool:
    words = [*at.warning, *at.markdown]
    return any("Your access has changed" in word.value or word.value == "Sign in" for word in words)


# --- nothing without it ---------------------------------------------------------------------------------------


def find_bare(file: Path) -> Iterator[tuple[str, str]]:
    """Whatever Streamlit runs later in a file that does not go through the module: the file and the code."""
    name = file.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        given: list[tuple[object, ast.expr]] = []
        if isinstance(node, ast.Call):
            given = [(keyword.arg, keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Dict):
            given = [(getattr(key, "value", None), value) for key, value in zip(node.keys, node.values, strict=True)]
        for keyword, value in given:
            is_guarded = isinstance(value, ast.Call) and ast.unparse(value.func) == "guard"
            if keyword in KEYWORDS and not is_guarded and not isinstance(value, ast.Constant):
                yield name, f"{keyword}={ast.unparse(value)}"
        if isinstance(node, ast.Attribute) and node.attr in PARTS and ast.unparse(node.value) == "st":
            yield name, ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "streamlit":
            yield from ((name, alias.name) for alias in node.names if alias.name in PARTS)


def test_nothing_runs_later_without_asking_again() -> None:
    files = [ROOT / "streamlit_app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "app" / "ui").rglob("*.py")]
    assert {found for file in files for found in find_bare(file)} == EXEMPT.keys()
