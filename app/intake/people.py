"""Imports schools, staff and pupils, and stores from which day each version of a person is valid.

Earlier calls and invitations are linked to people as soon as these are on the roster.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from app.alerts.outbox import remove_waiting
from app.formatting import how_many
from app.intake.identity import Identities, Known
from app.intake.recognition import list_sessions_since, recognise
from app.intake.result import ImportResult
from app.intake.roles import RoleChange, read_addresses, record_account, record_roles, refuse_account, refuse_own_role
from app.intake.timeline import EVER, Facts, Timeline, get_facts_on, read_timelines, revise
from app.judging.rejudge import Affected
from app.records.people.roster import (
    combine,
    is_about_another_kind,
    is_away,
    parse_pupils,
    parse_schools,
    parse_staff,
    sort_rows,
)
from app.records.rows import InvalidCellError, ReadRow, reject
from app.records.tables.tabular import Table as File
from app.school import School
from app.store import reading, tables
from app.store.versions import get_person_column
from app.store.writing import insert_rows
from app.vocabulary.words import fold


@dataclass(frozen=True)
class RosterOptions:
    """The options of an import of staff or pupils, as the office gives them.

    - `valid_from`: the day from which its rows are valid; None: today
    - `left_on`: the first day on which the people who are not in the file are no longer there; None: they stay
    - `same_person`: addresses that stand for the person who has or had them, as `Identities` describes
    - `whole`: whether the file is the whole list; a row that was fixed is not
    - `leave_days`: as `left_on`, for single people by their Entra ids or addresses, where the source of the list says
      who has left; also if it is not the whole list
    - `staying`: addresses of people who stay although no row that can be used names them
    """

    valid_from: date | None = None
    left_on: date | None = None
    same_person: frozenset[str] = frozenset()
    whole: bool = True
    leave_days: Mapping[str, date] = field(default_factory=dict)
    staying: frozenset[str] = frozenset()


def store_schools(
    connection: Connection, _school: School, file: File, result: ImportResult, _options: RosterOptions
) -> Affected:
    """Store schools as they are now. The case of a code does not matter; a school keeps the code that it has."""
    known = {row.code: row for row in connection.execute(select(tables.schools))}
    alike = {fold(code): code for code in known}
    affected = Affected()
    for read in result.note(parse_schools(file)):
        row = read.row
        code = row.code if row.code in known else alike.get(fold(row.code), row.code)
        before = known.get(code)
        kept = before.email_domain if before and "email_domain" not in file.columns else ""
        values = row.model_dump() | {"code": code, "email_domain": row.email_domain or kept}
        if before is None:
            connection.execute(insert(tables.schools).values(values))
            result.added += 1
            result.new_rows.append((read.number, read.cells))
        elif before._asdict() != values:
            connection.execute(update(tables.schools).where(tables.schools.c.code == code).values(values))
            result.changed += 1
            affected.times = [(-(2**62), 2**62)]  # whether it is a senior school decides a clause
    result.unchanged = result.read - result.added - result.changed - len(result.rejected)
    return affected


@dataclass(frozen=True)
class _Kind:
    """Staff or pupils: the tables, the facts of somebody who has left, and the fact that each column gives which a
    table may lack."""

    table: Table
    versions: Table
    gone: Facts
    optional: Mapping[str, str]

    @property
    def key(self) -> str:
        return get_person_column(self.versions)


_STAFF = _Kind(
    tables.staff,
    tables.staff_versions,
    gone={"has_left": True, "roles": ""},
    optional={name: name for name in ("roles", "department", "year_groups", "houses")},
)
_PUPILS = _Kind(
    tables.pupils,
    tables.pupil_versions,
    gone={"has_left": True},
    optional={"house": "house", "tutor_email": "tutor_id", "contact_emails": "contact_emails", "language": "language"},
)


@dataclass(frozen=True)
class _Person:
    """A row that can be used: the facts of the version that it gives, and those of the account, which has no versions;
    `known`: whom it is about, None for somebody new."""

    read: ReadRow[Any]
    version: Facts
    account: Facts
    known: Known | None = None


def store_staff(
    connection: Connection, school: School, file: File, result: ImportResult, options: RosterOptions
) -> Affected:
    """Store staff, as `_Import.store` does."""
    pupils = reading.read_roster(connection).pupils
    schools = set(connection.scalars(select(tables.schools.c.code)))
    rows = result.note(parse_staff(file, schools, pupils))

    def facts(row: Any) -> Facts:
        lists = {name: ";".join(getattr(row, name)) for name in ("roles", "year_groups", "houses")}
        return {name: getattr(row, name) for name in ("name", "school", "department")} | lists

    people = [_Person(read, facts(read.row), {}) for read in rows]
    return _Import(connection, school, result, options, _STAFF).store(people, file.columns)


def store_pupils(
    connection: Connection, school: School, file: File, result: ImportResult, options: RosterOptions
) -> Affected:
    """Store pupils, as `_Import.store` does."""
    roster = reading.read_roster(connection)
    staff, schools = roster.staff, set(connection.scalars(select(tables.schools.c.code)))
    rows = result.note(parse_pupils(file, schools, staff, roster.pupils))
    day = options.valid_from or school.today()
    tutors = [staff[read.row.tutor_email] for read in rows if read.row.tutor_email]
    if left := sum(is_away(roster.staff_away, tutor, day) for tutor in tutors):
        result.notes.append(f"{how_many(left, 'pupil has', 'pupils have')} a tutor who has left: correct tutor_email")

    def facts(row: Any) -> Facts:
        tutor = {"tutor_id": staff[row.tutor_email] if row.tutor_email else None}
        return {name: getattr(row, name) for name in ("name", "school", "year_group", "house")} | tutor

    def own(row: Any) -> Facts:
        return {"contact_emails": ";".join(row.contact_emails) or None, "language": row.language}

    people = [_Person(read, facts(read.row), own(read.row)) for read in rows]
    return _Import(connection, school, result, options, _PUPILS).store(people, file.columns)


class _Import:
    """The import of staff or pupils."""

    def __init__(
        self, connection: Connection, school: School, result: ImportResult, options: RosterOptions, kind: _Kind
    ) -> None:
        self.connection, self.school, self.result, self.options, self.kind = connection, school, result, options, kind
        self.begun_at = school.now()
        self.from_day = max(options.valid_from or school.today(), EVER)
        self.identities = Identities(connection, options.same_person)
        self.timelines = read_timelines(connection, kind.versions)

    def store(self, people: Sequence[_Person], columns: Sequence[str]) -> Affected:
        """Store new people, whose first version is valid on all days, and what changed about known ones: versions from
        a day on, addresses, Entra ids. What a missing optional column would give stays. Those who are not in the file
        are noted in the result, or get a version that says that they have left."""
        people = self._identify(people)
        missing = {fact for column, fact in self.kind.optional.items() if column not in columns}
        known = {person.known.number: _remove_facts(person, missing) for person in people if person.known}
        new = [person for person in people if person.known is None]
        revised = {
            number: revise(self.timelines[number], self.from_day, person.version | {"has_left": False})
            for number, person in known.items()
        }
        changed = {number for number, timeline in revised.items() if timeline != self.timelines[number]}
        changed_accounts = self._update_accounts(known)
        gone = self._find_leavers(known)
        revised |= {number: revise(self.timelines[number], day, self.kind.gone) for number, day in gone.items()}
        self._write(self._add(new) | {number: revised[number] for number in changed | gone.keys()})
        result = self.result
        result.added, result.changed = len(new), len(changed | changed_accounts)
        result.new_rows = [(person.read.number, person.read.cells) for person in new]
        result.unchanged = result.read - result.added - result.changed - len(result.rejected)
        sessions = list_sessions_since(self.connection, self.kind.key, changed, self.from_day)
        for day in set(gone.values()):
            left = {number for number in gone if gone[number] == day}
            sessions |= list_sessions_since(self.connection, self.kind.key, left, day)
        return Affected(recognise(self.connection, self.school), sessions)

    def _identify(self, people: Sequence[_Person]) -> list[_Person]:
        """The rows with the people whom they are about, one for each person; the others are rejected."""
        found: dict[int, _Person] = {}
        for person in people:
            try:
                known = self.identities.find(person.read.row, self.kind.table.name)
                if self.kind is _STAFF and self.result.actor_id is not None:
                    self._check_own_gain(person, known)
            except InvalidCellError as fault:
                self.result.rejected.append(reject(person.read.number, person.read.cells, fault))
            else:
                found[person.read.number] = replace(person, known=known)

        def get_number(read: ReadRow[Any]) -> Mapping[str, int | None]:
            known = found[read.number].known
            return {"email": known.number if known else None, "row": None if known else read.number}

        rows, rejected = combine([person.read for person in found.values()], get_number)
        self.result.rejected = sort_rows([*self.result.rejected, *rejected])
        return [found[read.number] for read in rows]

    def _check_own_gain(self, person: _Person, known: Known | None) -> None:
        """Raise InvalidCellError if a row would give whoever imports it a role that opens confidential records, or may
        give them the account of somebody who has one."""
        before = get_facts_on(self.timelines[known.number], self.school.today()) if known else {}
        entra_id = person.read.row.entra_id
        if known and known.number == self.result.actor_id:
            refuse_own_role(before, person.version)
        elif entra_id and entra_id != (known.entra_id if known else None) and not self._has_actor_entra_id:
            refuse_account(before, person.version)

    @cached_property
    def _has_actor_entra_id(self) -> bool:
        """Whether the roster had the Entra id of whoever imports before: then it is nobody else's."""
        staff = self.identities.list_present(_STAFF.table.name)
        return any(known.number == self.result.actor_id and known.entra_id for known in staff)

    def _update_accounts(self, known: Mapping[int, _Person]) -> set[int]:
        """Store new addresses and Entra ids, and what else has no versions. Returns the numbers of the people changed.
        A blank Entra id leaves the one that is stored, by which its owner is known."""
        table, former = self.kind.table, tables.former_emails
        changed = set()
        addresses = self.connection.execute(select(former.c.id, former.c.email)).all()
        for stored in self.connection.execute(select(table)).mappings().all():
            if (person := known.get(stored["id"])) is None:
                continue
            row = person.read.row
            values = {"email": row.email, "entra_id": row.entra_id or stored["entra_id"]} | person.account
            if all(stored[name] == value for name, value in values.items()):
                continue
            changed.add(stored["id"])
            if stored["email"] != row.email:
                taken_back = [address.id for address in addresses if address.email == row.email]
                self.connection.execute(delete(former).where(former.c.id.in_(taken_back)))
                ended = {"email": stored["email"], self.kind.key: stored["id"], "ended_on": self.from_day}
                self.connection.execute(insert(former).values(ended))
            self.connection.execute(update(table).where(table.c.id == stored["id"]).values(values))
            if self.kind is _STAFF and (stored["entra_id"], stored["email"]) != (values["entra_id"], values["email"]):
                record_account(self._get_change(), self.timelines, stored["id"])
        return changed

    def _get_change(self) -> RoleChange:
        addresses = read_addresses(self.connection)
        return RoleChange(self.connection, self.school, self.begun_at, self.result.actor_id, addresses)

    def _add(self, new: Sequence[_Person]) -> dict[int, Timeline]:
        """Add new people, and return the timeline of each."""
        table = self.kind.table
        last = self.connection.scalar(select(func.max(table.c.id))) or 0
        numbered = list(enumerate(new, start=last + 1))
        rows = [
            {"id": number, "email": person.read.row.email, "entra_id": person.read.row.entra_id} | person.account
            for number, person in numbered
        ]
        insert_rows(self.connection, table, rows)
        return {number: [(EVER, person.version | {"has_left": False})] for number, person in numbered}

    def _find_leavers(self, named: Collection[int]) -> dict[int, date]:
        """The people who have left, each with the first day without them: those on the roster who are not in the file,
        if the office or the file's source gave a day. They are noted in the result, as `missing` if they stay. Without
        a day of their own everybody stays if a rejected row may be about somebody whom it does not identify, or if the
        file has no rows."""
        table, mentioned, is_clear = self.kind.table.name, set(named), self.result.read > 0
        for row in self.result.rejected:
            if not is_about_another_kind(row.column):
                known = self.identities.find_mentioned(row.original, table)
                mentioned |= known or set()
                is_clear = is_clear and known is not None
        present = [p for p in self.identities.list_present(table) if p.email not in self.options.staying]
        missing = [p for p in present if p.number not in mentioned]
        left_on = self.options.left_on if is_clear and self.options.whole else None
        own = self.options.leave_days
        days = {person: own.get(person.entra_id or "") or own.get(person.email) or left_on for person in missing}
        if self.options.whole:
            self.result.missing = sorted(_describe_person(person) for person, day in days.items() if day is None)
        self.result.left = sorted(_describe_person(person) for person, day in days.items() if day is not None)
        gone = {person.number: max(day, EVER) for person, day in days.items() if day is not None}
        if self.kind is _STAFF:
            remove_waiting(self.connection, gone.keys())
        return gone

    def _write(self, timelines: Mapping[int, Timeline]) -> None:
        """Replace the versions of some people, and put the roles that the import gave on the audit trail."""
        versions, key = self.kind.versions, self.kind.key
        of_people = reading.is_among(self.connection, versions.c[key], list(timelines))
        self.connection.execute(delete(versions).where(of_people))
        rows = [
            {key: number, "from_day": day} | facts for number in sorted(timelines) for day, facts in timelines[number]
        ]
        insert_rows(self.connection, versions, rows)
        if self.kind is _STAFF:
            record_roles(self._get_change(), self.timelines, timelines)


def _describe_person(person: Known) -> str:
    return f"{person.name} ({person.email})"


def _remove_facts(person: _Person, facts: Collection[str]) -> _Person:
    """A person's row without some facts."""
    version, account = (
        {name: value for name, value in given.items() if name not in facts}
        for given in (person.version, person.account)
    )
    return replace(person, version=version, account=account)
