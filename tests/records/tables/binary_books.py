"""Writes .xlsb workbooks for tests, record by record, as [MS-XLSB] describes them."""

import io
import struct
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from openpyxl.utils.datetime import CALENDAR_MAC_1904, WINDOWS_EPOCH, to_excel

_ERRORS = {"#NULL!": 0x00, "#DIV/0!": 0x07, "#VALUE!": 0x0F, "#REF!": 0x17, "#NAME?": 0x1D, "#NUM!": 0x24, "#N/A": 0x2A}
_FORMATS = {164: "dd/mm/yyyy", 165: "dd/mm/yyyy hh:mm", 166: "hh:mm"}
_STYLES = {date: 1, datetime: 2, time: 3}
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_RELATION = (
    '<Relationship Id="rId{0}" Target="worksheets/sheet{0}.bin" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>'
)


def write_record(kind: int, content: bytes = b"") -> bytes:
    return _write_varying(kind) + _write_varying(len(content)) + content


def _write_varying(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _write_varying(rest) if rest else bytes([low])


def _text(value: str) -> bytes:
    content = value.encode("utf-16-le")
    return struct.pack("<I", len(content) // 2) + content


def save_xlsb(tabs: Mapping[str, Any], *, counts_from_1904: bool = False, short_cells: bool = False) -> bytes:
    """A workbook with some sheets, each a `Tab`. With `short_cells` a cell that follows another does not say in which
    column it is."""
    names = b"".join(
        write_record(156, struct.pack("<II", int(tab.is_hidden), n) + _text(f"rId{n}") + _text(title))
        for n, (title, tab) in enumerate(tabs.items(), start=1)
    )
    settings = write_record(153, struct.pack("<II", int(counts_from_1904), 0) + _text(""))
    parts: dict[str, bytes | str] = {
        "xl/workbook.bin": b"".join(
            [write_record(131), settings, write_record(143), names, write_record(144), write_record(132)]
        ),
        "xl/_rels/workbook.bin.rels": _RELATIONS.format("".join(_RELATION.format(n + 1) for n in range(len(tabs)))),
        "xl/styles.bin": _write_styles(),
    }
    epoch = CALENDAR_MAC_1904 if counts_from_1904 else WINDOWS_EPOCH
    for n, tab in enumerate(tabs.values(), start=1):
        parts[f"xl/worksheets/sheet{n}.bin"] = _write_sheet(tab, epoch, short_cells)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


def _write_styles() -> bytes:
    formats = b"".join(write_record(44, struct.pack("<H", n) + _text(code)) for n, code in _FORMATS.items())
    styles = b"".join(write_record(47, struct.pack("<HH", 0xFFFF, n) + bytes(12)) for n in (0, *_FORMATS))
    return (
        write_record(278)
        + write_record(615, struct.pack("<I", len(_FORMATS)))
        + formats
        + write_record(616)
        + write_record(617, struct.pack("<I", len(_FORMATS) + 1))
        + styles
        + write_record(618)
        + write_record(279)
    )


def _write_sheet(tab: Any, epoch: datetime, short_cells: bool) -> bytes:
    width = max((len(row) for row in tab.rows), default=1)
    content = write_record(129) + write_record(148, struct.pack("<IIII", 0, max(len(tab.rows) - 1, 0), 0, width - 1))
    content += write_record(145)
    for n, row in enumerate(tab.rows):
        hidden = 0x10 if n in tab.hidden_rows else 0
        content += write_record(0, struct.pack("<IIHBBBI", n, 0, 300, 0, hidden, 0, 0))
        after = False
        for column, value in enumerate(row):
            if value is not None:
                kind, style, stored = _write_value(value, epoch)
                place = b"" if after and short_cells else struct.pack("<I", column)
                shortened = 11 if after and short_cells and kind < 8 else 0
                content += write_record(kind + shortened, place + struct.pack("<I", style) + stored)
            after = value is not None
    content += write_record(146)
    if tab.merged:
        blocks = b"".join(write_record(176, struct.pack("<IIII", *block)) for block in tab.merged)
        content += write_record(177, struct.pack("<I", len(tab.merged))) + blocks + write_record(178)
    return content + write_record(130)


def _write_value(value: Any, epoch: datetime) -> tuple[int, int, bytes]:
    """The kind of record, the style and the content of a cell."""
    if isinstance(value, str):
        return 6, 0, _text(value)
    if isinstance(value, bool):
        return 4, 0, bytes([value])
    if hasattr(value, "text"):
        return 3, 0, bytes([_ERRORS[value.text]])
    return 5, _STYLES.get(type(value), 0), struct.pack("<d", _as_number(value, epoch))


def _as_number(value: Any, epoch: datetime) -> float:
    return float(to_excel(value, epoch) if isinstance(value, date | time) else value)
