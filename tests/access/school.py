"""A small school in which every way to see a session that is not yours is there to try."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, insert, select

from app.access.concern_detail import get_concern
from app.access.concern_history import LinkedSession
from app.access.people import find_person
from app.access.policy import Person
from app.clock import now
from app.concerns import casework
from app.concerns.raising import Report, add_event, open_concern, raise_concern
from app.protocol.clauses import CLAUSES
from app.reports.chronology import create_conduct_chronology
from app.school import School
from app.settings import Settings
from app.store import tables
from app.store.concerns import CHILD, CONDUCT
from app.store.outcomes import current_clause_set

NOW = now()
ZONE = ZoneInfo("Europe/London")
TODAY = NOW.astimezone(ZONE).date()
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
SESSIONS: dict[str, tuple[str | None, str, str | None, date]] = {
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


def add_row(connection: Connection, table: Table, **values: Any) -> None:
    connection.execute(insert(table).values(**values))


def at_hour(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


def _people(connection: Connection) -> None:
    for code in ("SEN", "PREP"):
        add_row(connection, tables.schools, code=code, name=code, senior=code == "SEN", email_domain="habs.example")
    for number, (name, code, roles, years, houses) in PEOPLE.items():
        add_row(connection, tables.staff, id=number, email=f"{name}@habs.example")
        add_row(
            connection,
            tables.staff_versions,
            staff_id=number,
            from_day=LONG_AGO,
            name=name.title(),
            school=code,
            department="Music",
            roles=roles,
            year_groups=years,
            houses=houses,
        )
    for number, (name, code, year, house, tutor) in PUPILS.items():
        add_row(connection, tables.pupils, id=number, email=f"{name.lower()}@pupils.example")
        now = {"name": name, "school": code, "year_group": year, "house": house, "tutor_id": ID[tutor]}
        if name == "Efa":
            was = now | {"year_group": "9", "tutor_id": ID["tutor9"]}
            add_row(connection, tables.pupil_versions, pupil_id=number, from_day=LONG_AGO, **was)
        add_row(
            connection, tables.pupil_versions, pupil_id=number, from_day=SEPTEMBER if name == "Efa" else LONG_AGO, **now
        )


def _session(connection: Connection, name: str) -> None:
    """A session with its log or, where nobody logged it, its call, and with an explained breach."""
    by, pupil, purpose, day = SESSIONS[name]
    number, staff_id = NUMBER[name], ID[by] if by else None
    start, end = at_hour(day), at_hour(day, 11)
    if purpose:
        _log(connection, name, start, end)
    else:
        _call(connection, f"call-{number}", staff_id, PUPIL[pupil], start, end)
    add_row(
        connection,
        tables.sessions,
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
        confidential=name in COUNSELLOR_S - {"counselling misspelt"} or name == "counselling by tutor9",
        status="compliant",
        disputed=False,
        codes="0" * len(CLAUSES),
        clause_set_id=current_clause_set(connection),
    )
    add_row(connection, tables.session_pupils, session_id=number, pupil_id=PUPIL[pupil])
    _explained_breach(connection, number, staff_id)
    if not purpose:
        add_row(connection, tables.session_calls, call_id=f"call-{number}", session_id=number, place=0)


def _log(connection: Connection, name: str, start: datetime, end: datetime) -> None:
    by, pupil, purpose, _ = SESSIONS[name]
    number, staff_id = NUMBER[name], ID[by] if by else None
    log = {"id": number, "ref": f"L-{number}", "version": 1, "current": True, "fingerprint": name}
    when = {"started_at": start, "ended_at": end, "entered_at": end, "entered_by": staff_id}
    answers = {"purpose": purpose, "concern": True, "concern_summary": NARRATIVE, "notes": NOTE}
    add_row(connection, tables.logs, staff_id=staff_id, **log, **when, **answers)
    add_row(connection, tables.log_pupils, log_id=number, pupil_id=PUPIL[pupil])


def _explained_breach(connection: Connection, session_id: int, staff_id: int | None) -> None:
    """Also of what is confidential, where judging opens none: an earlier reading of it may have."""
    breach = {"id": session_id, "session_id": session_id, "clause": "logged", "state": "open"}
    add_row(connection, tables.breaches, opened_at=at_hour(LAST_WEEK, 15), **breach)
    event = {"occurred_at": at_hour(LAST_WEEK, 16), "actor_id": staff_id, "kind": "explained", "text": NOTE}
    add_row(connection, tables.breach_events, breach_id=session_id, **event)


def _call(
    connection: Connection, call_id: str, staff_id: int | None, pupil_id: int, start: datetime, end: datetime
) -> None:
    add_row(
        connection,
        tables.calls,
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
    )
    stay = {"call_id": call_id, "kind": "user", "tenant": "t", "caller": True, "joined_at": start, "left_at": end}
    for person, who in (
        ("s", {"staff_id": staff_id}),
        ("p", {"pupil_id": pupil_id}),
        ("g", {"upn": "mum@home.example"}),
    ):
        add_row(connection, tables.call_stays, **stay, person=f"{call_id}-{person}", **who)


def someone(school: School, name: str) -> Person:
    found = find_person(school, f"{name}@habs.example")
    assert found is not None
    return found


def concern_refs(school: School) -> list[str]:
    with school.engine.connect() as connection:
        return list(connection.scalars(select(tables.concerns.c.ref)))


def conduct_refs(school: School) -> list[str]:
    """Those there are, and one that there is not: an answer to it must be the same."""
    with school.engine.connect() as connection:
        return [*connection.scalars(select(tables.conduct_concerns.c.ref)), "A-AAAAAAAA"]


def consent_ids(school: School) -> list[int]:
    with school.engine.connect() as connection:
        return list(connection.scalars(select(tables.consents.c.id)))


def raise_about(school: School, *names: str, by: str = "teacher", **other: Any) -> str:
    """A concern about somebody's conduct, with a session of theirs where they have one; its reference."""
    told: dict[str, Any] = {
        "summary": NARRATIVE,
        "childs_words": "words",
        "told_dsp": True,
        "pupil_ids": [1],
        "categories": ["boundaries"],
    }
    mine = [NUMBER[n] for name in names for n in OWN[name] & MAY_OPEN[by]]
    session = mine[0] if mine else NUMBER["aled"] if by == "teacher" else None
    report = Report(CONDUCT, staff_ids=[ID[name] for name in names], **told | other)
    return raise_concern(school, someone(school, by), report, session).ref


def follow_up(school: School, ref: str, by: str) -> None:
    """A whole life, by somebody whom it does not name."""
    person = someone(school, by)
    casework.record_opening(school, person, ref)
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
    create_conduct_chronology(school, person, ref)
    casework.record_download(school, person, [ref])


def fill(engine: Engine) -> None:
    """Everybody and everything that the tests ask for."""
    with engine.begin() as connection:
        _people(connection)
        for name in SESSIONS:
            _session(connection, name)
        for session, child in (("bethan with concern", 2), ("dai with concern", 4), ("counselling with concern", 6)):
            report = Report(
                CHILD,
                summary=f"{NARRATIVE}: {session}",
                categories=["distress"],
                pupil_ids=[child],
                childs_words="words",
                told_dsp=True,
            )
            link = LinkedSession(f"L-{NUMBER[session]}", None)
            staff_id, noon = ID[SESSIONS[session][0] or ""], at_hour(LAST_WEEK, 12)
            concern = open_concern(
                connection, report, raised_by=staff_id, raised_at=noon, day=LAST_WEEK, session=link
            ).concern_id
            add_event(connection, CHILD, concern, kind="level", level="monitoring", actor_id=staff_id, occurred_at=noon)
        for number, (pupil, kind, asked_by) in enumerate(CONSENTS.values(), start=1):
            add_row(
                connection,
                tables.consents,
                id=number,
                pupil_id=PUPIL[pupil],
                kind=kind,
                fingerprint=f"{number}",
                covers_from=at_hour(TODAY, 18),
                covers_to=at_hour(TODAY, 20),
                reason=f"a reason about {pupil}",
            )
            event = {"kind": "asked", "occurred_at": at_hour(LAST_WEEK), "actor_id": asked_by and ID[asked_by]}
            asked = {"consent_id": number} | event
            add_row(connection, tables.consent_events, **asked)
        for number, (by, pupil, purpose) in enumerate(PLANS, start=1):
            when = {
                "started_at": at_hour(TODAY + timedelta(days=1)),
                "ended_at": at_hour(TODAY + timedelta(days=1), 11),
            }
            add_row(
                connection,
                tables.plans,
                id=number,
                ref=f"P-{number}",
                staff_id=ID[by],
                purpose=purpose,
                changes=0,
                **when,
            )
            add_row(connection, tables.plan_pupils, plan_id=number, pupil_id=PUPIL[pupil])
