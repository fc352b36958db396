"""The heat map in NiceGUI: `python -m benchmarks.beside.nicegui_app PORT`."""

import sys

import plotly.express as px
from nicegui import ui

from benchmarks.beside.reading import cells, square


@ui.page("/")
def overview() -> None:
    rates = cells()
    ui.label("Overview").classes("text-h4")
    ui.plotly(px.imshow(square(rates)))
    ui.table(rows=rates.astype(object).where(rates.notna(), None).to_dict("records"))


ui.run(port=int(sys.argv[1]), reload=False, show=False)
