"""The outbox: what is put into it, once, and what it refuses."""

from typing import Any

import pytest

from app.alerts.outbox import KINDS
from app.school import School
from app.vocabulary.roles import Page
from tests.alerts.conftest import put, states


def test_the_same_alert_is_in_the_outbox_once(school: School) -> None:
    assert [put(school, "dsp", "a"), put(school, "dsp", "a"), put(school, "sdh", "b")] == [True, False, True]
    assert dict(states(school)) == {"a": "waiting", "b": "waiting"}


@pytest.mark.parametrize("wrong", [{"kind": "gossip"}, {"subject": "Aled Pugh"}, {"subject": "concern about Aled"}])
def test_an_alert_without_a_known_kind_or_reference_is_refused(school: School, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="alert"):
        put(school, "dsp", "a", **wrong)


def test_every_kind_leads_to_a_page() -> None:
    for kind in KINDS.values():
        assert kind.page.split("?")[0] in {*Page, "start"}
