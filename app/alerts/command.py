"""The command `alerts`."""

import signal
import sys
import time
from types import FrameType

import click
from sqlalchemy.exc import DBAPIError

from app import lease
from app.alerts.channels import NotConfigured
from app.alerts.sending import send
from app.school import School, open_school
from app.store.database import in_words

_DONE, _SOME_WAIT, _NOT_DONE = 0, 1, 2


@click.command("alerts")
@click.option("--watch", type=click.IntRange(1, 24 * 60), metavar="MINUTES", help="Stay, and send every so often.")
@click.option("--at-once", is_flag=True, help="Try also what waits for its next try.")
def alerts(watch: int | None, at_once: bool) -> None:
    """Send the alerts that wait, with those that are due: concerns unread, and the day's digests.

    What a mail server does not accept waits and is tried again, with growing pauses. Exit status: 0 done, 1 done
    with some that were not accepted, 2 not done.
    """
    signal.signal(signal.SIGTERM, _end)
    school = open_school()
    while True:
        status = _once(school, at_once, staying=watch is not None)
        if watch is None:
            sys.exit(status)
        time.sleep(watch * 60)


def _once(school: School, at_once: bool, staying: bool) -> int:
    try:
        run = send(school, at_once=at_once)
    except NotConfigured as error:
        _say(str(error))
        sys.exit(_NOT_DONE)
    except (lease.Busy, lease.Lost) as error:
        _say(str(error))
        return _NOT_DONE
    except DBAPIError as error:
        if not staying:
            raise
        _say(in_words(error))
        return _NOT_DONE
    if run.trouble:
        _say(run.trouble)
    click.echo(f"{run.sent} sent, {run.waiting} waiting")
    return _SOME_WAIT if run.waiting else _DONE


def _say(words: str) -> None:
    click.echo(words, err=True)


def _end(number: int, frame: FrameType | None) -> None:
    """A service that is stopped gives its lease back."""
    sys.exit(_NOT_DONE)
