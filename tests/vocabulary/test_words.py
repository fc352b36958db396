"""Words that are equal although they are written differently, and letters that were lost."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vocabulary.words import fold, read_year, shows_lost_letters, squeeze, tidy


@pytest.mark.parametrize(
    "text",
    ["Tŷ Gwyn", " Tŷ  Gwyn ", "Tŷ\u00a0Gwyn", "Ty\u0302 Gwyn", "\ufeffTŷ\u200b Gwyn", "T\u00adŷ Gwyn;", "Tŷ Gwyn; "],
)
def test_tidy_gives_a_name_one_form(text: str) -> None:
    assert tidy(text) == "Tŷ Gwyn"


def test_fold_takes_case_and_the_kind_of_apostrophe_away() -> None:
    assert fold("O’Neill House") == fold("o'NEILL house")
    assert fold("Straße") == fold("STRASSE")


@given(st.text(max_size=20))
def test_tidy_and_fold_change_nothing_a_second_time(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", tidy(text))) == fold(text)


def test_squeeze_takes_spaces_and_marks_out_of_a_heading() -> None:
    assert {squeeze(heading) for heading in ("staff_email", "Staff e-mail", " StaffEmail ", "STAFF EMAIL:")} == {
        "staffemail"
    }


@pytest.mark.parametrize(
    ("text", "year"),
    [
        *((text, "9") for text in ("9", "09", "Year 9", "Y9", "Yr 9", "yr.9", "YEAR 09", "9.0", " Year  9 ")),
        *((text, "9") for text in ("NC Year 9", "Blwyddyn 9", "Bl. 9", "Year-9")),
        *((text, "12") for text in ("L6", "Year 12", "Lower Sixth", "lower 6th", "L VI")),
        *((text, "13") for text in ("U6", "Y13", "Upper 6", "Upper Sixth Form")),
        ("Reception", "Reception"),
        ("9B", "9B"),
        ("9.5", "9.5"),
        ("-9", "-9"),
        ("", ""),
    ],
)
def test_read_year_gives_a_year_one_form(text: str, year: str) -> None:
    assert read_year(text) == year


@pytest.mark.parametrize("name", ["SiÃ¢n", "Si�n", "TÅ· Gwyn", "oâ€™neill", "Si\x92n", "Zo├½"])
def test_shows_lost_letters_in_text_of_another_encoding(name: str) -> None:
    assert shows_lost_letters(name)


@pytest.mark.parametrize("name", ["Siân", "Ŵyn ap Dafydd", "Zoë", "François", "O’Neill", "São Tomé", "Łukasz", ""])
def test_shows_lost_letters_accepts_names(name: str) -> None:
    assert not shows_lost_letters(name)


@given(st.text("âêîôûŵŷáéíóúàèìòùäëïöüÂÊÎÔÛŴŶ", min_size=1, max_size=5))
def test_shows_lost_letters_finds_every_welsh_letter_read_as_ansi(letters: str) -> None:
    try:
        read = letters.encode().decode("cp1252")
    except UnicodeDecodeError:
        read = letters.encode().decode("latin-1")
    assert shows_lost_letters(read)
    assert not shows_lost_letters(letters)
