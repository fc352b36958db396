"""What the administrator works with."""

import hashlib
from datetime import timedelta

import pytest

from app.access.administration import (
    ROWS_LISTED,
    count_rejected_rows,
    get_audit_trail,
    get_roster,
    list_rejected_rows,
    list_resolved_rows,
    record_access,
)
from app.school import School
from app.store import tables
from app.store.writing import insert_rows
from tests.access.questions import as_text
from tests.access.school import ID, PEOPLE, PUPILS, TODAY, add_row, at_hour, someone


def _refuse(school: School, kind: str, column: str | None, value: str | None, original: str) -> None:
    with school.engine.begin() as connection:
        add_row(
            connection,
            tables.quarantine,
            kind=kind,
            source="file.csv",
            row=2,
            column=column,
            value=value,
            reason="Unknown.",
            fix="Correct it.",
            original=original.encode(),
            fingerprint=hashlib.sha256(original.encode()).hexdigest(),
            rejected_at=at_hour(TODAY),
            attempts=1,
        )


ROW = (
    '{"Staff_Email": "x@habs.example", "purpose": "%s", "pupil_emails": "fflur@pupils.example", '
    '"notes": "n0te", "concern_summary": "n0te", "home_alone": "yes"}'
)


@pytest.mark.parametrize(
    ("purpose", "seen"), [("Music", True), ("counselling", False), ("counceling", False), ("", False)]
)
def test_list_rejected_rows_shows_who_and_when_of_a_log_only_without_counselling(
    school: School, purpose: str, seen: bool
) -> None:
    _refuse(school, "logs", "pupil_emails", "fflur@pupils.example", ROW % purpose)
    rows = list_rejected_rows(school, someone(school, "admin"))
    assert ("fflur" in as_text(rows)) is seen
    assert "n0te" not in as_text(rows)
    assert "home_alone" not in as_text(rows)
    assert rows["withheld"].iloc[0]
    assert ("x@habs.example" in as_text(rows)) is seen


def test_list_rejected_rows_reads_no_more_the_more_there_are(school: School) -> None:
    entry = {"kind": "logs", "source": "a.csv", "row": 2, "reason": "Unknown.", "fix": "Correct it.", "attempts": 1}
    entry |= {"original": b"{}", "rejected_at": at_hour(TODAY)}
    rows = [entry | {"fingerprint": str(place), "resolved_at": None} for place in range(2 * ROWS_LISTED)]
    resolved = {"resolved_at": at_hour(TODAY), "resolution": "dismissed"}
    rows += [entry | resolved | {"fingerprint": f"resolved {place}"} for place in range(ROWS_LISTED + 1)]
    with school.writing() as connection:
        insert_rows(connection, tables.quarantine, rows[: 2 * ROWS_LISTED])
        insert_rows(connection, tables.quarantine, rows[2 * ROWS_LISTED :])
    admin = someone(school, "admin")
    assert [len(each(school, admin)) for each in (list_rejected_rows, list_resolved_rows)] == [ROWS_LISTED] * 2
    assert count_rejected_rows(school, admin) == (2 * ROWS_LISTED, ROWS_LISTED + 1)


def test_list_rejected_rows_shows_nothing_of_a_call_record(school: School) -> None:
    _refuse(school, "calls", None, "fflur@pupils.example", '{"participants": ["fflur@pupils.example"]}')
    _refuse(school, "calls", None, None, '["fflur@pupils.example"]')
    assert "fflur" not in as_text(list_rejected_rows(school, someone(school, "admin")))


def test_list_rejected_rows_shows_a_roster_row_to_be_fixed(school: School) -> None:
    _refuse(school, "pupils", "year_group", "nine", '{"email": "x@pupils.example", "year_group": "nine"}')
    row = list_rejected_rows(school, someone(school, "admin")).iloc[0]
    assert (row["value"], row["original"]["email"], row["withheld"]) == ("nine", "x@pupils.example", False)


def test_get_audit_trail_does_not_count_a_counsellors_sessions(school: School) -> None:
    admin = someone(school, "admin")
    for name in ("counsellor", "teacher"):
        for what, about in (
            ("changed", "log L-12, version 1"),
            ("exported", "sessions, 2 rows"),
            ("signed in", "Office"),
        ):
            record_access(school, someone(school, name), what, about)
    record_access(school, someone(school, "counsellor"), "changed", "concern C-AAAA, raised")
    trail = get_audit_trail(school, admin)
    told = {(by.split("@")[0], about) for by, about in zip(trail["actor"], trail["subject"], strict=True)}
    assert told == {
        ("teacher", "log L-12, version 1"),
        ("teacher", "sessions, 2 rows"),
        ("teacher", "Office"),
        ("counsellor", "Office"),
        ("counsellor", "concern C-AAAA, raised"),
    }


def test_get_audit_trail_leaves_out_what_a_counsellor_did_under_a_former_address(school: School) -> None:
    former = "maiden@habs.example"
    with school.writing() as connection:
        add_row(connection, tables.former_emails, email=former, staff_id=ID["counsellor"], ended_on=TODAY)
        school.add_to_trail(connection, former, "viewed", "session 5")
    trail = get_audit_trail(school, someone(school, "admin"))
    assert former not in set(trail["actor"])


def test_get_roster_lists_leavers_apart(school: School) -> None:
    with school.engine.begin() as connection:
        version = tables.pupil_versions
        facts = {"school": "SEN", "year_group": "10", "house": "Wye", "has_left": True}
        add_row(connection, version, pupil_id=5, from_day=TODAY, name="Efa", **facts)
    roster = get_roster(school, someone(school, "admin"))
    assert "Efa" not in set(roster["pupils"]["name"])
    leaver = roster["leavers"].iloc[0]
    assert (leaver["name"], leaver["was"], leaver["last_day"].date()) == ("Efa", "pupil", TODAY - timedelta(days=1))


def test_get_roster_is_todays(school: School) -> None:
    roster = get_roster(school, someone(school, "admin"))
    assert len(roster["pupils"]) == len(PUPILS)
    assert roster["pupils"].set_index("name").loc["Efa", ["year_group", "tutor"]].tolist() == [
        "10",
        "tutor10@habs.example",
    ]
    assert len(roster["staff"]) == len(PEOPLE)
