"""An exception from its opening to its end, on each kind of database."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from app.access.administration import get_audit_trail
from app.access.breaches import (
    SessionBreaches,
    get_session_breaches,
    list_breaches_to_explain,
    list_breaches_to_resolve,
)
from app.access.reporting import count_by_deadline
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.intake.logs import enter_log
from app.school import School
from app.sessions.breaches import BreachNotOpenError, explain_breaches, resolve_breaches
from app.store import tables
from app.vocabulary.terms import Resolution
from tests import people
from tests.clock import Clock
from tests.conftest import SchoolWith
from tests.people import call, calls, log, someone, table

pytestmark = pytest.mark.usefixtures("story_clock")

START = "2026-11-03T10:00"
ALONE = {"teacher": (0, 20), "aled": (1, 29)}  # the pupil stayed nine minutes after the teacher
TOGETHER = {"teacher": (0, 30), "aled": (1, 29)}


def number(school: School) -> int:
    with school.engine.connect() as connection:
        return int(connection.execute(select(tables.sessions.c.id)).scalar_one())


def found(school: School, who: str) -> SessionBreaches:
    return get_session_breaches(school, someone(school, who), number(school))


def states(school: School) -> dict[str, str]:
    rows = found(school, "sdh").rows
    return dict(zip(rows["clause"], rows["state"], strict=True))


def steps(school: School) -> list[tuple[str, str]]:
    events = found(school, "sdh").events
    return list(zip(events["title"], events["kind"], strict=True))


def leave_alone(school: School, folder: Path) -> None:
    """A logged lesson in which a pupil was left alone at the end."""
    import_logs(school, table(folder / "l.csv", [log("teacher", "aled", START, ref="L1")]))
    import_calls(school, calls(folder / "c.json", call("c1", START, ALONE)))


@pytest.fixture
def broken(school_with: SchoolWith) -> School:
    return school_with(leave_alone)


def test_only_breaches_are_opened(broken: School) -> None:
    assert states(broken) == {"staff-ends": "open", "never-alone": "open"}


def test_late_evidence_closes_a_breach_and_records_it(broken: School, tmp_path: Path) -> None:
    import_calls(broken, calls(tmp_path / "c2.json", call("c1", START, TOGETHER, version=2)))
    assert states(broken) == {"staff-ends": "closed", "never-alone": "closed"}
    assert sorted(steps(broken)) == [("Pupils never alone", "closed"), ("Staff end the call", "closed")]
    assert list_breaches_to_resolve(broken, someone(broken, "hoy9")).empty


def test_a_closed_breach_reopens_when_judged_a_breach_again(broken: School, tmp_path: Path) -> None:
    import_calls(broken, calls(tmp_path / "c2.json", call("c1", START, TOGETHER, version=2)))
    import_calls(broken, calls(tmp_path / "c3.json", call("c1", START, ALONE, version=3)))
    assert states(broken) == {"staff-ends": "open", "never-alone": "open"}
    assert steps(broken)[-1][1] == "reopened"


def test_staff_explain_and_the_hoy_resolves_a_whole_session(broken: School) -> None:
    teacher, hoy = someone(broken, "teacher"), someone(broken, "hoy9")
    assert list(list_breaches_to_explain(broken, teacher)["session_id"]) == [number(broken)]
    explain_breaches(broken, teacher, number(broken), "The bell rang late.")
    assert list_breaches_to_explain(broken, teacher).empty
    assert list(list_breaches_to_resolve(broken, hoy)["explained"]) == [True]
    resolve_breaches(broken, hoy, number(broken), Resolution.SPOKEN_WITH, "We spoke about it.")
    assert states(broken) == {"staff-ends": "resolved", "never-alone": "resolved"}
    told = found(broken, "teacher").events
    assert list(told["kind"]) == ["explained", "explained", "resolved", "resolved"]
    assert set(told["text"]) == {"The bell rang late.", "We spoke about it."}
    assert list_breaches_to_resolve(broken, hoy).empty


def test_a_resolved_breach_stays_resolved_while_it_is_the_same(broken: School) -> None:
    resolve_breaches(broken, someone(broken, "hoy9"), number(broken), Resolution.EXPLAINED, "Seen.")
    again = log("teacher", "aled", START, ref="L1") | {"notes": "a correction of something else"}
    enter_log(broken, again, someone(broken, "teacher").staff_id, "notes")
    assert states(broken) == {"staff-ends": "resolved", "never-alone": "resolved"}


@pytest.mark.parametrize("who", ["teacher", "tutor", "slt", "dsp", "admin", "sdh"])
def test_only_its_owner_resolves_a_breach(broken: School, who: str) -> None:
    with pytest.raises(BreachNotOpenError):
        resolve_breaches(broken, someone(broken, who), number(broken), Resolution.EXPLAINED, "Mine to say.")
    assert set(states(broken).values()) == {"open"}


@pytest.mark.parametrize(("since", "stays"), [(date(2026, 11, 4), True), (date(2026, 11, 3), False)])
def test_a_breach_belongs_to_those_who_led_the_pupils_on_the_day(broken: School, since: date, stays: bool) -> None:
    owners, version = found(broken, "sdh").owners, tables.pupil_versions
    with broken.writing() as connection:  # everybody comes into a year and a house that nobody leads
        for row in connection.execute(select(version)).mappings().all():
            now = {name: value for name, value in row.items() if name != "id"}
            now |= {"from_day": since, "year_group": "13", "house": "None"}
            connection.execute(insert(version).values(now))
    assert owners != [someone(broken, "sdh").name]
    assert found(broken, "sdh").owners == (owners if stays else [someone(broken, "sdh").name])


def test_only_the_member_of_staff_explains_a_breach(broken: School) -> None:
    with pytest.raises(BreachNotOpenError):
        explain_breaches(broken, someone(broken, "tutor"), number(broken), "I was told.")


def test_resolving_a_breach_that_is_resolved_already_is_refused(broken: School) -> None:
    resolve_breaches(broken, someone(broken, "hoy9"), number(broken), Resolution.EXPLAINED, "Seen.")
    with pytest.raises(BreachNotOpenError):
        resolve_breaches(broken, someone(broken, "hm"), number(broken), Resolution.EXPLAINED, "Seen as well.")


def test_counselling_opens_no_breach_and_closes_an_open_one(broken: School, tmp_path: Path) -> None:
    counselling = log("counsellor", "bethan", "2026-11-04T10:00", ref="L2", purpose="counselling", dress_ok="no")
    import_logs(broken, table(tmp_path / "l2.csv", [counselling]))
    with broken.engine.connect() as connection:
        assert set(connection.scalars(select(tables.breaches.c.session_id))) == {number_of(broken, "L1")}
    as_counselling = log("teacher", "aled", START, ref="L1", purpose="counselling")
    enter_log(broken, as_counselling, someone(broken, "teacher").staff_id, "it was counselling")
    with broken.engine.connect() as connection:
        assert set(connection.scalars(select(tables.breaches.c.state))) == {"closed"}


def number_of(school: School, ref: str) -> int:
    with school.engine.connect() as connection:
        log_of = tables.sessions.join(tables.logs, tables.logs.c.id == tables.sessions.c.log_id)
        by_ref = select(tables.sessions.c.id).select_from(log_of).where(tables.logs.c.ref == ref)
        return int(connection.execute(by_ref).scalar_one())


def test_each_step_of_a_breach_is_on_the_audit_trail_without_its_text(broken: School) -> None:
    resolve_breaches(broken, someone(broken, "hoy9"), number(broken), Resolution.EXPLAINED, "Only for us.")
    trail = get_audit_trail(broken, someone(broken, "admin"))
    assert f"breaches of session {number(broken)}" in set(trail["subject"])
    assert "Only for us" not in trail.to_string()


def test_a_breach_that_is_opened_again_is_due_from_then_on(broken: School, story_clock: Clock, tmp_path: Path) -> None:
    def due() -> date:
        rows = found(broken, "sdh").rows
        return date.fromisoformat(str(rows.loc[rows["clause"] == "never-alone", "due"].iloc[0]))

    def listed() -> date:
        return date.fromisoformat(str(list_breaches_to_resolve(broken, someone(broken, "hoy9"))["due"].iloc[0]))

    opened = broken.today()
    assert due() == listed() == broken.settings.find_due_day(opened)
    import_calls(broken, calls(tmp_path / "a.json", call("c1", START, TOGETHER, version=2)))
    story_clock.later(days=3)
    import_calls(broken, calls(tmp_path / "b.json", call("c1", START, ALONE, version=3)))
    assert due() == listed() == broken.settings.find_due_day(opened + timedelta(days=3))
    story_clock.set(people.NOW)


@pytest.mark.parametrize(("late", "expected"), [(False, [1, 0, 0, 0]), (True, [0, 1, 0, 0])])
def test_count_by_deadline_tells_late_from_in_time(
    broken: School, story_clock: Clock, late: bool, expected: list[int]
) -> None:
    sdh, number_of_days = someone(broken, "sdh"), (date(2026, 11, 1), date(2026, 11, 30))

    def counts() -> list[int]:
        return [int(n > 0) for n in count_by_deadline(broken, sdh, number_of_days)["breaches"]]

    zone, due = broken.settings.zone, broken.settings.find_due_day(broken.today())
    story_clock.set(datetime.combine(due, time(23, 59), zone))
    assert counts() == [0, 0, 1, 0]
    if late:
        story_clock.later(minutes=1)
        assert counts() == [0, 0, 0, 1]
    resolve_breaches(broken, someone(broken, "hoy9"), number(broken), Resolution.EXPLAINED, "Seen.")
    story_clock.later(days=30)
    assert counts() == expected
    story_clock.set(people.NOW)
