"""Letters to parents: they hold what was typed, and a broken template is named with the fix."""

import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.access.administration import get_audit_trail
from app.access.parents import list_letters_sent
from app.access.policy import NotAllowedError
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.intake.files import import_logs
from app.parents import letters
from app.parents.consents import ask_for_consent
from app.parents.letters import mark_letters_sent, strike_letters_out, write_letters, write_requests
from app.parents.templates import OWN, TemplateError
from app.records.registers import Consent
from app.school import School
from app.store import tables
from tests import people
from tests.people import someone

NASTY = "Siân <b>& Co</b> {{ sender }} {% if x %} {_{ y }_} a_b \u200f\u202eabc"


def pupils(school: School, name: str = "sdh") -> dict[str, int]:
    rows = list_letters_sent(school, someone(school, name))
    return {row.email.split("@")[0]: row.pupil_id for row in rows.itertuples()}


def rename(school: School, pupil: int, name: str) -> None:
    version = tables.pupil_versions
    with school.engine.begin() as connection:
        connection.execute(update(version).where(version.c.pupil_id == pupil).values(name=name))


def opened(content: bytes) -> str:
    """Every word of a letter; a line break within a paragraph is one."""
    document = Document(BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def on_trail(school: School) -> list[str]:
    return list(get_audit_trail(school, someone(school, "admin"))["subject"])


def test_a_letter_names_the_pupil_and_the_hours_in_force(school: School) -> None:
    made = write_letters(school, someone(school, "hoy9"), "introduction", [pupils(school)["aled"]])
    words = opened(made.content)
    assert made.name == "introduction, Aled Pugh.docx"
    for expected in ("parents and carers of Aled Pugh", "Year 9, Monnow", "between 08:30 and 17:30", "Head of Year 9"):
        assert expected in words
    assert "{" not in words
    assert on_trail(school)[0] == f"letters introduction, to pupil {pupils(school)['aled']}"


@pytest.mark.parametrize("kind", letters.KINDS)
def test_several_letters_are_one_file_and_single_files(school: School, kind: str) -> None:
    made = write_letters(school, someone(school, "sdh"), kind, pupils(school).values())
    archive = zipfile.ZipFile(BytesIO(made.content))
    alone = [opened(archive.read(name)) for name in archive.namelist() if name.startswith("one by one/")]
    whole = archive.read("all, to print.docx")
    assert opened(whole) == "\n".join(alone)
    sections = Document(BytesIO(whole)).sections
    assert len(sections) == len(people.PUPILS) == len(alone)
    assert {section._sectPr.find(qn("w:pgNumType")).get(qn("w:start")) for section in sections} == {"1"}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40))
def test_a_name_is_printed_as_typed(name: str) -> None:
    template = (OWN / "request_for_consent.docx").read_bytes()
    names = DocxTemplate(BytesIO(template)).get_undeclared_template_variables()
    words = opened(letters._to_bytes(letters._render("x", template, dict.fromkeys(names, "-") | {"pupil": name})))
    assert f"carers of {name}" in words


@pytest.mark.parametrize("name", [NASTY, "x" * 10_000, "أمينة \u200f(Amina)"])
def test_a_name_with_any_characters_is_printed_as_typed(school: School, name: str) -> None:
    rename(school, pupils(school)["aled"], name)
    made = write_letters(school, someone(school, "sdh"), "introduction", [pupils(school)["aled"]])
    assert f"To the parents and carers of {name}" in opened(made.content)
    assert len(made.name) < 100
    assert not set(made.name) & set('\\/:*?"<>|\u202e')


def test_a_direction_mark_in_a_name_does_not_reach_the_rest(school: School) -> None:
    rename(school, pupils(school)["aled"], "abc\u202edef")
    made = write_letters(school, someone(school, "sdh"), "introduction", [pupils(school)["aled"]])
    assert "before abc\u202edef\u202c is first invited" in opened(made.content)


def test_letters_are_written_and_sent_by_those_who_lead_the_pupil(school: School) -> None:
    everybody = pupils(school)
    for name, mine in (("tutor", "aled"), ("teacher", "aled"), ("hoy9", "dai"), ("hm", "bethan"), ("slt", "aled")):
        for act in (
            lambda person, ids: write_letters(school, person, "introduction", ids),
            lambda person, ids: strike_letters_out(school, person, "introduction", ids, school.today(), "x"),
            lambda person, ids: mark_letters_sent(school, person, "introduction", ids, school.today()),
        ):
            with pytest.raises(NotAllowedError):
                act(someone(school, name), [everybody[mine], everybody["aled"]])


def test_letters_marked_as_sent_are_registered_once_and_judged(school: School, tmp_path: Path) -> None:
    monday = school.today() - timedelta(days=school.today().isoweekday() + 6)
    with school.engine.begin() as connection:
        connection.execute(tables.letters.delete())
    lesson = people.log("teacher", "aled", f"{monday}T10:00")
    assert not import_logs(school, people.table(tmp_path / "logs.csv", [lesson])).rejected
    aled, hoy = pupils(school)["aled"], someone(school, "hoy9")

    def told() -> str:
        rows = list_sessions(school, someone(school, "teacher"), (monday, monday))
        view = get_session(school, someone(school, "teacher"), int(rows["session_id"].iloc[0]))
        assert view is not None
        return str(view.clauses.set_index("clause").loc["parents-told", "outcome"])

    assert told() == "no_evidence"
    assert mark_letters_sent(school, hoy, "introduction", [aled], school.today()) == 1
    assert told() == "breach"
    for new in (1, 0):
        assert mark_letters_sent(school, hoy, "introduction", [aled], monday - timedelta(days=1)) == new
    assert told() == "met"
    assert list_letters_sent(school, hoy).set_index("pupil_id").loc[aled, "introduction"].date() < monday
    with pytest.raises(ValueError, match="what the mistake was"):
        strike_letters_out(school, hoy, "introduction", [aled], monday - timedelta(days=1), " ")
    for gone in (1, 0):
        assert strike_letters_out(school, hoy, "introduction", [aled], monday - timedelta(days=1), "a slip") == gone
    assert told() == "breach"
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.letters_struck.c.reason)).all() == ["a slip"]
    with pytest.raises(ValueError, match="future"):
        mark_letters_sent(school, hoy, "introduction", [aled], school.today() + timedelta(days=1))


def test_a_request_says_what_when_and_why(school: School) -> None:
    evening = school.now().astimezone(school.settings.zone).replace(hour=18, minute=0, second=0, microsecond=0)
    teacher = someone(school, "teacher")
    request = Consent(
        pupil_id=pupils(school)["aled"],
        kind="outside_hours",
        covers_from=evening,
        covers_to=evening + timedelta(hours=1),
        reason="Away & <abroad>\nuntil Friday",
    )
    consent_id = ask_for_consent(school, teacher, request)
    words = opened(write_requests(school, teacher, [consent_id]).content)
    for expected in ("Away & <abroad>\nuntil Friday", "from 18:00 to 19:00", "outside the usual hours", "To Teacher"):
        assert expected in words
    assert on_trail(school)[0] == f"consent {consent_id}, request"
    with pytest.raises(NotAllowedError):
        write_requests(school, someone(school, "musician"), [consent_id])


# --- templates ------------------------------------------------------------------------------------------


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The school's own template of an introduction."""
    (tmp_path / "letters").mkdir()
    monkeypatch.setenv("PROTOCOL_FILE", str(tmp_path / "protocol.toml"))
    return tmp_path / "letters" / "introduction.docx"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dear {{ pupil_nam }}", "has an unknown field: pupil_nam"),
        ("Dear {{ pupil }", "an incomplete field"),
        ("{% if pupil %}Dear", "an incomplete field"),
        ("Dear {{ 1 / 0 }}", "cannot be read as a Word document"),
        ("Dear {{ pupil.__class__.__mro__ }}", "template introduction.docx"),
    ],
)
def test_write_letters_names_a_broken_template(school: School, template: Path, text: str, words: str) -> None:
    document = Document()
    document.add_paragraph(text)
    document.save(str(template))
    with pytest.raises(TemplateError, match=words) as told:
        write_letters(school, someone(school, "sdh"), "introduction", [pupils(school)["aled"]])
    assert "introduction.docx" in str(told.value)
    assert "Aled" not in str(told.value)
    assert on_trail(school) == [about for about in on_trail(school) if "letters introduction, to" not in about]


def test_a_template_that_is_no_word_document_or_has_fields_in_its_header(school: School, template: Path) -> None:
    def trouble() -> str:
        with pytest.raises(TemplateError) as told:
            write_letters(school, someone(school, "sdh"), "introduction", [pupils(school)["aled"]])
        return str(told.value)

    template.write_text("Dear parents")
    assert "cannot be read as a Word document" in trouble()
    document = Document()
    document.sections[0].header.paragraphs[0].text = "About {{ pupil }}"
    document.save(str(template))
    assert "in its header" in trouble()


def test_the_schools_own_template_takes_precedence(school: School, template: Path) -> None:
    document = Document()
    document.add_paragraph("Annwyl rieni {{ pupil }}")
    document.save(str(template))
    aled = [pupils(school)["aled"]]
    assert (
        opened(write_letters(school, someone(school, "sdh"), "introduction", aled).content) == "Annwyl rieni Aled Pugh"
    )
    assert "Microsoft Teams" in opened(write_letters(school, someone(school, "sdh"), "one_to_one", aled).content)
    with school.engine.connect() as connection:
        assert connection.scalar(select(tables.audit.c.id)) is not None
