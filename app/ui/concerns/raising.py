"""Raising a concern: the form, which is open to everybody, and the confirmation."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from app.access.forms import CONCERN_DRAFT, CONDUCT_DRAFT, Dsps, list_dsps, list_pupils_to_choose, list_staff_to_choose
from app.access.policy import Person
from app.access.session_detail import SessionView, get_session
from app.concerns.raising import Elsewhere, Report, raise_concern
from app.school import School
from app.store.concerns import CHILD, CONDUCT, MOST_CATEGORIES, Register
from app.ui import address
from app.ui.authority import guard
from app.ui.drafts import Draft, label_pupils, label_staff
from app.ui.dsps import list_codes, show_dsp, show_dsps, warn_without_email
from app.ui.text import note, show_error, show_refusal, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page

_WORDS = {
    CHILD.resource: {
        "raise": "I'm worried about a child",
        "danger": "If a child is in immediate danger, ring 999 first, then tell the DSP in person.",
        "words": "The child's own words, if any",
        "told": "Have you told a DSP in person?",
        "send": "Send to the DSP",
    },
    CONDUCT.resource: {
        "raise": "I'm worried about an adult's conduct",
        "danger": "If a child is in immediate danger, ring 999 first, then tell the Senior Deputy Head or a DSP in "
        "person.",
        "words": "What was said, word for word, if anything",
        "told": "Have you told the Senior Deputy Head or a DSP in person?",
        "send": "Send to the Senior Deputy Head and the DSPs",
    },
}
_FAULT, _SENT = "concern not sent", "sent"


def show_form(school: School, person: Person, register: Register, session: str) -> None:
    """Show the form to everybody. `session` is the number of the session that the concern comes from, or ""."""
    words = _WORDS[register.resource]
    draft = Draft(school, person, CONCERN_DRAFT if register is CHILD else CONDUCT_DRAFT)
    send = f"send {register.resource}"
    draft.collect()
    pressed = st.session_state.get(send)
    if pressed and draft.result is None:
        _send(school, person, register, draft)
    elif draft.result is not None and not pressed and _SENT not in st.query_params:
        draft.begin({})  # the menu's link was used again
    link(Page.CONCERNS, "Concerns", "arrow_back")
    st.title(words["raise"])
    st.error(words["danger"], icon=":material/emergency_home:")
    if draft.result is None:
        _ask(school, person, register, draft, session)
        return
    st.query_params[_SENT] = "yes"
    _show_received(school, *draft.result)


def _ask(school: School, person: Person, register: Register, draft: Draft, session: str) -> None:
    """Show the form."""
    draft.show_restored("this concern")
    _link_session(school, person, register, draft, session)
    _ask_about(school, person, register, draft)
    _ask_narrative(register, draft)
    _ask_circumstances(school, register, draft)
    draft.store()
    if fault := st.session_state.pop(_FAULT, None):
        show_refusal(f"{fault} Nothing you wrote is lost.")
    send = f"send {register.resource}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(_WORDS[register.resource]["send"], type="primary", icon=":material/send:", key=send)
        st.button("Clear form", type="tertiary", on_click=guard(partial(_clear, draft, send)))
    note("Saved whenever you leave a box. If you are called away, you can continue later.")


def _clear(draft: Draft, send: str) -> None:
    """Clear the form, unless it is being sent: both buttons may be pressed before the page runs."""
    if not st.session_state.get(send):
        draft.discard()
        st.query_params.pop("session", None)


def _link_session(school: School, person: Person, register: Register, draft: Draft, session: str) -> None:
    """Show the session that the concern comes from, if the person may see it, and fill empty boxes from it."""
    number = session or str(draft.values.get("session", ""))
    view = _find_session(school, person, number)
    if view is None:
        return
    draft.values["session"] = str(view.session_id)
    write_html("Linked to the session of {view.started_at}.", view=view)
    if not draft.values.get("day"):
        draft.values.update(day=view.started_at.date().isoformat(), at=f"{view.started_at:%H:%M}")
    if register is CHILD and len(view.pupils) == 1:
        draft.values.setdefault("pupils", view.pupils["pupil_id"].astype(int).tolist())


def _find_session(school: School, person: Person, number: str) -> SessionView | None:
    session_id = address.read_number(number)
    return None if session_id is None else get_session(school, person, session_id)


def _ask_about(school: School, person: Person, register: Register, draft: Draft) -> None:
    known = list_pupils_to_choose(school, person)
    pupils = label_pupils(known)
    if register is CHILD:
        draft.ask_several("pupils", "Which child?", pupils, placeholder="Type a name")
        show_dsps(school, person, list_codes(known, "pupil_id", draft.values["pupils"]))
        return
    note(
        "This goes to the Senior Deputy Head and the DSPs. Anyone named in it cannot see that it exists. Do not "
        "discuss it with anyone else."
    )
    staff = label_staff(list_staff_to_choose(school, person))
    draft.ask_several("staff", "Which adult?", staff, placeholder="Type a name")
    draft.ask_line("other", "Or somebody not on the list: their name, if known")
    draft.ask_several("pupils", "Which child was there, if any?", pupils, placeholder="Type a name")


def _ask_narrative(register: Register, draft: Draft) -> None:
    """Ask what was seen and heard, or where else it is recorded."""
    if draft.ask_checkbox("away", "Already recorded in the school's safeguarding system (reference only)"):
        left, right = st.columns(2)
        with left:
            draft.ask_line("system", "Which system?")
        with right:
            draft.ask_line("reference", "Its reference there")
        return
    advice = "What you saw and heard, not your interpretation."
    draft.ask_text("summary", "What worries you?", lines=4, help=advice)
    draft.ask_text("words", _WORDS[register.resource]["words"])


def _ask_circumstances(school: School, register: Register, draft: Draft) -> None:
    label = "Categories (up to three)"
    options = {"max_selections": MOST_CATEGORIES, "placeholder": "Choose"}
    draft.ask_several("categories", label, register.categories, **options)
    left, middle, right = st.columns([1, 1, 2])
    with left:
        draft.ask_day("day", "Day it happened", max_value=school.today())
    with middle:
        draft.ask_time("at", "Time, if known")
    with right:
        draft.ask_line("place", "Where?")
    draft.ask_yes_no("told", _WORDS[register.resource]["told"], "Yes", "Not yet")


def _as_report(school: School, register: Register, values: Mapping[str, Any]) -> Report:
    """The form's answers as a report of a concern."""
    day, at = values.get("day"), values.get("at")
    told, is_away = values.get("told"), values.get("away")
    happened = datetime.fromisoformat(f"{day}T{at or '00:00'}").replace(tzinfo=school.settings.zone) if day else None
    return Report(
        register,
        summary="" if is_away else values.get("summary") or "",
        childs_words="" if is_away else values.get("words") or "",
        elsewhere=Elsewhere(values.get("system") or "", values.get("reference") or "") if is_away else None,
        categories=values.get("categories") or [],
        pupil_ids=values.get("pupils") or [],
        staff_ids=values.get("staff") or [],
        others=[values.get("other") or ""],
        happened_at=happened,
        place=(values.get("place") or "").strip(),
        told_dsp=None if told is None else told == "yes",
    )


def _send(school: School, person: Person, register: Register, draft: Draft) -> None:
    """Raise the concern, or store the reason why that is not possible."""
    session = _find_session(school, person, str(draft.values.get("session", "")))
    try:
        report = _as_report(school, register, draft.values)
        raised = raise_concern(school, person, report, session.session_id if session else None)
    except ValueError as error:
        st.session_state[_FAULT] = str(error)
        return
    names = list_staff_to_choose(school, person).set_index("staff_id")["name"]
    alerted = ", ".join(sorted(names[number] for number in raised.alerted))
    if register is CHILD:
        dsps = list_dsps(
            school, person, list_codes(list_pupils_to_choose(school, person), "pupil_id", report.pupil_ids)
        )
        draft.finish((raised.ref, alerted, dsps))
    else:
        draft.finish(("", alerted, []))


def _show_received(school: School, ref: str, alerted: str, dsps: Collection[Dsps]) -> None:
    """Show the confirmation. Whoever raised a concern about conduct gets no reference."""
    if not alerted and ref:
        show_error(
            f"Saved as {ref}, but nobody could be alerted.",
            "The roster has no DSP for this school: tell the Senior Deputy Head in person, now.",
        )
        return
    if not alerted:
        show_error(
            "Saved, but nobody can read it: everyone who could is named in it, or not on the roster.",
            "Tell the Head in person, now; if it is about the Head, the chair of governors. In either case you can ask "
            "the local authority's designated officer for safeguarding in education.",
        )
        return
    st.success(f"Received. The reference is {ref}." if ref else "Received.", icon=":material/check:")
    words = (
        "The DSP has been alerted: <b>{alerted}</b>. The Concerns page shows when it has been read."
        if ref
        else "Sent to <b>{alerted}</b>. Do not discuss it with anyone else."
    )
    write_html(words, alerted=alerted)
    for one in dsps:
        show_dsp(one)
    warn_without_email(school)
