-- The tables, functions and triggers of version 0.1.0 on PostgreSQL; the rows are in 0.1.0.sql.
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE audit (
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by VARCHAR(320) NOT NULL,
    what VARCHAR(40) NOT NULL,
    about TEXT NOT NULL,
    hash VARCHAR(64) NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
);
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_audit_what ON audit (what, by, at);
CREATE TABLE calls_dropped (
    key VARCHAR(64) NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_calls_dropped PRIMARY KEY (key)
);
CREATE TABLE exceptions (
    id BIGSERIAL NOT NULL,
    session_id BIGINT NOT NULL,
    clause VARCHAR(40) NOT NULL,
    opened_at BIGINT NOT NULL,
    state VARCHAR(12) NOT NULL,
    CONSTRAINT pk_exceptions PRIMARY KEY (id),
    CONSTRAINT uq_exceptions_session_id UNIQUE (session_id, clause)
);
CREATE INDEX ix_exceptions_state ON exceptions (state);
CREATE TABLE leases (
    name VARCHAR(40) NOT NULL,
    holder VARCHAR(200) NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT pk_leases PRIMARY KEY (name)
);
CREATE TABLE meta (
    key VARCHAR(40) NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_meta PRIMARY KEY (key)
);
CREATE TABLE pupils (
    id BIGSERIAL NOT NULL,
    email VARCHAR(320) NOT NULL,
    entra_id VARCHAR(100),
    CONSTRAINT pk_pupils PRIMARY KEY (id),
    CONSTRAINT uq_pupils_email UNIQUE (email),
    CONSTRAINT uq_pupils_entra_id UNIQUE (entra_id)
);
CREATE TABLE recordings (
    id VARCHAR(1000) NOT NULL,
    call_id VARCHAR(100),
    organiser_id VARCHAR(200),
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    CONSTRAINT pk_recordings PRIMARY KEY (id)
);
CREATE INDEX ix_recordings_call_id ON recordings (call_id);
CREATE TABLE schools (
    code VARCHAR(40) NOT NULL,
    name TEXT NOT NULL,
    senior BOOLEAN NOT NULL,
    email_domain TEXT NOT NULL,
    CONSTRAINT pk_schools PRIMARY KEY (code)
);
CREATE TABLE session_days (
    day DATE NOT NULL,
    packed BYTEA,
    CONSTRAINT pk_session_days PRIMARY KEY (day)
);
CREATE TABLE sign_ins (
    key VARCHAR(64) NOT NULL,
    seen_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    CONSTRAINT pk_sign_ins PRIMARY KEY (key)
);
CREATE TABLE staff (
    id BIGSERIAL NOT NULL,
    email VARCHAR(320) NOT NULL,
    entra_id VARCHAR(100),
    CONSTRAINT pk_staff PRIMARY KEY (id),
    CONSTRAINT uq_staff_email UNIQUE (email),
    CONSTRAINT uq_staff_entra_id UNIQUE (entra_id)
);
CREATE TABLE sync_put_aside (
    kind VARCHAR(40) NOT NULL,
    ref VARCHAR(200) NOT NULL,
    why TEXT NOT NULL,
    content BYTEA,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    CONSTRAINT pk_sync_put_aside PRIMARY KEY (kind, ref)
);
CREATE TABLE sync_runs (
    id BIGSERIAL NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    complete_until BIGINT,
    lost_from BIGINT,
    lost_to BIGINT,
    listed INTEGER NOT NULL,
    fetched INTEGER NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    put_aside INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    recordings INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    trouble TEXT,
    CONSTRAINT pk_sync_runs PRIMARY KEY (id)
);
CREATE TABLE sync_seen (
    id VARCHAR(64) NOT NULL,
    stamp VARCHAR(64) NOT NULL,
    seen_at BIGINT NOT NULL,
    CONSTRAINT pk_sync_seen PRIMARY KEY (id)
);
CREATE INDEX ix_sync_seen_seen_at ON sync_seen (seen_at);
CREATE TABLE alerts (
    id BIGSERIAL NOT NULL,
    key VARCHAR(200) NOT NULL,
    "to" BIGINT,
    kind VARCHAR(40) NOT NULL,
    about TEXT NOT NULL,
    words TEXT,
    confidential BOOLEAN NOT NULL,
    queued_at BIGINT NOT NULL,
    state VARCHAR(12) NOT NULL,
    next_try_at BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    trouble TEXT,
    sent_at BIGINT,
    CONSTRAINT pk_alerts PRIMARY KEY (id),
    CONSTRAINT fk_alerts_to FOREIGN KEY("to") REFERENCES staff (id),
    CONSTRAINT uq_alerts_key UNIQUE (key)
);
CREATE INDEX ix_alerts_state ON alerts (state);
CREATE TABLE calls (
    id VARCHAR(100) NOT NULL,
    version BIGINT NOT NULL,
    type VARCHAR(40) NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    organiser_id VARCHAR(200),
    organiser_tenant VARCHAR(100),
    organiser_staff_id BIGINT,
    channel BOOLEAN NOT NULL,
    reader INTEGER NOT NULL,
    stored_at BIGINT NOT NULL,
    CONSTRAINT pk_calls PRIMARY KEY (id),
    CONSTRAINT fk_calls_organiser_staff_id FOREIGN KEY(organiser_staff_id) REFERENCES staff (id)
);
CREATE INDEX ix_calls_started_at ON calls (started_at);
CREATE TABLE concerns (
    id BIGSERIAL NOT NULL,
    ref VARCHAR(200) NOT NULL,
    raised_by BIGINT,
    raised_at BIGINT NOT NULL,
    happened_at BIGINT,
    summary TEXT NOT NULL,
    childs_words TEXT,
    told_dsp BOOLEAN,
    categories TEXT NOT NULL,
    place TEXT,
    CONSTRAINT pk_concerns PRIMARY KEY (id),
    CONSTRAINT fk_concerns_raised_by FOREIGN KEY(raised_by) REFERENCES staff (id),
    CONSTRAINT uq_concerns_ref UNIQUE (ref)
);
CREATE TABLE conduct_concerns (
    id BIGSERIAL NOT NULL,
    ref VARCHAR(200) NOT NULL,
    raised_by BIGINT,
    raised_at BIGINT NOT NULL,
    happened_at BIGINT,
    place TEXT,
    summary TEXT NOT NULL,
    childs_words TEXT,
    told_dsp BOOLEAN,
    categories TEXT NOT NULL,
    CONSTRAINT pk_conduct_concerns PRIMARY KEY (id),
    CONSTRAINT fk_conduct_concerns_raised_by FOREIGN KEY(raised_by) REFERENCES staff (id),
    CONSTRAINT uq_conduct_concerns_ref UNIQUE (ref)
);
CREATE TABLE consents (
    id BIGSERIAL NOT NULL,
    pupil_id BIGINT NOT NULL,
    kind VARCHAR(40) NOT NULL,
    covers_from BIGINT NOT NULL,
    covers_to BIGINT NOT NULL,
    reason TEXT,
    fingerprint VARCHAR(64) NOT NULL,
    CONSTRAINT pk_consents PRIMARY KEY (id),
    CONSTRAINT fk_consents_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id),
    CONSTRAINT uq_consents_fingerprint UNIQUE (fingerprint)
);
CREATE INDEX ix_consents_pupil_id ON consents (pupil_id);
CREATE TABLE drafts (
    staff_id BIGINT NOT NULL,
    form VARCHAR(40) NOT NULL,
    content TEXT NOT NULL,
    saved_at BIGINT NOT NULL,
    CONSTRAINT pk_drafts PRIMARY KEY (staff_id, form),
    CONSTRAINT fk_drafts_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
CREATE TABLE exception_events (
    id BIGSERIAL NOT NULL,
    exception_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by BIGINT,
    kind VARCHAR(12) NOT NULL,
    how VARCHAR(20),
    text TEXT,
    CONSTRAINT pk_exception_events PRIMARY KEY (id),
    CONSTRAINT fk_exception_events_by FOREIGN KEY(by) REFERENCES staff (id),
    CONSTRAINT fk_exception_events_exception_id FOREIGN KEY(exception_id) REFERENCES exceptions (id)
);
CREATE INDEX ix_exception_events_exception_id ON exception_events (exception_id);
CREATE TABLE imports (
    id BIGSERIAL NOT NULL,
    kind VARCHAR(40) NOT NULL,
    source TEXT NOT NULL,
    at BIGINT NOT NULL,
    by BIGINT,
    read INTEGER NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    CONSTRAINT pk_imports PRIMARY KEY (id),
    CONSTRAINT fk_imports_by FOREIGN KEY(by) REFERENCES staff (id)
);
CREATE TABLE letters (
    id BIGSERIAL NOT NULL,
    pupil_id BIGINT NOT NULL,
    kind VARCHAR(40) NOT NULL,
    sent_on DATE NOT NULL,
    CONSTRAINT pk_letters PRIMARY KEY (id),
    CONSTRAINT fk_letters_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id),
    CONSTRAINT uq_letters_pupil_id UNIQUE (pupil_id, kind, sent_on)
);
CREATE TABLE letters_struck (
    id BIGSERIAL NOT NULL,
    pupil_id BIGINT NOT NULL,
    kind VARCHAR(40) NOT NULL,
    sent_on DATE NOT NULL,
    at BIGINT NOT NULL,
    by BIGINT NOT NULL,
    why TEXT NOT NULL,
    CONSTRAINT pk_letters_struck PRIMARY KEY (id),
    CONSTRAINT fk_letters_struck_by FOREIGN KEY(by) REFERENCES staff (id),
    CONSTRAINT fk_letters_struck_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
CREATE INDEX ix_letters_struck_pupil_id ON letters_struck (pupil_id);
CREATE TABLE logs (
    id BIGSERIAL NOT NULL,
    ref VARCHAR(200) NOT NULL,
    version INTEGER NOT NULL,
    current BOOLEAN NOT NULL,
    staff_id BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    purpose TEXT,
    platform TEXT,
    account TEXT,
    cameras_on TEXT,
    room TEXT,
    bedroom_reason TEXT,
    reason TEXT,
    recorded BOOLEAN,
    recording_announced BOOLEAN,
    recording_on_team BOOLEAN,
    cameras_off_offered BOOLEAN,
    private_recording BOOLEAN,
    staff_opened BOOLEAN,
    staff_ended BOOLEAN,
    pupil_left_alone BOOLEAN,
    dress_ok BOOLEAN,
    background_ok BOOLEAN,
    door_open BOOLEAN,
    adult_present BOOLEAN,
    adult_introduced BOOLEAN,
    adult_permission BOOLEAN,
    home_alone BOOLEAN,
    concern BOOLEAN,
    concern_summary TEXT,
    concern_category TEXT,
    notes TEXT,
    fingerprint VARCHAR(64) NOT NULL,
    entered_at BIGINT NOT NULL,
    entered_by BIGINT,
    why TEXT,
    CONSTRAINT pk_logs PRIMARY KEY (id),
    CONSTRAINT fk_logs_entered_by FOREIGN KEY(entered_by) REFERENCES staff (id),
    CONSTRAINT fk_logs_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
    CONSTRAINT uq_logs_ref UNIQUE (ref, version)
);
CREATE INDEX ix_logs_started_at ON logs (started_at);
CREATE TABLE plans (
    id BIGSERIAL NOT NULL,
    ref VARCHAR(40) NOT NULL,
    staff_id BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT,
    changes INTEGER NOT NULL,
    CONSTRAINT pk_plans PRIMARY KEY (id),
    CONSTRAINT fk_plans_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
    CONSTRAINT uq_plans_ref UNIQUE (ref)
);
CREATE INDEX ix_plans_staff_id ON plans (staff_id);
CREATE TABLE pupil_versions (
    id BIGSERIAL NOT NULL,
    pupil_id BIGINT NOT NULL,
    from_day DATE NOT NULL,
    name TEXT NOT NULL,
    school VARCHAR(40) NOT NULL,
    year_group VARCHAR(40) NOT NULL,
    house TEXT NOT NULL,
    tutor_id BIGINT,
    CONSTRAINT pk_pupil_versions PRIMARY KEY (id),
    CONSTRAINT fk_pupil_versions_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id),
    CONSTRAINT fk_pupil_versions_school FOREIGN KEY(school) REFERENCES schools (code),
    CONSTRAINT fk_pupil_versions_tutor_id FOREIGN KEY(tutor_id) REFERENCES staff (id),
    CONSTRAINT uq_pupil_versions_pupil_id UNIQUE (pupil_id, from_day)
);
CREATE TABLE staff_versions (
    id BIGSERIAL NOT NULL,
    staff_id BIGINT NOT NULL,
    from_day DATE NOT NULL,
    name TEXT NOT NULL,
    school VARCHAR(40) NOT NULL,
    department TEXT NOT NULL,
    roles TEXT NOT NULL,
    year_groups TEXT NOT NULL,
    houses TEXT NOT NULL,
    CONSTRAINT pk_staff_versions PRIMARY KEY (id),
    CONSTRAINT fk_staff_versions_school FOREIGN KEY(school) REFERENCES schools (code),
    CONSTRAINT fk_staff_versions_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
    CONSTRAINT uq_staff_versions_staff_id UNIQUE (staff_id, from_day)
);
CREATE TABLE call_listed (
    call_id VARCHAR(100) NOT NULL,
    person VARCHAR(200) NOT NULL,
    entra_id VARCHAR(200),
    upn VARCHAR(320),
    staff_id BIGINT,
    pupil_id BIGINT,
    CONSTRAINT pk_call_listed PRIMARY KEY (call_id, person),
    CONSTRAINT fk_call_listed_call_id FOREIGN KEY(call_id) REFERENCES calls (id),
    CONSTRAINT fk_call_listed_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id),
    CONSTRAINT fk_call_listed_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
CREATE TABLE call_originals (
    call_id VARCHAR(100) NOT NULL,
    original BYTEA NOT NULL,
    CONSTRAINT pk_call_originals PRIMARY KEY (call_id),
    CONSTRAINT fk_call_originals_call_id FOREIGN KEY(call_id) REFERENCES calls (id)
);
CREATE TABLE call_stays (
    id BIGSERIAL NOT NULL,
    call_id VARCHAR(100) NOT NULL,
    person VARCHAR(200) NOT NULL,
    kind VARCHAR(40) NOT NULL,
    entra_id VARCHAR(200),
    upn VARCHAR(320),
    tenant VARCHAR(100),
    staff_id BIGINT,
    pupil_id BIGINT,
    caller BOOLEAN NOT NULL,
    joined_at BIGINT NOT NULL,
    left_at BIGINT NOT NULL,
    CONSTRAINT pk_call_stays PRIMARY KEY (id),
    CONSTRAINT fk_call_stays_call_id FOREIGN KEY(call_id) REFERENCES calls (id),
    CONSTRAINT fk_call_stays_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id),
    CONSTRAINT fk_call_stays_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
CREATE INDEX ix_call_stays_call_id ON call_stays (call_id);
CREATE INDEX ix_call_stays_pupil_id ON call_stays (pupil_id);
CREATE TABLE call_videos (
    id BIGSERIAL NOT NULL,
    call_id VARCHAR(100) NOT NULL,
    person VARCHAR(200) NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    CONSTRAINT pk_call_videos PRIMARY KEY (id),
    CONSTRAINT fk_call_videos_call_id FOREIGN KEY(call_id) REFERENCES calls (id)
);
CREATE INDEX ix_call_videos_call_id ON call_videos (call_id);
CREATE TABLE concern_events (
    id BIGSERIAL NOT NULL,
    concern_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by BIGINT,
    kind VARCHAR(40) NOT NULL,
    level VARCHAR(40),
    told BIGINT,
    text TEXT,
    content TEXT,
    CONSTRAINT pk_concern_events PRIMARY KEY (id),
    CONSTRAINT fk_concern_events_by FOREIGN KEY(by) REFERENCES staff (id),
    CONSTRAINT fk_concern_events_concern_id FOREIGN KEY(concern_id) REFERENCES concerns (id),
    CONSTRAINT fk_concern_events_told FOREIGN KEY(told) REFERENCES staff (id)
);
CREATE INDEX ix_concern_events_concern_id ON concern_events (concern_id);
CREATE TABLE concern_pupils (
    concern_id BIGINT NOT NULL,
    pupil_id BIGINT NOT NULL,
    CONSTRAINT pk_concern_pupils PRIMARY KEY (concern_id, pupil_id),
    CONSTRAINT fk_concern_pupils_concern_id FOREIGN KEY(concern_id) REFERENCES concerns (id),
    CONSTRAINT fk_concern_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
CREATE INDEX ix_concern_pupils_pupil_id ON concern_pupils (pupil_id);
CREATE TABLE concern_sessions (
    id BIGSERIAL NOT NULL,
    concern_id BIGINT NOT NULL,
    log_ref VARCHAR(200),
    call_id VARCHAR(100),
    CONSTRAINT pk_concern_sessions PRIMARY KEY (id),
    CONSTRAINT fk_concern_sessions_concern_id FOREIGN KEY(concern_id) REFERENCES concerns (id)
);
CREATE INDEX ix_concern_sessions_call_id ON concern_sessions (call_id);
CREATE INDEX ix_concern_sessions_concern_id ON concern_sessions (concern_id);
CREATE INDEX ix_concern_sessions_log_ref ON concern_sessions (log_ref);
CREATE TABLE conduct_events (
    id BIGSERIAL NOT NULL,
    concern_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by BIGINT,
    kind VARCHAR(40) NOT NULL,
    level VARCHAR(40),
    told BIGINT,
    text TEXT,
    content TEXT,
    CONSTRAINT pk_conduct_events PRIMARY KEY (id),
    CONSTRAINT fk_conduct_events_by FOREIGN KEY(by) REFERENCES staff (id),
    CONSTRAINT fk_conduct_events_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id),
    CONSTRAINT fk_conduct_events_told FOREIGN KEY(told) REFERENCES staff (id)
);
CREATE INDEX ix_conduct_events_concern_id ON conduct_events (concern_id);
CREATE TABLE conduct_named (
    id BIGSERIAL NOT NULL,
    concern_id BIGINT NOT NULL,
    staff_id BIGINT,
    name TEXT,
    CONSTRAINT pk_conduct_named PRIMARY KEY (id),
    CONSTRAINT fk_conduct_named_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id),
    CONSTRAINT fk_conduct_named_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
CREATE INDEX ix_conduct_named_concern_id ON conduct_named (concern_id);
CREATE INDEX ix_conduct_named_staff_id ON conduct_named (staff_id);
CREATE TABLE conduct_pupils (
    concern_id BIGINT NOT NULL,
    pupil_id BIGINT NOT NULL,
    CONSTRAINT pk_conduct_pupils PRIMARY KEY (concern_id, pupil_id),
    CONSTRAINT fk_conduct_pupils_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id),
    CONSTRAINT fk_conduct_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
CREATE INDEX ix_conduct_pupils_pupil_id ON conduct_pupils (pupil_id);
CREATE TABLE conduct_sessions (
    id BIGSERIAL NOT NULL,
    concern_id BIGINT NOT NULL,
    log_ref VARCHAR(200),
    call_id VARCHAR(100),
    told TEXT NOT NULL,
    CONSTRAINT pk_conduct_sessions PRIMARY KEY (id),
    CONSTRAINT fk_conduct_sessions_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id)
);
CREATE INDEX ix_conduct_sessions_call_id ON conduct_sessions (call_id);
CREATE INDEX ix_conduct_sessions_concern_id ON conduct_sessions (concern_id);
CREATE INDEX ix_conduct_sessions_log_ref ON conduct_sessions (log_ref);
CREATE TABLE consent_events (
    id BIGSERIAL NOT NULL,
    consent_id BIGINT NOT NULL,
    kind VARCHAR(12) NOT NULL,
    at BIGINT NOT NULL,
    entered_at BIGINT,
    by BIGINT,
    parent TEXT,
    strikes BIGINT,
    why TEXT,
    CONSTRAINT pk_consent_events PRIMARY KEY (id),
    CONSTRAINT fk_consent_events_by FOREIGN KEY(by) REFERENCES staff (id),
    CONSTRAINT fk_consent_events_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id),
    CONSTRAINT fk_consent_events_strikes FOREIGN KEY(strikes) REFERENCES consent_events (id)
);
CREATE INDEX ix_consent_events_consent_id ON consent_events (consent_id);
CREATE TABLE log_invited (
    log_id BIGINT NOT NULL,
    email VARCHAR(320) NOT NULL,
    staff_id BIGINT,
    CONSTRAINT pk_log_invited PRIMARY KEY (log_id, email),
    CONSTRAINT fk_log_invited_log_id FOREIGN KEY(log_id) REFERENCES logs (id),
    CONSTRAINT fk_log_invited_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
CREATE TABLE log_pupils (
    log_id BIGINT NOT NULL,
    pupil_id BIGINT NOT NULL,
    CONSTRAINT pk_log_pupils PRIMARY KEY (log_id, pupil_id),
    CONSTRAINT fk_log_pupils_log_id FOREIGN KEY(log_id) REFERENCES logs (id),
    CONSTRAINT fk_log_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
CREATE INDEX ix_log_pupils_pupil_id ON log_pupils (pupil_id);
CREATE TABLE plan_invited (
    plan_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    CONSTRAINT pk_plan_invited PRIMARY KEY (plan_id, staff_id),
    CONSTRAINT fk_plan_invited_plan_id FOREIGN KEY(plan_id) REFERENCES plans (id),
    CONSTRAINT fk_plan_invited_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
CREATE TABLE plan_pupils (
    plan_id BIGINT NOT NULL,
    pupil_id BIGINT NOT NULL,
    CONSTRAINT pk_plan_pupils PRIMARY KEY (plan_id, pupil_id),
    CONSTRAINT fk_plan_pupils_plan_id FOREIGN KEY(plan_id) REFERENCES plans (id),
    CONSTRAINT fk_plan_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
CREATE INDEX ix_plan_pupils_pupil_id ON plan_pupils (pupil_id);
CREATE TABLE refused_rows (
    id BIGSERIAL NOT NULL,
    import_id BIGINT NOT NULL,
    kind VARCHAR(40) NOT NULL,
    source TEXT NOT NULL,
    row INTEGER NOT NULL,
    "column" TEXT,
    value TEXT,
    why TEXT NOT NULL,
    mend TEXT NOT NULL,
    original TEXT NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    settled_at BIGINT,
    settled_by BIGINT,
    settled_how VARCHAR(40),
    settled_why TEXT,
    CONSTRAINT pk_refused_rows PRIMARY KEY (id),
    CONSTRAINT fk_refused_rows_import_id FOREIGN KEY(import_id) REFERENCES imports (id),
    CONSTRAINT fk_refused_rows_settled_by FOREIGN KEY(settled_by) REFERENCES staff (id),
    CONSTRAINT uq_refused_rows_fingerprint UNIQUE (fingerprint)
);
CREATE TABLE sessions (
    id BIGSERIAL NOT NULL,
    log_id BIGINT,
    day DATE NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    minute SMALLINT NOT NULL,
    staff_id BIGINT,
    school VARCHAR(40),
    department TEXT,
    purpose TEXT,
    one_to_one BOOLEAN NOT NULL,
    confidential BOOLEAN NOT NULL,
    status VARCHAR(12) NOT NULL,
    disputed BOOLEAN NOT NULL,
    due_at BIGINT,
    codes VARCHAR(80) NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_log_id FOREIGN KEY(log_id) REFERENCES logs (id),
    CONSTRAINT fk_sessions_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id),
    CONSTRAINT uq_sessions_log_id UNIQUE (log_id)
);
CREATE INDEX ix_sessions_confidential ON sessions (confidential, day);
CREATE INDEX ix_sessions_day ON sessions (day);
CREATE INDEX ix_sessions_due_at ON sessions (due_at);
CREATE INDEX ix_sessions_staff_id ON sessions (staff_id, day);
CREATE TABLE session_calls (
    call_id VARCHAR(100) NOT NULL,
    session_id BIGINT NOT NULL,
    place SMALLINT NOT NULL,
    CONSTRAINT pk_session_calls PRIMARY KEY (call_id),
    CONSTRAINT fk_session_calls_call_id FOREIGN KEY(call_id) REFERENCES calls (id),
    CONSTRAINT fk_session_calls_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);
CREATE INDEX ix_session_calls_session_id ON session_calls (session_id);
CREATE TABLE session_pupils (
    session_id BIGINT NOT NULL,
    pupil_id BIGINT NOT NULL,
    CONSTRAINT pk_session_pupils PRIMARY KEY (session_id, pupil_id),
    CONSTRAINT fk_session_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id),
    CONSTRAINT fk_session_pupils_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);
CREATE INDEX ix_session_pupils_pupil_id ON session_pupils (pupil_id);
CREATE FUNCTION audit_only_added()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$ begin
        if tg_op = 'DELETE' then
            if old.id <= coalesce(
                (select split_part(value, ' ', 1)::bigint from meta where key = 'audit_anchor'), 0
            ) then
                return old;
            end if;
        end if;
        raise exception 'the audit trail is only ever added to';
    end $$;
CREATE FUNCTION conduct_events_only_added()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$ begin raise exception 'what happened to a concern is only ever added to'; end $$;
CREATE FUNCTION sessions_after_delete()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$ begin insert into session_days (day) values (old.day) on conflict (day) do update set packed = null; return null; end $$;
CREATE FUNCTION sessions_after_insert()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$ begin insert into session_days (day) values (new.day) on conflict (day) do update set packed = null; return null; end $$;
CREATE FUNCTION sessions_after_update()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$ begin insert into session_days (day) values (old.day) on conflict (day) do update set packed = null; insert into session_days (day) values (new.day) on conflict (day) do update set packed = null; return null; end $$;
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added();
CREATE TRIGGER audit_only_added BEFORE DELETE OR UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_added();
CREATE TRIGGER conduct_events_no_update BEFORE UPDATE OF at, by, kind, level, told, concern_id ON conduct_events FOR EACH ROW EXECUTE FUNCTION conduct_events_only_added();
CREATE TRIGGER sessions_after_delete AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_after_delete();
CREATE TRIGGER sessions_after_insert AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_after_insert();
CREATE TRIGGER sessions_after_update AFTER UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_after_update();
INSERT INTO alembic_version VALUES ('0013');
