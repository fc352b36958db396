"""What the tests of undoing an import begin with: a term of sessions, and a file of each kind to import."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select

from app.intake.calls import import_calls
from app.intake.files import AS_OF_TODAY, import_logs, import_table
from app.intake.people import RosterOptions
from app.intake.result import ImportResult
from app.school import School
from app.store import tables
from tests import people
from tests.intake.contents import WHO, all_rows
from tests.people import call, calls, email, log, table

START = "2026-11-03T10:00"


def rows_of(school: School) -> dict[str, list[str]]:
    """Every row but those of the audit trail, the list of imports, what counts changes, which programs have judged,
    the seeds of spot checks, whose digests are on the trail, and alerts about roles, which stay. A session that is
    drawn again has a new spot check."""
    rows = all_rows(school)
    rows["alerts"] = [row for row in rows["alerts"] if "'role_given'" not in row]
    others = ("('revision'", "('audit_head'", "('programs'", "('spot_check_seeds'")
    rows["meta"] = [row for row in rows["meta"] if not row.startswith(others)]
    check = tables.spot_checks.c
    with school.engine.connect() as connection:
        drawn = connection.execute(select(check.session_id, check.term, check.result))
        rows["spot_checks"] = sorted(map(repr, drawn))
    return {name: rows[name] for name in rows if name not in ("audit", "imports", "import_changes")}


def fill(school: School, folder: Path) -> None:
    """A term with sessions that were logged, calls that were not, and a call whose pupil nobody knew."""
    import_calls(
        school,
        calls(
            folder / "calls.json",
            call("c1", "2026-11-03T10:00", WHO),
            call("c2", "2026-11-04T10:00", {"tutor": (0, 30), "bethan": (1, 29)}),
            call("c3", "2026-11-05T10:00", {"teacher": (0, 30), "aled": (0, 30), "new@pupils.habs.example": (0, 20)}),
        ),
    )
    import_logs(
        school,
        table(
            folder / "logs.csv",
            [
                log("teacher", "aled", "2026-11-03T10:00", ref="L1", recorded="yes"),
                log("teacher", "carys", "2026-11-05T10:05", ref="L3"),
            ],
        ),
    )


PUPIL = {"school": "SEN", "year_group": "9", "house": "Wye", "tutor_email": email("tutor")}
NEW = {"email": "new@pupils.habs.example", "name": "Nia New"} | PUPIL
ALED = {"email": email("aled"), "name": "Aled Pugh"} | PUPIL
TEACHER = {"email": email("teacher"), "name": "Teacher", "school": "SEN", "department": "Welsh", "roles": "dsp"}


@dataclass(frozen=True)
class File:
    """A file to import: its kind, its rows, and what the office says of it."""

    kind: str
    rows: list[dict[str, str]]
    options: RosterOptions = AS_OF_TODAY

    def read_into(self, school: School, folder: Path) -> ImportResult:
        return import_table(school, self.kind, table(folder / f"{self.kind}.csv", self.rows), options=self.options)


FILES = {
    "new pupil of an earlier call": File("pupils", [NEW]),
    "pupil changed from a past day": File(
        "pupils", [ALED | {"year_group": "10", "language": "cy"}], RosterOptions(valid_from=date(2026, 11, 1))
    ),
    "pupils left": File("pupils", [ALED], RosterOptions(left_on=date(2026, 11, 2))),
    "new address": File("pupils", [ALED | {"email": "a.pugh@habs.example", "entra_id": people.entra("aled")}]),
    "staff with a new role": File("staff", [TEACHER], RosterOptions(valid_from=date(2026, 11, 1))),
    "senior school no more": File("schools", [{"code": "SEN", "name": "SEN", "senior": "no"}]),
    "log of a call, and one rejected": File(
        "logs",
        [
            log("tutor", "bethan", "2026-11-04T10:00", ref="L2", concern="yes", concern_summary="She was crying."),
            log("tutor", "bethan", "2026-11-04T12:00", ref="L4", pupil_emails="nobody@habs.example"),
            log("tutor", "carys dai", "2026-11-06T10:00", ref="L5", recorded="yes"),
        ],
    ),
    "letter": File("letters", [{"pupil_email": email("bethan"), "kind": "one_to_one", "sent_on": "2026-09-01"}]),
    "consent": File(
        "consents",
        [
            {
                "pupil_email": email("aled"),
                "kind": "outside_hours",
                "covers_from": "2026-11-01T00:00",
                "covers_to": "2026-11-30T00:00",
                "obtained_at": "2026-10-30T12:00",
                "given_by": "Mrs Pugh",
            }
        ],
    ),
}


def session_of(school: School, ref: str) -> int:
    query = select(tables.sessions.c.id).join(tables.logs, tables.logs.c.id == tables.sessions.c.log_id)
    with school.engine.connect() as connection:
        return int(connection.scalars(query.where(tables.logs.c.ref == ref)).one())
