"""The parents' registers: letters sent, and consents."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Annotated

from pydantic import BeforeValidator

from app.records.fields import (
    DayCell,
    Email,
    EndCell,
    OptionalEndCell,
    OptionalText,
    Row,
    StartCell,
    check_cells,
    parse_rows,
    read_word,
)
from app.records.people.roster import Roster
from app.records.rows import InvalidCellError, ParsedRows
from app.records.tables.tabular import Expected, Table
from app.records.times import parse_end
from app.settings import Settings
from app.vocabulary.terms import ConsentKind, LetterKind
from app.vocabulary.words import fold

LETTERS = tuple(kind.value for kind in LetterKind)
CONSENTS = tuple(kind.value for kind in ConsentKind)


def _parse_kind(value: str, kinds: tuple[str, ...]) -> str:
    word = read_word(value)
    if word not in kinds:
        raise InvalidCellError("is not one of the kinds", f"write one of: {', '.join(kinds)}")
    return word


class _LetterCells(Row):
    pupil_email: Email
    kind: Annotated[str, BeforeValidator(partial(_parse_kind, kinds=LETTERS))]
    sent_on: DayCell


class _ConsentCells(Row):
    pupil_email: Email
    kind: Annotated[str, BeforeValidator(partial(_parse_kind, kinds=CONSENTS))]
    covers_from: StartCell
    covers_to: EndCell
    reason: OptionalText
    obtained_at: OptionalEndCell
    given_by: OptionalText
    slt_informed_at: OptionalEndCell


LETTERS_TABLE = Expected(tuple(_LetterCells.model_fields), ("pupil_email", "kind", "sent_on"))
CONSENTS_TABLE = Expected(tuple(_ConsentCells.model_fields), ("pupil_email", "kind", "covers_from", "covers_to"))

# A form that asks parents for their consent, in English or Welsh: how such questions and their answers are recognised.
_QUESTION = re.compile("consent|permission|agree|allow|caniat|cydsyn", re.IGNORECASE)
_ASKS = re.compile(r"\?$|\bgiven$|^(?:do|does|did|will|can|may|i|we)\b", re.IGNORECASE)
_REFUSAL = re.compile(
    r"(?:no|n|na|nac|false|0)(?:\W|$)|.*\b(?:do|does) ?n['o]t\b|.*\b(?:not|refus\w*|declin\w*|withh\w*|dim)\b"
)
_YES = re.compile(
    r"(?:yes|y|true|1|ie|ydw|ydyn|ydy|ydi|oes|cytuno|cytunaf|caniatáu|agreed?|given|granted"
    r"|(?:i|we) (?:do|agree|consent|give|allow)|(?:rw?y?dw i|rwy)'n (?:cytuno|caniatáu))(?:\W|$)"
)
_CONDITION = re.compile(r"\b(?:but|only|except|unless|until|if|provided|subject to|ond|os|oni|heblaw|ar yr amod)\b")


class Letter(Row):
    """A letter to the parents of a pupil."""

    pupil_id: int
    kind: str
    sent_on: date


class Consent(Row):
    """A parent's consent. `obtained_at` is None if it was asked for but not given yet. All times are in UTC."""

    pupil_id: int
    kind: str
    covers_from: datetime
    covers_to: datetime
    reason: str | None
    obtained_at: datetime | None = None
    given_by: str | None = None
    slt_informed_at: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """A digest of the content, equal for rows with equal content."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def parse_letters(table: Table, roster: Roster, settings: Settings, now: datetime) -> ParsedRows[Letter]:
    """The rows of letters.csv."""
    table.require(LETTERS_TABLE)

    def parse(cells: dict[str, str]) -> Letter:
        row = check_cells(_LetterCells, cells)
        if row.sent_on > now.astimezone(settings.zone).date():
            raise InvalidCellError("is in the future", "enter a letter once it has been sent", "sent_on")
        return Letter(pupil_id=_pupil_id(row.pupil_email, roster), kind=row.kind, sent_on=row.sent_on)

    return parse_rows(table, _LetterCells, parse)


def parse_consents(table: Table, roster: Roster, settings: Settings, now: datetime) -> ParsedRows[Consent]:
    """The rows of consents.csv. In `covers_from` and `covers_to`, a day without a time covers the whole day. In
    `obtained_at` and `slt_informed_at` it counts as the end of that day, so never too early."""
    table.require(CONSENTS_TABLE)
    questions = _find_questions(table)
    end_of_today = parse_end(now.astimezone(settings.zone).date().isoformat(), settings)

    def parse(cells: dict[str, str]) -> Consent:
        _check_given(cells, questions)
        row = check_cells(_ConsentCells, cells, settings)
        if row.covers_to <= row.covers_from:
            raise InvalidCellError("is not after covers_from", "correct one of the two", "covers_to")
        for column in ("obtained_at", "slt_informed_at"):
            moment = getattr(row, column)
            if moment is not None and moment > end_of_today:
                raise InvalidCellError("is in the future", "correct it, or leave it blank until then", column)
        return Consent(pupil_id=_pupil_id(row.pupil_email, roster), **row.model_dump(exclude={"pupil_email"}))

    return parse_rows(table, _ConsentCells, parse)


def _find_questions(table: Table) -> list[str]:
    """The columns that answer a form's question, such as "Do you consent?". Their headings are about consent, and
    either ask a question or have answers below them that say yes or no."""
    about = [
        column for column in table.columns if column not in _ConsentCells.model_fields and _QUESTION.search(column)
    ]
    answers = {column: {fold(cells.get(column, "")) for _, cells in table.rows} for column in about}
    return [
        column
        for column, given in answers.items()
        if _ASKS.search(column.replace("_", " ")) or any(_YES.match(word) or _REFUSAL.match(word) for word in given)
    ]


def _check_given(cells: Mapping[str, str], questions: Sequence[str]) -> None:
    """Raise InvalidCellError if an answer to a question does not clearly say yes. A blank answer is accepted until
    `obtained_at` is filled in."""
    for column in questions:
        answer = fold(cells.get(column, ""))
        if _REFUSAL.match(answer):
            fix = "take the row out: the register holds consents that were given"
            raise InvalidCellError("says that consent was not given", fix, column)
        says_yes = _YES.match(answer) and not _CONDITION.search(answer)
        if not says_yes and (answer or cells.get("obtained_at")):
            fix = "write yes if consent was given, else take the row out"
            raise InvalidCellError("does not clearly say that consent was given", fix, column)


def _pupil_id(email: str, roster: Roster) -> int:
    if email not in roster.pupils:
        fix = "correct the address, or import the roster with them first"
        raise InvalidCellError("is not on the roster of pupils", fix, "pupil_email")
    return roster.pupils[email]
