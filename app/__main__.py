"""The commands: `python -m app --help`."""

import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from sqlalchemy.exc import DBAPIError

from app.demo.filling import SESSIONS, fill
from app.keys import encryption_keys
from app.operations.health import check_everything, describe_key_counts
from app.operations.import_commands import import_
from app.operations.protocol_commands import protocol
from app.operations.retention import find_expired, purge
from app.operations.scheduled import alerts, note, sync
from app.operations.verification import describe_rows, rehearse_restore, restore_and_record, verify
from app.records.rows import UnreadableFileError
from app.reports.outcomes_csv import COLUMNS, iter_outcomes, write_csv, write_json
from app.reports.subject_access import UnknownPupilError, create_file_for_command
from app.school import open_school
from app.settings import SettingsError
from app.store import audit_log
from app.store.backup import backup, decrypt_copy
from app.store.database import DatabaseError, describe_error
from app.store.encryption import DecryptionError, generate_key
from app.store.key_rotation import count_by_key, reencrypt_all, remove_traces, round_counts
from app.store.transfer import transfer

_NOT_DONE = 2  # exit status; 1: done with rows rejected


class _Commands(click.Group):
    """Ends a failing command with a message and exit status 2, never with a traceback."""

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


cli.add_command(import_)
cli.add_command(sync)
cli.add_command(alerts)
cli.add_command(protocol)


@cli.command("outcomes")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day, as 2026-09-02.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day.")
def outcomes_command(form: str, first: datetime | None, last: datetime | None) -> None:
    """Print one line for each session and clause: the outcome, its evidence and the reason."""
    days = (first.date() if first else date.min, last.date() if last else date.max)
    rows = iter_outcomes(open_school(), days)
    if form == "json":
        write_json(sys.stdout, rows)
    else:
        write_csv(sys.stdout, COLUMNS, rows)


@cli.command("demo")
@click.option("--sessions", type=click.IntRange(100, 2_000_000), default=SESSIONS, show_default=True)
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
    """Write a consistent copy of the embedded database to FILE, even while it is in use."""
    backup(open_school().engine, file)
    click.echo(f"A copy is in {file}.")


@cli.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--test", is_flag=True, help="Verify that it could be restored; only the date of the test changes.")
@click.option(
    "--to", type=click.Path(path_type=Path), help="Only write the copy, decrypted, to a new file, for an older version."
)
def restore_command(*, file: Path, test: bool, to: Path | None) -> None:
    """Replace the embedded database by the copy in FILE; the old database is kept beside it."""
    if to:
        decrypt_copy(file, to)
        click.echo(f"The copy is in {to}, not encrypted with BACKUP_KEYS and readable by its owner only.")
        return
    if test:
        click.echo(f"{file} could be restored: {describe_rows(rehearse_restore(open_school(), file))}.")
        return
    rows, old = restore_and_record(file)
    click.echo(f"Restored from {file}: {describe_rows(rows)}." + (f" The old database is in {old}." if old else ""))


@cli.command("move")
@click.option("--to", "url", required=True, metavar="URL", help="An empty database, as DATABASE_URL would name it.")
def move_command(url: str) -> None:
    """Transfer everything to another database and verify it: from the embedded one to PostgreSQL, or back."""
    school = open_school()
    rows = transfer(school.engine, url, verify, note)
    click.echo(
        f"All rows of {len(rows)} tables were transferred and verified. Set DATABASE_URL to the new database and start "
        "the program; this database has not changed."
    )


@cli.command("subject")
@click.argument("email")
@click.option("--to", "file", type=click.Path(path_type=Path), help="The file to write; else to standard output.")
def subject_command(email: str, file: Path | None) -> None:
    """Write everything held about one pupil into one HTML file, for the DSP to read, redact and print."""
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
        number = "" if past.number is None else f"{past.number:,} "
        click.echo(f"{number}{past.what} from before {past.before}{' would be deleted' if dry_run else ''}")


@cli.group("audit")
def audit_group() -> None:
    """The audit trail: who saw and did what."""


@audit_group.command("verify")
@click.option("--head", "noted", metavar="HEAD", help="The newest entry as it was noted earlier, elsewhere.")
def verify_command(noted: str | None) -> None:
    """Verify that no entry was changed, removed or inserted; else name the first that was."""
    try:
        head = audit_log.read_head(noted) if noted else None
    except ValueError as error:
        _stop(str(error))
    with open_school().engine.connect() as connection:
        _, fault = audit_log.verify(connection, head)
        newest = audit_log.write_head(connection)
    if fault:
        _stop(fault)
    click.echo("All entries are unchanged." if newest else "There are no entries yet.")
    if newest:
        click.echo(f"Note the newest elsewhere, and compare it next time: --head {newest}")


@cli.group("keys")
def keys() -> None:
    """The keys that encrypt what people wrote, who pupils are, and call records (ENCRYPTION_KEYS)."""


@keys.command("new")
def new_key_command() -> None:
    """Print a new key; put it in front of those in ENCRYPTION_KEYS, separated by a comma."""
    click.echo(generate_key())


@keys.command("used")
def used_command() -> None:
    """Count, in hundreds, the values encrypted with an older key than the newest, no key, or a lost one."""
    with open_school().engine.connect() as connection:
        counts = round_counts(count_by_key(connection))
    for row in counts:
        click.echo(f"{row.table}: {row.older:,} older, {row.no_key:,} none, {row.lost:,} lost")
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
        if reencrypt_all(connection):
            school.add_to_trail(connection, audit_log.COMMAND, "changed", "everything encrypted, with the newest key")
    remove_traces(school.engine)
    click.echo("All values use the newest key.")


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
