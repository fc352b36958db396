"""The kinds of steps of a concern: the label of each, its questions, and when it is possible."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ask:
    """One question of a step: the `name` of its answer, its text, and the kind of answer in `what` (words, line, day,
    staff, level, pupil, pupil_of, session, session_of, leader, shared, action or field)."""

    name: str
    question: str
    what: str = "words"
    needed: bool = True


@dataclass(frozen=True)
class Step:
    """One kind of step: its label, its questions, and the state of the concern in which it is possible."""

    label: str
    asks: tuple[Ask, ...]
    when: str = "open"  # open, closed or any


_WHY = Ask("text", "Why?")


STEPS: dict[str, Step] = {
    "level": Step("Set the level", (Ask("level", "Level", "level"), _WHY)),
    "action": Step(
        "Assign an action",
        (
            Ask("what", "What needs to be done? (the person you ask will read this)"),
            Ask("recipient_id", "Who?", "staff"),
            Ask("due", "By when?", "day"),
        ),
    ),
    "done": Step(
        "Complete an action",
        (Ask("action", "Which?", "action"), Ask("on", "When?", "day"), Ask("text", "What was done?")),
    ),
    "moved": Step(
        "Reassign or change the due date",
        (Ask("action", "Which?", "action"), Ask("recipient_id", "Who?", "staff"), Ask("due", "By when?", "day"), _WHY),
    ),
    "decision": Step("Record a decision", (Ask("decision", "What was decided?"), _WHY)),
    "referral": Step(
        "Record a referral",
        (
            Ask("to", "To whom? (children's services, police, early help, …)", "line"),
            Ask("on", "When?", "day"),
            Ask("reference", "Their reference, if there is one", "line", needed=False),
            Ask("text", "What was said", needed=False),
        ),
    ),
    "note": Step("Add a note", (Ask("text", "Note"),), "any"),
    "linked": Step("Add a child", (Ask("pupil", "Which child?", "pupil"), _WHY)),
    "unlinked": Step("Unlink a child", (Ask("pupil", "Which child?", "pupil_of"), _WHY)),
    "session_linked": Step("Link a session", (Ask("session", "Which session?", "session"), _WHY)),
    "session_unlinked": Step("Unlink a session", (Ask("session", "Which session?", "session_of"), _WHY)),
    "named": Step(
        "Add an adult",
        (
            Ask("staff_id", "Member of staff", "staff", needed=False),
            Ask("name", "Or the name of somebody not on the roster", "line", needed=False),
            _WHY,
        ),
    ),
    "shared": Step(
        "Share with a HOY or HM", (Ask("recipient_id", "With whom? (they can read all of it)", "leader"), _WHY)
    ),
    "unshared": Step("Stop sharing", (Ask("recipient_id", "With", "shared"), _WHY)),
    "handed_over": Step(
        "Hand it over to the school's safeguarding system",
        (
            Ask("system", "Which system?", "line"),
            Ask("reference", "Its reference there", "line"),
            Ask("text", "Anything to add", needed=False),
        ),
        "any",
    ),
    "corrected": Step("Correct what was reported", (Ask("field", "What?", "field"), _WHY), "any"),
    "closed": Step("Close concern", (Ask("outcome", "Outcome"), Ask("text", "Why can it be closed?"))),
    "reopened": Step("Reopen concern", (_WHY,), "closed"),
}
