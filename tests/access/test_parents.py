"""The parents' registers."""

import pytest
from sqlalchemy import insert, select, update

from app.access.parents import (
    count_consent_contacts,
    get_consent_history,
    list_consent_emails,
    list_consents,
    list_letter_emails,
    list_letters_sent,
    may_answer_consent,
)
from app.school import School
from app.store import tables
from tests.access.school import CONSENTS, ID, MAY_SEE_CONSENTS, MAY_SEE_LETTERS, consent_ids, someone


@pytest.mark.parametrize("name", ID)
def test_lists_of_parents_show_only_ones_own_pupils(school: School, name: str) -> None:
    person, may_see = (
        someone(school, name),
        {n for n, c in enumerate(CONSENTS, 1) if c in MAY_SEE_CONSENTS.get(name, ())},
    )
    assert set(list_consents(school, person)["consent_id"]) == may_see
    for number in consent_ids(school):
        assert may_answer_consent(school, person, number) == (number in may_see)
        assert len(get_consent_history(school, person, number)) == (number in may_see)
    letters = list_letters_sent(school, person)
    assert set(letters["pupil_id"]) == MAY_SEE_LETTERS.get(name, set())
    assert letters["led"].all() or not {"sdh", "hoy9", "hm_monnow", "prep_hoy"} & {name}
    assert not letters["led"].any() or "tutor" not in name


@pytest.mark.parametrize("name", ID)
def test_emails_to_families_are_for_those_who_see_the_letters_and_consents(school: School, name: str) -> None:
    pupil, consent, person = tables.pupils, tables.consents.c, someone(school, name)
    same = {"recipient": "mam@cartref.example", "language": "cy", "sender_id": ID["sdh"], "attempts": 0}
    same |= {"queued_at": school.now(), "next_attempt_at": school.now(), "state": "failed", "error": "No such user"}
    with school.engine.begin() as connection:
        connection.execute(update(pupil).values(contact_emails="mam@cartref.example"))
        pupils = connection.scalars(select(pupil.c.id)).all()
        consents = connection.execute(select(consent.id, consent.pupil_id)).all()
        letters = [{"pupil_id": number, "kind": "introduction", "number": f"l{number}"} for number in pupils]
        connection.execute(insert(tables.family_emails), [same | letter for letter in letters])
        requests = [{"consent_id": row.id, "pupil_id": row.pupil_id, "number": f"c{row.id}"} for row in consents]
        kind = {"kind": "request_for_consent"}
        connection.execute(insert(tables.family_emails), [same | kind | request for request in requests])
    emails = list_letter_emails(school, person)
    assert set(emails["pupil_id"]) == MAY_SEE_LETTERS.get(name, set())
    assert "mam@cartref.example" not in emails.to_csv() + list_letters_sent(school, person).to_csv()
    for number in consent_ids(school):
        may_see = int(may_answer_consent(school, person, number))
        assert len(list_consent_emails(school, person, number)) == may_see
        assert count_consent_contacts(school, person, number) == may_see
