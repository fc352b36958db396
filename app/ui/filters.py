"""Filters of a list. Each option shows how many rows it would leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from app.ui import address
from app.ui.authority import guard
from app.ui.text import note


@dataclass(frozen=True)
class Filter:
    """A filter: its parameter in the address, its label, and which rows have which value. `pairs` has the columns `row`
    (an id of the list), `value` (as in the address, without names) and `label`."""

    name: str
    label: str
    pairs: pd.DataFrame


def make_filter(name: str, label: str, rows: pd.Series, values: pd.Series, labels: pd.Series) -> Filter:
    """A filter from three series of the same length. Blank values are left out."""
    pairs = pd.DataFrame({"row": rows, "value": values, "label": labels}).dropna(subset="value")
    pairs["value"] = pairs["value"].map(lambda value: str(int(value)) if isinstance(value, float) else str(value))
    return Filter(name, label, pairs.drop_duplicates(["row", "value"]))


def show_filters(ids: pd.Series, filters: Sequence[Filter]) -> pd.Series:
    """Show filters behind a button, with the chosen values beside it. Returns which of the ids they leave, as a boolean
    series."""
    chosen = {filter_.name: address.get_all(filter_.name) for filter_ in filters}
    matching = {filter_.name: _find_matching(ids, filter_, chosen[filter_.name]) for filter_ in filters}
    active = sum(bool(values) for values in chosen.values())
    with st.popover(f"Filters ({active})" if active else "Filters", icon=":material/filter_list:", key="filters"):
        for filter_ in filters:
            others = [matching[other.name] for other in filters if other is not filter_]
            _choose(filter_, ids[_match_all(ids, others)])
    if active:
        words = [
            f"{filter_.label}: {_name_values(filter_, chosen[filter_.name])}"
            for filter_ in filters
            if chosen[filter_.name]
        ]
        note(" · ".join(words))
        clear = partial(_clear, filters)
        st.button("Clear filters", key="clear filters", type="tertiary", icon=":material/close:", on_click=guard(clear))
    return _match_all(ids, list(matching.values()))


def _clear(filters: Sequence[Filter]) -> None:
    for filter_ in filters:
        address.put(filter_.name)


def _find_matching(ids: pd.Series, filter_: Filter, values: list[str]) -> pd.Series:
    if not values:
        return pd.Series(data=True, index=ids.index)
    return ids.isin(filter_.pairs.loc[filter_.pairs["value"].isin(values), "row"])


def _match_all(ids: pd.Series, matches: list[pd.Series]) -> pd.Series:
    found = pd.Series(data=True, index=ids.index)
    for match in matches:
        found &= match
    return found


def _choose(filter_: Filter, ids: pd.Series) -> None:
    """Show one filter, with how many of the ids have each value."""
    labels = filter_.pairs.drop_duplicates("value").set_index("value")["label"].astype(str)
    counts = filter_.pairs.loc[filter_.pairs["row"].isin(ids), "value"].value_counts()
    in_order = sorted(labels.items(), key=lambda item: item[1].zfill(3) if item[1].isdecimal() else item[1])
    options = {str(value): f"{label} ({counts.get(value, 0):,})" for value, label in in_order}
    address.choose_some(filter_.label, options, filter_.name)


def _name_values(filter_: Filter, values: list[str]) -> str:
    labels = filter_.pairs.drop_duplicates("value").set_index("value")["label"]
    return ", ".join(str(labels.get(value, "not in this list")) for value in values)
