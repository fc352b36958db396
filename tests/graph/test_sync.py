"""The sync: nothing lost, nothing doubled, nothing kept of what is no session."""

import json
import random
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from app import lease
from app.access.administration import list_rejected_rows, list_resolved_rows
from app.access.people import find_person
from app.clock import now
from app.graph.errors import StoppedError
from app.graph.fetching import Lease, synchronise
from app.graph.runs import Run
from app.graph.sync import check_graph, read_sync_state
from app.intake.calls import import_calls
from app.intake.files import import_roster
from app.operations.rejected_rows import dismiss_rows
from app.school import School
from app.settings import ROOT
from app.store import tables
from app.store.database import open_database, writing
from tests import people, running
from tests.conftest import SETTINGS
from tests.graph.conftest import ago, asking, lesson, term
from tests.graph.standin import BROKEN, EVERYTHING, PAGE, SECRET, Fault, StandIn
from tests.running import Running


def run(school: School, **how: Any) -> Run:
    return synchronise(school, client=asking(), **how)


def stored(engine: Engine) -> dict[str, list[str]]:
    """What is in the store about calls, apart from numbers and times that the storing gave."""
    given = {"id", "stored_at", "session_id", "attempts", "rejected_at"}
    named = {"calls": "id", "recordings": "id"}
    found = {}
    with engine.connect() as connection:
        for table in (
            tables.calls,
            tables.call_originals,
            tables.call_stays,
            tables.call_videos,
            tables.call_listed,
            tables.recordings,
            tables.sessions,
            tables.session_calls,
            tables.session_pupils,
            tables.quarantine,
        ):
            columns = [c for c in table.c if c.name not in given or named.get(table.name) == c.name]
            found[table.name] = sorted(map(repr, connection.execute(select(*columns))))
    return found


def ids(school: School) -> dict[str, int]:
    with school.engine.connect() as connection:
        return dict(connection.execute(select(tables.calls.c.id, tables.calls.c.version)).all())


def whole_database(school: School) -> str:
    with school.engine.connect() as connection:
        return "\n".join(
            repr(tuple(row)) for table in tables.metadata.tables.values() for row in connection.execute(select(table))
        )


# --- what comes in


def test_every_session_comes_in_once_and_is_judged(school: School, graph: StandIn) -> None:
    graph.add(*term(200))
    done = run(school)
    assert (done.listed, done.fetched, done.added, done.dropped, done.quarantined) == (200, 200, 120, 80, 0)
    assert set(ids(school)) == {f"call-{number:05}" for number in range(200) if number % 5 not in (2, 4)}
    with school.engine.connect() as connection:
        assert len(connection.execute(select(tables.session_calls)).all()) == 120
    assert len(graph.asked_for(r"callRecords\?")) == 4
    assert len(graph.asked_for("callRecords/")) == 200


def test_nothing_of_a_call_that_is_no_session_is_stored(school: School, graph: StandIn) -> None:
    graph.add(lesson("staff-alone", ago(days=1), teacher=(0, 9), sdh=(0, 9)), lesson("lesson", ago(days=1)))
    run(school)
    assert "staff-alone" not in whole_database(school)
    assert "lesson" in whole_database(school)


def test_no_content_of_a_meeting_is_asked_for(school: School, graph: StandIn) -> None:
    graph.add(*term(20))
    graph.recordings = {people.entra("teacher"): [recording("r1", "call-00000", ago(days=20))]}
    run(school)
    assert not graph.asked_for("content|transcript|chat|message")


def test_what_is_unchanged_is_not_fetched_again_and_what_rose_is(school: School, graph: StandIn) -> None:
    graph.add(*(lesson(f"c{number}", ago(days=2, hours=number)) for number in range(10)))
    run(school)
    before = stored(school.engine)
    graph.asked.clear()
    assert run(school).fetched == 0
    assert not graph.asked_for("callRecords/")
    assert stored(school.engine) == before

    graph.add(lesson("c3", ago(days=2, hours=3), version=2, teacher=(0, 30), aled=(1, 20)))
    assert (run(school).changed, ids(school)["c3"]) == (1, 2)
    graph.add(lesson("c3", ago(days=2, hours=3), version=1))
    run(school)
    assert ids(school)["c3"] == 2


def test_where_the_list_does_not_tell_what_changed_all_is_fetched_again(school: School, graph: StandIn) -> None:
    graph.add(*term(100))
    graph.unsaid = ("version", "lastModifiedDateTime")
    graph.faults = [("skiptoken", Fault(400, "BadRequestError", "no such page"))]
    with pytest.raises(StoppedError):
        run(school)
    assert run(school).fetched == 100 - PAGE  # what the run that broke off had fetched counts
    assert run(school, days=30).fetched == 100
    assert len(ids(school)) == 60


def test_a_new_pupil_brings_the_calls_in_that_were_dropped(school: School, graph: StandIn, tmp_path: Path) -> None:
    call = lesson("c1", ago(days=1), teacher=(0, 30), newcomer=(0, 29))
    graph.add(call)
    assert run(school).dropped == 1
    folder = people.roster(tmp_path / "later")
    row = {"email": people.email("newcomer"), "name": "New", "school": "SEN", "year_group": "9", "house": "Wye"}
    people.table(folder / "pupils.csv", [row])
    import_roster(school, folder)
    assert run(school).added == 1


def test_a_list_that_changes_while_it_is_paged_hides_nothing(school: School, graph: StandIn) -> None:
    graph.add(*term(150))

    def early_one_appears(number: int, address: str) -> None:
        if "skiptoken=60" in address and "early" not in graph.calls:
            graph.add(lesson("early", ago(days=25)))

    graph.when_asked = early_one_appears
    done = run(school)
    assert "early" in ids(school)
    assert (done.listed, done.fetched) == (151, 151)


# --- the window


def windows(graph: StandIn) -> list[timedelta]:
    """How far back each listing reached."""
    return [now() - datetime.fromisoformat(a.partition("ge%20")[2][:20]) for a in graph.asked_for(r"Records\?")]


def about(days: float) -> Any:
    return pytest.approx(timedelta(days=days), abs=timedelta(minutes=10))


def test_the_first_run_reaches_back_thirty_days_and_the_next_three(school: School, graph: StandIn) -> None:
    run(school)
    run(school)
    run(school, days=7)
    run(school, days=30)
    assert windows(graph) == [about(30), about(3), about(7), about(30)]
    assert max(windows(graph)) < timedelta(days=30)  # Graph may refuse to list what it does not keep


def move_back(school: School, **time: float) -> None:
    """As if all runs had been so long ago."""
    with school.writing() as connection:
        for row in connection.execute(select(tables.sync_runs)).all():
            earlier = {
                name: getattr(row, name) - timedelta(**time)
                for name in ("started_at", "ended_at", "from_at", "to_at", "complete_until")
                if getattr(row, name)
            }
            connection.execute(update(tables.sync_runs).where(tables.sync_runs.c.id == row.id).values(earlier))


def test_days_that_leave_a_gap_do_not_hide_it(school: School, graph: StandIn) -> None:
    run(school)
    move_back(school, days=10)
    graph.add(lesson("between", ago(days=5)))
    run(school, days=2)
    assert read_sync_state(school).level == "yellow"
    run(school)
    assert windows(graph)[-1] == about(13)
    assert "between" in ids(school)
    assert read_sync_state(school).level == "none"


def test_a_run_that_failed_does_not_count_as_a_success(school: School, graph: StandIn) -> None:
    graph.always = {r"callRecords\?": BROKEN}
    with pytest.raises(StoppedError):
        run(school)
    state = read_sync_state(school)
    assert state.words.startswith("No sync has succeeded yet")
    assert state.last_run is not None
    assert "500" in state.last_run.error
    graph.always = {}
    run(school)
    assert windows(graph)[-1] == about(30)


# --- what cannot be read


BROKEN_RECORDS: list[Any] = [
    [],
    17,
    "text",
    None,
    {},
    {"error": {"code": "x"}},
    {"id": "c1", "version": "new", "sessions": []},
    {"id": "c1", "version": 1, "sessions": 5},
    {
        "id": "other",
        "version": 1,
        "sessions": [],
        "startDateTime": "2026-11-03T10:00:00Z",
        "endDateTime": "2026-11-03T11:00:00Z",
    },
    {"id": "c1", "version": 1, "sessions": [], "startDateTime": "yesterday"},
    b"{'id': 1}",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"",
]


@pytest.mark.parametrize("content", BROKEN_RECORDS, ids=lambda content: repr(content)[:30])
def test_sync_quarantines_what_cannot_be_read_and_tries_it_again(school: School, graph: StandIn, content: Any) -> None:
    graph.add(lesson("c1", ago(days=1)), lesson("c2", ago(days=1)))
    graph.raw["c1"] = content
    assert run(school).quarantined == 1
    assert set(ids(school)) == {"c2"}
    assert read_sync_state(school).quarantined == 1
    with school.engine.connect() as connection:
        entry = connection.execute(select(tables.quarantine)).one()
    assert (entry.kind, entry.source, entry.call_id, entry.attempts) == ("calls", "sync", "c1", 1)
    assert entry.reason
    assert entry.original == (content if isinstance(content, bytes) else json.dumps(content).encode())
    graph.raw.clear()
    move_back(school, days=-5)  # so that the list does not hold it any more
    assert run(school, retry=True).quarantined == 0
    assert set(ids(school)) == {"c1", "c2"}
    assert read_sync_state(school).quarantined == 0


def test_a_record_in_quarantine_is_listed_and_can_be_dismissed(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=1)))
    graph.raw["c1"] = {"id": "c1", "displayName": "Aled Pugh"}
    run(school)
    admin = people.found(find_person(school, people.email("admin")))
    entry = list_rejected_rows(school, admin).iloc[0]
    assert (entry["source"], entry["place"], entry["attempts"], entry["fixable"]) == ("sync", "call c1", 1, ())
    assert "--retry" in entry["fix"]
    assert "Aled" not in str(entry.to_dict())
    assert dismiss_rows(school, admin, [int(entry["id"])], "a test call") == 1
    assert read_sync_state(school).quarantined == 0
    assert list_resolved_rows(school, admin)["place"].tolist() == ["call c1"]
    move_back(school, days=-5)
    graph.asked.clear()
    run(school, retry=True)
    assert not graph.asked_for("callRecords/c1")


def test_a_file_brings_a_record_that_the_sync_could_not_read(school: School, graph: StandIn, tmp_path: Path) -> None:
    graph.add(lesson("c1", ago(days=1)), lesson("c2", ago(days=1)))
    graph.raw |= {"c1": {}, "c2": {}}
    run(school)
    result = import_calls(school, people.calls(tmp_path / "calls.json", lesson("c1", ago(days=1))))
    assert (result.added, result.resolved, read_sync_state(school).quarantined) == (1, 1, 1)


def test_a_record_that_breaks_its_reader_or_the_store_keeps_out_no_other(school: School, graph: StandIn) -> None:
    graph.add(*(lesson(f"c{number}", ago(days=1, hours=number)) for number in range(6)))
    graph.calls["c1"]["version"] = 2**70
    graph.calls["c2"]["sessions"][0]["segments"] = [{"media": 5}]
    graph.calls["c3"]["sessions"][0]["caller"]["associatedIdentity"]["userPrincipalName"] = "\ud800\x00"
    graph.calls["c4"]["organizer_v2"] = {"identity": {"user": {"id": ["a list"]}}}
    done = run(school)
    assert {"c0", "c5"} <= set(ids(school))
    assert done.added + done.quarantined == 6
    assert done.quarantined >= 1


def test_sync_quarantines_strange_entries_of_the_list(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=1)))
    graph.strange_entries = [None, 5, {}, {"id": 7}, {"id": ".."}, {"id": "x" * 500}, {"id": "a/../b"}]
    done = run(school)
    assert (done.quarantined, set(ids(school))) == (7, {"c1"})
    graph.strange_entries = []
    run(school, retry=True)
    assert read_sync_state(school).quarantined == 0


def test_a_record_that_never_arrives_is_tried_again_by_itself(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=10)), lesson("c2", ago(days=1)))
    graph.always = {"callRecords/c1": BROKEN}
    assert run(school).quarantined == 1
    graph.always = {}
    assert run(school).quarantined == 0
    assert set(ids(school)) == {"c1", "c2"}


def test_a_record_that_is_gone_is_noted_and_no_trouble(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=1)), lesson("c2", ago(days=1)))
    graph.always = {"callRecords/c1": Fault(404, "NotFound", "gone")}
    done = run(school)
    assert (done.gone, done.quarantined, set(ids(school))) == (1, 0, {"c2"})


def test_a_next_link_elsewhere_ends_the_list_and_keeps_what_came(
    school: School, graph: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.add(*term(100))
    elsewhere = "https://elsewhere.example/v1.0/communications/callRecords?$skiptoken=60"
    monkeypatch.setattr(graph, "_link", lambda address, start: elsewhere)
    with pytest.raises(StoppedError, match="not at the configured Graph host"):
        run(school)
    assert len(ids(school)) == PAGE * 3 / 5


def test_a_service_that_goes_down_ends_the_run_and_keeps_what_came(school: School, graph: StandIn) -> None:
    graph.add(*term(100))

    def down(number: int, address: str) -> None:
        if len(graph.asked) > 40:
            graph.always = {"v1.0": BROKEN}

    graph.when_asked = down
    with pytest.raises(StoppedError, match="does not answer"):
        run(school)
    kept = len(ids(school))
    assert kept > 10
    graph.when_asked, graph.always = (lambda number, address: None), {}
    graph.asked.clear()
    run(school)
    assert len(ids(school)) == 60
    assert len(graph.asked_for("callRecords/")) < 100


# --- recordings


def recording(name: str, call_id: str | None, created: datetime, by: str = "teacher") -> dict[str, Any]:
    return {
        "id": name,
        "callId": call_id,
        "createdDateTime": created.isoformat() + "Z",
        "meetingOrganizer": {"user": {"id": people.entra(by)}},
        "recordingContentUrl": "https://nowhere.example/content",
    }


def recorded(school: School) -> set[str]:
    with school.engine.connect() as connection:
        return set(connection.scalars(select(tables.recordings.c.id)))


def test_recordings_of_sessions_come_in_and_of_other_meetings_do_not(school: School, graph: StandIn) -> None:
    start = ago(days=1)
    graph.add(lesson("c1", start), lesson("staff", ago(days=2), teacher=(0, 30), sdh=(0, 30)))
    graph.recordings[people.entra("teacher")] = [
        recording("of c1", "c1", start),
        recording("by time", None, start + timedelta(minutes=5)),
        recording("of staff", "staff", ago(days=2)),
        recording("of no call", None, ago(days=2)),
        "nonsense",
    ]
    done = run(school)
    assert recorded(school) == {"of c1", "by time"}
    assert (done.recordings, done.quarantined) == (2, 1)
    assert run(school).recordings == 0


def test_a_refused_organiser_is_noted_and_the_others_come(school: School, graph: StandIn) -> None:
    start = ago(days=1)
    graph.add(lesson("c1", start), lesson("c2", start, musician=(0, 30), carys=(0, 30)))
    graph.recordings = {
        people.entra("teacher"): Fault(403, "ForbiddenError", "No application access policy found for this app."),
        people.entra("musician"): [recording("r2", "c2", start, "musician")],
    }
    done = run(school)
    assert (recorded(school), done.rejected, done.quarantined) == ({"r2"}, 1, 0)
    state = read_sync_state(school)
    assert state.last_run is not None
    assert "application access policy" in state.last_run.error


# --- one at a time


def test_one_sync_at_a_time(school: School, graph: StandIn) -> None:
    with Lease(school), pytest.raises(lease.BusyError, match="running"):
        run(school)
    run(school)


def hold(school: School, holder: str, minutes: float) -> None:
    row = {"name": "sync", "holder": holder, "expires_at": school.now() + timedelta(minutes=minutes)}
    with school.writing() as connection:
        connection.execute(insert(tables.leases).values(row))


def test_lease_expires_by_itself(school: School, graph: StandIn) -> None:
    hold(school, "elsewhere|abc", minutes=-0.1)
    run(school)
    hold(school, "elsewhere|abc", minutes=2)
    with pytest.raises(lease.BusyError, match="elsewhere"):
        run(school)


def test_a_sync_that_lost_its_lease_writes_nothing_more(school: School, graph: StandIn) -> None:
    graph.add(*term(100))

    def taken(number: int, address: str) -> None:
        if "skiptoken" in address:
            with school.writing() as connection:
                connection.execute(update(tables.leases).values(holder="elsewhere|abc"))

    graph.when_asked = taken
    with pytest.raises(lease.LostError, match="took this one's place"):
        run(school)
    assert len(ids(school)) == PAGE * 3 / 5


# --- how it stands


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [
        (0.5, "none", "up to date"),
        (2, "yellow", "will be lost, unless"),
        (26, "red", "unless"),
        (40, "red", "every day"),
    ],
)
def test_a_gap_is_said_loudly(school: School, graph: StandIn, days: float, level: str, said: str) -> None:
    run(school)
    move_back(school, days=days)
    state = read_sync_state(school)
    assert (state.level, said in state.words) == (level, True)
    losing = (now() - timedelta(days=days - 30)).astimezone(SETTINGS.zone).date()
    if level != "none":
        assert f"{losing.day} {losing:%B %Y}" in state.words


def test_what_was_lost_is_kept_in_view(school: School, graph: StandIn) -> None:
    run(school)
    move_back(school, days=40)
    done = run(school)
    (lost,) = done.troubles
    first = (now() - timedelta(days=40)).astimezone(SETTINGS.zone)
    assert lost.startswith(f"Calls from {first:%d %B %Y} to ")
    run(school)
    assert read_sync_state(school).level == "none"
    assert read_sync_state(school).words == f"The sync is up to date. {lost}"


def test_without_a_registration_the_state_says_so(school: School) -> None:
    state = read_sync_state(school)
    assert (state.configured, state.level, state.quarantined) == (False, "none", 0)
    assert "No sync is configured" in state.words


def test_the_check_names_what_is_missing(school: School, graph: StandIn) -> None:
    assert all(well for well, _, _ in check_graph(school)[:2])
    graph.always = {r"callRecords\?": Fault(403, "ForbiddenError", "Missing role")}
    ((well, words, fix),) = check_graph(school)
    assert not well
    assert "Missing role" in words
    assert "CallRecords.Read.All" in fix


# --- as a command


@pytest.fixture
def command(graph: StandIn, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts `python -m app sync` on the school of an engine."""
    started: list[Running] = []
    text = (ROOT / "data/protocol.toml").read_text(encoding="utf-8")
    file = tmp_path / "protocol.toml"
    file.write_text(text.replace("00000000-0000-0000-0000-000000000000", people.TENANT), encoding="utf-8")

    def start(engine: Engine, *words: str) -> Running:
        database = engine.url.render_as_string(hide_password=False)
        started.append(running.start(database, "sync", *words, PROTOCOL_FILE=str(file), **graph.environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def moved_in(peopled_database: Callable[[], str]) -> Iterator[Callable[[], Engine]]:
    """Makes a school with everybody in it."""
    engines: list[Engine] = []

    def make() -> Engine:
        engines.append(open_database(peopled_database()))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def test_the_command_says_what_it_did_and_nothing_secret(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    engine = moved_in()
    graph.add(*term(70))
    process = command(engine)
    out, said = process.communicate()
    assert process.returncode == 0, said
    assert "70 calls listed, 70 fetched: 42 new" in out
    graph.add(lesson("broken", ago(hours=5)))
    graph.raw["broken"] = {"id": "broken", "displayName": "Aled Pugh"}
    process = command(engine)
    out, more = process.communicate()
    assert process.returncode == 1
    assert "--retry" in more
    graph.always = {r"callRecords\?": Fault(403, "ForbiddenError", f"{SECRET} of aled@pupils.habs.example")}
    process = command(engine)
    out, last = process.communicate()
    assert process.returncode == 2
    assert "CallRecords.Read.All" in last
    told = said + more + last
    assert not any(secret in told for secret in (SECRET, "token-", "Aled", "habs.example", "Traceback"))


def test_a_watch_goes_on_until_it_is_ended(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    engine = moved_in()
    graph.add(*term(10))
    process = command(engine, "--watch", "60")
    assert "10 calls listed" in process.stdout.readline()
    process.terminate()
    assert process.wait(20) == 2
    with engine.connect() as connection:
        assert connection.execute(select(tables.leases)).all() == []


def undisturbed(engine: Engine, command: Callable[..., Running]) -> dict[str, Any]:
    process = command(engine)
    _, said = process.communicate()
    assert process.returncode == 0, said
    return stored(engine)


def expire_lease(engine: Engine) -> None:
    """As if the lease of a killed sync had expired."""
    with writing(engine) as connection:
        connection.execute(update(tables.leases).values(expires_at=datetime.fromtimestamp(0, UTC)))


def killed_and_run_again(
    graph: StandIn, engine: Engine, command: Callable[..., Running], moments: list[int], most: int
) -> tuple[dict[str, Any], int]:
    """A sync killed when so many requests have come, a hair later, each time; then one to the end."""
    killed = 0
    chance = random.Random(sum(moments))
    for moment in moments:
        graph.asked.clear()
        process = command(engine)

        def kill(number: int, address: str, process: Running = process, moment: int = moment) -> None:
            if number == moment:
                threading.Timer(chance.random() * 0.05, process.kill).start()

        graph.when_asked = kill
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        expire_lease(engine)
    graph.when_asked = lambda number, address: None
    process = command(engine)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert killed >= most
    return stored(engine), killed


def test_killed_at_any_moment_it_goes_on_where_it_was(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    graph.add(*term(150))
    expected = undisturbed(moved_in(), command)
    graph.rate, graph.seed = 0.1, 7
    graph.kinds = tuple(
        fault for fault in EVERYTHING if fault.headers or fault.status == 401
    )  # none that is waited for
    got, _ = killed_and_run_again(graph, moved_in(), command, [3, 30, 67, 40, 20], most=4)
    assert got == expected


@pytest.mark.slow
def test_killed_at_thirty_moments_under_every_fault(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    graph.add(*term(600))
    graph.recordings = {people.entra("teacher"): [recording("r", "call-00000", ago(days=20))]}
    expected = undisturbed(moved_in(), command)
    assert len(expected["calls"]) == 360
    graph.rate, graph.seed = 0.05, 11
    chance = random.Random(5)
    moments = [chance.randint(2, 90) for _ in range(30)]
    got, _ = killed_and_run_again(graph, moved_in(), command, moments, most=20)
    assert got == expected
