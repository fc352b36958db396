"""One session: what is wrong, each check, the attendance timeline and the log."""

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.session_detail import SessionView, get_session
from app.formatting import moment
from app.log_questions import QUESTIONS
from app.reports import charts
from app.school import School
from app.ui.breaches import show_breaches
from app.ui.current import record_once
from app.ui.labels import EVIDENCE_WORDS, OUTCOME_WORDS, describe_purpose
from app.ui.text import note, title, write_html
from app.ui.widgets import draw, link, table, table_expander
from app.vocabulary import Page

_ORDER = ["breach", "no_evidence", "met", "exempt", "not_applicable"]


def show_session(school: School, person: Person, number: str) -> None:
    link(Page.SESSIONS, "All sessions", "arrow_back")
    view = get_session(school, person, int(number)) if number.isdecimal() and len(number) < 18 else None
    if view is None:
        st.title("Session")
        st.info("There is no such session, or you do not have access to it.")
        return
    record_once(school, person, "viewed", f"session {view.session_id}")
    kind = "One-to-one" if view.one_to_one else describe_purpose(view.purpose)
    title(f"{kind if view.logged else 'Call, not logged'} · {moment(view.started_at)}")
    write_html(
        "<b>{staff}</b>, {department} · {view.started_at:%H:%M} to {view.ended_at:%H:%M} · {pupils}{entered}",
        view=view,
        staff=view.staff_name or "Unknown",
        department=view.department or "no department",
        pupils="pupils confidential" if view.withheld else ", ".join(view.pupils["name"]) or "no pupil known",
        entered="" if view.versions.empty else f" · logged {moment(view.versions['entered_at'].min())}",
    )
    _show_summary(view)
    with st.container(horizontal=True):
        if view.own and not view.logged:
            link(Page.LOG, "Log this call", query={"call": str(view.session_id)})
        if view.own and view.log_ref:
            link(Page.LOG, "Correct the log", "edit", query={"correct": view.log_ref})
        if not view.withheld:
            query = {"raise": "yes", "session": str(view.session_id)}
            link(Page.CONCERNS, "Raise a concern about this session", "flag", query=query)
    show_breaches(school, person, view)
    _show_clauses(view)
    _show_timeline(view)
    _show_log(view)


def _show_summary(view: SessionView) -> None:
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
    show_reasons(gaps, "?")
    if view.disputed and not (broken["disputed"].any() or gaps["disputed"].any()):
        st.warning(
            "For a check marked below, the log says the opposite of the call record, which decides.",
            icon=":material/compare_arrows:",
        )


def show_reasons(clauses: pd.DataFrame, mark: str = "✗") -> None:
    """Show why clauses were not kept, or which evidence is missing."""
    for row in clauses.itertuples():
        disputed = " <em>The log says otherwise; the call record decides.</em>" if row.disputed else ""
        write_html("{mark} <b>{row.title}:</b> {row.reason}" + disputed, mark=mark, row=row)


def _show_clauses(view: SessionView) -> None:
    st.header("By clause")
    rows = view.clauses.assign(place=view.clauses["outcome"].map(_ORDER.index)).sort_values("place", kind="stable")
    listing = pd.DataFrame(
        {
            "Clause": rows["title"],
            "Outcome": rows["outcome"].map(OUTCOME_WORDS) + rows["disputed"].map({True: ", disputed", False: ""}),
            "Evidence": rows["evidence"].map(EVIDENCE_WORDS),
            "Reason": rows["reason"],
        }
    )
    applies = rows["outcome"] != "not_applicable"
    table(
        listing[applies],
        "Outcome, evidence and reason of each clause that applies",
        "clauses of a session",
        height="content",
        column_config={"Reason": st.column_config.TextColumn(width="large")},
    )
    if (~applies).any():
        write_html("Not applicable: {clauses}.", clauses=", ".join(rows.loc[~applies, "title"]))


def _show_timeline(view: SessionView) -> None:
    st.header("Attendance timeline")
    if view.withheld:
        st.info("Counselling is confidential: only the counsellor sees who took part.")
        return
    if view.stays.empty:
        st.info("There is no call record for this session. It was judged by its log.")
        return
    write_html("{sentence}", sentence=charts.describe_timeline(view.alone))
    draw(
        charts.draw_timeline(view.stays, view.videos, view.alone),
        "Timeline of who was in the call when; the same times are in the table below.",
    )
    note(
        "“▶ video” marks a camera that sent video at some time; Teams seldom reports for how long. No mark: not known."
    )
    rows = pd.DataFrame(
        {
            "Who": view.stays["name"].fillna("Somebody not on the roster"),
            "Role": view.stays["role"],
            "Joined": view.stays["joined_at"].dt.strftime("%H:%M:%S"),
            "Left": view.stays["left_at"].dt.strftime("%H:%M:%S"),
            "Camera": view.stays["camera"].map({True: "sent video"}).fillna("not known"),
        }
    )
    table_expander(rows, "who was in the call", "Who was in the call when")


def _show_log(view: SessionView) -> None:
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
        table(pd.DataFrame(rows, columns=["Question", "Answer"]), "The answers of the log", "log", height="content")
        for version in view.versions.itertuples():
            by = version.entered_by or "an import"
            reason = f": {version.correction_reason}" if isinstance(version.correction_reason, str) else ""
            words = "Version {version.version}, entered {version.entered_at} by {by}{reason}"
            write_html(words, version=version, by=by, reason=reason)
