"""The tables that can be imported, and what each of their columns holds: for templates, mappings and the screens."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.log_questions import QUESTIONS, Question
from app.records.fields import YES_NO
from app.records.logs import LOGS_TABLE
from app.records.people.roster import ROSTER_TABLES
from app.records.registers import CONSENTS_TABLE, LETTERS_TABLE
from app.records.tables.tabular import Expected
from app.vocabulary.roles import Role
from app.vocabulary.terms import ConsentKind, Labelled, LetterKind, Purpose, YesNo
from app.vocabulary.words import fold

TABLES: dict[str, Expected] = ROSTER_TABLES | {"logs": LOGS_TABLE, "letters": LETTERS_TABLE, "consents": CONSENTS_TABLE}
LISTS = frozenset(("roles", "year_groups", "houses", "contact_emails", "pupil_emails", "second_staff_emails"))

Values = tuple[tuple[str, str], ...]  # words with their labels
_YES_NO: Values = tuple((answer.value, answer.label) for answer in YesNo)
_LANGUAGES: Values = (("en", "English"), ("cy", "Welsh"))


@dataclass(frozen=True)
class Column:
    """A column of a table.

    - `meaning`: what it holds, in words; `example`: a cell of an example row
    - `values`: the values that it takes, each with its label; if empty, it takes any text
    - `other_words`: whether it also takes text that is not in `values`
    - `is_required`: whether a table must have it
    - `is_list`: whether a cell may hold several values, separated by ";"
    """

    name: str
    meaning: str
    example: str
    values: Values = ()
    other_words: bool = False
    is_required: bool = False
    is_list: bool = False

    def find_value(self, word: str) -> str | None:
        """The value that a word in a file stands for: the word may be the value itself, its label, or a synonym of yes
        or no. None if it is none of these."""
        folded = fold(word).replace("_", " ")
        if folded in YES_NO and ("yes", "Yes") in self.values:
            return "yes" if YES_NO[folded] else "no"
        for value, label in self.values:
            if folded in (fold(value).replace("_", " "), fold(label)):
                return value
        return None


def _list_values(words: Iterable[Labelled]) -> Values:
    return tuple((word.value, word.label) for word in words if word.value != "other")


# What each column holds, and an example. The people are obviously fictional.
_MEANINGS: dict[str, dict[str, tuple[str, str]]] = {
    "schools": {
        "code": ("A short name of the school, by which the other tables refer to it", "EXAMPLE"),
        "name": ("The school's name", "Example School"),
        "senior": ("Whether it is a senior school", "yes or no"),
        "email_domain": ("What the school's addresses end with", "school.example"),
    },
    "staff": {
        "email": ("The address that the person signs in with", "e.example@school.example"),
        "name": ("The person's name", "Enid Example"),
        "school": ("The school's code", "EXAMPLE"),
        "department": ("The department", "English"),
        "roles": ("The person's roles", "teacher;hoy"),
        "year_groups": ("The year groups of a Head of Year", "9"),
        "houses": ("The houses of a Head of House", ""),
        "entra_id": ("The Entra object id, by which the person is known for ever", ""),
    },
    "pupils": {
        "email": ("The address that the pupil signs in with", "s.sample@school.example"),
        "name": ("The pupil's name", "Siôn Sample"),
        "school": ("The school's code", "EXAMPLE"),
        "year_group": ("The year group", "9"),
        "house": ("The house", "Example House"),
        "tutor_email": ("The tutor's address, as in the table of staff", "e.example@school.example"),
        "entra_id": ("The Entra object id, by which the pupil is known for ever", ""),
        "contact_emails": ("Parents or guardians with responsibility for the pupil", "sample.family@home.example"),
        "language": ("The language of letters home", "cy"),
    },
    "logs": {
        "ref": ("A reference of the log. Blank: the program gives it one", ""),
        "staff_email": ("Who held the session", "e.example@school.example"),
        "pupil_emails": ("The pupils of the session", "s.sample@school.example"),
        "purpose": ("Why it was held", "academic"),
        "started_at": ("When it started, in the school's time zone", "2026-11-03T14:05"),
        "ended_at": ("When it ended", "2026-11-03T14:35"),
        "second_staff_emails": ("Other staff who were invited", ""),
    },
    "letters": {
        "pupil_email": ("The pupil whose parents were written to", "s.sample@school.example"),
        "kind": ("Which letter", "introduction"),
        "sent_on": ("The day on which it was sent", "2026-09-07"),
    },
    "consents": {
        "pupil_email": ("The pupil whose parents agreed", "s.sample@school.example"),
        "kind": ("To what they agreed", "outside_hours"),
        "covers_from": ("From when it holds", "2026-09-07"),
        "covers_to": ("Until when it holds", "2026-12-11"),
        "reason": ("Why it was asked for", "Music tuition before school"),
        "obtained_at": ("When it was given. Blank: not yet", "2026-09-04T10:00"),
        "given_by": ("Who gave it", "Sara Sample, mother"),
        "slt_informed_at": ("When SLT was informed", "2026-09-04T12:00"),
    },
}

_VALUES: dict[tuple[str, str], Values] = {
    ("schools", "senior"): _YES_NO,
    ("staff", "roles"): tuple((role.value, role.label) for role in Role),
    ("pupils", "language"): _LANGUAGES,
    ("logs", "purpose"): _list_values(Purpose),
    ("letters", "kind"): _list_values(LetterKind),
    ("consents", "kind"): _list_values(ConsentKind),
}


def _describe_question(question: Question) -> Column:
    values = _list_values(question.answers or ())
    expected = str(question.expected[0])
    other = question.other_words or question.answers is None
    return Column(question.name, question.words, expected, values, other)


def _describe(kind: str, name: str) -> Column:
    meaning, example = _MEANINGS[kind][name]
    values = _VALUES.get((kind, name), ())
    is_required = name in TABLES[kind].required
    return Column(name, meaning, example, values, name == "purpose", is_required, name in LISTS)


def _list_columns(kind: str) -> dict[str, Column]:
    questions = {question.name: question for question in QUESTIONS} if kind == "logs" else {}
    return {
        name: _describe_question(questions[name]) if name in questions else _describe(kind, name)
        for name in TABLES[kind].columns
    }


COLUMNS: dict[str, dict[str, Column]] = {kind: _list_columns(kind) for kind in TABLES}
