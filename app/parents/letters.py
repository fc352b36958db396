"""Letters to parents: written from the school's own Word templates, and put on the register when they are sent.

A template is a .docx file in the folder `letters` beside the settings, which the school edits in Word; `{{ pupil }}`
and the other FIELDS stand where their words go. What people are called comes out as it was typed, whatever it holds.
Of several letters one file holds all, each from a new page on, for who prints them, and a folder each alone, for who
sends them by e-mail.
"""

import re
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from datetime import date, datetime
from io import BytesIO
from typing import Any, NamedTuple

import docx
import pandas as pd
from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape
from sqlalchemy import Connection, and_, delete, insert, select

from app.access.administration import record_access
from app.access.parents import list_consents, list_letters_sent
from app.access.policy import NotAllowedError, Person, describe_post
from app.judging.rejudge import Touched, rejudge
from app.records.registers import LETTERS
from app.school import School
from app.settings import ROOT, WEEKDAYS, Settings, settings_file
from app.store import reading, tables
from app.store.writing import raise_revision
from app.vocabulary import LetterKind, Role

OWN = ROOT / "data" / "letters"  # the templates that come with the program
KINDS = {kind.value: kind.label for kind in LetterKind}
REQUEST = "request_for_consent"
FIELDS = {
    "pupil": "the pupil's name",
    "year_group": "the pupil's year",
    "house": "the pupil's house",
    "tutor": "the tutor's name",
    "school": "the school's name",
    "date": "today",
    "sender": "who sends it",
    "sender_role": "what they are at the school",
    "tuition_from": "when academic tuition begins at the earliest",
    "tuition_to": "when it ends at the latest",
    "one_to_one_times": "when one-to-ones take place",
}
REQUEST_FIELDS = FIELDS | {
    "what": "what the consent is to",
    "times": "for which times it is asked",
    "reason": "why it is asked for",
}
_WHAT = {
    "outside_hours": "Academic tuition by videoconference outside the usual hours",
    "one_to_one": "A one-to-one with a member of the pastoral team outside lunchtime and tutor time",
}
ZIP = "application/zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_DAY_NAMES = dict(
    zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)


class TemplateError(Exception):
    """A template that cannot be used; the message names it and the fix."""


class Download(NamedTuple):
    """A file to hand out."""

    name: str
    content: bytes
    type: str


def write_letters(
    school: School,
    person: Person,
    kind: str,
    pupil_ids: Collection[int],
    progress: Callable[[float], None] = lambda _share: None,
) -> Download:
    """The letters of a kind of KINDS to the parents of some pupils whom the person leads, as one download;
    recorded on the audit trail. TemplateError; NotAllowedError."""
    rows = _theirs(school, person, pupil_ids)
    fields = [_about(school, person, row) for row in rows]
    made = _download(kind, FIELDS, fields, progress, school.today())
    _on_trail(school, person, "exported", f"letters {kind}", pupil_ids)
    return made


def write_requests(school: School, person: Person, consent_ids: Collection[int]) -> Download:
    """The requests for some consents that are the person's, as one download; recorded on the audit trail.
    TemplateError; NotAllowedError."""
    consents = list_consents(school, person)
    consents = consents[consents["own"].astype(bool) & consents["consent_id"].isin(consent_ids)]
    if len(consents) < len(set(consent_ids)) or consents.empty:
        raise NotAllowedError("You do not have access to consents.")
    fields = [
        _about(school, person, row)
        | {"what": _WHAT[row.kind], "times": times(row.covers_from, row.covers_to), "reason": row.reason or ""}
        for row in consents.itertuples()
    ]
    made = _download(REQUEST, REQUEST_FIELDS, fields, lambda _share: None, school.today())
    with school.writing() as connection:
        for consent_id in sorted(consent_ids):
            about = f"consent {consent_id}, request"
            school.add_to_trail(connection, person.email, "exported", about)
    return made


def mark_letters_sent(school: School, person: Person, kind: str, pupil_ids: Collection[int], sent_on: date) -> int:
    """Put letters of a kind of KINDS to the parents of some pupils whom the person leads on the register, judge
    their sessions again, and tell how many were not on it for that day yet. ValueError, in words; NotAllowedError."""
    if kind not in LETTERS:
        raise ValueError(f"{kind!r} is no kind of letter")
    if sent_on > school.today():
        raise ValueError("The day is in the future: enter a letter once it has been sent.")
    wanted = {int(row.pupil_id) for row in _theirs(school, person, pupil_ids)}
    letter = tables.letters.c
    with school.writing() as connection:
        there = select(letter.pupil_id).where(letter.kind == kind, letter.sent_on == sent_on)
        new = sorted(wanted - set(connection.scalars(there)))
        if new:
            connection.execute(
                insert(tables.letters), [{"pupil_id": pupil, "kind": kind, "sent_on": sent_on} for pupil in new]
            )
            _judge_again(connection, school, new)
    if new:
        _on_trail(school, person, "changed", f"letters {kind}, sent on {sent_on}", new)
    return len(new)


def strike_letters_out(
    school: School, person: Person, kind: str, pupil_ids: Collection[int], sent_on: date, why: str
) -> int:
    """Take letters of a kind and day to the parents of some pupils whom the person leads off the register, because they
    had been put there by mistake; what stood there is kept with the reason. Their sessions are judged again. Tells
    how many there were. ValueError, in words; NotAllowedError."""
    if not why.strip():
        raise ValueError("Say what the mistake was.")
    wanted = {int(row.pupil_id) for row in _theirs(school, person, pupil_ids)}
    letter = tables.letters.c
    with school.writing() as connection:
        mine = and_(
            letter.kind == kind, letter.sent_on == sent_on, reading.is_among(connection, letter.pupil_id, wanted)
        )
        there = list(connection.scalars(select(letter.pupil_id).where(mine)))
        if there:
            struck = {
                "kind": kind,
                "sent_on": sent_on,
                "struck_at": school.now(),
                "struck_by": person.staff_id,
                "reason": why.strip(),
            }
            connection.execute(insert(tables.letters_struck), [struck | {"pupil_id": pupil} for pupil in there])
            connection.execute(delete(tables.letters).where(mine))
            _judge_again(connection, school, there)
    if there:
        _on_trail(school, person, "changed", f"letters {kind} of {sent_on}, struck out", there)
    return len(there)


def _judge_again(connection: Connection, school: School, pupil_ids: Collection[int]) -> None:
    among = tables.session_pupils.c
    mine = reading.is_among(connection, among.pupil_id, pupil_ids)
    sessions = set(connection.scalars(select(among.session_id).where(mine)))
    rejudge(connection, school.settings, Touched(sessions=sessions), school.now())
    raise_revision(connection)


def times(start: datetime | pd.Timestamp, end: datetime | pd.Timestamp) -> str:
    """From when to when, in school time, as one writes it in a letter; whole days without their hours."""

    def day(when: datetime | pd.Timestamp) -> str:
        return f"{when:%A} {when.day} {when:%B %Y}"

    whole = f"{start:%H:%M}" == "00:00" and f"{end:%H:%M}" in ("00:00", "23:59")
    last = end - pd.Timedelta(seconds=1) if whole and f"{end:%H:%M}" == "00:00" else end
    if start.date() == last.date():
        return day(start) if whole else f"{day(start)}, from {start:%H:%M} to {end:%H:%M}"
    return (
        f"from {day(start)} to {day(last)}"
        if whole
        else f"from {day(start)}, {start:%H:%M}, to {day(end)}, {end:%H:%M}"
    )


# --- whose, and their fields -------------------------------------------------------------------------


def _theirs(school: School, person: Person, pupil_ids: Collection[int]) -> Sequence[Any]:
    pupils = list_letters_sent(school, person)
    pupils = pupils[pupils["led"].astype(bool) & pupils["pupil_id"].isin(pupil_ids)]
    if len(pupils) < len(set(pupil_ids)) or pupils.empty:
        raise NotAllowedError("You do not have access to letters to these parents.")
    return list(pupils.itertuples())


def _on_trail(school: School, person: Person, what: str, about: str, pupil_ids: Collection[int]) -> None:
    to = f"pupil {next(iter(pupil_ids))}" if len(pupil_ids) == 1 else f"{len(pupil_ids)} pupils"
    record_access(school, person, what, f"{about}, to {to}")


def _about(school: School, person: Person, row: Any) -> dict[str, str]:
    tutor = getattr(row, "tutor", None)
    today = school.today()
    return {
        "pupil": row.pupil,
        "year_group": row.year_group,
        "house": row.house,
        "tutor": tutor if isinstance(tutor, str) else "",
        "school": school.settings.name,
        "date": f"{today.day} {today:%B %Y}",
        "sender": person.name,
        "sender_role": describe_post(person, _POSTS),
    } | _hours(school.settings, today)


# A letter says nothing of counselling, also where a counsellor who teaches writes it.
_POSTS = [role for role in Role if role.has_pupils]


def _hours(settings: Settings, day: date) -> dict[str, str]:
    """The hours in force on a day, as one writes them."""
    rules = settings.rules_on(day)
    slots = []
    for slot in rules.one_to_one_slots:
        days = [_DAY_NAMES[name] for name in slot.days]
        on = "" if len(days) >= 5 else f" on {' and '.join(days)}"
        slots.append(f"{slot.name[:1].lower() + slot.name[1:]} ({slot.from_:%H:%M} to {slot.to:%H:%M}{on})")
    opens, closes = rules.academic_hours
    return {"tuition_from": f"{opens:%H:%M}", "tuition_to": f"{closes:%H:%M}", "one_to_one_times": " or ".join(slots)}


# --- from a template to files -------------------------------------------------------------------------------


def _download(
    template: str,
    fields: Mapping[str, str],
    letters: Sequence[Mapping[str, str]],
    progress: Callable[[float], None],
    today: date,
) -> Download:
    file, content = _template(f"{template}.docx")
    documents = []
    for place, values in enumerate(letters, start=1):
        documents.append(_written(file, content, fields, values))
        progress(place / (len(letters) + 1))
    name = template.replace("_", " ")
    if len(documents) == 1:
        return Download(f"{name}, {_file_name(letters[0]['pupil'])}.docx", _saved(documents[0]), DOCX)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (document, values) in enumerate(zip(documents, letters, strict=True), start=1):
            archive.writestr(f"one by one/{place:03} {_file_name(values['pupil'])}.docx", _saved(document))
        archive.writestr("all, to print.docx", _saved(_together(documents)))
    return Download(f"{name}, {len(documents)} letters, {today}.zip", packed.getvalue(), ZIP)


def _template(file: str) -> tuple[str, bytes]:
    """The school's own template, beside its settings, else the one that comes with the program."""
    beside = settings_file().parent / "letters" / file
    try:
        return file, (beside if beside.exists() else OWN / file).read_bytes()
    except OSError:
        raise TemplateError(
            f"The template {file} cannot be read. Put it into the folder letters beside protocol.toml; one comes with "
            "the program, in data/letters."
        ) from None


def _written(file: str, content: bytes, fields: Mapping[str, str], values: Mapping[str, str]) -> Document:
    """A letter; whatever is wrong with the template is reported with its name and the fix."""
    environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined, finalize=_as_typed)
    try:
        letter = DocxTemplate(BytesIO(content))
        _no_fields_around_the_text(file, letter)
        letter.render({name: values[name] for name in fields}, environment)
    except TemplateError:
        raise
    except UndefinedError as error:
        raise TemplateError(
            f"The template {file} has an unknown field: {_named(error)}. Correct it in Word; "
            f"the fields are {', '.join(fields)}."
        ) from None
    except TemplateSyntaxError as error:
        raise TemplateError(
            f"The template {file} has an incomplete field: {error.message}. In Word, write each as "
            "{{ pupil }}: two braces before and after, and nothing else between them."
        ) from None
    except Exception:  # whatever a file can hold that is no Word document, or a field can ask for
        raise TemplateError(
            f"The template {file} cannot be read as a Word document with fields. Open it in Word and save it as .docx, "
            "or put back the one that comes with the program."
        ) from None
    document: Document = letter.docx
    return document


def _named(error: UndefinedError) -> str:
    found = re.search(r"'([^']{1,40})' is undefined", error.message or "")
    return found.group(1) if found else "see the words between braces"


def _no_fields_around_the_text(file: str, letter: DocxTemplate) -> None:
    """What stands above and below every page is the first letter's where all are printed together."""
    letter.init_docx()
    for part in letter.docx.part.package.iter_parts():
        around = re.search(r"(header|footer|footnotes)\+xml$", part.content_type)
        if around and re.search(rb"\{[{%#]", re.sub(rb"<[^>]*>", b"", part.blob)):
            raise TemplateError(
                f"The template {file} has a field in its {around[1]}. Move it into the text of the letter: headers, "
                "footers and footnotes are the same on all letters that are printed together."
            )


_CANNOT_BE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _as_typed(value: Any) -> Any:
    """A field's words for the file. Letters that no Word document can hold are left out; letters that turn the
    direction of writing turn these words alone; `_` is written so that the template's own signs (`{_{` stands for
    two braces) are not seen in them."""
    if isinstance(value, StrictUndefined):
        return value
    words = _CANNOT_BE.sub("", str(value))
    for opening, closing in (("\u2066\u2067\u2068", "\u2069"), ("\u202a\u202b\u202d\u202e", "\u202c")):
        words += closing * max(0, sum(words.count(sign) for sign in opening) - words.count(closing))
    return Markup(str(escape(words)).replace("_", "&#95;"))  # escaped # noqa: S704 # nosec B704


def _together(documents: Sequence[Document]) -> Document:
    """All letters in one document: each is a section of its own, so that it begins on a new page, and its pages
    are counted from one. All come from one template, so that styles and pictures are the same."""
    whole = docx.Document(BytesIO(_saved(documents[0])))
    last = whole.element.body.sectPr
    for place, document in enumerate(documents):
        if place:
            for element in document.element.body:
                if element.tag != qn("w:sectPr"):
                    last.addprevious(deepcopy(element))
        if place < len(documents) - 1:
            _end_section(last)
    _count_from_one(last)
    return whole


def _end_section(last: Any) -> None:
    paragraph = last.getprevious()
    if paragraph is None or paragraph.tag != qn("w:p") or paragraph.find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is not None:
        paragraph = OxmlElement("w:p")
        last.addprevious(paragraph)
    section = deepcopy(last)
    _count_from_one(section)
    paragraph.get_or_add_pPr().append(section)


def _count_from_one(section: Any) -> None:
    counted = section.find(qn("w:pgNumType"))
    if counted is None:
        counted = OxmlElement("w:pgNumType")
        before = section.find(qn("w:pgMar"))
        before.addnext(counted) if before is not None else section.append(counted)
    counted.set(qn("w:start"), "1")


def _saved(document: Document) -> bytes:
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _file_name(words: str) -> str:
    """Words as a part of a file's name: without signs that a disk does not take or that turn the reading."""
    shown = "".join(c for c in words if unicodedata.category(c)[0] != "C" and c not in '\\/:*?"<>|')
    return shown.strip(" .")[:60] or "letter"
