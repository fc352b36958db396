"""Concerns: raise one, those open by level and age, and one opened."""

from datetime import datetime

import pandas as pd
import streamlit as st

from app import access
from app.alerts import channels as alerts
from app.concerns import CATEGORIES, MOST_CATEGORIES
from app.intake import raise_concern
from app.screen import aside, moment, require, say, seen, table, title, trouble

school, person = require("concerns")
may_read = bool(access.sees(person, "concerns") - {access.TABLE["concerns"][access.STAFF]})


def kinds(cell: str) -> str:
    return ", ".join(CATEGORIES.get(kind, kind) for kind in cell.split(";") if kind)


def raise_one() -> None:
    st.title("I am worried about a child")
    if may_read:
        st.page_link("pages/concerns.py", label="All concerns", icon=":material/arrow_back:")
    st.error(
        "If a child is in immediate danger, ring 999 first, then tell the DSP in person.",
        icon=":material/emergency_home:",
    )
    if "concern raised" in st.session_state:
        ref = st.session_state.pop("concern raised")
        told = access.own_concerns(school, person).query("ref == @ref")["received_by"].iloc[0]
        if told:
            st.success(f"Received. Its reference is {ref}.", icon=":material/check:")
            say("The DSP has been alerted: <b>{told}</b>.", told=told)
            if not (alerts.configured() or school.is_demonstration()):
                st.warning("No mail is sent from here: tell them in person as well.", icon=":material/person:")
        else:
            trouble(
                f"Kept under {ref}, but nobody could be alerted.",
                "The roster has no DSP for this school: tell the Senior Deputy Head in person, now.",
            )
        return
    session = st.query_params.get("session", "")
    view = access.session(school, person, int(session)) if session.isdecimal() and len(session) < 18 else None
    if view is not None:
        say("It came out of the session of {when}; the two are linked.", when=moment(view.started_at))
    people = access.pupils_to_choose(school, person)
    names = {row.pupil_id: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}
    with st.form("concern", border=False):
        about = st.multiselect(
            "Which child?", list(names), default=[p for p in (view.pupils["pupil_id"] if view is not None else []) if p in names] if view is not None and len(view.pupils) == 1 else [],
            format_func=names.__getitem__, placeholder="Type a name",
        )  # fmt: skip
        summary = st.text_area(
            "What worries you?", max_chars=10_000, help="What you saw and heard. Not what you think lies behind it."
        )
        words = st.text_area("The child's own words, if any", max_chars=10_000)
        categories = st.multiselect(
            "What kind? Up to three",
            list(CATEGORIES),
            format_func=CATEGORIES.__getitem__,
            max_selections=MOST_CATEGORIES,
        )
        left, right = st.columns(2)
        day = left.date_input(
            "When did it happen? Day",
            view.started_at.date() if view is not None else school.today(),
            max_value=school.today(),
            format="DD/MM/YYYY",
        )
        at = right.time_input("Time, if known", view.started_at.time() if view is not None else None)
        told = st.radio("Have you told a DSP in person?", ["Yes", "Not yet"], index=None, horizontal=True)
        sent = st.form_submit_button("Send to the DSP", type="primary", icon=":material/send:")
    if not sent:
        return
    if told is None:
        st.warning("Say whether you have told a DSP in person. Nothing you wrote is lost.", icon=":material/edit:")
        return
    try:
        ref = raise_concern(
            school, person, happened_at=datetime.combine(day, at, school.settings.zone) if at else None,
            summary=summary, childs_words=words, told_dsp=told == "Yes", categories=categories, pupil_ids=about,
            session_id=view.session_id if view is not None else None,
        )  # fmt: skip
    except ValueError as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        return
    st.session_state["concern raised"] = ref
    st.rerun()


def show_list() -> None:
    st.title("Concerns")
    if may_read:
        show_all()
    st.header("Raised by me")
    mine = access.own_concerns(school, person)
    if mine.empty:
        st.write("None.")
    else:
        rows = pd.DataFrame(
            {
                "Reference": mine["ref"], "Raised": [moment(when) for when in mine["raised_at"]],
                "Received by": mine["received_by"].replace("", "nobody yet"), "About": mine["pupils"], "What I wrote": mine["summary"],
            }
        )  # fmt: skip
        table(rows, "Concerns that I raised", "my concerns", height="content")


def show_all() -> None:
    concerns = access.concerns_list(school, person)
    still_open = concerns[concerns["open"]]
    if still_open.empty:
        st.write("No concern is open.")
    else:
        oldest = still_open.sort_values("raised_at").iloc[0]
        unassessed = int((still_open["level"] == "not yet assessed").sum())
        say(
            "<b>{n}</b> open concerns, <b>{new}</b> of them not yet assessed; the oldest, {ref}, is {age} days old. Select a row to open it.",
            n=len(still_open), new=unassessed, ref=oldest["ref"], age=oldest["age_days"],
        )  # fmt: skip
        st.header("Open, by level and age")
        list_of(still_open, "open concerns")
    closed = concerns[~concerns["open"]]
    if len(closed):
        with st.expander(f"Closed ({len(closed)})"):
            list_of(closed, "closed concerns")


def hand_out() -> None:
    """Subject access: the page is made when it is asked for, and then downloaded."""
    st.header("Everything held on one pupil")
    aside(
        "For a request to see what the school holds: one page with the roster, letters, consents, sessions, exceptions and concerns of one pupil. Other people are marked; read every word before it leaves the school."
    )
    pupils = access.pupils_held(school, person)
    names = {row.pupil_id: f"{row.name} · year {row.year_group} · {row.email}" for row in pupils.itertuples()}
    with st.form("everything", border=False):
        pupil = st.selectbox(
            "Whose?", list(names), index=None, format_func=names.__getitem__, placeholder="Type a name"
        )
        asked = st.form_submit_button("Put it together", icon=":material/folder_open:")
    if not asked:
        return
    if pupil is None:
        st.warning("Choose a pupil first.", icon=":material/edit:")
    elif page := access.everything_held(school, person, pupil):
        st.success("Put together; that you asked for it is on the audit trail.", icon=":material/check:")
        st.download_button(
            "Download it", page, f"everything held on pupil {pupil}.html", "text/html", on_click="ignore",
            icon=":material/download:", type="primary",
        )  # fmt: skip


def list_of(concerns: pd.DataFrame, name: str) -> None:
    rows = pd.DataFrame(
        {
            "Reference": concerns["ref"], "Level": concerns["level"], "Days": concerns["age_days"],
            "Pupils": concerns["pupils"], "What kind": concerns["categories"].map(kinds),
            "Raised by": concerns["raised_by"].fillna("–"), "With": concerns["owner"].replace("", "nobody"),
        }
    )  # fmt: skip
    event = table(
        rows,
        name.capitalize(),
        name,
        on_select="rerun",
        selection_mode="single-row",
        key=f"{name} {person.staff_id} {','.join(concerns['ref'])}",
        height="content",
    )
    if event["selection"]["rows"]:
        st.query_params["ref"] = concerns["ref"].iloc[event["selection"]["rows"][0]]
        st.rerun()


def show_one(ref: str) -> None:
    st.page_link("pages/concerns.py", label="All concerns", icon=":material/arrow_back:")
    view = access.concern(school, person, ref) if may_read else None
    if view is None:
        st.title("Concern")
        st.info("There is no such concern among those that are yours to see.")
        return
    seen(school, person, f"concern {view.ref}")
    title(f"Concern {view.ref}")
    say(
        "<b>{state}</b> · level: <b>{level}</b> · {kinds} · with {owner}",
        state="Open" if view.open else "Closed", level=view.level, kinds=kinds(";".join(view.categories)),
        owner=view.owner or "nobody: no DSP was alerted",
    )  # fmt: skip
    say(
        "Entered {entered} by {by}. Happened {happened}. Told a DSP in person: {told}.",
        entered=moment(view.raised_at), by=view.raised_by or "–", happened=moment(view.happened_at) or "at a time not said",
        told="not said" if view.told_dsp is None else "yes" if view.told_dsp else "not when it was raised",
    )  # fmt: skip
    st.header("What was reported")
    st.text(view.summary)
    if view.childs_words:
        st.subheader("The child's own words")
        st.text(view.childs_words)
    st.header("About")
    table(
        view.pupils.rename(columns={"name": "Pupil", "school": "School", "year_group": "Year", "house": "House"}).drop(
            columns="pupil_id"
        ),
        "Pupils",
        "pupils of the concern",
        height="content",
    )
    if len(view.sessions):
        st.header("Sessions")
        for row in view.sessions.itertuples():
            say("{when}, {staff}", when=moment(row.started_at), staff=row.staff_name or "nobody known")
            st.page_link(
                "pages/sessions.py",
                label="Open the session",
                icon=":material/groups:",
                query_params={"session": str(row.session_id)},
            )
    st.header("Chronology")
    events = pd.DataFrame(
        {
            "When": [moment(when) for when in view.events["at"]], "What": view.events["kind"], "Level": view.events["level"].fillna(""),
            "By": view.events["by"].fillna("the program"), "Told": view.events["told"].fillna(""), "Words": view.events["text"].fillna(""),
        }
    )  # fmt: skip
    table(events, "Chronology of the concern", "chronology", height="content")


if "raise" in st.query_params:
    raise_one()
elif "ref" in st.query_params:
    show_one(st.query_params["ref"])
else:
    show_list()
    st.page_link("pages/concerns.py", label="Raise a concern", icon=":material/flag:", query_params={"raise": "yes"})
    if access.sees(person, "everything held on a pupil"):
        hand_out()
