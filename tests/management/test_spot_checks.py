"""Spot checks from the draw to the explanation: who sees, answers and explains which."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.access.policy import NotAllowedError
from app.access.spot_checks import (
    count_spot_checks,
    get_spot_check,
    list_answered_spot_checks,
    list_spot_check_seeds,
    list_spot_checks,
    list_spot_checks_to_explain,
    looks_at_spot_checks,
)
from app.intake.files import import_logs
from app.intake.logs import enter_log
from app.judging.spot_checks import compute_commitment, read_seeds
from app.management.spot_checks import answer_spot_check, reply_to_spot_check
from app.reports.subject_access import create_file_for_command
from app.school import School
from app.settings import replace_figures
from app.store import tables
from app.vocabulary.terms import SpotCheckResult
from tests.clock import Clock, moment
from tests.conftest import SchoolWith
from tests.people import STAFF, email, found, log, someone, staff_id, table

pytestmark = pytest.mark.usefixtures("story_clock")

ROWS = {
    # By the tutor of aled and bethan, year 9; aled and carys are in Monnow. Dai's year has no HOY.
    "tutor": log("tutor", "aled", "2026-11-03T10:00", ref="L1"),
    "hoy9": log("hoy9", "aled", "2026-11-04T10:00", ref="L2"),
    "sdh": log("sdh", "aled", "2026-11-05T10:00", ref="L3"),
    "preptutor": log("preptutor", "dai", "2026-11-06T10:00", ref="L4"),
    "counsellor": log("counsellor", "aled", "2026-11-09T10:00", ref="L5", purpose="counselling"),
}
EVERYTHING = (moment("2026-09-01").date(), moment("2026-11-27").date())
IN_ORDER, TO_EXPLAIN = SpotCheckResult.IN_ORDER, SpotCheckResult.TO_EXPLAIN


def draw_all(school: School, folder: Path) -> None:
    """Everything that can be drawn is."""
    everything = replace(school, settings=replace_figures(school.settings, {"spot_check_share": 1}))
    assert not import_logs(everything, table(folder / "l.csv", ROWS.values())).rejected


@pytest.fixture
def drawn(school_with: SchoolWith) -> School:
    return school_with(draw_all)


def number(school: School, who: str) -> int:
    """The session of somebody."""
    with school.engine.connect() as connection:
        query = tables.sessions.select().where(tables.sessions.c.staff_id == staff_id(school, who))
        return int(connection.execute(query).one().id)


def listed(school: School, who: str) -> set[str]:
    """By whom the sessions are that somebody is to look at."""
    person = someone(school, who)
    return {name.lower() for name in list_spot_checks(school, person)["staff_name"]}


def answer(school: School, who: str, whose: str, result: SpotCheckResult = IN_ORDER, note: str = "") -> None:
    answer_spot_check(school, someone(school, who), number(school, whose), result, note)


def test_owners_of_breaches_look_at_them_but_nobody_at_their_own(drawn: School) -> None:
    lists = {who: listed(drawn, who) for who in STAFF}
    assert {who: names for who, names in lists.items() if names} == {
        "hoy9": {"tutor"},
        "hm": {"tutor"},
        "sdh": {"hoy9", "preptutor"},
    }
    assert {who for who in STAFF if looks_at_spot_checks(someone(drawn, who))} == {"hoy9", "hm", "sdh"}
    assert list_spot_checks(drawn, someone(drawn, "hoy9"))["pupils"].tolist() == ["Aled Pugh"]


def test_one_answer_closes_the_check_for_all_its_owners(drawn: School) -> None:
    answer(drawn, "hm", "tutor")
    assert not listed(drawn, "hoy9")
    assert not listed(drawn, "hm")
    with pytest.raises(ValueError, match="no longer open"):
        answer(drawn, "hoy9", "tutor")
    check = found(get_spot_check(drawn, someone(drawn, "sdh"), number(drawn, "tutor")))
    assert (check.result, check.checked_by, check.may_answer) == (IN_ORDER, "Hm", False)
    assert list_answered_spot_checks(drawn, someone(drawn, "sdh"))["staff_name"].tolist() == ["Tutor"]


@pytest.mark.parametrize(
    ("who", "whose"), [("tutor", "tutor"), ("sdh", "tutor"), ("hoy9", "hoy9"), ("sdh", "sdh"), ("slt", "tutor")]
)
def test_nobody_else_answers(drawn: School, who: str, whose: str) -> None:
    with pytest.raises(ValueError, match="not yours"):
        answer(drawn, who, whose)


def test_what_is_to_be_explained_needs_a_note_and_is_explained_by_the_member_of_staff(drawn: School) -> None:
    tutor, session = someone(drawn, "tutor"), number(drawn, "tutor")
    assert get_spot_check(drawn, tutor, session) is None
    with pytest.raises(ValueError, match="what is to be explained"):
        answer(drawn, "hoy9", "tutor", TO_EXPLAIN, "  ")
    answer(drawn, "hoy9", "tutor", TO_EXPLAIN, "Was it in Teams?")
    assert list_spot_checks_to_explain(drawn, tutor)["note"].tolist() == ["Was it in Teams?"]
    for who in STAFF.keys() - {"tutor"}:
        assert list_spot_checks_to_explain(drawn, someone(drawn, who)).empty
    with pytest.raises(ValueError, match="Write a sentence"):
        reply_to_spot_check(drawn, tutor, session, " ")
    reply_to_spot_check(drawn, tutor, session, "Yes, in our team.")
    assert list_spot_checks_to_explain(drawn, tutor).empty
    with pytest.raises(ValueError, match="left to explain"):
        reply_to_spot_check(drawn, tutor, session, "Once more.")
    for who in ("hoy9", "hm", "sdh", "tutor"):
        check = found(get_spot_check(drawn, someone(drawn, who), session))
        assert (check.note, check.reply, check.may_reply) == ("Was it in Teams?", "Yes, in our team.", False)
    for who in ("teacher", "slt", "dsp", "counsellor", "admin"):
        assert get_spot_check(drawn, someone(drawn, who), session) is None


def test_what_was_answered_is_on_the_trail_without_words(drawn: School) -> None:
    answer(drawn, "hoy9", "tutor", TO_EXPLAIN, "Was it in Teams?")
    reply_to_spot_check(drawn, someone(drawn, "tutor"), number(drawn, "tutor"), "Yes.")
    trail = tables.audit.c
    with drawn.engine.connect() as connection:
        rows = connection.execute(
            tables.audit.select().where(trail.subject.startswith("spot check of")).order_by(trail.id)
        )
        entries = [(row.actor, row.subject) for row in rows]
    subject = f"spot check of session {number(drawn, 'tutor')}"
    assert entries == [("hoy9@habs.example", subject), ("tutor@habs.example", subject)]


def test_subject_access_holds_what_was_written_about_a_pupils_session(drawn: School) -> None:
    answer(drawn, "hoy9", "tutor", TO_EXPLAIN, "Was it in Teams?")
    reply_to_spot_check(drawn, someone(drawn, "tutor"), number(drawn, "tutor"), "Yes, in our team.")
    page = create_file_for_command(drawn, email("aled"))
    assert "Was it in Teams?" in page
    assert "Yes, in our team." in page
    assert "Was it in Teams?" not in create_file_for_command(drawn, email("dai"))


def test_a_session_judged_anew_with_a_breach_leaves_the_open_list(drawn: School) -> None:
    enter_log(drawn, ROWS["tutor"] | {"dress_ok": "no"}, staff_id(drawn, "tutor"), "A mistake.")
    assert not listed(drawn, "hoy9")
    with pytest.raises(ValueError, match="no longer open"):
        answer(drawn, "hoy9", "tutor")


def test_figures_count_what_became_of_the_checks(drawn: School) -> None:
    answer(drawn, "hoy9", "tutor")
    answer(drawn, "sdh", "preptutor", TO_EXPLAIN, "Why so long?")
    figures = count_spot_checks(drawn, someone(drawn, "slt"), EVERYTHING)
    assert (figures.drawn, figures.in_order, figures.to_explain, figures.open) == (4, 1, 1, 2)
    with pytest.raises(NotAllowedError):
        count_spot_checks(drawn, someone(drawn, "hoy9"), EVERYTHING)


def test_the_seed_is_shown_after_the_term_to_the_senior_deputy_head(drawn: School, story_clock: Clock) -> None:
    with drawn.engine.connect() as connection:
        seed = read_seeds(connection)["Michaelmas 2026"]
    deputy = someone(drawn, "sdh")
    before = list_spot_check_seeds(drawn, deputy).iloc[0]
    assert before["commitment"] == compute_commitment(seed)
    assert before["seed"] is None
    started = story_clock()
    story_clock.set(moment("2026-12-12T08:00"))
    assert list_spot_check_seeds(drawn, deputy).iloc[0]["seed"] == seed
    story_clock.set(started)
    with pytest.raises(NotAllowedError):
        list_spot_check_seeds(drawn, someone(drawn, "hoy9"))
