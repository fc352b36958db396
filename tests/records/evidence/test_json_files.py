"""Files of JSON: what is read, and that what cannot be read is given with its reason."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.evidence.json_files import FoundObject, iter_objects


def found(path: Path) -> list[tuple[int, Any]]:
    """What is in a file, by number; "?" if it could not be read."""
    return [(one.number, "?" if one.reason else one.content) for one in iter_objects(path) if not one.is_blank]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '{"id": 1}', [(1, {"id": 1})]),
        ("a.json", '\ufeff[{"id": 1}, {"id": 2}]', [(1, {"id": 1}), (2, {"id": 2})]),
        ("a.json", '{"@odata.context": "x", "value": [{"id": 1}, null]}', [(1, {"id": 1}), (2, None)]),
        ("a.json", '[{"value": [{"id": 1}]}, {"value": []}, {"value": [{"id": 2}]}]', [(1, {"id": 1}), (2, {"id": 2})]),
        ("a.json", "[]", []),
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
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "more.json").mkdir()
    (tmp_path / "more.json" / "d.json").write_text('{"id": 4}', encoding="utf-8")
    read = [(one.file, one.number, one.content) for one in iter_objects(tmp_path)]
    assert read == [
        ("a.json", 1, {"id": 1}),
        ("b.json", 1, None),
        ("c.jsonl", 1, {"id": 2}),
        ("c.jsonl", 2, None),
        ("c.jsonl", 3, {"id": 3}),
        ("more.json/d.json", 1, {"id": 4}),
        ("notes.txt", 1, None),
    ]


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
        archive.writestr("__MACOSX/._a.json", b"x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "file"),
    [
        ("a.json", '{"id": 1}'.encode("utf-16"), "a.json"),
        ("a.json", '{"id": 1}'.encode("utf-16-le"), "a.json"),
        ("a.jsonl", '{"id": 1}\r\n'.encode("utf-16"), "a.jsonl"),
        ("a.txt", b'\xef\xbb\xbf{"id": 1}', "a.txt"),
        ("a", b'{"id": 1}\n', "a"),
        ("a.json.gz", gzip.compress(b'{"id": 1}', mtime=0), "a.json.gz"),
        ("a.jsonl.gz", gzip.compress(b'{"id": 1}\n', mtime=0), "a.jsonl.gz"),
        ("a.zip", zipped("b/c.json", b'{"id": 1}'), "a.zip/b/c.json"),
    ],
)
def test_iter_objects_reads_other_encodings_names_and_archives(
    tmp_path: Path, name: str, content: bytes, file: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert list(iter_objects(tmp_path / name)) == [FoundObject(file, 1, {"id": 1})]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"id": 1}\n{"id": 2}\n', [(1, {"id": 1}), (2, {"id": 2})]),
        ('{\n"id": 1\n}\n{\n"id": 2\n}', [(1, {"id": 1}), (4, {"id": 2})]),
        ('[{"id": 1}]\ufeff[{"id": 2}, {"id": 3}]', [(1, {"id": 1}), (1, {"id": 2}), (1, {"id": 3})]),
        ('{"id": 1}\n{"id": 2,\n\n{"id": 3} {"id": 4}', [(1, {"id": 1}), (2, "?"), (4, {"id": 3}), (4, {"id": 4})]),
    ],
)
def test_iter_objects_reads_one_object_after_another_whatever_the_name(
    tmp_path: Path, content: str, expected: list[tuple[int, Any]]
) -> None:
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "a.json").write_text(content, encoding=encoding, newline="")
        assert found(tmp_path / "a.json") == expected


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.gz", gzip.compress(b'{"id": 1}', mtime=0)[:-4], "damaged"),
        ("a.zip", b"PK\x03\x04 and no more", "damaged"),
        ("a.zip", zipped("b.gz", gzip.compress(b"{}", mtime=0)), "archive in an archive"),
        ("a.xlsx", zipped("sheet.xml", b"x"), "table"),
        ("a.csv", b"ref,staff_email\n1,x\n", "table"),
        ("a.txt", "1. Summary\nMeeting title\tX\n\n2. Participants\nName\tFirst Join\n".encode("utf-16"), "report"),
        ("a.pdf", b"%PDF-1.7\n\0\0", "not JSON"),
    ],
)
def test_iter_objects_names_what_it_cannot_read(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    (only,) = iter_objects(tmp_path)
    assert words in str(only.reason)
    assert (only.content, only.raw) == (None, "")


@pytest.mark.parametrize(
    "page",
    [
        {"value": [{"id": "s", "caller": {}, "callee": {}}] * 2},
        {"@odata.context": "x/$metadata#communications/callRecords('c')/participants_v2", "value": [{"id": "p"}] * 2},
    ],
)
def test_iter_objects_keeps_the_parts_of_a_record_together(tmp_path: Path, page: dict[str, Any]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(page), encoding="utf-8")
    assert found(tmp_path / "a.json") == [(1, page)]


def test_iter_objects_says_whether_there_is_more_of_a_page(tmp_path: Path) -> None:
    pages: list[Any] = [
        {"value": [{"id": 1}]},
        {"value": [{"id": 2}], "@odata.nextlink": "x"},
        {"value": [{"id": 3}], "nextLink": None},
        {"value": [], "@odata.nextLink": "x"},
        {"id": 4},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, pages)), encoding="utf-8")
    assert [one.has_more for one in iter_objects(tmp_path)] == [False, True, False, True, None]


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
