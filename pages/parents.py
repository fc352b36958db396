"""Parents: the letters they were sent, and the consents that they were asked for and gave."""

from collections.abc import Callable
from datetime import datetime, time

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.access.forms import list_pupils_to_choose
from app.access.parents import get_consent_history, list_consents, list_letters_by_day, list_letters_sent
from app.access.policy import NotAllowed
from app.formatting import moment, on_day
from app.parents.consents import (
    KINDS,
    NotYoursError,
    answer_consent,
    ask_for_consent,
    inform_slt,
    mark_request_sent,
    strike_out,
    withdraw_consent,
)
from app.parents.letters import KINDS as LETTERS
from app.parents.letters import (
    Download,
    TemplateError,
    mark_letters_sent,
    strike_letters_out,
    times,
    write_letters,
    write_requests,
)
from app.ui.current import seen
from app.ui.shell import require
from app.ui.text import note, show_error, title, write_html
from app.ui.widgets import table
from app.vocabulary import Page

STANDS = {
    "waiting": "? waits for an answer",
    "covered": "○ covered by another consent",
    "lapsed": "– no answer in time",
    "given": "✓ given",
    "given_late": "✓ given, but late",
    "refused": "✗ refused",
    "withdrawn": "✗ withdrawn",
}
LACKS = {"answer": "the parents' answer", "slt": "SLT informed"}
HAPPENED = {
    "asked": "Put on the register as asked for",
    "sent": "Request sent to the parents",
    "given": "Consent given",
    "refused": "Consent refused",
    "withdrawn": "Consent withdrawn",
    "slt_informed": "SLT informed",
    "struck": "Entry struck out",
}
TO_WHAT = {
    "outside_hours": "Academic tuition earlier or later than the protocol has it, for example because of a time zone; SLT is informed as well",
    "one_to_one": "A pastoral one-to-one during remote learning, outside lunchtime and tutor time",
}
ANSWERS = {True: "They consent", False: "They do not consent"}

school, person = require(Page.PARENTS)


def whole(day: object, at: object) -> datetime:
    return datetime.combine(day, at, school.settings.zone)  # type: ignore[arg-type]


# --- consents -------------------------------------------------------------------------------------------------


def show_consents(consents: pd.DataFrame) -> None:
    if consents.empty:
        st.write(
            "No consent is on record for pupils of yours. One is needed for academic tuition outside the hours, and for a one-to-one outside lunchtime and tutor time: ask for it before the session."
        )
        ask_link()
        return
    lacking = consents[consents["lacks"] != ""].sort_values(["asked_at", "consent_id"], na_position="first")
    st.header("Outstanding consents")
    if lacking.empty:
        st.success(
            "Nothing: every request has its answer, and SLT knows of what it has to know.", icon=":material/check:"
        )
    else:
        list_of(lacking, "consents missing", missing=True)
    ask_link()
    st.header("All consents")
    left, middle, right = st.columns(3)
    stands = left.multiselect(
        "How they stand", [s for s in STANDS if s in set(consents["stands"])], format_func=STANDS.__getitem__
    )
    years = middle.multiselect("Year", in_order(consents["year_group"]), key="consents year")
    houses = right.multiselect("House", sorted(consents["house"].unique()), key="consents house")
    shown = filtered(consents, stands=stands, year_group=years, house=houses)
    if shown.empty:
        st.write("No matches. Remove a filter.")
    else:
        list_of(shown, "consents")


def filtered(rows: pd.DataFrame, **wanted: list[str]) -> pd.DataFrame:
    for column, values in wanted.items():
        if values:
            rows = rows[rows[column].isin(values)]
    return rows


def in_order(years: pd.Series) -> list[str]:
    """Year groups, 7 before 10."""
    return sorted(years.unique(), key=lambda year: (len(year), year))


def ask_link() -> None:
    st.page_link("pages/parents.py", label="Ask for a consent", icon=":material/add:", query_params={"ask": "yes"})


def list_of(consents: pd.DataFrame, name: str, missing: bool = False) -> None:
    now = pd.Timestamp(school.now())
    facts = {
        "Pupil": consents["pupil"],
        "Year": consents["year_group"],
        "House": consents["house"],
        "When": spans(consents),
        "What": consents["kind"].map(KINDS),
        "Why": consents["reason"].fillna(""),
        "Asked for": [moment(when) for when in consents["asked_at"]],
        "By": consents["asked_by"].fillna(""),
        "Answered": [moment(when) for when in consents["answered_at"]],
        "Parent": consents["answered_by"].fillna(""),
        "SLT informed": [moment(when) for when in consents["slt_informed_at"]],
    }
    if missing:
        days = (now - consents["asked_at"]).dt.days
        first = {"Missing": consents["lacks"].map(LACKS), "Days": days}
        facts = (
            {"Pupil": facts.pop("Pupil")}
            | first
            | {key: facts[key] for key in ("When", "What", "Why", "By", "Year", "House")}
        )
    else:
        facts = {"Pupil": facts.pop("Pupil"), "Stands": consents["stands"].map(STANDS)} | facts
    event = table(
        pd.DataFrame(facts),
        name.capitalize(),
        name,
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(consents) < 12 else 420,
        key=f"{name} {person.staff_id} {','.join(map(str, consents['consent_id']))}",
    )
    note("Select a row to open it.")
    if event["selection"]["rows"]:
        st.query_params["consent"] = str(consents["consent_id"].iloc[event["selection"]["rows"][0]])
        st.rerun()


def spans(consents: pd.DataFrame) -> list[str]:
    """From when to when, as short as a table wants it."""
    return [
        f"{moment(row.covers_from)} to {row.covers_to:%H:%M}"
        if row.covers_from.date() == row.covers_to.date()
        else f"{on_day(row.covers_from)} to {on_day(row.covers_to)}"
        for row in consents.itertuples()
    ]


def ask() -> None:
    st.page_link("pages/parents.py", label="All consents and letters", icon=":material/arrow_back:")
    st.title("Ask for a consent")
    st.write(
        "For academic tuition outside the hours, and for one-to-ones outside lunchtime and tutor time. Counselling needs none."
    )
    people = list_pupils_to_choose(school, person)
    names = {row.pupil_id: f"{row.name} · year {row.year_group} · {row.house}" for row in people.itertuples()}
    with st.form("ask", border=False):
        pupil = st.selectbox(
            "Whose parents?", list(names), index=None, format_func=names.__getitem__, placeholder="Type a name"
        )
        kind = st.radio("To what?", list(TO_WHAT), index=None, format_func=TO_WHAT.__getitem__)
        left, right = st.columns(2)
        first = left.date_input("From: day", school.today(), format="DD/MM/YYYY")
        begins = right.time_input("From: time", time(18))
        last = left.date_input("To: day", school.today(), format="DD/MM/YYYY")
        ends = right.time_input("To: time", time(19))
        reason = st.text_area("Why? The parents read this", max_chars=1000)
        sent = st.form_submit_button("Put the request on the register", type="primary", icon=":material/send:")
    if not sent:
        return
    if pupil is None or kind is None:
        st.warning("Choose the pupil and what the consent is to. Nothing you wrote is lost.", icon=":material/edit:")
        return
    try:
        consent_id = ask_for_consent(
            school,
            person,
            pupil_id=pupil,
            kind=kind,
            covers_from=whole(first, begins),
            covers_to=whole(last, ends),
            reason=reason,
        )
    except ValueError as error:
        st.warning(f"{error} Nothing you wrote is lost.", icon=":material/edit:")
        return
    done("The request is on the register. Next: download the letter, and send it.")
    st.query_params.clear()
    st.query_params["consent"] = str(consent_id)
    st.rerun()


def done(words: str) -> None:
    """Said at the top once the page has run again."""
    st.session_state["parents done"] = words


def say_done() -> None:
    if "parents done" in st.session_state:
        st.success(st.session_state.pop("parents done"), icon=":material/check:")


def show_one(consents: pd.DataFrame, number: str) -> None:
    st.page_link("pages/parents.py", label="All consents and letters", icon=":material/arrow_back:")
    found = consents[consents["consent_id"].astype(str) == number]
    if found.empty:
        st.title("Consent")
        st.info("There is no such consent among those that are yours to see.")
        return
    row = found.iloc[0]
    seen(school, person, f"consent {number}")
    title(f"Consent of the parents of {row['pupil']}")
    say_done()
    write_html(
        "<b>{stands}</b> · {what}, {span}",
        stands=STANDS[row["stands"]],
        what=KINDS[row["kind"]],
        span=times(row["covers_from"], row["covers_to"]),
    )
    write_html("Why: {reason}", reason=row["reason"] or "no reason is on record")
    if row["kind"] == "outside_hours":
        write_html(
            "SLT: {told}",
            told=f"informed {moment(row['slt_informed_at'])}"
            if pd.notna(row["slt_informed_at"])
            else "not informed yet",
        )
    history = get_consent_history(school, person, int(number))
    if row["own"]:
        act_on(row, int(number))
    st.header("What happened")
    if history.empty:
        st.write("It came from a file, which says no more than this.")
        return
    struck = history["struck"].map({True: " (struck out)", False: ""})
    why = [f"because: {reason}" if isinstance(reason, str) else "" for reason in history["reason"]]
    rows = pd.DataFrame(
        {
            "When": [moment(when) for when in history["occurred_at"]],
            "What": history["kind"].map(HAPPENED) + struck,
            "Parent": history["parent"].fillna(""),
            "Entered by": history["entered_by"].fillna("a file"),
            "Entered": [moment(when) for when in history["entered_at"]],
            "Remark": why,
        }
    )
    table(rows, "What happened to the consent", "history of a consent", height="content")
    if row["own"]:
        take_back(int(number), history)


def act_on(row: pd.Series, consent_id: int) -> None:
    if row["state"] == "asked":
        send_request(row, consent_id)
    if (
        row["state"] == "given"
        and row["kind"] == "outside_hours"
        and pd.isna(row["slt_informed_at"])
        and st.button("Inform SLT now", type="primary", icon=":material/send:")
    ):
        attempt(lambda: inform_slt(school, person, consent_id), "SLT has been informed: each of them gets a message.")
    answer_form(consent_id, row["state"] == "given")


def send_request(row: pd.Series, consent_id: int) -> None:
    st.header("The request")
    if pd.notna(row["sent_at"]):
        write_html("Sent to the parents {when}.", when=moment(row["sent_at"]))
    left, right = st.columns(2)
    with left:
        hand_out(
            "Put the letter together", f"request {consent_id}", lambda bar: write_requests(school, person, [consent_id])
        )
    if pd.isna(row["sent_at"]) and right.button("Mark as sent", icon=":material/mark_email_read:"):
        attempt(lambda: mark_request_sent(school, person, consent_id), "Marked as sent.")


def hand_out(label: str, key: str, make: Callable[[Callable[[float], None]], Download]) -> None:
    """A button that makes a file, and then the one that downloads it."""
    made: dict[str, Download] = st.session_state.setdefault("letters made", {})
    if key not in made and st.button(label, key=f"make {key}", icon=":material/draft:"):
        bar = st.progress(0.0, text="Writing the letters")
        try:
            made.clear()
            made[key] = make(lambda share: show_share(bar, share))
        except TemplateError as error:
            show_error("The letters could not be written; nothing was changed.", str(error))
        bar.empty()
    if key in made:
        file = made[key]
        st.download_button(
            "Download it",
            file.content,
            file.name,
            file.type,
            key=f"download {key}",
            on_click="ignore",
            icon=":material/download:",
            type="primary",
        )


def show_share(bar: DeltaGenerator, share: float) -> None:
    bar.progress(share, text="Writing the letters")


def attempt(change: Callable[[], object], words: str) -> None:
    """Do something and say that it is done, or why it is not."""
    try:
        change()
    except (ValueError, NotYoursError, NotAllowed) as error:
        st.warning(f"{error} Nothing was changed.", icon=":material/edit:")
        return
    done(words)
    st.rerun()


def answer_form(consent_id: int, standing: bool) -> None:
    """What the parents said; where a consent stands, only that they withdraw it."""
    with st.form("answer", border=True):
        st.subheader("The parents withdraw it" if standing else "The parents have answered")
        choices = list(ANSWERS)
        given = (
            None
            if standing
            else st.radio("What did they say?", choices, index=None, format_func=ANSWERS.__getitem__, horizontal=True)
        )
        parent = st.text_input("Who said so?", placeholder="Name, or mother, father, carer", max_chars=200)
        left, right = st.columns(2)
        now = school.now().astimezone(school.settings.zone)
        day = left.date_input("When? Day", now.date(), max_value=now.date(), format="DD/MM/YYYY")
        at = right.time_input("Time", None, help="When they said so. Sessions that began before are not covered by it.")
        sent = st.form_submit_button("Enter it", type="primary", icon=":material/edit_note:")
    if not sent:
        return
    if at is None or (not standing and given is None):
        st.warning(
            "Say what the answer was, and at which time it came. Nothing you wrote is lost.", icon=":material/edit:"
        )
    elif standing:
        attempt(
            lambda: withdraw_consent(school, person, consent_id, parent=parent, at=whole(day, at)),
            "It is withdrawn: no session from then on is covered.",
        )
    else:
        attempt(
            lambda: answer_consent(school, person, consent_id, given=bool(given), parent=parent, at=whole(day, at)),
            "The answer is on the register.",
        )


def take_back(consent_id: int, history: pd.DataFrame) -> None:
    entries = history[~history["struck"] & (history["kind"] != "struck") & (history["kind"] != "asked")]
    if entries.empty:
        return
    words = {row.event_id: f"{HAPPENED[row.kind]}, {moment(row.occurred_at)}" for row in entries.itertuples()}
    with st.expander("Something was entered by mistake"), st.form("strike", border=False):
        event_id = st.selectbox("Which entry?", list(words), format_func=words.__getitem__)
        why = st.text_input("What was the mistake?", max_chars=500)
        if st.form_submit_button("Strike it out"):
            attempt(
                lambda: strike_out(school, person, consent_id, event_id, why),
                "Struck out: it counts no more, and stays to be read.",
            )


# --- letters --------------------------------------------------------------------------------------------------


def show_letters(pupils: pd.DataFrame) -> None:
    if pupils.empty:
        st.write(
            "No pupil is yours: letters are for the tutor, HOY and HM of a pupil, and for whoever teaches them online."
        )
        return
    coming = remote_learning_to_come()
    kinds = list(LETTERS)
    kind = (
        st.segmented_control("Letter", kinds, default=kinds[0], format_func=LETTERS.__getitem__, required=True)
        or kinds[0]
    )
    left, middle, right = st.columns(3)
    years = left.multiselect("Year", in_order(pupils["year_group"]), key="letters year")
    houses = middle.multiselect("House", sorted(pupils["house"].unique()), key="letters house")
    names = {row.pupil_id: f"{row.pupil} · year {row.year_group} · {row.house}" for row in pupils.itertuples()}
    only = right.multiselect("Only these pupils", list(names), format_func=names.__getitem__, placeholder="Type a name")
    among = filtered(pupils, year_group=years, house=houses)
    if only:
        among = pupils[pupils["pupil_id"].isin(only)]
    lacking = among[among[kind].isna()]
    by_year = lacking.groupby("year_group").size()
    write_html(
        "<b>{n}</b> of {of} pupils’ parents were never sent it{by_year}.",
        n=len(lacking),
        of=len(among),
        by_year=": " + ", ".join(f"{by_year[year]} in year {year}" for year in in_order(lacking["year_group"]))
        if len(by_year) > 1
        else "",
    )
    if kind == "one_to_one" and not coming:
        note("It is needed for one-to-ones in a period of remote learning. None is set for now or later.")
    elif kind == "one_to_one":
        note("It has to be sent before the first one-to-one in " + ", ".join(coming) + ".")
    to_write = among if only else lacking
    to_write = to_write[to_write["led"].astype(bool)]
    if len(to_write):
        send_letters(kind, to_write)
    elif len(lacking):
        note("The HOY, the HM or the Senior Deputy Head sends it: ask one of them.")
    st.header("Register of letters")
    rows = pd.DataFrame(
        {
            "Pupil": among["pupil"],
            "Year": among["year_group"],
            "House": among["house"],
            "Tutor": among["tutor"].fillna(""),
            **{
                words: among[name].map(lambda day: on_day(day) if pd.notna(day) else "✗ never sent")
                for name, words in LETTERS.items()
            },
        }
    )
    first = rows[LETTERS[kind]].str.startswith("✗")
    table(
        pd.concat([rows[first], rows[~first]]),
        "To whom each letter was sent first, and when",
        "letters",
        height="content" if len(rows) < 12 else 420,
    )
    take_letters_back(kind, among)


def take_letters_back(kind: str, pupils: pd.DataFrame) -> None:
    """Letters of a day that were marked as sent by mistake: of those pupils whom the filters leave."""
    letters = list_letters_by_day(school, person)
    letters = letters[(letters["kind"] == kind) & letters["pupil_id"].isin(pupils["pupil_id"])]
    if letters.empty:
        return
    with st.expander("Letters were marked as sent by mistake"):
        days = letters.groupby("sent_on").size().sort_index(ascending=False)
        words = {day: f"{on_day(day)}, {n} of the pupils above" for day, n in days.items()}
        with st.form("strike letters", border=False):
            day = st.selectbox("Marked as sent on", list(words), format_func=words.__getitem__)
            why = st.text_input("What was the mistake?", max_chars=500)
            if st.form_submit_button("Strike them out"):
                ids = letters.loc[letters["sent_on"] == day, "pupil_id"].tolist()
                attempt(
                    lambda: strike_letters_out(school, person, kind, ids, day.date(), why),
                    "Struck out of the register. The sessions of these pupils were judged again.",
                )
        note("Choose the pupils above first, if it was not all of them.")


def remote_learning_to_come() -> list[str]:
    """The periods of remote learning that are not over, in words."""
    periods = [period for period in school.settings.remote_learning if period.to >= school.today()]
    return [f"the period from {on_day(period.from_)} to {on_day(period.to)}" for period in periods]


def send_letters(kind: str, pupils: pd.DataFrame) -> None:
    ids = pupils["pupil_id"].tolist()
    n = "the letter" if len(ids) == 1 else f"{len(ids)} letters"
    write_html(
        "To the parents of {names}.",
        names=", ".join(pupils["pupil"].head(8)) + (f" and {len(ids) - 8} more" if len(ids) > 8 else ""),
    )
    left, right = st.columns(2)
    with left:
        st.subheader("1. Write")
        hand_out(f"Put {n} together", f"{kind} {ids}", lambda bar: write_letters(school, person, kind, ids, bar))
        note("Several letters come in one file: all together to print, and each alone to send by e-mail.")
    with right, st.form("sent", border=False):
        st.subheader("2. Mark as sent")
        day = st.date_input("Sent on", school.today(), max_value=school.today(), format="DD/MM/YYYY")
        if st.form_submit_button(f"Mark {n} as sent", icon=":material/mark_email_read:"):
            attempt(
                lambda: mark_letters_sent(school, person, kind, ids, day),
                f"Marked as sent: {n}. The sessions of these pupils were judged again.",
            )


consents = list_consents(school, person)
if "ask" in st.query_params:
    ask()
elif "consent" in st.query_params:
    show_one(consents, st.query_params["consent"])
else:
    st.title("Parents")
    say_done()
    pupils = list_letters_sent(school, person)
    waiting = consents[consents["stands"] == "waiting"]
    oldest = (
        f", the oldest for {(pd.Timestamp(school.now()) - waiting['asked_at']).dt.days.max():.0f} days"
        if waiting["asked_at"].notna().any()
        else ""
    )
    requests = "1 request for consent waits" if len(waiting) == 1 else f"{len(waiting)} requests for consent wait"
    write_html("<b>{requests}</b> for an answer{oldest}.", requests=requests, oldest=oldest)
    if len(pupils):
        write_html(
            "<b>{letters} of {of}</b> pupils’ parents have no letter of introduction.",
            letters=int(pupils["introduction"].isna().sum()),
            of=len(pupils),
        )
        if (coming := remote_learning_to_come()) and pupils["one_to_one"].isna().any():
            write_html(
                "<b>{letters} of {of}</b> pupils’ parents have no letter on one-to-ones, which they have to have before the first one in {periods}.",
                letters=int(pupils["one_to_one"].isna().sum()),
                of=len(pupils),
                periods=" or ".join(coming),
            )
    of_consents, of_letters = st.tabs(["Consents", "Letters"])
    with of_consents:
        show_consents(consents)
    with of_letters:
        show_letters(pupils)
