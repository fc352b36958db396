"""What the server itself says and refuses, as `.streamlit/config.toml` and `app/ui/server.py` have it."""

import http.client
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.settings import ROOT
from tests.browser.conftest import free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], peopled_database: Callable[[], str]) -> str:
    """A real school, without sign-in configured."""
    return serve(peopled_database())


def ask(address: str, path: str, method: str = "GET", body: bytes = b"", **headers: Any) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body or None, {name.replace("_", "-"): value for name, value in headers.items()})
    return connection.getresponse()


@pytest.mark.parametrize(
    "path", ["/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/openapi.json", "/_stcore/agent/mcp"]
)
def test_internal_addresses_are_closed(address: str, path: str) -> None:
    assert ask(address, path).status == 404
    assert ask(address, f"/sessions{path}").status == 404


def test_the_health_address_answers(address: str) -> None:
    assert ask(address, "/_stcore/health").status == ask(address, "/health").status == 200


def test_cookies_are_secure_with_tls_and_never_sent_to_another_site(address: str) -> None:
    for path in ("/", "/_stcore/health", "/sessions?session=1"):
        for proto, secure in (("http", False), ("https", True)):
            cookies = ask(address, path, X_Forwarded_Proto=proto).headers.get_all("set-cookie") or []
            assert all(("; Secure" in cookie) is secure for cookie in cookies)
            assert all("SameSite=Lax" in cookie for cookie in cookies)
    assert any("wanted=%2Fsessions%3Fsession%3D1" in cookie and "HttpOnly" in cookie for cookie in cookies)


@pytest.mark.parametrize("wanted", ["//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", ""])
def test_sign_in_never_redirects_to_another_site(address: str, wanted: str) -> None:
    answer = ask(address, "/oauth2callback", Cookie=f"wanted={wanted}")
    assert "elsewhere" not in (answer.headers["location"] or "")


def test_another_site_can_neither_read_nor_send(address: str) -> None:
    upgrade: dict[str, Any] = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert ask(address, "/_stcore/stream", Origin="https://elsewhere.example", **upgrade).status == 403
    assert ask(address, "/_stcore/stream", Origin=address, **upgrade).status == 101
    upload = ask(address, "/_stcore/upload_file/any/any", "PUT", b"x", Origin="https://elsewhere.example")
    assert upload.status == 403
    assert "access-control-allow-origin" not in upload.headers
    assert "access-control-allow-origin" not in ask(address, "/", Origin="https://elsewhere.example").headers


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[str]:
    """A page that fails, served with the settings of the program."""
    script, port = tmp_path / "failing.py", free_port()
    script.write_text("import streamlit as st\nst.write('here')\nraise RuntimeError('Aled Pugh')\n", encoding="utf-8")
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"http://localhost:{port}"
    process.terminate()
    process.wait(20)


def test_an_error_shows_no_details_and_nothing_leaves_the_network(page: Page, failing: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for attempt in range(600):
        try:
            page.goto(failing)
            break
        except Exception:
            if attempt == 599:
                raise
            page.wait_for_timeout(100)
    expect(page.get_by_test_id("stException").or_(page.get_by_test_id("stAlert"))).to_be_visible()
    words = page.locator("body").inner_text()
    assert "here" in words
    assert not any(part in words for part in ("Aled", "Traceback", "RuntimeError", "failing.py"))
    assert page.get_by_test_id("stAppDeployButton").count() == 0
    assert {urlsplit(url).hostname for url in asked if url.startswith("http")} == {"localhost"}
