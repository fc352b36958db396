"""What the server refuses before a page runs, and what it corrects; files of a sign-in are in tests/browser."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.auth.configuration import check_start
from app.school import School
from app.settings import load_secrets
from app.ui import current
from app.ui.served_files import is_for
from app.ui.server import Guard
from tests.apptest import AUTH, KEY, write_secrets, write_settings
from tests.people import someone

ANN = {"is_logged_in": True, "iss": "entra", "sub": "ann", "iat": 1}


@pytest.fixture
def configured(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A real school, with everything that it needs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", school.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PROTOCOL_FILE", str(write_settings(tmp_path / "protocol.toml")))
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    write_secrets(AUTH)
    current._opened.clear()
    yield monkeypatch
    current._opened.clear()
    load_secrets.cache_clear()


def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
    """The status and the headers of an answer from a program that sets a cookie and answers everything."""

    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        cookie = (b"set-cookie", b"_streamlit_xsrf=1; Path=/")
        await send({"type": "http.response.start", "status": 200, "headers": [cookie]})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": path, "method": method, "scheme": "http", "query_string": b"", "headers": named}
    asyncio.run(Guard(program)(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_guard_refuses_uploads_from_anyone_not_signed_in(configured: pytest.MonkeyPatch, method: str) -> None:
    assert ask("/_stcore/upload_file/a/b", method)[0] == 403
    assert ask("/_stcore/upload_file/a/b", method, cookie="_streamlit_user=anything")[0] == 403


def test_guard_takes_uploads_in_the_demonstration(demonstration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", demonstration)
    current._opened.clear()
    assert ask("/_stcore/upload_file/a/b", "PUT")[0] == 200
    current._opened.clear()


def test_guard_gives_no_file_without_its_sign_in(configured: pytest.MonkeyPatch, school: School) -> None:
    assert ask(f"/media/{'0' * 96}.pdf")[0] == 404
    assert ask("/static/media/SourceSansVF-Upright.woff2")[0] == 200
    assert not is_for("0" * 96, ANN, someone(school, "teacher"))


@pytest.mark.parametrize("spelling", ["https", "HTTPS", " Https", "https,http", "http, https", '"https"'])
def test_guard_makes_cookies_secure_behind_any_proxy_with_tls(spelling: str) -> None:
    assert "Secure" in ask("/", x_forwarded_proto=spelling)[1]["set-cookie"]
    assert "Secure" not in ask("/", x_forwarded_proto="http")[1]["set-cookie"]


def test_guard_drops_commands_to_clear_the_cache() -> None:
    command, heartbeat = BackMsg(clear_cache=True), BackMsg(app_heartbeat=True)
    waiting = [command.SerializeToString(), heartbeat.SerializeToString(), b"\xff nothing of Streamlit's"]
    got: list[bytes] = []

    async def program(scope: Scope, receive: Receive, send: Send) -> None:
        got.extend([(await receive())["bytes"] for _ in range(2)])

    async def receive() -> Message:
        return {"type": "websocket.receive", "bytes": waiting.pop(0)}

    async def send(message: Message) -> None:
        raise AssertionError

    asyncio.run(Guard(program)({"type": "websocket", "path": "/_stcore/stream"}, receive, send))
    assert got == [heartbeat.SerializeToString(), b"\xff nothing of Streamlit's"]


# --- the start ------------------------------------------------------------------------------------------------


def test_check_start_lets_a_whole_configuration_start(configured: pytest.MonkeyPatch) -> None:
    check_start()


def test_check_start_refuses_real_records_without_keys(configured: pytest.MonkeyPatch) -> None:
    configured.delenv("ENCRYPTION_KEYS")
    with pytest.raises(SystemExit, match="ENCRYPTION_KEYS is not set"):
        check_start()


def test_check_start_refuses_a_short_cookie_secret(configured: pytest.MonkeyPatch) -> None:
    write_secrets(AUTH | {"cookie_secret": "x" * 31})
    with pytest.raises(SystemExit, match="31 characters"):
        check_start()


@pytest.mark.parametrize("what", ["empty", "demonstration"])
def test_check_start_needs_no_keys_without_real_records(
    configured: pytest.MonkeyPatch, empty_school: School, demonstration: str, what: str
) -> None:
    configured.delenv("ENCRYPTION_KEYS")
    empty = empty_school.engine.url.render_as_string(hide_password=False)
    configured.setenv("DATABASE_URL", empty if what == "empty" else demonstration)
    check_start()
