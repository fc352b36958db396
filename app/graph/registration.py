"""Reads the app registration from the environment, with the certificate or secret that proves it."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from app.graph.errors import NotConfiguredError
from app.settings import get_variable

AUTHORITY = "https://login.microsoftonline.com"
BASE_URL = "https://graph.microsoft.com/v1.0"
_NEEDED = ("GRAPH_TENANT_ID", "GRAPH_CLIENT_ID")
_PROOFS = ("GRAPH_CLIENT_SECRET", "GRAPH_CERTIFICATE_FILE")


@dataclass(frozen=True)
class Registration:
    """Who we are to Microsoft Entra, and the addresses to ask."""

    tenant: str
    client_id: str
    secret: str | None = field(repr=False)
    certificate: Path | None
    password: str | None = field(repr=False)
    authority: str
    base_url: str


def read_registration() -> Registration | None:
    """The app registration in the environment, or None. Raises NotConfiguredError if it is incomplete or an address is
    not safe."""
    given = {name: get_variable(name) for name in (*_NEEDED, *_PROOFS)}
    if not any(given.values()):
        return None
    missing = [name for name in _NEEDED if not given[name]]
    if not any(given[name] for name in _PROOFS):
        missing.append(" or ".join(reversed(_PROOFS)))
    if missing:
        raise NotConfiguredError(
            f"The sync is not fully configured: no {', no '.join(missing)}.", "Set it in the environment."
        )
    certificate = given["GRAPH_CERTIFICATE_FILE"]
    return Registration(
        tenant=str(given["GRAPH_TENANT_ID"]),
        client_id=str(given["GRAPH_CLIENT_ID"]),
        secret=given["GRAPH_CLIENT_SECRET"],
        certificate=Path(certificate) if certificate else None,
        password=get_variable("GRAPH_CERTIFICATE_PASSWORD"),
        authority=_check_address("GRAPH_AUTHORITY", AUTHORITY),
        base_url=_check_address("GRAPH_BASE_URL", BASE_URL),
    )


def _check_address(name: str, default: str) -> str:
    address = (get_variable(name) or default).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise NotConfiguredError(
            f"{name} is not an address that secrets may be sent to.",
            f"Give one that begins with https://, as {default}.",
        )
    return address


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, both as PEM."""

    key: str = field(repr=False)
    public: str
    ends_at: datetime


def read_certificate(file: Path, password: str | None) -> Certificate:
    """The certificate in a PEM or PFX file. Raises NotConfiguredError if it cannot be used."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise NotConfiguredError(
            f"GRAPH_CERTIFICATE_FILE cannot be read ({error.strerror}).", "Let the program's user read it."
        ) from None
    secret = password.encode() if password else None
    try:
        if b"-----BEGIN" in content:
            key: Any = load_pem_private_key(content, secret if b"ENCRYPTED" in content else None)
            certificates = x509.load_pem_x509_certificates(content)
        else:
            bundle = pkcs12.load_pkcs12(content, secret)
            key = bundle.key
            certificates = [entry.certificate for entry in (bundle.cert, *bundle.additional_certs) if entry]
    except (ValueError, TypeError):
        raise NotConfiguredError(
            "GRAPH_CERTIFICATE_FILE cannot be opened: it holds no certificate with its private key as PEM or PFX, or "
            "GRAPH_CERTIFICATE_PASSWORD is not its password.",
            "Correct the file or the password.",
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise NotConfiguredError(
            "GRAPH_CERTIFICATE_FILE holds no RSA key.", "Microsoft Entra requires one; create it again."
        )
    public = _dump_public(key.public_key())
    matching = next((each for each in certificates if _dump_public(each.public_key()) == public), None)
    if matching is None:
        raise NotConfiguredError(
            "GRAPH_CERTIFICATE_FILE holds a private key without its certificate.", "Put both into the one file."
        )
    return Certificate(
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        public=matching.public_bytes(Encoding.PEM).decode(),
        ends_at=matching.not_valid_after_utc,
    )


def _dump_public(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
