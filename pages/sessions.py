"""Sessions: the list, calls nobody logged, and one session explained clause by clause."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.access.breaches import get_session_breaches, list_breaches_to_explain, list_breaches_to_resolve
from app.access.forms import CONDUCT_DRAFT
from app.access.policy import Person, scopes
from app.access.repeats import list_repeats
from app.access.session_detail import SessionView, get_session
from app.access.sessions import list_sessions
from app.formatting import how_many, moment
from app.log_questions import QUESTIONS
from app.reports import charts
from app.school import School
from app.sessions.breaches import NotAllowedNow, explain_breaches, resolve_breaches
from app.sessions.drafts import save_draft
from app.ui.current import seen
from app.ui.labels import EVIDENCE_WORDS, OUTCOME_WORDS, PURPOSE_WORDS, STATUS_WORDS
from app.ui.shell import require
from app.ui.text import note, show_error, title, write_html
from app.ui.widgets import choose_days, draw, filtered, table, table_expander
from app.vocabulary import BreachEventKind, Page, Resolution, Resource, Scope

_ORDER = ["breach", "no_evidence", "met", "exempt", "not_applicable"]
_SHOW = {
    "all": "All",
    "breach": "✗ Breach",
    "incomplete": "? Evidence missing",
    "unlogged": "Not logged",
    "disputed": "Log and call record disagree",
}


def purpose(words: object) -> str:
    return PURPOSE_WORDS.get(words, words) if isinstance(words, str) else "not logged"


def show_all(school: School, person: Person) -> None:
    st.title("Sessions")
    to_settle, to_explain = list_breaches_to_resolve(school, person), list_breaches_to_explain(school, person)
    views = {"list": "All sessions"}
    if len(to_explain):
        views = {"explain": f"To explain ({len(to_explain)})"} | views
    if len(to_settle) or scopes(person, Resource.BREACHES) - {Scope.OWN}:
        views = {"settle": f"To resolve ({len(to_settle)})"} | views
    if scopes(person, Resource.REPEATED_ONE_TO_ONES):
        views["repeats"] = "Repeated one-to-ones"
    wanted = st.query_params.get("view", "list" if "show" in st.query_params else next(iter(views)))
    view: str | None = "list"
    if len(views) > 1:
        view = st.segmented_control(
            "View", list(views), format_func=views.__getitem__, default=wanted if wanted in views else "list",
            key=f"sessions view {person.staff_id}", required=True, label_visibility="collapsed",
        )  # fmt: skip
    if view == "settle":
        show_waiting(school, person, to_settle, "settle", "Nothing to resolve.")
    elif view == "explain":
        show_waiting(school, person, to_explain, "explain", "Nothing to explain.")
    elif view == "repeats":
        show_repeats(school, person)
    else:
        show_list(school, person)


def show_repeats(school: School, person: Person) -> None:
    """The same adult and pupil, one to one, again and again or out of hours: nothing but who, when and how often."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school, "repeats")
    found = list_repeats(school, person, days)
    seen(school, person, f"{Resource.REPEATED_ONE_TO_ONES.label}, {days[0]} to {days[1]}")
    asked = school.settings.repeats
    write_html(
        "The same adult and pupil alone, at least {often} times, or at least {out} times out of hours, within {days} days. "
        "The list does not say why. Counselling and your own sessions are not included.",
        often=asked.sessions, out=asked.out_of_hours, days=asked.days,
    )  # fmt: skip
    if found.pairs.empty:
        st.info("None for these dates.")
        return
    pairs = found.pairs
    event = table(
        pd.DataFrame(
            {
                "Adult": pairs["adult"], "Pupil": pairs["pupil"], "One-to-ones": pairs["sessions"],
                f"Most within {asked.days} days": pairs["most"], "Out of hours": pairs["out_of_hours"],
                "Not logged": pairs["unlogged"], "First": pairs["first"].map(moment), "Last": pairs["last"].map(moment),
            }
        ),
        "Repeated one-to-ones", "repeated one-to-ones", on_select="rerun", selection_mode="single-row",
        key=f"repeats {person.staff_id} {days} {len(pairs)} {pairs['adult'].iloc[0]} {pairs['pupil'].iloc[0]}",
        height="content" if len(pairs) < 14 else 520,
    )  # fmt: skip
    if not event["selection"]["rows"]:
        note("Select a row to list its sessions.")
        return
    pair = pairs.iloc[event["selection"]["rows"][0]]
    mine = (found.sessions["adult_id"] == pair["adult_id"]) & (found.sessions["pupil_id"] == pair["pupil_id"])
    show_pair(person, pair, found.sessions[mine])


def show_pair(person: Person, pair: pd.Series, sessions: pd.DataFrame) -> None:
    write_html("<b>{adult} and {pupil}</b>, the newest first.", adult=pair["adult"], pupil=pair["pupil"])
    opens = Scope.ALL in scopes(person, Resource.SESSIONS)
    event = table(
        pd.DataFrame(
            {
                "When": sessions["started_at"].map(moment), "Until": sessions["ended_at"].dt.strftime("%H:%M"),
                "Out of hours": sessions["out_of_hours"].map({True: "yes", False: ""}),
                "Purpose": sessions["purpose"].map(purpose),
            }
        ),
        "The sessions of one adult and pupil", "one-to-ones of a pair",
        on_select="rerun" if opens else "ignore", selection_mode="single-row",
        key=f"pair {person.staff_id} {pair['adult_id']} {pair['pupil_id']} {len(sessions)}",
        height="content" if len(sessions) < 14 else 520,
    )  # fmt: skip
    if opens and event["selection"]["rows"]:
        st.query_params["session"] = str(int(sessions["session_id"].iloc[event["selection"]["rows"][0]]))
        st.rerun()


def show_waiting(school: School, person: Person, rows: pd.DataFrame, what: str, nothing: str) -> None:
    """Sessions with open exceptions, one after the other: the longest waiting, or the one that was selected."""
    if rows.empty:
        st.success(nothing, icon=":material/check:")
        return
    oldest = int(rows["days"].max())
    write_html(
        "<b>{n}</b> to {what}, oldest first"
        + (" (<b>{oldest}</b> days). " if oldest else ". ")
        + ("Select a session." if len(rows) > 1 else ""),
        n="One session" if len(rows) == 1 else f"{len(rows):,} sessions", what=what, oldest=oldest,
    )  # fmt: skip
    first, others = st.columns([2, 3], gap="large")
    listing = pd.DataFrame(
        {
            "When": [moment(when) for when in rows["started_at"]],
            "Breaches": rows["clauses"],
            "Staff": rows["staff_name"].fillna("unknown"),
            "Pupils": rows["pupils"],
            "Explained": rows["explained"].map({True: "yes", False: "not yet"}),
            "Waiting (days)": rows["days"],
        }
    )
    if what == "explain":
        listing = listing.drop(columns=["Staff", "Explained"])
    with others:
        event = table(
            listing, f"Sessions to {what}", f"sessions to {what}", on_select="rerun", selection_mode="single-row",
            key=f"waiting {what} {person.staff_id} {len(rows)} {rows['session_id'].iloc[0]}",
            height="content" if len(rows) < 14 else 520,
            column_config={"Breaches": st.column_config.TextColumn(width="medium")},
        )  # fmt: skip
    chosen = event["selection"]["rows"]
    with first:
        show_one_waiting(school, person, int(rows["session_id"].iloc[chosen[0] if chosen else 0]))


def show_one_waiting(school: School, person: Person, number: int) -> None:
    """What one needs to explain or settle a session without opening it."""
    view = get_session(school, person, number)
    if view is None:
        return
    seen(school, person, f"session {number}")
    st.subheader(moment(view.started_at), anchor=False)
    write_html(
        "<b>{staff}</b> with {pupils}",
        staff=view.staff_name or "Unknown", pupils=", ".join(view.pupils["name"]) or "no pupil known",
    )  # fmt: skip
    reasons(view.clauses[view.clauses["outcome"] == "breach"])
    show_exceptions(school, person, view)
    st.page_link(
        "pages/sessions.py", label="Open the session", icon=":material/groups:", query_params={"session": str(number)}
    )


def show_list(school: School, person: Person) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school, "sessions")
    rows = list_sessions(school, person, days)
    if rows.empty:
        st.info("No sessions to show for these dates. Choose other dates, or log a session.")
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
    with st.expander("Filters"):
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
    write_html(
        "<b>{sessions}</b>, newest first: <b>{broken}</b> with a breach, <b>{gaps}</b> without enough evidence. "
        "Select a row to open a session.",
        sessions=how_many(len(rows), "session"), broken=f"{broken:,}", gaps=f"{gaps:,}",
    )  # fmt: skip
    if rows.empty:
        st.info("No matches for these dates.")
        return
    listing = pd.DataFrame(
        {
            "When": [moment(when) for when in rows["started_at"]],
            "Protocol": rows["status"].map(STATUS_WORDS),
            "Staff": rows["staff_name"].fillna("unknown"),
            "Pupils": rows["pupils"].mask(rows["withheld"].astype(bool), "confidential"),
            "Purpose": rows["purpose"].map(purpose),
            "Department": rows["department"].fillna(""),
            "Breaches": rows["n_breach"],
            "No evidence": rows["n_gaps"],
            "Log and record": rows["disputed"].map({True: "disagree", False: ""}),
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
    view = get_session(school, person, int(number)) if number.isdecimal() and len(number) < 18 else None
    if view is None:
        st.title("Session")
        st.info("There is no such session, or you do not have access to it.")
        return
    seen(school, person, f"session {view.session_id}")
    kind = "One-to-one" if view.one_to_one else purpose(view.purpose)
    title(f"{kind if view.logged else 'Call, not logged'} · {moment(view.started_at)}")
    write_html(
        "<b>{staff}</b>, {department} · {start} to {end} · {pupils}{entered}",
        staff=view.staff_name or "Unknown", department=view.department or "no department",
        start=f"{view.started_at:%H:%M}", end=f"{view.ended_at:%H:%M}",
        pupils="pupils confidential" if view.withheld else ", ".join(view.pupils["name"]) or "no pupil known",
        entered="" if view.versions.empty else f" · logged {moment(view.versions['entered_at'].min())}",
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
                label="Raise a concern about this session",
                icon=":material/flag:",
                query_params={"raise": "yes", "session": str(view.session_id)},
            )
    show_exceptions(school, person, view)
    show_clauses(view)
    show_timeline(view)
    show_log(view)


def show_exceptions(school: School, person: Person, view: SessionView) -> None:
    """What was done about the clauses not kept; and, for whom it waits, what to do."""
    found = get_session_breaches(school, person, view.session_id)
    if found.rows.empty:
        return
    if len(found.events):
        st.header("Explanations and decisions")
    steps = found.events.groupby(["occurred_at", "actor", "kind", "resolution", "text"], sort=False, dropna=False)[
        "title"
    ].agg(", ".join)
    for (at, by, kind, how, text), titles in steps.items():
        write_html(
            "<b>{when}</b> {by}{done} <em>({titles})</em>" + ("<br>“{text}”" if isinstance(text, str) else ""),
            when=moment(at), by=f"{by}: " if isinstance(by, str) else "", titles=titles, text=text,
            done=Resolution(how).label if kind == BreachEventKind.RESOLVED else BreachEventKind(kind).label,
        )  # fmt: skip
    waiting = found.rows.loc[found.rows["state"] == "open", "title"]
    if waiting.empty:
        return
    write_html(
        "<b>Open:</b> {titles}. {wait}",
        titles=", ".join(waiting),
        wait=f"With {' or '.join(found.owners)}." if found.owners else "Nobody on the roster can resolve it.",
    )
    if found.to_settle:
        settle(school, person, view.session_id, explained=bool((found.events["kind"] == "explained").any()))
    elif found.to_explain:
        explain(school, person, view.session_id)


def explain(school: School, person: Person, number: int) -> None:
    with st.form(f"explain {number}"):
        words = st.text_area("What happened?", key=f"explanation {number}", max_chars=5000)
        if st.form_submit_button("Send explanation", type="primary"):
            if words.strip():
                done(lambda: explain_breaches(school, person, number, words), "Explanation sent.")
            else:
                st.error("Write a sentence first.")


_CONDUCT = "conduct"


def settle(school: School, person: Person, number: int, explained: bool) -> None:
    ways = {way.value: way.label for way in Resolution}
    ways[_CONDUCT] = "Conduct concern: resolve here and raise it separately"
    with st.form(f"settle {number}"):
        how = st.radio(
            "Resolve this session", list(ways),
            format_func=ways.__getitem__, index=0 if explained else None, key=f"way {number}",
        )  # fmt: skip
        words = st.text_area(
            "Note", key=f"settling {number}", max_chars=5000, height=80,
            help="The member of staff can read this note. Never mention a concern about conduct here.",
        )  # fmt: skip
        if st.form_submit_button("Resolve", type="primary"):
            if how is None or not words.strip():
                st.error("Choose how it was resolved, and write a short note.")
            elif how == _CONDUCT:
                done(
                    lambda: resolve_breaches(school, person, number, Resolution.OTHER, words),
                    "",
                    lambda: raise_conduct(school, person, number),
                )
            else:
                done(lambda: resolve_breaches(school, person, number, Resolution(how), words), "Resolved.")


def raise_conduct(school: School, person: Person, number: int) -> None:
    """The form for a concern about conduct, begun with the session and who conducted it."""
    view = get_session(school, person, number)
    staff = [view.staff_id] if view is not None and view.staff_id is not None else []
    save_draft(school, person, CONDUCT_DRAFT, {"session": str(number), "staff": staff})
    st.session_state.pop(f"draft {CONDUCT_DRAFT} {person.staff_id}", None)
    st.switch_page("pages/concerns.py", query_params={"raise": "conduct"})


def done(what: Callable[[], None], words: str, then: Callable[[], None] = st.rerun) -> None:
    try:
        what()
    except NotAllowedNow as error:
        show_error("It could not be done.", str(error))
    else:
        if words:
            st.toast(words, icon=":material/check:")
        then()


def summary(view: SessionView) -> None:
    broken = view.clauses[view.clauses["outcome"] == "breach"]
    gaps = view.clauses[view.clauses["outcome"] == "no_evidence"]
    if len(broken):
        st.error(
            f"**Breach** of {'one clause' if len(broken) == 1 else f'{len(broken)} clauses'}.",
            icon=":material/close:",
        )
    elif len(gaps):
        st.warning("**Evidence is missing;** nothing shows a breach.", icon=":material/help:")
    else:
        st.success("**All checks met**, or exempt.", icon=":material/check:")
    reasons(broken)
    reasons(gaps, "?")
    if view.disputed and not (broken["disputed"].any() or gaps["disputed"].any()):
        st.warning(
            "For a check marked below, the log says the opposite of the call record, which decides.",
            icon=":material/compare_arrows:",
        )


def reasons(clauses: pd.DataFrame, mark: str = "✗") -> None:
    """Why clauses were not kept, or what evidence is missing."""
    for row in clauses.itertuples():
        disputed = " <em>The log says otherwise; the call record decides.</em>" if row.disputed else ""
        write_html("{mark} <b>{title}:</b> {reason}" + disputed, mark=mark, title=row.title, reason=row.reason)


def show_clauses(view: SessionView) -> None:
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
        listing[applies], "Outcome, evidence and reason of each clause that applies", "clauses of a session",
        height="content", column_config={"Reason": st.column_config.TextColumn(width="large")},
    )  # fmt: skip
    if (~applies).any():
        write_html("Not applicable: {clauses}.", clauses=", ".join(rows.loc[~applies, "title"]))


def show_timeline(view: SessionView) -> None:
    st.header("Attendance timeline")
    if view.withheld:
        st.info("Counselling is confidential: only the counsellor sees who took part.")
        return
    if view.stays.empty:
        st.info("There is no call record for this session. It was judged by its log.")
        return
    write_html("{sentence}", sentence=charts.timeline_sentence(view.alone))
    draw(
        charts.timeline(view.stays, view.videos, view.alone),
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
            "Camera": view.stays["camera"].fillna(False).map({True: "sent video", False: "not known"}),
        }
    )
    table_expander(rows, "who was in the call", "Who was in the call when")


def show_log(view: SessionView) -> None:
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
            write_html(
                "Version {n}, entered {when} by {who}{why}",
                n=version.version, when=moment(version.entered_at), who=version.entered_by or "an import",
                why=f": {version.correction_reason}" if isinstance(version.correction_reason, str) else "",
            )  # fmt: skip


school, person = require(Page.SESSIONS)
if "session" in st.query_params:
    show_session(school, person, st.query_params["session"])
else:
    show_all(school, person)
