"""The form of a log: its questions, what answers them, and the form as a row of a log file.

A form is what JSON can hold, so that it can be kept as a draft: `ref`; `purpose`; `pupils` and `second` (emails);
`day` ("2026-11-03"), `from` and `to` ("14:05"), school time; the answers in the words of a log file, "" where
nobody has said; in `shown` those that the call record gave; and `past_midnight`, whether it ended on the next day.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from app.settings import Settings

Form = dict[str, Any]

YES_NO = {"yes": "Yes", "no": "No"}
CHOICES = {
    "cameras_on": {"yes": "Yes", "no": "No", "no_camera": "There is no camera", "objected": "They objected"},
    "room": {"public": "A room where adults come and go", "bedroom": "A bedroom", "other": "Another room"},
    "bedroom_reason": {"quarantine": "Quarantine", "only_room": "The only room that serves", "other": "Another reason"},
    "reason": {
        "safeguarding": "Safeguarding", "continuity": "Continuity of pastoral care", "routine": "Routine check-up",
        "other": "Another",
    },
    "platform": {"teams": "Teams", "other": "Another"},
    "account": {"school": "My school account", "personal": "A personal account"},
}  # fmt: skip
QUESTIONS = {
    "platform": "Which platform?", "account": "Which account?", "staff_opened": "Did you open the call?",
    "staff_ended": "Did you end the call, with no pupil left in it?",
    "pupil_left_alone": "Was a pupil ever alone in the call?", "cameras_on": "Did pupils have their cameras on?",
    "dress_ok": "Was everybody dressed appropriately?", "background_ok": "Was the background neutral or blurred?",
    "room": "Where was the pupil?", "bedroom_reason": "Why a bedroom?", "door_open": "Was the door open?",
    "recorded": "Did you record it?", "recording_announced": "Were pupils told at the start?",
    "recording_on_team": "Is the recording on the Team?",
    "cameras_off_offered": "Could pupils turn their cameras off?",
    "private_recording": "Did anybody make a private recording?",
    "reason": "Why a one-to-one?", "adult_present": "Was an adult in the house?",
    "adult_introduced": "Did the adult introduce themselves on camera?",
    "adult_permission": "Did the adult give permission?",
    "home_alone": "Was the child home alone and too young for it?", "concern": "Did a safeguarding concern arise?",
}  # fmt: skip

_OF_RECORDING = ("recording_announced", "recording_on_team", "cameras_off_offered")
_OF_BEDROOM = ("bedroom_reason", "door_open")
_OF_ADULT = ("adult_present", "adult_introduced", "adult_permission", "home_alone")
_OF_ONE_TO_ONE = ("reason", *_OF_ADULT)
_OF_CONCERN = ("concern_summary", "concern_category")
_CALL_TELLS = ("staff_opened", "staff_ended", "pupil_left_alone", "cameras_on", "recorded")

# What was in order, and how one says it. Why there was a one-to-one, and who was invited, is no matter of order.
_IN_ORDER = {
    "platform": ("teams", "it was in Teams"), "account": ("school", "you used your school account"),
    "staff_opened": ("yes", "you opened the call"), "staff_ended": ("yes", "you ended it, with no pupil left in it"),
    "pupil_left_alone": ("no", "no pupil was ever alone in it"), "cameras_on": ("yes", "cameras were on"),
    "dress_ok": ("yes", "everybody was dressed appropriately"),
    "background_ok": ("yes", "the background was neutral or blurred"),
    "room": ("public", "the pupil was in a room where adults come and go"), "recorded": ("no", "you did not record it"),
    "recording_announced": ("yes", "pupils were told at the start that you record"),
    "recording_on_team": ("yes", "the recording is on the Team"),
    "cameras_off_offered": ("yes", "pupils could turn their cameras off"),
    "private_recording": ("no", "nobody made a private recording"),
    "adult_present": ("yes", "an adult was in the house"),
    "adult_introduced": ("yes", "the adult introduced themselves on camera"),
    "adult_permission": ("yes", "the adult gave permission"),
    "home_alone": ("no", "no child too young for it was home alone"),
    "concern": ("no", "no safeguarding concern arose"),
}  # fmt: skip


def from_call(row: Any) -> Form:
    """The form of a row of `access.calls_to_log`: what the call record shows, and nothing that it does not."""

    def said(answer: Any) -> str:
        return "" if pd.isna(answer) else "yes" if answer else "no"

    ended = max(row.ended_at, row.started_at.floor("min") + pd.Timedelta(minutes=1))
    account = "school" if said(row.school_account) == "yes" else ""
    shown = {"platform": "teams", "account": account} | {name: said(getattr(row, name)) for name in _CALL_TELLS}
    return shown | {
        "day": row.started_at.date().isoformat(), "from": f"{row.started_at:%H:%M}", "to": f"{ended:%H:%M}",
        "pupils": row.pupil_emails.split(";") if row.pupil_emails else [], "call": int(row.session_id), "shown": shown,
        "past_midnight": ended.date() > row.started_at.date(),
    }  # fmt: skip


def from_log(log: Mapping[str, str]) -> Form:
    """The form of a log that is to be corrected."""
    began, ended = datetime.fromisoformat(log["started_at"]), datetime.fromisoformat(log["ended_at"])
    return dict(log) | {
        "day": began.date().isoformat(), "from": f"{began:%H:%M}", "to": f"{ended:%H:%M}",
        "pupils": log["pupil_emails"].split(";"), "second": [e for e in log["second_staff_emails"].split(";") if e],
        "correcting": True, "past_midnight": ended.date() > began.date(),
    }  # fmt: skip


def begun(form: Form) -> bool:
    """Whether purpose, pupils and times are given, on which everything else hangs."""
    return all(form.get(name) for name in ("purpose", "pupils", "day", "from", "to"))


def one_to_one(settings: Settings, form: Form) -> bool:
    """Whether the questions of one-to-ones are asked."""
    remote = any(str(p.from_) <= form["day"] <= str(p.to) for p in settings.remote_learning)
    return form["purpose"] == "pastoral" and len(form["pupils"]) == 1 and remote


def asked(settings: Settings, form: Form) -> list[str]:
    """The questions that the form's purpose and its other answers make relevant."""
    left_out: set[str] = set()
    if form["purpose"] == "counselling":
        left_out |= {"room"}
    if form["purpose"] == "counselling" or form.get("room") != "bedroom":
        left_out |= {*_OF_BEDROOM}
    if form.get("recorded") != "yes":
        left_out |= {*_OF_RECORDING}
    if not one_to_one(settings, form):
        left_out |= {*_OF_ONE_TO_ONE}
    return [name for name in QUESTIONS if name not in left_out]


def in_order(settings: Settings, form: Form) -> Form:
    """The answers of a session that was in order, to the questions that are still open: what the call record
    shows, and what somebody has said, stays as it is."""
    return {n: _IN_ORDER[n][0] for n in asked(settings, form) if n in _IN_ORDER and not form.get(n)}


def in_words(answers: Mapping[str, str]) -> list[str]:
    """Answers as one says them: "you opened the call"; those out of order as question and answer."""
    said = []
    for name in QUESTIONS:
        if answer := answers.get(name):
            usual, words = _IN_ORDER.get(name, ("", ""))
            options = CHOICES.get(name, YES_NO)
            said.append(words if answer == usual else f"{QUESTIONS[name]} {options.get(answer, answer)}")
    return said


def answered(settings: Settings, form: Form) -> tuple[Form, Form]:
    """The answers so far: those that the call record shows, and those that somebody gave."""
    answers = {name: form[name] for name in asked(settings, form) if form.get(name)}
    shown = {name: answer for name, answer in answers.items() if form.get("shown", {}).get(name) == answer}
    return shown, {name: answer for name, answer in answers.items() if name not in shown}


def cells(settings: Settings, form: Form, staff_email: str) -> dict[str, str]:
    """The form as a row of a log file, by somebody; answers to questions that are not asked are left out."""
    relevant = asked(settings, form)
    answers = {name: (form.get(name) or "") if name in relevant else "" for name in QUESTIONS}
    concern = {name: (form.get(name) or "") if form.get("concern") == "yes" else "" for name in _OF_CONCERN}
    second = form.get("second", []) if one_to_one(settings, form) else []
    # Only where the call, or the log before, ran past midnight: elsewhere an end before the start is a slip.
    nights = timedelta(days=1 if form.get("past_midnight") and form["to"] <= form["from"] else 0)
    last_day = date.fromisoformat(form["day"]) + nights
    return answers | concern | {
        "ref": form["ref"], "staff_email": staff_email, "pupil_emails": ";".join(form["pupils"]),
        "purpose": form["purpose"], "notes": form.get("notes") or "", "second_staff_emails": ";".join(second),
        "started_at": f"{form['day']}T{form['from']}", "ended_at": f"{last_day}T{form['to']}",
    }  # fmt: skip


def on_paper() -> list[dict[str, Any]]:
    """The questions on paper, in groups: `when` they are asked ("": always), and of each `question` its `answers`."""
    groups = {
        "": [n for n in QUESTIONS if n not in (*_OF_BEDROOM, *_OF_RECORDING, *_OF_ONE_TO_ONE)],
        "If it was in a bedroom": _OF_BEDROOM,
        "If it was recorded": _OF_RECORDING,
        "If it was a pastoral one-to-one during remote learning": _OF_ONE_TO_ONE,
    }
    return [
        {
            "when": when,
            "questions": [{"question": QUESTIONS[n], "answers": list(CHOICES.get(n, YES_NO).values())} for n in names],
        }
        for when, names in groups.items()
    ]
