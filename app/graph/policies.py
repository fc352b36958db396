"""Reads which Teams policies apply to pupils: policies prevent what the rules can only find afterwards."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

from sqlalchemy import func, or_, select

from app.graph.asking import Context, ask_people
from app.graph.client import Client
from app.graph.errors import GoneError
from app.graph.sources import Source
from app.intake.pupil_policies import store_policies
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.evidence.pupil_policies import read_policies
from app.school import School
from app.store import tables
from app.store.versions import is_there_on, valid_versions

_EVERY = timedelta(days=1)
_MOST, _AT_ONCE = 1000, 50  # pupils in a run, and in a transaction


def fetch_policies(context: Context) -> None:
    """Store the Teams policies of the pupils on the roster, each pupil at most once a day, if the settings name any
    policies."""
    if context.school.settings.pupil_policies is None:
        return
    kinds = context.school.settings.pupil_policies.by_kind
    pupils = list_due_pupils(context.school)
    found: dict[int, dict[str, str]] = {}
    wrong: list[str] = []
    try:
        for person, configuration in ask_people(
            context, Source.PUPIL_POLICIES, list(pupils), lambda person: get_configuration(context.client, person)
        ):
            try:
                found[pupils[person]] = read_policies(configuration, person, kinds)
            except UnreadableObjectError as error:
                wrong.append(str(error))
            if len(found) == _AT_ONCE:
                _store(context, found)
    finally:
        _store(context, found)
    if wrong:
        words = f"{Source.PUPIL_POLICIES.label}: {len(wrong)} answers could not be read ({wrong[0]})."
        context.done.errors.append(words)


def get_configuration(client: Client, person: str) -> object:
    """A person's Teams configuration as Graph returns it; one without policies if they have no account in Teams."""
    try:
        return client.get(f"/admin/teams/userConfigurations/{quote(person, safe='')}")
    except GoneError:
        return {"effectivePolicyAssignments": []}


def list_due_pupils(school: School) -> Mapping[str, int]:
    """The ids of the pupils on the roster whose policies were not read within the last day, by Entra id: those never
    read first, at most as many as one run reads."""
    version, pupil, policy = valid_versions(tables.pupil_versions), tables.pupils.c, tables.pupil_policies.c
    read = select(policy.pupil_id, func.max(policy.read_at).label("at")).group_by(policy.pupil_id).subquery()
    query = (
        select(pupil.entra_id, pupil.id)
        .join(version, version.c.pupil_id == pupil.id)
        .outerjoin(read, read.c.pupil_id == pupil.id)
        .where(is_there_on(version, school.today()), pupil.entra_id.is_not(None))
        .where(or_(read.c.at.is_(None), read.c.at <= school.now() - _EVERY))
        .order_by(read.c.at.is_not(None), read.c.at, pupil.id)
        .limit(_MOST)
    )
    with school.engine.connect() as connection:
        return {row.entra_id: row.id for row in connection.execute(query)}


def _store(context: Context, found: dict[int, dict[str, str]]) -> None:
    if not found:
        return
    with context.school.writing() as connection:
        context.lease.hold(connection)
        store_policies(connection, found, context.school.now())
    found.clear()
