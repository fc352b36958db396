"""The form of a log: which questions it asks, which answers it expects, and the form as a row of a log file.

A form holds only what JSON can, so that it can be stored as a draft:

- `ref`: the reference of the log; `correcting`: whether the form corrects a log
- `call`: the id of the session of an unlogged call
- `purpose`; `proposed`: the purpose that the program suggested
- `pupils` and `second`: lists of emails
- `day` ("2026-11-03"), `from` and `to` ("14:05"): in school time
- `past_midnight`: whether the session ended on the next day
- each question's name: the answer in the words of a log file, "" if not answered
- `shown`: the answers that the call record gave
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from app.log_questions import CONCERN, ONE_TO_ONE, QUESTIONS, Question
from app.vocabulary.terms import Account, ConcernCategory, Platform, Purpose, YesNo

Form = dict[str, Any]

_SHOWN_BY_CALL = ("staff_opened", "staff_ended", "pupil_left_alone", "cameras_on", "recorded")


def from_call(row: Any) -> Form:
    """The form for a row of `list_calls_to_log`, with the likely purpose and the answers that the call record shows."""
    shown = {name: _as_word(getattr(row, name)) for name in _SHOWN_BY_CALL}
    account = Account.SCHOOL.value if _as_word(row.school_account) == YesNo.YES else ""
    shown |= {"platform": Platform.TEAMS.value, "account": account}
    ended = max(row.ended_at, row.started_at.floor("min") + pd.Timedelta(minutes=1))
    form: Form = shown | _format_times(row.started_at, ended)
    pupils = row.pupil_emails.split(";") if row.pupil_emails else []
    second = row.staff_emails.split(";") if row.staff_emails else []
    form |= {"purpose": row.purpose, "proposed": row.purpose, "pupils": pupils, "second": second}
    return form | {"call": int(row.session_id), "shown": shown}


def _as_word(answer: Any) -> str:
    return "" if pd.isna(answer) else YesNo.YES.value if answer else YesNo.NO.value


def from_log(log: Mapping[str, str]) -> Form:
    """The form for correcting a log."""
    times = _format_times(datetime.fromisoformat(log["started_at"]), datetime.fromisoformat(log["ended_at"]))
    pupils, second = (
        [email for email in log[name].split(";") if email] for name in ("pupil_emails", "second_staff_emails")
    )
    return dict(log) | times | {"pupils": pupils, "second": second, "correcting": True}


def _format_times(started_at: datetime, ended_at: datetime) -> Form:
    return {
        "day": started_at.date().isoformat(),
        "from": f"{started_at:%H:%M}",
        "to": f"{ended_at:%H:%M}",
        "past_midnight": ended_at.date() > started_at.date(),
    }


def has_essentials(form: Form) -> bool:
    """Whether purpose, pupils and times are filled in: which questions are asked depends on them."""
    return all(form.get(name) for name in ("purpose", "pupils", "day", "from", "to"))


def is_with_one_pupil(form: Form) -> bool:
    """Whether the session is pastoral and has one pupil: a one-to-one if that pupil is in remote learning that day."""
    return form["purpose"] == Purpose.PASTORAL and len(form["pupils"]) == 1


def is_home_alone(form: Form, *, one_to_one: bool) -> bool:
    """Whether the form says that a child who is not old enough was home alone, which reports a concern."""
    return one_to_one and form.get("home_alone") == YesNo.YES


def _with_concern(form: Form, *, one_to_one: bool) -> Form:
    """The form; if a child was home alone, with a concern and its category filled in."""
    if not is_home_alone(form, one_to_one=one_to_one):
        return form
    category = form.get("concern_category") or ConcernCategory.HOME_ALONE.value
    return form | {"concern": YesNo.YES.value, "concern_category": category}


def list_questions(form: Form, *, one_to_one: bool) -> list[Question]:
    """The questions to ask: they depend on the form's purpose, on its other answers and on `one_to_one`."""
    form = _with_concern(form, one_to_one=one_to_one)
    purpose = Purpose.named(form["purpose"])
    questions: dict[str, Question] = {}
    for question in QUESTIONS:
        needed = question.only_if
        if needed is None:
            is_asked = True
        elif needed is ONE_TO_ONE:
            is_asked = one_to_one
        else:
            is_asked = needed.question in questions and form.get(needed.question) == needed.answer
        if is_asked and purpose in question.purposes:
            questions[question.name] = question
    return list(questions.values())


def expected_answers(form: Form, *, one_to_one: bool) -> Form:
    """The answers that a session without issues has to the questions that are not answered yet."""
    form = _with_concern(form, one_to_one=one_to_one)
    expected = {question.name: question.expected[0] for question in list_questions(form, one_to_one=one_to_one)}
    return {name: str(answer) for name, answer in expected.items() if answer and not form.get(name)}


def describe_answers(answers: Mapping[str, str]) -> list[str]:
    """Each answer as text: an expected one as a statement ("you opened the call"), any other as question and answer."""
    words = []
    for question in QUESTIONS:
        if answer := answers.get(question.name):
            expected, expected_words = question.expected
            is_expected = answer == expected
            words.append(expected_words if is_expected else f"{question.words} {question.answer_label(answer)}")
    return words


def answers_by_source(form: Form, *, one_to_one: bool) -> tuple[Form, Form]:
    """The answers so far that rules can judge: those that the call record shows, and those that a person gave."""
    form = _with_concern(form, one_to_one=one_to_one)
    judged = [question.name for question in list_questions(form, one_to_one=one_to_one) if question.is_judged]
    answers = {name: form[name] for name in judged if form.get(name)}
    shown = {name: answer for name, answer in answers.items() if form.get("shown", {}).get(name) == answer}
    return shown, {name: answer for name, answer in answers.items() if name not in shown}


def as_row(form: Form, staff_email: str, *, one_to_one: bool) -> dict[str, str]:
    """The form as a row of a log file, by column. Answers to questions that are not asked are left blank."""
    form = _with_concern(form, one_to_one=one_to_one)
    relevant = {question.name for question in list_questions(form, one_to_one=one_to_one)}
    second = form.get("second", []) if one_to_one else []
    # Only if the call record or the earlier log ran past midnight; otherwise an end before the start is a mistake.
    nights = timedelta(days=1 if form.get("past_midnight") and form["to"] <= form["from"] else 0)
    last_day = date.fromisoformat(form["day"]) + nights
    return {
        "ref": form["ref"],
        "staff_email": staff_email,
        "pupil_emails": ";".join(form["pupils"]),
        "purpose": form["purpose"],
        "started_at": f"{form['day']}T{form['from']}",
        "ended_at": f"{last_day}T{form['to']}",
        "second_staff_emails": ";".join(second),
        **{q.name: (form.get(q.name) or "") if q.name in relevant else "" for q in QUESTIONS},
    }


def list_printed_questions() -> list[dict[str, Any]]:
    """The questions of the printed form, in groups: `heading` (when they are asked; "" if always), `one_to_one`, and
    `questions`, each with its `words` and `answers` (empty for free text). Notes, and the questions about a concern,
    are left out: the printed form has a place of its own for them."""
    groups: dict[str, dict[str, Any]] = {}
    for question in QUESTIONS:
        condition = question.only_if
        if question.name == "notes" or condition is CONCERN:
            continue
        heading = condition.heading if condition else ""
        group = groups.setdefault(heading, {"heading": heading, "one_to_one": condition is ONE_TO_ONE, "questions": []})
        labels = [answer.label for answer in question.answers or ()]
        group["questions"].append({"words": question.words, "answers": labels})
    return list(groups.values())
