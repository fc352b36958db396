"""One consent on the page Parents: its status, its next steps and its history.

Each change has its own dialog, so that a second click in the same place changes nothing.
"""

from datetime import datetime
from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from app.access.parents import get_consent_history
from app.access.policy import Person
from app.formatting import moment
from app.parents.consents import (
    KINDS,
    answer_consent,
    confirm_informed,
    inform_slt,
    mark_request_sent,
    strike_out,
    withdraw_consent,
)
from app.parents.fields import format_period
from app.parents.letters import write_requests
from app.school import School
from app.ui.authority import dialog
from app.ui.current import record_once
from app.ui.labels import CONSENT_WORDS
from app.ui.lists import as_listing, table
from app.ui.parents.family_emails import offer_request_email, show_request_emails
from app.ui.parents.letters import offer_letters
from app.ui.text import note, title, write_html
from app.ui.widgets import attempt, link, show_confirmation
from app.vocabulary.roles import Page
from app.vocabulary.terms import ConsentEventKind, ConsentStatus

_ANSWERS = {True: "They consent", False: "They do not consent"}


def show_consent(school: School, person: Person, consents: pd.DataFrame, number: str) -> None:
    """Show one of the consents, with its next steps and history, or say that there is no such consent."""
    link(Page.PARENTS, "Consents and letters", "arrow_back")
    matches = consents[consents["consent_id"].astype(str) == number]
    if matches.empty:
        st.title("Consent")
        st.info("This consent does not exist, or you do not have access to it.")
        return
    row = matches.iloc[0]
    record_once(school, person, "viewed", f"consent {number}")
    title(f"Consent of {row['pupil']}'s parents")
    show_confirmation()
    _show_status(row)
    _show_steps(school, person, row)
    history = get_consent_history(school, person, int(number))
    st.header("History")
    if history.empty:
        st.write("This consent was imported from a file. There is no other history.")
        return
    _show_history(history)
    entries = history[~history["struck"] & ~history["kind"].isin(["struck", "asked"])]
    if row["own"] and len(entries) and st.button("Correct a mistake", key="open strike out", icon=":material/undo:"):
        _strike_out(school, person, row, entries)


def _show_status(row: pd.Series) -> None:
    write_html(
        "<b>{status}</b> · {kind}, {period}",
        status=CONSENT_WORDS[row["status"]],
        kind=KINDS[row["kind"]],
        period=format_period(row["covers_from"], row["covers_to"]),
    )
    write_html("Reason: {reason}", reason=row["reason"] or "none on record")
    if row["status"] == ConsentStatus.WAITING:
        sent = f"sent to the parents {moment(row['sent_at'])}" if pd.notna(row["sent_at"]) else "not yet sent"
        write_html("Request: {words}", words=sent)
    if row["kind"] == "outside_hours" and row["state"] == "given":
        informed, confirmed = row["slt_informed_at"], row["confirmed_at"]
        words = f"informed {moment(informed)}" if pd.notna(informed) else "not yet informed"
        if pd.notna(informed):
            words += f", confirmed {moment(confirmed)}" if pd.notna(confirmed) else ", not yet confirmed"
        write_html("SLT: {words}", words=words)


def _show_steps(school: School, person: Person, row: pd.Series) -> None:
    """Show a button for each step that the person can take. Each opens a dialog; only SLT's confirmation takes one
    click."""
    consent_id = int(row["consent_id"])
    is_given, is_waiting = row["state"] == "given", row["status"] == ConsentStatus.WAITING
    to_inform = is_given and row["kind"] == "outside_hours" and pd.isna(row["slt_informed_at"])
    with st.container(horizontal=True):
        if row["to_slt"] and is_given and pd.isna(row["confirmed_at"]):
            _offer_confirmation(school, person, consent_id)
        if not row["own"]:
            return
        if is_waiting:
            _show_ways_to_send(school, person, row)
        if row["state"] == "asked":
            _offer_answer(school, person, row, is_next=not is_waiting or pd.notna(row["sent_at"]))
        if to_inform and st.button("Inform SLT", key="open inform", type="primary", icon=":material/send:"):
            _inform_slt(school, person, row)
        if is_given and st.button("Record a withdrawal", key="open withdrawal", icon=":material/block:"):
            _record_withdrawal(school, person, row)
    show_request_emails(school, person, consent_id, is_waiting=is_waiting)


def _offer_confirmation(school: School, person: Person, consent_id: int) -> None:
    if st.button("Confirm that SLT was informed", key="confirm informed", type="primary"):
        attempt("Confirmed that SLT was informed.", confirm_informed, school, person, consent_id)


def _offer_answer(school: School, person: Person, row: pd.Series, *, is_next: bool) -> None:
    kind: Literal["primary", "secondary"] = "primary" if is_next else "secondary"
    if st.button("Record the answer", key="open answer", type=kind, icon=":material/edit:"):
        _record_answer(school, person, row)


def _show_ways_to_send(school: School, person: Person, row: pd.Series) -> None:
    consent_id = int(row["consent_id"])
    offer_request_email(school, person, consent_id)
    offer_letters(
        "Create the letter", f"request {consent_id}", lambda _progress: write_requests(school, person, [consent_id])
    )
    if pd.isna(row["sent_at"]) and st.button("Mark as sent", key="open sent", icon=":material/mark_email_read:"):
        _mark_sent(school, person, row)


def _show_history(history: pd.DataFrame) -> None:
    rows = history.assign(
        what=history["kind"].map({kind: kind.label for kind in ConsentEventKind})
        + history["struck"].map({True: " (struck out)", False: ""}),
        entered_by=history["entered_by"].fillna("imported"),
    )
    columns = ["occurred_at", "what", "parent", "entered_by", "entered_at", "reason"]
    listing = as_listing(rows, columns, occurred_at="When", entered_at="Entered")
    table(listing, "History of the consent", "history of a consent")


# --- the dialogs


def _show_subject(row: pd.Series) -> int:
    """Show whose consent a dialog is about. Returns the consent's number."""
    period = format_period(row["covers_from"], row["covers_to"])
    write_html("<b>{pupil}</b> · {kind}, {period}", pupil=row["pupil"], kind=KINDS[row["kind"]], period=period)
    return int(row["consent_id"])


@dialog("Mark the request as sent")
def _mark_sent(school: School, person: Person, row: pd.Series) -> None:
    consent_id = _show_subject(row)
    st.write("For a letter that was posted or handed over. The request counts as sent from now on.")
    if st.button("Mark as sent", key="save sent", type="primary"):
        attempt("Marked as sent.", mark_request_sent, school, person, consent_id)


@dialog("Inform SLT")
def _inform_slt(school: School, person: Person, row: pd.Series) -> None:
    consent_id = _show_subject(row)
    st.write("Each member of SLT gets an email with a link to this consent, and confirms it on this page.")
    if st.button("Inform SLT now", key="save inform", type="primary", icon=":material/send:"):
        attempt("SLT has been informed. They confirm it on this page.", inform_slt, school, person, consent_id)


@dialog("Record the answer")
def _record_answer(school: School, person: Person, row: pd.Series) -> None:
    consent_id = _show_subject(row)
    note("The pupil's sessions at these times are checked again.")
    with st.form("answer", border=False):
        given = st.radio("Answer", list(_ANSWERS), index=None, format_func=_ANSWERS.__getitem__, horizontal=True)
        parent, at = _ask_who_and_when(school, "answer")
        sent = st.form_submit_button("Save answer", type="primary", icon=":material/save:")
    if not sent:
        return
    if at is None or given is None:
        st.warning("Enter the answer and its time. Nothing you wrote is lost.", icon=":material/edit:")
        return
    answer = partial(answer_consent, given=given)
    done = "Answer saved: they consent." if given else "Answer saved: they do not consent."
    attempt(done, answer, school, person, consent_id, parent=parent, at=at)


@dialog("Record a withdrawal")
def _record_withdrawal(school: School, person: Person, row: pd.Series) -> None:
    consent_id = _show_subject(row)
    note("The consent ends at this time: sessions that began before it stay covered, later ones are not.")
    with st.form("withdrawal", border=False):
        parent, at = _ask_who_and_when(school, "withdrawal")
        sent = st.form_submit_button("Save withdrawal", type="primary", icon=":material/block:")
    if not sent:
        return
    if at is None:
        st.warning("Enter the time of the withdrawal. Nothing you wrote is lost.", icon=":material/edit:")
        return
    done = "Withdrawal saved. Sessions from then on are not covered."
    attempt(done, withdraw_consent, school, person, consent_id, parent=parent, at=at)


def _ask_who_and_when(school: School, name: str) -> tuple[str, datetime | None]:
    """Ask which parent answered, and when. The time is None until it is entered."""
    parent = st.text_input(
        "Which parent?", placeholder="Name, or mother, father, carer", max_chars=200, key=f"{name} parent"
    )
    left, right = st.columns(2)
    today = school.today()
    day = left.date_input("Day", today, max_value=today, format="DD/MM/YYYY", key=f"{name} day")
    at = right.time_input("Time", None, key=f"{name} time")
    return parent, None if at is None else datetime.combine(day, at, school.settings.zone)


@dialog("Correct a mistake")
def _strike_out(school: School, person: Person, row: pd.Series, entries: pd.DataFrame) -> None:
    consent_id = _show_subject(row)
    st.write("An entry that is struck out no longer counts, and stays in the history.")
    words = {
        entry.event_id: f"{ConsentEventKind(entry.kind).label}, {moment(entry.occurred_at)}"
        for entry in entries.itertuples()
    }
    with st.form("strike", border=False):
        event_id = st.selectbox("Entry", list(words), format_func=words.__getitem__)
        reason = st.text_input("What was the mistake?", max_chars=500)
        if st.form_submit_button("Strike out", type="primary"):
            done = "Struck out. The entry no longer counts, and stays in the history."
            attempt(done, strike_out, school, person, consent_id, event_id, reason)
