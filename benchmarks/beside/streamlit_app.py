"""The heat map and its table alone, in Streamlit with our own chart."""

import streamlit as st

from app.reports import charts
from benchmarks.beside.reading import cells

rates = cells()
st.title("Overview")
drawing = charts.heat_map(rates)
st.vega_lite_chart(drawing.spec | {"datasets": drawing.rows})
st.dataframe(rates)
