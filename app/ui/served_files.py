"""The files that the server gives out (`/media/…`), each only to the sign-in for which it was made.

Streamlit names a file by a digest of its content, so that anybody who guesses the content can find it, and gives it to
everybody who has its address. Here a name starts with a code of the sign-in, and depends on a salt of the process.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import streamlit as st
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from streamlit.runtime import memory_media_file_storage
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

_SALT = secrets.token_bytes(32)
_CODE = 32  # characters of a sign-in's code

# The claims of the person for whom a file is created outside a run of the page.
made_for: ContextVar[Mapping[str, Any]] = ContextVar("made_for", default={})  # noqa: B039 # never changed


def name_by_sign_in() -> None:
    """Make Streamlit name files by the sign-in for which they are made."""
    memory_media_file_storage._calculate_file_id = _name_file


def _name_file(data: bytes, mimetype: str, filename: str | None = None) -> str:
    words = _key("file", mimetype, filename or "", hashlib.sha256(data).hexdigest())
    return _find_code(made_for.get() or st.user.to_dict()) + words


def is_for(file: str, claims: Mapping[str, Any]) -> bool:
    """Whether a file, by its name, was made for a sign-in. A file made without one, such as in the demonstration, is
    for everybody."""
    code = file[:_CODE]
    return any(hmac.compare_digest(code, own) for own in (_find_code(claims), _find_code({})))


def is_for_everybody(file: str) -> bool:
    """Whether a file, by its name, was made for nobody in particular, such as the page's icon before sign-in."""
    return is_for(file, {})


def read_claims(headers: Headers) -> dict[str, Any]:
    """The claims in the sign-in cookie of a request; empty if it has no cookie that the program has signed."""
    cookie = _get_signed_cookie_with_chunks(cookie_parser(headers.get("cookie", "")), USER_COOKIE_NAME)
    claims: dict[str, Any] = json.loads(cookie) if cookie else {}
    return claims


def _find_code(claims: Mapping[str, Any]) -> str:
    if not claims.get("is_logged_in"):
        return _key("nobody")[:_CODE]
    return _key("sign-in", *(str(claims.get(name)) for name in ("iss", "sub", "iat")))[:_CODE]


def _key(*words: str) -> str:
    return hmac.new(_SALT, json.dumps(words).encode(), hashlib.sha256).hexdigest()
