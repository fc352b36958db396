"""A stand-in for Microsoft Graph and its sign-in: over TLS on loopback, in the documented shapes, with
everything that can go wrong on order.

It answers the list of call records page by page, whole records with their further pages, recordings by organiser,
calendars and policies by person, accounts and groups of Entra, and msal's questions for a token.
"""

import contextlib
import json
import random
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import trustme

from app.clock import now
from tests.graph.entra import Entra

TENANT = "5c7001aa-0000-4000-8000-000000000001"
CLIENT, SECRET = "11111111-0000-4000-8000-000000000001", "a-secret-value"
PAGE, SESSIONS, PARTICIPANTS = 60, 60, 130
OTHER_PAGE = 10  # of the lists of one person
CALLS = "/v1.0/communications/callRecords"


@dataclass(frozen=True)
class Fault:
    """Something wrong: a status with what Microsoft says, or `how` an answer breaks: "drop" nothing comes,
    "body" the connection ends in its middle, "json" it is cut short and looks whole."""

    status: int = 200
    code: str = "error"
    message: str = "it went wrong"
    headers: tuple[tuple[str, str], ...] = ()
    how: str = ""


THROTTLED = Fault(429, "TooManyRequests", "slow down", (("Retry-After", "0"),))
BUSY = Fault(503, "ServiceUnavailable", "later", (("Retry-After", "0"),))
BROKEN = Fault(500, "InternalServerError", "oh dear")
DROPPED, HALF, CUT = Fault(how="drop"), Fault(how="body"), Fault(how="json")
EXPIRED = Fault(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
REFUSED = Fault(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
EVERYTHING = (THROTTLED, THROTTLED, BUSY, BROKEN, DROPPED, HALF, CUT, EXPIRED)


@dataclass
class StandIn:
    """The server. `calls` are whole call records by id; `recordings`, `adhoc_recordings`, `calendars` and `meetings`
    (with their attendance reports) lists by a person's Entra id, `policies` what is in effect for them (a Fault in
    place of it is what Graph answers for that person), `records` the whole lists of records by a report's id. `faults`
    go wrong once each, the first whose pattern an address fits; `always` go wrong every time; `rate` of all answers go
    wrong by `seed`, but no address more than twice. `asked` are the addresses asked for, `tokens` those that hold."""

    folder: Path
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    recordings: dict[str, Any] = field(default_factory=dict)
    adhoc_recordings: dict[str, Any] = field(default_factory=dict)
    calendars: dict[str, Any] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)
    meetings: dict[str, Any] = field(default_factory=dict)
    entra: Entra = field(default_factory=Entra)
    records: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    always: dict[str, Fault] = field(default_factory=dict)
    rate: float = 0.0
    seed: int = 0
    kinds: tuple[Fault, ...] = EVERYTHING
    raw: dict[str, Any] = field(default_factory=dict)  # answered in place of the record, by its id
    unsaid: tuple[str, ...] = ()  # what the list does not say
    strange: list[bytes] = field(default_factory=list)  # answered in place of the list's next pages
    strange_entries: list[Any] = field(default_factory=list)  # at the head of the list's first page
    when_asked: Callable[[int, str], None] = lambda number, address: None
    certificate: Any = None  # the public key that a client assertion is checked against
    asked: list[str] = field(default_factory=list)
    headers: list[Message] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    given: int = 0
    clock_ahead: timedelta = timedelta()  # by how much the test's clock is ahead of Graph's

    def __enter__(self) -> Self:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._server = _Server(self, context)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What makes the program ask here."""
        return {
            "GRAPH_TENANT_ID": TENANT,
            "GRAPH_CLIENT_ID": CLIENT,
            "GRAPH_CLIENT_SECRET": SECRET,
            "GRAPH_AUTHORITY": f"https://{self.host}",
            "GRAPH_BASE_URL": f"https://{self.host}/v1.0",
            "REQUESTS_CA_BUNDLE": str(self.folder / "ca.pem"),
            "NO_PROXY": "127.0.0.1",
        }

    def add(self, *records: dict[str, Any]) -> None:
        self.calls.update({record["id"]: record for record in records})

    def asked_for(self, pattern: str) -> list[str]:
        return [address for address in self.asked if re.search(pattern, address)]

    # --- answers: a status and a body

    def answer(self, method: str, address: str, headers: Message, body: bytes) -> tuple[Fault, Any]:
        with self._lock:
            self.asked.append(address)
            self.headers.append(headers)
            number = len(self.asked)
            fault = self._fault(address)
        self.when_asked(number, address)
        path, query = unquote(urlsplit(address).path), parse_qs(urlsplit(address).query)
        if fault and (fault.status != 200 or fault.how == "drop"):
            if fault is EXPIRED:
                self.tokens.discard(headers.get("Authorization", "").removeprefix("Bearer "))
            return fault, {"error": {"code": fault.code, "message": fault.message}}
        if path.endswith("/openid-configuration"):
            ends = {name: f"https://{self.host}/{TENANT}/oauth2/v2.0/{name}" for name in ("authorize", "token")}
            found: Any = {
                "authorization_endpoint": ends["authorize"],
                "token_endpoint": ends["token"],
                "issuer": f"https://{self.host}/{TENANT}/v2.0",
            }
        elif path.endswith("/oauth2/v2.0/token"):
            return self._token(parse_qs(body.decode()))
        elif headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return EXPIRED, {"error": {"code": EXPIRED.code, "message": EXPIRED.message}}
        elif path == CALLS:
            found = self.strange.pop() if self.strange else self._list(address, query)
        elif path.startswith(f"{CALLS}/"):
            found = self._record(*path.removeprefix(f"{CALLS}/").split("/"), query=query)
        else:
            found = self._of_person(address, headers)
        if isinstance(found, Fault):
            return found, {"error": {"code": found.code, "message": found.message}}
        return fault or Fault(), found

    def _fault(self, address: str) -> Fault | None:
        for place, (pattern, fault) in enumerate(self.faults):
            if re.search(pattern, address):
                del self.faults[place]
                return fault
        for pattern, fault in self.always.items():
            if re.search(pattern, address):
                return fault
        self._counts[address] += 1
        chance = random.Random(f"{self.seed} {address.partition('/v1.0')[2]} {self._counts[address]}")
        if self._counts[address] <= 2 and "oauth2" not in address and chance.random() < self.rate:
            return chance.choice(self.kinds)
        return None

    def _token(self, form: dict[str, list[str]]) -> tuple[Fault, Any]:
        assert form["scope"] == ["https://graph.microsoft.com/.default"]
        assert form["grant_type"] == ["client_credentials"]
        if self.certificate is not None:
            told = jwt.decode(form["client_assertion"][0], self.certificate, ["PS256"], options={"verify_aud": False})
            well = told["iss"] == CLIENT
        else:
            well = form.get("client_secret") == [SECRET]
        if not well:
            words = (
                f"AADSTS7000215: Invalid client secret provided. Trace {form.get('client_secret')} someone@habs.example"
            )
            return Fault(401), {"error": "invalid_client", "error_description": words, "error_codes": [7000215]}
        with self._lock:
            self.given += 1
            token = f"token-{self.given}"
            self.tokens.add(token)
        return Fault(), {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def _list(self, address: str, query: dict[str, list[str]]) -> dict[str, Any] | Fault:
        asked = re.fullmatch(r"startDateTime ge (\S+) and startDateTime lt (\S+)", query["$filter"][0])
        assert asked is not None
        first, last = asked.groups()
        oldest = now() - timedelta(days=30)
        if _time(first) < oldest:
            return Fault(400, "BadRequest", "startDateTime must be within the last 30 days")
        chosen = sorted(
            (r for r in self.calls.values() if _time(first) <= _time(r["startDateTime"]) < _time(last)),
            key=lambda r: (r["startDateTime"], r["id"]),
        )
        start = int(query.get("$skiptoken", ["0"])[0])
        entries = [
            {name: r.get(name) for name in r if name not in ("sessions", "participants_v2", *self.unsaid)}
            for r in chosen[start : start + PAGE]
        ]
        page: dict[str, Any] = {"value": (self.strange_entries if start == 0 else []) + entries}
        if start + PAGE < len(chosen):
            page["@odata.nextLink"] = self._link(address, start + PAGE)
        return page

    def _link(self, address: str, start: int) -> str:
        bare = re.sub(r"[&?][$]skiptoken=[0-9]+", "", address)
        return f"https://{self.host}{bare}{'&' if '?' in bare else '?'}$skiptoken={start}"

    def _record(self, call_id: str, part: str = "", *, query: dict[str, list[str]]) -> Any:
        record = self.calls.get(call_id)
        if record is None or _time(record["startDateTime"]) < now() - timedelta(days=30):
            return Fault(404, "NotFound", "Call record not found.")
        if call_id in self.raw:
            return self.raw[call_id]
        start = int(query.get("$skiptoken", ["0"])[0])
        if part:
            return self._part(record, part, start)
        expand = query["$expand"][0]
        assert "sessions($expand=segments)" in expand
        found = {name: value for name, value in record.items() if name not in ("sessions", "participants_v2")}
        for name in ("sessions", "participants_v2"):
            if name in expand:
                page = self._part(record, name, 0)
                found[name] = page["value"]
                if "@odata.nextLink" in page:
                    found[f"{name}@odata.nextLink"] = page["@odata.nextLink"]
        return found

    def _part(self, record: dict[str, Any], name: str, start: int) -> dict[str, Any]:
        size = SESSIONS if name == "sessions" else PARTICIPANTS
        entries = record.get(name, [])
        page: dict[str, Any] = {"value": entries[start : start + size]}
        if start + size < len(entries):
            page["@odata.nextLink"] = self._link(f"{CALLS}/{record['id']}/{name}?$expand=segments", start + size)
        return page

    def _of_person(self, address: str, headers: Message) -> Any:
        """A list of one person, page by page, or the policies in effect for them."""
        path = unquote(urlsplit(address).path)
        for pattern, of_people in (
            (r"/users/([^/]+)/onlineMeetings/getAllRecordings\(meetingOrganizerUserId='\1',", self.recordings),
            (r"/users/([^/]+)/adhocCalls/getAllRecordings\(userId='\1',", self.adhoc_recordings),
            (r"/users/([^/]+)/calendarView$", self.calendars),
        ):
            if found := re.search(pattern, path):
                return self._page_of(address, of_people.get(found[1], []), headers)
        if found := re.search(r"/attendanceReports/([^/]+)/attendanceRecords$", path):
            return self._page_of(address, self.records[found[1]], headers)
        if found := re.search(r"/users/([^/]+)/onlineMeetings(?:/([^/]+)/attendanceReports(?:/([^/]+))?)?$", path):
            return self._reports(address, *found.groups())
        if found := re.fullmatch(r"/v1.0/admin/teams/userConfigurations/([^/]+)", path):
            unknown = Fault(404, "NotFound", "User not found.")
            assigned = self.policies.get(found[1], unknown)
            return assigned if isinstance(assigned, Fault) else {"id": found[1], "effectivePolicyAssignments": assigned}
        entries = self.entra.answer(path.removeprefix("/v1.0"), parse_qs(urlsplit(address).query))
        if isinstance(entries, list):
            return self._page(address, entries)
        return entries or Fault(404 if "/groups/" in path else 400, "BadRequest", "no such address")

    def _reports(self, address: str, organiser: str, meeting_id: str | None, report_id: str | None) -> Any:
        """The meetings with a join link, the list of a meeting's attendance reports, or one report."""
        meetings = self.meetings.get(organiser, [])
        query = parse_qs(urlsplit(address).query)
        if isinstance(meetings, Fault):
            return meetings
        if meeting_id is None:
            (url,) = re.findall(r"^JoinWebUrl eq '(.*)'$", query["$filter"][0])
            return {"value": [{"id": one["id"]} for one in meetings if one["joinWebUrl"] == url.replace("''", "'")]}
        (reports,) = (one["attendanceReports"] for one in meetings if one["id"] == meeting_id)
        if report_id is None:
            return {"value": [report | {"attendanceRecords": []} for report in reports]}
        assert query["$expand"] == ["attendanceRecords"]
        return next(report for report in reports if report["id"] == report_id)

    def _page_of(self, address: str, entries: Any, headers: Message) -> Any:
        query = parse_qs(urlsplit(address).query)
        if isinstance(entries, Fault):
            return entries
        if "calendarView" in address:
            assert headers["Prefer"] == 'outlook.timezone="UTC"'
            assert "$select" not in query
            from_at, to_at = (_time(query[name][0]) for name in ("startDateTime", "endDateTime"))
            entries = [entry for entry in entries if _is_in_view(entry, from_at, to_at)]
        return self._page(address, entries)

    def _page(self, address: str, entries: list[Any]) -> dict[str, Any]:
        start = int(parse_qs(urlsplit(address).query).get("$skiptoken", ["0"])[0])
        page: dict[str, Any] = {"value": entries[start : start + OTHER_PAGE]}
        if start + OTHER_PAGE < len(entries):
            page["@odata.nextLink"] = self._link(address, start + OTHER_PAGE)
        return page


def _is_in_view(entry: Any, from_at: datetime, to_at: datetime) -> bool:
    """Whether a view of a calendar from one time to another holds an event; one without UTC times always."""
    if not isinstance(entry, dict) or (entry.get("start") or {}).get("timeZone") != "UTC":
        return True
    starts_at, ends_at = (datetime.fromisoformat(entry[name]["dateTime"] + "+00:00") for name in ("start", "end"))
    return starts_at < to_at and ends_at > from_at


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, standin: StandIn, context: ssl.SSLContext) -> None:
        self.standin, self.context = standin, context
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake in the connection's own thread: one that hangs must not hold up the others."""
        with (
            contextlib.suppress(ssl.SSLError, ConnectionError),
            self.context.wrap_socket(request, server_side=True) as secured,
        ):
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = 2**20  # headers and body in one go
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        fault, content = self.server.standin.answer(self.command, self.path, self.headers, self.rfile.read(length))
        if fault.how == "drop":
            self.close_connection = True
            return
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = body[: len(body) // 2] if fault.how else body
        self.send_response(fault.status)
        for name, value in (*fault.headers, ("Content-Type", "application/json")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent if fault.how == "json" else body)))
        self.end_headers()
        self.wfile.write(sent)
        self.close_connection = self.close_connection or fault.how == "body"

    do_POST = do_GET

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The time of the header `Date`: that of the test's clock, unless the test has another."""
        return format_datetime(now() - self.server.standin.clock_ahead, usegmt=True)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
