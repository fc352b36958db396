"""Log a session: the calls to log, the form, and what each answer means for the protocol."""

import uuid
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.access.forms import get_own_log, list_calls_to_log, list_pupils_to_choose, list_staff_to_choose
from app.access.plans import list_plans
from app.formatting import how_many, moment
from app.intake.logs import Entered, enter_log, preview_entered_log
from app.log_questions import CONCERN, QUESTIONS
from app.protocol.clauses import title_of
from app.records import log_form
from app.records.log_form import Form
from app.records.rows import RejectedRow
from app.reports import governors
from app.sessions import planning
from app.ui import session_fields
from app.ui.drafts import Draft
from app.ui.labels import EVIDENCE_WORDS, OUTCOME_WORDS
from app.ui.lists import wrapped_table
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import card, card_button, download, link
from app.vocabulary import Page

school, person = require(Page.LOG)
draft = Draft(school, person, "log")
state = st.session_state
_SAVED = f"log saved {person.staff_id}"
_SAVE = "save the log"
_MOST_CALLS = 5  # listed at once


def start(values: Form) -> None:
    """Begin the form with these values."""
    draft.begin(values)
    state.pop(_SAVED, None)


def ask() -> bool:
    """Show the form, with only the questions that the purpose and the answers so far make relevant. Returns whether
    "No issues" was pressed."""
    session_fields.ask_purpose(draft, "What was it for?")
    session_fields.ask_pupils(draft, list_pupils_to_choose(school, person))
    session_fields.ask_times(draft, school.today(), last=school.today())
    if not log_form.has_essentials(draft.values):
        note("Choose the purpose, pupils and times; the questions follow.")
        return False
    if log_form.is_one_to_one(school.settings, draft.values):
        ask_about_one_to_one()
    place = st.container()
    last = ["concern", *(question.name for question in QUESTIONS if question.only_if is CONCERN), "notes"]
    others = [question.name for question in QUESTIONS if question.name not in ("reason", *last)]
    with st.expander("All questions", expanded=not draft.values.get("folded"), key=draft.key("questions")):
        ask_questions(others)
    ask_questions(last)
    with place:
        return offer_expected_answers()


def ask_questions(names: list[str]) -> None:
    for name in names:  # an answer may make the next question relevant
        if name in [question.name for question in log_form.list_questions(school.settings, draft.values)]:
            session_fields.ask_question(draft, name)


def ask_about_one_to_one() -> None:
    st.subheader("One-to-one")
    session_fields.ask_question(draft, "reason")
    log = planning.read_plan(school, as_row(), planned=False)
    accepted = {} if isinstance(log, RejectedRow) else planning.find_second_members(school, person, log)
    session_fields.ask_second_members(draft, accepted, "Which second member of the pastoral team was invited?")
    staff = list_staff_to_choose(school, person)
    session_fields.ask_other_members(draft, accepted, staff[staff["email"] != person.email])


def as_row() -> dict[str, str]:
    return log_form.as_row(school.settings, draft.values, person.email)


def offer_expected_answers() -> bool:
    """Show a button that answers every open question, and beforehand the answers that it would record. Returns whether
    it was pressed."""
    expected = log_form.expected_answers(school.settings, draft.values)
    if not expected:
        return False
    with st.container(border=True):
        pressed = st.button("No issues", icon=":material/done_all:", key=draft.key("usual"))
        note(f"This will record: {', '.join(log_form.describe_answers(expected))}.")
    return pressed


def fill_in_expected_answers() -> None:
    expected = log_form.expected_answers(school.settings, draft.values)
    start(draft.values | expected | {"folded": True})


def preview() -> bool:
    """Show what the answers so far mean for the protocol. Returns whether the log can be saved."""
    if state.get(_SAVE):
        return True  # it is being saved, and shown once it is
    st.subheader("What this means for the protocol")
    if not log_form.has_essentials(draft.values):
        note("Results appear as you answer.")
        return False
    outcomes = preview_entered_log(school, as_row())
    if isinstance(outcomes, RejectedRow):
        session_fields.show_fault(outcomes)
        return False
    broken, gaps = outcomes[outcomes["outcome"] == "breach"], outcomes[outcomes["outcome"] == "no_evidence"]
    good = outcomes["outcome"].isin(["met", "exempt"]).sum()
    if broken.empty and gaps.empty:
        st.success(f"All {how_many(good, 'check')} met.", icon=":material/check:")
    for row in broken.itertuples():
        write_html("<b>✗ {title}</b><br>{reason}", title=title_of(row.clause), reason=row.reason)
    if len(gaps):
        write_html("<b>? Not answered yet:</b> {clauses}", clauses=", ".join(title_of(c) for c in gaps["clause"]))
    if good and not (broken.empty and gaps.empty):
        note(f"✓ {how_many(good, 'check')} met or exempt.")
    by_source = log_form.answers_by_source(school.settings, draft.values)
    for source, answers in zip(("The call record shows", "You answered"), by_source, strict=True):
        if answers:
            words = "; ".join(log_form.describe_answers(answers))
            write_html("<b>{source}:</b> {words}.", source=source, words=words)
    return True


def show_saved(entered: Entered, waiting: pd.DataFrame) -> None:
    """Show that the log is saved, the next call to log, and how the session was judged."""
    st.success("Logged." if entered.new else "Already saved.", icon=":material/check:")
    rows = pd.DataFrame() if entered.judged is None else entered.judged.query("outcome != 'not_applicable'")
    if len(rows):
        checks = how_many(len(rows), "check")
        broken, gaps = ((rows["outcome"] == outcome).sum() for outcome in ("breach", "no_evidence"))
        if broken or gaps:
            breaches = how_many(broken, "breach", "breaches")
            write_html("{checks}: {breaches}, {gaps} without evidence.", checks=checks, breaches=breaches, gaps=gaps)
        else:
            write_html("All {checks} met.", checks=checks)
    if len(waiting):
        list_calls(waiting)
    if len(rows):
        st.header("Checks")
        listing = {
            "Clause": rows["clause"].map(title_of),
            "Outcome": rows["outcome"].map(OUTCOME_WORDS),
            "Evidence": rows["evidence"].map(EVIDENCE_WORDS),
            "Reason": rows["reason"],
        }
        wrapped_table(pd.DataFrame(listing), "How the session was judged", "the logged session")
    with st.container(horizontal=True):
        link(Page.SESSIONS, "Open the session", query={"session": str(entered.session_id)})
        st.button("Log another", icon=":material/add:", on_click=start, args=({},))


def list_calls(waiting: pd.DataFrame) -> None:
    """Show the calls that are not logged, the newest first, each with a button that opens its form."""
    st.header("Calls to log")
    if waiting.empty:
        st.write("All your calls are logged.")
        return
    write_html("{calls} with pupils to log.", calls=how_many(len(waiting), "call"))
    for row in waiting.head(_MOST_CALLS).itertuples():
        due = "overdue" if pd.isna(row.due_at) else f"due {moment(row.due_at)}"
        planned = " · planned" if row.session_id in plan_of else ""
        place = card("<b>{row.started_at}</b> · {due}{planned}<br>{row.pupils}", row=row, due=due, planned=planned)
        key = f"log call {row.session_id} {_SAVED in state}"
        card_button(place, "Log this call", "edit_note", key, partial(start, from_call(row)))
    if len(waiting) > _MOST_CALLS:
        older = how_many(len(waiting) - _MOST_CALLS, "older call")
        write_html("{older} will be listed as you log these.", older=older)


def from_call(call: Any) -> Form:
    """The form values for a call: those of its plan, replaced by what the call record shows."""
    return from_plan(plan_of.get(call.session_id, "")) | log_form.from_call(call)


def from_plan(ref: str) -> Form:
    """The form values that a plan supplies for its log; none if there is no such plan."""
    matches = plans[plans["ref"] == ref]
    return planning.create_log_form(next(matches.itertuples())) if len(matches) else {}


def list_plans_without_call() -> None:
    """Show planned sessions that are over but have no call record so far."""
    over = plans[(plans["ended_at"] < school.now()) & ~plans["ref"].isin(plan_of.values())]
    for row in over.itertuples():
        place = card("<b>{row.started_at}</b> · planned, no call record yet<br>{row.pupils}", row=row)
        begin = partial(start, from_plan(row.ref))
        card_button(place, "Log this session", "edit_note", f"log plan {row.ref}", begin)
        delete = partial(planning.delete_plan, school, person, row.ref)
        place.button("Did not take place", key=f"drop plan {row.ref}", type="tertiary", on_click=delete)


def open_from_query() -> None:
    """Open the form for the call, or for the log to correct, that the query of the address names."""
    if (number := st.query_params.get("call")) and len(matches := waiting[waiting["session_id"].astype(str) == number]):
        start(from_call(next(matches.itertuples())))
        del st.query_params["call"]
    if (ref := st.query_params.get("correct")) and (own := get_own_log(school, person, ref)):
        start(log_form.from_log(own))
        del st.query_params["correct"]


def show_form() -> None:
    """Show the form of a log, and the calls to log."""
    draft.values.setdefault("ref", f"F-{uuid.uuid4().hex[:12]}")
    correcting = bool(draft.values.get("correcting"))
    if not draft.values.get("call") and not correcting:
        list_calls(waiting)
        list_plans_without_call()
    st.header("Correct a log" if correcting else "Log")
    left, right = st.columns([3, 2], gap="large")
    with left:
        fields = st.empty()
        with fields.container():
            pressed = ask()
        if pressed:  # show the form again in this run: a second one would lose a click on "Save log" just after
            fill_in_expected_answers()
            with fields.container():
                ask()
        reason = draft.ask_line("why", "Reason for the correction") if correcting else None
    with right, st.container(border=True):
        ready = preview()
        if st.button(
            "Save log", type="primary", disabled=not ready, icon=":material/save:", width="stretch", key=_SAVE
        ) and save(reason):
            return
        st.button("Clear form", type="tertiary", on_click=clear)
    form = partial(governors.create_blank_log, school)
    download("Blank form to print, for use offline", form, "blank log.pdf", "print", type="tertiary")
    draft.store()


def clear() -> None:
    """Clear the form, unless it is being saved: both buttons may be pressed before the page runs."""
    if not state.get(_SAVE):
        draft.drop()


def save(reason: str | None) -> bool:
    """Save the log. Returns whether it could be saved."""
    outcome = enter_log(school, as_row(), person.staff_id, reason)
    if isinstance(outcome, RejectedRow):
        session_fields.show_fault(outcome)
        return False
    if draft.values.get("plan"):
        planning.delete_plan(school, person, draft.values["plan"])
    draft.drop()
    state[_SAVED] = outcome
    return True


st.title("Log a session")
waiting = list_calls_to_log(school, person)
plans = list_plans(school, person)
plan_of = planning.match_plans_with_calls(school, waiting, plans) if len(waiting) and len(plans) else {}
open_from_query()
# Replace the form by the saved log in the same run, because a second run would make people wait twice.
place = st.empty()
if _SAVED not in state:
    with place.container():
        show_form()
    waiting = list_calls_to_log(school, person) if _SAVED in state else waiting
if _SAVED in state:
    with place.container():
        show_saved(state[_SAVED], waiting)
