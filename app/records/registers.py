"""The parents' registers: letters sent, and consents."""

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from app.records.fields import (
    Email,
    OptionalText,
    Required,
    Row,
    check_cells,
    column,
    parse_day,
    parse_end,
    parse_rows,
    parse_start,
)
from app.records.roster import Roster
from app.records.rows import InvalidCellError, ParsedRows
from app.records.tabular import Table
from app.settings import Settings
from app.vocabulary import ConsentKind, LetterKind

LETTERS = tuple(kind.value for kind in LetterKind)
CONSENTS = tuple(kind.value for kind in ConsentKind)


def _one_of(kinds: tuple[str, ...]) -> BeforeValidator:
    def parse(value: Any) -> str:
        word = str(value or "").strip().lower()
        if word not in kinds:
            raise InvalidCellError("is not one of the kinds", f"write one of: {', '.join(kinds)}")
        return word

    return BeforeValidator(parse)


class _LetterCells(Row):
    pupil_email: Email
    kind: Annotated[str, _one_of(LETTERS)]
    sent_on: Required


class _ConsentCells(Row):
    pupil_email: Email
    kind: Annotated[str, _one_of(CONSENTS)]
    covers_from: Required
    covers_to: Required
    reason: OptionalText
    obtained_at: OptionalText
    given_by: OptionalText
    slt_informed_at: OptionalText


class Letter(Row):
    """A letter to the parents of a pupil."""

    pupil_id: int
    kind: str
    sent_on: date


class Consent(Row):
    """A parent's consent; `obtained_at` blank: asked for, not given. All times in UTC."""

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
        """A digest of the content: the same for rows that say the same."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def parse_letters(table: Table, roster: Roster, settings: Settings, now: datetime) -> ParsedRows[Letter]:
    """The rows of letters.csv."""
    table.require(("pupil_email", "kind", "sent_on"))

    def parse(cells: dict[str, str]) -> Letter:
        row = check_cells(_LetterCells, cells)
        with column("sent_on"):
            sent_on = parse_day(row.sent_on)
            if sent_on > now.astimezone(settings.zone).date():
                raise InvalidCellError("is in the future", "enter a letter once it has been sent")
        return Letter(pupil_id=_pupil_id(row.pupil_email, roster), kind=row.kind, sent_on=sent_on)

    return parse_rows(table, _LetterCells, parse)


def parse_consents(table: Table, roster: Roster, settings: Settings) -> ParsedRows[Consent]:
    """The rows of consents.csv. A day without a time covers the whole day; what was obtained, or told to SLT, on a
    day without a time counts from the end of that day, so that it never counts too early."""
    table.require(("pupil_email", "kind", "covers_from", "covers_to"))

    def parse(cells: dict[str, str]) -> Consent:
        row = check_cells(_ConsentCells, cells)
        with column("covers_from"):
            covers_from = parse_start(row.covers_from, settings)
        with column("covers_to"):
            covers_to = parse_end(row.covers_to, settings)
            if covers_to <= covers_from:
                raise InvalidCellError("is not after covers_from", "correct one of the two")
        with column("obtained_at"):
            obtained_at = parse_end(row.obtained_at, settings) if row.obtained_at else None
        with column("slt_informed_at"):
            slt_informed_at = parse_end(row.slt_informed_at, settings) if row.slt_informed_at else None
        return Consent(
            pupil_id=_pupil_id(row.pupil_email, roster),
            kind=row.kind,
            covers_from=covers_from,
            covers_to=covers_to,
            reason=row.reason,
            obtained_at=obtained_at,
            given_by=row.given_by,
            slt_informed_at=slt_informed_at,
        )

    return parse_rows(table, _ConsentCells, parse)


def _pupil_id(email: str, roster: Roster) -> int:
    if email not in roster.pupils:
        fix = "correct the address, or import the roster with them first"
        raise InvalidCellError("is not on the roster of pupils", fix, "pupil_email")
    return roster.pupils[email]
