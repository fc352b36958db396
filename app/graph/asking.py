"""Asks the optional sources about people, and remembers which refused: a missing permission never ends a run."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from app.graph.client import Client
from app.graph.errors import ForbiddenError, GoneError, RequestFailedError, StoppedError
from app.graph.runs import Run, RunLog
from app.graph.sources import ASKED_AGAIN, Source, describe_loss, list_askable, note_answer, note_refusal, read_states
from app.intake import quarantine
from app.intake.quarantine import RejectedRecord
from app.judging.rejudge import Affected, rejudge
from app.lease import Lease
from app.school import School
from app.store.writing import raise_revision

T = TypeVar("T")

_REFUSALS = 3  # people in a row for whom a source refuses before it counts as refused as a whole


@dataclass(frozen=True)
class Context:
    """What every part of a sync run works with. `done` counts what the run did."""

    school: School
    client: Client
    lease: Lease
    pool: ThreadPoolExecutor
    done: Run
    log: RunLog

    def judge(self, connection: Connection, affected: Affected) -> None:
        """Judge again the sessions that a write affected."""
        if affected.times or affected.sessions:
            rejudge(connection, self.school, affected)
            raise_revision(connection)

    def quarantine(self, connection: Connection, entries: Sequence[RejectedRecord]) -> None:
        """Put records that cannot be read into quarantine."""
        for entry in entries:
            quarantine.quarantine_record(connection, entry, self.school.now())
        self.done.quarantined += len(entries)


def read_source(context: Context, source: Source, read: Callable[[Context], None]) -> None:
    """Call a function that reads an optional source. If the source stops it, note the error and let the run carry
    on."""
    try:
        read(replace(context, client=context.client.branch()))
    except StoppedError as error:
        context.done.errors.append(f"{source.label} could not be read: {error}")


def ask_people(
    context: Context,
    source: Source,
    people: Sequence[str],
    ask: Callable[[str], T],
    on_failure: Callable[[str, RequestFailedError], None] | None = None,
) -> Iterator[tuple[str, T]]:
    """Ask a source about people, given by their Entra ids, several at a time. Yields each person with the answer.

    People for whom the source refused within the last day are left out. Until the source has answered once, it is asked
    about one person at a time; if it refuses for the first three, it counts as refused. People whom Microsoft does not
    know are left out. Any other failure is passed to `on_failure`, or noted in the run if that is None. Raises
    StoppedError if nothing more can be asked.
    """
    answers = _Answers(context, source, on_failure)
    with context.school.engine.connect() as connection:
        waiting = list_askable(connection, source, people, context.school.now())
        answers.answered_at = read_states(connection)[source].answered_at
    try:
        while waiting and not answers.answered:
            person = waiting.pop(0)
            yield from answers.collect(person, lambda person=person: ask(person))  # type: ignore[misc]
            if answers.is_hopeless():
                return
        futures = {person: context.pool.submit(ask, person) for person in waiting}
        for person, future in futures.items():
            yield from answers.collect(person, future.result)
    finally:
        answers.save()


class _Answers:
    """The answers and refusals of one source in one run."""

    def __init__(
        self, context: Context, source: Source, on_failure: Callable[[str, RequestFailedError], None] | None
    ) -> None:
        self._context, self._source, self._on_failure = context, source, on_failure
        self.answered: list[str] = []
        self.answered_at: datetime | None = None  # before this run
        self._refused: dict[str, str] = {}  # Microsoft's reasons by person
        self._failed: list[str] = []

    def collect(self, person: str, answer: Callable[[], T]) -> Iterator[tuple[str, T]]:
        try:
            found = answer()
        except ForbiddenError as error:
            self._refused[person] = error.words
            return
        except GoneError:
            return
        except RequestFailedError as error:
            if self._on_failure:
                self._on_failure(person, error)
            else:
                self._failed.append(error.words)
            return
        self.answered.append(person)
        yield person, found

    def is_refused(self) -> bool:
        """Whether the source refuses everybody: it has refused, answered for nobody in this run, and, if it can refuse
        by person, not answered within the last day."""
        recent = self.answered_at is not None and self._context.school.now() - self.answered_at < ASKED_AGAIN
        return bool(self._refused) and not self.answered and not (recent and self._source.by_person)

    def is_hopeless(self) -> bool:
        """Whether asking about anybody else is pointless."""
        return self.is_refused() and len(self._refused) >= (_REFUSALS if self._source.by_person else 1)

    def save(self) -> None:
        """Store which people the source answered and refused for, and note failures in the run."""
        run, now = self._context.done, self._context.school.now()
        if self._failed:
            run.errors.append(f"{self._source.label}: {len(self._failed)} could not be read ({self._failed[0]}).")
        if self._refused:
            run.rejected += len(self._refused)
            words = next(iter(self._refused.values()))
            run.errors.append(
                f"{self._source.label} were refused ({words}). {describe_loss(self._source)} python -m app check says "
                "how to grant them."
            )
        if not self.answered and not self._refused:
            return
        with self._context.school.writing() as connection:
            self._context.lease.hold(connection)
            if self.answered:
                note_answer(connection, self._source, self.answered, now)
            for person, words in self._refused.items():
                note_refusal(connection, self._source, person, words, now)
            if self.is_refused():
                note_refusal(connection, self._source, None, words, now)
