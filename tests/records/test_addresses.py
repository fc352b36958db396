"""Email addresses: one and nothing else, or a list."""

import pytest

from app.records.addresses import parse_email, parse_emails, split_list
from app.records.rows import InvalidCellError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("A.Byrne@School.Example", "a.byrne@school.example"),
        (" a.byrne@school.example; ", "a.byrne@school.example"),
        ("\u200ba.byrne@school.example", "a.byrne@school.example"),
        ("mary.o'neill+x@sub.school.example", "mary.o'neill+x@sub.school.example"),
    ],
)
def test_parse_email_reads_an_address(text: str, address: str) -> None:
    assert parse_email(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is blank"),
        ("mailto:a@school.example", "begins with mailto:"),
        ("o’neill@school.example", "has a character that addresses do not have"),
        ("аled@school.example", "has a character that addresses do not have"),
        ("'a@school.example", "has a bracket or a quotation mark"),
        ("Ann Byrne <a@school.example>", "has a bracket or a quotation mark"),
        ("a@school.example)", "has a bracket or a quotation mark"),
        ("a@school.example.", "ends with a full stop"),
        ("a@school..example", "has two full stops together"),
        ("si?n@school.example", "has a question mark"),
        ("a@school,example", "has a comma, perhaps for a full stop"),
        ("a@school.example b@school.example", "is more than one address"),
        ("a@school", "is not an email address"),
        ("Ann", "is not an email address"),
        ("a" * 320 + "@school.example", "is not an email address"),
    ],
)
def test_parse_email_says_what_is_wrong_with_an_address(text: str, words: str) -> None:
    with pytest.raises(InvalidCellError, match=words):
        parse_email(text)


def test_parse_emails_reads_a_list_each_address_once() -> None:
    assert parse_emails("a@b.example; B@b.example,c@b.example\na@B.example;") == (
        "a@b.example",
        "b@b.example",
        "c@b.example",
    )
    assert parse_emails("") == ()


def test_parse_emails_says_how_to_write_a_list() -> None:
    with pytest.raises(InvalidCellError) as caught:
        parse_emails("a@b.example; Ann Byrne")
    assert caught.value.reason.startswith("holds something that ")
    assert caught.value.fix.endswith("separated by ;")


def test_split_list_gives_each_item_once() -> None:
    assert split_list("tutor; hoy ,tutor;;\nslt") == ("tutor", "hoy", "slt")
    assert split_list(None) == ()
