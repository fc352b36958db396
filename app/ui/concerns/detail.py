"""One concern: what was reported, its actions, the next step, and its chronology."""

from functools import partial

import streamlit as st

from app.access.concern_detail import ConcernView, get_concern
from app.access.concern_history import FIELDS
from app.access.policy import NotAllowedError, Person
from app.concerns import casework
from app.formatting import moment, on_day
from app.reports.chronology import child_paper, conduct_paper
from app.school import School
from app.store.concerns import CHILD, CONDUCT
from app.ui.concerns.steps import choose_step, next_step, show_entry
from app.ui.current import seen
from app.ui.text import title, write_html


def show_one(school: School, person: Person, ref: str) -> None:
    """A concern of either register; one that is not there, or not the person's to see, looks the same."""
    try:
        view = get_concern(school, person, ref)
    except NotAllowedError:
        view = None
    if view is None:
        st.page_link("pages/concerns.py", label="Concerns", icon=":material/arrow_back:")
        st.title("Concern")
        st.info("This concern does not exist, or you do not have access to it.")
        return
    view = _note_opened(school, person, view)
    about = {} if view.register is CHILD else {"about": "conduct"}
    st.page_link(
        "pages/concerns.py",
        label="Back to concerns" if view.may_change else "Concerns",
        icon=":material/arrow_back:",
        query_params=about,
    )
    title(f"Concern {view.ref}")
    write_html(
        "<b>{state}</b> · level: <b>{level}</b> · {kinds} · with {owner}",
        state="Open" if view.open else "Closed",
        level=view.level,
        kinds=view.register.kinds(";".join(view.categories)),
        owner=view.owner or "nobody (nobody could be alerted)",
    )
    if view.register is CONDUCT:
        children = ", with " + ", ".join(view.pupils["name"]) if len(view.pupils) else ""
        write_html("About <b>{adults}</b>{children}", adults=", ".join(view.adults), children=children)
    if not view.may_change:
        st.info(
            "The DSP has shared this concern with you to read. Do not discuss it with anyone else.",
            icon=":material/lock:",
        )
    _reported(view)
    _to_do(school, person, view)
    if view.may_change:
        next_step(school, person, view)
    _chronology(school, person, view)


def _note_opened(school: School, person: Person, view: ConcernView) -> ConcernView:
    """That it was opened, once while the person looks at it."""
    if view.register is CHILD:
        seen(school, person, f"concern {view.ref}")
    noted = st.session_state.setdefault("opened", set())
    if (person.staff_id, view.ref) in noted or not view.may_change:
        return view
    noted.add((person.staff_id, view.ref))
    casework.opened(school, person, view.ref)
    return get_concern(school, person, view.ref) or view


def _reported(view: ConcernView) -> None:
    st.header("What was reported")
    if view.summary:
        st.text(view.summary)
    elif view.handed_over:
        system, reference = view.handed_over
        write_html("Recorded in <b>{system}</b>, reference <b>{reference}</b>.", system=system, reference=reference)
    if view.childs_words:
        st.subheader("The child's own words" if view.register is CHILD else "What was said")
        st.text(view.childs_words)
    fields = {name: versions[0].words for name, versions in view.fields.items()}
    write_html(
        "Happened: <b>{happened}</b>. Place: <b>{place}</b>. Entered {entered} by {by}. DSP told in person: {told}.",
        happened=moment(view.happened_at) or "time not given",
        place=fields["place"],
        entered=moment(view.raised_at),
        by=view.raised_by or "–",
        told=fields["told_dsp"],
    )
    _corrected(view)
    if len(view.pupils):
        rows = view.pupils.rename(columns={"name": "Child", "school": "School", "year_group": "Year", "house": "House"})
        st.dataframe(rows.drop(columns="pupil_id"), hide_index=True, alt="The children it is about", height="content")
    _linked(view)


def _corrected(view: ConcernView) -> None:
    """The fields corrected since, each version with its author."""
    corrected = {name: versions for name, versions in view.fields.items() if len(versions) > 1}
    if not corrected:
        return
    names = ", ".join(FIELDS[name].lower() for name in corrected)
    with st.expander(f"Corrected since it was reported: {names}"):
        for name, versions in corrected.items():
            st.markdown(f"**{FIELDS[name]}**")
            for version in versions:
                write_html(
                    "{when}, {by}{why}: <span style='white-space: pre-wrap'>{words}</span>",
                    when=moment(version.at.astimezone(view.raised_at.tzinfo)),
                    by=version.by or "–",
                    why=f" ({version.why})" if version.why else "",
                    words=version.words,
                )


def _linked(view: ConcernView) -> None:
    """The sessions linked; one that the person may open leads to it."""
    for row in view.sessions.itertuples():
        st.page_link(
            "pages/sessions.py",
            label=f"Session of {moment(row.started_at)}",
            icon=":material/groups:",
            query_params={"session": str(row.session_id)},
        )
    if view.register is CONDUCT:
        for session in view.links:
            write_html("Session: {words}.", words=session.description)


def _to_do(school: School, person: Person, view: ConcernView) -> None:
    st.header("Actions")
    if view.outcome:
        write_html("<b>Outcome:</b> {outcome}", outcome=view.outcome)
    if view.handed_over:
        system, reference = view.handed_over
        write_html("Handed over to <b>{system}</b>, reference <b>{reference}</b>.", system=system, reference=reference)
    if view.shared_with:
        write_html("Shared with {names}.", names=", ".join(view.shared_with.values()))
    waiting = [action for action in view.actions if action.done_on is None]
    if not waiting:
        st.write("No open actions." if view.open else "Closed.")
    for action in waiting:
        with st.container(border=True):
            late = "⚠ Overdue: " if action.due < school.today() else ""
            write_html(
                "<b>{what}</b><br>{late}{owner}, by <b>{due}</b>",
                what=action.what,
                owner=action.owner,
                due=on_day(action.due),
                late=late,
            )
            if view.may_change and view.open:
                with st.container(horizontal=True):
                    for kind, label, icon in (("done", "Done", "check"), ("moved", "Change", "edit")):
                        if st.button(label, key=f"{kind} {view.ref} {action.number}", icon=f":material/{icon}:"):
                            choose_step(person, view, kind, action.number)
    for action in view.actions:
        if action.done_on is not None:
            write_html(
                "✓ {what} <em>({owner}, {on})</em>: {how}",
                what=action.what,
                owner=action.owner,
                on=on_day(action.done_on),
                how=action.how,
            )


def _chronology(school: School, person: Person, view: ConcernView) -> None:
    st.header("Chronology")
    with st.container(horizontal=True):
        if view.register is CONDUCT:
            st.download_button(
                "This concern (PDF)",
                partial(conduct_paper, school, person, view.ref),
                f"concern {view.ref}.pdf",
                "application/pdf",
                on_click="ignore",
                icon=":material/print:",
            )
        for pupil in view.pupils.itertuples() if view.register is CHILD else ():
            st.download_button(
                "The child's chronology (PDF)" if len(view.pupils) == 1 else f"Chronology of {pupil.name} (PDF)",
                partial(child_paper, school, person, int(pupil.pupil_id)),
                f"chronology {pupil.pupil_id}.pdf",
                "application/pdf",
                on_click="ignore",
                icon=":material/print:",
                key=f"paper {pupil.pupil_id}",
            )
    for entry in reversed(view.entries):
        show_entry(entry)
    if view.opened_by:
        with st.expander(f"Opened by ({len(view.opened_by)})"):
            for entry in reversed(view.opened_by):
                write_html("{when} · {what} · {by}", when=moment(entry.at), what=entry.what, by=entry.by)
