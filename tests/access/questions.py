"""Every question that can be asked about people's data."""

from dataclasses import replace

import pandas as pd

from app.access.administration import (
    count_encrypted_values,
    count_rejected_rows,
    get_audit_trail,
    get_roster,
    list_imports,
    list_rejected_rows,
    list_resolved_rows,
    list_role_changes,
    verify_audit_trail,
)
from app.access.breaches import (
    count_breaches_by_owner,
    count_sessions_breached_since,
    count_sessions_to_resolve,
    get_session_breaches,
    list_breaches_to_explain,
    list_breaches_to_resolve,
    list_open_breaches,
)
from app.access.concern_detail import get_chronology, get_concern, list_conduct_team
from app.access.concerns import (
    get_oldest_concern,
    list_actions_to_do,
    list_concerns,
    list_leaders_to_share_with,
    list_own_concerns,
    list_pupils_on_record,
)
from app.access.confirmations import count_confirmations, find_version_to_confirm, list_confirmations
from app.access.forms import (
    get_draft,
    get_draft_time,
    get_own_log,
    list_calls_to_log,
    list_dsps,
    list_logs_to_confirm,
    list_pupils_to_choose,
    list_staff_to_choose,
)
from app.access.linked_sessions import list_sessions_to_link
from app.access.overview import count_counselling_sessions, get_overview, get_protocol_figures, list_late_consents
from app.access.parents import (
    count_consent_contacts,
    get_consent_history,
    list_consent_emails,
    list_consents,
    list_letter_emails,
    list_letters_by_day,
    list_letters_sent,
    may_answer_consent,
)
from app.access.plans import list_plans
from app.access.policy import NotAllowedError, Person
from app.access.protocol_settings import list_decisions, list_entries, list_groups, list_history
from app.access.pupil_policies import get_pupil_policies
from app.access.pupils import count_unlogged_by_person, get_pupil, list_pupils, list_pupils_with_counts, list_tutors
from app.access.remote_pupils import list_remote_learning, may_enter_remote_learning
from app.access.repeats import list_repeats
from app.access.reporting import check_audit_trail, count_by_deadline, count_registers, count_resolved_breaches
from app.access.session_detail import get_session
from app.access.sessions import (
    holds_sessions,
    list_session_pupils,
    list_sessions,
    list_sessions_of_pupil,
    list_unlogged_calls,
)
from app.access.spot_checks import (
    count_spot_checks,
    get_spot_check,
    list_answered_spot_checks,
    list_spot_check_seeds,
    list_spot_checks,
    list_spot_checks_to_explain,
)
from app.access.what_if import run_what_if
from app.operations.alerts import get_alerts_view
from app.operations.sync import get_sync_state
from app.reports.subject_access import create_subject_access_file
from app.school import School
from app.settings import replace_figures
from app.store.concerns import CONDUCT
from tests.access.school import EVER, LAST_WEEK, NUMBER, PUPILS, TERM, at_hour, concern_refs, conduct_refs, consent_ids

# Those of the counsellor's, and one of each kind of others: each takes a quarter of a second for each person.
_ASKED = [n for name, n in NUMBER.items() if "counsel" in name or name in ("aled", "carys unlogged")]


def answer_everything(school: School, person: Person) -> dict[str, str]:
    """All that the person can learn of sessions, concerns and imports, by every question there is."""
    answers = {}
    for name, ask in QUESTIONS.items():
        try:
            answers[name] = as_text(ask(school, person))
        except NotAllowedError as refused:
            answers[name] = str(refused)
    return answers


QUESTIONS = {
    "get_overview": lambda school, person: get_overview(school, person, EVER),
    "get_protocol_figures": lambda school, person: get_protocol_figures(school, person, EVER),
    "list_sessions": lambda school, person: list_sessions(school, person, EVER),
    "holds_sessions": holds_sessions,
    "list_unlogged_calls": lambda school, person: list_unlogged_calls(school, person, EVER),
    "list_session_pupils": lambda school, person: list_session_pupils(school, person, EVER),
    "list_sessions_of_pupil": lambda school, person: [list_sessions_of_pupil(school, person, n) for n in PUPILS],
    "list_pupils_with_counts": lambda school, person: list_pupils_with_counts(school, person, EVER),
    "list_tutors": lambda school, person: list_tutors(school, person, EVER),
    "count_unlogged_by_person": lambda school, person: count_unlogged_by_person(school, person, EVER),
    "get_session": lambda school, person: [get_session(school, person, n) for n in _ASKED],
    "list_calls_to_log": list_calls_to_log,
    "list_logs_to_confirm": list_logs_to_confirm,
    "get_own_log": lambda school, person: [get_own_log(school, person, f"L-{n}") for n in NUMBER.values()],
    "get_draft": lambda school, person: [get_draft(school, person, form) for form in ("log", "plan")],
    "get_draft_time": lambda school, person: [get_draft_time(school, person, form) for form in ("log", "plan")],
    "list_plans": list_plans,
    "list_concerns": list_concerns,
    "get_concern": lambda school, person: [get_concern(school, person, ref) for ref in concern_refs(school)],
    "get_oldest_concern": get_oldest_concern,
    "create_subject_access_file": lambda school, person: [
        create_subject_access_file(school, person, n) for n in PUPILS
    ],
    "list_own_concerns": list_own_concerns,
    "list_actions_to_do": list_actions_to_do,
    "get_chronology": lambda school, person: [get_chronology(school, person, n) for n in PUPILS],
    "list_sessions_to_link": lambda school, person: [
        list_sessions_to_link(school, person, ref) for ref in concern_refs(school)
    ],
    "list_conduct_concerns": lambda school, person: list_concerns(school, person, CONDUCT),
    "conduct_concern": lambda school, person: [
        found for ref in conduct_refs(school) if (found := get_concern(school, person, ref))
    ],
    "list_conduct_team": lambda school, person: [
        found for ref in conduct_refs(school) if (found := list_conduct_team(school, person, ref))
    ],
    "list_own_conduct_concerns": lambda school, person: list_own_concerns(school, person, CONDUCT),
    "list_late_consents": lambda school, person: list_late_consents(school, person, EVER),
    "list_imports": list_imports,
    "get_sync_state": get_sync_state,
    "get_audit_trail": get_audit_trail,
    "list_rejected_rows": list_rejected_rows,
    "count_rejected_rows": count_rejected_rows,
    "list_resolved_rows": list_resolved_rows,
    # The head is encrypted, and different each time.
    "verify_audit_trail": lambda school, person: replace(verify_audit_trail(school, person), head="noted"),
    "count_counselling_sessions": count_counselling_sessions,
    "get_alerts_view": get_alerts_view,
}


QUESTIONS |= {
    "list_breaches_to_resolve": list_breaches_to_resolve,
    "count_sessions_to_resolve": count_sessions_to_resolve,
    "list_breaches_to_explain": list_breaches_to_explain,
    "list_open_breaches": list_open_breaches,
    "count_breaches_by_owner": count_breaches_by_owner,
    "count_sessions_breached_since": lambda school, person: [
        count_sessions_breached_since(school, person, at_hour(LAST_WEEK), n) for n in NUMBER.values()
    ],
    "list_repeats": lambda school, person: list_repeats(school, person, EVER),
    "run_what_if": lambda school, person: run_what_if(
        school, person, EVER, replace_figures(school.settings, {"academic_hours": ["09:00", "12:00"]})
    ),
    "get_session_breaches": lambda school, person: [get_session_breaches(school, person, n) for n in _ASKED],
}


QUESTIONS |= {
    "list_consents": list_consents,
    "get_consent_history": lambda school, person: [get_consent_history(school, person, n) for n in consent_ids(school)],
    "list_consent_emails": lambda school, person: [list_consent_emails(school, person, n) for n in consent_ids(school)],
    "count_consent_contacts": lambda school, person: [
        count_consent_contacts(school, person, n) for n in consent_ids(school)
    ],
    "list_letter_emails": list_letter_emails,
    "list_letters_by_day": list_letters_by_day,
    "list_letters_sent": list_letters_sent,
    "may_answer_consent": lambda school, person: [may_answer_consent(school, person, n) for n in consent_ids(school)],
    "count_resolved_breaches": lambda school, person: count_resolved_breaches(school, person, EVER),
    "count_by_deadline": lambda school, person: count_by_deadline(school, person, EVER),
    "count_registers": lambda school, person: count_registers(school, person, TERM),
    "check_audit_trail": check_audit_trail,
    "find_version_to_confirm": find_version_to_confirm,
    "list_confirmations": list_confirmations,
    "count_confirmations": count_confirmations,
    "list_spot_checks": list_spot_checks,
    "list_answered_spot_checks": list_answered_spot_checks,
    "list_spot_checks_to_explain": list_spot_checks_to_explain,
    "get_spot_check": lambda school, person: [get_spot_check(school, person, n) for n in NUMBER.values()],
    "count_spot_checks": lambda school, person: count_spot_checks(school, person, EVER),
    "list_spot_check_seeds": list_spot_check_seeds,
    "list_remote_learning": list_remote_learning,
    "may_enter_remote_learning": lambda school, person: [may_enter_remote_learning(school, person, n) for n in PUPILS],
    "list_role_changes": list_role_changes,
    "list_entries": list_entries,
    "list_history": list_history,
    "list_decisions": lambda school, person: list_decisions(school, person, EVER),
}


# Who is at the school, whatever they do.
DIRECTORY = {
    "list_groups": list_groups,
    "count_encrypted_values": count_encrypted_values,
    "get_pupil_policies": get_pupil_policies,
    "get_roster": get_roster,
    "list_pupils": list_pupils,
    "get_pupil": lambda school, person: [get_pupil(school, person, n) for n in PUPILS],
    "list_pupils_to_choose": list_pupils_to_choose,
    "list_staff_to_choose": list_staff_to_choose,
    "list_dsps": list_dsps,
    "list_pupils_on_record": list_pupils_on_record,
    "list_leaders_to_share_with": list_leaders_to_share_with,
}


def as_text(told: object) -> str:
    with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.max_colwidth", None):
        return str(told.to_dict() if isinstance(told, pd.DataFrame) else told)
