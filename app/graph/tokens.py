"""Gets tokens for Microsoft Graph from Microsoft Entra, with msal."""

import json
import re
import threading
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import msal
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

from app.graph.errors import RequestFailedError, StoppedError
from app.graph.registration import Registration, read_certificate
from app.graph.transport import BearerAuth, Response, Transport, TryAgainError

_MOST_TOKENS = 4  # in a row that Graph did not accept
_NATIONAL = ("graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
# Microsoft's numbers for what is wrong with a sign-in, and the fix.
_FIXES = {
    "7000215": "GRAPH_CLIENT_SECRET is wrong: use the secret's value, not its id, or create a new one.",
    "7000222": "The client secret has expired: create a new one, or better, use a certificate.",
    "700016": "GRAPH_CLIENT_ID is not an app registration of the tenant GRAPH_TENANT_ID: check both.",
    "90002": "GRAPH_TENANT_ID is not a tenant: copy it from the Entra admin centre.",
    "900023": "GRAPH_TENANT_ID is not a tenant: copy it from the Entra admin centre.",
    "700027": "The certificate is not the one in the app registration, or has expired: upload it there.",
    "7000112": "The application is disabled in the tenant: enable it under Enterprise applications.",
}


class TokenSource:
    """Tokens for one app registration. Several threads may ask for one at once."""

    def __init__(self, registration: Registration, transport: Transport) -> None:
        self._registration, self._transport = registration, transport
        self._lock = threading.RLock()
        self._application: msal.ConfidentialClientApplication | None = None
        self._generation = 0
        self._rejected = 0  # tokens in a row that Graph did not accept

    def get(self) -> tuple[int, str]:
        """The token's generation and a token, from msal's cache while it is valid. Raises StoppedError if there is
        none."""
        with self._lock:
            try:
                if self._application is None:
                    self._application = self._sign_in()
                answer = self._application.acquire_token_for_client([self._build_scope()])
            except RequestFailedError as error:
                raise StoppedError(
                    f"The sign-in service does not answer: {error.words}.",
                    "Run it again later, or check GRAPH_AUTHORITY.",
                ) from None
            except (ValueError, KeyError, TypeError, AttributeError):
                raise StoppedError(
                    "The sign-in service gave no usable answer.", "Check GRAPH_AUTHORITY and GRAPH_TENANT_ID."
                ) from None
            token = answer.get("access_token")
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                self._fail(answer)
            return self._generation, token

    def accept(self) -> None:
        """Note that Graph accepted a token."""
        self._rejected = 0

    def reject(self, generation: int, response: Response) -> NoReturn:
        """Replace a token that Graph does not accept, since one that worked may have expired. Raises TryAgainError, or
        StoppedError if Graph accepted none of several new ones."""
        with self._lock:
            if generation == self._generation:
                self._rejected += 1
                if self._rejected > _MOST_TOKENS:
                    message = self._transport.describe(response)
                    raise StoppedError(
                        f"Microsoft Graph accepts neither the token nor new ones: {message}.",
                        "Check GRAPH_TENANT_ID, GRAPH_BASE_URL and the machine's clock.",
                    )
                self._generation += 1
                self._application = None
        raise TryAgainError("401", wait=0.0)

    def _sign_in(self) -> msal.ConfidentialClientApplication:
        registration = self._registration
        credential: Any = registration.secret
        if registration.certificate:
            own = read_certificate(registration.certificate, registration.password)
            credential = {"private_key": own.key, "public_certificate": own.public}
        known = urlsplit(registration.authority).hostname in WELL_KNOWN_AUTHORITY_HOSTS
        return msal.ConfidentialClientApplication(
            registration.client_id,
            client_credential=credential,
            authority=f"{registration.authority}/{quote(registration.tenant, safe='')}",
            http_client=_HttpClient(self._transport),
            # Without this, msal would ask Microsoft about a test server, which it does not know.
            instance_discovery=None if known else False,
        )

    def _build_scope(self) -> str:
        host = urlsplit(self._registration.base_url).hostname
        return f"https://{host if host in _NATIONAL else 'graph.microsoft.com'}/.default"

    def _fail(self, answer: Mapping[str, Any]) -> NoReturn:
        message = f"{answer.get('error')}: {answer.get('error_description')}"
        number = re.search(r"AADSTS(\d+)", message)
        fix = _FIXES.get(number[1] if number else "", "Check GRAPH_TENANT_ID, GRAPH_CLIENT_ID and the secret.")
        raise StoppedError(
            f"Microsoft Entra refuses the sign-in: {self._transport.redact(message.splitlines()[0])}.", fix
        )


class _HttpClient:
    """Lets msal send its requests through our transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def post(self, url: str, **options: Any) -> Response:
        return self._transport.with_retries(lambda: self._send("POST", url, options))

    def get(self, url: str, **options: Any) -> Response:
        return self._transport.with_retries(lambda: self._send("GET", url, options))

    def _send(self, method: str, url: str, options: Mapping[str, Any]) -> Response:
        """A response with JSON, which msal can read whatever its status. Raises TryAgainError if it is not JSON."""
        used = {name: options[name] for name in ("params", "data", "headers") if name in options}
        response = self._transport.send(method, url, **used, auth=BearerAuth(None))
        try:
            json.loads(response.body)
        except (ValueError, RecursionError):
            words = f"{response.status_code}, and what arrived is not JSON, or was cut off"
            raise TryAgainError(words, content=response.body) from None
        return response

    def close(self) -> None:
        """Do nothing: the transport closes its own session."""
