"""Every way in to the program, from its code, for the table in docs/access.md: `python -m docs.ways_in` writes it anew,
`python -m docs.ways_in --check` fails if it is not as it is now.

A page, a route, a command or something that a page leaves behind for which nothing is decided here is an error."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import streamlit as st

from app.__main__ import cli
from app.settings import ROOT
from app.ui.server import list_own_routes
from app.vocabulary.roles import Page

FILE = ROOT / "docs" / "access.md"
BEGIN, END = "<!-- ways in: python -m docs.ways_in -->", "<!-- end of the ways in -->"

PARTS = {"fragment", "dialog", "download_button", "experimental_fragment", "experimental_dialog"}
KEYWORDS = {"on_click", "on_change", "on_select", "on_dismiss", "on_submit"}
# What has to work without authority, by file and code, and why.
EXEMPT = {
    ("app/ui/authority.py", "st.fragment"): "checks",
    ("app/ui/authority.py", "st.dialog"): "checks",
    ("app/ui/widgets.py", "st.download_button"): "is given only functions that check",
    ("app/ui/shell.py", "on_click=_sign_out"): "somebody whose sign-in has ended signs out",
    ("app/ui/shell.py", "on_click=st.login"): "nobody is signed in yet",
    ("app/ui/shell.py", "st.fragment"): "looks itself whether the sign-in has ended",
    ("app/ui/current.py", "on_click=_begin_filling"): "the database is empty: nobody can be signed in",
    ("app/ui/current.py", "st.fragment"): "shows only how far the demonstration is",
}
# What goes through app/ui/authority.py, by the function that is called.
_GUARDED = {
    "fragment": "part that runs alone",
    "authority.fragment": "part that runs alone",
    "dialog": "dialog",
    "open_dialog": "dialog",
    "confirm": "dialog",
    "guard": "callback",
    "guard_download": "download created later",
    "download": "download",
}

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
_CHECKS = "school, person = require(Page.{})"

CLOSED, OWN, SIGN_IN, NOTHING = "closed to everybody", "checks", "part of signing in", "nothing of the school"
ROUTES = {  # by path; a route of a newer Streamlit has to be decided
    "/health": (NOTHING, "says that the server runs"),
    "/": (NOTHING, "Streamlit's empty web page"),
    **{f"/{page}": (NOTHING, "Streamlit's empty web page") for page in Page},
    "/browser.js": (NOTHING, "a script of the program"),
    "/_stcore/health": (NOTHING, "says that the server runs"),
    "/_stcore/host-config": (NOTHING, "settings of Streamlit"),
    "/component/{path:path}": (NOTHING, "scripts of Streamlit's components"),
    "/_stcore/bidi-components/{path:path}": (NOTHING, "scripts of Streamlit's components"),
    "": (NOTHING, "Streamlit's scripts, styles and fonts"),
    "/_stcore/metrics": (CLOSED, "figures of the server"),
    "/_stcore/agent/interact": (CLOSED, "a way in without a browser"),
    "/_stcore/agent/openapi.json": (CLOSED, "a way in without a browser"),
    "/_stcore/agent/mcp": (CLOSED, "a way in without a browser"),
    "/_stcore/stream": (OWN, "runs pages, each of which checks who it is; commands to clear the cache are dropped"),
    "/media/{file_id:path}": (OWN, "a file only for its sign-in, with the same roles and posts"),
    "/_stcore/upload_file/{session_id}/{file_id}": (OWN, "a file only from somebody on the roster"),
    "/auth/login": (SIGN_IN, "leads to Entra ID"),
    "/auth/logout": (SIGN_IN, "removes the cookie"),
    "/oauth2callback": (SIGN_IN, "comes back from Entra ID"),
}
COMMANDS = {  # what each prints or writes
    "alerts": "numbers of emails",
    "audit verify": "whether every entry is as written, and the newest one, to be noted",
    "backup": "a copy of the database",
    "check": "what works, in figures",
    "demo": "a fictional school",
    "import attendance": "rows that were rejected, without their content",
    "import calls": "records that were rejected, without their content",
    "import consents": "rows that were rejected, without their content",
    "import letters": "rows that were rejected, without their content",
    "import logs": "rows that were rejected, without their content",
    "import recordings": "records that were rejected, without their content",
    "import roster": "rows that were rejected, and who is missing in the files",
    "keys new": "a new key",
    "keys rotate": "that all values use the newest key",
    "keys used": "the number of values, in hundreds",
    "move": "the number of tables",
    "outcomes": "a line for each session and clause, without counselling",
    "protocol export": "the protocol in force",
    "protocol import": "the protocol from a file",
    "purge": "numbers of records",
    "restore": "the number of tables",
    "subject": "everything held on one pupil, for the DSP",
    "sync": "numbers of records",
    "sync roster": "rows that were rejected, and who is not in Entra",
}


def list_code() -> list[Path]:
    """The files that know Streamlit's screen."""
    return [
        ROOT / "streamlit_app.py",
        *sorted((ROOT / "pages").glob("*.py")),
        *sorted((ROOT / "app" / "ui").rglob("*.py")),
    ]


def find_bare(file: Path) -> Iterator[tuple[str, str]]:
    """Whatever Streamlit runs later in a file that does not go through app/ui/authority.py: the file and the code."""
    name = file.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        given: list[tuple[object, ast.expr]] = []
        if isinstance(node, ast.Call):
            given = [(keyword.arg, keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Dict):
            given = [(getattr(key, "value", None), value) for key, value in zip(node.keys, node.values, strict=True)]
        for keyword, value in given:
            is_guarded = isinstance(value, ast.Call) and ast.unparse(value.func) == "guard"
            if keyword in KEYWORDS and not is_guarded and not isinstance(value, ast.Constant):
                yield name, f"{keyword}={ast.unparse(value)}"
        if isinstance(node, ast.Attribute) and node.attr in PARTS and ast.unparse(node.value) == "st":
            yield name, ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "streamlit":
            yield from ((name, alias.name) for alias in node.names if alias.name in PARTS)


def count_guarded(file: Path) -> Counter[str]:
    """How many parts, dialogs, callbacks and downloads a file has that go through app/ui/authority.py, by kind."""
    counts: Counter[str] = Counter()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        called = [ast.unparse(node.func)] if isinstance(node, ast.Call) else []
        if isinstance(node, ast.FunctionDef):
            called = [ast.unparse(each) for each in node.decorator_list if not isinstance(each, ast.Call)]
        counts.update(_GUARDED[name] for name in called if name in _GUARDED)
    return counts


def begins_by_checking(page: Page) -> bool:
    """Whether the first thing that a page does, after its imports, functions and constants, is to ask whether the
    person may open it."""
    for node in ast.parse((ROOT / "pages" / f"{page}.py").read_text(encoding="utf-8")).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_constant = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("_")
        if not (is_docstring or is_constant or isinstance(node, _DEFINITIONS)):
            return ast.unparse(node).replace("(school, person) =", "school, person =") == _CHECKS.format(page.name)
    return False


def list_routes() -> list[str]:
    """The paths that the server answers, each once. To be asked in a process of its own: it prepares a server."""
    server = st.App(ROOT / "streamlit_app.py", routes=list_own_routes())._build_starlette_app()
    return list(dict.fromkeys(str(getattr(route, "path", route)) for route in server.routes))


def list_commands(group: click.Group = cli, before: str = "") -> Iterator[str]:
    """The commands, such as "keys new"."""
    for name, command in sorted(group.commands.items()):
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield before + name
        if isinstance(command, click.Group):
            yield from list_commands(command, f"{before}{name} ")


def write_table() -> str:
    """The table, as Markdown."""
    rows = ["| way in | what | who may use it |", "| --- | --- | --- |"]
    for page in Page:
        rows.append(f"| page | {page.label} | checks first: whoever may see {page.resource.label} |")
    for file in list_code():
        name = file.relative_to(ROOT).as_posix()
        for kind, number in sorted(count_guarded(file).items()):
            checks = "checks again" + (", when it is created or fetched" if kind == "download" else "")
            rows.append(f"| left by a page | {name}: {kind}{f' ({number})' if number > 1 else ''} | {checks} |")
    for (name, code), why in sorted(EXEMPT.items()):
        rows.append(f"| left by a page | {name}: `{code}` | {why} |")
    for path in list_routes():
        decided, why = ROUTES[path]
        rows.append(f"| address | {f'`{path}`' if path else 'all others'} | {decided}: {why} |")
    for name in list_commands():
        rows.append(f"| command | `{name}` | whoever may run it on the server; gives {COMMANDS[name]} |")
    return "\n".join(rows)


def replace_table(words: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = words.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{write_table()}\n\n{END}{rest.partition(END)[2]}"


def main(option: str = "") -> None:
    """Write the table into the document, or check it."""
    words = FILE.read_text(encoding="utf-8")
    if option != "--check":
        FILE.write_text(replace_table(words), encoding="utf-8")
    elif words != replace_table(words):
        sys.exit("docs/access.md is not as the code is: python -m docs.ways_in")


if __name__ == "__main__":
    main(*sys.argv[1:])
