"""Concerns about children."""

from html import unescape

import pytest
from sqlalchemy import insert

from app.access.administration import get_audit_trail
from app.access.concern_detail import get_concern
from app.access.concerns import get_oldest_concern, list_concerns, list_own_concerns, list_pupils_on_record
from app.access.policy import NotAllowedError
from app.reports.subject_access import create_subject_access_file
from app.school import School
from app.store import tables
from tests.access.questions import as_text
from tests.access.school import ID, NARRATIVE, NOTE, PUPIL, PUPILS, TODAY, add_row, at_hour, concern_refs, someone
from tests.people import found

CONCERNS = {"sdh": {2, 4, 6}, "dsp_sen": {2, 6}, "dsp_prep": {4}}


CONCERNS |= {"hoy9": set(), "hm_monnow": set(), "prep_hoy": set()}  # those that are shared with them


@pytest.mark.parametrize("name", ID)
def test_list_concerns_is_for_the_dsp_of_the_childs_school_and_the_senior_deputy_head(
    school: School, name: str
) -> None:
    person = someone(school, name)
    if name not in CONCERNS:
        for ask in (list_concerns, lambda s, p: get_concern(s, p, concern_refs(s)[0])):
            with pytest.raises(NotAllowedError):
                ask(school, person)
        return
    names = {PUPILS[n][0] for n in CONCERNS[name]}
    assert set(list_concerns(school, person)["pupils"]) == names
    opened = [get_concern(school, person, ref) for ref in concern_refs(school)]
    assert {view.pupils["name"].iloc[0] for view in opened if view} == names


def test_get_concern_does_not_show_its_counselling_session(school: School) -> None:
    for name in ("sdh", "dsp_sen"):
        opened = [get_concern(school, someone(school, name), ref) for ref in concern_refs(school)]
        shown = {view.pupils["name"].iloc[0]: len(view.sessions) for view in opened if view}
        assert (shown["Bethan"], shown["Fflur"]) == (1, 0)


def test_list_concerns_follows_the_child_to_the_new_school(school: School) -> None:
    with school.engine.begin() as connection:
        add_row(
            connection,
            tables.pupil_versions,
            pupil_id=PUPIL["Dai"],
            from_day=TODAY,
            name="Dai",
            school="SEN",
            year_group="9",
            house="Wye",
        )
    assert len(list_concerns(school, someone(school, "dsp_sen"))) == 3
    assert list_concerns(school, someone(school, "dsp_prep")).empty


def test_list_own_concerns_gives_their_words_and_who_received_them(school: School) -> None:
    own = list_own_concerns(school, someone(school, "prep_tutor"))
    assert list(own["received_by"]) == ["Dsp_Prep"]
    assert own["summary"].iloc[0] == f"{NARRATIVE}: dai with concern"
    assert list_own_concerns(school, someone(school, "tutor9")).empty


@pytest.mark.parametrize("name", ID)
def test_list_pupils_on_record_is_for_the_dsp_of_the_pupils_school(school: School, name: str) -> None:
    person = someone(school, name)
    if name not in ("dsp_sen", "dsp_prep"):
        for ask in (list_pupils_on_record, lambda s, p: create_subject_access_file(s, p, 1)):
            with pytest.raises(NotAllowedError):
                ask(school, person)
        return
    theirs = {n for n, (_, code, *_) in PUPILS.items() if code == person.school}
    pages = {n: create_subject_access_file(school, person, n) for n in [*PUPILS, 99]}
    assert {n for n, page in pages.items() if page} == theirs == set(list_pupils_on_record(school, person)["pupil_id"])
    trail = get_audit_trail(school, someone(school, "admin"))
    assert set(trail["subject"]) == {f"everything held on pupil {n}" for n in theirs}
    assert set(trail["actor"]) == {person.email}


def test_create_subject_access_file_tells_a_dsp_nothing_of_counselling(school: School) -> None:
    """Fflur was in counselling alone: misspelt, unlogged, by a tutor, or with a concern, which is the DSP's."""
    page = unescape(found(create_subject_access_file(school, someone(school, "dsp_sen"), PUPIL["Fflur"])))
    assert f"{NARRATIVE}: counselling with concern" in page
    assert NOTE not in page
    assert "counceling" not in page
    assert "Sessions: none" in page
    assert "redact" not in page.split("</style>")[1]


def test_get_oldest_concern_leaves_out_narrative_and_child(school: School) -> None:
    told = found(get_oldest_concern(school, someone(school, "sdh")))
    assert (told["waiting"], told["level"]) == (3, "monitoring")
    assert NARRATIVE not in as_text(told)
    assert not any(pupil in as_text(told) for pupil in PUPIL)
    with pytest.raises(NotAllowedError):
        get_oldest_concern(school, someone(school, "slt"))


def test_list_concerns_puts_closed_ones_last(school: School) -> None:
    with school.engine.begin() as connection:
        connection.execute(
            insert(tables.concern_events),
            [{"concern_id": n, "occurred_at": at_hour(TODAY), "kind": "closed", "text": "done"} for n in (1, 2)],
        )
    listed = list_concerns(school, someone(school, "sdh"))
    assert list(listed["open"]) == [True, False, False]
    assert found(get_oldest_concern(school, someone(school, "sdh")))["waiting"] == 1
    with school.engine.begin() as connection:
        again = {"concern_id": 2, "occurred_at": at_hour(TODAY, 11), "kind": "reopened", "text": "not done"}
        connection.execute(insert(tables.concern_events), again)
    oldest = found(get_oldest_concern(school, someone(school, "sdh")))
    assert oldest["waiting"] == 2
    listed = list_concerns(school, someone(school, "sdh")).query("open")
    assert oldest["ref"] == listed.loc[listed["raised_at"].idxmin(), "ref"]
