"""The questions of a session log, one entry each.

To add a question, add its entry to QUESTIONS. The form and its printed version, the column of the file and its check,
the column of the table `logs` (added when the database is next opened), the column of the rules' frame, the session's
page and the subject access file follow. `docs/columns.md` needs a line; a test says which.
"""

from dataclasses import dataclass

from app.vocabulary import (
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

Answer = bool | str  # as stored: yes and no as true and false


@dataclass(frozen=True)
class Condition:
    """What has to be so for some questions to be asked: that `question` was answered with `answer`, or without those
    something that the form works out. `heading` says it on paper."""

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
    - `words`: the question on the form and on paper; `label`: the answer's heading on the session's page; `help`: an
      explanation on the form
    - `answers`: what may be answered; None: free text. With `other_words`, other words are stored as they are typed
    - `expected`: the answer when there were no issues, and the words that say so; blank if there is no such answer
    - `only_if`: when it is asked, if not always; `purposes`: for which purposes. One that depends on the answer to
      another question comes after it, and is asked only if that one is
    """

    name: str
    words: str
    label: str
    answers: type[Labelled] | None = YesNo
    other_words: bool = False
    expected: tuple[str, str] = ("", "")
    only_if: Condition | None = None
    purposes: frozenset[Purpose] = frozenset(Purpose)
    help: str = ""

    @property
    def is_yes_no(self) -> bool:
        """Whether the answer is stored as true or false."""
        return self.answers is YesNo

    @property
    def is_judged(self) -> bool:
        """Whether rules may ask for the answer: never for free text, nor for what a concern is about."""
        return self.answers is not None and self.only_if is not CONCERN

    def answer_label(self, answer: Answer) -> str:
        """An answer, as stored or as in a file, in words for people."""
        word = (YesNo.YES if answer else YesNo.NO) if isinstance(answer, bool) else answer
        return self.answers(word).label if self.answers and word in set(self.answers) else word


QUESTIONS = (
    Question(
        "platform",
        "Which platform?",
        "Platform",
        answers=Platform,
        other_words=True,
        expected=(Platform.TEAMS, "it was in Teams"),
    ),
    Question(
        "account",
        "Which account?",
        "Account",
        answers=Account,
        other_words=True,
        expected=(Account.SCHOOL, "you used your school account"),
    ),
    Question(
        "staff_opened", "Did you open the call?", "Staff opened the call", expected=(YesNo.YES, "you opened the call")
    ),
    Question(
        "staff_ended",
        "Did you end the call, with no pupil left in it?",
        "Staff ended the call",
        expected=(YesNo.YES, "you ended it, with no pupil left in it"),
    ),
    Question(
        "pupil_left_alone",
        "Was a pupil ever alone in the call?",
        "A pupil was left alone",
        expected=(YesNo.NO, "no pupil was ever alone in it"),
    ),
    Question(
        "cameras_on",
        "Did pupils have their cameras on?",
        "Cameras on",
        answers=CamerasOn,
        expected=(CamerasOn.YES, "cameras were on"),
    ),
    Question(
        "dress_ok",
        "Was everybody dressed appropriately?",
        "Appropriate dress",
        expected=(YesNo.YES, "everybody was dressed appropriately"),
    ),
    Question(
        "background_ok",
        "Was the background neutral or blurred?",
        "Neutral background",
        expected=(YesNo.YES, "the background was neutral or blurred"),
    ),
    Question(
        "room",
        "Where was the pupil?",
        "Room",
        answers=Room,
        other_words=True,
        expected=(Room.PUBLIC, "the pupil was in a room where adults come and go"),
        purposes=frozenset(Purpose) - {Purpose.COUNSELLING},
    ),
    Question(
        "bedroom_reason",
        "Why a bedroom?",
        "Reason for the bedroom",
        answers=BedroomReason,
        other_words=True,
        only_if=BEDROOM,
    ),
    Question("door_open", "Was the door open?", "Door open", only_if=BEDROOM),
    Question("recorded", "Did you record it?", "Recorded", expected=(YesNo.NO, "you did not record it")),
    Question(
        "recording_announced",
        "Were pupils told at the start?",
        "Recording announced",
        expected=(YesNo.YES, "pupils were told at the start that you record"),
        only_if=RECORDED,
    ),
    Question(
        "recording_on_team",
        "Is the recording on the Team?",
        "Recording on the Team",
        expected=(YesNo.YES, "the recording is on the Team"),
        only_if=RECORDED,
    ),
    Question(
        "cameras_off_offered",
        "Could pupils turn their cameras off?",
        "Cameras off offered",
        expected=(YesNo.YES, "pupils could turn their cameras off"),
        only_if=RECORDED,
    ),
    Question(
        "private_recording",
        "Did anybody make a private recording?",
        "Private recording",
        expected=(YesNo.NO, "nobody made a private recording"),
    ),
    Question(
        "reason",
        "Why a one-to-one?",
        "Reason for the one-to-one",
        answers=OneToOneReason,
        other_words=True,
        only_if=ONE_TO_ONE,
    ),
    Question(
        "adult_present",
        "Was an adult in the house?",
        "Adult in the house",
        expected=(YesNo.YES, "an adult was in the house"),
        only_if=ONE_TO_ONE,
    ),
    Question(
        "adult_introduced",
        "Did the adult introduce themselves on camera?",
        "Adult introduced themselves",
        expected=(YesNo.YES, "the adult introduced themselves on camera"),
        only_if=ONE_TO_ONE,
    ),
    Question(
        "adult_permission",
        "Did the adult give permission?",
        "Adult gave permission",
        expected=(YesNo.YES, "the adult gave permission"),
        only_if=ONE_TO_ONE,
    ),
    Question(
        "home_alone",
        "Was the child home alone and too young for it?",
        "Child home alone",
        expected=(YesNo.NO, "no child too young for it was home alone"),
        only_if=ONE_TO_ONE,
    ),
    Question(
        "concern",
        "Did a safeguarding concern arise?",
        "A concern arose",
        expected=(YesNo.NO, "no safeguarding concern arose"),
    ),
    Question(
        "concern_summary",
        "The concern, in a sentence or two: it goes to the DSP",
        "The concern",
        answers=None,
        only_if=CONCERN,
    ),
    Question(
        "concern_category", "What kind?", "Kind of concern", answers=ConcernCategory, other_words=True, only_if=CONCERN
    ),
    Question("notes", "Notes (optional)", "Notes", answers=None),
)
