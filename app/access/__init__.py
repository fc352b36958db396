"""Who sees what: every question about people's data is asked here, and nowhere else.

Each function takes the school and the person who asks and answers only with what that person may see;
the filter stands in the query itself. Who holds a role is decided by the roster in force today, whose
tutor or pupil somebody was by the one in force on the session's day. TABLE says in words what the
functions do, and they look it up there.

Counselling: a confidential session is left out of everything for everybody but the member of staff who
conducted it, so that no filter and no difference of two figures tells of one. The one exception is a
session logged as counselling by somebody who is no counsellor: the Senior Deputy Head sees that it took
place, without pupils, notes and reasons. `counselling_counts` is the only figure there is.

Times in frames are in school time. A question that the person may not ask at all raises NotAllowed.
"""

from app.access.administration import (
    Trail,
    audit_trail,
    imports,
    note,
    refused_rows,
    roster,
    sealed,
    settled_rows,
    sync,
    sync_now,
    verify_trail,
)
from app.access.alerting import AlertsView, alerts, send_alerts, unread_concerns, waiting_for_each
from app.access.exceptions import (
    ExceptionsView,
    exceptions_of,
    exceptions_to_explain,
    exceptions_to_settle,
    exceptions_unsettled,
    exceptions_waiting,
)
from app.access.figures import counselling_counts, late_consents, overview, protocol_figures, sessions, unlogged
from app.access.forms import (
    CONCERN_DRAFT,
    CONDUCT_DRAFT,
    calls_to_log,
    draft,
    keep_draft,
    own_log,
    pupils_to_choose,
    staff_to_choose,
)
from app.access.lives import BY_ITSELF, FIELDS, Action, Entry
from app.access.one_session import SessionView, session
from app.access.parents import consent_history, consents, letters_by_day, letters_sent, may_answer_consent
from app.access.people import (
    COUNSELLING,
    OTHER_PURPOSES,
    PAGES,
    ROLES,
    STAFF,
    TABLE,
    UNDER,
    WITHHELD,
    WITHHELD_ABOUT,
    Days,
    NotAllowed,
    Person,
    demonstration_people,
    may_open,
    person,
    revision,
    sees,
)
from app.access.plans import plans
from app.access.repeats import REPEATS, Repeats, repeats
from app.access.reporting import exceptions_ended, registers, trail_holds
from app.access.safeguarding import (
    ConcernView,
    actions_to_do,
    chronology,
    concern,
    concerns_list,
    conduct_list,
    conduct_team,
    entries_about,
    everything_held,
    leaders_to_share_with,
    oldest_concern,
    own_concerns,
    own_conduct_concerns,
    pupils_held,
    sessions_to_link,
)
from app.access.scope import confidential, ever_counsellor, is_counselling
from app.access.what_if import what_if

__all__ = [
    "BY_ITSELF",
    "CONCERN_DRAFT",
    "CONDUCT_DRAFT",
    "COUNSELLING",
    "FIELDS",
    "OTHER_PURPOSES",
    "PAGES",
    "REPEATS",
    "ROLES",
    "STAFF",
    "TABLE",
    "UNDER",
    "WITHHELD",
    "WITHHELD_ABOUT",
    "Action",
    "AlertsView",
    "ConcernView",
    "Days",
    "Entry",
    "ExceptionsView",
    "NotAllowed",
    "Person",
    "Repeats",
    "SessionView",
    "Trail",
    "actions_to_do",
    "alerts",
    "audit_trail",
    "calls_to_log",
    "chronology",
    "concern",
    "concerns_list",
    "conduct_list",
    "conduct_team",
    "confidential",
    "consent_history",
    "consents",
    "counselling_counts",
    "demonstration_people",
    "draft",
    "entries_about",
    "ever_counsellor",
    "everything_held",
    "exceptions_ended",
    "exceptions_of",
    "exceptions_to_explain",
    "exceptions_to_settle",
    "exceptions_unsettled",
    "exceptions_waiting",
    "imports",
    "is_counselling",
    "keep_draft",
    "late_consents",
    "leaders_to_share_with",
    "letters_by_day",
    "letters_sent",
    "may_answer_consent",
    "may_open",
    "note",
    "oldest_concern",
    "overview",
    "own_concerns",
    "own_conduct_concerns",
    "own_log",
    "person",
    "plans",
    "protocol_figures",
    "pupils_held",
    "pupils_to_choose",
    "refused_rows",
    "registers",
    "repeats",
    "revision",
    "roster",
    "sealed",
    "sees",
    "send_alerts",
    "session",
    "sessions",
    "sessions_to_link",
    "settled_rows",
    "staff_to_choose",
    "sync",
    "sync_now",
    "trail_holds",
    "unlogged",
    "unread_concerns",
    "verify_trail",
    "waiting_for_each",
    "what_if",
]
