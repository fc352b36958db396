"""Lets a clause decide many sessions at once. Also has the rulings that several clauses share: by letters, by hours,
and for recorded sessions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.protocol.facts import SessionFacts
from app.protocol.frames import Ints, Mask, Words
from app.protocol.outcomes import (
    BREACH,
    CALENDAR,
    CALL,
    CONSENTS,
    EXEMPT,
    LETTERS,
    LOG,
    MET,
    NO_EVIDENCE,
    NOT_APPLICABLE,
    NOTHING,
)
from app.protocol.sessions import SECOND

Rows = npt.NDArray[np.intp]
# A sentence for all sessions, or a function that returns one for each of the given sessions.
Reason = str | Callable[[Rows], Words]


class Ruling:
    """How one clause judges the sessions. The first `decide` that selects a session decides it.

    - `applies`: the sessions to which the clause applies, by default all; the others are `not_applicable`
    - `of_unattended`: whether it applies to unlogged rooms without staff, as few clauses do
    - `log_yes`, `log_no`: the sessions whose log says that the clause was met, or that it was not. A session is
      disputed if the call record or the calendar decides the opposite

    Arrays with one value per session: `outcome` and `evidence` (positions in OUTCOMES and SOURCES), `disputed`, and
    `undecided` (the clause applies, and nothing has decided it yet).
    """

    def __init__(
        self,
        facts: SessionFacts,
        applies: Mask | None = None,
        *,
        log_yes: Mask | None = None,
        log_no: Mask | None = None,
        of_unattended: bool = False,
    ) -> None:
        self.outcome = np.full(facts.n, NOT_APPLICABLE, np.uint8)
        self.evidence = np.full(facts.n, NOTHING, np.uint8)
        self.disputed = np.zeros(facts.n, bool)
        applies = facts.every_session if applies is None else applies
        self.undecided = applies.copy() if of_unattended else applies & ~facts.unattended
        self._log_yes = np.zeros(facts.n, bool) if log_yes is None else log_yes
        self._log_no = np.zeros(facts.n, bool) if log_no is None else log_no
        self._logged = facts.logged
        self._by_report = facts.by_report
        self._reasons: list[tuple[Rows, Reason]] = []

    def decide(self, where: Mask, outcome: int, evidence: int | Ints, reason: Reason) -> None:
        """Give `outcome`, with its evidence and reason, to the undecided sessions among those in `where`."""
        rows = np.flatnonzero(where & self.undecided)
        if not len(rows):
            return
        self.undecided[rows] = False
        self.outcome[rows] = outcome
        self.evidence[rows] = np.broadcast_to(evidence, where.shape)[rows]
        contrary = {MET: self._log_no, BREACH: self._log_yes}.get(outcome)
        if contrary is not None:
            self.disputed[rows] |= contrary[rows] & np.isin(self.evidence[rows], (CALL, CALENDAR))
        self._reasons.append((rows, reason))

    def decide_by_log(self, *, if_met: Reason, if_breach: Reason, if_blank: str = "The log does not say.") -> None:
        """Decide the remaining sessions by what the log says."""
        self.decide(self._log_yes, MET, LOG, if_met)
        self.decide(self._log_no, BREACH, LOG, if_breach)
        self.decide_blank(if_blank)

    def decide_blank(self, if_blank: str = "The log does not say.") -> None:
        """Give the remaining sessions the outcome no_evidence: their log is blank, or they have none."""
        self.decide(~self._logged, NO_EVIDENCE, NOTHING, "The session was not logged, and only a log can say.")
        self.decide(self.undecided, NO_EVIDENCE, NOTHING, if_blank)

    def reasons(self) -> Words:
        """The reason for each session's outcome, as text."""
        words = np.full(len(self.outcome), "", object)
        for rows, reason in self._reasons:
            words[rows] = reason if isinstance(reason, str) else reason(rows)
        words[self._by_report & (self.evidence == CALL)] += " This is known from the attendance report."
        return words


def fill(sentence: str, **values: npt.NDArray[Any] | Callable[[Rows], npt.NDArray[Any]]) -> Reason:
    """A reason that replaces each {name} in a sentence by a value for each session: `values` are arrays with one value
    per session, or functions that return the values for the given sessions."""

    def reason(rows: Rows) -> Words:
        columns = {name: value(rows) if callable(value) else value[rows] for name, value in values.items()}
        return np.array([sentence.format(**row) for row in pd.DataFrame(columns).to_dict("records")], object)

    return reason


def format_durations(micros: Ints) -> Words:
    """Microseconds as text: "64 seconds", and from two minutes on "5 min 10 s"."""
    whole = [round(length / SECOND) for length in micros.tolist()]
    return np.array([f"{s // 60} min {s % 60} s" if s >= 120 else f"{s} seconds" for s in whole], object)


def by_letters(facts: SessionFacts, applies: Mask, kind: str, letter: str) -> Ruling:
    """The ruling of a clause that requires a letter of this kind to every pupil's parents before the session's day.
    `letter` is what reasons call it."""
    in_time, any_letter = facts.letters(kind)
    asked = facts.asks_for(kind)
    late, missing = asked & any_letter & ~in_time, asked & ~any_letter
    session = facts.pupils["session"].to_numpy()
    ruling = Ruling(facts, applies & facts.has_pupils, of_unattended=True)
    too_late = f"The {letter} for {{pupils}} was not sent before the day of the session."
    ruling.decide(facts.mask_of(session[late]), BREACH, LETTERS, fill(too_late, pupils=lambda i: facts.names(late, i)))
    none_sent = fill(f"No {letter} is on record for {{pupils}}.", pupils=lambda i: facts.names(missing, i))
    ruling.decide(facts.mask_of(session[missing]), NO_EVIDENCE, NOTHING, none_sent)
    in_time_for_all = f"The {letter} went to every pupil's parents before the day of the session."
    ruling.decide(ruling.undecided, MET, LETTERS, in_time_for_all)
    return ruling


def by_log_if_recorded(
    facts: SessionFacts, answer: str, *, if_met: str, if_breach: str, if_blank: str, if_in_channel: str = ""
) -> Ruling:
    """The ruling of a clause for recorded sessions that an `answer` in the log decides. If there is a reason
    `if_in_channel`, a channel meeting is enough. If it is not known whether a session was recorded, there is no
    evidence."""
    known_not_recorded = facts.no("recorded") & ~facts.recording_listed
    ruling = Ruling(facts, ~known_not_recorded, log_yes=facts.yes(answer), log_no=facts.no(answer))
    ruling.disputed |= facts.recording_listed & facts.no("recorded")
    unlogged = "The session was not logged, so it is not known whether it was recorded."
    ruling.decide(~facts.was_recorded & ~facts.logged, NO_EVIDENCE, NOTHING, unlogged)
    ruling.decide(~facts.was_recorded, NO_EVIDENCE, NOTHING, "The log does not say whether the session was recorded.")
    if if_in_channel:
        ruling.decide(facts.in_channel, MET, CALL, if_in_channel)
    ruling.decide(
        ~facts.logged, NO_EVIDENCE, NOTHING, "The session was recorded but not logged, and only a log can say."
    )
    ruling.decide_by_log(if_met=if_met, if_breach=if_breach, if_blank=if_blank)
    return ruling


def by_hours(
    facts: SessionFacts, applies: Mask, within: Callable[[Ints, Ints], Mask], consent: str, reasons: dict[int, str]
) -> Ruling:
    """The ruling of a clause about hours, outside which every pupil needs a consent of the kind `consent`.

    `within` takes the starts and ends of the sessions and returns which of them are within the hours. The `reasons`, by
    outcome (MET, EXEMPT, BREACH), continue "The session time, 17:00 to 17:40, is ". In them {hours} stands for the
    hours of tuition and, in that of BREACH, {pupils} for the pupils without a consent.
    """
    inside = within(facts.local_start, facts.local_end)
    logged_inside = within(facts.logged_local_start, facts.logged_local_end)
    consented, has_consent = facts.consented(consent, applies & ~inside, facts.asks_for(consent))
    evidence = np.where(facts.time_from_call, CALL, LOG)

    def sentence(outcome: int, **values: Callable[[Rows], Words]) -> Reason:
        return fill(
            "The session time, {start} to {end}, is " + reasons[outcome],
            start=lambda i: facts.clock_times(facts.start[i]),
            end=lambda i: facts.clock_times(facts.end[i]),
            hours=facts.tuition_hours,
            **values,
        )

    ruling = Ruling(facts, applies)
    ruling.disputed |= applies & facts.time_from_call & (inside != logged_inside)
    ruling.decide(inside, MET, evidence, sentence(MET))
    ruling.decide(consented, EXEMPT, CONSENTS, sentence(EXEMPT))
    ruling.decide(ruling.undecided, BREACH, evidence, sentence(BREACH, pupils=lambda i: facts.names(~has_consent, i)))
    return ruling
