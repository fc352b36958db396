"""No days, filters and sums tell of a counselling session: the same answers with it and without it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from app.access.breaches import (
    count_breaches_by_owner,
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
from app.intake.files import import_logs
from app.school import School, open_school
from tests import people
from tests.clock import Clock


@pytest.fixture(autouse=True)
def stopped_clock(story_clock: Clock) -> Clock:
    """The sessions here have days of their own."""
    return story_clock


FIRST = date(2026, 9, 7)
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
        for n, ((by, pupil), left) in enumerate(zip(conductors * 5, ["no", "no", "yes"] * 7, strict=False))
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


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
