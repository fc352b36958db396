"""Channels other than mail, and what is missing from their configuration."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.alerts.channels import AlertsNotConfiguredError
from app.alerts.sending import send
from app.school import School
from tests.alerts.conftest import concern, put, states, wait_for
from tests.mail_server import ADDRESS


def test_a_shared_channel_is_notified_once(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[str] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Taking) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{service.server_port}/{{to}}")
        monkeypatch.setenv("ALERT_CHANNEL", f"json://127.0.0.1:{service.server_port}/all")
        monkeypatch.setenv("APP_URL", ADDRESS)
        ref = concern(school)
        wait_for(lambda: len(bodies) == 2 and {state for _, state in states(school)} == {"sent"})
        service.shutdown()
    assert all(f"{ADDRESS}/concerns?ref={ref.removeprefix('C-')}" in body and "Aled" not in body for body in bodies)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "Set ALERT_URL and APP_URL"),
        ({"ALERT_URL": "mailto://127.0.0.1"}, "APP_URL is not the address"),
        ({"ALERT_URL": "nonsense", "APP_URL": ADDRESS}, "ALERT_URL is not an address that apprise knows"),
        ({"ALERT_URL": "json://127.0.0.1", "APP_URL": ADDRESS}, "write {to} there"),
    ],
)
def test_a_missing_setting_is_reported_and_the_outbox_keeps_alerts(
    school: School, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    put(school, "dsp", "a")
    with pytest.raises(AlertsNotConfiguredError, match=words):
        send(school)
    assert dict(states(school)) == {"a": "waiting"}
