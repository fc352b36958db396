"""The files that the server hands out (`/media/…`): each only to the sign-in that it was made for.

Streamlit names a file by a digest of its content, so that whoever guesses the content finds it, and gives it to
everybody who has its address. Here a name begins with a code of the sign-in and is keyed by a salt of the process."""

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

# The claims of whoever asked for a file that is created outside a run of the page.
made_for: ContextVar[Mapping[str, Any]] = ContextVar("made_for", default={})  # noqa: B039 # never changed


def name_by_sign_in() -> None:
    """Have Streamlit name files by the sign-in that they are made for."""
    memory_media_file_storage._calculate_file_id = _name_file


def _name_file(data: bytes, mimetype: str, filename: str | None = None) -> str:
    words = _key("file", mimetype, filename or "", hashlib.sha256(data).hexdigest())
    return _find_code(made_for.get() or st.user.to_dict()) + words


def is_for(file: str, claims: Mapping[str, Any]) -> bool:
    """Whether a file, by its name, was made for a sign-in. Without one, such as in the demonstration, for everybody."""
    code = file[:_CODE]
    return any(hmac.compare_digest(code, own) for own in (_find_code(claims), _find_code({})))


def is_for_everybody(file: str) -> bool:
    """Whether a file, by its name, was made for nobody in particular, such as the page's icon before sign-in."""
    return is_for(file, {})


def read_claims(headers: Headers) -> dict[str, Any]:
    """The claims in the sign-in cookie of a request; empty without a cookie that the program has signed."""
    cookie = _get_signed_cookie_with_chunks(cookie_parser(headers.get("cookie", "")), USER_COOKIE_NAME)
    claims: dict[str, Any] = json.loads(cookie) if cookie else {}
    return claims


def _find_code(claims: Mapping[str, Any]) -> str:
    if not claims.get("is_logged_in"):
        return _key("nobody")[:_CODE]
    return _key("sign-in", *(str(claims.get(name)) for name in ("iss", "sub", "iat")))[:_CODE]


def _key(*words: str) -> str:
    return hmac.new(_SALT, json.dumps(words).encode(), hashlib.sha256).hexdigest()
