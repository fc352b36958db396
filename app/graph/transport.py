"""Sends requests to Microsoft, both for Graph and for tokens: rate limit, time-outs, retries and clear errors."""

import contextlib
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from random import SystemRandom
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from app.clock import now
from app.graph.errors import RequestFailedError, StoppedError, UnansweredError

T = TypeVar("T")

WORKERS = 4  # requests at a time
REQUESTS, SECONDS = 1400, 20.0  # Microsoft allows 1,500 in 20 seconds; on the network they may bunch up
_TIMEOUTS = (10.0, 60.0)  # seconds: to connect, and between two pieces of a response
_WHOLE_RESPONSE = 300.0  # seconds
_LARGEST = 256 * 2**20  # bytes
_LONGEST_WAIT = 600.0  # seconds that Microsoft may ask us to wait; beyond that the next run continues
_WORTH_A_NOTE = 5.0  # seconds
_TRIES, _TRIES_WHEN_ASKED_TO_WAIT, _TRIES_OF_CONTENT = 7, 12, 4
_TRIES_WITHOUT_BACKOFF = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds; each pause is twice as long as the one before
_PIECE = 2**16


class TryAgainError(Exception):
    """Another try may succeed. `wait` is the number of seconds that the server asks for, or None; `content` is what it
    sent."""

    def __init__(self, words: str, wait: float | None = None, content: bytes | None = None) -> None:
        super().__init__(words)
        self.words, self.wait, self.content = words, wait, content


class Gate:
    """Lets requests through one after the other: at most `REQUESTS` in any `SECONDS`, and none while Microsoft asks us
    to wait."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._clock, self._sleep = clock, sleep
        self._passed: deque[float] = deque(maxlen=REQUESTS)
        self._shut_until = 0.0
        self._lock = threading.Lock()

    def shut(self, seconds: float) -> None:
        """Let no request through for this long."""
        with self._lock:
            self._shut_until = max(self._shut_until, self._clock() + seconds)

    def enter(self) -> None:
        """Wait until a request may be sent."""
        while True:
            with self._lock:
                now = self._clock()
                opens = self._shut_until
                if len(self._passed) == REQUESTS:
                    opens = max(opens, self._passed[0] + SECONDS)
                if opens <= now:
                    self._passed.append(now)
                    return
            self._sleep(opens - now)


@dataclass(frozen=True)
class Response:
    """A complete response, in the form that msal reads too."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def raise_for_status(self) -> None:
        if self.status_code >= HTTPStatus.BAD_REQUEST:
            raise RequestFailedError(f"the server answered {self.status_code}")


class BearerAuth(AuthBase):
    """Sends the token as `auth`, because `requests` would replace a header by a password from .netrc."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Sends requests. Several threads may use it at once. `secret` is removed from every message."""

    def __init__(
        self,
        *,
        secret: str | None,
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._secret, self._note, self._clock = secret, note, clock
        self._closing = threading.Event()
        self._sleep = sleep or self._wait_unless_closing
        self._gate = Gate(clock, self._sleep)
        self.clock_ahead: timedelta | None = None  # of the server's clock, by its last response; None if unknown
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(pool_maxsize=WORKERS + 1, max_retries=0))

    def close(self) -> None:
        """Wake up every waiting thread, and send nothing more."""
        self._closing.set()
        self._session.close()

    def _wait_unless_closing(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise StoppedError("The sync was ended.")

    def with_retries(self, send: Callable[[], T]) -> T:
        """Call `send` until it gets an answer, and return that. Raises UnansweredError when tries run out. Unusable
        content seldom improves, so it is tried fewer times; a service that names a time usually recovers, so it is
        tried more times."""
        attempt = unusable = 0
        while True:
            attempt += 1
            try:
                return send()
            except TryAgainError as error:
                unusable += error.content is not None
                most = _TRIES if error.wait is None else _TRIES_WHEN_ASKED_TO_WAIT
                if unusable >= _TRIES_OF_CONTENT or attempt >= most:
                    raise UnansweredError(error.words, error.content) from None
                # If the server named a time, the gate lets no request through before it anyway.
                if error.wait is None or attempt > _TRIES_WITHOUT_BACKOFF:
                    pause = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE)
                    self._sleep(pause + SystemRandom().uniform(0, _FIRST_PAUSE))

    def send(self, method: str, url: str, **options: Any) -> Response:
        """Send one request. Raises TryAgainError if another try may help, StoppedError if nothing can be sent."""
        self._gate.enter()
        host = urlsplit(url).netloc
        try:
            with self._session.request(
                method, url, timeout=_TIMEOUTS, stream=True, allow_redirects=False, **options
            ) as answer:
                self._compare_clocks(answer.headers.get("Date"))
                response = Response(answer.status_code, answer.headers, self._read_body(answer))
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise StoppedError(
                    f"The certificate of {host} is not trusted.",
                    "If a proxy inspects connections, set REQUESTS_CA_BUNDLE to its certificate authority's file.",
                ) from None
            raise TryAgainError(f"the connection to {host} failed") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise StoppedError(f"{type(error).__name__}: the URL of {host} or of a proxy cannot be used.") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise TryAgainError(f"the connection to {host} failed ({type(error).__name__})") from None
        except OSError as error:  # what requests raises for a certificate file that does not exist
            raise StoppedError(f"{host} cannot be reached: {error}.", "Check REQUESTS_CA_BUNDLE.") from None
        status = response.status_code
        overloaded = status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
        if overloaded or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TryAgainError(self.describe(response), wait=self._retry_after(response, host))
        return response

    def _compare_clocks(self, header: str | None) -> None:
        with contextlib.suppress(TypeError, ValueError):
            date = parsedate_to_datetime(header or "")
            self.clock_ahead = now() - date if date.tzinfo else self.clock_ahead

    def _read_body(self, response: requests.Response) -> bytes:
        deadline = self._clock() + _WHOLE_RESPONSE
        pieces, size = [], 0
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST or self._clock() > deadline:
                raise TryAgainError("a response did not end")
        return b"".join(pieces)

    def _retry_after(self, response: Response, host: str) -> float | None:
        """The seconds in `Retry-After`, or None. Shuts the gate until they are over. Raises StoppedError if they are
        too many."""
        header = response.headers.get("Retry-After")
        try:
            seconds = urllib3.Retry(retry_after_max=2**31).parse_retry_after(header) if header else None
        except urllib3.exceptions.InvalidHeader:
            seconds = None
        if seconds is None:
            return None
        if seconds > _LONGEST_WAIT:
            raise StoppedError(
                f"{host} asks for a pause of {seconds:.0f} seconds.",
                "What was fetched so far is kept; run it again after that time.",
            )
        self._gate.shut(seconds)
        if seconds >= _WORTH_A_NOTE:
            self._note(f"{host} asks for a pause of {seconds:.0f} seconds.")
        return seconds

    def describe(self, response: Response) -> str:
        """The error that the server reports, without secrets or email addresses."""
        try:
            error = json.loads(response.body)["error"]
            message = f"{error['code']}: {error['message']}"
        except (ValueError, KeyError, TypeError, RecursionError):
            message = ""
        return self.redact(f"{response.status_code} {message}".strip())

    def redact(self, message: str) -> str:
        """A message without the secret, email addresses, tokens and control characters, on one line."""
        if self._secret:
            message = message.replace(self._secret, "…")
        message = re.sub(r"\S+@\S+", "…", message)
        message = re.sub(r"[\w-]{16,}\.[\w-]{16,}\.[\w-]*", "…", message)
        return " ".join("".join(c if c.isprintable() else " " for c in message).split())[:500].rstrip(".")
