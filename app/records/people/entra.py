"""Accounts of Microsoft Entra, as Microsoft Graph lists them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.records.evidence.graph_objects import UnreadableObjectError, read_lower, read_text, read_time

# The fields to request of each account; the second needs a permission of its own.
ACCOUNT = "id,displayName,mail,userPrincipalName,department,accountEnabled,userType"
LEAVE = "employeeLeaveDateTime"

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Account:
    """An account. `address` is the owner's email address in lower case; `domains` are those of the mailbox and of the
    sign-in name; `leaves_at` is when the owner leaves or left, None if Entra does not say."""

    entra_id: str
    name: str
    address: str
    domains: frozenset[str]
    department: str
    is_enabled: bool
    is_guest: bool
    leaves_at: datetime | None


@dataclass(frozen=True)
class Directory:
    """What Entra holds: all accounts; the Entra ids of each group's members, including indirect ones, by the group's
    name in the settings; and when accounts were deleted, by Entra id."""

    accounts: Sequence[Account]
    members: Mapping[str, Collection[str]]
    deleted: Mapping[str, datetime]


def read_accounts(entries: Sequence[Any]) -> list[Account]:
    """Read all entries of a list of users. UnreadableObjectError if one is not an account, or parts of it are withheld.

    An account's address is that of its mailbox. If it has none, or only one outside the school's domains, such as a
    parent's or a former school's, the address is the name with which the owner signs in. The school's domains are those
    of the sign-in names that are not guests'."""
    objects = [_read_object(entry) for entry in entries]
    own_domains = {_get_domain(_read_upn(entry)) for entry in objects if not _is_guest(entry)}
    return [_read_account(entry, own_domains) for entry in objects]


def _read_object(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict) or read_lower(entry.get("id"), 100) is None:
        raise UnreadableObjectError("an account has no id")
    if not isinstance(entry.get("accountEnabled"), bool):
        raise UnreadableObjectError("Microsoft does not say of every account whether it is enabled")
    return entry


def _read_account(entry: Mapping[str, Any], own_domains: Collection[str]) -> Account:
    mail, upn = read_lower(entry.get("mail"), 320) or "", _read_upn(entry)
    return Account(
        entra_id=read_lower(entry["id"]) or "",
        name=read_text(entry.get("displayName"), 300) or "",
        address=mail if _get_domain(mail) in own_domains else upn,
        domains=frozenset((_get_domain(mail), _get_domain(upn))),
        department=read_text(entry.get("department"), 300) or "",
        is_enabled=entry["accountEnabled"],
        is_guest=_is_guest(entry),
        leaves_at=read_time(entry, LEAVE, "an account"),
    )


def _read_upn(entry: Mapping[str, Any]) -> str:
    return read_lower(entry.get("userPrincipalName"), 320) or ""


def _get_domain(address: str) -> str:
    return address.rpartition("@")[2]


def _is_guest(entry: Mapping[str, Any]) -> bool:
    return read_lower(entry.get("userType")) == "guest" or "#ext#" in _read_upn(entry)


def read_members(entries: Sequence[Any]) -> frozenset[str]:
    """Read the Entra ids of all entries of a list of members, which may include devices and groups.
    UnreadableObjectError if one has no id."""
    ids = [read_lower(entry.get("id"), 100) if isinstance(entry, dict) else None for entry in entries]
    if None in ids:
        raise UnreadableObjectError("a member has no id")
    return frozenset(entra_id for entra_id in ids if entra_id)


def read_deleted(entries: Sequence[Any]) -> dict[str, datetime]:
    """Read when accounts were deleted, by Entra id. Accounts without a time are left out."""
    deleted = {}
    for entry in entries:
        if not isinstance(entry, dict):
            raise UnreadableObjectError("a deleted account is not an object")
        entra_id, at = read_lower(entry.get("id"), 100), read_time(entry, "deletedDateTime", "a deleted account")
        if entra_id and at:
            deleted[entra_id] = at
    return deleted


def find_leave_days(directory: Directory, zone: ZoneInfo, today: date) -> dict[str, date]:
    """By Entra id of everybody who has left, the first day on which they are no longer there: the day after their
    account was deleted or, if it was not, after their last day according to Entra."""
    moments = {account.entra_id: account.leaves_at for account in directory.accounts if account.leaves_at}
    days = {
        entra_id: moment.astimezone(zone).date() + _ONE_DAY
        for entra_id, moment in (moments | dict(directory.deleted)).items()
    }
    return {entra_id: day for entra_id, day in days.items() if day <= today}
