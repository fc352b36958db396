"""A clause is added or removed although there are data, and whoever writes or reads first, the database is in order."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

from app.access.breaches import get_session_breaches, list_breaches_to_resolve
from app.access.overview import get_overview
from app.access.people import find_person
from app.access.policy import Person
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.intake.logs import Entered, enter_log
from app.judging import rejudge
from app.judging.upkeep import refresh
from app.protocol.clause import Heading, Reference, clause
from app.protocol.clauses import CLAUSES
from app.protocol.facts import SessionFacts
from app.protocol.judge import count_outcomes
from app.protocol.outcomes import BREACH, LOG, MET, NOTHING
from app.protocol.rulings import Ruling
from app.reports.outcomes_csv import iter_outcomes
from app.school import School
from app.sessions.breaches import resolve_breaches
from app.store import session_days, tables
from app.store.outcomes import current_clause_set, decode_outcomes
from app.vocabulary.terms import Resolution
from tests import people
from tests.conftest import SchoolWith

pytestmark = pytest.mark.usefixtures("story_clock")

DAYS = (date(2026, 11, 1), date(2026, 11, 30))
NEW = "chat-saved"


def chat_saved(facts: SessionFacts) -> Ruling:
    ruling = Ruling(facts)
    ruling.decide(facts.logged, MET, LOG, "The log says that the chat was saved.")
    ruling.decide(~facts.logged, BREACH, NOTHING, "Nobody saved the chat.")
    return ruling


def fill(school: School, folder: Path) -> None:
    """Three logs and a call, two of the sessions on one day, hours apart."""
    logs = [
        people.log("teacher", "aled", "2026-11-03T09:00", ref="L1", dress_ok="no"),
        people.log("teacher", "bethan", "2026-11-03T15:00", ref="L2", dress_ok="no"),
        people.log("musician", "bethan", "2026-11-04T10:00", ref="L3", purpose="music"),
    ]
    assert import_logs(school, people.table(folder / "logs.csv", logs)).added == 3
    import_calls(school, people.calls(folder / "calls.json", _call("c1", "2026-11-05T10:00")))
    refresh(school)


@pytest.fixture
def busy(school_with: SchoolWith) -> School:
    return school_with(fill)


def _call(call_id: str, start: str) -> dict[str, object]:
    return people.call(call_id, start, {"teacher": (0, 31), "aled": (1, 30)})


def _add_clause() -> None:
    """Add a clause whose reference is in the middle, so that others change places."""
    point = Reference(Heading.GENERAL, 4)
    clause("Chat saved", point, words="The chat is saved.", decided_by="The log.")(chat_saved)


def _leader(school: School) -> Person:
    person = find_person(school, people.email("sdh"))
    assert person is not None
    return person


def _outcomes(school: School) -> pd.DataFrame:
    return get_overview(school, _leader(school), DAYS)


def _counts(school: School, clause: str) -> dict[str, int]:
    counted = count_outcomes(_outcomes(school)).loc[clause]
    return {name: int(counted[name]) for name in ("met", "breach", "not_applicable")}


def _session(school: School, ref: str) -> int:
    session = tables.sessions.c
    with school.engine.connect() as connection:
        by_ref = select(session.id).join(tables.logs, tables.logs.c.id == session.log_id)
        return int(connection.execute(by_ref.where(tables.logs.c.ref == ref)).scalar_one())


def _assert_all_judged(school: School, logs: int, calls: int) -> None:
    """After a page has been opened, everything that is shown has the new clause."""
    refresh(school)
    assert _counts(school, NEW) == {"met": logs, "breach": calls, "not_applicable": 0}
    exported = pd.DataFrame(list(iter_outcomes(school, DAYS)))
    assert len(exported) == (logs + calls) * len(CLAUSES)
    assert (exported.loc[exported["clause"] == NEW, "outcome"] == "met").sum() == logs
    view = get_session(school, _leader(school), _session(school, "L1"))
    assert view is not None
    shown = view.clauses.set_index("clause")
    assert shown.loc[NEW, ["title", "outcome"]].tolist() == ["Chat saved", "met"]
    assert shown.loc["dress", "outcome"] == "breach"
    listed = list_sessions(school, _leader(school), DAYS)
    broken = (_outcomes(school).set_index("session_id")[list(CLAUSES)] == "breach").sum(axis=1)
    assert listed.set_index("session_id")["n_breach"].to_dict() == broken.to_dict()


def test_a_new_clause_does_not_apply_before_sessions_are_judged_again(busy: School, clauses: None) -> None:
    before = _outcomes(busy)
    _add_clause()
    after = _outcomes(busy)
    assert _counts(busy, NEW) == {"met": 0, "breach": 0, "not_applicable": 4}
    pd.testing.assert_frame_equal(after.drop(columns=NEW), before)
    assert len(list_sessions(busy, _leader(busy), DAYS)) == 4


def test_a_new_clause_may_be_followed_first_by_an_import(busy: School, tmp_path: Path, clauses: None) -> None:
    _add_clause()
    file = people.table(tmp_path / "l.csv", [people.log("teacher", "carys", "2026-11-03T12:00", ref="L4")])
    assert import_logs(busy, file).added == 1
    # The others of that day are judged by the earlier clauses still.
    assert _counts(busy, NEW) == {"met": 1, "breach": 0, "not_applicable": 4}
    assert _counts(busy, "dress") == {"met": 2, "breach": 2, "not_applicable": 0}
    _assert_all_judged(busy, logs=4, calls=1)


def test_a_new_clause_may_be_followed_first_by_a_call(busy: School, tmp_path: Path, clauses: None) -> None:
    _add_clause()
    assert import_calls(busy, people.calls(tmp_path / "c.json", _call("c2", "2026-11-03T12:00"))).added == 1
    assert _counts(busy, NEW) == {"met": 0, "breach": 1, "not_applicable": 4}
    _assert_all_judged(busy, logs=3, calls=2)


def test_a_new_clause_may_be_followed_first_by_an_entered_log(busy: School, clauses: None) -> None:
    _add_clause()
    log = people.log("teacher", "carys", "2026-11-03T12:00", ref="L4")
    entered = enter_log(busy, log, people.staff_id(busy, "teacher"))
    assert isinstance(entered, Entered)
    assert entered.judged is not None
    assert NEW in entered.judged["clause"].tolist()
    _assert_all_judged(busy, logs=4, calls=1)


def test_a_new_clause_may_be_followed_first_by_a_page(busy: School, clauses: None) -> None:
    _add_clause()
    _assert_all_judged(busy, logs=3, calls=1)


def test_a_new_clause_is_judged_in_parts_that_end_inside_a_day(
    busy: School, clauses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudge, "_AT_ONCE", 1)
    _add_clause()
    _assert_all_judged(busy, logs=3, calls=1)


def test_a_removed_clause_leaves_resolved_breaches(busy: School, tmp_path: Path, clauses: None) -> None:
    leader, first, second = _leader(busy), _session(busy, "L1"), _session(busy, "L2")
    owner = find_person(busy, people.email("hoy9"))
    assert owner is not None
    resolve_breaches(busy, owner, first, Resolution.SPOKEN_WITH, "")
    del CLAUSES["dress"]
    # Until it is judged again, the open one is still there, by its name.
    assert "dress" in list_breaches_to_resolve(busy, owner)["clauses"].tolist()
    file = people.table(tmp_path / "l.csv", [people.log("teacher", "carys", "2026-11-03T12:00", ref="L4")])
    assert import_logs(busy, file).added == 1
    assert "dress" not in _outcomes(busy)
    refresh(busy)
    assert set(_outcomes(busy).columns) >= set(CLAUSES)
    assert {row["clause"] for row in list(iter_outcomes(busy, DAYS))} == set(CLAUSES)
    assert "dress" not in list_breaches_to_resolve(busy, owner)["clauses"].tolist()
    kept = [get_session_breaches(busy, leader, session).rows for session in (first, second)]
    assert [(rows["title"].tolist(), rows["state"].tolist()) for rows in kept] == [
        (["dress"], ["resolved"]),
        (["dress"], ["closed"]),
    ]


def test_current_clause_set_is_added_once(busy: School, clauses: None) -> None:
    with busy.writing() as connection:
        first = current_clause_set(connection)
        assert current_clause_set(connection) == first
        del CLAUSES["dress"]
        second = current_clause_set(connection)
        assert second != first
        assert current_clause_set(connection) == second


def test_decode_outcomes_refuses_codes_of_no_clause_set(busy: School) -> None:
    sessions = pd.DataFrame({"codes": ["0" * len(CLAUSES)], "clause_set_id": pd.array([None], "Int64")})
    with busy.engine.connect() as connection, pytest.raises(KeyError):
        decode_outcomes(connection, sessions)


def test_pack_packs_a_day_with_sessions_of_several_clause_sets(busy: School, tmp_path: Path, clauses: None) -> None:
    _add_clause()
    file = people.table(tmp_path / "l.csv", [people.log("teacher", "carys", "2026-11-03T12:00", ref="L4")])
    assert import_logs(busy, file).added == 1
    with busy.engine.connect() as connection:
        packed = tables.session_days.c
        assert connection.scalar(select(packed.packed).where(packed.day == date(2026, 11, 3))) is not None
        rows = session_days.read(connection, date(2026, 11, 3), date(2026, 11, 3))
    assert rows[NEW].tolist() == ["not_applicable", "met", "not_applicable"]
    assert rows["dress"].tolist() == ["breach", "met", "breach"]
