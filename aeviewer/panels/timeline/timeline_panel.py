"""All checkpoints of the current run: drag, step and play them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QAction, QColor, QFont, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from aeviewer import theme
from aeviewer.numbers import local
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.fonts import tabular
from aeviewer.widgets.inputs.step_slider import StepSlider
from aeviewer.widgets.labels import plain_label, plain_tip, quiet_eliding_label, quiet_label

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeyEvent, QPaintEvent

    from aeviewer.services.latent_services import LatentServices
    from aeviewer.services.runs.run_item import RunItem

_EMPTY = "Checkpoints appear here while a run trains"
_ALIGN = (
    "Codes are turned and mirrored onto those of the checkpoint after, through to the last one "
    "(orthogonal Procrustes, Schönemann 1966): training may turn a latent space without learning "
    "anything. Nothing is scaled, and a press decodes the code of the step that is shown."
)
_HEIGHT = 52
_READOUT_WIDTH = 208


class _Swatch(QWidget):
    """A dot in the colour of a run."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(8, 8)
        self._colour = QColor()

    def set_colour(self, colour: str) -> None:
        self._colour = QColor(colour)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draws the dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawEllipse(QRectF(self.rect()))
        painter.end()


class TimelinePanel(QWidget):
    """Moves every panel through the checkpoints of the current run.

    Parameters
    ----------
    latent_services
        Its session is watched and receives the step to show; its playback plays.
    """

    def __init__(self, latent_services: LatentServices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        session = latent_services.session
        self._session, self._alignments = session, latent_services.alignments
        self._playback = latent_services.playback
        self._make_actions()
        self.slider = StepSlider()
        self.slider.setAccessibleName("Checkpoint")
        self.slider.setToolTip("Every checkpoint of the run: all panels follow.")
        self.live_button = QToolButton()
        self._make_readout()
        self._arrange()
        self.slider.step_chosen.connect(self._choose)
        self.slider.live_chosen.connect(self._follow)
        self.live_button.clicked.connect(self._toggle_live)
        for changed in (
            session.runs_changed,
            session.current_changed,
            session.checkpoints_changed,
            session.step_changed,
            session.preview_changed,
        ):
            changed.connect(self._show)
        self._playback.changed.connect(self._show_playing)
        self._alignments.changed.connect(self._show_aligned)
        self._show()
        self._show_aligned()

    @property
    def is_playing(self) -> bool:
        """Whether the checkpoints are played."""
        return self._playback.is_playing

    # -- parts -----------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        self.back_action = self._action(
            "Checkpoint before", "skip-previous", "Ctrl+Left", self._step_back
        )
        self.play_action = self._action("Play checkpoints", "play", "Ctrl+Space", self._toggle_play)
        self.forward_action = self._action(
            "Checkpoint after", "skip-next", "Ctrl+Right", self._step_forward
        )
        self.align_action = self._action("Align", "axis-z-rotate-clockwise", "Ctrl+L", self._align)
        self.align_action.setCheckable(True)

    def _action(self, text: str, icon: str, shortcut: str, slot: Callable[[], None]) -> QAction:
        action = QAction(theme.icon(icon), text, self)
        action.setShortcut(QKeySequence(shortcut))
        action.setToolTip(plain_tip(f"{text} ({QKeySequence(shortcut).toString()})"))
        action.triggered.connect(slot)
        self.addAction(action)
        return action

    def _make_readout(self) -> None:
        self.word_label, self.step_label = quiet_label("step", is_small=False), plain_label()
        self.of_label = quiet_label(is_small=False)
        large = tabular(self.font())
        large.setPixelSize(17)
        for label in (self.word_label, self.of_label):
            label.setFont(large)
        strong = QFont(large)
        strong.setWeight(QFont.Weight.DemiBold)
        self.step_label.setFont(strong)
        self.swatch, self.name_label = _Swatch(), quiet_eliding_label()
        self.name_label.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.name_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _readout(self) -> QWidget:
        steps, names = QHBoxLayout(), QHBoxLayout()
        steps.setSpacing(6)
        names.setSpacing(6)
        steps.addWidget(self.word_label)
        steps.addWidget(self.step_label)
        steps.addWidget(self.of_label, 1)
        names.addWidget(self.swatch)
        names.addWidget(self.name_label, 1)
        readout = QWidget()
        readout.setMinimumWidth(_READOUT_WIDTH)
        lines = QVBoxLayout(readout)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addStretch()
        lines.addLayout(steps)
        lines.addLayout(names)
        lines.addStretch()
        return readout

    def _arrange(self) -> None:
        content = QWidget()
        row = QHBoxLayout(content)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        for action in (self.back_action, self.play_action, self.forward_action):
            button = QToolButton()
            button.setDefaultAction(action)
            row.addWidget(button)
        row.addSpacing(12)
        row.addWidget(self._readout())
        row.addWidget(self.slider, 1)
        align = QToolButton()
        align.setDefaultAction(self.align_action)
        align.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        row.addWidget(align)
        self.live_button.setText("Live")
        self.live_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.live_button.setCheckable(True)
        self.live_button.setAccessibleName("Follow the run live")
        self.live_button.setToolTip("Follow the model as it learns, or hold its newest checkpoint.")
        row.addWidget(self.live_button)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState(_EMPTY))
        self._pages.addWidget(content)
        self.setFixedHeight(_HEIGHT)

    # -- what is shown ---------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        run = self._session.current
        steps = self._session.checkpoints
        is_trained = run is not None and run.state.is_in_training
        self.slider.set_steps(steps, live=is_trained)
        self.slider.set_step(self._session.step)
        self.live_button.setVisible(is_trained)
        self._show_live()
        self._show_readout(run)
        self._enable_actions()
        self._pages.setCurrentIndex(1 if steps and run else 0)

    def _show_live(self) -> None:
        is_live = self._session.is_live
        role = QPalette.ColorRole.Highlight if is_live else QPalette.ColorRole.PlaceholderText
        self.live_button.setIcon(theme.icon("circle" if is_live else "circle-outline", role))
        self.live_button.setChecked(is_live)

    def _show_readout(self, run: RunItem | None) -> None:
        if run is None:
            return
        step = self._shown_step(run)
        self.step_label.setText(f"{local(step):,}")
        self.of_label.setText(f"of {local(run.steps):,}")
        self.swatch.set_colour(run.colour)
        self.name_label.setText(run.name)
        self.name_label.setToolTip(plain_tip(run.name))

    def _shown_step(self, run: RunItem) -> int:
        """Returns the step of the checkpoint; the newest known step of the run while live."""
        if self._session.step is not None:
            return self._session.step
        preview = self._session.preview
        return max(run.step, *self._session.checkpoints[-1:], preview.step if preview else 0)

    def _enable_actions(self) -> None:
        before, after = self._neighbours()
        self.back_action.setEnabled(before is not None)
        self.forward_action.setEnabled(after is not None)
        self.play_action.setEnabled(len(self._session.checkpoints) > 1)

    def _neighbours(self) -> tuple[int | None, int | None]:
        """Returns the checkpoints before and after the one that is shown."""
        steps, step = self._session.checkpoints, self._session.step
        if step is None:
            return (steps[-1] if steps else None), None
        before = [s for s in steps if s < step]
        after = [s for s in steps if s > step]
        return (before[-1] if before else None), (after[0] if after else None)

    # -- going -----------------------------------------------------------------------------------

    @Slot(int)
    def _choose(self, step: int) -> None:
        """Shows a step that the user chose, and stops the playback."""
        self._playback.pause()
        self._session.show_step(step)

    @Slot()
    def _follow(self) -> None:
        self._playback.pause()
        self._session.follow()

    @Slot()
    def _toggle_live(self) -> None:
        if self._session.is_live and self._session.checkpoints:
            self._choose(self._session.checkpoints[-1])
        else:
            self._follow()
        self._show_live()

    @Slot()
    def _step_back(self) -> None:
        before, _ = self._neighbours()
        if before is not None:
            self._choose(before)

    @Slot()
    def _step_forward(self) -> None:
        _, after = self._neighbours()
        if after is not None:
            self._choose(after)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moves to the first or last checkpoint by Home and End, wherever the focus is."""
        if event.key() in {Qt.Key.Key_Home, Qt.Key.Key_End} and self._session.checkpoints:
            is_home = event.key() == Qt.Key.Key_Home
            self.slider.setValue(0 if is_home else self.slider.maximum())
        else:
            super().keyPressEvent(event)

    # -- playing ---------------------------------------------------------------------------------

    @Slot()
    def _toggle_play(self) -> None:
        if self.is_playing:
            self._playback.pause()
        else:
            self._playback.start()

    @Slot()
    def _show_playing(self) -> None:
        text = "Pause" if self.is_playing else "Play checkpoints"
        self.play_action.setText(text)
        self.play_action.setIcon(theme.icon("pause" if self.is_playing else "play"))
        shortcut = self.play_action.shortcut().toString()
        self.play_action.setToolTip(plain_tip(f"{text} ({shortcut})"))

    @Slot()
    def _align(self) -> None:
        self._alignments.set_enabled(self.align_action.isChecked())

    @Slot()
    def _show_aligned(self) -> None:
        """Shows whether the codes are aligned, and why not where they cannot be."""
        self.align_action.setChecked(self._alignments.is_enabled)
        problem = self._alignments.problem
        why = f" They cannot be now: {problem}" if problem else ""
        key = self.align_action.shortcut().toString()
        self.align_action.setToolTip(plain_tip(f"Align ({key}). {_ALIGN}{why}"))
