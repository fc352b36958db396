"""Which pupils are under the policies of Teams that the school has for pupils."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import and_, select

from app.access.policy import Person, get_scopes, require
from app.formatting import how_many
from app.school import School
from app.store import tables
from app.store.versions import is_there_on, valid_versions
from app.vocabulary.roles import Resource, Scope

_FRESH = timedelta(days=7)  # an older reading shows nothing of today


@dataclass(frozen=True)
class PolicyFigures:
    """For a kind of policy ("meeting"): how many `pupils` are on the roster, of how many the policy is `known`, and how
    many are `under` one of the `names` that the settings have for pupils; `others`: names of the other pupils whose
    policy is known, each with the policy."""

    kind: str
    names: tuple[str, ...]
    pupils: int
    known: int
    under: int
    others: tuple[tuple[str, str], ...] = ()

    def describe(self) -> str:
        """The figures as a sentence, without names of people."""
        if not self.known:
            return f"No pupil's {self.kind} policy has been read in the last week."
        words = (
            f"{self.under:,} of {how_many(self.pupils, 'pupil is', 'pupils are')} under the pupils' {self.kind} policy"
        )
        unknown = self.pupils - self.known
        return f"{words}; of {unknown:,} nothing is known." if unknown else f"{words}."


def get_pupil_policies(school: School, person: Person) -> list[PolicyFigures]:
    """The figures for each kind of policy that the settings name, none if they name none; with names of pupils for the
    administrator and the Senior Deputy Head only."""
    require(person, Resource.PUPIL_POLICIES)
    with_names = Scope.ALL in get_scopes(person, Resource.PUPIL_POLICIES)
    figures = compute_pupil_policies(school)
    return figures if with_names else [replace(each, others=()) for each in figures]


def compute_pupil_policies(school: School) -> list[PolicyFigures]:
    """The figures with all names, for nobody in particular: `get_pupil_policies` decides who may see them."""
    wanted = school.settings.pupil_policies
    return [_compute(school, kind, names) for kind, names in (wanted.by_kind if wanted else {}).items()]


def _compute(school: School, kind: str, names: tuple[str, ...]) -> PolicyFigures:
    version, policy = valid_versions(tables.pupil_versions), tables.pupil_policies
    fresh = and_(
        policy.c.pupil_id == version.c.pupil_id, policy.c.kind == kind, policy.c.read_at > school.now() - _FRESH
    )
    query = (
        select(version.c.name.label("pupil"), policy.c.name)
        .select_from(version)
        .outerjoin(policy, fresh)
        .where(is_there_on(version, school.today()))
    )
    with school.engine.connect() as connection:
        rows = sorted(connection.execute(query), key=lambda row: row.pupil)
    known = [row for row in rows if row.name is not None]
    right = {name.casefold() for name in names}
    others = tuple((row.pupil, row.name or "none") for row in known if row.name.casefold() not in right)
    return PolicyFigures(
        kind=kind.removeprefix("Teams").removesuffix("Policy").lower(),
        names=names,
        pupils=len(rows),
        known=len(known),
        under=len(known) - len(others),
        others=others,
    )
