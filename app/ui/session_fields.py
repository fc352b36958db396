"""The fields that the pages Log a session and Plan a session share. Each writes what was answered into the form (see
`app.records.log_form`); the number `n` of a form names its widgets, so that a new form has new ones."""

from collections.abc import Mapping
from datetime import date, time

import pandas as pd
import streamlit as st

from app.intake.logs import CORRECTION_REASON
from app.log_questions import QUESTIONS
from app.records.log_form import Form
from app.records.rows import RejectedRow
from app.vocabulary import Purpose

_QUESTIONS = {question.name: question for question in QUESTIONS}

# The column of a log's file as the screen names it.
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
    """Why the form cannot be used yet."""
    column = _LABELS.get(rejected.column or "", rejected.column or "")
    st.warning(f"{column} {rejected.reason}: {rejected.fix}.", icon=":material/edit:")


def choose(form: Form, name: str, n: str) -> str:
    """A question with its answers; none chosen is no answer. Words other than the answers' stay as they were."""
    question, key, given = _QUESTIONS[name], f"{name} {n}", form.get(name) or ""
    explanation = question.help or None
    if question.answers is None:
        form[name] = st.text_area(question.words, given, key=key, max_chars=_MAX_CHARACTERS, help=explanation)
        return str(form[name])
    options = [answer.value for answer in question.answers]
    default = (given if given in options else "other" if "other" in options else None) if given else None
    picked: str | None
    if len(options) > _MAX_BUTTONS:
        index = options.index(default) if default else None
        picked = st.selectbox(
            question.words, options, index=index, format_func=question.answer_label, key=key, help=explanation
        )
    else:
        picked = st.segmented_control(
            question.words, options, default=default, format_func=question.answer_label, key=key, help=explanation
        )
    form[name] = given if picked == "other" and given not in options and given else picked or ""
    return str(form[name])


def purpose(form: Form, n: str, question: str) -> None:
    """What the session is for: one of the protocol's purposes, or something else in words."""
    given = form.get("purpose", "")
    named = Purpose.named(given)
    picked = st.segmented_control(
        question,
        [purpose.value for purpose in Purpose],
        format_func=lambda word: Purpose(word).label,
        default=named.value if given else None,
        key=f"purpose {n}",
    )
    if picked == Purpose.OTHER:
        form["purpose"] = st.text_input("What exactly?", given if named is Purpose.OTHER else "", key=f"other {n}")
    else:
        form["purpose"] = picked or ""


def pupils(form: Form, people: pd.DataFrame, n: str) -> None:
    """Which pupils, by name."""
    names = {row.email: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}
    given = [email for email in form.get("pupils", []) if email in names]
    form["pupils"] = st.multiselect(
        "Pupils",
        list(names),
        default=given,
        format_func=lambda email: names.get(email, email),
        key=f"pupils {n}",
        placeholder="Type a name",
        max_selections=max(MAX_PUPILS, len(given)),  # so that "Select all" cannot pick the whole school
    )


def times(form: Form, n: str, default: date, first: date | None = None, last: date | None = None) -> None:
    """Day, start and end, in school time; `default` is the day if none was given."""
    left, middle, right = st.columns(3)
    given = date.fromisoformat(form["day"]) if form.get("day") else default
    given = min(max(given, first or given), last or given)
    day = left.date_input("Day", given, min_value=first, max_value=last, key=f"day {n}", format="DD/MM/YYYY")
    started, ended = (
        place.time_input(label, time.fromisoformat(form[name]) if form.get(name) else None, key=f"{name} {n}", step=300)
        for place, label, name in ((middle, "From", "from"), (right, "To", "to"))
    )
    form["day"] = day.isoformat() if isinstance(day, date) else ""
    form["from"], form["to"] = (f"{clock:%H:%M}" if clock else "" for clock in (started, ended))


def second_members(form: Form, right: Mapping[str, str], n: str, question: str) -> None:
    """Who of those whom the protocol accepts as second member (by email, with a description) was invited."""
    picked = st.pills(
        question,
        list(right),
        selection_mode="multi",
        format_func=right.__getitem__,
        key=f"second {' '.join(right)} {n}",
        default=[email for email in form.get("second", []) if email in right],
    )
    form["second"] = [*picked, *(email for email in form.get("second", []) if email not in right)]


def other_members(form: Form, right: Mapping[str, str], staff: pd.DataFrame, n: str) -> None:
    """Who of the rest of the staff was invited."""
    known = {row.email: f"{row.name} · {row.department}" for row in staff.itertuples() if row.email not in right}
    others = st.multiselect(
        "Anybody else who was invited (optional)",
        list(known),
        default=[email for email in form["second"] if email in known],
        format_func=known.__getitem__,
        key=f"others {n}",
        placeholder="Type a name",
    )
    form["second"] = [*(email for email in form["second"] if email in right), *others]
