"""The state of a page in its address: days, filters, view and the open record.

It survives a reload, Back and a visit to another page, and can be sent to a colleague. Streamlit can bind widgets to
the address itself (`bind="query-params"`), but it writes an option's label there, which here contains counts and names,
and adds several entries to the browser's history when a page is left. So a widget here shows its parameter's value, and
a change writes the parameter: one entry (`browser.js` merges the entries that Streamlit adds for one step).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from app.ui.authority import guard
from app.vocabulary.roles import Page

Query = dict[str, list[str]]

# Parameters that open a record or a form. The menu's link to a page leaves them out, so that it leads to the list.
_RECORDS = {"list", "session", "pupil", "consent", "ask", "ref", "raise", "call", "correct", "entry"}


def get(name: str, default: str = "") -> str:
    """A parameter's value, or the default."""
    return st.query_params.get(name, default)


def read_number(text: str) -> int | None:
    """The id in a parameter, or None if it is not a number that a database can hold."""
    return int(text) if text.isdecimal() and len(text) < 18 else None


def get_all(name: str) -> list[str]:
    """All values of a parameter."""
    return st.query_params.get_all(name)


def put(name: str, *values: str) -> None:
    """Set a parameter; without values, remove it."""
    if values:
        st.query_params[name] = values
    elif name in st.query_params:
        del st.query_params[name]


def carry(*names: str) -> Query:
    """The named parameters with their values, for a link that keeps them."""
    return {name: get_all(name) for name in names if name in st.query_params}


def send_again() -> None:
    """Send the whole address to the browser. Streamlit does not do so for a link to another record of the same page."""
    st.query_params.from_dict({name: get_all(name) for name in st.query_params})


def shows_record() -> bool:
    """Whether the address opens a record or a form, rather than a page's list."""
    return bool(_RECORDS & set(st.query_params))


def remember(page: Page) -> None:
    """Remember the address of a page's list, unless a record is open."""
    if not shows_record():
        _remembered()[page] = {name: get_all(name) for name in st.query_params}


def get_list(page: Page) -> Query:
    """The parameters with which a page's list was last shown."""
    return _remembered().get(page, {})


def _remembered() -> dict[Page, Query]:
    found: dict[Page, Query] = st.session_state.setdefault("addresses", {})
    return found


def bind(name: str, value: Any, as_words: Callable[[Any], list[str]]) -> dict[str, Any]:
    """The options of a widget that shows a parameter's `value`. `as_words` turns the widget's new value into the
    parameter's values."""
    key = f"address {name}"
    st.session_state[key] = value
    return {"key": key, "on_change": guard(partial(_write, name, key, as_words))}


def _write(name: str, key: str, as_words: Callable[[Any], list[str]]) -> None:
    put(name, *as_words(st.session_state[key]))


def show_tabs(labels: Sequence[str]) -> Sequence[Any]:
    """Show tabs and return their containers. The parameter `tab` names the open tab, unless it is the first."""
    first, chosen = labels[0], get("tab")
    bound = bind("tab", chosen if chosen in labels else first, lambda tab: [] if tab == first else [tab])
    return st.tabs(labels, **bound)


def choose_one(
    label: str, options: Mapping[str, str], default: str, name: str, *, chosen: str = "", **more: Any
) -> str:
    """Let the person choose one of a few options by its label, and return it. The parameter `name` holds it, unless it
    is the default. `chosen` is the option to show if the parameter does not decide."""
    chosen = chosen or get(name, default)
    chosen = chosen if chosen in options else default
    bound = bind(name, chosen, lambda option: [] if option in (default, None) else [option])
    words = options.__getitem__
    st.segmented_control(label, list(options), format_func=words, required=True, wrap=True, **bound, **more)
    return chosen


def choose_some(label: str, options: Mapping[str, str], name: str, **more: Any) -> list[str]:
    """Let the person choose any of some options by their labels. Returns the chosen options; an empty list means
    all."""
    chosen = list(dict.fromkeys(get_all(name)))
    labels = dict(options) | {option: "Not in this list" for option in chosen if option not in options}
    st.multiselect(
        label,
        list(labels),
        format_func=labels.__getitem__,
        placeholder="All",
        filter_mode="contains",
        select_all=False,
        wrap=True,
        **bind(name, chosen, list),
        **more,
    )
    return chosen
