"""The parents' registers."""

import pytest

from app.access.parents import get_consent_history, list_consents, list_letters_sent, may_answer_consent
from app.school import School
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
