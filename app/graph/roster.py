"""Reads the whole roster from Microsoft Entra, checks it like a file, and imports it in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, select

from app import lease
from app.formatting import how_many
from app.graph.asking import Context
from app.graph.client import Client
from app.graph.directory import read_directory
from app.graph.errors import ForbiddenError, GraphError, NotConfiguredError, StoppedError
from app.graph.runs import Lease, require_registration
from app.graph.sources import ASKED_AGAIN, Source, note_answer, note_refusal, read_states
from app.intake.files import AS_OF_TODAY, prepare_tables
from app.intake.people import RosterOptions
from app.intake.preview import Preview, preview_import
from app.intake.result import ImportResult
from app.intake.transaction import Run, carry_out, carry_out_for_good
from app.records.people.entra import find_leave_days
from app.records.people.entra_roster import COMPLETING, EntraTables, OnRecord, build_tables
from app.records.rows import UnreadableFileError
from app.records.tables.tabular import read_table
from app.school import School
from app.settings import EntraRoster, SettingsError, get_settings_file
from app.store import tables
from app.store.versions import is_there_on, valid_versions

_CANNOT_USE = (GraphError, SettingsError, UnreadableFileError)


@dataclass(frozen=True)
class RosterSync:
    """The result of reading the roster: what the import of staff and pupils did or would do; accounts that are neither,
    by name and address; and notes on anything else, without names."""

    done: list[ImportResult] | Preview
    unknown: list[str]
    notes: list[str]

    @property
    def results(self) -> list[ImportResult]:
        """The results for staff and pupils."""
        return self.done.results if isinstance(self.done, Preview) else self.done


def sync_roster(
    school: School,
    options: RosterOptions = AS_OF_TODAY,
    *,
    dry_run: bool = False,
    actor_id: int | None = None,
    report: Callable[[str], None] = lambda _: None,
    client: Client | None = None,
) -> RosterSync:
    """Read the roster from Entra and import it, or in a dry run find out what that would change. Raises GraphError,
    SettingsError, UnreadableFileError or an error of `lease` if that cannot be done; nothing has changed then. `report`
    and `client` are those of `synchronise`."""
    settings, registered = _require_settings(school), require_registration(school)
    with Lease(school) as held, client or Client(registered, report) as asking:
        try:
            found, run = _prepare(school, settings, asking, held, options, actor_id)
        except ForbiddenError as error:
            _note_refusal(school, error)
            raise _describe_refusal(error) from None
        done = preview_import(school, run, options) if dry_run else carry_out(school, run)
        return RosterSync(done, found.unknown, found.notes)


def fetch_roster(context: Context) -> None:
    """Import the roster as part of a sync, if the settings say which groups it comes from. Problems are noted in the
    run, without names. Raises StoppedError if nothing more can be asked."""
    school, run, settings = context.school, context.done, context.school.settings.entra_roster
    if settings is None or _was_refused(school):
        return
    try:
        _, prepared = _prepare(school, settings, context.client, context.lease, AS_OF_TODAY)
        run.roster = carry_out_for_good(school, prepared)  # no undo, because the next sync would import it again
    except ForbiddenError as error:
        _note_refusal(school, error)
        run.rejected += 1
        run.errors.append(str(_describe_refusal(error)))
    except StoppedError:
        raise
    except _CANNOT_USE as error:
        run.errors.append(f"The roster was not read from Entra: {error}")
    else:
        run.errors += _describe_open(run.roster)


def check_roster(school: School, client: Client) -> list[tuple[bool, str, str]]:
    """Check that the roster can be read from Entra, if the settings say which groups it comes from. Returns whether
    each check passed, its text and the fix. A refusal is left out, because `check_sources` describes it. Raises
    StoppedError if nothing can be asked."""
    settings = school.settings.entra_roster
    if settings is None or _was_refused(school):
        return []
    try:
        found, _ = _read(school, settings, client)
    except ForbiddenError as error:
        _note_refusal(school, error)
        return []
    except StoppedError:
        raise
    except GraphError as error:
        return [(False, error.words, error.fix)]
    except (SettingsError, UnreadableFileError) as error:
        return [(False, f"The roster cannot be read from Entra: {error}", "")]
    counts = ", ".join(f"{len(table.rows)} {kind}" for kind, table in found.tables.items())
    others = how_many(len(found.unknown), "enabled account")
    return [(True, f"Entra lists for the roster: {counts}; {others} of neither.", "")]


def _require_settings(school: School) -> EntraRoster:
    if school.settings.entra_roster is None:
        raise NotConfiguredError(
            "The settings do not say which groups of Entra the roster comes from.",
            "Add [entra_roster] to them (docs/entra.md).",
        )
    return school.settings.entra_roster


def _prepare(
    school: School,
    settings: EntraRoster,
    client: Client,
    held: lease.Lease,
    options: RosterOptions,
    actor_id: int | None = None,
) -> tuple[EntraTables, Run]:
    """What Entra holds, and a function that imports it in a transaction."""
    found, leave_days = _read(school, settings, client)
    import_tables = prepare_tables(school, found.tables, actor_id, replace(options, leave_days=leave_days))

    def run(connection: Connection) -> list[ImportResult]:
        held.hold(connection)
        results = import_tables(connection)
        note_answer(connection, Source.ROSTER, [], school.now())
        return results

    return found, run


def _read(school: School, settings: EntraRoster, client: Client) -> tuple[EntraTables, Mapping[str, date]]:
    """The tables of staff and pupils, and the first day on which somebody is no longer here, by Entra id."""
    table = read_table(get_settings_file().parent / settings.table, COMPLETING) if settings.table else None
    directory, notes = read_directory(client, settings)
    leave_days = find_leave_days(directory, school.settings.zone, school.today())
    found = build_tables(directory, settings, table, _read_on_record(school), leave_days)
    return replace(found, notes=[*notes, *found.notes]), leave_days


def _read_on_record(school: School) -> OnRecord:
    version, staff = valid_versions(tables.staff_versions), tables.staff.c
    departments = (
        select(staff.entra_id, version.c.department)
        .join(version, version.c.staff_id == staff.id)
        .where(is_there_on(version, school.today()), staff.entra_id.is_not(None))
    )
    with school.engine.connect() as connection:
        schools = connection.scalars(select(tables.schools.c.code)).all()
        return OnRecord(schools, {row.entra_id: row.department for row in connection.execute(departments)})


def _was_refused(school: School) -> bool:
    """Whether Microsoft refused the roster within the last day."""
    with school.engine.connect() as connection:
        refused_at = read_states(connection)[Source.ROSTER].refused_at
    return refused_at is not None and school.now() - refused_at < ASKED_AGAIN


def _note_refusal(school: School, error: ForbiddenError) -> None:
    with school.writing() as connection:
        note_refusal(connection, Source.ROSTER, None, error.words, school.now())


def _describe_refusal(error: ForbiddenError) -> GraphError:
    words = f"{Source.ROSTER.label} were refused ({error.words}): the roster was not read, and nothing of it changed."
    return GraphError(words, "python -m app check says how to grant them.")


def _describe_open(results: list[ImportResult]) -> list[str]:
    """What people have to correct or decide about the roster, as counts."""
    rejected = sum(len(result.rejected) for result in results)
    missing = how_many(sum(len(result.missing) for result in results), "person", "people")
    words = []
    if rejected:
        words.append(f"Roster from Entra: {how_many(rejected, 'row')} rejected; the Administration page lists them.")
    if any(result.missing for result in results):
        words.append(f"Roster from Entra: {missing} on the roster not in Entra; python -m app sync roster names them.")
    return words
