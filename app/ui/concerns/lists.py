"""The lists of both registers: what is outstanding, what the person may read or has raised, and their actions."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.access.concerns import list_actions_to_do, list_concerns, list_own_concerns
from app.access.forms import CONCERN_DRAFT, CONDUCT_DRAFT, get_draft
from app.access.policy import Person, get_scopes
from app.concerns import casework
from app.formatting import how_many
from app.school import School
from app.store.concerns import CHILD, CONDUCT, NOT_ASSESSED, Register
from app.ui.authority import guard
from app.ui.drafts import Draft
from app.ui.lists import as_listing, open_record, select_row, table
from app.ui.text import note, show_refusal, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page, Resource, Scope


def show_children(school: School, person: Person) -> None:
    """Show the page as it opens: what is outstanding, what the person may read and what they raised."""
    st.title("Concerns")
    actions = list_actions_to_do(school, person)
    about_children = actions[~actions["conduct"]]
    concerns = list_concerns(school, person) if get_scopes(person, Resource.CONCERNS) else None
    follows = _follows(person)
    if concerns is not None and follows:
        _show_waiting(concerns, about_children)
    if concerns is not None and (follows or len(concerns)):
        _show_open_and_closed(concerns, CHILD, "Open" if follows else "Shared with you")
    _show_actions(school, person, about_children, concerns)
    if follows:
        st.header("Adults' conduct")
        note("Separate from concerns about children. Anyone named in a concern cannot see it.")
        still_open = int(list_concerns(school, person, CONDUCT)["open"].sum())
        own = how_many(int((actions["conduct"] & actions["mine"]).sum()), "action")
        label = f"Concerns about an adult's conduct ({still_open} open, {own} for you)"
        link(Page.CONCERNS, label, "arrow_forward", query={"about": "conduct"})
    _show_own(school, person)


def show_conduct(school: School, person: Person) -> None:
    """Show concerns about adults' conduct to those who may see them."""
    link(Page.CONCERNS, "Concerns about children", "arrow_back")
    st.title("Adults' conduct")
    if not _follows(person):
        st.info("You do not have access to any concerns here.")
        return
    concerns, actions = list_concerns(school, person, CONDUCT), list_actions_to_do(school, person)
    actions = actions[actions["conduct"]]
    _show_waiting(concerns, actions)
    record = partial(casework.record_download, school, person)
    _show_open_and_closed(concerns, CONDUCT, "Open", record)
    _show_actions(school, person, actions, concerns, record)
    link(Page.CONCERNS, "Raise a concern about an adult's conduct", "flag", query={"raise": "conduct"})


def _follows(person: Person) -> bool:
    """Whether the person follows up concerns. Others see only concerns shared with them."""
    return Scope.FOLLOWED_UP in get_scopes(person, Resource.CONCERN_ACTIONS)


def _show_own(school: School, person: Person) -> None:
    st.header("Raised by me")
    _show_unsent(school, person)
    about_children, about_adults = list_own_concerns(school, person), list_own_concerns(school, person, CONDUCT)
    if about_children.empty and about_adults.empty:
        st.write("None.")
    if len(about_children):
        table(_own(about_children), "Concerns that I raised", "my concerns")
    if len(about_adults):
        st.subheader("About an adult's conduct")
        record = partial(casework.record_download, school, person, about_adults["ref"].tolist())
        name = "my concerns about conduct"
        table(_own(about_adults), "Concerns about conduct that I raised", name, record)
    with st.container(horizontal=True):
        link(Page.CONCERNS, "Raise a concern about a child", "flag", query={"raise": "yes"})
        link(Page.CONCERNS, "Raise a concern about an adult's conduct", "flag", query={"raise": "conduct"})


def _show_unsent(school: School, person: Person) -> None:
    """Show the forms that were started but not sent."""
    for form, what, words in (
        (CONCERN_DRAFT, "yes", "You have an unsent concern about a child."),
        (CONDUCT_DRAFT, "conduct", "You have an unsent concern about an adult's conduct."),
    ):
        if get_draft(school, person, form):
            st.warning(words, icon=":material/edit_note:")
            link(Page.CONCERNS, "Continue", "flag", query={"raise": what})


def _own(concerns: pd.DataFrame) -> pd.DataFrame:
    rows = concerns.assign(
        received_by=concerns["received_by"].replace("", "nobody yet"),
        read_by=concerns["read_by"].replace("", "nobody yet"),
        summary=concerns["summary"].replace("", "recorded in the school's safeguarding system"),
    )
    columns = ["ref", "raised_at", "received_by", "read_by", "pupils", "summary"]
    return as_listing(rows, columns, ref="Reference", raised_at="Raised", pupils="About", summary="What I wrote")


def _show_waiting(concerns: pd.DataFrame, actions: pd.DataFrame) -> None:
    """Show in one sentence what is outstanding."""
    still_open = concerns[concerns["open"]]
    if still_open.empty:
        st.success("No concern is open.", icon=":material/check:")
        return
    oldest = still_open.sort_values("raised_at").iloc[0]
    mine, others = actions[actions["mine"]], actions[~actions["mine"]]
    counts = {
        "not read yet": int((~still_open["read"]).sum()),
        "not yet assessed": int((still_open["level"] == NOT_ASSESSED).sum()),
        "of your actions overdue": int(mine["overdue"].sum()),
        "of your actions not yet due": int((~mine["overdue"]).sum()),
        "of others' actions overdue": int(others["overdue"].sum()),
    }
    words = ", ".join(f"<b>{number}</b> {what}" for what, number in counts.items() if number)
    write_html(
        f"{words or 'Nothing waiting for you'}. " + "{n} open; oldest {oldest[ref]}, {oldest[age_days]} days.",
        n=len(still_open),
        oldest=oldest,
    )


def _show_actions(
    school: School,
    person: Person,
    actions: pd.DataFrame,
    concerns: pd.DataFrame | None,
    record: Callable[[list[str]], None] | None = None,
) -> None:
    """Show the person's own actions and those of others. An action names the children if the person may see that
    concern; if they may not open it, it can be marked as done here. `record` puts the download of others' actions on
    record."""
    mine, others = actions[actions["mine"]], actions[~actions["mine"]]
    about = {} if concerns is None else dict(zip(concerns["ref"], concerns["pupils"], strict=True))
    if len(mine):
        st.header("My actions")
    places = st.columns(2) if len(mine) > 1 else [st.container()]
    for number, row in enumerate(mine.itertuples()):
        with places[number % 2].container(border=True):
            words = "<b>{row.what}</b><br>{late}by {row.due} · assigned by {row.asked_by} · {about}"
            name = ", ".join(filter(None, (about.get(row.ref), row.ref)))
            write_html(words, row=row, late="⚠ Overdue: " if row.overdue else "", about=name)
            if row.may_open:
                link(Page.CONCERNS, "Open the concern", "folder_open", query={"ref": row.ref})
            else:
                _ask_what_was_done(school, person, row)
    if len(others):
        with st.expander(f"Actions assigned to others ({len(others)})", expanded=bool(others["overdue"].any())):
            rows = others.assign(late=others["overdue"].map({True: "⚠ overdue", False: ""}))
            columns = ["due", "late", "owner", "what", "ref"]
            rows = as_listing(rows, columns, due="By", late="Late", owner="Who", ref="Reference")
            note_download = partial(record, others["ref"].unique().tolist()) if record else None
            name = "actions about conduct" if record else "actions assigned to others"
            table(rows, "Actions assigned to others", name, note_download)


def _ask_what_was_done(school: School, person: Person, row: Any) -> None:
    name = f"{row.ref} done {row.number}"
    draft = Draft(school, person, name)
    draft.ask_line("text", "What was done?")
    draft.store()
    # In a callback, before the page runs: another action may be marked as done at the same moment.
    st.button(
        "Mark as done",
        key=f"done {row.ref} {row.number}",
        icon=":material/check:",
        on_click=guard(partial(_finish, school, person, row, draft)),
    )
    if fault := st.session_state.pop(f"fault of {name}", None):
        show_refusal(fault)


def _finish(school: School, person: Person, row: Any, draft: Draft) -> None:
    """Mark an action as done, with the text typed last."""
    try:
        casework.finish_action(school, person, row.ref, int(row.number), st.session_state[draft.key("text")])
    except (casework.IncompleteStepError, casework.NotYoursError) as error:
        st.session_state[f"fault of {draft.name}"] = str(error)
    else:
        draft.discard()
        st.toast("Marked as done. The DSP will see it.", icon=":material/check:")


def _show_open_and_closed(
    concerns: pd.DataFrame, register: Register, heading: str, record: Callable[[list[str]], None] | None = None
) -> None:
    """Show the lists of open and closed concerns. `record` is given the references in a list when it is downloaded."""
    still_open, closed = concerns[concerns["open"]], concerns[~concerns["open"]]
    still_open = still_open.sort_values("read", kind="stable")  # unread first
    st.header(heading)
    name = "concerns" if register is CHILD else "concerns about conduct"
    if still_open.empty:
        st.write("None.")
    else:
        note("Unread first, then by level and age. Select a row to open it.")
        _listing(still_open, register, f"open {name}", record)
    if len(closed):
        with st.expander(f"Closed ({len(closed)})"):
            _listing(closed, register, f"closed {name}", record)


def _listing(concerns: pd.DataFrame, register: Register, name: str, record: Callable[[list[str]], None] | None) -> None:
    columns = {"Read": concerns["read"].map({True: "read", False: "● not yet"})}
    if register is CONDUCT:
        columns["Adults"] = concerns["adults"]
    columns |= {
        "Children": concerns["pupils"],
        "Level": concerns["level"],
        "Days": concerns["age_days"],
        "Open actions": concerns["actions"],
        "Category": concerns["categories"].map(register.describe_categories),
        "Raised by": concerns["raised_by"].fillna("–"),
        "With": concerns["owner"].replace("", "nobody"),
        "Reference": concerns["ref"],
    }
    refs = concerns["ref"].tolist()
    note_download = partial(record, refs) if record else None
    select_row(pd.DataFrame(columns), refs, name.capitalize(), name, _open_concern, note=note_download)


def _open_concern(ref: str) -> None:
    open_record(Page.CONCERNS, ref=ref)
