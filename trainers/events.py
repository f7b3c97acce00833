"""The events that a trainer yields: frozen values of NumPy arrays. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainers.runs.metrics import Evaluation


@dataclass(frozen=True, slots=True)
class Losses:
    """The training losses of consecutive steps.

    Attributes
    ----------
    step
        (n,) int64, the steps, counted from 1.
    total, reconstruction, kl
        (n,) float32: loss per image; its reconstruction part in the likelihood's unit (squared
        error per image, or nats per image); KL to the prior in nats per image (0 where none).
    """

    step: NDArray[np.int64]
    total: NDArray[np.float32]
    reconstruction: NDArray[np.float32]
    kl: NDArray[np.float32]

    @classmethod
    def concatenate(cls, blocks: Sequence[Losses]) -> Losses:
        """Concatenates the losses of several slices, at least one."""
        return cls(
            np.concatenate([block.step for block in blocks]),
            np.concatenate([block.total for block in blocks]),
            np.concatenate([block.reconstruction for block in blocks]),
            np.concatenate([block.kl for block in blocks]),
        )


@dataclass(frozen=True, slots=True)
class Started:
    """Training begins or continues at `step` of `steps` on `device` ("cpu", "cuda:0", …)."""

    step: int
    steps: int
    device: str
    parameters: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A slice of steps is done; `seconds` is the training time so far, without pauses."""

    step: int
    steps: int
    seconds: float
    losses: Losses


@dataclass(frozen=True, slots=True)
class Working:
    """A moment between two chunks of work that is no step, in which other work may be served."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The codes and reconstructions of the model at `step`.

    Attributes
    ----------
    codes
        (n, d) float32, the code (posterior mean) of every test image.
    reconstructions
        (32, side, side) or (32, side, side, 3) uint8, of the images that are watched
        (`trainers.datasets.Data.preview`).
    """

    step: int
    codes: NDArray[np.float32]
    reconstructions: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """The checkpoint of `step` is complete in the run folder; `preview` is its content."""

    step: int
    evaluation: Evaluation
    preview: Preview


@dataclass(frozen=True, slots=True)
class Finished:
    """All steps are done."""

    step: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The training was stopped on request; everything up to `step` is saved."""

    step: int


@dataclass(frozen=True, slots=True)
class Diverged:
    """The loss was not finite at `step`, or it exploded; the run ends at checkpoint `last_good`."""

    step: int
    last_good: int | None


Event = Started | Progress | Working | Preview | CheckpointSaved | Finished | Stopped | Diverged
