"""The page Parents of a real school with a mail server: letters and requests by email, and SLT's confirmation."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.access.forms import list_pupils_to_choose
from app.access.parents import list_consents
from app.parents.consents import answer_consent, ask_for_consent, inform_slt
from app.records.registers import Consent
from app.school import School
from app.settings import ROOT, load_secrets
from app.store import tables
from app.ui import current
from tests import people
from tests.alerts.conftest import wait_for
from tests.apptest import AUTH, KEY, AppTest, sign_in, write_secrets, write_settings
from tests.mail_server import MailServer
from tests.pages.conftest import text
from tests.people import someone

Opening = Callable[..., AppTest]
MAM, NAIN = "mam@cartref.example", "nain@gartref.example"


@pytest.fixture
def opened(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opening]:
    """Opens the page as somebody who signed in. The families of Aled and Bethan have an address each."""
    pupil = tables.pupils
    families = {people.find_pupil(school, who): contacts for who, contacts in (("aled", MAM), ("bethan", NAIN))}
    with school.engine.begin() as connection:
        connection.execute(tables.letters.delete())
        for number, contacts in families.items():
            connection.execute(update(pupil).where(pupil.c.id == number).values(contact_emails=contacts, language="cy"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", school.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PROTOCOL_FILE", str(write_settings(tmp_path / "protocol.toml")))
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    write_secrets(AUTH)
    current._opened.clear()

    def open_page(who: str, **query: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        sign_in(at, who)
        at.switch_page("pages/parents.py")
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    yield open_page
    current._opened.clear()
    load_secrets.cache_clear()


def click(at: AppTest, *labels: str) -> AppTest:
    """Press buttons: one that opens a dialog, then the one in it. The dialog is drawn as long as its button is pressed
    in the same run."""
    for place in range(len(labels)):
        for label in labels[: place + 1]:
            next(button for button in at.button if button.label == label).click()
        at.run()
        assert not at.exception
    return at


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def wait_until_sent(school: School) -> None:
    """Wait until nothing is sent any more."""
    email, lease = tables.family_emails.c, tables.leases.c

    def is_over() -> bool:
        with school.engine.connect() as connection:
            waiting = connection.scalar(select(email.id).where(email.state == "waiting"))
            return waiting is None and connection.scalar(select(lease.name)) is None

    wait_for(is_over)


def ask(school: School) -> int:
    pupils = list_pupils_to_choose(school, someone(school, "teacher")).set_index("email")
    begins = school.now() + timedelta(days=3)
    request = Consent(
        pupil_id=int(pupils.loc[people.email("aled"), "pupil_id"]),
        kind="outside_hours",
        covers_from=begins,
        covers_to=begins + timedelta(hours=1),
        reason="A concert",
    )
    return ask_for_consent(school, someone(school, "teacher"), request)


def test_parents_emails_letters_and_sends_only_the_failed_one_again(
    opened: Opening, school: School, server: MailServer
) -> None:
    server.at_word = lambda word, address: f"550 no such user {address}" if address == NAIN else None
    at = opened("hoy9")
    assert "To <b><bdi>2 addresses</bdi></b> of the families of <bdi>2 pupils</bdi>" in text(at)
    assert "Emailing 2 letters" in click(at, "Email 2 letters", "Send 2 letters now").success[0].value
    wait_until_sent(school)
    at = opened("hoy9")
    assert "Email 2 letters" not in labels(at)
    words = text(at)
    assert "✓ sent (1 of 1)" in words
    assert "✗ failed (1 of 1)" in words
    assert "The mail server rejects the address (550 no such user (address))" in words
    assert NAIN not in words + MAM
    server.at_word = lambda word, address: None
    click(at, "Send 1 failed email again", "Send again now")
    wait_until_sent(school)
    assert server.to() == sorted([MAM, NAIN])
    assert "✗ not sent" not in opened("hoy9").dataframe[0].value["Introduction of the service"].tolist()


def test_parents_emails_a_request(opened: Opening, school: School, server: MailServer) -> None:
    consent_id = ask(school)
    click(opened("teacher", consent=str(consent_id)), "Email the request", "Send now")
    wait_until_sent(school)
    at = opened("teacher", consent=str(consent_id))
    assert "✓ sent" in text(at)
    assert "Request sent to the parents" in text(at)
    assert "Email the request" not in labels(at)
    assert MAM in server.to()


def test_parents_says_why_nothing_can_be_emailed(opened: Opening) -> None:
    assert "Set ALERT_URL and APP_URL" in text(opened("hoy9"))


def test_slt_confirms_with_one_click_that_it_was_informed(opened: Opening, school: School) -> None:
    teacher, consent_id = someone(school, "teacher"), ask(school)
    answer_consent(school, teacher, consent_id, given=True, parent="mother", at=school.now())
    inform_slt(school, teacher, consent_id)
    assert "Confirm" not in labels(opened("teacher"))
    assert "Confirmed" in labels(click(opened("slt"), "Confirm"))
    assert "Confirm" not in labels(opened("slt"))
    at = opened("sdh", consent=str(consent_id))
    assert "Confirm that SLT was informed" not in labels(at)
    assert "SLT confirmed that it was informed" in text(at)
    (row,) = list_consents(school, teacher).to_dict("records")
    assert row["confirmed_at"] is not None
