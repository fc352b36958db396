"""Random logs of a session."""

from dataclasses import replace
from random import Random

from tests.reference.rows import MINUTE, Log

PURPOSES = ("pastoral", "pastoral", "pastoral", "academic", "academic", "music", "counselling", "Chess club", None)
WORDS = {
    "platform": ("teams", "teams", "teams", "teams", "Zoom"),
    "account": ("school", "school", "school", "school", "personal", "somebody else's"),
    "cameras_on": ("yes", "yes", "yes", "no", "no_camera", "objected"),
    "room": ("public", "public", "bedroom", "bedroom", "garden shed"),
    "bedroom_reason": ("quarantine", "only_room", "warmer"),
    "reason": ("safeguarding", "continuity", "routine", "a chat"),
}
YES_NO = (
    "recorded",
    "recording_announced",
    "recording_on_team",
    "cameras_off_offered",
    "private_recording",
    "staff_opened",
    "staff_ended",
    "pupil_left_alone",
    "dress_ok",
    "background_ok",
    "door_open",
    "adult_present",
    "adult_introduced",
    "adult_permission",
    "home_alone",
    "concern",
)
BAD = ("private_recording", "pupil_left_alone", "home_alone", "concern")


def make_answers(random: Random) -> dict[str, bool | str]:
    """Answers to the questions of a log. In most logs some are left blank, in some all."""
    blank = random.choice((0.0, 0.1, 0.2, 0.5, 1.0))
    answers: dict[str, bool | str] = {}
    for name, words in WORDS.items():
        if random.random() >= blank:
            answers[name] = random.choice(words)
    for name in YES_NO:
        if random.random() >= blank:
            answers[name] = (random.random() < 0.75) != (name in BAD)
    return answers


def make_invited(random: Random, staff: list[int]) -> tuple[int | None, ...]:
    """Whom a log names as invited: nobody, somebody, or somebody who is not on the roster."""
    draw = random.random()
    if draw < 0.35:
        return ()
    known: list[int | None] = list(random.sample(staff, random.choice((1, 1, 2))))
    if draw > 0.9:
        return (None,)
    return tuple(known + ([None] if draw > 0.8 else []))


def vary_log(random: Random, log: Log) -> Log:
    """Another log of the same session: with another reference and other answers, and perhaps at another time."""
    later = random.choice((1, 1, MINUTE, 20 * MINUTE))
    return replace(
        log,
        started_at=log.started_at + later,
        ended_at=log.ended_at + random.choice((later, later + MINUTE)),
        answers=make_answers(random),
    )
