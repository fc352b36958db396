"""The fields that the pages Log a session and Plan a session share. Each writes its answer into the form's draft (see
`app.records.log_form`)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from app.intake.logs import CORRECTION_REASON
from app.log_questions import QUESTIONS
from app.records.rows import RejectedRow
from app.ui.drafts import Draft, label_pupils, label_staff
from app.vocabulary import Purpose

_QUESTIONS = {question.name: question for question in QUESTIONS}

# The columns of a log's file as the screen names them.
_LABELS = {
    **{question.name: question.label for question in QUESTIONS},
    "started_at": "The start",
    "ended_at": "The end",
    "pupil_emails": "Pupils",
    CORRECTION_REASON: "The reason for the correction",
}

MAX_PUPILS = 60
_MAX_CHARACTERS = 10_000
_MAX_BUTTONS = 6


def show_fault(rejected: RejectedRow) -> None:
    """Show why the form cannot be used yet."""
    column = _LABELS.get(rejected.column or "", rejected.column or "")
    st.warning(f"{column} {rejected.reason}: {rejected.fix}.", icon=":material/edit:")


def ask_question(draft: Draft, name: str) -> None:
    """Ask a question of the log. Text that is none of its answers is shown as "other", and kept unchanged."""
    question, key, given = _QUESTIONS[name], draft.key(name), draft.values.get(name) or ""
    if question.answers is None:
        draft.values[name] = st.text_area(
            question.words, given, key=key, max_chars=_MAX_CHARACTERS, help=question.help or None
        )
        return
    options = [answer.value for answer in question.answers]
    default = given if given in options else "other" if given and "other" in options else None
    shown: dict[str, Any] = {"format_func": question.answer_label, "key": key, "help": question.help or None}
    if len(options) > _MAX_BUTTONS:
        index = options.index(default) if default else None
        picked = st.selectbox(question.words, options, index=index, **shown)
    else:
        picked = st.segmented_control(question.words, options, default=default, **shown)
    draft.values[name] = given if picked == "other" and given not in options and given else picked or ""


def ask_purpose(draft: Draft, question: str) -> None:
    """Ask for the session's purpose: one of the protocol's, or something else as text."""
    given = draft.values.get("purpose", "")
    named = Purpose.named(given)
    picked = st.segmented_control(
        question,
        [purpose.value for purpose in Purpose],
        format_func=lambda word: Purpose(word).label,
        default=named.value if given else None,
        key=draft.key("purpose"),
    )
    if picked == Purpose.OTHER:
        words = given if named is Purpose.OTHER else ""
        draft.values["purpose"] = st.text_input("What exactly?", words, key=draft.key("other"))
    else:
        draft.values["purpose"] = picked or ""


def ask_pupils(draft: Draft, pupils: pd.DataFrame) -> None:
    most = max(MAX_PUPILS, len(draft.values.get("pupils", [])))  # so that "Select all" cannot pick the whole school
    draft.ask_several("pupils", "Pupils", label_pupils(pupils, "email"), placeholder="Type a name", max_selections=most)


def ask_times(draft: Draft, default: date, first: date | None = None, last: date | None = None) -> None:
    """Ask for day, start and end, in school time; `default` is the day if none was given."""
    given = date.fromisoformat(draft.values.get("day") or str(default))
    draft.values["day"] = str(min(max(given, first or given), last or given))
    left, middle, right = st.columns(3)
    with left:
        draft.ask_day("day", "Day", min_value=first, max_value=last)
    with middle:
        draft.ask_time("from", "From")
    with right:
        draft.ask_time("to", "To")


def ask_second_members(draft: Draft, accepted: Mapping[str, str], question: str) -> None:
    """Ask which people were invited whom the protocol accepts as second member (by email, with a description)."""
    given = draft.values.get("second", [])
    picked = st.pills(
        question,
        list(accepted),
        selection_mode="multi",
        format_func=accepted.__getitem__,
        key=draft.key(f"second {' '.join(accepted)}"),
        default=[email for email in given if email in accepted],
    )
    draft.values["second"] = [*picked, *(email for email in given if email not in accepted)]


def ask_other_members(draft: Draft, accepted: Mapping[str, str], staff: pd.DataFrame) -> None:
    """Ask which of the other staff were invited."""
    given = draft.values["second"]
    others = label_staff(staff[~staff["email"].isin(accepted.keys())], "email")
    invited = st.multiselect(
        "Anybody else who was invited (optional)",
        list(others),
        default=[email for email in given if email in others],
        format_func=others.__getitem__,
        key=draft.key("others"),
        placeholder="Type a name",
    )
    draft.values["second"] = [*(email for email in given if email in accepted), *invited]
