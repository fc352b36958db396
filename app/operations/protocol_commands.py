"""The commands for the protocol as a file."""

from pathlib import Path

import click

from app.formatting import how_many
from app.management.protocol_file import export_protocol, import_protocol
from app.operations.scheduled import note
from app.records.rows import UnreadableFileError
from app.school import open_school


@click.group("protocol")
def protocol() -> None:
    """The protocol in force, as a settings file."""


@protocol.command("export")
def export_command() -> None:
    """Print the settings in force, as data/protocol.toml would say them. Remote learning of one pupil is left out."""
    click.echo(export_protocol(open_school(), None), nl=False)


@protocol.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
def import_command(path: Path) -> None:
    """Put into force what a settings file says of the school, its versions, terms, remote learning and rules. Sessions
    that this affects are judged again."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{path.name} is not a text file in UTF-8. Nothing was changed.") from None
    effect, others = import_protocol(open_school(), None, text, path)
    if others:
        note(f"Not imported, because they are read from the server's settings file: {', '.join(others)}.")
    opened = how_many(effect.opened, "breach", "breaches")
    click.echo(f"{path.name} is in force: {opened} opened, {effect.closed} closed")
