"""A settings file that cannot be read is refused with a message."""

import pytest

from app.management.protocol_file import import_protocol
from app.school import School
from app.settings import SettingsError


@pytest.mark.parametrize(
    "text", ["name = ", "x = " + "[" * 5000 + "]" * 5000, "x = " + "{a = " * 5000 + "1" + "}" * 5000]
)
def test_import_protocol_refuses_what_is_not_toml_or_is_nested_too_deeply(empty_school: School, text: str) -> None:
    with pytest.raises(SettingsError, match="Nothing was changed"):
        import_protocol(empty_school, None, text)
