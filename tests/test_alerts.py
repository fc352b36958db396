"""Alerts: what is put into the outbox, what arrives, and when."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app import access
from app.alerts import KINDS, queue
from app.school import School
from app.store import tables
from tests import people

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def staff_id(school: School, who: str) -> int:
    person = access.person(school, people.email(who))
    assert person
    return person.staff_id


def put_in(school: School, who: str, key: str, **other: object) -> bool:
    told = {"kind": "concern", "about": "concern C-7KQ2MX4P", "at": NOON} | other
    with school.writing() as connection:
        return queue(connection, to=staff_id(school, who), key=key, **told)  # type: ignore[arg-type]


def test_the_same_alert_is_in_the_outbox_once(school: School) -> None:
    assert [put_in(school, "dsp", "a"), put_in(school, "dsp", "a"), put_in(school, "sdh", "b")] == [True, False, True]
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.alerts.c.key).order_by(tables.alerts.c.id)).all() == ["a", "b"]


@pytest.mark.parametrize("wrong", [{"kind": "gossip"}, {"about": "Aled Pugh"}, {"about": "concern about Aled"}])
def test_what_is_no_kind_or_no_reference_is_refused(school: School, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="alert"):
        put_in(school, "dsp", "a", **wrong)


def test_every_kind_leads_to_a_page_and_names_nobody() -> None:
    for kind in KINDS.values():
        assert kind.page.split("?")[0] in {*access.PAGES, "parents", "start"}
        assert kind.subject
