"""Labels run Markdown: what people typed is escaped there, on every screen. (tests/browser tries hostile text.)"""

import ast
from collections.abc import Iterator
from pathlib import Path

from app.settings import ROOT

# Elements whose label, heading or text Streamlit runs as Markdown; of the last three also each option.
RUN = {
    *(
        "button",
        "form_submit_button",
        "download_button",
        "download",
        "_submit",
        "link_button",
        "menu_button",
        "popover",
    ),
    *("expander", "tabs", "checkbox", "toggle", "selectbox", "multiselect", "text_input", "text_area", "number_input"),
    *("date_input", "time_input", "file_uploader", "header", "subheader", "info", "warning", "success", "error"),
    *("caption", "markdown", "write", "metric", "dialog", "progress", "spinner", "toast", "badge"),
    *("radio", "segmented_control", "pills"),
}
# Attributes and columns that hold what people, or systems elsewhere, typed.
TYPED = {
    "name",
    "email",
    "pupil",
    "staff",
    "staff_name",
    "place",
    "word",
    "words",
    "reason",
    "text",
    "summary",
    "about",
}
TYPED |= {"parent", "title", "source", "owner", "by", "what", "how", "file", "description", "subject", "heading"}
OURS = {  # words of our own under such a name, by file and code
    ("app/ui/session_fields.py", "question.words"),
    ("app/ui/administration/import_columns.py", "column.name"),
}


def list_typed(node: ast.expr) -> Iterator[ast.expr]:
    """The values in a label that hold typed text and are not escaped."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("as_plain_text", "on_day", "moment", "how_many"):
        return
    name: object = None
    if isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        name = node.slice.value
    if name in TYPED:
        yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from list_typed(child)
        elif isinstance(child, ast.FormattedValue):
            yield from list_typed(child.value)


def list_labels(file: Path) -> Iterator[ast.expr]:
    """The labels of a file's elements, and what writes options that run Markdown."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in RUN:
            yield from node.args[:1]
            yield from (keyword.value for keyword in node.keywords if keyword.arg in ("label", "help", "text"))
        if called in ("radio", "segmented_control", "pills"):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "format_func")


def test_no_label_runs_what_people_typed() -> None:
    found = set()
    for file in [*(ROOT / "pages").glob("*.py"), *(ROOT / "app" / "ui").rglob("*.py")]:
        name = file.relative_to(ROOT).as_posix()
        found |= {(name, ast.unparse(typed)) for label in list_labels(file) for typed in list_typed(label)}
    assert found <= OURS, found - OURS
