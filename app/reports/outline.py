"""The points of the school's text, in the words of the outline in docs/protocol.md (a test compares the two)."""

from dataclasses import dataclass

from app.protocol.clause import Heading, Reference


@dataclass(frozen=True)
class Point:
    """A point of the school's text. `summary` is what it asks, in our own words; `without_clause` says how the program
    itself ensures it, if no clause stands for it."""

    reference: Reference
    title: str
    summary: str
    without_clause: str = ""


POINTS = (
    Point(
        Reference(Heading.GENERAL, 1),
        "Letter to parents",
        "Before a pupil's first video session, the school writes to the parents and explains the service.",
    ),
    Point(
        Reference(Heading.GENERAL, 2),
        "Allowed purposes",
        "Sessions serve music tuition, academic tuition, counselling by a school counsellor, or a check on a "
        "pupil's welfare by a tutor, HM or HOY, and nothing else. Every other point applies to all of them.",
    ),
    Point(
        Reference(Heading.GENERAL, 3),
        "Teams with the school account",
        "Staff of the senior schools use Microsoft Teams and sign in with the school's account rather than their own.",
    ),
    Point(
        Reference(Heading.GENERAL, 4),
        "Recording",
        "Staff may record if they say so at the start, put the recording on the Team and let pupils turn "
        "their cameras off. Pupils do not record, and nobody keeps a private recording.",
    ),
    Point(
        Reference(Heading.GENERAL, 5),
        "Opening and ending",
        "Staff open the call and end it, and no pupil stays in it without them.",
    ),
    Point(
        Reference(Heading.GENERAL, 6),
        "Cameras",
        "Pupils who have a camera keep it on and can be seen, except a pupil who objects to being recorded.",
    ),
    Point(
        Reference(Heading.GENERAL, 7),
        "Dress",
        "Staff and pupils dress decently and without provocation. At home, pupils need no uniform.",
    ),
    Point(
        Reference(Heading.GENERAL, 8),
        "Room",
        "The pupil sits where an adult of the household can walk in at any time. A bedroom needs a good "
        "reason, such as quarantine or being the only room with the equipment, and an open door. Sessions "
        "with a school counsellor are free of this.",
    ),
    Point(
        Reference(Heading.GENERAL, 9),
        "Background",
        "The picture behind a person is plain or blurred, so that it gives away nothing personal.",
    ),
    Point(
        Reference(Heading.GENERAL, 10),
        "Hours of academic tuition",
        "Academic tuition keeps to the hours that the school sets. Outside them, parents consent and SLT "
        "knows before the session.",
    ),
    Point(
        Reference(Heading.GENERAL, 11),
        "Log and concerns",
        "Staff log every session and take every safeguarding concern from it to the DSP responsible.",
    ),
    Point(
        Reference(Heading.ONE_TO_ONE, 1),
        "Letter to parents",
        "The school tells parents beforehand that pastoral staff may meet their child alone on Teams, and for "
        "which reasons: safeguarding, continuity of care or a routine check.",
    ),
    Point(
        Reference(Heading.ONE_TO_ONE, 2),
        "Hours",
        "One-to-ones keep to lunch and tutor time (C4L), as the school sets them for the pupil's school, year "
        "and week. Outside these, a parent agrees beforehand to the time and "
        "the reason.",
    ),
    Point(
        Reference(Heading.ONE_TO_ONE, 3),
        "Second member of staff",
        "Somebody else from the pastoral team is invited every time: by a tutor the pupil's HOY or HM, by a "
        "HOY or HM the Senior Deputy Head (Pastoral).",
    ),
    Point(
        Reference(Heading.ONE_TO_ONE, 4),
        "Adult in the house",
        "An adult is in the building for the whole session, says hello on camera at the start and allows it "
        "to go ahead. The adult need not be in the same room.",
    ),
    Point(
        Reference(Heading.ONE_TO_ONE, 5),
        "Child home alone",
        "A child found at home alone who is too young for it is a safeguarding matter, and the safeguarding "
        "team is told.",
    ),
    Point(
        Reference(Heading.ONE_TO_ONE, 6),
        "Counselling is confidential",
        "Sessions of the counselling service are confidential and usually need no adult in attendance.",
        "the program itself keeps counselling confidential. Nobody but the counsellor sees who took part, the "
        "notes or the reasons, and counselling is never judged as a one-to-one.",
    ),
)
