"""As a school runs it for many: two processes on one PostgreSQL, behind the proxy of `deploy/Caddyfile`."""

import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.demo.filling import fill
from app.school import open_school
from app.settings import ROOT
from tests.browser.conftest import click, free_port, look_through
from tests.browser.test_way_through import heading

pytestmark = [pytest.mark.browser, pytest.mark.postgresql]

# Streamlit's one inline script, which serves search engines alone.
_FOR_SEARCH_ENGINES = "sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA="
_STICKY = "lb"  # Caddy's cookie, which holds a window to its process


@pytest.fixture(scope="module")
def site(
    serve: Callable[..., str], postgresql: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the proxy."""
    if shutil.which("caddy") is None:
        pytest.skip("no Caddy is installed")
    url = postgresql()
    school = open_school(url)
    fill(school, sessions=300)
    school.engine.dispose()
    programs = [serve(url) for _ in range(2)]
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    own = folder / "Caddyfile"  # a certificate of its own, and no port but the one
    own.write_text(
        "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
        f"import {ROOT / 'deploy' / 'Caddyfile'}\n"
    )
    address = f"https://localhost:{port}"
    environment = os.environ | {
        "SITE": address,
        "PROGRAM": " ".join(program.removeprefix("http://") for program in programs),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    command = ["caddy", "run", "--config", str(own), "--adapter", "caddyfile"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as caddy:
        assert caddy.stderr
        said = []
        for line in caddy.stderr:
            said.append(line)
            if "serving initial configuration" in line:
                break
        else:
            pytest.fail("".join(said))
        yield address
        caddy.terminate()


def _process(page: Page) -> str:
    """Which process the window is held to."""
    return next(c["value"] for c in page.context.cookies() if c["name"] == _STICKY)


def test_two_processes_share_their_data_and_every_page_obeys_the_headers(
    site: str, window: Callable[..., Page]
) -> None:
    first = window(ignore_https_errors=True)
    refused: list[str] = []
    first.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    first.goto(site)
    heading(first, "Overview")
    expect(first.get_by_test_id("stVegaLiteChart").first.get_by_text("Music").first).to_be_visible()
    second = window(ignore_https_errors=True)
    for _ in range(20):  # the proxy gives out processes by chance
        second.context.clear_cookies()
        second.goto(f"{site}/health")
        if _process(second) != _process(first):
            break
    assert _process(second) != _process(first)

    look_through(first, "Tutor")
    click(first.get_by_test_id("stSidebar").get_by_text("I'm worried about a child"))
    heading(first, "I'm worried about a child")
    click(first.get_by_role("combobox", name="Which child?"))
    click(first.get_by_role("option").first)
    first.keyboard.press("Escape")
    first.get_by_role("textbox", name="What worries you?").fill("Said by the one process.")
    click(first.get_by_role("combobox", name="Categories (up to three)"))
    click(first.get_by_role("option", name="Distress"))
    first.keyboard.press("Escape")
    click(first.get_by_text("Not yet", exact=True))
    click(first.get_by_role("button", name="Send to the DSP"))
    received = first.get_by_text("Received. The reference is C-")
    expect(received).to_be_visible()
    reference = "C-" + received.inner_text().split("C-")[1].split()[0].rstrip(".")

    second.goto(site)
    look_through(second, "Senior Deputy Head")
    second.goto(f"{site}/concerns?ref={reference}")
    expect(second.get_by_test_id("stText").get_by_text("Said by the one process.")).to_be_visible()
    assert not [words for words in refused if _FOR_SEARCH_ENGINES not in words]


def test_the_proxy_uses_tls_forbids_caching_and_hides_measurements(site: str) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # the certificate is the test's own
    with urllib.request.urlopen(site, context=trusting) as answer:
        headers = answer.headers
        script = re.search(rb'src="\./(static/js/[^"]+)"', answer.read())
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "max-age" in headers["Strict-Transport-Security"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{site}/_stcore/metrics", context=trusting)
    assert script
    compressed = urllib.request.Request(f"{site}/{script[1].decode()}", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(compressed, context=trusting) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "immutable" in answer.headers["Cache-Control"]


def test_the_image_contains_the_program_and_no_data() -> None:
    allowed = [line for line in Path(ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        word
        for line in Path(ROOT / "deploy" / "Containerfile").read_text().splitlines()
        if line.startswith("COPY")
        for word in line.split()[1:-1]
    ]
    assert {name.lstrip("!") for name in allowed} == set(copied)
    assert all((ROOT / name).exists() for name in copied)
