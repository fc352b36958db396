"""Pages take turns, and nobody waits for long work of others."""

import pytest

from app import serving


def test_one_at_a_time_and_who_has_waited_long_enough_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_PATIENCE", 0.01)
    with serving.in_turn():
        with serving.in_turn():
            assert serving._TURN.locked()
        assert serving._TURN.locked()  # who took no turn gives none back
    assert not serving._TURN.locked()


def test_a_page_that_fails_gives_its_turn_back() -> None:
    with pytest.raises(ZeroDivisionError), serving.in_turn():
        raise ZeroDivisionError
    assert not serving._TURN.locked()
