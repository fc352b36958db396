"""Session logs: what a member of staff writes down about a session."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, create_model

from app.formatting import how_many
from app.keys import compute_keyed_digest
from app.log_questions import QUESTIONS, Question
from app.records.addresses import parse_email, split_list
from app.records.fields import (
    YES_NO,
    Email,
    Emails,
    OptionalText,
    Required,
    Row,
    YesNoCell,
    check_cells,
    in_column,
    limit_length,
    parse_rows,
    read_word,
)
from app.records.people.roster import Roster, is_away
from app.records.rows import InvalidCellError, ParsedRows, ReadRow
from app.records.tables.tabular import Expected, Table
from app.records.times import parse_instant
from app.settings import Settings
from app.vocabulary.terms import ConcernCategory, Labelled, Platform, Purpose
from app.vocabulary.words import fold, tidy

LONGEST = timedelta(hours=12)
_MOST_ROWS = 10  # row numbers shown in a note
_PURPOSES = ", ".join(purpose for purpose in Purpose if purpose is not Purpose.OTHER)


# The possible answers to each question that takes neither yes/no nor free text, and to the purpose.
_ANSWERS_IN_WORDS: dict[str, type[Labelled]] = {
    "purpose": Purpose,
    **{question.name: question.answers for question in QUESTIONS if question.answers and not question.is_yes_no},
}
_SYNONYMS: dict[type[Labelled], dict[str, str]] = {
    Platform: dict.fromkeys(("microsoft teams", "ms teams"), Platform.TEAMS.value)
}


@lru_cache(maxsize=256)
def _find_answer(answers: type[Labelled], text: str) -> str | None:
    """The answer that a text names by its value or its label; None if it names none. `other` is not an answer. Cached,
    because the rows of a file repeat the same few texts."""
    known = {answer.value: answer for answer in answers if answer.value != "other"}
    word = read_word(text)
    if "yes" in known and word in YES_NO:
        word = "yes" if YES_NO[word] else "no"
    labels = {fold(answer.label): value for value, answer in known.items()}
    word = (labels | _SYNONYMS.get(answers, {})).get(fold(text), word)
    return word if word in known else None


def tidy_answer(question: str, text: str) -> str:
    """A stored answer, or purpose, in the form in which an import would read it today. Other text is unchanged."""
    return _find_answer(_ANSWERS_IN_WORDS[question], text) or text if question in _ANSWERS_IN_WORDS else text


def _one_of(answers: type[Labelled], *, other_words: bool) -> BeforeValidator:
    """Accept one of the answers by its value or its label; with `other_words`, also any other text, as typed."""

    def parse(value: Any) -> str | None:
        typed = str(value or "")
        if not tidy(typed):
            return None
        if answer := _find_answer(answers, typed):
            return answer
        if answers is ConcernCategory:
            return tidy(typed).lower()  # even an unknown category is stored in lower case
        if other_words:
            return typed.strip().rstrip("; ")
        raise InvalidCellError("is not one of the answers", f"write one of: {', '.join(answers)}, or leave it blank")

    return BeforeValidator(parse)


class _SessionCells(Row):
    """The cells that identify the session of a log."""

    ref: Annotated[OptionalText, limit_length(200)]
    staff_email: Email
    pupil_emails: Emails
    purpose: Annotated[str | None, _one_of(Purpose, other_words=True)]
    started_at: Required
    ended_at: Required
    second_staff_emails: Emails


def _answer_cell(question: Question) -> Any:
    if question.is_yes_no:
        return YesNoCell
    if question.answers is None:
        return OptionalText
    return Annotated[str | None, _one_of(question.answers, other_words=question.other_words)]


_ANSWER_CELLS: dict[str, Any] = {question.name: (_answer_cell(question), ...) for question in QUESTIONS}
_Cells = create_model("_Cells", __base__=_SessionCells, **_ANSWER_CELLS)
COLUMNS = tuple(_Cells.model_fields)
LOGS_TABLE = Expected(COLUMNS, ("staff_email", "pupil_emails", "purpose", "started_at", "ended_at"))
_ANSWERS = {"purpose", *_ANSWER_CELLS}

# Fingerprints include these answers even when blank, as they did before questions could be added. A later question is
# included only if it is answered, so that an older file is still recognised when it is imported again.
_COUNTED_WHEN_BLANK = (
    "purpose platform account recorded recording_announced recording_on_team cameras_off_offered private_recording "
    "staff_opened staff_ended pupil_left_alone cameras_on dress_ok background_ok room bedroom_reason door_open reason "
    "adult_present adult_introduced adult_permission home_alone concern concern_summary concern_category notes"
)


class Log(Row):
    """A checked log. `answers` are values by column of the table `logs`; `invited` are emails, each with the staff id
    or None if it is not on the roster. Times are in UTC."""

    ref: str
    staff_id: int
    pupil_ids: tuple[int, ...]
    invited: tuple[tuple[str, int | None], ...]
    started_at: datetime
    ended_at: datetime
    answers: dict[str, Any]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the content, equal for rows with equal content."""
        invited = [email for email, _ in self.invited]
        session = [self.staff_id, self.pupil_ids, invited, self.started_at, self.ended_at]
        given = {name: answer for name, answer in self.answers.items() if answer is not None}
        answers = dict.fromkeys(_COUNTED_WHEN_BLANK.split()) | given
        return hashlib.sha256(json.dumps([session, answers], default=str, sort_keys=True).encode()).hexdigest()


def parse_logs(table: Table, roster: Roster, settings: Settings, now: datetime) -> ParsedRows[Log]:
    """The rows of a file of logs."""
    table.require(LOGS_TABLE)
    parsed = parse_rows(table, _Cells, lambda cells: parse_log(cells, roster, settings, now))
    parsed.notes += _note_other_words(parsed.rows)
    return parsed


def _note_other_words(rows: Iterable[ReadRow[Log]]) -> Iterator[str]:
    """Notes on the rows whose purpose, or category of concern, counts as "other": it may be misspelt."""
    purposes = [str(read.number) for read in rows if Purpose.named(read.row.answers["purpose"]) is Purpose.OTHER]
    if purposes:
        shown = ", ".join(purposes[:_MOST_ROWS]) + (" and more" if len(purposes) > _MOST_ROWS else "")
        rows_shown = f"{how_many(len(purposes), 'row')} (row{'s' * (len(purposes) > 1)} {shown})"
        yield f"the purpose of {rows_shown} is not one of {_PURPOSES}, and counts as another one"
    for read in rows:
        category = read.row.answers["concern_category"]
        if category and category not in set(ConcernCategory):
            label = ConcernCategory.OTHER.label
            yield f"row {read.number}, column concern_category: is not one of the categories, and counts as “{label}”"


def parse_log(
    cells: Mapping[str, str], roster: Roster, settings: Settings, now: datetime, *, planned: bool = False
) -> Log:
    """Parse a log from a row of a file or from the form; with `planned`, one for a session still to come.
    InvalidCellError, with the column, if a cell cannot be used."""
    row = check_cells(_Cells, cells)
    if row.purpose is None:
        raise InvalidCellError("is blank", f"write one of: {_PURPOSES}, or in other words what it was", "purpose")
    if row.staff_email not in roster.staff:
        raise InvalidCellError("is not on the roster of staff", _NOT_ON_ROSTER, "staff_email")
    if not row.pupil_emails:
        raise InvalidCellError("is blank", "write the pupils' addresses, separated by ;", "pupil_emails")
    if len(row.pupil_emails) > settings.pupils_in_log:
        raise InvalidCellError(
            f"names {len(row.pupil_emails)} pupils, more than the {settings.pupils_in_log} that a session may have",
            "name those who took part; pupils_in_log of the settings says how many may",
            "pupil_emails",
        )
    if not all(email in roster.pupils for email in row.pupil_emails):
        raise InvalidCellError("names somebody who is not on the roster of pupils", _NOT_ON_ROSTER, "pupil_emails")
    started_at, ended_at = _parse_times(row, settings, now, planned=planned)
    _check_was_there(row, roster, started_at.astimezone(settings.zone).date())
    answers = row.model_dump(include=_ANSWERS)
    if answers["concern_summary"]:
        if answers["concern"] is False:
            raise InvalidCellError(
                "is no, but concern_summary is filled in", "write yes, or clear concern_summary", "concern"
            )
        answers["concern"] = True  # a summary says that there is a concern
    return Log(
        ref=row.ref or _derive_ref(row.staff_email, started_at, row.pupil_emails),
        staff_id=roster.staff[row.staff_email],
        pupil_ids=tuple(sorted(roster.pupils[email] for email in row.pupil_emails)),
        invited=tuple((email, roster.staff.get(email)) for email in row.second_staff_emails),
        started_at=started_at,
        ended_at=ended_at,
        answers=answers,
    )


def _check_was_there(row: Any, roster: Roster, day: date) -> None:
    """Raise InvalidCellError if somebody had left by that day: their address may have passed to somebody else."""
    if is_away(roster.staff_away, roster.staff[row.staff_email], day):
        raise InvalidCellError("is somebody who had left by then", _HAD_LEFT, "staff_email")
    if any(is_away(roster.pupils_away, roster.pupils[email], day) for email in row.pupil_emails):
        raise InvalidCellError("names a pupil who had left by then", _HAD_LEFT, "pupil_emails")


_HAD_LEFT = "correct the address or the time, or the day of leaving on the roster"
_NOT_ON_ROSTER = "correct the address, or import the roster with them first"


def _parse_times(row: _SessionCells, settings: Settings, now: datetime, *, planned: bool) -> tuple[datetime, datetime]:
    with in_column("started_at"):
        started_at = parse_instant(row.started_at, settings)
    with in_column("ended_at"):
        ended_at = parse_instant(row.ended_at, settings)
    if ended_at <= started_at:
        raise InvalidCellError("is not after the start", "correct one of the two", "ended_at")
    if ended_at - started_at > LONGEST:
        raise InvalidCellError("is more than 12 hours after the start", "correct one of the two", "ended_at")
    if planned and started_at <= now:
        raise InvalidCellError(
            "is in the past", "plan sessions that are still to come, and log past ones", "started_at"
        )
    if not planned and started_at > now:
        raise InvalidCellError("is in the future", "log a session once it has taken place", "started_at")
    if not planned and ended_at > now:
        raise InvalidCellError("is in the future", "log a session once it has ended", "ended_at")
    return started_at, ended_at


def find_ref(cells: Mapping[str, str], settings: Settings) -> str | None:
    """The reference that a row has or would be given; None if its cells are not enough to derive one."""
    if ref := cells.get("ref"):
        return ref
    try:
        started_at = parse_instant(cells.get("started_at", ""), settings)
        pupils = [parse_email(email) for email in split_list(cells.get("pupil_emails"))]
        return _derive_ref(parse_email(cells.get("staff_email")), started_at, pupils) if pupils else None
    except InvalidCellError:
        return None


def _derive_ref(staff: str, started_at: datetime, pupils: Collection[str]) -> str:
    """A reference for a log without one, equal for equal staff, start and pupils."""
    session = "|".join([staff, started_at.isoformat(), *sorted(pupils)])
    return f"L-{compute_keyed_digest(session)[:16]}"


def are_derived(*refs: str) -> bool:
    """Whether references were derived; those of one session differ if the key was another."""
    return all(re.fullmatch(r"L-[0-9a-f]{16}", ref) for ref in refs)
