"""Log a session: calls still to log, the form, and at once what each answer means for the protocol."""

import uuid
from datetime import date, datetime, time
from typing import Any

import pandas as pd
import streamlit as st

from app import access
from app.concerns import CATEGORIES
from app.intake import Entered, Refused, enter_log, foresee_log
from app.screen import EVIDENCE_WORDS, OUTCOME_WORDS, PURPOSE_WORDS, TITLES, aside, moment, require, say, table

_YES_NO = {"yes": "Yes", "no": "No"}
_CHOICES = {
    "cameras_on": {"yes": "Yes", "no": "No", "no_camera": "There is no camera", "objected": "They objected"},
    "room": {"public": "A room where adults come and go", "bedroom": "A bedroom", "other": "Another room"},
    "bedroom_reason": {"quarantine": "Quarantine", "only_room": "The only room that serves", "other": "Another reason"},
    "reason": {"safeguarding": "Safeguarding", "continuity": "Continuity of pastoral care", "routine": "Routine check-up", "other": "Another"},
    "platform": {"teams": "Teams", "other": "Another"},
    "account": {"school": "My school account", "personal": "A personal account"},
}  # fmt: skip
_QUESTIONS = {
    "platform": "Which platform?", "account": "Which account?", "staff_opened": "Did you open the call?",
    "staff_ended": "Did you end the call, with no pupil left in it?", "pupil_left_alone": "Was a pupil ever alone in the call?",
    "cameras_on": "Did pupils have their cameras on?", "dress_ok": "Was everybody dressed appropriately?",
    "background_ok": "Was the background neutral or blurred?", "room": "Where was the pupil?",
    "bedroom_reason": "Why a bedroom?", "door_open": "Was the door open?", "recorded": "Did you record it?",
    "recording_announced": "Were pupils told at the start?", "recording_on_team": "Is the recording on the Team?",
    "cameras_off_offered": "Could pupils turn their cameras off?", "private_recording": "Did anybody make a private recording?",
    "reason": "Why a one-to-one?", "adult_present": "Was an adult in the house?",
    "adult_introduced": "Did the adult introduce themselves on camera?", "adult_permission": "Did the adult give permission?",
    "home_alone": "Was the child home alone and too young for it?", "concern": "Did a safeguarding concern arise?",
}  # fmt: skip
_IN_ORDER = {
    "platform": "teams", "account": "school", "staff_opened": "yes", "staff_ended": "yes", "pupil_left_alone": "no",
    "cameras_on": "yes", "dress_ok": "yes", "background_ok": "yes", "room": "public", "recorded": "no",
    "private_recording": "no", "concern": "no",
}  # fmt: skip

school, person = require("log")
state = st.session_state


def start(values: dict[str, Any]) -> None:
    """A form with these values; its widgets are new ones."""
    state["log form"] = {"ref": f"F-{uuid.uuid4().hex[:12]}"} | values
    state["log number"] = state.get("log number", 0) + 1
    state.pop("log done", None)


def from_call(row: Any) -> dict[str, Any]:
    def said(answer: Any) -> str:
        return "" if pd.isna(answer) else "yes" if answer else "no"

    return {
        "day": row.started_at.date().isoformat(), "from": f"{row.started_at:%H:%M}", "to": f"{row.ended_at:%H:%M}",
        "pupils": row.pupil_emails.split(";"), "staff_opened": said(row.staff_opened),
        "staff_ended": said(row.staff_ended), "pupil_left_alone": said(row.pupil_left_alone),
        "recorded": said(row.recorded), "platform": "teams", "account": "school", "call": int(row.session_id),
    }  # fmt: skip


def from_log(log: dict[str, str]) -> dict[str, Any]:
    began, ended = datetime.fromisoformat(log["started_at"]), datetime.fromisoformat(log["ended_at"])
    return log | {
        "day": began.date().isoformat(), "from": f"{began:%H:%M}", "to": f"{ended:%H:%M}",
        "pupils": log["pupil_emails"].split(";"), "second": [e for e in log["second_staff_emails"].split(";") if e],
        "correcting": True,
    }  # fmt: skip


def choose(name: str) -> str:
    """A question with its answers; none chosen is no answer."""
    form = state["log form"]
    options = _CHOICES.get(name, _YES_NO)
    given = form.get(name) or None
    if given and given not in options:
        given = "other" if "other" in options else None
    picked = st.segmented_control(
        _QUESTIONS[name],
        list(options),
        format_func=options.__getitem__,
        default=given,
        key=f"log {name} {state['log number']}",
    )
    form[name] = picked or ""
    return form[name]


def ask(people: pd.DataFrame, staff: pd.DataFrame) -> None:
    """The form: only what the purpose makes relevant."""
    form, n = state["log form"], state["log number"]
    purposes = [*PURPOSE_WORDS, "other"]
    purpose = form.get("purpose", "")
    picked = st.segmented_control(
        "What was it for?",
        purposes,
        format_func=lambda p: PURPOSE_WORDS.get(p, "Something else"),
        default=(purpose if purpose in PURPOSE_WORDS else "other") if purpose else None,
        key=f"log purpose {n}",
    )
    if picked == "other":
        form["purpose"] = st.text_input(
            "What was it?", purpose if purpose not in PURPOSE_WORDS else "", key=f"log other {n}"
        )
    else:
        form["purpose"] = picked or ""
    names = {row.email: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}
    form["pupils"] = st.multiselect(
        "Pupils", list(names), default=[e for e in form.get("pupils", []) if e in names], format_func=lambda e: names.get(e, e),
        key=f"log pupils {n}", placeholder="Type a name",
    )  # fmt: skip
    left, middle, right = st.columns(3)
    day = left.date_input(
        "Day",
        date.fromisoformat(form["day"]) if form.get("day") else school.today(),
        max_value=school.today(),
        key=f"log day {n}",
        format="DD/MM/YYYY",
    )
    began = middle.time_input(
        "From", time.fromisoformat(form["from"]) if form.get("from") else None, key=f"log from {n}", step=300
    )
    ended = right.time_input(
        "To", time.fromisoformat(form["to"]) if form.get("to") else None, key=f"log to {n}", step=300
    )
    form["day"] = day.isoformat() if isinstance(day, date) else ""
    form["from"], form["to"] = (f"{t:%H:%M}" if t else "" for t in (began, ended))
    if not form["purpose"] or not form["pupils"] or not began or not ended:
        aside("With purpose, pupils and times given, the questions follow.")
        return
    if st.button(
        "All was in order: answer the usual way",
        icon=":material/done_all:",
        key=f"log usual {n}",
        help="Fills every question; change what was different.",
    ):
        start(form | _IN_ORDER | (_IN_ORDER_ONE_TO_ONE if one_to_one(form) else {}))
        st.rerun()
    for name in (
        "platform",
        "account",
        "staff_opened",
        "staff_ended",
        "pupil_left_alone",
        "cameras_on",
        "dress_ok",
        "background_ok",
    ):
        choose(name)
    if form["purpose"] != "counselling" and choose("room") == "bedroom":
        choose("bedroom_reason")
        choose("door_open")
    if choose("recorded") == "yes":
        for name in ("recording_announced", "recording_on_team", "cameras_off_offered"):
            choose(name)
    choose("private_recording")
    if one_to_one(form):
        st.subheader("Because it was a one-to-one")
        choose("reason")
        known = {row.email: f"{row.name} · {row.department}" for row in staff.itertuples() if row.email != person.email}
        form["second"] = st.multiselect(
            "Which second member of the pastoral team was invited?", list(known), default=[e for e in form.get("second", []) if e in known],
            format_func=lambda e: known.get(e, e), key=f"log second {n}", placeholder="Type a name",
        )  # fmt: skip
        for name in ("adult_present", "adult_introduced", "adult_permission", "home_alone"):
            choose(name)
    if choose("concern") == "yes":
        form["concern_summary"] = st.text_area(
            "The concern, in a sentence or two: it goes to the DSP",
            form.get("concern_summary", ""),
            key=f"log summary {n}",
            max_chars=10_000,
        )
        chosen = form.get("concern_category")
        form["concern_category"] = (
            st.selectbox(
                "What kind?",
                list(CATEGORIES),
                index=list(CATEGORIES).index(chosen) if chosen in CATEGORIES else None,
                format_func=CATEGORIES.__getitem__,
                key=f"log category {n}",
            )
            or ""
        )
    form["notes"] = st.text_area("Notes (not needed)", form.get("notes", ""), key=f"log notes {n}", max_chars=10_000)


_IN_ORDER_ONE_TO_ONE = {
    "reason": "routine",
    "adult_present": "yes",
    "adult_introduced": "yes",
    "adult_permission": "yes",
    "home_alone": "no",
}


def one_to_one(form: dict[str, Any]) -> bool:
    """Whether the questions of one-to-ones are asked."""
    remote = any(str(p.from_) <= form["day"] <= str(p.to) for p in school.settings.remote_learning)
    return form["purpose"] == "pastoral" and len(form["pupils"]) == 1 and remote


def cells(form: dict[str, Any]) -> dict[str, str]:
    """The form as a row of a log file."""
    answers = {
        name: form.get(name, "") or ""
        for name in (*_QUESTIONS, "purpose", "notes", "concern_summary", "concern_category")
    }
    if answers["room"] != "bedroom":
        answers |= {"bedroom_reason": "", "door_open": ""}
    if answers["recorded"] != "yes":
        answers |= dict.fromkeys(("recording_announced", "recording_on_team", "cameras_off_offered"), "")
    if answers["concern"] != "yes":
        answers |= {"concern_summary": "", "concern_category": ""}
    if not one_to_one(form):
        answers |= dict.fromkeys(("reason", "adult_present", "adult_introduced", "adult_permission", "home_alone"), "")
    return answers | {
        "ref": form["ref"], "staff_email": person.email, "pupil_emails": ";".join(form["pupils"]),
        "started_at": f"{form['day']}T{form['from']}", "ended_at": f"{form['day']}T{form['to']}",
        "second_staff_emails": ";".join(form.get("second", [])) if one_to_one(form) else "",
    }  # fmt: skip


def meaning(form: dict[str, Any]) -> bool:
    """What the answers mean for the protocol, so far; whether the log can be sent."""
    st.subheader("What this means for the protocol")
    if not (form.get("purpose") and form.get("pupils") and form.get("from") and form.get("to")):
        aside("It shows here while you answer.")
        return False
    found = foresee_log(school, cells(form))
    if isinstance(found, Refused):
        fault(found)
        return False
    broken, gaps = found[found["outcome"] == "breach"], found[found["outcome"] == "no_evidence"]
    good = found[found["outcome"].isin(["met", "exempt"])]
    if broken.empty and gaps.empty:
        st.success(f"Every clause that applies is kept ({len(good)}).", icon=":material/check:")
    for row in broken.itertuples():
        say("<b>✗ {title}</b><br>{reason}", title=TITLES[row.clause], reason=row.reason)
    if len(gaps):
        say("<b>? Not answered yet:</b> {clauses}", clauses=", ".join(TITLES[c] for c in gaps["clause"]).lower())
    if len(good) and not (broken.empty and gaps.empty):
        aside(f"✓ {len(good)} clauses kept, or covered by an exception.")
    return True


def fault(refused: Refused) -> None:
    column = {"ended_at": "The end", "started_at": "The start", "pupil_emails": "Pupils", "why": "The reason"}.get(
        refused.column or "", refused.column or ""
    )
    st.warning(f"{column} {refused.why}: {refused.mend}.", icon=":material/edit:")


def done(entered: Entered) -> None:
    """The log was kept: how it was judged."""
    st.success("Logged." if entered.new else "This log was kept already; nothing was doubled.", icon=":material/check:")
    view = access.session(school, person, entered.session_id)
    if view is not None:
        rows = view.clauses[view.clauses["outcome"] != "not_applicable"]
        broken = rows[rows["outcome"] == "breach"]
        say("{n} clauses apply, {broken} not kept.", n=len(rows), broken=len(broken) or "none")
        table(
            pd.DataFrame({"Clause": rows["title"], "Outcome": rows["outcome"].map(OUTCOME_WORDS), "Evidence": rows["evidence"].map(EVIDENCE_WORDS), "Reason": rows["reason"]}),
            "How the session was judged", "the logged session", height="content",
        )  # fmt: skip
    with st.container(horizontal=True):
        st.page_link(
            "pages/sessions.py",
            label="Open the session",
            icon=":material/groups:",
            query_params={"session": str(entered.session_id)},
        )
        if st.button("Log another", icon=":material/add:"):
            start({})
            st.rerun()


st.title("Log a session")
waiting = access.calls_to_log(school, person)

if "log form" not in state or state.get("log who") != person.staff_id:
    state["log who"] = person.staff_id
    start(access.draft(school, person, "log") or {})
if (wanted := st.query_params.get("call")) and not waiting[waiting["session_id"].astype(str) == wanted].empty:
    start(from_call(next(waiting[waiting["session_id"].astype(str) == wanted].itertuples())))
    del st.query_params["call"]
if (wanted := st.query_params.get("correct")) and (own := access.own_log(school, person, wanted)):
    start(from_log(own))
    del st.query_params["correct"]

if "log done" in state:
    done(state["log done"])
    st.stop()

st.header("Calls to log")
if waiting.empty:
    st.write("None: every call of yours is logged.")
else:
    say("{n} of your calls with pupils are not logged yet.", n=len(waiting))
    for row in waiting.head(5).itertuples():
        with st.container(border=True):
            left, right = st.columns([4, 1], vertical_alignment="center")
            late = "the time to log it has passed" if pd.isna(row.due_at) else f"to be logged by {moment(row.due_at)}"
            with left:
                say("<b>{when}</b> · {late}<br>{pupils}", when=moment(row.started_at), pupils=row.pupils, late=late)
            if right.button(
                "Log this call", key=f"log call {row.session_id}", icon=":material/edit_note:", width="stretch"
            ):
                start(from_call(row))
                st.rerun()
    if len(waiting) > 5:
        say("And {n} older ones; they come up as you log these.", n=len(waiting) - 5)

form = state["log form"]
st.header("Correct a log" if form.get("correcting") else "The log")
left, right = st.columns([3, 2], gap="large")
with left:
    ask(access.pupils_to_choose(school, person), access.staff_to_choose(school, person))
    why = (
        st.text_input("Why is it corrected?", key=f"log why {state['log number']}") if form.get("correcting") else None
    )
with right, st.container(border=True):
    ready = meaning(form)
    if st.button("Send the log", type="primary", disabled=not ready, icon=":material/send:", width="stretch"):
        outcome = enter_log(school, cells(form), person.staff_id, why)
        if isinstance(outcome, Entered):
            access.keep_draft(school, person, "log", None)
            state["log done"] = outcome
            st.rerun()
        for refused in outcome:
            fault(refused)
    if st.button("Empty the form", type="tertiary"):
        access.keep_draft(school, person, "log", None)
        start({})
        st.rerun()
if form != state.get("log kept") and len(form) > 1:
    access.keep_draft(school, person, "log", form)
    state["log kept"] = dict(form)
