"""The optional sources of evidence in Microsoft Graph: which permissions each needs, what it is for, and which
refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from app.formatting import how_many, on_day_at
from app.protocol.clauses import CLAUSES
from app.school import School
from app.store.quarantined import digest
from app.store.tables import graph_sources
from app.vocabulary.terms import Labelled

ASKED_AGAIN = timedelta(days=1)  # after a refusal
_WHOLE = ""  # the subject of the source as a whole
_source = graph_sources.c


class Source(Labelled):
    """An optional source. `permissions` are those of the app registration; `grant` is what else has to be granted, as
    text; `clauses` are the names of the clauses that it helps to decide."""

    def __init__(
        self, _word: str, _label: str = "", permissions: str = "", grant: str = "", clauses: str = "", *_: object
    ) -> None:
        self.permissions, self.grant = permissions, grant
        self.clauses = tuple(clauses.split())

    ROSTER = ("roster", "Accounts and groups of Entra", "User.Read.All and GroupMember.Read.All")
    CALENDARS = (
        "calendars",
        "Calendars of pastoral staff",
        "Calendars.Read",
        "limit it to the group of pastoral staff, without counsellors",
        "second-member-invited",
    )
    RECORDINGS = (
        "recordings",
        "Recordings of scheduled meetings",
        "OnlineMeetingRecording.Read.All",
        "create the application access policy",
        "recording-announced recording-on-team camera-choice",
    )
    ADHOC_RECORDINGS = (
        "adhoc_recordings",
        "Recordings of calls that were not scheduled",
        "CallRecordings.Read.All",
        "",
        "recording-announced recording-on-team camera-choice",
    )
    ATTENDANCE = (
        "attendance",
        "Attendance reports",
        "OnlineMeetings.Read.All and OnlineMeetingArtifact.Read.All",
        "create the application access policy",
        "staff-opens staff-ends never-alone",
    )
    PUPIL_POLICIES = ("pupil_policies", "Policies of pupils in Teams", "TeamsUserConfiguration.Read.All")

    @property
    def by_person(self) -> bool:
        """Whether it may be refused for one person and not for another, because an access policy may limit it."""
        return self not in (Source.ROSTER, Source.PUPIL_POLICIES)


@dataclass(frozen=True)
class SourceState:
    """Whether a source answers. `refused_at` is when it last refused everybody, or None if it has answered since;
    `people_refused` is the number of people for whom it refused; `last_refused_at` is when it last refused for anybody;
    `message` is Microsoft's reason."""

    source: Source
    answered_at: datetime | None = None
    refused_at: datetime | None = None
    message: str = ""
    people_refused: int = 0
    last_refused_at: datetime | None = None


def read_states(connection: Connection) -> dict[Source, SourceState]:
    """The state of every source. A source that was never asked has no times."""
    states = {source: SourceState(source) for source in Source}
    for row in connection.execute(select(graph_sources)):
        state = states[Source(row.source)]
        if row.refused_at is not None and (state.last_refused_at is None or row.refused_at > state.last_refused_at):
            state = replace(state, last_refused_at=row.refused_at, message=row.message or "")
        if row.subject == _WHOLE:
            state = replace(state, answered_at=row.answered_at, refused_at=row.refused_at)
        else:
            state = replace(state, people_refused=state.people_refused + 1)
        states[state.source] = state
    return states


def list_askable(connection: Connection, source: Source, people: Sequence[str], now: datetime) -> list[str]:
    """The people, of those given by Entra id, about whom a source may be asked: nobody if it refused everybody within
    the last day, and nobody for whom it refused within the last day. People for whom it refused earlier come last."""
    since = now - ASKED_AGAIN
    rows = connection.execute(select(_source.subject, _source.refused_at).where(_source.source == source))
    refused = {row.subject: row.refused_at for row in rows if row.refused_at is not None}
    if _WHOLE in refused and refused[_WHOLE] > since:
        return []
    times = {person: refused.get(digest(person)) for person in people}
    askable = [person for person, refused_at in times.items() if refused_at is None or refused_at <= since]
    return sorted(askable, key=lambda person: times[person] is not None)


def note_answer(connection: Connection, source: Source, people: Sequence[str], now: datetime) -> None:
    """Note that a source answered for these people."""
    subjects = [digest(person) for person in people]
    answered = or_(_source.subject == _WHOLE, _source.subject.in_(subjects))
    connection.execute(delete(graph_sources).where(_source.source == source, answered))
    connection.execute(insert(graph_sources).values(source=source, subject=_WHOLE, answered_at=now))


def note_refusal(connection: Connection, source: Source, person: str | None, message: str, now: datetime) -> None:
    """Note that a source refused for a person, or for everybody if None."""
    subject = _WHOLE if person is None else digest(person)
    values = {"refused_at": now, "message": message}
    known = update(graph_sources).where(_source.source == source, _source.subject == subject)
    if not connection.execute(known.values(values)).rowcount:
        connection.execute(insert(graph_sources).values(source=source, subject=subject, **values))


def forget_refusals(connection: Connection) -> None:
    """Delete all refusals, so that every source is asked again."""
    connection.execute(delete(graph_sources).where(_source.refused_at.is_not(None), _source.subject != _WHOLE))
    connection.execute(update(graph_sources).values(refused_at=None, message=None))


def describe_refusal(school: School, state: SourceState) -> tuple[str, str]:
    """What a source refused and why that matters, and how to grant it. Both are blank if it was not refused."""
    source = state.source
    if state.refused_at is not None:
        when = on_day_at(state.refused_at.astimezone(school.settings.zone))
        refused = f"on {when}"
    elif state.people_refused:
        refused = f"for {how_many(state.people_refused, 'person', 'people')}"
    else:
        return "", ""
    words = f"{source.label} (optional): Microsoft refused them {refused} ({state.message}). {describe_loss(source)}"
    grant = f" Then {source.grant}." if source.grant else ""
    return words, (
        f"Give the app registration the application permission {source.permissions} and grant admin consent.{grant} "
        "docs/graph.md explains how. It is asked again after a day, or at once by python -m app sync --retry."
    )


_LOSSES = {
    Source.ROSTER: "Without them the roster comes from files only: nobody notices new people, addresses and leavers.",
    Source.PUPIL_POLICIES: "Without them nobody sees which pupils are under other policies than the school's.",
}


def describe_loss(source: Source) -> str:
    """What is not known without a source."""
    if source in _LOSSES:
        return _LOSSES[source]
    titles = ", ".join(f"“{CLAUSES[name].title}”" for name in source.clauses)
    return f"They would help to decide {titles}; the sync carries on without them."
