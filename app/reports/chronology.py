"""Chronologies as PDFs: for a child, or for one concern about an adult's conduct."""

from collections.abc import Sequence

from app.access.administration import record_access
from app.access.concern_detail import get_chronology, get_concern
from app.access.concern_history import Entry
from app.access.policy import Person
from app.access.scope import read_frame, select_pupils
from app.concerns.casework import NotYoursError, record_download
from app.formatting import on_day, on_day_at
from app.reports.pdf import create_pdf
from app.school import School
from app.store.concerns import CONDUCT


def create_child_chronology(school: School, person: Person, pupil_id: int) -> bytes:
    """The chronology of a child as a PDF, with everything that the person may see. It is recorded on the audit
    trail."""
    entries = get_chronology(school, person, pupil_id)
    people = read_frame(school, select_pupils(school.today())).set_index("pupil_id")["name"]
    record_access(school, person, "exported", f"chronology of pupil {pupil_id}")
    about = "Every concern about this child that the reader has access to, and the linked sessions, in order of time."
    return _create_paper(school, f"Chronology of {people.get(pupil_id, 'a child')}", about, entries)


def create_conduct_chronology(school: School, person: Person, ref: str) -> bytes:
    """A concern about conduct as a PDF. The download is recorded on the concern. Raises NotYoursError if the person may
    not see it."""
    view = get_concern(school, person, ref)
    if view is None or view.register is not CONDUCT:
        raise NotYoursError("This concern does not exist, or you do not have access to it.")
    record_download(school, person, [ref])
    return _create_paper(school, f"Concern {ref}", f"About the conduct of {', '.join(view.adults)}.", view.entries)


def _create_paper(school: School, title: str, about: str, entries: Sequence[Entry]) -> bytes:
    rows = [
        {
            "at": on_day_at(entry.at),
            "what": entry.what,
            "by": entry.by,
            "ref": entry.ref,
            "words": [list(pair) for pair in entry.words],
        }
        for entry in entries
    ]
    paper = {"title": title, "school": school.settings.name, "made": on_day(school.today()), "confidential": True}
    return create_pdf("chronology", paper | {"about": about, "entries": rows})
