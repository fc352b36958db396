"""The commands: `python -m app --help`."""

import json
import os
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from sqlalchemy.exc import DBAPIError

from app.demo.filling import fill
from app.formatting import how_many, on_day
from app.intake.attendance import import_attendance
from app.intake.calls import import_calls, import_recordings
from app.intake.files import import_consents, import_letters, import_logs, import_roster
from app.intake.people import RosterOptions
from app.intake.result import ImportResult
from app.operations.health import check_everything, describe_key_counts
from app.operations.retention import find_expired, purge
from app.operations.scheduled import alerts, note, sync
from app.operations.verification import describe_rows, rehearse_restore, verify, verify_copy
from app.records.attendance_times import DateOrder
from app.records.roster import FOREIGN, NEEDED
from app.records.rows import UnreadableFileError
from app.reports.outcomes_csv import COLUMNS, list_outcomes, write_csv
from app.reports.subject_access import UnknownPupilError, create_file_for_command
from app.school import open_school
from app.settings import SettingsError, get_database_url
from app.store import audit_log
from app.store.backup import backup, restore
from app.store.database import DatabaseError, describe_error
from app.store.encryption import DecryptionError, encryption_keys, generate_key
from app.store.key_rotation import count_by_key, reencrypt_all, round_counts
from app.store.transfer import transfer

_SOME_REJECTED, _NOT_DONE = 1, 2  # exit status


class _Commands(click.Group):
    """Ends a command that fails with a message and exit status 2, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (SettingsError, DatabaseError, UnreadableFileError, DecryptionError, UnknownPupilError) as error:
            _stop(str(error))
        except DBAPIError as error:
            _stop(describe_error(error))
        except OSError as error:
            _stop(f"{error.strerror or error}. Nothing was changed.")


def _stop(words: str) -> NoReturn:
    note(words)
    sys.exit(_NOT_DONE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """The school's protocol for videoconferencing: imports, exports, sync, alerts and maintenance.

    Works on the database that DATABASE_URL names, else on the SQLite file under data/. Exit status: 0 done,
    1 done with rows rejected or files not read, 2 not done.
    """


cli.add_command(sync)
cli.add_command(alerts)


@cli.group("import")
def import_() -> None:
    """Import files. Importing the same file again changes nothing."""


_DAY = click.DateTime(["%Y-%m-%d"])


@import_.command("roster")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--from", "valid_from", type=_DAY, metavar="DAY", help="The day from which a corrected roster is valid.")
@click.option("--leavers", type=_DAY, metavar="DAY", help="The first day without those who are not in the files.")
@click.option(
    "--same-person",
    multiple=True,
    metavar="EMAIL",
    help="An address that still stands for the person who has or had it, with a new name or Entra id.",
)
def roster_command(
    folder: Path, valid_from: datetime | None, leavers: datetime | None, same_person: tuple[str, ...]
) -> None:
    """Read schools.csv, staff.csv and pupils.csv of DIR, any that are there. People on the roster who are not in the
    files are listed, and stay unless --leavers says when they left."""
    options = RosterOptions(
        valid_from.date() if valid_from else None, leavers.date() if leavers else None, frozenset(same_person)
    )
    results = import_roster(open_school(), folder, options=options)
    for result in results:
        _note_missing(result, options.left_on)
    _report(results)


def _note_missing(result: ImportResult, left_on: date | None) -> None:
    """Name the people who are not in a file, for the office."""
    if result.left and left_on:
        left = how_many(len(result.left), "person", "people")
        note(f"{result.source}: {left} marked as no longer there from {on_day(left_on)}: {', '.join(result.left)}.")
    if result.missing:
        missing = how_many(len(result.missing), "person", "people")
        advice = (
            "Nobody was marked as having left, because a rejected row may be about one of them: fix the rows first."
            if left_on
            else "They stay until an import says that they left: --leavers DAY, the first day without them."
        )
        note(f"{result.source}: {missing} on the roster not in the file: {', '.join(result.missing)}. {advice}")


def _file_command(name: str, read: Callable[..., ImportResult], description: str, metavar: str = "FILE") -> None:
    @import_.command(name, help=description)
    @click.argument("path", metavar=metavar, type=click.Path(path_type=Path))
    def command(path: Path) -> None:
        _report([read(open_school(), path)])


_file_command("logs", import_logs, "Read session logs, one row for each session: CSV or .xlsx.")
_file_command(
    "calls",
    import_calls,
    "Read call records of Microsoft Graph: a JSON file with one record, a list or a page, a .jsonl file, or a "
    "folder of such files; sessions and segments expanded.",
    "PATH",
)
_file_command(
    "recordings", import_recordings, "Read callRecording objects of Microsoft Graph, in the same forms.", "PATH"
)


@import_.command("attendance")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--dates",
    type=click.Choice([DateOrder.DMY.value, DateOrder.MDY.value]),
    help="Whether a downloaded report that does not show it writes the day first or the month first.",
)
def attendance_command(path: Path, dates: str | None) -> None:
    """Read attendance reports of Teams: as Microsoft Graph gives them (JSON), as an organiser downloads them (CSV), or
    a folder of such files."""
    _report([import_attendance(open_school(), path, dates=DateOrder(dates) if dates else None)])


_file_command("letters", import_letters, "Read the register of letters to parents: CSV or .xlsx.")
_file_command("consents", import_consents, "Read the register of parental consents: CSV or .xlsx.")


def _report(results: list[ImportResult]) -> None:
    """Print what was read on standard output, and each rejected row with its fix on standard error."""
    for result in results:
        foreign = [column for column in result.unknown_columns if result.kind in NEEDED and column in FOREIGN]
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
            column = f", column {rejected.column}" if rejected.column else ""
            note(f"{rejected.file or result.source}, row {rejected.row}{column}: {rejected.reason}; {rejected.fix}.")
        if result.resolved:
            note(f"{result.source}: this import resolved {how_many(result.resolved, 'earlier rejection')}.")
        dropped = f", {result.dropped} not sessions" if result.dropped else ""
        click.echo(
            f"{result.source}: {result.read} read, {result.added} new, {result.changed} changed, "
            f"{result.unchanged} known{dropped}, {len(result.rejected)} rejected"
        )
    for result in results:
        for words in result.unread:
            note(words)
    if any(result.rejected or result.unread for result in results):
        sys.exit(_SOME_REJECTED)


@cli.command("outcomes")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day, as 2026-09-02.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day.")
def outcomes_command(form: str, first: datetime | None, last: datetime | None) -> None:
    """Print one line for each session and clause: the outcome, its evidence and the reason."""
    days = (first.date() if first else date.min, last.date() if last else date.max)
    rows = list_outcomes(open_school(), days)
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        write_csv(sys.stdout, COLUMNS, rows)


@cli.command("demo")
@click.option("--sessions", type=click.IntRange(100, 2_000_000), default=5000, show_default=True)
def demo_command(sessions: int) -> None:
    """Fill an empty database with a fictional school."""
    steps: list[str] = []

    def show(step: str, _share: float) -> None:
        if step not in steps:
            note(step)
            steps.append(step)

    fill(open_school(), sessions=sessions, progress=show)
    click.echo("The demonstration school is ready: streamlit run streamlit_app.py")


@cli.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
def backup_command(file: Path) -> None:
    """Write a consistent copy of the embedded database to FILE, also while others write."""
    backup(open_school().engine, file)
    click.echo(f"A copy is in {file}.")


@cli.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--test", is_flag=True, help="Verify that it could be restored; only the date of the test changes.")
def restore_command(*, file: Path, test: bool) -> None:
    """Replace the embedded database by the copy in FILE; the old database is kept beside it."""
    if test:
        click.echo(f"{file} could be restored: {describe_rows(rehearse_restore(open_school(), file))}.")
        return
    rows = verify_copy(file)
    old = restore(get_database_url(), file)
    click.echo(f"Restored from {file}: {describe_rows(rows)}." + (f" The old database is in {old}." if old else ""))


@cli.command("move")
@click.option("--to", "url", required=True, metavar="URL", help="An empty database, as DATABASE_URL would name it.")
def move_command(url: str) -> None:
    """Transfer everything to another database and verify it: from the embedded one to PostgreSQL, or back."""
    school = open_school()
    rows = transfer(school.engine, url, verify, note)
    click.echo(
        f"{sum(rows.values()):,} rows in {len(rows)} tables were transferred and verified. Set DATABASE_URL to the "
        "new database and start the program; this database has not changed."
    )


@cli.command("subject")
@click.argument("email")
@click.option("--to", "file", type=click.Path(path_type=Path), help="The file to write; else to standard output.")
def subject_command(email: str, file: Path | None) -> None:
    """Everything held about one pupil, in one HTML file for the DSP to read, redact and print."""
    page = create_file_for_command(open_school(), email)
    if file is None:
        click.echo(page)
        return
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(page)
    click.echo(f"Written to {file}, readable by its owner only. Give it to the DSP and delete it here.")


@cli.command("purge")
@click.option("--dry-run", is_flag=True, help="List what would be deleted, and change nothing.")
def purge_command(*, dry_run: bool) -> None:
    """Delete what is past its retention period. Only a backup can bring it back."""
    school = open_school()
    for past in find_expired(school) if dry_run else purge(school):
        click.echo(f"{past.number:,} {past.what} from before {past.before}{' would be deleted' if dry_run else ''}")


@cli.group("audit")
def audit_group() -> None:
    """The audit trail: who saw and did what."""


@audit_group.command("verify")
def verify_command() -> None:
    """Verify that no entry was changed, removed or inserted; else name the first that was."""
    with open_school().engine.connect() as connection:
        number, fault = audit_log.verify(connection)
        newest = audit_log.newest_hash(connection)
    if fault:
        _stop(fault)
    click.echo(f"{number} entries, all unchanged. The newest has the hash {newest}.")


@cli.group("keys")
def keys() -> None:
    """The keys that encrypt narratives, notes and call records (ENCRYPTION_KEYS)."""


@keys.command("new")
def new_key_command() -> None:
    """Print a new key; put it in front of those in ENCRYPTION_KEYS, separated by a comma."""
    click.echo(generate_key())


@keys.command("used")
def used_command() -> None:
    """Count, in hundreds, the values encrypted with the newest key, an older one, no key, or a lost one."""
    with open_school().engine.connect() as connection:
        counts = round_counts(count_by_key(connection))
    for row in counts:
        click.echo(f"{row.table}: {row.newest:,} newest, {row.older:,} older, {row.no_key:,} none, {row.lost:,} lost")
    good, words = describe_key_counts(counts)
    if not good:
        _stop(words)
    click.echo(words)


@keys.command("rotate")
def rotate_command() -> None:
    """Encrypt everything with the newest key; afterwards the older keys can be removed."""
    if not encryption_keys():
        _stop("ENCRYPTION_KEYS is not set: set a key first; python -m app keys new prints one.")
    school = open_school()
    with school.writing() as connection:
        number = reencrypt_all(connection)
        if number:
            school.add_to_trail(connection, audit_log.COMMAND, "changed", "everything encrypted, with the newest key")
    click.echo(f"{number:,} values were encrypted again; all use the newest key.")


@cli.command("check")
def check_command() -> None:
    """Say whether settings, database, Graph access, alerts and sign-in work, and how to fix what does not."""
    works = True
    for name, good, words in check_everything():
        click.echo(f"{'ok     ' if good else 'NOT OK '}{name}: {words}")
        works = works and good
    if not works:
        sys.exit(_NOT_DONE)


if __name__ == "__main__":
    cli(prog_name="python -m app")
