"""Plans of evening lessons in the winter of 2027, at a school whose clock stands."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.access.plans import list_plans
from app.records.log_form import Form
from app.records.logs import Log
from app.records.rows import RejectedRow
from app.school import School
from app.sessions import planning
from app.settings import RemotePeriod
from tests import people
from tests.conftest import SETTINGS
from tests.people import someone

EVENING = {"day": "2027-02-03", "from": "19:00", "to": "19:40"}  # in school time, in winter


@dataclass(frozen=True)
class AtTime(School):
    """A school whose clock stands."""

    clock: datetime = datetime(2027, 1, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.clock

    def later(self, when: datetime) -> "AtTime":
        return AtTime(self.engine, self.settings, when)


SNOW = RemotePeriod.model_validate({"name": "Snow", "from": date(2027, 2, 1), "to": date(2027, 2, 5)})
WINTER = SETTINGS.model_copy(update={"remote_learning": (SNOW,)})


def form(pupils: str = "aled", **more: object) -> Form:
    addresses = [people.email(pupil) for pupil in pupils.split()]
    return {"ref": "P-1", "purpose": "academic", "pupils": addresses} | EVENING | more


def plan(school: School, name: str, values: Form) -> Log:
    found = planning.read_plan(school, planning.as_row(school, values, someone(school, name)))
    assert not isinstance(found, RejectedRow), found
    return found


def kept(school: School, name: str, **more: Any) -> Any:
    """A plan that is kept, as a row of `access.plans`."""
    planner = someone(school, name)
    planning.save_plan(school, planner, plan(school, name, form(**more)))
    return next(list_plans(school, planner).itertuples())
