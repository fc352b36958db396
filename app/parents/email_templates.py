"""The templates of emails to families: text files beside the templates of letters, one for each kind and language.

The first line of a template is the email's subject. The fields are those of the letters.
"""

from typing import Any, NamedTuple

from jinja2 import StrictUndefined

from app.parents.templates import Fields, TemplateError, clean_text, create_environment, load_template, naming_errors
from app.vocabulary.terms import FamilyEmailKind


class EmailText(NamedTuple):
    """The text of an email."""

    subject: str
    body: str


def render_email(kind: FamilyEmailKind, language: str, fields: Fields) -> EmailText:
    """An email from its template. Raises TemplateError, with the template's name and the fix, if the template is
    wrong."""
    file = f"{kind}.{language}.txt"
    content = load_template(file)
    with naming_errors(file, fields, editor="in a text editor", expected="text. Save it as UTF-8"):
        template = content.decode("utf-8-sig").replace("\r\n", "\n")
        environment = create_environment(_as_typed, autoescape=False)
        heading, _, text = template.strip().partition("\n")
        subject, body = (environment.from_string(part).render(fields).strip() for part in (heading, text))
    if not subject or not body:
        raise TemplateError(f"The template {file} is incomplete. Write the subject into its first line, then the text.")
    return EmailText(" ".join(subject.split()), body + "\n")


def _as_typed(value: Any) -> Any:
    return value if isinstance(value, StrictUndefined) else clean_text(value)
