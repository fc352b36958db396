"""Random operations: a few people, hours and days only, so that much lies close together."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

from tests.conftest import SETTINGS
from tests.judging.operations import Operation
from tests.people import PUPILS, STAFF, call, email, entra, log

REMOTE = SETTINGS.remote_learning[0].from_.isoformat()
LATELY = "2026-11-26"  # the day before `people.NOW`: there is still time to log
STRANGER, NEWCOMER = "x1", "x2"  # in calls; the second may turn out to be a pupil

pupils = st.sampled_from(["aled", "bethan", "carys"])
staff = st.sampled_from(["teacher", "tutor", "hoy9"])
days = st.sampled_from([REMOTE, LATELY])
starts = st.builds(lambda day, n: f"{day}T{12 + n // 6:02}:{n % 6 * 10:02}", days, st.integers(0, 9))
lengths = st.sampled_from([5, 10, 30, 60])


@st.composite
def a_log(draw: st.DrawFn) -> dict[str, str]:
    who = draw(st.lists(pupils, min_size=1, max_size=2, unique=True))
    answers = {
        "purpose": draw(st.sampled_from(["academic", "pastoral"])),
        "dress_ok": draw(st.sampled_from(["yes", "no"])),
    }
    answers["second_staff_emails"] = draw(st.sampled_from(["", email("hoy9"), "someone@new.example"]))
    return log(draw(staff), " ".join(who), draw(starts), draw(lengths)) | answers


@st.composite
def a_call(draw: st.DrawFn) -> dict[str, Any]:
    """Of anybody: of some it is no session."""
    people = st.sampled_from(["teacher", "tutor", "aled", "bethan", "carys", "hoy9", STRANGER, NEWCOMER])
    who = draw(st.lists(people, min_size=2, max_size=4, unique=True))
    record = call(
        f"c{draw(st.integers(0, 3))}", draw(starts), {one: (draw(st.integers(0, 3)), draw(lengths)) for one in who}
    )
    return record | {"joinWebUrl": draw(st.sampled_from([None, "https://teams.example/one"]))}


@st.composite
def a_roster(draw: st.DrawFn) -> Operation:
    rows: list[dict[str, str]] = []
    which = draw(st.sampled_from(["staff", "pupils"]))
    if which == "staff":
        for who in draw(st.lists(staff, min_size=1, max_size=2, unique=True)):
            of_school, department, roles, years, _ = STAFF[who]
            more = {"teacher": ";counsellor", "tutor": ";hoy", "hoy9": ";tutor"}[who]
            row = {"email": email(who), "name": who.title(), "school": of_school, "department": department}
            row |= {"roles": roles + draw(st.sampled_from(["", more])), "entra_id": entra(who)}
            row["year_groups"] = draw(st.sampled_from([years, "9", "8"]))
            rows.append(row)
    else:
        for who in draw(st.lists(st.sampled_from(["aled", "bethan", NEWCOMER]), min_size=1, max_size=2, unique=True)):
            name, of_school, year, house, _ = PUPILS.get(who, ("Efa Rees", "SEN", "9", "Wye", ""))
            row = {"email": email(who), "name": name, "school": of_school, "house": house}
            row["year_group"] = draw(st.sampled_from([year, "10"]))
            row["entra_id"] = entra(who) if who in PUPILS else ""
            rows.append(row)
    return {
        "kind": "roster",
        "table": which,
        "rows": rows,
        "from": draw(st.sampled_from(["2020-09-01", REMOTE, LATELY])),
    }


@st.composite
def a_form(draw: st.DrawFn) -> Operation:
    """One of two sessions, each of which may be logged and corrected."""
    minute = draw(st.sampled_from(["15", "25"]))
    answers = {"purpose": "pastoral", "dress_ok": draw(st.sampled_from(["yes", "no"])), "ref": f"F{minute}"}
    return {"kind": "form", "rows": [log("tutor", "bethan", f"{REMOTE}T12:{minute}", draw(lengths)) | answers]}


@st.composite
def a_category(draw: st.DrawFn) -> Operation:
    said = {"purpose": "pastoral", "home_alone": "yes", "concern": "yes", "concern_summary": "Alone.", "ref": "K1"}
    said["concern_category"] = "other"
    category = draw(st.sampled_from(["home_alone", "distress"]))
    return {"kind": "category", "rows": [log("tutor", "dai", f"{REMOTE}T12:45", 10) | said], "category": category}


@st.composite
def a_register(draw: st.DrawFn) -> Operation:
    kind = draw(st.sampled_from(["letters", "struck", "consents"]))
    if kind == "consents":
        row = {"pupil_email": email(draw(pupils)), "kind": draw(st.sampled_from(["outside_hours", "one_to_one"]))}
        row |= {"covers_from": REMOTE, "covers_to": REMOTE, "reason": "exams", "slt_informed_at": "2020-12-02"}
        return {"kind": kind, "rows": [row | {"obtained_at": "2020-12-01"}]}
    sent = {"letters": "2020-12-01", "struck": "2020-12-02"}
    row = {"pupil_email": email(draw(pupils)), "kind": "one_to_one", "sent_on": sent[kind]}
    return {"kind": kind, "rows": [row]}


@st.composite
def a_recording(draw: st.DrawFn) -> dict[str, Any]:
    organiser = {"user": {"id": entra(draw(staff))}}
    named = draw(st.sampled_from(["c0", "c1", None]))
    return {"callId": named, "createdDateTime": f"{draw(starts)}:30Z", "meetingOrganizer": organiser}


def of(kind: str, rows: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[Operation]:
    return st.builds(lambda some: {"kind": kind, "rows": some}, st.lists(rows, min_size=1, max_size=most))


can_be_undone = st.one_of(of("logs", a_log()), a_roster(), a_register().filter(lambda one: one["kind"] != "struck"))
undone = st.builds(lambda one: {"kind": "undone", "of": one}, can_be_undone)
figures = st.sampled_from(
    [("grace_seconds", 60.0), ("match_minutes", 5.0), ("log_within_hours", 20.0), ("camera_share", 0.1)]
)
a_figure = st.builds(lambda one, day: {"kind": "figure", "figure": one[0], "value": one[1], "from": day}, figures, days)
operation = st.one_of(
    of("logs", a_log()),
    of("calls", a_call(), 3),
    of("calls", a_call(), 3),  # twice as often as others: most of what can go wrong is between these two
    a_roster(),
    a_roster(),
    a_form(),
    a_category(),
    a_register(),
    undone,
    of("recordings", a_recording()),
    a_figure,
    st.just({"kind": "upkeep"}),
)


def name_rows(operations: list[Operation]) -> list[Operation]:
    """The operations with a reference for each log and recording, and for each version of a call a number of its own,
    so that versions come in any order. A file whose import is to be undone has a name of its own."""
    numbers = count(1)
    return [_name_rows(each, numbers) for each in operations]


def _name_rows(given: Operation, numbers: Iterator[int]) -> Operation:
    if given["kind"] == "undone":
        return given | {"of": _name_rows(given["of"], numbers) | {"file": f"undone{next(numbers)}.csv"}}
    rows = []
    for row in given.get("rows", ()):
        number = next(numbers)
        identity = {
            "logs": {"ref": f"L{number * 7 % 97:02}"},
            "calls": {"version": number * 7 % 97},
            "recordings": {"id": f"r{number}"},
        }
        rows.append(row | identity.get(given["kind"], {}))
    return given | {"rows": rows} if rows else given
