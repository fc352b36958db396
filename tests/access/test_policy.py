"""Roles, pages and grants."""

import pytest

from app.access.policy import NotAllowedError, Person, list_grants, may_open
from app.school import School
from app.vocabulary.roles import Page, Resource, Role
from tests.access.questions import DIRECTORY, QUESTIONS
from tests.access.school import ID, someone

PAGES_OF_STAFF = {"sessions", "log", "plan", "concerns", "parents", "protocol"}


@pytest.mark.parametrize("name", ID)
def test_may_open_depends_on_the_role(school: School, name: str) -> None:
    more = {"sdh": {"overview"}, "slt": {"overview"}, "admin": {"administration"}}
    person = someone(school, name)
    assert {page for page in Page if may_open(person, page)} == PAGES_OF_STAFF | more.get(name, set())


ASKED = {
    Resource.OVERVIEW: "get_overview",
    Resource.COUNSELLING_COUNT: "count_counselling_sessions",
    Resource.OLDEST_CONCERN: "get_oldest_concern",
    Resource.IMPORTS: "list_imports",
    Resource.SYNC: "get_sync_state",
    Resource.AUDIT_TRAIL: "get_audit_trail",
    Resource.REJECTED_ROWS: "list_rejected_rows",
    Resource.ENCRYPTION_KEYS: "count_encrypted_values",
    Resource.PUPIL_POLICIES: "get_pupil_policies",
    Resource.ROSTER: "get_roster",
    Resource.DIRECTORY: "list_pupils_to_choose",
    Resource.PROTOCOL_FIGURES: "get_protocol_figures",
    Resource.BREACHES: "list_breaches_to_resolve",
    Resource.BREACH_COUNTS: "count_breaches_by_owner",
    Resource.RESOLUTION_FIGURES: "count_resolved_breaches",
    Resource.REGISTER_FIGURES: "count_registers",
    Resource.AUDIT_CHECK: "check_audit_trail",
    Resource.ALERTS: "get_alerts_view",
    Resource.WHAT_IF: "run_what_if",
    Resource.REPEATED_ONE_TO_ONES: "list_repeats",
    Resource.PLANS: "list_plans",
    Resource.CONCERNS: "list_concerns",
    Resource.CONDUCT_CONCERNS: "list_conduct_concerns",
    Resource.LINKABLE_SESSIONS: "list_leaders_to_share_with",
    Resource.SUBJECT_ACCESS: "list_pupils_on_record",
    Resource.PARENT_REGISTERS: "list_letters_sent",
    Resource.PUPILS: "list_pupils",
    Resource.PROTOCOL_SETTINGS: "list_history",
    Resource.CONFIRMATIONS: "count_confirmations",
    Resource.ROLE_CHANGES: "list_role_changes",
}


@pytest.mark.parametrize("role", Role)
def test_require_accepts_anybody_with_a_grant(school: School, role: Role) -> None:
    person = Person(99, "x@habs.example", "X", "SEN", "Music", frozenset({role}), frozenset(), frozenset())
    for resource, name in ASKED.items():
        ask = QUESTIONS.get(name) or DIRECTORY[name]
        if any(granted in (role, None) for granted, _ in list_grants(resource)):
            ask(school, person)
        else:
            with pytest.raises(NotAllowedError, match=resource.label):
                ask(school, person)
