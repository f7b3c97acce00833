"""The state that all panels share: the runs, which one is current, which step is shown.

It holds no widget and loads no torch. A panel reads properties, changes the state only through the
methods here, and receives the past-tense signals of its own changes as every other panel does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from aeviewer.services.runs.loss_curves import CurveStore
from aeviewer.services.runs.run_item import RunItem, describe_run
from trainers import datasets
from trainers import runs as run_folders
from trainers.datasets import MNIST
from trainers.errors import AEViewerError, RunError
from trainers.runs.metrics import METRICS, Metric

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aeviewer.services.runs.loss_curves import LossCurves
    from aeviewer.services.runs.model_source import ModelSource
    from aeviewer.settings import Settings
    from trainers.datasets import Data, Dataset
    from trainers.events import Losses, Preview
    from trainers.runs import Run, RunState
    from trainers.runs.metrics import Evaluation


class ShownStep(NamedTuple):
    """The run and the step that the panels show; the step is None for the live model."""

    run: Run
    step: int | None


class Session(QObject):
    """The state that panels share.

    Parameters
    ----------
    folder
        The runs folder.
    settings
        Stores colours and visibility.
    """

    runs_changed = Signal()
    current_changed = Signal()
    """Another run is current, or the current one has another key: its preview and image follow."""
    run_renamed = Signal(str, str)
    """A run has another key: the old one and the new one."""
    checkpoints_changed = Signal()
    step_changed = Signal()
    preview_changed = Signal()
    """The codes and reconstructions of the step have arrived, or cannot be read."""
    metrics_changed = Signal(str)
    metric_changed = Signal()
    code_changed = Signal()
    image_changed = Signal()
    message_posted = Signal(str)
    """A failure, in one message for the person."""

    def __init__(self, folder: Path, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self._settings = settings
        self._runs: dict[str, Run] = {}
        self._items: dict[str, RunItem] = {}
        self._active_states: dict[str, RunState] = {}
        self.curve_store = CurveStore(self.report)
        self._current: str | None = None
        self._checkpoints: tuple[int, ...] = ()
        self._step: int | None = None
        self._preview: Preview | None = None
        self._is_unreadable = False
        self._code: NDArray[np.float32] | None = None
        self._image: NDArray[np.float32] | None = None
        self.image_source: ModelSource | None = None

    def report(self, message: str) -> None:
        """Posts the message of a failure, for the window to show."""
        self.message_posted.emit(message)

    # -- runs ------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[RunItem, ...]:
        """All runs, the oldest first."""
        return tuple(self._items.values())

    @property
    def current(self) -> RunItem | None:
        """The run that the latent panels show."""
        return self._items.get(self._current or "")

    def item(self, key: str) -> RunItem:
        """Returns the item of a run."""
        return self._items[key]

    def has(self, key: str) -> bool:
        """Returns whether the run is known; its folder may have been deleted since."""
        return key in self._runs

    def is_named(self, name: str) -> bool:
        """Returns whether any run has this name, in whichever folder."""
        return any(item.name == name for item in self._items.values())

    def run(self, key: str) -> Run:
        """Returns the run folder of a run."""
        return self._runs[key]

    def refresh(self, also: Iterable[Run] = ()) -> None:
        """Reads the runs folder again; `also` are runs from elsewhere (the demo), listed first."""
        kept = [run for run in self._runs.values() if run.read_only]
        try:
            found = run_folders.find_runs(self.folder)
        except AEViewerError as error:
            self.message_posted.emit(str(error))
            found = []
        # An active run stays in the list even without its folder: its training will report that.
        active = [self._runs[key] for key in self._active_states]
        runs = {str(run.path): run for run in [*kept, *also, *found, *active]}
        self._runs = {key: self._runs.get(key, run) for key, run in runs.items()}
        self._items = {key: item for key, item in self._items.items() if key in runs}
        for key in self._runs:
            self._items[key] = self._describe(key)
        self._items = {key: self._items[key] for key in self._runs}
        self.curve_store.keep(self._runs)
        self.runs_changed.emit()
        if self._current not in self._runs:
            self.set_current(self._last_shown_run())

    def add(self, run: Run, state: RunState) -> str:
        """Adds a run that was just created and returns its key."""
        key = str(run.path)
        self._runs[key] = run
        self._store_active_state(key, state)
        self._items[key] = replace(self._describe(key), state=state)
        self.runs_changed.emit()
        return key

    def set_state(self, key: str, state: RunState, step: int | None = None) -> None:
        """Sets the state of a run (queued, running, paused, finished, …) and its step."""
        self._store_active_state(key, state)
        item = self._items[key]
        changed = replace(item, state=state, step=item.step if step is None else step)
        if changed != item:
            self._items[key] = changed
            self.runs_changed.emit()

    def set_problem(self, key: str, problem: str) -> None:
        """Sets the reason why a run could not begin or continue."""
        self._items[key] = replace(self._items[key], problem=problem)
        self.runs_changed.emit()

    def set_visible(self, key: str, visible: bool) -> None:
        """Shows or hides a run in the plots, and stores the choice."""
        self._settings.set_hidden(key, not visible)
        self._items[key] = replace(self._items[key], visible=visible)
        self.runs_changed.emit()

    def rename(self, key: str, name: str) -> None:
        """Renames the folder of a run; a failure is posted as a message."""
        try:
            if self.is_named(name):
                raise RunError(f"A run named {name!r} exists already. Choose another name.")
            renamed = self._runs[key].rename(name)
        except AEViewerError as error:
            self.message_posted.emit(str(error))
            self.runs_changed.emit()
            return
        new_key, was_current = str(renamed.path), self._current == key
        self._settings.move(key, new_key)
        self.curve_store.rename(key, new_key)
        if was_current:
            self._current = new_key
        self.refresh()
        self.run_renamed.emit(key, new_key)
        if was_current:
            self._reload()

    def forget(self, key: str) -> None:
        """Removes a run whose folder is gone, with all settings stored for it."""
        for known in (self._runs, self._items, self._active_states):
            known.pop(key, None)
        self.curve_store.drop(key)
        self._settings.forget(key)
        self.runs_changed.emit()
        if key == self._current:
            self.set_current(self._last_shown_run())

    def set_current(self, key: str | None) -> None:
        """Chooses the run to show, at its newest checkpoint."""
        if key == self._current and key is not None:
            return
        self._current = key
        if key is not None:
            self._settings.current = key
        shown = self.shown
        self._checkpoints = tuple(c.step for c in shown.run.checkpoints()) if shown else ()
        self._step = self._checkpoints[-1] if self._checkpoints else None
        had_code = self._code is not None
        self._code = None
        self._reload()
        if had_code:
            self.code_changed.emit()

    def _reload(self) -> None:
        """Drops what was read from the current run's folder and asks for it again."""
        had_image = self._image is not None
        self._preview = self._image = self.image_source = None
        self._is_unreadable = False
        self.current_changed.emit()
        self.checkpoints_changed.emit()
        self.step_changed.emit()
        if had_image:
            self.image_changed.emit()

    @property
    def device(self) -> str:
        """The device that new runs are trained on."""
        return self._settings.device

    @property
    def checkpoint_spacing(self) -> int:
        """The steps between checkpoints of new runs; 0 means denser at the beginning."""
        return self._settings.checkpoint_spacing

    @property
    def dataset(self) -> Dataset:
        """The data set of the current run; MNIST without a current run."""
        try:
            return self.shown.run.dataset if self.shown else MNIST
        except AEViewerError:
            return MNIST

    def data(self) -> Data:
        """Opens the images of the current run's data set.

        Raises
        ------
        AEViewerError
            When the data set is not in the store.
        """
        return datasets.open_dataset(self.dataset)

    # -- metrics ---------------------------------------------------------------------------------

    @property
    def metric(self) -> Metric | None:
        """The metric that the list of runs shows."""
        return METRICS.get(self._settings.metric)

    def set_metric(self, key: str) -> None:
        """Chooses the metric that the list of runs shows; an empty key means none."""
        self._settings.metric = key
        self.metric_changed.emit()

    # -- time ------------------------------------------------------------------------------------

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The steps of the current run's checkpoints, ascending."""
        return self._checkpoints

    @property
    def step(self) -> int | None:
        """The step of the checkpoint that is shown; None while following the live model."""
        return self._step

    @property
    def shown(self) -> ShownStep | None:
        """The run and the step that are shown; None without a current run."""
        run = self._runs.get(self._current or "")
        return None if run is None else ShownStep(run, self._step)

    @property
    def is_loading(self) -> bool:
        """Whether the preview of the chosen checkpoint has not arrived yet."""
        has_arrived = self._preview is not None and self._preview.step == self._step
        return self._step is not None and not has_arrived and not self._is_unreadable

    @property
    def is_live(self) -> bool:
        """Whether the panels follow the model in training."""
        item = self.current
        return self._step is None and item is not None and item.state.is_in_training

    def show_step(self, step: int) -> None:
        """Moves every panel to the checkpoint of `step`."""
        if step != self._step and step in self._checkpoints:
            self._set_step(step)

    def follow(self) -> None:
        """Makes every panel follow the model in training."""
        item = self.current
        training = item is not None and item.state.is_in_training
        step = None if training or not self._checkpoints else self._checkpoints[-1]
        if step != self._step:
            self._set_step(step)

    def _set_step(self, step: int | None) -> None:
        self._step, self._is_unreadable = step, False
        self.step_changed.emit()

    def add_checkpoint(self, key: str, evaluation: Evaluation) -> None:
        """Adds a checkpoint that was just saved and evaluated."""
        self.curves(key).add_evaluation(evaluation)
        self._items[key] = replace(self._items[key], evaluation=evaluation)
        self.runs_changed.emit()
        self.metrics_changed.emit(key)
        self.add_step(key, evaluation.step)

    def add_step(self, key: str, step: int) -> None:
        """Adds a checkpoint that was not evaluated yet."""
        if key == self._current and step not in self._checkpoints:
            self._checkpoints = tuple(sorted({*self._checkpoints, step}))
            self.checkpoints_changed.emit()

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def preview(self) -> Preview | None:
        """The codes and reconstructions of the step that is shown."""
        return self._preview

    def set_preview(self, preview: Preview | None) -> None:
        """Sets the codes and reconstructions of the step; None where they cannot be read."""
        self._preview, self._is_unreadable = preview, preview is None
        self.preview_changed.emit()

    @property
    def code(self) -> NDArray[np.float32] | None:
        """(d,), the code that the decoder shows."""
        return self._code

    def set_code(self, code: NDArray[np.float32]) -> None:
        """Chooses the code to decode; `image_changed` follows when it is decoded."""
        self._code = np.asarray(code, np.float32)
        self.code_changed.emit()

    @property
    def image(self) -> NDArray[np.float32] | None:
        """(h, w) or (h, w, 3), the decoded code; ink is 1. A linear decoder may leave 0..1."""
        return self._image

    def set_image(self, image: NDArray[np.float32], source: ModelSource | None = None) -> None:
        """Sets the image that the code was decoded to, and the model that decoded it."""
        self._image, self.image_source = image, source
        self.image_changed.emit()

    # -- curves ----------------------------------------------------------------------------------

    def curves(self, key: str) -> LossCurves:
        """Returns the losses of a run; the first call reads or requests them."""
        return self.curve_store.curves(key, self._runs[key])

    def append_losses(self, key: str, losses: Losses) -> None:
        """Adds the losses of new steps to a run."""
        self.curves(key).append(losses)
        self.metrics_changed.emit(key)

    def forget_curves(self, key: str) -> None:
        """Drops the losses, to be read again: a resumed run repeats some steps."""
        self.curve_store.drop(key)
        self.metrics_changed.emit(key)

    def _last_shown_run(self) -> str | None:
        """Returns the run that was shown last, or else the newest run that has a checkpoint."""
        remembered = self._settings.current
        if remembered in self._runs:
            return remembered
        filled = [key for key, run in self._runs.items() if run.checkpoints()]
        return next(reversed(filled or [*self._runs]), None)

    def _store_active_state(self, key: str, state: RunState) -> None:
        """Stores the state of an active run: only the queue knows it, its folder does not."""
        if state.is_active:
            self._active_states[key] = state
        else:
            self._active_states.pop(key, None)

    def _describe(self, key: str) -> RunItem:
        colours = [item.colour for item in self._items.values()]
        return describe_run(
            self._runs[key],
            self._active_states.get(key),
            colour=self._settings.colour(key, colours),
            is_visible=not self._settings.is_hidden(key),
        )
