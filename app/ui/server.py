"""Wraps the server: corrects cookies, closes addresses that nobody needs, accepts files only from people who are signed
in, gives people only their own files, and adds our script.

Streamlit's sign-in cookie lasts for 30 days and is sent over http too. A second cookie holds the tokens of Entra ID,
which nothing here needs. Signing in leads to the first page, whichever link somebody followed. None of this can be
configured, so it is corrected in each response.
"""

from functools import cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import quote, unquote

import streamlit as st
from google.protobuf.message import DecodeError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.auth.configuration import GREATEST_AGE
from app.ui.current import find_somebody
from app.ui.served_files import is_for, is_for_everybody, read_claims
from app.vocabulary.roles import Page

_USER, _TOKENS = "_streamlit_user", "_streamlit_user_tokens"
_ADDRESS_COOKIE = "wanted"  # the address that somebody opened before signing in
_ADDRESS_SECONDS = 15 * 60  # the longest time that signing in may take
_BROWSER_SCRIPT = Path(__file__).parent / "browser.js"
_MEDIA, _UPLOADS = "/media/", "/_stcore/upload_file/"
_CLOSED = ("metrics", "script-health-check", "agent")  # figures of the server, and access without a browser


@cache
def _read_index() -> str:
    index = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    return index.replace("<script", '<script src="./browser.js"></script><script', 1)


def list_own_routes() -> list[Route]:
    """The addresses that the program answers beside Streamlit's."""
    return [
        Route("/health", lambda _: PlainTextResponse("ok")),
        *(Route(f"/{page}", _show_index) for page in ("", *Page)),
        Route("/browser.js", lambda _: FileResponse(_BROWSER_SCRIPT, media_type="text/javascript")),
    ]


def _show_index(_: Request) -> HTMLResponse:
    """Streamlit's web page, with our script before its own."""
    return HTMLResponse(_read_index(), headers={"Cache-Control": "no-cache"})


class Guard:
    """ASGI middleware around the program: closes addresses and commands that nobody should use, checks who uploads or
    fetches a file, and corrects cookies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.app(scope, _without_commands(receive), send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if refusal := await run_in_threadpool(_refuse, scope, asked):
            await refusal(scope, receive, send)
            return

        async def send_corrected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if _find_media_file(scope["path"]):
                    headers["cache-control"] = "no-store"
                _remember_address(scope, asked, headers)
                _correct_cookies(headers, secure=_is_secure(scope, asked))
            await send(message)

        await self.app(scope, receive, send_corrected)


def _refuse(scope: Scope, asked: Headers) -> PlainTextResponse | None:
    """The answer to a request that is refused, because the address is closed or needs another sign-in; None if it may
    proceed."""
    path = scope["path"]
    if any(f"/_stcore/{door}" in path for door in _CLOSED):
        return PlainTextResponse("Not found", 404)
    file = _find_media_file(path)
    if file and not is_for_everybody(file):
        claims = read_claims(asked)
        person = find_somebody(claims)
        if person is None or not is_for(file, claims, person):
            return PlainTextResponse("Not found", 404)
    if _UPLOADS in path and scope["method"] != "OPTIONS" and find_somebody(read_claims(asked)) is None:
        return PlainTextResponse("Sign in first", 403)
    return None


def _find_media_file(path: str) -> str:
    """The name of a file that was made for somebody, from its path; blank for Streamlit's own files, such as fonts."""
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    before, _, file = path.partition(_MEDIA)
    return file if before.strip("/") == base else ""


def _without_commands(receive: Receive) -> Receive:
    """A `receive` that drops commands to clear the cache, which all windows share."""

    async def receive_rest() -> Message:
        while True:
            message = await receive()
            if not _is_command(message.get("bytes")):
                return message

    return receive_rest


def _is_command(sent: bytes | None) -> bool:
    try:
        return bool(sent) and BackMsg.FromString(sent).WhichOneof("type") == "clear_cache"
    except DecodeError:
        return False  # Streamlit closes the connection


def _is_secure(scope: Scope, asked: Headers) -> bool:
    """Whether the request came over TLS, to us or to a proxy in front of us, however the proxy's header is written."""
    proxies = ",".join(asked.getlist("x-forwarded-proto")).split(",")
    return scope["scheme"] == "https" or "https" in (proxy.strip(" \t\"'").lower() for proxy in proxies)


def _remember_address(scope: Scope, asked: Headers, headers: MutableHeaders) -> None:
    """Store the address that a browser opens in a cookie, and lead there once somebody has signed in."""
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
