"""The command `sync`."""

import signal
import sys
import time
from types import FrameType

import click
from sqlalchemy.exc import DBAPIError

from app.graph.errors import GraphError, NotConfiguredError
from app.graph.fetching import WORKERS, Run, synchronise
from app.school import School, open_school
from app.store.database import in_words

_DONE, _SOME_PUT_ASIDE, _NOT_DONE = 0, 1, 2


@click.command("sync")
@click.option("--days", type=click.IntRange(1, 30), help="Fetch so many days back, not from the last success on.")
@click.option("--watch", type=click.IntRange(1, 24 * 60), metavar="MINUTES", help="Stay, and sync every so often.")
@click.option("--retry", is_flag=True, help="Try again what was put aside since it could not be read.")
@click.option("--workers", type=click.IntRange(1, 16), default=WORKERS, show_default=True, help="Requests at a time.")
def sync(days: int | None, watch: int | None, retry: bool, workers: int) -> None:
    """Fetch new call records and recordings from Microsoft Graph.

    By default from a little before the last success on, 30 days at most; Microsoft keeps no more. A run that
    is ended or killed goes on where it was, the next time. Exit status: 0 done, 1 done with records put aside,
    2 not done.
    """
    signal.signal(signal.SIGTERM, _end)
    school = open_school()
    while True:
        status = _once(school, days, retry, workers, staying=watch is not None)
        if watch is None:
            sys.exit(status)
        time.sleep(watch * 60)


def _once(school: School, days: int | None, retry: bool, workers: int, staying: bool) -> int:
    try:
        run = synchronise(school, days=days, retry=retry, workers=workers, progress=_progress, note=_say)
    except NotConfiguredError as error:
        _say(str(error))
        sys.exit(_NOT_DONE)
    except GraphError as error:
        _say(str(error))
        return _NOT_DONE
    except KeyboardInterrupt:
        _say("Ended. What came so far is kept; the next run goes on.")
        sys.exit(_NOT_DONE)
    except DBAPIError as error:
        if not staying:
            raise
        _say(in_words(error))
        return _NOT_DONE
    for trouble in run.troubles:
        _say(trouble)
    if run.put_aside:
        _say(
            f"{run.put_aside} records could not be read and were put aside, nothing of them is lost: "
            "python -m app sync --retry tries them again."
        )
    click.echo(
        f"{run.listed} calls listed, {run.fetched} fetched: {run.added} new, {run.changed} changed, "
        f"{run.dropped} no session, {run.put_aside} put aside, {run.gone} gone; {run.recordings} recordings"
    )
    return _SOME_PUT_ASIDE if run.put_aside else _DONE


def _progress(run: Run) -> None:
    _say(f"{run.listed} calls listed, {run.fetched} fetched, {run.recordings} recordings")


def _say(words: str) -> None:
    click.echo(words, err=True)


def _end(number: int, frame: FrameType | None) -> None:
    """A service that is stopped gives its lease back."""
    sys.exit(_NOT_DONE)
