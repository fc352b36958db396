"""Remote learning of one pupil: who may enter and end it, and what it does to the pupil's sessions."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, select

from app.access.forms import is_one_to_one
from app.access.policy import NotAllowedError
from app.access.remote_pupils import list_remote_learning, may_enter_remote_learning
from app.intake.files import import_logs
from app.management.effects import Effect
from app.management.remote_pupils import RemoteLearningError, end_remote_learning, enter_remote_learning
from app.school import School
from app.store import tables
from app.vocabulary.terms import BreachState
from tests import people
from tests.conftest import SchoolWith
from tests.people import someone

pytestmark = pytest.mark.usefixtures("story_clock")

MONDAY, TUESDAY, WEDNESDAY, FRIDAY = (date(2026, 11, day) for day in (23, 24, 25, 27))


def talk(school: School, folder: Path) -> None:
    """Pastoral sessions in the middle of the morning, all in order, in ordinary school time."""
    rows = [
        people.log("tutor", "aled", "2026-11-24T10:00", ref="L1", purpose="pastoral"),
        people.log("tutor", "aled", "2026-11-26T10:00", ref="L2", purpose="pastoral"),
        people.log("tutor", "bethan", "2026-11-24T11:00", ref="L3", purpose="pastoral"),
        people.log("tutor", "aled carys", "2026-11-24T12:00", ref="L4", purpose="pastoral"),
    ]
    assert not import_logs(school, people.table(folder / "logs.csv", rows)).rejected


@pytest.fixture
def school(school_with: SchoolWith) -> School:
    return school_with(talk)


def enter(school: School, by: str, who: str, first: date = MONDAY, last: date = FRIDAY) -> Effect:
    return enter_remote_learning(school, someone(school, by), people.find_pupil(school, who), first, last, "Quarantine")


def one_to_ones(school: School) -> set[str]:
    """The references of the sessions that are one-to-ones."""
    session, log = tables.sessions.c, tables.logs.c
    query = select(log.ref).join(tables.sessions, session.log_id == log.id).where(session.one_to_one)
    with school.engine.connect() as connection:
        return set(connection.scalars(query))


def in_force(school: School, by: str = "sdh") -> list[tuple[int, str, str, str]]:
    rows = list_remote_learning(school, someone(school, by))
    rows = rows[rows["is_in_force"]]
    return [(r.entry_id, r.pupil, f"{r.from_day:%d} {r.to_day:%d}", r.reason) for r in rows.itertuples()]


def trail(school: School) -> list[str]:
    query = select(tables.audit.c.subject).where(tables.audit.c.action == "changed").order_by(tables.audit.c.id)
    with school.engine.connect() as connection:
        return list(connection.scalars(query))


@pytest.mark.parametrize("by", ["sdh", "hoy9", "hm"])
def test_enter_remote_learning_makes_one_to_ones_of_the_pupils_pastoral_sessions(school: School, by: str) -> None:
    assert one_to_ones(school) == set()
    effect = enter(school, by, "aled")
    assert one_to_ones(school) == {"L1", "L2"}, "not Bethan's, and not the one with two pupils"
    assert (effect.sessions, effect.closed) == (2, 0)
    assert effect.describe() == "2 past sessions now show a breach."
    assert [entry[1:] for entry in in_force(school)] == [("Aled Pugh", "23 27", "Quarantine")]
    aled = people.find_pupil(school, "aled")
    assert trail(school)[-1] == f"remote learning of pupil {aled}, entry 1, 2026-11-23 to 2026-11-27"


def test_enter_remote_learning_opens_each_breach_once(school: School) -> None:
    enter(school, "sdh", "aled", TUESDAY, TUESDAY)
    assert one_to_ones(school) == {"L1"}
    enter(school, "sdh", "bethan")
    breach = tables.breaches.c
    with school.engine.connect() as connection:
        query = select(func.count()).select_from(tables.breaches).group_by(breach.session_id, breach.clause)
        assert set(connection.scalars(query)) == {1}


@pytest.mark.parametrize(("by", "who"), [("hoy9", "carys"), ("hm", "bethan"), ("hoy9", "dai"), ("hm", "dai")])
def test_enter_remote_learning_is_for_those_who_lead_the_pupil(school: School, by: str, who: str) -> None:
    with pytest.raises(NotAllowedError, match="remote learning of this pupil"):
        enter(school, by, who)
    assert not may_enter_remote_learning(school, someone(school, by), people.find_pupil(school, who))
    assert may_enter_remote_learning(school, someone(school, "sdh"), people.find_pupil(school, who))


@pytest.mark.parametrize("by", ["tutor", "teacher", "dsp", "slt", "admin", "counsellor"])
def test_remote_learning_is_not_for_others(school: School, by: str) -> None:
    enter(school, "sdh", "aled")
    person, (entry, *_) = someone(school, by), in_force(school)[0]
    for forbidden in (
        lambda: enter(school, by, "aled", date(2026, 12, 1), date(2026, 12, 1)),
        lambda: end_remote_learning(school, person, entry, TUESDAY),
        lambda: list_remote_learning(school, person),
    ):
        with pytest.raises(NotAllowedError):
            forbidden()
    assert not may_enter_remote_learning(school, person, people.find_pupil(school, "aled"))


def test_list_remote_learning_is_of_the_pupils_whom_somebody_leads(school: School) -> None:
    for who in people.PUPILS:
        enter(school, "sdh", who)
    names = {by: {entry[1] for entry in in_force(school, by)} for by in ("sdh", "hoy9", "hm")}
    assert names["sdh"] == {"Aled Pugh", "Bethan Rees", "Carys Owen", "Dai Prosser"}
    assert names["hoy9"] == {"Aled Pugh", "Bethan Rees"}
    assert names["hm"] == {"Aled Pugh", "Carys Owen"}


@pytest.mark.parametrize(
    ("first", "last", "reason", "words"),
    [
        (FRIDAY, MONDAY, "Quarantine", "last day is before the first"),
        (MONDAY, date(2027, 11, 24), "Quarantine", "longer than 366 days"),
        (MONDAY, FRIDAY, "  ", "Enter a reason"),
    ],
)
def test_enter_remote_learning_refuses_what_does_not_fit(
    school: School, first: date, last: date, reason: str, words: str
) -> None:
    with pytest.raises(RemoteLearningError, match=words):
        enter_remote_learning(school, someone(school, "sdh"), people.find_pupil(school, "aled"), first, last, reason)
    assert in_force(school) == []


def test_enter_remote_learning_takes_366_days(school: School) -> None:
    enter(school, "sdh", "aled", MONDAY, date(2027, 11, 23))
    assert len(in_force(school)) == 1


def test_enter_remote_learning_refuses_a_pupil_who_is_not_on_the_roster(school: School) -> None:
    with pytest.raises(RemoteLearningError, match="no such pupil"):
        enter_remote_learning(school, someone(school, "sdh"), 9999, MONDAY, FRIDAY, "Quarantine")


@pytest.mark.parametrize(("first", "last"), [(FRIDAY, FRIDAY), (date(2026, 11, 1), MONDAY), (TUESDAY, TUESDAY)])
def test_enter_remote_learning_refuses_days_that_are_entered_already(school: School, first: date, last: date) -> None:
    enter(school, "sdh", "aled")
    with pytest.raises(RemoteLearningError, match="from Mon 23 Nov 2026 to Fri 27 Nov 2026 is entered"):
        enter(school, "hoy9", "aled", first, last)
    enter(school, "hoy9", "bethan", first, last)
    enter(school, "hoy9", "aled", date(2026, 11, 28), date(2026, 11, 28))


def test_end_remote_learning_early_leaves_the_days_before(school: School) -> None:
    enter(school, "hoy9", "aled")
    (entry, *_) = in_force(school)[0]
    effect = end_remote_learning(school, someone(school, "hm"), entry, WEDNESDAY)
    assert one_to_ones(school) == {"L1"}
    assert (effect.sessions, effect.closed) == (0, 1)
    assert effect.describe() == "1 breach was closed."
    rows = list_remote_learning(school, someone(school, "sdh")).set_index("entry_id")
    assert rows["reason"].tolist() == ["Quarantine", "Quarantine"]
    assert (rows.loc[entry, "entered_by"], rows.loc[entry, "ended_by"]) == ("Hoy9", "Hm")
    remaining = rows.drop(entry).iloc[0]
    assert (remaining["entered_by"], remaining["to_day"].date()) == ("Hm", WEDNESDAY)
    assert pd.isna(remaining["ended_at"])
    assert not remaining["is_in_force"], "its last day is over"
    assert trail(school)[-1].endswith(f"entry {entry}, ended after 2026-11-25")


def test_end_remote_learning_withdraws_an_entry_made_by_mistake(school: School) -> None:
    before = open_breaches(school)
    enter(school, "sdh", "aled")
    assert open_breaches(school) > before
    (entry, *_) = in_force(school)[0]
    end_remote_learning(school, someone(school, "sdh"), entry, date(2026, 11, 22))
    assert one_to_ones(school) == set()
    assert open_breaches(school) == before
    assert in_force(school) == []
    with pytest.raises(RemoteLearningError, match="ended already"):
        end_remote_learning(school, someone(school, "sdh"), entry, TUESDAY)
    enter(school, "sdh", "aled")
    assert one_to_ones(school) == {"L1", "L2"}


def open_breaches(school: School) -> int:
    query = select(func.count()).select_from(tables.breaches).where(tables.breaches.c.state == BreachState.OPEN)
    with school.engine.connect() as connection:
        return connection.scalar(query) or 0


def test_end_remote_learning_refuses_a_day_that_changes_nothing_and_others_pupils(school: School) -> None:
    enter(school, "sdh", "bethan")
    (entry, *_) = in_force(school)[0]
    with pytest.raises(RemoteLearningError, match="ends on Fri 27 Nov 2026 anyway"):
        end_remote_learning(school, someone(school, "sdh"), entry, FRIDAY)
    with pytest.raises(NotAllowedError):
        end_remote_learning(school, someone(school, "hm"), entry, TUESDAY)
    assert len(in_force(school)) == 1


def test_is_one_to_one_asks_for_the_pupil_in_the_form(school: School) -> None:
    enter(school, "hoy9", "aled", TUESDAY, WEDNESDAY)
    form = {"purpose": "pastoral", "pupils": [people.email("aled")], "day": "2026-11-24"}
    assert is_one_to_one(school, form)
    others = (
        {"pupils": [people.email("bethan")]},
        {"pupils": [people.email("aled"), people.email("bethan")]},
        {"purpose": "academic"},
        {"day": "2026-11-26"},
        {"pupils": ["nobody@habs.example"]},
    )
    assert not any(is_one_to_one(school, form | other) for other in others)
