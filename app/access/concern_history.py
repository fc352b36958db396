"""A concern's history: its current state, its earlier versions and its chronology."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from app.formatting import on_day, on_day_at
from app.store.concerns import Register

# The fields of a concern that can be corrected, and their labels.
FIELDS = {
    "summary": "What was reported",
    "childs_words": "In their own words",
    "happened_at": "When it happened",
    "place": "Where it happened",
    "told_dsp": "Told in person",
    "categories": "Categories",
}
AUTOMATIC_EVENTS = ("alerted", "read", "viewed", "taken")  # they conflict with nobody's changes
CLOSED = "closed"
STATES = ("opened", CLOSED, "reopened")  # the last of these says whether a concern is open; without any it is
LINKS = ("session_linked", "session_unlinked")
_ACCESS_EVENTS = ("viewed", "taken")  # of concerns about conduct, whose readers are not on the audit trail

Link = tuple[str | None, str | None]  # a session's log reference, or the id of its call


class LinkedSession(NamedTuple):
    """A session linked to a concern, by its log or else its call; `description` says what the session was."""

    log_ref: str | None
    call_id: str | None
    description: str = ""


@dataclass(frozen=True)
class Entry:
    """One thing that happened: `number` of the event (0: the report itself), when (school time), the concern's `ref`,
    what, by whom (blank: automatically), its texts by label, and the event's kind (of the report: opened)."""

    number: int
    at: datetime
    ref: str
    what: str
    by: str
    words: tuple[tuple[str, str], ...]
    kind: str = "opened"


@dataclass(frozen=True)
class Version:
    """A version of a field: its text, from when, by whom, and why it was corrected (blank: as reported)."""

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
    """One concern with everything that happened to it, in order."""

    register: Register
    row: Row[Any]
    names: Names
    events: list[Row[Any]] = field(default_factory=list)
    pupil_ids: list[int] = field(default_factory=list)
    links: list[LinkedSession] = field(default_factory=list)
    named: list[Row[Any]] = field(default_factory=list)

    @cached_property
    def contents(self) -> list[dict[str, Any]]:
        """The stored answers of each event, apart from its text."""
        return [json.loads(event.content) if event.content else {} for event in self.events]

    def events_of_kind(self, *kinds: str) -> Iterator[tuple[Row[Any], dict[str, Any]]]:
        """The events of these kinds, each with its content."""
        return (
            (event, content) for event, content in zip(self.events, self.contents, strict=True) if event.kind in kinds
        )

    def last(self, *kinds: str) -> tuple[Row[Any], dict[str, Any]] | None:
        return next(iter(list(self.events_of_kind(*kinds))[::-1]), None)

    @property
    def open(self) -> bool:
        last = self.last(*STATES)
        return last is None or last[0].kind != CLOSED

    @property
    def level(self) -> str:
        return next((event.level for event in reversed(self.events) if event.level), "")

    @property
    def version(self) -> int:
        """The number of the last change, by which a save detects that somebody else has changed the concern since."""
        return max((event.id for event in self.events if event.kind not in AUTOMATIC_EVENTS), default=0)

    @property
    def alerted(self) -> list[str]:
        """The names of those who were alerted, each once."""
        alerted = [event.recipient_id for event, _ in self.events_of_kind("alerted") if event.recipient_id]
        return [self.names.member(number) for number in dict.fromkeys(alerted)]

    @property
    def shared_with(self) -> list[int]:
        """The ids of the staff with whom it is shared now."""
        state = {event.recipient_id: event.kind for event, _ in self.events_of_kind("shared", "unshared")}
        return [number for number, kind in state.items() if kind == "shared"]

    @property
    def about(self) -> list[str]:
        return sorted(self.names.pupils.get(number, "") for number in self.pupil_ids)

    @property
    def reported_about(self) -> list[str]:
        """The names of the pupils whom the report was about, before any was added or unlinked."""
        pupils = set(self.pupil_ids)
        for event, content in reversed(list(self.events_of_kind("linked", "unlinked"))):
            if event.kind == "linked":
                pupils.discard(content["pupil"])
            else:
                pupils.add(content["pupil"])
        return sorted(self.names.pupils.get(number, "") for number in pupils)

    @property
    def adults(self) -> list[str]:
        """The adults whom a concern about conduct names."""
        return sorted(map(self._adult, self.named))

    def _adult(self, adult: Row[Any]) -> str:
        return self.names.member(adult.staff_id) if adult.staff_id is not None else f"{adult.name} (not on the roster)"

    # --- fields and their versions -------------------------------------------------------------------------

    def value(self, name: str) -> Any:
        """The present value of a field, as `corrected` sets it."""
        corrections = self._corrections(name)
        return corrections[-1][1] if corrections else self.reported(name)

    def reported(self, name: str) -> Any:
        """The value of a field when it was reported; instants as ISO text."""
        value = getattr(self.row, name)
        return value.isoformat() if isinstance(value, datetime) else value

    def current(self) -> dict[str, Any]:
        """The present value of each field, times as instants and categories as a tuple."""
        now = {name: self.value(name) for name in FIELDS}
        if now["happened_at"]:
            now["happened_at"] = datetime.fromisoformat(now["happened_at"]).astimezone(self.names.zone)
        return now | {"categories": tuple(now["categories"].split(";"))}

    def _corrections(self, name: str) -> list[tuple[Row[Any], Any]]:
        """The corrections of a field in order, each with the value that it set."""
        return [
            (event, content["after"]) for event, content in self.events_of_kind("corrected") if content["field"] == name
        ]

    def versions(self, name: str) -> list[Version]:
        """Every version of a field, the newest first."""
        row, member = self.row, self.names.member
        first = Version(self.as_text(name, self.reported(name)), row.raised_at, member(row.raised_by), "")
        later = [
            Version(self.as_text(name, after), event.occurred_at, member(event.actor_id), event.text or "")
            for event, after in self._corrections(name)
        ]
        return [first, *later][::-1]

    def as_text(self, name: str, value: Any) -> str:
        """A field's value as text."""
        if value is None or value == "":
            return "not stated"
        if name == "happened_at":
            return self.names.moment(datetime.fromisoformat(value))
        if name == "told_dsp":
            return "yes" if value else "not when it was raised"
        if name == "categories":
            return self.register.describe_categories(value)
        return str(value)

    @property
    def actions(self) -> list[Action]:
        """The actions, those not done first, then by the day on which they are due."""
        actions: dict[int, Action] = {}
        for event, content in self.events_of_kind("action", "moved", "done"):
            known = actions.get(content.get("action", event.id))
            if event.kind == "done" and known:
                done_on = date.fromisoformat(content["on"])
                actions[known.number] = replace(known, done_on=done_on, how=event.text or "")
            elif event.kind == "moved" and known:
                owner, due = self.names.member(event.recipient_id), date.fromisoformat(content["due"])
                actions[known.number] = replace(known, owner_id=event.recipient_id, owner=owner, due=due)
            elif event.kind == "action":
                actions[event.id] = Action(
                    event.id,
                    content["what"],
                    event.recipient_id,
                    self.names.member(event.recipient_id),
                    date.fromisoformat(content["due"]),
                    self.names.member(event.actor_id),
                    None,
                    "",
                )
        return sorted(actions.values(), key=lambda action: (action.done_on is not None, action.due, action.number))

    # --- the chronology ------------------------------------------------------------------------------------

    def entries(self, sessions: Mapping[Link, str]) -> list[Entry]:
        """Everything that happened, in order. `sessions` describes the session of each link that the reader may see.
        Other links do not appear: that there is one, or its reason, might reveal the session."""
        entries = [self._report(sessions)]
        for event, content in zip(self.events, self.contents, strict=True):
            if event.kind in _ACCESS_EVENTS or event.kind == "opened":
                continue
            if event.kind in LINKS and key_of(content) not in sessions:
                continue
            entries.append(self._entry(event, *self._describe(event, content, sessions)))
        return entries

    def opened_by(self) -> list[Entry]:
        """Who opened, and who downloaded, a concern about conduct."""
        return [self._entry(event, _STEPS[event.kind][0], []) for event, _ in self.events_of_kind(*_ACCESS_EVENTS)]

    def _entry(self, event: Row[Any], what: str, words: Sequence[tuple[str, str]]) -> Entry:
        at, by = event.occurred_at.astimezone(self.names.zone), self.names.member(event.actor_id)
        return Entry(event.id, at, self.row.ref, what, by, tuple(words), event.kind)

    def _report(self, sessions: Mapping[Link, str]) -> Entry:
        """The report as it was before anybody added or corrected anything."""
        links, adults = {link[:2] for link in self.links}, self.named
        for event, content in reversed(list(self.events_of_kind(*LINKS, "named"))):
            match event.kind:
                case "named":
                    adults = adults[:-1]
                case "session_linked":
                    links.discard(key_of(content))
                case "session_unlinked":
                    links.add(key_of(content))
        children = ", ".join(self.reported_about)
        about = ", ".join(sorted(map(self._adult, adults)))
        words = [(label, text) for label, text in (("Children", children), ("About", about)) if text]
        words += [(label, self.as_text(name, self.reported(name))) for name, label in FIELDS.items()]
        words += [("Session", sessions[key]) for key in sorted(links, key=str) if key in sessions]
        words.append(("Level", next((event.level for event, _ in self.events_of_kind("opened")), "")))
        at, by = self.row.raised_at.astimezone(self.names.zone), self.names.member(self.row.raised_by)
        return Entry(0, at, self.row.ref, "Raised", by, tuple(words))

    def _describe(
        self, event: Row[Any], content: Mapping[str, Any], sessions: Mapping[Link, str]
    ) -> tuple[str, list[tuple[str, str]]]:
        """The name of a step, and its texts by label."""
        what, labels = _STEPS[event.kind]
        if event.kind == "level":
            what = f"{what}: {event.level}"
            levels = [earlier.level for earlier in self.events if earlier.level and earlier.id < event.id]
            words = [("Before", levels[-1] if levels else "")]
        elif event.kind == "corrected":
            name = content["field"]
            what = f"{what}: {FIELDS[name].lower()}"
            corrected = [after for correction, after in self._corrections(name) if correction.id <= event.id]
            values = [self.reported(name), *corrected]
            words = [("Before", self.as_text(name, values[-2])), ("Now", self.as_text(name, values[-1]))]
        else:
            words = [(label, self._answer(name, event, content, sessions)) for name, label in labels.items()]
        words.append((_LABELS.get(event.kind, "Why"), event.text or ""))
        return what, [(label, text) for label, text in words if text]

    def _answer(self, name: str, event: Row[Any], content: Mapping[str, Any], sessions: Mapping[Link, str]) -> str:
        """An answer of a step as text; "" if it was not given."""
        answer = content.get(name)
        match name:
            case "recipient_id":
                answer = self.names.member(event.recipient_id)
            case "staff_id":
                answer = self.names.member(answer)
            case "session":
                answer = sessions[key_of(content)]
            case "pupil":
                answer = self.names.pupils.get(content["pupil"])
            case "action":
                answer = next(
                    (asked["what"] for action, asked in self.events_of_kind("action") if action.id == answer), ""
                )
            case "due" | "on":
                answer = on_day(date.fromisoformat(content[name]))
            case "open_actions" if answer:
                answer = f"{answer} actions were open"
        return answer or ""


def key_of(content: Mapping[str, Any]) -> Link:
    """The link that an event is about."""
    return content["log_ref"], content["call_id"]


# The name of each step in a chronology, and the label of each of its answers.
_STEPS: dict[str, tuple[str, dict[str, str]]] = {
    "alerted": ("Alerted", {"recipient_id": "Who"}),
    "read": ("Read", {}),
    "viewed": ("Opened", {}),
    "taken": ("Downloaded", {}),
    "level": ("Level", {}),
    "action": ("Action", {"what": "What", "recipient_id": "Who", "due": "By"}),
    "moved": ("Action changed", {"action": "What", "recipient_id": "Now with", "due": "Now by"}),
    "done": ("Action done", {"action": "What", "on": "On"}),
    "decision": ("Decision", {"decision": "What"}),
    "referral": ("Referred", {"to": "To", "on": "On", "reference": "Reference"}),
    "note": ("Note", {}),
    "linked": ("Child added", {"pupil": "Child"}),
    "unlinked": ("Child unlinked", {"pupil": "Child"}),
    "session_linked": ("Session linked", {"session": "Session"}),
    "session_unlinked": ("Session no longer linked", {"session": "Session"}),
    "named": ("Adult added", {"staff_id": "Who", "name": "Who"}),
    "shared": ("Shared", {"recipient_id": "With"}),
    "unshared": ("No longer shared", {"recipient_id": "With"}),
    "handed_over": ("Handed over", {"system": "To", "reference": "Reference there"}),
    "corrected": ("Corrected", {}),
    "closed": ("Closed", {"outcome": "Outcome", "open_actions": "Although"}),
    "reopened": ("Opened again", {}),
}
_LABELS = {"note": "Words", "done": "What was done", "referral": "What was said", "handed_over": "Words"}
