"""The person's logs that came from a file and have to be confirmed, on the page Log."""

from functools import partial

import streamlit as st

from app.access.forms import list_logs_to_confirm
from app.access.policy import Person
from app.formatting import moment
from app.intake.logs import confirm_log
from app.school import School
from app.ui.dialogs import confirm
from app.ui.labels import PURPOSE_WORDS
from app.ui.text import note, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page


def show_logs_to_confirm(school: School, person: Person) -> None:
    """Show each log with buttons to confirm and to correct it; nothing if there are none."""
    logs = list_logs_to_confirm(school, person)
    if logs.empty:
        return
    st.subheader(f"Logs to confirm ({len(logs)})")
    note(
        "These logs came from a file. A counsellor was in the calls, so nobody else can see the sessions until you "
        "have confirmed that they were not counselling."
    )
    for row in logs.itertuples():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            purpose = PURPOSE_WORDS.get(row.purpose, row.purpose)
            write_html("{when}: {purpose}, {row.pupils}", when=moment(row.started_at), purpose=purpose, row=row)
            link(Page.LOG, "Correct the log", "edit", query={"correct": row.ref})
            if st.button("Confirm", key=f"confirm log {row.ref}", icon=":material/check:"):
                confirm(
                    "Confirm the log",
                    f"This confirms that the session of {moment(row.started_at)} was not counselling, and that the log "
                    "is right. Others may then see the session.",
                    partial(confirm_log, school, person, row.ref),
                    "Log confirmed.",
                )
