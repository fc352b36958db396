"""Sign-in with Microsoft Entra ID, by Streamlit's own OpenID Connect, and how long it is valid.

Streamlit's cookie lasts for weeks and each window has its own, so the program checks at every step: does the account
belong to the school's tenant, is the person on the roster, have they signed out anywhere, are they idle, is the sign-in
too old? The database stores for all windows and processes when somebody was last active and when they signed out.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import streamlit as st
from sqlalchemy import delete, insert, select

from app.access.people import find_account, find_person
from app.access.policy import Person
from app.auth.configuration import GREATEST_AGE, get_idle_time
from app.auth.entra_roles import note_roles, read_claimed_roles, takes_roles_from_entra
from app.school import School
from app.store import audit_log, tables

Claims = Mapping[str, Any]  # what Entra ID says about an account: `st.user`
_CLOCKS_DIFFER = timedelta(minutes=2)  # by so much at most on machines whose clocks are right


class Refusal(Enum):
    """Why an account that somebody signed in with is shown nothing: the sentences for the screen, and the words for the
    audit trail (blank: not recorded)."""

    def __init__(self, sentences: str, recorded: str = "") -> None:
        self.sentences, self.recorded = sentences, recorded

    ENDED = ("Your sign-in has ended. Sign in again with your school account.",)
    ANOTHER_TENANT = (
        "This account belongs to another organisation, so nothing is shown. Sign out, and sign in with your school "
        "account.",
        "sign-in from another tenant",
    )
    ANOTHER_ACCOUNT = (
        "On the roster your address belongs to another account (it has another Entra id), so nothing is shown. If your "
        "account is new, ask the ICT administrator to correct the Entra id on the roster.",
        "sign-in of another account with the address of",
    )
    ROLE_NOT_STORED = (
        "Entra ID gives you a role that the roster does not have yet, so nothing is shown. Ask the ICT administrator "
        "to bring the roster up to date, and sign in again.",
        "sign-in with a role that is not on the roster, by",
    )
    NOT_ON_ROSTER = (
        "This account is not one of the school's staff on the roster, so nothing is shown. Sign out and use your "
        "school account, or ask the ICT administrator.",
        "sign-in of an account that is not on the roster",
    )


def get_person(school: School, claims: Claims) -> Person | None:
    """The person who is signed in, now marked as active; None if nobody is, or the account is refused."""
    if not holds(school, claims):
        return None
    key = _create_key(claims)
    seen_at, ended_at = _read_last_times(school, key)
    if school.now() - seen_at > min(timedelta(minutes=1), get_idle_time() / 4):  # seldom: writes are queued
        _store(school, key, school.now(), ended_at)
    person = find_account(school, str(claims.get("oid") or ""), _get_address(claims))
    if person is None or not takes_roles_from_entra():
        return person
    # A role counts where both have it: what is confidential, who is alerted and who owns a breach follow the roster.
    claimed = read_claimed_roles(claims)
    note_roles(school, person, claimed)
    return replace(person, roles=claimed) if claimed <= person.roles else None


def record_refusal(school: School, claims: Claims) -> Refusal:
    """Why `get_person` finds nobody for an account that somebody signed in with. An account that may see nothing is put
    on the audit trail, once for each sign-in."""
    refusal, person = _find_refusal(school, claims)
    if refusal.recorded:
        # Nothing is recorded that a stranger can choose: only an address on the roster, and the account's number.
        actor = person.email if person and refusal is Refusal.ROLE_NOT_STORED else audit_log.UNKNOWN
        account = "".join(character for character in str(claims.get("oid")) if character.isalnum() or character == "-")
        subject = f"{refusal.recorded}{f' {person.email}' if person else ''}, Entra id {account[:36]}"
        with school.writing() as connection:
            if not audit_log.was_refused_since(connection, actor, subject, _read_signed_in(claims)):
                school.add_to_trail(connection, actor, "refused", subject)
    return refusal


def _find_refusal(school: School, claims: Claims) -> tuple[Refusal, Person | None]:
    """Why nothing is shown, and whose account or address it is on the roster, if anybody's."""
    if not _is_of_school(school, claims):
        return Refusal.ANOTHER_TENANT, None
    if not holds(school, claims):
        return Refusal.ENDED, None
    address = _get_address(claims)
    if person := find_account(school, str(claims.get("oid") or ""), address):
        return Refusal.ROLE_NOT_STORED, person
    if person := find_person(school, address):
        return Refusal.ANOTHER_ACCOUNT, person
    return Refusal.NOT_ON_ROSTER, None


def holds(school: School, claims: Claims) -> bool:
    """Whether these are a sign-in of the school that has not ended; asking does not count as activity."""
    if not claims.get("is_logged_in") or not _is_of_school(school, claims):
        return False
    signed_in = _read_signed_in(claims)
    seen_at, ended_at = _read_last_times(school, _create_key(claims))
    now = school.now()
    return signed_in > ended_at and now - signed_in <= GREATEST_AGE and now - max(signed_in, seen_at) <= get_idle_time()


def _is_of_school(school: School, claims: Claims) -> bool:
    return str(claims.get("tid") or "").lower() == school.settings.tenant_id.lower()


def _read_signed_in(claims: Claims) -> datetime:
    return datetime.fromtimestamp(float(str(claims.get("iat") or 0)), UTC)


def _get_address(claims: Claims) -> str:
    """The name by which the account signs in. Anybody may write what they like into an account's `email`."""
    return str(claims.get("preferred_username") or claims.get("upn") or "")


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
