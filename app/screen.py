"""What every page shares: who looks, the way around, and how things are said.

Text from people is never rendered: it goes through `say`, which escapes it, or into tables and charts,
which take it as text.
"""

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import pandas as pd
import streamlit as st
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from app import access, sign_in
from app.access import Person
from app.charts import Drawing
from app.export import harmless
from app.judging import refresh
from app.protocol import CLAUSES
from app.school import School, open_school
from app.settings import SettingsError, variable
from app.store import tables
from app.store.database import DatabaseError, in_words

_PAGES = {
    "overview": ("Overview", ":material/insights:"),
    "sessions": ("Sessions", ":material/groups:"),
    "log": ("Log a session", ":material/edit_note:"),
    "plan": ("Plan a session", ":material/event:"),
    "concerns": ("Concerns", ":material/volunteer_activism:"),
    "parents": ("Parents", ":material/family_restroom:"),
    "protocol": ("Protocol", ":material/rule:"),
    "administration": ("Administration", ":material/settings:"),
}
_FILLING = Lock()

TITLES = {clause.name: clause.title for clause in CLAUSES}
# Colour never stands alone: a mark and a word go with it.
OUTCOME_WORDS = {
    "met": "✓ kept",
    "exempt": "○ exception",
    "breach": "✗ not kept",
    "no_evidence": "? no evidence",
    "not_applicable": "– does not apply",
}
STATUS_WORDS = {"compliant": "✓ kept", "incomplete": "? evidence missing", "breach": "✗ not kept"}
EVIDENCE_WORDS = {"call": "call record", "register": "register", "log": "log", "": ""}
PURPOSE_WORDS = {"music": "Music", "academic": "Academic", "pastoral": "Pastoral", "counselling": "Counselling"}


# --- the school, and who looks ------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _opened() -> School:
    return open_school()


def the_school() -> School:
    """The school, its outcomes as the clock has them. What prevents it is said on the screen in words."""
    try:
        school = _opened()
        if _is_untouched(school):
            _fill_demonstration(school)
            _opened.clear()
            school = _opened()
        refresh(school, _judging_again)
    except (SettingsError, DatabaseError) as error:
        trouble("The program cannot start.", str(error))
        st.stop()
    except DBAPIError as error:
        trouble("The database cannot be used at the moment.", in_words(error))
        st.stop()
    return school


def _judging_again() -> AbstractContextManager[None]:
    return st.spinner(
        "The rules or the settings have changed: every session is judged again. Ten thousand take some seconds."
    )


def _is_untouched(school: School) -> bool:
    """No configuration and nothing in the database: that is a first look, so the demonstration."""
    if variable("DATABASE_URL") or sign_in.configured() or school.is_demonstration():
        return False
    with school.engine.connect() as connection:
        return not connection.scalar(select(func.count()).select_from(tables.imports)) or _was_cut_off(school)


def _was_cut_off(school: School) -> bool:
    from app.demo import was_cut_off

    return was_cut_off(school)


def _fill_demonstration(school: School) -> None:
    from app.demo import fill

    place = st.empty()
    with place.container():
        st.title("Preparing the demonstration")
        st.write(
            "An invented school is being made, with two terms of sessions up to today. This takes about ten seconds."
        )
        bar = st.progress(0.0)

    def show_step(words: str, share: float) -> None:
        bar.progress(share, text=words)

    with _FILLING:  # two browsers at the first start fill it once
        if not school.is_demonstration():
            fill(school, progress=show_step)
    place.empty()


def who_looks(school: School) -> Person | None:
    """The person who looks: in the demonstration the one whose eyes were chosen, else who signed in."""
    if sign_in.hindrance(school):
        return None
    if school.is_demonstration():
        people = {p.email: p for p in access.demonstration_people(school)}
        return people.get(st.session_state.get("eyes", ""), next(iter(people.values())))
    try:
        person = sign_in.person(school)
    except SettingsError as error:
        trouble("The program cannot start.", str(error))
        st.stop()
    if person is not None:
        _once(school, person, "signed in", "")
    return person


def _sign_out() -> None:
    school = the_school()
    if person := who_looks(school):
        access.note(school, person, "signed out", "")
    sign_in.out(school)


def _watch(school: School) -> None:
    """What stands on a screen that nobody attends goes when the sign-in ends, without a click."""

    @st.fragment(run_every=min(timedelta(minutes=1), sign_in.idle_time() / 3))
    def look() -> None:
        if not sign_in.holds(school):
            st.rerun()

    look()


def require(page: str) -> tuple[School, Person]:
    """The first line of every page: the school, and a person who may open it. Everybody else is told so,
    and nothing more of the page runs."""
    school = the_school()
    person = who_looks(school)
    if person is None:
        _not_signed_in()
    elif not access.may_open(person, page):
        _once(school, person, "refused", f"page {page}")
        st.title(_PAGES[page][0])
        say("This page is not for {name}: it is for {roles}.", name=person.name, roles=_roles_of(page))
        st.stop()
    return school, person  # type: ignore[return-value]


def seen(school: School, person: Person, about: str) -> None:
    """Put on the audit trail that the person opened a record, once while they look at it."""
    _once(school, person, "viewed", about)


def _once(school: School, person: Person, what: str, about: str) -> None:
    noted = st.session_state.setdefault("noted", set())
    if (person.staff_id, what, about) not in noted:
        noted.add((person.staff_id, what, about))
        access.note(school, person, what, about)


def _roles_of(page: str) -> str:
    words = {"senior_deputy_head": "the Senior Deputy Head", "slt": "SLT", "admin": "the administrator"}
    return " and ".join(sorted(words.get(role, role) for role in access.PAGES[page]))


def _not_signed_in() -> None:
    if hindrance := sign_in.hindrance(the_school()):
        st.title("Not in service yet")
        say("{hindrance}", hindrance=hindrance)
        st.stop()
    st.title("Sign in")
    if st.user.get("is_logged_in"):
        say(
            "Your sign-in has ended, or this account is not one of the school's staff on the roster. Sign in again "
            "with your school account."
        )
        st.button("Sign out", on_click=_sign_out)
    else:
        say("Use your school account.")
        st.button("Sign in", on_click=st.login, type="primary")
    st.stop()


def show() -> None:
    """The frame around every page: its navigation, and who one is."""
    st.set_page_config(page_title="Videoconferencing protocol", page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    school = the_school()
    person = who_looks(school)
    if person is None:
        # Each address stays what it is, so that one lands there after signing in.
        first = st.Page(_not_signed_in, title="Sign in", default=True)
        others = [st.Page(_not_signed_in, title="Sign in", url_path=name) for name in (*_PAGES, "start")]
        st.navigation([first, *others], position="hidden")
        _not_signed_in()
        return
    with st.sidebar:
        st.markdown(f"### {_plain(school.settings.name)}")
        if school.is_demonstration():
            _eyes(school, person)
    home = _home(person)
    # The first page has the bare address; by its own name, as links have it, it is there once more.
    pages = [_page(name, visible=access.may_open(person, name), first=name == home) for name in _PAGES]
    pages.append(_page(home, visible=False, first=False))
    page = st.navigation(pages)
    with st.sidebar:
        st.page_link(
            "pages/concerns.py",
            label="**I am worried about a child**",
            icon=":material/emergency_home:",
            query_params={"raise": "yes"},
        )
        st.page_link(
            "pages/concerns.py",
            label="I am worried about an adult",
            icon=":material/person_alert:",
            query_params={"raise": "conduct"},
        )
        if not school.is_demonstration():
            st.button("Sign out", on_click=_sign_out)
            _watch(school)
    page.run()


def _page(name: str, visible: bool, first: bool) -> Any:
    words, icon = _PAGES[name]
    visibility: Literal["visible", "hidden"] = "visible" if visible else "hidden"
    address = "start" if first else name
    return st.Page(
        _FOLDER / f"{name}.py", title=words, icon=icon, url_path=address, default=first, visibility=visibility
    )


_FOLDER = Path(__file__).parent.parent / "pages"
_ICON = Path(__file__).parent / "icon.png"
_STYLE = Path(__file__).parent / "screen.css"


def _home(person: Person) -> str:
    """The page that a person sees first."""
    if access.may_open(person, "overview"):
        return "overview"
    for role, page in (("dsp", "concerns"), ("hoy", "sessions"), ("hm", "sessions"), ("admin", "administration")):
        if role in person.roles:
            return page
    return "log"


_ROLE_WORDS = {
    "senior_deputy_head": "Senior Deputy Head (Pastoral)", "hoy": "Head of Year", "hm": "House", "tutor": "Tutor",
    "counsellor": "Counsellor", "dsp": "DSP", "slt": "SLT", "admin": "ICT administrator",
}  # fmt: skip


def _eyes(school: School, person: Person) -> None:
    st.info(
        f"**Demonstration.** Nobody here is real. You look through the eyes of **{_plain(_who(person))}**.",
        icon=":material/theater_comedy:",
    )
    _other_eyes(school, person)


@st.fragment
def _other_eyes(school: School, person: Person) -> None:
    """The people to choose from, drawn once somebody looks for them."""
    with st.expander("Look through other eyes", key="other eyes", on_change="rerun") as place:
        if not place.open:
            return
        with st.container(gap=None):
            others = [one for one in access.demonstration_people(school) if one.email != person.email]
            for other in others:
                if st.button(_plain(_who(other)), key=f"eyes of {other.email}", type="tertiary"):
                    st.session_state["eyes"] = other.email
                    st.rerun()


def _who(person: Person) -> str:
    role = next((words for name, words in _ROLE_WORDS.items() if name in person.roles), "Teacher")
    after = ", ".join(sorted(person.year_groups | person.houses))
    return f"{role} {after}".strip() + f" · {person.name}"


# --- saying things --------------------------------------------------------------------------------------


def say(template: str, kind: str = "p", **values: Any) -> None:
    """A sentence of ours with people's words in it, which are shown as they were typed; letters that turn the
    direction of writing turn their own words alone."""
    words = {name: f"<bdi>{escape(str(value))}</bdi>" for name, value in values.items()}
    st.html(f"<{kind}>{template.format(**words)}</{kind}>")


def _plain(text: str) -> str:
    """Text as Markdown that shows it as it was typed. What looks like an address would become a link in
    spite of every escape; an invisible sign within it prevents that."""
    text = re.sub(r"(?i)(https?:|www)(?=[/.])", "\\1\u2060", text)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def aside(words: str) -> None:
    """A remark of ours in small grey letters, dark enough to be read (`st.caption` is too faint)."""
    st.html(f'<p class="aside">{escape(words)}</p>')


def title(words: str) -> None:
    """A page's heading, with people's words in it."""
    st.title(_plain(words), anchor=False)


def trouble(what: str, mend: str) -> None:
    """What happened, and the mend; never a traceback."""
    st.error(f"**{_plain(what)}** {_plain(mend)}", icon=":material/error:")


def table(rows: pd.DataFrame, alt: str, name: str, note: Callable[[], None] | None = None, **more: Any) -> Any:
    """A list as people see it, with its download: neutralised against formulas. That it was taken away goes on
    the audit trail, or where `note` puts it."""
    numbers = rows.select_dtypes("number").columns
    shares = {name: st.column_config.NumberColumn(format="percent") for name in numbers if name.startswith("Share")}
    event = st.dataframe(rows, hide_index=True, alt=alt, **({"column_config": shares} | more))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows.columns)
    writer.writerows([[harmless(cell) for cell in row] for row in rows.itertuples(index=False)])
    st.download_button(
        "Download this list",
        "\ufeff" + text.getvalue(),
        f"{name}.csv",
        "text/csv",
        key=f"download {name}",
        on_click=note or _exported,
        args=() if note else (name, len(rows)),
        icon=":material/download:",
        type="tertiary",
    )
    return event


def _exported(name: str, rows: int) -> None:
    school = the_school()
    if person := who_looks(school):
        access.note(school, person, "exported", f"{name}, {rows} rows")


def draw(chart: Drawing, words: str, **more: Any) -> Any:
    """A chart, its axes dark enough to be read; `words` for those who do not see it."""
    ink = "#d5dee7" if st.context.theme.type == "dark" else "#34414e"
    config = {
        "axis": {
            "labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12, "gridOpacity": 0.4,
        },
        "legend": {"labelColor": ink, "titleColor": ink},
        "view": {"strokeWidth": 0},
        "text": {"color": ink},
    }  # fmt: skip
    return st.vega_lite_chart(chart.spec | {"config": config, "datasets": chart.rows}, alt=words, **more)


@st.fragment
def behind(
    rows: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    alt: str,
    label: str = "The figures as a table",
    rest: str = "",
) -> None:
    """The table behind a chart or a sentence, one click away; it is made, or looked up, when somebody opens it. `rest`
    is said below it."""
    with st.expander(label, key=f"behind {name}", on_change="rerun") as place:
        if place.open:
            table(rows() if callable(rows) else rows, alt, name)
            if rest:
                aside(rest)


def choose_days(school: School, key: str, terms: bool = True) -> tuple[date, date]:
    """The days to look at: this term, last term, the last 30 days, or days of one's own."""
    today = school.today()
    current = school.settings.term_on(today)
    earlier = school.settings.term_on(current.from_ - pd.Timedelta(days=1).to_pytimedelta()) if current else None
    ranges: dict[str, tuple[date, date]] = {}
    if current:
        ranges["This term"] = (current.from_, min(current.to, today) if current.to >= today else current.to)
    if earlier and earlier is not current:
        ranges["Last term"] = (earlier.from_, earlier.to)
    month = (today - pd.Timedelta(days=29).to_pytimedelta(), today)
    ranges["30 days"] = month
    names = [*ranges, "Own days"]
    chosen = st.segmented_control("Days", names, default=names[0], key=f"{key} range", required=True) or names[0]
    if chosen != "Own days":
        return ranges[chosen]
    own = st.date_input("From and to", month, max_value=today, key=f"{key} days", format="DD/MM/YYYY")
    if not isinstance(own, tuple) or len(own) != 2:
        st.info("Choose the last day as well.")
        st.stop()
    return own


def filtered(rows: pd.DataFrame, column: str, label: str, key: str, words: Callable[[str], str] = str) -> pd.DataFrame:
    """The rows with the chosen values of a column; all of them when nothing is chosen."""
    values = sorted(rows[column].dropna().unique())
    chosen = st.multiselect(label, values, key=key, format_func=words, placeholder="All")
    return rows[rows[column].isin(chosen)] if chosen else rows
