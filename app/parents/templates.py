"""The templates of letters and emails: where they are, how their fields are filled, and how errors in them are
reported.

The school's own templates are in the folder `letters` beside the settings and take precedence over the program's.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from app.settings import ROOT, get_settings_file

OWN = ROOT / "data" / "letters"  # the templates that come with the program

Fields = dict[str, str]  # the text for each field of a letter


class TemplateError(ValueError):
    """A template that cannot be used; the message names it and the fix."""


def load_template(file: str) -> bytes:
    """The content of the school's own template, else of the program's. Raises TemplateError if it cannot be read."""
    beside = get_settings_file().parent / "letters" / file
    try:
        return (beside if beside.exists() else OWN / file).read_bytes()
    except OSError:
        raise TemplateError(
            f"The template {file} cannot be read. Put it into the folder letters beside protocol.toml; one comes with "
            "the program, in data/letters."
        ) from None


def create_environment(finalize: Callable[[Any], Any], *, autoescape: bool) -> SandboxedEnvironment:
    """The environment in which templates are filled: they can use the given fields and nothing else. `finalize`
    converts each value that is inserted."""
    return SandboxedEnvironment(autoescape=autoescape, undefined=StrictUndefined, finalize=finalize)


@contextmanager
def naming_errors(file: str, fields: Collection[str], *, editor: str, expected: str) -> Iterator[None]:
    """Turn any error in the block into a TemplateError, with the template's name and the fix. `editor` is the program
    to use, such as "in Word"; `expected` is what the file should be, and how to save it so."""
    try:
        yield
    except TemplateError:
        raise
    except UndefinedError as error:
        match = re.search(r"'([^']{1,40})' is undefined", error.message or "")
        name = match[1] if match else "see the words between braces"
        raise TemplateError(
            f"The template {file} has an unknown field: {name}. Correct it {editor}; the fields are "
            f"{', '.join(fields)}."
        ) from None
    except TemplateSyntaxError as error:
        raise TemplateError(
            f"The template {file} has an incomplete field: {error.message}. Write each {editor} as "
            "{{ pupil }}: two braces before and after, and nothing else between them."
        ) from None
    except Exception:  # a file of another kind, or a field's expression, can raise anything
        raise TemplateError(
            f"The template {file} cannot be read as {expected}, or put back the one that comes with the program."
        ) from None


_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_text(value: Any) -> str:
    """A field's text without characters that documents cannot hold. Changes of the writing direction are ended at the
    end of the text."""
    words = _UNPRINTABLE.sub("", str(value))
    for opening, closing in (("\u2066\u2067\u2068", "\u2069"), ("\u202a\u202b\u202d\u202e", "\u202c")):
        words += closing * max(0, sum(words.count(sign) for sign in opening) - words.count(closing))
    return words
