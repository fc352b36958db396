"""What is taken out of the house, opened again."""

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from app.access.breaches import list_breaches_to_resolve
from app.access.overview import get_overview
from app.access.people import find_person
from app.access.policy import NotAllowedError, Person
from app.intake.files import import_logs
from app.log_questions import CONCERN, QUESTIONS
from app.management.protocol import Change, change_protocol
from app.protocol.clauses import CLAUSES
from app.reports import governors
from app.reports.endings import describe_endings
from app.reports.inspection import create_inspection_pack
from app.reports.periods import list_report_periods
from app.reports.xlsx import create_workbook
from app.school import School
from app.sessions.breaches import resolve_breaches
from app.settings import Term, Training
from app.store.database import open_database
from app.vocabulary.terms import Deadline, ProtocolKind, Resolution
from tests import people
from tests.conftest import SETTINGS
from tests.management.school import with_protocol

pytestmark = pytest.mark.usefixtures("story_clock")

MONDAY = date(2026, 9, 7)
DAYS = (MONDAY, MONDAY + timedelta(days=40))
TERM = Term.model_validate({"name": "Autumn", "from": DAYS[0], "to": DAYS[1]})
OVER = SETTINGS.model_copy(update={"terms": (TERM,)})  # a governors' report covers a term that is over


def text_of(pdf: bytes) -> str:
    """The words of a PDF, one blank between."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


@pytest.fixture(scope="module")
def quiet(peopled_database: Callable[[], str]) -> School:
    """A school in which nobody has had a session."""
    return School(open_database(peopled_database()), OVER)


@pytest.fixture(scope="module")
def busy(peopled_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> School:
    """Thirty academic sessions of two teachers, two of them with a room that is no public one, and one of music."""
    rows = [
        people.log(
            ("teacher", "tutor")[n % 2],
            ("aled", "carys")[n % 2],
            f"{MONDAY + timedelta(days=n)}T10:00",
            ref=f"A{n}",
            room="garden" if n in (4, 9) else "public",
        )
        for n in range(30)
    ]
    rows.append(people.log("musician", "bethan", f"{MONDAY}T10:00", ref="M", purpose="music"))
    folder = tmp_path_factory.mktemp("busy")
    school = School(open_database(peopled_database()), OVER)
    assert not import_logs(school, people.table(folder / "logs.csv", rows)).rejected
    return school


def who(school: School, name: str) -> Person:
    found = find_person(school, people.email(name))
    assert found is not None
    return found


def test_governors_report_has_figures_without_small_counts_and_names(busy: School) -> None:
    words = text_of(governors.create_governors_report(busy, who(busy, "sdh"), DAYS))
    rows = get_overview(busy, who(busy, "sdh"), DAYS)
    assert busy.settings.name in words
    assert "Mon 7 Sep 2026 to Sat 17 Oct 2026" in words
    assert f"under 3 of {len(rows)}" in words  # sessions with a clause not kept: two
    assert "Fewer than 3 breaches:" in words
    assert "29 of 31" not in words
    assert not [name for name, *_ in people.PUPILS.values() if name in words or name.split()[0] in words]
    assert not [name for name in people.STAFF if people.email(name) in words]
    assert words == text_of(governors.create_governors_report(busy, who(busy, "slt"), DAYS))


def test_governors_report_names_what_needs_attention_also_where_there_is_none(busy: School, quiet: School) -> None:
    for school in (busy, quiet):
        words = text_of(governors.create_governors_report(school, who(school, "sdh"), DAYS))
        assert "Under 3 sessions where the log and the call record disagree." in words


@pytest.mark.parametrize("name", ["teacher", "hoy9", "dsp", "admin", "counsellor"])
def test_reports_are_for_readers_of_the_overview(busy: School, name: str) -> None:
    makers: list[Callable[[Person], object]] = [
        lambda person: governors.create_governors_report(busy, person, DAYS),
        lambda person: governors.create_figures_workbook(busy, person, DAYS, governors=False),
        lambda person: create_inspection_pack(busy, person),
    ]
    for make in makers:
        with pytest.raises(NotAllowedError):
            make(who(busy, name))


def test_a_period_without_sessions_is_a_report_that_says_so(quiet: School) -> None:
    words = text_of(governors.create_governors_report(quiet, who(quiet, "sdh"), DAYS))
    assert "too few sessions" in words
    assert "too few checks to show by clause" in words


@pytest.mark.parametrize(
    ("days", "may"),
    [
        (DAYS, True),
        ((MONDAY, MONDAY + timedelta(days=6)), True),
        ((MONDAY, MONDAY + timedelta(days=5)), False),
        ((MONDAY, MONDAY + timedelta(days=13)), False),
        ((MONDAY + timedelta(days=1), MONDAY + timedelta(days=7)), False),
        ((date(2026, 11, 23), date(2026, 11, 29)), False),  # this week is not over
        ((DAYS[0], DAYS[1] - timedelta(days=1)), False),
    ],
)
def test_reports_for_governors_cover_a_whole_term_or_a_completed_week(
    quiet: School, days: tuple[date, date], may: bool
) -> None:
    assert (days in list_report_periods(quiet.settings, quiet.today())) is may
    for make in (governors.create_governors_report, partial(governors.create_figures_workbook, governors=True)):
        if may:
            assert make(quiet, who(quiet, "sdh"), days)
        else:
            with pytest.raises(ValueError, match=r"completed week \(Monday to Sunday\), so that small numbers"):
                make(quiet, who(quiet, "sdh"), days)


def sheets(file: bytes) -> dict[str, list[tuple[object, ...]]]:
    return {
        sheet.title: [tuple(cell.value for cell in row) for row in sheet.iter_rows()]
        for sheet in openpyxl.load_workbook(io.BytesIO(file))
    }


def books(school: School, chosen: dict[str, list[str]] | None = None) -> list[dict[str, list[tuple[object, ...]]]]:
    """The workbook for leadership, and that for governors."""
    sdh = who(school, "sdh")
    return [
        sheets(governors.create_figures_workbook(school, sdh, DAYS, governors=g, chosen=chosen)) for g in (False, True)
    ]


def test_the_workbook_hides_small_counts_from_governors_only(busy: School) -> None:
    own, out = books(busy)
    assert list(own) == list(out)
    rooms = {
        name: {row[0]: row for row in book["By clause"]}["Public room"] for name, book in (("own", own), ("out", out))
    }
    assert rooms["own"][2:5] == (29, 31, 2)
    assert rooms["out"][2:] == ("withheld", "withheld", "under 3", "over 90%")
    music = [row for row in out["Department and hour"] if row[0] == "Music"]
    assert music == [("Music", "10", *("withheld",) * 5)]
    numbers = [cell for name in list(out)[1:] for row in out[name] for cell in row if isinstance(cell, int | float)]
    assert not [number for number in numbers if number in (1, 2)]


def test_filters_narrow_the_workbook_for_leadership_alone(busy: School) -> None:
    chosen = {"department": ["Music"], "purpose": []}
    own, out = (
        sheets(governors.create_figures_workbook(busy, who(busy, "sdh"), DAYS, governors=g, chosen=chosen))
        for g in (False, True)
    )
    assert {row[0] for row in own["Department and hour"][1:]} == {"Music"}
    assert {row[0] for row in out["Department and hour"][1:]} > {"Music"}


def test_a_workbook_has_typed_cells_and_no_formulas_from_text() -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "http://x.example", "'quoted", "12"]
    rows = pd.DataFrame({"Text": evil, "Share": [0.5] * 8, "Day": [MONDAY] * 8, "N": range(8)})
    file = create_workbook({"One": rows, "None": rows.iloc[:0]})
    sheet = openpyxl.load_workbook(io.BytesIO(file))["One"]
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in sheet["A"][1:]] == [(t, "s", None) for t in evil]
    assert (sheet["B2"].value, sheet["B2"].number_format) == (0.5, "0.0%")
    assert sheet["C2"].is_date
    assert sheet["D3"].value == 1
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:D9"


def test_inspection_pack_says_what_was_changed_and_why(busy: School) -> None:
    school = with_protocol(busy)
    assert "Nothing was changed in the protocol." in text_of(create_inspection_pack(school, who(school, "slt")))
    today = school.today().isoformat()
    figure = {"figure": "grace_seconds", "from": today, "value": 30.0}
    remote = {"name": "Snow", "from": today, "to": today, "years": ["9"]}
    changes = [Change(ProtocolKind.FIGURE, figure), Change(ProtocolKind.REMOTE_LEARNING, remote)]
    change_protocol(school, who(school, "sdh"), changes, "The heating failed")
    with school.engine.connect() as connection:
        school = school.as_of(connection)
    words = text_of(create_inspection_pack(school, who(school, "slt")))
    assert "a grace of 30 seconds" in words
    assert "Snow, " in words
    assert words.count("The heating failed") == 2


def test_inspection_pack_lists_clauses_training_and_the_trail_without_pupils(busy: School) -> None:
    training = (Training(name="Safe calls", reference="CPD-17 *b* #x", on=MONDAY),)
    settings = busy.settings.model_copy(update={"training": training})
    words = text_of(create_inspection_pack(School(busy.engine, settings), who(busy, "slt")))
    assert not [clause.title for clause in CLAUSES.values() if clause.title not in words]
    assert "CPD-17 *b* #x" in words
    assert "are unaltered" in words
    assert "Version January 2021" in words
    assert not [name for name, *_ in people.PUPILS.values() if name.split()[0] in words]


def test_the_printed_log_form_has_every_question_on_one_page(quiet: School) -> None:
    file = governors.create_blank_log(quiet)
    words = text_of(file)
    assert len(PdfReader(io.BytesIO(file)).pages) == 1
    asked = [question.words for question in QUESTIONS if question.only_if is not CONCERN and question.name != "notes"]
    assert [question for question in asked if question not in words] == []
    assert "Written on (day)" in words
    assert "Day of the session" in words


def test_text_of_the_school_is_printed_as_written(busy: School) -> None:
    settings = busy.settings.model_copy(update={"name": "=1+1 *Tŷ Gŵyr* #eval(1) <b>"})
    hostile = School(busy.engine, settings)
    assert settings.name in text_of(governors.create_governors_report(hostile, who(busy, "sdh"), DAYS))
    about = sheets(governors.create_figures_workbook(hostile, who(busy, "sdh"), DAYS, governors=True))["About"]
    assert about[1] == ("School", settings.name)


def timely(*counts: int) -> pd.DataFrame:
    """Breaches resolved in time and late, open in time and overdue."""
    return pd.DataFrame({"deadline": list(Deadline), "breaches": counts})


def test_no_sentence_reveals_a_count_that_its_table_withholds() -> None:
    ended = pd.DataFrame({"how": ["training", "overdue", "explained"], "breaches": [1, 5, 40], "days": [1.0, 2.0, 3.0]})
    done = describe_endings(ended, timely(37, 4, 0, 5))
    assert "46" not in done["sentence"]
    rows = {row[0]: row[1] for row in done["table"]["rows"]}
    assert list(rows) == [
        *(way.label for way in Resolution),
        "Closed automatically by later evidence",
        "Open, in time",
        "Open, overdue",
        "All resolved: in time",
        "All resolved: late",
    ]
    small = ["Spoken with", "Training agreed", "Other", "Open, in time", "Closed automatically by later evidence"]
    assert {rows[name] for name in small} == {"under 3"}
    assert {rows["Open, overdue"], rows["All resolved: in time"], rows["All resolved: late"]} >= {"withheld"}


@pytest.fixture(scope="module")
def resolved(peopled_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> School:
    """Sessions in the garden in the one term there is: four breaches resolved in each way, one alone as OTHER, and two
    not resolved."""
    folder = tmp_path_factory.mktemp("resolved")
    ways = [*(way for way in Resolution if way is not Resolution.OTHER for _ in range(4)), Resolution.OTHER]
    rows = [
        people.log("teacher", "aled", f"{MONDAY + timedelta(days=n)}T10:00", ref=f"A{n}", room="garden")
        for n in range(len(ways) + 2)
    ]
    school = School(open_database(peopled_database()), OVER)
    assert not import_logs(school, people.table(folder / "logs.csv", rows)).rejected
    hoy = who(school, "hoy9")
    waiting = list_breaches_to_resolve(school, hoy)["session_id"]
    for session_id, way in zip(waiting, ways, strict=False):
        resolve_breaches(school, hoy, session_id, way, "Seen.")
    return school


def test_breaches_sheet_has_a_row_for_every_way_of_ending(resolved: School) -> None:
    own, out = ({row[0]: row[1] for row in book["Breaches"][1:]} for book in books(resolved))
    assert {way.label: own[way.label] for way in Resolution} == {
        way.label: 1 if way is Resolution.OTHER else 4 for way in Resolution
    }
    assert sum(number for number in own.values() if isinstance(number, int)) == 15 + 13
    assert list(own) == list(out)
    assert {out[Resolution.OTHER.label], out["Open, in time"], out["All resolved: late"]} == {"under 3"}
    assert own["All resolved: in time"] == 13


@pytest.mark.parametrize(
    "make", [lambda school, person: governors.create_governors_report(school, person, DAYS), create_inspection_pack]
)
def test_printed_report_has_a_row_for_every_way_of_ending(
    resolved: School, make: Callable[[School, Person], bytes]
) -> None:
    words = text_of(make(resolved, who(resolved, "sdh")))
    for ending in (*(way.label for way in Resolution), "Closed automatically by later evidence", "Open, in time"):
        assert re.search(rf"{re.escape(ending)} (\d|under 3|withheld)", words), ending


@given(st.lists(st.integers(0, 9), min_size=7, max_size=7), st.integers(0, 36))
@settings(max_examples=300)
@example([6, 40, 7, 1, 2, 0, 5], 30)
@example([1, 0, 0, 0, 1, 2, 0], 1)
@example([9, 9, 9, 9, 9, 9, 9], 35)
@example([9, 9, 9, 9, 9, 9, 1], 30)
def test_describe_endings_gives_a_total_only_beside_open_counts_that_are_shown(counts: list[int], late: int) -> None:
    """What the table shows is tested with `suppress_split`."""
    ended = pd.DataFrame({"how": [*Resolution, "closed", "open_in_time", "overdue"], "breaches": counts, "days": 2.0})
    number = sum(counts[:4])
    late = min(late, number)
    done = describe_endings(ended[ended["breaches"] > 0], timely(number - late, late, *counts[5:]))
    shown = [row[1] for row in done["table"]["rows"]] if "table" in done else []
    if re.search(r"breaches .* of \d+", done["sentence"]):
        assert shown[5:7] == [str(count) for count in counts[5:]]
        assert sum(counts[:5]) >= 3
