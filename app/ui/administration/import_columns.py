"""How an uploaded file is read: its kind, which heading is which column, and which word is which value.

The program proposes everything, and a person corrects it in boxes.
"""

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from app.access.administration import select_shown_cells
from app.formatting import how_many
from app.intake.mappings import get_mapping, suggest_names
from app.records.columns import COLUMNS, TABLES, Column
from app.records.known_mappings import get_known_table, propose, rate
from app.records.mappings import Mapping, Source, Word, apply, list_words
from app.records.tables.raw_tables import RawTable
from app.school import School
from app.ui.text import as_plain_text, note, write_html
from app.vocabulary.terms import TableKind
from app.vocabulary.words import fold

_FIRST_ROWS = 4
_PROPOSED = "Suggested from the headings"
_NOT_THERE: tuple[str, ...] = ()
_SAME = ("", "same in all rows")  # no heading is blank
_MANY_WORDS = 30
_REJECTED = " Rows with any other word are rejected."


@dataclass(frozen=True)
class Reading:
    """How a file is read. `is_new` means that a person has changed the proposal."""

    mapping: Mapping
    is_new: bool


def ask_reading(school: School, raw: RawTable, schools: Dictionary[str, str], key: str) -> Reading | None:
    """Let a person check how a file is read. `schools` has the schools' names by code. Returns None until all is
    clear."""
    saved = _list_saved(school, raw, list(TABLES))
    first = (get_mapping(school, saved[0]) if saved else None) or propose(raw)
    left, right = st.columns(2)
    kind = left.selectbox(
        "What does this file contain?",
        list(TABLES),
        index=list(TABLES).index(first.kind) if first else None,
        format_func=lambda kind: TableKind(kind).label,
        placeholder="Choose",
        key=f"{key} kind",
    )
    if kind is None:
        write_html(
            "The headings are not recognised: {headings}. Choose what the file contains, or remove it.",
            headings=", ".join(filter(None, raw.headings)),
        )
        return None
    name = ""
    if names := _list_saved(school, raw, [kind]):
        options = [*names, ""]
        name = right.selectbox("Mapping", options, format_func=lambda name: name or _PROPOSED, key=f"{key} by {kind}")
    start = (get_mapping(school, name) if name else propose(raw, kind)) or Mapping(kind=kind, columns={})
    if "school" in COLUMNS[kind] and "school" not in start.columns and len(schools) == 1:
        start = Mapping(kind=kind, columns={**start.columns, "school": Source(value=next(iter(schools)))})
    described = _describe_columns(kind, schools)
    mapping = _ask_columns(raw, start, described, f"{key} {kind} {name}")
    if missing := mapping.list_missing():
        labels = ", ".join(label_column(column) for column in missing)
        st.warning(f"Choose the heading for: {labels}.", icon=":material/edit:")
        return None
    mapping = _ask_words(raw, mapping, described, f"{key} {kind} {name}")
    if unasked := _list_unasked(raw, mapping, described):
        st.warning(f"Choose what the words mean in: {', '.join(map(label_column, unasked))}.", icon=":material/edit:")
        return None
    _show_first_rows(raw, mapping)
    return Reading(mapping, is_new=mapping != start)


def rate_sheet(school: School, raw: RawTable) -> tuple[bool, float, int]:
    """How well a sheet can be read, for comparison: whether a saved mapping fits, then the rating of its headings."""
    return bool(_list_saved(school, raw, list(TABLES))), *rate(raw)


def _list_saved(school: School, raw: RawTable, kinds: Sequence[str]) -> list[str]:
    """The names of the saved mappings that fit a file."""
    return [name for name in suggest_names(school, raw, kinds) if get_known_table(name) is None]


def label_column(name: str) -> str:
    """A column's name as the screen shows it."""
    return name.replace("_emails", " addresses").replace("_email", " address").replace("_", " ").capitalize()


def _describe_columns(kind: str, schools: Dictionary[str, str]) -> dict[str, Column]:
    """The columns of a kind. The school's column accepts the schools' codes and names."""
    described = dict(COLUMNS[kind])
    if "school" in described:
        described["school"] = replace(described["school"], values=tuple(schools.items()))
    return described


# --- columns ------------------------------------------------------------------------------------------------


def _ask_columns(raw: RawTable, start: Mapping, described: dict[str, Column], key: str) -> Mapping:
    """Let a person choose the heading of each column. Returns the mapping with them."""
    found = sum(name in start.columns for name in described)
    with st.expander(f"Columns: {found} of {len(described)} found", expanded=bool(start.list_missing())):
        note("Where each column comes from. Columns with a star are required.")
        columns = {}
        for n, (name, column) in enumerate(described.items()):
            if n % 3 == 0:
                places = st.columns(3)
            source = _ask_column(places[n % 3], raw, column, start.columns.get(name), f"{key} {name}")
            if source is not None:
                columns[name] = source
    return Mapping(kind=start.kind, columns=columns)


def _ask_column(
    place: st.delta_generator.DeltaGenerator, raw: RawTable, column: Column, start: Source | None, key: str
) -> Source | None:
    """Let a person choose where a column comes from. Returns None if it is not in the file."""
    headings = [(heading,) for heading in dict.fromkeys(filter(None, raw.headings))]
    joined = [start.headings] if start and len(start.headings) > 1 else []
    options = [_NOT_THERE, *joined, *headings, _SAME]
    chosen_before = _NOT_THERE if start is None else start.headings or _SAME
    if chosen_before not in options:
        options.insert(1, chosen_before)
    chosen = place.selectbox(
        label_column(column.name) + (" *" if column.is_required else ""),
        options,
        index=options.index(chosen_before),
        format_func=_label_headings,
        help=f"{column.meaning}.",
        key=key,
    )
    if chosen == _NOT_THERE:
        return None
    if chosen != _SAME:
        return Source(headings=chosen, words=start.words if start else {})
    return _ask_value(place, column, start.value if start else "", key)


def _label_headings(headings: tuple[str, ...]) -> str:
    if headings == _NOT_THERE:
        return "Not in the file"
    return "The same in all rows" if headings == _SAME else " + ".join(headings)


def _ask_value(place: st.delta_generator.DeltaGenerator, column: Column, before: str, key: str) -> Source | None:
    """Ask for the value that a column has in all rows. Returns None if there is none."""
    labels = dict(column.values)
    if labels:
        options = list(labels)
        index = options.index(before) if before in options else None
        value = place.selectbox("In all rows", options, index, format_func=labels.__getitem__, key=f"{key} value")
    else:
        value = place.text_input("In all rows", before, key=f"{key} value").strip()
    return Source(value=value) if value else None


# --- words --------------------------------------------------------------------------------------------------


def _ask_words(raw: RawTable, mapping: Mapping, described: dict[str, Column], key: str) -> Mapping:
    """Let a person choose the values of unknown words. Returns the mapping with them."""
    words = [word for word in list_words(mapping, raw, described) if _is_asked(described[word.column])]
    for name in dict.fromkeys(word.column for word in words):
        of_column = [word for word in words if word.column == name]
        chosen = _find_schools(of_column) if name == "school" else {}
        if unknown := [word for word in of_column if word.value is None]:
            chosen |= _ask_words_of(described[name], unknown, f"{key} {name}")
        if chosen:
            source = mapping.columns[name]
            source = Source(headings=source.headings, words=source.words | chosen)
            mapping = Mapping(kind=mapping.kind, columns={**mapping.columns, name: source})
    return mapping


def _find_schools(words: Sequence[Word]) -> dict[str, str]:
    """The codes of the schools that the file calls by name, by that name."""
    return {word.word: word.value for word in words if word.value and fold(word.value) != fold(word.word)}


def _is_asked(column: Column) -> bool:
    """Whether to ask what the words of a column mean. Not for optional columns that also accept other words, because
    such words may say something about a pupil."""
    return column.is_required or not column.other_words


def _list_unasked(raw: RawTable, mapping: Mapping, described: dict[str, Column]) -> list[str]:
    """The columns that also accept other words and have a word whose meaning nobody has chosen yet."""
    words = list_words(mapping, raw, described)
    unknown = [described[word.column] for word in words if word.value is None]
    return list(dict.fromkeys(column.name for column in unknown if column.other_words and _is_asked(column)))


def _ask_words_of(column: Column, unknown: Sequence[Word], key: str) -> dict[str, str]:
    """Ask for the values of a column's unknown words. A word without a value is left out: its rows are rejected, or it
    is asked for again if the column also accepts other words."""
    labels, chosen = dict(column.values), {}
    count = how_many(len(unknown), "word")
    with st.expander(f"{label_column(column.name)}: {count} to match", expanded=True):
        note(f"Choose what each word of the file means.{_REJECTED * (not column.other_words)}")
        others = _ask_others(column, key)
        for n, word in enumerate(unknown[:_MANY_WORDS]):
            if n % 3 == 0:
                places = st.columns(3)
            label = f"{as_plain_text(word.word)} ({how_many(word.rows, 'row')})"
            if column.is_list:
                values = places[n % 3].multiselect(
                    label, list(labels), format_func=labels.__getitem__, placeholder="Choose", key=f"{key} {word.word}"
                )
                value = ";".join(values)
            else:
                value = _ask_word(places[n % 3], column, word.word, label, f"{key} {word.word}")
            if value:
                chosen[word.word] = value
        if others:
            chosen = {word.word: word.word * column.other_words for word in unknown} | chosen
    return chosen


def _ask_others(column: Column, key: str) -> bool:
    """Ask whether all words without a chosen value leave the cell blank or, if the column accepts other words, stay as
    they are."""
    if column.is_required and not (column.is_list or column.other_words):
        return False
    label = "Keep all other words" if column.other_words else "Leave the cell blank for all other words"
    return st.checkbox(label, key=f"{key} others")


def _ask_word(place: st.delta_generator.DeltaGenerator, column: Column, word: str, label: str, key: str) -> str:
    """Ask for the value of a word: itself if it may stay as it is, "" until something is chosen."""
    labels = dict(column.values) | ({word: "Something else"} if column.other_words else {})
    options = list(labels)
    chosen = place.selectbox(label, options, None, format_func=labels.__getitem__, placeholder="Choose", key=key)
    return chosen or ""


# --- first rows ---------------------------------------------------------------------------------------------


def _show_first_rows(raw: RawTable, mapping: Mapping) -> None:
    """Show the first rows as they are read, with the file's headings. Of session logs nothing about pupils is shown."""
    read = apply(mapping, raw)
    rows = [select_shown_cells(mapping.kind, cells, None)[0] for _, cells in read.rows[:_FIRST_ROWS]]
    columns = [name for name in mapping.columns if any(name in row for row in rows)]
    shown = pd.DataFrame([{_label_source(mapping, name): row.get(name, "") for name in columns} for row in rows])
    st.dataframe(shown, hide_index=True, height="content", alt=f"The first rows of {raw.name} as they are read")
    if ignored := [heading for heading in raw.headings if heading and heading not in mapping.headings]:
        write_html("Not read: {headings}.", headings=", ".join(ignored))


def _label_source(mapping: Mapping, column: str) -> str:
    source: Source = mapping.columns[column]
    return f"{label_column(column)} ← {' + '.join(source.headings) or 'the same in all rows'}"
