"""TODO."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Table, or_, select

from app.store import tables
from app.store.versions import list_contains, valid_on, valid_versions
from app.vocabulary import Resource, Role

CATEGORIES = {
    "home_alone": "A child home alone",
    "unknown_adult": "An unknown adult",
    "disclosure": "Something the child disclosed",
    "seen_or_heard": "Something seen or heard on the call",
    "left_alone": "Left alone in a call",
    "distress": "Distress",
    "neglect": "Signs of neglect",
    "physical": "Signs of physical harm",
    "emotional": "Signs of emotional harm",
    "sexual": "Signs of sexual harm or exploitation",
    "self_harm": "Self-harm or thoughts of suicide",
    "bullying": "Bullying, or harm by other children",
    "online": "Harm online",
    "other": "Something else",
}


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
    Resource.CONCERNS, "C-", LEVELS, CATEGORIES,
    tables.concerns, tables.concern_events, tables.concern_pupils, tables.concern_sessions,
)  # fmt: skip


CONDUCT = Register(
    Resource.CONDUCT_CONCERNS, "A-", CONDUCT_LEVELS, CONDUCT_CATEGORIES,
    tables.conduct_concerns, tables.conduct_events, tables.conduct_pupils, tables.conduct_sessions,
)  # fmt: skip


def register_of(ref: str) -> Register:
    """The register that a reference is of."""
    return CONDUCT if ref.startswith(CONDUCT.prefix) else CHILD


def known_category(words: str | None) -> str:
    """The category that somebody's words name ("Home alone" is `home_alone`), else `other`."""
    name = (words or "").strip().lower().replace(" ", "_").replace("-", "_")
    return name if name in CATEGORIES else "other"


def dsps_of(connection: Connection, pupil_ids: Sequence[int], day: date) -> Sequence[int]:
    """The staff ids of the DSPs, on a day, of the schools that the pupils are in."""
    pupil, staff = valid_versions(tables.pupil_versions), valid_versions(tables.staff_versions)
    schools = select(pupil.c.school).where(pupil.c.pupil_id.in_(pupil_ids), valid_on(pupil, day))
    dsps = select(staff.c.staff_id).where(
        valid_on(staff, day), list_contains(staff.c.roles, Role.DSP), staff.c.school.in_(schools)
    )
    return connection.scalars(dsps.order_by(staff.c.staff_id)).all()


def for_conduct(connection: Connection, concern_id: int, day: date) -> Sequence[int]:
    """The staff ids of the DSPs and Senior Deputy Heads, on a day, whom a concern about conduct does not name."""
    staff, name = valid_versions(tables.staff_versions), tables.conduct_named.c
    named = select(name.staff_id).where(name.concern_id == concern_id, name.staff_id.is_not(None))
    who = or_(list_contains(staff.c.roles, Role.DSP), list_contains(staff.c.roles, Role.SENIOR_DEPUTY_HEAD))
    query = select(staff.c.staff_id).where(valid_on(staff, day), who, staff.c.staff_id.not_in(named))
    return connection.scalars(query.order_by(staff.c.staff_id)).all()
