"""The fictional school: the same again for the same day, in Graph's shapes, and with a story to discover."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import func, select

from app.demo.calendar import Calendar, create_demo_settings
from app.demo.filling import fill, generate, was_cut_off
from app.demo.people import DemoSchool
from app.intake.files import import_letters
from app.protocol.judge import count_outcomes, decode
from app.records.evidence.calls import Call, read_call
from app.records.evidence.recordings import read_recording
from app.school import School, open_school
from app.settings import load_settings
from app.store import tables
from app.store.database import DatabaseError
from tests.clock import Clock, stopped_at

DAY = date(2026, 3, 20)
SETTINGS = load_settings()


@pytest.fixture(scope="module", autouse=True)
def evening() -> Iterator[None]:
    """It is late on that day."""
    with stopped_at(datetime(2026, 3, 20, 22, tzinfo=UTC)):
        yield


@pytest.fixture(scope="module")
def made() -> DemoSchool:
    return generate(1, DAY, 5000, SETTINGS)


@pytest.fixture(scope="module")
def filled(new_database: Callable[[], str]) -> School:
    url = new_database()
    fill(open_school(url), sessions=5000)
    return open_school(url)


@pytest.fixture(scope="module")
def judged(filled: School) -> pd.DataFrame:
    """A row for each session, with a column for each clause."""
    sessions = pd.read_sql(select(tables.sessions), filled.engine)
    sessions["day"] = pd.to_datetime(sessions["day"])
    return sessions.join(decode(sessions["codes"]))


def rate(sessions: pd.DataFrame, clause: str) -> float:
    """The share of those for which the clause was decided that kept it."""
    outcomes = Counter(sessions[clause])
    kept = outcomes["met"] + outcomes["exempt"]
    return kept / (kept + outcomes["breach"])


# --- what is made -------------------------------------------------------------------------------------


def test_the_same_seed_and_day_give_the_same_school() -> None:
    made = generate(1, DAY, 300, SETTINGS)
    assert generate(1, DAY, 300, SETTINGS) == made
    assert generate(2, DAY, 300, SETTINGS).logs != made.logs
    assert generate(1, DAY + timedelta(days=1), 300, SETTINGS).logs != made.logs


def test_the_demonstration_is_as_large_as_a_school(made: DemoSchool) -> None:
    assert len(made.staff) == 60
    assert len({person["department"] for person in made.staff}) == 10
    assert len(made.pupils) == 600
    assert {pupil["year_group"] for pupil in made.pupils} == set("789") | {"10", "11", "12", "13"}
    assert len({pupil["house"] for pupil in made.pupils}) == 8
    assert [school["senior"] for school in made.schools] == ["yes", "no"]
    roles = Counter(role for person in made.staff for role in person["roles"].split(";"))
    assert roles["senior_deputy_head"] == 1
    assert {person["school"] for person in made.staff if "dsp" in person["roles"]} == {"SEN", "PREP"}
    assert min(roles[r] for r in ("tutor", "hoy", "hm", "counsellor", "slt", "admin", "music_teacher")) >= 1


def test_addresses_of_the_demonstration_do_not_exist(made: DemoSchool) -> None:
    addresses = [person["email"] for person in (*made.staff, *made.pupils)]
    assert len(set(addresses)) == 660
    assert all(address.endswith(".example") for address in addresses)


# --- call records in Graph's shape ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def calls(made: DemoSchool) -> list[Call]:
    return [read_call(json.loads(json.dumps(call))) for call in made.calls]


def test_records_have_the_shape_of_graph(made: DemoSchool) -> None:
    for call in made.calls[:500]:
        assert {"id", "version", "type", "modalities", "organizer_v2", "participants_v2", "joinWebUrl"} <= call.keys()
        assert not {"organizer", "participants"} & call.keys()
        for session in call["sessions"]:
            kinds = {end: session[end]["@odata.type"].rsplit(".", 1)[1] for end in ("caller", "callee")}
            groups = {"caller": "participantEndpoint", "callee": "serviceEndpoint"}
            both = dict.fromkeys(kinds, "participantEndpoint")
            assert kinds == (groups if call["type"] == "groupCall" else both)
            for name in ("startDateTime", "endDateTime"):
                assert len(session[name]) == len("2026-03-20T09:00:00.1234567Z")
            assert call["startDateTime"] <= session["startDateTime"] < session["endDateTime"] <= call["endDateTime"]


def test_records_contain_every_kind_of_mishap(calls: list[Call], made: DemoSchool) -> None:
    groups = [call for call in calls if call.type == "groupCall"]
    assert 20 < sum(call.type == "peerToPeer" for call in calls) < 300
    assert sum(call.channel for call in groups) > 20
    assert len({call.id for call in calls}) < len(calls)  # an earlier version came first
    together = [stay for call in groups for stay in call.stays]
    assert any(stay.kind == "guest" for stay in together)
    assert len(together) > len({(call.id, stay.person) for call in groups for stay in call.stays})  # rejoins, devices
    listed = sum(len(call["sessions"]) for call in made.calls)
    bots = sum("identity" in s["caller"] for call in made.calls for s in call["sessions"])
    both_ends = sum(call.type == "peerToPeer" for call in calls)
    assert sum(len(call.stays) for call in calls) < listed + both_ends - bots  # some are listed twice
    videos = [video for call in calls for video in call.videos]
    timed = sum(video.started_at is not None for video in videos)
    assert 0 < timed < len(videos) / 10
    assert any(len(call.videos) < len({stay.person for stay in call.stays}) for call in calls)


def test_recordings_name_their_call_or_their_organiser(made: DemoSchool) -> None:
    read = [read_recording(json.loads(json.dumps(entry))) for entry in made.recordings]
    assert {recording.call_id is None for recording in read} == {True, False}
    assert all(recording.organiser_id for recording in read)


# --- as it is imported and judged -------------------------------------------------------------------------


def test_the_demonstration_is_imported_without_rejected_rows(filled: School, made: DemoSchool) -> None:
    imports = pd.read_sql(select(tables.imports), filled.engine).set_index("kind")
    counsellors = {row["email"] for row in made.staff if "counsellor" in row["roles"]}
    session = tables.sessions.c
    calls = select(tables.session_calls.c.call_id).join(tables.sessions).where(session.confidential)
    with filled.engine.connect() as connection:
        of_counselling = set(connection.scalars(calls))
    confidential = {  # which no list of imports counts
        "logs": sum(row["staff_email"] in counsellors for row in made.logs),
        "calls": sum(call["id"].lower() in of_counselling for call in made.calls),
    }
    assert min(confidential.values()) > 0
    assert imports["read"].to_dict() == {
        kind: len(getattr(made, kind)) - confidential.get(kind, 0)
        for kind in ("schools", "staff", "pupils", "letters", "consents", "recordings", "calls", "attendance", "logs")
    }
    assert imports["rejected"].drop("logs").sum() == 0
    assert imports.loc["logs", "rejected"] == 3  # as people do mistype
    assert imports.loc["calls", "dropped"] > 20
    assert filled.is_demonstration()
    assert filled.settings == create_demo_settings(SETTINGS, DAY)


def test_most_checks_of_the_demonstration_are_met(judged: pd.DataFrame) -> None:
    # Sixteen of the last days come on top; an unlogged call that broke off looks like two.
    assert 5015 <= len(judged) <= 5022
    status = judged["status"].value_counts(normalize=True)
    assert 0.75 <= status["compliant"] <= 0.85
    assert status["incomplete"] < 0.05
    assert 0.005 < judged["disputed"].mean() < 0.03
    found = count_outcomes(decode(judged["codes"]))
    assert (found["met"] + found["exempt"] > 0).all(), "a clause that nobody ever kept"
    often = found[found["met"] + found["exempt"] + found["breach"] >= 30]
    assert (often["rate"] >= 0.85).all()
    assert (often["evidence_share"] >= 0.7).all()


def test_the_demonstration_contains_every_kind_of_breach(judged: pd.DataFrame) -> None:
    broken = [clause for clause, row in count_outcomes(decode(judged["codes"])).iterrows() if row["breach"] == 0]
    assert broken in ([], ["one-to-one-parents-told"])  # a letter to all, or to some not at all


def test_one_department_works_out_of_hours_since_half_term(judged: pd.DataFrame) -> None:
    half_term = pd.Timestamp(Calendar(DAY).half_term.to)
    theirs = judged["department"] == "Modern Languages"
    since = judged["day"] > half_term
    assert rate(judged[theirs & ~since], "academic-hours") > 0.97
    assert rate(judged[theirs & since], "academic-hours") < 0.7
    others = judged[since & ~theirs].groupby("department")
    for _, sessions in others:
        if (sessions["academic-hours"] != "not_applicable").any():
            assert rate(sessions, "academic-hours") > 0.75
    cell = judged[theirs & since & (judged["minute"] // 60 == 18)]
    assert len(cell) >= 10
    assert rate(cell, "academic-hours") == 0


def test_one_tutor_logs_no_calls(judged: pd.DataFrame) -> None:
    unlogged = judged[judged["log_id"].isna()]["staff_id"].value_counts()
    assert unlogged.iloc[0] > 5 * unlogged.iloc[1]
    assert unlogged.iloc[0] > 30


def test_cameras_are_worse_after_four(judged: pd.DataFrame) -> None:
    late = judged["minute"] >= 16 * 60
    assert rate(judged[late], "cameras-on") < 0.9 < 0.96 < rate(judged[~late], "cameras-on")


def test_music_leaves_pupils_alone_most_often(judged: pd.DataFrame) -> None:
    music = judged["department"] == "Music"
    assert rate(judged[music], "never-alone") < 0.95 < 0.98 < rate(judged[~music], "never-alone")


def test_pupils_abroad_have_evening_lessons_with_and_without_consent(judged: pd.DataFrame) -> None:
    evening = judged[(judged["minute"] >= 18 * 60) & (judged["department"] == "English")]
    assert {"exempt", "breach"} <= set(evening["academic-hours"])
    assert rate(evening, "academic-hours") > 0.5


def test_remote_learning_has_one_to_ones(judged: pd.DataFrame) -> None:
    remote = Calendar(DAY).remote
    inside = judged["day"].between(pd.Timestamp(remote.from_), pd.Timestamp(remote.to))
    assert judged["one_to_one"].sum() > 200
    assert not judged[~inside]["one_to_one"].any()
    ones = judged[judged["one_to_one"]]
    for clause in ("second-member-invited", "one-to-one-hours", "adult-introduced"):
        assert 0.88 <= rate(ones, clause) < 1
    assert {"met", "breach"} <= set(ones["home-alone-reported"])
    assert "exempt" in set(ones["one-to-one-hours"])


def test_concerns_are_open_and_followed_up(filled: School) -> None:
    with filled.engine.connect() as connection:
        kinds = Counter(connection.scalars(select(tables.concern_events.c.kind)))
        event = tables.concern_events.c
        assessed = len(set(connection.scalars(select(event.concern_id).where(event.kind == "level"))))
        concerns = connection.scalar(select(func.count()).select_from(tables.concerns))
        children = connection.scalar(select(func.count()).select_from(tables.concern_pupils))
        late = connection.scalar(
            select(func.count())
            .select_from(tables.concern_events)
            .where(tables.concern_events.c.occurred_at > filled.now())
        )
    assert children == concerns == kinds["opened"] == kinds["alerted"] >= 10
    assert 0 < kinds["closed"] < assessed < concerns
    assert late == 0


def test_corrected_logs_have_their_earlier_versions(filled: School, made: DemoSchool) -> None:
    with filled.engine.connect() as connection:
        corrected = connection.execute(select(tables.logs).where(tables.logs.c.version == 2)).all()
        assert len(corrected) == len(made.corrections) > 0
        assert all(log.correction_reason and log.current for log in corrected)
        assert connection.execute(select(func.max(tables.logs.c.entered_at))).scalar_one() <= filled.now()


# --- filling ------------------------------------------------------------------------------------------------


def test_fill_leaves_out_what_is_still_to_come(new_database: Callable[[], str], clock: Clock) -> None:
    clock.set(datetime(2026, 3, 20, 11, tzinfo=UTC))
    school = open_school(new_database())
    fill(school, sessions=100)
    with school.engine.connect() as connection:
        assert connection.execute(select(func.max(tables.logs.c.ended_at))).scalar_one() <= school.now()
        assert connection.execute(select(func.max(tables.logs.c.entered_at))).scalar_one() <= school.now()
        assert connection.execute(select(func.max(tables.calls.c.ended_at))).scalar_one() <= school.now()
        assert connection.execute(select(func.count()).select_from(tables.sessions)).scalar_one() > 80


def test_fill_refuses_a_database_with_data(filled: School) -> None:
    with pytest.raises(DatabaseError, match="not empty"):
        fill(filled, sessions=100)


def test_an_interrupted_fill_starts_again(new_database: Callable[[], str]) -> None:
    school = open_school(new_database())

    def stop_at_calls(words: str, share: float) -> None:
        if words == "Importing call records":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(school, sessions=100, progress=stop_at_calls)
    assert was_cut_off(school)
    assert not school.is_demonstration()
    told: list[float] = []
    fill(school, sessions=100, progress=lambda words, share: told.append(share))
    assert not was_cut_off(school)
    assert school.is_demonstration()
    assert told == sorted(told)
    assert told[-1] == 1.0
    with school.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables.sessions)).scalar_one() >= 100


def test_fill_works_on_postgresql(empty_school: School) -> None:
    fill(empty_school, sessions=100)
    with empty_school.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables.sessions)).scalar_one() >= 100
        assert connection.execute(select(func.count()).select_from(tables.concerns)).scalar_one() > 0
    again = import_letters(empty_school, ("letters.csv", _letters(generate(1, DAY, 100, SETTINGS))))
    assert again.added == again.changed == 0


def _letters(made: DemoSchool) -> bytes:
    return str(pd.DataFrame(made.letters).to_csv(index=False)).encode()
