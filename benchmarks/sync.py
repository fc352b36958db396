"""What a sync costs: requests, memory, and CPU time compared with that of parsing the same JSON.

    python -m benchmarks.sync [CALLS]

The stand-in for Microsoft Graph and the sync run in processes of their own, so that only the sync's CPU time is
counted; waiting for the network takes none.
"""

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from datetime import timedelta
from math import ceil
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msal
import requests

from app.graph.client import EXPANDED
from app.graph.fetching import synchronise
from app.graph.registration import read_registration
from app.school import School
from app.settings import load_settings
from app.store.database import open_database
from benchmarks.records import media_with_telemetry
from tests import people
from tests.graph.conftest import ago, lesson
from tests.graph.standin import PAGE, StandIn


def teams_call(call_id: str, number: int, count: int) -> dict[str, Any]:
    """The call record of a lesson with a teacher and 1 to 20 pupils, with the telemetry that Teams adds."""
    pupils = ("aled", "bethan", "carys", "dai", *(f"pupil{other}" for other in range(16)))
    who = {"teacher": (0.0, 30.0)} | dict.fromkeys(pupils[: 1 + number % 20], (1.0, 29.0))
    call = lesson(call_id, ago(days=25) + number * timedelta(days=25) / count, **who)
    for session in call["sessions"]:
        facts = {name: session[name] for name in ("id", "startDateTime", "endDateTime", "caller", "callee")}
        labels = ("main-audio", "main-video", "vbss", "data")
        session["segments"] = [facts | {"media": [media_with_telemetry(label) for label in labels]}]
    return call


def serve(folder: Path, count: int, channel: Connection) -> None:
    with StandIn(folder) as standin:
        standin.add(*(teams_call(f"call-{number:06}", number, count) for number in range(count)))
        channel.send(standin.environment)
        channel.recv()
        asked = len(standin.asked_for("/v1.0/communications"))
        channel.send(asked)


def fetch(folder: Path, environment: dict[str, str], channel: Connection) -> None:
    os.environ.update(environment)
    school = School(
        open_database(f"sqlite:///{folder / 'school.sqlite'}"),
        load_settings().model_copy(update={"tenant_id": people.TENANT}),
    )
    people.move_in(school, folder)
    began, used = time.perf_counter(), time.process_time()
    done = synchronise(school)
    figures = {
        "added": float(done.added),
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    channel.send(figures | {"network": bare_requests(min(done.listed, 500)) * done.listed})


def bare_requests(count: int) -> float:
    """The CPU seconds for one record by `requests` alone: TLS and HTTP, without reading the content."""
    registered = read_registration()
    assert registered is not None
    application = msal.ConfidentialClientApplication(
        registered.client_id,
        client_credential=registered.secret,
        authority=f"{registered.authority}/{registered.tenant}",
        instance_discovery=False,
    )
    token = application.acquire_token_for_client(["https://graph.microsoft.com/.default"])["access_token"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        used = time.process_time()
        for number in range(count):
            address = f"{registered.base_url}/communications/callRecords/call-{number:06}"
            session.get(address, params={"$expand": EXPANDED}).raise_for_status()
        return (time.process_time() - used) / count


def measure(count: int) -> dict[str, float]:
    start = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = start.Pipe()
        server = start.Process(target=serve, args=(folder, count, theirs))
        server.start()
        environment = ours.recv()
        mine, others = start.Pipe()
        client = start.Process(target=fetch, args=(folder, environment, others))
        client.start()
        figures: dict[str, float] = mine.recv()
        client.join()
        ours.send("over")
        figures["requests"] = ours.recv() - min(count, 500)  # without the bare requests
        server.join()
    bodies = [json.dumps(teams_call(f"call-{number:06}", number, count)).encode() for number in range(min(count, 500))]
    used = time.process_time()
    for body in bodies:
        json.loads(body)
    figures["json"] = (time.process_time() - used) / len(bodies) * count
    figures["bytes"] = sum(map(len, bodies)) / len(bodies)
    return figures


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    small, large = measure(count // 10), measure(count)
    for calls, figures in ((count // 10, small), (count, large)):
        most = calls + ceil(calls / PAGE)
        own = figures["cpu"] - figures["network"]
        print(
            f"{calls:,} calls of {figures['bytes'] / 1000:.0f} kB, {figures['added']:,.0f} of them sessions: "
            f"{figures['requests']:.0f} requests (at most {most}), {figures['seconds']:.1f} s, "
            f"peak {figures['peak']:.0f} MB. Processor {figures['cpu']:.1f} s; without what bare requests take for the "
            f"same bytes {own:.1f} s = {own / figures['json']:.1f} times json.loads ({figures['json']:.1f} s)"
        )
    print(f"Peak with {count:,} calls: {large['peak'] / small['peak']:.2f} times that with {count // 10:,}")


if __name__ == "__main__":
    main()
