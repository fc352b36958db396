"""The thief of `tests.thief`, who has everything that is stored but no key, finds nothing of what he looks for."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import LargeBinary, String, Text, TypeDecorator, insert, select, update
from streamlit.runtime.memory_media_file_storage import _calculate_file_id

from app.access.concern_detail import get_concern
from app.concerns.casework import record
from app.concerns.raising import Report, raise_concern
from app.intake.calls import import_calls
from app.intake.files import import_consents, import_logs
from app.parents.consents import strike_out
from app.school import School
from app.sessions.drafts import save_draft
from app.settings import ROOT
from app.store import tables
from app.store.backup import backup
from app.store.concerns import CHILD, CONDUCT
from app.store.encryption import EncryptedBytes, EncryptedNumber, EncryptedText, generate_key
from tests import people, thief
from tests.people import find_pupil, log, someone, staff_id, table

pytestmark = pytest.mark.usefixtures("story_clock")

DAY = "2026-11-03"
NARRATIVE = {
    "notes": "he would not say why his arm was sore",
    "concern_summary": "flinched whenever the door closed",
    "purpose": "talk about the custody hearing",
    "correction": "the wrong twin had been chosen",
    "consent": "grandmother lives in Patagonia",
    "struck": "typed for the wrong sibling",
    "child": "please do not ring my stepfather",
    "conduct": "messages late at night on a private phone",
    "draft": "half finished thoughts about bruises",
    "outsider": "Iolo Gwilym",
    "added": "stood in the doorway and laughed",
}
NAMES = [name for name, *_ in people.PUPILS.values()]
WORDS = [
    *NARRATIVE.values(),
    *NAMES,
    *(people.email(who) for who in people.PUPILS),
    *(people.entra(who) for who in people.PUPILS),
    "mam@cartref.example",
    "Rhian Pugh",
    "private_contact",
    "home_alone",
]


@pytest.fixture
def told(empty_school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    """A school with keys, in which everything happened that a thief would like to know."""
    monkeypatch.setenv("ENCRYPTION_KEYS", generate_key())
    monkeypatch.setenv("BACKUP_KEYS", generate_key())
    school, given = empty_school, tmp_path / "given"
    given.mkdir()
    people.move_in(school, given)
    rows = [
        log("counsellor", "aled", f"{DAY}T10:00", ref="S1", purpose="counselling", notes=NARRATIVE["notes"]),
        log("musician", "bethan", f"{DAY}T11:00", ref="S2", purpose=NARRATIVE["purpose"]),
        log("tutor", "carys", f"{DAY}T12:00", concern="yes", concern_summary=NARRATIVE["concern_summary"])
        | {"concern_category": "home_alone"},
        log("tutor", "nobody@x.example", f"{DAY}T13:00", notes=NARRATIVE["notes"]),
    ]
    assert len(import_logs(school, table(given / "Aled Pugh and Bethan Rees.csv", rows)).rejected) == 1
    records = [
        people.call("c1", f"{DAY}T10:00", {"counsellor": (0, 30), "aled": (1, 29)}),
        people.call("c2", f"{DAY}T11:00", {"musician": (0, 30), "bethan": (1, 29)}),
    ]
    assert import_calls(school, people.calls(given / "calls of Aled Pugh.json", *records)).added == 2
    _tell_parents(school, given)
    _raise_concerns(school)
    save_draft(school, someone(school, "tutor"), "log", {"notes": NARRATIVE["draft"]})
    with school.writing() as connection:
        corrected = update(tables.logs).where(tables.logs.c.ref == "S2")
        connection.execute(corrected.values(correction_reason=NARRATIVE["correction"]))
        connection.execute(update(tables.pupils).values(contact_emails="mam@cartref.example"))
        plan = {"ref": "P1", "staff_id": staff_id(school, "counsellor"), "purpose": "counselling", "changes": 0}
        times = {"started_at": school.now(), "ended_at": school.now() + timedelta(hours=1)}
        number = connection.execute(insert(tables.plans).values(plan | times).returning(tables.plans.c.id)).scalar_one()
        connection.execute(insert(tables.plan_pupils).values(plan_id=number, pupil_id=1))
    shutil.rmtree(given)
    return school


def _tell_parents(school: School, folder: Path) -> None:
    consent = {
        "pupil_email": people.email("aled"),
        "kind": "one_to_one",
        "covers_from": f"{DAY}T09:00",
        "covers_to": f"{DAY}T12:00",
        "reason": NARRATIVE["consent"],
        "obtained_at": f"{DAY}T08:00",
        "given_by": "Rhian Pugh",
    }
    assert import_consents(school, table(folder / "consents of Aled Pugh.csv", [consent])).added == 1
    with school.engine.connect() as connection:
        consent_id, event_id = connection.execute(
            select(tables.consent_events.c.consent_id, tables.consent_events.c.id).limit(1)
        ).one()
    strike_out(school, someone(school, "sdh"), consent_id, event_id, NARRATIVE["struck"])


def _raise_concerns(school: School) -> None:
    with school.engine.connect() as connection:
        of_musician = tables.sessions.c.staff_id == staff_id(school, "musician")
        session = connection.scalar(select(tables.sessions.c.id).where(of_musician))
    child = Report(CHILD, NARRATIVE["child"], ["home_alone"], pupil_ids=[find_pupil(school, "aled")], told_dsp=True)
    raise_concern(school, someone(school, "teacher"), child)
    conduct = Report(
        CONDUCT,
        NARRATIVE["conduct"],
        ["private_contact"],
        staff_ids=[staff_id(school, "musician")],
        others=[NARRATIVE["outsider"]],
        told_dsp=True,
    )
    sdh = someone(school, "sdh")
    ref = raise_concern(school, sdh, conduct, session).ref
    version = people.found(get_concern(school, sdh, ref)).version
    adult = {"staff_id": staff_id(school, "teacher"), "text": NARRATIVE["added"]}
    record(school, sdh, ref, version, "named", adult)


def address(school: School) -> str:
    return school.engine.url.render_as_string(hide_password=False)


def test_the_thief_finds_nothing_in_the_database(told: School) -> None:
    assert thief.search([address(told)], WORDS) == []


@pytest.mark.parametrize(
    ("table", "column"), [("sessions", "purpose"), ("imports", "source"), ("conduct_concerns", "categories")]
)
def test_the_thief_finds_what_is_not_encrypted(told: School, table: str, column: str) -> None:
    stored = tables.as_stored(tables.metadata.tables[table])
    with told.writing() as connection:
        connection.execute(update(stored).values({column: "before the custody hearing"}))
    assert thief.search([address(told)], ["custody hearing"]) != []


def test_the_thief_finds_a_child_whose_name_is_not_encrypted(told: School) -> None:
    versions = tables.as_stored(tables.pupil_versions)
    with told.writing() as connection:
        connection.execute(update(versions).values(name="Somebody"))
    assert {found.split(",")[0] for found in thief.search([address(told)], [])} == {"beside counselling"}


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("conduct_named", "staff_id", None), ("conduct_named", "name", "Somebody"), ("conduct_sessions", "log_ref", "S2")],
)
def test_the_thief_finds_an_adult_who_is_not_encrypted(
    told: School, table: str, column: str, value: str | None
) -> None:
    stored = tables.as_stored(tables.metadata.tables[table])
    with told.writing() as connection:
        planted = value or str(staff_id(told, "musician"))
        connection.execute(update(stored).where(stored.c[column].is_not(None)).values({column: planted}))
    who = "Somebody" if column == "name" else "Musician"
    assert set(thief.search([address(told)], [])) == {f"named in a concern about conduct: {who}"}


def test_the_thief_finds_nothing_in_files_copies_and_the_log(
    told: School, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    if told.engine.dialect.name == "sqlite":  # PostgreSQL's files are searched through the server
        database = Path(str(told.engine.url.database))
        with told.engine.connect() as connection:  # while it is open, so that the write-ahead log is there
            connection.execute(select(tables.meta)).all()
            for tail in ("", "-wal", "-shm"):
                shutil.copy(database.with_name(database.name + tail), stolen)
            backup(told.engine, stolen / "copy.sqlite")
        assert (stolen / f"{database.name}-wal").stat().st_size
        assert "SQLite format" not in (stolen / "copy.sqlite").read_bytes()[:100].decode(errors="replace")
    (stolen / "server.log").write_text(caplog.text, encoding="utf-8")
    words = [word for word in WORDS if word != "home_alone"]  # which is the name of a column, too
    assert thief.search([str(stolen)], words) == []
    done = subprocess.run(
        [sys.executable, "-m", "tests.thief", str(stolen), *(f"--word={word}" for word in words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "Nothing was found.\n"), done.stderr
    (stolen / "server.log").write_text(f"failed for {NAMES[0]}", encoding="utf-8")
    assert thief.search([str(stolen)], words) == [f"server.log: {NAMES[0]}"]


@pytest.mark.parametrize("write", [lambda words: words.upper().encode(), lambda words: words.encode("utf-16")])
def test_the_thief_reads_other_spellings(tmp_path: Path, write: Callable[[str], bytes]) -> None:
    (tmp_path / "x").write_bytes(b"..." + write(NARRATIVE["draft"]))
    assert thief.search([str(tmp_path)], [NARRATIVE["draft"]]) == [f"x: {NARRATIVE['draft']}"]


def test_the_thief_finds_a_file_whose_address_follows_from_its_content(tmp_path: Path) -> None:
    (guess := tmp_path / "list.csv").write_text(NAMES[0], encoding="utf-8")
    (tmp_path / "media").mkdir()
    shutil.copy(guess, tmp_path / "media" / f"{_calculate_file_id(guess.read_bytes(), 'text/csv', guess.name)}.csv")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)) as server:
        Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert thief.search([address], [], [guess]) == [f"{address}: list.csv"]
        server.shutdown()


# Each text that the database stores as it is, and why nobody learns from it of a child in counselling, of an adult whom
# a concern names, or of what somebody wrote.
_A_WORD = "a word of the program's own lists"
_A_NUMBER = "a random number, or one that another system gave"
_A_DIGEST = "a digest of what nobody can guess"
_A_GROUP = "a group of people of the roster"
_AN_ADULT = "an adult on the roster, whom sessions name anyway"
_NO_PERSON = "about the program or another system, without a person"
STORED_AS_IT_IS = {
    "alerts.error": _NO_PERSON,
    "alerts.key": "what the alert is about, as a reference, and its recipient's number",
    "alerts.kind": _A_WORD,
    "alerts.state": _A_WORD,
    "alerts.subject": "a reference, never a name",
    "audit.action": _A_WORD,
    "audit.actor": _AN_ADULT,
    "audit.hash": "a code that needs a key",
    "audit.subject": "a reference, never a name; the triggers refuse to encrypt it again",
    "breach_events.kind": _A_WORD,
    "breach_events.resolution": _A_WORD,
    "breaches.clause": _A_WORD,
    "breaches.state": _A_WORD,
    "calendar_events.event_key": _A_DIGEST,
    "calendar_events.join_key": _A_DIGEST,
    "call_listed.call_id": _A_NUMBER,
    "call_listed.person": "a digest that needs a key",
    "call_listed.tenant": _NO_PERSON,
    "call_originals.call_id": _A_NUMBER,
    "call_stays.call_id": _A_NUMBER,
    "call_stays.kind": _A_WORD,
    "call_stays.person": "a digest that needs a key",
    "call_stays.tenant": _NO_PERSON,
    "call_videos.call_id": _A_NUMBER,
    "call_videos.person": "a digest that needs a key",
    "calls.id": _A_NUMBER,
    "calls.join_key": _A_DIGEST,
    "calls.organiser_id": "an Entra id, by which recordings are found; of a pupil only where a pupil called",
    "calls.organiser_tenant": _NO_PERSON,
    "calls.source": _A_WORD,
    "calls.type": _A_WORD,
    "calls_dropped.key": _A_DIGEST,
    "clause_sets.clauses": _A_WORD,
    "clause_sets.outcomes": _A_WORD,
    "concern_events.kind": _A_WORD,
    "concern_sessions.call_id": _A_NUMBER,
    "concern_sessions.log_ref": "a reference; which sessions a concern about a child is linked to decides clauses",
    "concerns.ref": _A_NUMBER,
    "conduct_concerns.ref": _A_NUMBER,
    "conduct_events.kind": _A_WORD,
    "consent_events.kind": _A_WORD,
    "consents.fingerprint": "a digest of a consent with its reason, to recognise a repeated row",
    "consents.kind": _A_WORD,
    "drafts.form": "the form, or a concern's reference",
    "family_emails.error": "the mail server's answer without addresses",
    "family_emails.kind": _A_WORD,
    "family_emails.language": _A_WORD,
    "family_emails.number": _A_NUMBER,
    "family_emails.state": _A_WORD,
    "graph_sources.message": _NO_PERSON,
    "graph_sources.source": _A_WORD,
    "graph_sources.subject": _A_DIGEST,
    "import_changes.after": "a row as it is stored, with what is encrypted in it",
    "import_changes.before": "a row as it is stored, with what is encrypted in it",
    "import_changes.table_name": _A_WORD,
    "imports.kind": _A_WORD,
    "leases.holder": _NO_PERSON,
    "leases.name": _A_WORD,
    "letters.kind": _A_WORD,
    "letters_struck.kind": _A_WORD,
    "log_invited.email": _AN_ADULT,
    "logs.ref": "the school's own reference, or a digest that needs a key",
    "mappings.key": "the name of a mapping as it is compared",
    "mappings.kind": _A_WORD,
    "mappings.name": "the name of a mapping, which names a system",
    "meeting_links.join_key": _A_DIGEST,
    "meeting_links.organiser_id": _AN_ADULT,
    "meta.key": _A_WORD,
    "meta.value": _NO_PERSON,
    "plans.ref": _A_NUMBER,
    "protocol_entries.content": "the protocol, without a person",
    "protocol_entries.key": _A_WORD,
    "protocol_entries.kind": _A_WORD,
    "pupil_policies.kind": _A_WORD,
    "pupil_policies.name": _NO_PERSON,
    "pupil_versions.house": _A_GROUP,
    "pupil_versions.school": _A_GROUP,
    "pupil_versions.year_group": _A_GROUP,
    "pupils.language": _A_WORD,
    "quarantine.call_id": _A_NUMBER,
    "quarantine.column": "a heading of a file",
    "quarantine.fingerprint": "a digest of a whole row",
    "quarantine.kind": _A_WORD,
    "quarantine.resolution": _A_WORD,
    "recordings.call_id": _A_NUMBER,
    "recordings.id": _A_NUMBER,
    "recordings.organiser_id": "an Entra id, as of `calls`",
    "schools.code": _A_GROUP,
    "schools.email_domain": _NO_PERSON,
    "schools.name": _A_GROUP,
    "session_calls.call_id": _A_NUMBER,
    "session_calls.part": _A_WORD,
    "session_days.packed": "figures without pupils, without confidential sessions and without typed purposes",
    "sessions.codes": "the outcomes of clauses",
    "sessions.department": _A_GROUP,
    "sessions.school": _A_GROUP,
    "sessions.status": _A_WORD,
    "sign_ins.key": _A_DIGEST,
    "spot_checks.result": _A_WORD,
    "spot_checks.term": _NO_PERSON,
    "staff.email": _AN_ADULT,
    "staff.entra_id": _AN_ADULT,
    "staff_versions.department": _AN_ADULT,
    "staff_versions.houses": _AN_ADULT,
    "staff_versions.name": _AN_ADULT,
    "staff_versions.roles": _AN_ADULT,
    "staff_versions.school": _AN_ADULT,
    "staff_versions.year_groups": _AN_ADULT,
    "sync_seen.id": _A_DIGEST,
    "sync_seen.stamp": _A_DIGEST,
}


def _holds_text(kind: Any) -> bool:
    stored = kind.impl if isinstance(kind, TypeDecorator) else kind
    return isinstance(stored, String | Text | LargeBinary)


def test_each_text_is_encrypted_or_has_a_reason_not_to_be() -> None:
    encrypted = (EncryptedText, EncryptedNumber, EncryptedBytes)
    as_it_is = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.sorted_tables
        for column in table.c
        if _holds_text(column.type) and not isinstance(column.type, encrypted)
    }
    assert as_it_is == STORED_AS_IT_IS.keys()
    assert all(STORED_AS_IT_IS.values())
