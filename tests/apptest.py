"""Streamlit's `AppTest` made faster, and what a test needs to sign in to a page of a real school.

For each page that a test opens, `AppTest` would look for components in all installed packages; here it looks once.
"""

from functools import cache
from pathlib import Path

import pytest
import tomli_w
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.clock import now
from app.settings import ROOT, load_secrets
from app.store.encryption import generate_key
from tests import people

__all__ = ["AUTH", "KEY", "AppTest", "sign_in", "write_secrets", "write_settings"]

KEY = generate_key()  # required to show a school with real records
AUTH = {
    "redirect_uri": "http://localhost/oauth2callback",
    "cookie_secret": "a long and random word for the tests alone",
    "client_id": "i",
    "client_secret": "s",
    "server_metadata_url": "http://localhost/.well-known/openid-configuration",
}


def write_secrets(auth: dict[str, str]) -> None:
    """Write the secrets file of the working directory, with these entries for sign-in."""
    secrets = Path(".streamlit") / "secrets.toml"
    secrets.parent.mkdir(exist_ok=True)
    secrets.write_text(tomli_w.dumps({"auth": auth}), encoding="utf-8")
    load_secrets.cache_clear()


def write_settings(file: Path) -> Path:
    """Write the program's own settings with the tenant of `tests.people` into a file, and return the file."""
    settings = (ROOT / "data" / "protocol.toml").read_text(encoding="utf-8")
    file.write_text(settings.replace("00000000-0000-0000-0000-000000000000", people.TENANT), encoding="utf-8")
    return file


def sign_in(at: AppTest, who: str, ago: float = 0, **claims: object) -> None:
    """Make `at` run as if somebody had signed in `ago` seconds ago. `claims` replace claims of the account
    that the roster has."""
    signed_in = {"sub": who, "tid": people.TENANT, "preferred_username": people.email(who), "email": ""}
    signed_in |= {"oid": people.entra(who)} if who in people.STAFF else {}
    at.user = {"is_logged_in": True, "iat": now().timestamp() - ago} | signed_in | claims


pytest.MonkeyPatch().setattr(
    manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
)
