"""The questions of a session log, one entry each.

To add a question, add an entry to QUESTIONS. Everything else follows from it: the form and its printed version, the
column in files and its check, the column of the table `logs` (added when the database is next opened), the column of
the rules' frame, the session's page and the subject access file. Only `docs/columns.md` needs a line; a test says
which.
"""

from dataclasses import dataclass, replace

from app.vocabulary.terms import (
    Account,
    BedroomReason,
    CamerasOn,
    ConcernCategory,
    Labelled,
    OneToOneReason,
    Platform,
    Purpose,
    Room,
    YesNo,
)

Answer = bool | str  # as stored: yes as True, no as False


@dataclass(frozen=True)
class Condition:
    """When further questions are asked: if `question` was answered with `answer`. If these are blank, the form decides
    by itself. `heading` is for the printed form."""

    heading: str
    question: str = ""
    answer: str = ""


BEDROOM = Condition("If it was in a bedroom", "room", Room.BEDROOM)
RECORDED = Condition("If it was recorded", "recorded", YesNo.YES)
ONE_TO_ONE = Condition("If it was a pastoral one-to-one during remote learning")
CONCERN = Condition("If a concern arose", "concern", YesNo.YES)


@dataclass(frozen=True)
class Question:
    """One question.

    - `name`: its column in files, in the table `logs` and in the rules' frame
    - `words`: the question on the form and on paper
    - `label`: the heading of the answer on the session's page
    - `expected`: the answer if there were no issues, and a statement that says so; blank if there is no such answer
    - `answers`: the possible answers, None for free text; with `other_words`, any other text is stored as typed
    - `only_if`: when it is asked, None if always. A question that depends on another one's answer comes after that one,
      and is asked only if that one is
    - `purposes`: for which purposes it is asked
    - `help`: an explanation on the form
    """

    name: str
    words: str
    label: str
    expected: tuple[str, str] = ("", "")
    answers: type[Labelled] | None = YesNo
    other_words: bool = False
    only_if: Condition | None = None
    purposes: frozenset[Purpose] = frozenset(Purpose)
    help: str = ""

    @property
    def is_yes_no(self) -> bool:
        """Whether the answer is stored as true or false."""
        return self.answers is YesNo

    @property
    def is_judged(self) -> bool:
        """Whether rules may use the answer: not if it is free text or about a concern."""
        return self.answers is not None and self.only_if is not CONCERN

    def answer_label(self, answer: Answer) -> str:
        """The label of an answer, given as stored or as in a file; an answer in other words is returned unchanged."""
        word = (YesNo.YES if answer else YesNo.NO) if isinstance(answer, bool) else answer
        return self.answers(word).label if self.answers and word in set(self.answers) else word


def _yes(words: str) -> tuple[str, str]:
    return YesNo.YES, words


def _no(words: str) -> tuple[str, str]:
    return YesNo.NO, words


def _asked_if(condition: Condition, *questions: Question) -> list[Question]:
    return [replace(question, only_if=condition) for question in questions]


QUESTIONS = (
    Question(
        "platform", "Which platform?", "Platform", (Platform.TEAMS, "it was in Teams"), Platform, other_words=True
    ),
    Question(
        "account",
        "Which account?",
        "Account",
        (Account.SCHOOL, "you used your school account"),
        Account,
        other_words=True,
    ),
    Question("staff_opened", "Did you open the call?", "Staff opened the call", _yes("you opened the call")),
    Question(
        "staff_ended",
        "Did you end the call, with no pupil left in it?",
        "Staff ended the call",
        _yes("you ended it, with no pupil left in it"),
    ),
    Question(
        "pupil_left_alone",
        "Was a pupil ever alone in the call?",
        "A pupil was left alone",
        _no("no pupil was ever alone in it"),
    ),
    Question(
        "cameras_on", "Did pupils have their cameras on?", "Cameras on", (CamerasOn.YES, "cameras were on"), CamerasOn
    ),
    Question(
        "dress_ok",
        "Was everybody dressed appropriately?",
        "Appropriate dress",
        _yes("everybody was dressed appropriately"),
    ),
    Question(
        "background_ok",
        "Was the background neutral or blurred?",
        "Neutral background",
        _yes("the background was neutral or blurred"),
    ),
    Question(
        "room",
        "Where was the pupil?",
        "Room",
        (Room.PUBLIC, "the pupil was in a room where adults come and go"),
        Room,
        other_words=True,
        purposes=frozenset(Purpose) - {Purpose.COUNSELLING},
    ),
    *_asked_if(
        BEDROOM,
        Question("bedroom_reason", "Why a bedroom?", "Reason for the bedroom", answers=BedroomReason, other_words=True),
        Question("door_open", "Was the door open?", "Door open"),
    ),
    Question("recorded", "Did you record it?", "Recorded", _no("you did not record it")),
    *_asked_if(
        RECORDED,
        Question(
            "recording_announced",
            "Were pupils told at the start?",
            "Recording announced",
            _yes("pupils were told at the start that you record"),
        ),
        Question(
            "recording_on_team",
            "Is the recording on the Team?",
            "Recording on the Team",
            _yes("the recording is on the Team"),
        ),
        Question(
            "cameras_off_offered",
            "Could pupils turn their cameras off?",
            "Cameras off offered",
            _yes("pupils could turn their cameras off"),
        ),
    ),
    Question(
        "private_recording",
        "Did anybody make a private recording?",
        "Private recording",
        _no("nobody made a private recording"),
    ),
    *_asked_if(
        ONE_TO_ONE,
        Question("reason", "Why a one-to-one?", "Reason for the one-to-one", answers=OneToOneReason, other_words=True),
        Question(
            "adult_present", "Was an adult in the house?", "Adult in the house", _yes("an adult was in the house")
        ),
        Question(
            "adult_introduced",
            "Did the adult introduce themselves on camera?",
            "Adult introduced themselves",
            _yes("the adult introduced themselves on camera"),
        ),
        Question(
            "adult_permission",
            "Did the adult give permission?",
            "Adult gave permission",
            _yes("the adult gave permission"),
        ),
        Question(
            "home_alone",
            "Was the child home alone and too young for it?",
            "Child home alone",
            _no("no child too young for it was home alone"),
        ),
    ),
    Question("concern", "Did a safeguarding concern arise?", "A concern arose", _no("no safeguarding concern arose")),
    *_asked_if(
        CONCERN,
        Question(
            "concern_summary", "The concern, in a sentence or two: it goes to the DSP", "The concern", answers=None
        ),
        Question("concern_category", "What kind?", "Kind of concern", answers=ConcernCategory, other_words=True),
    ),
    Question("notes", "Notes (optional)", "Notes", answers=None),
)
