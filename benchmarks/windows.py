"""A browser's window without the browser: a session of Streamlit's own over its websocket, so that many people
can be at work at once on a machine that could not show them all."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

_STREAMLIT = Subprotocol("streamlit")
_WAIT = 120  # seconds, after which a page counts as failed


def _create_context() -> ssl.SSLContext:
    """For the proxy, which has a certificate of its own. TLS 1.3 sends tickets while the window sends its first
    message. Two threads then use one TLS connection at once, and about one window in 500 waits for ever."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@contextmanager
def open_window(address: str) -> Iterator["Window"]:
    """A window of the program at an address, which is closed at the end."""
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    context = _create_context() if address.startswith("https") else None
    with connect(
        stream, ssl=context, origin=Origin(address), subprotocols=[_STREAMLIT], open_timeout=_WAIT, max_size=None
    ) as socket:
        yield Window(socket)


class Window:
    """One person's window. `seconds` are from what was sent to the run's end."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._states: dict[str, WidgetState] = {}
        self._page = ""
        self.elements: list[Any] = []
        self.tabs: list[str] = []  # the ids of sets of tabs

    def open(self, page: str = "") -> float:
        """Go to a page by its name; "" is the first."""
        self._states.clear()
        asked = BackMsg()
        asked.rerun_script.page_name = page
        return self._run(asked)

    def again(self) -> float:
        """A bare rerun: nothing has changed."""
        return self._rerun()

    def choose(self, label: str, *options: str) -> float:
        """Choose of a multiselect."""
        box = next(e.multiselect for e in self._of("multiselect") if e.multiselect.label == label)
        state = WidgetState(id=box.id)
        state.string_array_value.data.extend(options)
        self._states[box.id] = state
        return self._rerun()

    def options(self, label: str) -> list[str]:
        """What a multiselect offers."""
        return list(next(e.multiselect for e in self._of("multiselect") if e.multiselect.label == label).options)

    def click(self, label: str) -> float:
        """Click a button; a click holds for one run."""
        button = next(e.button for e in self._of("button") if e.button.label == label)
        self._states[button.id] = WidgetState(id=button.id, trigger_value=True)
        seconds = self._rerun()
        self._states.pop(button.id, None)
        return seconds

    def mark(self, selection: str, **values: str) -> float:
        """Click a mark of the chart with that selection, given by the values that it stands for."""
        charts = (e.vega_lite_chart for e in self._of("vega_lite_chart"))
        chart = next(chart for chart in charts if selection in chart.selection_mode)
        return self._put(chart.id, json.dumps({"selection": {selection: [values]}}))

    def select_row(self, place: int) -> float:
        """Click a row of the first list that takes clicks, given by its place."""
        rows = next(e.dataframe for e in self._of("dataframe") if e.dataframe.id)
        chosen = {"rows": [place], "columns": [], "cells": []}
        return self._put(rows.id, json.dumps({"selection": chosen}))

    def open_tab(self, label: str) -> float:
        """Click a tab."""
        return self._put(self.tabs[0], label)

    def ready(self, label: str) -> bool:
        """Whether a button is there to be clicked."""
        return any(e.button.label == label and not e.button.disabled for e in self._of("button"))

    def _of(self, kind: str) -> Iterator[Any]:
        return (e for e in self.elements if e.WhichOneof("type") == kind)

    def _put(self, widget: str, value: str) -> float:
        self._states[widget] = WidgetState(id=widget, string_value=value)
        return self._rerun()

    def _rerun(self) -> float:
        asked = BackMsg()
        asked.rerun_script.page_script_hash = self._page
        asked.rerun_script.widget_states.widgets.extend(self._states.values())
        return self._run(asked)

    def _run(self, asked: BackMsg) -> float:
        self.elements, self.tabs = [], []
        began = time.perf_counter()
        self._socket.send(asked.SerializeToString())
        while True:
            told = ForwardMsg.FromString(self._socket.recv(timeout=_WAIT))
            match told.WhichOneof("type"):
                case "new_session":
                    self.elements, self.tabs = [], []
                case "navigation":
                    self._page = told.navigation.page_script_hash
                case "delta" if told.delta.WhichOneof("type") == "new_element":
                    self.elements.append(told.delta.new_element)
                case "delta" if told.delta.add_block.tab_container.id:
                    self.tabs.append(told.delta.add_block.tab_container.id)
                case "script_finished" if told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    break
        seconds = time.perf_counter() - began
        for fault in self._of("exception"):
            raise RuntimeError(f"The page failed: {fault.exception.type}: {fault.exception.message}")
        return seconds
