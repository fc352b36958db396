"""The program against the reference, on random evidence."""

from random import Random

import pytest

from tests.reference.comparing import compare, describe
from tests.reference.random_settings import make_settings
from tests.reference.random_worlds import EPISODES, KINDS, make_world
from tests.reference.rows import merge

# What the worlds contain besides logs and meetings of staff and pupils, in turn: a few kinds together, so that each
# comes often, and then all of them.
COMPARED = (
    frozenset({"calendar", "listed", "no_media", "peer_to_peer", "strangers"}),
    frozenset({"calendar", "elsewhere", "listed", "no_media"}),
    frozenset({"attendance", "listed", "mixed"}),
    frozenset({"calendar", "listed", "no_staff"}),
    frozenset({"no_media", "parallel", "strangers"}),
    frozenset({"elsewhere", "listed", "mixed", "peer_to_peer", "strangers"}),
    frozenset({"listed", "no_staff", "parallel", "strangers"}),
    KINDS,
)

SESSIONS = 3_000
ALL_SESSIONS = 100_000
SEEDS = len(COMPARED)  # each with settings of its own


def test_judge_agrees_with_the_reference() -> None:
    for seed in range(SEEDS):
        _agree(seed, SESSIONS // SEEDS)


@pytest.mark.slow
def test_judge_agrees_with_the_reference_on_all_sessions() -> None:
    for seed in range(100, 100 + 4 * SEEDS):
        _agree(seed, ALL_SESSIONS // (4 * SEEDS))


def test_make_world_makes_the_same_world_again() -> None:
    setting = make_settings(Random(1))
    assert make_world(1, 2, setting, KINDS) == make_world(1, 2, setting, KINDS)


def _agree(seed: int, sessions: int) -> None:
    """Compare so many sessions; if they differ, shrink the first world in which they do and print it."""
    setting, kinds = make_settings(Random(seed)), COMPARED[seed % len(COMPARED)]
    worlds = [make_world(seed, number, setting, kinds) for number in range(sessions // EPISODES)]
    differences = compare(merge(worlds), setting)
    if not differences:
        return
    first = next((world for world in worlds if compare(world, setting)), merge(worlds))
    pytest.fail(f"seed {seed}, {len(differences)} differences, such as\n{describe(first, setting)}", pytrace=False)
