"""Files of JSON: what is read, and that what cannot be read is given with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.json_files import FoundObject, iter_objects


def found(path: Path) -> list[tuple[int, Any]]:
    """What is in a file, by number; "?" if it could not be read."""
    return [(one.number, "?" if one.reason else one.content) for one in iter_objects(path)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '{"id": 1}', [(1, {"id": 1})]),
        ("a.json", '\ufeff[{"id": 1}, {"id": 2}]', [(1, {"id": 1}), (2, {"id": 2})]),
        ("a.json", '{"@odata.context": "x", "value": [{"id": 1}, null]}', [(1, {"id": 1}), (2, None)]),
        ("a.json", '{"value": []}', []),
        ("a.json", '{"id": 1', [(1, "?")]),
        ("a.json", "", [(1, "?")]),
        ("a.json", "[" * 100_000, [(1, "?")]),
        ("a.json", '{"id": "a\\u0000b\\ud800c\\ud83d\\ude00"}', [(1, {"id": "ab?c\U0001f600"})]),
        ("a.jsonl", '{"id": 1}\n\n{"id": 2\n{"id": 3}', [(1, {"id": 1}), (3, "?"), (4, {"id": 3})]),
        ("a.JSONL", '\ufeff{"id": 1}\r\n{"value": [{"id": 2}, null]}', [(1, {"id": 1}), (2, {"id": 2}), (2, None)]),
    ],
)
def test_iter_objects_reads_each_form_of_file(
    tmp_path: Path, name: str, text: str, expected: list[tuple[int, Any]]
) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert found(tmp_path / name) == expected


def test_iter_objects_reads_a_folder_in_order_past_broken_files(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"\xff\xfe{")
    (tmp_path / "a.json").write_text('[{"id": 1}]', encoding="utf-8")
    (tmp_path / "c.jsonl").write_bytes(b'{"id": 2}\n\xff\n{"id": 3}\n')
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "more.json").mkdir()
    (tmp_path / "more.json" / "d.json").write_text('{"id": 4}', encoding="utf-8")
    read = [(one.file, one.number, one.content) for one in iter_objects(tmp_path)]
    assert read == [
        ("a.json", 1, {"id": 1}),
        ("b.json", 1, None),
        ("c.jsonl", 1, {"id": 2}),
        ("c.jsonl", 2, None),
        ("c.jsonl", 3, {"id": 3}),
        ("d.json", 1, {"id": 4}),
    ]


def test_iter_objects_gives_what_it_cannot_read_as_it_came(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1\n', encoding="utf-8")
    assert list(iter_objects(tmp_path / "a.jsonl")) == [
        FoundObject("a.jsonl", 1, None, "the line is not JSON, or was cut off", '{"id": 1\n')
    ]


@given(st.binary(max_size=40) | st.text('[]{}":,1\\ud80 \n', max_size=30).map(str.encode))
def test_iter_objects_of_any_bytes_gives_what_can_be_stored(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    for name in ("a.json", "a.jsonl"):
        file = tmp_path_factory.getbasetemp() / name
        file.write_bytes(content)
        for one in iter_objects(file):
            json.dumps([one.content, one.raw], ensure_ascii=False).encode()
