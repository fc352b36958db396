"""No days, filters and sums tell of a counselling session: the same answers with it and without it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from app.access.breaches import (
    count_breaches_by_owner,
    count_sessions_to_resolve,
    list_breaches_to_explain,
    list_breaches_to_resolve,
    list_open_breaches,
)
from app.access.concerns import list_concerns, list_own_concerns
from app.access.forms import list_calls_to_log
from app.access.overview import count_counselling_sessions, get_overview, get_protocol_figures, list_late_consents
from app.access.people import find_person
from app.access.policy import NotAllowedError, Person
from app.access.pupils import count_unlogged_by_person, list_pupils_with_counts, list_tutors
from app.access.reporting import count_by_deadline, count_resolved_breaches
from app.access.sessions import list_session_pupils, list_sessions, list_unlogged_calls
from app.concerns.casework import record_opening
from app.concerns.raising import Report, raise_concern
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.intake.logs import Entered, enter_log
from app.judging.rejudge import rejudge_pupils
from app.school import School, open_school
from app.sessions.drafts import save_draft
from app.store import reading, tables
from app.store.concerns import CONDUCT
from tests import people
from tests.access import everything
from tests.clock import Clock

pytestmark = pytest.mark.whole


@pytest.fixture(autouse=True)
def stopped_clock(story_clock: Clock) -> Clock:
    """The sessions here have days of their own."""
    return story_clock


FIRST = date(2026, 9, 7)
WITHOUT_SESSIONS = date(2026, 9, 14)
DAYS = st.tuples(st.integers(0, 70), st.integers(0, 70)).map(
    lambda ends: (FIRST + timedelta(days=min(ends)), FIRST + timedelta(days=max(ends)))
)
QUESTIONS: tuple[Callable[..., Any], ...] = (
    get_overview,
    list_sessions,
    list_session_pupils,
    list_pupils_with_counts,
    list_tutors,
    count_unlogged_by_person,
    list_unlogged_calls,
    get_protocol_figures,
    list_late_consents,
    list_calls_to_log,
    list_concerns,
    list_own_concerns,
    list_breaches_to_resolve,
    count_sessions_to_resolve,
    list_breaches_to_explain,
    list_open_breaches,
    count_breaches_by_owner,
    count_resolved_breaches,
    count_by_deadline,
)
OF_DAYS: set[Callable[..., Any]] = {
    get_overview,
    list_sessions,
    list_session_pupils,
    list_pupils_with_counts,
    list_tutors,
    count_unlogged_by_person,
    list_unlogged_calls,
    get_protocol_figures,
    list_late_consents,
    count_resolved_breaches,
    count_by_deadline,
}


@dataclass(frozen=True)
class Counselling:
    """A session of the counsellor's, as it is logged."""

    pupils: str
    day: date
    hour: int
    purpose: str

    def row(self, number: int) -> dict[str, str]:
        return people.log(
            "counsellor",
            self.pupils,
            f"{self.day}T{self.hour:02}:30",
            ref=f"C{number}",
            purpose=self.purpose,
            notes="a secret",
            reason="a secret",
            cameras_on="no",
        )


@dataclass(frozen=True)
class Look:
    """One look: a question, its days, and which value of which column of the answer is picked."""

    question: int
    days: tuple[date, date]
    column: int
    value: int


COUNSELLING = st.builds(
    Counselling,
    pupils=st.sampled_from([*people.PUPILS, "aled carys"]),
    day=st.integers(0, 70).map(lambda n: FIRST + timedelta(days=n)),
    hour=st.integers(7, 20),
    purpose=st.sampled_from(["counselling", "Counselling", "a talk"]),
)
LOOKS = st.lists(
    st.builds(
        Look, question=st.integers(0, len(QUESTIONS) - 1), days=DAYS, column=st.integers(0, 30), value=st.integers(0, 9)
    ),
    min_size=3,
    max_size=6,
)


@pytest.fixture(scope="module")
def without(peopled_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory, story_clock: Clock) -> str:
    """The address of a school in which everybody but the counsellor had sessions, some against the protocol."""
    folder = tmp_path_factory.mktemp("without")
    url = peopled_database()
    school = open_school(url)
    conductors = [("tutor", "aled"), ("teacher", "carys"), ("musician", "bethan"), ("preptutor", "dai")]
    rows = [
        people.log(by, pupil, f"{FIRST + timedelta(days=3 * n)}T{9 + n % 9:02}:00", ref=f"L{n}", pupil_left_alone=left)
        for n, ((by, pupil), left) in enumerate(zip(conductors * 3, ["no", "no", "yes"] * 7, strict=False))
    ]
    assert not import_logs(school, people.table(folder / "l.csv", rows)).rejected
    school.engine.dispose()
    return url


def look(school: School, person: Person, looks: Sequence[Look]) -> list[str]:
    """What the person reads, look by look: the rows picked, and how many they are."""
    told = []
    for one in looks:
        ask = QUESTIONS[one.question]
        try:
            answer = ask(school, person, one.days) if ask in OF_DAYS else ask(school, person)
        except NotAllowedError as refused:
            told.append(str(refused))
            continue
        frame = answer if isinstance(answer, pd.DataFrame) else pd.DataFrame([answer])
        column = frame.columns[one.column % len(frame.columns)]
        values = frame[column].drop_duplicates().tolist()
        picked = frame[frame[column] == values[one.value % len(values)]] if values else frame
        told.append(f"{len(frame)} {frame.to_csv()} {column} {len(picked)} {picked.to_csv()}")
    return told


EVERY_QUESTION = [Look(n, (FIRST, FIRST + timedelta(days=70)), 0, 0) for n in range(len(QUESTIONS))]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sessions=st.lists(COUNSELLING, min_size=1, max_size=7, unique_by=lambda one: (one.day, one.hour)),
    who=st.sampled_from([who for who in people.STAFF if who != "counsellor"]),
    looks=LOOKS,
)
@example(sessions=[Counselling("aled", FIRST, 10, "counselling")], who="sdh", looks=EVERY_QUESTION)
@example(  # the same people, in the same order
    sessions=[Counselling("aled", date(2026, 10, 1), 16, "counselling")],
    who="sdh",
    looks=[Look(2, (FIRST, date(2026, 10, 13)), 0, 0)],
)
def test_no_sequence_of_looks_reveals_counselling(
    without: str,
    new_database: Callable[..., str],
    tmp_path: Path,
    sessions: list[Counselling],
    who: str,
    looks: list[Look],
) -> None:
    with_it = new_database(copy_of=without)
    told = []
    for url in (without, with_it):
        school = open_school(url)
        if url == with_it:
            rows = [one.row(number) for number, one in enumerate(sessions)]
            assert not import_logs(school, people.table(tmp_path / "c.csv", rows)).rejected
            _counsellor_sees(school, len(sessions))
            _counted_in_threes(school, sessions)
        person = find_person(school, people.email(who))
        assert person
        told.append(look(school, person, looks))
        school.engine.dispose()
    event("something was to be seen" if any(words[0].isdigit() and words[0] != "0" for words in told[0]) else "nothing")
    assert told[0] == told[1]


def _counsellor_sees(school: School, number: int) -> None:
    counsellor = find_person(school, people.email("counsellor"))
    assert counsellor
    assert len(list_sessions(school, counsellor, (date.min, date.max))) == number


def _counted_in_threes(school: School, sessions: list[Counselling]) -> None:
    """The one figure there is, against plain counting."""
    slt = find_person(school, people.email("slt"))
    assert slt
    last_sunday = school.today() - timedelta(days=school.today().isoweekday())
    counts = count_counselling_sessions(school, slt).set_index("term")["sessions"]
    for term in school.settings.terms:
        if term.name in counts:
            number = sum(
                term.from_ <= one.day <= min(term.to, last_sunday) and one.purpose.lower() == "counselling"
                for one in sessions
            )
            assert counts[term.name] == ("under 3" if number < 3 else f"at least {number // 3 * 3}")


# --- everything there is, with one session or concern and without it ---------------------------------------------


@pytest.fixture(scope="module")
def usual(without: str, new_database: Callable[..., str]) -> Callable[[str], Any]:
    """Gives what somebody learns, by name, before a test adds anything; and what the commands print and was emailed,
    for the names of nobody."""

    @cache
    def ask(name: str) -> Any:
        return _learn_all(new_database(copy_of=without), name)

    return ask


def _learn_all(url: str, name: str, *entitled: str) -> Any:
    school = open_school(url)
    try:
        if name == "papers":
            return everything.read_papers(school, people.someone(school, "slt"))
        if name == "commands":
            return everything.run_commands(url)
        if name == "emails":
            return everything.read_emails(school, *(people.staff_id(school, who) for who in entitled))
        return everything.learn(school, people.someone(school, name))
    finally:
        school.engine.dispose()


def _differing(before: Any, after: Any) -> Any:
    """Only what differs, which is short enough to read."""
    if isinstance(before, dict):
        return [(key, before[key], after[key]) for key in before if before[key] != after[key]]
    return [] if before == after else [before, after]


def add_counselling(school: School, one: Counselling, folder: Path) -> None:
    """One session of the counsellor's: planned, called, logged in a file and corrected in the form."""
    counsellor = people.someone(school, "counsellor")
    start = f"{one.day}T{one.hour:02}:30"
    minutes = dict.fromkeys(("counsellor", *one.pupils.split()), (0, 20))
    save_draft(school, counsellor, "log", {"pupils": [people.email(one.pupils.split()[0])]})
    assert import_calls(school, people.calls(folder / "c.json", people.call("secret", start, minutes))).added == 1
    row = one.row(1)
    assert import_logs(school, people.table(folder / "c.csv", [row])).added == 1
    entered = enter_log(school, row | {"notes": "another"}, counsellor.staff_id, "a private reason")
    assert isinstance(entered, Entered)


@pytest.fixture
def check(
    usual: Callable[[str], Any],
    without: str,
    new_database: Callable[..., str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Callable[[Counselling, str], None]:
    """Checks that one session of the counsellor's changes nothing that somebody learns, and no line of the log."""

    def check_one(one: Counselling, name: str) -> None:
        url = new_database(copy_of=without)
        school = open_school(url)
        caplog.clear()
        add_counselling(school, one, tmp_path)
        school.engine.dispose()
        assert [record.getMessage() for record in caplog.records if record.name.startswith("app")] == []
        before = usual(name)
        if name == "emails":
            before = _learn_all(new_database(copy_of=without), name, "counsellor")
        assert _differing(before, _learn_all(url, name, "counsellor")) == []

    return check_one


ANYBODY = st.sampled_from(["commands", "papers", "emails", *(who for who in people.STAFF if who != "counsellor")])


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=COUNSELLING, name=ANYBODY)
@example(one=Counselling("aled", FIRST, 10, "counselling"), name="admin")
@example(one=Counselling("bethan", FIRST + timedelta(days=30), 9, "a talk"), name="sdh")
@example(one=Counselling("aled carys", FIRST, 9, "counselling"), name="commands")
@example(one=Counselling("aled", WITHOUT_SESSIONS, 7, "counselling"), name="slt")
def test_nothing_tells_of_one_counselling_session(
    check: Callable[[Counselling, str], None], one: Counselling, name: str
) -> None:
    check(one, name)


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=COUNSELLING, name=ANYBODY)
def test_nothing_tells_of_any_counselling_session(
    check: Callable[[Counselling, str], None], one: Counselling, name: str
) -> None:
    check(one, name)


@pytest.mark.parametrize("name", ["admin", "teacher", "hoy9", "slt", "commands", "emails"])
def test_nothing_tells_of_one_conduct_concern(
    usual: Callable[[str], Any], without: str, new_database: Callable[..., str], name: str
) -> None:
    url = new_database(copy_of=without)
    school = open_school(url)
    raiser, sdh = people.someone(school, "tutor"), people.someone(school, "sdh")
    report = Report(
        CONDUCT,
        summary="something",
        told_dsp=True,
        categories=["boundaries"],
        staff_ids=[people.staff_id(school, "teacher")],
    )
    ref = raise_concern(school, raiser, report).ref
    record_opening(school, sdh, ref)
    school.engine.dispose()
    entitled = ("sdh", "dsp", "prepdsp", "tutor")
    before = _learn_all(new_database(copy_of=without), name, *entitled) if name == "emails" else usual(name)
    assert _differing(before, _learn_all(url, name, *entitled)) == []


def test_a_letter_sent_again_does_not_tell_who_was_in_counselling_by_others(
    without: str, new_database: Callable[..., str], tmp_path: Path
) -> None:
    learnt = []
    for pupil in ("aled", "bethan"):
        url = new_database(copy_of=without)
        school = open_school(url)
        row = people.log("tutor", pupil, f"{FIRST}T13:00", ref="W1", purpose="counselling")
        assert not import_logs(school, people.table(tmp_path / "w.csv", [row])).rejected
        with school.writing() as connection:
            aled = reading.read_roster(connection).pupils[people.email("aled")]
            connection.execute(delete(tables.letters).where(tables.letters.c.pupil_id == aled))
            rejudge_pupils(connection, school, [aled])
        answers = everything.learn(school, people.someone(school, "sdh"))
        learnt.append({name: re.sub(r"\b\d{10,}\b", "number", words) for name, words in answers.items()})
        school.engine.dispose()
    assert _differing(*learnt) == []
