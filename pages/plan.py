"""Plan a session: the checks before it, what to do about them, and the invitation."""

import uuid
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.access.administration import record_access
from app.access.forms import is_one_to_one, list_pupils_to_choose
from app.access.plans import list_plans
from app.formatting import moment
from app.parents import consents
from app.records import log_form
from app.records.log_form import Form
from app.records.logs import Log
from app.records.rows import RejectedRow
from app.sessions import planning
from app.sessions.invitations import create_invitation, is_confidential
from app.sessions.planning import PlanChecks, Verdict
from app.ui import session_fields
from app.ui.authority import guard
from app.ui.dialogs import Change, confirm, open_dialog
from app.ui.drafts import Draft
from app.ui.labels import PURPOSE_WORDS
from app.ui.shell import require
from app.ui.text import note, write_html
from app.ui.widgets import card, confirm_on_rerun, download, link, show_confirmation
from app.vocabulary.roles import Page
from app.vocabulary.terms import ConsentStatus, OneToOneReason

_VERDICTS = {
    Verdict.YES: (st.success, "Yes: as planned, this session meets the protocol.", ":material/check:"),
    Verdict.NO: (st.error, "No: as planned, this session would breach the protocol.", ":material/close:"),
    Verdict.NOT_YET: (st.warning, "Not yet: something is missing.", ":material/question_mark:"),
}
_MARKS = {
    Verdict.YES: "✓ meets the protocol",
    Verdict.NO: "✗ would breach the protocol",
    Verdict.NOT_YET: "? something is missing",
}
_REASONS = {reason: reason.label for reason in OneToOneReason if reason is not OneToOneReason.OTHER}

school, person = require(Page.PLAN)
draft = Draft(school, person, "plan")
state = st.session_state
_SAVE = "save the plan"


def ask() -> Log | RejectedRow | None:
    """Show the form. Returns the plan that it describes or why it cannot be one, or None while the form is
    incomplete."""
    session_fields.ask_purpose(draft, "What is it for?")
    left, right = st.columns(2)
    with left:
        session_fields.ask_pupils(draft, list_pupils_to_choose(school, person))
    with right:
        session_fields.ask_times(draft, school.today(), first=school.today())
    if not log_form.has_essentials(draft.values):
        return None
    if is_one_to_one(school, draft.values):
        session_fields.ask_question(draft, "reason")
        if isinstance(plan := read(), Log) and (accepted := planning.find_second_members(school, person, plan)):
            session_fields.ask_second_members(draft, accepted, "Second member of the pastoral team to invite")
    return read()


def read() -> Log | RejectedRow:
    return planning.read_plan(school, planning.as_row(school, draft.values, person))


def show_verdict(plan: Log, checks: PlanChecks) -> None:
    """Show whether the plan meets the protocol, clause by clause, with what to do."""
    show, words, icon = _VERDICTS[checks.verdict]
    show(words, icon=icon)
    outcomes = checks.clauses["outcome"]
    for row in checks.clauses[outcomes.isin(["breach", "no_evidence"])].itertuples():
        mark = "✗" if row.outcome == "breach" else "?"
        with st.container(border=True):
            left, right = st.columns([3, 2], gap="medium")
            with left:
                write_html("{mark} <b>{row.title}</b><br>{row.reason}", mark=mark, row=row)
            with right:
                write_html("<b>What to do:</b> {row.fix}", row=row)
                if row.letter:
                    link(Page.PARENTS, "Open Parents")
            if row.consent:
                show_consents(plan, row.consent, checks.lacking.get(row.clause, []))
    good = list(checks.clauses[outcomes.isin(["met", "exempt"])].itertuples())
    for place, half in zip(st.columns(2, gap="medium"), (good[::2], good[1::2]), strict=True):
        with place.container(gap="xsmall"):
            for row in half:
                write_html("✓ <b>{row.title}.</b> {row.reason}", "div", row=row)


def show_consents(plan: Log, kind: str, emails: list[str]) -> None:
    """Show the missing consents, each with its status and next step."""
    rows = planning.find_consents(school, person, plan, kind, emails)
    for row in rows.itertuples():
        with st.container(horizontal=True, vertical_alignment="center"):
            write_html("{row.pupil}: {status}.", row=row, status=describe_consent(row))
            if row.state == "asked":
                link(Page.PARENTS, "Send the request, record the answer", query={"consent": str(row.consent_id)})
            if row.state == "given" and pd.isna(row.slt_informed_at):
                offer_to_inform_slt(row)
    to_ask = rows[~rows["state"].isin(["asked", "given"])]
    if len(to_ask) and st.button("Ask for consent…", key=f"ask {kind}", icon=":material/contact_mail:"):
        open_dialog("Ask for consent", partial(ask_for_consent, plan, kind, to_ask), "Create the request", "send")


def offer_to_inform_slt(row: Any) -> None:
    """Show a button that informs SLT of a consent that was given."""
    if st.button("Inform SLT…", key=f"slt {row.consent_id}", icon=":material/campaign:"):
        confirm(
            "Inform SLT",
            f"This alerts every member of SLT that the parents of {row.pupil} have given their consent.",
            partial(consents.inform_slt, school, person, int(row.consent_id)),
            "SLT informed.",
        )


def ask_for_consent(plan: Log, kind: str, to_ask: pd.DataFrame) -> Change:
    """Ask for the reason of a request to the parents of some pupils. Returns the change of the dialog."""
    write_html(
        "This creates a request for consent to the parents of <b>{pupils}</b> and saves the plan. You send the request "
        "from the page Parents.",
        pupils=", ".join(to_ask["pupil"]),
    )
    usual = _REASONS.get(draft.values.get("reason", ""), "") if kind == "one_to_one" else ""
    given = draft.values.get("why") or usual
    reason = st.text_input("Reason for this time (the parents will read this)", given, key=f"why {kind}", max_chars=500)
    draft.values["why"] = reason

    def change() -> str:
        planning.ask_for_consents(school, person, plan, kind, to_ask["email"].tolist(), reason)
        planning.save_plan(school, person, plan)
        draft.mark_saved()
        return "Consent requested, and the plan saved."

    return change


def describe_consent(row: Any) -> str:
    """The status of a consent (a row of `find_consents`), as text."""
    if row.state == "given":
        return "given; SLT not yet informed" if pd.isna(row.slt_informed_at) else ConsentStatus.GIVEN_LATE.label.lower()
    if not row.state:
        return "not requested"
    return ConsentStatus(ConsentStatus.WAITING if row.state == "asked" else row.state).label.lower()


def show_in_session_checks(checks: PlanChecks) -> None:
    st.header("During the session")
    note("These can be checked only in the session.")
    with st.container(gap="xsmall"):
        for row in checks.in_session.itertuples():
            write_html("<b>{row.title}.</b> {row.words}", "div", row=row)


def show_saving(plan: Log, checks: PlanChecks) -> None:
    """Show the button that saves the plan and, once it is saved as shown, its invitation."""
    saved, is_saved = find_saved(plan)
    words = "Plan saved" if is_saved else "Save plan" if saved is None else "Save changes"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(words, type="primary", icon=":material/event_available:", disabled=is_saved, key=_SAVE)
        if is_saved and checks.verdict is Verdict.YES:
            download(
                "Download the invitation",
                create_invitation(school, person, saved, checks),
                "session.ics",
                "event",
                on_click=guard(partial(record_access, school, person, "exported", f"invitation to plan {plan.ref}")),
            )
        st.button("New plan", type="tertiary", icon=":material/add:", on_click=guard(clear))
    if not is_saved:
        return
    if checks.verdict is not Verdict.YES:
        note("You can download the invitation once the plan meets the protocol.")
    elif is_confidential(person, plan.answers["purpose"]):
        note("The invitation shows only your time, so that nobody who sees your calendar can tell whom it is for.")
    else:
        note(
            "Open it in Outlook, make it a Teams meeting and send it. The pupils and the second member are already invited."
        )


def save() -> None:
    """Save the plan that is in the form."""
    draft.collect()
    if log_form.has_essentials(draft.values) and isinstance(plan := read(), Log):
        planning.save_plan(school, person, plan)
        draft.mark_saved()
        confirm_on_rerun("Plan saved. It will fill in the log after the session.")


def find_saved(plan: Log) -> tuple[Any, bool]:
    """The saved plan with the same reference, or None, and whether it equals the plan."""
    plans = list_plans(school, person)
    saved = next(plans[plans["ref"] == plan.ref].itertuples(), None)
    return saved, saved is not None and planning.is_saved(school, person, saved, plan)


def clear() -> None:
    """Clear the form, unless the plan is being saved. Both buttons may be pressed before the page runs."""
    if not state.get(_SAVE):
        draft.discard()


def show_plans() -> None:
    """Show the person's plans that have not ended."""
    plans = list_plans(school, person)
    coming = plans[plans["ended_at"] >= school.now()]
    if coming.empty:
        return
    st.header("Your plans")
    verdicts = planning.judge_plans(school, person, coming)
    for row in coming.itertuples():
        purpose = PURPOSE_WORDS.get(row.purpose, row.purpose)
        verdict = _MARKS[verdicts[row.ref]] if row.ref in verdicts else "in progress"
        words = "<b>{row.started_at}</b> · {purpose} · {verdict}<br>{row.pupils}"
        place = card(words, row=row, purpose=purpose, verdict=verdict)
        if place.button("Open plan", key=f"open {row.ref}", icon=":material/edit:", width="stretch"):
            open_plan(planning.create_form(row))
        if place.button("Delete plan", key=f"drop {row.ref}", icon=":material/delete:", type="tertiary"):
            words = f"This deletes your plan for {moment(row.started_at)} with {row.pupils}."
            confirm("Delete plan", words, partial(delete, row.ref), "Plan deleted.")


def open_plan(form: Form) -> None:
    """Open a plan in the form. If another plan has unsaved changes, the person first confirms that they are
    discarded."""
    if draft.is_changed:
        words = "Another plan has unsaved changes. Opening this one discards them."
        confirm("Open this plan", words, partial(draft.begin, form), "", label="Discard and open")
    else:
        draft.begin(form)
        st.rerun()


def delete(ref: str) -> None:
    planning.delete_plan(school, person, ref)
    if draft.values["ref"] == ref:
        draft.discard()


st.title("Plan a session")
if state.get(_SAVE):
    save()
show_confirmation()
draft.values.setdefault("ref", f"P-{uuid.uuid4().hex[:12]}")
draft.show_restored("this plan")
plan = ask()
if plan is None:
    note("Enter the purpose, pupils, day and times to see the checks.")
elif isinstance(plan, RejectedRow):
    session_fields.show_fault(plan)
else:
    checks = planning.check_plan(school, person, plan)
    show_verdict(plan, checks)
    show_saving(plan, checks)
    show_in_session_checks(checks)
show_plans()
draft.store()
