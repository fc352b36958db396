"""The tab Audit: who did what, and whether the audit trail is unaltered."""

from datetime import timedelta

import streamlit as st

from app.access import administration
from app.access.policy import Person
from app.formatting import how_many
from app.school import School
from app.store import audit_log
from app.ui.lists import as_listing, table
from app.ui.text import show_error, write_html
from app.ui.widgets import choose_dates, filter_rows


def show_audit(school: School, person: Person) -> None:
    """Show the tab."""
    st.header("Audit trail")
    today = school.today()
    if days := choose_dates((today - timedelta(days=6), today), today):
        trail = administration.get_audit_trail(school, person, days)
        trail["action"] = trail["action"].map(audit_log.KINDS)
        if len(trail):
            trail = filter_rows(trail, {"action": "What", "actor": "Who"})
            write_html("{entries}, newest first.", entries=how_many(len(trail), "entry", "entries"))
            rows = as_listing(
                trail,
                ["occurred_at", "actor", "action", "subject"],
                occurred_at="When",
                actor="Who",
                action="What",
                subject="About",
            )
            table(rows, "The audit trail", f"audit trail {days[0]} to {days[1]}")
        else:
            st.write("No entries for these dates.")
    if st.button("Verify the audit trail", icon=":material/verified_user:"):
        with st.spinner("Comparing every entry with the one before it…"):
            check = administration.verify_audit_trail(school, person)
        if check.fault:
            show_error(
                "The audit trail was altered.",
                f"{check.fault} Do not change the database; compare it with your backups.",
            )
        elif check.head:
            write_html(
                "✓ All entries are as written: none was altered, removed or inserted. The newest is {check.head}. Note "
                "it elsewhere, and compare it next time: python -m app audit verify --head.",
                check=check,
            )
        else:
            st.write("The audit trail has no entries yet.")
