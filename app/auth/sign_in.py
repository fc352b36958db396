"""Sign-in with Microsoft Entra ID, by Streamlit's own OpenID Connect, and how long it holds.

Streamlit's cookie lasts for weeks and each window has its own, so at every step the program asks again:
is it an account of the school's tenant, is the person on the roster, have they signed out anywhere, are
they idle, was it too long ago? When somebody was last active, and when they signed out, stands in the
database, for all windows and processes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st
from sqlalchemy import delete, insert, select

from app.access.people import find_person
from app.access.policy import Person
from app.school import School
from app.settings import SettingsError, variable
from app.store import tables
from app.vocabulary import Role

GREATEST_AGE = timedelta(hours=12)  # after which one signs in again, however active
_NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
_OF_GRAPH = ("GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "GRAPH_CLIENT_SECRET", "GRAPH_CERTIFICATE_FILE")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def hindrance(school: School) -> str | None:
    """Why nothing of the school may be shown, with the fix; None where nothing prevents it.

    Without any configuration there is the demonstration, open to everybody. Whatever is configured for a real
    school asks for sign-in, and for a database that the demonstration is not in.
    """
    real = configured()
    if school.is_demonstration():
        if not real:
            return None
        return (
            f"Configured for a real school: {' and '.join(real)}. But the database holds the demonstration, into which "
            "anybody may look. Set DATABASE_URL to a database of the school's own, or take that configuration away."
        )
    entries = _entries()
    if missing := [entry for entry in _NEEDED if not entries.get(entry)]:
        return (
            "This database is not the demonstration's, so nothing of it is shown without sign-in. Missing in "
            f".streamlit/secrets.toml, under [auth]: {', '.join(missing)}. The ICT administrator finds how in "
            "docs/service.md."
        )
    return None


def configured() -> list[str]:
    """What is configured for a real school, in words."""
    graph = any(variable(name) for name in _OF_GRAPH)
    return ["Microsoft Graph"] * graph + ["sign-in"] * bool(_entries())


def _entries() -> Mapping[str, Any]:
    """The entries of `[auth]` in `.streamlit/secrets.toml`."""
    return st.secrets.get("auth", {}) if st.secrets.load_if_toml_exists() else {}


def idle_time() -> timedelta:
    """How long one may do nothing: IDLE_MINUTES, 30 by default. SettingsError if it is no number above 0."""
    told = variable("IDLE_MINUTES") or "30"
    try:
        minutes = float(told)
    except ValueError:
        minutes = 0
    if not 0 < minutes <= 24 * 60:
        raise SettingsError(f"IDLE_MINUTES is {told!r}: give the minutes after which sign-in ends, for example 30.")
    return timedelta(minutes=minutes)


def person(school: School) -> Person | None:
    """Who is signed in, if their sign-in still holds; they are active now."""
    if not holds(school):
        return None
    _seen(school)
    found = find_person(school, str(st.user.get("preferred_username") or st.user.get("email") or ""))
    return _with_roles_of_entra(found) if found and roles_from_entra() else found


def holds(school: School) -> bool:
    """Whether the window's sign-in is one of the school's that has not ended; asking is no activity."""
    if not st.user.get("is_logged_in"):
        return False
    if str(st.user.get("tid") or "").lower() != school.settings.tenant_id.lower():
        return False
    signed_in = datetime.fromtimestamp(float(str(st.user.get("iat") or 0)), UTC)
    seen_at, ended_at = _last(school)
    now = school.now()
    return signed_in > ended_at and now - signed_in <= GREATEST_AGE and now - max(signed_in, seen_at) <= idle_time()


def out(school: School) -> None:
    """End the sign-in, in all windows."""
    _keep(school, seen_at=_last(school)[0], ended_at=school.now())
    st.logout()


def _key() -> str:
    return hashlib.sha256(str(st.user.get("sub")).encode()).hexdigest()


def _last(school: School) -> tuple[datetime, datetime]:
    """When the person was last active and when they signed out last."""
    kept = tables.sign_ins.c
    with school.engine.connect() as connection:
        row = connection.execute(select(kept.seen_at, kept.ended_at).where(kept.key == _key())).one_or_none()
    return (row.seen_at or _NEVER, row.ended_at or _NEVER) if row else (_NEVER, _NEVER)


def _seen(school: School) -> None:
    seen_at, ended_at = _last(school)
    if school.now() - seen_at > min(timedelta(minutes=1), idle_time() / 4):  # seldom: writes are queued
        _keep(school, seen_at=school.now(), ended_at=ended_at)


def _keep(school: School, seen_at: datetime, ended_at: datetime) -> None:
    with school.writing() as connection:
        connection.execute(delete(tables.sign_ins).where(tables.sign_ins.c.key == _key()))
        connection.execute(insert(tables.sign_ins).values(key=_key(), seen_at=seen_at, ended_at=ended_at))


def roles_from_entra() -> bool:
    """Whether people have the app roles of their sign-in in place of the roster's."""
    told = variable("ROLES_FROM") or "roster"
    if told not in ("roster", "entra"):
        raise SettingsError(f"ROLES_FROM is {told!r}: give roster, or entra for the app roles of the sign-in.")
    return told == "entra"


def _with_roles_of_entra(found: Person) -> Person:
    """The person with the app roles that Entra ID assigned, in place of the roster's."""
    claimed = st.user.get("roles")
    words = claimed if isinstance(claimed, list) else [claimed]
    return replace(found, roles=frozenset(role for role in Role if role in words))
