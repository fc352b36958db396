"""Random numbers that are reproducible from a seed."""

import uuid
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_AT_ONCE = 8192


class Chance:
    """Random numbers. They are drawn from NumPy many at a time, because drawing each alone would take most of the
    time."""

    def __init__(self, *seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self._left: list[float] = []

    def share(self) -> float:
        """A number from 0 up to, but not including, 1."""
        if not self._left:
            self._left = self.generator.random(_AT_ONCE).tolist()
        return self._left.pop()

    def often(self, share: float) -> bool:
        """True in the given share of cases."""
        return self.share() < share

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.share()

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int((high - low + 1) * self.share())

    def one(self, choices: Sequence[T]) -> T:
        return choices[int(len(choices) * self.share())]

    def some(self, choices: Sequence[T], number: int) -> list[T]:
        """`number` different choices, or all if there are fewer."""
        chosen: dict[int, None] = {}
        while len(chosen) < min(number, len(choices)):
            chosen[int(len(choices) * self.share())] = None
        return [choices[place] for place in chosen]

    def uuid(self) -> str:
        return str(uuid.UUID(int=int(self.share() * 2**52) << 76 | int(self.share() * 2**52) << 12, version=4))
