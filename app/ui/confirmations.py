"""Confirming the version of the protocol in force as read and understood, and who has confirmed it."""

import pandas as pd
import streamlit as st

from app.access.confirmations import find_version_to_confirm, list_confirmations
from app.access.policy import Person
from app.management.confirmations import confirm_version
from app.school import School
from app.ui import address
from app.ui.filters import make_filter, show_filters
from app.ui.lists import as_listing, table
from app.ui.text import note, show_refusal, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page


def show_request(school: School, person: Person) -> None:
    """Ask the person to confirm the version in force, unless they have done so or need not. The page is shown below
    it."""
    version = find_version_to_confirm(school, person)
    if version is None:
        return
    with st.form(f"confirm protocol {version.from_}"):
        write_html(
            "<b>Please read the protocol “{version.name}”.</b> It has been in force since {version.from_}.",
            version=version,
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            confirmed = st.form_submit_button("I have read and understood it", type="primary", icon=":material/check:")
            link(Page.PROTOCOL, "Read the protocol")
        if not confirmed:
            return
        try:
            confirm_version(school, person, version.from_)
        except ValueError as error:
            show_refusal(f"{error} Nothing was changed.")
            return
    st.toast("Thank you. Your confirmation is on record.", icon=":material/check:")
    st.rerun()


def show_confirmations(school: School, person: Person) -> None:
    """Show who has confirmed the version in force, and who has not."""
    version = school.settings.version_on(school.today())
    if version is None:
        st.info("No version of the protocol is in force. Enter one first.")
        return
    rows = list_confirmations(school, person)
    confirmed = rows["confirmed_at"].notna()
    write_html(
        "<b>{confirmed:,} of {asked:,}</b> staff have confirmed <b>{version.name}</b>, in force since {version.from_}.",
        confirmed=int(confirmed.sum()),
        asked=len(rows),
        version=version,
    )
    note("Everyone whose role holds or sees sessions is asked at their first visit, and again for each new version.")
    rows = _choose(rows, confirmed)
    if rows.empty:
        st.info("No matches. Remove a filter.")
        return
    listing = as_listing(rows, ["name", "department", "confirmed_at"], confirmed_at="Confirmed")
    table(listing, "Who has confirmed the protocol in force", "read and understood")


def _choose(rows: pd.DataFrame, confirmed: pd.Series) -> pd.DataFrame:
    """Show the choice and the filter, and return the rows that they leave."""
    kinds = {
        "all": ("All", pd.Series(data=True, index=rows.index)),
        "confirmed": ("Confirmed", confirmed),
        "missing": ("Not confirmed", ~confirmed),
    }
    labels = {kind: f"{label} {int(chosen.sum()):,}" for kind, (label, chosen) in kinds.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = address.choose_one("Show", labels, "all", "show", label_visibility="collapsed")
        departments = rows["department"].replace("", None)
        left = show_filters(
            rows["staff_id"], [make_filter("department", "Department", rows["staff_id"], departments, departments)]
        )
    return rows[kinds[kind][1] & left]
