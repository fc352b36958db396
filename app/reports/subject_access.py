"""Subject access: everything held on a pupil, in one file for the DSP to read and redact."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Connection, Table, not_, or_, select

from app.access.concern_detail import list_entries_about
from app.access.concerns import list_pupils_on_record
from app.access.forms import CONCERN_DRAFT
from app.access.policy import COUNSELLING, OTHER_PURPOSES, Person
from app.access.scope import is_confidential, is_counselling, select_past_and_present_counsellors
from app.judging.parts import find_sessions, read_part
from app.log_questions import QUESTIONS
from app.protocol.clauses import title_of
from app.protocol.judge import judge
from app.reports.third_persons import mark_third_persons
from app.school import School
from app.store import audit_log, reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.terms import CallPart, ConsentEventKind, EmailState, Outcome, Resolution, SpotCheckResult


class UnknownPupilError(Exception):
    """No pupil who is or was on the roster has this email address."""


class Cell(NamedTuple):
    """One fact: its label, its text, and whether all of it is about somebody else (`third`)."""

    label: str
    text: str
    third: bool = False


Record = Sequence[Cell]


def create_file_for_command(school: School, email: str) -> str:
    """An HTML page with everything held on the pupil, as `create_subject_access_file` for the DSP, since whoever runs a
    command may know no more. Raises UnknownPupilError."""
    with school.engine.connect() as connection:
        pupil_id = reading.read_roster(connection).pupils.get(email.strip().lower())
    if pupil_id is None:
        raise UnknownPupilError("Nobody with this email address is or was a pupil on the roster. Nothing was written.")
    return _create_page(school, pupil_id, by=audit_log.COMMAND)


def create_subject_access_file(school: School, person: Person, pupil_id: int) -> str | None:
    """An HTML page with everything held on a pupil, for the DSP to read and redact; None if the pupil is not in the
    DSP's school. Recorded on the audit trail. Nothing in it, not even a mark, shows whether there was any counselling:
    it says, of every pupil in the same words, what the DSP asks for and adds by hand."""
    if pupil_id not in set(list_pupils_on_record(school, person)["pupil_id"]):
        return None
    return _create_page(school, pupil_id, by=person.email)


def _create_page(school: School, pupil_id: int, *, by: str) -> str:
    """The page of a pupil on record. `by`: the actor for the audit trail."""
    with school.writing() as connection:
        page = _File(connection, school, pupil_id).as_html()
        school.add_to_trail(connection, by, "exported", f"everything held on pupil {pupil_id}")
    return page


def _as_cells(facts: Mapping[str, Any]) -> list[Cell]:
    """Cells of facts, given by label with values of JSON's types. The page leaves out blank cells."""
    return [Cell(label, _as_text(value)) for label, value in facts.items()]


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


class _File:
    """The page of one pupil, read in one transaction."""

    def __init__(self, connection: Connection, school: School, pupil_id: int) -> None:
        self.connection, self.school, self.pupil_id = connection, school, pupil_id
        self.account = connection.execute(select(tables.pupils).where(tables.pupils.c.id == pupil_id)).one()
        self.former_emails = self._read_rows(tables.former_emails)
        self.emails = [self.account.email, *(former.email for former in self.former_emails)]
        staff = valid_versions(tables.staff_versions)
        today = valid_on(staff, school.today())
        self.staff = dict(connection.execute(select(staff.c.staff_id, staff.c.name).where(today)).all())
        self.counsellors = set(connection.scalars(select_past_and_present_counsellors()))

    def as_html(self) -> str:
        roster = self._read_rows(tables.pupil_versions)
        environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
        return environment.get_template("subject.html").render(
            name=max(roster, key=lambda row: row.from_day).name,
            email=self.account.email,
            today=self.school.today(),
            parts=mark_third_persons(self.connection, self.pupil_id, set(self.staff.values())),
            records={
                "On the roster": [self._show_account(), *(self._show_version(row) for row in roster)],
                "Policies in Teams": list(self._iter_policies()),
                "Letters to parents": [self._show_letter(row) for row in self._read_rows(tables.letters)],
                "Letters struck out": [
                    self._show_letter(row, struck=True) for row in self._read_rows(tables.letters_struck)
                ],
                "Remote learning": [self._show_remote(row) for row in self._read_rows(tables.remote_pupils)],
                "Emails to the family": [self._show_email(row) for row in self._read_rows(tables.family_emails)],
                "Parental consents": [self._show_consent(row) for row in self._read_rows(tables.consents)],
                "Sessions": list(self._iter_sessions()),
                "In calls beside other sessions": list(self._iter_further_stays()),
                "Safeguarding concerns": list(self._iter_concerns()),
                "Rejected rows of imported files": list(self._iter_rejected_rows()),
                "Unsent drafts of logs and plans": list(self._iter_drafts("log", "plan")),
                "Planned sessions": list(self._iter_plans()),
                "Unsent drafts of concerns": list(self._iter_drafts(CONCERN_DRAFT)),
            },
        )

    def _read_rows(self, table: Table) -> Sequence[Any]:
        """The pupil's rows of a table, in the order in which they were entered."""
        query = select(table).where(table.c.pupil_id == self.pupil_id).order_by(table.c.id)
        return self.connection.execute(query).all()

    def _iter_policies(self) -> Iterator[Record]:
        policy = tables.pupil_policies
        query = select(policy).where(policy.c.pupil_id == self.pupil_id).order_by(policy.c.kind)
        for row in self.connection.execute(query):
            yield _as_cells({row.kind: row.name or "none", "Read": self._format_moment(row.read_at)})

    def _format_moment(self, when: datetime | None) -> str:
        return f"{when.astimezone(self.school.settings.zone):%d %b %Y, %H:%M}" if when else ""

    # --- roster and registers -----------------------------------------------------------------------------------

    def _show_account(self) -> Record:
        former = [f"{row.email} (until {row.ended_on:%d %b %Y})" for row in self.former_emails]
        facts = {
            "Address": self.account.email,
            "Former addresses": former,
            "Language of letters": self.account.language,
        }
        contacts = (self.account.contact_emails or "").replace(";", ", ")
        return [*_as_cells(facts), Cell("Addresses of parents or guardians", contacts, third=True)]

    def _show_version(self, row: Any) -> Record:
        facts = {
            "From": "" if row.from_day == date(1900, 1, 1) else f"{row.from_day:%d %b %Y}",
            "Name": row.name,
            "School": row.school,
            "Year": row.year_group,
            "House": row.house,
            "Tutor": self.staff.get(row.tutor_id),
            "Left": "yes" if row.has_left else "",
        }
        return _as_cells(facts)

    def _show_letter(self, row: Any, *, struck: bool = False) -> Record:
        facts = {"Kind": row.kind.replace("_", " "), "Sent on": f"{row.sent_on:%d %b %Y}"}
        if struck:
            by = self.staff.get(row.struck_by, "")
            facts["Struck out"] = f"{self._format_moment(row.struck_at)} by {by}: {row.reason}"
        return _as_cells(facts)

    def _show_email(self, row: Any) -> Record:
        facts = {
            "Kind": row.kind.replace("_", " "),
            "State": EmailState(row.state).label,
            "Entered": f"{self._format_moment(row.queued_at)} by {self.staff.get(row.sender_id, '')}",
            "Sent": self._format_moment(row.sent_at) if row.sent_at else "",
        }
        return [*_as_cells(facts), Cell("To", row.recipient, third=True)]

    def _show_consent(self, row: Any) -> Record:
        event = tables.consent_events.c
        events = self.connection.execute(
            select(tables.consent_events).where(event.consent_id == row.id).order_by(event.id)
        )
        facts = {
            "Kind": row.kind.replace("_", " "),
            "From": self._format_moment(row.covers_from),
            "To": self._format_moment(row.covers_to),
            "Reason": row.reason,
        }
        return [*_as_cells(facts), *(cell for entry in events for cell in self._show_consent_event(entry))]

    def _show_consent_event(self, row: Any) -> Iterator[Cell]:
        entered = f", entered {self._format_moment(row.entered_at)}" if row.entered_at else ""
        by = f" by {self.staff.get(row.actor_id, '')}" if row.actor_id else ""
        struck = f"Entry {row.struck_event_id} struck out: {row.reason}" if row.struck_event_id else ""
        label = ConsentEventKind(row.kind).label
        yield Cell(f"{label} (entry {row.id})", f"{struck or self._format_moment(row.occurred_at)}{entered}{by}")
        if row.parent:
            yield Cell(f"{label} by", row.parent, third=True)

    def _show_remote(self, row: Any) -> Record:
        entered = f"{self._format_moment(row.entered_at)} by {self.staff.get(row.entered_by, '')}"
        ended = f"{self._format_moment(row.ended_at)} by {self.staff.get(row.ended_by, '')}" if row.ended_at else ""
        days = {"From": f"{row.from_day:%d %b %Y}", "To": f"{row.to_day:%d %b %Y}"}
        return _as_cells(days | {"Reason": row.reason, "Entered": entered, "Withdrawn": ended})

    # --- sessions -----------------------------------------------------------------------------------------------

    def _iter_sessions(self) -> Iterator[Record]:
        """The sessions, the newest first, each with all versions of its log, the pupil's times in the call, and its
        outcomes. Sessions that name the pupil only in an earlier version of the log are included."""
        session, participant, staff = tables.sessions, tables.session_pupils.c, valid_versions(tables.staff_versions)
        log, named, current = tables.logs.c, tables.log_pupils.c, tables.logs.alias()
        refs = select(log.ref).join(tables.log_pupils, named.log_id == log.id).where(named.pupil_id == self.pupil_id)
        with_pupil = select(participant.session_id).where(participant.pupil_id == self.pupil_id)
        query = (
            select(session, staff.c.name.label("staff_name"), current.c.ref)
            .outerjoin(current, current.c.id == session.c.log_id)
            .outerjoin(staff, (staff.c.staff_id == session.c.staff_id) & valid_on(staff, session.c.day))
            .where(or_(session.c.id.in_(with_pupil), current.c.ref.in_(refs)), not_(is_confidential()))
            .order_by(session.c.started_at.desc())
        )
        rows = self.connection.execute(query).all()
        checks = self._list_checks(rows)
        for row in rows:
            head = _as_cells({"When": self._format_moment(row.started_at), "With": row.staff_name or "unknown"})
            yield [*head, *self._show_session(row, checks[row.id])]

    def _show_session(self, row: Any, checks: list[Cell]) -> Iterator[Cell]:
        yield Cell("Purpose", row.purpose or "not logged")
        yield from self._show_log(row.ref)
        yield from self._show_calls(row.id)
        yield from checks
        yield from self._show_breaches_and_spot_check(row.id)

    def _list_checks(self, sessions: Sequence[Any]) -> dict[int, list[Cell]]:
        """The outcome and the reason of each clause that applies, by session id."""
        checks: dict[int, list[Cell]] = defaultdict(list)
        if not sessions:
            return checks
        ids = [row.id for row in sessions]
        evidence = read_part(self.connection, self.school.settings, ids)
        judged = judge(evidence, self.school.settings, self.school.now(), reasons=True)
        id_of = {number: session_id for session_id, number in find_sessions(self.connection, judged, ids).items()}
        for row in judged.table().itertuples():
            if row.session in id_of and row.outcome != Outcome.NOT_APPLICABLE:
                words = f"{Outcome(row.outcome).label.lower()}: {row.reason}".removesuffix(": ")
                checks[id_of[row.session]].append(Cell(title_of(row.clause), words))
        return checks

    def _show_log(self, ref: str | None) -> Iterator[Cell]:
        """Every version of the log. One that is or may be counselling is left out, and what came before it: the next
        version is the first."""
        log = tables.logs
        private = is_counselling(log.c.purpose, log.c.staff_id).label("private")
        rows = self.connection.execute(select(log, private).where(log.c.ref == ref).order_by(log.c.version)).all()
        last = max((place for place, row in enumerate(rows, start=1) if row.private), default=0)
        shown = rows[last:]
        for version, row in enumerate(shown, start=1):
            label = f"Log, version {version}, entered {self._format_moment(row.entered_at)}"
            lines = [f"Purpose: {row.purpose}"]
            for question in QUESTIONS:
                answer = row._mapping[question.name]
                if answer is not None:
                    lines.append(f"{question.label}: {question.answer_label(answer)}")
            if row.correction_reason and version > 1:
                lines.append(f"Reason for the correction: {row.correction_reason}")
            yield Cell(label, "\n".join([*lines, f"Pupils: {self._name_pupils(row.id)}"]))

    def _name_pupils(self, log_id: int) -> str:
        log_pupil, pupil = tables.log_pupils.c, valid_versions(tables.pupil_versions)
        names = self.connection.scalars(
            select(pupil.c.name)
            .join(tables.log_pupils, log_pupil.pupil_id == pupil.c.pupil_id)
            .where(log_pupil.log_id == log_id, valid_on(pupil, self.school.today()))
        )
        return ", ".join(sorted(names))

    def _show_calls(self, session_id: int) -> Iterator[Cell]:
        """When the pupil joined and left, and when recordings were made."""
        stay, call, recording = tables.call_stays.c, tables.session_calls.c, tables.recordings.c
        calls = select(call.call_id).where(call.session_id == session_id)
        stays = self.connection.execute(
            select(stay.joined_at, stay.left_at)
            .where(stay.call_id.in_(calls), stay.pupil_id == self.pupil_id)
            .order_by(stay.joined_at)
        )
        times = (" to ".join(map(self._format_moment, ends)) for ends in stays)
        yield Cell("In the call", "\n".join(times))
        recorded = self.connection.scalars(select(recording.created_at).where(recording.call_id.in_(calls)))
        yield Cell("Recorded in Teams", "\n".join(map(self._format_moment, recorded)))

    def _iter_further_stays(self) -> Iterator[Record]:
        """When the pupil was in a call of a session in which they did not take part: in a room without staff after it,
        or according to an attendance report beside the call record."""
        stay, link, participant = tables.call_stays.c, tables.session_calls.c, tables.session_pupils.c
        own = select(participant.session_id).where(participant.pupil_id == self.pupil_id)
        stays = (
            select(stay.joined_at, stay.left_at, link.part)
            .join(tables.session_calls, link.call_id == stay.call_id)
            .join(tables.sessions, tables.sessions.c.id == link.session_id)
            .where(stay.pupil_id == self.pupil_id, link.session_id.not_in(own), not_(is_confidential()))
            .order_by(stay.joined_at)
        )
        for row in self.connection.execute(stays):
            times = f"{self._format_moment(row.joined_at)} to {self._format_moment(row.left_at)}"
            yield _as_cells({"In the call": times, "What it was": CallPart(row.part).label})

    def _show_breaches_and_spot_check(self, session_id: int) -> Iterator[Cell]:
        breach, event = tables.breaches.c, tables.breach_events.c
        rows = self.connection.execute(
            select(breach.clause, event.occurred_at, event.kind, event.resolution, event.text)
            .join(tables.breach_events, event.breach_id == breach.id)
            .where(breach.session_id == session_id)
            .order_by(event.occurred_at, event.id)
        )
        for clause, at, kind, how, text in rows:
            words = [Resolution(how).label if how else "", text or ""]
            yield Cell(f"{title_of(clause)}: {kind}, {self._format_moment(at)}", ". ".join(filter(None, words)) or "–")
        check = tables.spot_checks.c
        answered = select(tables.spot_checks).where(check.session_id == session_id, check.result.is_not(None))
        for row in self.connection.execute(answered):
            words = [SpotCheckResult(row.result).label, row.note or "", row.reply or ""]
            yield Cell(f"Spot check, {self._format_moment(row.checked_at)}", "\n".join(filter(None, words)))

    # --- concerns, rejected rows, drafts and plans ----------------------------------------------------------------

    def _iter_concerns(self) -> Iterator[Record]:
        """Every concern about the pupil, with its whole history. Concerns about conduct are left out."""
        for entries in list_entries_about(self.school, self.connection, self.pupil_id):
            cells = []
            for entry in entries:
                lines = [f"{label}: {text}" for label, text in (*entry.words, ("By", entry.by)) if text]
                cells.append(Cell(f"{entry.what}, {self._format_moment(entry.at)}", "\n".join(lines)))
            yield cells

    def _iter_rejected_rows(self) -> Iterator[Record]:
        """Rejected rows with the pupil's address, less those that may be about counselling."""
        for row in self.connection.execute(select(tables.quarantine).order_by(tables.quarantine.c.id)):
            content = (row.original or b"").lower()
            if not any(email.encode() in content for email in self.emails):
                continue
            source = f"{row.source}, row {row.row}" if row.row is not None else row.source
            original = json.loads(row.original) if row.row is not None else {}
            facts = {name: value for name, value in original.items() if name}
            purpose = str(facts.get("purpose") or "").strip().lower()
            if row.kind not in ("letters", "consents", "pupils") and purpose not in OTHER_PURPOSES:
                continue
            head = _as_cells({"File": f"{source}, {self._format_moment(row.rejected_at)}", "Reason": row.reason})
            cells = [cell._replace(third=cell.label == "contact_emails") for cell in _as_cells(facts)]
            yield [*head, *cells]

    def _iter_drafts(self, *forms: str) -> Iterator[Record]:
        """Drafts of logs and plans, which name pupils by address, or of concerns about children, which name them by
        number. A draft by somebody who is or was a counsellor may be about counselling, and is left out."""
        draft = tables.drafts.c
        query = select(tables.drafts).where(draft.form.in_(forms)).order_by(draft.saved_at)
        for row in self.connection.execute(query):
            answers = json.loads(row.content)
            if row.form == CONCERN_DRAFT:
                named = self.pupil_id in answers.pop("pupils", [])
            else:
                named = any(email in row.content.lower() for email in self.emails)
            if not named or row.staff_id in self.counsellors or answers.get("purpose") == COUNSELLING:
                continue
            head = _as_cells({"By": self.staff.get(row.staff_id), "Saved": self._format_moment(row.saved_at)})
            yield [*head, *_as_cells(answers)]

    def _iter_plans(self) -> Iterator[Record]:
        """Plans with the pupil, less those for counselling."""
        plan, plan_pupil = tables.plans, tables.plan_pupils.c
        with_pupil = plan.c.id.in_(select(plan_pupil.plan_id).where(plan_pupil.pupil_id == self.pupil_id))
        is_open = not_(is_counselling(plan.c.purpose, plan.c.staff_id))
        query = select(plan).where(with_pupil, is_open).order_by(plan.c.started_at, plan.c.id)
        for row in self.connection.execute(query):
            facts = {
                "By": self.staff.get(row.staff_id),
                "From": self._format_moment(row.started_at),
                "To": self._format_moment(row.ended_at),
                "Purpose": row.purpose,
                "Reason": row.reason,
            }
            yield _as_cells(facts)
