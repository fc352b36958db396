"""Reads accounts, group members and deleted accounts from Microsoft Entra. A list that is not complete is an error."""

import re
from datetime import datetime
from typing import Any

from app.graph.client import Client
from app.graph.errors import BadRequestError, ForbiddenError, GoneError, GraphError, RequestFailedError
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.people.entra import ACCOUNT, LEAVE, Account, Directory, read_accounts, read_deleted, read_members
from app.settings import EntraRoster

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GROUP = "id,visibility"
_PAGE = "999"  # the most that Graph gives at a time
_AGAIN = "Nothing of the roster was changed; run it again later."


def read_directory(client: Client, settings: EntraRoster) -> tuple[Directory, list[str]]:
    """Everything that the settings ask for, and notes on anything optional that could not be read. Raises
    ForbiddenError if a permission is missing; GraphError if a list is incomplete, or a group does not exist, has no
    members or hides them."""
    notes: list[str] = []
    try:
        accounts = _read_accounts(client, notes)
        members = {name: _read_group(client, name) for name in settings.list_groups()}
        return Directory(accounts, members, _read_deleted(client, notes)), notes
    except ForbiddenError:
        raise
    except RequestFailedError as error:
        raise GraphError(f"A list could not be read to its end ({error.words}).", _AGAIN) from None
    except UnreadableObjectError as error:
        raise GraphError(f"A list cannot be used: {error}.", _AGAIN) from None


def _read_accounts(client: Client, notes: list[str]) -> list[Account]:
    """All accounts, with their leaving dates if these may be read."""
    try:
        entries = _list_users(client, f"{ACCOUNT},{LEAVE}")
    except (ForbiddenError, BadRequestError):
        entries = _list_users(client, ACCOUNT)
        notes.append(f"{LEAVE} was refused, which needs the permission User-LifeCycleInfo.Read.All")
    return read_accounts(entries)


def _list_users(client: Client, names: str) -> list[Any]:
    return client.list_entries("/users", {"$select": names, "$top": _PAGE})


def _read_deleted(client: Client, notes: list[str]) -> dict[str, datetime]:
    """When accounts were deleted, by Entra id. Graph lists them for 30 days."""
    try:
        query = {"$select": "id,deletedDateTime", "$top": _PAGE}
        return read_deleted(client.list_entries("/directory/deletedItems/microsoft.graph.user", query))
    except (RequestFailedError, UnreadableObjectError):
        notes.append("deleted accounts could not be read: their owners are listed as missing, without a day")
        return {}


def _read_group(client: Client, name: str) -> frozenset[str]:
    """The Entra ids of a group's members, including those of nested groups. Raises GraphError if there are none."""
    group = _find_group(client, name)
    is_hidden = str(group.get("visibility")).lower() == "hiddenmembership"
    try:
        path = f"/groups/{group['id']}/transitiveMembers"
        members = read_members(client.list_entries(path, {"$select": "id", "$top": _PAGE}))
    except ForbiddenError:
        if not is_hidden:
            raise
        members = frozenset()
    if members:
        return members
    if is_hidden:
        raise GraphError(
            f"The group “{name}” hides its members.",
            "Give the app registration the application permission Member.Read.Hidden, or name another group.",
        )
    raise GraphError(
        f"The group “{name}” of the settings has no members.", "Add them in Entra, or take it out of entra_roster."
    )


def _find_group(client: Client, name: str) -> dict[str, Any]:
    """The group with a name or an object id. Raises GraphError unless there is exactly one."""
    if _ID.fullmatch(name):
        try:
            found = [client.get(f"/groups/{name}", {"$select": _GROUP})]
        except GoneError:
            found = []
    else:
        quoted = name.replace("'", "''")
        found = client.list_entries("/groups", {"$filter": f"displayName eq '{quoted}'", "$select": _GROUP})
    if len(found) == 1 and isinstance(found[0], dict) and _ID.fullmatch(str(found[0].get("id"))):
        return found[0]
    if len(found) > 1:
        raise GraphError(
            f"Entra has {len(found)} groups with the name “{name}”.",
            "Write the object id of the right one in entra_roster.",
        )
    raise GraphError(
        f"Entra has no group with the name or object id “{name}”.", "Correct it in the settings (entra_roster)."
    )
