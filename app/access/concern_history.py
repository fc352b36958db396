"""A concern's history as it is read: what holds now, what held before, and its chronology."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from app.formatting import on_day, on_day_at
from app.store.concerns import Register

# What of a concern can be corrected, and how that reads.
FIELDS = {
    "summary": "What was reported",
    "childs_words": "In their own words",
    "happened_at": "When it happened",
    "place": "Where it happened",
    "told_dsp": "Told in person",
    "categories": "What kind",
}
BY_ITSELF = ("alerted", "read", "viewed", "taken")  # happens beside people's changes, and disturbs none
LINKS = ("session_linked", "session_unlinked")
_OPENS = ("viewed", "taken")  # of concerns about conduct, which are not on the audit trail

Link = tuple[str | None, str | None]  # to a session: the reference of its log, or the id of its call


class LinkedSession(NamedTuple):
    """A session linked to a concern, by its log or else its call; `description` says what the session was."""

    log_ref: str | None
    call_id: str | None
    description: str = ""


@dataclass(frozen=True)
class Entry:
    """One thing that happened: `number` of the event (0: the report itself), when (school time), of which concern,
    what, by whom (blank: by itself), its words by label, and the event's kind (of the report: opened)."""

    number: int
    at: datetime
    ref: str
    what: str
    by: str
    words: tuple[tuple[str, str], ...]
    kind: str = "opened"


@dataclass(frozen=True)
class Version:
    """What a field said, since when, by whom, and why it was corrected (blank: as it was reported)."""

    words: str
    at: datetime
    by: str
    why: str


@dataclass(frozen=True)
class Action:
    """What somebody was asked to do; `done_on` blank: not yet."""

    number: int
    what: str
    owner_id: int
    owner: str
    due: date
    asked_by: str
    done_on: date | None
    how: str


@dataclass(frozen=True)
class Names:
    """Today's names of everybody who is or was on the roster, and the school's time zone."""

    staff: Mapping[int, str]
    pupils: Mapping[int, str]
    zone: ZoneInfo

    def member(self, number: int | None) -> str:
        return "" if number is None else self.staff.get(number, "somebody who has left")

    def moment(self, when: datetime) -> str:
        return on_day_at(when.astimezone(self.zone))


@dataclass
class ConcernHistory:
    """One concern with everything that happened to it, in its order."""

    register: Register
    row: Row[Any]
    names: Names
    events: list[Row[Any]] = field(default_factory=list)
    pupil_ids: list[int] = field(default_factory=list)
    links: list[Row[Any]] = field(default_factory=list)
    named: list[Row[Any]] = field(default_factory=list)

    @cached_property
    def contents(self) -> list[dict[str, Any]]:
        """What each event says beside its words."""
        return [json.loads(event.content) if event.content else {} for event in self.events]

    def of(self, *kinds: str) -> Iterator[tuple[Row[Any], dict[str, Any]]]:
        """The events of these kinds, each with what it says."""
        return (
            (event, content) for event, content in zip(self.events, self.contents, strict=True) if event.kind in kinds
        )

    def last(self, *kinds: str) -> tuple[Row[Any], dict[str, Any]] | None:
        return next(iter(list(self.of(*kinds))[::-1]), None)

    @property
    def open(self) -> bool:
        found = self.last("opened", "closed", "reopened")
        return found is None or found[0].kind != "closed"

    @property
    def level(self) -> str:
        return next((event.level for event in reversed(self.events) if event.level), "")

    @property
    def version(self) -> int:
        """The number of the last change: two people who work on different ones have not seen the same."""
        return max((event.id for event in self.events if event.kind not in BY_ITSELF), default=0)

    @property
    def alerted(self) -> list[str]:
        """The names of those who were alerted, each once."""
        return list(
            dict.fromkeys(
                self.names.member(event.recipient_id) for event, _ in self.of("alerted") if event.recipient_id
            )
        )

    @property
    def shared_with(self) -> list[int]:
        """The staff with whom it is shared now."""
        state = {event.recipient_id: event.kind for event, _ in self.of("shared", "unshared")}
        return [number for number, kind in state.items() if kind == "shared"]

    @property
    def about(self) -> list[str]:
        return sorted(self.names.pupils.get(number, "") for number in self.pupil_ids)

    @property
    def adults(self) -> list[str]:
        """Whom a concern about conduct names."""
        return sorted(self._adult(one) for one in self.named)

    def _adult(self, one: Row[Any]) -> str:
        return self.names.member(one.staff_id) if one.staff_id is not None else f"{one.name} (not on the roster)"

    # --- fields and their versions -------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        """What a field says now, as `corrected` gives it."""
        found = [content["after"] for _, content in self.of("corrected") if content["field"] == name]
        return found[-1] if found else self.reported(name)

    def reported(self, name: str) -> Any:
        """What a field said when it was reported; instants as ISO text."""
        value = getattr(self.row, name)
        return value.isoformat() if isinstance(value, datetime) else value

    def versions(self, name: str) -> list[Version]:
        """Every version of a field, the newest first."""
        row = self.row
        first = Version(self.in_words(name, self.reported(name)), row.raised_at, self.names.member(row.raised_by), "")
        later = [
            Version(
                self.in_words(name, content["after"]),
                event.occurred_at,
                self.names.member(event.actor_id),
                event.text or "",
            )
            for event, content in self.of("corrected")
            if content["field"] == name
        ]
        return [first, *later][::-1]

    def in_words(self, name: str, value: Any) -> str:
        """A field's value in words."""
        if value is None or value == "":
            return "not said"
        if name == "happened_at":
            return self.names.moment(datetime.fromisoformat(value))
        if name == "told_dsp":
            return "yes" if value else "not when it was raised"
        if name == "categories":
            return self.register.kinds(value)
        return str(value)

    @property
    def actions(self) -> list[Action]:
        """In the order of their days, those not done first."""
        found: dict[int, Action] = {}
        for event, content in self.of("action", "moved", "done"):
            known = found.get(content.get("action", event.id))
            if event.kind == "done" and known:
                done = {"done_on": date.fromisoformat(content["on"]), "how": event.text or ""}
                found[known.number] = Action(**(vars(known) | done))
            elif event.kind == "moved" and known:
                other = {
                    "owner_id": event.recipient_id,
                    "owner": self.names.member(event.recipient_id),
                    "due": date.fromisoformat(content["due"]),
                }
                found[known.number] = Action(**(vars(known) | other))
            elif event.kind == "action":
                found[event.id] = Action(
                    event.id,
                    content["what"],
                    event.recipient_id,
                    self.names.member(event.recipient_id),
                    date.fromisoformat(content["due"]),
                    self.names.member(event.actor_id),
                    None,
                    "",
                )
        return sorted(found.values(), key=lambda action: (action.done_on is not None, action.due, action.number))

    # --- the chronology ------------------------------------------------------------------------------------

    def entries(self, sessions: Mapping[Link, str], *, every_link: bool) -> list[Entry]:
        """Everything that happened, in its order. `sessions` says for each link what the session was, where the
        reader may know. Of the others every link stands there without its session, or (not `every_link`) none:
        the reason for it might tell."""
        found = [self._report(sessions)]
        for event, content in zip(self.events, self.contents, strict=True):
            if event.kind in _OPENS or event.kind == "opened":
                continue
            if event.kind in LINKS and not every_link and (content["log_ref"], content["call_id"]) not in sessions:
                continue
            what, words = _STEPS[event.kind](self, event, content, sessions)
            if event.text:
                words = [*words, (_LABELS.get(event.kind, "Why"), event.text)]
            entry = self._entry(event.id, event.occurred_at, what, event.actor_id, words)
            found.append(replace(entry, kind=event.kind))
        return found

    def opened_by(self) -> list[Entry]:
        """Who opened, and who took away, a concern about conduct."""
        what = {"viewed": "Opened", "taken": "Downloaded"}
        return [
            self._entry(event.id, event.occurred_at, what[event.kind], event.actor_id, [])
            for event, _ in self.of(*_OPENS)
        ]

    def _entry(self, number: int, at: datetime, what: str, by: int | None, words: Sequence[tuple[str, str]]) -> Entry:
        return Entry(number, at.astimezone(self.names.zone), self.row.ref, what, self.names.member(by), tuple(words))

    def _report(self, sessions: Mapping[Link, str]) -> Entry:
        """The report as it was, before anybody added or corrected anything."""
        pupils, links, adults = set(self.pupil_ids), {_key(link) for link in self.links}, list(self.named)
        for event, content in list(self.of("linked", "unlinked", *LINKS, "named"))[::-1]:
            if event.kind == "named":
                adults.pop()
            elif "pupil" in content:
                (pupils.discard if event.kind == "linked" else pupils.add)(content["pupil"])
            else:
                key = (content["log_ref"], content["call_id"])
                (links.discard if event.kind == "session_linked" else links.add)(key)
        words = [(label, self.in_words(name, self.reported(name))) for name, label in FIELDS.items()]
        if adults:
            words.insert(0, ("About", ", ".join(sorted(map(self._adult, adults)))))
        if pupils:
            words.insert(0, ("Children", ", ".join(sorted(self.names.pupils.get(number, "") for number in pupils))))
        words += [("Session", sessions[key]) for key in sorted(links, key=str) if key in sessions]
        opened = next((event.level for event, _ in self.of("opened")), "")
        words.append(("Level", opened))
        return self._entry(0, self.row.raised_at, "Raised", self.row.raised_by, words)


_SOME_SESSION = "one that is not on record any more, or not yours to see"
_Step = tuple[str, list[tuple[str, str]]]


def _key(link: Any) -> Link:
    return link.log_ref, link.call_id


def _level(history: ConcernHistory, event: Row[Any], _content: dict[str, Any], _sessions: Any) -> _Step:
    levels = [one.level for one in history.events if one.level and one.id <= event.id]
    before = next((one for one, _ in reversed(list(pairwise(levels)))), "")
    return f"Level: {event.level}", [("Before", before)] if before else []


def _action(history: ConcernHistory, event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
    due = on_day(date.fromisoformat(content["due"]))
    return "Action", [("What", content["what"]), ("Who", history.names.member(event.recipient_id)), ("By", due)]


def _asked(history: ConcernHistory, number: int) -> str:
    return next((content["what"] for event, content in history.of("action") if event.id == number), "")


def _moved(history: ConcernHistory, event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
    due = on_day(date.fromisoformat(content["due"]))
    return "Action changed", [
        ("What", _asked(history, content["action"])),
        ("Now with", history.names.member(event.recipient_id)),
        ("Now by", due),
    ]


def _done(history: ConcernHistory, _event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
    done = on_day(date.fromisoformat(content["on"]))
    return "Action done", [("What", _asked(history, content["action"])), ("On", done)]


def _referral(_history: ConcernHistory, _event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
    referred = on_day(date.fromisoformat(content["on"]))
    words = [("To", content["to"]), ("On", referred), ("Reference", content.get("reference") or "")]
    return "Referred", [(label, text) for label, text in words if text]


def _corrected(history: ConcernHistory, event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
    name = content["field"]
    earlier = [other["after"] for one, other in history.of("corrected") if other["field"] == name and one.id < event.id]
    before = earlier[-1] if earlier else history.reported(name)
    return f"Corrected: {FIELDS[name].lower()}", [
        ("Before", history.in_words(name, before)),
        ("Now", history.in_words(name, content["after"])),
    ]


def _pupil(what: str) -> Callable[..., _Step]:
    def step(history: ConcernHistory, _event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
        return what, [("Child", history.names.pupils.get(content["pupil"], ""))]

    return step


def _session(what: str) -> Callable[..., _Step]:
    def step(_history: ConcernHistory, _event: Row[Any], content: dict[str, Any], sessions: Any) -> _Step:
        return what, [("Session", sessions.get((content["log_ref"], content["call_id"]), _SOME_SESSION))]

    return step


def _step_to(what: str, label: str) -> Callable[..., _Step]:
    def step(history: ConcernHistory, event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
        name = history.names.member(event.recipient_id) or content.get("name") or ""
        return what, [(label, name)] if name else []

    return step


def _plain(what: str, **labels: str) -> Callable[..., _Step]:
    def step(_history: ConcernHistory, _event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
        return what, [(label, content[name]) for name, label in labels.items() if content.get(name)]

    return step


def _closed(_history: ConcernHistory, _event: Row[Any], content: dict[str, Any], _sessions: Any) -> _Step:
    words = [("Outcome", content["outcome"])] if content.get("outcome") else []
    return "Closed", [*words, *([("Although", f"{n} actions were open")] if (n := content.get("open_actions")) else [])]


_STEPS: dict[str, Callable[..., _Step]] = {
    "alerted": _step_to("Alerted", "Who"),
    "read": _plain("Read"),
    "level": _level,
    "action": _action,
    "moved": _moved,
    "done": _done,
    "decision": _plain("Decision", decision="What"),
    "referral": _referral,
    "note": _plain("Note"),
    "linked": _pupil("Child added"),
    "unlinked": _pupil("Child unlinked"),
    "session_linked": _session("Session linked"),
    "session_unlinked": _session("Session no longer linked"),
    "named": _step_to("Adult added", "Who"),
    "shared": _step_to("Shared", "With"),
    "unshared": _step_to("No longer shared", "With"),
    "handed_over": _plain("Handed over", system="To", reference="Reference there"),
    "corrected": _corrected,
    "closed": _closed,
    "reopened": _plain("Opened again"),
}
_LABELS = {"note": "Words", "done": "What was done", "referral": "What was said", "handed_over": "Words"}
