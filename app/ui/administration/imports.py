"""Importing tables in three steps (choose files, check what would change, done), and undoing the last import."""

from collections.abc import Mapping

import streamlit as st

from app.access.administration import get_roster
from app.access.policy import Person
from app.formatting import how_many, moment, start_sentence
from app.intake.attendance import import_attendance
from app.intake.files import prepare_tables
from app.intake.mappings import save_mapping
from app.intake.people import RosterOptions
from app.intake.preview import Preview, correct_rows, preview_import
from app.intake.result import ImportResult
from app.intake.roster_files import read_export_files, unpack
from app.intake.transaction import carry_out
from app.intake.undo import NotUndoneError, describe_last_import, find_obstacles, undo_last_import
from app.records.mappings import apply
from app.records.people.roster_folders import is_roster_folder
from app.records.rows import UnreadableFileError
from app.records.tables.raw_tables import RawTable, read_raw_table
from app.records.tables.tabular import Table
from app.school import School
from app.store.database import DatabaseError
from app.store.reading import get_revision
from app.ui.administration.import_columns import Reading, ask_reading, rate_sheet
from app.ui.administration.import_leavers import STAY, LeaversChoice, is_plausible, name_import, show_leavers
from app.ui.administration.import_options import ask_roster_options, show_templates
from app.ui.administration.import_preview import CORRECTIONS, get_corrections, show_preview, show_rejected
from app.ui.administration.import_results import show_attendance_import, show_result
from app.ui.authority import dialog, guard
from app.ui.text import as_plain_text, note, show_error, write_html
from app.vocabulary.terms import TableKind

_STEPS = ("Choose files", "Check", "Done")
# Keys in the session state: the results, the last previews, and the number of this import.
_DONE, _PREVIEWS, _NUMBER = "import done", "import previews", "import number"
_IMPORT = "import the files"  # the key of the button, whatever its label is
_UNDONE = "import undone"  # key in the session state: a message, shown once
_TYPES = ["csv", "txt", "tsv", "xlsx", "xlsm", "xls", "xlsb", "ods", "zip"]
_PEOPLE = ("staff", "pupils")
Prepared = tuple[Mapping[str, Table], RosterOptions]
Readings = dict[str, tuple[RawTable, Reading]]  # by kind


def show_imports(school: School, person: Person) -> bool:
    """Show the present step of importing tables, and the import of attendance reports. Returns whether files are being
    checked; nothing else should be shown then."""
    if _show_tables(school, person):
        return True
    with st.expander("Attendance report from Teams"):
        show_attendance_import(
            lambda content, dates: import_attendance(school, content, dates=dates, actor_id=person.staff_id)
        )
    return False


def _show_tables(school: School, person: Person) -> bool:
    """Show one of the three steps. Returns whether it is the second."""
    results: list[ImportResult] | None = st.session_state.get(_DONE)
    if results is not None:
        _show_step(2)
        _show_done(school, person, results)
        return False
    if words := st.session_state.pop(_UNDONE, None):
        st.success(as_plain_text(words), icon=":material/undo:")
    place = st.empty()
    number = st.session_state.setdefault(_NUMBER, 0)
    files = st.file_uploader(
        "Drop files here as exported: pupils, staff, session logs, letters or consents",
        type=_TYPES,
        accept_multiple_files=True,
        key=f"import files {number}",
    )
    with place:
        _show_step(1 if files else 0)
    if files:
        _show_check(school, person, [(file.name, file.getvalue()) for file in files])
    else:
        show_templates()
        _show_last_import(school, person)
    return bool(files)


def _show_step(current: int) -> None:
    """Show which step of the import this is."""
    steps = "".join(
        f"<li{' aria-current=step' if n == current else ''}>{n + 1}. {words}</li>" for n, words in enumerate(_STEPS)
    )
    st.html(f'<ol class="steps">{steps}</ol>')


def _start_again() -> None:
    """Forget the files, results, previews and corrections."""
    st.session_state[_NUMBER] = st.session_state.get(_NUMBER, 0) + 1
    for key in (_DONE, _PREVIEWS, CORRECTIONS):
        st.session_state.pop(key, None)


# --- check --------------------------------------------------------------------------------------------------


def _show_check(school: School, person: Person, files: list[tuple[str, bytes]]) -> None:
    roster = get_roster(school, person)
    readings: Readings = {}
    try:
        files = unpack(files)
        if is_roster_folder([name.lower() for name, _ in files]):
            prepared = _read_export(school, files)
        else:
            schools = dict(zip(roster["schools"]["code"], roster["schools"]["name"], strict=True))
            asked = _ask_readings(school, files, schools)
            if asked is None:
                return
            readings = asked
            prepared = _apply_readings(school, readings)
    except UnreadableFileError as error:
        show_error("The files cannot be read.", str(error))
        return
    tables = {kind: correct_rows(table, get_corrections(kind)) for kind, table in prepared[0].items()}
    prepared = tables, prepared[1]
    people = set(_PEOPLE) & set(tables)
    key = f"import {st.session_state[_NUMBER]} {sorted(people)} {sorted(name for name, _ in files)}"
    choice = LeaversChoice(key, school.today(), person.email)
    on_roster = {kind: len(roster[kind]) for kind in people}
    preview, options = _preview_with_leavers(school, person, prepared, choice, on_roster)
    if preview is not None:
        st.subheader("What would change")
        show_preview(preview)
        show_leavers(preview, choice, options)
        show_rejected(preview)
        _show_import(school, person, preview, readings, (tables, options))


def _read_export(school: School, files: list[tuple[str, bytes]]) -> Prepared:
    """Read the files of a School Data Sync or OneRoster export, whose format is fixed, and ask for the options."""
    write_html("<b>An export of School Data Sync or OneRoster</b>: {files}", files=how_many(len(files), "file"))
    read = read_export_files(school, "the export", files, ask_roster_options(school.today()))
    for name in read.rest:
        note(f"{name} was not read.")
    for words in read.unread:
        note(words)
    return read.tables, read.options


def _ask_readings(school: School, files: list[tuple[str, bytes]], schools: Mapping[str, str]) -> Readings | None:
    """Ask how each file is read. Returns the readings by kind, or None until all are clear."""
    readings: Readings = {}
    is_clear = True
    for n, file in enumerate(files):
        with st.container(border=True):
            read = _show_file(school, file, schools, f"import {st.session_state[_NUMBER]} {n} {file[0]}")
            if read is None:
                is_clear = False
            elif (kind := read[1].mapping.kind) in readings:
                is_clear = False
                show_error(
                    f"Two files hold {TableKind(kind).label.lower()}.",
                    "Import them one after the other, or as one file.",
                )
            else:
                readings[kind] = read
    return readings if is_clear else None


def _apply_readings(school: School, readings: Readings) -> Prepared:
    tables = {kind: apply(reading.mapping, raw) for kind, (raw, reading) in readings.items()}
    return tables, ask_roster_options(school.today()) if set(_PEOPLE) & set(tables) else RosterOptions()


def _show_file(
    school: School, file: tuple[str, bytes], schools: Mapping[str, str], key: str
) -> tuple[RawTable, Reading] | None:
    """Show one file, and ask how it is read. Returns None until that is clear."""
    try:
        raw = read_raw_table(file, rate=lambda one: rate_sheet(school, one))
        if len(raw.sheets) > 1:
            sheet = st.selectbox("Sheet", list(dict.fromkeys((raw.sheet, *raw.sheets))), key=f"{key} sheet")
            if sheet != raw.sheet:
                raw = read_raw_table(file, sheet)
        write_html("<b>{name}</b>: {rows}", name=raw.name, rows=how_many(len(raw.rows), "row"))
        for words in raw.notes:
            note(f"{start_sentence(words)}.")
        reading = ask_reading(school, raw, schools, f"{key} {raw.sheet}")
    except UnreadableFileError as error:
        show_error("The file cannot be read.", str(error))
        return None
    return (raw, reading) if reading else None


def _preview_with_leavers(
    school: School, person: Person, prepared: Prepared, choice: LeaversChoice, on_roster: Mapping[str, int]
) -> tuple[Preview | None, RosterOptions]:
    """What the import would do, and its options. People who are not in the files leave if somebody has said so, or if
    nobody has said that they stay and the files may be complete lists."""
    tables, options = prepared
    leaving = choice.add_to(options)
    if on_roster and choice.chosen != STAY:
        preview = _preview(school, tables, leaving, person)
        if preview is None or choice.chosen or is_plausible(preview.results, on_roster):
            return preview, leaving
    return _preview(school, tables, options, person), options


def _preview(school: School, tables: Mapping[str, Table], options: RosterOptions, person: Person) -> Preview | None:
    """What the import would do, or None if it cannot be imported. It is worked out again only if something has
    changed."""
    with school.engine.connect() as connection:
        about = repr((tables, options, get_revision(connection)))
    known: dict[str, Preview] = st.session_state.get(_PREVIEWS, {})
    if about in known:
        return known[about]
    try:
        run = prepare_tables(school, tables, person.staff_id, options)
        with st.spinner("Checking every row…"):
            preview = preview_import(school, run, options)
    except (UnreadableFileError, DatabaseError) as error:
        show_error("This cannot be imported.", str(error))
        return None
    # The one before is stored too: one with leavers, one without.
    st.session_state[_PREVIEWS] = dict([*known.items(), (about, preview)][-2:])
    return preview


def _show_import(school: School, person: Person, preview: Preview, readings: Readings, prepared: Prepared) -> None:
    names = _ask_names(readings)
    with st.container(horizontal=True):
        wanted = st.button(name_import(preview), type="primary", icon=":material/upload:", key=_IMPORT)
        st.button("Start again", icon=":material/restart_alt:", on_click=guard(_start_again))
    if not wanted:
        return
    tables, options = prepared
    try:
        for kind, name in names.items():
            save_mapping(school, name, readings[kind][1].mapping, person.staff_id)
        results = carry_out(school, prepare_tables(school, tables, person.staff_id, options))
    except (UnreadableFileError, DatabaseError) as error:
        show_error("Nothing was imported.", str(error))
        return
    st.session_state[_DONE] = results
    st.rerun()


def _ask_names(readings: Readings) -> dict[str, str]:
    """Ask for the names under which new mappings are saved for next time. Returns them by kind."""
    names = {}
    for kind, (raw, reading) in readings.items():
        if reading.is_new:
            name = st.text_input(
                f"Remember how {TableKind(kind).label.lower()} are read, as",
                f"{TableKind(kind).label} as in {raw.name.rpartition('.')[0]}",
                key=f"import {st.session_state[_NUMBER]} name {kind}",
                help="Next time a file with these headings is read in the same way. Blank: do not remember it.",
            )
            if name.strip():
                names[kind] = name
    return names


# --- done, and undo -----------------------------------------------------------------------------------------


def _show_done(school: School, person: Person, results: list[ImportResult]) -> None:
    st.success("Imported.", icon=":material/check:")
    for result in results:
        show_result(result)
    more, undo, _ = st.columns([1, 1, 3])
    more.button("Import more", type="primary", icon=":material/upload:", on_click=guard(_start_again), width="stretch")
    if describe_last_import(school):
        with undo:
            _show_undo(school, person)


def _show_last_import(school: School, person: Person) -> None:
    if (last := describe_last_import(school)) is None:
        return
    words, place = st.container(border=True).columns([4, 1], vertical_alignment="center")
    with words:
        write_html("Last import: {files}, {at}.", files=", ".join(last.sources), at=moment(last.imported_at))
    with place:
        _show_undo(school, person)


def _show_undo(school: School, person: Person) -> None:
    if st.button("Undo", icon=":material/undo:", width="stretch"):
        _confirm_undo(school, person)


@dialog("Undo the last import")
def _confirm_undo(school: School, person: Person) -> None:
    last = describe_last_import(school)
    if last is None:
        st.write("There is no import to undo.")
        return
    files = ", ".join(last.sources)
    if obstacles := find_obstacles(school):
        write_html("The import of {files} can no longer be undone. Since then:", files=files)
        for words in obstacles:
            write_html("– {words}", words=words)
        write_html(
            "<b>What to do instead:</b> import a corrected file. It changes what is different, and nothing else. If "
            "the import added people by mistake, import the list without them, and choose “They have left”."
        )
        return
    write_html(
        "This undoes everything that the import of {files} added or changed. Sessions are checked again.", files=files
    )
    if st.button("Undo this import", type="primary", icon=":material/undo:"):
        try:
            undo_last_import(school, person.staff_id)
        except NotUndoneError as error:
            show_error("Nothing was undone.", str(error))
            return
        _start_again()
        st.session_state[_UNDONE] = f"The import of {files} was undone."
        st.rerun()
