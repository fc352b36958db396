"""One session: what is wrong, who was in it and when, each check with its source, and the log."""

from typing import Any

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.pupils import list_pupils
from app.access.session_detail import SessionView, get_session
from app.formatting import how_many, moment
from app.log_questions import QUESTIONS
from app.school import School
from app.ui import address
from app.ui.current import record_once
from app.ui.labels import OUTCOME_WORDS, describe_purpose
from app.ui.lists import table, wrapped_table
from app.ui.sessions.attendance import show_attendance, show_recordings
from app.ui.sessions.breaches import show_breaches
from app.ui.sessions.spot_check_form import show_spot_check
from app.ui.text import note, title, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page
from app.vocabulary.terms import EvidenceKind, EvidenceSource

_ORDER = ["breach", "no_evidence", "met", "exempt", "not_applicable"]


def show_session(school: School, person: Person, number: str) -> None:
    link(Page.SESSIONS, "All sessions", "arrow_back", query=address.get_list(Page.SESSIONS))
    session_id = address.read_number(number)
    view = None if session_id is None else get_session(school, person, session_id)
    if view is None:
        st.title("Session")
        st.info("There is no such session, or you do not have access to it.")
        return
    record_once(school, person, "viewed", f"session {view.session_id}")
    _show_heading(school, person, view)
    left, right = st.columns([2, 3], gap="large")
    with left:
        show_summary(view)
        show_breaches(school, person, view)
        show_spot_check(school, person, view.session_id)
        _show_links(view)
    with right:
        show_attendance(view)
        show_recordings(view.calls.recordings, school.now())
    _show_clauses(view)
    show_log(view)


def _show_heading(school: School, person: Person, view: SessionView) -> None:
    kind = "One-to-one" if view.one_to_one else describe_purpose(view.purpose)
    if not view.logged:
        kind = "Room without staff" if view.calls.no_staff_came else "Call, not logged"
    title(f"{kind} · {moment(view.started_at)}")
    write_html(
        "<b>{staff}</b>{absent}, {department} · {view.started_at:%H:%M} to {view.ended_at:%H:%M}{entered}",
        view=view,
        staff=view.staff_name or "Unknown",
        absent=" (did not attend)" if view.calls.no_staff_came else "",
        department=view.department or "no department",
        entered="" if view.versions.empty else f" · logged {moment(view.versions['entered_at'].min())}",
    )
    _show_pupils(school, person, view)


def show_people(school: School, person: Person, view: SessionView) -> None:
    """Show who held a session, and its pupils."""
    write_html("<b>{staff}</b>", staff=view.staff_name or "Unknown")
    _show_pupils(school, person, view)


def _show_pupils(school: School, person: Person, view: SessionView) -> None:
    """Show the pupils of a session, with links to the pages that the person may open."""
    if view.withheld or view.pupils.empty:
        note("Pupils confidential" if view.withheld else "No pupil known")
        return
    open_to_them = set(list_pupils(school, person)["pupil_id"])
    others = [row.name for row in view.pupils.itertuples(index=False) if row.pupil_id not in open_to_them]
    with st.container(horizontal=True, gap="xsmall"):
        for row in view.pupils.itertuples(index=False):
            if row.pupil_id in open_to_them:
                link(Page.SESSIONS, row.name, "person", query={"pupil": str(row.pupil_id)})
    if others:
        write_html("{names}", names=", ".join(others))


def _show_links(view: SessionView) -> None:
    with st.container(horizontal=True):
        if view.own and not view.logged and not view.calls.no_staff_came:
            link(Page.LOG, "Log this call", query={"call": str(view.session_id)})
        if view.own and view.log_ref:
            link(Page.LOG, "Correct the log", "edit", query={"correct": view.log_ref})
        if not view.withheld:
            query = {"raise": "yes", "session": str(view.session_id)}
            link(Page.CONCERNS, "Raise a concern about this session", "flag", query=query)


def show_summary(view: SessionView) -> None:
    """Show the status of a session, the reasons for its breaches, and where its log disagrees with another source."""
    broken = view.clauses[view.clauses["outcome"] == "breach"]
    gaps = view.clauses[view.clauses["outcome"] == "no_evidence"]
    if len(broken):
        st.error(
            f"**Breach** of {'one clause' if len(broken) == 1 else f'{len(broken)} clauses'}.", icon=":material/close:"
        )
    elif len(gaps):
        st.warning("**Evidence is missing;** nothing shows a breach.", icon=":material/help:")
    else:
        st.success("**All checks met**, or exempt.", icon=":material/check:")
    show_reasons(broken)
    if len(broken) and len(gaps):
        write_html("{gaps} without evidence: see below.", gaps=how_many(len(gaps), "check"))
    others = view.clauses[view.clauses["disputed"] & view.clauses["outcome"].isin(["met", "exempt", "not_applicable"])]
    if len(others):
        st.warning("**The log and another source disagree** about:", icon=":material/compare_arrows:")
        show_reasons(others, "≠")


def show_reasons(clauses: pd.DataFrame, mark: str = "✗") -> None:
    """Show the reason for each check with its source, and what the log says where it disagrees."""
    for row in clauses.itertuples():
        source = " <em>({row.source})</em>" if row.source else ""
        disagrees = "<br>≠ {log}: {row.log_says}" if _log_disagrees(row) else ""
        words = "{mark} <b>{row.title}:</b> {row.reason}" + source + disagrees
        write_html(words, mark=mark, row=row, log=EvidenceSource.LOG.label)


def _log_disagrees(row: Any) -> bool:
    """Whether a check is disputed by what the log says. False if the log decided, because the reason then names the
    other source."""
    return bool(row.disputed and row.log_says and row.evidence != EvidenceKind.LOG)


def _show_clauses(view: SessionView) -> None:
    st.header("By clause")
    rows = view.clauses.assign(place=view.clauses["outcome"].map(_ORDER.index)).sort_values("place", kind="stable")
    log = EvidenceSource.LOG.label
    reasons = [
        f"{row.source}: {row.reason}\n{log}: {row.log_says}" if _log_disagrees(row) else row.reason
        for row in rows.itertuples()
    ]
    listing = pd.DataFrame(
        {
            "Clause": rows["title"],
            "Outcome": rows["outcome"].map(OUTCOME_WORDS) + rows["disputed"].map({True: ", disputed", False: ""}),
            "Source": rows["source"].where(rows["source"] != "", "None"),
            "Reason": reasons,
        }
    )
    applies = rows["outcome"] != "not_applicable"
    alt = "Outcome, source of the evidence and reason of each clause that applies"
    wrapped_table(listing[applies], alt, "clauses of a session")
    if (~applies).any():
        write_html("Not applicable: {clauses}.", clauses=", ".join(rows.loc[~applies, "title"]))


def show_log(view: SessionView) -> None:
    """Show the answers of a session's log, and its versions."""
    if view.log is None:
        return
    with st.expander("Session log"):
        rows = [
            (question.label, question.answer_label(answer))
            for question in QUESTIONS
            if (answer := view.log.get(question.name)) is not None and not pd.isna(answer) and answer != ""
        ]
        if view.log["invited"]:
            rows.append(("Second member invited", view.log["invited"]))
        table(pd.DataFrame(rows, columns=["Question", "Answer"]), "The answers of the log", "log")
        for version in view.versions.itertuples():
            by = version.entered_by or "an import"
            reason = f": {version.correction_reason}" if isinstance(version.correction_reason, str) else ""
            words = "Version {version.version}, entered {version.entered_at} by {by}{reason}"
            write_html(words, version=version, by=by, reason=reason)
