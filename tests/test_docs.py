"""The documents agree with the code."""

from pathlib import Path

import click
import pytest

from app.__main__ import cli
from app.access.policy import list_grants
from app.log_questions import QUESTIONS, Question
from app.protocol.clauses import CLAUSES
from app.records.logs import COLUMNS
from app.vocabulary.roles import Resource

DOCS = Path(__file__).parent.parent / "docs"


def test_list_grants_gives_the_table_in_the_documents() -> None:
    words = (DOCS / "access.md").read_text(encoding="utf-8").partition("## Every way in")[0]
    rows = [line for line in words.splitlines() if line.startswith("| ") and not line.startswith(("| what |", "| ---"))]
    assert rows == [
        f"| {resource.label} | {role.label if role else 'every member of staff'} | {scope.label} |"
        for resource in Resource
        for role, scope in list_grants(resource)
    ]


def test_commands_page_lists_every_command() -> None:
    words = (DOCS / "commands.md").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        children = command.commands if isinstance(command, click.Group) else {}
        for told in [f"{name} {child}" for child in children] or [name]:
            assert f"`{told}" in words, told


def test_every_column_of_a_log_is_listed() -> None:
    words = (DOCS / "columns.md").read_text(encoding="utf-8")
    assert [column for column in COLUMNS if f"`{column}`" not in words] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_question_of_a_log_is_listed_with_its_answers(question: Question) -> None:
    if question.answers is None:
        answers = "text"
    elif question.is_yes_no:
        answers = "yes/no"
    elif question.other_words:
        answers = ", ".join(f"`{answer}`" for answer in question.answers if answer != "other") + " or other text"
    else:
        answers = ", ".join(f"`{answer}`" for answer in question.answers)
    words = (DOCS / "columns.md").read_text(encoding="utf-8")
    assert f"| `{question.name}` | {answers} |" in words.splitlines()


def test_every_clause_has_a_title_and_says_what_decides() -> None:
    for clause in CLAUSES.values():
        assert clause.title
        assert clause.words.endswith(".")
        assert clause.decided_by
