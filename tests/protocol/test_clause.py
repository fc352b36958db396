"""The decorator that makes a function a clause."""

from collections.abc import Iterator

import pytest

import app.protocol.clauses  # noqa: F401 - fills the register
from app.protocol.clause import REGISTER, Clause, Heading, Reference, clause
from app.protocol.facts import SessionFacts
from app.protocol.outcomes import Ruling


@pytest.fixture
def register() -> Iterator[dict[str, Clause]]:
    """The register, which is as it was afterwards."""
    before = dict(REGISTER)
    yield REGISTER
    REGISTER.clear()
    REGISTER.update(before)


def add(name: str, reference: Reference) -> None:
    @clause(name=name, title="T", reference=reference, words="W.", applies_to="Every session", decided_by="The log.")
    def judge(facts: SessionFacts) -> Ruling:
        return Ruling(facts.n)


def test_clause_joins_the_register_at_its_place_in_the_text(register: dict[str, Clause]) -> None:
    before = list(register)
    add("chat-saved", Reference(Heading.GENERAL, 5))
    place = before.index("never-alone") + 1
    assert list(register) == [*before[:place], "chat-saved", *before[place:]]


def test_clause_rejects_a_name_that_is_taken(register: dict[str, Clause]) -> None:
    with pytest.raises(ValueError, match="two clauses have the name dress"):
        add("dress", Reference(Heading.GENERAL, 7))
