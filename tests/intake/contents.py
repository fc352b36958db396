"""What is in a school's database, for the tests of imports."""

import pandas as pd
from sqlalchemy import select

from app.reports.outcomes_csv import iter_outcomes
from app.school import School
from app.store import tables

EVER = (pd.Timestamp("2000-01-01").date(), pd.Timestamp("2100-01-01").date())
WHO = {"teacher": (0, 30), "aled": (1, 29)}


def outcomes(school: School, clause: str) -> dict[tuple[str, str], str]:
    """The outcome of a clause by log and call."""
    return {
        (str(row["log_ref"]), str(row["call_id"])): str(row["outcome"])
        for row in list(iter_outcomes(school, EVER))
        if row["clause"] == clause
    }


def all_rows(school: School) -> dict[str, list[str]]:
    """Every row of every table."""
    with school.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table)))) for name, table in tables.metadata.tables.items()
        }
