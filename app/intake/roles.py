"""Who receives and loses roles by an import: it is on the audit trail, those who answer for roles are alerted, and
nobody gives themselves one that opens confidential records, or the account of somebody who has one."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from app.alerts.outbox import Alert, enqueue
from app.intake.timeline import Facts, Timeline, get_facts_on
from app.intake.transaction import record_change
from app.records.rows import InvalidCellError
from app.school import School
from app.store import tables
from app.vocabulary.roles import Role

ALERT = "role_given"  # the kind of alert
# These open narratives, the whole school or its accounts.
_CONFIDENTIAL = (Role.SENIOR_DEPUTY_HEAD, Role.COUNSELLOR, Role.DSP, Role.ADMIN)
_ANSWERABLE = {Role.DSP, Role.SENIOR_DEPUTY_HEAD}
_GROUPS = {Role.HOY: "year_groups", Role.HM: "houses"}  # which of them somebody looks after
_FIX = "have another administrator import this row, or whoever looks after the server by a command"

Timelines = Mapping[int, Timeline]  # by staff id


@dataclass(frozen=True)
class RoleChange:
    """An import, or its undoing, that may change roles: when it began, of which everybody gets one alert; who makes it
    (None: a command); and the addresses of staff."""

    connection: Connection
    school: School
    begun_at: datetime
    actor_id: int | None
    addresses: Mapping[int, str]

    def record(self, subject: str) -> None:
        """Put something on the audit trail."""
        record_change(self.connection, self.school, self.actor_id, "changed", subject)


def refuse_own_role(before: Facts, given: Facts) -> None:
    """Raise InvalidCellError if somebody's own import would give them a role that opens confidential records."""
    new = [role for role in _CONFIDENTIAL if role in _list_words(given) - _list_words(before)]
    if new:
        raise InvalidCellError(
            f"would give you the role {' and '.join(role.label for role in new)}, and nobody can give themselves one",
            _FIX,
            "roles",
        )


def refuse_account(before: Facts, given: Facts) -> None:
    """Raise InvalidCellError if somebody has, or is given, a role that opens confidential records: for the import of
    somebody whose own Entra id the roster does not have. The Entra id that it gives may be their own, and their account
    would then be that person's."""
    held = [role for role in _CONFIDENTIAL if role in _list_words(given) | _list_words(before)]
    if held:
        raise InvalidCellError(
            f"is of somebody with the role {' and '.join(role.label for role in held)}, and the roster does not have "
            "your own Entra id yet",
            f"import your own row with your Entra id and then this row again, or {_FIX}",
            "entra_id",
        )


def receives_own_role(school: School, actor_id: int | None, before: Timelines, after: Timelines) -> bool:
    """Whether somebody gets a role that opens confidential records by what they do themselves."""
    if actor_id is None:
        return False
    old, new = (get_facts_on(of.get(actor_id, []), school.today()) for of in (before, after))
    return bool((_list_words(new) - _list_words(old)) & set(_CONFIDENTIAL))


def read_addresses(connection: Connection) -> dict[int, str]:
    """The address of each member of staff, by staff id."""
    return {row.id: row.email for row in connection.execute(select(tables.staff.c.id, tables.staff.c.email))}


def record_roles(change: RoleChange, before: Timelines, after: Timelines) -> None:
    """Put each role that some staff were given or lost on the audit trail, and alert those who answer for it where it
    opens confidential records. `before`: the versions of everybody; `after`: those of whoever has others now."""
    receivers = set()
    for number in sorted(after):
        given, taken = _compare_roles(before.get(number, []), after[number])
        for words, roles in (("given to", given), ("taken from", taken)):
            for role in sorted(roles):
                change.record(f"role {role} {words} {change.addresses[number]}")
        if given & set(_CONFIDENTIAL):
            receivers.add(number)
    if receivers:
        _alert(change, before, receivers if len(receivers) == 1 else ())


def record_account(change: RoleChange, before: Timelines, number: int) -> None:
    """Put on the audit trail that a member of staff has another Entra id or address, and alert those who answer for
    roles, if they have one that opens confidential records. `before`: the versions of everybody."""
    if _list_words(get_facts_on(before[number], change.school.today())) & set(_CONFIDENTIAL):
        change.record(f"role holder {change.addresses[number]}: Entra id or address changed")
        _alert(change, before)


def _alert(change: RoleChange, before: Timelines, but: Collection[int] = ()) -> None:
    """Alert the DSPs and the Senior Deputy Head as they were before, but for some."""
    at, there = change.begun_at, read_addresses(change.connection)
    for number, timeline in before.items():
        is_answerable = _list_words(get_facts_on(timeline, change.school.today())) & _ANSWERABLE
        if is_answerable and number in there and number not in but:
            enqueue(change.connection, Alert(number, ALERT, f"roles {at:%Y%m%d-%H%M%S-%f}", at))


def _compare_roles(before: Timeline, after: Timeline) -> tuple[set[str], set[str]]:
    """The roles that somebody has in the end and had not, or for some past days only; and those that they had."""
    ever_before, ever_after = ({role for _, facts in of for role in _list_roles(facts)} for of in (before, after))
    last_before, last_after = (set(_list_roles(of[-1][1])) if of else set() for of in (before, after))
    return (last_after - last_before) | (ever_after - ever_before), last_before - last_after


def _list_roles(facts: Facts) -> Iterator[str]:
    """The roles that open something beside one's own records: "dsp", "hoy of 9"."""
    words = _list_words(facts)
    for role in Role:
        if role in words and (role.grants or role in _CONFIDENTIAL):
            groups = _split(facts.get(_GROUPS.get(role, "")))
            yield from (f"{role} of {group}" for group in sorted(groups)) if groups else [str(role)]


def _list_words(facts: Facts) -> set[str]:
    return set() if facts.get("has_left") else _split(facts.get("roles"))


def _split(cell: object) -> set[str]:
    return set(filter(None, str(cell or "").split(";")))
