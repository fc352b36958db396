"""How several clauses are decided: by the log alone, by the letters, by the hours, for recorded sessions."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from app.protocol.facts import SessionFacts
from app.protocol.frames import Ints
from app.protocol.outcomes import BREACH, CALL, EXEMPT, LOG, MET, NO_EVIDENCE, NOTHING, REGISTER, Mask, Ruling, Words
from app.protocol.sessions import SECOND

Rows = npt.NDArray[np.intp]

NOT_SAID = "The log does not say."
_NOT_LOGGED = "The session was not logged, and only a log can say."


def every_session(facts: SessionFacts) -> Mask:
    return np.ones(facts.n, bool)


def decide_rest(ruling: Ruling, facts: SessionFacts, where: Mask, blank: str = NOT_SAID) -> None:
    """No evidence for the rest of `where`: the log is blank, or there is none."""
    ruling.decide(where & ~facts.logged, NO_EVIDENCE, NOTHING, _NOT_LOGGED)
    ruling.decide(where, NO_EVIDENCE, NOTHING, blank)


def by_log(facts: SessionFacts, where: Mask, met: Mask, breach: Mask, *, if_met: str, if_breach: str) -> Ruling:
    """A clause that only the log can answer."""
    ruling = Ruling(facts.n)
    ruling.decide(where & met, MET, LOG, if_met)
    ruling.decide(where & breach, BREACH, LOG, if_breach)
    decide_rest(ruling, facts, where)
    return ruling


def durations(micros: Ints) -> Words:
    """Lengths as people say them: "64 seconds", "5 min 10 s"."""
    whole = [round(length / SECOND) for length in micros.tolist()]
    return np.array([f"{s // 60} min {s % 60} s" if s >= 120 else f"{s} seconds" for s in whole], object)


def by_letters(facts: SessionFacts, where: Mask, kind: str, letter: str) -> Ruling:
    """A clause that asks for a letter of that kind to the parents of every pupil before the day of the session."""
    in_time, any_letter = facts.letters(kind)
    late, missing = any_letter & ~in_time, ~any_letter
    session = facts.pupils["session"].to_numpy()
    where = where & facts.has_pupils
    ruling = Ruling(facts.n)
    ruling.decide(
        where & facts.mask_of(session[late]),
        BREACH,
        REGISTER,
        lambda i: f"The {letter} for " + facts.names(late, i) + " was not sent before the day of the session.",
    )
    ruling.decide(
        where & facts.mask_of(session[missing]),
        NO_EVIDENCE,
        NOTHING,
        lambda i: f"No {letter} is on record for " + facts.names(missing, i) + ".",
    )
    ruling.decide(where, MET, REGISTER, f"The {letter} went to every pupil's parents before the day of the session.")
    return ruling


def was_recorded(facts: SessionFacts) -> Mask:
    return facts.recording_listed | facts.yes("recorded")


def recording_disputed(facts: SessionFacts) -> Mask:
    """Graph lists a recording, and the log says that there was none."""
    return facts.recording_listed & facts.no("recorded")


def decide_recorded(
    ruling: Ruling, facts: SessionFacts, answer: str, *, if_met: str, if_breach: str, if_blank: str
) -> Ruling:
    """Decide, by an answer of the log, the rest of the sessions that were recorded. Where it is not known whether a
    session was recorded there is no evidence."""
    recorded, disputed = was_recorded(facts), recording_disputed(facts)
    ruling.decide(recorded & facts.yes(answer), MET, LOG, if_met, disputed)
    ruling.decide(recorded & facts.no(answer), BREACH, LOG, if_breach, disputed)
    ruling.decide(
        recorded & ~facts.logged,
        NO_EVIDENCE,
        NOTHING,
        "The session was recorded but not logged, and only a log can say.",
    )
    ruling.decide(recorded, NO_EVIDENCE, NOTHING, if_blank, disputed)
    unknown = ~facts.no("recorded")
    ruling.decide(
        unknown & ~facts.logged,
        NO_EVIDENCE,
        NOTHING,
        "The session was not logged, so it is not known whether it was recorded.",
    )
    ruling.decide(unknown, NO_EVIDENCE, NOTHING, "The log does not say whether the session was recorded.")
    return ruling


def by_hours(
    facts: SessionFacts,
    where: Mask,
    within: Callable[[Ints, Ints], Mask],
    consent: str,
    *,
    if_met: Callable[[Rows], Words | str],
    if_exempt: Callable[[Rows], Words | str],
    if_breach: Callable[[Rows, Mask], Words | str],
) -> Ruling:
    """A clause of hours, outside which every pupil needs a consent of that kind. The reasons go on from "The session
    time, 17:00 to 17:40, is "; `if_breach` also gets which rows of the facts' pupils have their consent."""
    inside = within(facts.local_start, facts.local_end)
    logged_inside = within(facts.logged_local_start, facts.logged_local_end)
    consented, has_consent = facts.consented(consent, where & ~inside)
    disputed = facts.has_call & (inside != logged_inside)
    evidence = np.where(facts.has_call, CALL, LOG)

    def sentence(i: Rows, rest: Words | str) -> Words:
        start, end = facts.clock_times(facts.start[i]), facts.clock_times(facts.end[i])
        return np.asarray("The session time, " + start + " to " + end + ", is " + rest)

    ruling = Ruling(facts.n)
    ruling.decide(where & inside, MET, evidence, lambda i: sentence(i, if_met(i)), disputed)
    ruling.decide(where & consented, EXEMPT, REGISTER, lambda i: sentence(i, if_exempt(i)), disputed)
    ruling.decide(where, BREACH, evidence, lambda i: sentence(i, if_breach(i, has_consent)), disputed)
    return ruling
