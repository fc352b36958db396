"""Who owns breaches, and who may explain and resolve them."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from app.access.breaches import (
    count_breaches_by_owner,
    count_sessions_breached_since,
    count_sessions_to_resolve,
    get_session_breaches,
    list_breaches_to_resolve,
    list_open_breaches,
)
from app.school import School
from app.store import tables
from tests.access.school import ID, LAST_WEEK, MAY_OPEN, NUMBER, OPEN, OWN, at_hour, someone

TO_SETTLE: dict[str, set[str]] = {name: set() for name in ID} | {
    # Aled is of year 9 and of Monnow, and so tutor9's tutees are; Efa was of year 9 until September.
    "hoy9": {"aled", "bethan by tutor9", "efa in july"},
    "hm_monnow": {"aled", "bethan by tutor9", "carys", "carys unlogged"},
    "prep_hoy": {"dai", "dai with concern"},
    # Year 10 has no HOY, and Wye has no HM.
    "sdh": {"bethan", "efa in october", "unknown", "bethan with concern"},
}


@pytest.mark.parametrize("name", ID)
def test_list_breaches_to_resolve_gives_the_hoy_or_hm_or_else_the_senior_deputy_head(school: School, name: str) -> None:
    person = someone(school, name)
    mine = list_breaches_to_resolve(school, person)
    assert set(mine["session_id"]) == {NUMBER[session] for session in TO_SETTLE[name]}
    assert count_sessions_to_resolve(school, person) == len(mine)
    for session, number in NUMBER.items():
        found = get_session_breaches(school, person, number)
        assert bool(found.to_resolve) == (session in TO_SETTLE[name])
        assert bool(found.to_explain) == (session in OWN[name] and session in OPEN)
        assert len(found.rows) == (session in MAY_OPEN[name] and session in OPEN)


def test_list_breaches_to_resolve_gives_a_hoys_own_to_the_senior_deputy_head(school: School) -> None:
    with school.engine.begin() as connection:
        own = tables.sessions.c.id == NUMBER["aled"]
        connection.execute(update(tables.sessions).where(own).values(staff_id=ID["hoy9"]))
    assert NUMBER["aled"] not in set(list_breaches_to_resolve(school, someone(school, "hoy9"))["session_id"])
    assert NUMBER["aled"] in set(list_breaches_to_resolve(school, someone(school, "sdh"))["session_id"])


@pytest.mark.parametrize("days", [-1, 1])
def test_a_session_is_due_with_the_earliest_of_its_breaches(school: School, days: int) -> None:
    first, second = at_hour(LAST_WEEK, 15), at_hour(LAST_WEEK + timedelta(days=days), 15)
    breach = {"id": 1000, "session_id": NUMBER["aled"], "clause": "dress", "opened_at": second, "state": "open"}
    with school.engine.begin() as connection:
        connection.execute(insert(tables.breaches).values(breach))
    due = school.settings.find_due_day(min(first, second).date())
    assert due != school.settings.find_due_day(max(first, second).date())
    for rows in (
        list_open_breaches(school, someone(school, "sdh")),
        list_breaches_to_resolve(school, someone(school, "hoy9")),
    ):
        assert rows.set_index("session_id")["due"][NUMBER["aled"]] == due


def test_count_breaches_by_owner_counts_sessions_for_each_owner(school: School) -> None:
    waiting = count_breaches_by_owner(school, someone(school, "sdh")).set_index("owner")
    assert waiting["sessions"].to_dict() == {
        name.title(): len(TO_SETTLE[name]) for name in TO_SETTLE if TO_SETTLE[name]
    }
    sessions = list_open_breaches(school, someone(school, "sdh"))
    assert sessions["session_id"].is_unique
    assert len(sessions) == len(set().union(*TO_SETTLE.values()))
    assert (school.today() - sessions["opened_at"].iloc[0].date()).days == waiting["oldest"].max()


@pytest.mark.parametrize("name", ID)
def test_count_sessions_breached_since_counts_other_sessions_that_the_person_may_open(
    school: School, name: str
) -> None:
    person, opened = someone(school, name), at_hour(LAST_WEEK, 15)
    others = (MAY_OPEN[name] & OPEN) - {"aled"}
    assert count_sessions_breached_since(school, person, opened, NUMBER["aled"]) == len(others)
    assert count_sessions_breached_since(school, person, at_hour(LAST_WEEK, 16), NUMBER["aled"]) == 0
