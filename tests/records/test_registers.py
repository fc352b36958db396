"""Letters and consents: what is read of each row, and why a row is rejected."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.records.registers import Consent, parse_consents, parse_letters
from app.records.rows import UnreadableFileError
from tests.records.evidence.shapes import NOW, ROSTER, SETTINGS, table

LETTER = {"pupil_email": "Aled.Pugh@pupils.example", "kind": "Introduction", "sent_on": "2026-09-03"}
CONSENT = {
    "pupil_email": "aled.pugh@pupils.example",
    "kind": "outside_hours",
    "covers_from": "2026-07-01",
    "covers_to": "2026-07-03",
    "reason": "",
    "obtained_at": "2026-06-30",
    "given_by": "Parent",
    "slt_informed_at": "2026-06-30T09:15",
}


def consent(**cells: str) -> Consent:
    parsed = parse_consents(table(CONSENT | cells), ROSTER, SETTINGS, NOW)
    assert not parsed.rejected
    return parsed.rows[0].row


def test_parse_letters_reads_a_row() -> None:
    row = parse_letters(table(LETTER), ROSTER, SETTINGS, NOW).rows[0].row
    assert (row.pupil_id, row.kind, row.sent_on) == (11, "introduction", date(2026, 9, 3))


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"pupil_email": ""}, "pupil_email"),
        ({"pupil_email": "nobody@pupils.example"}, "pupil_email"),
        ({"kind": "newsletter"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"sent_on": ""}, "sent_on"),
        ({"sent_on": "3 September"}, "sent_on"),
        ({"sent_on": "2026-09-03T10:00"}, "sent_on"),
        ({"sent_on": "2026-11-21"}, "sent_on"),
    ],
)
def test_parse_letters_rejects_a_row_by_its_column(cells: dict[str, str], column: str) -> None:
    parsed = parse_letters(table(LETTER, LETTER | cells), ROSTER, SETTINGS, NOW)
    assert len(parsed.rows) == 1
    assert [(rejected.row, rejected.column) for rejected in parsed.rejected] == [(3, column)]


def test_parse_consents_covers_whole_days_and_is_never_obtained_too_early() -> None:
    """In British Summer Time, an hour ahead of UTC."""
    row = consent()
    assert row.covers_from == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert row.covers_to == datetime(2026, 7, 3, 23, tzinfo=UTC) - timedelta(microseconds=1)
    assert row.obtained_at == datetime(2026, 6, 30, 23, tzinfo=UTC) - timedelta(microseconds=1)
    assert row.slt_informed_at == datetime(2026, 6, 30, 8, 15, tzinfo=UTC)
    assert row.reason is None


def test_parse_consents_reads_times_and_one_not_given_yet() -> None:
    row = consent(covers_from="2026-07-01T18:00", covers_to="2026-07-01T19:00+00:00", obtained_at="", reason="Abroad")
    assert row.covers_from == datetime(2026, 7, 1, 17, tzinfo=UTC)
    assert row.covers_to == datetime(2026, 7, 1, 19, tzinfo=UTC)
    assert (row.obtained_at, row.reason) == (None, "Abroad")


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"pupil_email": "mair.howell@school.example"}, "pupil_email"),
        ({"kind": "introduction"}, "kind"),
        ({"covers_from": ""}, "covers_from"),
        ({"covers_to": "2026-06-30"}, "covers_to"),
        ({"covers_to": "whenever"}, "covers_to"),
        ({"covers_to": "9999-12-31"}, "covers_to"),
        ({"obtained_at": "by phone"}, "obtained_at"),
        ({"obtained_at": "2026-11-21"}, "obtained_at"),
        ({"slt_informed_at": "2027-06-30T09:15"}, "slt_informed_at"),
        ({"slt_informed_at": "no"}, "slt_informed_at"),
    ],
)
def test_parse_consents_rejects_a_row_by_its_column(cells: dict[str, str], column: str) -> None:
    parsed = parse_consents(table(CONSENT, CONSENT | cells), ROSTER, SETTINGS, NOW)
    assert len(parsed.rows) == 1
    assert [(rejected.row, rejected.column) for rejected in parsed.rejected] == [(3, column)]


@pytest.mark.parametrize(
    "answer", ["No", " no;", "N", "FALSE", "No, I do not", "Refused", "I don’t consent", "Na", "We refuse"]
)
@pytest.mark.parametrize("yes", ["Yes, I do", "Rwy’n cytuno", "I consent", "1"])
def test_parse_consents_rejects_what_was_not_given(answer: str, yes: str) -> None:
    form = {"Do you consent?": answer, "Any notes": "no"}
    rows = (CONSENT | form, CONSENT | form | {"Do you consent?": yes})
    parsed = parse_consents(table(*rows), ROSTER, SETTINGS, NOW)
    assert [(rejected.row, rejected.column) for rejected in parsed.rejected] == [(2, "do you consent?")]
    assert len(parsed.rows) == 1


@pytest.mark.parametrize("column", ["consent_given", "I agree", "Do you consent?"])
@pytest.mark.parametrize("answer", ["Pending", "Unsure", "Yes, but only until 8 pm", "Ydw, ond dim ar ôl 6", ""])
def test_parse_consents_rejects_what_does_not_clearly_say_yes(column: str, answer: str) -> None:
    parsed = parse_consents(table(CONSENT | {column: answer}), ROSTER, SETTINGS, NOW)
    assert [rejected.column for rejected in parsed.rejected] == [column.lower()]
    asked = parse_consents(table(CONSENT | {"obtained_at": "", column: ""}), ROSTER, SETTINGS, NOW)
    assert len(asked.rows) == 1


def test_parse_consents_takes_other_columns_about_consent_for_no_answers() -> None:
    others = {"Consent form": "C-12", "Date of permission": "Monday", "Consent given by": "mother"}
    assert len(parse_consents(table(CONSENT | others), ROSTER, SETTINGS, NOW).rows) == 1
    mixed = (CONSENT | {"Permission": "yes"}, CONSENT | {"Permission": "perhaps", "reason": "Abroad"})
    assert [rejected.row for rejected in parse_consents(table(*mixed), ROSTER, SETTINGS, NOW).rejected] == [3]


def test_fingerprint_depends_on_what_a_consent_says() -> None:
    assert consent().fingerprint == consent(covers_from="2026-07-01T00:00", kind="Outside_Hours").fingerprint
    assert consent().fingerprint != consent(reason="Abroad").fingerprint


def test_parse_letters_and_consents_need_their_columns() -> None:
    with pytest.raises(UnreadableFileError, match="missing: kind, sent_on"):
        parse_letters(table({"pupil_email": "x"}), ROSTER, SETTINGS, NOW)
    with pytest.raises(UnreadableFileError, match="missing: covers_to"):
        parse_consents(table({"pupil_email": "x", "kind": "x", "covers_from": "x"}), ROSTER, SETTINGS, NOW)
