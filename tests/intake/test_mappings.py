"""Mappings that the school saves, and finding one by its name."""

import pytest

from app.intake.mappings import find_mapping, get_mapping, list_mappings, save_mapping, suggest_names
from app.records.mappings import Mapping, Source
from app.records.rows import UnreadableFileError
from app.records.tables.raw_tables import read_raw_table
from app.school import School
from tests.people import staff_id

FORM = Mapping(
    kind="letters", columns={"pupil_email": Source(headings=("Child",)), "kind": Source(value="introduction")}
)
FILE = ("answers.csv", b"Child,Posted\na@b.example,2026-09-07\n")


def test_save_mapping_replaces_the_one_of_that_name(school: School) -> None:
    save_mapping(school, " Our  letters", FORM, staff_id(school, "admin"))
    later = Mapping(kind="letters", columns=FORM.columns | {"sent_on": Source(headings=("Posted",))})
    save_mapping(school, "our letters", later)
    assert [(saved.name, saved.mapping, saved.saved_by) for saved in list_mappings(school)] == [
        ("our letters", later, None)
    ]
    assert get_mapping(school, "OUR LETTERS") == later


def test_save_mapping_refuses_a_name_that_is_taken_or_blank(school: School) -> None:
    for name, words in (("isams pupils", "comes with the program"), (" ", "Give the mapping a name")):
        with pytest.raises(UnreadableFileError, match=words):
            save_mapping(school, name, FORM)
    assert list_mappings(school) == []


def test_find_mapping_names_those_that_there_are(school: School) -> None:
    save_mapping(school, "Ours", FORM)
    assert find_mapping(school, "ours", FILE) == FORM
    with pytest.raises(UnreadableFileError, match=r"no mapping “Theirs”. There are: Ours, .*iSAMS pupils"):
        find_mapping(school, "Theirs", FILE)


def test_find_mapping_reads_the_headings_of_a_system(school: School) -> None:
    form = b"Timestamp,Username,pupil_emails,purpose,started_at,ended_at\nx,a@b.example,c@b.example,academic,y,z\n"
    assert find_mapping(school, "google forms", ("answers.csv", form)).columns["staff_email"].headings == ("Username",)


def test_suggest_names_gives_mappings_that_read_a_file(school: School) -> None:
    save_mapping(school, "Ours", FORM)
    raw = read_raw_table(FILE)
    assert suggest_names(school, raw, ["letters"]) == ["Ours"]
    assert suggest_names(school, raw, ["logs"]) == []
