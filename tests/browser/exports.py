"""Exports of a school's pupils and staff as iSAMS writes them, with fictional people."""

from io import BytesIO

from openpyxl import Workbook

_FORENAMES = ("Aled", "Bethan", "Carys", "Dewi", "Elin", "Ffion", "Gethin", "Huw", "Iestyn", "Lowri")
_SURNAMES = ("Bevan", "Davies", "Ellis", "Griffiths", "Hughes", "Jones", "Morgan", "Parry", "Rees", "Vaughan")
_HOUSES = ("Dore", "Monnow", "Trothy", "Wye")
_TITLES = ("Class teacher", "Class teacher", "Form tutor", "Form tutor", "Head of Year", "Housemaster")
_LEADERS = ("Senior Deputy Head (Pastoral)", "DSL", "School counsellor")


def export_staff(number: int = 60) -> bytes:
    """The staff, of whom the first lead."""
    rows = [["Initials", "Salutation", "Forename", "Surname", "School email address", "Job title", "Departments"]]
    for n in range(number):
        forename, surname = _FORENAMES[n % 10], _SURNAMES[n // 10 % 10]
        title = _LEADERS[n] if n < len(_LEADERS) else _TITLES[n % len(_TITLES)]
        department = ("English", "Mathematics", "Sciences", "Modern Languages")[n % 4]
        rows.append(
            [f"{forename[0]}{surname[0]}{n}", "Dr", forename, surname, f"staff{n}@habs.example", title, department]
        )
    return _as_workbook(rows)


def export_pupils(number: int = 600, first_year: int = 7, left: int = 0) -> bytes:
    """The pupils of five years, the youngest in `first_year`, without the first `left`."""
    rows = [
        ["School ID", "Forename", "Surname", "NC year", "Academic house", "School email address", "Form tutor email"]
    ]
    for n in range(left, number):
        forename, surname = _FORENAMES[n % 10], f"{_SURNAMES[n // 10 % 10]}-{_SURNAMES[n // 100 % 10]}"
        year, house = first_year + n % 5, _HOUSES[n % 4]
        address, tutor = f"pupil{n}@pupils.habs.example", f"staff{3 + n % 57}@habs.example"
        rows.append([f"P{n:05}", forename, surname, str(year), house, address, tutor])
    return _as_workbook(rows)


def _as_workbook(rows: list[list[str]]) -> bytes:
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(row)
    content = BytesIO()
    workbook.save(content)
    return content.getvalue()
