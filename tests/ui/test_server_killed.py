"""The server is killed while somebody saves logs: what it said was saved is stored once, and nothing by half."""

import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from websockets.exceptions import WebSocketException

from app.school import School, open_school
from app.settings import ROOT
from app.store import audit_log, tables
from benchmarks.people import Logging
from benchmarks.windows import open_window
from tests.browser.conftest import await_answer, free_port
from tests.running import become, fork

pytestmark = pytest.mark.slow
_KILLS = 6


def serve(port: int) -> None:
    become("streamlit", ["run", str(ROOT / "streamlit_app.py"), "--server.port", str(port)], ROOT)


def _count_logs(school: School) -> int:
    with school.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(tables.logs)) or 0


def _save_until_killed(address: str, logging: Logging, acknowledged: list[int], saved: threading.Event) -> None:
    try:
        while True:
            logging.save_next_draft()
            with open_window(address) as window:
                window.open("log")
                window.click("Save log")
                acknowledged.append(1)
                saved.set()
    except (WebSocketException, OSError, TimeoutError):
        saved.set()  # the server is gone


def test_server_killed_at_random_moments_loses_nothing_that_it_said_was_saved(
    new_database: Callable[..., str], demonstration: str
) -> None:
    url = new_database(copy_of=demonstration)
    school, chance = open_school(url), random.Random(21)
    logging, before, acknowledged = Logging(url), _count_logs(school), list[int]()
    for _ in range(_KILLS):
        port = free_port()
        process = fork(serve, port, DATABASE_URL=url)
        address = f"http://localhost:{port}"
        await_answer(address, lambda process=process: process.exitcode)  # type: ignore[misc]
        saved = threading.Event()
        writer = threading.Thread(target=_save_until_killed, args=(address, logging, acknowledged, saved))
        writer.start()
        saved.wait()  # for one log, however slow the machine is
        writer.join(chance.random() * 3)
        process.kill()
        process.join()
        writer.join()
    with school.engine.connect() as connection:
        assert audit_log.verify(connection)[1] is None
        logs = Counter(connection.scalars(select(tables.logs.c.ref).where(tables.logs.c.version == 1)))
        judged = set(connection.scalars(select(tables.sessions.c.log_id).where(tables.sessions.c.log_id.is_not(None))))
        current = set(connection.scalars(select(tables.logs.c.id).where(tables.logs.c.current)))
    assert set(logs.values()) == {1}
    assert judged == current
    stored = _count_logs(school) - before
    assert acknowledged
    assert len(acknowledged) <= stored <= len(acknowledged) + _KILLS
    school.engine.dispose()
