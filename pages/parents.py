"""Parents: the letters that they were sent, and the consents that they were asked for and gave."""

import pandas as pd
import streamlit as st

from app.access.parents import list_consents, list_letter_emails, list_letters_sent
from app.formatting import how_many
from app.school import School
from app.ui import address
from app.ui.parents.consent_detail import show_consent
from app.ui.parents.consents import show_consents, show_request_form
from app.ui.parents.letters import describe_remote_learning, show_letters
from app.ui.shell import require
from app.ui.text import write_html
from app.ui.widgets import show_confirmation
from app.vocabulary.roles import Page
from app.vocabulary.terms import ConsentStatus, EmailState


def show_outstanding(school: School, consents: pd.DataFrame, pupils: pd.DataFrame, emails: pd.DataFrame) -> None:
    """Show what needs attention, in up to four sentences, one on each line."""
    failed = emails[emails["state"] == EmailState.FAILED].drop_duplicates(["pupil_id", "kind"])
    unsent = (consents["request"] == EmailState.FAILED) & (consents["status"] == ConsentStatus.WAITING)
    waiting = consents[consents["status"] == ConsentStatus.WAITING]
    age = (pd.Timestamp(school.now()) - waiting["asked_at"].dropna()).max()
    sentences = ["<b>{requests}</b> awaiting an answer{oldest}."]
    values = {
        "requests": how_many(len(waiting), "consent request"),
        "oldest": "" if pd.isna(age) else f"; oldest {how_many(age.days, 'day')}",
        "total": len(pupils),
        "introductions": int(pupils["introduction"].isna().sum()),
        "remote": int(pupils["remote"].sum()),
        "one_to_ones": int((pupils["one_to_one"].isna() & pupils["remote"].astype(bool)).sum()),
        "periods": " or ".join(describe_remote_learning(school)) or "their remote learning",
    }
    if len(pupils):
        sentences.append(
            "<b>{introductions} of {total}</b> pupils’ parents have not been sent the letter of introduction."
        )
    if values["one_to_ones"]:
        sentences.append(
            "<b>{one_to_ones} of {remote}</b> parents of pupils with remote learning ahead have not been sent the letter "
            "on one-to-ones, which is due before the first one-to-one in {periods}."
        )
    if parts := [how_many(n, noun) for noun, n in {"letter": len(failed), "request": int(unsent.sum())}.items() if n]:
        values["failed"] = " and ".join(parts)
        sentences.append("Emails failed for <b>{failed}</b>: the lists below say why.")
    write_html("<br>".join(sentences), **values)


school, person = require(Page.PARENTS)
consents = list_consents(school, person)
if "ask" in st.query_params:
    show_request_form(school, person)
elif "consent" in st.query_params:
    show_consent(school, person, consents, st.query_params["consent"])
else:
    st.title("Parents")
    show_confirmation()
    pupils = list_letters_sent(school, person)
    show_outstanding(school, consents, pupils, list_letter_emails(school, person))
    consents_tab, letters_tab = address.show_tabs(["Consents", "Letters"])
    with consents_tab:
        show_consents(school, person, consents)
    with letters_tab:
        show_letters(school, person, pupils)
