"""Concerns about adults' conduct."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from app.access.concern_detail import get_concern
from app.access.concerns import list_concerns, list_own_concerns
from app.concerns import casework
from app.concerns.raising import Report, raise_concern
from app.school import School
from app.store import tables
from app.store.concerns import CONDUCT
from tests.access.questions import as_text
from tests.access.school import ID, NUMBER, TODAY, add_row, conduct_refs, raise_about, someone
from tests.people import found


def test_list_concerns_about_conduct_is_for_the_sdh_and_dsps_whom_it_does_not_name(school: School) -> None:
    everybody = {"sdh", "dsp_sen", "dsp_prep"}
    for named in ([], ["sdh"], ["dsp_sen"], ["dsp_sen", "dsp_prep"]):
        ref = raise_about(school, "musician", *named)
        for name in everybody:
            person = someone(school, name)
            assert (get_concern(school, person, ref) is not None) == (name not in named)
            assert (ref in set(list_concerns(school, person, CONDUCT)["ref"])) == (name not in named)
        with school.engine.connect() as connection:
            alerted = set(
                connection.scalars(
                    select(tables.alerts.c.recipient_id).where(tables.alerts.c.subject == f"concern {ref}")
                )
            )
            assert alerted == {ID[name] for name in everybody - set(named)}
            assert set(
                connection.scalars(select(tables.alerts.c.confidential).where(tables.alerts.c.kind == "conduct"))
            )


def test_list_concerns_about_conduct_shows_one_that_names_everybody_to_successors(school: School) -> None:
    everybody = ["sdh", "dsp_sen", "dsp_prep"]
    report = Report(
        CONDUCT, summary="s", categories=["other"], staff_ids=[ID[name] for name in everybody], told_dsp=False
    )
    assert raise_concern(school, someone(school, "teacher"), report).alerted == []
    with school.engine.begin() as connection:
        add_row(
            connection,
            tables.staff_versions,
            staff_id=ID["slt"],
            from_day=TODAY,
            name="Slt",
            school="SEN",
            department="Music",
            roles="dsp",
            year_groups="",
            houses="",
        )
    assert len(list_concerns(school, someone(school, "slt"), CONDUCT)) == 1


def test_get_concern_is_refused_for_good_to_anybody_named_later(school: School) -> None:
    ref, sdh = raise_about(school, "musician"), someone(school, "sdh")
    casework.record_opening(school, sdh, ref)
    own = list_own_concerns(school, someone(school, "teacher"), CONDUCT)
    assert own["read_by"].iloc[0].startswith("Sdh, ")
    for adult in ("dsp_sen", "teacher"):
        view = found(get_concern(school, sdh, ref))
        casework.record(school, sdh, ref, view.version, "named", {"staff_id": ID[adult], "text": "was there too"})
    assert get_concern(school, someone(school, "dsp_sen"), ref) is None
    assert as_text(list_own_concerns(school, someone(school, "teacher"), CONDUCT)) == as_text(own), "nothing vanished"
    view = found(get_concern(school, sdh, ref))
    assert view.adults == ["Dsp_Sen", "Musician", "Teacher"]
    assert ("About", "Musician") in view.entries[0].words, "the report stays as it was"
    assert not {"shared", "unshared"} & casework.find_possible_steps(view).keys()
    with pytest.raises(casework.IncompleteStepError, match="not named in it"):
        casework.record(
            school, sdh, ref, view.version, "action", {"what": "w", "recipient_id": ID["dsp_sen"], "due": TODAY}
        )


def test_get_concern_lists_who_opened_one_about_conduct(school: School) -> None:
    ref = raise_about(school, "musician")
    for name in ("sdh", "dsp_sen", "sdh"):
        casework.record_opening(school, someone(school, name), ref)
    view = found(get_concern(school, someone(school, "dsp_prep"), ref))
    assert [entry.by for entry in view.opened_by] == ["Sdh", "Dsp_Sen", "Sdh"]
    with pytest.raises(DBAPIError, match="only ever added to"), school.writing() as connection:
        connection.execute(update(tables.conduct_events).values(actor_id=ID["teacher"]))


def test_get_concern_about_conduct_links_no_counselling(school: School) -> None:
    for session in ("counselling", "counsellor unlogged"):
        ref = raise_about(school, "musician", by="counsellor", pupil_ids=[])
        report = Report(CONDUCT, summary="s", categories=["other"], staff_ids=[ID["musician"]], told_dsp=True)
        raise_concern(school, someone(school, "counsellor"), report, NUMBER[session])
        assert found(get_concern(school, someone(school, "sdh"), ref)).links == []
    assert not any(found(get_concern(school, someone(school, "sdh"), ref)).links for ref in conduct_refs(school)[:-1])
