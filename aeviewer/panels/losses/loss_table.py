"""How losses are written: units, numbers, and the cells of the table beside the curves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from aeviewer.numbers import local
from aeviewer.panels.losses.loss_header import MEASURED, QUANTITIES

if TYPE_CHECKING:
    from aeviewer.widgets.plots.curve import Reading
    from trainers.config import RunConfig
    from trainers.runs.metrics import Evaluation

_UNITS = {"squared-error": "squared error", "bernoulli": "nats"}
_UNKNOWN = "–"
_WIDEST = "000.00"


class Detail(IntEnum):
    """The detail of a cell: the number, also the step, or also the loss per pixel."""

    BRIEF = 0
    STEPS = 1
    PER_PIXEL = 2


def has_kl(config: RunConfig) -> bool:
    """Returns whether the loss of a run contains a KL to a prior."""
    return config.model.has_prior


def loss_unit(config: RunConfig, quantity: str) -> str:
    """Returns the unit of a quantity of a run; a metric has the same unit for every run."""
    if quantity in MEASURED:
        return MEASURED[quantity].unit
    return f"{'nats' if quantity == 'kl' else _UNITS[config.model.likelihood]} per image"


def test_value(evaluation: Evaluation, quantity: str) -> float | None:
    """Returns the value of a quantity on the test images; None if the checkpoint lacks it."""
    if quantity in MEASURED:
        return MEASURED[quantity].value(evaluation)
    return evaluation.objective(quantity)


def axis_label(quantity: str, unit_of_it: str) -> str:
    """Returns the label of the axis."""
    name = MEASURED[quantity].label if quantity in MEASURED else QUANTITIES[quantity][0]
    return f"{name}, {unit_of_it}"


def is_per_pixel(config: RunConfig, quantity: str) -> bool:
    """Returns whether the quantity is a squared error alone, which has a mean over the pixels."""
    if quantity in MEASURED:
        return False
    is_error = config.model.likelihood == "squared-error" and quantity != "kl"
    return is_error and (quantity == "reconstruction" or not has_kl(config))


def hidden_runs_text(units: list[str], shown: str) -> str:
    """Returns how many runs have another unit and are not shown, and what to do; may be empty."""
    others = [other.removesuffix(" per image") for other in units if other != shown]
    if not others:
        return ""
    noun = f"{' or '.join(sorted(set(others)))} {'is' if len(others) == 1 else 'are'} not shown"
    if len(others) == 1:
        return f"1 run in {noun}; choose it to see it"
    return f"{len(others)} runs in {noun}; choose one of them to see it"


def loss_text(value: float | None) -> str:
    """Returns a loss with four digits."""
    if value is None or not np.isfinite(value):
        return _UNKNOWN
    places = max(0, 3 - int(np.floor(np.log10(max(abs(value), 1e-3)))))
    return f"{local(value):,.{min(places, 4)}f}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Cells:
    """Converts the readings of runs to cells.

    Attributes
    ----------
    quantity
        The KL has no best: that of a model that has learnt nothing is the lowest.
    detail
        How much a cell says.
    last_step
        Of all runs, to know how wide a cell may become.
    """

    quantity: str
    detail: Detail
    last_step: int

    @property
    def has_best(self) -> bool:
        """Whether a lower value is better."""
        if self.quantity in MEASURED:
            return MEASURED[self.quantity].more_is_better is False
        return self.quantity != "kl"

    @property
    def heads(self) -> tuple[str, ...]:
        """The headings of the columns of numbers."""
        heads = ("train", "test", "best test") if self.has_best else ("train", "test")
        return heads[self._first :]

    @property
    def _first(self) -> int:
        """The first column; a metric has no training value."""
        return 1 if self.quantity in MEASURED else 0

    @property
    def widest(self) -> tuple[str, ...]:
        """The widest text of each column."""
        step = f" at {local(self.last_step):,}" if self.detail >= Detail.STEPS else ""
        pixel = " (0.00000/px)" if self.detail == Detail.PER_PIXEL else ""
        best = max(f"{_WIDEST}{pixel}{step}", "best test", key=len)
        columns = (_WIDEST, f"{_WIDEST}{step}", best)
        return columns[self._first :][: len(self.heads)]

    def texts(self, reading: Reading, pixels: int | None) -> tuple[str, ...]:
        """Returns the cells of a run.

        `pixels` is the size of an image if the loss has a mean over them.
        """
        test, best = loss_text(reading.marker), loss_text(reading.best)
        if pixels and self.detail == Detail.PER_PIXEL and reading.best is not None:
            best += f" ({local(reading.best / pixels):.5f}/px)"
        if self.detail >= Detail.STEPS:
            if reading.marker_x is not None and reading.marker_x != reading.x:
                test += f" at {local(reading.marker_x):,.0f}"
            if reading.best_x is not None:
                best += f" at {local(reading.best_x):,.0f}"
        return (loss_text(reading.value), test, best)[self._first :][: len(self.heads)]

    def tips(self, name: str, reading: Reading, pixels: int | None) -> tuple[str, ...]:
        """Returns the tool tips of the name and of each cell."""
        train = _full_text("Training loss, smoothed", reading.x, reading.value, pixels)
        test = _full_text("All test images", reading.marker_x, reading.marker, pixels)
        best = _full_text("Lowest of all checkpoints", reading.best_x, reading.best, pixels)
        return (name, *(train, test, best)[self._first :][: len(self.heads)])


def _full_text(what: str, step: float | None, value: float | None, pixels: int | None) -> str:
    """Returns a cell in full; the loss per pixel is that per image ÷ 784, for MNIST."""
    if step is None or value is None:
        return f"{what}: none at this step"
    pixel = (
        f" per image, {local(value / pixels):.5f} per pixel (÷ {local(pixels):,})" if pixels else ""
    )
    return f"{what}: {loss_text(value)}{pixel}, at step {local(step):,.0f}"
