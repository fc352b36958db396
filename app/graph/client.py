"""Asking Microsoft Graph: tokens by msal, requests that wait as they are told and try again.

Every request, for a token as well, goes one way: past the gate that keeps Microsoft's limit and its
`Retry-After`, with time-outs, tried again after a dropped connection, an overload or an answer that broke
off, and in the end a clear error. A token goes to the configured host alone.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

import msal
import requests
import tenacity
import urllib3
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from app.graph.errors import BadRequest, Failed, Forbidden, Gone, Stopped, Unanswered
from app.graph.registration import Registration, certificate

T = TypeVar("T")

REQUESTS, SECONDS = 1400, 20.0  # Microsoft allows 1,500 in 20 seconds; the network squeezes some together
_TIMEOUTS = (10.0, 60.0)  # to connect; between two pieces of an answer
_WHOLE_ANSWER = 300.0  # seconds
_LARGEST = 256 * 2**20  # bytes
_LONGEST_WAIT = 600.0  # seconds that Microsoft may ask us to wait; past it the next run goes on
_TRIES, _TRIES_IF_TOLD, _TRIES_OF_CONTENT = 7, 12, 4
_DOWN = 3  # requests that failed for good while nothing was answered: nobody is there
_MOST_TOKENS = 4  # fresh ones in a row that never worked
_MOST_PAGES = 20_000
_PIECE = 2**16
_NATIONAL = ("graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
_BACKOFF = tenacity.wait_exponential_jitter(multiplier=0.5, max=30, jitter=0.5)

SESSIONS = "sessions($expand=segments)"
EXPANDED = f"{SESSIONS},participants_v2"
_PERMISSION = (
    "Give the app registration the application permission CallRecords.Read.All and an administrator's consent: "
    "Entra admin centre, App registrations, API permissions (docs/graph.md)."
)
# Microsoft's numbers for what is wrong with a sign-in, and the mend.
_SIGN_IN = {
    "7000215": "GRAPH_CLIENT_SECRET is wrong: give the secret's value, not its id, or make a new one.",
    "7000222": "The client secret has expired: make a new one, or better use a certificate.",
    "700016": "GRAPH_CLIENT_ID is no app registration of the tenant GRAPH_TENANT_ID: compare both.",
    "90002": "GRAPH_TENANT_ID is no tenant: copy it from the Entra admin centre.",
    "900023": "GRAPH_TENANT_ID is no tenant: copy it from the Entra admin centre.",
    "700027": "The certificate is not the one in the app registration, or has ended: upload it there.",
    "7000112": "The application is switched off in the tenant: switch it on under Enterprise applications.",
}


class _Again(Exception):
    """Worth another try. `told` are the seconds that the server asks for; `content` what it sent."""

    def __init__(self, words: str, told: float | None = None, content: bytes | None = None) -> None:
        super().__init__(words)
        self.words, self.told, self.content = words, told, content


class Gate:
    """Lets requests through one after the other: no more than `REQUESTS` in any `SECONDS`, and none
    while Microsoft asked us to wait."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._clock, self._sleep = clock, sleep
        self._passed: deque[float] = deque(maxlen=REQUESTS)
        self._shut_until = 0.0
        self._lock = threading.Lock()
        self.count = 0

    def shut(self, seconds: float) -> None:
        """Let nobody through for so long."""
        with self._lock:
            self._shut_until = max(self._shut_until, self._clock() + seconds)

    def enter(self) -> None:
        """Wait for one's turn."""
        while True:
            with self._lock:
                now = self._clock()
                opens = self._shut_until
                if len(self._passed) == REQUESTS:
                    opens = max(opens, self._passed[0] + SECONDS)
                if opens <= now:
                    self._passed.append(now)
                    self.count += 1
                    return
            self._sleep(opens - now)


@dataclass(frozen=True)
class Answer:
    """An answer as msal wants it, too."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def raise_for_status(self) -> None:
        if self.status_code >= HTTPStatus.BAD_REQUEST:
            raise Failed(f"the server answered {self.status_code}")


class _Bearer(AuthBase):
    """As `auth`, since `requests` would put a password of .netrc in place of a header."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Client:
    """Microsoft Graph for one run. Several threads may ask it at once."""

    def __init__(
        self,
        registered: Registration,
        workers: int = 1,
        note: Callable[[str], None] = lambda words: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._registered, self._note, self._clock = registered, note, clock
        self._closing = threading.Event()
        self._sleep = sleep or self._doze
        self._gate = Gate(clock, self._sleep)
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(pool_maxsize=workers + 1, max_retries=0))
        self._base = urlsplit(registered.base_url)
        self._signing_in = threading.RLock()
        self._application: msal.ConfidentialClientApplication | None = None
        self._generation = 0  # of tokens
        self._turned_down = 0  # tokens in a row that Graph did not take
        self._expanded = EXPANDED
        self._answered = 0
        self._failures = 0  # requests in a row that failed for good, with nothing answered meanwhile
        self._over: Stopped | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Wake up whoever waits, and ask for nothing more."""
        self._closing.set()
        self._session.close()

    @property
    def asked(self) -> int:
        """How many requests were sent, those for tokens and those tried again among them."""
        return self._gate.count

    def _doze(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise Stopped("The sync was ended.")

    # --- what there is to ask for

    def call_pages(self, from_at: datetime, to_at: datetime) -> Iterator[list[Any]]:
        """The call records that started in [from_at, to_at), as Graph lists them, page by page. Stopped
        if the list cannot be read to its end."""
        wanted = f"startDateTime ge {_stamp(from_at)} and startDateTime lt {_stamp(to_at)}"
        try:
            yield from self._pages(self._at("/communications/callRecords", {"$filter": wanted}))
        except Forbidden as error:
            raise Stopped(f"Microsoft Graph refuses the call records: {error.words}.", _PERMISSION) from None
        except Failed as error:
            raise Stopped(
                f"The list of call records cannot be read: {error.words}.",
                "What came so far is kept; run it again later.",
            ) from None

    def call_record(self, call_id: str) -> tuple[Any, bytes]:
        """One whole call record, all pages of its sessions and participants in it, and its JSON. Failed if
        it cannot be had, Gone if it is not there any more."""
        path = f"/communications/callRecords/{quote(call_id, safe='')}"
        try:
            record, content = self._get(self._at(path, {"$expand": self._expanded}))
        except (BadRequest, Forbidden):
            if self._expanded == SESSIONS:
                raise
            # Microsoft shows both expansions one by one alone, and may allow one alone; the sessions are what counts.
            record, content = self._get(self._at(path, {"$expand": SESSIONS}))
            self._expanded = SESSIONS
        if isinstance(record, dict):
            more = [self._complete(record, name) for name in ("sessions", "participants_v2")]
            for session in _entries(record, "sessions"):
                if isinstance(session, dict):
                    more.append(self._complete(session, "segments"))
            if any(more):
                content = json.dumps(record).encode()
        return record, content

    def recordings(self, organiser_id: str, from_at: datetime, to_at: datetime) -> list[Any]:
        """The recordings of an organiser's meetings; never what they show. Forbidden where not allowed."""
        organiser = quote(organiser_id, safe="")
        wanted = f"meetingOrganizerUserId='{organiser}',startDateTime={_stamp(from_at)},endDateTime={_stamp(to_at)}"
        first = self._at(f"/users/{organiser}/onlineMeetings/getAllRecordings({wanted})")
        return [entry for page in self._pages(first) for entry in page]

    def _complete(self, holder: dict[str, Any], name: str) -> bool:
        """Put the further pages of a list to it; whether there are any."""
        link = holder.pop(f"{name}@odata.nextLink", None)
        if link is not None:
            holder[name] = _entries(holder, name) + [entry for page in self._pages(self._next(link)) for entry in page]
        return link is not None

    def _pages(self, address: str) -> Iterator[list[Any]]:
        following: str | None = address
        asked: set[str] = set()
        while following is not None:
            if following in asked or len(asked) == _MOST_PAGES:
                raise Failed("its pages lead in a circle")
            asked.add(following)
            page, _ = self._get(following, _is_page)
            yield page["value"]
            link = page.get("@odata.nextLink")
            following = None if link is None else self._next(link)

    def _at(self, path: str, query: Mapping[str, str] | None = None) -> str:
        address = self._registered.base_url + path
        return f"{address}?{urlencode(query, safe='$()=,:', quote_via=quote)}" if query else address

    def _next(self, link: Any) -> str:
        """The address of a next link: on the configured host, below the configured path, and no content of
        a meeting. It is put together anew, so that what was checked is what is asked for."""
        try:
            parts = urlsplit(link)
            theirs, ours = ((at.scheme, at.hostname, at.port or 443) for at in (parts, self._base))
        except (ValueError, TypeError, AttributeError):
            raise Failed("its next page has no address") from None
        path = unquote(parts.path)
        if theirs != ours or parts.username or parts.fragment or not path.startswith(f"{self._base.path}/"):
            raise Failed("its next page is not at the configured Graph host, so nothing was asked there")
        if ".." in path or path.lower().rstrip("/").endswith(("/content", "/$value")):
            raise Failed("its next page is no list")
        return urlunsplit(("https", self._base.netloc, parts.path, parts.query, ""))

    # --- one request, until it is answered

    def _get(self, address: str, fits: Callable[[Any], bool] = lambda found: True) -> tuple[Any, bytes]:
        """What stands at an address of Graph, and its JSON. Failed, Forbidden or Gone if it cannot be had; Stopped if
        nothing can."""
        if self._over:
            raise self._over
        answered_before = self._answered
        try:
            found = self._patiently(lambda: self._get_once(address, fits))
        except Stopped as error:
            self._over = error
            raise
        except Unanswered:
            # One record alone may be what Graph stumbles over; several, and nothing else answered since, is worse.
            self._failures = self._failures + 1 if self._answered == answered_before else 0
            if self._failures >= _DOWN:
                self._over = Stopped(
                    "Microsoft Graph does not answer.", "What came so far is kept; the next run goes on."
                )
            raise
        self._answered += 1
        return found

    def _get_once(self, address: str, fits: Callable[[Any], bool]) -> tuple[Any, bytes]:
        generation, token = self._token()
        answer = self._ask("GET", address, auth=_Bearer(token), headers={"Accept": "application/json"})
        status = answer.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            self._turn_down(generation, answer)
        self._turned_down = 0
        if status == HTTPStatus.OK:
            try:
                found = json.loads(answer.body)
            except (ValueError, RecursionError):
                raise _Again("what arrived is no JSON, or was cut off", content=answer.body) from None
            if not fits(found):
                raise _Again("what arrived is not what was asked for", content=answer.body)
            return found, answer.body
        said = self._said(answer)
        if status == HTTPStatus.FORBIDDEN:
            raise Forbidden(said)
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise Gone(said)
        if status == HTTPStatus.BAD_REQUEST:
            raise BadRequest(said)
        raise Failed(said)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer, or trying is of no use."""
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=_pause,
            stop=_Enough(),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return trying(ask)
        except _Again as error:
            raise Unanswered(error.words, error.content) from None

    def _ask(self, method: str, address: str, **more: Any) -> Answer:
        self._gate.enter()
        host = urlsplit(address).netloc
        try:
            with self._session.request(
                method, address, timeout=_TIMEOUTS, stream=True, allow_redirects=False, **more
            ) as response:
                answer = Answer(response.status_code, response.headers, self._body(response))
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Stopped(
                    f"The certificate of {host} is not trusted.",
                    "Where a proxy looks into connections, REQUESTS_CA_BUNDLE names its certificate authority's file.",
                ) from None
            raise _Again(f"the connection to {host} failed") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise Stopped(f"{type(error).__name__}: the address of {host} or of a proxy cannot be used.") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _Again(f"the connection to {host} failed ({type(error).__name__})") from None
        except OSError as error:  # requests' own for a file of certificates that is not there
            raise Stopped(f"{host} cannot be asked: {error}.", "Compare REQUESTS_CA_BUNDLE.") from None
        status = answer.status_code
        if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS) or status >= 500:
            raise _Again(self._said(answer), told=self._told_to_wait(answer, host))
        return answer

    def _body(self, response: requests.Response) -> bytes:
        ends = self._clock() + _WHOLE_ANSWER
        pieces, size = [], 0
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST or self._clock() > ends:
                raise _Again("an answer did not end")
        return b"".join(pieces)

    def _told_to_wait(self, answer: Answer, host: str) -> float | None:
        """The seconds of `Retry-After`, or None; nobody asks before they are over."""
        header = answer.headers.get("Retry-After")
        try:
            seconds = urllib3.Retry(retry_after_max=2**31).parse_retry_after(header) if header else None
        except urllib3.exceptions.InvalidHeader:
            seconds = None
        if seconds is None:
            return None
        if seconds > _LONGEST_WAIT:
            raise Stopped(
                f"{host} asks to be left alone for {seconds:.0f} seconds.",
                "What came so far is kept; run it again then.",
            )
        self._gate.shut(seconds)
        if seconds >= 5:
            self._note(f"{host} asks to wait {seconds:.0f} seconds.")
        return seconds

    def _said(self, answer: Answer) -> str:
        """What the server said was wrong, without anything that is nobody's business."""
        try:
            error = json.loads(answer.body)["error"]
            said = f"{error['code']}: {error['message']}"
        except (ValueError, KeyError, TypeError, RecursionError):
            said = ""
        return self._harmless(f"{answer.status_code} {said}".strip())

    def _harmless(self, said: str) -> str:
        if self._registered.secret:
            said = said.replace(self._registered.secret, "…")
        said = re.sub(r"\S+@\S+", "…", said)  # addresses
        said = re.sub(r"[\w-]{16,}\.[\w-]{16,}\.[\w-]*", "…", said)  # tokens
        return " ".join("".join(c if c.isprintable() else " " for c in said).split())[:500].rstrip(".")

    # --- tokens

    def _token(self) -> tuple[int, str]:
        """A token, msal's cached one while it holds, and its generation."""
        with self._signing_in:
            try:
                if self._application is None:
                    self._application = self._sign_in()
                answer = self._application.acquire_token_for_client([self._scope()])
            except Failed as error:
                raise Stopped(
                    f"The sign-in service does not answer: {error.words}.",
                    "Run it again later, or compare GRAPH_AUTHORITY.",
                ) from None
            except (ValueError, KeyError, TypeError, AttributeError):
                raise Stopped(
                    "The sign-in service gave no usable answer.", "Compare GRAPH_AUTHORITY and GRAPH_TENANT_ID."
                ) from None
            token = answer.get("access_token")
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                self._refused_sign_in(answer)
            return self._generation, token

    def _sign_in(self) -> msal.ConfidentialClientApplication:
        registered = self._registered
        credential: Any = registered.secret
        if registered.certificate:
            own = certificate(registered.certificate, registered.password)
            credential = {"private_key": own.key, "public_certificate": own.public}
        return msal.ConfidentialClientApplication(
            registered.client_id,
            client_credential=credential,
            authority=f"{registered.authority}/{quote(registered.tenant, safe='')}",
            http_client=_ForMsal(self._patiently, self._ask),
            # Microsoft knows its own; a test server would be asked about there, and is not known.
            instance_discovery=None if urlsplit(registered.authority).hostname in WELL_KNOWN_AUTHORITY_HOSTS else False,
        )

    def _scope(self) -> str:
        host = self._base.hostname
        return f"https://{host if host in _NATIONAL else 'graph.microsoft.com'}/.default"

    def _refused_sign_in(self, answer: Mapping[str, Any]) -> NoReturn:
        said = f"{answer.get('error')}: {answer.get('error_description')}"
        number = re.search(r"AADSTS(\d+)", said)
        mend = _SIGN_IN.get(number[1] if number else "", "Compare GRAPH_TENANT_ID, GRAPH_CLIENT_ID and the secret.")
        raise Stopped(f"Microsoft Entra refuses the sign-in: {self._harmless(said.splitlines()[0])}.", mend)

    def _turn_down(self, generation: int, answer: Answer) -> NoReturn:
        """Graph does not take a token any more: one that worked may have expired, so a fresh one is
        asked for; several fresh ones in a row that never worked are an end."""
        with self._signing_in:
            if generation == self._generation:
                self._turned_down += 1
                if self._turned_down > _MOST_TOKENS:
                    raise Stopped(
                        f"Microsoft Graph does not take the token, nor fresh ones: {self._said(answer)}.",
                        "Compare GRAPH_TENANT_ID, GRAPH_BASE_URL and the machine's clock.",
                    )
                self._generation += 1
                self._application = None
        raise _Again("401", told=0.0)


class _ForMsal:
    """Lets msal ask the way that everything is asked."""

    def __init__(self, patiently: Callable[[Callable[[], Answer]], Answer], ask: Callable[..., Answer]) -> None:
        self._patiently, self._ask = patiently, ask

    def post(self, url: str, **more: Any) -> Answer:
        return self._patiently(lambda: self._usable("POST", url, more))

    def get(self, url: str, **more: Any) -> Answer:
        return self._patiently(lambda: self._usable("GET", url, more))

    def _usable(self, method: str, url: str, more: Mapping[str, Any]) -> Answer:
        """An answer that msal can read, whatever it says."""
        answer = self._ask(method, url, **_known(more))
        try:
            json.loads(answer.body)
        except (ValueError, RecursionError):
            words = f"{answer.status_code}, and what arrived is no JSON, or was cut off"
            raise _Again(words, content=answer.body) from None
        return answer

    def close(self) -> None:
        """The session is the client's."""


def _known(more: Mapping[str, Any]) -> dict[str, Any]:
    return {name: more[name] for name in ("params", "data", "headers") if name in more} | {"auth": _Bearer(None)}


def _pause(state: tenacity.RetryCallState) -> float:
    """How long to wait before another try; for the seconds that we were told the gate is shut."""
    error = _error(state)
    if error.told is not None and state.attempt_number <= 3:
        return 0.0
    return _BACKOFF(state)


class _Enough(tenacity.stop.stop_base):
    """When trying is of no use any more: content that cannot be used will hardly get better, a service
    that says when to come back will."""

    def __init__(self) -> None:
        self._unusable = 0

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        error = _error(state)
        self._unusable += error.content is not None
        most = _TRIES_IF_TOLD if error.told is not None else _TRIES
        return self._unusable >= _TRIES_OF_CONTENT or state.attempt_number >= most


def _error(state: tenacity.RetryCallState) -> _Again:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _Again)
    return error


def _is_page(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("value"), list)


def _entries(holder: Mapping[str, Any], name: str) -> list[Any]:
    entries = holder.get(name)
    return entries if isinstance(entries, list) else []


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
