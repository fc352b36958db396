"""A concern's life: nothing that was kept ever disappears, two at once lose nothing, and each sees what is theirs."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.access.concern_detail import ConcernView, get_chronology, get_concern
from app.access.concern_history import Entry
from app.access.concerns import list_actions_to_do, list_concerns, list_leaders_to_share_with, list_own_concerns
from app.access.people import find_person
from app.access.policy import NotAllowedError, Person
from app.concerns import casework
from app.concerns.raising import Elsewhere, Report, raise_concern
from app.concerns.steps import STEPS
from app.intake.files import import_logs
from app.reports.chronology import create_child_chronology
from app.school import School
from app.store import tables
from app.store.concerns import CHILD
from app.vocabulary.roles import Role
from tests import people

REPORTED: dict[str, Any] = {
    "summary": "Cried and would not say why.",
    "childs_words": "Dim byd.",
    "told_dsp": True,
    "categories": ["distress"],
    "place": "On the call",
}


def who(school: School, name: str) -> Person:
    found = find_person(school, people.email(name))
    assert found
    return found


def raised(school: School, by: str = "tutor", about: str = "aled", session_id: int | None = None, **other: Any) -> str:
    report = Report(CHILD, pupil_ids=[people.find_pupil(school, about)], **REPORTED | other)
    return raise_concern(school, who(school, by), report, session_id).ref


def seen(school: School, ref: str, by: str = "dsp") -> ConcernView:
    view = get_concern(school, who(school, by), ref)
    assert view
    return view


def step(school: School, ref: str, kind: str, by: str = "dsp", version: int | None = None, **answers: Any) -> None:
    version = seen(school, ref, by).version if version is None else version
    casework.record(school, who(school, by), ref, version, kind, answers)


def words_of(entries: list[Entry]) -> str:
    return "\n".join(text for entry in entries for _, text in entry.words)


# --- nothing disappears ---------------------------------------------------------------------------------

TYPED = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40).filter(str.strip)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_chronology_contains_every_step_in_any_order(school: School, data: Any) -> None:
    ref = raised(school, summary="The report itself.", about="aled")
    kept: list[str] = ["The report itself.", "Dim byd.", "On the call"]
    before = seen(school, ref).entries
    for number in range(data.draw(st.integers(1, 6))):
        view = seen(school, ref)
        kind = data.draw(st.sampled_from(sorted(set(casework.find_possible_steps(view)) - {"session_linked"})))
        kind, answers, typed = _answers(school, view, kind, data, number)
        casework.record(school, who(school, "dsp"), ref, view.version, kind, answers)
        kept += typed
        after = seen(school, ref).entries
        assert after[: len(before)] == before, f"{kind} changed what was there"
        assert len(after) > len(before)
        before = after
    told = words_of(before) + "".join(entry.what for entry in before)
    assert [words for words in kept if words not in told] == []
    chronology = get_chronology(school, who(school, "dsp"), people.find_pupil(school, "aled"))
    mine = [entry for entry in chronology if entry.ref == ref]
    if "aled" in {name.split()[0].lower() for name in seen(school, ref).pupils["name"]}:
        assert mine == before, "the child's chronology holds the concern's"


def _answers(
    school: School, view: ConcernView, kind: str, data: Any, number: int
) -> tuple[str, dict[str, Any], list[str]]:
    """Answers to everything that a step asks (a note, where there is nothing to choose), and what was typed."""
    answers: dict[str, Any] = {}
    day = school.today() - timedelta(days=number)
    waiting = [action.number for action in view.actions if action.done_on is None]
    mine = view.pupils["pupil_id"].tolist()
    choices: dict[str, list[Any]] = {
        "staff": [who(school, name).staff_id for name in ("teacher", "dsp")],
        "level": [level for level in view.register.levels if level != view.level],
        "pupil": [n for n in (people.find_pupil(school, name) for name in people.PUPILS) if n not in mine],
        "pupil_of": [n for n in mine if n != people.find_pupil(school, "aled")] or mine,
        "leader": [n for n in list_leaders_to_share_with(school, who(school, "dsp")) if n not in view.shared_with],
        "shared": list(view.shared_with),
        "action": waiting,
        "session_of": view.links,
        "day": [day],
        "field": ["summary", "childs_words", "place"],
    }
    typed = []
    for ask in STEPS[kind].asks:
        if ask.what in ("words", "line"):
            answers[ask.name] = f"{number} {data.draw(TYPED)}".strip()
            typed.append(answers[ask.name])
        else:
            if not choices[ask.what]:
                return "note", {"text": f"{number} instead"}, [f"{number} instead"]
            answers[ask.name] = data.draw(st.sampled_from(choices[ask.what]))
    if kind == "corrected":
        answers["after"] = f"{number} {data.draw(TYPED)}".strip()
        typed.append(answers["after"])
    return kind, answers | {"although": True}, typed


def test_a_correction_is_a_version_and_the_report_stays(school: School) -> None:
    ref = raised(school)
    for words in ("Cried about home.", "Cried about the dog."):
        step(school, ref, "corrected", field="summary", after=words, text=f"because of {words}")
    step(school, ref, "corrected", field="categories", after=["bullying", "distress"], text="told more")
    view = seen(school, ref)
    assert (view.summary, view.categories) == ("Cried about the dog.", ("bullying", "distress"))
    assert [version.words for version in view.fields["summary"]] == [
        "Cried about the dog.",
        "Cried about home.",
        REPORTED["summary"],
    ]
    assert list_own_concerns(school, who(school, "tutor"))["summary"].tolist() == [REPORTED["summary"]], "their words"
    with pytest.raises(casework.IncompleteStepError, match="already the present text"):
        step(school, ref, "corrected", field="summary", after="Cried about the dog.", text="again")


def test_the_printed_chronology_contains_every_word(school: School) -> None:
    ref, other = raised(school), raised(school, summary="Another one: <b>#panic()</b> \\ $x$")
    step(school, ref, "action", what="Ring home", recipient_id=who(school, "teacher").staff_id, due=school.today())
    step(school, other, "decision", decision="Wait", text="The mother was told")
    paper = create_child_chronology(school, who(school, "dsp"), people.find_pupil(school, "aled"))
    told = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper)).pages)
    for words in ("Aled Pugh", ref, other, "Dim byd.", "Ring home", "The mother was told", "#panic()", "Confidential"):
        assert words in told, words


# --- two at once --------------------------------------------------------------------------------------------


def test_two_editors_at_once_overwrite_nothing(school: School) -> None:
    ref = raised(school)
    opened_at = seen(school, ref).version
    step(school, ref, "level", level="early help", text="first", version=opened_at)
    with pytest.raises(casework.ConcernChangedError) as told:
        step(school, ref, "level", by="sdh", level="monitoring", text="second", version=opened_at)
    assert [(entry.what, entry.by) for entry in told.value.entries] == [("Level: early help", "Dsp")]
    assert seen(school, ref).level == "early help"
    step(school, ref, "level", by="sdh", level="monitoring", text="second", version=told.value.version)
    with pytest.raises(casework.IncompleteStepError, match="Choose a level"):
        step(school, ref, "level", level="high", text="no such level")
    assert "first" in words_of(seen(school, ref).entries)
    casework.record_opening(school, who(school, "sdh"), ref)  # that somebody reads it disturbs nobody who writes
    step(school, ref, "note", text="third", version=seen(school, ref).version)


# --- what each step asks ----------------------------------------------------------------------------------


def test_closing_with_open_actions_must_be_confirmed_and_reopening_needs_a_reason(school: School) -> None:
    ref = raised(school)
    step(school, ref, "action", what="Ring home", recipient_id=who(school, "dsp").staff_id, due=school.today())
    with pytest.raises(casework.IncompleteStepError, match="One action is still open"):
        step(school, ref, "closed", outcome="Settled", text="no more")
    step(school, ref, "closed", outcome="Settled", text="no more", although=True)
    assert (seen(school, ref).open, seen(school, ref).outcome) == (False, "Settled")
    with pytest.raises(casework.NotYoursError):
        step(school, ref, "level", level="monitoring", text="x")
    with pytest.raises(casework.IncompleteStepError, match="Why"):
        step(school, ref, "reopened", text="  ")
    step(school, ref, "reopened", text="It happened again")
    assert seen(school, ref).open


def test_a_concern_can_be_handed_over_and_closed_without_narrative(school: School) -> None:
    ref = raised(school, summary="", childs_words="", elsewhere=Elsewhere("MySafeguarding", "77"))
    step(school, ref, "closed", outcome="Followed up there", text="Handed over")
    view = seen(school, ref)
    assert (view.summary, view.handed_over, view.open) == ("", ("MySafeguarding", "77"), False)
    with pytest.raises(ValueError, match="reference there"):
        raised(school, summary="", elsewhere=Elsewhere("MySafeguarding", " "))


def test_anybody_but_a_dsp_states_whether_a_dsp_was_told_in_person(school: School) -> None:
    with pytest.raises(ValueError, match="told a DSP in person"):
        raised(school, told_dsp=None)
    assert seen(school, raised(school, by="dsp", told_dsp=None)).told_dsp is None


# --- who sees what ------------------------------------------------------------------------------------------


def test_the_person_who_raised_a_concern_sees_who_read_it(school: School) -> None:
    ref = raised(school)
    own = list_own_concerns(school, who(school, "tutor"))
    assert (own["received_by"].iloc[0], own["read_by"].iloc[0]) == ("Dsp", "")
    for _ in range(2):
        casework.record_opening(school, who(school, "dsp"), ref)
    assert list_own_concerns(school, who(school, "tutor"))["read_by"].iloc[0].count("Dsp, ") == 1
    step(school, ref, "note", text="secret to them")
    step(school, ref, "linked", pupil=people.find_pupil(school, "bethan"), text="was there too")
    assert "Bethan" not in list_own_concerns(school, who(school, "tutor"))["pupils"].iloc[0]
    assert "secret" not in list_own_concerns(school, who(school, "tutor")).to_csv()


def seen_by(school: School, ref: str, name: str) -> bool:
    try:
        return get_concern(school, who(school, name), ref) is not None
    except NotAllowedError:
        return False


def test_a_hoy_reads_a_shared_concern_and_cannot_change_it(school: School) -> None:
    ref, hoy = raised(school), who(school, "hoy9")
    assert not seen_by(school, ref, "hoy9")
    step(school, ref, "shared", recipient_id=hoy.staff_id, text="his tutor group")
    assert list_concerns(school, hoy)["ref"].tolist() == [ref]
    assert not seen_by(school, ref, "hm")
    with pytest.raises(casework.NotYoursError):
        step(school, ref, "note", by="hoy9", text="x")
    step(school, ref, "unshared", recipient_id=hoy.staff_id, text="no longer needed")
    assert not seen_by(school, ref, "hoy9")
    with pytest.raises(casework.IncompleteStepError, match="HOY or HM"):
        step(school, ref, "shared", recipient_id=who(school, "tutor").staff_id, text="x")


def number_of(school: School, ref: str) -> int:
    """The session of a log."""
    with school.engine.connect() as connection:
        mine = select(tables.sessions.c.id).join(tables.logs, tables.logs.c.id == tables.sessions.c.log_id)
        return int(connection.execute(mine.where(tables.logs.c.ref == ref)).scalar_one())


@pytest.fixture
def linked(school: School, tmp_path: Path) -> str:
    """A concern about Carys of year 10, shared with the HOY of year 9. It came out of a session of the musician's; one
    more of the musician's was linked, and one of the tutor of year 9, which alone is the HOY's to see."""
    rows = [
        people.log("musician", "carys", "2026-09-07T10:00", ref="M1", purpose="music"),
        people.log("musician", "carys", "2026-09-08T11:00", ref="M2", purpose="music"),
        people.log("tutor", "carys", "2026-09-09T12:00", ref="T", purpose="pastoral"),
    ]
    assert not import_logs(school, people.table(tmp_path / "logs.csv", rows)).rejected
    ref = raised(school, by="musician", about="carys", session_id=number_of(school, "M1"))
    for log in ("M2", "T"):
        step(school, ref, "session_linked", session=(log, None, ""), text=f"because of {log}")
    step(school, ref, "shared", recipient_id=who(school, "hoy9").staff_id, text="has her sister")
    return ref


def sessions_described(entries: list[Entry]) -> list[str]:
    return [text for entry in entries for label, text in entry.words if label == "Session"]


def test_get_concern_describes_to_a_hoy_only_linked_sessions_that_are_theirs(school: School, linked: str) -> None:
    view = seen(school, linked, by="hoy9")
    assert sessions_described(view.entries) == ["Wed 9 Sep 2026, 12:00, pastoral, Tutor"]
    assert [link[0] for link in view.links] == ["T"]
    assert "because of M2" not in words_of(view.entries)
    assert len(sessions_described(seen(school, linked).entries)) == 3, "the DSP reads of all of them"


def test_get_chronology_describes_to_a_hoy_only_linked_sessions_that_are_theirs(school: School, linked: str) -> None:
    entries = get_chronology(school, who(school, "hoy9"), people.find_pupil(school, "carys"))
    assert sessions_described(entries) == ["Wed 9 Sep 2026, 12:00, pastoral, Tutor"]
    assert "music" not in words_of(entries).lower()
    everything = get_chronology(school, who(school, "dsp"), people.find_pupil(school, "carys"))
    assert words_of(everything).count("music") == 4


def test_get_concern_hides_a_linked_counselling_session(school: School, tmp_path: Path) -> None:
    row = people.log("counsellor", "carys", "2026-09-07T10:00", ref="C", purpose="counselling")
    assert not import_logs(school, people.table(tmp_path / "logs.csv", [row])).rejected
    ref = raised(school, by="counsellor", about="carys", session_id=number_of(school, "C"))
    for name in ("dsp", "sdh"):
        view = seen(school, ref, by=name)
        assert view.links == []
        assert "session_unlinked" not in casework.find_possible_steps(view)


def test_a_dsp_who_leads_a_year_cannot_change_a_concern_of_another_school(school: School) -> None:
    ref, hoy = raised(school, about="dai"), who(school, "hoy9")
    step(school, ref, "shared", by="prepdsp", recipient_id=hoy.staff_id, text="teaches his brother")
    both = replace(hoy, roles=hoy.roles | {Role.DSP})
    view = get_concern(school, both, ref)
    assert view
    assert not view.may_change
    with pytest.raises(casework.NotYoursError):
        casework.record(school, both, ref, view.version, "note", {"text": "x"})


def test_an_action_is_done_without_seeing_the_concern(school: School) -> None:
    ref, teacher = raised(school), who(school, "teacher")
    yesterday = school.today() - timedelta(days=1)
    step(school, ref, "action", what="Watch the door", recipient_id=teacher.staff_id, due=yesterday)
    row = list_actions_to_do(school, teacher).iloc[0]
    assert (row["what"], row["overdue"], row["mine"], row["may_open"]) == ("Watch the door", True, True, False)
    assert not seen_by(school, ref, "teacher")
    with pytest.raises(casework.NotYoursError):
        casework.finish_action(school, who(school, "tutor"), ref, int(row["number"]), "I did")
    casework.finish_action(school, teacher, ref, int(row["number"]), "Watched it")
    assert list_actions_to_do(school, teacher).empty
    assert seen(school, ref).actions[0].how == "Watched it"


def test_correcting_the_child_is_recorded_and_alerts_the_right_dsp(school: School) -> None:
    ref = raised(school, about="dai")
    step(school, ref, "linked", by="prepdsp", pupil=people.find_pupil(school, "aled"), text="the other one")
    assert seen(school, ref).owner == "Prepdsp, Dsp"
    step(school, ref, "unlinked", by="prepdsp", pupil=people.find_pupil(school, "dai"), text="named by mistake")
    assert not seen_by(school, ref, "prepdsp")
    view = seen(school, ref)
    assert view.pupils["name"].tolist() == ["Aled Pugh"]
    assert ("Children", "Dai Prosser") in view.entries[0].words, "the report stays as it was"
    assert "unlinked" not in casework.find_possible_steps(view), "a concern is about a child"


def test_every_step_of_a_childs_concern_is_on_the_trail_by_reference(school: School) -> None:
    ref = raised(school)
    step(school, ref, "note", text="not on the trail")
    with school.engine.connect() as connection:
        about = connection.scalars(select(tables.audit.c.subject).order_by(tables.audit.c.id)).all()
        assert connection.scalar(select(func.count()).select_from(tables.alerts)) == 1
    assert about[-2:] == [f"concern {ref}, raised", f"concern {ref}, note"]
