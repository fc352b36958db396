"""The dashboard, started by `streamlit run streamlit_app.py`: the server, and the frame with the pages of each role."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from app.auth.configuration import check_start
from app.ui.served_files import name_by_sign_in
from app.ui.server import Guard, list_own_routes
from app.ui.shell import show

# Otherwise each file in a folder named pages/ could be opened by its address, bypassing everything below, until
# somebody opens the first page. Each page also checks in its first lines who the user is.
PagesManager.uses_pages_directory = False

app = st.App(Path(__file__), routes=list_own_routes(), middleware=[Middleware(Guard)])

if __name__ == "__main__":  # for each window: Streamlit runs this file as its script
    show()
else:  # once: the server imports this file
    check_start()
    name_by_sign_in()
