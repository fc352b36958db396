"""Fills a database with the fictional school in one background thread for each process, however many people watch."""

import logging
import threading
import time
from collections.abc import Callable

from app.demo.filling import fill
from app.school import School
from app.store.database import UNAVAILABLE, DatabaseError, describe_error

_EARLY = 0.1  # the share done below which the time left cannot be estimated


class Filling:
    """One filling at a time. Threads that watch it only read.

    - `step`: what is being done, as text; `share`: the share done
    - `error`: why it failed, with the fix; blank if it has not
    """

    def __init__(self) -> None:
        self.step, self.share, self.error = "", 0.0, ""
        self._began = 0.0
        self._thread: threading.Thread | None = None
        self._beginning = threading.Lock()

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def begin(self, school: School, sessions: int, at_end: Callable[[], None]) -> None:
        """Start to fill the school's database, unless that is already running. `at_end` is called when it has ended."""
        with self._beginning:
            if self.is_running:
                return
            self.step, self.share, self.error = "", 0.0, ""
            self._began = time.monotonic()
            arguments = (school, sessions, at_end)
            self._thread = threading.Thread(target=self._fill, args=arguments, name="demonstration", daemon=True)
            self._thread.start()

    def get_seconds_left(self) -> int | None:
        """The estimated seconds left, or None if it is too early to estimate."""
        if self.share < _EARLY:
            return None
        return round((time.monotonic() - self._began) * (1 - self.share) / self.share)

    def _fill(self, school: School, sessions: int, at_end: Callable[[], None]) -> None:
        try:
            fill(school, sessions, self._note)
        except DatabaseError as error:
            self.error = str(error)
        except UNAVAILABLE as error:
            self.error = describe_error(error)
        except Exception:  # whatever it is, those who watch have to learn that the filling has ended
            logging.getLogger(__name__).exception("The demonstration was not filled")
            self.error = "An unexpected error. The log of the server says more."
        finally:
            at_end()

    def _note(self, step: str, share: float) -> None:
        self.step, self.share = step, share
