"""Whatever the order in which files come, and however they are cut into pieces, the outcomes are the same."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.intake.calls import import_calls, import_recordings
from app.intake.files import import_consents, import_letters, import_logs, import_roster
from app.intake.logs import Entered, enter_log
from app.reports.outcomes_csv import iter_outcomes
from app.school import School
from app.store.database import open_database
from tests import people
from tests.conftest import SETTINGS
from tests.people import call, calls, email, entra, log, staff_id, table

EVER = (SETTINGS.rules[0].from_, SETTINGS.rules[0].from_.replace(year=2100))
REMOTE = SETTINGS.remote_learning[0].from_.isoformat()

pupils = st.sampled_from(["aled", "bethan", "dai"])
staff = st.sampled_from(["teacher", "tutor", "hoy9"])
# A few hours only, so that much lies close together: rivals for a match, and dropped connections.
starts = st.integers(0, 12).map(lambda n: f"{REMOTE}T{12 + n // 6:02}:{n % 6 * 10:02}")
tens = st.sampled_from(["00", "10", "20"])
lengths = st.sampled_from([5, 10, 30, 60])


@st.composite
def a_log(draw: st.DrawFn) -> dict[str, str]:
    who = draw(st.lists(pupils, min_size=1, max_size=2, unique=True))
    purpose, recorded = draw(st.sampled_from(["academic", "pastoral"])), draw(st.sampled_from(["yes", "no", ""]))
    return log(draw(staff), " ".join(who), draw(starts), draw(lengths), purpose=purpose, recorded=recorded)


def session_of(row: dict[str, str]) -> tuple[str, ...]:
    """What must differ between two logs that are entered by the form, which refuses a second one of a session."""
    return row["staff_email"], *sorted(row["pupil_emails"].split(";")), row["started_at"]


@st.composite
def a_call(draw: st.DrawFn) -> dict[str, Any]:
    who = {person: (draw(st.integers(0, 3)), draw(lengths)) for person in draw(st.sets(pupils, min_size=1))}
    who |= {person: (draw(st.integers(0, 3)), draw(lengths)) for person in draw(st.sets(staff, min_size=1))}
    return call(f"c{draw(st.integers(0, 3))}", draw(starts), who)


@st.composite
def a_recording(draw: st.DrawFn) -> dict[str, Any]:
    named = draw(st.sampled_from(["c0", "c1", None]))
    organiser = {"user": {"id": entra(draw(pupils | staff))}}
    return {"callId": named, "createdDateTime": f"{draw(starts)}:30Z", "meetingOrganizer": organiser}


@st.composite
def a_consent(draw: st.DrawFn) -> dict[str, str]:
    kind = draw(st.sampled_from(["outside_hours", "one_to_one"]))
    return {
        "pupil_email": email(draw(pupils)),
        "kind": kind,
        "covers_from": REMOTE,
        "covers_to": REMOTE,
        "reason": "exams",
        "obtained_at": "2020-12-01",
        "slt_informed_at": "2020-12-02",
    }


@st.composite
def a_letter(draw: st.DrawFn) -> dict[str, str]:
    kind, sent = draw(st.sampled_from(["introduction", "one_to_one"])), draw(st.sampled_from(["2020-12-01", REMOTE]))
    return {"pupil_email": email(draw(pupils)), "kind": kind, "sent_on": sent}


def enter(school: School, what: dict[str, str]) -> None:
    """By the form; again under the same reference it is a correction."""
    by = staff_id(school, what["staff_email"])
    assert isinstance(enter_log(school, what, by, "I was wrong"), Entered)


Row = dict[str, Any]
Rows = list[Row]
Part = tuple[Callable[..., Any], str, Rows]


def one_by_one(work: Callable[..., Any], kind: str, rows: Rows) -> list[Part]:
    """A part for each row."""
    return [(work, kind, [row]) for row in rows]


@pytest.fixture(scope="module")
def with_roster(new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Gives the address of a new database that has the roster and nothing else."""
    url = new_database()
    school = School(open_database(url), SETTINGS)
    import_roster(school, people.roster(tmp_path_factory.mktemp("roster")))
    school.engine.dispose()
    return lambda: new_database(copy_of=url)


def take_in(url: str, folder: Path, parts: list[Part]) -> list[dict[str, Any]]:
    """The outcomes in a school of its own that took in one file, or one form, for each part, in this order."""
    folder.mkdir()
    school = School(open_database(url), SETTINGS)
    for number, (work, kind, rows) in enumerate(parts):
        file = folder / f"{number}.{kind}"
        if rows:
            work(school, table(file, rows) if kind == "csv" else calls(file, *rows) if kind == "json" else rows[0])
    found = list(iter_outcomes(school, EVER))
    school.engine.dispose()
    return sorted(found, key=lambda row: (row["log_ref"], row["call_id"], row["clause"]))


IN_ANY_ORDER = given(
    st.lists(a_log(), min_size=1, max_size=4),
    st.lists(a_call(), min_size=1, max_size=5),
    st.lists(a_recording(), max_size=2),
    st.lists(a_consent(), max_size=2),
    st.lists(a_letter(), max_size=3),
    st.randoms(use_true_random=False),
)


def imports_in_any_order_give_the_same_outcomes(
    with_roster: Callable[[], str],
    logs: Rows,
    told_calls: Rows,
    recordings: Rows,
    consents: Rows,
    letters: Rows,
    random: Random,
) -> None:
    whole: list[Part] = [
        (import_letters, "csv", letters),
        (import_consents, "csv", consents),
        (import_logs, "csv", [one | {"ref": f"L{n}"} for n, one in enumerate(logs)]),
        (import_calls, "json", [one | {"version": n} for n, one in enumerate(told_calls, start=1)]),
        (import_recordings, "json", [one | {"id": f"r{n}"} for n, one in enumerate(recordings)]),
    ]
    pieces = [piece for part in whole for piece in one_by_one(*part)]
    with TemporaryDirectory() as folder:
        expected = take_in(with_roster(), Path(folder) / "whole", whole)
        assert expected
        shuffled = random.sample(pieces, len(pieces))
        assert take_in(with_roster(), Path(folder) / "shuffled", shuffled) == expected


test_imports_in_any_order_give_the_same_outcomes = pytest.mark.whole(
    settings(max_examples=3)(IN_ANY_ORDER(imports_in_any_order_give_the_same_outcomes))
)
test_imports_in_any_order_give_the_same_outcomes_in_more_cases = pytest.mark.slow(
    settings(max_examples=20)(IN_ANY_ORDER(imports_in_any_order_give_the_same_outcomes))
)


@st.composite
def one_of_rivals(draw: st.DrawFn) -> dict[str, str]:
    """A log that others in the same hour can take the call from."""
    return log(
        "teacher", draw(st.sampled_from(["aled", "bethan", "aled bethan"])), f"{REMOTE}T12:{draw(tens)}", draw(lengths)
    )


@st.composite
def wanted_by_rivals(draw: st.DrawFn) -> dict[str, Any]:
    who = dict.fromkeys(["teacher", *draw(st.sets(pupils, min_size=1))], (0, draw(lengths)))
    return call(f"c{draw(st.integers(0, 2))}", f"{REMOTE}T12:{draw(tens)}", who)


BY_FORM = given(
    st.lists(one_of_rivals(), min_size=4, max_size=7, unique_by=session_of),
    st.lists(wanted_by_rivals(), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)


def enter_log_judges_what_it_touches_as_judging_everything_would(
    with_roster: Callable[[], str], logs: Rows, told_calls: Rows, random: Random
) -> None:
    heard = [one | {"version": n} for n, one in enumerate(told_calls, start=1)]
    half = len(logs) // 2
    first, last = ([one | {"ref": f"L{n}"} for n, one in enumerate(some)] for some in (logs[:half], logs[-half:]))
    new = one_by_one(enter, "form", first) + one_by_one(import_calls, "json", heard)
    entered = random.sample(new, len(new))
    corrected = one_by_one(enter, "form", random.sample(last, len(last)))
    with TemporaryDirectory() as folder:
        at_once: list[Part] = [(import_calls, "json", heard), (import_logs, "csv", last)]
        expected = take_in(with_roster(), Path(folder) / "at once", at_once)
        assert take_in(with_roster(), Path(folder) / "by form", [*entered, *corrected]) == expected


test_enter_log_judges_what_it_touches_as_judging_everything_would = pytest.mark.whole(
    settings(max_examples=2)(BY_FORM(enter_log_judges_what_it_touches_as_judging_everything_would))
)
test_enter_log_judges_what_it_touches_as_judging_everything_would_in_more_cases = pytest.mark.slow(
    settings(max_examples=10)(BY_FORM(enter_log_judges_what_it_touches_as_judging_everything_would))
)
