"""Letters to parents: written from the school's own Word templates, and entered on the register when they are sent.

A template is a .docx file in the folder `letters` beside the settings, with fields such as `{{ pupil }}`, which the
school edits in Word. Names appear as they were typed, whatever they contain. Several letters are downloaded together:
as one document with all of them, to print, and as one document each, to send by email.
"""

import re
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from datetime import date
from io import BytesIO
from typing import Any, NamedTuple

import docx
from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined
from markupsafe import Markup, escape
from sqlalchemy import Connection, and_, delete, select

from app.access.administration import record_access
from app.access.parents import list_consents, list_letters_sent
from app.access.policy import NotAllowedError, Person
from app.access.scope import find_start_and_end
from app.alerts.family_outbox import strike_emails
from app.judging.rejudge import rejudge_pupils
from app.parents.fields import create_letter_fields, create_request_fields
from app.parents.templates import Fields, TemplateError, clean_text, create_environment, load_template, naming_errors
from app.records.registers import LETTERS
from app.school import School
from app.store import reading, tables
from app.store.writing import insert_rows, raise_revision
from app.vocabulary.terms import LetterKind

KINDS = {kind.value: kind.label for kind in LetterKind}
ZIP = "application/zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_REQUEST = "request_for_consent"

Progress = Callable[[float], None]  # called with the share that is done, from 0 to 1


class Download(NamedTuple):
    """A file to download."""

    name: str
    content: bytes
    type: str


def write_letters(
    school: School, person: Person, kind: str, pupil_ids: Collection[int], progress: Progress | None = None
) -> Download:
    """Letters of a kind (a key of KINDS) to the parents of pupils whom the person leads, as one download. This is
    recorded on the audit trail. Raises TemplateError or NotAllowedError."""
    letters = [create_letter_fields(school, person, row) for row in list_pupils_led(school, person, pupil_ids)]
    download = _write(school, kind, letters, progress)
    record_access(school, person, "exported", f"letters {kind}, to {describe_pupils(pupil_ids)}")
    return download


def write_requests(school: School, person: Person, consent_ids: Collection[int]) -> Download:
    """The requests for consents that the person may answer, as one download. This is recorded on the audit trail.
    Raises TemplateError or NotAllowedError."""
    rows = list_requests(school, person, consent_ids)
    requests = [create_request_fields(school, person, row) for row in rows]
    download = _write(school, _REQUEST, requests)
    with school.writing() as connection:
        for consent_id in sorted(consent_ids):
            school.add_to_trail(connection, person.email, "exported", f"consent {consent_id}, request")
    return download


def mark_letters_sent(school: School, person: Person, kind: str, pupil_ids: Collection[int], sent_on: date) -> int:
    """Enter letters of a kind (a key of KINDS) to the parents of pupils whom the person leads on the register, and
    judge these pupils' sessions again. Returns the number of letters added; those already entered for the day are
    skipped. Raises ValueError (with a message to show) or NotAllowedError."""
    if kind not in LETTERS:
        raise ValueError(f"{kind!r} is not a kind of letter")
    if sent_on > school.today():
        raise ValueError("The day is in the future: enter a letter once it has been sent.")
    led_ids = {int(row.pupil_id) for row in list_pupils_led(school, person, pupil_ids)}
    letter = tables.letters.c
    with school.writing() as connection:
        known = select(letter.pupil_id).where(letter.kind == kind, letter.sent_on == sent_on)
        new = sorted(led_ids - set(connection.scalars(known)))
        insert_rows(
            connection, tables.letters, [{"pupil_id": pupil, "kind": kind, "sent_on": sent_on} for pupil in new]
        )
        _judge_again(connection, school, person, f"letters {kind}, sent on {sent_on}", new)
    return len(new)


def strike_letters_out(
    school: School, person: Person, kind: str, pupil_ids: Collection[int], sent_on: date, reason: str
) -> int:
    """Remove letters of a kind and day, which were added by mistake, from the register, and judge the pupils' sessions
    again. The person must lead these pupils. The letters are stored separately, with the reason. Returns the number
    struck out. Raises ValueError (with a message to show) or NotAllowedError."""
    if not reason.strip():
        raise ValueError("Say what the mistake was.")
    led_ids = {int(row.pupil_id) for row in list_pupils_led(school, person, pupil_ids)}
    letter = tables.letters.c
    with school.writing() as connection:
        of_pupils = reading.is_among(connection, letter.pupil_id, led_ids)
        mistaken = and_(letter.kind == kind, letter.sent_on == sent_on, of_pupils)
        struck = connection.scalars(select(letter.pupil_id).where(mistaken)).all()
        row = {"kind": kind, "sent_on": sent_on, "struck_at": school.now(), "struck_by": person.staff_id}
        row["reason"] = reason.strip()
        insert_rows(connection, tables.letters_struck, [row | {"pupil_id": pupil} for pupil in struck])
        connection.execute(delete(tables.letters).where(mistaken))
        strike_emails(connection, kind, struck, find_start_and_end(school, (sent_on, sent_on)))
        _judge_again(connection, school, person, f"letters {kind} of {sent_on}, struck out", struck)
    return len(struck)


def _judge_again(
    connection: Connection, school: School, person: Person, description: str, pupils: Collection[int]
) -> None:
    """Judge the pupils' sessions again after a change to the register, and record it on the audit trail."""
    if not pupils:
        return
    rejudge_pupils(connection, school, pupils)
    school.add_to_trail(connection, person.email, "changed", f"{description}, to {describe_pupils(pupils)}")
    raise_revision(connection)


def describe_pupils(pupil_ids: Collection[int]) -> str:
    """The pupils, as text for the audit trail: "pupil 12", "3 pupils"."""
    return f"pupil {next(iter(pupil_ids))}" if len(pupil_ids) == 1 else f"{len(pupil_ids)} pupils"


def list_pupils_led(school: School, person: Person, pupil_ids: Collection[int]) -> Sequence[Any]:
    """The rows of `list_letters_sent` for these pupils. Raises NotAllowedError unless the person leads all of them."""
    pupils = list_letters_sent(school, person)
    pupils = pupils[pupils["led"].astype(bool) & pupils["pupil_id"].isin(pupil_ids)]
    if len(pupils) < len(set(pupil_ids)) or pupils.empty:
        raise NotAllowedError("You do not have access to letters to these parents.")
    return list(pupils.itertuples())


def list_requests(school: School, person: Person, consent_ids: Collection[int]) -> Sequence[Any]:
    """The rows of `list_consents` for these consents. Raises NotAllowedError unless the person may answer all of
    them."""
    consents = list_consents(school, person)
    consents = consents[consents["own"].astype(bool) & consents["consent_id"].isin(consent_ids)]
    if len(consents) < len(set(consent_ids)) or consents.empty:
        raise NotAllowedError("You do not have access to consents.")
    return list(consents.itertuples())


# --- from a template to files


def _write(school: School, template: str, letters: Sequence[Fields], progress: Progress | None = None) -> Download:
    file = f"{template}.docx"
    content = load_template(file)
    documents = []
    for number, fields in enumerate(letters, start=1):
        documents.append(_render(file, content, fields))
        if progress:
            progress(number / (len(letters) + 1))
    name = template.replace("_", " ")
    if len(documents) == 1:
        return Download(f"{name}, {_as_file_name(letters[0]['pupil'])}.docx", _to_bytes(documents[0]), DOCX)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (document, fields) in enumerate(zip(documents, letters, strict=True), start=1):
            archive.writestr(f"one by one/{number:03} {_as_file_name(fields['pupil'])}.docx", _to_bytes(document))
        archive.writestr("all, to print.docx", _to_bytes(_join(documents)))
    return Download(f"{name}, {len(documents)} letters, {school.today()}.zip", packed.getvalue(), ZIP)


def _render(file: str, content: bytes, fields: Fields) -> Document:
    """A letter from its template. Raises TemplateError, with the template's name and the fix, if the template is
    wrong."""
    expected = "a Word document with fields. Open it in Word and save it as .docx"
    with naming_errors(file, fields, editor="in Word", expected=expected):
        letter = DocxTemplate(BytesIO(content))
        _check_headers(file, letter)
        letter.render(fields, create_environment(_as_typed, autoescape=True))
        document: Document = letter.docx
        return document


def _check_headers(file: str, letter: DocxTemplate) -> None:
    """Raise TemplateError for a field in a header, footer or footnote: all letters in a document would show the value
    of the first."""
    letter.init_docx()
    for part in letter.docx.part.package.iter_parts():
        around = re.search(r"(header|footer|footnotes)\+xml$", part.content_type)
        if around and re.search(rb"\{[{%#]", re.sub(rb"<[^>]*>", b"", part.blob)):
            raise TemplateError(
                f"The template {file} has a field in its {around[1]}. Move it into the text of the letter: headers, "
                "footers and footnotes are the same on all letters that are printed together."
            )


def _as_typed(value: Any) -> Any:
    """A field's text for the file. `_` is escaped, since the template engine reads `{_{` as two braces."""
    if isinstance(value, StrictUndefined):
        return value
    return Markup(str(escape(clean_text(value))).replace("_", "&#95;"))  # escaped # noqa: S704 # nosec B704


def _join(documents: Sequence[Document]) -> Document:
    """All letters in one document. Each is a section of its own, so that it begins on a new page, and its pages are
    numbered from 1. All must come from the same template, so that they share styles and pictures."""
    whole = docx.Document(BytesIO(_to_bytes(documents[0])))
    last = whole.element.body.sectPr
    _count_pages_from_one(last)
    for document in documents[1:]:
        _end_section(last)
        for element in document.element.body:
            if element.tag != qn("w:sectPr"):
                last.addprevious(deepcopy(element))
    return whole


def _end_section(last: Any) -> None:
    """End a section before `last`, the properties of the last section, with a copy of them."""
    paragraph = last.getprevious()
    if paragraph is None or paragraph.tag != qn("w:p") or paragraph.find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is not None:
        paragraph = OxmlElement("w:p")
        last.addprevious(paragraph)
    paragraph.get_or_add_pPr().append(deepcopy(last))


def _count_pages_from_one(section: Any) -> None:
    numbering = section.find(qn("w:pgNumType"))
    if numbering is None:
        numbering = OxmlElement("w:pgNumType")
        margins = section.find(qn("w:pgMar"))
        margins.addnext(numbering) if margins is not None else section.append(numbering)
    numbering.set(qn("w:start"), "1")


def _to_bytes(document: Document) -> bytes:
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _as_file_name(words: str) -> str:
    """The text as part of a file name, without characters that file systems reject or that change the direction of
    text."""
    shown = "".join(c for c in words if unicodedata.category(c)[0] != "C" and c not in '\\/:*?"<>|')
    return shown.strip(" .")[:60] or "letter"
