"""Printed documents: PDFs that Typst makes of the templates in `app/reports/templates/`.

A template begins with `#import "paper.typ": *` and `#show: paper`, which provide the page (A4, with the school's name,
the day and page numbers), tables and charts. Data are passed as JSON, so that text is only shown and never interpreted.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import typst
import vl_convert

from app.reports.charts import Drawing

_TEMPLATES = Path(__file__).parent / "templates"
_INK = "#34414e"
_FONT = "Libertinus Serif"  # comes with Typst, has the Welsh letters, and looks the same on every machine


def create_pdf(template: str, data: dict[str, Any]) -> bytes:
    """A PDF of `data`, laid out by `app/reports/templates/<template>.typ` and tagged for screen readers.

    Every document needs `title`, `school` (its name) and `made` (the day, as text). If `confidential` is true, every
    page says so. The rest depends on the template: texts, numbers, lists and dictionaries; days and times are texts.
    """
    return typst.compile(
        _TEMPLATES / f"{template}.typ", root=_TEMPLATES, font_paths=_load_fonts(), sys_inputs={"data": json.dumps(data)}
    )


@cache
def _load_fonts() -> typst.Fonts:
    """Typst's own fonts. The machine's are used only for letters that these lack."""
    return typst.Fonts()


def draw_svg(chart: Drawing, width: int, height: int | None = None) -> str:
    """A chart as SVG for print. `width` and `height` are in pixels; a page is about 640 pixels wide."""
    axis = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": _INK, "titleColor": _INK, "gridOpacity": 0.4}
    legend = {"labelFontSize": 11, "titleFontSize": 12, "labelColor": _INK, "titleColor": _INK}
    config = {"font": _FONT, "axis": axis, "legend": legend, "view": {"strokeWidth": 0}}
    rows = {name: json.loads(frame.to_json(orient="records", date_format="iso")) for name, frame in chart.rows.items()}
    size = {"width": width} | ({"height": height} if height else {})
    return vl_convert.vegalite_to_svg(chart.spec | size | {"config": config, "datasets": rows}, allowed_base_urls=[])
