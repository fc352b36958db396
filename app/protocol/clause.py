"""What a clause is, and the decorator that makes a function one.

A clause is one function with `@clause(...)`. It takes the facts of all sessions and returns a `Ruling`. The first
`decide` that selects a session decides it, so that the function reads from top to bottom like the clause itself.
Charts, exports and the Protocol page follow from it; so does planning, if it has a remedy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.protocol.facts import SessionFacts
from app.protocol.rulings import Ruling

Judge = Callable[[SessionFacts], Ruling]


class Heading(StrEnum):
    """The two headings of the school's text, in order. The values are those in the identifiers of docs/protocol.md."""

    GENERAL = "general"
    ONE_TO_ONE = "one-to-one"

    @property
    def label(self) -> str:
        return {Heading.GENERAL: "General protocol", Heading.ONE_TO_ONE: "Pastoral one-to-ones"}[self]


@dataclass(frozen=True)
class Reference:
    """A point of the school's text: a heading, and the number of a bullet below it, from 1 (see docs/protocol.md)."""

    heading: Heading
    bullet: int

    def __str__(self) -> str:
        return f"{self.heading.label}, point {self.bullet}"


@dataclass(frozen=True)
class Remedy:
    """How to prevent a breach before the session begins, as text (`words`), and what the program can do for it: send a
    `letter` of this kind, ask for a `consent` of this kind, or invite a second member of staff."""

    words: str
    letter: str = ""
    consent: str = ""
    second_member: bool = False


@dataclass(frozen=True)
class Clause:
    """One clause. `title` and `words` are for people; `reference` is the point of the school's text that it stands for;
    `applies_to` and `decided_by` are text that says to which sessions it applies and which evidence decides it. A
    clause with a `remedy` is decided by what is known when a session is planned; any other, only by the session
    itself."""

    name: str
    title: str
    reference: Reference
    words: str
    applies_to: str
    decided_by: str
    judge: Judge
    remedy: Remedy | None = None


REGISTER: dict[str, Clause] = {}  # filled by the decorator; read it as `app.protocol.clauses.CLAUSES`


def clause(
    title: str,
    reference: Reference,
    *,
    words: str,
    decided_by: str,
    applies_to: str = "Every session",
    remedy: Remedy | None = None,
) -> Callable[[Judge], Judge]:
    """A decorator that makes a function a clause, and adds it to the register in the order of the school's text.

    The clause's name is the function's, with hyphens: `staff_opens` becomes "staff-opens". Stored outcomes use this
    name. ValueError if there is already a clause with the name.
    """

    def register(judge: Judge) -> Judge:
        name = judge.__name__.replace("_", "-")
        if name in REGISTER:
            raise ValueError(f"two clauses have the name {name}")
        REGISTER[name] = Clause(name, title, reference, words, applies_to, decided_by, judge, remedy)
        in_order = sorted(REGISTER.items(), key=lambda item: _place(item[1].reference))
        REGISTER.clear()
        REGISTER.update(in_order)
        return judge

    return register


def _place(reference: Reference) -> tuple[int, int]:
    """The sort key of a reference. Clauses of the same point stay in the order of their functions."""
    return list(Heading).index(reference.heading), reference.bullet
