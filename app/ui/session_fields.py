"""The fields that the pages Log a session and Plan a session ask alike. Each puts what was answered into the form
(see `app.log_form`); the number `n` of a form names its widgets, so that a new form has new ones."""

from collections.abc import Mapping
from datetime import date, time

import pandas as pd
import streamlit as st

from app.records.log_form import CHOICES, QUESTIONS, YES_NO, Form
from app.ui.labels import PURPOSE_WORDS

# How a column of a log's file is called on the screen.
LABELS = {"started_at": "The start", "ended_at": "The end", "pupil_emails": "Pupils", "why": "The reason"}

MOST_PUPILS = 60


def choose(form: Form, name: str, n: str) -> str:
    """A question with its answers; none chosen is no answer. Other words than the answers' stay as they were."""
    options = CHOICES.get(name, YES_NO)
    given = form.get(name) or ""
    default = (given if given in options else "other" if "other" in options else None) if given else None
    picked = st.segmented_control(
        QUESTIONS[name], list(options), format_func=options.__getitem__, default=default, key=f"{name} {n}"
    )
    form[name] = given if picked == "other" and given not in options and given else picked or ""
    return form[name]


def purpose(form: Form, n: str, question: str) -> None:
    """What the session is for: one of the protocol's purposes, or something else in words."""
    given = form.get("purpose", "")
    picked = st.segmented_control(
        question,
        [*PURPOSE_WORDS, "other"],
        format_func=lambda p: PURPOSE_WORDS.get(p, "Something else"),
        default=(given if given in PURPOSE_WORDS else "other") if given else None,
        key=f"purpose {n}",
    )
    if picked == "other":
        form["purpose"] = st.text_input("What exactly?", "" if given in PURPOSE_WORDS else given, key=f"other {n}")
    else:
        form["purpose"] = picked or ""


def pupils(form: Form, people: pd.DataFrame, n: str) -> None:
    """Which pupils, by name."""
    names = {row.email: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}
    given = [email for email in form.get("pupils", []) if email in names]
    # With so many at most, a slip on "Select all" does not put the whole school into one session.
    form["pupils"] = st.multiselect(
        "Pupils", list(names), default=given, format_func=lambda e: names.get(e, e), key=f"pupils {n}",
        placeholder="Type a name", max_selections=max(MOST_PUPILS, len(given)),
    )  # fmt: skip


def times(form: Form, n: str, otherwise: date, first: date | None = None, last: date | None = None) -> None:
    """Day, start and end, in school time; `otherwise` is the day where none was given."""
    left, middle, right = st.columns(3)
    given = date.fromisoformat(form["day"]) if form.get("day") else otherwise
    given = min(max(given, first or given), last or given)
    day = left.date_input("Day", given, min_value=first, max_value=last, key=f"day {n}", format="DD/MM/YYYY")
    began, ended = (
        place.time_input(label, time.fromisoformat(form[name]) if form.get(name) else None, key=f"{name} {n}", step=300)
        for place, label, name in ((middle, "From", "from"), (right, "To", "to"))
    )
    form["day"] = day.isoformat() if isinstance(day, date) else ""
    form["from"], form["to"] = (f"{t:%H:%M}" if t else "" for t in (began, ended))


def second_members(form: Form, right: Mapping[str, str], n: str, question: str) -> None:
    """Whom of those who are the right second members (by email, in words)."""
    picked = st.pills(
        question, list(right), selection_mode="multi", format_func=right.__getitem__,
        key=f"second {' '.join(right)} {n}", default=[email for email in form.get("second", []) if email in right],
    )  # fmt: skip
    form["second"] = [*picked, *(email for email in form.get("second", []) if email not in right)]


def other_members(form: Form, right: Mapping[str, str], staff: pd.DataFrame, n: str) -> None:
    """Whom of the rest of the staff."""
    known = {row.email: f"{row.name} · {row.department}" for row in staff.itertuples() if row.email not in right}
    others = st.multiselect(
        "Somebody else who was invited (not needed)", list(known), default=[e for e in form["second"] if e in known],
        format_func=known.__getitem__, key=f"others {n}", placeholder="Type a name",
    )  # fmt: skip
    form["second"] = [*(email for email in form["second"] if email in right), *others]
