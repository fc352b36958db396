"""Sign-in with Microsoft Entra ID, by Streamlit's own OpenID Connect, and how long it is valid.

Streamlit's cookie lasts for weeks and each window has its own, so the program checks at every step: does the account
belong to the school's tenant, is the person on the roster, have they signed out anywhere, are they idle, is the sign-in
too old? The database stores for all windows and processes when somebody was last active and when they signed out.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st
from sqlalchemy import delete, insert, select

from app.access.people import find_person
from app.access.policy import Person
from app.auth.configuration import GREATEST_AGE, get_idle_time, takes_roles_from_entra
from app.school import School
from app.store import tables
from app.vocabulary.roles import Role


def get_person(school: School) -> Person | None:
    """The person who is signed in, now marked as active; None if nobody is, or the sign-in has ended."""
    if not holds(school):
        return None
    seen_at, ended_at = _read_last_times(school)
    if school.now() - seen_at > min(timedelta(minutes=1), get_idle_time() / 4):  # seldom: writes are queued
        _store(school, school.now(), ended_at)
    address = str(st.user.get("preferred_username") or st.user.get("email") or "")
    person = find_person(school, address, str(st.user.get("oid") or ""))
    if person and takes_roles_from_entra():
        claimed = st.user.get("roles")
        words = claimed if isinstance(claimed, list) else [claimed]
        return replace(person, roles=frozenset(role for role in Role if role in words))
    return person


def holds(school: School) -> bool:
    """Whether the window has a sign-in of the school that has not ended; asking does not count as activity."""
    if not st.user.get("is_logged_in"):
        return False
    if str(st.user.get("tid") or "").lower() != school.settings.tenant_id.lower():
        return False
    signed_in = datetime.fromtimestamp(float(str(st.user.get("iat") or 0)), UTC)
    seen_at, ended_at = _read_last_times(school)
    now = school.now()
    return signed_in > ended_at and now - signed_in <= GREATEST_AGE and now - max(signed_in, seen_at) <= get_idle_time()


def sign_out(school: School) -> None:
    """End the sign-in, in all windows."""
    seen_at, _ = _read_last_times(school)
    _store(school, seen_at, school.now())
    st.logout()


def _create_key() -> str:
    return hashlib.sha256(str(st.user.get("sub")).encode()).hexdigest()


def _read_last_times(school: School) -> tuple[datetime, datetime]:
    """When the person was last active and when they last signed out; in 1970 if never."""
    entry = tables.sign_ins.c
    with school.engine.connect() as connection:
        row = connection.execute(select(entry.seen_at, entry.ended_at).where(entry.key == _create_key())).one_or_none()
    seen_at, ended_at = row or (None, None)
    return seen_at or tables.EPOCH, ended_at or tables.EPOCH


def _store(school: School, seen_at: datetime, ended_at: datetime) -> None:
    with school.writing() as connection:
        connection.execute(delete(tables.sign_ins).where(tables.sign_ins.c.key == _create_key()))
        connection.execute(insert(tables.sign_ins).values(key=_create_key(), seen_at=seen_at, ended_at=ended_at))
