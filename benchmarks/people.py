"""People at work: one who filters and logs, and fifty of them at once, each in a window of their own."""

import random
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

import psutil

from app.access.forms import list_pupils_to_choose
from app.access.people import list_demo_people
from app.school import open_school
from app.sessions.drafts import save_draft
from benchmarks.serving import proxied, serving
from benchmarks.windows import Window, open_window

PEOPLE = 50
BETWEEN = 10.0  # seconds that somebody reads before the next click
_ROUNDS = 1


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


class Logging:
    """The log form as somebody has filled it in, waiting as a draft to be sent."""

    def __init__(self, url: str) -> None:
        self.school = open_school(url)
        self.person = list_demo_people(self.school)[0]
        pupil = list_pupils_to_choose(self.school, self.person)["email"].iloc[0]
        self._logged = count()
        answers = dict.fromkeys(("staff_opened", "staff_ended", "dress_ok", "background_ok"), "yes")
        answers |= dict.fromkeys(("pupil_left_alone", "recorded", "private_recording", "concern"), "no")
        self.form = answers | {
            "purpose": "academic",
            "pupils": [pupil],
            "platform": "teams",
            "account": "school",
            "cameras_on": "yes",
            "room": "public",
        }

    def save_next_draft(self) -> None:
        """Save the next draft: each log is of a time of its own, sixteen a day, back from yesterday."""
        days, place = divmod(next(self._logged), 16)
        day = self.school.today() - timedelta(days=1 + days)
        times = {"day": day.isoformat(), "from": f"{8 + place // 2:02}:{place % 2 * 30:02}"}
        times["to"] = f"{8 + place // 2:02}:{place % 2 * 30 + 20:02}"
        save_draft(self.school, self.person, "log", self.form | times)


def _sent(window: Window) -> float:
    seconds = window.click("Save log")
    # "Already saved.": the draft was opened in another window as well, which has sent it.
    if not any(words in e.alert.body for e in window.elements for words in ("Logged.", "Already saved.")):
        raise RuntimeError("The log was not kept")
    return seconds


def _logs(address: str, logging: Logging, reads: float) -> list[float]:
    """The form opened in a window of its own, read, and sent."""
    while True:  # all of them log as one person: another one may have sent the draft before it was opened here
        with open_window(address) as window:
            logging.save_next_draft()
            opened = window.open("log")
            if window.ready("Save log"):
                time.sleep(reads)
                return [opened, _sent(window)]


def measure(url: str, times: int = 20) -> dict[str, list[float]]:
    """Seconds of a `rerun` with nothing changed, of a `filter` changed to the page redrawn and of a `log` sent
    to judged and shown, taken in turn; and of a rerun of the page with the form, `form`."""
    logging = Logging(url)
    found: dict[str, list[float]] = defaultdict(list)
    with serving("streamlit_app.py", DATABASE_URL=url) as address, open_window(address) as reader:
        reader.open()
        departments = reader.options("Department")
        for turn in range(times + 1):
            logging.save_next_draft()
            with open_window(address) as writer:
                writer.open("log")
                one = {"form": writer.again(), "log": _sent(writer)}
            reader.open()  # what the log changed is read again
            one |= {
                "rerun": reader.again(),
                "filter": reader.choose("Department", departments[turn % len(departments)]),
            }
            for what, seconds in one.items() if turn else ():  # the first turn warms the server
                found[what].append(seconds)
    return found


def measure_clicks(url: str, times: int = 20) -> dict[str, list[float]]:
    """How many times as long as a bare rerun of its page a click takes to everything redrawn: on a `mark`, a `row`, a
    `tab`."""
    found: dict[str, list[float]] = defaultdict(list)
    with serving("streamlit_app.py", DATABASE_URL=url) as address, open_window(address) as window:
        window.open()
        department = window.options("Department")[0]
        clicks: dict[str, tuple[str, Callable[[], float]]] = {
            "mark": ("", lambda: window.mark("cell", department=department, band="16")),
            "row": ("sessions", lambda: window.select_row(1)),
            "tab": ("parents", lambda: window.open_tab("Letters")),
        }
        for what, (page, click) in clicks.items():
            seconds, reruns = [], []
            for turn in range(times + 1):
                window.open(page)
                again, clicked = window.again(), click()
                if turn:  # the first turn warms the server
                    reruns.append(again)
                    seconds.append(clicked)
            found[what] = [each / statistics.median(reruns) for each in seconds]
    return found


def crowd(url: str, processes: int = 1) -> dict[str, float]:
    """`one` and `many`: p95 of the seconds of one person's clicks, and of fifty people's at once, on one server process
    or on several behind the proxy; `clicks` and `errors`: how many; `each`: MB of the servers' memory for a further
    person."""
    crowd = _Crowd(Logging(url))
    with ExitStack() as stack:
        programs = [stack.enter_context(serving("streamlit_app.py", DATABASE_URL=url)) for _ in range(processes)]
        address = programs[0] if processes == 1 else stack.enter_context(proxied(programs))
        crowd.work(address, 0, 0.2, 2, threading.Barrier(1))  # this warms the servers
        one = [s for n in range(processes) for s in crowd.work(address, n, 0.2, 4, threading.Barrier(1))]
        before = _measure_servers()
        crowd.peak.clear()
        together = threading.Barrier(PEOPLE)
        with ThreadPoolExecutor(PEOPLE) as pool:
            found = pool.map(lambda number: crowd.work(address, number, BETWEEN, _ROUNDS, together), range(PEOPLE))
            many = [seconds for person in found for seconds in person]
    for error in sorted(set(crowd.errors)):
        print(f"{crowd.errors.count(error)} × {error}", file=sys.stderr)
    return {
        "one": p95(one),
        "many": p95(many),
        "clicks": len(many),
        "errors": len(crowd.errors),
        "each": (max(crowd.peak) - before) / 1e6 / (PEOPLE - 1),
    }


class _Crowd:
    """People at work; `errors` as text, and the `peak` of the servers' memory as each of them ended."""

    def __init__(self, logging: Logging) -> None:
        self._logging = logging
        self.errors: list[str] = []
        self.peak: list[int] = []

    def work(self, address: str, number: int, between: float, rounds: int, ready: threading.Barrier) -> list[float]:
        """What one of them does, once all are `ready`: the seconds of each click, with `between` seconds between
        them."""
        chance, seconds = random.Random(number), []
        try:
            with open_window(address) as window:
                ready.wait(120)
                time.sleep(chance.uniform(0, between))  # people do not click in step
                for _ in range(rounds):
                    seconds.append(window.open())
                    time.sleep(chance.uniform(0.5, 1.5) * between)
                    seconds.append(window.choose("Department", chance.choice(window.options("Department"))))
                    time.sleep(chance.uniform(0.5, 1.5) * between)
                    seconds += _logs(address, self._logging, chance.uniform(0.5, 1.5) * between)
                self.peak.append(_measure_servers())
        except Exception as error:  # every fault counts, whatever it is
            self.errors.append(f"{type(error).__name__}: {error}")
        return seconds


def _measure_servers() -> int:
    """Bytes of memory of the servers that this process started."""
    servers = [p for p in psutil.Process().children() if "streamlit" in " ".join(p.cmdline())]
    return sum(server.memory_info().rss for server in servers)
