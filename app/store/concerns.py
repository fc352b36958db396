"""The two registers of concerns, about children and about adults' conduct, and their words."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table

from app.store import tables
from app.vocabulary import ConcernCategory, Resource

CATEGORIES = {category.value: category.label for category in ConcernCategory}


CONDUCT_CATEGORIES = {
    "alone_with_pupil": "Alone with a pupil against the protocol",
    "private_contact": "Contact with a pupil outside the school's accounts",
    "boundaries": "Boundaries: too familiar, favouring, secrets",
    "language": "What was said, or how",
    "physical": "Physical contact",
    "images": "Images or recordings",
    "outside_school": "Conduct outside school",
    "allegation": "An allegation that a child was harmed",
    "other": "Something else",
}


MOST_CATEGORIES = 3

# As they are looked at: a concern that nobody has assessed yet may be anything.
LEVELS = ("immediate danger", "not yet assessed", "child protection", "early help", "monitoring")


CONDUCT_LEVELS = ("immediate danger", "not yet assessed", "may have harmed a child", "lower level")


NOT_ASSESSED = "not yet assessed"


@dataclass(frozen=True)
class Register:
    """Where one kind of concern is kept, and its words."""

    resource: Resource
    prefix: str
    levels: tuple[str, ...]
    categories: Mapping[str, str]
    concerns: Table
    events: Table
    pupils: Table
    sessions: Table

    def kinds(self, categories: str) -> str:
        """Categories in words, as they are kept: joined by ";"."""
        return ", ".join(self.categories.get(kind, kind) for kind in categories.split(";") if kind)


CHILD = Register(
    Resource.CONCERNS,
    "C-",
    LEVELS,
    CATEGORIES,
    tables.concerns,
    tables.concern_events,
    tables.concern_pupils,
    tables.concern_sessions,
)


CONDUCT = Register(
    Resource.CONDUCT_CONCERNS,
    "A-",
    CONDUCT_LEVELS,
    CONDUCT_CATEGORIES,
    tables.conduct_concerns,
    tables.conduct_events,
    tables.conduct_pupils,
    tables.conduct_sessions,
)


def register_of(ref: str) -> Register:
    """The register that a reference is of."""
    return CONDUCT if ref.startswith(CONDUCT.prefix) else CHILD


def known_category(words: str | None) -> str:
    """The category that somebody's words name ("Home alone" is `home_alone`), else `other`."""
    name = (words or "").strip().lower().replace(" ", "_").replace("-", "_")
    return name if name in CATEGORIES else "other"
