"""Reads call records and lists from Microsoft Graph. A token is sent only to the configured host."""

import copy
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from app.graph.errors import (
    BadRequestError,
    ForbiddenError,
    GoneError,
    RequestFailedError,
    StoppedError,
    UnansweredError,
)
from app.graph.registration import Registration
from app.graph.tokens import TokenSource
from app.graph.transport import BearerAuth, Transport, TryAgainError

_NEXT_LINK = "@odata.nextlink"
_DOWN = 3  # after so many final failures in a row the service counts as down
_MOST_PAGES = 20_000

SESSIONS = "sessions($expand=segments)"
EXPANDED = f"{SESSIONS},participants_v2"
_PERMISSION = (
    "Give the app registration the application permission CallRecords.Read.All and grant admin consent: "
    "Entra admin centre, App registrations, API permissions (docs/graph.md)."
)


class Client(AbstractContextManager["Client"]):
    """A connection to Microsoft Graph for one run. Several threads may use it at once."""

    def __init__(
        self,
        registration: Registration,
        note: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._transport = Transport(secret=registration.secret, note=note, clock=clock, sleep=sleep)
        self._tokens = TokenSource(registration, self._transport)
        self._base_url = registration.base_url
        self._base = urlsplit(registration.base_url)
        self._expanded = EXPANDED
        self._answered = 0
        self._failures = 0  # final failures in a row, without an answer in between
        self._over: StoppedError | None = None

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def clock_ahead(self) -> timedelta:
        """How far this machine's clock is ahead of Microsoft's; zero until that is known."""
        return self._transport.clock_ahead or timedelta()

    def close(self) -> None:
        """Wake up every waiting thread, and send no more requests."""
        self._transport.close()

    def iter_call_pages(self, from_at: datetime, to_at: datetime) -> Iterator[list[Any]]:
        """The call records that started in [from_at, to_at), as Graph lists them, page by page. Raises StoppedError if
        the list cannot be read to its end."""
        condition = f"startDateTime ge {stamp(from_at)} and startDateTime lt {stamp(to_at)}"
        try:
            yield from self._iter_pages(self._build_address("/communications/callRecords", {"$filter": condition}))
        except ForbiddenError as error:
            raise StoppedError(f"Microsoft Graph refuses the call records: {error.words}.", _PERMISSION) from None
        except RequestFailedError as error:
            raise StoppedError(
                f"The list of call records cannot be read: {error.words}.",
                "What was fetched so far is kept; run it again later.",
            ) from None

    def fetch_call_record(self, call_id: str) -> tuple[Any, bytes]:
        """One call record with all pages of its sessions and participants, and its JSON. Raises RequestFailedError if
        it cannot be fetched, GoneError if it no longer exists."""
        path = f"/communications/callRecords/{quote(call_id, safe='')}"
        try:
            record, content = self._get(self._build_address(path, {"$expand": self._expanded}))
        except (BadRequestError, ForbiddenError):
            if self._expanded == SESSIONS:
                raise
            # Microsoft documents the expansions only separately, and may refuse both together; sessions matter most.
            record, content = self._get(self._build_address(path, {"$expand": SESSIONS}))
            self._expanded = SESSIONS
        if isinstance(record, dict) and self._complete_lists(record):
            content = json.dumps(record).encode()
        return record, content

    def branch(self) -> "Client":
        """A copy of this client that counts failures separately, so that a failing optional source does not stop the
        others."""
        other = copy.copy(self)
        other._answered = other._failures = 0
        other._over = None
        return other

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The object at a path below the configured address. Raises RequestFailedError (ForbiddenError, GoneError) if
        it cannot be fetched, StoppedError if no request can succeed."""
        return self._get(self._build_address(path, query))[0]

    def list_entries(
        self, path: str, query: Mapping[str, str] | None = None, *, prefer: str | None = None
    ) -> list[Any]:
        """The entries of all pages of the list at a path. `prefer` is sent as the header of that name. Raises the
        errors of `get`."""
        first = self._build_address(path, query)
        return [entry for page in self._iter_pages(first, prefer) for entry in page]

    def _complete_lists(self, holder: Any) -> bool:
        """Append the further pages to every list in an object. The keys of next links may be in any case. Returns
        whether there were any."""
        parts = holder if isinstance(holder, list) else [holder]
        found = False
        for part in parts:
            if not isinstance(part, dict):
                continue
            for key in [key for key in part if key.lower().endswith(_NEXT_LINK)]:
                name, link = key[: -len(_NEXT_LINK)], part[key]
                if link is None or not name:
                    continue
                del part[key]
                further = [entry for page in self._iter_pages(self._check_next_link(link)) for entry in page]
                part[name] = _read_entries(part, name) + further
                found = True
            for value in part.values():
                if isinstance(value, dict | list):
                    found = self._complete_lists(value) or found
        return found

    def _iter_pages(self, address: str, prefer: str | None = None) -> Iterator[list[Any]]:
        following: str | None = address
        asked: set[str] = set()
        while following is not None:
            if following in asked or len(asked) == _MOST_PAGES:
                raise RequestFailedError("its pages lead in a circle")
            asked.add(following)
            page, _ = self._get(following, _is_page, prefer)
            yield page["value"]
            link = next((page[key] for key in page if key.lower() == _NEXT_LINK), None)
            following = None if link is None else self._check_next_link(link)

    def _build_address(self, path: str, query: Mapping[str, str] | None = None) -> str:
        address = self._base_url + path
        return f"{address}?{urlencode(query, safe='$()=,:', quote_via=quote)}" if query else address

    def _check_next_link(self, link: Any) -> str:
        """The address of a next link. It must be on the configured host, below the configured path, and not the content
        of a meeting. It is rebuilt from its parts, so that exactly what was checked is requested. Raises
        RequestFailedError otherwise."""
        try:
            parts = urlsplit(link)
            origin, own_origin = ((at.scheme, at.hostname, at.port or 443) for at in (parts, self._base))
        except (ValueError, TypeError, AttributeError):
            raise RequestFailedError("its next page has no address") from None
        path = unquote(parts.path)
        if origin != own_origin or parts.username or parts.fragment or not path.startswith(f"{self._base.path}/"):
            raise RequestFailedError("its next page is not at the configured Graph host, so nothing was asked there")
        if ".." in path or path.lower().rstrip("/").endswith(("/content", "/$value")):
            raise RequestFailedError("its next page is not a list")
        return str(urlunsplit(("https", self._base.netloc, parts.path, parts.query, "")))

    def _get(
        self, address: str, fits: Callable[[Any], bool] = lambda _: True, prefer: str | None = None
    ) -> tuple[Any, bytes]:
        """The object at an address of Graph, and its JSON. Raises RequestFailedError if it cannot be fetched,
        StoppedError if no request can succeed."""
        if self._over:
            raise self._over
        answered_before = self._answered
        try:
            answer = self._transport.with_retries(lambda: self._get_once(address, fits, prefer))
        except StoppedError as error:
            self._over = error
            raise
        except UnansweredError:
            # Graph may fail on a single record; several failures without an answer in between mean that it is down.
            self._failures = self._failures + 1 if self._answered == answered_before else 0
            if self._failures >= _DOWN:
                self._over = StoppedError(
                    "Microsoft Graph does not answer.", "What was fetched so far is kept; the next run continues."
                )
            raise
        self._answered += 1
        return answer

    def _get_once(self, address: str, fits: Callable[[Any], bool], prefer: str | None) -> tuple[Any, bytes]:
        generation, token = self._tokens.get()
        headers = {"Accept": "application/json"} | ({"Prefer": prefer} if prefer else {})
        response = self._transport.send("GET", address, auth=BearerAuth(token), headers=headers)
        status = response.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            self._tokens.reject(generation, response)
        self._tokens.accept()
        if status == HTTPStatus.OK:
            try:
                content = json.loads(response.body)
            except (ValueError, RecursionError):
                raise TryAgainError("what arrived is not JSON, or was cut off", content=response.body) from None
            if not fits(content):
                raise TryAgainError("what arrived is not what was asked for", content=response.body)
            return content, response.body
        message = self._transport.describe(response)
        if status == HTTPStatus.FORBIDDEN:
            raise ForbiddenError(message)
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise GoneError(message)
        if status == HTTPStatus.BAD_REQUEST:
            raise BadRequestError(message)
        raise RequestFailedError(message)


def _is_page(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("value"), list)


def _read_entries(holder: Mapping[str, Any], name: str) -> list[Any]:
    entries = holder.get(name)
    return entries if isinstance(entries, list) else []


def stamp(moment: datetime) -> str:
    """A time in the format of Graph's addresses."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_call_entry(entry: Any) -> bool:
    """Whether an entry of a list of calls has an id that can be requested."""
    call_id = entry.get("id") if isinstance(entry, dict) else None
    return (
        isinstance(call_id, str)
        and len(call_id) <= 100
        and re.fullmatch(r"[\w:=+-][\w.:=+-]*", call_id, re.ASCII) is not None
    )
