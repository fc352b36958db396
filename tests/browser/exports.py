"""Exports of a school's pupils and staff as iSAMS writes them, with fictional people: a custom report with the surname
first, bare numbers for years, columns that nobody filled in, and pupils too young for an account."""

from io import BytesIO

from openpyxl import Workbook

_FORENAMES = ("Aled", "Bethan", "Carys", "Dewi", "Elin", "Ffion", "Gethin", "Huw", "Iestyn", "Lowri")
_SURNAMES = ("Bevan", "Davies", "Ellis", "Griffiths", "Hughes", "Jones", "Morgan", "Parry", "Rees", "Vaughan")
_HOUSES = ("Dore", "Monnow", "Trothy", "Wye")
_TITLES = ("Teacher", "Form Tutor", "Class Teacher", "Form Tutor", "Housemaster", "Teaching Assistant", "Form Tutor")
_LEADERS = ("Senior Deputy Head (Pastoral)", "DSL", "School Counsellor", "Head of Lower School")
_DEPARTMENTS = ("English", "Mathematics", "Sciences", "Modern Languages")
_PUPILS = (
    *("Surname", "Forename", "Middle Names", "Preferred Name", "Full Name", "Gender", "DOB", "School ID", "UPN"),
    *("NC Year", "Form", "Academic House", "Boarding House", "Division", "School Email Address", "Form Tutor"),
    *("Form Tutor Email", "Mobile", "Leaving Date"),
)
_STAFF = (
    *("Surname", "Forename", "Salutation", "Initials", "Job Title", "Departments", "Division"),
    *("School Email Address", "Personal Email", "Start Date", "End Date"),
)
INFANTS = 12


def export_staff(number: int = 60, left: int = 0) -> bytes:
    """The staff, of whom the first lead; without the last `left`."""
    rows = []
    for n in range(number - left):
        forename, surname = _FORENAMES[n % 10], _SURNAMES[n // 10 % 10]
        title = _LEADERS[n] if n < len(_LEADERS) else _TITLES[n % len(_TITLES)]
        initials, email = f"{forename[0]}{surname[0]}{n}", f"staff{n}@habs.example"
        department = _DEPARTMENTS[n % 4]
        rows.append([surname, forename, "Dr", initials, title, department, "Senior", email, "", "01/09/2019", ""])
    return _as_workbook(_STAFF, rows)


def export_pupils(number: int = 600, left: int = 0, years_later: int = 0) -> bytes:
    """The pupils, a hundred in each year from Year 12 down, without the first `left`; and some infants."""
    rows = []
    for n in range(left, number):
        forename, surname = _FORENAMES[n % 10], f"{_SURNAMES[n // 10 % 10]}-{_SURNAMES[n // 100 % 10]}"
        year, house = 12 - n // 100 + years_later, _HOUSES[n % 4]
        address, tutor = f"pupil{n}@pupils.habs.example", f"staff{5 + n % 50}@habs.example"
        form = [f"{year}{house[0]}", house, "", "Senior", address, tutor.partition("@")[0], tutor]
        rows.append([*_begin(n, forename, surname), str(year), *form, "", ""])
    for n in range(INFANTS):
        form = ["Nursery", "", "", "Prep", "", "", ""]
        rows.append([*_begin(9000 + n, _FORENAMES[n % 10], "Prosser"), "N", *form, "", ""])
    return _as_workbook(_PUPILS, sorted(rows))


def _begin(number: int, forename: str, surname: str) -> list[str]:
    born = f"{1 + number % 28:02}/{1 + number % 12:02}/2012"
    return [surname, forename, "", forename, f"{surname}, {forename}", "", born, f"P{number:05}", ""]


def _as_workbook(headings: tuple[str, ...], rows: list[list[str]]) -> bytes:
    workbook = Workbook()
    for row in (headings, *rows):
        workbook.worksheets[0].append(list(row))
    content = BytesIO()
    workbook.save(content)
    return content.getvalue()
