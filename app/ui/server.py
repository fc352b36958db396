"""Wraps the server: limits cookies to a sign-in, closes addresses that nobody needs, and adds a script of our own.

Streamlit's sign-in cookie lasts for 30 days and is sent over http as well, a second one carries the tokens of Entra ID,
which nothing here needs, and signing in leads to the first page, whatever link somebody followed. None of that can be
set, so it is corrected in each response.
"""

from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import quote, unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from app.auth.configuration import GREATEST_AGE

_USER, _TOKENS = "_streamlit_user", "_streamlit_user_tokens"
_ADDRESS_COOKIE = "wanted"  # keeps the address that somebody opened before signing in
_ADDRESS_SECONDS = 15 * 60  # the longest time that signing in may take
BROWSER_SCRIPT = Path(__file__).parent / "browser.js"
_CLOSED = ("metrics", "script-health-check", "agent")  # figures of the server, and a way in that needs no browser


@cache
def _read_index() -> str:
    index = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    return index.replace("<script", '<script src="./browser.js"></script><script', 1)


def show_index(_: Request) -> HTMLResponse:
    """Streamlit's web page, with our own script before its own."""
    return HTMLResponse(_read_index(), headers={"Cache-Control": "no-cache"})


class Guard:
    """ASGI middleware around the program: closes addresses that nobody should request, and corrects cookies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if any(f"/_stcore/{door}" in scope["path"] for door in _CLOSED):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
            return
        asked = Headers(scope=scope)

        async def send_corrected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                _remember_address(scope, asked, headers)
                _correct_cookies(headers, secure="https" in (scope["scheme"], asked.get("x-forwarded-proto")))
            await send(message)

        await self.app(scope, receive, send_corrected)


def _remember_address(scope: Scope, asked: Headers, headers: MutableHeaders) -> None:
    """Remember the address that a browser opens, and go there once somebody has signed in."""
    path = scope["path"]
    if path.endswith("/oauth2callback") and headers.get("location", "").endswith("/"):
        address = unquote(_cookies(asked).get(_ADDRESS_COOKIE, ""))
        if address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable():
            headers["location"] = quote(address, safe="/?&=%-._~+")
        headers.append("set-cookie", f"{_ADDRESS_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
    elif (
        headers.get("content-type", "").startswith("text/html")
        and asked.get("sec-fetch-dest", "document") == "document"
    ):
        query = scope["query_string"].decode("latin-1")
        address = quote(f"{path}?{query}" if query else path, safe="")
        if len(address) < 1000:
            headers.append(
                "set-cookie", f"{_ADDRESS_COOKIE}={address}; Path=/; Max-Age={_ADDRESS_SECONDS}; HttpOnly; SameSite=Lax"
            )


def _cookies(asked: Headers) -> dict[str, str]:
    try:
        return {name: cookie.value for name, cookie in SimpleCookie(asked.get("cookie", "")).items()}
    except CookieError:
        return {}


def _correct_cookies(headers: MutableHeaders, *, secure: bool) -> None:
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        pair, *attributes = (part.strip() for part in cookie.split(";"))
        name, _, value = pair.partition("=")
        options = dict(attribute.partition("=")[::2] for attribute in attributes)
        is_deleted = options.get("Max-Age") == "0" or not value.strip('"')
        if name.startswith(_TOKENS) and not is_deleted:
            continue
        if name.startswith(_USER) and not is_deleted:
            options = {key: option for key, option in options.items() if key.lower() not in ("max-age", "expires")}
            options["Max-Age"] = str(int(GREATEST_AGE.total_seconds()))
        if not any(key.lower() == "samesite" for key in options):
            options["SameSite"] = "Lax"
        if secure:
            options["Secure"] = ""
        headers.append("set-cookie", "; ".join([pair, *(f"{k}={v}" if v else k for k, v in options.items())]))
