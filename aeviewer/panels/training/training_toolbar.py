"""The toolbar: preset, latent dimension, Train, Pause, Stop and the progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QAction, QFont, QFontMetrics, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolBar,
    QWidget,
)

from aeviewer import theme
from aeviewer.numbers import local
from aeviewer.services.training.training_queue import Activity
from aeviewer.widgets.labels import ElidingLabel, PlainLabel, plain_label, plain_tip, quiet_label
from trainers.config import fields
from trainers.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeviewer.panels.training.experiment_panel import ExperimentPanel
    from aeviewer.services.training.training_progress import TrainingProgress
    from aeviewer.services.training.training_queue import TrainingQueue

_TYPED = 9_999
_BAR_WIDTH, _BAR_HEIGHT = 104, 14
_TRAIN_NOW = "Train the experiment as the form describes it"
_TRAIN_LATER = "Train the experiment after what is being trained; Run → Runs side by side: at once"


class TrainingToolbar(QToolBar):
    """Chooses, starts, pauses and stops training runs, and shows the progress of the active one.

    Parameters
    ----------
    experiment
        The form that the two choices at the left belong to; asked to train.
    queue
        Watched; asked to pause, resume and stop.
    """

    def __init__(
        self, experiment: ExperimentPanel, queue: TrainingQueue, parent: QWidget | None = None
    ) -> None:
        super().__init__("Training", parent)
        self.setObjectName("Training")
        self.setMovable(False)
        self._experiment, self._queue = experiment, queue
        self._device = ""
        self._make_actions()
        self._presets = self._build_presets()
        self._latent_dim = self._build_latent_dim()
        self._train = _button(self.train_action, self)
        self._progress = self._build_progress()
        self._text = _text(self)
        self._waiting = _label("Runs that wait for their turn", self)
        self._place = _label("Where it is computed", self)
        self._lay_out()
        experiment.config_edited.connect(self._follow_form)
        queue.activity_changed.connect(self._follow_activity)
        queue.progressed.connect(self._follow_progress)
        self._follow_form()
        self._follow_activity()

    # -- making ----------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        """The actions are also shown in the menu."""
        self.train_action = self._action("&Train", "play", self._experiment.train)
        self.pause_action = self._action("&Pause", "pause", self._pause_or_resume)
        self.stop_action = self._action("&Stop", "stop", self._queue.stop)
        self.stop_all_action = self._action("Stop &all", "stop", self._queue.stop_all)
        keys = ("Ctrl+Return", "Ctrl+P", "Ctrl+.", "Ctrl+Shift+.")
        actions = (self.train_action, self.pause_action, self.stop_action, self.stop_all_action)
        for action, key in zip(actions, keys, strict=True):
            action.setShortcut(QKeySequence(key))
        self.train_action.setShortcuts([QKeySequence("Ctrl+Return"), QKeySequence("Ctrl+Enter")])

    def _action(self, text: str, icon: str, slot: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setIcon(theme.icon(icon))
        action.triggered.connect(lambda: slot())
        return action

    def _build_presets(self) -> QComboBox:
        combo = QComboBox(self)
        combo.setAccessibleName("Preset")
        combo.setToolTip("The experiment to start from; the form shows all of it")
        combo.setPlaceholderText("Custom")
        for name, entry in PRESETS.items():
            combo.addItem(entry.title, name)
            row, role = combo.count() - 1, Qt.ItemDataRole.ToolTipRole
            combo.setItemData(row, plain_tip(entry.summary), role)
        combo.activated.connect(lambda row: self._experiment.select_preset(combo.itemData(row)))
        return combo

    def _build_latent_dim(self) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setAccessibleName("Latent dimensions")
        leaf = next(leaf for leaf in fields() if leaf.name == "latent_dim")
        low, high = int(leaf.bound("ge") or 1), int(leaf.bound("le") or 1)
        # The box accepts more than the bounds: the field of the form shows what is wrong.
        spin.setRange(-_TYPED, _TYPED)
        spin.setKeyboardTracking(False)
        spin.setToolTip(plain_tip(f"{leaf.info.description} From {low} to {high}."))
        spin.valueChanged.connect(self._experiment.set_latent_dim)
        return spin

    def _build_progress(self) -> QProgressBar:
        bar = QProgressBar(self)
        bar.setAccessibleName("Progress of the training")
        bar.setFixedSize(_BAR_WIDTH, _BAR_HEIGHT)
        bar.setTextVisible(False)
        return bar

    def _lay_out(self) -> None:
        self.addWidget(self._presets)
        self.addWidget(plain_label("Latent dims", parent=self))
        self.addWidget(self._latent_dim)
        self.addSeparator()
        self.addWidget(self._train)
        self.addActions([self.pause_action, self.stop_action])
        self.addSeparator()
        self._progress_shown = self.addWidget(self._progress)
        self.addWidget(self._text)
        self._waiting_shown = self.addWidget(self._waiting)
        self._place_shown = self.addWidget(self._place)

    # -- following -------------------------------------------------------------------------------

    @Slot()
    def _follow_form(self) -> None:
        """Shows the values of the form; emits no signal."""
        with QSignalBlocker(self._presets), QSignalBlocker(self._latent_dim):
            self._presets.setCurrentIndex(self._presets.findData(self._experiment.preset_name))
            self._latent_dim.setValue(self._experiment.latent_dim)
        self.train_action.setEnabled(self._experiment.is_valid)

    @Slot()
    def _follow_activity(self) -> None:
        activity, waiting = self._queue.activity, len(self._queue.waiting)
        paused, idle = activity is Activity.PAUSED, activity is Activity.IDLE
        held = activity in {Activity.RUNNING, Activity.PAUSED}
        can_begin = len(self._queue.active) < self._queue.side_by_side
        self.pause_action.setEnabled(held)
        self.pause_action.setText("&Resume" if paused else "&Pause")
        self.pause_action.setToolTip(
            "Continue the training (Ctrl+P)"
            if paused
            else "Pause the training; Resume continues it from there (Ctrl+P)"
        )
        self.pause_action.setIcon(theme.icon("play" if paused else "pause"))
        self.stop_action.setEnabled(held)
        self.stop_all_action.setEnabled(held or bool(waiting))
        self.stop_action.setToolTip(
            plain_tip(f"Stop{self._stop_target_text()}, keeping all that was learnt (Ctrl+.)")
        )
        train = f"{_TRAIN_NOW if can_begin else _TRAIN_LATER} (Ctrl+Return)"
        for shown in (self.train_action, self._train):
            shown.setToolTip(plain_tip(train))
        self._progress_shown.setVisible(not idle)
        self._waiting_shown.setVisible(bool(waiting))
        self._waiting.setText(f"+{waiting} queued")
        self._follow_progress()

    def _stop_target_text(self) -> str:
        """Returns the name of the run that Stop stops, where there are several."""
        key = self._queue.to_stop
        return f" {Path(key).name}" if key and len(self._queue.active) > 1 else ""

    @Slot()
    def _follow_progress(self) -> None:
        figures = self._queue.progress
        self._progress.setRange(0, max(figures.steps, 1))
        self._progress.setValue(figures.step)
        text = progress_text(self._queue.activity, figures)
        if text != self._text.text():
            self._text.setText(text)
            self._text.setToolTip(plain_tip(text))
        self._device = figures.device or self._device
        self._place.setText(device_text(self._device))
        self._place_shown.setVisible(bool(self._device))

    @Slot()
    def _pause_or_resume(self) -> None:
        if self._queue.activity is Activity.PAUSED:
            self._queue.resume()
        else:
            self._queue.pause()


def progress_text(activity: Activity, figures: TrainingProgress) -> str:
    """Returns the progress: "12,300 / 50,000 · 121 steps/s · 5 min 12 s left"."""
    runs = f"{figures.runs} runs" if figures.runs > 1 else ""
    done = f"{local(figures.step):,} / {local(figures.steps):,}" if figures.steps > 1 else ""
    count = " · ".join(filter(None, [runs, done]))
    match activity:
        case Activity.IDLE:
            return ""
        case Activity.STOPPING:
            return " · ".join(filter(None, [count, "stopping…"]))
        case Activity.PAUSED:
            return " · ".join(filter(None, [count, "paused"]))
    if not figures.device:
        return "starting…"
    if not count:
        return "solving…"
    if not figures.rate:
        return count
    if figures.seconds_left is None:
        return f"{count} · {_rate(figures.rate)}"
    return f"{count} · {_rate(figures.rate)} · {time_text(figures.seconds_left)} left"


def time_text(seconds: float) -> str:
    """Returns a duration in words: "12 s", "5 min 12 s", "2 h 05 min"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{local(hours):,} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def device_text(device: str) -> str:
    """Returns a device in words: "CPU", "CUDA 0"."""
    return device.replace(":", " ").upper()


def _rate(rate: float) -> str:
    return f"{local(rate):,.0f} steps/s" if rate >= 10 else f"{local(rate):.1f} steps/s"


def _button(action: QAction, parent: QWidget) -> QPushButton:
    """The primary button: it triggers its action, whenever the action is enabled."""
    button = QPushButton("Train", parent)
    button.setDefault(True)
    button.addAction(action)
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button


def _text(parent: QWidget) -> ElidingLabel:
    """Takes the remaining width, so that nothing moves when its numbers change."""
    label = ElidingLabel(parent=parent)
    font = QFont(label.font())
    font.setFeature(QFont.Tag("tnum"), 1)
    label.setFont(font)
    label.setAccessibleName("How far the training is")
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    label.setMinimumWidth(QFontMetrics(font).averageCharWidth() * 4)
    return label


def _label(tip: str, parent: QWidget) -> PlainLabel:
    label = quiet_label(is_small=False, parent=parent)
    label.setToolTip(plain_tip(tip))
    return label
