"""Each page for each person, by its own address: nobody sees more than is theirs."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy import text as text_of_sql
from sqlalchemy.pool import Pool

from app import formatting
from app.access.administration import get_audit_trail
from app.access.concern_detail import get_concern
from app.access.concerns import list_concerns, list_pupils_on_record
from app.access.forms import list_pupils_to_choose, list_staff_to_choose
from app.access.policy import may_open
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.concerns import casework
from app.concerns.raising import Report, raise_concern
from app.school import open_school
from app.settings import ROOT
from app.store import tables
from app.store.concerns import CONDUCT
from app.ui import current
from app.vocabulary.roles import Page
from tests import people
from tests.apptest import AppTest
from tests.pages.conftest import Opened, press, text

HOSTILE = "1 or 1=1; <img src=x> %s {0} ../\x00" + "9" * 200
LINKS = {  # what a link can carry: the page that reads it, and what it names
    "session": "sessions",
    "pupil": "sessions",
    "days": "sessions",
    "chosen": "sessions",
    "pair": "sessions",
    "clause": "overview",
    "list": "overview",
    "of": "overview",
    "hour": "overview",
    "ref": "concerns",
    "correct": "log",
    "call": "log",
    "raise": "concerns",
    "view": "sessions",
    "show": "sessions",
    "ask": "parents",
    "consent": "parents",
    "about": "concerns",
    "tab": "parents",
}


@pytest.mark.parametrize("page", Page)
@pytest.mark.parametrize("role", ["senior_deputy_head", "hoy", "hm", "tutor", "counsellor", "dsp", "slt", "admin"])
def test_a_page_opens_only_for_those_allowed(opened: Opened, page: Page, role: str) -> None:
    at = opened(page, role)
    assert not at.exception
    person = opened.people[role]
    told_off = "You do not have access to this page" in text(at)
    assert told_off != may_open(person, page)
    if told_off:
        at = opened(page, role, **dict.fromkeys(LINKS, "1"))
        assert not at.dataframe
        assert not at.get("vega_lite_chart")
        assert len(at.main) <= 2


def test_a_page_says_that_the_database_cannot_be_used(
    new_database: Callable[..., str], demonstration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", new_database(copy_of=demonstration))
    current._opened.clear()
    school = open_school()
    with school.engine.begin() as connection:
        connection.execute(text_of_sql("alter table consents rename to lost"))
    school.engine.dispose()
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    assert not at.exception
    assert "The database cannot be used at the moment" in text(at)
    current._opened.clear()


@pytest.fixture
def pools() -> Iterator[list[Any]]:
    """The engines that open their first connection from now on."""
    found: list[Any] = []

    def note(connection: Any, record: Any) -> None:
        found.append(connection)

    event.listen(Pool, "first_connect", note)
    yield found
    event.remove(Pool, "first_connect", note)


@pytest.mark.parametrize("page", Page)
def test_page_opens_no_further_database_when_it_runs_again(opened: Opened, pools: list[Any], page: Page) -> None:
    at = opened(page, next(role for role, person in opened.people.items() if may_open(person, page)))
    assert len(pools) == 1
    for _ in range(2):
        assert not at.run().exception
    assert len(pools) == 1


def test_every_link_of_a_page_is_tested() -> None:
    read = r'(?:query_params(?:\.get\(|\[)|address\.get\()"(\w+)"|"(\w+)" in st\.query_params'
    given = r'query(?:_params)?(?:=| = )[^{}\n]*\{"(\w+)"'
    files = [*(ROOT / "pages").glob("*.py"), *(ROOT / "app").rglob("*.py")]
    code = " ".join(file.read_text(encoding="utf-8") for file in files)
    names = {name for found in re.findall(f"{read}|{given}", code) for name in found if name}
    assert names == LINKS.keys()


@pytest.mark.parametrize("link", LINKS)
def test_a_malformed_link_shows_a_clear_message(opened: Opened, link: str) -> None:
    at = opened(LINKS[link], "senior_deputy_head", **{link: HOSTILE})
    assert not at.exception
    assert HOSTILE not in text(at)


@pytest.mark.parametrize("role", ["senior_deputy_head", "hoy", "hm", "tutor", "counsellor", "dsp", "slt", "admin"])
def test_a_link_to_something_of_others_opens_nothing(opened: Opened, role: str) -> None:
    """The numbers and references of records that there are, tried by everybody who may not open them."""
    school, person = open_school(), opened.people[role]
    ever = (school.settings.terms[0].from_, school.today())
    sessions = {
        int(n): who
        for who in ("counsellor", "tutor")
        for n in list_sessions(school, opened.people[who], ever)["session_id"]
    }
    mine = set(list_sessions(school, person, ever)["session_id"])
    theirs = next(n for n, who in sessions.items() if n not in mine and opened.people[who] != person)
    at = opened("sessions", role, session=str(theirs))
    assert "no such session" in text(at)
    assert not at.dataframe
    with school.engine.connect() as connection:
        log = tables.logs.c
        refs = connection.execute(select(log.ref, log.staff_id).where(log.current)).all()
        concerns = connection.scalars(select(tables.concerns.c.ref)).all()
    theirs_to_correct = next(row.ref for row in refs if row.staff_id != person.staff_id)
    plain, linked = opened("log", role), opened("log", role, correct=theirs_to_correct, call=str(theirs))
    assert text(linked) == text(plain)
    assert [box.value for box in linked.multiselect] == [box.value for box in plain.multiselect]
    for ref in concerns:
        if role not in ("dsp", "senior_deputy_head") or get_concern(school, person, ref) is None:
            at = opened("concerns", role, ref=ref)
            assert not at.exception
            assert ref not in text(at)
            break


def test_slt_sees_no_name_on_the_overview(opened: Opened) -> None:
    at = opened("overview", "slt")
    words = text(at)
    school = open_school()
    somebody = opened.people["senior_deputy_head"]
    names = set(list_staff_to_choose(school, somebody)["name"]) | set(list_pupils_to_choose(school, somebody)["name"])
    assert not [name for name in names if name in words and name != opened.people["slt"].name]


def test_a_session_of_others_cannot_be_opened_by_its_number(opened: Opened) -> None:
    school = open_school()
    everything = (school.settings.terms[0].from_, school.today())
    mine = set(list_sessions(school, opened.people["tutor"], everything)["session_id"])
    theirs = [
        n for n in list_sessions(school, opened.people["senior_deputy_head"], everything)["session_id"] if n not in mine
    ]
    at = opened("sessions", "tutor", session=str(theirs[0]))
    assert "no such session" in text(at)
    assert not at.dataframe
    at = opened("sessions", "tutor", session=str(max(mine)))
    assert "By clause" in text(at)


def test_a_session_says_when_it_was_and_when_it_was_logged(opened: Opened) -> None:
    school, person = open_school(), opened.people["senior_deputy_head"]
    rows = list_sessions(school, person, (school.settings.terms[0].from_, school.today()))
    number = rows.loc[rows["logged"] & ~rows["withheld"].astype(bool), "session_id"].iloc[-1]
    view = get_session(school, person, int(number))
    assert view is not None
    words = text(opened("sessions", "senior_deputy_head", session=str(number)))
    assert f"<bdi>{view.started_at:%H:%M}</bdi> to <bdi>{view.ended_at:%H:%M}</bdi>" in words
    assert f"logged {formatting.moment(view.versions['entered_at'].min())}" in words


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "1; drop table sessions", ""])
def test_an_unknown_address_shows_a_clear_message(opened: Opened, number: str) -> None:
    at = opened("sessions", "senior_deputy_head", session=number)
    assert not at.exception
    assert "no such session" in text(at)


def test_a_counselling_session_is_confidential_on_every_page(opened: Opened) -> None:
    """What the counsellor's own list holds, nobody else's page shows."""
    school = open_school()
    everything = (school.settings.terms[0].from_, school.today())
    counsellor = opened.people["counsellor"]
    own = list_sessions(school, counsellor, everything)
    assert len(own)
    for role in ("senior_deputy_head", "hoy", "slt", "admin", "dsp"):
        at = opened("sessions", role, session=str(int(own["session_id"].iloc[0])))
        assert "no such session" in text(at) or "Sessions" in text(at)
        assert own["pupils"].iloc[0] not in text(at)


def test_text_from_people_is_shown_as_text(opened: Opened) -> None:
    nasty = "<img src=x onerror=alert(1)> ![x](http://x.example/y) **bold** :red[red] $x$ =HYPERLINK(1)"
    at = opened("concerns", "tutor", **{"raise": "yes"})
    _box(at.multiselect, "Which child?").set_value([_first_pupil(opened)])
    _box(at.text_area, "What worries you?").set_value(nasty)
    _box(at.multiselect, "Categories (up to three)").set_value(["distress"])
    at.radio[0].set_value("yes")
    _box(at.button, "Send to the DSP").click().run()
    assert not at.exception
    assert "Received" in text(at)
    shown = opened("concerns", "tutor")
    assert nasty in shown.dataframe[-1].value["What I wrote"].tolist()
    for element in (*shown.markdown, *shown.get("html")):
        assert "<img" not in str(getattr(element, "value", "") or element.proto)


def _box(found: Iterable[Any], label: str) -> Any:
    return next(box for box in found if box.label == label)


def _first_pupil(opened: Opened) -> int:
    return int(list_pupils_to_choose(open_school(), opened.people["tutor"])["pupil_id"].iloc[0])


def test_an_unfinished_form_is_restored(opened: Opened) -> None:
    at = opened("log", "dsp")
    pupil = list_pupils_to_choose(open_school(), opened.people["dsp"])["email"].iloc[0]
    at.multiselect[0].set_value([pupil]).run()
    again = opened("log", "dsp")
    assert again.multiselect[0].value == [pupil]


def test_concerns_offers_subject_access_to_dsps_alone(opened: Opened) -> None:
    at = opened("concerns", "dsp")
    at.selectbox[0].set_value(list_pupils_on_record(open_school(), opened.people["dsp"])["pupil_id"].iloc[0])
    next(button for button in at.button if button.label == "Create file").click().run()
    assert not at.exception
    assert [button for button in at.get("download_button") if button.proto.label == "Download"]
    for role in ("senior_deputy_head", "tutor", "admin"):
        assert "Subject access" not in text(opened("concerns", role))


def test_the_protocol_as_a_file_is_for_the_deputy_and_the_administrator(opened: Opened) -> None:
    for page, role, view in (
        ("protocol", "senior_deputy_head", {"view": "settings"}),
        ("administration", "admin", {"tab": "Import"}),
    ):
        at = opened(page, role, **view)
        assert "import protocol" in [button.key for button in at.button], role
    for role in ("slt", "hoy", "tutor"):
        assert "import protocol" not in [button.key for button in opened("protocol", role, view="settings").button]


def test_what_if_is_for_leadership_and_shows_what_would_change(opened: Opened) -> None:
    assert not opened("protocol", "tutor", view="what-if").text_input
    at = opened("protocol", "senior_deputy_head", view="what-if")
    at.text_input[1].set_value("half past six")
    press(at, "Run")
    assert "'half past six' is not a time of day such as \"08:30\"" in at.error[0].value.replace("\\", "")
    at.text_input[1].set_value("12:00")
    press(at, "Run")
    assert "With tuition from 08:30 to 12:00, “Tuition hours” would be newly met in no session" in text(at)
    assert len(at.dataframe) == 3  # the slots, by department, the sessions
    assert "Put these into force…" in [button.label for button in at.button]
    at = opened("protocol", "slt", view="what-if")
    at.text_input[1].set_value("12:00")
    press(at, "Run")
    assert len(at.dataframe) == 2
    assert "Put these into force…" not in [button.label for button in at.button]


def test_repeats_are_for_the_senior_deputy_head_and_the_dsp_and_each_view_is_recorded(opened: Opened) -> None:
    for role in ("tutor", "hoy"):
        assert "within 28 days" not in text(opened("sessions", role, view="repeats"))
    for role in ("senior_deputy_head", "dsp"):
        assert "within 28 days" in text(opened("sessions", role, view="repeats"))
    trail = get_audit_trail(open_school(), opened.people["admin"])
    looks = trail[trail["subject"].str.startswith("repeated one-to-ones")]
    assert set(looks["actor"]) == {opened.people[role].email for role in ("senior_deputy_head", "dsp")}


def test_only_the_last_pressed_action_is_done(opened: Opened) -> None:
    school, dsp = open_school(), opened.people["dsp"]
    ref = list_concerns(school, dsp).query("open")["ref"].iloc[0]
    for what in ("Ring home", "Ask the tutor"):
        view = people.found(get_concern(school, dsp, ref))
        asked = {"what": what, "recipient_id": dsp.staff_id, "due": school.today()}
        casework.record(school, dsp, ref, view.version, "action", asked)
    numbers = {action.what: action.number for action in people.found(get_concern(school, dsp, ref)).actions}
    at = opened("concerns", "dsp", ref=ref)
    for what in ("Ring home", "Ask the tutor"):
        at.button(key=f"done {ref} {numbers[what]}").click().run()
        assert [box.value for box in at.selectbox if box.label == "Which?"] == [numbers[what]]
    assert not at.exception


_NAMED = ("senior_deputy_head", "dsp", "admin")


def test_pages_do_not_depend_on_a_conduct_concern_for_those_it_names(opened: Opened) -> None:
    school = open_school()
    pages: list[tuple[str, dict[str, str]]] = [
        ("overview", {}),
        ("sessions", {}),
        ("concerns", {}),
        ("concerns", {"about": "conduct"}),
        ("log", {}),
    ]

    def shown() -> list[str]:
        return [
            text(opened(page, role, **query))
            for role in _NAMED
            for page, query in [*pages, ("concerns", {"ref": ref})]
            if may_open(opened.people[role], Page(page))
        ]

    ref = "A-AAAAAAAA"
    before = shown()
    named = [opened.people[role].staff_id for role in _NAMED]
    report = Report(CONDUCT, summary="s", categories=["other"], staff_ids=named, told_dsp=False)
    raised = raise_concern(school, opened.people["tutor"], report)
    ref = raised.ref
    assert shown() == before
    for tab in ("Alerts", "Audit"):
        assert ref not in text(opened("administration", "admin", tab=tab))
    assert not set(raised.alerted) & set(named)
