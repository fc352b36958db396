"""What the browser will need for the pages is named with the first answer, so that it comes while the
server is still at work; otherwise the browser learns of each part only when the first element needs it."""

import re
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SCRIPTS = Path(streamlit.__file__).parent / "static" / "static" / "js"
_PARTS = ("ArrowVegaLiteChart", "ButtonGroup", "Html", "PageLink")
_IMPORTED = re.compile(r'(?:from|import)"\./([^"]+\.js)"')


@cache
def _links() -> str:
    """The `Link` header: every part's script, with those it imports, after the scripts of the page itself."""
    found: dict[str, None] = {}
    waiting = [path.name for part in _PARTS for path in _SCRIPTS.glob(f"{part}.*.js")]
    page = (_SCRIPTS.parent.parent / "index.html").read_text(encoding="utf-8")
    while waiting:
        name = waiting.pop()
        if name not in found and name not in page:
            found[name] = None
            waiting += _IMPORTED.findall((_SCRIPTS / name).read_text(encoding="utf-8"))
    return ", ".join(f"<./static/js/{name}>; rel=modulepreload; fetchpriority=low" for name in found)


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
