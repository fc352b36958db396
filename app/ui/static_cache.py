"""Streamlit's scripts, sooner: those that the pages need are named with the first answer, so that they come while the
server is still at work, and all of them are answered from memory."""

import re
from collections.abc import Set
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STATIC = Path(streamlit.__file__).parent / "static"
_SCRIPTS = _STATIC / "static" / "js"
# A script has one address: whoever writes it in a thousand ways fills no memory.
_ADDRESSES = frozenset(f"/{path.relative_to(_STATIC).as_posix()}" for path in (_STATIC / "static").rglob("*.*"))
_PARTS = ("ArrowVegaLiteChart", "ButtonGroup", "Html", "PageLink")
_CONDITIONS = {"range", "if-none-match", "if-modified-since"}  # to be answered otherwise than with the whole
_IMPORTED = re.compile(r'(?:from|import)"\./([^"]+\.js)"')


@cache
def _links() -> str:
    """The `Link` header: every part's script, with those it imports, after the scripts of the page itself."""
    found: dict[str, None] = {}
    waiting = [path.name for part in _PARTS for path in _SCRIPTS.glob(f"{part}.*.js")]
    page = (_STATIC / "index.html").read_text(encoding="utf-8")
    while waiting:
        name = waiting.pop()
        if name not in found and name not in page:
            found[name] = None
            waiting += _IMPORTED.findall((_SCRIPTS / name).read_text(encoding="utf-8"))
    return ", ".join(f"<./static/js/{name}>; rel=modulepreload; fetchpriority=low" for name in found)


class FromMemory:
    """Middleware that answers a script from memory once somebody has asked for it. There are a hundred to a first
    look; reading each from its file again was more work for the server than the page itself."""

    def __init__(self, app: ASGIApp, addresses: Set[str] = _ADDRESSES) -> None:
        self._app, self._addresses = app, addresses
        self._kept: dict[str, list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
        if path not in self._addresses or _CONDITIONS & set(Headers(scope=scope).keys()):
            await self._app(scope, receive, send)
            return
        answer: list[Message] = []

        async def listening(message: Message) -> None:
            answer.append(message)
            await send(message)

        if path in self._kept:
            for message in self._kept[path]:
                await send(message)
        else:
            await self._app(scope, receive, listening)
            if _for_good(answer):
                body = b"".join(message.get("body", b"") for message in answer[1:])
                self._kept[path] = [answer[0], {"type": "http.response.body", "body": body}]


def _for_good(answer: list[Message]) -> bool:
    """Whether an answer is the same for everybody and at all times, and is there to its end."""
    headers = Headers(raw=answer[0]["headers"])
    unchanging = "immutable" in headers.get("cache-control", "")
    for_one = {"set-cookie", "content-encoding"} & set(headers.keys())
    return answer[0]["status"] == 200 and unchanging and not for_one and not answer[-1].get("more_body")


class Preload:
    """Middleware that names these parts with every page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Link", _links())
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)
