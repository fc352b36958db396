"""Log a session: the calls to log, the form, and what each answer means for the protocol."""

import uuid
from typing import Any

import pandas as pd
import streamlit as st

from app.access.forms import get_draft, get_own_log, list_calls_to_log, list_pupils_to_choose, list_staff_to_choose
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
from app.sessions.drafts import save_draft
from app.ui import session_fields
from app.ui.labels import EVIDENCE_WORDS, OUTCOME_WORDS
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import table
from app.vocabulary import Page

school, person = require(Page.LOG)
state = st.session_state
_SAVE = "save the log"
_MOST_CALLS = 5  # listed at once


def start(values: Form) -> None:
    """A form with these values; its widgets are new ones."""
    state["log form"] = {"ref": f"F-{uuid.uuid4().hex[:12]}"} | values
    state["log number"] = state.get("log number", 0) + 1
    state.pop("log done", None)


def ask(form: Form) -> None:
    """The form: only what the purpose and the answers so far make relevant."""
    n = f"log {state['log number']}"
    session_fields.purpose(form, n, "What was it for?")
    session_fields.pupils(form, list_pupils_to_choose(school, person), n)
    session_fields.times(form, n, school.today(), last=school.today())
    if not log_form.has_essentials(form):
        note("Choose the purpose, pupils and times; the questions follow.")
        return
    if log_form.is_one_to_one(school.settings, form):
        ask_about_one_to_one(form, n)
    offer_expected_answers(form)
    last = ["concern", *(question.name for question in QUESTIONS if question.only_if is CONCERN), "notes"]
    others = [question.name for question in QUESTIONS if question.name not in ("reason", *last)]
    with st.expander("All questions", expanded=not form.get("folded"), key=f"questions {n}"):
        ask_questions(form, others, n)
    ask_questions(form, last, n)


def ask_questions(form: Form, names: list[str], n: str) -> None:
    for name in names:  # an answer may make the next question relevant
        if name in [question.name for question in log_form.list_questions(school.settings, form)]:
            session_fields.choose(form, name, n)


def ask_about_one_to_one(form: Form, n: str) -> None:
    st.subheader("One-to-one")
    session_fields.choose(form, "reason", n)
    log = planning.read(school, log_form.as_row(school.settings, form, person.email), planned=False)
    right = {} if isinstance(log, RejectedRow) else planning.second_members(school, person, log)
    session_fields.second_members(form, right, n, "Which second member of the pastoral team was invited?")
    staff = list_staff_to_choose(school, person)
    session_fields.other_members(form, right, staff[staff["email"] != person.email], n)


def offer_expected_answers(form: Form) -> None:
    """One click answers everything that is not answered yet; what it records is shown before."""
    expected = log_form.expected_answers(school.settings, form)
    if not expected:
        return
    with st.container(border=True):
        if st.button("No issues", icon=":material/done_all:", key=f"usual {state['log number']}"):
            start(form | expected | {"folded": True})
            st.rerun()
        note(f"This will record: {', '.join(log_form.describe_answers(expected))}.")


def preview(form: Form) -> bool:
    """What the answers so far mean for the protocol; whether the log can be saved."""
    if state.get(_SAVE):
        return True  # it is being saved, and shown once it is
    st.subheader("What this means for the protocol")
    if not log_form.has_essentials(form):
        note("Results appear as you answer.")
        return False
    found = preview_entered_log(school, log_form.as_row(school.settings, form, person.email))
    if isinstance(found, RejectedRow):
        session_fields.show_fault(found)
        return False
    broken, gaps = found[found["outcome"] == "breach"], found[found["outcome"] == "no_evidence"]
    good = found["outcome"].isin(["met", "exempt"]).sum()
    if broken.empty and gaps.empty:
        st.success(f"All {how_many(good, 'check')} met.", icon=":material/check:")
    for row in broken.itertuples():
        write_html("<b>✗ {title}</b><br>{reason}", title=title_of(row.clause), reason=row.reason)
    if len(gaps):
        write_html("<b>? Not answered yet:</b> {clauses}", clauses=", ".join(title_of(c) for c in gaps["clause"]))
    if good and not (broken.empty and gaps.empty):
        note(f"✓ {how_many(good, 'check')} met or exempt.")
    by_source = log_form.answers_by_source(school.settings, form)
    for source, answers in zip(("The call record shows", "You answered"), by_source, strict=True):
        if answers:
            words = "; ".join(log_form.describe_answers(answers))
            write_html("<b>{source}:</b> {words}.", source=source, words=words)
    return True


def show_saved(entered: Entered, waiting: pd.DataFrame) -> None:
    """That the log is saved, the next call to log, and how the session was judged."""
    st.success("Logged." if entered.new else "Already saved.", icon=":material/check:")
    rows = pd.DataFrame() if entered.judged is None else entered.judged.query("outcome != 'not_applicable'")
    if len(rows):
        broken, gaps = ((rows["outcome"] == outcome).sum() for outcome in ("breach", "no_evidence"))
        if broken or gaps:
            write_html(
                "{checks}: {broken}, {gaps} without evidence.",
                checks=how_many(len(rows), "check"),
                broken=how_many(broken, "breach", "breaches"),
                gaps=gaps,
            )
        else:
            write_html("All {checks} met.", checks=how_many(len(rows), "check"))
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
        table(pd.DataFrame(listing), "How the session was judged", "the logged session", height="content")
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


def list_calls(waiting: pd.DataFrame) -> None:
    """The calls that are not logged, the newest first, each a click away from its form."""
    st.header("Calls to log")
    if waiting.empty:
        st.write("All your calls are logged.")
        return
    write_html("{calls} with pupils to log.", calls=how_many(len(waiting), "call"))
    for row in waiting.head(_MOST_CALLS).itertuples():
        with st.container(border=True):
            left, right = st.columns([4, 1], vertical_alignment="center")
            with left:
                write_html(
                    "<b>{when}</b> · {due}{planned}<br>{pupils}",
                    when=moment(row.started_at),
                    due="overdue" if pd.isna(row.due_at) else f"due {moment(row.due_at)}",
                    planned=" · planned" if row.session_id in plan_of else "",
                    pupils=row.pupils,
                )
            if right.button(
                "Log this call",
                key=f"log call {row.session_id} {'log done' in state}",
                icon=":material/edit_note:",
                width="stretch",
            ):
                start(from_call(row))
                st.rerun()
    if len(waiting) > _MOST_CALLS:
        older = how_many(len(waiting) - _MOST_CALLS, "older call")
        write_html("{older} will be listed as you log these.", older=older)


def from_call(call: Any) -> Form:
    """The form of a call: what was planned, and over it what the call record shows."""
    return from_plan(plan_of.get(call.session_id, "")) | log_form.from_call(call)


def from_plan(ref: str) -> Form:
    """What a plan of this reference brings to its log; nothing, if there is none."""
    found = plans[plans["ref"] == ref]
    return planning.for_log(next(found.itertuples())) if len(found) else {}


def list_plans_without_call() -> None:
    """Sessions that were planned and are over, without a call record so far."""
    over = plans[(plans["ended_at"] < school.now()) & ~plans["ref"].isin(plan_of.values())]
    for row in over.itertuples():
        with st.container(border=True):
            left, right = st.columns([4, 1], vertical_alignment="center")
            with left:
                write_html(
                    "<b>{when}</b> · planned, no call record yet<br>{pupils}",
                    when=moment(row.started_at),
                    pupils=row.pupils,
                )
            if right.button(
                "Log this session", key=f"log plan {row.ref}", icon=":material/edit_note:", width="stretch"
            ):
                start(from_plan(row.ref))
                st.rerun()
            if right.button("Did not take place", key=f"drop plan {row.ref}", type="tertiary"):
                planning.delete_plan(school, person, row.ref)
                st.rerun()


def open_form() -> None:
    """Start with the draft, or with what the address names."""
    if "log form" not in state or state.get("log who") != person.staff_id:
        state["log who"] = person.staff_id
        start(get_draft(school, person, "log") or {})
    if (wanted := st.query_params.get("call")) and len(found := waiting[waiting["session_id"].astype(str) == wanted]):
        start(from_call(next(found.itertuples())))
        del st.query_params["call"]
    if (wanted := st.query_params.get("correct")) and (own := get_own_log(school, person, wanted)):
        start(log_form.from_log(own))
        del st.query_params["correct"]


def show_form() -> None:
    """The form of a log, and the calls to log; `log done` in the state once it is saved."""
    form = state["log form"]
    correcting = bool(form.get("correcting"))
    if not form.get("call") and not correcting:
        list_calls(waiting)
        list_plans_without_call()
    st.header("Correct a log" if correcting else "Log")
    left, right = st.columns([3, 2], gap="large")
    with left:
        ask(form)
        reason = (
            st.text_input("Reason for the correction", key=f"log why {state['log number']}") if correcting else None
        )
    with right, st.container(border=True):
        ready = preview(form)
        if st.button(
            "Save log", type="primary", disabled=not ready, icon=":material/save:", width="stretch", key=_SAVE
        ):
            save(form, reason)
            if "log done" in state:
                return
        if st.button("Clear form", type="tertiary"):
            save_draft(school, person, "log", None)
            start({})
            st.rerun()
    st.download_button(
        "Blank form to print, for use offline",
        lambda: governors.blank_log(school),
        "blank log.pdf",
        "application/pdf",
        icon=":material/print:",
        type="tertiary",
        on_click="ignore",
    )
    if form != state.get("log saved") and len(form) > 1:
        save_draft(school, person, "log", form)
        state["log saved"] = dict(form)


def save(form: Form, reason: str | None) -> None:
    outcome = enter_log(school, log_form.as_row(school.settings, form, person.email), person.staff_id, reason)
    if isinstance(outcome, RejectedRow):
        session_fields.show_fault(outcome)
        return
    save_draft(school, person, "log", None)
    if form.get("plan"):
        planning.delete_plan(school, person, form["plan"])
    state["log done"] = outcome


st.title("Log a session")
waiting = list_calls_to_log(school, person)
plans = list_plans(school, person)
plan_of = planning.of_calls(school, waiting, plans) if len(waiting) and len(plans) else {}
open_form()
# A saved log takes the place of its form in the same run: a second run would make people wait twice.
place = st.empty()
if "log done" not in state:
    with place.container():
        show_form()
    waiting = list_calls_to_log(school, person) if "log done" in state else waiting
if "log done" in state:
    with place.container():
        show_saved(state["log done"], waiting)
