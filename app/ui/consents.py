"""The consents on the page Parents: the lists, one consent with its history, and the form to ask for one."""

from datetime import datetime, time
from functools import partial

import pandas as pd
import streamlit as st

from app.access.forms import list_pupils_to_choose
from app.access.parents import get_consent_history
from app.access.policy import Person
from app.formatting import moment, on_day
from app.parents.consents import (
    KINDS,
    answer_consent,
    ask_for_consent,
    confirm_informed,
    inform_slt,
    mark_request_sent,
    strike_out,
    withdraw_consent,
)
from app.parents.fields import format_period
from app.parents.letters import write_requests
from app.records.registers import Consent
from app.school import School
from app.ui.current import record_once
from app.ui.drafts import label_pupils
from app.ui.family_emails import STATES, show_request_emails
from app.ui.letters import offer_letters, sort_years
from app.ui.lists import as_listing, open_record, select_row, table
from app.ui.text import note, title, write_html
from app.ui.widgets import attempt, card, confirm_on_rerun, filter_values, link, show_confirmation
from app.vocabulary import Page

STATUS = {
    "waiting": "? awaiting an answer",
    "covered": "○ covered by another consent",
    "lapsed": "– not answered in time",
    "given": "✓ given",
    "given_late": "✓ given, but late",
    "refused": "✗ refused",
    "withdrawn": "✗ withdrawn",
}
_MISSING = {"answer": "the parents' answer", "slt": "SLT informed"}
_EVENTS = {
    "asked": "Consent asked for",
    "sent": "Request sent to the parents",
    "reminded": "Reminder emailed to the parents",
    "given": "Consent given",
    "refused": "Consent refused",
    "withdrawn": "Consent withdrawn",
    "slt_informed": "SLT informed",
    "confirmed": "SLT confirmed that it was informed",
    "struck": "Entry struck out",
}
_CHOICES = {
    "outside_hours": "Academic tuition outside the usual hours, for example because of a time zone (SLT is informed)",
    "one_to_one": "A pastoral one-to-one during remote learning, outside lunchtime and tutor time",
}
_MISSING_COLUMNS = ["Pupil", "Missing", "Days", "Request", "From", "To", "Consent to", "Reason", "Asked for by"]
_MISSING_COLUMNS += ["Year", "House"]
_COLUMNS = ["Pupil", "Status", "Request", "From", "To", "Consent to", "Reason", "Asked for", "Asked for by"]
_COLUMNS += ["Answered", "Parent", "SLT informed", "SLT confirmed", "Year", "House"]
_CONFIRMED = "Confirmed that SLT was informed."
_SHOWN = 5  # consents to confirm at once
_ANSWERS = {True: "They consent", False: "They do not consent"}


def show_consents(school: School, person: Person, consents: pd.DataFrame) -> None:
    """Show the tab Consents; `consents` from `access.parents.list_consents`."""
    if consents.empty:
        st.write(
            "No consents on record for your pupils. Ask for one before academic tuition outside the usual hours, or "
            "before a one-to-one outside lunchtime and tutor time."
        )
        link(Page.PARENTS, "Ask for a consent", "add", query={"ask": "yes"})
        return
    _show_to_confirm(school, person, consents)
    missing = consents[consents["missing_step"] != ""].sort_values(["asked_at", "consent_id"], na_position="first")
    st.header("Outstanding consents")
    if missing.empty:
        st.success("None.", icon=":material/check:")
    else:
        _show_list(school, missing, "consents missing", _MISSING_COLUMNS)
    link(Page.PARENTS, "Ask for a consent", "add", query={"ask": "yes"})
    st.header("All consents")
    left, middle, right = st.columns(3)
    statuses = [status for status in STATUS if status in set(consents["status"])]
    status = left.multiselect("Status", statuses, format_func=STATUS.__getitem__)
    years = middle.multiselect("Year", sort_years(consents["year_group"]), key="consents year")
    houses = right.multiselect("House", sorted(consents["house"].unique()), key="consents house")
    shown = filter_values(consents, status=status, year_group=years, house=houses)
    if shown.empty:
        st.write("No matches. Remove a filter.")
    else:
        _show_list(school, shown, "consents", _COLUMNS)


def _show_to_confirm(school: School, person: Person, consents: pd.DataFrame) -> None:
    """Show the consents of which SLT was informed, for a member of SLT to confirm each with one click."""
    is_new = consents["confirmed_at"].isna() & (consents["state"] == "given")
    is_asked_here = consents["asked_at"].notna()  # a file says that SLT was informed
    rows = consents[consents["to_slt"] & is_new & is_asked_here]
    if rows.empty:
        return
    st.header(f"For SLT to confirm ({len(rows)})")
    note("SLT was informed of these consents to tuition outside the usual hours.")
    for row, period in zip(rows.head(_SHOWN).itertuples(), _periods(rows.head(_SHOWN)), strict=True):
        place = card("<b>{pupil}</b> · {period} · {reason}", pupil=row.pupil, period=period, reason=row.reason or "")
        if place.button("Confirm", key=f"confirm {row.consent_id}", icon=":material/check:", width="stretch"):
            attempt(_CONFIRMED, confirm_informed, school, person, row.consent_id)
    if len(rows) > _SHOWN:
        note(f"{len(rows) - _SHOWN} more follow.")


def _show_list(school: School, consents: pd.DataFrame, name: str, columns: list[str]) -> None:
    is_unsent = (consents["request"] == "") & (consents["status"] == "waiting")
    listing = pd.DataFrame(
        {
            "Pupil": consents["pupil"],
            "Missing": consents["missing_step"].map(_MISSING),
            "Days": (pd.Timestamp(school.now()) - consents["asked_at"]).dt.days,
            "Status": consents["status"].map(STATUS),
            "Request": consents["request"].map(STATES).fillna("").mask(is_unsent, "✗ not sent"),
            "Year": consents["year_group"],
            "House": consents["house"],
            "From": consents["covers_from"],
            "To": consents["covers_to"],
            "Consent to": consents["kind"].map(KINDS),
            "Reason": consents["reason"].fillna(""),
            "Asked for": consents["asked_at"],
            "Asked for by": consents["asked_by"].fillna(""),
            "Answered": consents["answered_at"],
            "Parent": consents["answered_by"].fillna(""),
            "SLT informed": consents["slt_informed_at"],
            "SLT confirmed": consents["confirmed_at"],
        }
    )
    ids = consents["consent_id"].tolist()
    select_row(listing[columns], ids, name.capitalize(), name, _open_consent)
    note("Select a row to open it.")


def _open_consent(consent_id: int) -> None:
    open_record(Page.PARENTS, consent=str(consent_id))


def _periods(consents: pd.DataFrame) -> list[str]:
    """The period of each consent, short enough for a table."""
    return [
        f"{moment(row.covers_from)} to {row.covers_to:%H:%M}"
        if row.covers_from.date() == row.covers_to.date()
        else f"{on_day(row.covers_from)} to {on_day(row.covers_to)}"
        for row in consents.itertuples()
    ]


def show_request_form(school: School, person: Person) -> None:
    """Show the form to ask for a consent, which leads to the new consent."""
    link(Page.PARENTS, "Consents and letters", "arrow_back")
    st.title("Ask for a consent")
    st.write(
        "For academic tuition outside the usual hours, and for one-to-ones outside lunchtime and tutor time. "
        "Counselling does not need one."
    )
    names = label_pupils(list_pupils_to_choose(school, person))
    with st.form("ask", border=False):
        pupil = st.selectbox("Pupil", list(names), index=None, format_func=names.__getitem__, placeholder="Type a name")
        kind = st.radio("Consent to", list(_CHOICES), index=None, format_func=_CHOICES.__getitem__)
        left, right = st.columns(2)
        first = left.date_input("First day", school.today(), format="DD/MM/YYYY")
        begins = right.time_input("From", time(18))
        last = left.date_input("Last day", school.today(), format="DD/MM/YYYY")
        ends = right.time_input("To", time(19))
        reason = st.text_area("Reason (the parents will read this)", max_chars=1000)
        sent = st.form_submit_button("Save request", type="primary", icon=":material/save:")
    if not sent:
        return
    if pupil is None or kind is None:
        st.warning("Choose the pupil and the kind of consent. Nothing you wrote is lost.", icon=":material/edit:")
        return
    try:
        covers_from = datetime.combine(first, begins, school.settings.zone)
        covers_to = datetime.combine(last, ends, school.settings.zone)
        request = Consent(pupil_id=pupil, kind=kind, covers_from=covers_from, covers_to=covers_to, reason=reason)
        consent_id = ask_for_consent(school, person, request)
    except ValueError as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        return
    confirm_on_rerun("Request saved. Next: create the letter and send it.")
    st.switch_page("pages/parents.py", query_params={"consent": str(consent_id)})


def show_consent(school: School, person: Person, consents: pd.DataFrame, number: str) -> None:
    """Show one of the consents, with its history and next step, or say that there is no such consent."""
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
    write_html(
        "<b>{status}</b> · {kind}, {period}",
        status=STATUS[row["status"]],
        kind=KINDS[row["kind"]],
        period=format_period(row["covers_from"], row["covers_to"]),
    )
    write_html("Reason: {reason}", reason=row["reason"] or "none on record")
    if row["kind"] == "outside_hours":
        informed = row["slt_informed_at"]
        words = f"informed {moment(informed)}" if pd.notna(informed) else "not yet informed"
        if pd.notna(informed):
            confirmed = row["confirmed_at"]
            words += f", confirmed {moment(confirmed)}" if pd.notna(confirmed) else ", not yet confirmed"
        write_html("SLT: {words}", words=words)
    history = get_consent_history(school, person, int(number))
    is_confirmed = pd.notna(row["confirmed_at"]) or row["state"] != "given"
    if row["to_slt"] and not is_confirmed and st.button("Confirm that SLT was informed", type="primary"):
        attempt(_CONFIRMED, confirm_informed, school, person, int(number))
    if row["own"]:
        _show_next_step(school, person, row, int(number))
    st.header("History")
    if history.empty:
        st.write("This consent was imported from a file. There is no other history.")
        return
    _show_history(history)
    if row["own"]:
        _strike_out(school, person, int(number), history)


def _show_history(history: pd.DataFrame) -> None:
    rows = history.assign(
        what=history["kind"].map(_EVENTS) + history["struck"].map({True: " (struck out)", False: ""}),
        entered_by=history["entered_by"].fillna("imported"),
    )
    columns = ["occurred_at", "what", "parent", "entered_by", "entered_at", "reason"]
    listing = as_listing(rows, columns, occurred_at="When", entered_at="Entered")
    table(listing, "History of the consent", "history of a consent", height="content")


def _show_next_step(school: School, person: Person, row: pd.Series, consent_id: int) -> None:
    given = row["state"] == "given"
    if row["state"] == "asked":
        _send_request(school, person, row, consent_id)
    to_inform = given and row["kind"] == "outside_hours" and pd.isna(row["slt_informed_at"])
    if to_inform and st.button("Inform SLT now", type="primary", icon=":material/send:"):
        attempt("SLT has been informed. They confirm it on this page.", inform_slt, school, person, consent_id)
    _answer_form(school, person, consent_id, withdrawal=given)


def _send_request(school: School, person: Person, row: pd.Series, consent_id: int) -> None:
    st.header("Request")
    if pd.notna(row["sent_at"]):
        write_html("Sent to the parents {row[sent_at]}.", row=row)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("By email")
        show_request_emails(school, person, consent_id)
    with right:
        st.subheader("On paper")
        offer_letters(
            "Create the letter", f"request {consent_id}", lambda _progress: write_requests(school, person, [consent_id])
        )
        if pd.isna(row["sent_at"]) and st.button("Mark as sent", icon=":material/mark_email_read:"):
            attempt("Marked as sent.", mark_request_sent, school, person, consent_id)


def _answer_form(school: School, person: Person, consent_id: int, *, withdrawal: bool) -> None:
    """Show the form for the parents' answer, or for the withdrawal of a consent that they gave."""
    given = None
    with st.form("answer", border=True):
        st.subheader("Record a withdrawal" if withdrawal else "Record the answer")
        if not withdrawal:
            given = st.radio("Answer", list(_ANSWERS), index=None, format_func=_ANSWERS.__getitem__, horizontal=True)
        parent = st.text_input("Who answered?", placeholder="Name, or mother, father, carer", max_chars=200)
        left, right = st.columns(2)
        today = school.today()
        day = left.date_input("Day", today, max_value=today, format="DD/MM/YYYY")
        at = right.time_input("Time", None, help="Sessions that began before this time are not affected.")
        label = "Save withdrawal" if withdrawal else "Save answer"
        sent = st.form_submit_button(label, type="primary", icon=":material/save:")
    if not sent:
        return
    if at is None or (given is None and not withdrawal):
        missing = "the time of the withdrawal" if withdrawal else "the answer and its time"
        st.warning(f"Enter {missing}. Nothing you wrote is lost.", icon=":material/edit:")
        return
    answered_at = datetime.combine(day, at, school.settings.zone)
    if withdrawal:
        done = "Withdrawal saved. Sessions from then on are not covered."
        attempt(done, withdraw_consent, school, person, consent_id, parent=parent, at=answered_at)
    else:
        answer = partial(answer_consent, given=bool(given))
        attempt("Answer saved.", answer, school, person, consent_id, parent=parent, at=answered_at)


def _strike_out(school: School, person: Person, consent_id: int, history: pd.DataFrame) -> None:
    entries = history[~history["struck"] & ~history["kind"].isin(["struck", "asked"])]
    if entries.empty:
        return
    words = {row.event_id: f"{_EVENTS[row.kind]}, {moment(row.occurred_at)}" for row in entries.itertuples()}
    with st.expander("Correct a mistake"), st.form("strike", border=False):
        event_id = st.selectbox("Entry", list(words), format_func=words.__getitem__)
        reason = st.text_input("What was the mistake?", max_chars=500)
        if st.form_submit_button("Strike out"):
            done = "Struck out. The entry no longer counts, and stays in the history."
            attempt(done, strike_out, school, person, consent_id, event_id, reason)
