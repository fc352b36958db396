"""One changed setting: judging 160,000 stored sessions again in its transaction, while somebody reads the Overview."""

import threading
import time
from datetime import timedelta

from app.judging.upkeep import rejudge_changed_settings
from app.school import School, open_school
from app.store import session_days


def measure(url: str) -> dict[str, float]:
    """`seconds` for all sessions at `url` after another time of grace, which is then taken back; `waits`: how many
    times as long reading a term takes meanwhile at most."""
    school = open_school(url)
    reader = _Reader(school)
    usual = [reader.read() for _ in range(5)]
    rules = tuple(
        entry.model_copy(update={"grace_seconds": entry.grace_seconds + 5}) for entry in school.settings.rules
    )
    changed = School(school.engine, school.settings.model_copy(update={"rules": rules}))
    reading = threading.Thread(target=reader.read_on)
    with school.writing() as connection:
        reading.start()
        began = time.perf_counter()
        rejudge_changed_settings(connection, School(school.engine, school.settings), changed)
        seconds = time.perf_counter() - began
        reader.over.set()
        reading.join()
        connection.rollback()
    school.engine.dispose()
    return {"seconds": seconds, "waits": max(reader.seconds) / max(usual)}


class _Reader:
    """Somebody who reads the sessions of the last twelve weeks, once a second."""

    def __init__(self, school: School) -> None:
        self._school = school
        self.over = threading.Event()
        self.seconds: list[float] = []

    def read(self) -> float:
        began, today = time.perf_counter(), self._school.today()
        with self._school.engine.connect() as connection:
            session_days.read(connection, today - timedelta(weeks=12), today)
        return time.perf_counter() - began

    def read_on(self) -> None:
        while True:
            self.seconds.append(self.read())
            if self.over.wait(1):
                return
