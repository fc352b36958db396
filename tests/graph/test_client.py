"""Asking Microsoft Graph, whatever goes wrong: the client against a stand-in over TLS, by msal itself."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from app.graph.errors import GoneError, GraphError, NotConfiguredError, RequestFailedError, StoppedError
from app.graph.registration import read_registration
from app.graph.transport import REQUESTS, SECONDS, Gate
from tests.graph.conftest import Clock, ago, asking, lesson
from tests.graph.standin import BROKEN, BUSY, CUT, DROPPED, EXPIRED, HALF, SECRET, THROTTLED, Fault, StandIn

NOW, BEFORE = ago(hours=0), ago(days=5)


@pytest.fixture(autouse=True)
def _one_call(graph: StandIn) -> None:
    graph.add(lesson("one", ago(days=1)))


@pytest.mark.parametrize("fault", [THROTTLED, BUSY, BROKEN, DROPPED, HALF, CUT, EXPIRED])
def test_client_repeats_a_request_that_failed_once_or_twice(graph: StandIn, fault: Fault) -> None:
    graph.faults = [("callRecords/one", fault)] * (1 if fault is EXPIRED else 2)
    with asking() as client:
        assert client.fetch_call_record("one")[0]["id"] == "one"


def test_client_repeats_a_request_whose_answer_was_cut_off(graph: StandIn) -> None:
    graph.faults = [("callRecords/one", fault) for fault in (THROTTLED, BUSY, BROKEN, CUT, DROPPED)]
    with asking() as client:
        assert client.fetch_call_record("one")[0]["id"] == "one"


@pytest.mark.parametrize("fault", [DROPPED, BROKEN, THROTTLED, CUT])
def test_client_repeats_a_failed_sign_in(graph: StandIn, fault: Fault) -> None:
    graph.faults = [("openid-configuration", fault), ("oauth2/v2.0/token", fault)]
    with asking() as client:
        assert client.fetch_call_record("one")[0]["id"] == "one"


def test_client_waits_as_long_as_retry_after_says(graph: StandIn) -> None:
    graph.faults = [("callRecords/one", Fault(429, headers=(("Retry-After", "37"),)))]
    clock = Clock()
    with asking(clock) as client:
        client.fetch_call_record("one")
    assert clock.now == 37


def test_all_threads_wait_after_one_was_throttled(graph: StandIn) -> None:
    clock = Clock()
    gate = Gate(clock, clock.sleep)
    gate.shut(12)
    gate.enter()
    assert clock.now == 12


def test_client_keeps_to_the_request_limit() -> None:
    clock = Clock()
    gate = Gate(clock, clock.sleep)
    passed = []
    for _ in range(3 * REQUESTS):
        gate.enter()
        passed.append(clock.now)
    assert clock.now == 2 * SECONDS
    assert all(later - earlier >= SECONDS for earlier, later in zip(passed, passed[REQUESTS:], strict=False))


def test_client_gives_up_when_throttled_for_an_hour(graph: StandIn) -> None:
    graph.faults = [("callRecords/one", Fault(503, headers=(("Retry-After", "3600"),)))]
    clock = Clock()
    with asking(clock) as client, pytest.raises(StoppedError, match="3600 seconds"):
        client.fetch_call_record("one")
    assert clock.now == 0


def test_client_gives_up_after_repeated_faults_with_a_clear_error(graph: StandIn) -> None:
    graph.always = {"callRecords/one": BROKEN}
    clock = Clock()
    with asking(clock) as client, pytest.raises(RequestFailedError, match="500 InternalServerError: oh dear"):
        client.fetch_call_record("one")
    assert clock.now < 120
    assert len(graph.asked_for("callRecords/one")) == 7
    assert len(set(clock.slept)) == len(clock.slept)  # with jitter


def test_client_does_not_try_every_record_while_the_service_is_down(graph: StandIn) -> None:
    graph.always = {"callRecords/": DROPPED}
    with asking() as client:
        for number in range(3):
            with pytest.raises(RequestFailedError):
                client.fetch_call_record(f"c{number}")
        with pytest.raises(StoppedError, match="does not answer"):
            client.fetch_call_record("c3")
    assert not graph.asked_for("callRecords/c3")


def test_client_reports_a_token_that_is_always_refused(graph: StandIn) -> None:
    graph.always = {"callRecords": EXPIRED}
    with asking() as client, pytest.raises(StoppedError, match="accepts neither the token") as told:
        client.fetch_call_record("one")
    assert graph.given == 5
    assert "token-" not in str(told.value)


def test_each_page_of_sessions_and_participants_is_read(graph: StandIn) -> None:
    record = lesson("big", ago(days=1))
    record["sessions"] = [record["sessions"][0] | {"id": f"s{number}"} for number in range(150)]
    record["participants_v2"] = [{"id": f"p{number}", "identity": {}} for number in range(300)]
    graph.add(record)
    with asking() as client:
        found, content = client.fetch_call_record("big")
    assert [s["id"] for s in found["sessions"]] == [f"s{number}" for number in range(150)]
    assert [p["id"] for p in found["participants_v2"]] == [f"p{number}" for number in range(300)]
    assert len(graph.asked_for("callRecords/big")) == 1 + 2 + 2
    assert not any("nextLink" in name for name in found)
    assert json.loads(content) == found


def test_each_page_of_every_list_is_read_however_its_link_is_spelt(graph: StandIn) -> None:
    graph.add(lesson("more", ago(days=1)))
    link = f"https://{graph.host}/v1.0/communications/callRecords/more/sessions?$expand=segments"
    whole = lesson("one", ago(days=1))
    graph.add(whole)
    first = whole["sessions"][0] | {"segments@OData.NextLink": link}
    graph.raw["one"] = whole | {
        "sessions": [first],
        "sessions@odata.nextlink": link,
        "participants@odata.nextLink": None,
    }
    with asking() as client:
        found, content = client.fetch_call_record("one")
    assert len(found["sessions"]) == 1 + 2
    assert len(found["sessions"][0]["segments"]) == 1 + 2
    assert b"nextlink" not in content.lower().replace(b'"participants@odata.nextlink": null', b"")


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1.0/communications/callRecords/one/sessions",
        "http://{host}/v1.0/communications/callRecords/one/sessions",
        "https://{host}@elsewhere.example/v1.0/communications/callRecords",
        "https://someone@{host}/v1.0/communications/callRecords",
        "https://{host}/v1.0/$metadata#communications/callRecords('one')/sessions?$skiptoken=abc",
        "https://{host}/v1.0/users/x/onlineMeetings/y/recordings/z/content",
        "https://{host}/v1.0/%2e%2e/secrets",
        "https://{host}/beta/communications/callRecords",
        "/v1.0/communications/callRecords",
        "https://[",
        17,
    ],
)
def test_client_does_not_follow_a_next_link_to_another_host(graph: StandIn, link: object) -> None:
    graph.raw["one"] = lesson("one", ago(days=1)) | {
        "sessions@odata.nextLink": link.format(host=graph.host) if isinstance(link, str) else link
    }
    with asking() as client, pytest.raises(RequestFailedError, match="its next page"):
        client.fetch_call_record("one")
    assert len(graph.asked_for("v1.0/|beta|secrets")) == 1  # the record itself


def test_client_stops_at_next_links_in_a_circle(graph: StandIn) -> None:
    circle = f"https://{graph.host}/v1.0/communications/callRecords/one"
    graph.raw["one"] = {"id": "one", "value": [], "sessions@odata.nextLink": circle, "@odata.nextLink": circle}
    with asking() as client, pytest.raises(RequestFailedError, match="in a circle"):
        client.fetch_call_record("one")


def test_client_reports_missing_and_refused_resources(graph: StandIn) -> None:
    graph.always = {
        r"callRecords\?": Fault(403, "ForbiddenError", "Missing role CallRecords.Read.All for a@b.example.")
    }
    with asking() as client:
        with pytest.raises(GoneError):
            client.fetch_call_record("nothing")
        with pytest.raises(StoppedError, match=r"CallRecords\.Read\.All") as told:
            list(client.iter_call_pages(BEFORE.astimezone(), NOW.astimezone()))
    assert "consent" in told.value.fix
    assert "b.example" not in str(told.value)


@pytest.mark.parametrize("status", [400, 403])
def test_client_reads_sessions_where_only_one_expansion_is_allowed(graph: StandIn, status: int) -> None:
    graph.always = {"participants_v2": Fault(status, "BadRequestError", "one expansion alone")}
    with asking() as client:
        assert client.fetch_call_record("one")[0]["sessions"]
        assert client.fetch_call_record("one")[0]["sessions"]
    assert len(graph.asked_for("callRecords/one")) == 3


@pytest.mark.parametrize("page", [b"{}", b"[]", b'{"value": null}', b'{"error": {"code": "x"}}'])
def test_client_repeats_a_request_whose_answer_is_not_a_page(graph: StandIn, page: bytes) -> None:
    graph.strange = [page, page]
    with asking() as client:
        (found,) = client.iter_call_pages(BEFORE.astimezone(), NOW.astimezone())
    assert [entry["id"] for entry in found] == ["one"]


def test_client_gives_up_on_an_answer_that_trickles(graph: StandIn) -> None:
    class Late(Clock):
        def __call__(self) -> float:
            self.now += 200  # each time somebody looks
            return self.now

    graph.raw["one"] = {"id": "one", "text": "x" * 200_000}
    with asking(Late()) as client, pytest.raises(RequestFailedError, match="did not end"):
        client.fetch_call_record("one")


def test_a_redirect_is_not_followed(graph: StandIn) -> None:
    graph.always = {"callRecords/one": Fault(302, headers=(("Location", f"https://{graph.host}/elsewhere"),))}
    with asking() as client, pytest.raises(RequestFailedError):
        client.fetch_call_record("one")
    assert not graph.asked_for("elsewhere")


# --- who we are


def test_a_wrong_secret_is_reported_with_the_fix(graph: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_CLIENT_SECRET", "not-this-one")
    with asking() as client, pytest.raises(StoppedError, match="AADSTS7000215") as told:
        client.fetch_call_record("one")
    assert "GRAPH_CLIENT_SECRET" in told.value.fix
    assert "not-this-one" not in str(told.value)
    assert "habs.example" not in str(told.value)
    assert not graph.asked_for("callRecords")


def test_an_untrusted_certificate_is_reported(graph: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with asking() as client, pytest.raises(StoppedError, match="not trusted") as told:
        client.fetch_call_record("one")
    assert "REQUESTS_CA_BUNDLE" in told.value.fix
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    with asking() as client, pytest.raises(StoppedError, match=r"nothing\.pem"):
        client.fetch_call_record("one")


def test_a_password_in_netrc_does_not_replace_the_token(
    graph: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with asking() as client:
        assert client.fetch_call_record("one")[0]["id"] == "one"


def own_certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sync")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = built.serial_number(1).not_valid_before(ago(days=1)).not_valid_after(ago(days=-100))
    return dated.sign(key, hashes.SHA256())


@pytest.mark.parametrize("kind", ["pem", "sealed pem", "pfx"])
def test_a_certificate_signs_in(graph: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    public = own_certificate(key)
    seal = BestAvailableEncryption(b"open sesame") if kind != "pem" else NoEncryption()
    file = tmp_path / "sync.certificate"
    if kind == "pfx":
        file.write_bytes(pkcs12.serialize_key_and_certificates(b"sync", key, public, None, seal))
    else:
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, seal) + public.public_bytes(Encoding.PEM))
    graph.certificate = key.public_key()
    monkeypatch.delenv("GRAPH_CLIENT_SECRET")
    monkeypatch.setenv("GRAPH_CERTIFICATE_FILE", str(file))
    if kind != "pem":
        with asking() as client, pytest.raises(NotConfiguredError, match="GRAPH_CERTIFICATE_PASSWORD"):
            client.fetch_call_record("one")
        monkeypatch.setenv("GRAPH_CERTIFICATE_PASSWORD", "open sesame")
    with asking() as client:
        assert client.fetch_call_record("one")[0]["id"] == "one"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GRAPH_CLIENT_ID", "", "no GRAPH_CLIENT_ID"),
        ("GRAPH_CLIENT_SECRET", "", "GRAPH_CERTIFICATE_FILE or GRAPH_CLIENT_SECRET"),
        ("GRAPH_BASE_URL", "http://graph.microsoft.com/v1.0", "GRAPH_BASE_URL is not an address"),
        ("GRAPH_AUTHORITY", "login.microsoftonline.com", "GRAPH_AUTHORITY is not an address"),
    ],
)
def test_an_incomplete_registration_is_reported(
    graph: StandIn, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(NotConfiguredError, match=said):
        read_registration()


def test_a_registration_does_not_print_its_secret(graph: StandIn) -> None:
    assert SECRET not in repr(read_registration())


def test_an_unknown_tenant_is_reported(graph: StandIn) -> None:
    graph.always = {"openid-configuration": Fault(400, "invalid_tenant", "no such tenant")}
    with asking() as client, pytest.raises(GraphError, match="GRAPH_TENANT_ID"):
        next(client.iter_call_pages(BEFORE.astimezone(), (NOW + timedelta(hours=1)).astimezone()))
