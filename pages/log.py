"""Log a session: the calls to log, the form, and what each answer means for the protocol."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from app.access import forms
from app.access.breaches import count_sessions_breached_since
from app.access.forms import (
    Dsps,
    get_own_log,
    list_calls_to_log,
    list_dsps,
    list_pupils_to_choose,
    list_staff_to_choose,
)
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
from app.ui.authority import guard
from app.ui.dialogs import confirm
from app.ui.drafts import Draft
from app.ui.dsps import list_codes, show_dsp, show_dsps, warn_without_email
from app.ui.labels import EVIDENCE_WORDS, OUTCOME_WORDS
from app.ui.lists import wrapped_table
from app.ui.sessions.logs_to_confirm import show_logs_to_confirm
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import download, link, show_confirmation
from app.vocabulary.roles import Page
from app.vocabulary.terms import ConcernCategory

school, person = require(Page.LOG)
draft = Draft(school, person, "log")
state = st.session_state
_SAVE, _FAULT = "save the log", "log not saved"
_MOST_CALLS = 8  # shown at once: two rows of cards


@dataclass(frozen=True)
class Saved:
    """A saved log, the number of the person's other sessions that show a breach since, and the DSPs alerted to the
    concern that it reports."""

    entered: Entered
    breached: int
    alerted: tuple[Dsps, ...]


# --- the calls to log ---------------------------------------------------------------------------------------


def show_calls() -> None:
    """Show the unlogged calls, newest first, and the planned sessions without a call record, each with a button that
    opens its form."""
    over = plans[(plans["ended_at"] < school.now()) & ~plans["ref"].isin(plan_of.values())]
    if waiting.empty and over.empty:
        note("All your calls are logged.")
        return
    older = f"; the newest {_MOST_CALLS} shown" if len(waiting) > _MOST_CALLS else ""
    st.subheader(f"Calls to log ({len(waiting)}{older})")
    with st.container(horizontal=True, key="calls to log"):
        for row in waiting.head(_MOST_CALLS).itertuples():
            due = "overdue" if pd.isna(row.due_at) else f"due {moment(row.due_at)}"
            show_call(row, f"{due} · planned" if row.session_id in plan_of else due)
        for row in over.itertuples():
            show_plan(row)


def show_call(row: Any, status: str) -> None:
    """Show a card with a call to log."""
    with st.container(border=True, width=210, key=f"call {row.session_id}"):
        write_html("<b>{row.started_at}</b><br>{status}<br>{row.pupils}", row=row, status=status)
        is_open = draft.values.get("call") == row.session_id
        offer_form(f"log call {row.session_id}", "Log this call", from_call(row), is_open=is_open)


def show_plan(row: Any) -> None:
    """Show a card with a planned session that has ended and has no call record so far."""
    with st.container(border=True, width=210):
        write_html("<b>{row.started_at}</b><br>planned, no call record yet<br>{row.pupils}", row=row)
        is_open = draft.values.get("plan") == row.ref
        values = planning.create_log_form(row)
        offer_form(f"log plan {row.ref}", "Log this session", values, is_open=is_open)
        if st.button("Did not take place", key=f"drop plan {row.ref}", type="tertiary"):
            confirm(
                "Delete plan",
                f"This deletes your plan for {moment(row.started_at)} with {row.pupils}, because the session did not "
                "take place.",
                partial(planning.delete_plan, school, person, row.ref),
                "Plan deleted.",
            )


def offer_form(key: str, label: str, values: Form, *, is_open: bool) -> None:
    """Show a button that opens a form. If another form has been begun, the person first confirms that it is
    discarded."""
    words = "In the form below" if is_open else label
    if not st.button(words, key=key, icon=":material/edit_note:", width="stretch", disabled=is_open):
        return
    if draft.is_changed:
        words = "You have started another log. This discards what you have entered."
        confirm("Start another log", words, partial(draft.begin, values), "", label="Discard and start")
    else:
        draft.begin(values)
        st.rerun()


def from_call(call: Any) -> Form:
    """The form's values for a call: from the call record and its plan, if there is one."""
    form, plan = log_form.from_call(call), find_plan(plan_of.get(call.session_id, ""))
    return form if plan is None else planning.fill_log_form(form, plan)


def find_plan(ref: str) -> Any:
    return next(plans[plans["ref"] == ref].itertuples(), None)


def open_from_query() -> None:
    """Open the form for the call to log, or the log to correct, that the address names."""
    if (number := st.query_params.get("call")) and len(matches := waiting[waiting["session_id"].astype(str) == number]):
        draft.begin(from_call(next(matches.itertuples())))
        del st.query_params["call"]
    if (ref := st.query_params.get("correct")) and (own := get_own_log(school, person, ref)):
        draft.begin(log_form.from_log(own))
        del st.query_params["correct"]


# --- the form -----------------------------------------------------------------------------------------------


def show_form() -> None:
    correcting = bool(draft.values.get("correcting"))
    if correcting:
        st.subheader("Correct a log")
    draft.show_restored("this log")
    left, right = st.columns([5, 3], gap="large")
    with left:
        ask()
        if correcting:
            draft.ask_line("why", "Reason for the correction")
    with right, st.container(border=True):
        ready = show_preview()
        st.button("Save log", type="primary", disabled=not ready, icon=":material/save:", width="stretch", key=_SAVE)
        st.button("Clear form", type="tertiary", on_click=guard(clear))
    form = partial(governors.create_blank_log, school)
    download("Blank form to print, for use offline", form, "blank log.pdf", "print", type="tertiary")
    draft.store()


def ask() -> None:
    """Show the form, with only the questions that are relevant by the purpose and the answers so far."""
    session_fields.ask_purpose(draft, "What was it for?")
    if (purpose := draft.values.get("proposed")) and purpose == draft.values["purpose"]:
        note("The purpose of your last log. Change it if this session was for something else.")
    pupils = list_pupils_to_choose(school, person)
    session_fields.ask_pupils(draft, pupils)
    session_fields.ask_times(draft, school.today(), last=school.today())
    if not log_form.has_essentials(draft.values):
        note("Choose the purpose, pupils and times; the questions follow.")
        return
    if is_one_to_one():
        ask_about_one_to_one()
    place = st.container()
    last = [question.name for question in QUESTIONS if question.only_if is CONCERN]
    others = [question.name for question in QUESTIONS if question.name not in ("reason", "concern", "notes", *last)]
    with st.expander("All questions", expanded=not draft.values.get("folded"), key=draft.key("questions")):
        ask_questions(others)
    if log_form.is_home_alone(draft.values, one_to_one=is_one_to_one()):
        ask_about_home_alone(pupils)
    else:
        ask_questions(["concern"])
        if set(last) & set(list_relevant()):
            show_dsps(school, person, list_codes(pupils, "email", draft.values["pupils"]))
        for name in last:
            ask_questions([name])
    ask_questions(["notes"])
    with place:
        offer_expected_answers()


def is_one_to_one() -> bool:
    """Whether the session is a one-to-one, by the answers so far."""
    form = draft.values
    return _is_one_to_one(form["purpose"], form["day"], *form["pupils"])


@cache  # for one run of the page, in which every question calls it
def _is_one_to_one(purpose: str, day: str, *pupils: str) -> bool:
    return forms.is_one_to_one(school, {"purpose": purpose, "day": day, "pupils": pupils})


def ask_questions(names: list[str]) -> None:
    """Ask those of some questions that are relevant, in columns if there are several."""
    shown: set[str] = set()
    with st.container(horizontal=True):
        while name := next((name for name in list_relevant() if name in {*names} - shown), ""):
            with st.container(width=250 if len(names) > 1 else "stretch"):
                session_fields.ask_question(draft, name)  # the answer may make the next question relevant
            shown.add(name)


def list_relevant() -> list[str]:
    return [question.name for question in log_form.list_questions(draft.values, one_to_one=is_one_to_one())]


def ask_about_one_to_one() -> None:
    st.subheader("One-to-one")
    session_fields.ask_question(draft, "reason")
    log = planning.read_plan(school, as_row(), planned=False)
    accepted = {} if isinstance(log, RejectedRow) else planning.find_second_members(school, person, log)
    session_fields.ask_second_members(draft, accepted, "Which second member of the pastoral team was invited?")
    staff = list_staff_to_choose(school, person)
    session_fields.ask_other_members(draft, accepted, staff[staff["email"] != person.email])


def ask_about_home_alone(pupils: pd.DataFrame) -> None:
    """Ask about the concern that saving the log raises."""
    with st.container(border=True):
        st.error(
            "**A child home alone.** Saving this log raises a concern with the DSP.", icon=":material/emergency_home:"
        )
        show_dsps(school, person, list_codes(pupils, "email", draft.values["pupils"]))
        draft.values["concern_category"] = draft.values.get("concern_category") or ConcernCategory.HOME_ALONE.value
        for question in QUESTIONS:
            if question.only_if is CONCERN:
                session_fields.ask_question(draft, question.name, " of a child home alone")


def as_row() -> dict[str, str]:
    return log_form.as_row(draft.values, person.email, one_to_one=is_one_to_one())


def offer_expected_answers() -> None:
    """Show a button that answers every open question, with the answers that it would record."""
    if expected := log_form.expected_answers(draft.values, one_to_one=is_one_to_one()):
        with st.container(border=True):
            st.button("No issues", icon=":material/done_all:", key=draft.key("usual"))
            note(f"This will record: {', '.join(log_form.describe_answers(expected))}.")


def show_preview() -> bool:
    """Show what the answers so far mean for the protocol. Returns whether the log can be saved."""
    st.subheader("What this means for the protocol")
    if fault := state.pop(_FAULT, None):
        session_fields.show_fault(fault)
    if not log_form.has_essentials(draft.values):
        note("Results appear as you answer.")
        return False
    outcomes = preview_entered_log(school, as_row())
    if isinstance(outcomes, RejectedRow):
        session_fields.show_fault(outcomes)
        # The text of the concern arrives only with the click on Save, so that must be possible.
        return outcomes.column == "concern_summary"
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
    by_source = log_form.answers_by_source(draft.values, one_to_one=is_one_to_one())
    for source, answers in zip(("The call record shows", "You answered"), by_source, strict=True):
        if answers:
            words = "; ".join(log_form.describe_answers(answers))
            write_html("<b>{source}:</b> {words}.", source=source, words=words)
    return True


# --- saving -------------------------------------------------------------------------------------------------


def handle_buttons() -> None:
    """Do what the form's buttons ask, before anything is drawn. Both may be pressed in one run."""
    draft.collect()
    if state.get(draft.key("usual")):
        draft.fill_in(log_form.expected_answers(draft.values, one_to_one=is_one_to_one()) | {"folded": True})
    if state.get(_SAVE) and draft.result is None and log_form.has_essentials(draft.values):
        save()


def save() -> None:
    """Save the log, or store the reason why it cannot be saved."""
    since, plan, row = school.now(), draft.values.get("plan"), as_row()
    dsps = list_dsps(school, person, list_codes(list_pupils_to_choose(school, person), "email", draft.values["pupils"]))
    entered = enter_log(school, row, person.staff_id, draft.values.get("why"))
    if isinstance(entered, RejectedRow):
        state[_FAULT] = entered
        return
    if plan:
        planning.delete_plan(school, person, plan)
    breached = count_sessions_breached_since(school, person, since, entered.session_id)
    draft.finish(Saved(entered, breached, tuple(dsps) if row["concern_summary"] else ()))


def clear() -> None:
    """Clear the form, unless it is being saved. Both buttons may be pressed before the page runs."""
    if not state.get(_SAVE):
        draft.discard()


def show_saved(saved: Saved) -> None:
    """Show that the log is saved, and how the session was judged."""
    entered = saved.entered
    rows = pd.DataFrame() if entered.judged is None else entered.judged.query("outcome != 'not_applicable'")
    words = ["Logged." if entered.new else "Already saved."]
    if len(rows):
        checks = how_many(len(rows), "check")
        broken, gaps = ((rows["outcome"] == outcome).sum() for outcome in ("breach", "no_evidence"))
        breaches = how_many(broken, "breach", "breaches")
        words.append(f"{checks}: {breaches}, {gaps} without evidence." if broken or gaps else f"All {checks} met.")
    if saved.breached:
        sessions = how_many(saved.breached, "other session")
        words.append(f"{sessions} now {'shows' if saved.breached == 1 else 'show'} a breach because of it.")
    st.success(" ".join(words), icon=":material/check:")
    show_alerted(saved.alerted)
    with st.container(horizontal=True):
        link(Page.SESSIONS, "Open the session", query={"session": str(entered.session_id)})
        st.button("Log another", icon=":material/add:", on_click=guard(partial(draft.begin, {})))
    if len(rows):
        listing = {
            "Clause": rows["clause"].map(title_of),
            "Outcome": rows["outcome"].map(OUTCOME_WORDS),
            "Evidence": rows["evidence"].map(EVIDENCE_WORDS),
            "Reason": rows["reason"],
        }
        wrapped_table(pd.DataFrame(listing), "How the session was judged", "the logged session")


def show_alerted(dsps: Collection[Dsps]) -> None:
    """Show who was alerted to the concern that the log reports."""
    if not dsps:
        return
    with st.container(border=True):
        sent = "sent to the DSP" if any(one.names for one in dsps) else "saved, but no DSP could be alerted"
        write_html(
            "<b>The concern was {sent}.</b> If the child may be in danger, telephone the DSP as well.", sent=sent
        )
        for one in dsps:
            show_dsp(one)
        warn_without_email(school)


st.title("Log a session")
show_confirmation()
handle_buttons()
waiting = list_calls_to_log(school, person)
plans = list_plans(school, person)
plan_of = planning.match_plans_with_calls(school, waiting, plans) if len(waiting) and len(plans) else {}
open_from_query()
draft.values.setdefault("ref", f"F-{uuid.uuid4().hex[:12]}")
show_calls()
show_logs_to_confirm(school, person)
if draft.result is not None:
    show_saved(draft.result)
else:
    show_form()
