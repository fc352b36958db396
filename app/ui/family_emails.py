"""Emails to families on the page Parents: sending letters and requests, what became of them, and sending failed ones
again. No address of a family is shown."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.access.parents import count_consent_contacts, list_consent_emails
from app.access.policy import Person
from app.alerts.family_outbox import find_obstacle_to_families
from app.formatting import how_many, moment
from app.parents.email_templates import EmailText
from app.parents.emails import LANGUAGE, email_letters, email_request, preview_letter, preview_request
from app.parents.templates import TemplateError
from app.school import School
from app.ui.lists import as_listing, table
from app.ui.text import note, show_error, write_html
from app.ui.widgets import attempt
from app.vocabulary import EmailState, FamilyEmailKind

STATES = {
    EmailState.SENT: f"✓ {EmailState.SENT.label.lower()}",
    EmailState.WAITING: f"… {EmailState.WAITING.label.lower()}",
    EmailState.FAILED: f"✗ {EmailState.FAILED.label.lower()}",
}
_NAMED = 8  # pupils named in a sentence
_LANGUAGES = {"en": "English", "cy": "Welsh"}


def describe_letter_emails(pupils: pd.DataFrame, emails: pd.DataFrame) -> pd.DataFrame:
    """What became of the emails to the parents of each pupil: the pupils with `by_email` ("✓ sent, 1 of 2 addresses")
    and `why` (the reasons of those that failed)."""
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
    """Show the emails to the parents of some pupils that failed, why, and a button that sends them again."""
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
    ids = sorted(set(failed["pupil_id"]))
    with st.form("failed emails", border=False):
        note("Only these are sent again: to the addresses that the roster has now, with a new date.")
        if st.form_submit_button(f"Send {how_many(len(failed), 'failed email')} again", icon=":material/replay:"):
            attempt("Sending again. The register shows what becomes of each.", email_letters, school, person, kind, ids)


def offer_letter_emails(school: School, person: Person, kind: str, pupils: pd.DataFrame) -> None:
    """Show the form that emails a letter to the parents of some pupils, and what it will say."""
    n = "the letter" if len(pupils) == 1 else f"{len(pupils)} letters"
    languages = pupils["language"].fillna(LANGUAGE).map(_LANGUAGES).value_counts()
    with st.form("email letters", border=False):
        write_html(
            "To <b>{addresses}</b> of the families of {pupils}, in {languages}. Each address gets an email of its own.",
            addresses=how_many(int(pupils["contacts"].sum()), "address", "addresses"),
            pupils=how_many(len(pupils), "pupil"),
            languages=" and ".join(f"{name} ({count})" for name, count in languages.items()),
        )
        note(f"Replies go to {person.email}.")
        if st.form_submit_button(f"Email {n}", type="primary", icon=":material/mail:"):
            done = f"Emailing {n}. The register below shows what becomes of each."
            attempt(done, email_letters, school, person, kind, pupils["pupil_id"].tolist())
    _show_preview(lambda: preview_letter(school, person, kind, int(pupils["pupil_id"].iloc[0])))


def show_request_emails(school: School, person: Person, consent_id: int) -> None:
    """Show the form that emails a request for consent, and what became of the emails about it."""
    emails = list_consent_emails(school, person, consent_id)
    if len(emails):
        rows = emails.assign(
            what=emails["kind"].map(lambda kind: FamilyEmailKind(kind).label),
            status=emails["state"].map(STATES),
            when=emails["sent_at"].fillna(emails["queued_at"]).map(moment),
        )
        listing = as_listing(rows, ["what", "status", "when", "error"], error="Why")
        table(listing, "Emails about the consent", "emails about a consent", height="content")
    requests = emails.loc[emails["kind"] == FamilyEmailKind.REQUEST, "state"]
    contacts = count_consent_contacts(school, person, consent_id)
    if not contacts:
        note("The roster has no address of the family: send the Word letter.")
        return
    if len(requests) >= contacts and not (requests == EmailState.FAILED).any():
        return
    if obstacle := find_obstacle_to_families(school):
        note(obstacle)
        return
    with st.form("email request", border=False):
        again = (requests == EmailState.FAILED).any()
        note(
            "Only failed emails are sent again, to the addresses that the roster has now."
            if again
            else f"To {how_many(contacts, 'address', 'addresses')} of the family. Replies go to {person.email}."
        )
        label, icon = ("Send failed emails again", "replay") if again else ("Email the request", "mail")
        if st.form_submit_button(label, type="primary", icon=f":material/{icon}:"):
            attempt(
                "Emailing the request. This page shows what becomes of it.", email_request, school, person, consent_id
            )
    _show_preview(lambda: preview_request(school, person, consent_id))


def _show_preview(create: Callable[[], EmailText]) -> None:
    """Show an email as the family will read it, when somebody opens it."""
    with st.expander("Preview", on_change="rerun", key="preview of an email") as place:
        if not place.open:
            return
        try:
            text = create()
        except TemplateError as error:
            show_error("The email cannot be shown.", str(error))
            return
        write_html("<b>{subject}</b>", subject=text.subject)
        lines = {f"line{number}": line for number, line in enumerate(text.body.splitlines())}
        write_html("<br>".join(f"{{{name}}}" for name in lines), **lines)
