"""The files that the server gives out (`/media/…`), each only to the sign-in for which it was made, and only while the
person has the same roles and posts.

Streamlit names a file by a digest of its content, so that anybody who guesses the content can find it, and gives it to
everybody who has its address. Here a name starts with a code of the sign-in and of the person's roles and posts, and
depends on a salt of the process.
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

from app.access.policy import Person

_SALT = secrets.token_bytes(32)
_CODE = 32  # characters of a sign-in's code

Claims = Mapping[str, Any]
# The claims and the person for whom files are created, in a run of a page or outside one.
made_for: ContextVar[tuple[Claims, Person] | None] = ContextVar("made_for", default=None)


def name_by_sign_in() -> None:
    """Make Streamlit name files by the sign-in for which they are made."""
    memory_media_file_storage._calculate_file_id = _name_file


def _name_file(data: bytes, mimetype: str, filename: str | None = None) -> str:
    words = _key("file", mimetype, filename or "", hashlib.sha256(data).hexdigest())
    claims, person = made_for.get() or (st.user.to_dict(), None)  # before the page knows the person: its icon
    return _find_code(claims, person) + words


def is_for(file: str, claims: Claims, person: Person) -> bool:
    """Whether a file, by its name, was made for a sign-in, and for a person with these roles and posts."""
    return any(hmac.compare_digest(file[:_CODE], _find_code(claims, whose)) for whose in (person, None))


def is_for_everybody(file: str) -> bool:
    """Whether a file, by its name, was made for nobody in particular: the page's icon, or any in the demonstration."""
    return hmac.compare_digest(file[:_CODE], _NOBODYS)


def read_claims(headers: Headers) -> dict[str, Any]:
    """The claims in the sign-in cookie of a request; empty if it has no cookie that the program has signed."""
    cookie = _get_signed_cookie_with_chunks(cookie_parser(headers.get("cookie", "")), USER_COOKIE_NAME)
    claims: dict[str, Any] = json.loads(cookie) if cookie else {}
    return claims


def _find_code(claims: Claims, person: Person | None) -> str:
    if not claims.get("is_logged_in"):
        return _NOBODYS
    facts: list[str] = []
    if person:
        posts = (person.roles, person.year_groups, person.houses)
        facts = [str(person.staff_id), person.school, *(";".join(sorted(of)) for of in posts)]
    return _key("sign-in", *(str(claims.get(name)) for name in ("iss", "sub", "iat")), *facts)[:_CODE]


def _key(*words: str) -> str:
    return hmac.new(_SALT, json.dumps(words).encode(), hashlib.sha256).hexdigest()


_NOBODYS = _key("nobody")[:_CODE]
