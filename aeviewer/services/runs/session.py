"""The one truth that the panels watch: the runs, which one is current, which step is shown.

Holds no widget, loads no torch. A panel reads properties and listens to past-tense signals; it
changes things only through the methods here, and hears of its own change as everybody does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from aeviewer.services.runs.loss_curves import LossCurves
from trainers import datasets
from trainers import runs as run_folders
from trainers.datasets import MNIST
from trainers.errors import AEViewerError, RunError
from trainers.runs.metrics import METRICS, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from aeviewer.settings import Settings
    from trainers.config import RunConfig
    from trainers.datasets import Data, Dataset
    from trainers.events import Losses, Preview
    from trainers.runs import Run, State
    from trainers.runs.metrics import Evaluation

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class RunItem:
    """A run as the panels see it.

    Attributes
    ----------
    key
        Its folder: what identifies it everywhere in the program.
    state
        See `trainers.runs.State`; "queued" while it waits for its turn, "paused" while it is
        held, "damaged" when its folder can not be read (`problem` says why).
    evaluation
        The test figures of its newest checkpoint that has any.
    """

    key: str
    name: str
    state: State | str
    step: int
    steps: int
    colour: str
    visible: bool = True
    read_only: bool = False
    config: RunConfig | None = None
    evaluation: Evaluation | None = None
    problem: str = ""


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
        Where colours and visibility are remembered.
    """

    runs_changed = Signal()
    current_changed = Signal()
    """Another run is current: it has no preview, code or image yet, and they follow."""
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
        self._told: dict[str, str] = {}
        self._curves: dict[str, LossCurves] = {}
        self._current: str | None = None
        self._checkpoints: tuple[int, ...] = ()
        self._step: int | None = None
        self._preview: Preview | None = None
        self._is_unreadable = False
        self._code: NDArray[np.float32] | None = None
        self._image: NDArray[np.float32] | None = None

    def report(self, message: str) -> None:
        """Posts the message of a failure, for the window to show."""
        self.message_posted.emit(message)

    # -- runs ------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[RunItem, ...]:
        """All runs, oldest first."""
        return tuple(self._items.values())

    @property
    def current(self) -> RunItem | None:
        """The run that is explored."""
        return self._items.get(self._current or "")

    def item(self, key: str) -> RunItem:
        """The run called `key`."""
        return self._items[key]

    def has(self, key: str) -> bool:
        """Whether there is such a run; its folder may have been deleted meanwhile."""
        return key in self._runs

    def is_named(self, name: str) -> bool:
        """Whether a run is called so, wherever it lies."""
        return any(item.name == name for item in self._items.values())

    def run(self, key: str) -> Run:
        """The folder of the run called `key`."""
        return self._runs[key]

    def refresh(self, also: Iterable[Run] = ()) -> None:
        """Reads the runs folder anew; `also` are runs from elsewhere, shown first (the demo)."""
        kept = [run for run in self._runs.values() if run.read_only]
        try:
            found = run_folders.find_runs(self.folder)
        except AEViewerError as error:
            self.message_posted.emit(str(error))
            found = []
        # A run in hand stays, whatever became of its folder: its training will tell.
        in_hand = [self._runs[key] for key in self._told]
        runs = {str(run.path): run for run in [*kept, *also, *found, *in_hand]}
        self._runs = {key: self._runs.get(key, run) for key, run in runs.items()}
        self._items = {key: item for key, item in self._items.items() if key in runs}
        for key in self._runs:
            self._items[key] = self._described(key, self._told.get(key))
        self._items = {key: self._items[key] for key in self._runs}
        self._curves = {k: c for k, c in self._curves.items() if k in self._runs}
        self.runs_changed.emit()
        if self._current not in self._runs:
            self.set_current(self._chosen())

    def add(self, run: Run, state: str) -> str:
        """Takes in a run that was just made; answers its key."""
        key = str(run.path)
        self._runs[key] = run
        self._remember(key, state)
        self._items[key] = self._described(key, state)
        self.runs_changed.emit()
        return key

    def set_state(self, key: str, state: State | str, step: int | None = None) -> None:
        """Tells that a run is queued, running, paused, finished, ... at `step`."""
        self._remember(key, state)
        item = self._items[key]
        changed = replace(item, state=state, step=item.step if step is None else step)
        if changed != item:
            self._items[key] = changed
            self.runs_changed.emit()

    def set_problem(self, key: str, problem: str) -> None:
        """Tells why a run could not begin or go on."""
        self._items[key] = replace(self._items[key], problem=problem)
        self.runs_changed.emit()

    def set_visible(self, key: str, visible: bool) -> None:
        """Shows or hides a run in the plots, and remembers it."""
        self._settings.set_hidden(key, not visible)
        self._items[key] = replace(self._items[key], visible=visible)
        self.runs_changed.emit()

    def rename(self, key: str, name: str) -> None:
        """Renames a run's folder; a failure is posted as a message."""
        try:
            if self.is_named(name):
                raise RunError(f"There is a run {name!r} already; choose another name.")
            renamed = self._runs[key].rename(name)
        except AEViewerError as error:
            self.message_posted.emit(str(error))
            self.runs_changed.emit()
            return
        self._settings.move(key, str(renamed.path))
        was_current = self._current == key
        if was_current:
            self._current = str(renamed.path)
        curves = self._curves.pop(key, None)
        if curves:
            self._curves[str(renamed.path)] = curves
        self.refresh()
        if was_current:
            self.current_changed.emit()

    def forget(self, key: str) -> None:
        """Drops a run whose folder is gone, with all that is remembered of it."""
        for known in (self._runs, self._items, self._curves, self._told):
            known.pop(key, None)
        self._settings.forget(key)
        self.runs_changed.emit()
        if key == self._current:
            self.set_current(self._chosen())

    def set_current(self, key: str | None) -> None:
        """Chooses the run to explore, at its newest checkpoint."""
        if key == self._current and key is not None:
            return
        self._current = key
        if key is not None:
            self._settings.current = key
        self._checkpoints = self._kept_checkpoints()
        self._step = self._checkpoints[-1] if self._checkpoints else None
        had_code, had_image = self._code is not None, self._image is not None
        self._preview = self._code = self._image = None
        self._is_unreadable = False
        self.current_changed.emit()
        self.checkpoints_changed.emit()
        self.step_changed.emit()
        if had_code:
            self.code_changed.emit()
        if had_image:
            self.image_changed.emit()

    @property
    def device(self) -> str:
        """What new runs are trained on."""
        return self._settings.device

    @property
    def checkpoint_spacing(self) -> int:
        """Steps between the checkpoints of new runs; 0 has them denser early."""
        return self._settings.checkpoint_spacing

    @property
    def dataset(self) -> Dataset:
        """What the current run learns from; MNIST where there is none."""
        run = self._runs.get(self._current or "")
        try:
            return MNIST if run is None else run.dataset
        except AEViewerError:
            return MNIST

    def data(self) -> Data:
        """The images that the current run learns from.

        Raises
        ------
        AEViewerError
            When the data set is not here.
        """
        return datasets.open_dataset(self.dataset)

    # -- figures ---------------------------------------------------------------------------------

    @property
    def metric(self) -> Metric | None:
        """The figure that the list of runs shows."""
        return METRICS.get(self._settings.metric)

    def set_metric(self, key: str) -> None:
        """Chooses the figure that the list of runs shows; empty for none."""
        self._settings.metric = key
        self.metric_changed.emit()

    # -- time ------------------------------------------------------------------------------------

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Steps of the current run's checkpoints, ascending."""
        return self._checkpoints

    @property
    def step(self) -> int | None:
        """The checkpoint that is shown; None while following the live model."""
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
        """Whether the panels follow the model that is being trained."""
        item = self.current
        return self._step is None and item is not None and item.state in {"running", "paused"}

    def show_step(self, step: int) -> None:
        """Moves every panel to the checkpoint of `step`."""
        if step != self._step and step in self._checkpoints:
            self._set_step(step)

    def follow(self) -> None:
        """Lets every panel follow the model as it learns."""
        item = self.current
        training = item is not None and item.state in {"running", "paused"}
        step = None if training or not self._checkpoints else self._checkpoints[-1]
        if step != self._step:
            self._set_step(step)

    def _set_step(self, step: int | None) -> None:
        self._step, self._is_unreadable = step, False
        self.step_changed.emit()

    def add_checkpoint(self, key: str, evaluation: Evaluation) -> None:
        """Takes in a checkpoint that was just saved."""
        self.curves(key).add_evaluation(evaluation)
        self._items[key] = replace(self._items[key], evaluation=evaluation)
        self.runs_changed.emit()
        self.metrics_changed.emit(key)
        self.add_step(key, evaluation.step)

    def add_step(self, key: str, step: int) -> None:
        """Takes in a checkpoint that has no figures yet."""
        if key == self._current and step not in self._checkpoints:
            self._checkpoints = tuple(sorted({*self._checkpoints, step}))
            self.checkpoints_changed.emit()

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def preview(self) -> Preview | None:
        """Codes and reconstructions of the step that is shown."""
        return self._preview

    def set_preview(self, preview: Preview | None) -> None:
        """Takes in the codes and reconstructions of the step; None where they cannot be read."""
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
        """(h, w) or (h, w, 3), the decoded code; ink is 1. May lie outside 0..1 where linear."""
        return self._image

    def set_image(self, image: NDArray[np.float32] | None) -> None:
        """Takes in the decoded code."""
        self._image = image
        self.image_changed.emit()

    # -- curves ----------------------------------------------------------------------------------

    def curves(self, key: str) -> LossCurves:
        """The losses of a run, read from its folder the first time."""
        if key not in self._curves:
            self._curves[key] = self._read_curves(self._runs[key])
        return self._curves[key]

    def append_losses(self, key: str, losses: Losses) -> None:
        """Takes in new steps of a run."""
        self.curves(key).append(losses)
        self.metrics_changed.emit(key)

    def forget_curves(self, key: str) -> None:
        """Lets the losses be read anew: a resumed run does some steps again."""
        self._curves.pop(key, None)
        self.metrics_changed.emit(key)

    # -- reading ---------------------------------------------------------------------------------

    def _read_curves(self, run: Run) -> LossCurves:
        curves = LossCurves()
        try:
            curves.append(run.metrics())
            for checkpoint in run.checkpoints():
                if checkpoint.is_evaluated:
                    curves.add_evaluation(checkpoint.evaluation())
        except AEViewerError as error:
            self.message_posted.emit(str(error))
        return curves

    def _chosen(self) -> str | None:
        """The run that was explored last, else the newest that holds anything."""
        remembered = self._settings.current
        if remembered in self._runs:
            return remembered
        filled = [key for key, run in self._runs.items() if run.checkpoints()]
        return next(reversed(filled or [*self._runs]), None)

    def _kept_checkpoints(self) -> tuple[int, ...]:
        run = self._runs.get(self._current or "")
        return tuple(c.step for c in run.checkpoints()) if run else ()

    def _remember(self, key: str, state: str) -> None:
        """Keeps what only the queue knows: a run in hand is not what its folder says."""
        if state in {"queued", "running", "paused"}:
            self._told[key] = state
        else:
            self._told.pop(key, None)

    def _described(self, key: str, state: str | None) -> RunItem:
        run = self._runs[key]
        item = RunItem(
            key,
            run.name,
            "damaged",
            0,
            0,
            self._settings.colour(key, [item.colour for item in self._items.values()]),
            visible=not self._settings.is_hidden(key),
            read_only=run.read_only,
        )
        problems: list[str] = []
        config = _tried(lambda: run.config, problems)
        status = _tried(run.status, problems)
        evaluation = _tried(lambda: _newest_evaluation(run), problems)
        return replace(
            item,
            state=state or ("damaged" if problems or status is None else status.state),
            step=status.step if status else 0,
            steps=config.steps if config else 0,
            config=config,
            evaluation=evaluation,
            problem="\n".join(problems) or (status.error if status else ""),
        )


def _newest_evaluation(run: Run) -> Evaluation | None:
    measured = [c for c in run.checkpoints() if c.is_evaluated]
    return measured[-1].evaluation() if measured else None


def _tried(read: Callable[[], Found], problems: list[str]) -> Found | None:
    """What is read; None where it can not be, with the message among the problems."""
    try:
        return read()
    except AEViewerError as error:
        if str(error) not in problems:
            problems.append(str(error))
        return None
