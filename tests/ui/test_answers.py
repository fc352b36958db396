"""Pages remember answers until something changes."""

import itertools

from app.access.policy import Person
from app.school import School
from app.store.writing import raise_revision
from app.ui.answers import ask_once, read_state
from tests.clock import Clock
from tests.people import someone


def test_a_question_is_asked_again_after_a_write_and_on_another_day(school: School, clock: Clock) -> None:
    numbers = itertools.count(1)

    def count(_school: School, _person: Person) -> int:
        return next(numbers)

    hoy = someone(school, "hoy9")
    assert [ask_once(read_state(school), count, school, hoy) for _ in range(3)] == [1, 1, 1]
    with school.writing() as connection:
        raise_revision(connection)
    assert [ask_once(read_state(school), count, school, hoy) for _ in range(2)] == [2, 2]
    clock.later(days=1)
    assert ask_once(read_state(school), count, school, hoy) == 3


def test_nobody_gets_the_answer_to_somebody_else_or_to_another_question(school: School) -> None:
    def name(_school: School, person: Person, words: str) -> str:
        return f"{words} {person.name}"

    def shout(_school: School, person: Person, words: str) -> str:
        return f"{words} {person.name}".upper()

    state = read_state(school)
    for who in ("hoy9", "sdh"):
        person = someone(school, who)
        for words in ("Prynhawn da,", "Nos da,"):
            assert ask_once(state, name, school, person, words) == f"{words} {person.name}"
            assert ask_once(state, shout, school, person, words) == f"{words} {person.name}".upper()
