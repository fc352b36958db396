"""What a page leaves behind (parts, dialogs, callbacks, downloads) ends with the authority it was drawn with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

from app.access.policy import NotAllowedError
from app.school import School
from app.settings import load_secrets
from app.ui import authority, current
from tests.apptest import AUTH, KEY, AppTest, sign_in, write_secrets, write_settings
from tests.clock import Clock
from tests.ui.endings import ELSEWHERE, ENDINGS, OTHER, Ending

pytestmark = pytest.mark.usefixtures("story_clock")


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
    st.button("Fail", on_click=authority.guard(read_what_is_not_there))
    left.download = authority.guard_download(lambda: b"a file")
    context = get_script_run_ctx()
    assert context
    storage = context.fragment_storage
    left.parts = [storage.lookup(key) for key in storage._fragments]  # type: ignore[attr-defined] # no public list


def note_callback() -> None:
    left.done.append("callback")


def read_what_is_not_there() -> None:
    with current.get_school().engine.connect() as connection:
        connection.execute(text("select 1 from nowhere"))


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


ended = pytest.mark.parametrize("end", ENDINGS)


@pytest.mark.parametrize("claims", [{"tid": ELSEWHERE}, {"oid": OTHER}, {"is_logged_in": False}])
def test_another_account_in_the_window_gets_nothing_that_was_left(opened: AppTest, claims: dict[str, object]) -> None:
    opened.user = opened.user | claims
    for kind, part in enumerate(left.parts.copy()):
        left.parts[:], left.done[:] = [part], []
        opened.run()
        assert left.done == [], kind
        assert is_told(opened)
    left.parts.clear()
    opened.run()
    assert not opened.button
    assert left.done == []


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


def test_a_click_that_fails_in_the_database_says_so(opened: AppTest) -> None:
    left.parts.clear()
    opened.button[1].click().run()
    assert not opened.exception
    assert "The database cannot be used at the moment" in opened.error[0].value


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
