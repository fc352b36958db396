"""All tables: `from app.store import tables`, then `tables.staff`."""

from app.store.tables import triggers
from app.store.tables.change_triggers import is_recorded, start_recording, stop_recording
from app.store.tables.columns import EPOCH, Instant, as_stored, metadata
from app.store.tables.meetings import calendar_events, calendar_invited, meeting_links, pupil_policies
from app.store.tables.operations import (
    alerts,
    audit,
    graph_sources,
    import_changes,
    imports,
    leases,
    mappings,
    meta,
    quarantine,
    sync_runs,
    sync_seen,
)
from app.store.tables.parents import consent_events, consents, family_emails, letters, letters_struck
from app.store.tables.people import (
    drafts,
    former_emails,
    pupil_versions,
    pupils,
    schools,
    sign_ins,
    staff,
    staff_versions,
)
from app.store.tables.protocol import confirmations, protocol_entries, remote_pupils, spot_checks
from app.store.tables.safeguarding import (
    CONDUCT_TABLES,
    concern_events,
    concern_pupils,
    concern_sessions,
    concerns,
    conduct_concerns,
    conduct_events,
    conduct_named,
    conduct_pupils,
    conduct_sessions,
)
from app.store.tables.session_records import (
    LONG_CALL,
    breach_events,
    breaches,
    call_listed,
    call_originals,
    call_stays,
    call_videos,
    calls,
    calls_dropped,
    clause_sets,
    log_invited,
    log_pupils,
    logs,
    plan_invited,
    plan_pupils,
    plans,
    recordings,
    session_calls,
    session_days,
    session_pupils,
    sessions,
)
