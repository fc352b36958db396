"""The fields shared by the pages Log a session and Plan a session. Each writes its answer into the form's draft (see
`app.records.log_form`)."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.intake.logs import CORRECTION_REASON
from app.log_questions import QUESTIONS
from app.records.rows import RejectedRow
from app.ui.drafts import Draft, label_pupils, label_staff
from app.ui.text import as_plain_text, show_refusal
from app.vocabulary.terms import Purpose

_QUESTIONS = {question.name: question for question in QUESTIONS}

# What the screen calls the columns of a log's file.
_LABELS = {
    **{question.name: question.label for question in QUESTIONS},
    "started_at": "The start",
    "ended_at": "The end",
    "pupil_emails": "Pupils",
    CORRECTION_REASON: "The reason for the correction",
}

_MAX_CHARACTERS = 10_000
_MAX_BUTTONS = 6


def show_fault(rejected: RejectedRow) -> None:
    """Show why the form cannot be used yet."""
    column = _LABELS.get(rejected.column or "", rejected.column or "")
    show_refusal(f"{column} {rejected.reason}: {rejected.fix}.")


def ask_question(draft: Draft, name: str, place: str = "") -> None:
    """Ask a question of the log. An answer that is not one of its options is shown as "other" and kept unchanged. A
    question that may appear at several places of the form has a box for each `place`."""
    question, key, given = _QUESTIONS[name], draft.key(f"{name}{place}"), draft.values.get(name) or ""
    if question.answers is None:
        typed = st.text_area(question.words, given, key=key, max_chars=_MAX_CHARACTERS, help=question.help or None)
        draft.store_box(key, typed, partial(draft.values.__setitem__, name))
        return
    options = [answer.value for answer in question.answers]
    default = given if given in options else "other" if given and "other" in options else None
    shown: dict[str, Any] = {"format_func": question.answer_label, "key": key, "help": question.help or None}
    if len(options) > _MAX_BUTTONS:
        index = options.index(default) if default else None
        picked = st.selectbox(question.words, options, index=index, filter_mode="contains", **shown)
    else:
        picked = st.segmented_control(question.words, options, default=default, wrap=True, **shown)
    other = given if given not in options else ""
    draft.store_box(key, picked, partial(_set_answer, draft.values, name, other))


def _set_answer(values: dict[str, Any], name: str, other: str, picked: str | None) -> None:
    values[name] = other if picked == "other" and other else picked or ""


def ask_purpose(draft: Draft, question: str) -> None:
    """Ask for the session's purpose: one of the protocol's, or another as text."""
    given, key = draft.values.get("purpose", ""), draft.key("purpose")
    named = Purpose.named(given)
    picked = st.segmented_control(
        question,
        [purpose.value for purpose in Purpose],
        format_func=lambda word: Purpose(word).label,
        default=named.value if given else None,
        key=key,
        wrap=True,
    )
    draft.store_box(key, picked, partial(_set_purpose, draft.values))
    if picked == Purpose.OTHER:
        key = draft.key("other")
        typed = st.text_input("What exactly?", given if named is Purpose.OTHER else "", key=key)
        draft.store_box(key, typed, partial(_set_other_purpose, draft.values))


def _set_purpose(values: dict[str, Any], picked: str | None) -> None:
    if picked != Purpose.OTHER:
        values["purpose"] = picked or ""
    elif Purpose.named(values.get("purpose", "")) is not Purpose.OTHER:
        values["purpose"] = ""


def _set_other_purpose(values: dict[str, Any], typed: str | None) -> None:
    if Purpose.named(values["purpose"]) is Purpose.OTHER:
        values["purpose"] = typed or ""


def ask_pupils(draft: Draft, pupils: pd.DataFrame) -> None:
    draft.ask_several("pupils", "Pupils", label_pupils(pupils, "email"), placeholder="Type a name")


def ask_times(draft: Draft, default: date, first: date | None = None, last: date | None = None) -> None:
    """Ask for the day, start and end, in school time. `default` is the day if none has been chosen; `first` and `last`
    limit it."""
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
    """Ask who was invited among the people whom the protocol accepts as second member. `accepted` has a description of
    each, by email."""
    given, key = draft.values.get("second", []), draft.key(f"second {' '.join(accepted)}")
    picked = st.pills(
        question,
        list(accepted),
        selection_mode="multi",
        format_func=lambda email: as_plain_text(accepted[email]),  # pills run Markdown
        key=key,
        default=[email for email in given if email in accepted],
        wrap=True,
    )
    draft.store_box(key, picked, partial(_set_second_members, draft.values, accepted, accepted_were_asked=True))


def ask_other_members(draft: Draft, accepted: Mapping[str, str], staff: pd.DataFrame) -> None:
    """Ask who was invited among the other staff."""
    given, key = draft.values["second"], draft.key("others")
    others = label_staff(staff[~staff["email"].isin(accepted.keys())], "email")
    invited = st.multiselect(
        "Anybody else who was invited (optional)",
        list(others),
        default=[email for email in given if email in others],
        format_func=others.__getitem__,
        key=key,
        placeholder="Type a name",
        select_all=False,
        filter_mode="contains",
        wrap=True,
    )
    draft.store_box(key, invited, partial(_set_second_members, draft.values, accepted, accepted_were_asked=False))


def _set_second_members(
    values: dict[str, Any], accepted: Mapping[str, str], picked: list[str], *, accepted_were_asked: bool
) -> None:
    """Store who was invited: replace those whom the protocol accepts, or the others, by those picked."""
    others = [email for email in values.get("second", []) if (email in accepted) is not accepted_were_asked]
    values["second"] = [*picked, *others] if accepted_were_asked else [*others, *picked]
