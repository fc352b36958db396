"""Raising a concern: the form for everybody, and the confirmation."""

from datetime import datetime, time
from typing import Any

import streamlit as st

from app.access.forms import CONCERN_DRAFT, CONDUCT_DRAFT, list_pupils_to_choose, list_staff_to_choose
from app.access.policy import Person
from app.access.session_detail import get_session
from app.alerts import channels
from app.concerns.raising import Elsewhere, Report, raise_concern
from app.school import School
from app.store.concerns import CHILD, CONDUCT, MOST_CATEGORIES, Register
from app.ui.drafts import Draft, label_pupils, label_staff
from app.ui.text import note, show_error, write_html
from app.ui.widgets import link
from app.vocabulary import Page

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
_RECEIVED = "concern raised"


def raise_one(school: School, person: Person, register: Register, session: str) -> None:
    """The form for everybody; `session` is the number of the session that it came out of, or empty."""
    words = _WORDS[register.resource]
    st.title(words["raise"])
    link(Page.CONCERNS, "Concerns", "arrow_back")
    st.error(words["danger"], icon=":material/emergency_home:")
    place = st.empty()
    if _RECEIVED not in st.session_state:
        with place.container():
            _ask(school, person, register, session)
    if received := st.session_state.get(_RECEIVED):
        with place.container():
            _show_received(school, *received)
        del st.session_state[_RECEIVED]  # last, because a second click on "Send" starts the page again


def _ask(school: School, person: Person, register: Register, session: str) -> None:
    """Show the form, and send it."""
    draft = Draft(school, person, CONCERN_DRAFT if register is CHILD else CONDUCT_DRAFT)
    session_id = _link_session(school, person, register, draft, session)
    given = _ask_about(school, person, register, draft)
    given |= _ask_narrative(register, draft)
    given |= _ask_circumstances(school, register, draft)
    draft.store()
    send = f"send {register.resource}"
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(_WORDS[register.resource]["send"], type="primary", icon=":material/send:", key=send)
        st.button("Clear form", type="tertiary", on_click=_clear, args=(draft, send))
    note("Saved whenever you leave a box. If you are called away, you can continue later.")
    if not sent:
        return
    try:
        st.session_state[_RECEIVED] = _send(school, person, Report(register=register, **given), session_id)
    except ValueError as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        return
    _drop(draft)


def _drop(draft: Draft) -> None:
    draft.drop()
    st.query_params.pop("session", None)


def _clear(draft: Draft, send: str) -> None:
    """Clear the form, unless it is being sent: both buttons may be pressed before the page runs."""
    if not st.session_state.get(send):
        _drop(draft)


def _link_session(school: School, person: Person, register: Register, draft: Draft, session: str) -> int | None:
    """The session that it came out of, if the person may see it; boxes that are still empty are filled from it."""
    number = session or str(draft.values.get("session", ""))
    view = get_session(school, person, int(number)) if number.isdecimal() and len(number) < 18 else None
    if view is None:
        return None
    draft.values["session"] = str(view.session_id)
    write_html("Linked to the session of {view.started_at}.", view=view)
    if not draft.values.get("day"):
        draft.values.update(day=view.started_at.date().isoformat(), at=f"{view.started_at:%H:%M}")
    if register is CHILD and len(view.pupils) == 1:
        draft.values.setdefault("pupils", view.pupils["pupil_id"].astype(int).tolist())
    return view.session_id


def _ask_about(school: School, person: Person, register: Register, draft: Draft) -> dict[str, Any]:
    pupils = label_pupils(list_pupils_to_choose(school, person))
    if register is CHILD:
        return {"pupil_ids": draft.ask_several("pupils", "Which child?", pupils, placeholder="Type a name")}
    note(
        "This goes to the Senior Deputy Head and the DSPs. Anyone named in it cannot see that it exists. Do not "
        "discuss it with anyone else."
    )
    staff = label_staff(list_staff_to_choose(school, person))
    return {
        "staff_ids": draft.ask_several("staff", "Which adult?", staff, placeholder="Type a name"),
        "others": [draft.ask_line("other", "Or somebody not on the list: their name, if known")],
        "pupil_ids": draft.ask_several("pupils", "Which child was there, if any?", pupils, placeholder="Type a name"),
    }


def _ask_narrative(register: Register, draft: Draft) -> dict[str, Any]:
    """Ask what was seen and heard, or where else that is written down."""
    if draft.ask_checkbox("away", "It is recorded in the school's own safeguarding system; I give only the reference"):
        left, right = st.columns(2)
        with left:
            system = draft.ask_line("system", "Which system?")
        with right:
            reference = draft.ask_line("reference", "Its reference there")
        return {"summary": "", "childs_words": "", "elsewhere": Elsewhere(system, reference)}
    advice = "What you saw and heard, not your interpretation."
    return {
        "summary": draft.ask_text("summary", "What worries you?", lines=4, help=advice),
        "childs_words": draft.ask_text("words", _WORDS[register.resource]["words"]),
    }


def _ask_circumstances(school: School, register: Register, draft: Draft) -> dict[str, Any]:
    label = "Categories (up to three)"
    options = {"max_selections": MOST_CATEGORIES, "placeholder": "Choose"}
    categories = draft.ask_several("categories", label, register.categories, **options)
    left, middle, right = st.columns([1, 1, 2])
    with left:
        day = draft.ask_day("day", "Day it happened", max_value=school.today())
    with middle:
        at = draft.ask_time("at", "Time, if known")
    with right:
        place = draft.ask_line("place", "Where?")
    return {
        "categories": categories,
        "happened_at": datetime.combine(day, at or time(), school.settings.zone) if day else None,
        "place": place.strip(),
        "told_dsp": draft.ask_yes_no("told", _WORDS[register.resource]["told"], "Yes", "Not yet"),
    }


def _send(school: School, person: Person, report: Report, session_id: int | None) -> tuple[str, str]:
    """Raise a concern; return what `_show_received` shows. ValueError with an explanation if something is missing."""
    raised = raise_concern(school, person, report, session_id)
    names = list_staff_to_choose(school, person).set_index("staff_id")["name"]
    alerted = ", ".join(sorted(names[number] for number in raised.alerted))
    return raised.ref if report.register is CHILD else "", alerted


def _show_received(school: School, ref: str, alerted: str) -> None:
    """Show the confirmation; the person who raised a concern about conduct gets no reference for it."""
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
        "The DSP has been alerted: <b>{alerted}</b>. Concerns will show when it has been read."
        if ref
        else "Sent to <b>{alerted}</b>. Do not discuss it with anyone else."
    )
    write_html(words, alerted=alerted)
    if not (channels.is_configured() or school.is_demonstration()):
        st.warning("Email alerts are not set up: tell them in person as well.", icon=":material/person:")
