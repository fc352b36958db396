"""Session logs: what a member of staff writes down about a session."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from app.records import Parsed, Read, Rejected
from app.records.fields import (
    Blankable,
    Email,
    Needed,
    Row,
    Unfit,
    Word,
    YesNo,
    checked,
    email,
    instant,
    items,
    of,
    refusal,
    short,
)
from app.records.roster import Roster
from app.records.tabular import Table
from app.settings import Settings

PURPOSES = ("music", "academic", "counselling", "pastoral")
CAMERAS = ("yes", "no", "no_camera", "objected")
LONGEST = timedelta(hours=12)

# Words that the protocol knows, compared whatever their case; other text is kept as it was typed.
_KNOWN = {
    "purpose": PURPOSES,
    "platform": ("teams",),
    "account": ("school", "personal"),
    "room": ("public", "bedroom"),
    "bedroom_reason": ("quarantine", "only_room"),
    "reason": ("safeguarding", "continuity", "routine"),
}


def _one_of(column: str) -> BeforeValidator:
    def known(value: Any) -> str | None:
        word = str(value or "").strip()
        lower = word.lower().replace(" ", "_") if "_" in "".join(_KNOWN[column]) else word.lower()
        return (lower if lower in _KNOWN[column] else word) or None

    return BeforeValidator(known)


def _cameras(value: Any) -> str | None:
    word = str(value or "").strip().lower().replace(" ", "_")
    word = {"true": "yes", "y": "yes", "1": "yes", "false": "no", "n": "no", "0": "no"}.get(word, word)
    if word and word not in CAMERAS:
        raise Unfit("is none of its words", f"write one of: {', '.join(CAMERAS)}, or leave it blank")
    return word or None


def _emails(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(email(item) for item in items(value)))


class _Cells(Row):
    """The cells of a log's row, each in its kind."""

    ref: Annotated[Blankable, short(200)]
    staff_email: Email
    pupil_emails: Annotated[tuple[str, ...], BeforeValidator(_emails)]
    purpose: Annotated[str | None, _one_of("purpose")]
    started_at: Needed
    ended_at: Needed
    platform: Annotated[str | None, _one_of("platform")]
    account: Annotated[str | None, _one_of("account")]
    recorded: YesNo
    recording_announced: YesNo
    recording_on_team: YesNo
    cameras_off_offered: YesNo
    private_recording: YesNo
    staff_opened: YesNo
    staff_ended: YesNo
    pupil_left_alone: YesNo
    cameras_on: Annotated[str | None, BeforeValidator(_cameras)]
    dress_ok: YesNo
    background_ok: YesNo
    room: Annotated[str | None, _one_of("room")]
    bedroom_reason: Annotated[str | None, _one_of("bedroom_reason")]
    door_open: YesNo
    reason: Annotated[str | None, _one_of("reason")]
    second_staff_emails: Annotated[tuple[str, ...], BeforeValidator(_emails)]
    adult_present: YesNo
    adult_introduced: YesNo
    adult_permission: YesNo
    home_alone: YesNo
    concern: YesNo
    concern_summary: Blankable
    concern_category: Word
    notes: Blankable


COLUMNS = tuple(_Cells.model_fields)
_NEEDED = ("staff_email", "pupil_emails", "purpose", "started_at", "ended_at")
_PEOPLE = ("ref", "staff_email", "pupil_emails", "second_staff_emails", "started_at", "ended_at")


class Log(Row):
    """A checked log. `answers` are the columns of the table `logs` that the row fills; `invited` are
    emails with the staff id where the roster has one."""

    ref: str
    staff_id: int
    pupil_ids: tuple[int, ...]
    invited: tuple[tuple[str, int | None], ...]
    started_at: datetime
    ended_at: datetime
    answers: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Of the content: the same for a row that says the same."""
        content = [
            self.staff_id,
            self.pupil_ids,
            [address for address, _ in self.invited],
            self.started_at,
            self.ended_at,
        ]
        return hashlib.sha256(json.dumps([content, self.answers], default=str, sort_keys=True).encode()).hexdigest()


def parse_logs(table: Table, roster: Roster, settings: Settings, now: datetime) -> Parsed[Log]:
    """The rows of a file of logs."""
    table.require(_NEEDED)
    rows: list[Read[Log]] = []
    refused: list[Rejected] = []
    for number, cells in table.rows:
        try:
            rows.append(Read(number, cells, parse_log(cells, roster, settings, now)))
        except Unfit as fault:
            refused.append(refusal(number, cells, fault))
    return Parsed(rows, refused, table.unknown(COLUMNS))


def parse_log(
    cells: Mapping[str, str], roster: Roster, settings: Settings, now: datetime, planned: bool = False
) -> Log:
    """One log, from a file's row or the form; or one that is `planned`, of a session still to come. Unfit, with
    its column, if it cannot be one."""
    row = checked(_Cells, cells)
    if row.purpose is None:
        raise Unfit("is blank", f"write one of: {', '.join(PURPOSES)}, or in other words what it was", "purpose")
    if row.staff_email not in roster.staff:
        raise Unfit(
            "is not on the roster of staff", "mend the address, or import the roster with them first", "staff_email"
        )
    if not row.pupil_emails:
        raise Unfit("is blank", "write the pupils' addresses, separated by ;", "pupil_emails")
    if not all(pupil in roster.pupils for pupil in row.pupil_emails):
        raise Unfit(
            "names somebody who is not on the roster of pupils",
            "mend the address, or import the roster with them first",
            "pupil_emails",
        )
    started_at, ended_at = _times(row, settings, now, planned)
    answers = row.model_dump(exclude=set(_PEOPLE))
    if row.concern is None and row.concern_summary:
        answers["concern"] = True  # who writes down a concern says that there is one
    pupil_ids = tuple(sorted(roster.pupils[pupil] for pupil in row.pupil_emails))
    return Log(
        ref=row.ref or _derived(row.staff_email, started_at, row.pupil_emails),
        staff_id=roster.staff[row.staff_email],
        pupil_ids=pupil_ids,
        invited=tuple((address, roster.staff.get(address)) for address in row.second_staff_emails),
        started_at=started_at,
        ended_at=ended_at,
        answers=answers,
    )


def _times(row: _Cells, settings: Settings, now: datetime, planned: bool) -> tuple[datetime, datetime]:
    with of("started_at"):
        started_at = instant(row.started_at, settings)
    with of("ended_at"):
        ended_at = instant(row.ended_at, settings)
    if ended_at <= started_at:
        raise Unfit("is not after the start", "mend the one of the two that is wrong", "ended_at")
    if ended_at - started_at > LONGEST:
        raise Unfit("is more than 12 hours after the start", "mend the one of the two that is wrong", "ended_at")
    if planned:
        if started_at <= now:
            raise Unfit("is in the past", "plan a session that is still to come; log one that has been", "started_at")
        return started_at, ended_at
    if started_at > now:
        raise Unfit("is in the future", "log a session when it has taken place", "started_at")
    if ended_at > now:
        raise Unfit("is in the future", "log a session when it has ended", "ended_at")
    return started_at, ended_at


def reference(cells: Mapping[str, str], settings: Settings) -> str | None:
    """The reference that a row without one would be given; None where that cannot be told."""
    try:
        begun = instant(cells.get("started_at", ""), settings)
        pupils = _emails(cells.get("pupil_emails"))
        return _derived(email(cells.get("staff_email")), begun, pupils) if pupils else None
    except Unfit:
        return None


def _derived(staff: str, started_at: datetime, pupils: tuple[str, ...]) -> str:
    """A reference for a log that brings none: the same for the same staff, start and pupils."""
    told = "|".join([staff, started_at.isoformat(), *sorted(pupils)])
    return f"L-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
