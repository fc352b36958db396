"""The steps of a concern: what each is called, what it asks, and when it is possible."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ask:
    """One thing that a step asks: its `name`, in which it is given, the words of the question, and what is to be
    answered: words, line, day, staff, level, pupil, pupil_of, session, session_of, shared, action, field."""

    name: str
    question: str
    what: str = "words"
    needed: bool = True


@dataclass(frozen=True)
class Step:
    """One kind of step: what it is called, what it asks, and for which state of the concern it is."""

    label: str
    asks: tuple[Ask, ...]
    when: str = "open"  # open, closed, any


_WHY = Ask("text", "Why?")


STEPS: dict[str, Step] = {
    "level": Step("Set the level", (Ask("level", "Level", "level"), _WHY)),
    "action": Step(
        "Ask somebody to do something",
        (
            Ask("what", "What is to be done? Who is asked reads these words"),
            Ask("recipient_id", "Who?", "staff"),
            Ask("due", "By when?", "day"),
        ),
    ),
    "done": Step(
        "An action is done",
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
            Ask("to", "To whom? Children's services, police, early help, …", "line"),
            Ask("on", "When?", "day"),
            Ask("reference", "Their reference, if there is one", "line", needed=False),
            Ask("text", "What was said", needed=False),
        ),
    ),
    "note": Step("Add a note", (Ask("text", "What is to be remembered?"),), "any"),
    "linked": Step("Add a child", (Ask("pupil", "Which child?", "pupil"), _WHY)),
    "unlinked": Step("Unlink a child", (Ask("pupil", "Which child?", "pupil_of"), _WHY)),
    "session_linked": Step("Link a session", (Ask("session", "Which session?", "session"), _WHY)),
    "session_unlinked": Step("Take a session away", (Ask("session", "Which session?", "session_of"), _WHY)),
    "named": Step(
        "Add an adult it names",
        (
            Ask("recipient_id", "Who on the roster?", "staff", needed=False),
            Ask("name", "Or somebody who is not on it: their name", "line", needed=False),
            _WHY,
        ),
    ),
    "shared": Step(
        "Share it with a HOY or HM", (Ask("recipient_id", "With whom? They can read all of it", "leader"), _WHY)
    ),
    "unshared": Step("Stop sharing it", (Ask("recipient_id", "With whom no longer?", "shared"), _WHY)),
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
    "closed": Step("Close it", (Ask("outcome", "What came of it?"), Ask("text", "Why can it be closed?"))),
    "reopened": Step("Open it again", (_WHY,), "closed"),
}
