"""TODO."""

from dataclasses import dataclass
from datetime import date

Days = tuple[date, date]  # both belong to it

ROLES = (
    "teacher",
    "music_teacher",
    "tutor",
    "hoy",
    "hm",
    "counsellor",
    "senior_deputy_head",
    "slt",
    "dsp",
    "admin",
)


STAFF = "staff"  # every member of staff, whatever their roles

# What is asked for -> role -> how much of it that role sees; who is not named sees nothing of it.
TABLE: dict[str, dict[str, str]] = {
    "sessions": {
        STAFF: "their own",
        "hoy": "by tutors of, and with pupils of, their year groups",
        "hm": "by tutors of, and with pupils of, their houses",
        "dsp": "linked to a concern of their school",
        "senior_deputy_head": "all",
    },
    "counselling sessions": {
        STAFF: "their own",
        "senior_deputy_head": "by others than counsellors, without pupils, notes and reasons",
    },
    "number of counselling sessions": {
        "senior_deputy_head": "each term, in threes",
        "slt": "each term, in threes",
    },
    "overview": {
        "senior_deputy_head": "with names of staff",
        "slt": "without names",
    },
    "figures of the protocol": {
        STAFF: "the whole school, a term at a time",
        "senior_deputy_head": "the whole school, any days",
        "slt": "the whole school, any days",
    },
    "what if": {
        "senior_deputy_head": "the whole school, with the sessions that would change",
        "slt": "the whole school, figures without sessions and names",
    },
    "repeated one-to-ones": {
        "dsp": "with pupils of their school, but never their own",
        "senior_deputy_head": "all, but never their own",
    },
    "concerns": {
        STAFF: "their own words, and who received and read them",
        "hoy": "those that the DSP shares with them",
        "hm": "those that the DSP shares with them",
        "dsp": "of their school",
        "senior_deputy_head": "all",
    },
    "conduct concerns": {
        STAFF: "their own words, and who received and read them; of none that names them",
        "dsp": "all that do not name them",
        "senior_deputy_head": "all that do not name them",
    },
    "sessions to link to a concern": {
        "dsp": "with its children, or by whom it names, without counselling",
        "senior_deputy_head": "with its children, or by whom it names, without counselling",
    },
    "actions of concerns": {
        STAFF: "what they were asked to do",
        "dsp": "of the concerns that are theirs to open",
        "senior_deputy_head": "of the concerns that are theirs to open",
    },
    "exceptions": {
        STAFF: "of their own sessions, to explain",
        "hoy": "of the sessions of their year groups, to settle",
        "hm": "of the sessions of their houses, to settle",
        "senior_deputy_head": "of HOYs, HMs and whoever has none, to settle; of all, to see",
    },
    "exceptions waiting": {
        "senior_deputy_head": "how many for whom, and how long",
    },
    "parents": {
        STAFF: "of their tutees; of pupils they taught, but consents to one-to-ones; consents they asked for",
        "hoy": "of their year groups",
        "hm": "of their houses",
        "slt": "consents to sessions outside the hours that SLT was informed of",
        "senior_deputy_head": "all",
    },
    "how exceptions ended": {
        "senior_deputy_head": "how many of the sessions' exceptions ended how, and after how long",
        "slt": "how many of the sessions' exceptions ended how, and after how long",
    },
    "figures of the registers": {
        "senior_deputy_head": "how many letters and consents",
        "slt": "how many letters and consents",
    },
    "whether the audit trail holds": {
        "senior_deputy_head": "up to which entry",
        "slt": "up to which entry",
        "admin": "up to which entry",
    },
    "everything held on a pupil": {
        "dsp": "of their school, for subject access, without counselling",
    },
    "oldest open concern": {
        "senior_deputy_head": "its level, age and owner, without its narrative",
    },
    "plans": {STAFF: "their own"},
    "names to choose from": {STAFF: "all"},
    "roster": {"admin": "all"},
    "imports": {"admin": "all"},
    "refused rows": {"admin": "without narratives and without pupils of counselling"},
    "sync": {"admin": "all but what call records say"},
    "alerts": {"admin": "what waits and what hinders it; nothing confidential"},
    "audit trail": {"admin": "all; it names records by reference"},
    "keys": {"admin": "how much stands under which; nothing of what it is"},
}

# The pages, and the roles that open each; STAFF: every member of staff.
PAGES: dict[str, frozenset[str]] = {
    "overview": frozenset({"senior_deputy_head", "slt"}),
    "sessions": frozenset({STAFF}),
    "log": frozenset({STAFF}),
    "plan": frozenset({STAFF}),
    "concerns": frozenset({STAFF}),
    "parents": frozenset({STAFF}),
    "protocol": frozenset({STAFF}),
    "administration": frozenset({"admin"}),
}

WITHHELD = "Counselling is confidential: the reason is for the counsellor."


WITHHELD_ABOUT = "withheld: counselling is confidential"


COUNSELLING = "counselling"


OTHER_PURPOSES = ("music", "academic", "pastoral")


UNDER = 3  # no smaller number of counselling sessions is ever told


class NotAllowed(Exception):
    """The person may not ask this; the message names what was asked for and nobody."""


@dataclass(frozen=True)
class Person:
    """A member of staff as the roster knows them today. `year_groups` and `houses` are those that
    they look after as HOY or HM, in their own school."""

    staff_id: int
    email: str
    name: str
    school: str
    department: str
    roles: frozenset[str]
    year_groups: frozenset[str]
    houses: frozenset[str]


def may_open(person: Person, page: str) -> bool:
    """Whether a page of PAGES is for this person."""
    return bool(PAGES[page] & {STAFF, *person.roles})


def sees(person: Person, thing: str) -> set[str]:
    """How much of a thing of TABLE the person sees, by each of their roles; empty: nothing."""
    return {how_much for role, how_much in TABLE[thing].items() if role == STAFF or role in person.roles}


def require(person: Person, thing: str, how_much: str | None = None) -> None:
    seen = sees(person, thing)
    if not seen or (how_much is not None and how_much not in seen):
        raise NotAllowed(f"This is not for you to see: {thing}.")


def by_role(person: Person, thing: str, role: str) -> bool:
    """Whether the person sees the thing by this role."""
    return role in TABLE[thing] and (role == STAFF or role in person.roles)
