"""What each of the others reads, and draws: outcomes kept by department and hour, this term."""

import os
from datetime import timedelta

import pandas as pd

from app.access.overview import get_overview
from app.access.people import list_demo_people
from app.reports import charts
from app.school import open_school


def cells() -> pd.DataFrame:
    school = open_school(os.environ["DATABASE_URL"])
    person = list_demo_people(school)[0]
    term = school.settings.term_on(school.today())
    first = term.from_ if term else school.today() - timedelta(days=90)
    rows = get_overview(school, person, (first, school.today()))
    return charts.rates(charts.placed(rows), ["department", "band"], None)


def square(rates: pd.DataFrame) -> pd.DataFrame:
    """Departments down, hours across."""
    return rates.pivot(index="department", columns="band", values="rate")
