"""The tab Roster: schools, staff, pupils and leavers as they are today."""

import pandas as pd
import streamlit as st

from app.access import administration
from app.access.policy import Person
from app.auth.entra_roles import takes_roles_from_entra
from app.formatting import moment
from app.school import School
from app.ui.lists import as_listing, table
from app.ui.text import write_html
from app.vocabulary.roles import Role

_NEEDED = {
    Role.DSP: "nobody receives concerns",
    Role.SENIOR_DEPUTY_HEAD: "nobody sees the whole school",
    Role.ADMIN: "nobody can open this page",
}


def show_roster(school: School, person: Person) -> None:
    """Show the lists, and which roles nobody has."""
    roster = administration.get_roster(school, person)
    staff = roster["staff"].assign(
        roles=[cell.split(";") if cell else [] for cell in roster["staff"]["roles"]],
        signed_in=[moment(when) or "never" for when in roster["staff"]["signed_in"]],
    )
    if len(staff):
        never, without_role = staff[staff["signed_in"] == "never"], int((staff["roles"].str.len() == 0).sum())
        write_html(
            "{staff:,} staff and {pupils:,} pupils. {never:,} staff have never signed in; {without:,} have no role, "
            "and see only their own sessions.",
            staff=len(staff),
            pupils=len(roster["pupils"]),
            never=len(never),
            without=without_role,
        )
        if takes_roles_from_entra():
            st.info("Roles come from Entra ID (ROLES_FROM is entra): a role counts where the roster has it as well.")
        by_role = staff.explode("roles")
        holders = by_role.groupby("roles")["name"].agg(sorted).to_dict()
        has_dsp = set(by_role.loc[by_role["roles"] == Role.DSP, "school"])
        without_dsp = [code for code in roster["schools"]["code"] if code not in has_dsp]
        if Role.DSP in holders and without_dsp:
            write_html(
                "The roster has no DSP for {schools}: nobody there receives concerns about its pupils.",
                schools=", ".join(without_dsp),
            )
        for role, consequence in _NEEDED.items():
            if role not in holders:
                st.warning(f"The roster has no {role.label}: {consequence}.", icon=":material/warning:")
        rows = pd.DataFrame(
            [(role.label, len(holders.get(role, ())), ", ".join(holders.get(role, ()))) for role in Role],
            columns=["Role", "Staff", "Names"],
        )
        with st.expander("Staff by role"):
            table(rows, "Staff by role, from the roster", "roles")
        with st.expander(f"Staff who have never signed in ({len(never):,})"):
            rows = as_listing(never, ["name", "email", "school", "department"])
            table(rows, "Staff on the roster who have never signed in", "never signed in")
    for name, people in roster.items():
        with st.expander(f"{name.capitalize()} ({len(people):,})"):
            shown = people.assign(signed_in=staff["signed_in"]) if name == "staff" else people
            rows = as_listing(
                shown, list(shown.columns), from_day="Valid from", signed_in="Last signed in", last_day="Last day"
            )
            table(rows, f"The roster's {name}", f"roster {name}")
