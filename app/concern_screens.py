"""The screens of both registers of concerns: raise one, the lists, and one opened, by the same code for each.

What somebody types is kept as a draft whenever they leave a box, so that it is there again in another browser.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app import access, casework
from app.access import ConcernView, Entry, Person
from app.alerts import channels as alerts
from app.casework import STEPS, Ask
from app.concerns import CHILD, CONDUCT, MOST_CATEGORIES, NOT_ASSESSED, Elsewhere, Register
from app.school import School
from app.screen import aside, moment, on_day, say, seen, table, title, trouble

_WORDS = {
    CHILD.thing: {
        "raise": "I am worried about a child",
        "danger": "If a child is in immediate danger, ring 999 first, then tell the DSP in person.",
        "worry": "What worries you?",
        "words": "The child's own words, if any",
        "told": "Have you told a DSP in person?",
        "send": "Send to the DSP",
    },
    CONDUCT.thing: {
        "raise": "I am worried about an adult's conduct",
        "danger": "If a child is in immediate danger, ring 999 first, then tell the Senior Deputy Head or a DSP in person.",
        "worry": "What worries you?",
        "words": "What was said, word for word, if anything",
        "told": "Have you told the Senior Deputy Head or a DSP in person?",
        "send": "Send to the Senior Deputy Head and the DSPs",
    },
}
_NOBODY_LEFT = (
    "Go to the Head in person, now; if it is about the Head, to the chair of governors, and in either case the local "
    "authority's designated officer for safeguarding in education can be asked."
)


class Draft:
    """What somebody has typed into a form and not sent, by question; `number` tells its widgets from those of
    the form before."""

    def __init__(self, school: School, person: Person, name: str) -> None:
        self.school, self.person, self.name = school, person, name
        self._key = f"draft {name} {person.staff_id}"
        if self._key not in st.session_state:
            st.session_state[self._key] = access.draft(school, person, name) or {}
        self.values: dict[str, Any] = st.session_state[self._key]
        self._kept = dict(self.values)
        self.number = st.session_state.setdefault(f"{self._key} number", 0)

    def key(self, question: str) -> str:
        return f"{self.name} {question} {self.person.staff_id} {self.number}"

    def keep(self) -> None:
        """Keep what was typed, if anything is new."""
        given = {name: value for name, value in self.values.items() if value not in (None, "", [], False)}
        if given != {name: value for name, value in self._kept.items() if value not in (None, "", [], False)}:
            access.keep_draft(self.school, self.person, self.name, given or None)

    def drop(self) -> None:
        """It was sent, or is not wanted: an empty form comes next."""
        access.keep_draft(self.school, self.person, self.name, None)
        del st.session_state[self._key]
        st.session_state[f"{self._key} number"] += 1

    # --- the boxes of a form -------------------------------------------------------------------------------

    def words(self, name: str, question: str, *, lines: int = 4, **more: Any) -> str:
        self.values[name] = st.text_area(
            question, self.values.get(name, ""), max_chars=10_000, key=self.key(name), height=28 * lines, **more
        )
        return self.values[name] or ""

    def line(self, name: str, question: str, **more: Any) -> str:
        self.values[name] = st.text_input(
            question, self.values.get(name, ""), max_chars=500, key=self.key(name), **more
        )
        return self.values[name] or ""

    def day(self, name: str, question: str, **more: Any) -> date | None:
        kept = self.values.get(name)
        day = st.date_input(
            question, date.fromisoformat(kept) if kept else None, key=self.key(name), format="DD/MM/YYYY", **more
        )
        self.values[name] = day.isoformat() if isinstance(day, date) else None
        return day if isinstance(day, date) else None

    def clock(self, name: str, question: str) -> time | None:
        kept = self.values.get(name)
        at = st.time_input(question, time.fromisoformat(kept) if kept else None, key=self.key(name), step=300)
        self.values[name] = f"{at:%H:%M}" if at else None
        return at

    def one(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> Any:
        kept = self.values.get(name)
        found = list(options)
        self.values[name] = st.selectbox(
            question, found, index=found.index(kept) if kept in options else None, format_func=lambda o: options.get(o, ""),
            key=self.key(name), placeholder=more.pop("placeholder", "Choose"), **more,
        )  # fmt: skip
        return self.values[name]

    def some(self, name: str, question: str, options: Mapping[Any, str], **more: Any) -> list[Any]:
        kept = [one for one in self.values.get(name, []) if one in options]
        self.values[name] = st.multiselect(
            question, list(options), default=kept, format_func=lambda o: options.get(o, ""), key=self.key(name), **more
        )
        return self.values[name]

    def yes_no(self, name: str, question: str, yes: str, no: str) -> bool | None:
        kept = self.values.get(name)
        options = {"yes": yes, "no": no}
        self.values[name] = st.radio(
            question, list(options), index=list(options).index(kept) if kept in options else None,
            format_func=options.__getitem__, horizontal=True, key=self.key(name),
        )  # fmt: skip
        return None if self.values[name] is None else self.values[name] == "yes"

    def tick(self, name: str, words: str) -> bool:
        self.values[name] = st.checkbox(words, bool(self.values.get(name)), key=self.key(name))
        return self.values[name]


def kinds(register: Register, cell: str) -> str:
    return ", ".join(register.categories.get(kind, kind) for kind in cell.split(";") if kind)


def _pupils(school: School, person: Person) -> dict[int, str]:
    people = access.pupils_to_choose(school, person)
    return {row.pupil_id: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}


def _staff(school: School, person: Person) -> dict[int, str]:
    people = access.staff_to_choose(school, person)
    return {row.staff_id: f"{row.name} · {row.department}" for row in people.itertuples()}


# --- raise one ----------------------------------------------------------------------------------------------


def raise_one(school: School, person: Person, register: Register, session: str) -> None:
    """The form for everybody; `session` is the number of a session that it came out of, or empty."""
    words = _WORDS[register.thing]
    st.title(words["raise"])
    st.page_link("pages/concerns.py", label="Concerns", icon=":material/arrow_back:")
    st.error(words["danger"], icon=":material/emergency_home:")
    if received := st.session_state.pop("concern raised", None):
        received()
        return
    draft = Draft(school, person, access.CONCERN_DRAFT if register is CHILD else access.CONDUCT_DRAFT)
    number = session or str(draft.values.get("session", ""))
    view = access.session(school, person, int(number)) if number.isdecimal() and len(number) < 18 else None
    if view is not None:
        draft.values["session"] = str(view.session_id)
        say("It came out of the session of {when}; the two are linked.", when=moment(view.started_at))
        _fill_from(draft, register, view)
    if register is CONDUCT:
        aside(
            "It goes to the Senior Deputy Head and the DSPs, but never to anybody it names: they cannot find out here "
            "that it exists. Speak of it with nobody else."
        )
        adults = draft.some("staff", "Which adult?", _staff(school, person), placeholder="Type a name")
        other = draft.line("other", "Or somebody who is not on the list: their name, if known")
        pupils = draft.some(
            "pupils", "Which child was there, if any?", _pupils(school, person), placeholder="Type a name"
        )
    else:
        adults, other = [], ""
        pupils = draft.some("pupils", "Which child?", _pupils(school, person), placeholder="Type a name")
    if draft.tick(
        "away", "It is written down in the school's own safeguarding system; I give only its reference there"
    ):
        left, right = st.columns(2)
        with left:
            system = draft.line("system", "Which system?")
        with right:
            reference = draft.line("reference", "Its reference there")
        summary, said, elsewhere = "", "", Elsewhere(system, reference)
    else:
        summary = draft.words(
            "summary", words["worry"], help="What you saw and heard. Not what you think lies behind it."
        )
        said, elsewhere = draft.words("words", words["words"], lines=3), None
    categories = draft.some(
        "categories",
        "What kind? Up to three",
        register.categories,
        max_selections=MOST_CATEGORIES,
        placeholder="Choose",
    )
    left, middle, right = st.columns([1, 1, 2])
    with left:
        day = draft.day("day", "When did it happen? Day", max_value=school.today())
    with middle:
        at = draft.clock("at", "Time, if known")
    with right:
        place = draft.line("place", "Where?")
    told = draft.yes_no("told", words["told"], "Yes", "Not yet")
    draft.keep()
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(words["send"], type="primary", icon=":material/send:")
        if st.button("Empty the form", type="tertiary"):
            draft.drop()
            st.query_params.pop("session", None)
            st.rerun()
    aside("Kept as you go, whenever you leave a box: if you are called away, it is here again.")
    if not sent:
        return
    given: dict[str, Any] = {
        "happened_at": datetime.combine(day, at or time(), school.settings.zone) if day else None,
        "summary": summary, "childs_words": said, "told_dsp": told, "categories": categories, "pupil_ids": pupils,
        "place": place.strip(), "session_id": view.session_id if view is not None else None, "elsewhere": elsewhere,
    }  # fmt: skip
    try:
        if register is CHILD:
            ref = casework.raise_concern(school, person, **given)
            received = _received_by_dsp(school, person, ref)
        else:
            told_to = casework.raise_conduct_concern(school, person, staff_ids=adults, others=[other], **given)
            received = _received_about_conduct(school, told_to)
    except ValueError as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        return
    draft.drop()
    st.query_params.pop("session", None)
    st.session_state["concern raised"] = received
    st.rerun()


def _fill_from(draft: Draft, register: Register, view: access.SessionView) -> None:
    """What the session tells, into boxes that are empty still."""
    if not draft.values.get("day"):
        draft.values |= {"day": view.started_at.date().isoformat(), "at": f"{view.started_at:%H:%M}"}
    if register is CHILD and len(view.pupils) == 1 and "pupils" not in draft.values:
        draft.values["pupils"] = view.pupils["pupil_id"].astype(int).tolist()


def _received_by_dsp(school: School, person: Person, ref: str) -> Callable[[], None]:
    told = access.own_concerns(school, person).query("ref == @ref")["received_by"].iloc[0]

    def show() -> None:
        if told:
            st.success(f"Received. Its reference is {ref}.", icon=":material/check:")
            say("The DSP has been alerted: <b>{told}</b>. You see under Concerns when it was read.", told=told)
            _by_mail(school)
        else:
            trouble(
                f"Kept under {ref}, but nobody could be alerted.",
                "The roster has no DSP for this school: tell the Senior Deputy Head in person, now.",
            )

    return show


def _by_mail(school: School) -> None:
    if not (alerts.configured() or school.is_demonstration()):
        st.warning("No mail is sent from here: tell them in person as well.", icon=":material/person:")


def _received_about_conduct(school: School, told: list[str]) -> Callable[[], None]:
    def show() -> None:
        if told:
            st.success("Received.", icon=":material/check:")
            say("It is with <b>{told}</b>. Speak of it with nobody else.", told=", ".join(told))
            _by_mail(school)
        else:
            trouble("Kept, but everybody who could read it is named in it, or the roster has nobody.", _NOBODY_LEFT)

    return show


# --- lists ----------------------------------------------------------------------------------------------------


def show_children(school: School, person: Person) -> None:
    """The page as it opens: what waits, what the person may read, what they raised."""
    st.title("Concerns")
    follows = bool({"dsp", "senior_deputy_head"} & person.roles)
    asked = access.actions_to_do(school, person)
    actions, of_conduct = asked[~asked["conduct"]], asked[asked["conduct"] & asked["mine"]]
    if access.sees(person, CHILD.thing) - {access.TABLE[CHILD.thing][access.STAFF]}:
        concerns = access.concerns_list(school, person)
        if follows:
            _waiting(concerns, actions)
        show_actions(school, person, actions)
        if follows or len(concerns):
            _open_and_closed(person, concerns, CHILD, "Open, by level and age" if follows else "Shared with you")
    else:
        show_actions(school, person, actions)
    if follows:
        st.header("Adults' conduct")
        conduct = access.conduct_list(school, person)
        still_open = conduct[conduct["open"]]
        aside("Kept apart from concerns about children. Whom one names never sees it.")
        st.page_link(
            "pages/concerns.py",
            label=f"Concerns about an adult's conduct ({len(still_open)} open, {len(of_conduct)} for you to do)",
            icon=":material/arrow_forward:", query_params={"about": "conduct"},
        )  # fmt: skip
    st.header("Raised by me")
    _begun(school, person)
    mine, about_adults = access.own_concerns(school, person), access.own_conduct_concerns(school, person)
    if mine.empty and about_adults.empty:
        st.write("None.")
    if len(mine):
        table(_own(mine), "Concerns that I raised", "my concerns", height="content")
    if len(about_adults):
        st.subheader("About an adult's conduct")
        refs = about_adults["ref"].tolist()
        table(
            _own(about_adults), "Concerns about conduct that I raised", "my concerns about conduct", height="content",
            note=lambda: casework.note_conduct(school, person, refs),
        )  # fmt: skip
    with st.container(horizontal=True):
        _raise_link("Raise a concern about a child", "yes")
        _raise_link("Raise a concern about an adult's conduct", "conduct")


def show_conduct(school: School, person: Person) -> None:
    """Concerns about adults' conduct, for those who may see some."""
    st.page_link("pages/concerns.py", label="Concerns about children", icon=":material/arrow_back:")
    st.title("Adults' conduct")
    if not {"dsp", "senior_deputy_head"} & person.roles:
        st.info("There are no concerns here that are yours to see.")
        return
    concerns, actions = access.conduct_list(school, person), access.actions_to_do(school, person)
    _waiting(concerns, actions[actions["conduct"]])
    show_actions(school, person, actions[actions["conduct"]])
    _open_and_closed(
        person, concerns, CONDUCT, "Open, by level and age",
        note=lambda refs: casework.note_conduct(school, person, refs),
    )  # fmt: skip
    _raise_link("Raise a concern about an adult's conduct", "conduct")


def _raise_link(label: str, what: str) -> None:
    st.page_link("pages/concerns.py", label=label, icon=":material/flag:", query_params={"raise": what})


def _begun(school: School, person: Person) -> None:
    """A form that was begun and not sent."""
    for form, what, words in (
        (access.CONCERN_DRAFT, "yes", "You have begun a concern about a child and not sent it."),
        (access.CONDUCT_DRAFT, "conduct", "You have begun a concern about an adult's conduct and not sent it."),
    ):
        if access.draft(school, person, form):
            st.warning(words, icon=":material/edit_note:")
            _raise_link("Go on with it", what)


def _own(mine: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Reference": mine["ref"], "Raised": [moment(when) for when in mine["raised_at"]],
            "Received by": mine["received_by"].replace("", "nobody yet"),
            "Read by": mine["read_by"].replace("", "nobody yet"), "About": mine["pupils"],
            "What I wrote": mine["summary"].replace("", "kept in the school's safeguarding system"),
        }
    )  # fmt: skip


def _waiting(concerns: pd.DataFrame, actions: pd.DataFrame) -> None:
    """In one sentence what waits."""
    still_open = concerns[concerns["open"]]
    if still_open.empty:
        st.success("No concern is open.", icon=":material/check:")
        return
    oldest = still_open.sort_values("raised_at").iloc[0]
    mine, others = actions[actions["mine"]], actions[~actions["mine"]]
    waits = {
        "not read yet": int((~still_open["read"]).sum()),
        "not yet assessed": int((still_open["level"] == NOT_ASSESSED).sum()),
        "of your own actions overdue": int(mine["overdue"].sum()),
        "of your own actions to come": int((~mine["overdue"]).sum()),
        "of others' actions overdue": int(others["overdue"].sum()),
    }
    words = ", ".join(f"<b>{number}</b> {what}" for what, number in waits.items() if number)
    say(
        f"{words or 'Nothing waits for you'}. " + "{n} open; the oldest, {ref}, for {age} days.",
        n=len(still_open), ref=oldest["ref"], age=oldest["age_days"],
    )  # fmt: skip


def show_actions(school: School, person: Person, actions: pd.DataFrame) -> None:
    """What the person is asked to do, each to be said done at once; and what others are."""
    mine, others = actions[actions["mine"]], actions[~actions["mine"]]
    if len(mine):
        st.header("Mine to do")
    for row in mine.itertuples():
        with st.container(border=True):
            say(
                "<b>{what}</b><br>{late}by {due} · asked by {by} · {ref}",
                what=row.what, due=on_day(row.due), by=row.asked_by, ref=row.ref,
                late="⚠ Overdue: " if row.overdue else "",
            )  # fmt: skip
            if row.may_open:
                _open_link(row.ref)
            else:
                _say_done(school, person, row)
    if len(others):
        with st.expander(f"Asked of others ({len(others)})", expanded=bool(others["overdue"].any())):
            rows = pd.DataFrame(
                {
                    "By": [on_day(day) for day in others["due"]], "": ["⚠ overdue" if late else "" for late in others["overdue"]],
                    "Who": others["owner"], "What": others["what"], "Reference": others["ref"],
                }
            )  # fmt: skip
            st.dataframe(rows, hide_index=True, alt="What others were asked to do", height="content")


def _say_done(school: School, person: Person, row: Any) -> None:
    draft = Draft(school, person, f"{row.ref} done {row.number}")
    words = draft.line("text", "What was done?")
    draft.keep()
    if st.button("Done", key=f"done {row.ref} {row.number}", icon=":material/check:"):
        try:
            casework.finish(school, person, row.ref, int(row.number), words)
        except (casework.Unfinished, casework.NotYours) as error:
            st.warning(str(error), icon=":material/edit:")
        else:
            draft.drop()
            st.toast("The DSP sees that it is done.", icon=":material/check:")
            st.rerun()


def _open_link(ref: str, label: str = "Open the concern") -> None:
    st.page_link("pages/concerns.py", label=label, icon=":material/folder_open:", query_params={"ref": ref})


def _open_and_closed(
    person: Person, concerns: pd.DataFrame, register: Register, heading: str,
    note: Callable[[list[str]], None] | None = None,
) -> None:  # fmt: skip
    still_open, closed = concerns[concerns["open"]], concerns[~concerns["open"]]
    st.header(heading)
    name = "concerns" if register is CHILD else "concerns about conduct"
    if still_open.empty:
        st.write("None.")
    else:
        aside("Select a row to open it.")
        _listing(person, still_open, register, f"open {name}", note)
    if len(closed):
        with st.expander(f"Closed ({len(closed)})"):
            _listing(person, closed, register, f"closed {name}", note)


def _listing(
    person: Person, concerns: pd.DataFrame, register: Register, name: str, note: Callable[[list[str]], None] | None
) -> None:
    columns = {"Reference": concerns["ref"], "Level": concerns["level"], "Days": concerns["age_days"]}
    if register is CONDUCT:
        columns["Adults"] = concerns["adults"]
    columns |= {
        "Children": concerns["pupils"], "What kind": concerns["categories"].map(lambda cell: kinds(register, cell)),
        "Actions open": concerns["actions"], "Read": concerns["read"].map({True: "yes", False: "not yet"}),
        "Raised by": concerns["raised_by"].fillna("–"), "With": concerns["owner"].replace("", "nobody"),
    }  # fmt: skip
    refs = concerns["ref"].tolist()
    event = table(
        pd.DataFrame(columns),
        name.capitalize(),
        name,
        on_select="rerun",
        selection_mode="single-row",
        key=f"{name} {person.staff_id} {','.join(refs)}",
        height="content",
        note=(lambda: note(refs)) if note else None,
    )
    if event["selection"]["rows"]:
        st.query_params["ref"] = refs[event["selection"]["rows"][0]]
        st.query_params.pop("about", None)
        st.rerun()


# --- one opened ---------------------------------------------------------------------------------------------


def show_one(school: School, person: Person, ref: str) -> None:
    try:
        view = access.concern(school, person, ref)
    except access.NotAllowed:
        view = None
    if view is None:
        st.page_link("pages/concerns.py", label="Concerns", icon=":material/arrow_back:")
        st.title("Concern")
        st.info("There is no such concern among those that are yours to see.")
        return
    view = _note_opened(school, person, view)
    about = {} if view.register is CHILD else {"about": "conduct"}
    st.page_link(
        "pages/concerns.py", label="All of them" if view.may_change else "Concerns", icon=":material/arrow_back:",
        query_params=about,
    )  # fmt: skip
    title(f"Concern {view.ref}")
    children = ", ".join(view.pupils["name"])
    say(
        "<b>{state}</b> · level: <b>{level}</b> · {kinds} · with {owner}",
        state="Open" if view.open else "Closed", level=view.level,
        kinds=kinds(view.register, ";".join(view.categories)), owner=view.owner or "nobody: nobody could be alerted",
    )  # fmt: skip
    if view.register is CONDUCT:
        say(
            "About <b>{adults}</b>{children}",
            adults=", ".join(view.adults),
            children=f", with {children}" if children else "",
        )
    if not view.may_change:
        st.info(
            "The DSP shares this concern with you: you can read it. Speak of it with nobody else.",
            icon=":material/lock:",
        )
    _reported(view)
    _to_do(person, view)
    if view.may_change:
        _next_step(school, person, view)
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
    return access.concern(school, person, view.ref) or view


def _reported(view: ConcernView) -> None:
    st.header("What was reported")
    if view.summary:
        st.text(view.summary)
    elif view.handed_over:
        say(
            "The words are kept in <b>{system}</b>, under <b>{reference}</b>.",
            system=view.handed_over[0],
            reference=view.handed_over[1],
        )
    if view.childs_words:
        st.subheader("The child's own words" if view.register is CHILD else "What was said, word for word")
        st.text(view.childs_words)
    fields = {name: versions[0].words for name, versions in view.fields.items()}
    say(
        "Happened <b>{happened}</b>; where: <b>{place}</b>. Entered {entered} by {by}. Told in person: {told}.",
        happened=moment(view.happened_at) or "at a time not said", place=fields["place"], entered=moment(view.raised_at),
        by=view.raised_by or "–", told=fields["told_dsp"],
    )  # fmt: skip
    corrected = {name: versions for name, versions in view.fields.items() if len(versions) > 1}
    if corrected:
        with st.expander(
            f"Corrected since it was reported: {', '.join(access.FIELDS[name].lower() for name in corrected)}"
        ):
            for name, versions in corrected.items():
                st.markdown(f"**{access.FIELDS[name]}**")
                for version in versions:
                    say(
                        "{when}, {by}{why}: <span style='white-space: pre-wrap'>{words}</span>",
                        when=moment(version.at.astimezone(view.raised_at.tzinfo)), by=version.by or "–", words=version.words,
                        why=f" ({version.why})" if version.why else "",
                    )  # fmt: skip
    if len(view.pupils):
        rows = view.pupils.rename(columns={"name": "Child", "school": "School", "year_group": "Year", "house": "House"})
        st.dataframe(rows.drop(columns="pupil_id"), hide_index=True, alt="The children it is about", height="content")
    _linked(view)


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
        for _, _, words in view.links:
            say("Session: {words}.", words=words)


def _to_do(person: Person, view: ConcernView) -> None:
    waiting = [action for action in view.actions if action.done_on is None]
    done = [action for action in view.actions if action.done_on is not None]
    today = datetime.now(view.raised_at.tzinfo).date()
    st.header("What is to be done")
    if view.outcome:
        say("<b>Outcome:</b> {outcome}", outcome=view.outcome)
    if view.handed_over:
        say(
            "Handed over to <b>{system}</b>, under <b>{reference}</b>.",
            system=view.handed_over[0],
            reference=view.handed_over[1],
        )
    if view.shared_with:
        say("Shared with {names}.", names=", ".join(view.shared_with.values()))
    if not waiting:
        st.write("Nothing waits." if view.open else "Closed.")
    for action in waiting:
        with st.container(border=True):
            late = action.due < today
            say(
                "<b>{what}</b><br>{late}{owner}, by <b>{due}</b>",
                what=action.what, owner=action.owner, due=on_day(action.due), late="⚠ Overdue: " if late else "",
            )  # fmt: skip
            if view.may_change and view.open:
                with st.container(horizontal=True):
                    for kind, label, icon in (("done", "Done", "check"), ("moved", "Change", "edit")):
                        if st.button(label, key=f"{kind} {view.ref} {action.number}", icon=f":material/{icon}:"):
                            _choose_step(person, view, kind)
                            st.session_state[f"{kind} of {view.ref}"] = action.number
    for action in done:
        say(
            "✓ {what} <em>({owner}, {on})</em>: {how}",
            what=action.what, owner=action.owner, on=on_day(action.done_on) if action.done_on else "", how=action.how,
        )  # fmt: skip


def _choose_step(person: Person, view: ConcernView, kind: str | None) -> None:
    """Choose what is added next; the box that shows it is a new one."""
    number, _ = st.session_state.get(f"step {view.ref} {person.staff_id}", (0, None))
    st.session_state[f"step {view.ref} {person.staff_id}"] = (number + 1, kind)


def _next_step(school: School, person: Person, view: ConcernView) -> None:
    """One more step: what to add, what it asks, and what changed meanwhile."""
    st.header("What happens next")
    held = f"version {view.ref} {person.staff_id}"
    version = st.session_state.setdefault(held, view.version)
    steps = list(casework.steps_for(view))
    if f"step {view.ref} {person.staff_id}" not in st.session_state:  # one may have been begun in another browser
        begun = next((kind for kind in steps if access.draft(school, person, f"{view.ref} {kind}")), None)
        _choose_step(person, view, begun)
    number, chosen = st.session_state[f"step {view.ref} {person.staff_id}"]
    sent = False
    with st.container(border=True):
        kind = st.selectbox(
            "What do you want to add?", steps, index=steps.index(chosen) if chosen in steps else None,
            format_func=lambda kind: STEPS[kind].label, key=f"step {view.ref} {person.staff_id} {number}",
            placeholder="Level, action, decision, note, hand over, close, …",
        )  # fmt: skip
        if kind:
            draft = Draft(school, person, f"{view.ref} {kind}")
            if action := st.session_state.pop(f"{kind} of {view.ref}", None):
                draft.values["action"] = action
            given = _asked(school, person, view, kind, draft)
            draft.keep()
            with st.container(horizontal=True, vertical_alignment="center"):
                sent = st.button("Keep it", type="primary", icon=":material/save:", key=f"keep {view.ref}")
                if st.button("Not now", type="tertiary", key=f"not now {view.ref}"):
                    draft.drop()
                    _choose_step(person, view, None)
                    st.rerun()
        if kind and sent:
            _keep(school, person, view, kind, given, draft, held, version)
        elif version != view.version:
            _meanwhile(casework.since(view, version))
            st.session_state[held] = view.version


def _keep(
    school: School, person: Person, view: ConcernView, kind: str, given: dict[str, Any], draft: Draft, held: str, version: int
) -> None:  # fmt: skip
    try:
        casework.record(school, person, view.ref, version, kind, given)
    except casework.Changed as error:
        _meanwhile(error.entries)
        st.session_state[held] = error.version
    except (casework.Unfinished, casework.NotYours) as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
    else:
        draft.drop()
        del st.session_state[held]
        _choose_step(person, view, None)
        st.toast("Kept.", icon=":material/check:")
        st.rerun()


def _meanwhile(entries: Sequence[Entry]) -> None:
    st.warning(
        "While you were here, somebody changed this concern. Nothing of yours is lost: read what changed, and keep yours "
        "again if it still holds.",
        icon=":material/sync_problem:",
    )
    for entry in entries:
        show_entry(entry)


def _asked(school: School, person: Person, view: ConcernView, kind: str, draft: Draft) -> dict[str, Any]:
    given = {ask.name: _ask(school, person, view, ask, draft) for ask in STEPS[kind].asks}
    if kind == "corrected" and given["field"]:
        given["after"] = _after(school, view, given["field"], draft)
    waiting = sum(action.done_on is None for action in view.actions)
    if kind == "closed" and waiting:
        given["although"] = draft.tick(
            "although", f"Close it although {'an action is' if waiting == 1 else f'{waiting} actions are'} open"
        )
    return given


def _ask(school: School, person: Person, view: ConcernView, ask: Ask, draft: Draft) -> Any:
    if ask.what == "words":
        return draft.words(ask.name, ask.question, lines=3)
    if ask.what == "line":
        return draft.line(ask.name, ask.question)
    if ask.what == "day":
        return draft.day(ask.name, ask.question)
    if ask.what in ("session", "session_of"):
        links = _links(school, person, view) if ask.what == "session" else view.links
        options = {f"{log_ref or ''}|{call_id or ''}": words for log_ref, call_id, words in links}
        chosen = draft.one(ask.name, ask.question, {key: words or "a session" for key, words in options.items()})
        return next((link for link in links if f"{link[0] or ''}|{link[1] or ''}" == chosen), None)
    choices: dict[str, Callable[[], Mapping[Any, str]]] = {
        "level": lambda: {level: level for level in view.register.levels if level != view.level},
        "staff": lambda: (
            access.conduct_team(school, person, view.ref)
            if view.register is CONDUCT and ask.needed
            else _staff(school, person)
        ),
        "pupil": lambda: _pupils(school, person),
        "pupil_of": lambda: dict(zip(view.pupils["pupil_id"].tolist(), view.pupils["name"], strict=True)),
        "leader": lambda: access.leaders_to_share_with(school, person),
        "shared": lambda: view.shared_with,
        "action": lambda: {action.number: action.what for action in view.actions if action.done_on is None},
        "field": lambda: access.FIELDS,
    }
    return draft.one(ask.name, ask.question, choices[ask.what]())


def _links(school: School, person: Person, view: ConcernView) -> list[tuple[str | None, str | None, str]]:
    rows = access.sessions_to_link(school, person, view.ref)
    known = {link[:2] for link in view.links}
    return [link for link in map(casework.link_of, rows.itertuples()) if link[:2] not in known]


def _after(school: School, view: ConcernView, name: str, draft: Draft) -> Any:
    """What a field is to say from now on; it begins as it is."""
    box = f"after {name}"
    if box not in draft.values and name in ("summary", "childs_words", "place"):
        draft.values[box] = getattr(view, name) or ""
    if name in ("summary", "childs_words"):
        return draft.words(box, "It is to say")
    if name == "place":
        return draft.line(box, "It is to say")
    if name == "told_dsp":
        return draft.yes_no(box, "A DSP was told in person", "Yes", "Not when it was raised")
    if name == "categories":
        if box not in draft.values:
            draft.values[box] = list(view.categories)
        return draft.some(box, "It is", view.register.categories, max_selections=MOST_CATEGORIES)
    left, right = st.columns(2)
    with left:
        day = draft.day(box, "It happened on", max_value=school.today())
    with right:
        at = draft.clock(f"{box} at", "At, if known")
    return datetime.combine(day, at or time(), school.settings.zone) if day else None


def _chronology(school: School, person: Person, view: ConcernView) -> None:
    st.header("Chronology")
    with st.container(horizontal=True):
        if view.register is CONDUCT:
            st.download_button(
                "This concern as a PDF", partial(casework.conduct_paper, school, person, view.ref), f"concern {view.ref}.pdf",
                "application/pdf", on_click="ignore", icon=":material/print:",
            )  # fmt: skip
        for pupil in view.pupils.itertuples() if view.register is CHILD else ():
            st.download_button(
                "The child's chronology as a PDF" if len(view.pupils) == 1 else f"Chronology of {pupil.name} as a PDF",
                partial(casework.child_paper, school, person, int(pupil.pupil_id)),
                f"chronology {pupil.pupil_id}.pdf", "application/pdf", on_click="ignore", icon=":material/print:",
                key=f"paper {pupil.pupil_id}",
            )  # fmt: skip
    for entry in reversed(view.entries):
        show_entry(entry)
    if view.opened_by:
        with st.expander(f"Who opened it ({len(view.opened_by)})"):
            for entry in reversed(view.opened_by):
                say("{when} · {what} · {by}", when=moment(entry.at), what=entry.what, by=entry.by)


def show_entry(entry: Entry) -> None:
    """One entry of a chronology, its words as they were typed."""
    lines = "".join(
        f"<br>{{label{n}}}: <span style='white-space: pre-wrap'>{{text{n}}}</span>" for n in range(len(entry.words))
    )
    words = {f"label{n}": label for n, (label, _) in enumerate(entry.words)}
    words |= {f"text{n}": text for n, (_, text) in enumerate(entry.words)}
    by = " · {by}" if entry.by else ""
    say("<b>{when}</b> · <b>{what}</b>" + by + lines, when=moment(entry.at), what=entry.what, by=entry.by, **words)
