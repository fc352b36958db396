"""The outbox of emails to families: who gets one when somebody clicks, whatever happened before."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.alerts.family_outbox import Letter, enqueue_letters
from app.school import School
from app.store import tables
from app.vocabulary.terms import EmailState, FamilyEmailKind
from tests.people import staff_id

CONTACTS = ("mam@cartref.example", "dad@adref.example", "nain@gartref.example")
CLICKS = st.tuples(st.just("click"), st.lists(st.sampled_from(CONTACTS), unique=True, min_size=1))
ANSWERS = st.tuples(st.sampled_from([EmailState.SENT, EmailState.FAILED, EmailState.STRUCK]), st.sampled_from(CONTACTS))
_email = tables.family_emails.c


def click(school: School, contacts: list[str], kind: FamilyEmailKind = FamilyEmailKind.INTRODUCTION) -> int:
    letter = Letter(1, kind, contacts, "en", "Subject", "Text", sender_id=staff_id(school, "hoy9"))
    with school.writing() as connection:
        return enqueue_letters(connection, [letter], school.now())


def states(school: School) -> list[tuple[str, str]]:
    with school.engine.connect() as connection:
        rows = connection.execute(select(_email.recipient, _email.state))
        return sorted((row.recipient, row.state) for row in rows)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(CLICKS, ANSWERS), max_size=12))
def test_enqueue_letters_sends_to_each_contact_once_unless_it_failed(
    school: School, steps: list[tuple[str, list[str] | str]]
) -> None:
    with school.writing() as connection:
        connection.execute(delete(tables.family_emails))
    expected: list[tuple[str, str]] = []
    for what, whom in steps:
        if what == "click":
            expected = [(contact, state) for contact, state in expected if state != EmailState.FAILED]
            served = {contact for contact, state in expected if state != EmailState.STRUCK}
            new = [(contact, EmailState.WAITING.value) for contact in whom if contact not in served]
            assert click(school, list(whom)) == len(new)
            expected += new
        else:
            before = EmailState.SENT if what == EmailState.STRUCK else EmailState.WAITING
            expected = [(c, what if (c, state) == (whom, before) else state) for c, state in expected]
            with school.writing() as connection:
                for number, recipient in connection.execute(select(_email.id, _email.recipient)).all():
                    is_it = (_email.id == number, _email.state == before)
                    if recipient == whom:
                        connection.execute(update(tables.family_emails).where(*is_it).values(state=what))
        assert states(school) == sorted(expected)


@pytest.mark.parametrize("kind", FamilyEmailKind)
def test_enqueue_letters_keeps_kinds_apart(school: School, kind: FamilyEmailKind) -> None:
    click(school, [CONTACTS[0]])
    assert click(school, [CONTACTS[0]], kind) == int(kind != FamilyEmailKind.INTRODUCTION)
