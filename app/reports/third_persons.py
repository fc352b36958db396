"""Finds the names of other pupils in the text of a pupil's subject access file."""

import re
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, select

from app.access.scope import is_confidential
from app.store import tables


def mark_third_persons(
    connection: Connection, pupil_id: int, staff: set[str]
) -> Callable[[str], Iterator[tuple[str, bool]]]:
    """A function that splits a text into pieces, each with whether it names another pupil: by full name, by address or,
    for pupils who share a session or a concern with this one, by a part of the name. `staff` are full names of staff,
    which are not marked even if they contain a pupil's name."""
    version, pupil, former_email = tables.pupil_versions.c, tables.pupils.c, tables.former_emails.c
    former = select(former_email.pupil_id, former_email.email).where(former_email.pupil_id.is_not(None))
    query = select(version.pupil_id, version.name).union(select(pupil.id, pupil.email), former)
    rows = connection.execute(query).all()
    own = {words for number, words in rows if number == pupil_id}
    names = {words for _, words in rows}
    unmarked = {words.lower() for words in own | (staff - names)}
    companions = _find_companions(connection, pupil_id)
    near = {words for number, words in rows if number in companions and "@" not in words}
    parts = {part for words in near for part in words.split() if len(part) > 1}
    parts -= {part for words in own for part in words.split()}
    full_names = (names | staff) - {""}
    pattern = re.compile(rf"((?i:{_match_any(full_names)})|\b(?:{_match_any(parts)})\b)")

    def split(text: str) -> Iterator[tuple[str, bool]]:
        for place, piece in enumerate(pattern.split(text)):
            yield piece, place % 2 == 1 and piece.lower() not in unmarked

    return split


def _match_any(words: set[str]) -> str:
    """A regular expression for any of the words, the longest first; without words, one that never matches."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or r"(?!)"


def _find_companions(connection: Connection, pupil_id: int) -> set[int]:
    """The pupils who share a session or a concern with this one; counselling sessions are left out."""
    participant, session = tables.session_pupils.c, tables.sessions.c
    not_confidential = select(session.id).where(~is_confidential())
    shared_sessions = select(participant.session_id).where(
        participant.pupil_id == pupil_id, participant.session_id.in_(not_confidential)
    )
    about = tables.concern_pupils.c
    concerns = select(about.concern_id).where(about.pupil_id == pupil_id)
    in_sessions = select(participant.pupil_id).where(participant.session_id.in_(shared_sessions))
    in_concerns = select(about.pupil_id).where(about.concern_id.in_(concerns))
    return set(connection.scalars(in_sessions.union(in_concerns))) - {pupil_id}
