"""Sign-in with Microsoft Entra ID, by Streamlit's own OpenID Connect, and how long it is valid.

Streamlit's cookie lasts for weeks and each window has its own, so the program checks at every step: does the account
belong to the school's tenant, is the person on the roster, have they signed out anywhere, are they idle, is the sign-in
too old? The database stores for all windows and processes when somebody was last active and when they signed out.
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
from app.auth.configuration import GREATEST_AGE, get_idle_time, takes_roles_from_entra
from app.school import School
from app.store import tables
from app.vocabulary.roles import Role

Claims = Mapping[str, Any]  # what Entra ID says about an account: `st.user`
_CLOCKS_DIFFER = timedelta(minutes=2)  # by so much at most on machines whose clocks are right


def get_person(school: School, claims: Claims) -> Person | None:
    """The person who is signed in, now marked as active; None if nobody is, or the sign-in has ended."""
    if not holds(school, claims):
        return None
    key = _create_key(claims)
    seen_at, ended_at = _read_last_times(school, key)
    if school.now() - seen_at > min(timedelta(minutes=1), get_idle_time() / 4):  # seldom: writes are queued
        _store(school, key, school.now(), ended_at)
    address = str(claims.get("preferred_username") or claims.get("email") or "")
    person = find_person(school, address, str(claims.get("oid") or ""))
    if person and takes_roles_from_entra():
        claimed = claims.get("roles")
        words = claimed if isinstance(claimed, list) else [claimed]
        return replace(person, roles=frozenset(role for role in Role if role in words))
    return person


def holds(school: School, claims: Claims) -> bool:
    """Whether these are a sign-in of the school that has not ended; asking does not count as activity."""
    if not claims.get("is_logged_in"):
        return False
    if str(claims.get("tid") or "").lower() != school.settings.tenant_id.lower():
        return False
    signed_in = datetime.fromtimestamp(float(str(claims.get("iat") or 0)), UTC)
    seen_at, ended_at = _read_last_times(school, _create_key(claims))
    now = school.now()
    return signed_in > ended_at and now - signed_in <= GREATEST_AGE and now - max(signed_in, seen_at) <= get_idle_time()


def sign_out(school: School) -> None:
    """End the window's sign-in, in all windows."""
    key = _create_key(st.user)
    seen_at, _ = _read_last_times(school, key)
    _store(school, key, seen_at, school.now())
    st.logout()


def _create_key(claims: Claims) -> str:
    return hashlib.sha256(str(claims.get("sub")).encode()).hexdigest()


def _read_last_times(school: School, key: str) -> tuple[datetime, datetime]:
    """When the person was last active and when they last signed out; in 1970 if never. Times beyond the present come
    from a clock that was ahead: such an activity counts for nothing, such a sign-out as one of now."""
    entry = tables.sign_ins.c
    with school.engine.connect() as connection:
        row = connection.execute(select(entry.seen_at, entry.ended_at).where(entry.key == key)).one_or_none()
    seen_at, ended_at = row or (tables.EPOCH, tables.EPOCH)
    latest = school.now() + _CLOCKS_DIFFER
    if seen_at <= latest and ended_at <= latest:
        return seen_at, ended_at
    seen_at = seen_at if seen_at <= latest else tables.EPOCH
    ended_at = ended_at if ended_at <= latest else school.now()
    _store(school, key, seen_at, ended_at)
    return seen_at, ended_at


def _store(school: School, key: str, seen_at: datetime, ended_at: datetime) -> None:
    with school.writing() as connection:
        connection.execute(delete(tables.sign_ins).where(tables.sign_ins.c.key == key))
        connection.execute(insert(tables.sign_ins).values(key=key, seen_at=seen_at, ended_at=ended_at))
