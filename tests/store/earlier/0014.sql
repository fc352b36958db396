BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0014');
CREATE TABLE alerts (
	id INTEGER NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	"to" INTEGER, 
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
	CONSTRAINT uq_alerts_key UNIQUE ("key")
);
INSERT INTO "alerts" VALUES(1,'pkey 1',1,'one_to_one','pabout 1','pwords 1',1,1606000000000001,'open',1606000000000001,1,'ptrouble 1',1606000000000001);
INSERT INTO "alerts" VALUES(2,'pkey 2',2,'one_to_one','pabout 2','pwords 2',0,1606000000000002,'open',1606000000000002,2,'ptrouble 2',1606000000000002);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	"by" VARCHAR(320) NOT NULL, 
	what VARCHAR(40) NOT NULL, 
	about TEXT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (id)
);
CREATE TABLE call_listed (
	call_id VARCHAR(100) NOT NULL, 
	person VARCHAR(200) NOT NULL, 
	entra_id VARCHAR(200), 
	upn VARCHAR(320), 
	staff_id INTEGER, 
	pupil_id INTEGER, 
	CONSTRAINT pk_call_listed PRIMARY KEY (call_id, person), 
	CONSTRAINT fk_call_listed_call_id FOREIGN KEY(call_id) REFERENCES calls (id), 
	CONSTRAINT fk_call_listed_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id), 
	CONSTRAINT fk_call_listed_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
INSERT INTO "call_listed" VALUES('pid 1','pperson 1','pentra_id 1','pupn 1',1,1);
INSERT INTO "call_listed" VALUES('pid 2','pperson 2','pentra_id 2','pupn 2',2,2);
CREATE TABLE call_originals (
	call_id VARCHAR(100) NOT NULL, 
	original BLOB NOT NULL, 
	CONSTRAINT pk_call_originals PRIMARY KEY (call_id), 
	CONSTRAINT fk_call_originals_call_id FOREIGN KEY(call_id) REFERENCES calls (id)
);
INSERT INTO "call_originals" VALUES('pid 1',X'7031');
INSERT INTO "call_originals" VALUES('pid 2',X'7032');
CREATE TABLE call_stays (
	id INTEGER NOT NULL, 
	call_id VARCHAR(100) NOT NULL, 
	person VARCHAR(200) NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	entra_id VARCHAR(200), 
	upn VARCHAR(320), 
	tenant VARCHAR(100), 
	staff_id INTEGER, 
	pupil_id INTEGER, 
	caller BOOLEAN NOT NULL, 
	joined_at BIGINT NOT NULL, 
	left_at BIGINT NOT NULL, 
	CONSTRAINT pk_call_stays PRIMARY KEY (id), 
	CONSTRAINT fk_call_stays_call_id FOREIGN KEY(call_id) REFERENCES calls (id), 
	CONSTRAINT fk_call_stays_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id), 
	CONSTRAINT fk_call_stays_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
INSERT INTO "call_stays" VALUES(1,'pid 1','pperson 1','one_to_one','pentra_id 1','pupn 1','ptenant 1',1,1,1,1606000000000001,1606000000000001);
INSERT INTO "call_stays" VALUES(2,'pid 2','pperson 2','one_to_one','pentra_id 2','pupn 2','ptenant 2',2,2,0,1606000000000002,1606000000000002);
CREATE TABLE call_videos (
	id INTEGER NOT NULL, 
	call_id VARCHAR(100) NOT NULL, 
	person VARCHAR(200) NOT NULL, 
	started_at BIGINT, 
	ended_at BIGINT, 
	CONSTRAINT pk_call_videos PRIMARY KEY (id), 
	CONSTRAINT fk_call_videos_call_id FOREIGN KEY(call_id) REFERENCES calls (id)
);
INSERT INTO "call_videos" VALUES(1,'pid 1','pperson 1',1606000000000001,1606000000000001);
INSERT INTO "call_videos" VALUES(2,'pid 2','pperson 2',1606000000000002,1606000000000002);
CREATE TABLE calls (
	id VARCHAR(100) NOT NULL, 
	version BIGINT NOT NULL, 
	type VARCHAR(40) NOT NULL, 
	started_at BIGINT NOT NULL, 
	ended_at BIGINT NOT NULL, 
	organiser_id VARCHAR(200), 
	organiser_tenant VARCHAR(100), 
	organiser_staff_id INTEGER, 
	channel BOOLEAN NOT NULL, 
	reader INTEGER NOT NULL, 
	stored_at BIGINT NOT NULL, 
	CONSTRAINT pk_calls PRIMARY KEY (id), 
	CONSTRAINT fk_calls_organiser_staff_id FOREIGN KEY(organiser_staff_id) REFERENCES staff (id)
);
INSERT INTO "calls" VALUES('pid 1',1,'ptype 1',1606000000000001,1606000000000001,'porganiser_id 1','porganiser_tenant 1',1,1,1,1606000000000001);
INSERT INTO "calls" VALUES('pid 2',2,'ptype 2',1606000000000002,1606000000000002,'porganiser_id 2','porganiser_tenant 2',2,0,2,1606000000000002);
CREATE TABLE calls_dropped (
	"key" VARCHAR(64) NOT NULL, 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_calls_dropped PRIMARY KEY ("key")
);
INSERT INTO "calls_dropped" VALUES('pkey 1',1);
INSERT INTO "calls_dropped" VALUES('pkey 2',2);
CREATE TABLE clause_sets (
	id INTEGER NOT NULL, 
	clauses TEXT NOT NULL, 
	outcomes TEXT NOT NULL, 
	CONSTRAINT pk_clause_sets PRIMARY KEY (id), 
	CONSTRAINT uq_clause_sets_clauses UNIQUE (clauses, outcomes)
);
INSERT INTO "clause_sets" VALUES(1,'clause-0;clause-1;clause-2;clause-3;clause-4;clause-5;clause-6;clause-7;clause-8;clause-9;clause-10;clause-11;clause-12;clause-13;clause-14;clause-15;clause-16;clause-17;clause-18;clause-19;clause-20;clause-21;clause-22','poutcomes 1');
INSERT INTO "clause_sets" VALUES(2,'clause-0;clause-1;clause-2;clause-3;clause-4;clause-5;clause-6;clause-7;clause-8;clause-9;clause-10;clause-11;clause-12;clause-13;clause-14;clause-15;clause-16;clause-17;clause-18;clause-19;clause-20;clause-21;clause-22','poutcomes 2');
CREATE TABLE concern_events (
	id INTEGER NOT NULL, 
	concern_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	"by" INTEGER, 
	kind VARCHAR(40) NOT NULL, 
	level VARCHAR(40), 
	told INTEGER, 
	text TEXT, content TEXT, 
	CONSTRAINT pk_concern_events PRIMARY KEY (id), 
	CONSTRAINT fk_concern_events_by FOREIGN KEY("by") REFERENCES staff (id), 
	CONSTRAINT fk_concern_events_concern_id FOREIGN KEY(concern_id) REFERENCES concerns (id), 
	CONSTRAINT fk_concern_events_told FOREIGN KEY(told) REFERENCES staff (id)
);
INSERT INTO "concern_events" VALUES(1,1,1,1,'one_to_one','plevel 1',1,'ptext 1','p{"ref": "L1"}');
INSERT INTO "concern_events" VALUES(2,2,2,2,'one_to_one','plevel 2',2,'ptext 2','p{"ref": "L1"}');
CREATE TABLE concern_pupils (
	concern_id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	CONSTRAINT pk_concern_pupils PRIMARY KEY (concern_id, pupil_id), 
	CONSTRAINT fk_concern_pupils_concern_id FOREIGN KEY(concern_id) REFERENCES concerns (id), 
	CONSTRAINT fk_concern_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
INSERT INTO "concern_pupils" VALUES(1,1);
INSERT INTO "concern_pupils" VALUES(2,2);
CREATE TABLE concern_sessions (
	id INTEGER NOT NULL, 
	concern_id INTEGER NOT NULL, 
	log_ref VARCHAR(200), 
	call_id VARCHAR(100), 
	CONSTRAINT pk_concern_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_concern_sessions_concern_id FOREIGN KEY(concern_id) REFERENCES concerns (id)
);
INSERT INTO "concern_sessions" VALUES(1,1,'plog_ref 1','pcall_id 1');
INSERT INTO "concern_sessions" VALUES(2,2,'plog_ref 2','pcall_id 2');
CREATE TABLE concerns (
	id INTEGER NOT NULL, 
	ref VARCHAR(200) NOT NULL, 
	raised_by INTEGER, 
	raised_at BIGINT NOT NULL, 
	happened_at BIGINT, 
	summary TEXT NOT NULL, 
	childs_words TEXT, 
	told_dsp BOOLEAN, 
	categories TEXT NOT NULL, place TEXT, 
	CONSTRAINT pk_concerns PRIMARY KEY (id), 
	CONSTRAINT fk_concerns_raised_by FOREIGN KEY(raised_by) REFERENCES staff (id), 
	CONSTRAINT uq_concerns_ref UNIQUE (ref)
);
INSERT INTO "concerns" VALUES(1,'pref 1',1,1606000000000001,1606000000000001,'psummary 1','pchilds_words 1',1,'distress','pplace 1');
INSERT INTO "concerns" VALUES(2,'pref 2',2,1606000000000002,1606000000000002,'psummary 2','pchilds_words 2',0,'distress','pplace 2');
CREATE TABLE conduct_concerns (
	id INTEGER NOT NULL, 
	ref VARCHAR(200) NOT NULL, 
	raised_by INTEGER, 
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
INSERT INTO "conduct_concerns" VALUES(1,'pref 1',1,1606000000000001,1606000000000001,'pplace 1','psummary 1','pchilds_words 1',1,'distress');
INSERT INTO "conduct_concerns" VALUES(2,'pref 2',2,1606000000000002,1606000000000002,'pplace 2','psummary 2','pchilds_words 2',0,'distress');
CREATE TABLE conduct_events (
	id INTEGER NOT NULL, 
	concern_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	"by" INTEGER, 
	kind VARCHAR(40) NOT NULL, 
	level VARCHAR(40), 
	told INTEGER, 
	text TEXT, 
	content TEXT, 
	CONSTRAINT pk_conduct_events PRIMARY KEY (id), 
	CONSTRAINT fk_conduct_events_by FOREIGN KEY("by") REFERENCES staff (id), 
	CONSTRAINT fk_conduct_events_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id), 
	CONSTRAINT fk_conduct_events_told FOREIGN KEY(told) REFERENCES staff (id)
);
INSERT INTO "conduct_events" VALUES(1,1,1,1,'one_to_one','plevel 1',1,'ptext 1','p{"ref": "L1"}');
INSERT INTO "conduct_events" VALUES(2,2,2,2,'one_to_one','plevel 2',2,'ptext 2','p{"ref": "L1"}');
CREATE TABLE conduct_named (
	id INTEGER NOT NULL, 
	concern_id INTEGER NOT NULL, 
	staff_id INTEGER, 
	name TEXT, 
	CONSTRAINT pk_conduct_named PRIMARY KEY (id), 
	CONSTRAINT fk_conduct_named_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id), 
	CONSTRAINT fk_conduct_named_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
INSERT INTO "conduct_named" VALUES(1,1,1,'pname 1');
INSERT INTO "conduct_named" VALUES(2,2,2,'pname 2');
CREATE TABLE conduct_pupils (
	concern_id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	CONSTRAINT pk_conduct_pupils PRIMARY KEY (concern_id, pupil_id), 
	CONSTRAINT fk_conduct_pupils_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id), 
	CONSTRAINT fk_conduct_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
INSERT INTO "conduct_pupils" VALUES(1,1);
INSERT INTO "conduct_pupils" VALUES(2,2);
CREATE TABLE conduct_sessions (
	id INTEGER NOT NULL, 
	concern_id INTEGER NOT NULL, 
	log_ref VARCHAR(200), 
	call_id VARCHAR(100), 
	told TEXT NOT NULL, 
	CONSTRAINT pk_conduct_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_conduct_sessions_concern_id FOREIGN KEY(concern_id) REFERENCES conduct_concerns (id)
);
INSERT INTO "conduct_sessions" VALUES(1,1,'plog_ref 1','pcall_id 1','ptold 1');
INSERT INTO "conduct_sessions" VALUES(2,2,'plog_ref 2','pcall_id 2','ptold 2');
CREATE TABLE consent_events (
	id INTEGER NOT NULL, 
	consent_id INTEGER NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	at BIGINT NOT NULL, 
	entered_at BIGINT, 
	"by" INTEGER, 
	parent TEXT, 
	strikes INTEGER, 
	why TEXT, 
	CONSTRAINT pk_consent_events PRIMARY KEY (id), 
	CONSTRAINT fk_consent_events_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id), 
	CONSTRAINT fk_consent_events_by FOREIGN KEY("by") REFERENCES staff (id), 
	CONSTRAINT fk_consent_events_strikes FOREIGN KEY(strikes) REFERENCES consent_events (id)
);
INSERT INTO "consent_events" VALUES(1,1,'one_to_one',1,1606000000000001,1,'pparent 1',NULL,'pwhy 1');
INSERT INTO "consent_events" VALUES(2,2,'one_to_one',2,1606000000000002,2,'pparent 2',NULL,'pwhy 2');
CREATE TABLE consents (
	id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	covers_from BIGINT NOT NULL, 
	covers_to BIGINT NOT NULL, 
	reason TEXT, 
	fingerprint VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_consents PRIMARY KEY (id), 
	CONSTRAINT fk_consents_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id), 
	CONSTRAINT uq_consents_fingerprint UNIQUE (fingerprint)
);
INSERT INTO "consents" VALUES(1,1,'one_to_one',1,1,'preason 1','pfingerprint 1');
INSERT INTO "consents" VALUES(2,2,'one_to_one',2,2,'preason 2','pfingerprint 2');
CREATE TABLE drafts (
	staff_id INTEGER NOT NULL, 
	form VARCHAR(40) NOT NULL, 
	content TEXT NOT NULL, 
	saved_at BIGINT NOT NULL, 
	CONSTRAINT pk_drafts PRIMARY KEY (staff_id, form), 
	CONSTRAINT fk_drafts_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
INSERT INTO "drafts" VALUES(1,'log','p{"ref": "L1"}',1606000000000001);
INSERT INTO "drafts" VALUES(2,'log','p{"ref": "L1"}',1606000000000002);
CREATE TABLE exception_events (
	id INTEGER NOT NULL, 
	exception_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	"by" INTEGER, 
	kind VARCHAR(12) NOT NULL, 
	how VARCHAR(20), 
	text TEXT, 
	CONSTRAINT pk_exception_events PRIMARY KEY (id), 
	CONSTRAINT fk_exception_events_by FOREIGN KEY("by") REFERENCES staff (id), 
	CONSTRAINT fk_exception_events_exception_id FOREIGN KEY(exception_id) REFERENCES exceptions (id)
);
INSERT INTO "exception_events" VALUES(1,1,1,1,'one_to_one','phow 1','ptext 1');
INSERT INTO "exception_events" VALUES(2,2,2,2,'one_to_one','phow 2','ptext 2');
CREATE TABLE exceptions (
	id INTEGER NOT NULL, 
	session_id BIGINT NOT NULL, 
	clause VARCHAR(40) NOT NULL, 
	opened_at BIGINT NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	CONSTRAINT pk_exceptions PRIMARY KEY (id), 
	CONSTRAINT uq_exceptions_session_id UNIQUE (session_id, clause)
);
INSERT INTO "exceptions" VALUES(1,1,'logged',1606000000000001,'open');
INSERT INTO "exceptions" VALUES(2,2,'logged',1606000000000002,'open');
CREATE TABLE imports (
	id INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	source TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	"by" INTEGER, 
	read INTEGER NOT NULL, 
	added INTEGER NOT NULL, 
	changed INTEGER NOT NULL, 
	unchanged INTEGER NOT NULL, 
	dropped INTEGER NOT NULL, 
	refused INTEGER NOT NULL, 
	CONSTRAINT pk_imports PRIMARY KEY (id), 
	CONSTRAINT fk_imports_by FOREIGN KEY("by") REFERENCES staff (id)
);
INSERT INTO "imports" VALUES(1,'one_to_one','psource 1',1,1,1,1,1,1,1,1);
INSERT INTO "imports" VALUES(2,'one_to_one','psource 2',2,2,2,2,2,2,2,2);
CREATE TABLE leases (
	name VARCHAR(40) NOT NULL, 
	holder VARCHAR(200) NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (name)
);
INSERT INTO "leases" VALUES('pname 1','pholder 1',1606000000000001);
INSERT INTO "leases" VALUES('pname 2','pholder 2',1606000000000002);
CREATE TABLE letters (
	id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	sent_on DATE NOT NULL, 
	CONSTRAINT pk_letters PRIMARY KEY (id), 
	CONSTRAINT fk_letters_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id), 
	CONSTRAINT uq_letters_pupil_id UNIQUE (pupil_id, kind, sent_on)
);
INSERT INTO "letters" VALUES(1,1,'one_to_one','2020-11-01');
INSERT INTO "letters" VALUES(2,2,'one_to_one','2020-11-02');
CREATE TABLE letters_struck (
	id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	sent_on DATE NOT NULL, 
	at BIGINT NOT NULL, 
	"by" INTEGER NOT NULL, 
	why TEXT NOT NULL, 
	CONSTRAINT pk_letters_struck PRIMARY KEY (id), 
	CONSTRAINT fk_letters_struck_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id), 
	CONSTRAINT fk_letters_struck_by FOREIGN KEY("by") REFERENCES staff (id)
);
INSERT INTO "letters_struck" VALUES(1,1,'one_to_one','2020-11-01',1,1,'pwhy 1');
INSERT INTO "letters_struck" VALUES(2,2,'one_to_one','2020-11-02',2,2,'pwhy 2');
CREATE TABLE log_invited (
	log_id INTEGER NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	staff_id INTEGER, 
	CONSTRAINT pk_log_invited PRIMARY KEY (log_id, email), 
	CONSTRAINT fk_log_invited_log_id FOREIGN KEY(log_id) REFERENCES logs (id), 
	CONSTRAINT fk_log_invited_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
INSERT INTO "log_invited" VALUES(1,'pemail 1',1);
INSERT INTO "log_invited" VALUES(2,'pemail 2',2);
CREATE TABLE log_pupils (
	log_id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	CONSTRAINT pk_log_pupils PRIMARY KEY (log_id, pupil_id), 
	CONSTRAINT fk_log_pupils_log_id FOREIGN KEY(log_id) REFERENCES logs (id), 
	CONSTRAINT fk_log_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
INSERT INTO "log_pupils" VALUES(1,1);
INSERT INTO "log_pupils" VALUES(2,2);
CREATE TABLE logs (
	id INTEGER NOT NULL, 
	ref VARCHAR(200) NOT NULL, 
	version INTEGER NOT NULL, 
	current BOOLEAN NOT NULL, 
	staff_id INTEGER NOT NULL, 
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
	entered_by INTEGER, 
	why TEXT, 
	CONSTRAINT pk_logs PRIMARY KEY (id), 
	CONSTRAINT fk_logs_entered_by FOREIGN KEY(entered_by) REFERENCES staff (id), 
	CONSTRAINT fk_logs_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id), 
	CONSTRAINT uq_logs_ref UNIQUE (ref, version)
);
INSERT INTO "logs" VALUES(1,'pref 1',1,1,1,1606000000000001,1606000000000001,'academic','pplatform 1','paccount 1','yes','proom 1','pbedroom_reason 1','preason 1',1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,'pconcern_summary 1','pconcern_category 1','pnotes 1','pfingerprint 1',1606000000000001,1,'pwhy 1');
INSERT INTO "logs" VALUES(2,'pref 2',2,0,2,1606000000000002,1606000000000002,'academic','pplatform 2','paccount 2','yes','proom 2','pbedroom_reason 2','preason 2',0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,'pconcern_summary 2','pconcern_category 2','pnotes 2','pfingerprint 2',1606000000000002,2,'pwhy 2');
CREATE TABLE meta (
	"key" VARCHAR(40) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
CREATE TABLE plan_invited (
	plan_id INTEGER NOT NULL, 
	staff_id INTEGER NOT NULL, 
	CONSTRAINT pk_plan_invited PRIMARY KEY (plan_id, staff_id), 
	CONSTRAINT fk_plan_invited_plan_id FOREIGN KEY(plan_id) REFERENCES plans (id), 
	CONSTRAINT fk_plan_invited_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id)
);
INSERT INTO "plan_invited" VALUES(1,1);
INSERT INTO "plan_invited" VALUES(2,2);
CREATE TABLE plan_pupils (
	plan_id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	CONSTRAINT pk_plan_pupils PRIMARY KEY (plan_id, pupil_id), 
	CONSTRAINT fk_plan_pupils_plan_id FOREIGN KEY(plan_id) REFERENCES plans (id), 
	CONSTRAINT fk_plan_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id)
);
INSERT INTO "plan_pupils" VALUES(1,1);
INSERT INTO "plan_pupils" VALUES(2,2);
CREATE TABLE plans (
	id INTEGER NOT NULL, 
	ref VARCHAR(40) NOT NULL, 
	staff_id INTEGER NOT NULL, 
	started_at BIGINT NOT NULL, 
	ended_at BIGINT NOT NULL, 
	purpose TEXT NOT NULL, 
	reason TEXT, 
	changes INTEGER NOT NULL, 
	CONSTRAINT pk_plans PRIMARY KEY (id), 
	CONSTRAINT fk_plans_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id), 
	CONSTRAINT uq_plans_ref UNIQUE (ref)
);
INSERT INTO "plans" VALUES(1,'pref 1',1,1606000000000001,1606000000000001,'academic','preason 1',1);
INSERT INTO "plans" VALUES(2,'pref 2',2,1606000000000002,1606000000000002,'academic','preason 2',2);
CREATE TABLE pupil_versions (
	id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	from_day DATE NOT NULL, 
	name TEXT NOT NULL, 
	school VARCHAR(40) NOT NULL, 
	year_group VARCHAR(40) NOT NULL, 
	house TEXT NOT NULL, 
	tutor_id INTEGER, 
	CONSTRAINT pk_pupil_versions PRIMARY KEY (id), 
	CONSTRAINT fk_pupil_versions_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id), 
	CONSTRAINT fk_pupil_versions_school FOREIGN KEY(school) REFERENCES schools (code), 
	CONSTRAINT fk_pupil_versions_tutor_id FOREIGN KEY(tutor_id) REFERENCES staff (id), 
	CONSTRAINT uq_pupil_versions_pupil_id UNIQUE (pupil_id, from_day)
);
INSERT INTO "pupil_versions" VALUES(1,1,'2020-11-01','pname 1','pcode 1','pyear_group 1','phouse 1',1);
INSERT INTO "pupil_versions" VALUES(2,2,'2020-11-02','pname 2','pcode 2','pyear_group 2','phouse 2',2);
CREATE TABLE pupils (
	id INTEGER NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	entra_id VARCHAR(100), 
	CONSTRAINT pk_pupils PRIMARY KEY (id), 
	CONSTRAINT uq_pupils_email UNIQUE (email), 
	CONSTRAINT uq_pupils_entra_id UNIQUE (entra_id)
);
INSERT INTO "pupils" VALUES(1,'pemail 1','pentra_id 1');
INSERT INTO "pupils" VALUES(2,'pemail 2','pentra_id 2');
CREATE TABLE recordings (
	id VARCHAR(1000) NOT NULL, 
	call_id VARCHAR(100), 
	organiser_id VARCHAR(200), 
	created_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	CONSTRAINT pk_recordings PRIMARY KEY (id)
);
INSERT INTO "recordings" VALUES('pid 1','pcall_id 1','porganiser_id 1',1606000000000001,1606000000000001);
INSERT INTO "recordings" VALUES('pid 2','pcall_id 2','porganiser_id 2',1606000000000002,1606000000000002);
CREATE TABLE refused_rows (
	id INTEGER NOT NULL, 
	import_id INTEGER NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	source TEXT NOT NULL, 
	"row" INTEGER NOT NULL, 
	"column" TEXT, 
	value TEXT, 
	why TEXT NOT NULL, 
	mend TEXT NOT NULL, 
	original TEXT NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	settled_at BIGINT, 
	settled_by INTEGER, 
	settled_how VARCHAR(40), settled_why TEXT, 
	CONSTRAINT pk_refused_rows PRIMARY KEY (id), 
	CONSTRAINT fk_refused_rows_import_id FOREIGN KEY(import_id) REFERENCES imports (id), 
	CONSTRAINT fk_refused_rows_settled_by FOREIGN KEY(settled_by) REFERENCES staff (id), 
	CONSTRAINT uq_refused_rows_fingerprint UNIQUE (fingerprint)
);
INSERT INTO "refused_rows" VALUES(1,1,'one_to_one','psource 1',1,'pcolumn 1','p1','pwhy 1','pmend 1','p{"ref": "L1"}','pfingerprint 1',1606000000000001,1,'psettled_how 1','psettled_why 1');
INSERT INTO "refused_rows" VALUES(2,2,'one_to_one','psource 2',2,'pcolumn 2','p1','pwhy 2','pmend 2','p{"ref": "L1"}','pfingerprint 2',1606000000000002,2,'psettled_how 2','psettled_why 2');
CREATE TABLE schools (
	code VARCHAR(40) NOT NULL, 
	name TEXT NOT NULL, 
	senior BOOLEAN NOT NULL, 
	email_domain TEXT NOT NULL, 
	CONSTRAINT pk_schools PRIMARY KEY (code)
);
INSERT INTO "schools" VALUES('pcode 1','pname 1',1,'pemail_domain 1');
INSERT INTO "schools" VALUES('pcode 2','pname 2',0,'pemail_domain 2');
CREATE TABLE session_calls (
	call_id VARCHAR(100) NOT NULL, 
	session_id INTEGER NOT NULL, 
	place SMALLINT NOT NULL, 
	CONSTRAINT pk_session_calls PRIMARY KEY (call_id), 
	CONSTRAINT fk_session_calls_call_id FOREIGN KEY(call_id) REFERENCES calls (id), 
	CONSTRAINT fk_session_calls_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);
INSERT INTO "session_calls" VALUES('pid 1',1,1);
INSERT INTO "session_calls" VALUES('pid 2',2,2);
CREATE TABLE session_days (
	day DATE NOT NULL, 
	packed BLOB, 
	CONSTRAINT pk_session_days PRIMARY KEY (day)
);
INSERT INTO "session_days" VALUES('2020-11-01',NULL);
INSERT INTO "session_days" VALUES('2020-11-02',NULL);
CREATE TABLE session_pupils (
	session_id INTEGER NOT NULL, 
	pupil_id INTEGER NOT NULL, 
	CONSTRAINT pk_session_pupils PRIMARY KEY (session_id, pupil_id), 
	CONSTRAINT fk_session_pupils_pupil_id FOREIGN KEY(pupil_id) REFERENCES pupils (id), 
	CONSTRAINT fk_session_pupils_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);
INSERT INTO "session_pupils" VALUES(1,1);
INSERT INTO "session_pupils" VALUES(2,2);
CREATE TABLE sessions (
	id INTEGER NOT NULL, 
	log_id INTEGER, 
	day DATE NOT NULL, 
	started_at BIGINT NOT NULL, 
	ended_at BIGINT NOT NULL, 
	minute SMALLINT NOT NULL, 
	staff_id INTEGER, 
	school VARCHAR(40), 
	department TEXT, 
	purpose TEXT, 
	one_to_one BOOLEAN NOT NULL, 
	confidential BOOLEAN NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	disputed BOOLEAN NOT NULL, 
	due_at BIGINT, 
	codes VARCHAR(80) NOT NULL, clause_set_id integer constraint fk_sessions_clause_set_id references clause_sets (id), 
	CONSTRAINT pk_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_sessions_log_id FOREIGN KEY(log_id) REFERENCES logs (id), 
	CONSTRAINT fk_sessions_staff_id FOREIGN KEY(staff_id) REFERENCES staff (id), 
	CONSTRAINT uq_sessions_log_id UNIQUE (log_id)
);
INSERT INTO "sessions" VALUES(1,1,'2020-11-01',1606000000000001,1606000000000001,1,1,'pschool 1','pdepartment 1','academic',1,1,'compliant',1,1606000000000001,'00000000000000000000000',1);
INSERT INTO "sessions" VALUES(2,2,'2020-11-02',1606000000000002,1606000000000002,2,2,'pschool 2','pdepartment 2','academic',0,0,'compliant',0,1606000000000002,'00000000000000000000000',2);
CREATE TABLE sign_ins (
	"key" VARCHAR(64) NOT NULL, 
	seen_at BIGINT NOT NULL, 
	ended_at BIGINT NOT NULL, 
	CONSTRAINT pk_sign_ins PRIMARY KEY ("key")
);
INSERT INTO "sign_ins" VALUES('pkey 1',1606000000000001,1606000000000001);
INSERT INTO "sign_ins" VALUES('pkey 2',1606000000000002,1606000000000002);
CREATE TABLE staff (
	id INTEGER NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	entra_id VARCHAR(100), 
	CONSTRAINT pk_staff PRIMARY KEY (id), 
	CONSTRAINT uq_staff_email UNIQUE (email), 
	CONSTRAINT uq_staff_entra_id UNIQUE (entra_id)
);
INSERT INTO "staff" VALUES(1,'pemail 1','pentra_id 1');
INSERT INTO "staff" VALUES(2,'pemail 2','pentra_id 2');
CREATE TABLE staff_versions (
	id INTEGER NOT NULL, 
	staff_id INTEGER NOT NULL, 
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
INSERT INTO "staff_versions" VALUES(1,1,'2020-11-01','pname 1','pcode 1','pdepartment 1','teacher','','');
INSERT INTO "staff_versions" VALUES(2,2,'2020-11-02','pname 2','pcode 2','pdepartment 2','teacher','','');
CREATE TABLE sync_put_aside (
	kind VARCHAR(40) NOT NULL, 
	ref VARCHAR(200) NOT NULL, 
	why TEXT NOT NULL, 
	content BLOB, 
	first_at BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	tries INTEGER NOT NULL, 
	CONSTRAINT pk_sync_put_aside PRIMARY KEY (kind, ref)
);
INSERT INTO "sync_put_aside" VALUES('one_to_one','pref 1','pwhy 1',X'7031',1606000000000001,1606000000000001,1);
INSERT INTO "sync_put_aside" VALUES('one_to_one','pref 2','pwhy 2',X'7032',1606000000000002,1606000000000002,2);
CREATE TABLE sync_runs (
	id INTEGER NOT NULL, 
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
INSERT INTO "sync_runs" VALUES(1,1606000000000001,1606000000000001,1606000000000001,1606000000000001,1,1,1,1,1,1,1,1,1,1,1,1,'ptrouble 1');
INSERT INTO "sync_runs" VALUES(2,1606000000000002,1606000000000002,1606000000000002,1606000000000002,2,2,2,2,2,2,2,2,2,2,2,2,'ptrouble 2');
CREATE TABLE sync_seen (
	id VARCHAR(64) NOT NULL, 
	stamp VARCHAR(64) NOT NULL, 
	seen_at BIGINT NOT NULL, 
	CONSTRAINT pk_sync_seen PRIMARY KEY (id)
);
INSERT INTO "sync_seen" VALUES('pid 1','pstamp 1',1606000000000001);
INSERT INTO "sync_seen" VALUES('pid 2','pstamp 2',1606000000000002);
CREATE INDEX ix_recordings_call_id ON recordings (call_id);
CREATE INDEX ix_calls_started_at ON calls (started_at);
CREATE INDEX ix_consents_pupil_id ON consents (pupil_id);
CREATE INDEX ix_logs_started_at ON logs (started_at);
CREATE INDEX ix_call_stays_call_id ON call_stays (call_id);
CREATE INDEX ix_call_stays_pupil_id ON call_stays (pupil_id);
CREATE INDEX ix_call_videos_call_id ON call_videos (call_id);
CREATE INDEX ix_concern_events_concern_id ON concern_events (concern_id);
CREATE INDEX ix_concern_pupils_pupil_id ON concern_pupils (pupil_id);
CREATE INDEX ix_concern_sessions_call_id ON concern_sessions (call_id);
CREATE INDEX ix_concern_sessions_concern_id ON concern_sessions (concern_id);
CREATE INDEX ix_concern_sessions_log_ref ON concern_sessions (log_ref);
CREATE INDEX ix_log_pupils_pupil_id ON log_pupils (pupil_id);
CREATE INDEX ix_sessions_day ON sessions (day);
CREATE INDEX ix_sessions_due_at ON sessions (due_at);
CREATE INDEX ix_sessions_staff_id ON sessions (staff_id, day);
CREATE INDEX ix_session_calls_session_id ON session_calls (session_id);
CREATE INDEX ix_session_pupils_pupil_id ON session_pupils (pupil_id);
CREATE TRIGGER audit_no_update before update on audit
    begin select raise(abort, 'the audit trail is only ever added to'); end;
CREATE INDEX ix_sync_seen_seen_at ON sync_seen (seen_at);
CREATE INDEX ix_exceptions_state ON exceptions (state);
CREATE INDEX ix_exception_events_exception_id ON exception_events (exception_id);
CREATE TRIGGER audit_no_delete before delete on audit
    when old.id > coalesce((select cast(value as integer) from meta where key = 'audit_anchor'), 0)
    begin select raise(abort, 'the audit trail is only ever added to'); end;
CREATE INDEX ix_alerts_state ON alerts (state);
CREATE INDEX ix_consent_events_consent_id ON consent_events (consent_id);
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_audit_what ON audit (what, "by", at);
CREATE INDEX ix_letters_struck_pupil_id ON letters_struck (pupil_id);
CREATE INDEX ix_plans_staff_id ON plans (staff_id);
CREATE INDEX ix_plan_pupils_pupil_id ON plan_pupils (pupil_id);
CREATE INDEX ix_conduct_pupils_pupil_id ON conduct_pupils (pupil_id);
CREATE INDEX ix_conduct_sessions_concern_id ON conduct_sessions (concern_id);
CREATE INDEX ix_conduct_sessions_log_ref ON conduct_sessions (log_ref);
CREATE INDEX ix_conduct_sessions_call_id ON conduct_sessions (call_id);
CREATE INDEX ix_conduct_events_concern_id ON conduct_events (concern_id);
CREATE INDEX ix_conduct_named_concern_id ON conduct_named (concern_id);
CREATE INDEX ix_conduct_named_staff_id ON conduct_named (staff_id);
CREATE TRIGGER conduct_events_no_update before update of at, by, kind, level, told, concern_id on conduct_events
    begin select raise(abort, 'what happened to a concern is only ever added to'); end;
CREATE INDEX ix_sessions_confidential ON sessions (confidential, day);
CREATE TRIGGER sessions_after_insert after insert on sessions begin insert into session_days (day) values (new.day) on conflict (day) do update set packed = null; end;
CREATE TRIGGER sessions_after_update after update on sessions begin insert into session_days (day) values (old.day) on conflict (day) do update set packed = null; insert into session_days (day) values (new.day) on conflict (day) do update set packed = null; end;
CREATE TRIGGER sessions_after_delete after delete on sessions begin insert into session_days (day) values (old.day) on conflict (day) do update set packed = null; end;
COMMIT;
