"""The File menu: runs folders and preferences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QActionGroup, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from aeviewer import theme
from aeviewer.panels.application.preferences_dialog import THEMES, PreferencesDialog
from aeviewer.widgets.inputs.save_dialog import ask_folder
from aeviewer.widgets.labels import add_plain_action

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from aeviewer.services.runs.session import Session
    from aeviewer.settings import Settings, Theme


class FileMenu(QMenu):
    """Opens runs folders, archives and the preferences.

    Parameters
    ----------
    session
        Over the folder that is open.
    settings
        Remembers folders and choices.
    open_archive
        Opens a run's archive.
    pictures
        Copies and saves what is shown.
    window
        Owns the dialogs; closed by Quit.
    """

    folder_requested = Signal(str)
    """Requests another runs folder."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        open_archive: QAction,
        pictures: QMenu,
        window: QWidget,
    ) -> None:
        super().__init__("&File", window)
        self._session, self._settings, self._window = session, settings, window
        keys = QKeySequence.StandardKey
        self.addAction("&Open runs folder…", keys.Open, self._choose_folder)
        self.recent = self.addMenu("R&ecent runs folders")
        self._fill_recent()
        self.addAction("&Show runs folder", self._show_folder)
        self.addAction("&Refresh runs", keys.Refresh, lambda: session.refresh())
        self.addSeparator()
        self.addAction(open_archive)
        self.addMenu(pictures)
        self.addSeparator()
        self.addAction("&Preferences…", QKeySequence("Ctrl+,"), self._open_preferences)
        self.addSeparator()
        self.addAction("&Quit", keys.Quit, window.close)

    def _fill_recent(self) -> None:
        """Returns the folders that were open before, without this one."""
        here = str(self._session.folder.absolute())
        for folder in self._settings.folders:
            if folder != here:
                action = add_plain_action(self.recent, folder)
                action.triggered.connect(lambda _=False, f=folder: self.folder_requested.emit(f))
        self.recent.setEnabled(not self.recent.isEmpty())

    @Slot()
    def _choose_folder(self) -> None:
        here = self._session.folder
        ask_folder(self._window, "Runs folder", str(here), self._request_other)

    def _request_other(self, folder: str) -> None:
        if Path(folder) != self._session.folder.absolute():
            self.folder_requested.emit(folder)

    @Slot()
    def _show_folder(self) -> None:
        folder = self._session.folder
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    @Slot()
    def _open_preferences(self) -> None:
        dialog = PreferencesDialog(self._settings, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.theme_chosen.connect(lambda name: choose_theme(self._settings, name))
        dialog.open()


class ThemeMenu(QMenu):
    """Chooses the theme of the program.

    Parameters
    ----------
    settings
        Remembers it.
    """

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__("&Theme", parent)
        self._settings = settings
        self._group = QActionGroup(self)
        for name, text in THEMES.items():
            action = self.addAction(text)
            action.setCheckable(True)
            action.setData(name)
            self._group.addAction(action)
        self._group.triggered.connect(lambda action: choose_theme(settings, action.data()))
        self.aboutToShow.connect(self._check)
        self._check()

    @Slot()
    def _check(self) -> None:
        for action in self._group.actions():
            action.setChecked(action.data() == self._settings.theme)


def choose_theme(settings: Settings, name: str) -> None:
    """Applies a theme and stores the choice."""
    settings.theme = cast("Theme", name)
    app = QApplication.instance()
    if isinstance(app, QApplication):
        theme.apply_theme(app, settings.theme)
