"""The parents' registers: letters sent, and consents."""

import hashlib
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from app.records import Parsed, R, Read, Rejected
from app.records.fields import Blankable, Email, Needed, Row, Unfit, checked, day, from_day, of, refusal, to_day
from app.records.roster import Roster
from app.records.tabular import Table
from app.settings import Settings

LETTERS = ("introduction", "one_to_one")
CONSENTS = ("outside_hours", "one_to_one")


def _kind(kinds: tuple[str, ...]) -> BeforeValidator:
    def known(value: Any) -> str:
        word = str(value or "").strip().lower()
        if word not in kinds:
            raise Unfit("is none of its kinds", f"write one of: {', '.join(kinds)}")
        return word

    return BeforeValidator(known)


class _LetterCells(Row):
    pupil_email: Email
    kind: Annotated[str, _kind(LETTERS)]
    sent_on: Needed


class _ConsentCells(Row):
    pupil_email: Email
    kind: Annotated[str, _kind(CONSENTS)]
    covers_from: Needed
    covers_to: Needed
    reason: Blankable
    obtained_at: Blankable
    given_by: Blankable
    slt_informed_at: Blankable


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
    obtained_at: datetime | None
    given_by: str | None
    slt_informed_at: datetime | None

    @property
    def fingerprint(self) -> str:
        """Of the content: the same for a row that says the same."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def parse_letters(table: Table, roster: Roster, settings: Settings, now: datetime) -> Parsed[Letter]:
    """The rows of letters.csv."""
    table.require(("pupil_email", "kind", "sent_on"))

    def letter(cells: dict[str, str]) -> Letter:
        row = checked(_LetterCells, cells)
        with of("sent_on"):
            sent_on = day(row.sent_on)
            if sent_on > now.astimezone(settings.zone).date():
                raise Unfit("is in the future", "enter a letter when it has been sent")
        return Letter(pupil_id=_pupil(row.pupil_email, roster), kind=row.kind, sent_on=sent_on)

    return _parse(table, letter, _LetterCells)


def parse_consents(table: Table, roster: Roster, settings: Settings) -> Parsed[Consent]:
    """The rows of consents.csv. A day without a time covers the whole day; something obtained or told on
    a day without a time counts from that day's end, so that it never counts too early."""
    table.require(("pupil_email", "kind", "covers_from", "covers_to"))

    def consent(cells: dict[str, str]) -> Consent:
        row = checked(_ConsentCells, cells)
        with of("covers_from"):
            covers_from = from_day(row.covers_from, settings)
        with of("covers_to"):
            covers_to = to_day(row.covers_to, settings)
            if covers_to <= covers_from:
                raise Unfit("is not after covers_from", "mend the one of the two that is wrong")
        with of("obtained_at"):
            obtained_at = to_day(row.obtained_at, settings) if row.obtained_at else None
        with of("slt_informed_at"):
            slt_informed_at = to_day(row.slt_informed_at, settings) if row.slt_informed_at else None
        return Consent(
            pupil_id=_pupil(row.pupil_email, roster),
            kind=row.kind,
            covers_from=covers_from,
            covers_to=covers_to,
            reason=row.reason,
            obtained_at=obtained_at,
            given_by=row.given_by,
            slt_informed_at=slt_informed_at,
        )

    return _parse(table, consent, _ConsentCells)


def _pupil(address: str, roster: Roster) -> int:
    if address not in roster.pupils:
        raise Unfit(
            "is not on the roster of pupils", "mend the address, or import the roster with them first", "pupil_email"
        )
    return roster.pupils[address]


def _parse(table: Table, read: Callable[[dict[str, str]], R], cells_of: type[Row]) -> Parsed[R]:
    rows: list[Read[R]] = []
    refused: list[Rejected] = []
    for number, cells in table.rows:
        try:
            rows.append(Read(number, cells, read(cells)))
        except Unfit as fault:
            refused.append(refusal(number, cells, fault))
    return Parsed(rows, refused, table.unknown(list(cells_of.model_fields)))
