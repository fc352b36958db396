"""However many people wait to write, others can read."""

from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Any

from sqlalchemy import event

from app.school import School
from app.store import reading

_WRITERS = 20


def test_whoever_waits_to_write_keeps_nobody_from_reading(school: School) -> None:
    have_a_connection = Semaphore(0)

    def note(*_: Any) -> None:
        have_a_connection.release()

    def write() -> None:
        with school.writing():
            pass

    with ThreadPoolExecutor(_WRITERS) as pool:
        with school.writing():
            event.listen(school.engine, "checkout", note)
            writers = [pool.submit(write) for _ in range(_WRITERS)]
            assert all(have_a_connection.acquire(timeout=20) for _ in writers)
            with school.engine.connect() as connection:
                assert reading.get_revision(connection) >= 0
            assert not any(writer.done() for writer in writers)
        for writer in writers:
            writer.result()
