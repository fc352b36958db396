"""TODO."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.protocol.facts import SECOND, SessionFacts
from app.protocol.frames import Ints
from app.protocol.outcomes import BREACH, CALL, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING, REGISTER, Mask, Ruling, Words

Rows = npt.NDArray[np.intp]

_NOT_LOGGED = "The session was not logged, and only a log can say."


_BLANK = "The log does not say."


class Heading(StrEnum):
    """The two headings of the school's text, as docs/protocol.md identifies their points."""

    GENERAL = "general"
    ONE_TO_ONE = "one-to-one"

    @property
    def label(self) -> str:
        return {Heading.GENERAL: "General protocol", Heading.ONE_TO_ONE: "Pastoral one-to-ones"}[self]


@dataclass(frozen=True)
class Reference:
    """A point of the school's text: a heading and the number of a bullet under it, from 1 (docs/protocol.md)."""

    heading: Heading
    bullet: int

    def __str__(self) -> str:
        return f"{self.heading.label}, point {self.bullet}"


@dataclass(frozen=True)
class Remedy:
    """What puts a clause right before the session begins, in words; and what of it the program can do: a letter
    or a consent of that kind, or a second member of staff to be invited."""

    words: str
    letter: str = ""
    consent: str = ""
    second_member: bool = False


@dataclass(frozen=True)
class Clause:
    """One clause: `title` and `words` are for people, `reference` is the point of the school's text that it
    stands for, `applies` and `decided_by` say to which sessions and on what evidence. One with a `remedy` is
    decided by what is known when a session is planned; any other only the session itself can show."""

    name: str
    title: str
    words: str
    reference: Reference
    applies: str
    decided_by: str
    of: Literal["all", "one_to_one"]
    judge: Callable[[SessionFacts], Ruling]
    remedy: Remedy | None = None


def _all(cases: SessionFacts) -> Mask:
    return np.ones(cases.n, bool)


def _unknown(ruling: Ruling, cases: SessionFacts, where: Mask, blank: str = _BLANK) -> None:
    """Whatever is left of `where` has no evidence: the log is blank, or there is none."""
    ruling.decide(where & ~cases.logged, NO_EVIDENCE, NOTHING, _NOT_LOGGED)
    ruling.decide(where, NO_EVIDENCE, NOTHING, blank)


def _by_log(cases: SessionFacts, where: Mask, kept: Mask, broken: Mask, kept_words: str, broken_words: str) -> Ruling:
    """A clause that only the log can answer."""
    ruling = Ruling(cases.n)
    ruling.decide(where & kept, MET, LOG, kept_words)
    ruling.decide(where & broken, BREACH, LOG, broken_words)
    _unknown(ruling, cases, where)
    return ruling


def _seconds(micros: Ints) -> Words:
    """Lengths as people say them: "64 seconds", "5 min 10 s"."""
    whole = [round(length / SECOND) for length in micros.tolist()]
    return np.array([f"{s // 60} min {s % 60} s" if s >= 120 else f"{s} seconds" for s in whole], object)


# --- all sessions ---------------------------------------------------------------------------------


def _parents_told(cases: SessionFacts, kind: str, letter: str, where: Mask) -> Ruling:
    before, any_letter = cases.letters(kind)
    session = cases.pupils["session"].to_numpy()

    def some(rows: Mask) -> Mask:
        return cases.those(session[rows])

    ruling = Ruling(cases.n)
    where = where & cases.has_pupils
    late, none = any_letter & ~before, ~any_letter
    ruling.decide(
        where & some(late),
        BREACH,
        REGISTER,
        lambda i: f"The {letter} for " + cases.names(late, i) + " was not sent before the day of the session.",
    )
    ruling.decide(
        where & some(none),
        NO_EVIDENCE,
        NOTHING,
        lambda i: f"No {letter} is on record for " + cases.names(none, i) + ".",
    )
    ruling.decide(where, MET, REGISTER, f"The {letter} went to every pupil's parents before the day of the session.")
    return ruling


def _recorded(cases: SessionFacts) -> tuple[Mask, Mask, Mask]:
    """Sessions that were recorded; of which it is not known; and of which log and Graph disagree."""
    listed = cases.recorded_listed
    says_no = cases.no("recorded")
    recorded = listed | cases.yes("recorded")
    return recorded, ~recorded & ~says_no, listed & says_no


def _not_recorded(ruling: Ruling, cases: SessionFacts, unknown: Mask) -> None:
    ruling.decide(
        unknown & ~cases.logged,
        NO_EVIDENCE,
        NOTHING,
        "The session was not logged; whether it was recorded is not known.",
    )
    ruling.decide(unknown, NO_EVIDENCE, NOTHING, "The log does not say whether the session was recorded.")


def _of_recording(cases: SessionFacts, answer: str, kept_words: str, broken_words: str) -> Ruling:
    recorded, unknown, disputed = _recorded(cases)
    ruling = Ruling(cases.n)
    ruling.decide(recorded & cases.yes(answer), MET, LOG, kept_words, disputed)
    ruling.decide(recorded & cases.no(answer), BREACH, LOG, broken_words, disputed)
    ruling.decide(
        recorded & ~cases.logged,
        NO_EVIDENCE,
        NOTHING,
        "The session was recorded but not logged, and only a log can say.",
    )
    ruling.decide(recorded, NO_EVIDENCE, NOTHING, "The session was recorded; the log does not say.", disputed)
    _not_recorded(ruling, cases, unknown)
    return ruling


def _by_hours(
    cases: SessionFacts,
    where: Mask,
    within: Callable[[Ints, Ints], Mask],
    consent: str,
    kept: Callable[[Rows], Words | str],
    excused: Callable[[Rows], Words | str],
    broken: Callable[[Rows, Mask], Words | str],
) -> Ruling:
    """A clause of hours, outside which a consent of that kind is needed. Its words follow "The time, 17:00 to
    17:40, is "; `broken` is told which rows of the cases' pupils have their consent."""
    inside = within(cases.local_start, cases.local_end)
    logged_inside = within(cases.logged_local_start, cases.logged_local_end)
    consented, covered = cases.consented(consent, where & ~inside)
    disputed = cases.has_call & (inside != logged_inside)
    by = np.where(cases.has_call, CALL, LOG)

    def the_time(i: Rows, rest: Words | str) -> Words:
        return "The time, " + cases.at(cases.start[i]) + " to " + cases.at(cases.end[i]) + ", is " + rest

    ruling = Ruling(cases.n)
    ruling.decide(where & inside, MET, by, lambda i: the_time(i, kept(i)), disputed)
    ruling.decide(where & consented, EXEMPT, REGISTER, lambda i: the_time(i, excused(i)), disputed)
    ruling.decide(where, BREACH, by, lambda i: the_time(i, broken(i, covered)), disputed)
    return ruling
