"""The consents on the page Parents: the lists, and the form to ask for a consent."""

from datetime import datetime, time

import pandas as pd
import streamlit as st

from app.access.deadlines import count_days
from app.access.forms import list_pupils_to_choose
from app.access.policy import NotAllowedError, Person
from app.formatting import moment, on_day
from app.parents.consents import KINDS, ask_for_consent, confirm_informed
from app.records.registers import Consent
from app.school import School
from app.ui.drafts import label_pupils
from app.ui.labels import CONSENT_WORDS
from app.ui.lists import as_numbers, open_record, select_row
from app.ui.parents.family_emails import STATES
from app.ui.parents.letters import sort_years
from app.ui.text import note, show_refusal
from app.ui.widgets import card, confirm_on_rerun, filter_values, link
from app.vocabulary.roles import Page
from app.vocabulary.terms import ConsentStatus, EmailState

_MISSING = {"answer": "the parents' answer", "slt": "SLT informed"}
_CHOICES = {
    "outside_hours": "Academic tuition outside the usual hours, for example because of a time zone (SLT is informed)",
    "one_to_one": "A pastoral one-to-one during remote learning, outside lunchtime and tutor time",
}
_MISSING_COLUMNS = ["Pupil", "Missing", "Days", "Request", "From", "To", "Consent to", "Reason", "Asked for by"]
_MISSING_COLUMNS += ["Year", "House"]
_COLUMNS = ["Pupil", "Status", "Request", "From", "To", "Consent to", "Reason", "Asked for", "Asked for by"]
_COLUMNS += ["Answered", "Parent", "SLT informed", "SLT confirmed", "Year", "House"]
_SHOWN = 5  # consents to confirm at once


def show_consents(school: School, person: Person, consents: pd.DataFrame) -> None:
    """Show the tab Consents. `consents` come from `access.parents.list_consents`."""
    if consents.empty:
        st.write(
            "No consents on record for your pupils. Ask for one before academic tuition outside the usual hours, or "
            "before a one-to-one outside lunchtime and tutor time."
        )
        link(Page.PARENTS, "Ask for a consent", "add", query={"ask": "yes"})
        return
    _show_to_confirm(school, person, consents)
    link(Page.PARENTS, "Ask for a consent", "add", query={"ask": "yes"})
    missing = consents[consents["missing_step"] != ""].sort_values(["asked_at", "consent_id"], na_position="first")
    st.header("Outstanding consents")
    if missing.empty:
        st.success("None.", icon=":material/check:")
    else:
        _show_list(school, missing, "consents missing", _MISSING_COLUMNS)
    st.header("All consents")
    left, middle, right = st.columns(3)
    statuses = [status for status in CONSENT_WORDS if status in set(consents["status"])]
    status = left.multiselect("Status", statuses, format_func=CONSENT_WORDS.__getitem__)
    years = middle.multiselect("Year", sort_years(consents["year_group"]), key="consents year")
    houses = right.multiselect("House", sorted(consents["house"].unique()), key="consents house")
    shown = filter_values(consents, status=status, year_group=years, house=houses)
    if shown.empty:
        st.write("No matches. Remove a filter.")
    else:
        _show_list(school, shown, "consents", _COLUMNS)


def _show_to_confirm(school: School, person: Person, consents: pd.DataFrame) -> None:
    """Show the consents of which SLT was informed, for a member of SLT to confirm with one click each. Confirmed ones
    stay in place until the person leaves, so that a second click does not confirm another."""
    here: set[int] = st.session_state.setdefault(f"consents confirmed by {person.staff_id}", set())
    is_done = consents["consent_id"].isin(here)
    is_new = consents["confirmed_at"].isna() & (consents["state"] == "given")
    is_asked_here = consents["asked_at"].notna()  # an imported file already says that SLT was informed
    rows = consents[consents["to_slt"] & (is_done | (is_new & is_asked_here))]
    if rows.empty:
        return
    waiting = ~rows["consent_id"].isin(here)
    st.header(f"For SLT to confirm ({waiting.sum()})")
    note("SLT was informed of these consents to tuition outside the usual hours.")
    shown = rows[waiting.cumsum() <= _SHOWN]
    for row, period in zip(shown.itertuples(), _periods(shown), strict=True):
        place = card("<b>{pupil}</b> · {period} · {reason}", pupil=row.pupil, period=period, reason=row.reason or "")
        if row.consent_id in here:
            place.button("Confirmed", key=f"confirmed {row.consent_id}", disabled=True, width="stretch")
        elif place.button("Confirm", key=f"confirm {row.consent_id}", icon=":material/check:", width="stretch"):
            _confirm(school, person, int(row.consent_id), here)
    if len(rows) > len(shown):
        note(f"{len(rows) - len(shown)} more follow.")


def _confirm(school: School, person: Person, consent_id: int, here: set[int]) -> None:
    try:
        confirm_informed(school, person, consent_id)
    except NotAllowedError as error:
        show_refusal(f"{error} Nothing was changed.")
        return
    here.add(consent_id)
    st.rerun()


def _show_list(school: School, consents: pd.DataFrame, name: str, columns: list[str]) -> None:
    is_waiting = consents["status"] == ConsentStatus.WAITING
    is_unsent = (consents["request"] == "") & is_waiting
    # Once there is an answer, an email that did not reach the parents no longer matters.
    request = consents["request"].where(is_waiting | (consents["request"] == EmailState.SENT)).map(STATES).fillna("")
    listing = pd.DataFrame(
        {
            "Pupil": consents["pupil"],
            "Missing": consents["missing_step"].map(_MISSING),
            "Days": count_days(school, consents["asked_at"]),
            "Status": consents["status"].map(CONSENT_WORDS),
            "Request": request.mask(is_unsent, "✗ not sent"),
            "Year": as_numbers(consents["year_group"]),
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
    select_row(listing[columns], ids, name.capitalize(), name, open_consent)
    note("Select a row to open it.")


def open_consent(consent_id: int) -> None:
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
    """Show the form to ask for a consent. It leads to the new consent."""
    link(Page.PARENTS, "Consents and letters", "arrow_back")
    st.title("Ask for a consent")
    st.write(
        "For academic tuition outside the usual hours, and for one-to-ones outside lunchtime and tutor time. "
        "Counselling does not need one."
    )
    names = label_pupils(list_pupils_to_choose(school, person))
    with st.form("ask for a consent", border=False):
        pupil = st.selectbox("Pupil", list(names), index=None, format_func=names.__getitem__, placeholder="Type a name")
        kind = st.radio("Consent to", list(_CHOICES), index=None, format_func=_CHOICES.__getitem__)
        left, right = st.columns(2)
        first = left.date_input("First day", school.today(), format="DD/MM/YYYY")
        begins = right.time_input("From", time(18))
        left, right = st.columns(2)  # a row of its own, so that a phone shows the four in order
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
        show_refusal(f"{error} Nothing you wrote is lost.")
        return
    confirm_on_rerun("Request saved. Next: send it to the parents.")
    st.switch_page("pages/parents.py", query_params={"consent": str(consent_id)})
