"""Each of the dashboards from its address to its heat map drawn, in turn, in one run."""

from contextlib import ExitStack

from benchmarks import overview
from benchmarks.serving import running, serving

_PLOTLY = "document.querySelector('.js-plotly-plot .hm image, .js-plotly-plot .heatmaplayer image') !== null"
_HERE = "document.querySelector('[data-testid=\"stVegaLiteChart\"] .marks') !== null"
# Bokeh, which Panel is built on, draws in shadow roots, which a selector does not reach.
_PANEL = """(() => {
    const look = root => [...root.querySelectorAll('*')].some(
        e => (e.matches('.heatmaplayer image')) || (e.shadowRoot && look(e.shadowRoot)));
    return look(document);
})()"""


def measure(url: str, times: int = 5) -> dict[str, list[float]]:
    """Seconds of each, and of the whole Overview."""
    with ExitStack() as servers, overview.browsing() as browser:
        pages = {
            "our whole Overview": (
                servers.enter_context(serving("streamlit_app.py", DATABASE_URL=url)),
                overview.DRAWN,
            ),
            "Streamlit, heat map and table": (
                servers.enter_context(serving("benchmarks/beside/streamlit_app.py", DATABASE_URL=url, PYTHONPATH=".")),
                _HERE,
            ),
        }
        for name, drawn in (("Dash", _PLOTLY), ("NiceGUI", _PLOTLY), ("Panel", _PANEL)):
            module = f"benchmarks.beside.{name.lower()}_app"
            pages[f"{name}, heat map and table"] = servers.enter_context(running(module, DATABASE_URL=url)), drawn
        found: dict[str, list[float]] = {name: [] for name in pages}
        for turn in range(times + 1):
            for name, (address, drawn) in pages.items():
                taken = overview.seconds(browser, address, drawn)
                if turn:  # the first one warms the server
                    found[name].append(taken)
    return found
