"""Reads the scenarios, and compares what they expect with the results.

`scenarios()` reads every YAML file in this folder. Each scenario is a world of its own, with its own copy of the cast,
whose emails and ids no other has.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.people import IN_ORDER

HERE = Path(__file__).parent
ZONE = ZoneInfo("Europe/London")

OUTCOMES = ("met", "exempt", "breach", "no_evidence", "not_applicable")
EVIDENCE = ("call", "register", "log")
STATUSES = ("compliant", "incomplete", "breach")

# The answers of a member of staff after a session in which everything was in order. A scenario contains
# only what was different; the log of one with `terse: yes` has nothing else in it.
ANSWERS = IN_ORDER
PASTORAL_ANSWERS = {
    "reason": "routine",
    "adult_present": "yes",
    "adult_introduced": "yes",
    "adult_permission": "yes",
    "home_alone": "no",
}
OTHER_ANSWERS = (
    "recording_announced",
    "recording_on_team",
    "cameras_off_offered",
    "bedroom_reason",
    "door_open",
    "concern_summary",
    "concern_category",
    "notes",
)

_SCENARIO = {
    "name",
    "story",
    "day",
    "cast",
    "log",
    "logs",
    "call",
    "calls",
    "letters",
    "consents",
    "remote",
    "recording",
    "calendar",
    "expect",
    "status",
    "reason contains",
    "session",
    "sessions",
}
LOG_WORDS = {"by", "pupils", "purpose", "from", "to", "invited", "terse"}
_CALL = {"who", "type", "organiser", "link", "listed", "ended", "version", "id of"}
_REMOTE = {"pupil", "from", "to", "reason", "ended after"}
_EVENT = {"call", "event", "from", "to", "invited", "changed"}
_SESSION = {"log", "call", "expect", "status", "reason contains", "session"}
_FACTS = {
    "by",
    "department",
    "purpose",
    "pupils",
    "calls",
    "after",
    "reports",
    "one to one",
    "confidential",
    "disputed",
    "from",
    "to",
    "hours left",
    "alone",
}


class Untold(Exception):
    """A scenario that cannot be understood. The message says which, and why."""


@dataclass(frozen=True)
class Session:
    """A session that a scenario expects: its log and call, and the results."""

    log: str | None
    call: str | None
    outcomes: dict[str, list[str]]
    status: str | None
    reasons: dict[str, list[str]]
    facts: dict[str, Any]  # about the session itself: who conducted it, with whom and when


@dataclass(frozen=True)
class Scenario:
    number: int
    file: str
    told: dict[str, Any]
    cast: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.told["name"])

    @property
    def logs(self) -> dict[str, Any]:
        return self.told.get("logs") or ({"log": self.told["log"]} if "log" in self.told else {})

    @property
    def calls(self) -> dict[str, Any]:
        calls = self.told.get("calls") or ({"call": self.told["call"]} if "call" in self.told else {})
        return {name: call if isinstance(call, dict) else {"who": call} for name, call in calls.items()}

    @property
    def sessions(self) -> list[Session]:
        """The expected sessions. If only `expect` is given, one session with the first log and call."""
        if "sessions" in self.told:
            return [self._session(told) for told in self.told["sessions"]]
        return [self._session({"log": next(iter(self.logs), None), "call": next(iter(self.calls), None)} | self.told)]

    def _session(self, told: dict[str, Any]) -> Session:
        log, call = (told.get(key) if isinstance(told.get(key), str) else None for key in ("log", "call"))
        if "sessions" not in self.told:
            log, call = next(iter(self.logs), None), next(iter(self.calls), None)
        return Session(
            log and self.ref(log),
            call and self.call_id(call),
            {clause: words.split() for clause, words in told.get("expect", {}).items()},
            told.get("status"),
            {c: w if isinstance(w, list) else [w] for c, w in told.get("reason contains", {}).items()},
            {"confidential": "no"} | {name: self._fact(name, told) for name, told in told.get("session", {}).items()},
        )

    def _fact(self, name: str, told: Any) -> Any:
        match name:
            case "by":
                return self.cast["staff"][told]["name"] if told else ""
            case "pupils":
                return sorted(self.cast["pupils"][who]["name"] for who in told)
            case "calls" | "after" | "reports":
                return [self.call_id(call) for call in told]
            case "from" | "to":
                return self.time(told).astimezone(ZONE)
        return told

    def ref(self, log: str) -> str:
        return f"w{self.number}.{log}"

    def call_id(self, call: str) -> str:
        """The id of a call. Ids rise in the order of the calls in the scenario."""
        prefix = "attendance:" if self.calls[call].get("type") == "report" else ""
        return f"{prefix}ca110000-0000-4000-8000-{self.number:06d}{list(self.calls).index(call):06d}"

    def owns(self, log_ref: str | None, call_id: str | None) -> bool:
        """Whether a session with this log or call belongs to this scenario."""
        mine = f"ca110000-0000-4000-8000-{self.number:06d}"
        return (log_ref or "").startswith(f"w{self.number}.") or mine in (call_id or "")

    def email(self, who: str) -> str:
        person = self.cast["staff"].get(who) or self.cast["pupils"].get(who)
        if not person:
            return f"{who}@elsewhere.example"
        return f"{who}@{person['school'].lower()}.w{self.number}.example"

    def entra(self, who: str) -> str:
        place = [*self.cast["staff"], *self.cast["pupils"], *self.cast["strangers"]].index(who)
        return f"{self.number:08d}-0000-4000-8000-{place:012d}"

    def school(self, code: str) -> str:
        return f"{code}{self.number}"

    def time(self, text: str) -> datetime:
        """A time on the scenario's day ("14:30", "14:30:05") or with its own day. It is in school time unless it ends
        in Z or an offset."""
        whole = text if re.match(r"\d{4}-", text) else f"{self.told['day']} {text}"
        when = datetime.fromisoformat(whole.replace(" ", "T"))
        return when if when.tzinfo else when.replace(tzinfo=ZONE)

    def written(self, text: str) -> str:
        """A time as somebody would write it into a table: with its day, otherwise unchanged."""
        return (text if re.match(r"\d{4}-", text) else f"{self.told['day']} {text}").replace(" ", "T")


def scenarios() -> list[Scenario]:
    """Every scenario in the YAML files of this folder. Raises Untold if one has an unknown word."""
    cast = _read(HERE / "cast.yaml")
    found: list[Scenario] = []
    for path in sorted(HERE.glob("*.yaml")):
        if path.name in ("cast.yaml", "reasons.yaml"):
            continue
        content = _read(path)
        for told in content["scenarios"]:
            whole = {"day": content["day"]} | told
            changed = {
                group: {who: person | told.get("cast", {}).get(who, {}) for who, person in people.items()}
                if group in ("staff", "pupils")
                else people
                for group, people in cast.items()
            }
            scenario = Scenario(len(found) + 1, path.stem, whole, changed)
            _check(scenario)
            found.append(scenario)
    return found


def settings(told: list[Scenario]) -> dict[str, Any]:
    """The content of `protocol.toml`. A school that it names stands for that school in every scenario."""
    plain = tomllib.loads((HERE / "protocol.toml").read_text(encoding="utf-8"))
    slots = [slot for rules in plain["rules"] for slot in rules["one_to_one_slots"]]
    for entry in [*plain["remote_learning"], *slots]:
        if "schools" in entry:
            entry["schools"] = [scenario.school(code) for scenario in told for code in entry["schools"]]
    return plain


def compare(session: Session, rows: dict[str, dict[str, Any]], status: str) -> list[str]:
    """Every difference between what was expected and the results, in words. `rows` has `outcome`, `evidence`,
    `disputed` and `reason` for each clause."""
    lines = []
    for clause, words in session.outcomes.items():
        row = rows[clause]
        came = [row["outcome"], row["evidence"] or "", "disputed" if row["disputed"] else ""]
        evidence = next((w for w in words[1:] if w != "disputed"), came[1])
        expected = [words[0], evidence, "disputed" if "disputed" in words else ""]
        if came != expected:
            lines.append(f"{clause}: expected {' '.join(words)}, came {' '.join(came).strip()} ({row['reason']})")
    for clause, parts in session.reasons.items():
        reason = rows[clause]["reason"]
        lines += [f"{clause}: the reason lacks {part!r}: {reason}" for part in parts if part not in reason]
    if session.status and status != session.status:
        lines.append(f"status: expected {session.status}, came {status}")
    return lines


def differ(session: Session, facts: dict[str, Any]) -> list[str]:
    """Every difference between the expected facts of a session and the actual ones, in words."""
    named = session.log or session.call
    return [
        f"{named}, {name}: expected {told}, came {facts[name]}"
        for name, told in session.facts.items()
        if facts[name] != told
    ]


def _read(path: Path) -> Any:
    # Everything stays text: 14:00 is not read as a number, nor `no` as false.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def _check(scenario: Scenario) -> None:
    told = scenario.told
    _known(scenario, "scenario", told, _SCENARIO)
    answers = LOG_WORDS | set(ANSWERS) | set(PASTORAL_ANSWERS) | set(OTHER_ANSWERS)
    for log in scenario.logs.values():
        _known(scenario, "log", log, answers)
    for call in scenario.calls.values():
        _known(scenario, "call", call, _CALL)
    for entry in told.get("remote", []):
        _known(scenario, "remote learning", entry, _REMOTE)
    for event in told.get("calendar", []):
        _known(scenario, "calendar entry", event, _EVENT)
    for told_session in told.get("sessions", []):
        _known(scenario, "session", told_session, _SESSION)
    for told_session in [told, *told.get("sessions", [])]:
        _known(scenario, "session", told_session.get("session", {}), _FACTS)
    for session in scenario.sessions:
        if session.status not in (None, *STATUSES):
            raise Untold(f"{scenario.file}, {scenario.name!r}: no session is {session.status!r}")
        for clause, words in session.outcomes.items():
            rest = words[1:]
            if words[0] not in OUTCOMES or not set(rest) <= {*EVIDENCE, "disputed"}:
                raise Untold(f"{scenario.file}, {scenario.name!r}: {clause} cannot be {' '.join(words)!r}")


def _known(scenario: Scenario, what: str, told: dict[str, Any], words: set[str]) -> None:
    if unknown := set(told) - words:
        raise Untold(f"{scenario.file}, {told.get('name', scenario.name)!r}: a {what} has no {sorted(unknown)}")
