"""One concern: what was reported, its actions, its next steps and its chronology."""

from functools import partial

import streamlit as st

from app.access.concern_detail import ConcernView, get_concern
from app.access.concern_history import FIELDS
from app.access.policy import NotAllowedError, Person
from app.concerns import casework
from app.formatting import moment
from app.reports.chronology import create_child_chronology, create_conduct_chronology
from app.school import School
from app.store.concerns import CHILD, CONDUCT
from app.ui.concerns.steps import Steps, show_entry
from app.ui.current import record_once
from app.ui.text import as_plain_text, title, write_html
from app.ui.widgets import download, link, show_confirmation
from app.vocabulary.roles import Page


def show_concern(school: School, person: Person, ref: str) -> None:
    """A concern of either register, by its reference or, from an email, by the reference without the register's letter;
    one that is not there, or not the person's to see, looks the same."""
    refs = [ref] if "-" in ref else [register.prefix + ref for register in (CHILD, CONDUCT)]
    view = next(filter(None, (_find_concern(school, person, each) for each in refs)), None)
    if view is None:
        link(Page.CONCERNS, "Concerns", "arrow_back")
        st.title("Concern")
        st.info("This concern does not exist, or you do not have access to it.")
        return
    view = _note_opened(school, person, view)
    query = None if view.register is CHILD else {"about": "conduct"}
    link(Page.CONCERNS, "Back to concerns" if view.may_change else "Concerns", "arrow_back", query=query)
    about = view.adults if view.register is CONDUCT else view.pupils["name"].tolist()
    title(f"Concern about {', '.join(about)}" if about else f"Concern {view.ref}")
    show_confirmation()
    write_html(
        "{view.ref} · <b>{state}</b> · level: <b>{view.level}</b> · {kinds} · with {owner}",
        view=view,
        state="Open" if view.open else "Closed",
        kinds=view.register.describe_categories(";".join(view.categories)),
        owner=view.owner or "nobody (nobody could be alerted)",
    )
    if view.register is CONDUCT and len(view.pupils):
        write_html("Children present: <b>{children}</b>", children=", ".join(view.pupils["name"]))
    if not view.may_change:
        st.info(
            "The DSP has shared this concern with you to read. Do not discuss it with anyone else.",
            icon=":material/lock:",
        )
    steps = Steps(school, person, view) if view.may_change else None
    if steps:
        steps.show_buttons()
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_report(view)
    with right:
        _show_actions(school, view, steps)
    _show_chronology(school, person, view)


def _find_concern(school: School, person: Person, ref: str) -> ConcernView | None:
    try:
        return get_concern(school, person, ref)
    except NotAllowedError:
        return None


def _note_opened(school: School, person: Person, view: ConcernView) -> ConcernView:
    """Record that the person opened the concern, once for each visit. Returns the concern as it is now."""
    if view.register is CHILD:
        record_once(school, person, "viewed", f"concern {view.ref}")
    noted = st.session_state.setdefault("opened", set())
    if (person.staff_id, view.ref) in noted or not view.may_change:
        return view
    noted.add((person.staff_id, view.ref))
    casework.record_opening(school, person, view.ref)
    return get_concern(school, person, view.ref) or view


def _show_report(view: ConcernView) -> None:
    st.header("What was reported")
    if view.summary:
        st.text(view.summary)
    elif view.handed_over:
        write_html("Recorded in <b>{place[0]}</b>, reference <b>{place[1]}</b>.", place=view.handed_over)
    if view.childs_words:
        st.subheader("The child's own words" if view.register is CHILD else "What was said")
        st.text(view.childs_words)
    fields = {name: versions[0].words for name, versions in view.fields.items()}
    write_html(
        "Happened: <b>{happened}</b>. Place: <b>{fields[place]}</b>. Entered {view.raised_at} by {by}. DSP told in "
        "person: {fields[told_dsp]}.",
        happened=view.happened_at or "time not given",
        fields=fields,
        view=view,
        by=view.raised_by or "–",
    )
    _show_corrections(view)
    if len(view.pupils):
        rows = view.pupils.rename(columns={"name": "Child", "school": "School", "year_group": "Year", "house": "House"})
        st.dataframe(rows.drop(columns="pupil_id"), hide_index=True, alt="The children it is about", height="content")
    _show_sessions(view)


def _show_corrections(view: ConcernView) -> None:
    """Show the fields corrected since the report, each version with its author."""
    corrected = {name: versions for name, versions in view.fields.items() if len(versions) > 1}
    if not corrected:
        return
    names = ", ".join(FIELDS[name].lower() for name in corrected)
    with st.expander(f"Corrected since it was reported: {names}"):
        for name, versions in corrected.items():
            st.markdown(f"**{FIELDS[name]}**")
            for version in versions:
                write_html(
                    "{at}, {by}{why}: <span style='white-space: pre-wrap'>{version.words}</span>",
                    at=version.at.astimezone(view.raised_at.tzinfo),
                    by=version.by or "–",
                    why=f" ({version.why})" if version.why else "",
                    version=version,
                )


def _show_sessions(view: ConcernView) -> None:
    """Show the linked sessions, each with a link if the person may open it."""
    for row in view.sessions.itertuples():
        link(Page.SESSIONS, f"Session of {moment(row.started_at)}", query={"session": str(row.session_id)})
    if view.register is CONDUCT:
        for session in view.links:
            write_html("Session: {words}.", words=session.description)


def _show_actions(school: School, view: ConcernView, steps: Steps | None) -> None:
    """Show the outcome and the actions, with buttons to mark an open action as done or to change it."""
    st.header("Actions")
    if view.outcome:
        write_html("<b>Outcome:</b> {outcome}", outcome=view.outcome)
    if view.handed_over:
        write_html("Handed over to <b>{place[0]}</b>, reference <b>{place[1]}</b>.", place=view.handed_over)
    if view.shared_with:
        write_html("Shared with {names}.", names=", ".join(view.shared_with.values()))
    waiting = [action for action in view.actions if action.done_on is None]
    if not waiting:
        st.write("No open actions." if view.open else "Closed.")
    for action in waiting:
        with st.container(border=True):
            late = "⚠ Overdue: " if action.due < school.today() else ""
            words = "<b>{action.what}</b><br>{late}{action.owner}, by <b>{action.due}</b>"
            write_html(words, action=action, late=late)
            if steps and view.open:
                with st.container(horizontal=True):
                    for kind, label, icon in (("done", "Done…", "check"), ("moved", "Change…", "edit")):
                        if st.button(label, key=f"{kind} {view.ref} {action.number}", icon=f":material/{icon}:"):
                            steps.open(kind, action.number)
    for action in view.actions:
        if action.done_on is not None:
            words = "✓ {action.what} <em>({action.owner}, {action.done_on})</em>: {action.how}"
            write_html(words, action=action)


def _show_chronology(school: School, person: Person, view: ConcernView) -> None:
    st.header("Chronology")
    with st.container(horizontal=True):
        if view.register is CONDUCT:
            paper = partial(create_conduct_chronology, school, person, view.ref)
            download("This concern (PDF)", paper, f"concern {view.ref}.pdf", "print")
        for pupil in view.pupils.itertuples() if view.register is CHILD else ():
            about = f"Chronology of {as_plain_text(pupil.name)} (PDF)"
            label = "The child's chronology (PDF)" if len(view.pupils) == 1 else about
            paper = partial(create_child_chronology, school, person, int(pupil.pupil_id))
            key = f"paper {pupil.pupil_id}"
            download(label, paper, f"chronology {pupil.pupil_id}.pdf", "print", key=key)
    for entry in reversed(view.entries):
        show_entry(entry)
    if view.opened_by:
        with st.expander(f"Opened by ({len(view.opened_by)})"):
            for entry in reversed(view.opened_by):
                write_html("{entry.at} · {entry.what} · {entry.by}", entry=entry)
