"""The roles of the roster, and what each may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from app.vocabulary.terms import Labelled


class Resource(Labelled):
    """A kind of information that a person may ask to see."""

    SESSIONS = "sessions", "sessions"
    COUNSELLING_SESSIONS = "counselling_sessions", "counselling sessions"
    COUNSELLING_COUNT = "counselling_count", "number of counselling sessions"
    LOGS = "logs", "logs, and calls to log"
    PLANS = "plans", "plans"
    DIRECTORY = "directory", "names to choose from"
    OVERVIEW = "overview", "overview"
    PROTOCOL_FIGURES = "protocol_figures", "figures of the protocol"
    WHAT_IF = "what_if", "what-if"
    REPEATED_ONE_TO_ONES = "repeated_one_to_ones", "repeated one-to-ones"
    BREACHES = "breaches", "breaches"
    BREACH_COUNTS = "breach_counts", "unresolved breaches by owner"
    RESOLUTION_FIGURES = "resolution_figures", "how breaches were resolved"
    RAISED_CONCERNS = "raised_concerns", "concerns raised"
    CONCERNS = "concerns", "concerns about children"
    CONDUCT_CONCERNS = "conduct_concerns", "concerns about conduct"
    CONCERN_ACTIONS = "concern_actions", "actions of concerns"
    LINKABLE_SESSIONS = "linkable_sessions", "sessions to link to a concern"
    OLDEST_CONCERN = "oldest_concern", "oldest open concern"
    SUBJECT_ACCESS = "subject_access", "subject access"
    PUPILS = "pupils", "pages of pupils"
    PARENT_REGISTERS = "parent_registers", "letters and consents"
    REGISTER_FIGURES = "register_figures", "figures of letters and consents"
    PUPIL_POLICIES = "pupil_policies", "pupils' policies in Teams"
    ROSTER = "roster", "roster"
    IMPORTS = "imports", "imports"
    REJECTED_ROWS = "rejected_rows", "rejected rows"
    SYNC = "sync", "synchronisation"
    ALERTS = "alerts", "email alerts"
    AUDIT_TRAIL = "audit_trail", "audit trail"
    AUDIT_CHECK = "audit_check", "check of the audit trail"
    ROLE_CHANGES = "role_changes", "changes of roles"
    ENCRYPTION_KEYS = "encryption_keys", "encryption keys"
    PROTOCOL_SETTINGS = "protocol_settings", "changes to the protocol"
    PROTOCOL_FILE = "protocol_file", "the protocol as a file"
    REMOTE_PUPILS = "remote_pupils", "remote learning of one pupil"
    CONFIRMATIONS = "confirmations", "who has read the protocol"
    SPOT_CHECKS = "spot_checks", "spot checks"


class Scope(Labelled):
    """How much of a resource somebody may see; docs/access.md says what this means for each resource."""

    ALL = "all", "all"
    OWN = "own", "their own"
    YEAR_GROUPS = "year_groups", "those of their year groups"
    HOUSES = "houses", "those of their houses"
    OWN_SCHOOL = "own_school", "those of their school"
    LINKED_TO_CONCERN = "linked_to_concern", "those linked to a concern of their school"
    SHARED = "shared", "those shared with them"
    NOT_NAMING_THEM = "not_naming_them", "those that do not name them"
    FOLLOWED_UP = "followed_up", "those of concerns that they follow up"
    SLT_INFORMED = "slt_informed", "those that SLT was informed of"
    NOT_BY_COUNSELLORS = "not_by_counsellors", "those not by a counsellor, without pupils, notes and reasons"
    REMAINING = "remaining", "all; to resolve, those that no Head of Year or House owns"
    NOT_CONFIDENTIAL = "not_confidential", "all but what is confidential"
    WITH_NAMES = "with_names", "all, with the names of staff"
    WITHOUT_NAMES = "without_names", "all, without names"
    WITHOUT_NARRATIVE = "without_narrative", "level, age and owner, without the narrative"
    WITH_SESSIONS = "with_sessions", "figures of the whole school, with sessions"
    ANY_DAYS = "any_days", "figures of the whole school, for any days"
    TERM_SO_FAR = "term_so_far", "figures of the whole school, for the term so far"
    IN_THREES = "in_threes", "figures of whole terms, in steps of three"
    FIGURES = "figures", "figures"


class Page(Labelled):
    """A page. It is open to everybody who may see any of its `resource`."""

    def __init__(self, _word: str, _label: str = "", resource: Resource = Resource.SESSIONS) -> None:
        self.resource = resource

    OVERVIEW = "overview", "Overview", Resource.OVERVIEW
    SESSIONS = "sessions", "Sessions", Resource.SESSIONS
    LOG = "log", "Log a session", Resource.LOGS
    PLAN = "plan", "Plan a session", Resource.PLANS
    CONCERNS = "concerns", "Concerns", Resource.RAISED_CONCERNS
    PARENTS = "parents", "Parents", Resource.PARENT_REGISTERS
    PROTOCOL = "protocol", "Protocol", Resource.PROTOCOL_FIGURES
    ADMINISTRATION = "administration", "Administration", Resource.ROSTER


Grants = Mapping[Resource, Scope]

# What every member of staff may see, whatever their roles.
STAFF_GRANTS: Grants = {
    Resource.SESSIONS: Scope.OWN,
    Resource.COUNSELLING_SESSIONS: Scope.OWN,
    Resource.LOGS: Scope.OWN,
    Resource.PLANS: Scope.OWN,
    Resource.DIRECTORY: Scope.ALL,
    Resource.PROTOCOL_FIGURES: Scope.TERM_SO_FAR,
    Resource.BREACHES: Scope.OWN,
    Resource.RAISED_CONCERNS: Scope.OWN,
    Resource.CONCERN_ACTIONS: Scope.OWN,
    Resource.PARENT_REGISTERS: Scope.OWN,
    Resource.PUPILS: Scope.OWN,
    Resource.SPOT_CHECKS: Scope.OWN,
}


@dataclass(frozen=True)
class RoleEntry:
    """A role.

    - `word`: its name on the roster
    - `grants`: what it may see besides STAFF_GRANTS
    - `first_page`: the page that opens first; None if it is the same as for every member of staff
    - `has_pupils`: whether it works with pupils other than by counselling
    - `welsh`: its label in letters written in Welsh
    """

    word: str
    label: str
    grants: Grants = field(default_factory=dict)
    first_page: Page | None = None
    has_pupils: bool = False
    welsh: str = "Aelod o staff"


class Role(StrEnum):
    """The roles of the roster. To add a role, add an entry here. The order matters: of somebody's roles, the one listed
    first here is the one by which they are described."""

    label: str
    grants: Grants
    first_page: Page | None
    has_pupils: bool
    welsh: str

    def __new__(cls, entry: RoleEntry) -> Self:
        role = str.__new__(cls, entry.word)
        role._value_ = entry.word
        role.label, role.grants = entry.label, entry.grants
        role.first_page, role.has_pupils, role.welsh = entry.first_page, entry.has_pupils, entry.welsh
        return role

    SENIOR_DEPUTY_HEAD = RoleEntry(
        "senior_deputy_head",
        "Senior Deputy Head (Pastoral)",
        grants={
            Resource.SESSIONS: Scope.ALL,
            Resource.COUNSELLING_SESSIONS: Scope.NOT_BY_COUNSELLORS,
            Resource.COUNSELLING_COUNT: Scope.IN_THREES,
            Resource.OVERVIEW: Scope.WITH_NAMES,
            Resource.PROTOCOL_FIGURES: Scope.ANY_DAYS,
            Resource.WHAT_IF: Scope.WITH_SESSIONS,
            Resource.REPEATED_ONE_TO_ONES: Scope.ALL,
            Resource.BREACHES: Scope.REMAINING,
            Resource.BREACH_COUNTS: Scope.ALL,
            Resource.RESOLUTION_FIGURES: Scope.FIGURES,
            Resource.CONCERNS: Scope.ALL,
            Resource.CONDUCT_CONCERNS: Scope.NOT_NAMING_THEM,
            Resource.CONCERN_ACTIONS: Scope.FOLLOWED_UP,
            Resource.LINKABLE_SESSIONS: Scope.FOLLOWED_UP,
            Resource.OLDEST_CONCERN: Scope.WITHOUT_NARRATIVE,
            Resource.PARENT_REGISTERS: Scope.ALL,
            Resource.PUPILS: Scope.ALL,
            Resource.REGISTER_FIGURES: Scope.FIGURES,
            Resource.PUPIL_POLICIES: Scope.ALL,
            Resource.AUDIT_CHECK: Scope.ALL,
            Resource.ROLE_CHANGES: Scope.ALL,
            Resource.PROTOCOL_SETTINGS: Scope.ALL,
            Resource.PROTOCOL_FILE: Scope.ALL,
            Resource.REMOTE_PUPILS: Scope.ALL,
            Resource.CONFIRMATIONS: Scope.ALL,
            Resource.SPOT_CHECKS: Scope.REMAINING,
        },
        first_page=Page.OVERVIEW,
        has_pupils=True,
        welsh="Uwch Ddirprwy Bennaeth (Bugeiliol)",
    )
    HOY = RoleEntry(
        "hoy",
        "Head of Year",
        grants={
            Resource.SESSIONS: Scope.YEAR_GROUPS,
            Resource.BREACHES: Scope.YEAR_GROUPS,
            Resource.CONCERNS: Scope.SHARED,
            Resource.PARENT_REGISTERS: Scope.YEAR_GROUPS,
            Resource.PUPILS: Scope.YEAR_GROUPS,
            Resource.REMOTE_PUPILS: Scope.YEAR_GROUPS,
            Resource.SPOT_CHECKS: Scope.YEAR_GROUPS,
        },
        first_page=Page.SESSIONS,
        has_pupils=True,
        welsh="Pennaeth Blwyddyn",
    )
    HM = RoleEntry(
        "hm",
        "Head of House",
        grants={
            Resource.SESSIONS: Scope.HOUSES,
            Resource.BREACHES: Scope.HOUSES,
            Resource.CONCERNS: Scope.SHARED,
            Resource.PARENT_REGISTERS: Scope.HOUSES,
            Resource.PUPILS: Scope.HOUSES,
            Resource.REMOTE_PUPILS: Scope.HOUSES,
            Resource.SPOT_CHECKS: Scope.HOUSES,
        },
        first_page=Page.SESSIONS,
        has_pupils=True,
        welsh="Pennaeth Tŷ",
    )
    TUTOR = RoleEntry("tutor", "Tutor", has_pupils=True, welsh="Tiwtor")
    COUNSELLOR = RoleEntry("counsellor", "Counsellor")
    DSP = RoleEntry(
        "dsp",
        "DSP",
        grants={
            Resource.SESSIONS: Scope.LINKED_TO_CONCERN,
            Resource.REPEATED_ONE_TO_ONES: Scope.OWN_SCHOOL,
            Resource.CONCERNS: Scope.OWN_SCHOOL,
            Resource.CONDUCT_CONCERNS: Scope.NOT_NAMING_THEM,
            Resource.CONCERN_ACTIONS: Scope.FOLLOWED_UP,
            Resource.LINKABLE_SESSIONS: Scope.FOLLOWED_UP,
            Resource.SUBJECT_ACCESS: Scope.OWN_SCHOOL,
            Resource.ROLE_CHANGES: Scope.ALL,
        },
        first_page=Page.CONCERNS,
    )
    SLT = RoleEntry(
        "slt",
        "SLT",
        grants={
            Resource.COUNSELLING_COUNT: Scope.IN_THREES,
            Resource.OVERVIEW: Scope.WITHOUT_NAMES,
            Resource.PROTOCOL_FIGURES: Scope.ANY_DAYS,
            Resource.WHAT_IF: Scope.FIGURES,
            Resource.RESOLUTION_FIGURES: Scope.FIGURES,
            Resource.PARENT_REGISTERS: Scope.SLT_INFORMED,
            Resource.REGISTER_FIGURES: Scope.FIGURES,
            Resource.PUPIL_POLICIES: Scope.FIGURES,
            Resource.AUDIT_CHECK: Scope.ALL,
            Resource.CONFIRMATIONS: Scope.FIGURES,
        },
        first_page=Page.OVERVIEW,
    )
    ADMIN = RoleEntry(
        "admin",
        "ICT administrator",
        grants={
            Resource.PUPIL_POLICIES: Scope.ALL,
            Resource.ROSTER: Scope.ALL,
            Resource.IMPORTS: Scope.ALL,
            Resource.REJECTED_ROWS: Scope.NOT_CONFIDENTIAL,
            Resource.SYNC: Scope.NOT_CONFIDENTIAL,
            Resource.ALERTS: Scope.NOT_CONFIDENTIAL,
            Resource.AUDIT_TRAIL: Scope.NOT_CONFIDENTIAL,
            Resource.AUDIT_CHECK: Scope.ALL,
            Resource.ENCRYPTION_KEYS: Scope.FIGURES,
            Resource.PROTOCOL_FILE: Scope.ALL,
        },
        first_page=Page.ADMINISTRATION,
    )
    TEACHER = RoleEntry("teacher", "Teacher", has_pupils=True, welsh="Athro/Athrawes")
    MUSIC_TEACHER = RoleEntry("music_teacher", "Music teacher", has_pupils=True, welsh="Tiwtor Cerdd")
