"""The decorator that makes a function a clause."""

import pytest

from app.protocol.clause import Heading, Reference, clause
from app.protocol.clauses import CLAUSES
from app.protocol.facts import SessionFacts
from app.protocol.rulings import Ruling


def add(name: str, reference: Reference) -> None:
    def judge(facts: SessionFacts) -> Ruling:
        return Ruling(facts)

    judge.__name__ = name
    clause("T", reference, words="W.", decided_by="The log.")(judge)


def test_clause_joins_the_register_at_its_place_in_the_text(clauses: None) -> None:
    names = list(CLAUSES)
    add("chat_saved", Reference(Heading.GENERAL, 5))
    place = names.index("never-alone") + 1
    assert list(CLAUSES) == [*names[:place], "chat-saved", *names[place:]]


def test_clause_rejects_a_name_that_is_taken(clauses: None) -> None:
    with pytest.raises(ValueError, match="two clauses have the name dress"):
        add("dress", Reference(Heading.GENERAL, 7))
