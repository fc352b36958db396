"""Rejected rows: fixed, dismissed or resolved by a later import; never lost, never too much shown."""

import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.access.administration import get_audit_trail, get_roster, list_rejected_rows, list_resolved_rows
from app.access.people import find_person
from app.access.policy import NotAllowedError, Person
from app.access.sessions import list_sessions
from app.intake.calls import import_calls
from app.intake.files import import_consents, import_letters, import_logs, import_table
from app.operations.rejected_rows import dismiss_rows, fix_row, give_record
from app.records.rows import RejectedRow
from app.school import School
from app.store import tables
from app.store.encryption import generate_key
from tests.people import call, calls, email, log, table

pytestmark = pytest.mark.usefixtures("story_clock")

NOTE = "a note that is the counsellor's"


def person(school: School, who: str) -> Person:
    found = find_person(school, email(who))
    assert found is not None
    return found


def waiting(school: School) -> list[tuple[str, int]]:
    rows = list_rejected_rows(school, person(school, "admin"))
    return [(kind, int(place.removeprefix("row "))) for kind, place in zip(rows["kind"], rows["place"], strict=True)]


def number(school: School) -> int:
    """The one rejected row."""
    (one,) = list_rejected_rows(school, person(school, "admin"))["id"]
    return int(one)


def logs(school: School, folder: Path, *rows: dict[str, str]) -> None:
    import_logs(school, table(folder / "logs.csv", rows))


def test_fix_row_imports_the_row_with_its_hidden_cells(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", generate_key())
    wrong = log("counsellor", "aled", "2026-11-03T10:00", ref="L1", purpose="counselling", notes=NOTE)
    logs(school, tmp_path, wrong | {"ended_at": "2026-11-03T09:00"})
    admin, one = person(school, "admin"), number(school)
    assert "aled" not in str(list_rejected_rows(school, admin).to_dict())
    again = fix_row(school, admin, one, {"ended_at": "2026-11-03T09:30"})
    assert again is not None
    assert (again.column, again.reason) == ("ended_at", "is not after the start")
    assert waiting(school) == [("logs", 2)]
    assert fix_row(school, admin, one, {"ended_at": "2026-11-03T10:30", "notes": "mine", "pupil_emails": ""}) is None
    assert waiting(school) == []
    with school.engine.connect() as connection:
        kept = connection.execute(select(tables.logs)).one()
        assert (kept.ref, kept.notes, kept.staff_id) == ("L1", NOTE, person(school, "counsellor").staff_id)
        assert connection.scalars(select(tables.log_pupils.c.pupil_id)).all()
        assert connection.scalar(select(tables.sessions.c.id))
    settled = list_resolved_rows(school, admin).iloc[0]
    assert (settled["resolution"], settled["resolved_by"]) == ("fixed", "Admin")
    told = get_audit_trail(school, admin)
    assert told["subject"].str.fullmatch(f"rejected row {one}: fixed").sum() == 1
    with pytest.raises(ValueError, match="resolved already"):
        fix_row(school, admin, one, {"ended_at": "2026-11-03T10:40"})


def test_fix_row_refuses_the_log_of_somebody_else(school: School, tmp_path: Path) -> None:
    admin = person(school, "admin")
    told = {"purpose": "counselling", "notes": NOTE, "ref": "L1"}
    logs(school, tmp_path, log("counsellor", "aled", "2026-11-03T10:00") | told | {"ended_at": "soon"})
    mended = {"ended_at": "2026-11-03T10:30", "staff_email": email("admin")}
    assert fix_row(school, admin, number(school), mended) is None  # its author stays
    logs(
        school,
        tmp_path,
        log("teacher", "aled", "2026-11-04T10:00") | told | {"staff_email": "x@y.example", "ref": "L2"},
    )
    for author in (email("admin"), email("admin").upper()):
        with pytest.raises(ValueError, match="Log a session"):
            fix_row(school, admin, number(school), mended | {"staff_email": author})
    assert list_sessions(school, admin, (school.settings.rules[0].from_, school.today())).empty
    assert fix_row(school, admin, number(school), {"staff_email": email("teacher")}) is None
    with school.engine.connect() as connection:
        authors = connection.scalars(select(tables.logs.c.staff_id).order_by(tables.logs.c.id)).all()
    assert authors == [person(school, "counsellor").staff_id, person(school, "teacher").staff_id]


def test_fix_row_needs_the_fault_to_be_in_a_column_that_is_shown(school: School, tmp_path: Path) -> None:
    wrong = log("counsellor", "aled", "2026-11-03T10:00", purpose="counselling") | {"pupil_emails": "x@y.example"}
    logs(school, tmp_path, wrong)
    admin = person(school, "admin")
    assert list_rejected_rows(school, admin)["fixable"].iloc[0] == ()
    with pytest.raises(ValueError, match="cannot be fixed here"):
        fix_row(school, admin, number(school), {"pupil_emails": email("aled")})
    (tmp_path / "calls.json").write_text('{"id": "c1"}', encoding="utf-8")
    import_calls(school, tmp_path / "calls.json")
    assert list_rejected_rows(school, admin)["fixable"].tolist() == [(), ()]


def test_give_record_imports_a_file_with_the_corrected_record(school: School, tmp_path: Path) -> None:
    record = call("c1", "2026-11-03T10:00", {"teacher": (0, 30), "aled": (0, 30)}, version=2)
    import_calls(school, calls(tmp_path / "calls.json", record | {"sessions": "System.Object[]"}))
    admin, one = person(school, "admin"), number(school)

    def give(told: object) -> RejectedRow | None:
        return give_record(school, admin, one, ("again.json", json.dumps(told).encode()))

    again = give(record | {"sessions": []})
    assert again is not None
    assert again.reason == "it has no sessions, and no call is without"
    with pytest.raises(ValueError, match="does not hold this record"):
        give([record | {"version": 1}, record | {"id": "c2"}])
    assert give([record | {"id": "C1"}]) is None
    assert waiting(school) == []
    with pytest.raises(ValueError, match="resolved already"):
        give(record)
    with pytest.raises(NotAllowedError):
        give_record(school, person(school, "teacher"), one, ("again.json", b"{}"))


def test_dismiss_rows_needs_a_reason_and_lasts(school: School) -> None:
    file = ("pupils.csv", b"email,name,school,year_group,house\nnew@habs.example,New,NONE,9,Wye\n")
    import_table(school, "pupils", file)
    admin, one = person(school, "admin"), number(school)
    with pytest.raises(ValueError, match="Say why"):
        dismiss_rows(school, admin, [one], "  ")
    assert dismiss_rows(school, admin, [one, 999], "has left") == 1
    assert dismiss_rows(school, admin, [one], "has left") == 0
    import_table(school, "pupils", file)
    assert waiting(school) == []  # what was dismissed does not come again
    settled = list_resolved_rows(school, admin)
    assert (settled["resolution"].tolist(), settled["resolution_reason"].tolist()) == (["dismissed"], ["has left"])
    assert "has left" not in str(get_audit_trail(school, admin).to_dict())
    for who in ("sdh", "teacher"):
        with pytest.raises(NotAllowedError):
            dismiss_rows(school, person(school, who), [one], "mine")
        with pytest.raises(NotAllowedError):
            fix_row(school, person(school, who), one, {})


def test_quarantine_rows_recognises_a_row_that_was_stored_with_its_reason_in_other_words(school: School) -> None:
    file = ("pupils.csv", b"email,name,school,year_group,house\nnew@habs.example,New,NONE,9,Wye\n")
    import_table(school, "pupils", file)
    admin, one = person(school, "admin"), number(school)
    with school.writing() as connection:
        stored = tables.quarantine
        original = connection.scalars(select(stored.c.original)).one()
        digest = hashlib.sha256(b"pupils|school|is no school|" + original).hexdigest()
        connection.execute(update(stored).values(reason="is no school", fingerprint=digest))
    import_table(school, "pupils", file)
    assert waiting(school) == [("pupils", 2)]
    assert dismiss_rows(school, admin, [one], "has left") == 1
    import_table(school, "pupils", file)
    assert waiting(school) == []


def test_find_fixed_recognises_the_same_log_and_no_other(school: School, tmp_path: Path) -> None:
    good = log("teacher", "aled", "2026-11-03T10:00", ref="L1")
    nameless = log("teacher", "bethan", "2026-11-03T12:00")
    logs(school, tmp_path, good | {"cameras_on": "perhaps"}, nameless | {"ended_at": "soon"})
    other = log("teacher", "bethan", "2026-11-03T10:00", ref="L2")
    logs(school, tmp_path, other, log("teacher", "aled", "2026-11-03T12:00"))
    assert waiting(school) == [("logs", 2), ("logs", 3)]
    logs(school, tmp_path, good, nameless)
    assert waiting(school) == []
    assert list_resolved_rows(school, person(school, "admin"))["resolution"].unique().tolist() == ["imported"]
    logs(school, tmp_path, good | {"notes": "says otherwise"})  # refused: the reference is taken
    logs(school, tmp_path, good)  # known already, and so no mended form of that row
    assert waiting(school) == [("logs", 2)]


def test_find_fixed_recognises_a_roster_row_until_it_is_wrong_again(school: School) -> None:
    head = b"email,name,school,department,roles\n"
    bad, good = head + b"new@habs.example,New,SEN,Art,painter\n", head + b"new@habs.example,New,SEN,Art,teacher\n"
    for content, still in ((bad, [("staff", 2)]), (good, []), (bad, [("staff", 2)]), (good, [])):
        result = import_table(school, "staff", ("staff.csv", content))
        assert waiting(school) == still
    assert result.resolved == 1
    assert result.changed == 0  # what was settled is reported even where nothing else happened
    import_table(school, "staff", ("staff.csv", good + b"new@habs.example,Other,SEN,Art,teacher\n"))
    import_table(school, "staff", ("staff.csv", good + b"new@habs.example,Other,SEN,Art,teacher\n"))
    assert waiting(school) == [("staff", 2), ("staff", 3)]  # one of the two is right, and it is not known which
    import_table(school, "staff", ("staff.csv", good))
    assert waiting(school) == [("staff", 3)]  # somebody else has the address


def test_find_fixed_recognises_registers_and_calls_by_what_they_are_about(school: School, tmp_path: Path) -> None:
    letter = {"pupil_email": email("aled"), "kind": "one_to_one", "sent_on": "3 Nov"}
    consent = {
        "pupil_email": email("aled"),
        "kind": "one_to_one",
        "covers_from": "2026-11-03",
        "covers_to": "2026-11-01",
    }
    record = call("c1", "2026-11-03T10:00", {"teacher": (0, 30), "aled": (0, 30)}, version=2)
    import_letters(school, table(tmp_path / "letters.csv", [letter]))
    import_consents(school, table(tmp_path / "consents.csv", [consent]))
    import_calls(school, calls(tmp_path / "calls.json", record | {"sessions": None}))
    import_letters(school, table(tmp_path / "letters.csv", [letter | {"pupil_email": email("bethan")}]))
    import_letters(school, table(tmp_path / "others.csv", [letter | {"sent_on": "2026-11-03"}]))
    import_calls(school, calls(tmp_path / "calls.json", record | {"version": 1}))
    assert {("letters", 2), ("consents", 2), ("calls", 1)} <= set(waiting(school))
    import_letters(school, table(tmp_path / "letters.csv", [letter | {"sent_on": "2026-11-03"}]))
    import_consents(school, table(tmp_path / "consents.csv", [consent | {"covers_to": "2026-12-01"}]))
    import_calls(school, calls(tmp_path / "calls.json", record))
    assert [kind for kind, _ in waiting(school)] == ["letters"]  # Bethan's, which nobody has mended


def test_find_fixed_recognises_the_same_row_once_its_pupil_is_known(school: School, tmp_path: Path) -> None:
    letter = {"pupil_email": "new@pupils.habs.example", "kind": "introduction", "sent_on": "2026-09-01"}
    import_letters(school, table(tmp_path / "letters.csv", [letter]))
    pupils = b"email,name,school,year_group,house\nnew@pupils.habs.example,New,SEN,9,Wye\n"
    import_table(school, "pupils", ("pupils.csv", pupils))
    assert import_letters(school, table(tmp_path / "again.csv", [letter])).resolved == 1
    assert waiting(school) == []


def test_fix_row_accepts_a_row_that_did_not_match_the_columns(school: School) -> None:
    import_table(school, "pupils", ("pupils.csv", b'email,name,school,year_group,house\nnew@x.example,"N"ew,SEN,9,W\n'))
    admin = person(school, "admin")
    row = list_rejected_rows(school, admin).iloc[0]
    assert "new@x.example" in row["original"][""]
    typed = {"email": "new@x.example", "name": "New", "school": "SEN", "year_group": "9", "house": "Wye"}
    assert fix_row(school, admin, int(row["id"]), typed) is None
    assert json.dumps(get_roster(school, admin)["pupils"]["email"].tolist()).count("new@x.example") == 1
