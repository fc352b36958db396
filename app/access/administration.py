"""What the administrator works with: roster, imports, audit trail, encryption keys, quarantine."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, func, literal, or_, select, true

from app.access.people import list_addresses
from app.access.policy import OTHER_PURPOSES, Days, Person, require
from app.access.scope import (
    PUPIL_FACTS,
    find_start_and_end,
    in_school_time,
    read_frame,
    select_past_and_present_counsellors,
    sort_by_name,
    with_staff_name,
)
from app.formatting import start_sentence
from app.records.people.roster import FOREIGN, ROSTER_TABLES
from app.school import School
from app.store import audit_log, tables
from app.store.key_rotation import KeyCounts, count_by_key, round_counts
from app.store.versions import get_person_column, is_there_on, valid_on, valid_versions
from app.vocabulary.roles import Resource, Role

_OF_SESSIONS = ("logs", "calls", "attendance", "recordings")  # kinds of imports that may hold counselling


def get_roster(school: School, person: Person) -> dict[str, pd.DataFrame]:
    """The roster as of today, for the administrator: `schools` (`code`, `name`, `senior`, `email_domain`),
    `staff` (`email`, `name`, `school`, `department`, `roles`, `year_groups`, `houses`, `from_day`, `signed_in`: when
    last, as far back as the audit trail goes), `pupils` (`email`, `name`, `school`, `year_group`, `house`, `tutor`,
    `from_day`) and `leavers` (`email`, `name`, `school`, `was`: member of staff or pupil, `last_day`)."""
    require(person, Resource.ROSTER)
    staff, pupil = valid_versions(tables.staff_versions), valid_versions(tables.pupil_versions)
    tutor = tables.staff.alias("tutor")
    today = school.today()
    listed_staff = ("name", "school", "department", "roles", "year_groups", "houses", "from_day")
    queries = {
        "schools": select(tables.schools).order_by(tables.schools.c.code),
        "staff": select(tables.staff.c.email, *(staff.c[name] for name in listed_staff), staff.c.staff_id)
        .join(staff, staff.c.staff_id == tables.staff.c.id)
        .where(is_there_on(staff, today))
        .order_by(staff.c.name),
        "pupils": select(
            tables.pupils.c.email,
            *(pupil.c[name] for name in PUPIL_FACTS),
            tutor.c.email.label("tutor"),
            pupil.c.from_day,
        )
        .join(pupil, pupil.c.pupil_id == tables.pupils.c.id)
        .outerjoin(tutor, tutor.c.id == pupil.c.tutor_id)
        .where(is_there_on(pupil, today)),
    }
    frames = {name: read_frame(school, query) for name, query in queries.items()}
    signed_in = _read_last_signed_in(school)
    frames["staff"]["signed_in"] = signed_in.reindex(frames["staff"].pop("staff_id")).array
    return frames | {"pupils": sort_by_name(frames["pupils"]), "leavers": _list_leavers(school)}


def _read_last_signed_in(school: School) -> pd.Series:
    """When each member of staff last signed in, by any of their addresses, by staff id."""
    signed_in = read_frame(school, audit_log.select_last_signed_in())
    with school.engine.connect() as connection:
        owners = {address: number for number, address in list_addresses(connection)}
    return signed_in.groupby(signed_in["actor"].map(owners))["occurred_at"].max()


def _list_leavers(school: School) -> pd.DataFrame:
    """Those who have left, as `get_roster` lists them, the last first."""
    lists = []
    for was, people, versions in (
        ("member of staff", tables.staff, tables.staff_versions),
        ("pupil", tables.pupils, tables.pupil_versions),
    ):
        version = valid_versions(versions)
        query = (
            select(people.c.email, version.c.name, version.c.school, literal(was).label("was"), version.c.from_day)
            .join(version, version.c[get_person_column(versions)] == people.c.id)
            .where(valid_on(version, school.today()), version.c.has_left)
        )
        lists.append(read_frame(school, query))
    leavers = pd.concat(lists, ignore_index=True).sort_values(["from_day", "name"], ascending=[False, True])
    last_day = leavers.pop("from_day").astype("datetime64[s]") - pd.Timedelta(days=1)
    return leavers.assign(last_day=last_day).reset_index(drop=True)


def list_imports(school: School, person: Person) -> pd.DataFrame:
    """The imports, the newest first, for the administrator: `kind`, `source`, `imported_at`, `imported_by`
    (name; blank: a command), the numbers `read`, `added`, `changed`, `unchanged`, `dropped`, `rejected`, and
    `undone_at` (blank: not undone). What is or may be counselling is not counted, and an import of nothing else is left
    out."""
    require(person, Resource.IMPORTS)
    done, numbers = tables.imports.c, ("read", "added", "changed", "unchanged", "dropped", "rejected")
    columns = (done.kind, done.source, done.imported_at, done.undone_at, *(done[name] for name in numbers))
    query = select(*columns).where(is_import_shown()).order_by(done.id.desc())
    rows = read_frame(school, with_staff_name(query, "imported_by", done.imported_by, school.today()))
    return rows[["kind", "source", "imported_at", "imported_by", *numbers, "undone_at"]]


def is_import_shown() -> ColumnElement[bool]:
    """Whether an import held anything else than counselling, as a condition on `imports`."""
    return or_(tables.imports.c.kind.not_in(_OF_SESSIONS), tables.imports.c.read > 0)


def get_audit_trail(school: School, person: Person, days: Days | None = None) -> pd.DataFrame:
    """Who saw and did what, the newest first, for the administrator: `occurred_at`, `actor` (email), `action`,
    `subject` (a reference); of some days, or all.

    What a counsellor opened, logged or downloaded is left out, and so are imports of nothing but counselling: each
    would reveal one more counselling session. For the same reason entries have no numbers here. References to concerns,
    whoever raised them, and to roles given by an import stay."""
    require(person, Resource.AUDIT_TRAIL)
    begin, end = find_start_and_end(school, days) if days else (None, None)
    with school.engine.connect() as connection:
        entries = audit_log.list_entries(connection, begin, end)
        others = set(connection.scalars(select_past_and_present_counsellors())) - {person.staff_id}
        counsellors = [address for number, address in list_addresses(connection) if number in others]
    is_withheld = (
        entries["actor"].isin(counsellors)
        & entries["action"].isin(["viewed", "changed", "exported"])
        & ~entries["subject"].str.startswith(("concern ", "role "))
    ) | entries["subject"].str.startswith(audit_log.CONFIDENTIAL)
    shown = entries.loc[~is_withheld, ["occurred_at", "actor", "action", "subject"]].reset_index(drop=True)
    shown["subject"] = shown["subject"].str.replace(_NUMBERS, "", regex=True)
    return in_school_time(school, shown)


# Numbers of entries of the trail, and of imports, among which confidential ones have numbers too.
_NUMBERS = (
    r" up to entry \d+, hash \w+$|; entries \d+ to \d+ of the audit trail, hash \w+,(?= are only in)|, import \d+$"
)


@dataclass(frozen=True)
class Trail:
    """What a verification of the audit trail found: what does not fit (as text; blank: everything fits), and the newest
    entry as a text to be noted elsewhere and compared (see `audit_log.write_head`; blank: there is none)."""

    fault: str
    head: str


def verify_audit_trail(school: School, person: Person) -> Trail:
    """Check, for the administrator, that the audit trail is unaltered."""
    require(person, Resource.AUDIT_TRAIL)
    with school.engine.connect() as connection:
        _, fault = audit_log.verify(connection)
        return Trail(fault or "", audit_log.write_head(connection))


def count_encrypted_values(school: School, person: Person) -> list[KeyCounts]:
    """How many values are encrypted with which key, rounded, for the administrator; some 5,000 a second."""
    require(person, Resource.ENCRYPTION_KEYS)
    with school.engine.connect() as connection:
        return round_counts(count_by_key(connection))


def record_access(school: School, person: Person, what: str, about: str) -> None:
    """Record on the audit trail what the person saw or did: an action of `audit_log`, and a reference."""
    with school.writing() as connection:
        school.add_to_trail(connection, person.email, what, about)


_ROLE_CHANGES_SHOWN = timedelta(days=30)
_ROLES = {role.value: role.label for role in Role}
_ROLE_CHANGE = re.compile(r"role (?P<role>\w+)(?: of (?P<group>.+))? (?P<rest>(?:given to|taken from) .+)")


def list_role_changes(school: School, person: Person) -> pd.DataFrame:
    """The changes of roles, and of the accounts of those who hold a confidential role, in the last 30 days, for the
    DSPs and the Senior Deputy Head, the newest first: `occurred_at`, `actor`, `subject` (with the roles' labels)."""
    require(person, Resource.ROLE_CHANGES)
    entry = tables.audit.c
    query = (
        select(entry.occurred_at, entry.actor, entry.subject)
        .where(entry.action == "changed", entry.subject.startswith("role "))
        .where(entry.occurred_at >= school.now() - _ROLE_CHANGES_SHOWN)
        .order_by(entry.id.desc())
    )
    rows = read_frame(school, query)
    rows["subject"] = rows["subject"].map(_describe_role_change)
    return rows


def _describe_role_change(subject: str) -> str:
    """What changed, as the screen says it: "Head of Year (9) given to …"."""
    change = _ROLE_CHANGE.fullmatch(subject)
    if change is None:
        return start_sentence(subject)
    group = f" ({change['group']})" if change["group"] else ""
    return f"{_ROLES.get(change['role'], change['role'])}{group} {change['rest']}"


# The columns of a rejected row that the administrator may read in order to fix it; "" holds cells without a column.
# Any other cell of a log or a call may be a narrative or mention a concern; so may a consent's reason.
_SHOWN = {
    **{kind: (*table.columns, *FOREIGN, "") for kind, table in ROSTER_TABLES.items()},
    "letters": ("pupil_email", "kind", "sent_on", ""),
    "consents": ("pupil_email", "kind", "covers_from", "covers_to", "obtained_at", "given_by", "slt_informed_at"),
    "logs": ("ref", "staff_email", "started_at", "ended_at"),
}
ROWS_LISTED = 500  # of the quarantine, so that any number of rejected rows slows nothing down
RECORDS = ("calls", "recordings")  # never shown: a file with the corrected record takes their place
_SHOWN_OF_OTHER_LOGS = ("purpose", "pupil_emails", "second_staff_emails", "platform", "account", "cameras_on")


def count_rejected_rows(school: School, person: Person) -> tuple[int, int]:
    """How many entries of the quarantine are unresolved, and how many are resolved, for the administrator."""
    require(person, Resource.REJECTED_ROWS)
    resolved_at = tables.quarantine.c.resolved_at
    with school.engine.connect() as connection:
        every, resolved = connection.execute(select(func.count(), func.count(resolved_at))).one()
    return every - resolved, resolved


def list_rejected_rows(school: School, person: Person, number: int | None = None) -> pd.DataFrame:
    """The first ROWS_LISTED of the unresolved entries of the quarantine, or one of them, for the administrator to fix.

    Columns: `id`, `kind`, `source`, `place` (the row of the file, or what the sync fetched), `rejected_at`, `column`,
    `value` (blank where withheld), `reason`, `fix`, `attempts`, `original` (the cells that may be shown, by column),
    `withheld` (cells were left out), `fixable` (the columns that the administrator may write; none if the faulty
    cell is withheld). Of a log only the faulty cell is shown unless the row says that it was not counselling.
    Narratives and call records are never shown.
    """
    require(person, Resource.REJECTED_ROWS)
    entry = tables.quarantine.c
    columns = (entry.id, entry.kind, entry.source, entry.row, entry.call_id, entry.rejected_at, entry.column)
    query = (
        select(*columns, entry.value, entry.reason, entry.fix, entry.attempts, entry.original)
        .where(entry.resolved_at.is_(None), entry.id == number if number is not None else true())
        .order_by(entry.id)
        .limit(ROWS_LISTED)
    )
    rows = _add_places(read_frame(school, query))
    shown = [_select_cells_to_show(row) for row in rows.itertuples()]
    for place, name in enumerate(("original", "withheld", "value", "fixable")):
        rows[name] = [facts[place] for facts in shown]
    return rows


def _select_cells_to_show(entry: Any) -> tuple[dict[str, Any], bool, str | None, tuple[str, ...]]:
    """What may be shown of an entry of the quarantine: `original`, `withheld`, `value` and `fixable`."""
    if entry.kind not in _SHOWN:  # a call record
        return {}, True, None, ()
    cells = {str(name).strip().lower(): cell for name, cell in json.loads(entry.original or b"{}").items()}
    shown, fixable = select_shown_cells(entry.kind, cells, entry.column)
    has_value = entry.column is not None and entry.column.strip().lower() in shown
    return shown, len(shown) < len(cells), entry.value if has_value else None, fixable


def select_shown_cells(
    kind: str, cells: Mapping[str, Any], column: str | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Of a rejected row, given by column in lower case, the cells that the administrator may see, and the columns that
    they may write; none if the faulty `column` is withheld."""
    names = _SHOWN[kind]
    if kind == "logs":
        is_other = str(cells.get("purpose") or "").strip().lower() in OTHER_PURPOSES
        # Of what may be counselling, only the fault: not who did it and when.
        names = (*names, *_SHOWN_OF_OTHER_LOGS) if is_other else tuple(name for name in names if name == column)
    shown = {name: cells[name] for name in names if name in cells}
    fixable = tuple(name for name in names if name) if (column or "") in names else ()
    if kind == "logs" and column != "staff_email":
        # A log keeps its author unless the author is the fault: whoever becomes the author may read all of the log.
        fixable = tuple(name for name in fixable if name != "staff_email")
    return shown, fixable


def list_resolved_rows(school: School, person: Person) -> pd.DataFrame:
    """The last ROWS_LISTED entries of the quarantine that were resolved, the latest first, for the administrator.

    Columns: `kind`, `source`, `place`, `column`, `reason`, `resolved_at`, `resolved_by` (name; blank: a command),
    `resolution` (see RowResolution), `resolution_reason` (of a dismissal).
    """
    require(person, Resource.REJECTED_ROWS)
    entry = tables.quarantine.c
    columns = (entry.kind, entry.source, entry.row, entry.call_id, entry.column, entry.reason, entry.resolved_at)
    query = (
        select(*columns, entry.resolution, entry.resolution_reason)
        .where(entry.resolved_at.is_not(None))
        .order_by(entry.resolved_at.desc(), entry.id.desc())
        .limit(ROWS_LISTED)
    )
    return _add_places(read_frame(school, with_staff_name(query, "resolved_by", entry.resolved_by, school.today())))


def _add_places(rows: pd.DataFrame) -> pd.DataFrame:
    """Add `place`, as text: the row of a file, or the call whose record the sync fetched."""
    rows["place"] = [
        f"row {row}" if not pd.isna(row) else f"call {call_id}" if call_id else "entry of a list"
        for row, call_id in zip(rows.pop("row"), rows.pop("call_id"), strict=True)
    ]
    return rows
