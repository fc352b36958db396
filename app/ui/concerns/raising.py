"""Raising a concern: the form for everybody, and the confirmation."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import streamlit as st

from app.access.forms import CONCERN_DRAFT, CONDUCT_DRAFT, list_staff_to_choose
from app.access.policy import Person
from app.access.session_detail import get_session
from app.alerts import channels as alerts
from app.concerns.raising import Elsewhere, Report, raise_concern
from app.formatting import moment
from app.school import School
from app.store.concerns import CHILD, CONDUCT, MOST_CATEGORIES, Register
from app.ui.concerns.draft import Draft, pupils, staff
from app.ui.text import note, show_error, write_html

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
_NOBODY_LEFT = (
    "Tell the Head in person, now; if it is about the Head, the chair of governors. In either case you can ask the "
    "local authority's designated officer for safeguarding in education."
)


def raise_one(school: School, person: Person, register: Register, session: str) -> None:
    """The form for everybody; `session` is the number of a session that it came out of, or empty."""
    words = _WORDS[register.resource]
    st.title(words["raise"])
    st.page_link("pages/concerns.py", label="Concerns", icon=":material/arrow_back:")
    st.error(words["danger"], icon=":material/emergency_home:")
    if received := st.session_state.pop("concern raised", None):
        received()
        return
    draft = Draft(school, person, CONCERN_DRAFT if register is CHILD else CONDUCT_DRAFT)
    session_id = _came_out_of(school, person, register, draft, session)
    given = _about(school, person, register, draft)
    given |= _narrative(register, draft)
    given |= _circumstances(school, register, draft)
    draft.keep()
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(words["send"], type="primary", icon=":material/send:")
        if st.button("Clear form", type="tertiary"):
            _drop(draft)
            st.rerun()
    note("Saved whenever you leave a box. If you are called away, you can continue later.")
    if not sent:
        return
    try:
        received = _send(school, person, Report(register=register, **given), session_id)
    except ValueError as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        return
    _drop(draft)
    st.session_state["concern raised"] = received
    st.rerun()


def _drop(draft: Draft) -> None:
    draft.drop()
    st.query_params.pop("session", None)


# --- the form ---------------------------------------------------------------------------------------


def _came_out_of(school: School, person: Person, register: Register, draft: Draft, session: str) -> int | None:
    """The session that it came out of, if the person may see it; what it tells goes into boxes that are empty
    still."""
    number = session or str(draft.values.get("session", ""))
    view = get_session(school, person, int(number)) if number.isdecimal() and len(number) < 18 else None
    if view is None:
        return None
    draft.values["session"] = str(view.session_id)
    write_html("Linked to the session of {when}.", when=moment(view.started_at))
    if not draft.values.get("day"):
        draft.values |= {"day": view.started_at.date().isoformat(), "at": f"{view.started_at:%H:%M}"}
    if register is CHILD and len(view.pupils) == 1 and "pupils" not in draft.values:
        draft.values["pupils"] = view.pupils["pupil_id"].astype(int).tolist()
    return view.session_id


def _about(school: School, person: Person, register: Register, draft: Draft) -> dict[str, Any]:
    if register is CHILD:
        return {"pupil_ids": draft.some("pupils", "Which child?", pupils(school, person), placeholder="Type a name")}
    note(
        "This goes to the Senior Deputy Head and the DSPs. Anyone named in it cannot see that it exists. Do not "
        "discuss it with anyone else."
    )
    return {
        "staff_ids": draft.some("staff", "Which adult?", staff(school, person), placeholder="Type a name"),
        "others": [draft.line("other", "Or somebody not on the list: their name, if known")],
        "pupil_ids": draft.some(
            "pupils", "Which child was there, if any?", pupils(school, person), placeholder="Type a name"
        ),
    }


def _narrative(register: Register, draft: Draft) -> dict[str, Any]:
    """What was seen and heard; or where else that is written down."""
    if draft.tick("away", "It is recorded in the school's own safeguarding system; I give only the reference"):
        left, right = st.columns(2)
        with left:
            system = draft.line("system", "Which system?")
        with right:
            reference = draft.line("reference", "Its reference there")
        return {"summary": "", "childs_words": "", "elsewhere": Elsewhere(system, reference)}
    return {
        "summary": draft.words("summary", "What worries you?", help="What you saw and heard, not your interpretation."),
        "childs_words": draft.words("words", _WORDS[register.resource]["words"], lines=3),
    }


def _circumstances(school: School, register: Register, draft: Draft) -> dict[str, Any]:
    categories = draft.some(
        "categories",
        "Categories (up to three)",
        register.categories,
        max_selections=MOST_CATEGORIES,
        placeholder="Choose",
    )
    left, middle, right = st.columns([1, 1, 2])
    with left:
        day = draft.day("day", "Day it happened", max_value=school.today())
    with middle:
        at = draft.clock("at", "Time, if known")
    with right:
        place = draft.line("place", "Where?")
    return {
        "categories": categories,
        "happened_at": datetime.combine(day, at or time(), school.settings.zone) if day else None,
        "place": place.strip(),
        "told_dsp": draft.yes_no("told", _WORDS[register.resource]["told"], "Yes", "Not yet"),
    }


# --- sent -------------------------------------------------------------------------------------------


def _send(school: School, person: Person, report: Report, session_id: int | None) -> Callable[[], None]:
    """Raise a concern; returns what shows the confirmation. ValueError, in words, where something is missing."""
    raised = raise_concern(school, person, report, session_id)
    names = list_staff_to_choose(school, person).set_index("staff_id")["name"]
    alerted = ", ".join(sorted(names[number] for number in raised.alerted))
    if report.register is CHILD:
        return _received_by_dsp(school, raised.ref, alerted)
    return _received_about_conduct(school, alerted)


def _received_by_dsp(school: School, ref: str, names: str) -> Callable[[], None]:
    def show() -> None:
        if names:
            st.success(f"Received. The reference is {ref}.", icon=":material/check:")
            write_html(
                "The DSP has been alerted: <b>{names}</b>. Concerns will show when it has been read.", names=names
            )
            _by_mail(school)
        else:
            show_error(
                f"Saved as {ref}, but nobody could be alerted.",
                "The roster has no DSP for this school: tell the Senior Deputy Head in person, now.",
            )

    return show


def _received_about_conduct(school: School, names: str) -> Callable[[], None]:
    def show() -> None:
        if names:
            st.success("Received.", icon=":material/check:")
            write_html("Sent to <b>{names}</b>. Do not discuss it with anyone else.", names=names)
            _by_mail(school)
        else:
            show_error(
                "Saved, but nobody can read it: everyone who could is named in it, or not on the roster.", _NOBODY_LEFT
            )

    return show


def _by_mail(school: School) -> None:
    if not (alerts.configured() or school.is_demonstration()):
        st.warning("Email alerts are not set up: tell them in person as well.", icon=":material/person:")
