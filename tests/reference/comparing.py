"""Compares the program with the reference."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from app.protocol.judge import judge
from app.vocabulary.terms import CallPart
from tests.reference.judging import judge_plainly
from tests.reference.random_settings import Setting
from tests.reference.rows import Call, World, to_evidence
from tests.reference.sessions import Calendar

_FIRST_INSTANT = 10**14  # a lower number is an id

Result = dict[str, str]  # the results for a session, by clause and by fact


@dataclass(frozen=True)
class Difference:
    """A difference between the program and the reference for a session."""

    session: str
    about: str
    expected: str
    got: str


def expect(world: World, setting: Setting) -> dict[str, Result]:
    """The reference's results for each session, by its log or its matched call."""
    results = {}
    for verdict in judge_plainly(world, setting.settings, setting.now):
        facts = {
            name: f"{check.outcome} {check.evidence}{' disputed' if check.disputed else ''}"
            for name, check in verdict.checks.items()
        }
        parts = sorted(f"{call} {part}" for call, part in verdict.session.parts.items())
        facts |= {"calls": ", ".join(parts), "matched": str(verdict.call_id), "status": verdict.status}
        results[_name(verdict.log_id, verdict.call_id)] = facts
    return results


def observe(world: World, setting: Setting) -> dict[str, Result]:
    """The program's results for each session."""
    now = datetime.fromtimestamp(setting.now / 1e6, UTC)
    judged = judge(to_evidence(world), setting.settings, now)
    sessions, calls, table = judged.sessions, judged.calls, judged.table()
    log_ids = [None if pd.isna(log_id) else int(log_id) for log_id in sessions["log_id"]]
    call_ids = [None if pd.isna(call_id) else str(call_id) for call_id in sessions["call_id"]]
    names = [_name(log_id, call_id) for log_id, call_id in zip(log_ids, call_ids, strict=True)]
    results: dict[str, Result] = {
        name: {"calls": "", "matched": str(call_id), "status": status}
        for name, call_id, status in zip(names, call_ids, sessions["status"], strict=True)
    }
    for session, clause, outcome, evidence, disputed in zip(
        *(table[name].tolist() for name in ("session", "clause", "outcome", "evidence", "disputed")), strict=True
    ):
        results[names[session]][clause] = f"{outcome} {evidence}{' disputed' if disputed else ''}"
    parts: dict[int, list[str]] = {}
    said = calls["part"] if "part" in calls else [CallPart.SESSION] * len(calls)
    for session, call_id, part in zip(calls["session"], calls["call_id"], said, strict=True):
        parts.setdefault(session, []).append(f"{call_id} {part}")
    for session, entries in parts.items():
        results[names[session]]["calls"] = ", ".join(sorted(entries))
    return results


def _name(log_id: int | None, call_id: str | None) -> str:
    return f"call {call_id}" if log_id is None else f"log {log_id}"


def compare(world: World, setting: Setting) -> list[Difference]:
    """The differences between the program and the reference, for all sessions."""
    expected, got = expect(world, setting), observe(world, setting)
    differences = []
    for session in sorted(expected.keys() | got.keys()):
        one, other = expected.get(session), got.get(session)
        if one is None or other is None:
            there = ("there", "not there") if one else ("not there", "there")
            differences.append(Difference(session, "session", *there))
            continue
        differences += [
            Difference(session, about, one[about], other[about]) for about in one if one[about] != other[about]
        ]
    return differences


def describe(world: World, setting: Setting) -> str:
    """The differences in a shrunk world, and everything on record in it, one on each line."""
    about = {(difference.about, difference.expected, difference.got) for difference in compare(world, setting)}
    one = min(about)
    small = shrink(world, lambda less: one in {(d.about, d.expected, d.got) for d in compare(less, setting)})
    lines = [
        f"{d.session}: {d.about}: the reference says {d.expected!r}, the program {d.got!r}"
        for d in compare(small, setting)
    ]
    clock = Calendar(setting.settings)
    rows = [row for entry in fields(small) for row in getattr(small, entry.name)]
    lines += [_write(row, clock) for row in rows]
    days = sorted({clock.day(verdict.start) for verdict in judge_plainly(small, setting.settings, setting.now)})
    return "\n".join([*lines, *(f"settings of {day}: {clock.rules(day)!r}" for day in days)])


def _write(value: Any, clock: Calendar) -> str:
    """A row as text, with its instants by the school's clock and without blank cells."""
    if is_dataclass(value):
        cells = {entry.name: getattr(value, entry.name) for entry in fields(value)}
        written = (f"{name}={_write(cell, clock)}" for name, cell in cells.items() if cell not in (None, (), {}))
        return f"{type(value).__name__}({', '.join(written)})"
    if isinstance(value, tuple):
        return f"({', '.join(_write(one, clock) for one in value)})"
    if type(value) is int and value > _FIRST_INSTANT:
        return clock.local(value).isoformat(" ")
    return str(value)


def shrink(world: World, fails: Callable[[World], bool]) -> World:
    """A world as small as possible that still fails. Rows are dropped first, then people and answers."""

    def still_fails(candidate: World) -> bool:
        return _has_everybody(candidate) and fails(candidate)

    size = -1
    while size != (size := _size(world)):
        for entry in fields(world):
            world = _drop_rows(world, entry.name, still_fails)
        for number in range(len(world.calls)):
            for name in ("stays", "videos", "listed"):
                world = _drop_people(world, number, name, still_fails)
        for number in range(len(world.logs)):
            world = _drop_answers(world, number, still_fails)
    return world


def _size(world: World) -> int:
    rows = sum(len(getattr(world, entry.name)) for entry in fields(world))
    people = sum(len(call.stays) + len(call.videos) + len(call.listed) for call in world.calls)
    return rows + people + sum(len(log.answers) for log in world.logs)


def _drop_rows(world: World, name: str, fails: Callable[[World], bool]) -> World:
    """The world without as many rows of a list as possible: first halves are tried, then smaller pieces."""
    size = len(getattr(world, name))
    while size:
        place = 0
        while place < len(rows := getattr(world, name)):
            candidate = replace(world, **{name: rows[:place] + rows[place + size :]})
            if fails(candidate):
                world = candidate
            else:
                place += size
        size //= 2
    return world


def _drop_people(world: World, number: int, name: str, fails: Callable[[World], bool]) -> World:
    """The world without as many people in a call as possible, as long as it stays the same kind of call."""
    for one in getattr(world.calls[number], name):
        call = world.calls[number]
        fewer: Any = {name: tuple(other for other in getattr(call, name) if other is not one)}
        less = replace(call, **fewer)
        candidate = replace(world, calls=[*world.calls[:number], less, *world.calls[number + 1 :]])
        if _has_whom(less) == _has_whom(call) and fails(candidate):
            world = candidate
    return world


def _has_whom(call: Call) -> tuple[bool, bool, bool]:
    return bool(call.staff), bool(call.pupils), call.has_unidentified


def _drop_answers(world: World, number: int, fails: Callable[[World], bool]) -> World:
    for name in world.logs[number].answers:
        log = world.logs[number]
        less = replace(log, answers={key: value for key, value in log.answers.items() if key != name})
        candidate = replace(world, logs=[*world.logs[:number], less, *world.logs[number + 1 :]])
        if fails(candidate):
            world = candidate
    return world


def _has_everybody(world: World) -> bool:
    """Whether everybody who is mentioned is on the roster."""
    people = [one for call in world.calls for one in call.people]
    staff = {one.staff_id for one in people} | {log.staff_id for log in world.logs}
    staff |= {call.organiser_staff_id for call in world.calls}
    staff |= {one for log in world.logs for one in log.invited}
    staff |= {one for event in world.events for one in event.invited}
    pupils = {one.pupil_id for one in people} | {one for log in world.logs for one in log.pupils}
    known = {version.staff_id for version in world.staff}
    return staff - {None} <= known and pupils - {None} <= {version.pupil_id for version in world.pupils}
