"""The look of the program: colours, font, icons. A quiet instrument, dark or light.

Widgets take every colour from their palette. The roles, beyond what Qt says of them: `Window` is
the surface behind, `Base` panels and plots, `AlternateBase` what is raised, `PlaceholderText`
secondary text, `Mid` hairlines and grid, `Accent` the one accent, `BrightText` an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import pyqtgraph as pg
import qtawesome
from PySide6.QtCore import QObject, QPoint, QRect, QSize, Qt, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from aeviewer.settings import Theme

FONT_PIXELS = 13
_FONT = "Inter"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of a theme.

    Attributes
    ----------
    back, panel, raised, control
        Surfaces: behind everything, of panels and plots, of what is raised, of controls.
    text, secondary, hairline
        Primary and secondary text; lines and grid.
    accent, on_accent
        The one accent, and text upon it.
    error
        Text that tells of one.
    """

    back: str
    panel: str
    raised: str
    control: str
    text: str
    secondary: str
    hairline: str
    accent: str
    on_accent: str
    error: str


DARK = Tokens(
    back="#121315",
    panel="#191b1e",
    raised="#212428",
    control="#26292e",
    text="#e4e6e9",
    secondary="#979ea7",
    hairline="#353940",
    accent="#35c99a",
    on_accent="#06251b",
    error="#ff8f85",
)
LIGHT = Tokens(
    back="#e9ebee",
    panel="#ffffff",
    raised="#f4f5f7",
    control="#fbfbfc",
    text="#1a1c1f",
    secondary="#59616b",
    hairline="#d0d4da",
    accent="#08805c",
    on_accent="#ffffff",
    error="#b3261e",
)
CONTRAST = Tokens(
    back="#000000",
    panel="#000000",
    raised="#161616",
    control="#000000",
    text="#ffffff",
    secondary="#e6e6e6",
    hairline="#a8a8a8",
    accent="#ffd84d",
    on_accent="#000000",
    error="#ff9d94",
)


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Applies a theme to the program; another call changes it.

    Parameters
    ----------
    app
        The application.
    theme
        "system" follows the system's choice as it changes (dark where the system has none; high
        contrast where it asks for that).
    """
    look = app.findChild(_ThemeController) or _ThemeController(app)
    look.choose(theme)


def icon(name: str, role: QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QIcon:
    """Returns an icon in a colour of the palette, which follows the theme.

    Parameters
    ----------
    name
        As qtawesome names it, "ph.eye"; without a set, Material Design is meant: "play".
    role
        The palette's colour to draw it in.
    """
    return QIcon(_Glyph(name if "." in name else f"mdi6.{name}", role))


def program_icon() -> QIcon:
    """Returns the program's icon: an autoencoder, narrow at its code."""
    with as_file(files("resources") / "icons") as folder:
        return QIcon(str(folder / "aeviewer.svg"))


def create_palette(colours: Tokens) -> QPalette:
    """Returns the palette that brings `colours` to every widget."""
    role = QPalette.ColorRole
    given = {
        role.Window: colours.back,
        role.Base: colours.panel,
        role.AlternateBase: colours.raised,
        role.Button: colours.control,
        role.ToolTipBase: colours.raised,
        role.WindowText: colours.text,
        role.Text: colours.text,
        role.ButtonText: colours.text,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.secondary,
        role.Mid: colours.hairline,
        role.Midlight: colours.hairline,
        role.Light: colours.raised,
        role.Dark: colours.hairline,
        role.Shadow: colours.back,
        role.Accent: colours.accent,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.on_accent,
        role.Link: colours.accent,
        role.BrightText: colours.error,
    }
    made = QPalette()
    for which, colour in given.items():
        made.setColor(which, QColor(colour))
    faded = QColor(colours.secondary)
    faded.setAlphaF(0.6)
    for which in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        made.setColor(QPalette.ColorGroup.Disabled, which, faded)
    for which in (role.Accent, role.Highlight):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.hairline))
    made.setColor(QPalette.ColorGroup.Disabled, role.HighlightedText, faded)
    return made


class _ThemeController(QObject):
    """Applies a theme, and follows the system while "system" is chosen."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._theme: Theme = "system"
        app.setStyle("Fusion")
        app.setFont(_font())
        pg.setConfigOptions(antialias=False, imageAxisOrder="row-major")
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._follow)
        hints.accessibility().contrastPreferenceChanged.connect(self._follow)

    def choose(self, theme: Theme) -> None:
        """Applies `theme`."""
        self._theme = theme
        dark = Qt.ColorScheme.Dark
        schemes = {"light": Qt.ColorScheme.Light, "dark": dark, "contrast": dark}
        self._app.styleHints().setColorScheme(schemes.get(theme, Qt.ColorScheme.Unknown))
        self._apply()

    @Slot()
    def _follow(self) -> None:
        if self._theme == "system":
            self._apply()

    def _apply(self) -> None:
        colours = self._colours()
        self._app.setPalette(create_palette(colours))
        self._app.setStyleSheet(style_sheet(colours))

    def _colours(self) -> Tokens:
        chosen = {"light": LIGHT, "dark": DARK, "contrast": CONTRAST}.get(self._theme)
        if chosen is not None:
            return chosen
        hints = self._app.styleHints()
        if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
            return CONTRAST
        return LIGHT if hints.colorScheme() == Qt.ColorScheme.Light else DARK


class _Glyph(QIconEngine):
    """Draws a character of an icon font."""

    def __init__(self, name: str, role: QPalette.ColorRole) -> None:
        super().__init__()
        self._character: str = qtawesome.charmap(name)
        self._set = name.split(".")[0]
        self._role = role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        """Draws it as large as `rect` allows."""
        disabled = mode == QIcon.Mode.Disabled
        group = QPalette.ColorGroup.Disabled if disabled else QPalette.ColorGroup.Active
        painter.save()
        painter.setPen(QApplication.palette().color(group, self._role))
        painter.setFont(qtawesome.font(self._set, round(0.94 * min(rect.width(), rect.height()))))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._character)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Draws it into a picture of `size` device pixels."""
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return made


def _font() -> QFont:
    """Returns Inter at reading size, with figures of one width."""
    for file in sorted((files("resources") / "fonts").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".otf"):
            QFontDatabase.addApplicationFontFromData(file.read_bytes())
    font = QFont(_FONT)
    font.setPixelSize(FONT_PIXELS)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def style_sheet(colours: Tokens) -> str:
    """Returns the style sheet for what the palette cannot say: spacing, titles, bars, focus."""
    with as_file(files("resources") / "icons") as folder:
        icons = folder.as_posix()
    values = {name: getattr(colours, name) for name in Tokens.__slots__}
    sheet = _SHEET.replace("$icons", icons)
    for name in sorted(values, key=len, reverse=True):
        sheet = sheet.replace(f"${name}", values[name])
    return sheet


_SHEET = """
QMainWindow::separator { background: $back; width: 4px; height: 4px; }
QMainWindow::separator:hover { background: $accent; }
QDockWidget { color: $secondary; titlebar-close-icon: url("$icons/dock-close.svg");
  titlebar-normal-icon: url("$icons/dock-float.svg"); }
QDockWidget::title { background: $raised; padding: 4px 8px; text-align: left; }
QDockWidget::close-button, QDockWidget::float-button { border: none; border-radius: 3px;
  padding: 0px; background: transparent; icon-size: 12px; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: $hairline; }

QTabWidget::pane { border: none; }
QTabWidget > QWidget > QPushButton { min-height: 16px; padding: 1px 12px; }
QTabBar { background: $back; qproperty-drawBase: 0; }
QTabBar::tab { background: $back; color: $secondary; border: none; padding: 5px 10px;
  border-bottom: 2px solid transparent; }
QMainWindow > QTabBar { font-size: 12px; }
QMainWindow > QTabBar::tab { padding: 5px 4px; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { background: $panel; color: $text; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; }

QToolBar { background: $back; border: none; border-bottom: 1px solid $hairline; spacing: 8px;
  padding: 4px 8px; }
QToolBar::separator { background: $hairline; width: 1px; margin: 4px; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px;
  padding: 3px; }
QToolButton:hover { background: $raised; border-color: $hairline; }
QToolButton:pressed, QToolButton:checked { background: $control; border-color: $hairline; }
QToolButton:focus { border-color: $accent; }
QToolButton[popupMode="1"] { padding-right: 16px; }
QToolButton::menu-indicator { image: none; }

QPushButton { background: $control; border: 1px solid $hairline; border-radius: 4px;
  padding: 3px 12px; min-height: 20px; }
QPushButton:hover { background: $raised; border-color: $secondary; }
QPushButton:pressed { background: $hairline; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { background: transparent; }
QPushButton:default { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:default:focus { border: 2px solid $text; padding: 2px 11px; }
QPushButton:default:disabled { background: $control; color: $secondary; border-color: $hairline; }
QPushButton:flat { background: transparent; border-color: transparent; }
QPushButton:flat:focus { border-color: $accent; }

QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit, QTextEdit { background: $control;
  border: 1px solid $hairline; border-radius: 4px; padding: 2px 6px; min-height: 20px;
  selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: $secondary; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QComboBox:on { border-color: $accent; }
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"] {
  border-color: $error; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { background: transparent; }
QAbstractSpinBox QLineEdit { border: none; padding: 0px 0px 0px 4px; min-height: 0px;
  background: transparent; }
QAbstractSpinBox { padding-right: 18px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border;
  width: 18px; border: none; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; margin-top: 2px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin-bottom: 2px; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hairline; }
QAbstractSpinBox::up-arrow { image: url("$icons/chevron-up.svg"); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url("$icons/chevron-down.svg"); width: 10px; height: 10px; }
QComboBox { padding-right: 20px; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: 20px;
  border: none; }
QComboBox::down-arrow { image: url("$icons/chevron-down.svg"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $hairline; padding: 4px;
  outline: none; }

QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QMessageBox { dialogbuttonbox-buttons-have-icons: 0; }

QRadioButton { spacing: 8px; }
QRadioButton::indicator { width: 12px; height: 12px; border: 1px solid $secondary;
  border-radius: 7px; background: $control; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 4px solid $accent;
  background: $on_accent; }
QRadioButton::indicator:disabled { border-color: $hairline; }
QRadioButton:focus { color: $accent; }

QMenuBar { background: $back; padding: 2px 4px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $raised; border: 1px solid $hairline; padding: 4px; }
QMenu::item { padding: 4px 24px 4px 28px; border-radius: 4px; }
QMenu::item:selected { background: $hairline; color: $text; }
QMenu::indicator { left: 8px; }
QMenu::icon { left: 8px; }
QMenu::separator { height: 1px; background: $hairline; margin: 4px 8px; }
QStatusBar { background: $back; color: $secondary; border-top: 1px solid $hairline; }
QStatusBar::item { border: none; }
QToolTip { background: $raised; color: $text; border: 1px solid $hairline; padding: 4px 6px; }

QScrollBar { background: transparent; border: none; margin: 0px; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $hairline; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::handle:hover { background: $secondary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0px; height: 0px; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea { border: none; }
QHeaderView::section { background: $panel; color: $secondary; border: none;
  border-bottom: 1px solid $hairline; padding: 4px 8px; }
QProgressBar { background: $control; border: 1px solid $hairline; border-radius: 3px;
  text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
"""
