"""Pages take turns, and nobody waits for long work of others."""

import pytest

from app import serving


def free() -> int:
    """How many could begin at once."""
    found = 0
    while serving._TURNS.acquire(blocking=False):
        found += 1
    for _ in range(found):
        serving._TURNS.release()
    return found


def test_two_at_once_and_who_has_waited_long_enough_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_PATIENCE", 0.01)
    before = free()
    with serving.in_turn(), serving.in_turn():
        assert free() == 0
        with serving.in_turn():
            assert free() == 0
        assert free() == 0  # who took no turn gives none back
    assert free() == before == 2


def test_a_page_that_fails_gives_its_turn_back() -> None:
    before = free()
    with pytest.raises(ZeroDivisionError), serving.in_turn():
        raise ZeroDivisionError
    assert free() == before
