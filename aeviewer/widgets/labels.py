"""Labels, tool tips and menu texts that show a text as it is.

Text from data (a name of a run, a class or a file, an error message) may look like HTML, change the
direction of the text after it, or be endless. Qt guesses whether a text is HTML and loads what it
names. So every label of the window is made here, and every tool tip that holds data comes from
`plain_tip`; `tests/test_structure.py` forbids other ways.
"""

from __future__ import annotations

import re
from html import escape

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QHelpEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QMenu, QToolTip, QWidget
from superqt import QElidingLabel

from aeviewer.widgets.fonts import small

_REPLACEMENT = "\ufffd"
_CONTROLS = re.compile(
    # What has no glyph; what reverses the text after it; halves of a character.
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LONG_WORD = re.compile(r"\S{60}(?=\S{40})")
_MOST_OF_LABEL, _MOST_OF_TIP, _MOST_OF_ACTION = 1_000, 4_000, 80
_LONGEST_LINE = 300
_WIDEST, _LEAST_WIDTH = 640, 240


def replace_controls(text: str) -> str:
    """Returns a text with "\ufffd" for each character that is invisible or reverses its neighbours.

    A name with U+202E would otherwise reverse the rest of the sentence that it stands in. Tabs and
    line breaks stay.
    """
    return _CONTROLS.sub(_REPLACEMENT, text.replace("\r\n", "\n"))


def shorten(text: str, most: int) -> str:
    """Returns a text of at most `most` letters; "…" replaces the rest."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def break_words(text: str) -> str:
    """Returns a text whose words of 100 letters and more can be broken at the end of a line."""
    return _LONG_WORD.sub("\\g<0>\u200b", text)


def plain_tip(text: str) -> str:
    """Returns a text so that Qt, which guesses whether a tool tip is markup, shows it as it is.

    Long lines are wrapped, and at most 4,000 letters are shown.
    """
    shown = shorten(replace_controls(text), _MOST_OF_TIP)
    is_narrow = all(len(line) <= _LONGEST_LINE for line in shown.splitlines())
    if is_narrow and not GuiQt.mightBeRichText(shown):
        return shown
    return f'<span style="white-space: pre-wrap">{escape(break_words(shown))}</span>'


def action_text(text: str) -> str:
    """Returns a text for a menu or a button, where "&" marks a key and a tab a shortcut."""
    return shorten(one_line(text), _MOST_OF_ACTION).replace("&", "&&")


def add_plain_action(menu: QMenu, text: str) -> QAction:
    """Adds an action to a menu and returns it; its text may hold a name.

    The tool tip has the whole text, which Qt would otherwise take from the text of the action.
    """
    action = menu.addAction(action_text(text))
    action.setToolTip(plain_tip(text))
    if len(one_line(text)) > _MOST_OF_ACTION:
        menu.setToolTipsVisible(True)
    return action


def one_line(text: str) -> str:
    """Returns a text without line breaks, tabs and control characters."""
    return re.sub(r"[\t\n]+", " ", replace_controls(text))


class PlainLabel(QLabel):
    """A label that shows a text as it is, and never makes its window wider than the screen.

    Of a long text the beginning is shown; the tool tip shows the whole text, above its own.

    Parameters
    ----------
    text
        Shown without markup and without control characters.
    parent
        The widget that owns the label.
    wraps
        Whether long text continues on the next line.
    """

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, wraps: bool = False
    ) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wraps)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Shows a text."""
        self._whole = replace_controls(text)
        super().setText(shorten(self._whole, _MOST_OF_LABEL))

    def sizeHint(self) -> QSize:
        """Returns the size of the text, within bounds."""
        return super().sizeHint().boundedTo(QSize(_WIDEST, 10 * _WIDEST))

    def minimumSizeHint(self) -> QSize:
        """Returns the least size of the text, within bounds."""
        return super().minimumSizeHint().boundedTo(QSize(_LEAST_WIDTH, 10 * _WIDEST))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the text; lines that do not fit end in "…"."""
        if self.wordWrap() or super().minimumSizeHint().width() <= self.width():
            super().paintEvent(event)
            return
        room, role = self.contentsRect(), self.foregroundRole()
        painter = QPainter(self)
        elided = "\n".join(
            self.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, room.width())
            for line in self.text().splitlines()
        )
        flags, is_enabled = int(self.alignment()), self.isEnabled()
        self.style().drawItemText(painter, room, flags, self.palette(), is_enabled, elided, role)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Shows the whole text in the tool tip where there is no room for it."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._is_cut():
            QToolTip.showText(event.globalPos(), self._tip_with_whole_text(), self)
            return True
        return super().event(event)

    def _is_cut(self) -> bool:
        room = self.contentsRect()
        if self.text() != self._whole or super().minimumSizeHint().width() > self.width():
            return True
        return self.wordWrap() and super().heightForWidth(self.width()) > room.height() + 1

    def _tip_with_whole_text(self) -> str:
        own = self.toolTip()
        if not own or GuiQt.mightBeRichText(own):
            return plain_tip(self._whole)
        return plain_tip(f"{self._whole}\n\n{own}")


class ElidingLabel(QElidingLabel):
    """A label of one line that ends in "…" where the room is too narrow."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Shows a text without control characters."""
        super().setText(shorten(replace_controls(text), _MOST_OF_LABEL))


def plain_label(
    text: str = "", *, wraps: bool = False, parent: QWidget | None = None
) -> PlainLabel:
    """Returns a label in the window's own font and colour, for text that may hold a name."""
    return PlainLabel(text, parent, wraps=wraps)


def picture_label(parent: QWidget | None = None) -> QLabel:
    """Returns a label for a picture, which has no text."""
    return PlainLabel("", parent)


def quiet_label(
    text: str = "", *, wraps: bool = False, is_small: bool = True, parent: QWidget | None = None
) -> PlainLabel:
    """Returns a label for text of second rank, in the palette's placeholder colour.

    Parameters
    ----------
    text
        Shown as it is: a name of a file or a run may contain markup.
    wraps
        Whether long text continues on the next line.
    is_small
        Whether the font is smaller than the window's.
    parent
        The widget that owns the label.
    """
    label = plain_label(text, wraps=wraps, parent=parent)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    if is_small:
        label.setFont(small(label.font()))
    return label


def quiet_eliding_label(text: str = "") -> ElidingLabel:
    """Returns a small quiet label of one line that ends in "…" where the room is too narrow."""
    label = ElidingLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    label.setFont(small(label.font()))
    return label


def problem_label(parent: QWidget | None = None) -> PlainLabel:
    """Returns an empty label for what is wrong with an input, in the palette's warning colour."""
    label = plain_label(wraps=True, parent=parent)
    label.setForegroundRole(QPalette.ColorRole.BrightText)
    return label
