"""Concerns about children and, separately, about adults' conduct: the lists, one concern, and the form to raise one."""

import streamlit as st

from app.access.administration import list_role_changes
from app.access.concerns import list_pupils_on_record
from app.access.policy import get_scopes
from app.reports.subject_access import create_subject_access_file
from app.store.concerns import CHILD, CONDUCT
from app.ui.concerns.detail import show_concern
from app.ui.concerns.lists import show_children, show_conduct
from app.ui.concerns.raising import show_form
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import download
from app.vocabulary.roles import Page, Resource

school, person = require(Page.CONCERNS)


def show_subject_access() -> None:
    """Show the form that creates a pupil's subject access file, then its download."""
    st.header("Subject access")
    note(
        "For a subject access request: everything held on one pupil in one file (roster, letters, consents, sessions, breaches and concerns). Other people are marked. Read every word before it leaves the school."
    )
    pupils = list_pupils_on_record(school, person)
    names = {row.pupil_id: f"{row.name} · year {row.year_group} · {row.email}" for row in pupils.itertuples()}
    with st.form("everything", border=False):
        pupil = st.selectbox(
            "Pupil",
            list(names),
            index=None,
            format_func=names.__getitem__,
            placeholder="Type a name",
            filter_mode="contains",
        )
        asked = st.form_submit_button("Create file", icon=":material/folder_open:")
    if not asked:
        return
    if pupil is None:
        st.warning("Choose a pupil first.", icon=":material/edit:")
    elif page := create_subject_access_file(school, person, pupil):
        st.success("File created. This is recorded on the audit trail.", icon=":material/check:")
        download("Download", page, f"everything held on pupil {pupil}.html", type="primary")


def show_role_changes() -> None:
    """Show the changes of roles on the roster."""
    changes = list_role_changes(school, person)
    if changes.empty:
        return
    st.header("Changes of roles", anchor=False)
    note("Changes of roles on the roster in the last 30 days.")
    for row in changes.itertuples():
        write_html("{row.occurred_at} · {row.subject} · by {row.actor}", row=row)


if "raise" in st.query_params:
    register = CONDUCT if st.query_params["raise"] == "conduct" else CHILD
    show_form(school, person, register, st.query_params.get("session", ""))
elif "ref" in st.query_params:
    show_concern(school, person, st.query_params["ref"])
elif st.query_params.get("about") == "conduct":
    show_conduct(school, person)
else:
    show_children(school, person)
    if get_scopes(person, Resource.SUBJECT_ACCESS):
        show_subject_access()
    if get_scopes(person, Resource.ROLE_CHANGES):
        show_role_changes()
