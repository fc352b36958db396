"""Subject access: everything that is held on one pupil, in one file for the DSP to read and redact."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Connection, select

from app import audit
from app.protocol import CLAUSES, judge
from app.school import School
from app.store import reading, tables
from app.store.held import held, on

_TITLES = {clause.name: clause.title for clause in CLAUSES}
_IN_WORDS = {True: "yes", False: "no", None: ""}
COUNSELLING = "Counselling. Notes and reasons are the counsellor's, and are not in this file; ask them."


class UnknownPupil(Exception):
    """Nobody of that email is or was a pupil on the roster."""


@dataclass(frozen=True)
class Held:
    """One record: its cells, each a label and a text; `redact` where it is counselling."""

    cells: Sequence[tuple[str, str]]
    redact: bool = False


def subject(school: School, email: str) -> str:
    """An HTML page with everything that is held on the pupil; other people's names in it are marked, and
    so is counselling, of which it holds only that it was. That it was made stands on the audit trail."""
    with school.writing() as connection:
        pupil_id = connection.scalar(select(tables.pupils.c.id).where(tables.pupils.c.email == email.strip().lower()))
        if pupil_id is None:
            raise UnknownPupil("Nobody of this email address is or was a pupil on the roster.")
        page = _page(connection, school, pupil_id)
        about = f"everything held on pupil {pupil_id}"
        audit.add(connection, at=school.now(), by=audit.COMMAND, what="exported", about=about)
    return page


def _page(connection: Connection, school: School, pupil_id: int) -> str:
    versions = connection.execute(
        select(tables.pupil_versions)
        .where(tables.pupil_versions.c.pupil_id == pupil_id)
        .order_by(tables.pupil_versions.c.from_day)
    ).all()
    template = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template("subject.html")
    return template.render(
        name=versions[-1].name,
        email=connection.scalar(select(tables.pupils.c.email).where(tables.pupils.c.id == pupil_id)),
        today=school.today(),
        parts=_third_persons(connection, pupil_id),
        roster=[_version(row) for row in versions],
        letters=[
            Held([("Kind", row.kind), ("Sent on", str(row.sent_on))])
            for row in _of(connection, tables.letters, pupil_id)
        ],
        consents=[_consent(school, row) for row in _of(connection, tables.consents, pupil_id)],
        sessions=list(_sessions(connection, school, pupil_id)),
        concerns=list(_concerns(connection, school, pupil_id)),
    )


def _third_persons(connection: Connection, pupil_id: int) -> Callable[[str], Iterator[tuple[str, bool]]]:
    """Cuts a text into pieces, each with whether it names another pupil: by name, or by address."""
    name, of = tables.pupil_versions.c, tables.pupils.c
    others = {
        *connection.scalars(select(name.name).where(name.pupil_id != pupil_id)),
        *connection.scalars(select(of.email).where(of.id != pupil_id)),
    }
    by_length = sorted(filter(None, others), key=len, reverse=True)
    found = re.compile("|".join(map(re.escape, by_length)) or r"(?!)", re.IGNORECASE)

    def parts(text: str) -> Iterator[tuple[str, bool]]:
        end = 0
        for match in found.finditer(text):
            yield text[end : match.start()], False
            yield match.group(), True
            end = match.end()
        yield text[end:], False

    return parts


def _of(connection: Connection, table: Any, pupil_id: int) -> Sequence[Any]:
    return connection.execute(select(table).where(table.c.pupil_id == pupil_id).order_by(table.c.id)).all()


def _version(row: Any) -> Held:
    first = "" if row.from_day == date(1900, 1, 1) else str(row.from_day)
    return Held(
        [("From", first), ("Name", row.name), ("School", row.school), ("Year", row.year_group), ("House", row.house)]
    )


def _consent(school: School, row: Any) -> Held:
    return Held(
        [
            ("Kind", row.kind), ("From", _moment(school, row.covers_from)), ("To", _moment(school, row.covers_to)),
            ("Reason", row.reason or ""), ("Given", _moment(school, row.obtained_at) or "asked for, not given"),
            ("Given by", row.given_by or ""), ("SLT informed", _moment(school, row.slt_informed_at)),
        ]
    )  # fmt: skip


def _moment(school: School, when: datetime | None) -> str:
    return f"{when.astimezone(school.settings.zone):%d %b %Y, %H:%M}" if when else ""


def _sessions(connection: Connection, school: School, pupil_id: int) -> Iterator[Held]:
    """The newest first, each with its log in all versions, the pupil's times in the call, and what was judged."""
    session, among, who = tables.sessions, tables.session_pupils, held(tables.staff_versions)
    rows = connection.execute(
        select(session, who.c.name.label("staff_name"))
        .join(among, among.c.session_id == session.c.id)
        .outerjoin(who, (who.c.staff_id == session.c.staff_id) & on(who, session.c.day))
        .where(among.c.pupil_id == pupil_id)
        .order_by(session.c.started_at.desc())
    ).all()
    reasons = _reasons(connection, school, [row.id for row in rows if not row.confidential])
    for row in rows:
        head = [("When", _moment(school, row.started_at)), ("With", row.staff_name or "nobody known")]
        if row.confidential:
            yield Held([*head, ("What", COUNSELLING)], redact=True)
            continue
        yield Held(
            [
                *head,
                ("Purpose", row.purpose or "not logged"),
                *_log(connection, school, row.log_id),
                ("In the call", _stays(connection, school, row.id, pupil_id)),
                *reasons.get(row.id, []),
                *_exceptions(connection, school, row.id),
            ]
        )


def _reasons(connection: Connection, school: School, ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """What each clause came to and why, by session number."""
    if not ids:
        return {}
    judged = judge(reading.evidence(connection, session_ids=ids), school.settings, school.now(), reasons=True)
    session, of_call = tables.sessions.c, tables.session_calls.c
    by_log = dict(connection.execute(select(session.log_id, session.id).where(session.log_id.is_not(None))).all())
    by_call = dict(connection.execute(select(of_call.call_id, of_call.session_id)).all())
    keys = [
        by_log.get(log_id) or by_call.get(call_id)
        for log_id, call_id in zip(judged.sessions["log_id"].tolist(), judged.sessions["call_id"].tolist(), strict=True)
    ]
    told: dict[int, list[tuple[str, str]]] = {}
    for row in judged.table().itertuples():
        if row.outcome != "not_applicable":
            told.setdefault(keys[row.session], []).append((_TITLES[row.clause], f"{row.outcome}: {row.reason}"))
    return told


def _log(connection: Connection, school: School, log_id: int | None) -> Iterator[tuple[str, str]]:
    """Every version of the log; one that said counselling gives its time alone."""
    log = tables.logs.c
    ref = select(log.ref).where(log.id == log_id).scalar_subquery()
    for row in connection.execute(select(tables.logs).where(log.ref == ref).order_by(log.version)).all():
        answers = row._mapping
        told = [
            f"{name.replace('_', ' ')}: {_IN_WORDS.get(answers[name], answers[name])}"
            for name in (*tables.WORDS, *tables.YES_NO, "concern_summary", "concern_category", "notes", "why")
            if answers[name] not in (None, "")
        ]
        counselling = (row.purpose or "").lower() == "counselling"
        yield (
            f"Log, version {row.version}, entered {_moment(school, row.entered_at)}",
            COUNSELLING if counselling else "\n".join(told),
        )
    among, pupil = tables.log_pupils.c, held(tables.pupil_versions)
    others = connection.scalars(
        select(pupil.c.name)
        .join(tables.log_pupils, among.pupil_id == pupil.c.pupil_id)
        .where(among.log_id == log_id, on(pupil, school.today()))
        .order_by(pupil.c.name)
    )
    yield "Pupils", ", ".join(others)


def _stays(connection: Connection, school: School, session_id: int, pupil_id: int) -> str:
    stay, of_call = tables.call_stays.c, tables.session_calls.c
    rows = connection.execute(
        select(stay.joined_at, stay.left_at)
        .join(tables.session_calls, of_call.call_id == stay.call_id)
        .where(of_call.session_id == session_id, stay.pupil_id == pupil_id)
        .order_by(stay.joined_at)
    )
    return "\n".join(f"{_moment(school, came)} to {_moment(school, went)}" for came, went in rows)


def _exceptions(connection: Connection, school: School, session_id: int) -> Iterator[tuple[str, str]]:
    exception, event = tables.exceptions.c, tables.exception_events.c
    rows = connection.execute(
        select(exception.clause, event.at, event.kind, event.how, event.text)
        .join(tables.exception_events, event.exception_id == exception.id)
        .where(exception.session_id == session_id)
        .order_by(event.at, event.id)
    )
    for clause, at, kind, how, text in rows:
        yield f"{_TITLES[clause]}: {kind} {_moment(school, at)}", f"{how or ''} {text or ''}".strip()


def _concerns(connection: Connection, school: School, pupil_id: int) -> Iterator[Held]:
    """Every concern that names the pupil, with everything that happened to it."""
    concern, among = tables.concerns.c, tables.concern_pupils.c
    who = held(tables.staff_versions)
    names = dict(connection.execute(select(who.c.staff_id, who.c.name).where(on(who, school.today()))).all())
    rows = connection.execute(
        select(tables.concerns)
        .join(tables.concern_pupils, among.concern_id == concern.id)
        .where(among.pupil_id == pupil_id)
        .order_by(concern.raised_at)
    ).all()
    for row in rows:
        event = tables.concern_events.c
        events = connection.execute(
            select(tables.concern_events).where(event.concern_id == row.id).order_by(event.at, event.id)
        ).all()
        yield Held(
            [
                ("Reference", row.ref), ("Raised", _moment(school, row.raised_at)),
                ("By", names.get(row.raised_by, "")), ("Happened", _moment(school, row.happened_at)),
                ("Summary", row.summary), ("The child's words", row.childs_words or ""),
                ("Categories", row.categories.replace(";", ", ")),
                *(
                    (
                        f"{one.kind}, {_moment(school, one.at)}",
                        "; ".join(filter(None, (names.get(one.by), one.level, names.get(one.told), one.text))) or "–",
                    )
                    for one in events
                ),
            ]
        )  # fmt: skip
