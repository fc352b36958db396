"""The pupils who are not under the policies of Teams that the school has for pupils."""

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.pupil_policies import get_pupil_policies
from app.school import School
from app.ui.lists import table


def show_pupil_policies(school: School, person: Person) -> None:
    """List the pupils under another policy, for each kind of policy; nothing where there are none."""
    for figures in get_pupil_policies(school, person):
        if not figures.others:
            continue
        with st.expander(f"Pupils under another {figures.kind} policy ({len(figures.others):,})"):
            rows = pd.DataFrame(figures.others, columns=["Pupil", "Policy in Teams"])
            title = f"Pupils whose {figures.kind} policy is not {' or '.join(figures.names)}"
            table(rows, title, f"pupils under another {figures.kind} policy")
