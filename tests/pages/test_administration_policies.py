"""The Administration page says which pupils are under other policies of Teams than the school's."""

from app.access.pupil_policies import get_pupil_policies
from app.school import open_school
from tests.pages.conftest import Opened, text


def test_administration_lists_pupils_under_another_policy(opened: Opened) -> None:
    figures = get_pupil_policies(open_school(), opened.people["admin"])
    at = opened("administration", "admin")
    assert not at.exception
    assert figures
    for kind in figures:
        assert kind.describe() in text(at).replace("&#x27;", "'").replace("&#39;", "'")
        label = f"Pupils with a different {kind.kind} policy ({len(kind.others)})"
        shown = [each.dataframe[0].value for each in at.expander if each.label == label]
        assert [list(table.itertuples(index=False, name=None)) for table in shown] == (
            [list(kind.others)] if kind.others else []
        )
    assert any(kind.others for kind in figures)
