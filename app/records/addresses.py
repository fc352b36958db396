"""Email addresses, alone or in a list. People sign in with them, so a cell must hold addresses and nothing else."""

import re
from functools import lru_cache

from app.records.rows import InvalidCellError
from app.vocabulary.words import remove_invisible

EXAMPLE = "name@school.example"
_BETWEEN = re.compile(r"[;,\r\n]+")
_NAME = r"[a-z0-9!#$%&*+/=^_`{|}~-](?:[a-z0-9!#$%&'*+/=^_`{|}~-]*)"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ADDRESS = re.compile(rf"{_NAME}(?:\.[a-z0-9!#$%&'*+/=^_`{{|}}~-]+)*@(?:{_LABEL}\.)+(?:[a-z]{{2,}}|xn--[a-z0-9-]+)")
_LONGEST = 320
_FAULTS = (  # common mistakes, and how the error describes each
    (re.compile(r"^mailto:"), "begins with mailto:"),
    (re.compile(r"[^\x00-\x7f]"), "has a character that addresses do not have, such as a curly apostrophe"),
    (re.compile(r"^['\"]|[\"<>()\[\]]|'$|'@"), "has a bracket or a quotation mark around it"),
    (re.compile(r"\.$"), "ends with a full stop"),
    (re.compile(r"\.\."), "has two full stops together"),
    (re.compile(r"\?"), "has a question mark, perhaps for a letter that was lost"),
    (re.compile(r",[^@]*$"), "has a comma, perhaps for a full stop"),
    (re.compile(r"@.*@|\s|,"), "is more than one address, or has a space or a comma in it"),
)


def split_list(value: str | None) -> tuple[str, ...]:
    """The items of a cell that holds a list, without repeats. They are separated by ";", a comma or a line break."""
    return tuple(dict.fromkeys(item.strip() for item in _BETWEEN.split(value or "") if item.strip()))


@lru_cache(maxsize=4096)  # the rows of a file repeat addresses
def parse_email(value: str | None) -> str:
    """An email address in lower case. InvalidCellError if the cell is blank or holds anything else."""
    address = remove_invisible(value or "").strip().rstrip("; ").lower()
    if not address:
        raise InvalidCellError("is blank", "fill it in")
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        reason = next((words for pattern, words in _FAULTS if pattern.search(address)), "is not an email address")
        raise InvalidCellError(reason, f"write one address and nothing else, such as {EXAMPLE}")
    return address


def parse_emails(value: str | None) -> tuple[str, ...]:
    """The addresses in a cell that holds a list, without repeats. InvalidCellError if an item is not an address."""
    try:
        return tuple(dict.fromkeys(parse_email(item) for item in split_list(value)))
    except InvalidCellError as fault:
        fix = f"write addresses such as {EXAMPLE} and nothing else, separated by ;"
        raise InvalidCellError(f"holds something that {fault.reason}", fix) from None
