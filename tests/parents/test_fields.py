"""The fields of letters in two languages, and the templates of emails that are filled with them."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from docxtpl import DocxTemplate

from app.access.policy import describe_post
from app.parents.email_templates import render_email
from app.parents.fields import format_period
from app.parents.templates import OWN, TemplateError
from app.school import School
from app.vocabulary.roles import Role
from app.vocabulary.terms import FamilyEmailKind
from tests.people import someone

KINDS, LANGUAGES = list(FamilyEmailKind), ("en", "cy")


def fields_of(text: str) -> set[str]:
    return set(re.findall(r"{{ (\w+) }}", text)) | set(re.findall(r"{% if (\w+) %}", text))


@pytest.mark.parametrize("kind", KINDS)
def test_an_email_says_no_more_about_a_child_than_the_word_letter(kind: FamilyEmailKind) -> None:
    letter = "request_for_consent" if kind == FamilyEmailKind.REMINDER else kind
    in_word = DocxTemplate(OWN / f"{letter}.docx").get_undeclared_template_variables()
    english, welsh = (fields_of((OWN / f"{kind}.{language}.txt").read_text("utf-8")) for language in LANGUAGES)
    assert english == welsh
    assert english <= in_word
    for language in LANGUAGES:
        assert "pupil" not in fields_of((OWN / f"{kind}.{language}.txt").read_text("utf-8").partition("\n")[0])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_render_email_shows_what_people_typed_unchanged(kind: FamilyEmailKind, language: str) -> None:
    names = fields_of((OWN / f"{kind}.{language}.txt").read_text("utf-8"))
    fields = dict.fromkeys(names, "x") | {"pupil": "Siân <b>& Co</b> {{ sender }}\x00", "reason": "a\nb"}
    subject, body = render_email(kind, language, fields)
    assert "Siân <b>& Co</b> {{ sender }}," in body
    assert "\n" not in subject
    assert "\x00" not in body
    assert ("Dear parents" in body) == (language == "en")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Subject\n\nDear {{ pupil_nam }}", "an unknown field: pupil_nam. Correct it in a text editor"),
        ("Subject\n\nDear {{ pupil }", "an incomplete field"),
        ("Subject", "is incomplete"),
        ("Subject\n\nDear {{ pupil.__class__.__mro__ }}", "template introduction.en.txt"),
    ],
)
def test_render_email_names_a_broken_template_of_the_school(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setenv("PROTOCOL_FILE", str(tmp_path / "protocol.toml"))
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "introduction.en.txt").write_text(text)
    with pytest.raises(TemplateError, match=words) as fault:
        render_email(FamilyEmailKind.INTRODUCTION, "en", {"pupil": "Aled Pugh"})
    assert "Aled" not in str(fault.value)


def test_render_email_names_a_template_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROTOCOL_FILE", str(tmp_path / "protocol.toml"))
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "introduction.en.txt").write_bytes("Cyflwyniad\n\nTŷ".encode("utf-16"))
    with pytest.raises(TemplateError, match="Save it as UTF-8"):
        render_email(FamilyEmailKind.INTRODUCTION, "en", {"pupil": "Aled Pugh"})


@pytest.mark.parametrize(
    ("start", "end", "english", "welsh"),
    [
        (
            "2026-11-03T18:00",
            "2026-11-03T19:00",
            "Tuesday 3 November 2026, from 18:00 to 19:00",
            "dydd Mawrth 3 Tachwedd 2026, o 18:00 i 19:00",
        ),
        ("2026-02-01T00:00", "2026-02-02T00:00", "Sunday 1 February 2026", "dydd Sul 1 Chwefror 2026"),
        (
            "2026-08-01T00:00",
            "2026-08-07T23:59",
            "from Saturday 1 August 2026 to Friday 7 August 2026",
            "o ddydd Sadwrn 1 Awst 2026 i ddydd Gwener 7 Awst 2026",
        ),
        (
            "2026-12-02T18:00",
            "2026-12-03T19:00",
            "from Wednesday 2 December 2026, 18:00, to Thursday 3 December 2026, 19:00",
            "o ddydd Mercher 2 Rhagfyr 2026, 18:00, i ddydd Iau 3 Rhagfyr 2026, 19:00",
        ),
    ],
)
def test_format_period_in_both_languages(start: str, end: str, english: str, welsh: str) -> None:
    times = datetime.fromisoformat(start), datetime.fromisoformat(end)
    assert (format_period(*times), format_period(*times, "cy")) == (english, welsh)


def test_describe_post_in_welsh(school: School) -> None:
    posts = {name: describe_post(someone(school, name), welsh=True) for name in ("sdh", "hoy9", "hm", "tutor", "admin")}
    assert posts == {
        "sdh": "Uwch Ddirprwy Bennaeth (Bugeiliol)",
        "hoy9": "Pennaeth Blwyddyn 9",
        "hm": "Pennaeth Tŷ Monnow",
        "tutor": "Tiwtor",
        "admin": "Aelod o staff",
    }
    assert all(role.welsh != "Aelod o staff" for role in Role if role.has_pupils)
