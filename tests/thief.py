"""A thief without a key: searches whatever was stolen for a child in counselling, a named adult, and what was written.

    python -m tests.thief STOLEN... --word WORD... [--guess FILE...]

STOLEN are files, folders, the address of a database that the thief can read (postgresql+psycopg://…), or the address of
a running server (http://…), whose `/media` he asks for files of which he has guessed the whole content (FILE). Each
WORD is something that nobody may find. Prints what was found, and exits with 1 if there was anything.
"""

import argparse
import sqlite3
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, create_engine, select, text
from streamlit.runtime.memory_media_file_storage import _calculate_file_id, get_extension_for_mimetype

_TYPES = ("text/csv", "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
# The tables of sessions, logs, plans and calls with pupils: how each is joined to whoever held it.
_COUNSELLING = {
    "sessions": "select p.pupil_id from session_pupils p join sessions s on s.id = p.session_id where s.confidential",
    "logs": "select p.pupil_id from log_pupils p join logs l on l.id = p.log_id where l.staff_id in ({counsellors})",
    "plans": "select pupil_id from plan_pupils where plan_id in "
    "(select id from plans where staff_id in ({counsellors}))",
    "calls": "select pupil_id from call_stays where pupil_id is not null and call_id in "
    "(select call_id from call_stays where staff_id in ({counsellors}))",
}


def find_words(content: bytes, words: Iterable[str]) -> list[str]:
    """The words that some bytes hold, in any usual encoding, upper or lower case, or in hexadecimal digits."""
    lower = content.lower()
    return [word for word in words if any(form in lower for form in _spell(word))]


def _spell(word: str) -> Iterator[bytes]:
    for encoding in _ENCODINGS:
        yield word.lower().encode(encoding)
        yield word.encode(encoding).hex().encode()


def search_files(stolen: Path, words: Iterable[str]) -> Iterator[str]:
    """Where the files of a folder, or one file, hold any of the words, in their names too."""
    files = [file for file in stolen.rglob("*") if file.is_file()] if stolen.is_dir() else [stolen]
    for file in files:
        for word in find_words(file.name.encode() + b"\n" + file.read_bytes(), words):
            yield f"{file.name}: {word}"


def search_database(connection: Connection, words: Iterable[str]) -> Iterator[str]:
    """Where any column of any table holds one of the words; who is readable beside counselling; who is named."""
    for table in _reflect(connection):
        for row in connection.execute(select(table)).mappings():
            for column, value in row.items():
                for word in find_words(_to_bytes(value), words):
                    yield f"{table.name}.{column}: {word}"
    yield from (f"beside counselling, by {way}: {name}" for way, name in find_children_in_counselling(connection))
    yield from (f"named in a concern about conduct: {name}" for name in find_adults_named(connection))


def search_server(address: str, guesses: Iterable[Path]) -> Iterator[str]:
    """The files that a server gives to somebody who is not signed in but has guessed their content, which Streamlit
    turns into their addresses."""
    for guess in guesses:
        for kind in _TYPES:
            for name in (None, guess.name):
                file = _calculate_file_id(guess.read_bytes(), kind, name) + get_extension_for_mimetype(kind)
                if _is_given(f"{address}/media/{file}"):
                    yield f"{address}: {guess.name}"


def _is_given(url: str) -> bool:
    try:
        with urllib.request.urlopen(url) as answer:  # nosec B310
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False


def find_children_in_counselling(connection: Connection) -> Iterator[tuple[str, str]]:
    """The names and addresses, readable without a key, of pupils who met a counsellor, with the way to them."""
    counsellors = "select staff_id from staff_versions where roles like '%counsellor%'"
    for way, query in _COUNSELLING.items():
        pupils = query.format(counsellors=counsellors)
        for names in (
            f"select name from pupil_versions where pupil_id in ({pupils})",  # nosec B608
            f"select email from pupils where id in ({pupils})",  # nosec B608
            f"select entra_id from pupils where id in ({pupils})",  # nosec B608
        ):
            for (name,) in connection.execute(text(names)):
                if name and _is_readable(name):
                    yield way, name


def find_adults_named(connection: Connection) -> Iterator[str]:
    """The adults whom a concern about conduct names, as far as anything about them can be read: as staff, by name, or
    by a session of theirs."""
    versions = connection.execute(text("select staff_id, name from staff_versions"))
    staff = {str(row.staff_id): row.name for row in versions}
    held = "select l.ref, l.staff_id from logs l union select c.call_id, s.staff_id from session_calls c "
    held += "join sessions s on s.id = c.session_id"
    held_by = {row[0]: str(row[1]) for row in connection.execute(text(held))}
    for row in connection.execute(text("select * from conduct_named")).mappings():
        yield from (
            staff.get(str(value), str(value)) for value in (row["staff_id"], row["name"]) if _is_readable(value)
        )
    added = "select recipient_id from conduct_events where kind = 'named' and recipient_id is not null"
    yield from (staff.get(str(number), str(number)) for number in connection.scalars(text(added)))
    for row in connection.execute(text("select * from conduct_sessions")).mappings():
        for value in (row["log_ref"], row["call_id"]):
            if _is_readable(value):
                yield staff.get(held_by.get(value, ""), f"whoever held {value}")


def _is_readable(value: Any) -> bool:
    """Whether a value is not one that a key encrypted: `g` or `s` and Base64."""
    stored = str(value or "")
    return bool(stored) and not (stored[:1] in "gs" and len(stored) >= 37 and not set(stored) & set(" @"))


def _reflect(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return found.sorted_tables


def _to_bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def _is_sqlite(file: Path) -> bool:
    return file.is_file() and file.read_bytes()[:16] == b"SQLite format 3\0" and _has_tables(file)


def _has_tables(file: Path) -> bool:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute("select 1 from sqlite_master where name = 'conduct_named'").fetchone() is not None


def search(stolen: Iterable[str], words: Iterable[str], guesses: Iterable[Path] = ()) -> list[str]:
    """Everything that the thief finds in files, folders, databases and servers."""
    words, found, guesses = list(words), list[str](), list(guesses)
    for where in stolen:
        if where.startswith("http"):
            found += search_server(where, guesses)
            continue
        urls = [where] if "://" in where else []
        if not urls:
            found += search_files(Path(where), words)
            files = Path(where).rglob("*") if Path(where).is_dir() else [Path(where)]
            urls = [f"sqlite:///{file}" for file in files if _is_sqlite(file)]
        for url in urls:
            engine = create_engine(url)
            with engine.connect() as connection:
                found += search_database(connection, words)
            engine.dispose()
    return found


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("stolen", nargs="+")
    arguments.add_argument("--word", action="append", default=[])
    arguments.add_argument("--guess", action="append", default=[], type=Path)
    given = arguments.parse_args()
    traces = search(given.stolen, given.word, given.guess)
    print(*traces or ["Nothing was found."], sep="\n")
    sys.exit(bool(traces))
