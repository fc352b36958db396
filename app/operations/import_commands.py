"""The commands that import files: `python -m app import --help`."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from app import lease
from app.formatting import how_many, on_day
from app.graph.errors import GraphError
from app.graph.roster import sync_roster
from app.intake.attendance import prepare_attendance
from app.intake.calls import prepare_records
from app.intake.files import prepare_file, prepare_roster
from app.intake.mappings import suggest_mapping
from app.intake.people import RosterOptions
from app.intake.preview import Preview, describe_effect, list_new_rows, preview_import
from app.intake.result import ImportResult
from app.intake.transaction import carry_out, carry_out_for_good
from app.operations.scheduled import note, sync
from app.records.evidence.attendance_times import DateOrder
from app.records.people.entra_roster import ENTRA
from app.records.people.roster import FOREIGN, ROSTER_TABLES
from app.records.rows import UnreadableFileError
from app.school import open_school

_SOME_REJECTED, _NOT_DONE = 1, 2  # exit status
_KEYS = ("ref", "code", "email", "pupil_email", "staff_email")  # by which a row of any table is recognised


@click.group("import")
def import_() -> None:
    """Import files. Importing the same file again changes nothing."""


_DAY = click.DateTime(["%Y-%m-%d"])
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what the import would change, and change nothing.")


def roster_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of an import of the roster, and `dry_run`."""

    @click.option("--from", "valid_from", type=_DAY, metavar="DAY", help="The day from which a correction is valid.")
    @click.option("--leavers", type=_DAY, metavar="DAY", help="The first day without those who are no longer listed.")
    @click.option(
        "--same-person",
        multiple=True,
        metavar="EMAIL",
        help="An address that still stands for the person who has or had it, with a new name or Entra id.",
    )
    @_DRY_RUN
    @wraps(command)
    def with_options(
        *, valid_from: datetime | None, leavers: datetime | None, same_person: tuple[str, ...], **others: Any
    ) -> None:
        options = RosterOptions(
            valid_from.date() if valid_from else None, leavers.date() if leavers else None, frozenset(same_person)
        )
        command(options=options, **others)

    return with_options


@import_.command("roster")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--mapping", "mappings", multiple=True, metavar="NAME", help="A mapping that reads a file of DIR, or the file DIR."
)
@roster_options
def roster_command(*, folder: Path, mappings: tuple[str, ...], options: RosterOptions, dry_run: bool) -> None:
    """Read schools.csv, staff.csv and pupils.csv of DIR, any that are there, or a School Data Sync or OneRoster folder.
    People on the roster who are not in the files are listed, and stay unless --leavers says when they left."""
    school = open_school()
    run = prepare_roster(school, folder, options=options, mappings=mappings)
    finish(preview_import(school, run, options) if dry_run else carry_out(school, run), options.left_on)


@sync.command("roster")
@roster_options
def sync_roster_command(*, options: RosterOptions, dry_run: bool) -> None:
    """Read the roster from Microsoft Entra, by the groups that the settings name. People on the roster who are no
    longer there are listed, and stay unless Entra or --leavers says when they left."""
    try:
        synced = sync_roster(open_school(), options, dry_run=dry_run, report=note)
    except (GraphError, lease.BusyError, lease.LostError) as error:
        note(str(error))
        sys.exit(_NOT_DONE)
    for words in synced.notes:
        note(f"{ENTRA}: {words}.")
    if synced.unknown:
        accounts = how_many(len(synced.unknown), "enabled account")
        note(f"{ENTRA}: {accounts} of neither staff nor pupils: {', '.join(synced.unknown)}.")
    finish(synced.done, options.left_on)


def finish(done: list[ImportResult] | Preview, left_on: date | None = None) -> None:
    """Print what an import did, or would do."""
    results = done.results if isinstance(done, Preview) else done
    for result in results:
        _note_missing(result, left_on)
    if isinstance(done, Preview):
        _print_preview(done)
    _report(results)


def _note_missing(result: ImportResult, left_on: date | None) -> None:
    """Name the people who are not in a file, for the office."""
    if result.left:
        left = how_many(len(result.left), "person", "people")
        since = f" from {on_day(left_on)}" if left_on else ""
        note(f"{result.source}: {left} marked as no longer there{since}: {', '.join(result.left)}.")
    if result.missing:
        missing = how_many(len(result.missing), "person", "people")
        advice = _advise_on_missing(result, left_on)
        note(f"{result.source}: {missing} on the roster not in it: {', '.join(result.missing)}. {advice}")


def _advise_on_missing(result: ImportResult, left_on: date | None) -> str:
    if left_on is None:
        return "They stay until an import says that they left: --leavers DAY, the first day without them."
    if result.read == 0:
        return "Nobody was marked as having left, because the file has no rows."
    return "Nobody was marked as having left, because a rejected row may be about one of them: fix the rows first."


def _add_table_command(kind: str, description: str) -> None:
    @import_.command(kind, help=description)
    @click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
    @click.option("--mapping", metavar="NAME", help="The mapping that reads the file, if it is of another system.")
    @_DRY_RUN
    def command(*, path: Path, mapping: str | None, dry_run: bool) -> None:
        school = open_school()
        try:
            run = prepare_file(school, kind, path, mapping=mapping)
        except UnreadableFileError as error:
            advice = "" if mapping else suggest_mapping(school, path, [kind])
            raise UnreadableFileError(" ".join(filter(None, (str(error), advice)))) from None
        finish(preview_import(school, run) if dry_run else carry_out(school, run))


def _add_records_command(kind: str, description: str) -> None:
    @import_.command(kind, help=description)
    @click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
    @_DRY_RUN
    def command(*, path: Path, dry_run: bool) -> None:
        school = open_school()
        run = prepare_records(school, kind, path)
        finish(preview_import(school, run) if dry_run else carry_out_for_good(school, run))


_add_table_command("logs", "Read session logs, one row for each session: CSV or .xlsx.")
_add_records_command(
    "calls",
    "Read call records of Microsoft Graph: a JSON file with one record, a list or a page, a .jsonl file, or a "
    "folder of such files; sessions and segments expanded.",
)
_add_records_command("recordings", "Read callRecording objects of Microsoft Graph, in the same forms.")


@import_.command("attendance")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--dates",
    type=click.Choice([DateOrder.DMY.value, DateOrder.MDY.value]),
    help="Whether a downloaded report that does not show it writes the day first or the month first.",
)
@_DRY_RUN
def attendance_command(*, path: Path, dates: str | None, dry_run: bool) -> None:
    """Read attendance reports of Teams: as Microsoft Graph gives them (JSON), as an organiser downloads them (CSV), or
    a folder of such files."""
    school = open_school()
    run = prepare_attendance(school, path, dates=DateOrder(dates) if dates else None)
    finish(preview_import(school, run) if dry_run else carry_out(school, run))


_add_table_command("letters", "Read the register of letters to parents: CSV or .xlsx.")
_add_table_command("consents", "Read the register of parental consents: CSV or .xlsx.")


def _print_preview(preview: Preview) -> None:
    """Print what an import would change."""
    for result in preview.results:
        for number, cells in list_new_rows(result):
            key = next(filter(None, (cells.get(name) for name in _KEYS)), "")
            click.echo(f"{result.source}, row {number}: new: {key}")
    for fact in preview.changed:
        click.echo(f"{fact.who}: {fact.column}: from {fact.before or 'blank'} to {fact.after or 'blank'}")
    click.echo(" ".join(["Dry run: nothing was changed.", *describe_effect(preview)]))


def _report(results: list[ImportResult]) -> None:
    """Print what was read on standard output, and each rejected row with its fix on standard error."""
    for result in results:
        foreign = [column for column in result.unknown_columns if result.kind in ROSTER_TABLES and column in FOREIGN]
        if foreign:
            note(
                f"{result.source}: columns of other systems passed over: {', '.join(sorted(foreign))}. Rows that they "
                "mark as left, or as somebody else than this file is about, are rejected."
            )
        if unknown := [column for column in result.unknown_columns if column not in foreign]:
            note(f"{result.source}: unknown columns passed over: {', '.join(unknown)}")
        for words in result.notes:
            note(f"{result.source}: {words}.")
        for rejected in result.rejected:
            name = rejected.column if rejected.file else result.headings.get(rejected.column or "", rejected.column)
            row = f"account {rejected.original['entra_id']}" if result.source == ENTRA else f"row {rejected.row}"
            column = f", column {name}" if name else ""
            note(f"{rejected.file or result.source}, {row}{column}: {rejected.reason}; {rejected.fix}.")
        if result.resolved:
            note(f"{result.source}: this import resolved {how_many(result.resolved, 'earlier rejection')}.")
        count = result.count()
        dropped = f", {count['dropped']} not sessions" if count["dropped"] else ""
        click.echo(
            f"{result.source}: {count['read']} read, {count['added']} new, {count['changed']} changed, "
            f"{count['unchanged']} known{dropped}, {len(result.rejected)} rejected"
        )
    for result in results:
        for words in result.unread:
            note(words)
    if any(result.rejected or result.unread for result in results):
        sys.exit(_SOME_REJECTED)
