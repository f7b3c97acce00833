"""Several runs on the same test images, each at its checkpoint nearest to a common step.

Watches the session; asks the compute thread on a channel a run, so that a newer question replaces
the one before. Loads no torch.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.comparison import image_rules
from aeviewer.services.comparison.compared_run import (
    ComparedCodes,
    ComparedRun,
    ReconstructedImages,
    distinct_colours,
    nearest_step,
    read_codes,
    reconstruct_images,
)
from aeviewer.services.comparison.image_rules import ImageRule
from aeviewer.services.compute.compute_client import ComputeClient
from trainers import datasets
from trainers.datasets import MNIST
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.runs.run_item import RunItem
    from aeviewer.services.runs.session import Session
    from trainers.datasets import Data
    from trainers.runs.metrics import Evaluation

MOST_RUNS = 8
"""The most runs that can be compared at once."""

_CHUNK = 1_000
_MEASURED_KEPT = 32
_NOTHING = np.zeros(0, np.bool_)


@dataclass
class _Measurement:
    """The errors of all test images by one checkpoint, as far as they are known."""

    key: str
    step: int
    parts: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def done(self) -> int:
        return sum(len(part) for part in self.parts)


class Comparison(QObject):
    """The compared runs, the common step, the chosen test images, and the results.

    Parameters
    ----------
    session
        Whose runs can be compared.
    compute
        Asked for reconstructions, codes and errors.
    """

    runs_changed = Signal()
    """Other runs are compared, or their names, states or colours have changed."""
    step_changed = Signal()
    """Another step is shown, or other steps can be chosen."""
    images_changed = Signal()
    """Other test images are chosen, or more of them are measured."""
    reconstructions_changed = Signal()
    """The results of a run have arrived, or its failure."""
    codes_changed = Signal(str)
    selection_changed = Signal()

    def __init__(
        self, session: Session, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._client = ComputeClient(compute, "comparison", session.report, self)
        self._runs: dict[str, ComparedRun] = {}
        self.data: Data = datasets.open_dataset(MNIST)
        self._chosen: frozenset[str] = frozenset()
        self._steps: tuple[int, ...] = ()
        self._step: int | None = None
        self._rule = ImageRule()
        self._image_indices: tuple[int, ...] = ()
        self._are_codes_enabled = False
        self._selection = _NOTHING
        self._measuring: _Measurement | None = None
        self._measured: OrderedDict[tuple[str, int], NDArray[np.float64]] = OrderedDict()
        self._requested: dict[str, object] = {}
        session.runs_changed.connect(self._update_runs)

    # -- runs ------------------------------------------------------------------------------------

    @property
    def runs(self) -> tuple[ComparedRun, ...]:
        """The compared runs, by latent dimension, then in the order of the session."""
        return tuple(sorted(self._runs.values(), key=lambda run: run.latent_dim))

    def run(self, key: str) -> ComparedRun:
        """Returns one of the compared runs."""
        return self._runs[key]

    def is_compared(self, key: str) -> bool:
        """Returns whether a run is compared."""
        return key in self._runs

    def choose(self, keys: Iterable[str]) -> None:
        """Compares these runs, eight at most; no run ends all work."""
        self._chosen = frozenset(list(dict.fromkeys(keys))[:MOST_RUNS])
        if not self._chosen:
            self._measured.clear()
            self._requested.clear()
            self._measuring = None
        self._update_runs()

    def evaluation(self, key: str) -> Evaluation | None:
        """Returns the test metrics of a run at its step; None without an evaluation."""
        run = self._runs[key]
        if run.step is None or run.item.config is None:
            return None
        found = self.session.curves(key).evaluations
        return next((e for e in found if e.step == run.step), None)

    @Slot()
    def _update_runs(self) -> None:
        """Takes in other runs or another choice; runs that stay keep their results."""
        items = [item for item in self.session.items if item.key in self._chosen]
        self._choose_dataset(items)
        colours = distinct_colours([item.colour for item in items])
        known = self._runs
        self._runs = {
            item.key: self._compare_run(item, colour, known.get(item.key))
            for item, colour in zip(items, colours, strict=True)
        }
        if not items and not known:
            return
        at_end = self._step is None or self._step == max(self._steps, default=None)
        self._steps = tuple(sorted({step for run in self._runs.values() for step in run.steps}))
        self._step = (
            self._steps[-1] if at_end and self._steps else nearest_step(self._steps, self._step)
        )
        self.runs_changed.emit()
        self._update_steps()

    def _choose_dataset(self, items: Sequence[RunItem]) -> None:
        """The images are those of the first run whose data set is available."""
        found = next((data for item in items if (data := self._data_of(item.key))), None)
        if found is not None and found.dataset != self.data.dataset:
            self.data = found
            self._image_indices, self._selection = (), _NOTHING
            self._rule = replace(self._rule, kind="classes", chosen=())

    def _data_of(self, key: str) -> Data | None:
        try:
            return self.session.run(key).data()
        except AEViewerError:
            return None

    def _problem_of(self, item: RunItem) -> str:
        """Returns why a run cannot be compared; empty where it can."""
        if item.config is None:
            return item.problem
        try:
            dataset = self.session.run(item.key).dataset
        except AEViewerError as error:
            return str(error)
        if dataset == self.data.dataset:
            return ""
        return f"It learnt from {dataset.title}, the others from {self.data.dataset.title}."

    def _compare_run(self, item: RunItem, colour: str, known: ComparedRun | None) -> ComparedRun:
        """Returns the current state of a run in the comparison."""
        problem = self._problem_of(item)
        if known is not None and known.item == item and not known.problem and not problem:
            return replace(known, colour=colour)
        self._requested = {c: a for c, a in self._requested.items() if not c.endswith(item.key)}
        steps = tuple(c.step for c in self.session.run(item.key).checkpoints())
        fresh = known or ComparedRun(item, colour)
        if problem:
            return ComparedRun(item, colour, problem=problem)
        return replace(fresh, item=item, colour=colour, steps=steps, problem=problem)

    # -- time ------------------------------------------------------------------------------------

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of all checkpoints of all compared runs, ascending."""
        return self._steps

    @property
    def step(self) -> int | None:
        """The common step; None without checkpoints."""
        return self._step

    @Slot(int)
    def show_step(self, step: int) -> None:
        """Moves every run to its checkpoint nearest to `step`."""
        if step != self._step and step in self._steps:
            self._step = step
            self._update_steps()

    def move(self, places: int) -> None:
        """Moves forward or back by some checkpoints, as far as there are any."""
        if self._step is not None:
            at = bisect_left(self._steps, self._step) + places
            self.show_step(self._steps[min(max(at, 0), len(self._steps) - 1)])

    def _update_steps(self) -> None:
        for key, run in self._runs.items():
            self._runs[key] = replace(run, step=nearest_step(run.steps, self._step))
        self.step_changed.emit()
        self._choose_images()
        self._request_codes()

    # -- test images -----------------------------------------------------------------------------

    @property
    def rule(self) -> ImageRule:
        """The rule that chooses the test images."""
        return self._rule

    def set_rule(self, rule: ImageRule) -> None:
        """Sets the rule that chooses the test images."""
        if rule != self._rule:
            self._rule = rule
            self._choose_images()

    @property
    def image_indices(self) -> tuple[int, ...]:
        """The numbers of the chosen test images; the earlier ones while others are measured."""
        return self._image_indices

    @property
    def measured_share(self) -> float | None:
        """The measured share of the test set, 0..1; None while nothing is measured."""
        return self._measuring.done / len(self.data.test) if self._measuring else None

    def _choose_images(self) -> None:
        rule, test = self._rule, self.data.test
        if rule.kind != "worst":
            self._measuring = None
        if rule.kind == "classes":
            self._set_images(image_rules.first_of_classes(test.labels, rule.count))
        elif rule.kind == "random":
            self._set_images(image_rules.random_images(len(test), rule.count, rule.seed))
        elif rule.kind == "chosen":
            self._set_images(rule.chosen)
        else:
            self._choose_worst()

    def _choose_worst(self) -> None:
        run = self._runs.get(self._rule.run)
        if run is None or run.step is None:
            self._measuring = None
            self._set_images(self._image_indices)
            return
        place = (run.item.key, run.step)
        if place in self._measured:
            self._measuring = None
            self._set_images(image_rules.worst_images(self._measured[place], self._rule.count))
            return
        if self._measuring is None or (self._measuring.key, self._measuring.step) != place:
            self._measuring = _Measurement(*place)
            self._measure_on(self._measuring)
        self._set_images(self._image_indices)

    def _set_images(self, digits: tuple[int, ...]) -> None:
        self._image_indices = digits
        self.images_changed.emit()
        for run in self._runs.values():
            self._request_reconstructions(run)
        self.reconstructions_changed.emit()

    # -- measuring all test images: a chunk a question, others are served in between --------------

    def _measure_on(self, measurement: _Measurement) -> None:
        run = self.session.run(measurement.key)
        start = measurement.done
        chunk = tuple(range(start, min(start + _CHUNK, len(self.data.test))))
        self._client.submit(
            "worst",
            partial(reconstruct_images, run=run, step=measurement.step, digits=chunk),
            partial(self._take_measured, measurement),
            on_problem=partial(self._fail_measurement, measurement),
        )

    def _fail_measurement(self, measurement: _Measurement, problem: str) -> None:
        if measurement is self._measuring:
            self._measuring = None
            self._set_problem(measurement.key, problem)
            self.images_changed.emit()

    def _take_measured(self, measurement: _Measurement, images: ReconstructedImages) -> None:
        if measurement is not self._measuring:
            return
        measurement.parts.append(images.errors)
        if measurement.done < len(self.data.test):
            self._measure_on(measurement)
            self.images_changed.emit()
            return
        self._measured[measurement.key, measurement.step] = np.concatenate(measurement.parts)
        if len(self._measured) > _MEASURED_KEPT:
            self._measured.popitem(last=False)
        self._choose_worst()

    # -- reconstructions -------------------------------------------------------------------------

    def is_current(self, run: ComparedRun) -> bool:
        """Returns whether the results of a run belong to its step and to these test images."""
        shown = run.reconstructions
        return shown is not None and (shown.step, shown.indices) == (run.step, self._image_indices)

    def _request_reconstructions(self, run: ComparedRun) -> None:
        key = run.item.key
        channel, wanted = f"row {key}", (run.step, self._image_indices)
        if run.step is None or not self._image_indices or self._requested.get(channel) == wanted:
            return
        self._requested[channel] = wanted
        folder = self.session.run(key)
        self._client.submit(
            channel,
            partial(reconstruct_images, run=folder, step=run.step, digits=self._image_indices),
            partial(self._set_reconstructions, key),
            on_problem=partial(self._set_problem, key),
        )

    def _set_reconstructions(self, key: str, images: ReconstructedImages) -> None:
        if key in self._runs:
            self._runs[key] = replace(self._runs[key], reconstructions=images, problem="")
            self.reconstructions_changed.emit()

    def _set_problem(self, key: str, problem: str) -> None:
        if key in self._runs:
            self._runs[key] = replace(
                self._runs[key], reconstructions=None, codes=None, problem=problem
            )
            self.reconstructions_changed.emit()
            self.codes_changed.emit(key)

    # -- codes -----------------------------------------------------------------------------------

    def set_codes_enabled(self, wanted: bool) -> None:
        """Reads the codes of all runs from now on, or stops doing so."""
        self._are_codes_enabled = wanted
        self._request_codes()

    def _request_codes(self) -> None:
        for key, run in self._runs.items() if self._are_codes_enabled else ():
            channel = f"codes {key}"
            if run.step is None or self._requested.get(channel) == run.step:
                continue
            self._requested[channel] = run.step
            folder = self.session.run(key)
            self._client.submit(
                channel,
                partial(read_codes, run=folder, step=run.step),
                partial(self._set_codes, key),
                on_problem=partial(self._set_problem, key),
            )

    def _set_codes(self, key: str, codes: ComparedCodes) -> None:
        if key in self._runs:
            self._runs[key] = replace(self._runs[key], codes=codes)
            self.codes_changed.emit(key)

    @property
    def selection(self) -> NDArray[np.bool_]:
        """(n,) bool, the selected test images; (0,) without a selection."""
        return self._selection

    def select(self, images: NDArray[np.bool_]) -> None:
        """Selects test images, (n,) bool; an empty selection clears it."""
        chosen = images if images.any() else _NOTHING
        if len(chosen) or len(self._selection):
            self._selection = chosen
            self.selection_changed.emit()
