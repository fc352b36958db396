"""The leadership changes the protocol: what is in force on a day, what is judged again, and how a change is undone."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.access.policy import NotAllowedError
from app.judging.fingerprint import rules_fingerprint
from app.judging.rejudge import Affected, rejudge
from app.judging.settings_changes import find_affected
from app.judging.upkeep import refresh
from app.management.protocol import Change, ProtocolChangedError, change_protocol, plan_undo, preview_settings
from app.school import School
from app.settings import Rules, Settings, SettingsError
from app.store import tables
from app.store.protocol import Entry, compose, list_contents, read_entries
from app.store.writing import get_meta
from app.vocabulary.terms import ProtocolKind
from tests.conftest import SETTINGS, SchoolWith
from tests.management.school import fill_weeks, with_protocol
from tests.people import someone

pytestmark = pytest.mark.usefixtures("story_clock")

DAYS = [date(2026, 10, 30) + timedelta(days=n) for n in range(18)]
VALUES: dict[str, list[Any]] = {
    "grace_seconds": [0.0, 10.0, 60.0],
    "camera_share": [0.5, 0.8],
    "log_within_hours": [24.0, 48.0],
    "match_minutes": [0.0, 15.0, 60.0],
    "academic_hours": [["08:30:00", "17:30:00"], ["09:00:00", "18:00:00"], ["08:00:00", "12:00:00"]],
    "one_to_one_slots": [
        [],
        [{"name": "Lunch", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "12:40", "to": "13:40"}],
        [{"name": "Tutor time", "days": ["mon", "wed"], "from": "08:40", "to": "09:10", "years": ["9"], "week": "B"}],
    ],
}
figures = st.one_of(
    *(
        st.builds(lambda day, value, name=name: (name, day, value), st.sampled_from(DAYS), st.sampled_from(values))
        for name, values in VALUES.items()
    )
)


def as_figure(name: str, day: date, value: Any) -> Change:
    return Change(ProtocolKind.FIGURE, {"figure": name, "from": day.isoformat(), "value": value})


def remote(name: str, first: date, last: date, **groups: list[str]) -> Change:
    days = {"name": name, "from": first.isoformat(), "to": last.isoformat()}
    return Change(ProtocolKind.REMOTE_LEARNING, days | groups)


@pytest.fixture
def weeks(school_with: SchoolWith) -> School:
    school = with_protocol(school_with(fill_weeks))
    refresh(school)
    return school


# -- what is in force -------------------------------------------------------------------------


@given(st.lists(figures, max_size=12), st.randoms(use_true_random=False))
@example([("grace_seconds", DAYS[3], 0.0), ("grace_seconds", DAYS[0], 60.0)], None)
@settings(max_examples=150)
def test_figures_by_day_equal_a_plain_look_up_in_any_order(changes: list[tuple[str, date, Any]], chance: Any) -> None:
    """Of a figure the last day up to the one asked for counts, whatever was entered first."""
    changes = list({(name, day): (name, day, value) for name, day, value in changes}.values())
    shuffled = list(changes)
    if chance:
        chance.shuffle(shuffled)
    first = [entry for entry in list_contents(SETTINGS) if entry.kind == ProtocolKind.FIGURE]
    entered = [Entry(ProtocolKind.FIGURE, dict(as_figure(*change).content or {})) for change in shuffled]
    rules = compose(first + entered)["rules"]
    composed = Settings.model_validate(SETTINGS.model_dump(by_alias=True) | {"rules": rules})
    start = {entry.content["figure"]: entry.content["value"] for entry in first}
    for day in [date(2020, 1, 1), date(2026, 10, 1), *DAYS, date(2030, 1, 1)]:
        expected = dict(start)
        for name, since, value in sorted(changes, key=lambda change: change[1]):
            if since <= day:
                expected[name] = value
        plain = Rules.model_validate({"from": date(2020, 1, 1)} | expected)
        assert composed.rules_on(day).model_dump(exclude={"from_"}) == plain.model_dump(exclude={"from_"})


def test_a_protocol_read_from_its_entries_is_the_one_that_was_stored(weeks: School) -> None:
    assert weeks.settings == SETTINGS
    with weeks.engine.connect() as connection:
        plain = compose(read_entries(connection))
    assert Settings.model_validate(SETTINGS.model_dump(by_alias=True) | plain) == SETTINGS


def test_change_protocol_is_seen_by_other_processes_at_once(weeks: School) -> None:
    other = replace(weeks)
    change_protocol(weeks, someone(weeks, "sdh"), [remote("Snow", DAYS[4], DAYS[4])])
    with other.engine.connect() as connection:
        assert [p.name for p in other.as_of(connection).settings.remote_learning][-1] == "Snow"
        assert other.as_of(connection).as_of(connection).state != weeks.state


def test_preview_settings_names_what_does_not_fit(weeks: School) -> None:
    sdh = someone(weeks, "sdh")
    terms = weeks.settings.terms
    inside = {"name": "Half", "from": str(terms[0].from_ + timedelta(days=9)), "to": str(terms[0].to)}
    for change, words in (
        (remote("Snow", DAYS[4], DAYS[3]), "Snow: the end is before the start"),
        (as_figure("grace_seconds", DAYS[0], -1), "grace_seconds: Input should be greater than or equal to 0"),
        (as_figure("shoes", DAYS[0], 1), "shoes is not a figure"),
        (Change(ProtocolKind.TERM, inside), "overlap"),
        (
            Change(ProtocolKind.VERSION, {"name": "New", "from": "2027-01-01", "text": {"shoes": "Wear shoes."}}),
            "'shoes' is not a clause",
        ),
    ):
        with pytest.raises(SettingsError, match=words):
            preview_settings(weeks, sdh, [change])
        with pytest.raises(SettingsError, match=words):
            change_protocol(weeks, sdh, [change])
    assert with_state(weeks).settings == weeks.settings


def test_only_the_senior_deputy_head_changes_the_protocol(weeks: School) -> None:
    for who in ("hoy9", "hm", "tutor", "slt", "admin", "dsp"):
        with pytest.raises(NotAllowedError):
            change_protocol(weeks, someone(weeks, who), [remote("Snow", DAYS[4], DAYS[4])])


def with_state(school: School) -> School:
    with school.engine.connect() as connection:
        return school.as_of(connection)


# -- what is judged again -----------------------------------------------------------------------


def read_outcomes(school: School) -> dict[int, tuple[Any, ...]]:
    """The codes of each session, and when it is judged again by itself."""
    session = tables.sessions.c
    with school.engine.connect() as connection:
        rows = connection.execute(select(session.id, session.codes, session.due_at)).all()
    return {row.id: (row.codes, row.due_at) for row in rows}


def read_breaches(school: School) -> dict[tuple[int, str], str]:
    breach = tables.breaches.c
    with school.engine.connect() as connection:
        rows = connection.execute(select(breach.session_id, breach.clause, breach.state)).all()
    return {(row.session_id, row.clause): row.state for row in rows}


periods = st.builds(
    lambda first, length, groups: remote("Away", first, first + timedelta(days=length), **groups),
    st.sampled_from(DAYS),
    st.integers(0, 6),
    st.sampled_from([{}, {"years": ["Year 9"]}, {"houses": ["monnow"]}, {"schools": ["PREP"]}, {"years": ["10"]}]),
)


@given(st.lists(st.one_of(figures.map(lambda change: as_figure(*change)), periods), min_size=1, max_size=5))
@example([as_figure("match_minutes", DAYS[2], 60.0), as_figure("match_minutes", DAYS[2], 0.0)])
@pytest.mark.whole
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_change_protocol_judges_as_if_everything_were_judged_again(weeks: School, changes: list[Change]) -> None:
    """Whatever is changed and undone, outcomes and open breaches are those of the settings in force."""
    sdh = someone(weeks, "sdh")
    for change in changes:
        change_protocol(weeks, sdh, [change])
        after = with_state(weeks)
        found, breaches = read_outcomes(after), read_breaches(after)
        with weeks.engine.connect() as connection:
            assert get_meta(connection, "judged_by") == rules_fingerprint(after.settings)
        with after.writing() as connection:
            rejudge(connection, after, Affected(times=[(-(2**62), 2**62)]))
        assert (read_outcomes(after), read_breaches(after)) == (found, breaches)


def test_change_protocol_judges_only_what_it_touches(weeks: School) -> None:
    """Days outside the change, and pupils whom it does not concern, are left alone."""
    sessions = tables.sessions.c
    before = weeks.settings
    snow = preview_settings(weeks, someone(weeks, "sdh"), [remote("Snow", DAYS[5], DAYS[5], years=["9"])])
    hours = preview_settings(weeks, someone(weeks, "sdh"), [as_figure("grace_seconds", DAYS[14], 60.0)])
    with weeks.engine.connect() as connection:
        touched = find_affected(connection, before, snow)
        rows = connection.execute(select(sessions.day, sessions.purpose).where(sessions.id.in_(touched.sessions))).all()
        assert touched.times == []
        assert {(row.day, row.purpose) for row in rows} == {(DAYS[5], "pastoral")}
        assert 0 < len(rows) < 6  # those with a pupil of Year 9, not those with Carys of Year 10
        assert find_affected(connection, before, hours).sessions == set()
        assert len(find_affected(connection, before, hours).times) == 1


def test_change_protocol_opens_and_closes_breaches_once(weeks: School) -> None:
    """A day of remote learning makes pastoral calls one-to-ones, with what these need; undone, the breaches close."""
    sdh = someone(weeks, "sdh")
    before = read_breaches(weeks)
    effect = change_protocol(weeks, sdh, [remote("Snow", DAYS[5], DAYS[5], years=["9"])], "Snow since six o'clock")
    opened = {key: state for key, state in read_breaches(weeks).items() if key not in before}
    assert set(opened.values()) == {"open"}
    assert len(opened) == effect.opened > 0
    assert effect.closed == 0
    assert effect.sessions == len({session for session, _ in opened} - {key[0] for key in before})
    entry = find_entry(weeks, "Snow")
    effect = change_protocol(weeks, sdh, plan_undo(weeks, sdh, entry), "The wrong day")
    assert effect.opened == 0
    assert effect.closed == len(opened)
    assert {read_breaches(weeks)[key] for key in opened} == {"closed"}
    events = tables.breach_events.c
    with weeks.engine.connect() as connection:
        kinds = Counter(connection.scalars(select(events.kind)))
    assert kinds == {"closed": len(opened)}
    assert with_state(weeks).settings == weeks.settings


def find_entry(school: School, name: str) -> int:
    with school.engine.connect() as connection:
        return next(entry.id for entry in read_entries(connection) if entry.content.get("name") == name and entry.id)


def test_plan_undo_puts_back_what_a_change_replaced(weeks: School) -> None:
    sdh = someone(weeks, "sdh")
    version = weeks.settings.versions[-1]
    entry = find_entry(weeks, version.name)
    later = version.model_dump(mode="json", by_alias=True) | {"next_review": "2027-02-01"}
    change_protocol(weeks, sdh, [Change(ProtocolKind.VERSION, later, replaces=entry)], "After half-term")
    assert with_state(weeks).settings.versions[-1].next_review == date(2027, 2, 1)
    with pytest.raises(ProtocolChangedError):
        change_protocol(weeks, sdh, [Change(ProtocolKind.VERSION, later, replaces=entry)])
    with pytest.raises(ProtocolChangedError):
        plan_undo(weeks, sdh, entry)
    change_protocol(weeks, sdh, plan_undo(weeks, sdh, find_entry(weeks, version.name)))
    assert with_state(weeks).settings == weeks.settings


def test_change_protocol_is_on_the_audit_trail_without_what_was_typed(weeks: School) -> None:
    change_protocol(weeks, someone(weeks, "sdh"), [remote("Aled's quarantine", DAYS[5], DAYS[5])], "Aled is ill")
    trail = tables.audit.c
    with weeks.engine.connect() as connection:
        last = connection.execute(select(trail.actor, trail.subject).order_by(trail.id.desc()).limit(1)).one()
    assert last.actor == "sdh@habs.example"
    assert last.subject.startswith("protocol: remote learning, entry ")


def test_a_process_with_old_settings_judges_by_those_in_force(weeks: School) -> None:
    """Another process changed the hours; a log saved by this one before it noticed is judged by the new hours."""
    change_protocol(weeks, someone(weeks, "sdh"), [as_figure("academic_hours", DAYS[0], ["08:00", "12:00"])])
    found = read_outcomes(weeks)
    with weeks.writing() as connection:  # its settings are the old ones
        rejudge(connection, weeks, Affected(times=[(-(2**62), 2**62)]))
    assert read_outcomes(weeks) == found
    refresh(weeks)
    assert read_outcomes(weeks) == found
