"""Papers to print: PDFs laid out by Typst from the templates in `app/reports/templates/`.

A template begins with `#import "paper.typ": *` and `#show: paper`, which give it the page (A4, the school's
name, the day, page numbers), tables and charts. Data are passed as JSON, so that a text is only ever shown.
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
_FONT = "Libertinus Serif"  # comes with Typst, has the Welsh letters, and prints alike on every machine


def create_pdf(template: str, data: dict[str, Any]) -> bytes:
    """The PDF that `app/reports/templates/<template>.typ` makes of `data`, tagged for screen readers.

    Every paper needs `title`, `school` (its name) and `made` (the day, as text); `confidential` (true) puts that word
    on every page. The rest depends on the template: texts, numbers, lists and dictionaries; days and moments as
    text.
    """
    return typst.compile(
        _TEMPLATES / f"{template}.typ", root=_TEMPLATES, font_paths=_load_fonts(), sys_inputs={"data": json.dumps(data)}
    )


@cache
def _load_fonts() -> typst.Fonts:
    """Typst's own fonts; the machine's fonts are used only for letters that these lack."""
    return typst.Fonts()


def draw_svg(chart: Drawing, width: int, height: int | None = None) -> str:
    """A chart as SVG for print; `width` in pixels, of which a page has about 640."""
    axis = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": _INK, "titleColor": _INK, "gridOpacity": 0.4}
    legend = {"labelFontSize": 11, "titleFontSize": 12, "labelColor": _INK, "titleColor": _INK}
    config = {"font": _FONT, "axis": axis, "legend": legend, "view": {"strokeWidth": 0}}
    rows = {name: json.loads(frame.to_json(orient="records", date_format="iso")) for name, frame in chart.rows.items()}
    size = {"width": width} | ({"height": height} if height else {})
    return vl_convert.vegalite_to_svg(chart.spec | size | {"config": config, "datasets": rows}, allowed_base_urls=[])
