"""Every way in, as the code has it: each is decided, and refuses whoever has lost their authority."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.types import Message, Receive, Scope, Send
from streamlit.runtime import memory_media_file_storage
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from app.school import open_school
from app.settings import ROOT
from app.store import tables
from app.ui import served_files
from app.ui.server import Guard
from app.vocabulary.roles import STAFF_GRANTS, Page
from docs.ways_in import COMMANDS, EXEMPT, begins_by_checking, find_bare, list_code, list_commands
from tests import people
from tests.apptest import AppTest
from tests.auth.conftest import Opening, words
from tests.clock import Clock
from tests.ui.endings import ELSEWHERE, ENDINGS, OTHER, Ending, remove_role

pytestmark = pytest.mark.usefixtures("story_clock")

NOT_HERS: list[dict[str, object]] = [{"tid": ELSEWHERE}, {"oid": OTHER}, {"is_logged_in": False}]


# --- each is decided ------------------------------------------------------------------------------------------


def test_the_table_in_the_documents_is_as_the_code_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.ways_in", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr


@pytest.mark.parametrize("page", Page)
def test_every_page_checks_before_anything_else(page: Page) -> None:
    assert begins_by_checking(page)


def test_every_file_in_pages_is_a_page() -> None:
    assert {file.stem for file in (ROOT / "pages").glob("*.py")} == set(Page)


def test_nothing_runs_later_without_checking_again() -> None:
    assert {found for file in list_code() for found in find_bare(file)} == EXEMPT.keys()


def test_every_command_is_decided() -> None:
    assert list(list_commands()) == sorted(COMMANDS)


# --- pages ----------------------------------------------------------------------------------------------------


@pytest.fixture
def everywhere(opened: Opening) -> AppTest:
    """Aled's session, drawn for somebody who may open every page."""
    school = open_school()
    with school.writing() as connection:
        theirs = tables.staff_versions.c.staff_id == people.staff_id(school, "dsp")
        connection.execute(update(tables.staff_versions).where(theirs).values(roles="dsp;senior_deputy_head;admin"))
    at = opened("sessions", "dsp")
    assert "Aled" in show(at, Page.SESSIONS)
    return at


def show(at: AppTest, page: Page) -> str:
    """What a page shows; of sessions, the only one, with its pupil."""
    at.switch_page(f"pages/{page}.py")
    if page is Page.SESSIONS:
        with open_school().engine.connect() as connection:
            at.query_params["session"] = str(connection.scalar(select(tables.sessions.c.id)))
    return words(at.run())


def refuses(at: AppTest, page: Page, *, still_signed_in: bool) -> bool:
    """Whether a page shows nothing of the school to somebody, or only what every member of staff may see."""
    told = show(at, page)
    assert "Aled" not in told
    if not still_signed_in:
        return "Sign in" in told and not at.dataframe and not at.text_input and not at.selectbox
    return page.resource in STAFF_GRANTS or "You do not have access to this page" in told


@pytest.mark.parametrize("end", ENDINGS)
def test_every_page_refuses_once_authority_has_ended(
    everywhere: AppTest, tmp_path: Path, story_clock: Clock, end: Ending
) -> None:
    end(open_school(), tmp_path, story_clock)
    for page in Page:
        assert refuses(everywhere, page, still_signed_in=end is remove_role), page


@pytest.mark.parametrize("claims", NOT_HERS)
def test_every_page_refuses_accounts_that_are_not_hers(everywhere: AppTest, claims: dict[str, object]) -> None:
    everywhere.user = everywhere.user | claims
    for page in Page:
        assert refuses(everywhere, page, still_signed_in=False), page


# --- files and uploads ----------------------------------------------------------------------------------------


@pytest.fixture
def file(everywhere: AppTest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a file that was made for her."""
    storage, name = memory_media_file_storage, "_calculate_file_id"
    monkeypatch.setattr(storage, name, getattr(storage, name))  # as it was, after the test
    served_files.name_by_sign_in()
    made = served_files.made_for.set((everywhere.user, people.someone(open_school(), "dsp")))
    yield f"/media/{storage._calculate_file_id(b'a list', 'text/csv')}.csv"
    served_files.made_for.reset(made)


def ask(path: str, claims: dict[str, Any], method: str = "GET") -> int:
    """The status of the answer to somebody's browser, from a program that answers everything."""

    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    name = "_streamlit_user"
    cookie = create_signed_value(get_cookie_secret(), name, json.dumps(claims))
    headers = [(b"cookie", name.encode() + b"=" + cookie)]
    scope = {"type": "http", "path": path, "method": method, "scheme": "http", "query_string": b"", "headers": headers}
    asyncio.run(Guard(program)(scope, receive, send))
    return int(sent[0]["status"])


UPLOAD = "/_stcore/upload_file/session/file"


@pytest.mark.parametrize("end", ENDINGS)
def test_files_and_uploads_are_refused_once_authority_has_ended(
    everywhere: AppTest, file: str, tmp_path: Path, story_clock: Clock, end: Ending
) -> None:
    claims = dict(everywhere.user)
    assert (ask(file, claims), ask(UPLOAD, claims, "PUT")) == (200, 200)
    end(open_school(), tmp_path, story_clock)
    assert ask(file, claims) == 404
    # Whoever is still on the staff may send a file, which only a page that asks again reads.
    assert ask(UPLOAD, claims, "PUT") == (200 if end is remove_role else 403)


@pytest.mark.parametrize("claims", [*NOT_HERS, {"sub": "another"}, {"iat": 1.0}])
def test_files_are_refused_to_other_sign_ins(everywhere: AppTest, file: str, claims: dict[str, object]) -> None:
    assert ask(file, dict(everywhere.user) | claims) == 404


@pytest.mark.parametrize("claims", NOT_HERS)
def test_uploads_are_refused_from_accounts_that_are_not_hers(everywhere: AppTest, claims: dict[str, object]) -> None:
    assert ask(UPLOAD, dict(everywhere.user) | claims, "PUT") == 403


@pytest.mark.parametrize("name", ["metrics", "agent/interact", "agent/openapi.json", "agent/mcp"])
def test_closed_addresses_are_closed_to_everybody(everywhere: AppTest, name: str) -> None:
    assert ask(f"/_stcore/{name}", dict(everywhere.user)) == 404
