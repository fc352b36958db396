"""Pages take turns, and nobody waits for long work of others."""

import pytest

from app.ui import server


def test_one_at_a_time_and_who_has_waited_long_enough_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PATIENCE", 0.01)
    with server.in_turn():
        with server.in_turn():
            assert server._TURN.locked()
        assert server._TURN.locked()  # who took no turn gives none back
    assert not server._TURN.locked()


def test_a_page_that_fails_gives_its_turn_back() -> None:
    with pytest.raises(ZeroDivisionError), server.in_turn():
        raise ZeroDivisionError
    assert not server._TURN.locked()
