"""Log a session: calls still to log, the form, and at once what each answer means for the protocol."""

import uuid
from typing import Any

import pandas as pd
import streamlit as st

from app.access.forms import get_draft, get_own_log, list_calls_to_log, list_pupils_to_choose, list_staff_to_choose
from app.access.plans import list_plans
from app.formatting import moment
from app.intake.logs import Entered, enter_log, preview_entered_log
from app.protocol.clauses import title_of
from app.records import Rejected, log_form
from app.records.log_form import Form
from app.reports import governors
from app.sessions import planning
from app.sessions.drafts import save_draft
from app.store.concerns import CATEGORIES
from app.ui import session_fields
from app.ui.labels import EVIDENCE_WORDS, OUTCOME_WORDS
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import table
from app.vocabulary import Page

school, person = require(Page.LOG)
state = st.session_state
_SEND = "send the log"


def start(values: Form) -> None:
    """A form with these values; its widgets are new ones."""
    state["log form"] = {"ref": f"F-{uuid.uuid4().hex[:12]}"} | values
    state["log number"] = state.get("log number", 0) + 1
    state.pop("log done", None)


def ask(form: Form, people: pd.DataFrame, staff: pd.DataFrame) -> None:
    """The form: only what the purpose makes relevant."""
    n = f"log {state['log number']}"
    session_fields.purpose(form, n, "What was it for?")
    session_fields.pupils(form, people, n)
    session_fields.times(form, n, school.today(), last=school.today())
    if not log_form.begun(form):
        note("With purpose, pupils and times given, the questions follow.")
        return
    if log_form.one_to_one(school.settings, form):
        st.subheader("Because it was a one-to-one")
        session_fields.choose(form, "reason", n)
        row = log_form.cells(school.settings, form, person.email)
        log = planning.read(school, row, planned=False)
        right = {} if isinstance(log, Rejected) else planning.second_members(school, person, log)
        session_fields.second_members(form, right, n, "Which second member of the pastoral team was invited?")
        session_fields.other_members(form, right, staff, n)
    in_order(form)
    questions = [name for name in log_form.QUESTIONS if name not in ("reason", "concern")]
    with st.expander("All questions", expanded=not form.get("folded"), key=f"questions {n}"):
        for name in questions:
            if name in log_form.asked(school.settings, form):
                session_fields.choose(form, name, n)
    if session_fields.choose(form, "concern", n) == "yes":
        ask_concern(form, n)
    form["notes"] = st.text_area("Notes (optional)", form.get("notes", ""), key=f"notes {n}", max_chars=10_000)


def in_order(form: Form) -> None:
    """One click for everything that is still open; what it says stands beside it before it is clicked."""
    usual = log_form.in_order(school.settings, form)
    if not usual:
        return
    with st.container(border=True):
        if st.button("No issues", icon=":material/done_all:", key=f"usual {state['log number']}"):
            start(form | usual | {"folded": True})
            st.rerun()
        note(f"This will record: {', '.join(log_form.in_words(usual))}.")


def ask_concern(form: Form, n: str) -> None:
    form["concern_summary"] = st.text_area(
        "The concern, in a sentence or two: it goes to the DSP", form.get("concern_summary", ""), key=f"summary {n}", max_chars=10_000
    )  # fmt: skip
    chosen = form.get("concern_category")
    form["concern_category"] = (
        st.selectbox(
            "What kind?", list(CATEGORIES), index=list(CATEGORIES).index(chosen) if chosen in CATEGORIES else None,
            format_func=CATEGORIES.__getitem__, key=f"category {n}",
        )
        or ""
    )  # fmt: skip


def meaning(form: Form) -> bool:
    """What the answers mean for the protocol, so far; whether the log can be sent."""
    if state.get(_SEND):
        return True  # on its way: it is judged there, and shown
    st.subheader("What this means for the protocol")
    if not log_form.begun(form):
        note("Results appear as you answer.")
        return False
    found = preview_entered_log(school, log_form.cells(school.settings, form, person.email))
    if isinstance(found, Rejected):
        fault(found)
        return False
    broken, gaps = found[found["outcome"] == "breach"], found[found["outcome"] == "no_evidence"]
    good = found[found["outcome"].isin(["met", "exempt"])]
    if broken.empty and gaps.empty:
        st.success(f"Every clause that applies is kept ({len(good)}).", icon=":material/check:")
    for row in broken.itertuples():
        write_html("<b>✗ {title}</b><br>{reason}", title=title_of(row.clause), reason=row.reason)
    if len(gaps):
        write_html(
            "<b>? Not answered yet:</b> {clauses}", clauses=", ".join(title_of(c) for c in gaps["clause"]).lower()
        )
    if len(good) and not (broken.empty and gaps.empty):
        note(f"✓ {len(good)} clauses kept, or covered by an exception.")
    for who, answers in zip(
        ("The call record shows", "You say"), log_form.answered(school.settings, form), strict=True
    ):
        if answers:
            write_html("<b>{who}:</b> {said}.", who=who, said="; ".join(log_form.in_words(answers)))
    return True


def fault(refused: Rejected) -> None:
    column = session_fields.LABELS.get(refused.column or "", refused.column or "")
    st.warning(f"{column} {refused.why}: {refused.mend}.", icon=":material/edit:")


def done(entered: Entered, waiting: pd.DataFrame) -> None:
    """The log was kept: the next call to log, and how this one was judged."""
    st.success("Logged." if entered.new else "Already saved.", icon=":material/check:")
    rows = pd.DataFrame() if entered.judged is None else entered.judged.query("outcome != 'not_applicable'")
    if len(rows):
        broken = rows[rows["outcome"] == "breach"]
        write_html("{n} clauses apply, {broken} not kept.", n=len(rows), broken=len(broken) or "none")
    if len(waiting):
        to_log(waiting)
    if len(rows):
        st.header("How it was judged")
        table(
            pd.DataFrame({"Clause": rows["clause"].map(title_of), "Outcome": rows["outcome"].map(OUTCOME_WORDS), "Evidence": rows["evidence"].map(EVIDENCE_WORDS), "Reason": rows["reason"]}),
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


def to_log(waiting: pd.DataFrame) -> None:
    """The calls that are not logged, the newest first, each a click away from its form."""
    st.header("Calls to log")
    if waiting.empty:
        st.write("None: every call of yours is logged.")
        return
    write_html("{n} of your calls with pupils are not logged yet.", n=len(waiting))
    for row in waiting.head(5).itertuples():
        with st.container(border=True):
            left, right = st.columns([4, 1], vertical_alignment="center")
            late = "overdue" if pd.isna(row.due_at) else f"to be logged by {moment(row.due_at)}"
            with left:
                planned = " · as you planned it" if row.session_id in plan_of else ""
                write_html(
                    "<b>{when}</b> · {late}{planned}<br>{pupils}",
                    when=moment(row.started_at), pupils=row.pupils, late=late, planned=planned,
                )  # fmt: skip
            if right.button(
                "Log this call",
                key=f"log call {row.session_id} {'log done' in state}",
                icon=":material/edit_note:",
                width="stretch",
            ):
                start(filled(row))
                st.rerun()
    if len(waiting) > 5:
        write_html("And {n} older ones; they come up as you log these.", n=len(waiting) - 5)


def filled(call: Any) -> Form:
    """The form of a call: what was planned, and over it what the call record shows."""
    return from_plan(plan_of.get(call.session_id, "")) | log_form.from_call(call)


def from_plan(ref: str) -> Form:
    """What a plan of this reference brings to its log; nothing, if there is none."""
    found = plans[plans["ref"] == ref]
    return planning.for_log(next(found.itertuples())) if len(found) else {}


def planned_without_call() -> None:
    """Sessions that were planned and are over, of which there is no call record (yet)."""
    over = plans[(plans["ended_at"] < school.now()) & ~plans["ref"].isin(plan_of.values())]
    for row in over.itertuples():
        with st.container(border=True):
            left, right = st.columns([4, 1], vertical_alignment="center")
            with left:
                write_html(
                    "<b>{when}</b> · planned, and no call record yet<br>{pupils}",
                    when=moment(row.started_at),
                    pupils=row.pupils,
                )
            if right.button(
                "Log this session", key=f"log plan {row.ref}", icon=":material/edit_note:", width="stretch"
            ):
                start(from_plan(row.ref))
                st.rerun()
            if right.button("It was not held", key=f"drop plan {row.ref}", type="tertiary"):
                planning.delete_plan(school, person, row.ref)
                st.rerun()


def begin(waiting: pd.DataFrame) -> None:
    """The form to begin with: the draft, or what the address names."""
    if "log form" not in state or state.get("log who") != person.staff_id:
        state["log who"] = person.staff_id
        start(get_draft(school, person, "log") or {})
    if (wanted := st.query_params.get("call")) and not waiting[waiting["session_id"].astype(str) == wanted].empty:
        start(filled(next(waiting[waiting["session_id"].astype(str) == wanted].itertuples())))
        del st.query_params["call"]
    if (wanted := st.query_params.get("correct")) and (own := get_own_log(school, person, wanted)):
        start(log_form.from_log(own))
        del st.query_params["correct"]


def fill_in() -> None:
    """The form of a log, and the calls that wait for one; `log done` once it was sent and kept."""
    form = state["log form"]
    if not form.get("call") and not form.get("correcting"):
        to_log(waiting)
        planned_without_call()
    st.header("Correct a log" if form.get("correcting") else "The log")
    left, right = st.columns([3, 2], gap="large")
    with left:
        staff = list_staff_to_choose(school, person)
        ask(form, list_pupils_to_choose(school, person), staff[staff["email"] != person.email])
        why = (
            st.text_input("Why is it corrected?", key=f"log why {state['log number']}")
            if form.get("correcting")
            else None
        )
    with right, st.container(border=True):
        ready = meaning(form)
        if st.button(
            "Save log", type="primary", disabled=not ready, icon=":material/send:", width="stretch", key=_SEND
        ):
            send(form, why)
            if "log done" in state:
                return
        if st.button("Clear form", type="tertiary"):
            save_draft(school, person, "log", None)
            start({})
            st.rerun()
    st.download_button(
        "Blank form to print, for use offline", lambda: governors.blank_log(school), "blank log.pdf",
        "application/pdf", icon=":material/print:", type="tertiary", on_click="ignore",
    )  # fmt: skip
    if form != state.get("log kept") and len(form) > 1:
        save_draft(school, person, "log", form)
        state["log kept"] = dict(form)


def send(form: Form, why: str | None) -> None:
    outcome = enter_log(school, log_form.cells(school.settings, form, person.email), person.staff_id, why)
    if not isinstance(outcome, Entered):
        for refused in outcome:
            fault(refused)
        return
    save_draft(school, person, "log", None)
    if form.get("plan"):
        planning.delete_plan(school, person, form["plan"])
    state["log done"] = outcome


st.title("Log a session")
waiting = list_calls_to_log(school, person)
plans = list_plans(school, person)
plan_of = planning.of_calls(school, waiting, plans) if len(waiting) and len(plans) else {}
begin(waiting)
# What was sent takes the place of its form in the same run: a second one would make people wait twice.
place = st.empty()
if "log done" not in state:
    with place.container():
        fill_in()
    waiting = list_calls_to_log(school, person) if "log done" in state else waiting
if "log done" in state:
    with place.container():
        done(state["log done"], waiting)
