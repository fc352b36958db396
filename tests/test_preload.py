"""What the browser is told to fetch beforehand is there, and is told with pages alone."""

import re
from pathlib import Path

import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.preload import Preload


def test_a_page_names_the_scripts_of_its_charts_and_nothing_else_does() -> None:
    routes = [Route("/", lambda _: HTMLResponse("page")), Route("/health", lambda _: PlainTextResponse("ok"))]
    client = TestClient(Starlette(routes=routes, middleware=[Middleware(Preload)]))
    names = re.findall(r"<\./([^>]+)>; rel=modulepreload; fetchpriority=low", client.get("/").headers["link"])
    static = Path(streamlit.__file__).parent / "static"
    assert all((static / name).is_file() for name in names)
    assert {"ArrowVegaLiteChart", "embed", "ButtonGroup"} <= {Path(name).name.split(".")[0] for name in names}
    assert "link" not in client.get("/health").headers
