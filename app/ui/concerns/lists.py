"""The lists of both registers: what is outstanding, what a person may read or raised, and their actions."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from app.access.concerns import (
    list_actions_to_do,
    list_concerns,
    list_conduct_concerns,
    list_own_concerns,
    list_own_conduct_concerns,
)
from app.access.forms import CONCERN_DRAFT, CONDUCT_DRAFT, get_draft
from app.access.policy import Person, scopes
from app.concerns import casework
from app.formatting import moment, on_day
from app.school import School
from app.store.concerns import CHILD, CONDUCT, NOT_ASSESSED, Register
from app.ui.concerns.draft import Draft
from app.ui.text import note, write_html
from app.ui.widgets import table
from app.vocabulary import Resource, Scope


def show_children(school: School, person: Person) -> None:
    """The page as it opens: what is outstanding, what the person may read, what they raised."""
    st.title("Concerns")
    asked = list_actions_to_do(school, person)
    actions, of_conduct = asked[~asked["conduct"]], asked[asked["conduct"] & asked["mine"]]
    if scopes(person, Resource.CONCERNS):
        concerns = list_concerns(school, person)
        if _follows(person):
            _waiting(concerns, actions)
        _show_actions(school, person, actions)
        if _follows(person):
            _open_and_closed(person, concerns, CHILD, "Open, by level and age")
        elif len(concerns):
            _open_and_closed(person, concerns, CHILD, "Shared with you")
    else:
        _show_actions(school, person, actions)
    if _follows(person):
        st.header("Adults' conduct")
        still_open = int(list_conduct_concerns(school, person)["open"].sum())
        note("Kept apart from concerns about children. Anyone named in a concern cannot see it.")
        st.page_link(
            "pages/concerns.py",
            label=f"Concerns about an adult's conduct ({still_open} open, {len(of_conduct)} actions for you)",
            icon=":material/arrow_forward:",
            query_params={"about": "conduct"},
        )
    _raised_by(school, person)


def show_conduct(school: School, person: Person) -> None:
    """Concerns about adults' conduct, for those who may see some."""
    st.page_link("pages/concerns.py", label="Concerns about children", icon=":material/arrow_back:")
    st.title("Adults' conduct")
    if not _follows(person):
        st.info("You do not have access to any concerns here.")
        return
    concerns, actions = list_conduct_concerns(school, person), list_actions_to_do(school, person)
    actions = actions[actions["conduct"]]
    _waiting(concerns, actions)
    _show_actions(school, person, actions)
    _open_and_closed(
        person,
        concerns,
        CONDUCT,
        "Open, by level and age",
        record=lambda refs: casework.record_download(school, person, refs),
    )
    _raise_link("Raise a concern about an adult's conduct", "conduct")


def _follows(person: Person) -> bool:
    """Whether somebody follows concerns up; others see those that were shared with them."""
    return Scope.FOLLOWED_UP in scopes(person, Resource.CONCERN_ACTIONS)


# --- raised by oneself ------------------------------------------------------------------------------


def _raised_by(school: School, person: Person) -> None:
    st.header("Raised by me")
    _begun(school, person)
    mine, about_adults = list_own_concerns(school, person), list_own_conduct_concerns(school, person)
    if mine.empty and about_adults.empty:
        st.write("None.")
    if len(mine):
        table(_own(mine), "Concerns that I raised", "my concerns", height="content")
    if len(about_adults):
        st.subheader("About an adult's conduct")
        refs = about_adults["ref"].tolist()
        table(
            _own(about_adults),
            "Concerns about conduct that I raised",
            "my concerns about conduct",
            height="content",
            note=lambda: casework.record_download(school, person, refs),
        )
    with st.container(horizontal=True):
        _raise_link("Raise a concern about a child", "yes")
        _raise_link("Raise a concern about an adult's conduct", "conduct")


def _raise_link(label: str, what: str) -> None:
    st.page_link("pages/concerns.py", label=label, icon=":material/flag:", query_params={"raise": what})


def _begun(school: School, person: Person) -> None:
    """A form that was begun and not sent."""
    for form, what, words in (
        (CONCERN_DRAFT, "yes", "You have an unsent concern about a child."),
        (CONDUCT_DRAFT, "conduct", "You have an unsent concern about an adult's conduct."),
    ):
        if get_draft(school, person, form):
            st.warning(words, icon=":material/edit_note:")
            _raise_link("Continue", what)


def _own(mine: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Reference": mine["ref"],
            "Raised": [moment(when) for when in mine["raised_at"]],
            "Received by": mine["received_by"].replace("", "nobody yet"),
            "Read by": mine["read_by"].replace("", "nobody yet"),
            "About": mine["pupils"],
            "What I wrote": mine["summary"].replace("", "recorded in the school's safeguarding system"),
        }
    )


# --- outstanding, and actions -----------------------------------------------------------------------


def _waiting(concerns: pd.DataFrame, actions: pd.DataFrame) -> None:
    """In one sentence what is outstanding."""
    still_open = concerns[concerns["open"]]
    if still_open.empty:
        st.success("No concern is open.", icon=":material/check:")
        return
    oldest = still_open.sort_values("raised_at").iloc[0]
    mine, others = actions[actions["mine"]], actions[~actions["mine"]]
    waits = {
        "not read yet": int((~still_open["read"]).sum()),
        "not yet assessed": int((still_open["level"] == NOT_ASSESSED).sum()),
        "of your own actions overdue": int(mine["overdue"].sum()),
        "of your own actions to come": int((~mine["overdue"]).sum()),
        "of others' actions overdue": int(others["overdue"].sum()),
    }
    words = ", ".join(f"<b>{number}</b> {what}" for what, number in waits.items() if number)
    write_html(
        f"{words or 'Nothing waiting for you'}. " + "{n} open; oldest {ref}, {age} days.",
        n=len(still_open),
        ref=oldest["ref"],
        age=oldest["age_days"],
    )


def _show_actions(school: School, person: Person, actions: pd.DataFrame) -> None:
    """The person's actions, each to be marked as done here; and those of others."""
    mine, others = actions[actions["mine"]], actions[~actions["mine"]]
    if len(mine):
        st.header("My actions")
    for row in mine.itertuples():
        with st.container(border=True):
            write_html(
                "<b>{what}</b><br>{late}by {due} · assigned by {by} · {ref}",
                what=row.what,
                due=on_day(row.due),
                by=row.asked_by,
                ref=row.ref,
                late="⚠ Overdue: " if row.overdue else "",
            )
            if row.may_open:
                st.page_link(
                    "pages/concerns.py",
                    label="Open the concern",
                    icon=":material/folder_open:",
                    query_params={"ref": row.ref},
                )
            else:
                _say_done(school, person, row)
    if len(others):
        with st.expander(f"Actions assigned to others ({len(others)})", expanded=bool(others["overdue"].any())):
            rows = pd.DataFrame(
                {
                    "By": [on_day(day) for day in others["due"]],
                    "": ["⚠ overdue" if late else "" for late in others["overdue"]],
                    "Who": others["owner"],
                    "What": others["what"],
                    "Reference": others["ref"],
                }
            )
            st.dataframe(rows, hide_index=True, alt="Actions assigned to others", height="content")


def _say_done(school: School, person: Person, row: Any) -> None:
    draft = Draft(school, person, f"{row.ref} done {row.number}")
    words = draft.line("text", "What was done?")
    draft.keep()
    if st.button("Done", key=f"done {row.ref} {row.number}", icon=":material/check:"):
        try:
            casework.finish(school, person, row.ref, int(row.number), words)
        except (casework.IncompleteStepError, casework.NotYoursError) as error:
            st.warning(str(error), icon=":material/edit:")
        else:
            draft.drop()
            st.toast("Marked as done. The DSP will see it.", icon=":material/check:")
            st.rerun()


# --- open and closed --------------------------------------------------------------------------------


def _open_and_closed(
    person: Person,
    concerns: pd.DataFrame,
    register: Register,
    heading: str,
    record: Callable[[list[str]], None] | None = None,
) -> None:
    still_open, closed = concerns[concerns["open"]], concerns[~concerns["open"]]
    st.header(heading)
    name = "concerns" if register is CHILD else "concerns about conduct"
    if still_open.empty:
        st.write("None.")
    else:
        note("Select a row to open it.")
        _listing(person, still_open, register, f"open {name}", record)
    if len(closed):
        with st.expander(f"Closed ({len(closed)})"):
            _listing(person, closed, register, f"closed {name}", record)


def _listing(
    person: Person, concerns: pd.DataFrame, register: Register, name: str, record: Callable[[list[str]], None] | None
) -> None:
    columns = {"Reference": concerns["ref"], "Level": concerns["level"], "Days": concerns["age_days"]}
    if register is CONDUCT:
        columns["Adults"] = concerns["adults"]
    columns |= {
        "Children": concerns["pupils"],
        "Category": concerns["categories"].map(register.kinds),
        "Open actions": concerns["actions"],
        "Read": concerns["read"].map({True: "yes", False: "not yet"}),
        "Raised by": concerns["raised_by"].fillna("–"),
        "With": concerns["owner"].replace("", "nobody"),
    }
    refs = concerns["ref"].tolist()
    event = table(
        pd.DataFrame(columns),
        name.capitalize(),
        name,
        on_select="rerun",
        selection_mode="single-row",
        key=f"{name} {person.staff_id} {','.join(refs)}",
        height="content",
        note=(lambda: record(refs)) if record else None,
    )
    if event["selection"]["rows"]:
        st.query_params["ref"] = refs[event["selection"]["rows"][0]]
        st.query_params.pop("about", None)
        st.rerun()
