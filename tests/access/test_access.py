"""Who sees what: a small school in which every way to see a session that is not yours is there to try."""

import hashlib
import inspect
import secrets
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from importlib import import_module
from pkgutil import walk_packages
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

import app.access
from app.access.administration import (
    count_encrypted_values,
    get_audit_trail,
    get_roster,
    list_imports,
    list_rejected_rows,
    list_resolved_rows,
    record_access,
    verify_audit_trail,
)
from app.access.breaches import (
    count_breaches_by_owner,
    get_session_breaches,
    list_breaches_to_explain,
    list_breaches_to_resolve,
    list_unresolved_breaches,
)
from app.access.concerns import (
    get_chronology,
    get_concern,
    get_oldest_concern,
    list_actions_to_do,
    list_concerns,
    list_conduct_concerns,
    list_conduct_team,
    list_leaders_to_share_with,
    list_own_concerns,
    list_own_conduct_concerns,
    list_pupils_on_record,
    list_sessions_to_link,
)
from app.access.forms import get_draft, get_own_log, list_calls_to_log, list_pupils_to_choose, list_staff_to_choose
from app.access.overview import count_counselling_sessions, get_overview, get_protocol_figures, list_late_consents
from app.access.parents import (
    get_consent_history,
    list_consents,
    list_letters_by_day,
    list_letters_sent,
    may_answer_consent,
)
from app.access.people import find_person, list_demo_people
from app.access.plans import list_plans
from app.access.policy import WITHHELD, WITHHELD_ABOUT, NotAllowed, Person, list_grants, may_open
from app.access.repeats import list_repeats
from app.access.reporting import check_audit_trail, count_registers, count_resolved_breaches
from app.access.session_detail import get_session
from app.access.sessions import list_sessions, list_unlogged_calls
from app.access.what_if import run_what_if
from app.clock import now
from app.concerns import casework
from app.concerns.raising import open_concern, raise_conduct_concern
from app.operations.alerts import get_alerts_view
from app.operations.retention import past_keeping
from app.operations.sync import get_sync_state
from app.protocol.clauses import CLAUSES
from app.reports.chronology import conduct_paper
from app.reports.subject_access import create_subject_access_file
from app.school import School
from app.sessions.drafts import save_draft
from app.settings import Settings
from app.store import audit_log, reading, tables
from app.store.database import open_database
from app.store.encryption import new_key
from app.store.key_rotation import seal_again, standing
from app.store.outcomes import current_clause_set
from app.vocabulary import Page, Resource, Role

ZONE = ZoneInfo("Europe/London")
TODAY = now().astimezone(ZONE).date()
THIS_WEEK = TODAY - timedelta(days=TODAY.isoweekday() - 1)
LONG_AGO = date(1900, 1, 1)
SEPTEMBER = THIS_WEEK - timedelta(weeks=12)  # when a new roster came
TERM = (THIS_WEEK - timedelta(weeks=10), TODAY)
EVER = (LONG_AGO, date(2100, 1, 1))
NOTE = "a note that is nobody else's"
NARRATIVE = "a narrative that is the DSP's"

# id: school, roles, year groups, houses
PEOPLE = {
    1: ("sdh", "SEN", "senior_deputy_head", "", ""),
    2: ("hoy9", "SEN", "teacher;hoy", "9", ""),
    3: ("hm_monnow", "SEN", "teacher;hm", "", "Monnow"),
    4: ("tutor9", "SEN", "teacher;tutor", "", ""),
    5: ("tutor10", "SEN", "teacher;tutor", "", ""),
    6: ("teacher", "SEN", "teacher", "", ""),
    7: ("musician", "SEN", "music_teacher", "", ""),
    8: ("counsellor", "SEN", "counsellor", "", ""),
    9: ("dsp_sen", "SEN", "teacher;dsp", "", ""),
    10: ("dsp_prep", "PREP", "teacher;dsp", "", ""),
    11: ("slt", "SEN", "slt", "", ""),
    12: ("admin", "SEN", "admin", "", ""),
    13: ("prep_tutor", "PREP", "tutor", "", ""),
    14: ("prep_hoy", "PREP", "hoy", "9", ""),
}
ID = {name: number for number, (name, *_) in PEOPLE.items()}

# id: name, school, year, house, tutor
PUPILS = {
    1: ("Aled", "SEN", "9", "Monnow", "tutor9"),
    2: ("Bethan", "SEN", "10", "Wye", "tutor10"),
    3: ("Carys", "SEN", "10", "Monnow", "tutor10"),
    4: ("Dai", "PREP", "9", "Monnow", "prep_tutor"),
    5: ("Efa", "SEN", "10", "Wye", "tutor10"),
    6: ("Fflur", "SEN", "9", "Monnow", "tutor9"),  # only ever in counselling
}
PUPIL = {name: number for number, (name, *_) in PUPILS.items()}

# name: by, pupil, purpose (blank: not logged), day
LAST_WEEK = THIS_WEEK - timedelta(days=5)
SESSIONS = {
    "aled": ("teacher", "Aled", "academic", LAST_WEEK),
    "bethan by tutor9": ("tutor9", "Bethan", "pastoral", LAST_WEEK),
    "bethan": ("teacher", "Bethan", "music", LAST_WEEK),
    "carys": ("musician", "Carys", "music", LAST_WEEK),
    "dai": ("prep_tutor", "Dai", "academic", LAST_WEEK),
    "efa in july": ("teacher", "Efa", "academic", SEPTEMBER - timedelta(days=60)),
    "efa in october": ("teacher", "Efa", "academic", SEPTEMBER + timedelta(days=30)),
    "carys unlogged": ("tutor10", "Carys", None, LAST_WEEK),
    "unknown": (None, "Bethan", None, LAST_WEEK),
    "bethan with concern": ("teacher", "Bethan", "chat about Bethan", LAST_WEEK),
    "dai with concern": ("prep_tutor", "Dai", "music", LAST_WEEK),
    "counselling": ("counsellor", "Fflur", "counselling", LAST_WEEK),
    "counselling with concern": ("counsellor", "Fflur", "counselling", LAST_WEEK),
    "counsellor unlogged": ("counsellor", "Fflur", None, LAST_WEEK),
    "counselling misspelt": ("counsellor", "Fflur", "counceling", LAST_WEEK),
    "counselling by tutor9": ("tutor9", "Fflur", "counselling", LAST_WEEK),
}
PLANS = [("counsellor", "Fflur", "counselling"), ("counsellor", "Fflur", "a talk"), ("teacher", "Aled", "academic")]
NUMBER = {name: i for i, name in enumerate(SESSIONS, start=1)}
COUNSELLOR_S = {n for n, (by, *_) in SESSIONS.items() if by == "counsellor"}
OPEN = SESSIONS.keys() - COUNSELLOR_S - {"counselling by tutor9"}
OWN = {name: {n for n, (by, *_) in SESSIONS.items() if by == name} for name in ID}
UNLOGGED = {n for n in OPEN if SESSIONS[n][2] is None}

MAY_OPEN = OWN | {
    "sdh": OPEN | {"counselling by tutor9"},
    # Aled is of their year; tutor9 is the tutor of Aled; Efa was, until September.
    "hoy9": {"aled", "bethan by tutor9", "efa in july"},
    # Carys and Aled are of the house, and so tutor9 and tutor10 have pupils of it; Dai is of another school.
    "hm_monnow": {"aled", "carys", "carys unlogged", "bethan by tutor9"},
    "prep_hoy": {"dai", "dai with concern"},
    "dsp_sen": {"bethan with concern"},
    "dsp_prep": {"dai with concern"},
}

# name: pupil, kind, asked for by (blank: a file)
CONSENTS = {
    "aled": ("Aled", "outside_hours", "teacher"),
    "aled alone": ("Aled", "one_to_one", None),
    "bethan alone": ("Bethan", "one_to_one", "tutor9"),
    "carys": ("Carys", "outside_hours", "admin"),
    "dai": ("Dai", "outside_hours", None),
    "efa": ("Efa", "outside_hours", None),
}
# Efa's tutor is no more tutor9; musician, teacher and tutor9 taught those whom they did, but nobody alone.
MAY_SEE_CONSENTS = {
    "sdh": set(CONSENTS),
    "hoy9": {"aled", "aled alone"},
    "hm_monnow": {"aled", "aled alone", "carys"},
    "tutor9": {"aled", "aled alone", "bethan alone"},
    "tutor10": {"bethan alone", "carys", "efa"},
    "teacher": {"aled", "efa"},
    "musician": {"carys"},
    "prep_tutor": {"dai"},
    "prep_hoy": {"dai"},
    "admin": {"carys"},
}
MAY_SEE_LETTERS = {
    "sdh": set(PUPILS),
    "hoy9": {1, 6},
    "hm_monnow": {1, 3, 6},
    "tutor9": {1, 2, 6},
    "tutor10": {2, 3, 5},
    "teacher": {1, 2, 5},
    "musician": {3},
    "prep_tutor": {4},
    "prep_hoy": {4},
}

SETTINGS = Settings.model_validate(
    {
        "name": "Habs",
        "timezone": "Europe/London",
        "tenant_id": "t",
        "versions": [{"name": "first", "from": date(2020, 1, 1)}],
        "terms": [{"name": "This term", "from": TERM[0], "to": TODAY + timedelta(weeks=3)}],
        "remote_learning": [],
        "rules": [
            {
                "from": date(2020, 1, 1),
                "academic_hours": ["08:30", "17:30"],
                "grace_seconds": 10,
                "camera_share": 0.8,
                "match_minutes": 15,
                "log_within_hours": 48,
                "one_to_one_slots": [],
            }
        ],
    }
)


def _add(connection, table, **values):
    connection.execute(insert(table).values(**values))


def _at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


@pytest.fixture
def school(new_database):
    engine = open_database(new_database())
    with engine.begin() as connection:
        _people(connection)
        for name in SESSIONS:
            _session(connection, name)
        for session, pupil in (("bethan with concern", 2), ("dai with concern", 4), ("counselling with concern", 6)):
            open_concern(
                connection, raised_by=ID[SESSIONS[session][0]], raised_at=_at(LAST_WEEK, 12), happened_at=None,
                summary=f"{NARRATIVE}: {session}", childs_words="words", told_dsp=True, categories=["distress"],
                level="monitoring", pupil_ids=[pupil], log_ref=f"L-{NUMBER[session]}",
            )  # fmt: skip
        for number, (pupil, kind, asked_by) in enumerate(CONSENTS.values(), start=1):
            _add(
                connection, tables.consents, id=number, pupil_id=PUPIL[pupil], kind=kind, fingerprint=f"{number}",
                covers_from=_at(TODAY, 18), covers_to=_at(TODAY, 20), reason=f"a reason about {pupil}",
            )  # fmt: skip
            event = {"kind": "asked", "occurred_at": _at(LAST_WEEK), "actor_id": asked_by and ID[asked_by]}
            asked = {"consent_id": number} | event
            _add(connection, tables.consent_events, **asked)
        for number, (by, pupil, purpose) in enumerate(PLANS, start=1):
            when = {"started_at": _at(TODAY + timedelta(days=1)), "ended_at": _at(TODAY + timedelta(days=1), 11)}
            _add(
                connection,
                tables.plans,
                id=number,
                ref=f"P-{number}",
                staff_id=ID[by],
                purpose=purpose,
                changes=0,
                **when,
            )
            _add(connection, tables.plan_pupils, plan_id=number, pupil_id=PUPIL[pupil])
    yield School(engine, SETTINGS)
    engine.dispose()


def _people(connection):
    for code in ("SEN", "PREP"):
        _add(connection, tables.schools, code=code, name=code, senior=code == "SEN", email_domain="habs.example")
    for number, (name, code, roles, years, houses) in PEOPLE.items():
        _add(connection, tables.staff, id=number, email=f"{name}@habs.example")
        _add(
            connection, tables.staff_versions, staff_id=number, from_day=LONG_AGO, name=name.title(), school=code,
            department="Music", roles=roles, year_groups=years, houses=houses,
        )  # fmt: skip
    for number, (name, code, year, house, tutor) in PUPILS.items():
        _add(connection, tables.pupils, id=number, email=f"{name.lower()}@pupils.example")
        now = {"name": name, "school": code, "year_group": year, "house": house, "tutor_id": ID[tutor]}
        if name == "Efa":
            was = now | {"year_group": "9", "tutor_id": ID["tutor9"]}
            _add(connection, tables.pupil_versions, pupil_id=number, from_day=LONG_AGO, **was)
        _add(
            connection, tables.pupil_versions, pupil_id=number, from_day=SEPTEMBER if name == "Efa" else LONG_AGO, **now
        )


def _session(connection, name: str):
    by, pupil, purpose, day = SESSIONS[name]
    number, staff_id = NUMBER[name], ID.get(by)
    start, end = _at(day), _at(day, 11)
    is_counselling = name in COUNSELLOR_S - {"counselling misspelt"} or name == "counselling by tutor9"
    if purpose:
        _add(connection, tables.logs,
                id=number,
                ref=f"L-{number}",
                version=1,
                current=True,
                staff_id=staff_id,
                started_at=start,
                ended_at=end,
                purpose=purpose,
                concern=True,
                concern_summary=NARRATIVE,
                notes=NOTE,
                fingerprint=name,
                entered_at=end,
                entered_by=staff_id,
        )  # fmt: skip
        _add(connection, tables.log_pupils, log_id=number, pupil_id=PUPIL[pupil])
    else:
        _call(connection, f"call-{number}", staff_id, PUPIL[pupil], start, end)
    _add(connection, tables.sessions,
            id=number,
            log_id=number if purpose else None,
            day=day,
            started_at=start,
            ended_at=end,
            minute=600,
            staff_id=staff_id,
            school="SEN",
            department="Music",
            purpose=purpose,
            one_to_one=False,
            confidential=is_counselling,
            status="compliant",
            disputed=False,
            codes="0" * len(CLAUSES),
            clause_set_id=current_clause_set(connection),
    )  # fmt: skip
    _add(connection, tables.session_pupils, session_id=number, pupil_id=PUPIL[pupil])
    # Also of what is confidential, where judging opens none: an earlier reading of it may have.
    _add(
        connection, tables.breaches,
        id=number, session_id=number, clause="logged", opened_at=_at(LAST_WEEK, 15), state="open",
    )  # fmt: skip
    _add(
        connection, tables.breach_events,
        breach_id=number, occurred_at=_at(LAST_WEEK, 16), actor_id=staff_id, kind="explained", text=NOTE,
    )  # fmt: skip
    if not purpose:
        _add(connection, tables.session_calls, call_id=f"call-{number}", session_id=number, place=0)


def _call(connection, call_id: str, staff_id: int | None, pupil_id: int, start: datetime, end: datetime):
    _add(connection, tables.calls,
            id=call_id,
            version=1,
            type="groupCall",
            started_at=start,
            ended_at=end,
            organiser_id="o",
            organiser_tenant="t",
            organiser_staff_id=staff_id,
            channel=False,
            reader=1,
            stored_at=end,
    )  # fmt: skip
    stay = {"call_id": call_id, "kind": "user", "tenant": "t", "caller": True, "joined_at": start, "left_at": end}
    for person, who in (
        ("s", {"staff_id": staff_id}),
        ("p", {"pupil_id": pupil_id}),
        ("g", {"upn": "mum@home.example"}),
    ):
        _add(connection, tables.call_stays, **stay, person=f"{call_id}-{person}", **who)


def someone(school: School, name: str) -> Person:
    found = find_person(school, f"{name}@habs.example")
    assert found is not None
    return found


# --- sessions: exactly those, in the list and one by one -----------------------------------------------


@pytest.mark.parametrize("name", ID)
def test_the_list_holds_exactly_the_sessions_that_are_theirs_to_open(school, name):
    found = list_sessions(school, someone(school, name), EVER)
    assert set(found["session_id"]) == {NUMBER[n] for n in MAY_OPEN[name]}
    assert not found["session_id"].duplicated().any()


@pytest.mark.parametrize("name", ID)
def test_a_session_by_its_number_opens_only_if_the_list_holds_it(school, name):
    person = someone(school, name)
    assert {n for n in SESSIONS if get_session(school, person, NUMBER[n])} == MAY_OPEN[name]
    assert get_session(school, person, 10_000) is None


@pytest.mark.parametrize("name", ID)
def test_unlogged_calls_are_those_of_others_in_ones_scope_and_calls_to_log_ones_own(school, name):
    person = someone(school, name)
    others = list_unlogged_calls(school, person, EVER)
    assert set(others["session_id"]) == {NUMBER[n] for n in UNLOGGED & MAY_OPEN[name] - OWN[name]}
    own = list_calls_to_log(school, person)
    assert set(own["session_id"]) == {NUMBER[n] for n in OWN[name] if SESSIONS[n][2] is None}


def test_days_and_the_names_of_all_pupils_of_a_session_are_in_the_list(school):
    with school.engine.begin() as connection:
        _add(connection, tables.session_pupils, session_id=NUMBER["aled"], pupil_id=PUPIL["Dai"])
    found = list_sessions(school, someone(school, "hoy9"), (LAST_WEEK, LAST_WEEK)).set_index("session_id")
    assert set(found.index) == {NUMBER["aled"], NUMBER["bethan by tutor9"]}
    assert found.loc[NUMBER["aled"], "pupils"] == "Aled, Dai"
    assert found.loc[NUMBER["aled"], "started_at"].hour == 10


# --- counselling ----------------------------------------------------------------------------------------


def _everything(school: School, person: Person) -> dict[str, object]:
    """All that the person can learn of sessions, concerns and imports, by every question there is."""
    told: dict[str, object] = {}
    for name, ask in QUESTIONS.items():
        try:
            told[name] = ask(school, person)
        except NotAllowed as refused:
            told[name] = str(refused)
    return told


QUESTIONS = {
    "get_overview": lambda school, person: get_overview(school, person, EVER),
    "get_protocol_figures": lambda school, person: get_protocol_figures(school, person, EVER),
    "list_sessions": lambda school, person: list_sessions(school, person, EVER),
    "list_unlogged_calls": lambda school, person: list_unlogged_calls(school, person, EVER),
    "get_session": lambda school, person: [get_session(school, person, n) for n in NUMBER.values()],
    "list_calls_to_log": list_calls_to_log,
    "get_own_log": lambda school, person: [get_own_log(school, person, f"L-{n}") for n in NUMBER.values()],
    "get_draft": lambda school, person: [get_draft(school, person, form) for form in ("log", "plan")],
    "list_plans": list_plans,
    "list_concerns": list_concerns,
    "get_concern": lambda school, person: [get_concern(school, person, ref) for ref in _refs(school)],
    "get_oldest_concern": get_oldest_concern,
    "create_subject_access_file": lambda school, person: [
        create_subject_access_file(school, person, n) for n in PUPILS
    ],
    "list_own_concerns": list_own_concerns,
    "list_actions_to_do": list_actions_to_do,
    "get_chronology": lambda school, person: [get_chronology(school, person, n) for n in PUPILS],
    "list_sessions_to_link": lambda school, person: [
        list_sessions_to_link(school, person, ref) for ref in _refs(school)
    ],
    "list_conduct_concerns": list_conduct_concerns,
    "conduct_concern": lambda school, person: [
        found for ref in _conduct_refs(school) if (found := get_concern(school, person, ref))
    ],
    "list_conduct_team": lambda school, person: [
        found for ref in _conduct_refs(school) if (found := list_conduct_team(school, person, ref))
    ],
    "list_own_conduct_concerns": list_own_conduct_concerns,
    "list_late_consents": lambda school, person: list_late_consents(school, person, EVER),
    "list_imports": list_imports,
    "get_sync_state": get_sync_state,
    "get_audit_trail": get_audit_trail,
    "list_rejected_rows": list_rejected_rows,
    "list_resolved_rows": list_resolved_rows,
    "verify_audit_trail": verify_audit_trail,
    "count_counselling_sessions": count_counselling_sessions,
    "get_alerts_view": get_alerts_view,
}
QUESTIONS |= {
    "list_breaches_to_resolve": list_breaches_to_resolve,
    "list_breaches_to_explain": list_breaches_to_explain,
    "list_unresolved_breaches": list_unresolved_breaches,
    "count_breaches_by_owner": count_breaches_by_owner,
    "list_repeats": lambda school, person: list_repeats(school, person, EVER),
    "run_what_if": lambda school, person: run_what_if(school, person, EVER, {"academic_hours": ["09:00", "12:00"]}),
    "get_session_breaches": lambda school, person: [get_session_breaches(school, person, n) for n in NUMBER.values()],
}
QUESTIONS |= {
    "list_consents": list_consents,
    "get_consent_history": lambda school, person: [get_consent_history(school, person, n) for n in _consents(school)],
    "list_letters_by_day": list_letters_by_day,
    "list_letters_sent": list_letters_sent,
    "may_answer_consent": lambda school, person: [may_answer_consent(school, person, n) for n in _consents(school)],
    "count_resolved_breaches": lambda school, person: count_resolved_breaches(school, person, EVER),
    "count_registers": lambda school, person: count_registers(school, person, TERM),
    "check_audit_trail": check_audit_trail,
}
# Who is at the school, whatever they do.
DIRECTORY = {
    "count_encrypted_values": count_encrypted_values,
    "get_roster": get_roster,
    "list_pupils_to_choose": list_pupils_to_choose,
    "list_staff_to_choose": list_staff_to_choose,
    "list_pupils_on_record": list_pupils_on_record,
    "list_leaders_to_share_with": list_leaders_to_share_with,
}
ACTIONS = {"record_access"}
ELSEWHERE = {"create_subject_access_file", "get_sync_state", "get_alerts_view"}  # asked outside app.access
PARTS = {"find_sessions"}  # of which the others are made


def _refs(school: School) -> list[str]:
    with school.engine.connect() as connection:
        return list(connection.scalars(select(tables.concerns.c.ref)))


def _conduct_refs(school: School) -> list[str]:
    """Those there are, and one that there is not: an answer to it must be the same."""
    with school.engine.connect() as connection:
        return [*connection.scalars(select(tables.conduct_concerns.c.ref)), "A-AAAAAAAA"]


def _consents(school: School) -> list[int]:
    with school.engine.connect() as connection:
        return list(connection.scalars(select(tables.consents.c.id)))


def _text(told: object) -> str:
    with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.max_colwidth", None):
        return str(told.to_dict() if isinstance(told, pd.DataFrame) else told)


def test_every_question_there_is_is_asked_here():
    asked = {
        name
        for module in walk_packages(app.access.__path__, "app.access.")
        for name, found in inspect.getmembers(import_module(module.name), inspect.isfunction)
        if found.__module__ == module.name
        and not name.startswith("_")
        and {"school", "person"} <= inspect.signature(found).parameters.keys()
    }
    assert asked | {"conduct_concern", *ELSEWHERE} == QUESTIONS.keys() | DIRECTORY | ACTIONS | ELSEWHERE | PARTS


@pytest.mark.parametrize("name", sorted(ID.keys() - {"counsellor", "tutor9"}))
def test_nobody_else_learns_who_was_in_counselling_or_a_note_of_it(school, name):
    told = _everything(school, someone(school, name))
    concerns = (
        {"get_concern", "list_concerns", "create_subject_access_file", "get_chronology"}
        if name in ("sdh", "dsp_sen")
        else set()
    )
    registers = (
        {"list_letters_sent"} if name in ("sdh", "hoy9", "hm_monnow") else set()
    )  # whoever leads her house or year
    for question, answer in told.items():
        if question not in concerns | registers:
            assert "Fflur" not in _text(answer), question
            assert "fflur@" not in _text(answer), question


@pytest.mark.parametrize("name", sorted(ID.keys() - {"counsellor"}))
def test_what_anybody_else_is_told_is_the_same_whether_the_counsellor_had_a_session_or_not(school, name):
    person = someone(school, name)
    before = {question: _text(answer) for question, answer in _everything(school, person).items()}
    with school.engine.begin() as connection:
        gone = [NUMBER[n] for n in COUNSELLOR_S]
        for table in (tables.session_calls, tables.session_pupils):
            connection.execute(delete(table).where(table.c.session_id.in_(gone)))
        connection.execute(delete(tables.sessions).where(tables.sessions.c.id.in_(gone)))
        planned = select(tables.plans.c.id).where(tables.plans.c.staff_id == ID["counsellor"])
        connection.execute(delete(tables.plan_pupils).where(tables.plan_pupils.c.plan_id.in_(planned)))
        connection.execute(delete(tables.plans).where(tables.plans.c.staff_id == ID["counsellor"]))
    after = {question: _text(answer) for question, answer in _everything(school, person).items()}
    assert after == before


def test_counselling_by_somebody_who_is_no_counsellor_shows_that_it_took_place_and_no_more(school):
    sdh, number = someone(school, "sdh"), NUMBER["counselling by tutor9"]
    row = list_sessions(school, sdh, EVER).set_index("session_id").loc[number]
    assert (row["staff_name"], row["pupils"], row["withheld"]) == ("Tutor9", "", True)
    view = get_session(school, sdh, number)
    assert view.withheld
    assert view.log is None
    for frame in (view.pupils, view.stays, view.videos, view.alone, view.versions, view.concerns):
        assert frame.empty
    reasons = view.clauses.set_index("clause")["reason"]
    assert reasons["purpose-allowed"] == "Logged as counselling, by somebody who is not a school counsellor."
    assert set(reasons.drop("purpose-allowed")) == {WITHHELD}
    assert number not in set(get_overview(school, sdh, EVER)["session_id"])
    mine = get_session(school, someone(school, "tutor9"), number)
    assert (mine.log["notes"], list(mine.pupils["name"])) == (NOTE, ["Fflur"])


def test_the_counsellor_has_their_own_sessions_in_full(school):
    view = get_session(school, someone(school, "counsellor"), NUMBER["counselling"])
    assert (view.log["notes"], list(view.pupils["name"]), view.withheld) == (NOTE, ["Fflur"], False)
    assert WITHHELD not in set(view.clauses["reason"])


def test_a_former_counsellors_sessions_stay_closed_and_open_to_them(school):
    with school.engine.begin() as connection:
        _add(connection, tables.staff_versions,
                staff_id=ID["counsellor"],
                from_day=TODAY,
                name="Counsellor",
                school="SEN",
                department="Music",
                roles="teacher",
                year_groups="",
                houses="",
        )  # fmt: skip
    assert set(list_sessions(school, someone(school, "sdh"), EVER)["session_id"]) == {
        NUMBER[n] for n in MAY_OPEN["sdh"]
    }
    assert len(list_sessions(school, someone(school, "counsellor"), EVER)) == len(COUNSELLOR_S)


def test_a_log_corrected_from_counselling_keeps_what_it_said_before(school):
    number = NUMBER["aled"]
    with school.engine.begin() as connection:
        log = tables.logs.c
        connection.execute(
            update(tables.logs).where(log.id == number).values(version=2, correction_reason="was about his father")
        )
        _add(connection, tables.logs,
                id=500,
                ref=f"L-{number}",
                version=1,
                current=False,
                staff_id=ID["teacher"],
                started_at=_at(LAST_WEEK),
                ended_at=_at(LAST_WEEK, 11),
                purpose="counselling",
                notes="his father",
                fingerprint="x",
                entered_at=_at(LAST_WEEK, 11),
                entered_by=ID["teacher"],
        )  # fmt: skip
    seen = get_session(school, someone(school, "sdh"), number)
    assert list(seen.versions["version"]) == [2]
    assert "father" not in _text(seen)
    own = get_session(school, someone(school, "teacher"), number)
    assert list(own.versions["version"]) == [2, 1]
    assert own.log["purpose"] == "academic"


# --- the number of counselling sessions ------------------------------------------------------------------


def _count(school: School) -> str:
    counts = count_counselling_sessions(school, someone(school, "slt"))
    assert list(counts["term"]) == ["This term"]
    return counts["sessions"].iloc[0]


def _more_counselling(school: School, day: date):
    with school.engine.begin() as connection:
        _add(connection, tables.sessions,
                id=secrets.randbelow(2**53),
                day=day,
                started_at=_at(day),
                ended_at=_at(day, 11),
                minute=600,
                staff_id=ID["counsellor"],
                purpose="counselling",
                one_to_one=False,
                confidential=True,
                status="compliant",
                disputed=False,
                codes="0" * len(CLAUSES),
            clause_set_id=current_clause_set(connection),
        )  # fmt: skip


def test_a_count_under_three_is_never_told_nor_is_what_was_added(school):
    told = [_count(school)]  # two are there
    for _ in range(5):
        _more_counselling(school, LAST_WEEK)
        told.append(_count(school))
    assert told == ["under 3", "at least 3", "at least 3", "at least 3", "at least 6", "at least 6"]


def test_this_weeks_counselling_is_not_counted_yet(school):
    for _ in range(9):
        _more_counselling(school, TODAY)
    assert _count(school) == "under 3"


# --- overview and figures --------------------------------------------------------------------------------


def test_the_overview_holds_all_but_counselling_and_no_pupil(school):
    leader, slt = (get_overview(school, someone(school, name), EVER) for name in ("sdh", "slt"))
    assert set(leader["session_id"]) == set(slt["session_id"]) == {NUMBER[n] for n in OPEN}
    for frame in (leader, slt):
        assert not any(pupil in _text(frame) for pupil in PUPIL)
        assert frame.columns.is_unique
    assert set(slt["staff_name"].dropna()) == set()
    assert "Teacher" in set(leader["staff_name"])
    typed = leader.set_index("session_id")["purpose"]
    assert typed[NUMBER["bethan with concern"]] == "other"
    assert pd.isna(typed[NUMBER["carys unlogged"]])
    assert set(leader["minute"] // 60) == {10}
    assert list(CLAUSES) == list(leader.columns[-len(CLAUSES) :])


def test_the_figures_leave_counselling_out_and_a_day_cannot_be_singled_out(school):
    teacher, sdh = someone(school, "teacher"), someone(school, "sdh")
    in_term = [n for n in OPEN if SESSIONS[n][3] >= TERM[0]]
    whole = get_protocol_figures(school, teacher, TERM)
    assert whole.loc["logged", "met"] == len(in_term)
    one_day = get_protocol_figures(school, teacher, (TODAY, TODAY))
    assert one_day.loc["logged", "met"] == len(in_term)
    assert get_protocol_figures(school, sdh, (TODAY, TODAY)).loc["logged", "met"] == 0


# --- one session -----------------------------------------------------------------------------------------


def test_a_concerns_narrative_in_a_log_is_not_for_a_hoy(school):
    number = NUMBER["aled"]
    hoy = get_session(school, someone(school, "hoy9"), number)
    assert NARRATIVE not in _text(hoy)
    assert hoy.log["notes"] == NOTE
    assert get_session(school, someone(school, "teacher"), number).log["concern_summary"] == NARRATIVE


def test_only_the_dsp_of_the_pupils_school_and_the_senior_deputy_see_that_a_concern_is_linked(school):
    def linked(name: str, session: str) -> int:
        return len(get_session(school, someone(school, name), NUMBER[session]).concerns)

    assert linked("dsp_prep", "dai with concern") == linked("sdh", "dai with concern") == 1
    assert linked("prep_hoy", "dai with concern") == linked("prep_tutor", "dai with concern") == 0


# --- exceptions ---------------------------------------------------------------------------------------------

TO_SETTLE: dict[str, set[str]] = {name: set() for name in ID} | {
    # Aled is of year 9 and of Monnow, and so tutor9's tutees are; Efa was of year 9 until September.
    "hoy9": {"aled", "bethan by tutor9", "efa in july"},
    "hm_monnow": {"aled", "bethan by tutor9", "carys", "carys unlogged"},
    "prep_hoy": {"dai", "dai with concern"},
    # Year 10 has no HOY, and Wye has no HM.
    "sdh": {"bethan", "efa in october", "unknown", "bethan with concern"},
}


@pytest.mark.parametrize("name", ID)
def test_an_exception_belongs_to_the_hoy_or_hm_or_else_to_the_senior_deputy_head(school, name):
    person = someone(school, name)
    mine = list_breaches_to_resolve(school, person)
    assert set(mine["session_id"]) == {NUMBER[session] for session in TO_SETTLE[name]}
    for session, number in NUMBER.items():
        found = get_session_breaches(school, person, number)
        assert bool(found.to_settle) == (session in TO_SETTLE[name])
        assert bool(found.to_explain) == (session in OWN[name] and session in OPEN)
        assert len(found.rows) == (session in MAY_OPEN[name] and session in OPEN)


def test_exceptions_of_a_hoys_own_sessions_go_to_the_senior_deputy_head(school):
    with school.engine.begin() as connection:
        own = tables.sessions.c.id == NUMBER["aled"]
        connection.execute(update(tables.sessions).where(own).values(staff_id=ID["hoy9"]))
    assert NUMBER["aled"] not in set(list_breaches_to_resolve(school, someone(school, "hoy9"))["session_id"])
    assert NUMBER["aled"] in set(list_breaches_to_resolve(school, someone(school, "sdh"))["session_id"])


def test_what_waits_is_counted_for_each_owner(school):
    waiting = count_breaches_by_owner(school, someone(school, "sdh")).set_index("owner")
    assert waiting["sessions"].to_dict() == {
        name.title(): len(TO_SETTLE[name]) for name in TO_SETTLE if TO_SETTLE[name]
    }
    sessions, days = list_unresolved_breaches(school, someone(school, "sdh"))
    assert sessions == len(set().union(*TO_SETTLE.values()))
    assert days == waiting["oldest"].max()


def test_the_timeline_names_the_roster_and_nobody_else(school):
    view = get_session(school, someone(school, "hm_monnow"), NUMBER["carys unlogged"])
    assert sorted(zip(view.stays["name"], view.stays["role"], strict=True)) == [
        ("Carys", "pupil"),
        ("Not on the roster (user)", "other"),
        ("Tutor10", "staff"),
    ]
    assert "mum@home.example" not in _text(view)
    assert len(view.clauses) == len(CLAUSES)
    assert view.log is None


def test_a_call_to_log_comes_filled_in(school):
    row = list_calls_to_log(school, someone(school, "tutor10")).iloc[0]
    assert (row["pupils"], row["pupil_emails"]) == ("Carys", "carys@pupils.example")
    assert (row["started_at"].hour, row["ended_at"].hour) == (10, 11)
    assert bool(row["staff_opened"])
    assert not row["pupil_left_alone"]
    assert pd.isna(row["recorded"])


def test_a_log_to_correct_is_the_authors_alone(school):
    log = get_own_log(school, someone(school, "teacher"), f"L-{NUMBER['aled']}")
    assert (log["purpose"], log["pupil_emails"], log["concern"]) == ("academic", "aled@pupils.example", "yes")
    assert log["recorded"] == ""
    assert datetime.fromisoformat(log["started_at"]) == _at(LAST_WEEK)
    assert get_own_log(school, someone(school, "sdh"), f"L-{NUMBER['aled']}") is None


# --- concerns --------------------------------------------------------------------------------------------

CONCERNS = {"sdh": {2, 4, 6}, "dsp_sen": {2, 6}, "dsp_prep": {4}}
CONCERNS |= {"hoy9": set(), "hm_monnow": set(), "prep_hoy": set()}  # those that are shared with them


@pytest.mark.parametrize("name", ID)
def test_concerns_are_the_dsps_of_the_childs_school_and_the_senior_deputys(school, name):
    person = someone(school, name)
    if name not in CONCERNS:
        for ask in (list_concerns, lambda s, p: get_concern(s, p, _refs(s)[0])):
            with pytest.raises(NotAllowed):
                ask(school, person)
        return
    names = {PUPILS[n][0] for n in CONCERNS[name]}
    assert set(list_concerns(school, person)["pupils"]) == names
    opened = [get_concern(school, person, ref) for ref in _refs(school)]
    assert {view.pupils["name"].iloc[0] for view in opened if view} == names


def test_a_concern_out_of_counselling_does_not_show_its_session(school):
    for name in ("sdh", "dsp_sen"):
        opened = [get_concern(school, someone(school, name), ref) for ref in _refs(school)]
        shown = {view.pupils["name"].iloc[0]: len(view.sessions) for view in opened if view}
        assert (shown["Bethan"], shown["Fflur"]) == (1, 0)


def test_a_concern_follows_the_child_to_the_new_school(school):
    with school.engine.begin() as connection:
        _add(connection, tables.pupil_versions,
                pupil_id=PUPIL["Dai"], from_day=TODAY, name="Dai", school="SEN", year_group="9", house="Wye"
        )  # fmt: skip
    assert len(list_concerns(school, someone(school, "dsp_sen"))) == 3
    assert list_concerns(school, someone(school, "dsp_prep")).empty


def test_who_raised_a_concern_sees_their_words_and_who_received_them(school):
    own = list_own_concerns(school, someone(school, "prep_tutor"))
    assert list(own["received_by"]) == ["Dsp_Prep"]
    assert own["summary"].iloc[0] == f"{NARRATIVE}: dai with concern"
    assert list_own_concerns(school, someone(school, "tutor9")).empty


# --- concerns about an adult's conduct ---------------------------------------------------------------------


def _about(school: School, *names: str, by: str = "teacher", **other: object) -> str:
    """A concern about somebody's conduct, with a session of theirs where they have one; its reference."""
    told = {
        "happened_at": None, "summary": NARRATIVE, "childs_words": "words", "told_dsp": True, "pupil_ids": [1],
        "categories": ["boundaries"],
    }  # fmt: skip
    known = set(_conduct_refs(school))
    mine = [NUMBER[n] for name in names for n in OWN[name] & MAY_OPEN[by]]
    session = mine[0] if mine else NUMBER["aled"] if by == "teacher" else None
    raise_conduct_concern(
        school, someone(school, by), staff_ids=[ID[name] for name in names], session_id=session, **told | other
    )
    return next(ref for ref in _conduct_refs(school) if ref not in known)


def _follow_up(school: School, ref: str, by: str) -> None:
    """A whole life, by somebody whom it does not name."""
    person = someone(school, by)
    casework.opened(school, person, ref)
    for kind, answers in (
        ("level", {"level": "lower level", "text": "t"}),
        ("action", {"what": "w", "recipient_id": person.staff_id, "due": TODAY}),
        ("linked", {"pupil": 2, "text": "t"}),
        ("corrected", {"field": "summary", "after": f"{NARRATIVE}, corrected", "text": "t"}),
        ("handed_over", {"system": "s", "reference": "r"}),
        ("closed", {"outcome": "o", "text": "t", "although": True}),
        ("reopened", {"text": "t"}),
    ):
        view = get_concern(school, person, ref)
        assert view is not None
        casework.record(school, person, ref, view.version, kind, answers)
    conduct_paper(school, person, ref)
    casework.note_conduct(school, person, [ref])


def _figures(school: School) -> dict[str, object]:
    """What the commands tell of the whole store."""
    with school.writing() as connection:
        figures: dict[str, object] = {"sealed": seal_again(connection), "under": standing(connection)}
        figures["trail"] = audit_log.verify(connection)[1]  # its length tells of the questions asked here
        figures["purged"] = past_keeping(school)
        figures["revision"] = reading.revision(connection)
    return figures


@pytest.mark.parametrize("name", ID)
def test_whom_a_concern_about_conduct_names_is_told_the_same_by_every_question_as_without_it(school, name, monkeypatch):
    person = someone(school, name)
    before = {question: _text(answer) for question, answer in _everything(school, person).items()}
    monkeypatch.setenv("ENCRYPTION_KEYS", new_key())
    figures = _figures(school)
    ref = _about(school, name, by="tutor9" if name == "teacher" else "teacher")
    _follow_up(school, ref, "dsp_sen" if name == "sdh" else "sdh")
    told = _everything(school, person)
    assert {question: _text(answer) for question, answer in told.items()} == before
    assert _figures(school) == figures | {"sealed": 0}, "everything was sealed before"
    with school.engine.connect() as connection:
        trail = "\n".join(connection.scalars(select(tables.audit.c.subject)))
    assert ref not in trail
    assert "conduct" not in trail


@pytest.mark.parametrize("name", ["hoy9", "tutor9", "slt", "admin"])
def test_who_neither_raised_nor_follows_up_a_concern_about_conduct_learns_nothing_of_it(school, name):
    person = someone(school, name)
    before = {question: _text(answer) for question, answer in _everything(school, person).items()}
    _follow_up(school, _about(school, "musician"), "sdh")
    assert {question: _text(answer) for question, answer in _everything(school, person).items()} == before


def test_a_concern_about_conduct_reaches_the_senior_deputy_and_the_dsps_whom_it_does_not_name(school):
    everybody = {"sdh", "dsp_sen", "dsp_prep"}
    for named in ([], ["sdh"], ["dsp_sen"], ["dsp_sen", "dsp_prep"]):
        ref = _about(school, "musician", *named)
        for name in everybody:
            person = someone(school, name)
            assert (get_concern(school, person, ref) is not None) == (name not in named)
            assert (ref in set(list_conduct_concerns(school, person)["ref"])) == (name not in named)
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


def test_where_everybody_is_named_it_is_kept_for_who_comes_later(school):
    everybody = ["sdh", "dsp_sen", "dsp_prep"]
    told = raise_conduct_concern(
        school, someone(school, "teacher"), staff_ids=[ID[name] for name in everybody], happened_at=None, summary="s",
        childs_words=None, told_dsp=False, categories=["other"],
    )  # fmt: skip
    assert told == []
    with school.engine.begin() as connection:
        _add(connection, tables.staff_versions,
                staff_id=ID["slt"], from_day=TODAY, name="Slt", school="SEN", department="Music", roles="dsp",
                year_groups="", houses="",
        )  # fmt: skip
    assert len(list_conduct_concerns(school, someone(school, "slt"))) == 1


def test_named_later_is_named_for_good_and_who_raised_it_sees_it_was_read(school):
    ref, sdh = _about(school, "musician"), someone(school, "sdh")
    casework.opened(school, sdh, ref)
    own = list_own_conduct_concerns(school, someone(school, "teacher"))
    assert own["read_by"].iloc[0].startswith("Sdh, ")
    for adult in ("dsp_sen", "teacher"):
        view = get_concern(school, sdh, ref)
        casework.record(school, sdh, ref, view.version, "named", {"recipient_id": ID[adult], "text": "was there too"})
    assert get_concern(school, someone(school, "dsp_sen"), ref) is None
    assert list_own_conduct_concerns(school, someone(school, "teacher")).empty
    view = get_concern(school, sdh, ref)
    assert view.adults == ["Dsp_Sen", "Musician", "Teacher"]
    assert ("About", "Musician") in view.entries[0].words, "the report stays as it was"
    assert not {"shared", "unshared"} & casework.steps_for(view).keys()
    with pytest.raises(casework.Unfinished, match="does not name"):
        casework.record(
            school, sdh, ref, view.version, "action", {"what": "w", "recipient_id": ID["dsp_sen"], "due": TODAY}
        )  # fmt: skip


def test_who_opened_a_concern_about_conduct_stands_with_it_alone(school):
    ref = _about(school, "musician")
    for name in ("sdh", "dsp_sen", "sdh"):
        casework.opened(school, someone(school, name), ref)
    view = get_concern(school, someone(school, "dsp_prep"), ref)
    assert [entry.by for entry in view.opened_by] == ["Sdh", "Dsp_Sen", "Sdh"]
    with pytest.raises(DBAPIError, match="only ever added to"), school.writing() as connection:
        connection.execute(update(tables.conduct_events).values(actor_id=ID["teacher"]))


def test_counselling_is_not_written_down_with_a_concern_about_conduct(school):
    for session in ("counselling", "counsellor unlogged"):
        ref = _about(school, "musician", by="counsellor", pupil_ids=[])
        raise_conduct_concern(
            school, someone(school, "counsellor"), staff_ids=[ID["musician"]], session_id=NUMBER[session],
            happened_at=None, summary="s", childs_words=None, told_dsp=True, categories=["other"],
        )  # fmt: skip
        assert get_concern(school, someone(school, "sdh"), ref).links == []
    assert not any(get_concern(school, someone(school, "sdh"), ref).links for ref in _conduct_refs(school)[:-1])


@pytest.mark.parametrize("name", ID)
def test_everything_held_on_a_pupil_is_for_the_dsp_of_the_pupils_school(school, name):
    person = someone(school, name)
    if name not in ("dsp_sen", "dsp_prep"):
        for ask in (list_pupils_on_record, lambda s, p: create_subject_access_file(s, p, 1)):
            with pytest.raises(NotAllowed):
                ask(school, person)
        return
    theirs = {n for n, (_, code, *_) in PUPILS.items() if code == person.school}
    pages = {n: create_subject_access_file(school, person, n) for n in [*PUPILS, 99]}
    assert {n for n, page in pages.items() if page} == theirs == set(list_pupils_on_record(school, person)["pupil_id"])
    trail = get_audit_trail(school, someone(school, "admin"))
    assert set(trail["subject"]) == {f"everything held on pupil {n}" for n in theirs}
    assert set(trail["actor"]) == {person.email}


def test_everything_held_tells_a_dsp_nothing_of_counselling(school):
    """Fflur was in counselling alone: misspelt, unlogged, by a tutor, or with a concern, which is the DSP's."""
    page = unescape(create_subject_access_file(school, someone(school, "dsp_sen"), PUPIL["Fflur"]))
    assert f"{NARRATIVE}: counselling with concern" in page
    assert NOTE not in page
    assert "counceling" not in page
    assert "Sessions: none" in page
    assert "redact" not in page.split("</style>")[1]


def test_the_oldest_open_concern_is_told_without_its_narrative_and_child(school):
    told = get_oldest_concern(school, someone(school, "sdh"))
    assert (told["waiting"], told["level"]) == (3, "monitoring")
    assert NARRATIVE not in _text(told)
    assert not any(pupil in _text(told) for pupil in PUPIL)
    with pytest.raises(NotAllowed):
        get_oldest_concern(school, someone(school, "slt"))


def test_a_closed_concern_is_not_open(school):
    with school.engine.begin() as connection:
        connection.execute(
            insert(tables.concern_events),
            [{"concern_id": n, "occurred_at": _at(TODAY), "kind": "closed", "text": "done"} for n in (1, 2)],
        )
    listed = list_concerns(school, someone(school, "sdh"))
    assert list(listed["open"]) == [True, False, False]
    assert get_oldest_concern(school, someone(school, "sdh"))["waiting"] == 1


# --- the parents' registers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ID)
def test_the_parents_registers_of_a_pupil_are_for_those_whose_pupil_it_is(school, name):
    person, may_see = (
        someone(school, name),
        {n for n, c in enumerate(CONSENTS, 1) if c in MAY_SEE_CONSENTS.get(name, ())},
    )
    assert set(list_consents(school, person)["consent_id"]) == may_see
    for number in _consents(school):
        assert may_answer_consent(school, person, number) == (number in may_see)
        assert len(get_consent_history(school, person, number)) == (number in may_see)
    letters = list_letters_sent(school, person)
    assert set(letters["pupil_id"]) == MAY_SEE_LETTERS.get(name, set())
    assert letters["led"].all() or not {"sdh", "hoy9", "hm_monnow", "prep_hoy"} & {name}
    assert not letters["led"].any() or "tutor" not in name


# --- administration ----------------------------------------------------------------------------------------


def _refuse(school: School, kind: str, column: str | None, value: str | None, original: str):
    with school.engine.begin() as connection:
        imported = connection.scalar(
            insert(tables.imports)
            .returning(tables.imports.c.id)
            .values(
                kind=kind,
                source="file.csv",
                imported_at=_at(TODAY),
                read=1,
                added=0,
                changed=0,
                unchanged=0,
                dropped=0,
                rejected=1,
            )
        )
        _add(connection, tables.rejected_rows,
                import_id=imported,
                kind=kind,
                source="file.csv",
                row=2,
                column=column,
                value=value,
                reason="Unknown.",
                fix="Mend it.",
                original=original,
                fingerprint=hashlib.sha256(original.encode()).hexdigest(),
        )  # fmt: skip


ROW = (
    '{"Staff_Email": "x@habs.example", "purpose": "%s", "pupil_emails": "fflur@pupils.example", '
    '"notes": "n0te", "concern_summary": "n0te", "home_alone": "yes"}'
)


@pytest.mark.parametrize(
    ("purpose", "seen"), [("Music", True), ("counselling", False), ("counceling", False), ("", False)]
)
def test_a_refused_log_shows_its_pupils_only_where_it_was_no_counselling(school, purpose, seen):
    _refuse(school, "logs", "pupil_emails", "fflur@pupils.example", ROW % purpose)
    rows = list_rejected_rows(school, someone(school, "admin"))
    assert ("fflur" in _text(rows)) is seen
    assert "n0te" not in _text(rows)
    assert "home_alone" not in _text(rows)
    assert rows["withheld"].iloc[0]
    assert rows["original"].iloc[0]["staff_email"] == "x@habs.example"


def test_a_refused_call_record_shows_nothing_of_itself(school):
    _refuse(school, "calls", None, "fflur@pupils.example", '{"participants": ["fflur@pupils.example"]}')
    _refuse(school, "calls", None, None, '["fflur@pupils.example"]')
    assert "fflur" not in _text(list_rejected_rows(school, someone(school, "admin")))


def test_a_refused_roster_row_is_shown_to_be_mended(school):
    _refuse(school, "pupils", "year_group", "nine", '{"email": "x@pupils.example", "year_group": "nine"}')
    row = list_rejected_rows(school, someone(school, "admin")).iloc[0]
    assert (row["value"], row["original"]["email"], row["withheld"]) == ("nine", "x@pupils.example", False)


def test_the_trail_does_not_count_a_counsellors_sessions(school):
    admin = someone(school, "admin")
    for name in ("counsellor", "teacher"):
        for what, about in (
            ("changed", "log L-12, version 1"),
            ("exported", "sessions, 2 rows"),
            ("signed in", "Office"),
        ):
            record_access(school, someone(school, name), what, about)
    record_access(school, someone(school, "counsellor"), "changed", "concern C-AAAA, raised")
    trail = get_audit_trail(school, admin)
    told = {(by.split("@")[0], about) for by, about in zip(trail["actor"], trail["subject"], strict=True)}
    assert told == {
        ("teacher", "log L-12, version 1"),
        ("teacher", "sessions, 2 rows"),
        ("teacher", "Office"),
        ("counsellor", WITHHELD_ABOUT),
        ("counsellor", "Office"),
        ("counsellor", "concern C-AAAA, raised"),
    }


def test_the_roster_is_todays(school):
    roster = get_roster(school, someone(school, "admin"))
    assert len(roster["pupils"]) == len(PUPILS)
    assert roster["pupils"].set_index("name").loc["Efa", ["year_group", "tutor"]].tolist() == [
        "10",
        "tutor10@habs.example",
    ]
    assert len(roster["staff"]) == len(PEOPLE)


@pytest.mark.parametrize("name", ID)
def test_a_plan_is_its_planners_alone(school, name):
    assert list(list_plans(school, someone(school, name))["ref"]) == [
        f"P-{number}" for number, (by, *_) in enumerate(PLANS, start=1) if by == name
    ]


# --- people, pages, drafts ---------------------------------------------------------------------------------


def test_roles_are_those_of_today(school):
    with school.engine.begin() as connection:
        for from_day, roles in ((TODAY, "teacher"), (TODAY + timedelta(days=1), "senior_deputy_head")):
            _add(connection, tables.staff_versions,
                    staff_id=ID["sdh"],
                    from_day=from_day,
                    name="Sdh",
                    school="SEN",
                    department="Music",
                    roles=roles,
                    year_groups="",
                    houses="",
            )  # fmt: skip
    person = someone(school, "sdh")
    assert person.roles == {"teacher"}
    assert list_sessions(school, person, EVER).empty
    with pytest.raises(NotAllowed):
        get_overview(school, person, EVER)


def test_an_email_is_found_without_regard_to_case_and_a_stranger_is_nobody(school):
    assert find_person(school, " SDH@habs.example ").staff_id == ID["sdh"]
    assert find_person(school, "stranger@habs.example") is None
    assert find_person(school, "%") is None


def test_a_draft_is_its_writers_own(school):
    teacher = someone(school, "teacher")
    save_draft(school, teacher, "log", {"notes": "half a"})
    save_draft(school, teacher, "log", {"notes": "half a sentence"})
    assert get_draft(school, teacher, "log") == {"notes": "half a sentence"}
    assert get_draft(school, someone(school, "sdh"), "log") is None
    save_draft(school, teacher, "log", None)
    assert get_draft(school, teacher, "log") is None


def test_eyes_to_look_through_are_lent_by_the_demonstration_alone(school):
    assert list_demo_people(school) == []
    with school.engine.begin() as connection:
        _add(connection, tables.meta, key="demo", value=str(TODAY))
    names = [person.email.split("@")[0] for person in list_demo_people(school)]
    assert names == [
        "sdh", "prep_hoy", "hm_monnow", "prep_tutor", "counsellor", "dsp_prep", "slt", "admin", "teacher", "musician"
    ]  # fmt: skip


PAGES_OF_STAFF = {"sessions", "log", "plan", "concerns", "parents", "protocol"}


@pytest.mark.parametrize("name", ID)
def test_pages_open_by_role(school, name):
    more = {"sdh": {"overview"}, "slt": {"overview"}, "admin": {"administration"}}
    person = someone(school, name)
    assert {page for page in Page if may_open(person, page)} == PAGES_OF_STAFF | more.get(name, set())


# --- the table ---------------------------------------------------------------------------------------------

ASKED = {
    Resource.OVERVIEW: "get_overview",
    Resource.COUNSELLING_COUNT: "count_counselling_sessions",
    Resource.OLDEST_CONCERN: "get_oldest_concern",
    Resource.IMPORTS: "list_imports",
    Resource.SYNC: "get_sync_state",
    Resource.AUDIT_TRAIL: "get_audit_trail",
    Resource.REJECTED_ROWS: "list_rejected_rows",
    Resource.ENCRYPTION_KEYS: "count_encrypted_values",
    Resource.ROSTER: "get_roster",
    Resource.DIRECTORY: "list_pupils_to_choose",
    Resource.PROTOCOL_FIGURES: "get_protocol_figures",
    Resource.BREACHES: "list_breaches_to_resolve",
    Resource.BREACH_COUNTS: "count_breaches_by_owner",
    Resource.RESOLUTION_FIGURES: "count_resolved_breaches",
    Resource.REGISTER_FIGURES: "count_registers",
    Resource.AUDIT_CHECK: "check_audit_trail",
    Resource.ALERTS: "get_alerts_view",
    Resource.WHAT_IF: "run_what_if",
    Resource.REPEATED_ONE_TO_ONES: "list_repeats",
    Resource.PLANS: "list_plans",
    Resource.CONCERNS: "list_concerns",
    Resource.CONDUCT_CONCERNS: "list_conduct_concerns",
    Resource.LINKABLE_SESSIONS: "list_leaders_to_share_with",
    Resource.SUBJECT_ACCESS: "list_pupils_on_record",
    Resource.PARENT_REGISTERS: "list_letters_sent",
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("resource", ASKED)
def test_the_table_says_who_may_ask(school, role, resource):
    person = Person(99, "x@habs.example", "X", "SEN", "Music", frozenset({role}), frozenset(), frozenset())
    ask = QUESTIONS.get(ASKED[resource]) or DIRECTORY[ASKED[resource]]
    if any(granted in (role, None) for granted, _ in list_grants(resource)):
        ask(school, person)
    else:
        with pytest.raises(NotAllowed):
            ask(school, person)


@pytest.mark.parametrize("role", Role)
def test_the_table_says_which_roles_see_more_than_their_own_sessions(school, role):
    person = Person(99, "x@habs.example", "X", "SEN", "Music", frozenset({role}), frozenset({"9"}), frozenset({"Wye"}))
    assert bool(len(list_sessions(school, person, EVER))) == (Resource.SESSIONS in role.grants)
