"""Says which optional sources can be read, and how to grant those that cannot."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from app.formatting import on_day_at
from app.graph.calendars import list_events, list_pastoral_staff
from app.graph.client import Client
from app.graph.errors import ForbiddenError, GoneError, RequestFailedError
from app.graph.policies import get_configuration, list_due_pupils
from app.graph.recordings import list_organisers, list_recordings
from app.graph.runs import LISTED
from app.graph.sources import ASKED_AGAIN, Source, SourceState, describe_refusal, note_refusal, read_states
from app.school import School

Words = tuple[str, str]  # what was found, and the fix if a source was refused
_Probe = tuple[list[str], Callable[[str], object]]  # people, and how to ask about one of them


def describe_sources(school: School) -> Iterator[Words]:
    """What is known of each source that was asked; nobody is asked."""
    with school.engine.connect() as connection:
        states = read_states(connection)
    for state in states.values():
        if state.answered_at is not None or state.last_refused_at is not None:
            yield _describe(school, state)


def check_sources(school: School, client: Client) -> Iterator[Words]:
    """As `describe_sources`; sources that neither answered nor refused within a day are asked about one person.
    StoppedError if nothing can be asked."""
    with school.engine.connect() as connection:
        states = read_states(connection)
    probes = _list_probes(school, client.branch())
    for source, state in states.items():
        people, ask = probes.get(source, ([], lambda _: None))
        if people and not _is_known(school, state):
            yield _probe(school, state, people[0], ask)
        elif state.answered_at is not None or state.last_refused_at is not None:
            yield _describe(school, state)


def _describe(school: School, state: SourceState) -> Words:
    words, fix = describe_refusal(school, state)
    if words or state.answered_at is None:
        return words, fix
    return f"{state.source.label}: last read on {on_day_at(state.answered_at.astimezone(school.settings.zone))}.", ""


def _is_known(school: School, state: SourceState) -> bool:
    """Whether a source answered or refused within a day."""
    since = school.now() - ASKED_AGAIN
    return any(at is not None and at > since for at in (state.answered_at, state.last_refused_at))


def _list_probes(school: School, client: Client) -> dict[Source, _Probe]:
    """How to ask each source about one person, and about whom."""
    now = school.now()
    with school.engine.connect() as connection:
        staff = list(list_pastoral_staff(connection, school.today()))
    organisers = [*list_organisers(school, now - LISTED), *staff]
    pupils = list(list_due_pupils(school)) if school.settings.pupil_policies else []
    hour = (now - timedelta(hours=1), now)

    def list_recordings_of(source: Source) -> _Probe:
        return organisers, lambda person: list_recordings(client, source, person, hour)

    return {
        Source.CALENDARS: (staff, lambda person: list_events(client, person, hour)),
        Source.RECORDINGS: list_recordings_of(Source.RECORDINGS),
        Source.ADHOC_RECORDINGS: list_recordings_of(Source.ADHOC_RECORDINGS),
        Source.PUPIL_POLICIES: (pupils, lambda person: get_configuration(client, person)),
    }


def _probe(school: School, state: SourceState, person: str, ask: Callable[[str], object]) -> Words:
    """Ask a source about one person, and note a refusal; an answer is noted by the sync, which stores it."""
    source = state.source
    try:
        ask(person)
    except ForbiddenError as error:
        with school.writing() as connection:
            # Of a source that may be limited to some people, one refusal does not show that all are refused.
            note_refusal(connection, source, person if source.by_person else None, error.words, school.now())
            state = read_states(connection)[source]
        return _describe(school, state)
    except GoneError:
        pass
    except RequestFailedError as error:
        return f"{source.label} could not be read ({error.words}); the sync tries again.", ""
    return f"{source.label} can be read.", ""
