"""The two registers of concerns, about children and about adults' conduct, with their levels and categories."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, select

from app.store import tables
from app.vocabulary.roles import Resource
from app.vocabulary.terms import ConcernCategory

MOST_CATEGORIES = 3
NOT_ASSESSED = "not yet assessed"

CATEGORIES = {category.value: category.label for category in ConcernCategory}
_CONDUCT_CATEGORIES = {
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


@dataclass(frozen=True)
class Register:
    """The tables of one kind of concern, with its levels and categories."""

    resource: Resource
    prefix: str  # of the references
    levels: tuple[str, ...]  # the most urgent first; a concern that nobody has assessed yet may be anything
    categories: Mapping[str, str]
    concerns: Table
    events: Table
    pupils: Table
    sessions: Table

    def describe_categories(self, categories: str) -> str:
        """The labels of stored categories (joined by ";"), separated by commas."""
        return ", ".join(self.categories.get(kind, kind) for kind in categories.split(";") if kind)


CHILD = Register(
    resource=Resource.CONCERNS,
    prefix="C-",
    levels=("immediate danger", NOT_ASSESSED, "child protection", "early help", "monitoring"),
    categories=CATEGORIES,
    concerns=tables.concerns,
    events=tables.concern_events,
    pupils=tables.concern_pupils,
    sessions=tables.concern_sessions,
)
CONDUCT = Register(
    resource=Resource.CONDUCT_CONCERNS,
    prefix="A-",
    levels=("immediate danger", NOT_ASSESSED, "may have harmed a child", "lower level"),
    categories=_CONDUCT_CATEGORIES,
    concerns=tables.conduct_concerns,
    events=tables.conduct_events,
    pupils=tables.conduct_pupils,
    sessions=tables.conduct_sessions,
)


def list_named(connection: Connection, concern_id: int | None = None) -> list[tuple[int, int]]:
    """The staff whom concerns about conduct name, or one of them: the concern's number and the staff id."""
    named = tables.conduct_named.c
    query = select(named.concern_id, named.staff_id).where(named.staff_id.is_not(None))
    of_one = query if concern_id is None else query.where(named.concern_id == concern_id)
    return [(number, staff_id) for number, staff_id in connection.execute(of_one)]


def find_conduct_links(connection: Connection, name: str, values: Collection[str]) -> dict[int, str]:
    """The links of concerns about conduct to some logs (`name`: "log_ref") or calls ("call_id"): the value that is one
    of some, by the link's number."""
    link = tables.conduct_sessions.c
    wanted, stored = set(values), connection.execute(select(link.id, link[name]).where(link[name].is_not(None)))
    return {number: value for number, value in stored if value in wanted}


def register_of(ref: str) -> Register:
    """The register that a concern's reference belongs to."""
    return CONDUCT if ref.startswith(CONDUCT.prefix) else CHILD


def known_category(words: str | None) -> str:
    """The category of a concern about a child that a text names ("Home alone" is `home_alone`), else `other`."""
    name = (words or "").strip().lower().replace(" ", "_").replace("-", "_")
    return name if name in CATEGORIES else "other"
