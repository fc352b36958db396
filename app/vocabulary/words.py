"""Words as people type them: which are equal though written differently, and which have lost letters."""

import re
import unicodedata

# Zero-width characters, direction marks, the soft hyphen and the byte-order mark: invisible and never intended.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufe0f\ufeff]")
_APOSTROPHES = str.maketrans(dict.fromkeys("‘’‛ʼʹ′`´＇", "'"))
_YEAR = re.compile(r"(?:(?:(?:nc )?year(?: group)?|yr|y|blwyddyn|bl)[.-]?\s*)?0*(\d{1,2})(?:\.0+)?")
_SIXTH_FORM = re.compile(r"(l|lower|u|upper)\s*(?:6|6th|vi|sixth)(?: form)?")
_MOJIBAKE = re.compile(r"[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u203a\u20ac\u2122]{1,3}")
_FOREIGN_MARKS = re.compile(r"[\ufffd\x80-\x9f]|[√├┬┼╞╬]\S")


def remove_invisible(text: str) -> str:
    """The text without zero-width and other invisible characters."""
    return _INVISIBLE.sub("", text)


def tidy(text: str) -> str:
    """The text in one form, with its capitals: Unicode form NFC, plain apostrophes and single spaces, without invisible
    characters, surrounding blanks or a trailing ";", which Forms writes."""
    plain = text if text.isascii() else remove_invisible(unicodedata.normalize("NFC", text))
    return " ".join(plain.translate(_APOSTROPHES).split()).rstrip("; ")


def fold(text: str) -> str:
    """The text as `tidy` returns it, in lower case: a key that ignores case and typing differences."""
    return tidy(text).casefold()


def squeeze(heading: str) -> str:
    """A heading without spaces, punctuation and capitals: "Staff e-mail" and "staff_email" are both "staffemail"."""
    return "".join(letter for letter in fold(heading) if letter.isalnum())


def read_year(text: str) -> str:
    """A year group in one form: "9" for "09", "Year 9", "Y9", "Blwyddyn 9" or "9.0"; "12" for "L6"; "13" for "Upper
    Sixth". Any other name is only tidied."""
    word = fold(text)
    if match := _YEAR.fullmatch(word):
        return match[1]
    if match := _SIXTH_FORM.fullmatch(word):
        return "12" if match[1].startswith("l") else "13"
    return tidy(text)


def shows_lost_letters(text: str) -> bool:
    """Whether letters were lost because the text was saved in another encoding: "�", "SiÃ¢n"."""
    if text.isascii():
        return False
    return bool(_FOREIGN_MARKS.search(text)) or any(map(_is_mojibake, _MOJIBAKE.findall(text)))


def _is_mojibake(letters: str) -> bool:
    """Whether the letters begin with the UTF-8 bytes of a single letter, each of which was read as a letter."""
    for end in range(2, len(letters) + 1):
        try:
            read = b"".join(_as_ansi(letter) for letter in letters[:end]).decode()
        except UnicodeError:
            continue
        if len(read) == 1 and ("\u00a1" <= read <= "\u024f" or "\u1e00" <= read <= "\u204a" or read in "€™"):
            return True
    return False


def _as_ansi(letter: str) -> bytes:
    try:
        return letter.encode("cp1252")
    except UnicodeError:
        return letter.encode("latin-1")  # the five bytes that cp1252 leaves free
