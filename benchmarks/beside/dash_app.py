"""The heat map in Dash: `python -m benchmarks.beside.dash_app PORT`."""

import sys

import plotly.express as px
from dash import Dash, dash_table, dcc, html

from benchmarks.beside.reading import cells, square

app = Dash(__name__)


def layout() -> html.Div:
    rates = cells()
    return html.Div(
        [
            html.H1("Overview"),
            dcc.Graph(figure=px.imshow(square(rates))),
            dash_table.DataTable(rates.to_dict("records")),
        ]
    )


app.layout = layout

if __name__ == "__main__":
    app.run(port=int(sys.argv[1]))
