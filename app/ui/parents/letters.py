"""The tab Letters of the page Parents: which letters are outstanding, creating them, and the register of letters."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.access.parents import list_letter_emails, list_letters_by_day
from app.access.policy import Person
from app.alerts.family_outbox import find_obstacle_to_families
from app.formatting import how_many, on_day
from app.judging.what_if import describe_groups
from app.parents.letters import KINDS, Download, mark_letters_sent, strike_letters_out, write_letters
from app.parents.templates import TemplateError
from app.school import School
from app.ui.address import choose_one
from app.ui.authority import dialog
from app.ui.drafts import label_pupils
from app.ui.lists import as_listing, table
from app.ui.parents.family_emails import describe_letter_emails, offer_letter_emails, show_failed_letters
from app.ui.text import note, show_error, write_html
from app.ui.widgets import attempt, download, filter_values
from app.vocabulary.terms import EmailState


def show_letters(school: School, person: Person, pupils: pd.DataFrame) -> None:
    """Show the tab Letters. `pupils` come from `access.parents.list_letters_sent`."""
    if pupils.empty:
        st.write(
            "You have no pupils to show. Letters can be seen by a pupil's tutor, HOY and HM, and by staff who teach "
            "them online."
        )
        return
    kind = choose_one("Letter", KINDS, next(iter(KINDS)), "letter")
    selected, chosen = _filter(pupils)
    emails = list_letter_emails(school, person)
    emails = emails[(emails["kind"] == kind) & (emails["state"] != EmailState.STRUCK)]
    lacking = selected[selected[kind].isna()]
    _show_outstanding(school, kind, selected, lacking)
    show_failed_letters(school, person, kind, selected[selected["led"].astype(bool)], emails)
    on_their_way = emails.loc[emails["state"] == EmailState.WAITING, "pupil_id"]
    to_write = selected if chosen else lacking[~lacking["pupil_id"].isin(on_their_way)]
    to_write = to_write[to_write["led"].astype(bool)]
    if len(to_write):
        _send_letters(school, person, kind, to_write, emails, everybody_on_paper=chosen)
    elif len(lacking) and not lacking["led"].any():
        note("The HOY, the HM or the Senior Deputy Head sends this letter.")
    _show_register(kind, selected, emails)
    _strike_out(school, person, kind, selected)


def describe_remote_learning(school: School) -> list[str]:
    """Descriptions of the periods of remote learning that have not ended."""
    periods = [period for period in school.settings.remote_learning if period.to >= school.today()]
    return [
        f"the period from {on_day(period.from_)} to {on_day(period.to)}{describe_groups(period)}" for period in periods
    ]


def _filter(pupils: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Show the filters. Returns the pupils that they leave, and whether pupils were chosen by name."""
    left, middle, right = st.columns(3)
    years = left.multiselect("Year", sort_years(pupils["year_group"]), key="letters year")
    houses = middle.multiselect("House", sorted(pupils["house"].unique()), key="letters house")
    names = label_pupils(pupils.rename(columns={"pupil": "name"}))
    only = right.multiselect("Pupils", list(names), format_func=names.__getitem__, placeholder="Type a name")
    if only:
        return pupils[pupils["pupil_id"].isin(only)], True
    return filter_values(pupils, year_group=years, house=houses), False


def _show_outstanding(school: School, kind: str, selected: pd.DataFrame, lacking: pd.DataFrame) -> None:
    by_year = lacking.groupby("year_group").size()
    years = ", ".join(f"{by_year[year]} in year {year}" for year in sort_years(lacking["year_group"]))
    words = "<b>{n}</b> of {total} pupils’ parents have not been sent this letter{by_year}."
    write_html(words, n=len(lacking), total=len(selected), by_year=f": {years}" if len(by_year) > 1 else "")
    if kind == "one_to_one":
        coming = describe_remote_learning(school)
        note(
            f"Send it before the first one-to-one in {', '.join(coming)}."
            if coming
            else "It is needed for one-to-ones during remote learning. No such period is coming up."
        )


def _show_register(kind: str, selected: pd.DataFrame, emails: pd.DataFrame) -> None:
    st.header("Register of letters")
    missing_first = selected.sort_values(kind, key=pd.Series.notna, kind="stable")
    missing_first = describe_letter_emails(missing_first, emails)
    columns = ["pupil", *KINDS, "by_email", "why", "year_group", "house", "tutor"]
    headings = {"year_group": "Year", "by_email": "This letter by email", "why": "Why it failed"}
    if not missing_first["why"].any():
        columns.remove("why")
    rows = as_listing(missing_first, columns, **headings, **KINDS)
    alt = "When each pupil's parents were first sent each letter"
    table(rows, alt, "letters", placeholder="✗ not sent")


def _strike_out(school: School, person: Person, kind: str, pupils: pd.DataFrame) -> None:
    """Show the button to strike out letters that were marked as sent by mistake, for the selected pupils."""
    letters = list_letters_by_day(school, person)
    letters = letters[(letters["kind"] == kind) & letters["pupil_id"].isin(pupils["pupil_id"])]
    if letters.empty:
        return
    if st.button("Correct a mistake", key="open strike letters", icon=":material/undo:"):
        _strike_letters(school, person, kind, letters)


@dialog("Letters marked as sent by mistake")
def _strike_letters(school: School, person: Person, kind: str, letters: pd.DataFrame) -> None:
    st.write(
        f"{KINDS[kind]}: letters that are struck out no longer count, and the pupils' sessions are checked again. If "
        "only some pupils are affected, choose them on the page first."
    )
    days = letters.groupby("sent_on").size().sort_index(ascending=False)
    words = {day: f"{on_day(day)}, {how_many(n, 'pupil')}" for day, n in days.items()}
    with st.form("strike letters", border=False):
        day = st.selectbox("Marked as sent on", list(words), format_func=words.__getitem__)
        reason = st.text_input("What was the mistake?", max_chars=500)
        if st.form_submit_button("Strike out", type="primary"):
            ids = letters.loc[letters["sent_on"] == day, "pupil_id"].tolist()
            done = "Struck out of the register. These pupils' sessions have been checked again."
            attempt(done, strike_letters_out, school, person, kind, ids, day.date(), reason)


def _send_letters(
    school: School, person: Person, kind: str, pupils: pd.DataFrame, emails: pd.DataFrame, *, everybody_on_paper: bool
) -> None:
    """Offer a letter to the parents of some pupils: by email to families with addresses on the roster that have not
    been emailed it, and on paper to the others and where the email failed, or to everybody."""
    obstacle = find_obstacle_to_families(school)
    has_contacts, is_emailed = pupils["contacts"] > 0, pupils["pupil_id"].isin(emails["pupil_id"])
    has_failed = pupils["pupil_id"].isin(emails.loc[emails["state"] == EmailState.FAILED, "pupil_id"])
    by_email = pupils[has_contacts & ~is_emailed]
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("By email")
        if obstacle:
            note(obstacle)
        elif len(by_email):
            offer_letter_emails(school, person, kind, by_email)
        elif has_contacts.any():
            note("Already emailed. The register below shows the status.")
        else:
            note("The roster has no addresses for these families. Ask the office to add them (contact_emails).")
    with right:
        st.subheader("On paper")
        on_paper = pupils if obstacle or everybody_on_paper else pupils[~has_contacts | has_failed]
        if len(on_paper):
            _send_on_paper(school, person, kind, on_paper)
        else:
            note("All these families have an email address. To print a letter for one, choose the pupil above.")


def _send_on_paper(school: School, person: Person, kind: str, pupils: pd.DataFrame) -> None:
    ids = pupils["pupil_id"].tolist()
    n = "the letter" if len(ids) == 1 else f"{len(ids)} letters"
    more = f" and {len(ids) - 8} more" if len(ids) > 8 else ""
    write_html("To the parents of {names}.", names=", ".join(pupils["pupil"].head(8)) + more)
    offer_letters(f"Create {n}", f"{kind} {ids}", lambda progress: write_letters(school, person, kind, ids, progress))
    if len(ids) > 1:
        note("One zip file: a document to print, and each letter as a file.")
    if st.button(f"Mark {n} as sent", key=f"open sent {kind}", icon=":material/mark_email_read:"):
        _mark_letters(school, person, kind, ids, n)


@dialog("Mark letters as sent")
def _mark_letters(school: School, person: Person, kind: str, ids: list[int], n: str) -> None:
    st.write(f"For {n} on paper: the register shows the day, and the pupils' sessions are checked again.")
    with st.form("sent", border=False):
        day = st.date_input("Sent on", school.today(), max_value=school.today(), format="DD/MM/YYYY")
        if st.form_submit_button("Mark as sent", type="primary", icon=":material/mark_email_read:"):
            done = f"Marked as sent: {n}. These pupils' sessions have been checked again."
            attempt(done, mark_letters_sent, school, person, kind, ids, day)


def sort_years(years: pd.Series) -> list[str]:
    """The different year groups in order, with 7 before 10."""
    return sorted(years.unique(), key=lambda year: (len(year), year))


def offer_letters(label: str, key: str, make: Callable[[Callable[[float], None]], Download]) -> None:
    """Show a button that creates a file, then one that downloads it. `make` creates it, given a function that shows
    progress."""
    made: dict[str, Download] = st.session_state.setdefault("letters made", {})
    if key not in made and st.button(label, key=f"make {key}", icon=":material/draft:"):
        bar = st.progress(0.0, text="Creating letters…")

        def show_share(share: float) -> None:
            bar.progress(share, text="Creating letters…")

        try:
            made.clear()
            made[key] = make(show_share)
        except TemplateError as error:
            show_error("The letters could not be created. Nothing was changed.", str(error))
        bar.empty()
    if key in made:
        file = made[key]
        download("Download", file.content, file.name, mime=file.type, key=f"download {key}", type="primary")
