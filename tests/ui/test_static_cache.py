"""What the browser is told to fetch beforehand is there, and is told with pages alone; what stays is kept in memory."""

import re
from collections import Counter
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.ui.static_cache import _ADDRESSES, FromMemory, Preload


def test_a_page_names_the_scripts_of_its_charts_and_nothing_else_does() -> None:
    routes = [Route("/", lambda _: HTMLResponse("page")), Route("/health", lambda _: PlainTextResponse("ok"))]
    client = TestClient(Starlette(routes=routes, middleware=[Middleware(Preload)]))
    names = re.findall(r"<\./([^>]+)>; rel=modulepreload; fetchpriority=low", client.get("/").headers["link"])
    static = Path(streamlit.__file__).parent / "static"
    assert all((static / name).is_file() for name in names)
    assert {"ArrowVegaLiteChart", "embed", "ButtonGroup"} <= {Path(name).name.split(".")[0] for name in names}
    assert "link" not in client.get("/health").headers
    assert {f"/{name}" for name in names} < _ADDRESSES


FOR_GOOD = {"cache-control": "public, immutable, max-age=31536000"}


@pytest.fixture
def asked() -> Counter[str]:
    """How often the server itself was asked for each path."""
    return Counter()


@pytest.fixture
def client(asked: Counter[str]) -> TestClient:
    def answer(request: Request) -> Response:
        asked[request.url.path] += 1
        headers = {} if "page" in request.url.path else FOR_GOOD
        status = 404 if "nowhere" in request.url.path else 200
        response = PlainTextResponse(f"{request.url.path} {asked.total()}", status, headers)
        if "mine" in request.url.path:
            response.set_cookie("who", "me")
        return response

    routes = [Route("/{path:path}", answer, methods=["GET", "HEAD"])]
    kept = Middleware(FromMemory, addresses={"/a.js", "/b.js", "/page", "/nowhere.js", "/mine.js"})
    return TestClient(Starlette(routes=routes, middleware=[kept]))


def test_a_script_is_read_once_and_answered_whole_to_everybody(client: TestClient, asked: Counter[str]) -> None:
    first, second = client.get("/a.js"), client.get("/a.js")
    assert first.text == second.text == "/a.js 1"
    assert first.headers == second.headers
    assert client.get("/b.js").text == "/b.js 2"
    assert asked == {"/a.js": 1, "/b.js": 1}


@pytest.mark.parametrize("path", ["/page", "/nowhere.js", "/mine.js", "/another.js"])
def test_what_changes_fails_or_is_somebodys_is_not_kept(client: TestClient, asked: Counter[str], path: str) -> None:
    client.get(path)
    client.get(path)
    assert asked[path] == 2


@pytest.mark.parametrize("headers", [{"range": "bytes=0-1"}, {"if-none-match": "x"}])
def test_who_asks_in_another_way_is_answered_by_the_server(
    client: TestClient, asked: Counter[str], headers: dict[str, str]
) -> None:
    client.get("/a.js")
    client.get("/a.js", headers=headers)
    client.head("/a.js")
    assert asked["/a.js"] == 3
