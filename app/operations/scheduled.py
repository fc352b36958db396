"""The commands that a timer runs, or that repeat themselves with `--watch`: `sync` and `alerts`."""

import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import click
from sqlalchemy.exc import DBAPIError

from app import lease
from app.alerts.channels import AlertsNotConfiguredError
from app.graph.errors import GraphError, NotConfiguredError
from app.graph.fetching import synchronise
from app.operations.alerts import send_outbox
from app.school import School, open_school
from app.store.database import describe_error

_DONE, _PARTLY_DONE, _NOT_DONE = 0, 1, 2
_WATCH = click.option("--watch", type=click.IntRange(1, 24 * 60), metavar="MINUTES", help="Repeat every MINUTES.")


@click.group("sync", invoke_without_command=True)
@click.option("--days", type=click.IntRange(1, 30), help="Fetch the last N days, not those since the last success.")
@_WATCH
@click.option("--retry", is_flag=True, help="Also try again the records that could not be read.")
@click.pass_context
def sync(context: click.Context, *, days: int | None, watch: int | None, retry: bool) -> None:
    """Fetch new call records and recordings from Microsoft Graph, and the roster if the settings name its groups.

    By default from a little before the last success on, 30 days at most; Microsoft keeps no more. If a run is ended or
    killed, the next one goes on from there. Exit status: 0 done, 1 done with records in quarantine, 2 not done.
    """
    if context.invoked_subcommand:
        if days or watch or retry:
            raise click.UsageError(f"These options are not for sync {context.invoked_subcommand}.")
        return
    school = open_school()
    _repeat(lambda: _sync_once(school, days=days, retry=retry), watch)


@click.command("alerts")
@_WATCH
@click.option("--at-once", is_flag=True, help="Also send again at once what failed.")
def alerts(*, watch: int | None, at_once: bool) -> None:
    """Send the outbox: alerts and emails to families, with those that are due: unread concerns, the day's digests,
    reminders of requests for consent.

    What a mail server does not accept is tried again, with growing pauses. Exit status: 0 done, 1 done with some that
    were not accepted, 2 not done.
    """
    school = open_school()
    _repeat(lambda: _send_once(school, at_once=at_once), watch)


def _repeat(run_once: Callable[[], int], minutes: int | None) -> NoReturn:
    """Run once and exit with the status that it returns; or, if `minutes` are given, again and again."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_NOT_DONE))  # so that a stopped service gives its lease back
    while True:
        status = _NOT_DONE
        try:
            status = run_once()
        except (NotConfiguredError, AlertsNotConfiguredError) as error:
            note(str(error))
            sys.exit(_NOT_DONE)
        except (GraphError, lease.BusyError, lease.LostError) as error:
            note(str(error))
        except DBAPIError as error:
            note(describe_error(error))
        except KeyboardInterrupt:
            note("Ended. What was done so far is stored; the next run goes on.")
            sys.exit(_NOT_DONE)
        if minutes is None:
            sys.exit(status)
        time.sleep(minutes * 60)


def _sync_once(school: School, *, days: int | None, retry: bool) -> int:
    run = synchronise(school, days=days, retry=retry, report=note)
    for error in run.errors:
        note(error)
    if run.quarantined:
        note(
            f"{run.quarantined} records could not be read and are in quarantine; nothing is lost: "
            "python -m app sync --retry tries them again."
        )
    click.echo(
        f"{run.listed} calls listed, {run.fetched} fetched: {run.added} new, {run.changed} changed, "
        f"{run.dropped} no session, {run.quarantined} in quarantine, {run.gone} gone; {run.recordings} recordings"
    )
    for result in run.roster:
        click.echo(
            f"{result.source}, {result.kind}: {result.read} read, {result.added} new, {result.changed} changed, "
            f"{len(result.left)} left, {len(result.rejected)} rejected"
        )
    return _PARTLY_DONE if run.quarantined or any(result.rejected for result in run.roster) else _DONE


def _send_once(school: School, *, at_once: bool) -> int:
    run = send_outbox(school, at_once=at_once)
    if run.error:
        note(run.error)
    failed = f", {run.failed} failed" if run.failed else ""
    click.echo(f"{run.sent} sent, {run.waiting} waiting{failed}")
    return _PARTLY_DONE if run.waiting or run.failed or run.error else _DONE


def note(words: str) -> None:
    """Write a message to standard error, beside what a command reports on standard output."""
    click.echo(words, err=True)
