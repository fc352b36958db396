"""A plan is judged by the rules that judge the session later; it is the planner's alone, and fills the log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.access.administration import get_audit_trail
from app.access.forms import list_calls_to_log
from app.access.plans import list_plans
from app.intake.calls import import_calls
from app.intake.files import import_consents, import_letters, import_logs, import_roster
from app.judging.rejudge import preview_plans
from app.operations.retention import purge
from app.parents import consents
from app.protocol.clauses import CLAUSES
from app.records import log_form
from app.records.log_form import Form
from app.records.logs import Log
from app.records.rows import RejectedRow
from app.school import School
from app.sessions import planning
from app.store import tables
from app.store.database import open_database
from tests import people
from tests.conftest import SETTINGS
from tests.judged import list_outcomes
from tests.people import someone
from tests.sessions.plans import WINTER, AtTime, form, kept, plan

BEFOREHAND = {clause.name for clause in CLAUSES.values() if clause.remedy}


# --- the verdict ----------------------------------------------------------------------------------------


def test_an_evening_lesson_needs_consent_and_slt_informed(winter: AtTime) -> None:
    tutor = someone(winter, "tutor")
    lesson = plan(winter, "tutor", form("aled bethan"))
    checks = planning.check_plan(winter, tutor, lesson)
    assert checks.verdict == "no"
    both = [people.email("aled"), people.email("bethan")]
    assert checks.lacking == {"academic-hours": both}
    planning.ask_for_consents(winter, tutor, lesson, "outside_hours", both, "The orchestra rehearses all day")
    asked = planning.find_consents(winter, tutor, lesson, "outside_hours", both)
    assert list(asked["state"]) == ["asked", "asked"]
    for number in asked["consent_id"]:
        consents.answer_consent(winter, tutor, int(number), given=True, parent="mother", at=winter.now())
    assert planning.check_plan(winter, tutor, lesson).verdict == "no"
    consents.inform_slt(winter, tutor, int(asked["consent_id"].iloc[0]))
    assert planning.check_plan(winter, tutor, lesson).lacking == {"academic-hours": [people.email("bethan")]}
    consents.inform_slt(winter, tutor, int(asked["consent_id"].iloc[1]))
    checks = planning.check_plan(winter, tutor, lesson)
    assert (checks.verdict, checks.lacking) == ("yes", {})


def test_a_plan_lists_what_to_watch_and_never_calls_it_met(winter: AtTime) -> None:
    one_to_one = form(purpose="pastoral", reason="routine", second=[people.email("hm")])
    checks = planning.check_plan(winter, someone(winter, "tutor"), plan(winter, "tutor", one_to_one))
    assert set(checks.clauses["clause"]) <= BEFOREHAND
    assert "adult-introduced" in set(checks.in_session["clause"])
    assert not set(checks.in_session["clause"]) & BEFOREHAND
    assert checks.verdict == "no", "the evening, and no letter about one-to-ones"
    counselling = plan(winter, "counsellor", form(purpose="counselling"))
    in_session = planning.check_plan(winter, someone(winter, "counsellor"), counselling).in_session
    assert "public-room" not in set(in_session["clause"])


@pytest.mark.parametrize(
    ("by", "right"),
    [("tutor", {"hoy9", "hm"}), ("hoy9", {"sdh"}), ("hm", {"sdh"}), ("sdh", set()), ("teacher", {"hoy9", "hm"})],
)
def test_a_plan_names_the_right_second_member(winter: AtTime, by: str, right: set[str]) -> None:
    one_to_one = plan(winter, by, form(purpose="pastoral", reason="routine"))
    named = planning.find_second_members(winter, someone(winter, by), one_to_one)
    assert set(named) == {people.email(who) for who in right}
    if by == "tutor":
        assert named[people.email("hoy9")] == "Hoy9 · Head of Year 9"
    assert planning.find_second_members(winter, someone(winter, by), plan(winter, by, form())) == {}


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        ({"day": "2027-01-19"}, "started_at"),
        ({"to": "18:00"}, "ended_at"),
        ({"pupils": ["x@y.example"]}, "pupil_emails"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_fix(winter: AtTime, wrong: Form, column: str) -> None:
    fault = planning.read_plan(winter, planning.as_row(winter, form() | wrong, someone(winter, "tutor")))
    assert isinstance(fault, RejectedRow)
    assert (fault.column, bool(fault.fix)) == (column, True)


# --- the same verdict before and after ---------------------------------------------------------------------

DAYS = [date(2027, 2, 1) + timedelta(days=n) for n in range(20)] + [date(2027, 3, 29)]
PUPIL = st.sampled_from(["aled", "bethan", "dai"])


@dataclass(frozen=True)
class Planned:
    """A session of some day, and what the parents' registers hold by then. A consent: its reason, and whether it
    covers all of the session, was given in time, and SLT told of it in time."""

    day: date
    by: str
    pupils: frozenset[str]
    purpose: str
    clock: str
    minutes: int
    reason: str
    second: frozenset[str]
    letter: tuple[str, int] | None
    consent: tuple[str, bool, bool, bool] | None
    with_call: bool

    @property
    def begins(self) -> datetime:
        hour, minute = map(int, self.clock.split(":"))
        return datetime(self.day.year, self.day.month, self.day.day, hour, minute, tzinfo=SETTINGS.zone)

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(minutes=self.minutes)

    def cells(self) -> dict[str, str]:
        values = form(
            " ".join(sorted(self.pupils)),
            ref=f"P-{self.day}",
            purpose=self.purpose,
            reason=self.reason,
            second=[people.email(who) for who in sorted(self.second)],
            day=self.day.isoformat(),
            **{"from": self.clock, "to": f"{self.ends:%H:%M}"},
        )
        is_remote = any(period.from_ <= self.day <= period.to for period in WINTER.remote_learning)
        is_one_to_one = self.purpose == "pastoral" and len(self.pupils) == 1 and is_remote
        return log_form.as_row(values, people.email(self.by), one_to_one=is_one_to_one)

    def call(self) -> dict[str, object]:
        who = {self.by: (-1.0, self.minutes + 1.0)} | dict.fromkeys(sorted(self.pupils), (0.0, float(self.minutes)))
        return people.call(f"call-{self.day}", f"{self.begins.astimezone(UTC):%Y-%m-%dT%H:%M:%S}", who)


def planned(by: str, pupils: st.SearchStrategy[frozenset[str]], purpose: str) -> st.SearchStrategy[Planned]:
    mostly = st.sampled_from([True, True, True, False])
    return st.builds(
        Planned,
        day=st.sampled_from(DAYS),
        by=st.sampled_from(by.split()),
        pupils=pupils,
        purpose=st.sampled_from(purpose.split()),
        minutes=st.sampled_from([15, 20, 40]),
        clock=st.sampled_from(["07:50", "08:30", "08:40", "12:40", "13:20", "15:40", "17:15", "19:00"]),
        reason=st.sampled_from(["", "routine", "safeguarding", "homework"]),
        second=st.sampled_from(["", "hoy9", "hm", "sdh", "teacher", "teacher hm"]).map(str.split).map(frozenset),
        letter=st.none() | st.tuples(st.sampled_from(["introduction", "one_to_one"]), st.integers(-3, 1)),
        consent=st.tuples(st.sampled_from(["the orchestra", ""]), mostly, mostly, mostly),
        with_call=st.booleans(),
    )


SESSION = planned(
    "tutor hoy9 teacher counsellor musician preptutor",
    st.frozensets(PUPIL, min_size=1),
    "academic academic academic pastoral music counselling chat",
)
ONE_TO_ONE = planned("tutor tutor hoy9 hm sdh", PUPIL.map(lambda who: frozenset([who])), "pastoral")


@pytest.fixture(scope="module")
def at_first(new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a school with a roster, and introductory letters to all but one of the pupils."""
    url = new_database()
    school = School(open_database(url), WINTER)
    folder = tmp_path_factory.mktemp("first")
    import_roster(school, people.roster(folder / "roster"))
    sent = [
        {"pupil_email": people.email(who), "kind": "introduction", "sent_on": "2027-01-15"} for who in ("aled", "dai")
    ]
    assert not import_letters(AtTime(school.engine, WINTER), people.table(folder / "letters.csv", sent)).rejected
    school.engine.dispose()
    return url


@pytest.mark.whole
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.lists(SESSION | ONE_TO_ONE, min_size=10, max_size=18, unique_by=lambda one: one.day))
def test_a_session_held_as_planned_is_judged_as_its_preview(
    at_first: str, new_database: Callable[..., str], tmp_path: Path, plans: list[Planned]
) -> None:
    school = AtTime(open_database(new_database(copy_of=at_first)), WINTER)
    after = school.later(datetime(2027, 4, 1, tzinfo=UTC))
    _on_record(after, tmp_path, plans)
    logs = [log for one in plans if isinstance(log := planning.read_plan(school, one.cells()), Log)]
    assert len(logs) == len(plans)
    with school.engine.connect() as connection:
        table = preview_plans(connection, WINTER, logs)
    before = {(logs[row.plan].ref, row.clause): row.outcome for row in table.itertuples() if row.clause in BEFOREHAND}
    # The screen's own question, of the first.
    screen = planning.check_plan(school, someone(school, plans[0].by), logs[0]).clauses
    assert {logs[0].ref} == {ref for ref, _ in before if ref == logs[0].ref}
    assert all(before[logs[0].ref, row.clause] == row.outcome for row in screen.itertuples())

    assert not import_logs(after, people.table(tmp_path / "held.csv", [one.cells() for one in plans])).rejected
    records = [one.call() for one in plans if one.with_call]
    if records:
        assert import_calls(after, people.calls(tmp_path / "held.json", *records)).added == len(records)
    judged = list_outcomes(after)
    assert len(judged) == len(plans) * len(CLAUSES)
    held = {(row["log_ref"], row["clause"]): row["outcome"] for row in judged if row["clause"] in BEFOREHAND}
    assert before == held
    for clause in sorted(BEFOREHAND):
        for outcome in {told for (_, name), told in held.items() if name == clause}:
            event(f"{clause}: {outcome}")
    school.engine.dispose()


def _on_record(school: School, folder: Path, plans: list[Planned]) -> None:
    """The letters and consents of the plans, each of a session's first pupil."""
    letters, given = [], []
    for one in plans:
        pupil = people.email(min(one.pupils))
        if one.letter:
            kind, days = one.letter
            letters.append({"pupil_email": pupil, "kind": kind, "sent_on": f"{one.day + timedelta(days=days)}"})
        if one.consent:
            why, wide, in_time, told = one.consent
            kind = "one_to_one" if one.purpose == "pastoral" else "outside_hours"
            given.append(
                {
                    "pupil_email": pupil,
                    "kind": kind,
                    "reason": why,
                    "given_by": "a parent",
                    "covers_from": (one.begins + timedelta(minutes=0 if wide else 5)).isoformat(),
                    "covers_to": (one.begins + timedelta(hours=2)).isoformat(),
                    "obtained_at": (one.begins - timedelta(days=1 if in_time else 0)).isoformat(),
                    "slt_informed_at": (one.begins - timedelta(hours=1)).isoformat() if told else "",
                }
            )
    if letters:
        assert not import_letters(school, people.table(folder / "letters.csv", letters)).rejected
    if given:
        assert not import_consents(school, people.table(folder / "consents.csv", given)).rejected


# --- kept ----------------------------------------------------------------------------------------------------


def test_only_its_planner_saves_changes_and_deletes_a_plan(winter: AtTime) -> None:
    first = kept(winter, "tutor", purpose="pastoral", reason="routine", second=[people.email("hm")])
    assert planning.create_form(first) == form(purpose="pastoral", reason="routine", second=[people.email("hm")])
    assert first.changes == 0
    tutor, other = someone(winter, "tutor"), someone(winter, "hoy9")
    moved = plan(winter, "tutor", form("bethan", **{"from": "10:00", "to": "10:30"}))
    assert not planning.is_saved(winter, tutor, first, moved)
    planning.save_plan(winter, tutor, moved)
    again = next(list_plans(winter, tutor).itertuples())
    assert (again.changes, again.pupils, again.second_emails) == (1, "Bethan Rees", "")
    assert planning.is_saved(winter, tutor, again, moved)
    assert list_plans(winter, other).empty
    with pytest.raises(planning.NotYoursError):
        planning.save_plan(winter, other, plan(winter, "hoy9", form()))
    with pytest.raises(planning.NotYoursError):
        planning.delete_plan(winter, other, "P-1")
    planning.delete_plan(winter, tutor, "P-1")
    planning.delete_plan(winter, tutor, "P-1")
    assert list_plans(winter, tutor).empty
    trail = get_audit_trail(winter, someone(winter, "admin"))["subject"]
    assert set(trail[trail.str.startswith("plan")]) == {"plan P-1", "plan P-1, deleted"}


def test_a_plan_fills_the_log_of_its_call_and_of_no_other(winter: AtTime, tmp_path: Path) -> None:
    tutor = someone(winter, "tutor")
    kept(winter, "tutor", pupils="aled", purpose="pastoral", reason="routine", second=[people.email("hm")])
    after = winter.later(datetime(2027, 2, 3, 22, tzinfo=UTC))
    records = [
        people.call("other", "2027-02-03T19:05:00", {"tutor": (0, 20), "carys": (0, 20)}),
        people.call("planned", "2027-02-03T19:03:00", {"tutor": (0, 25), "aled": (0, 24)}),
        people.call("morning", "2027-02-03T09:00:00", {"tutor": (0, 20), "aled": (0, 20)}),
    ]
    assert import_calls(after, people.calls(tmp_path / "c.json", *records)).added == 3
    calls, plans = list_calls_to_log(after, tutor), list_plans(after, tutor)
    of = planning.match_plans_with_calls(after, calls, plans)
    number = calls.set_index("call_id")["session_id"]["planned"]
    assert of == {number: "P-1"}
    call = next(calls[calls["call_id"] == "planned"].itertuples())
    filled = planning.fill_log_form(log_form.from_call(call), next(plans.itertuples()))
    assert (filled["purpose"], filled["reason"], filled["second"]) == ("pastoral", "routine", [people.email("hm")])
    assert (filled["from"], filled["to"], filled["plan"]) == ("19:03", "19:27", "P-1")


def test_plans_are_deleted_with_unfinished_forms(winter: AtTime) -> None:
    kept(winter, "tutor")
    kept(winter, "counsellor", ref="P-2", purpose="counselling")

    def gone(day: date) -> list[int | None]:
        past = purge(winter.later(datetime(day.year, day.month, day.day, tzinfo=UTC)))
        return [one.number for one in past if "plans" in one.what]

    assert gone(date(2028, 2, 2)) == [0]
    assert gone(date(2028, 2, 5)) == [1], "the counsellor's went as well, and no number tells of it"
    with winter.engine.connect() as connection:
        for table in (tables.plans, tables.plan_pupils, tables.plan_invited):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
