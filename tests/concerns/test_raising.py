"""What opening a concern keeps, and whom it alerts."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select

from app.access.concern_history import LinkedSession
from app.access.forms import list_pupils_to_choose
from app.concerns.raising import Report, open_concern, raise_concern
from app.school import School
from app.store import tables
from app.store.concerns import CHILD, known_category
from app.store.database import open_database
from tests import people
from tests.clock import Clock
from tests.people import someone

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
WORDS: dict[str, Any] = {"happened_at": NOON, "childs_words": "Nobody is here.", "told_dsp": False}
TUTOR, DSP_SENIOR, DSP_PREP, ONCE_DSP, NEXT_DSP = 1, 2, 3, 4, 5
CARYS, DAI, MOVED = 1, 2, 3


@pytest.fixture
def connection(new_database: Callable[..., str]) -> Iterator[Connection]:
    engine = open_database(new_database())
    with engine.connect() as connection:
        for code, senior in (("SEN", True), ("PREP", False)):
            _add(connection, tables.schools, code=code, name=code, senior=senior, email_domain="habs.example")
        _staff(connection, TUTOR, "SEN", "tutor")
        _staff(connection, DSP_SENIOR, "SEN", "teacher;dsp")
        _staff(connection, DSP_PREP, "PREP", "dsp")
        _staff(connection, ONCE_DSP, "SEN", "dsp")
        _staff(connection, ONCE_DSP, "SEN", "teacher", date(2026, 9, 1))
        _staff(connection, NEXT_DSP, "SEN", "tutor")
        _staff(connection, NEXT_DSP, "SEN", "dsp", date(2026, 12, 1))
        _pupil(connection, CARYS, "SEN")
        _pupil(connection, DAI, "PREP")
        _pupil(connection, MOVED, "PREP")
        _pupil(connection, MOVED, "SEN", date(2026, 9, 1))
        yield connection
    engine.dispose()


def _add(connection: Connection, table: Table, **values: Any) -> None:
    connection.execute(insert(table).values(**values))


def _staff(connection: Connection, staff_id: int, school: str, roles: str, from_day: date = date(1900, 1, 1)) -> None:
    if from_day.year == 1900:
        _add(connection, tables.staff, id=staff_id, email=f"s{staff_id}@habs.example")
    _add(
        connection,
        tables.staff_versions,
        staff_id=staff_id,
        from_day=from_day,
        name=f"S{staff_id}",
        school=school,
        department="Music",
        roles=roles,
        year_groups="",
        houses="",
    )


def _pupil(connection: Connection, pupil_id: int, school: str, from_day: date = date(1900, 1, 1)) -> None:
    if from_day.year == 1900:
        _add(connection, tables.pupils, id=pupil_id, email=f"p{pupil_id}@habs.example")
    _add(
        connection,
        tables.pupil_versions,
        pupil_id=pupil_id,
        from_day=from_day,
        name=f"P{pupil_id}",
        school=school,
        year_group="9",
        house="Monnow",
    )


def _open(connection: Connection, pupils: list[int], session: LinkedSession | None = None, **other: Any) -> str:
    given = WORDS | {"summary": "Alone at home.", "categories": ["home_alone"]} | other
    report = Report(CHILD, pupil_ids=pupils, **given)
    return open_concern(connection, report, raised_by=TUTOR, raised_at=NOON, day=NOON.date(), session=session).ref


def _told(connection: Connection, ref: str) -> set[int]:
    event = tables.concern_events
    return set(
        connection.scalars(
            select(event.c.recipient_id)
            .join(tables.concerns)
            .where(tables.concerns.c.ref == ref, event.c.kind == "alerted")
        )
    )


def test_the_dsps_of_the_pupils_school_are_alerted_those_of_that_day(connection: Connection) -> None:
    assert _told(connection, _open(connection, [CARYS])) == {DSP_SENIOR}
    assert _told(connection, _open(connection, [DAI])) == {DSP_PREP}
    assert _told(connection, _open(connection, [CARYS, DAI])) == {DSP_SENIOR, DSP_PREP}


@pytest.mark.parametrize(("at", "alerted"), [("2026-07-01T22:30", "dsp"), ("2026-07-01T23:30", "teacher")])
def test_raise_concern_alerts_the_dsp_of_the_schools_day(school: School, clock: Clock, at: str, alerted: str) -> None:
    """In summer a new day at the school begins at 23:00 UTC."""
    with school.writing() as connection:
        for who, roles in (("dsp", "teacher"), ("teacher", "dsp")):
            person = someone(school, who)
            new = {"staff_id": person.staff_id, "from_day": date(2026, 7, 2), "name": who, "school": person.school}
            groups = {"year_groups": "", "houses": "", "department": "Music"}
            connection.execute(insert(tables.staff_versions).values(new | groups | {"roles": roles}))
    clock.set(datetime.fromisoformat(at).replace(tzinfo=UTC))
    tutor = someone(school, "tutor")
    pupil = list_pupils_to_choose(school, tutor).set_index("email").loc[people.email("aled"), "pupil_id"]
    report = Report(CHILD, summary="Alone.", categories=["home_alone"], pupil_ids=[int(pupil)], told_dsp=False)
    assert raise_concern(school, tutor, report).alerted == [someone(school, alerted).staff_id]


def test_a_pupil_who_moved_belongs_to_the_new_schools_dsp(connection: Connection) -> None:
    assert _told(connection, _open(connection, [MOVED])) == {DSP_SENIOR}


def test_a_school_without_a_dsp_gets_no_alert(connection: Connection) -> None:
    connection.execute(tables.staff_versions.delete().where(tables.staff_versions.c.staff_id == DSP_PREP))
    assert _told(connection, _open(connection, [DAI])) == set()


def test_a_concern_is_stored_word_for_word_with_its_link_and_level(connection: Connection) -> None:
    words = "<b>=Nobody</b>\n" + "x" * 10_000
    session = LinkedSession("L-1", None)
    ref = _open(connection, [DAI, CARYS, DAI], session, summary=words, categories=["home_alone", "distress"])
    kept = connection.execute(select(tables.concerns).where(tables.concerns.c.ref == ref)).one()
    assert (kept.summary, kept.categories, kept.raised_at) == (words, "home_alone;distress", NOON)
    assert set(connection.scalars(select(tables.concern_pupils.c.pupil_id))) == {CARYS, DAI}
    assert connection.execute(select(tables.concern_sessions.c.log_ref, tables.concern_sessions.c.call_id)).all() == [
        ("L-1", None)
    ]
    opened = connection.execute(select(tables.concern_events).where(tables.concern_events.c.kind == "opened")).one()
    assert (opened.actor_id, opened.level) == (TUTOR, "not yet assessed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"summary": "  "},
        {"categories": []},
        {"categories": ["gossip"]},
        {"categories": ["home_alone", "distress", "other", "disclosure"]},
    ],
)
def test_an_incomplete_concern_is_refused_and_nothing_stored(connection: Connection, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^A concern") as refused:
        _open(connection, [CARYS], **wrong)
    assert "gossip" not in str(refused.value)
    assert connection.execute(select(tables.concerns)).all() == []


def test_a_concern_is_about_a_pupil(connection: Connection) -> None:
    with pytest.raises(ValueError, match="needs a pupil"):
        _open(connection, [])


def test_a_reference_does_not_reveal_the_number_of_concerns(connection: Connection) -> None:
    refs = [_open(connection, [CARYS]) for _ in range(20)]
    assert len(set(refs)) == 20
    assert refs != sorted(refs)


def test_categories_are_found_in_the_words_of_a_log() -> None:
    assert known_category("Home alone") == "home_alone"
    assert known_category(" seen-or-heard ") == "seen_or_heard"
    assert known_category("something odd") == known_category(None) == "other"
