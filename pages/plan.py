"""Plan a session: the protocol's checks as it is planned, what to do about them, and the invitation."""

import uuid

import pandas as pd
import streamlit as st

from app.access.administration import record_access
from app.access.forms import get_draft, list_pupils_to_choose
from app.access.plans import list_plans
from app.formatting import moment
from app.parents import consents
from app.records import log_form
from app.records.log_form import Form
from app.records.logs import Log
from app.records.rows import RejectedRow
from app.sessions import planning
from app.sessions.drafts import save_draft
from app.sessions.invitations import create_invitation, is_confidential
from app.sessions.planning import Foreseen
from app.ui import session_fields
from app.ui.labels import PURPOSE_WORDS
from app.ui.shell import require
from app.ui.text import note, write_html
from app.vocabulary import OneToOneReason, Page

_VERDICTS = {
    "yes": (st.success, "Yes: as planned, this session meets the protocol.", ":material/check:"),
    "no": (st.error, "No: as planned, this session would breach the protocol.", ":material/close:"),
    "not yet": (st.warning, "Not yet: something is missing.", ":material/question_mark:"),
}
_MARKS = {"yes": "✓ meets the protocol", "no": "✗ would breach the protocol", "not yet": "? something is missing"}
_REASONS = {reason: reason.label for reason in OneToOneReason if reason is not OneToOneReason.OTHER}

school, person = require(Page.PLAN)
state = st.session_state


def start(values: Form) -> None:
    """A form with these values; its widgets are new ones."""
    state["plan form"] = {"ref": f"P-{uuid.uuid4().hex[:12]}"} | values
    state["plan number"] = state.get("plan number", 0) + 1
    state["plan said"] = ""


def ask(form: Form) -> Log | RejectedRow | None:
    """The form, and the plan that it makes; None while it is not begun."""
    n = f"plan {state['plan number']}"
    session_fields.purpose(form, n, "What is it for?")
    session_fields.pupils(form, list_pupils_to_choose(school, person), n)
    session_fields.times(form, n, school.today(), first=school.today())
    if not log_form.has_essentials(form):
        return None
    if log_form.is_one_to_one(school.settings, form):
        session_fields.choose(form, "reason", n)
        if isinstance(plan := read(form), Log) and (right := planning.second_members(school, person, plan)):
            session_fields.second_members(form, right, n, "Second member of the pastoral team to invite")
    return read(form)


def read(form: Form) -> Log | RejectedRow:
    return planning.read(school, log_form.as_row(school.settings, form, person.email))


def verdict(plan: Log, foreseen: Foreseen) -> None:
    """Yes or no, clause by clause, with what to do."""
    show, words, icon = _VERDICTS[foreseen.verdict]
    show(words, icon=icon)
    for row in foreseen.clauses.itertuples():
        if row.outcome in ("breach", "no_evidence"):
            mark = "✗" if row.outcome == "breach" else "?"
            write_html(
                "{mark} <b>{title}</b><br>{reason}<br><b>What to do:</b> {fix}",
                mark=mark,
                title=row.title,
                reason=row.reason,
                fix=row.fix,
            )
            if row.consent:
                ask_for_consent(plan, row.consent, foreseen.lacking.get(row.clause, []))
            if row.letter:
                to_parents("Open Parents")
    with st.container(gap="xsmall"):
        for row in foreseen.clauses.itertuples():
            if row.outcome in ("met", "exempt"):
                write_html("✓ <b>{title}.</b> {reason}", "div", title=row.title, reason=row.reason)


def ask_for_consent(plan: Log, kind: str, emails: list[str]) -> None:
    """The missing consents: the status of each, and the next step."""
    rows = planning.consents_for(school, person, plan, kind, emails)
    for row in rows.itertuples():
        write_html("{pupil}: {status}.", pupil=row.pupil, status=consent_status(row))
        if row.state == "asked":
            to_parents("Send the request, record the answer", consent=str(row.consent_id))
        if (
            row.state == "given"
            and pd.isna(row.slt_informed_at)
            and st.button("Inform SLT", key=f"slt {row.consent_id}", icon=":material/campaign:")
        ):
            consents.inform_slt(school, person, int(row.consent_id))
            st.rerun()
    to_ask = rows.loc[~rows["state"].isin(["asked", "given"]), "email"].tolist()
    if to_ask:
        form, key = state["plan form"], f"plan why {kind} {state['plan number']}"
        usual = _REASONS.get(form.get("reason", ""), "") if kind == "one_to_one" else ""
        form["why"] = st.text_input(
            "Reason for this time (the parents will read this)", form.get("why") or usual, key=key, max_chars=500
        )
        if st.button("Ask for consent", key=f"ask {kind}", icon=":material/contact_mail:"):
            try:
                planning.ask_for_consents(school, person, plan, kind, to_ask, form["why"])
            except ValueError as fault:
                st.warning(str(fault), icon=":material/edit:")
            else:
                planning.save_plan(school, person, plan)
                state["plan said"] = (
                    "Consent requested, and the plan saved. Send the request to the parents from the page Parents."
                )
                st.rerun()


def to_parents(words: str, **query: str) -> None:
    st.page_link("pages/parents.py", label=words, icon=":material/family_restroom:", query_params=query)


def consent_status(row: object) -> str:
    """The status of a consent, in words."""
    told = {"": "not asked for", "asked": "awaiting an answer", "refused": "refused", "withdrawn": "withdrawn"}
    if row.state == "given":  # type: ignore[attr-defined]
        return "given; SLT not yet informed" if pd.isna(row.slt_informed_at) else "given, but late"  # type: ignore[attr-defined]
    return told[row.state]  # type: ignore[attr-defined]


def to_mind(foreseen: Foreseen) -> None:
    st.header("During the session")
    note("These can be checked only in the session.")
    with st.container(gap="xsmall"):
        for row in foreseen.to_mind.itertuples():
            write_html("<b>{title}.</b> {words}", "div", title=row.title, words=row.words)


def show_saving(plan: Log, foreseen: Foreseen, kept: pd.DataFrame) -> None:
    """Saving the plan, and its invitation once it is saved as shown here."""
    if state["plan said"]:
        st.info(state["plan said"], icon=":material/info:")
    before = next(kept.itertuples(), None)
    if before is None or not planning.is_saved(school, person, before, plan):
        words = "Save plan" if before is None else "Save changes"
        if st.button(words, type="primary", icon=":material/event_available:", width="stretch"):
            planning.save_plan(school, person, plan)
            save_draft(school, person, "plan", None)
            state["plan said"] = "Plan saved. It will fill in the log after the session."
            st.rerun()
        return
    if foreseen.verdict != "yes":
        note("You can download the invitation once the plan meets the protocol.")
        return
    st.download_button(
        "Download the invitation",
        create_invitation(school, person, before, foreseen),
        "session.ics",
        "text/calendar",
        type="primary",
        icon=":material/event:",
        width="stretch",
        on_click=record_access,
        args=(school, person, "exported", f"invitation to plan {plan.ref}"),
    )
    if is_confidential(person, plan.answers["purpose"]):
        note("The invitation shows only your time, so that nobody who sees your calendar can tell whom it is for.")
    else:
        note(
            "Open it in Outlook, make it a Teams meeting and send it. The pupils and the second member are already invited."
        )


def my_plans(plans: pd.DataFrame) -> None:
    """The plans still to come."""
    coming = plans[plans["ended_at"] >= school.now()]
    if coming.empty:
        return
    st.header("Your plans")
    found = planning.verdicts(school, person, coming)
    for row in coming.itertuples():
        with st.container(border=True):
            left, right = st.columns([4, 1], vertical_alignment="center")
            with left:
                write_html(
                    "<b>{when}</b> · {purpose} · {verdict}<br>{pupils}",
                    when=moment(row.started_at),
                    purpose=PURPOSE_WORDS.get(row.purpose, row.purpose),
                    pupils=row.pupils,
                    verdict=_MARKS.get(found.get(row.ref, ""), "begun"),
                )
            if right.button("Open plan", key=f"open {row.ref}", icon=":material/edit:", width="stretch"):
                start(planning.form_of(row))
                st.rerun()
            if right.button(
                "Delete plan", key=f"drop {row.ref}", type="tertiary", icon=":material/delete:", width="stretch"
            ):
                planning.delete_plan(school, person, row.ref)
                if state["plan form"]["ref"] == row.ref:
                    start({})
                st.rerun()


if "plan form" not in state or state.get("plan who") != person.staff_id:
    state["plan who"] = person.staff_id
    start(get_draft(school, person, "plan") or {})

st.title("Plan a session")
plans = list_plans(school, person)
form = state["plan form"]
left, right = st.columns([3, 2], gap="large")
with left:
    plan = ask(form)
with right, st.container(border=True):
    st.subheader("What the protocol says")
    if plan is None:
        note("Enter the purpose, pupils, day and times to see the checks.")
    elif isinstance(plan, RejectedRow):
        session_fields.show_fault(plan)
    else:
        foreseen = planning.foresee(school, person, plan)
        verdict(plan, foreseen)
        show_saving(plan, foreseen, plans[plans["ref"] == form["ref"]])
    if (form["purpose"] or form["pupils"]) and st.button("New plan", type="tertiary", icon=":material/add:"):
        save_draft(school, person, "plan", None)
        start({})
        st.rerun()
if isinstance(plan, Log):
    to_mind(foreseen)
my_plans(plans)
if form != state.get("plan kept") and len(form) > 1:
    save_draft(school, person, "plan", form)
    state["plan kept"] = dict(form)
