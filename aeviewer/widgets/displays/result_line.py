"""The line under a result: what computed it, and a thin bar while a newer one is computed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from aeviewer.widgets.labels import quiet_eliding_label

_DELAY_MILLISECONDS = 150
"""A result that arrives sooner needs no sign that it is computed."""
_BAR_HEIGHT = 3
_VEIL_ALPHA = 150
PICTURE_SOURCE = "pictureSource"
"""The property of a picture that says which model it is of."""


class _Veil(QWidget):
    """Dims its parent; the mouse reaches what is under it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.watched = parent
        self.resize(parent.size())
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        parent.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Covers the parent at every size."""
        if event.type() is QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Lays the window's colour over what is stale."""
        colour = self.palette().color(QPalette.ColorRole.Window)
        colour.setAlpha(_VEIL_ALPHA)
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour)
        painter.end()


class ResultLine(QWidget):
    """Says what computed a result, dims it when it is stale, and shows that one is computed.

    Parameters
    ----------
    name
        What is computed, for a screen reader.
    content
        The widgets that show the result.
    """

    def __init__(self, name: str, *content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label, self.bar = quiet_eliding_label(), QProgressBar(textVisible=False)
        self.bar.setAccessibleName(name)
        self.bar.setFixedHeight(_BAR_HEIGHT)
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.bar.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.label)
        layout.addWidget(self.bar)
        self._veils = [_Veil(widget) for widget in content]
        self._is_computing = self._is_stale = False
        self._later = QTimer(self, singleShot=True, interval=_DELAY_MILLISECONDS)
        self._later.timeout.connect(self._show)

    @property
    def is_dimmed(self) -> bool:
        """Whether the result is shown as stale."""
        return any(not veil.isHidden() for veil in self._veils)

    def set_source(self, text: str, file_name: str = "") -> None:
        """Sets the text: the run, the step, and whether the model is live.

        Parameters
        ----------
        file_name
            The beginning of the names of files that the pictures of the result are saved to.
        """
        self.label.setText(text)
        for veil in self._veils:
            veil.watched.setProperty(PICTURE_SOURCE, file_name)

    def set_status(
        self, *, is_computing: bool, is_stale: bool = False, progress: float | None = None
    ) -> None:
        """Sets whether a result is computed, and whether the shown one is of an older question.

        Parameters
        ----------
        is_computing, is_stale
            They show after a moment, unless they end before it.
        progress
            From 0 to 1; None where it is unknown.
        """
        self._is_computing, self._is_stale = is_computing, is_stale
        self.bar.setRange(0, 0 if progress is None else 100)
        if progress is not None:
            self.bar.setValue(round(100 * progress))
        if not is_computing:
            self._later.stop()
            self._show()
        elif self.bar.isHidden():
            if not self._later.isActive():
                self._later.start()
        else:
            self._show()

    def _show(self) -> None:
        self.bar.setVisible(self._is_computing)
        for veil in self._veils:
            veil.setVisible(self._is_stale)
            veil.raise_()
