"""Subject access: everything held on one pupil, in one file for the DSP to read and redact."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Connection, or_, select

from app.access.concern_detail import list_entries_about
from app.access.concerns import list_pupils_on_record
from app.access.forms import CONCERN_DRAFT
from app.access.policy import COUNSELLING, OTHER_PURPOSES, Person
from app.access.scope import confidential, ever_counsellor, is_counselling
from app.log_questions import QUESTIONS
from app.protocol.clauses import title_of
from app.protocol.judge import judge
from app.reports.third_persons import mark_third_persons
from app.school import School
from app.store import audit_log, reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary import Outcome, Resolution

COUNSELLING_NOTE = "Counselling. Notes and reasons are the counsellor's and are not in this file: ask the counsellor."

_MAY_BE = "It names the pupil and may be about counselling: its content is not in this file."


class UnknownPupilError(Exception):
    """Nobody with that email address is or was a pupil on the roster."""


class Cell(NamedTuple):
    """One fact: what it is, its words, and whether the whole of it is somebody else's."""

    label: str
    text: str
    third: bool = False


@dataclass(frozen=True)
class Held:
    """One record; `redact` where it is counselling."""

    cells: Sequence[Cell]
    redact: bool = False


def subject(school: School, email: str) -> str:
    """An HTML page with everything held on the pupil; other people's names are marked, and so are counselling
    sessions, of which it shows only when they were. Creating it is recorded on the audit trail. UnknownPupilError."""
    with school.engine.connect() as connection:
        pupil = tables.pupils.c
        pupil_id = connection.scalar(select(pupil.id).where(pupil.email == email.strip().lower()))
    if pupil_id is None:
        raise UnknownPupilError("Nobody with this email address is or was a pupil on the roster. Nothing was written.")
    return _page(school, pupil_id, by=audit_log.COMMAND, counselling=True)


def _page(school: School, pupil_id: int, *, by: str, counselling: bool) -> str:
    """The page of a pupil on record. Without `counselling` nothing in it, not even a mark, reveals whether there was
    any. `by`: the actor for the audit trail."""
    with school.writing() as connection:
        written = _File(connection, school, pupil_id, counselling=counselling).written()
        school.add_to_trail(connection, by, "exported", f"everything held on pupil {pupil_id}")
    return written


class _File:
    """The page of one pupil, out of one transaction."""

    def __init__(self, connection: Connection, school: School, pupil_id: int, *, counselling: bool) -> None:
        self.connection, self.school, self.pupil_id, self.counselling = connection, school, pupil_id, counselling
        self.email = connection.scalar(select(tables.pupils.c.email).where(tables.pupils.c.id == pupil_id)) or ""
        who = valid_versions(tables.staff_versions)
        today = valid_on(who, school.today())
        self.staff = dict(connection.execute(select(who.c.staff_id, who.c.name).where(today)).all())

    def written(self) -> str:
        roster = self._mine(tables.pupil_versions)
        environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
        return environment.get_template("subject.html").render(
            name=max(roster, key=lambda row: row.from_day).name,
            email=self.email,
            today=self.school.today(),
            counselling=self.counselling,
            parts=mark_third_persons(self.connection, self.pupil_id, set(self.staff.values())),
            records={
                "On the roster": [self._version(row) for row in roster],
                "Letters to parents": [
                    Held([Cell("Kind", row.kind.replace("_", " ")), Cell("Sent on", f"{row.sent_on:%d %b %Y}")])
                    for row in self._mine(tables.letters)
                ],
                "Letters struck out": [
                    Held(
                        [
                            Cell("Kind", row.kind.replace("_", " ")),
                            Cell("Sent on", f"{row.sent_on:%d %b %Y}"),
                            Cell(
                                "Struck out",
                                f"{self._moment(row.struck_at)} by {self.staff.get(row.struck_by, '')}: {row.reason}",
                            ),
                        ]
                    )
                    for row in self._mine(tables.letters_struck)
                ],
                "Parental consents": [self._consent(row) for row in self._mine(tables.consents)],
                "Sessions": list(self._sessions()),
                "Safeguarding concerns": list(self._concerns()),
                "Rejected rows of imported files": list(self._rejected_rows()),
                "Unsent drafts of logs and plans": list(self._drafts()),
                "Planned sessions": list(self._plans()),
                "Unsent drafts of concerns": list(self._concern_drafts()),
            },
        )

    def _mine(self, table: Any) -> Sequence[Any]:
        return self.connection.execute(
            select(table).where(table.c.pupil_id == self.pupil_id).order_by(table.c.id)
        ).all()

    def _moment(self, when: datetime | None) -> str:
        return f"{when.astimezone(self.school.settings.zone):%d %b %Y, %H:%M}" if when else ""

    # --- the records --------------------------------------------------------------------------------------

    def _version(self, row: Any) -> Held:
        tutor = self.staff.get(row.tutor_id, "")
        first = "" if row.from_day == date(1900, 1, 1) else f"{row.from_day:%d %b %Y}"
        facts = {
            "From": first,
            "Name": row.name,
            "School": row.school,
            "Year": row.year_group,
            "House": row.house,
            "Tutor": tutor,
        }
        return Held([Cell(label, words) for label, words in facts.items()])

    def _consent(self, row: Any) -> Held:
        event = tables.consent_events.c
        events = self.connection.execute(
            select(tables.consent_events).where(event.consent_id == row.id).order_by(event.id)
        ).all()
        return Held(
            [
                Cell("Kind", row.kind.replace("_", " ")),
                Cell("From", self._moment(row.covers_from)),
                Cell("To", self._moment(row.covers_to)),
                Cell("Reason", row.reason or ""),
                *(cell for told in events for cell in self._consent_event(told)),
            ]
        )

    def _consent_event(self, row: Any) -> Iterator[Cell]:
        entered = f", entered {self._moment(row.entered_at)}" if row.entered_at else ""
        by = f" by {self.staff.get(row.actor_id, '')}" if row.actor_id else ""
        words = (
            f"Entry {row.struck_event_id} struck out: {row.reason}"
            if row.struck_event_id
            else self._moment(row.occurred_at)
        )
        label = "SLT informed" if row.kind == "slt_informed" else row.kind.capitalize()
        yield Cell(f"{label} (entry {row.id})", f"{words}{entered}{by}")
        if row.parent:
            yield Cell(f"{label} by", row.parent, third=True)

    def _sessions(self) -> Iterator[Held]:
        """The newest first, each with its log in all versions, the pupil's times in the call, and what was
        judged; also those that name the pupil in an earlier version of the log alone."""
        session, among, who = tables.sessions, tables.session_pupils.c, valid_versions(tables.staff_versions)
        log, named, kept = tables.logs.c, tables.log_pupils.c, tables.logs.alias()
        refs = select(log.ref).join(tables.log_pupils, named.log_id == log.id).where(named.pupil_id == self.pupil_id)
        is_counselling = confidential().label("is_counselling")
        query = (
            select(session, is_counselling, who.c.name.label("staff_name"), kept.c.ref)
            .outerjoin(kept, kept.c.id == session.c.log_id)
            .outerjoin(who, (who.c.staff_id == session.c.staff_id) & valid_on(who, session.c.day))
            .where(
                or_(
                    session.c.id.in_(select(among.session_id).where(among.pupil_id == self.pupil_id)),
                    kept.c.ref.in_(refs),
                )
            )
            .order_by(session.c.started_at.desc())
        )
        rows = self.connection.execute(query).all()
        reasons = self._reasons([row.id for row in rows if not row.is_counselling])
        for row in rows:
            head = [Cell("When", self._moment(row.started_at)), Cell("With", row.staff_name or "unknown")]
            if row.is_counselling:
                if self.counselling:
                    yield Held([*head, Cell("What", COUNSELLING_NOTE)], redact=True)
                continue
            yield Held(
                [
                    *head,
                    Cell("Purpose", row.purpose or "not logged"),
                    *self._log(row.ref),
                    *self._calls(row.id),
                    *reasons.get(row.id, []),
                    *self._breaches(row.id),
                ]
            )

    def _reasons(self, ids: Sequence[int]) -> dict[int, list[Cell]]:
        """What each clause came to and why, by session number."""
        if not ids:
            return {}
        evidence = reading.evidence(self.connection, session_ids=ids)
        judged = judge(evidence, self.school.settings, self.school.now(), reasons=True)
        session, of_call = tables.sessions.c, tables.session_calls.c
        by_log = select(session.log_id, session.id).where(session.id.in_(ids), session.log_id.is_not(None))
        by_call = select(of_call.call_id, of_call.session_id).where(of_call.session_id.in_(ids))
        of_log = dict(self.connection.execute(by_log).all())
        of_calls = dict(self.connection.execute(by_call).all())
        keys = [
            of_log.get(log_id) or of_calls.get(call_id)
            for log_id, call_id in judged.sessions[["log_id", "call_id"]].astype(object).to_numpy().tolist()
        ]
        told: dict[int, list[Cell]] = {}
        for row in judged.table().itertuples():
            if row.outcome != Outcome.NOT_APPLICABLE:
                words = f"{Outcome(row.outcome).label.lower()}: {row.reason}".removesuffix(": ")
                told.setdefault(keys[row.session] or 0, []).append(Cell(title_of(row.clause), words))
        return told

    def _log(self, ref: str | None) -> Iterator[Cell]:
        """Every version of the log; of one that was counselling at any time that version and the reasons for
        correcting it are the author's."""
        log = tables.logs
        private = is_counselling(log.c.purpose, log.c.staff_id).label("private")
        rows = self.connection.execute(select(log, private).where(log.c.ref == ref).order_by(log.c.version)).all()
        any_private = any(row.private for row in rows)
        for row in rows:
            label = f"Log, version {row.version}, entered {self._moment(row.entered_at)}"
            if row.private:
                if self.counselling:
                    yield Cell(label, COUNSELLING_NOTE, third=True)
                continue
            lines = [f"Purpose: {row.purpose}"]
            for question in QUESTIONS:
                answer = row._mapping[question.name]
                if answer is not None:
                    lines.append(f"{question.label}: {question.answer_label(answer)}")
            if row.correction_reason and not any_private:
                lines.append(f"Reason for the correction: {row.correction_reason}")
            yield Cell(label, "\n".join([*lines, f"Pupils: {self._pupils_of(row.id)}"]))

    def _pupils_of(self, log_id: int) -> str:
        among, pupil = tables.log_pupils.c, valid_versions(tables.pupil_versions)
        names = self.connection.scalars(
            select(pupil.c.name)
            .join(tables.log_pupils, among.pupil_id == pupil.c.pupil_id)
            .where(among.log_id == log_id, valid_on(pupil, self.school.today()))
            .order_by(pupil.c.name)
        )
        return ", ".join(names)

    def _calls(self, session_id: int) -> Iterator[Cell]:
        """When the pupil came and went, and that there is a recording."""
        stay, of_call, recording = tables.call_stays.c, tables.session_calls.c, tables.recordings.c
        stays = self.connection.execute(
            select(stay.joined_at, stay.left_at)
            .join(tables.session_calls, of_call.call_id == stay.call_id)
            .where(of_call.session_id == session_id, stay.pupil_id == self.pupil_id)
            .order_by(stay.joined_at)
        )
        yield Cell("In the call", "\n".join(f"{self._moment(came)} to {self._moment(went)}" for came, went in stays))
        recorded = self.connection.scalars(
            select(recording.created_at)
            .join(tables.session_calls, of_call.call_id == recording.call_id)
            .where(of_call.session_id == session_id)
        )
        yield Cell("Recorded in Teams", "\n".join(self._moment(when) for when in recorded))

    def _breaches(self, session_id: int) -> Iterator[Cell]:
        breach, event = tables.breaches.c, tables.breach_events.c
        rows = self.connection.execute(
            select(breach.clause, event.occurred_at, event.kind, event.resolution, event.text)
            .join(tables.breach_events, event.breach_id == breach.id)
            .where(breach.session_id == session_id)
            .order_by(event.occurred_at, event.id)
        )
        for clause, at, kind, how, text in rows:
            words = [Resolution(how).label if how else "", text or ""]
            yield Cell(f"{title_of(clause)}: {kind}, {self._moment(at)}", ". ".join(filter(None, words)) or "–")

    def _concerns(self) -> Iterator[Held]:
        """Every concern about the pupil, with everything that happened to it; of an adult's conduct nothing."""
        for entries in list_entries_about(self.school, self.connection, self.pupil_id):
            yield Held(
                [
                    Cell(
                        f"{entry.what}, {self._moment(entry.at)}",
                        "\n".join(f"{label}: {text}" for label, text in (*entry.words, ("By", entry.by)) if text),
                    )
                    for entry in entries
                ]
            )

    def _rejected_rows(self) -> Iterator[Held]:
        """Those that name the pupil's address; of what may have been counselling only that there is one."""
        for kept in self.connection.execute(select(tables.quarantine).order_by(tables.quarantine.c.id)):
            if self.email.encode() not in (kept.original or b"").lower():
                continue
            cells = json.loads(kept.original) if kept.row is not None else {}
            source = f"{kept.source}, row {kept.row}" if kept.row is not None else kept.source
            head = [Cell("File", f"{source}, {self._moment(kept.rejected_at)}"), Cell("Reason", kept.reason)]
            purpose = str(cells.get("purpose") or "").strip().lower()
            if kept.kind in ("letters", "consents", "pupils") or purpose in OTHER_PURPOSES:
                yield Held([*head, *(Cell(name, _said(value)) for name, value in cells.items() if name)])
            elif self.counselling:
                yield Held([*head, Cell("What", _MAY_BE)], redact=True)

    def _drafts(self) -> Iterator[Held]:
        """Of logs and plans; a draft names pupils by their address."""
        draft, counsellors = tables.drafts, set(self.connection.scalars(ever_counsellor()))
        for kept in self.connection.execute(
            select(draft).where(draft.c.form.in_(["log", "plan"])).order_by(draft.c.saved_at)
        ):
            if self.email not in kept.content.lower():
                continue
            head = [Cell("By", self.staff.get(kept.staff_id, "")), Cell("Saved", self._moment(kept.saved_at))]
            answers = json.loads(kept.content)
            if kept.staff_id not in counsellors and answers.get("purpose") != COUNSELLING:
                yield Held([*head, *(Cell(name, _said(value)) for name, value in answers.items())])
            elif self.counselling:
                yield Held([*head, Cell("What", _MAY_BE)], redact=True)

    def _plans(self) -> Iterator[Held]:
        """Those with the pupil; of counselling only that there is one."""
        plan, among = tables.plans, tables.plan_pupils.c
        private = is_counselling(plan.c.purpose, plan.c.staff_id).label("private")
        mine = select(among.plan_id).where(among.pupil_id == self.pupil_id)
        for row in self.connection.execute(
            select(plan, private).where(plan.c.id.in_(mine)).order_by(plan.c.started_at, plan.c.id)
        ):
            head = [Cell("By", self.staff.get(row.staff_id, "")), Cell("From", self._moment(row.started_at))]
            if not row.private:
                facts = {"To": self._moment(row.ended_at), "Purpose": row.purpose, "Reason": row.reason or ""}
                yield Held([*head, *(Cell(label, words) for label, words in facts.items())])
            elif self.counselling:
                yield Held([*head, Cell("What", COUNSELLING_NOTE)], redact=True)

    def _concern_drafts(self) -> Iterator[Held]:
        """Of concerns about children, which name them by number; one by somebody who is or was a counsellor may
        tell of counselling."""
        draft, counsellors = tables.drafts, set(self.connection.scalars(ever_counsellor()))
        mine = draft.c.form == CONCERN_DRAFT
        for kept in self.connection.execute(select(draft).where(mine).order_by(draft.c.saved_at)):
            answers = json.loads(kept.content)
            if self.pupil_id not in answers.pop("pupils", []):
                continue
            head = [Cell("By", self.staff.get(kept.staff_id, "")), Cell("Saved", self._moment(kept.saved_at))]
            if kept.staff_id not in counsellors:
                yield Held([*head, *(Cell(name, _said(value)) for name, value in answers.items())])
            elif self.counselling:
                yield Held([*head, Cell("What", _MAY_BE)], redact=True)


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def create_subject_access_file(school: School, person: Person, pupil_id: int) -> str | None:
    """An HTML page with everything that is held on a pupil, for the DSP to read and redact, without a sign
    of counselling; None if the pupil is not theirs. Recorded on the audit trail."""
    if pupil_id not in set(list_pupils_on_record(school, person)["pupil_id"]):
        return None
    return _page(school, pupil_id, by=person.email, counselling=False)
