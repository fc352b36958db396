"""Says which optional sources can be read, and how to grant access to the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.formatting import on_day_at
from app.graph.attendance import find_link, iter_report_entries
from app.graph.calendars import list_events, list_pastoral_staff
from app.graph.client import Client
from app.graph.errors import ForbiddenError, GoneError, RequestFailedError
from app.graph.policies import get_configuration, list_due_pupils
from app.graph.recordings import list_organisers, list_recordings
from app.graph.runs import LISTED
from app.graph.sources import ASKED_AGAIN, Source, SourceState, describe_refusal, note_refusal, read_states
from app.school import School

Words = tuple[str, str]  # what was found, and the fix if a source was refused


@dataclass(frozen=True)
class _Probe:
    """How to ask a source about one of some people. `nobody` is the reason if there is nobody to ask about."""

    people: Sequence[str]
    ask: Callable[[str], object]
    nobody: str


def describe_sources(school: School) -> Iterator[Words]:
    """What is known about each source that has been asked. Sends no request."""
    with school.engine.connect() as connection:
        states = read_states(connection)
    for state in states.values():
        if state.answered_at is not None or state.last_refused_at is not None:
            yield _describe(school, state)


def check_sources(school: School, client: Client) -> Iterator[Words]:
    """As `describe_sources`, but sources that neither answered nor refused within the last day are asked about one
    person. Raises StoppedError if nothing can be asked."""
    with school.engine.connect() as connection:
        states = read_states(connection)
    probes = _list_probes(school, client.branch())
    for source, state in states.items():
        probe = probes.get(source)
        if probe and probe.people and not _is_known(school, state):
            yield _probe(school, state, probe)
        elif state.answered_at is not None or state.last_refused_at is not None:
            yield _describe(school, state)
        elif probe:
            yield f"{source.label} (optional) are not asked for, because {probe.nobody}.", ""


def _describe(school: School, state: SourceState) -> Words:
    words, fix = describe_refusal(school, state)
    if words or state.answered_at is None:
        return words, fix
    return f"{state.source.label}: last read on {on_day_at(state.answered_at.astimezone(school.settings.zone))}.", ""


def _is_known(school: School, state: SourceState) -> bool:
    """Whether a source answered or refused within the last day."""
    since = school.now() - ASKED_AGAIN
    return any(at is not None and at > since for at in (state.answered_at, state.last_refused_at))


def _list_probes(school: School, client: Client) -> Mapping[Source, _Probe]:
    """How to ask each source about one person, and about whom."""
    now, wanted = school.now(), school.settings.pupil_policies
    with school.engine.connect() as connection:
        staff = list(list_pastoral_staff(connection, school.today()))
        link = find_link(connection)
    organisers = [*list_organisers(school, now - LISTED), *staff]
    pupils = list(list_due_pupils(school)) if wanted else []
    hour = (now - timedelta(hours=1), now)

    def list_recordings_of(source: Source) -> _Probe:
        return _Probe(
            organisers, lambda person: list_recordings(client, source, person, hour), "no organiser is known yet"
        )

    return {
        Source.CALENDARS: _Probe(
            staff, lambda person: list_events(client, person, hour), "no pastoral staff on the roster have an Entra id"
        ),
        Source.RECORDINGS: list_recordings_of(Source.RECORDINGS),
        Source.ADHOC_RECORDINGS: list_recordings_of(Source.ADHOC_RECORDINGS),
        Source.ATTENDANCE: _Probe(
            [link.organiser_id] if link else [],
            lambda _: list(iter_report_entries(client, link)) if link else None,
            "no meeting's join link is known yet",
        ),
        Source.PUPIL_POLICIES: _Probe(
            pupils,
            lambda person: get_configuration(client, person),
            "no pupil on the roster has an Entra id" if wanted else "the settings name no policies of pupils",
        ),
    }


def _probe(school: School, state: SourceState, probe: _Probe) -> Words:
    """Ask a source about one person, and note a refusal. An answer is noted by the sync, which stores it."""
    person = probe.people[0]
    source = state.source
    try:
        probe.ask(person)
    except ForbiddenError as error:
        with school.writing() as connection:
            # If a source may be limited to some people, one refusal does not show that it refuses everybody.
            note_refusal(connection, source, person if source.by_person else None, error.words, school.now())
            state = read_states(connection)[source]
        return _describe(school, state)
    except GoneError:
        pass
    except RequestFailedError as error:
        return f"{source.label} could not be read ({error.words}); the sync tries again.", ""
    return f"{source.label} can be read.", ""
