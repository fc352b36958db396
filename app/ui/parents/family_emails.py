"""Emails to families on the page Parents: sending letters and requests, their status, and sending failed ones again.
Each is sent from a dialog that shows it. Families' addresses are never shown."""

from collections.abc import Callable
from typing import Literal

import pandas as pd
import streamlit as st

from app.access.parents import count_consent_contacts, list_consent_emails
from app.access.policy import Person
from app.alerts.family_outbox import find_obstacle_to_families
from app.formatting import how_many
from app.parents.email_templates import EmailText
from app.parents.emails import LANGUAGE, email_letters, email_request, preview_letter, preview_request
from app.parents.templates import TemplateError
from app.school import School
from app.ui.authority import dialog
from app.ui.lists import as_listing, table
from app.ui.text import note, show_error, write_html
from app.ui.widgets import attempt
from app.vocabulary.terms import EmailState, FamilyEmailKind

STATES = {
    EmailState.SENT: f"✓ {EmailState.SENT.label.lower()}",
    EmailState.WAITING: f"… {EmailState.WAITING.label.lower()}",
    EmailState.FAILED: f"✗ {EmailState.FAILED.label.lower()}",
}
_NAMED = 8  # pupils named in a sentence
_LANGUAGES = {"en": "English", "cy": "Welsh"}


def describe_letter_emails(pupils: pd.DataFrame, emails: pd.DataFrame) -> pd.DataFrame:
    """The pupils with the status of the emails to their parents: `by_email` ("✓ sent (1 of 2)") and `why` (the reasons
    of those that failed)."""
    words, reasons = {}, {}
    for pupil_id, own in emails.groupby("pupil_id"):
        counts = own["state"].value_counts()
        parts = [f"{STATES[state]} ({counts[state]} of {len(own)})" for state in STATES if state in counts]
        words[pupil_id] = ", ".join(parts)
        reasons[pupil_id] = " ".join(own.loc[own["state"] == EmailState.FAILED, "error"].dropna().unique())
    return pupils.assign(
        by_email=[words.get(row.pupil_id, "" if row.contacts else "no address") for row in pupils.itertuples()],
        why=[reasons.get(pupil_id, "") for pupil_id in pupils["pupil_id"]],
    )


def show_failed_letters(school: School, person: Person, kind: str, pupils: pd.DataFrame, emails: pd.DataFrame) -> None:
    """Show which emails to some pupils' parents failed and why, with a button to send them again."""
    failed = emails[(emails["state"] == EmailState.FAILED) & emails["pupil_id"].isin(pupils["pupil_id"])]
    if failed.empty:
        return
    st.subheader("Failed emails")
    names = dict(zip(pupils["pupil_id"], pupils["pupil"], strict=True))
    for reason, rows in failed.groupby("error", sort=False):
        of_reason = list(dict.fromkeys(rows["pupil_id"].map(names)))
        more = f" and {len(of_reason) - _NAMED} more" if len(of_reason) > _NAMED else ""
        write_html(
            "<b>{emails}</b> to the parents of {names}{more}. {reason}",
            emails=how_many(len(rows), "email"),
            names=", ".join(of_reason[:_NAMED]),
            more=more,
            reason=reason,
        )
    if find_obstacle_to_families(school):
        return
    label = f"Send {how_many(len(failed), 'failed email')} again"
    if st.button(label, key=f"open failed {kind}", icon=":material/replay:"):
        _send_failed_letters(school, person, kind, sorted(set(failed["pupil_id"])))


@dialog("Send failed emails again")
def _send_failed_letters(school: School, person: Person, kind: str, pupil_ids: list[int]) -> None:
    st.write("Only these are sent again: to the addresses that the roster has now, with a new date.")
    if st.button("Send again now", key="send failed", type="primary", icon=":material/replay:"):
        done = "Sending again. The register shows the status of each."
        attempt(done, email_letters, school, person, kind, pupil_ids)


def offer_letter_emails(school: School, person: Person, kind: str, pupils: pd.DataFrame) -> None:
    """Show the button that opens the emails of a letter to some pupils' parents, before they are sent."""
    n = "the letter" if len(pupils) == 1 else f"{len(pupils)} letters"
    write_html(
        "To <b>{addresses}</b> of the families of {pupils}.",
        addresses=how_many(int(pupils["contacts"].sum()), "address", "addresses"),
        pupils=how_many(len(pupils), "pupil"),
    )
    if st.button(f"Email {n}", key=f"open emails {kind}", type="primary", icon=":material/mail:"):
        _email_letters(school, person, kind, pupils, n)


@dialog("Email letters", width="medium")
def _email_letters(school: School, person: Person, kind: str, pupils: pd.DataFrame, n: str) -> None:
    languages = pupils["language"].fillna(LANGUAGE).map(_LANGUAGES).value_counts()
    write_html(
        "To <b>{addresses}</b> of the families of {pupils}, in {languages}. Each address gets an email of its own.",
        addresses=how_many(int(pupils["contacts"].sum()), "address", "addresses"),
        pupils=how_many(len(pupils), "pupil"),
        languages=" and ".join(f"{name} ({count})" for name, count in languages.items()),
    )
    note(f"Replies go to {person.email}.")
    first = int(pupils["pupil_id"].iloc[0])
    if not _show_email(lambda: preview_letter(school, person, kind, first)):
        return
    if st.button(f"Send {n} now", key="send letters", type="primary", icon=":material/send:"):
        done = f"Emailing {n}. The register below shows the status of each."
        attempt(done, email_letters, school, person, kind, pupils["pupil_id"].tolist())


def offer_request_email(school: School, person: Person, consent_id: int) -> None:
    """Show the button that opens the email with a request for consent, before it is sent. Nothing is shown if it went
    to all of the family's addresses or cannot be sent."""
    emails = list_consent_emails(school, person, consent_id)
    requests = emails.loc[emails["kind"] == FamilyEmailKind.REQUEST, "state"]
    contacts = count_consent_contacts(school, person, consent_id)
    has_failed = bool((requests == EmailState.FAILED).any())
    if find_obstacle_to_families(school) or (len(requests) >= contacts and not has_failed):
        return
    label, icon = ("Send failed emails again", "replay") if has_failed else ("Email the request", "mail")
    kind: Literal["primary", "secondary"] = "primary" if has_failed or requests.empty else "secondary"
    if contacts and st.button(label, key="open request email", type=kind, icon=f":material/{icon}:"):
        _email_request(school, person, consent_id, contacts, again=has_failed)


@dialog("Email the request", width="medium")
def _email_request(school: School, person: Person, consent_id: int, contacts: int, *, again: bool) -> None:
    if again:
        st.write("Only failed emails are sent again, to the addresses that the roster has now.")
    else:
        st.write(f"To {how_many(contacts, 'address', 'addresses')} of the family. Each gets an email of its own.")
    note(f"Replies go to {person.email}.")
    if not _show_email(lambda: preview_request(school, person, consent_id)):
        return
    if st.button("Send now", key="send request", type="primary", icon=":material/send:"):
        done = "Emailing the request. This page shows its status."
        attempt(done, email_request, school, person, consent_id)


def show_request_emails(school: School, person: Person, consent_id: int, *, is_waiting: bool) -> None:
    """Show the status of the emails about a request for consent. While it awaits an answer, also show why none can be
    sent."""
    emails = list_consent_emails(school, person, consent_id)
    if len(emails):
        rows = emails.assign(
            what=emails["kind"].map(lambda kind: FamilyEmailKind(kind).label),
            status=emails["state"].map(STATES),
            when=emails["sent_at"].fillna(emails["queued_at"]),
        )
        columns = ["what", "status", "when", "error"] if emails["error"].notna().any() else ["what", "status", "when"]
        st.subheader("Emails")
        listing = as_listing(rows, columns, error="Why")
        table(listing, "Emails about the consent", "emails about a consent")
    if not is_waiting:
        return
    if obstacle := find_obstacle_to_families(school):
        note(obstacle)
    elif not count_consent_contacts(school, person, consent_id):
        note("The roster has no address of the family: send the letter on paper.")


def _show_email(create: Callable[[], EmailText]) -> bool:
    """Show an email as the family will read it. Returns whether it could be created."""
    try:
        text = create()
    except TemplateError as error:
        show_error("The email cannot be created. Nothing was sent.", str(error))
        return False
    with st.container(border=True, height=320):
        write_html("<b>{subject}</b>", subject=text.subject)
        lines = {f"line{number}": line for number, line in enumerate(text.body.splitlines())}
        write_html("<br>".join(f"{{{name}}}" for name in lines), **lines)
    return True
