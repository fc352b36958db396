"""The spot check of one session: its result, and the form for what is left to do."""

import streamlit as st

from app.access.policy import Person
from app.access.spot_checks import SpotCheck, get_spot_check
from app.management.spot_checks import answer_spot_check, reply_to_spot_check
from app.school import School
from app.ui import address
from app.ui.text import show_refusal, write_html
from app.vocabulary.terms import SpotCheckResult


def show_spot_check(school: School, person: Person, number: int, following: int | None = None) -> None:
    """Show the spot check of a session as far as the person may see it, with the form for what they still have to do.
    `following` is the session to show once this one is answered."""
    check = get_spot_check(school, person, number)
    if check is None:
        return
    st.subheader("Spot check", anchor=False)
    if check.may_answer:
        _ask_result(school, person, number, following)
        return
    if check.result is None:
        write_html("Selected for a spot check. Not yet reviewed.")
        return
    _show_result(check)
    if check.may_reply:
        _ask_reply(school, person, number)


def _show_result(check: SpotCheck) -> None:
    assert check.result
    write_html(
        "<b>{at}</b> {by}: {result}" + ("<br>“{note}”" if check.note else ""),
        at=check.checked_at,
        by=check.checked_by or "Unknown",
        result=check.result.label,
        note=check.note,
    )
    if check.reply:
        write_html("<b>{at}</b> Explained<br>“{reply}”", at=check.replied_at, reply=check.reply)


def _ask_result(school: School, person: Person, number: int, following: int | None) -> None:
    with st.form(f"spot check {number}", enter_to_submit=False):
        words = st.text_area(
            "Note",
            key=f"note of spot check {number}",
            max_chars=5000,
            height=80,
            help="Needed if something is to be explained. The member of staff can then read it.",
        )
        with st.container(horizontal=True, gap="small"):
            clicked = [result for result in SpotCheckResult if _result_button(number, result)]
        if not clicked:
            return
        try:
            answer_spot_check(school, person, number, clicked[0], words)
        except ValueError as error:
            show_refusal(f"{error} Nothing was changed.")
            return
    st.toast("Saved.", icon=":material/check:")
    if following is not None or "chosen" in st.query_params:
        address.put("chosen", *([] if following is None else [str(following)]))
    st.rerun()


def _result_button(number: int, result: SpotCheckResult) -> bool:
    return st.form_submit_button(result.label, key=f"spot check {number} {result}")


def _ask_reply(school: School, person: Person, number: int) -> None:
    with st.form(f"reply to spot check {number}"):
        words = st.text_area("What happened?", key=f"reply {number}", max_chars=5000)
        if not st.form_submit_button("Send explanation", type="primary"):
            return
        try:
            reply_to_spot_check(school, person, number, words)
        except ValueError as error:
            show_refusal(f"{error} Nothing was changed.")
            return
    st.toast("Explanation sent.", icon=":material/check:")
    st.rerun()
