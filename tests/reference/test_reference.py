"""Compares the program with the reference on random evidence."""

import re
from pathlib import Path
from random import Random

import pytest

from tests.reference.comparing import compare, describe
from tests.reference.random_settings import make_settings
from tests.reference.random_worlds import EPISODES, KINDS, make_world
from tests.reference.rows import merge

# What worlds contain besides logs and meetings of staff and pupils, in turn: a few kinds together, so that each
# is frequent, and then all of them.
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
SEEDS = range(len(COMPARED))  # each with its own settings
ALL_SESSIONS = 100_000
ALL_SEEDS = range(100, 100 + 4 * len(COMPARED))


def test_judge_agrees_with_the_reference() -> None:
    for seed in SEEDS:
        _agree(seed, SESSIONS // len(SEEDS))


@pytest.mark.slow
@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_judge_agrees_with_the_reference_on_all_sessions(seed: int) -> None:
    _agree(seed, ALL_SESSIONS // len(ALL_SEEDS))


def test_make_world_makes_the_same_world_again() -> None:
    setting = make_settings(Random(1))
    assert make_world(1, 2, setting, KINDS) == make_world(1, 2, setting, KINDS)


def test_reference_imports_nothing_of_the_rules() -> None:
    for file in Path(__file__).parent.glob("*.py"):
        imports = re.findall(r"^(?:from|import) (app\.\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        is_between = file.stem in ("comparing", "rows")  # passes evidence to the program and reads its results
        allowed = {"app.settings", "app.vocabulary.terms", "app.vocabulary.roles"} | (
            {"app.protocol.evidence", "app.protocol.judge"} if is_between else set()
        )
        assert set(imports) <= allowed, file.name


def _agree(seed: int, sessions: int) -> None:
    """Compare at least this many sessions. If they differ, shrink the first world in which they do and fail with it."""
    setting, kinds = make_settings(Random(seed)), COMPARED[seed % len(COMPARED)]
    worlds = [make_world(seed, number, setting, kinds) for number in range(-(-sessions // EPISODES))]
    differences = compare(merge(worlds), setting)
    if not differences:
        return
    first = next((world for world in worlds if compare(world, setting)), merge(worlds))
    pytest.fail(f"seed {seed}, {len(differences)} differences, such as\n{describe(first, setting)}", pytrace=False)
