"""The consents on the page Parents: the lists, one consent with its history, and the form to ask for one."""

from datetime import datetime, time

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
    inform_slt,
    mark_request_sent,
    strike_out,
    withdraw_consent,
)
from app.parents.letters import times, write_requests
from app.records.registers import Consent
from app.school import School
from app.ui.current import seen
from app.ui.parents import attempt, confirm_on_rerun, matching, offer_letters, show_confirmation, sorted_years
from app.ui.text import note, title, write_html
from app.ui.widgets import table

_STATUS = {
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
    "given": "Consent given",
    "refused": "Consent refused",
    "withdrawn": "Consent withdrawn",
    "slt_informed": "SLT informed",
    "struck": "Entry struck out",
}
_CHOICES = {
    "outside_hours": "Academic tuition outside the usual hours, for example because of a time zone (SLT is informed)",
    "one_to_one": "A pastoral one-to-one during remote learning, outside lunchtime and tutor time",
}
_ANSWERS = {True: "They consent", False: "They do not consent"}


def show_consents(school: School, person: Person, consents: pd.DataFrame) -> None:
    """The tab Consents; `consents` from `access.parents.list_consents`."""
    if consents.empty:
        st.write(
            "No consents on record for your pupils. Ask for one before academic tuition outside the usual hours, or "
            "before a one-to-one outside lunchtime and tutor time."
        )
        _link_to_request()
        return
    missing = consents[consents["lacks"] != ""].sort_values(["asked_at", "consent_id"], na_position="first")
    st.header("Outstanding consents")
    if missing.empty:
        st.success("None.", icon=":material/check:")
    else:
        _show_list(person, missing, _missing_columns(school, missing), "consents missing")
    _link_to_request()
    st.header("All consents")
    left, middle, right = st.columns(3)
    found = [status for status in _STATUS if status in set(consents["stands"])]
    status = left.multiselect("Status", found, format_func=_STATUS.__getitem__)
    years = middle.multiselect("Year", sorted_years(consents["year_group"]), key="consents year")
    houses = right.multiselect("House", sorted(consents["house"].unique()), key="consents house")
    shown = matching(consents, stands=status, year_group=years, house=houses)
    if shown.empty:
        st.write("No matches. Remove a filter.")
    else:
        _show_list(person, shown, _all_columns(shown), "consents")


def _link_to_request() -> None:
    st.page_link("pages/parents.py", label="Ask for a consent", icon=":material/add:", query_params={"ask": "yes"})


def _missing_columns(school: School, consents: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Pupil": consents["pupil"],
            "Missing": consents["lacks"].map(_MISSING),
            "Days": (pd.Timestamp(school.now()) - consents["asked_at"]).dt.days,
            "When": _periods(consents),
            "Consent to": consents["kind"].map(KINDS),
            "Reason": consents["reason"].fillna(""),
            "Asked for by": consents["asked_by"].fillna(""),
            "Year": consents["year_group"],
            "House": consents["house"],
        }
    )


def _all_columns(consents: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Pupil": consents["pupil"],
            "Status": consents["stands"].map(_STATUS),
            "Year": consents["year_group"],
            "House": consents["house"],
            "When": _periods(consents),
            "Consent to": consents["kind"].map(KINDS),
            "Reason": consents["reason"].fillna(""),
            "Asked for": consents["asked_at"].map(moment),
            "Asked for by": consents["asked_by"].fillna(""),
            "Answered": consents["answered_at"].map(moment),
            "Parent": consents["answered_by"].fillna(""),
            "SLT informed": consents["slt_informed_at"].map(moment),
        }
    )


def _show_list(person: Person, consents: pd.DataFrame, rows: pd.DataFrame, name: str) -> None:
    event = table(
        rows,
        name.capitalize(),
        name,
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(consents) < 12 else 420,
        key=f"{name} {person.staff_id} {','.join(map(str, consents['consent_id']))}",
    )
    note("Select a row to open it.")
    if event["selection"]["rows"]:
        st.query_params["consent"] = str(consents["consent_id"].iloc[event["selection"]["rows"][0]])
        st.rerun()


def _periods(consents: pd.DataFrame) -> list[str]:
    """From when to when, short enough for a table."""
    return [
        f"{moment(row.covers_from)} to {row.covers_to:%H:%M}"
        if row.covers_from.date() == row.covers_to.date()
        else f"{on_day(row.covers_from)} to {on_day(row.covers_to)}"
        for row in consents.itertuples()
    ]


# --- asking for a consent -----------------------------------------------------------------------------------


def show_request_form(school: School, person: Person) -> None:
    """The form to ask for a consent; it leads to the new one."""
    st.page_link("pages/parents.py", label="Consents and letters", icon=":material/arrow_back:")
    st.title("Ask for a consent")
    st.write(
        "For academic tuition outside the usual hours, and for one-to-ones outside lunchtime and tutor time. "
        "Counselling does not need one."
    )
    people = list_pupils_to_choose(school, person)
    names = {row.pupil_id: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}
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
        covers_from, covers_to = _moment_of(school, first, begins), _moment_of(school, last, ends)
        request = Consent(pupil_id=pupil, kind=kind, covers_from=covers_from, covers_to=covers_to, reason=reason)
        consent_id = ask_for_consent(school, person, request)
    except ValueError as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        return
    confirm_on_rerun("Request saved. Next: create the letter and send it.")
    st.query_params.clear()
    st.query_params["consent"] = str(consent_id)
    st.rerun()


def _moment_of(school: School, day: object, at: object) -> datetime:
    return datetime.combine(day, at, school.settings.zone)  # type: ignore[arg-type]


# --- one consent --------------------------------------------------------------------------------------------


def show_consent(school: School, person: Person, consents: pd.DataFrame, number: str) -> None:
    """One of the consents; of a number that is not among them only that there is none."""
    st.page_link("pages/parents.py", label="Consents and letters", icon=":material/arrow_back:")
    found = consents[consents["consent_id"].astype(str) == number]
    if found.empty:
        st.title("Consent")
        st.info("This consent does not exist, or you do not have access to it.")
        return
    row = found.iloc[0]
    seen(school, person, f"consent {number}")
    title(f"Consent of {row['pupil']}'s parents")
    show_confirmation()
    write_html(
        "<b>{status}</b> · {kind}, {period}",
        status=_STATUS[row["stands"]],
        kind=KINDS[row["kind"]],
        period=times(row["covers_from"], row["covers_to"]),
    )
    write_html("Reason: {reason}", reason=row["reason"] or "none on record")
    if row["kind"] == "outside_hours":
        informed = row["slt_informed_at"]
        write_html("SLT: {words}", words=f"informed {moment(informed)}" if pd.notna(informed) else "not yet informed")
    history = get_consent_history(school, person, int(number))
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
    rows = pd.DataFrame(
        {
            "When": history["occurred_at"].map(moment),
            "What": history["kind"].map(_EVENTS) + history["struck"].map({True: " (struck out)", False: ""}),
            "Parent": history["parent"].fillna(""),
            "Entered by": history["entered_by"].fillna("imported"),
            "Entered": history["entered_at"].map(moment),
            "Reason": history["reason"].fillna(""),
        }
    )
    table(rows, "History of the consent", "history of a consent", height="content")


def _show_next_step(school: School, person: Person, row: pd.Series, consent_id: int) -> None:
    if row["state"] == "asked":
        _send_request(school, person, row, consent_id)
    if (
        row["state"] == "given"
        and row["kind"] == "outside_hours"
        and pd.isna(row["slt_informed_at"])
        and st.button("Inform SLT now", type="primary", icon=":material/send:")
    ):
        attempt(lambda: inform_slt(school, person, consent_id), "SLT has been informed by email alert.")
    if row["state"] == "given":
        _withdrawal_form(school, person, consent_id)
    else:
        _answer_form(school, person, consent_id)


def _send_request(school: School, person: Person, row: pd.Series, consent_id: int) -> None:
    st.header("Request")
    if pd.notna(row["sent_at"]):
        write_html("Sent to the parents {when}.", when=moment(row["sent_at"]))
    left, right = st.columns(2)
    with left:
        offer_letters(
            "Create the letter", f"request {consent_id}", lambda _progress: write_requests(school, person, [consent_id])
        )
    if pd.isna(row["sent_at"]) and right.button("Mark as sent", icon=":material/mark_email_read:"):
        attempt(lambda: mark_request_sent(school, person, consent_id), "Marked as sent.")


def _answer_form(school: School, person: Person, consent_id: int) -> None:
    with st.form("answer", border=True):
        st.subheader("Record the answer")
        given = st.radio("Answer", list(_ANSWERS), index=None, format_func=_ANSWERS.__getitem__, horizontal=True)
        parent, at = _parent_and_time(school)
        sent = st.form_submit_button("Save answer", type="primary", icon=":material/save:")
    if not sent:
        return
    if at is None or given is None:
        st.warning("Enter the answer and its time. Nothing you wrote is lost.", icon=":material/edit:")
        return
    attempt(
        lambda: answer_consent(school, person, consent_id, given=bool(given), parent=parent, at=at), "Answer saved."
    )


def _withdrawal_form(school: School, person: Person, consent_id: int) -> None:
    with st.form("answer", border=True):
        st.subheader("Record a withdrawal")
        parent, at = _parent_and_time(school)
        sent = st.form_submit_button("Save withdrawal", type="primary", icon=":material/save:")
    if not sent:
        return
    if at is None:
        st.warning("Enter the time of the withdrawal. Nothing you wrote is lost.", icon=":material/edit:")
        return
    attempt(
        lambda: withdraw_consent(school, person, consent_id, parent=parent, at=at),
        "Withdrawal saved. Sessions from then on are not covered.",
    )


def _parent_and_time(school: School) -> tuple[str, datetime | None]:
    """Who answered and when; no time until one is entered."""
    parent = st.text_input("Who answered?", placeholder="Name, or mother, father, carer", max_chars=200)
    left, right = st.columns(2)
    today = school.today()
    day = left.date_input("Day", today, max_value=today, format="DD/MM/YYYY")
    at = right.time_input("Time", None, help="Sessions that began before this time are not affected.")
    return parent, None if at is None else _moment_of(school, day, at)


def _strike_out(school: School, person: Person, consent_id: int, history: pd.DataFrame) -> None:
    entries = history[~history["struck"] & ~history["kind"].isin(["struck", "asked"])]
    if entries.empty:
        return
    words = {row.event_id: f"{_EVENTS[row.kind]}, {moment(row.occurred_at)}" for row in entries.itertuples()}
    with st.expander("Correct a mistake"), st.form("strike", border=False):
        event_id = st.selectbox("Entry", list(words), format_func=words.__getitem__)
        reason = st.text_input("What was the mistake?", max_chars=500)
        if st.form_submit_button("Strike out"):
            attempt(
                lambda: strike_out(school, person, consent_id, event_id, reason),
                "Struck out. The entry no longer counts, and stays in the history.",
            )
