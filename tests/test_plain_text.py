"""Text from data is never HTML: labels, boxes, tool tips and menu texts are made in one place.

Qt guesses whether the text of a label, a message box or a tool tip is HTML, and loads the files
that it names. These rules keep such a text out by construction;
`tests/aeviewer/application/test_hostile_texts.py` tries it on the whole window.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check = Callable[[str, ast.Call, str], bool]

ROOT = Path(__file__).parents[1]
LABELS, BOXES = "aeviewer/widgets/labels.py", "aeviewer/widgets/inputs/message_boxes.py"
FILES = "aeviewer/widgets/inputs/save_dialog.py"
PAGES = "aeviewer/panels/application/text_windows.py"
"""The manual and About, which are HTML that the program itself wrote."""
GUESSING = {
    "QLabel": {LABELS},
    "QElidingLabel": {LABELS},
    "QMessageBox": {BOXES},
    "QProgressDialog": {BOXES},
    "QFileDialog": {FILES},
    "QErrorMessage": set(),
    "QSplashScreen": set(),
    "QTextEdit": set(),
    "QTextBrowser": {PAGES},
}
"""Widgets that guess whether a text is HTML, and the modules that may make them."""
RENDERING = {
    "setTextFormat": {LABELS, BOXES, FILES},
    "setHtml": {PAGES},
    "setMarkdown": {PAGES},
    "insertHtml": set(),
    "appendHtml": set(),
    "setWhatsThis": set(),
    "setItemHtml": set(),
}
"""Methods that render a text as HTML, and the modules that may call them."""


@cache
def product() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "aeviewer").rglob("*.py"))
    }


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            yield node, node.func.id if isinstance(node.func, ast.Name) else name


def is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return is_constant(node.body) and is_constant(node.orelse)
    return isinstance(node, ast.Constant)


def is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def comes_from(*makers: str) -> Callable[[ast.expr], bool]:
    def check(node: ast.expr) -> bool:
        if isinstance(node, ast.IfExp):
            return check(node.body) and check(node.orelse)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id in makers
        return is_constant(node)

    return check


def found_in(check: Check, trees: dict[str, ast.Module]) -> list[str]:
    return [
        f"{path}:{node.lineno} {ast.unparse(node)[:90]}"
        for path, tree in trees.items()
        for node, name in calls(tree)
        if check(path, node, name)
    ]


def makes_a_guessing_widget(path: str, node: ast.Call, name: str) -> bool:
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    kinds = {name, ast.unparse(owner).split(".")[-1]} & GUESSING.keys()
    return any(path not in GUESSING[kind] for kind in kinds)


def renders_html(path: str, _node: ast.Call, name: str) -> bool:
    return path not in RENDERING.get(name, {path})


def shows_an_unescaped_tip(path: str, node: ast.Call, name: str) -> bool:
    is_safe = comes_from("plain_tip")
    if name == "setToolTip":
        return not is_safe(node.args[0])
    if name == "showText":
        return path != LABELS and not is_safe(node.args[1])
    if name == "setItemData" and "role" in ast.unparse(node).lower():
        return not any(is_safe(arg) and not is_number(arg) for arg in node.args[:2])
    return False


def shows_controls_in_the_status_bar(_path: str, node: ast.Call, name: str) -> bool:
    return name == "showMessage" and not comes_from("replace_controls")(node.args[0])


def titles_a_plot_with_markup(_path: str, node: ast.Call, name: str) -> bool:
    is_plot = "plotItem" in ast.unparse(node.func)
    return name == "setTitle" and is_plot and not comes_from("escape")(node.args[0])


def writes_a_name_as_it_is_into_a_menu(_path: str, node: ast.Call, name: str) -> bool:
    """Whether text that is put together becomes an action, where "&" is a key."""
    texts = [arg for arg in node.args[:2] if isinstance(arg, ast.JoinedStr)]
    return name in {"addAction", "addMenu", "QAction", "QMenu"} and bool(texts)


CHECKS = (
    makes_a_guessing_widget,
    renders_html,
    shows_an_unescaped_tip,
    shows_controls_in_the_status_bar,
    titles_a_plot_with_markup,
    writes_a_name_as_it_is_into_a_menu,
)


@pytest.mark.parametrize("check", CHECKS)
def test_text_from_data_is_plain(check: Check) -> None:
    assert not found_in(check, product())


def test_no_other_module_derives_from_a_widget_that_guesses() -> None:
    bases = {
        (path, ast.unparse(base))
        for path, tree in product().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }
    assert not [(p, base) for p, base in bases if p not in GUESSING.get(base, {p})]


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (makes_a_guessing_widget, "QLabel(run.name)"),
        (makes_a_guessing_widget, "QtWidgets.QMessageBox(text=run.name)"),
        (makes_a_guessing_widget, "QMessageBox.warning(parent, title, run.name)"),
        (renders_html, "view.setHtml(run.name)"),
        (shows_an_unescaped_tip, "button.setToolTip(run.name)"),
        (shows_an_unescaped_tip, "button.setToolTip(f'{run.name} is trained')"),
        (shows_an_unescaped_tip, "button.setToolTip('' if run is None else run.name)"),
        (shows_an_unescaped_tip, "QToolTip.showText(place, run.name, self)"),
        (shows_an_unescaped_tip, "box.setItemData(0, run.name, Qt.ItemDataRole.ToolTipRole)"),
        (shows_controls_in_the_status_bar, "bar.showMessage(f'{run.name} is saved')"),
        (titles_a_plot_with_markup, "self.plotItem.setTitle(run.name)"),
        (writes_a_name_as_it_is_into_a_menu, "menu.addAction(f'Open {run.name}')"),
    ],
)
def test_the_checks_find_what_they_forbid(check: Check, line: str) -> None:
    assert found_in(check, {"aeviewer/panels/any.py": ast.parse(line)})
