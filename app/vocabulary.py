"""The words that the whole program shares: each list once, with its labels."""

from enum import StrEnum
from typing import Self


class _Labelled(StrEnum):
    """A word as the database stores it, with its `label` for people."""

    label: str

    def __new__(cls, word: str, label: str = "") -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.label = label
        return member


class Resolution(_Labelled):
    """How a breach was resolved. The member of staff reads it too, and one that led to a concern about conduct is
    among OTHER with much else: nothing tells which."""

    EXPLAINED = "explained", "Explained: nothing more to do"
    SPOKEN_WITH = "spoken_with", "Spoken with"
    TRAINING = "training", "Training agreed"
    OTHER = "other", "Other"
