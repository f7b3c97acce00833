"""Windows of text: the manual, the log, the report of an error, About."""

from __future__ import annotations

from html import escape
from importlib.metadata import PackageNotFoundError, metadata
from importlib.resources import files
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QUrl, Slot
from PySide6.QtGui import (
    QDesktopServices,
    QFontDatabase,
    QGuiApplication,
    QKeySequence,
    QShortcut,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from aeviewer.services.system.log import versions
from aeviewer.widgets.labels import plain_label, shorten
from trainers.glossary import GLOSSARY, page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeviewer.services.system.log import SessionLog

_MANUAL, _LOG, _REPORT, _ABOUT = QSize(900, 680), QSize(900, 520), QSize(720, 480), QSize(560, 520)
_LICENCE_LETTERS, _TITLE_LETTERS = 60, 300
_ABOVE_HEADING, _BELOW, _LINE_PERCENT = 18, 8, 125
_PROPORTIONAL = QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
_PACKAGES = (
    "PySide6-Essentials",
    "pyqtgraph",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "openTSNE",
    "matplotlib",
    "pillow",
    "pydantic",
    "safetensors",
    "superqt",
    "qtawesome",
    "click",
    "rich",
    "jinja2",
    "filelock",
    "platformdirs",
)
_ABOUT_TEXT = (
    "<h2>AE Viewer</h2><p>Train autoencoders on handwritten digits, watch them learn, walk through "
    "the latent space they found.</p><p>MIT licence. It grew from <i>An Exploration of Auto "
    "Encoders on MNIST</i>.</p><p>MNIST by Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0. Inter "
    "by The Inter Project Authors, OFL 1.1. Icons: Material Design Icons, Apache 2.0; Phosphor, "
    "MIT.</p>"
)


def manual_text() -> str:
    """Returns the manual as Markdown, with the glossary in it."""
    text = (files("resources") / "manual" / "manual.md").read_text(encoding="utf-8")
    return text.replace("{glossary}", page(GLOSSARY.values()))


class ManualWindow(QDialog):
    """The manual: chapters at the left, a search field above."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Manual")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.browser = QTextBrowser(openExternalLinks=True)
        self.browser.setAccessibleName("Manual")
        self.browser.document().setDocumentMargin(20)
        self.browser.setMarkdown(manual_text())
        self.chapters = QListWidget()
        self.chapters.setAccessibleName("Chapters")
        self.search = QLineEdit(placeholderText="Look for", clearButtonEnabled=True)
        self.search.setAccessibleName("Look for")
        self.missing = plain_label()
        self._chapter_positions: list[int] = []
        self._find_chapters()
        split = QSplitter()
        split.addWidget(self.chapters)
        split.addWidget(self.browser)
        split.setStretchFactor(1, 1)
        split.setSizes([200, 700])
        above = QHBoxLayout()
        above.addWidget(self.search, 1)
        above.addWidget(self.missing)
        layout = QVBoxLayout(self)
        layout.addLayout(above)
        layout.addWidget(split, 1)
        self.resize(_MANUAL)
        self.chapters.currentRowChanged.connect(self._open_chapter)
        self.search.returnPressed.connect(self._find_next)
        self.search.textChanged.connect(self._find_first)
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus)
        self.chapters.setFocus()

    def _find_chapters(self) -> None:
        """Lists the headings, and sets the margins of the text."""
        block = self.browser.document().begin()
        while block.isValid():
            form = block.blockFormat()
            is_heading = form.headingLevel() in {1, 2}
            if is_heading:
                self.chapters.addItem(block.text())
                self._chapter_positions.append(block.position())
            form.setTopMargin(_ABOVE_HEADING if is_heading and self._chapter_positions[1:] else 0)
            form.setBottomMargin(_BELOW)
            form.setLineHeight(_LINE_PERCENT, _PROPORTIONAL)
            QTextCursor(block).setBlockFormat(form)
            block = block.next()

    @Slot(int)
    def _open_chapter(self, row: int) -> None:
        """Scrolls the heading of a chapter to the top."""
        cursor = self.browser.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self.browser.setTextCursor(cursor)
        cursor.setPosition(self._chapter_positions[row])
        self.browser.setTextCursor(cursor)

    @Slot()
    def _find_first(self) -> None:
        self.browser.moveCursor(QTextCursor.MoveOperation.Start)
        self._find_next()

    @Slot()
    def _find_next(self) -> None:
        """Finds the next place of the search text, from the start again after the last one."""
        words = self.search.text()
        found = not words or self.browser.find(words, QTextDocument.FindFlag(0))
        if not found:
            self.browser.moveCursor(QTextCursor.MoveOperation.Start)
            found = self.browser.find(words)
        self.missing.setText("" if found else "Not in the manual")


class _MonospacedText(QPlainTextEdit):
    """A monospaced text that can be read and copied."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, readOnly=True)
        self.setAccessibleName(name)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.moveCursor(QTextCursor.MoveOperation.End)


class LogWindow(QDialog):
    """The log, which continues while its window is open.

    Parameters
    ----------
    journal
        Keeps it.
    """

    def __init__(self, journal: SessionLog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Log")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._journal = journal
        self.lines = _MonospacedText(journal.text, "Log")
        self.lines.setPlaceholderText("Nothing was noted yet.")
        where = plain_label(f"Saved in {journal.file}" if journal.file else "Not saved in a file")
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = _make_close_buttons(self)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(journal.text))
        if journal.file:
            folder = QUrl.fromLocalFile(str(journal.file.parent))
            show = buttons.addButton("Open folder", QDialogButtonBox.ButtonRole.ActionRole)
            show.clicked.connect(lambda: QDesktopServices.openUrl(folder))
        _add_widgets(self, self.lines, where, buttons)
        self.resize(_LOG)
        journal.line_written.connect(self.lines.appendPlainText)


class CrashWindow(QDialog):
    """Reports an uncaught error, and offers the report.

    Parameters
    ----------
    report
        For the developers.
    title
        What happened, in one sentence.
    """

    def __init__(self, report: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        what = plain_label(
            f"{shorten(title, _TITLE_LETTERS)}\n\nNothing is lost: the training continues, and all "
            "checkpoints are saved. The report below is for the developers. It contains the names "
            "of folders, but nothing else from your runs.",
            wraps=True,
        )
        self.report = _MonospacedText(report, "Report")
        buttons = _make_close_buttons(self)
        self.copy_button = buttons.addButton(
            "Copy the report", QDialogButtonBox.ButtonRole.ActionRole
        )
        self.copy_button.clicked.connect(self._copy)
        _add_widgets(self, what, self.report, buttons)
        self.resize(_REPORT)

    def add(self, report: str) -> None:
        """Adds another error while the window is open."""
        self.report.appendPlainText(f"\n{'─' * 40}\n{report}")

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.toPlainText())
        self.copy_button.setText("Copied")


class AboutWindow(QDialog):
    """The name of the program, its version, its packages and their licences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About AE Viewer")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        text = QTextBrowser(openExternalLinks=True)
        text.setAccessibleName("About")
        text.document().setDocumentMargin(16)
        rows = "".join(_package_row(package) for package in _PACKAGES)
        text.setHtml(
            f"{_ABOUT_TEXT}<p>{escape(versions())}</p><h3>It stands on</h3>"
            f'<table cellpadding="3">{rows}</table>'
        )
        buttons = _make_close_buttons(self)
        copy = buttons.addButton("Copy versions", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(versions()))
        _add_widgets(self, text, buttons)
        self.resize(_ABOUT)


def _package_row(package: str) -> str:
    """Returns the name, version and licence of a package; nothing where it is not installed."""
    try:
        package_data = metadata(package).json
    except PackageNotFoundError:
        return ""
    cells = (str(package_data["name"]), str(package_data["version"]), _licence(package_data))
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _licence(package_data: Mapping[str, str | list[str]]) -> str:
    """Returns the licence that a package states: an expression, a classifier, or a short text."""
    prefix = "License :: OSI Approved :: "
    named = [
        c.removeprefix(prefix) for c in package_data.get("classifier", ()) if c.startswith(prefix)
    ]
    text = next(iter(str(package_data.get("license", "")).strip().splitlines()), "")
    found = str(package_data.get("license_expression", "")) or ", ".join(named) or text
    return found if len(found) < _LICENCE_LETTERS else f"{found[:_LICENCE_LETTERS]}…"


def _make_close_buttons(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    buttons.button(QDialogButtonBox.StandardButton.Close).setDefault(True)
    return buttons


def _add_widgets(dialog: QDialog, *widgets: QWidget) -> None:
    layout = QVBoxLayout(dialog)
    for widget in widgets:
        layout.addWidget(widget)
