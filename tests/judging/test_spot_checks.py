"""Which sessions are drawn for a spot check: by chance that anybody can compute again, in whatever order they came."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.intake.logs import enter_log
from app.intake.undo import NotUndoneError, undo_last_import
from app.judging.spot_checks import choose, compute_draw, draw_again, read_seeds, store_seed
from app.judging.upkeep import refresh
from app.school import School
from app.settings import replace_figures
from app.store import tables
from app.vocabulary.terms import SpotCheckResult
from tests.conftest import SchoolWith
from tests.people import call, calls, log, staff_id, table

pytestmark = pytest.mark.usefixtures("story_clock")

TERM, SEED = "Michaelmas 2026", "5eed"
STAFF = ("tutor", "teacher", "musician", "hoy9")
ROWS = [
    log(STAFF[n % 4], "aled", f"2026-11-{2 + n:02}T10:00", ref=f"L{n:02}")
    for n in range(20)
    if n % 7 < 5  # on Mondays to Fridays
]
REFS = [row["ref"] for row in ROWS]


def slowly(sessions: list[dict[str, Any]], answered: set[tuple[int, str]]) -> set[int]:
    """The positions of those drawn, as docs/spot-checks.md describes it."""
    drawn = set()
    for place, session in enumerate(sessions):
        if int(session["digest"][:8], 16) / 4294967296 < session["share"]:
            drawn.add(place)
    for staff, term in {(s["staff_id"], s["term"]) for s in sessions}:
        own = [place for place, s in enumerate(sessions) if (s["staff_id"], s["term"]) == (staff, term)]
        if (staff, term) in answered or drawn & set(own):
            continue
        of_tutor = [place for place in own if sessions[place]["is_tutor"] and sessions[place]["share"] > 0]
        if of_tutor:
            drawn.add(min(of_tutor, key=lambda place: str(sessions[place]["digest"])))
    return drawn


SESSIONS = st.lists(
    st.fixed_dictionaries(
        {
            "staff_id": st.integers(1, 3),
            "term": st.sampled_from(["Lent", "Summer"]),
            "share": st.sampled_from([0.0, 0.05, 0.5, 1.0]),
            "is_tutor": st.booleans(),
            "digest": st.integers(0, 999).map(lambda n: hashlib.sha256(str(n).encode()).hexdigest()),
        }
    ),
    max_size=15,
    unique_by=lambda session: str(session["digest"]),
)


@given(sessions=SESSIONS, answered=st.sets(st.tuples(st.integers(1, 3), st.sampled_from(["Lent", "Summer"]))))
def test_choose_draws_as_documented(sessions: list[dict[str, Any]], answered: set[tuple[int, str]]) -> None:
    frame = pd.DataFrame(sessions, columns=["staff_id", "term", "share", "is_tutor", "digest"])
    frame = frame.astype({"share": float, "is_tutor": bool})
    chosen = choose(frame, answered)
    assert set(chosen[chosen].index) == slowly(sessions, answered)


def with_share(school: School, share: float) -> School:
    return replace(school, settings=replace_figures(school.settings, {"spot_check_share": share}))


def give_seed(school: School, _folder: Path) -> None:
    """The seed of the term, which chance would make another one in each database."""
    with school.writing() as connection:
        store_seed(connection, school, TERM, SEED)


def add(school: School, folder: Path, rows: Iterable[dict[str, str]]) -> None:
    assert not import_logs(school, table(folder / "l.csv", rows)).rejected


def drawn(school: School) -> dict[str, str | None]:
    """The drawn sessions by the references of their logs, each with its result."""
    check, session = tables.spot_checks.c, tables.sessions.c
    query = select(tables.logs.c.ref, check.result).join(tables.sessions, session.log_id == tables.logs.c.id)
    query = query.join(tables.spot_checks, check.session_id == session.id)
    with school.engine.connect() as connection:
        return {row.ref: row.result for row in connection.execute(query)}


def count_checks(school: School) -> int:
    with school.engine.connect() as connection:
        return len(connection.execute(select(tables.spot_checks.c.id)).all())


def answer(school: School, ref: str) -> None:
    session = select(tables.sessions.c.id).join(tables.logs, tables.sessions.c.log_id == tables.logs.c.id)
    with school.writing() as connection:
        of_ref = tables.spot_checks.c.session_id.in_(session.where(tables.logs.c.ref == ref))
        connection.execute(update(tables.spot_checks).where(of_ref).values(result=SpotCheckResult.IN_ORDER))


def sort_tutors_by_digest() -> list[dict[str, str]]:
    """The tutor's logs, the lowest number first."""
    of_tutor = [row for row in ROWS if row["staff_email"].startswith("tutor@")]
    return sorted(of_tutor, key=lambda row: compute_draw(SEED, row["ref"]))


def expected(refs: Iterable[str], share: float) -> set[str]:
    """What is drawn of some of the logs, computed from the seed alone."""
    rows = [row for row in ROWS if row["ref"] in set(refs)]
    sessions = [
        {
            "staff_id": row["staff_email"],
            "term": TERM,
            "share": share,
            "is_tutor": row["staff_email"].startswith("tutor@"),
            "digest": hashlib.sha256(f"{SEED}:{row['ref']}".encode()).hexdigest(),
        }
        for row in rows
    ]
    return {rows[place]["ref"] for place in slowly(sessions, set())}


@pytest.mark.parametrize("share", [0.0001, 0.3])
@pytest.mark.parametrize("order", [ROWS, ROWS[::-1], sorted(ROWS, key=lambda row: compute_draw("x", row["ref"]))])
def test_draw_is_the_same_in_any_order(
    school_with: SchoolWith, tmp_path: Path, share: float, order: list[dict[str, str]]
) -> None:
    school = with_share(school_with(give_seed), share)
    for end in range(0, len(order), 5):
        add(school, tmp_path, order[end : end + 5])
        assert drawn(school).keys() == expected([row["ref"] for row in order[: end + 5]], share)
    with school.writing() as connection:
        draw_again(connection, school)
    assert drawn(school).keys() == expected(REFS, share)
    at_once = with_share(school_with(give_seed), share)
    add(at_once, tmp_path, ROWS)
    assert drawn(at_once) == drawn(school)


def test_every_tutor_has_one_and_others_only_by_their_share(school_with: SchoolWith, tmp_path: Path) -> None:
    school = with_share(school_with(give_seed), 1e-9)
    add(school, tmp_path, ROWS)
    assert drawn(school).keys() == {sort_tutors_by_digest()[0]["ref"]}


def test_a_share_of_0_draws_none(school_with: SchoolWith, tmp_path: Path) -> None:
    school = with_share(school_with(give_seed), 0)
    add(school, tmp_path, ROWS)
    assert not drawn(school)


def test_what_is_no_longer_in_order_by_its_log_alone_leaves(school_with: SchoolWith, tmp_path: Path) -> None:
    school = with_share(school_with(give_seed), 1)
    add(school, tmp_path, ROWS[:4])
    assert drawn(school).keys() == set(REFS[:4])
    enter_log(school, ROWS[0] | {"dress_ok": "no"}, staff_id(school, STAFF[0]), "A mistake.")
    record = call("c1", ROWS[1]["started_at"], {"teacher": (0, 30), "aled": (1, 29)})
    import_calls(school, calls(tmp_path / "c.json", record))
    enter_log(school, ROWS[2] | {"purpose": "counselling"}, staff_id(school, STAFF[2]), "A mistake.")
    assert drawn(school).keys() == {REFS[3]}
    enter_log(school, ROWS[0], staff_id(school, STAFF[0]), "Right after all.")
    assert drawn(school).keys() == {REFS[0], REFS[3]}


def test_an_undone_import_leaves_no_check_and_the_next_lowest_follows(school_with: SchoolWith, tmp_path: Path) -> None:
    school = with_share(school_with(give_seed), 1e-9)
    by_digest = sort_tutors_by_digest()
    add(school, tmp_path, by_digest[1:])
    assert drawn(school).keys() == {by_digest[1]["ref"]}
    add(school, tmp_path, by_digest[:1])
    assert drawn(school).keys() == {by_digest[0]["ref"]}
    undo_last_import(school)
    assert drawn(school).keys() == {by_digest[1]["ref"]}
    assert count_checks(school) == 1


def test_an_import_is_not_undone_once_a_session_of_it_was_looked_at(school_with: SchoolWith, tmp_path: Path) -> None:
    school = with_share(school_with(give_seed), 1)
    add(school, tmp_path, ROWS[:2])
    answer(school, REFS[0])
    with pytest.raises(NotUndoneError, match="a spot check was answered"):
        undo_last_import(school)


def test_what_was_looked_at_stays_and_the_tutor_needs_no_other(school_with: SchoolWith, tmp_path: Path) -> None:
    school = with_share(school_with(give_seed), 1e-9)
    by_digest = sort_tutors_by_digest()
    add(school, tmp_path, by_digest[2:])
    answer(school, by_digest[2]["ref"])
    add(school, tmp_path, by_digest[:2])
    assert drawn(school) == {by_digest[2]["ref"]: SpotCheckResult.IN_ORDER}


def test_a_seed_is_made_once_and_its_digest_goes_on_the_trail(school: School, tmp_path: Path) -> None:
    confidential = log("counsellor", "aled", "2026-11-02T10:00", ref="L98", purpose="counselling")
    add(school, tmp_path, [confidential])
    with school.engine.connect() as connection:
        assert not read_seeds(connection)
    for row in (ROWS[0], ROWS[4], log("tutor", "aled", "2026-06-01T10:00", ref="L99")):
        add(school, tmp_path, [row])
    trail = tables.audit.c
    with school.engine.connect() as connection:
        seeds = read_seeds(connection)
        about_seeds = select(trail.subject).where(trail.subject.contains("seed")).order_by(trail.id)
        entries = connection.scalars(about_seeds).all()
    assert list(seeds) == [TERM, "Summer 2026"]
    assert entries == [
        f"seed of the spot checks of {term}, made; its SHA-256 is {hashlib.sha256(seed.encode()).hexdigest()}"
        for term, seed in seeds.items()
    ]


def test_refresh_draws_again_when_the_share_has_changed(school_with: SchoolWith, tmp_path: Path) -> None:
    school = school_with(give_seed)
    add(school, tmp_path, ROWS)
    refresh(school)
    before = drawn(school)
    assert before.keys() == expected(REFS, 0.05)
    refresh(with_share(school, 0.5))
    assert drawn(school).keys() == expected(REFS, 0.5)
    refresh(with_share(school, 0.05))
    assert drawn(school) == before
