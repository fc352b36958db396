"""The heat map in Panel: `python -m benchmarks.beside.panel_app PORT`."""

import sys

import panel as pn
import plotly.express as px

from benchmarks.beside.reading import cells, square


def overview() -> pn.Column:
    rates = cells()
    return pn.Column("# Overview", pn.pane.Plotly(px.imshow(square(rates))), pn.pane.DataFrame(rates))


if __name__ == "__main__":
    pn.extension("plotly")
    pn.serve(overview, port=int(sys.argv[1]), show=False)
