"""Sessions: the list, calls nobody logged, and one session explained clause by clause."""

import pandas as pd
import streamlit as st

from app import access, charts
from app.access import Person, SessionView
from app.school import School
from app.screen import (
    EVIDENCE_WORDS,
    OUTCOME_WORDS,
    PURPOSE_WORDS,
    STATUS_WORDS,
    behind,
    choose_days,
    draw,
    filtered,
    moment,
    require,
    say,
    seen,
    table,
    title,
)

_ORDER = ["breach", "no_evidence", "met", "exempt", "not_applicable"]
_SHOW = {
    "all": "All",
    "breach": "✗ Not kept",
    "incomplete": "? Evidence missing",
    "unlogged": "Not logged",
    "disputed": "Log and call disagree",
}
_ANSWERS = {
    "platform": "Platform", "account": "Account", "recorded": "Recorded", "recording_announced": "Recording announced",
    "recording_on_team": "Recording on the Team", "cameras_off_offered": "Cameras off offered",
    "private_recording": "Private recording", "staff_opened": "Staff opened", "staff_ended": "Staff ended",
    "pupil_left_alone": "A pupil was left alone", "cameras_on": "Cameras on", "dress_ok": "Dress in order",
    "background_ok": "Background in order", "room": "Room", "bedroom_reason": "Reason for the bedroom",
    "door_open": "Door open", "reason": "Reason of the one-to-one", "invited": "Second member invited",
    "adult_present": "Adult in the house", "adult_introduced": "Adult introduced themselves",
    "adult_permission": "Adult gave permission", "home_alone": "Child home alone", "concern": "A concern arose",
    "concern_summary": "The concern", "notes": "Notes",
}  # fmt: skip


def purpose(words: object) -> str:
    return PURPOSE_WORDS.get(words, words) if isinstance(words, str) else "not logged"


def show_list(school: School, person: Person) -> None:
    st.title("Sessions")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school, "sessions")
    rows = access.sessions(school, person, days)
    if rows.empty:
        st.info("There are no sessions on these days that are yours to see. Choose other days, or log a session.")
        return
    wanted = st.query_params.get("show", "all")
    shown = st.segmented_control(
        "Show",
        list(_SHOW),
        format_func=_SHOW.__getitem__,
        default=wanted if wanted in _SHOW else "all",
        key="sessions show",
        required=True,
    )
    with st.expander("Narrow down: staff, department, purpose"):
        for place, (column, label) in zip(
            st.columns(3), (("staff_name", "Staff"), ("department", "Department"), ("purpose", "Purpose")), strict=True
        ):
            with place:
                rows = filtered(rows, column, label, f"sessions {column}", purpose if column == "purpose" else str)
    if shown in ("breach", "incomplete"):
        rows = rows[rows["status"] == shown]
    elif shown == "unlogged":
        rows = rows[~rows["logged"]]
    elif shown == "disputed":
        rows = rows[rows["disputed"]]
    broken, gaps = int((rows["status"] == "breach").sum()), int((rows["status"] == "incomplete").sum())
    say(
        "<b>{n}</b> sessions, the newest first; a clause was not kept in <b>{broken}</b>, evidence is missing in "
        "<b>{gaps}</b>. Select a row to open the session.",
        n=f"{len(rows):,}", broken=f"{broken:,}", gaps=f"{gaps:,}",
    )  # fmt: skip
    if rows.empty:
        st.info("None like this on these days.")
        return
    listing = pd.DataFrame(
        {
            "When": [moment(when) for when in rows["started_at"]],
            "Protocol": rows["status"].map(STATUS_WORDS),
            "Staff": rows["staff_name"].fillna("nobody known"),
            "Pupils": rows["pupils"].mask(rows["withheld"].astype(bool), "confidential"),
            "Purpose": rows["purpose"].map(purpose),
            "Department": rows["department"].fillna(""),
            "Not kept": rows["n_breach"],
            "Without evidence": rows["n_gaps"],
            "Log and call": rows["disputed"].map({True: "disagree", False: ""}),
        }
    )
    # A list keeps the place of a selected row when its rows change: so each list has a key of its own.
    key = f"sessions {person.staff_id} {days} {shown} {len(rows)} {rows['session_id'].iloc[0]}"
    event = table(
        listing,
        "Sessions",
        "sessions",
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        height=520,
        column_config={"Pupils": st.column_config.TextColumn(width="medium")},
    )
    if event["selection"]["rows"]:
        st.query_params["session"] = str(int(rows["session_id"].iloc[event["selection"]["rows"][0]]))
        st.rerun()


def show_session(school: School, person: Person, number: str) -> None:
    st.page_link("pages/sessions.py", label="All sessions", icon=":material/arrow_back:")
    view = access.session(school, person, int(number)) if number.isdecimal() and len(number) < 18 else None
    if view is None:
        st.title("Session")
        st.info("There is no such session among those that are yours to see.")
        return
    seen(school, person, f"session {view.session_id}")
    kind = "One-to-one" if view.one_to_one else purpose(view.purpose)
    title(f"{kind if view.logged else 'Call, not logged'} · {moment(view.started_at)}")
    say(
        "<b>{staff}</b>, {department} · {start} to {end} · {pupils}",
        staff=view.staff_name or "Nobody known", department=view.department or "no department",
        start=f"{view.started_at:%H:%M}", end=f"{view.ended_at:%H:%M}",
        pupils="pupils confidential" if view.withheld else ", ".join(view.pupils["name"]) or "no pupil known",
    )  # fmt: skip
    summary(view)
    with st.container(horizontal=True):
        if view.own and not view.logged:
            st.page_link(
                "pages/log.py",
                label="Log this call",
                icon=":material/edit_note:",
                query_params={"call": str(view.session_id)},
            )
        if view.own and view.log_ref:
            st.page_link(
                "pages/log.py", label="Correct the log", icon=":material/edit:", query_params={"correct": view.log_ref}
            )
        if not view.withheld:
            st.page_link(
                "pages/concerns.py",
                label="Raise a concern from it",
                icon=":material/flag:",
                query_params={"raise": "yes", "session": str(view.session_id)},
            )
    show_clauses(view)
    show_timeline(view)
    show_log(view)


def summary(view: SessionView) -> None:
    broken = view.clauses[view.clauses["outcome"] == "breach"]
    gaps = view.clauses[view.clauses["outcome"] == "no_evidence"]
    if len(broken):
        st.error(
            f"**Not kept** in {'one clause' if len(broken) == 1 else f'{len(broken)} clauses'}.",
            icon=":material/close:",
        )
    elif len(gaps):
        st.warning("**Evidence is missing;** nothing shows that a clause was not kept.", icon=":material/help:")
    else:
        st.success("**Kept**, or covered by an exception, in every clause that applies.", icon=":material/check:")
    for mark, rows in (("✗", broken), ("?", gaps)):
        for row in rows.itertuples():
            disputed = " <em>The log says otherwise; the call record decides.</em>" if row.disputed else ""
            say("{mark} <b>{title}:</b> {reason}" + disputed, mark=mark, title=row.title, reason=row.reason)
    if view.disputed and not (broken["disputed"].any() or gaps["disputed"].any()):
        st.warning(
            "In a clause marked below the log says the opposite of the call record, which decides.",
            icon=":material/compare_arrows:",
        )


def show_clauses(view: SessionView) -> None:
    st.header("Clause by clause")
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
        listing[applies], "Outcome, evidence and reason of each clause that applies", "clauses of a session",
        height="content", column_config={"Reason": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
    if (~applies).any():
        say("Does not apply: {clauses}.", clauses=", ".join(rows.loc[~applies, "title"]).lower())


def show_timeline(view: SessionView) -> None:
    st.header("Who was in the call when")
    if view.withheld:
        st.info("Counselling is confidential: who took part is for the counsellor.")
        return
    if view.stays.empty:
        st.info("There is no call record of this session. The log alone was judged.")
        return
    say("{sentence}", sentence=charts.timeline_sentence(view.alone))
    draw(
        charts.timeline(view.stays, view.videos, view.alone),
        "Timeline of who was in the call when; the same times are in the table below.",
    )
    st.caption(
        "“▶ video” marks a camera that sent video at some time; Teams seldom says for how long. No mark: not known."
    )
    rows = pd.DataFrame(
        {
            "Who": view.stays["name"].fillna("Somebody not on the roster"),
            "Role": view.stays["role"],
            "Joined": view.stays["joined_at"].dt.strftime("%H:%M:%S"),
            "Left": view.stays["left_at"].dt.strftime("%H:%M:%S"),
            "Camera": view.stays["camera"].fillna(False).map({True: "sent video", False: "not known"}),
        }
    )
    behind(rows, "who was in the call", "Who was in the call when")


def show_log(view: SessionView) -> None:
    if view.log is None:
        return
    with st.expander("What the log says"):
        words = {True: "yes", False: "no"}
        rows = [
            (label, words.get(value, value) if isinstance(value, bool) else str(value))
            for name, label in _ANSWERS.items()
            if (value := view.log.get(name)) is not None and value is not pd.NA and value != ""
        ]
        table(pd.DataFrame(rows, columns=["Question", "Answer"]), "The answers of the log", "log", height="content")
        for version in view.versions.itertuples():
            say(
                "Version {n}, entered {when} by {who}{why}",
                n=version.version, when=moment(version.entered_at), who=version.entered_by or "an import",
                why=f": {version.why}" if isinstance(version.why, str) else "",
            )  # fmt: skip


school, person = require("sessions")
if "session" in st.query_params:
    show_session(school, person, st.query_params["session"])
else:
    show_list(school, person)
