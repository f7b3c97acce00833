"""A checkpoint of a run: the folder with its weights and its evaluation. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.errors import AEViewerError
from trainers.events import Preview
from trainers.runs import formats
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.runs import Run

WEIGHTS = "model.safetensors"
_MOST_JSON = 1_000_000


@dataclass(frozen=True)
class Checkpoint:
    """The folder of a checkpoint; evaluation, codes and picture may still be missing.

    What is read from it is data from outside: sizes are checked before anything is allocated.
    """

    path: Path
    run: Run

    @property
    def step(self) -> int:
        """The training step of the checkpoint."""
        return int(self.path.name)

    @property
    def model(self) -> Path:
        """The path of the weights, a safetensors file."""
        return self.path / WEIGHTS

    @property
    def is_evaluated(self) -> bool:
        """Whether evaluation, codes and picture exist beside the weights."""
        names = ("evaluation.json", "codes.npy", "reconstructions.png")
        return all((self.path / name).is_file() for name in names)

    def evaluation(self) -> Evaluation:
        """Reads the test metrics.

        Version 0.1 did not write the test loss. If the training draws no noise, it is the loss at
        the mean code.

        Raises
        ------
        RunError
            When they are missing or damaged.
        """
        with formats.open_run_file(self.path / "evaluation.json") as file:
            evaluation = Evaluation.model_validate_json(file.read(_MOST_JSON))
            if evaluation.step != self.step:
                raise ValueError(f"it is of step {evaluation.step:,}")
        if evaluation.test_loss is None and not self._draws_noise():
            return evaluation.with_noiseless_objective()
        return evaluation

    def _draws_noise(self) -> bool:
        """Returns whether the training may draw noise; a damaged config does not say."""
        try:
            return self.run.config.draws_noise
        except AEViewerError:
            return True

    def preview(self) -> Preview:
        """Reads the codes of the test images and the reconstructions of the preview images.

        Raises
        ------
        RunError
            When they are missing or damaged.
        """
        tiles = formats.read_sheet(self.path / "reconstructions.png", self.run.dataset.shape)
        return Preview(self.step, self.codes(), tiles)

    def codes(self) -> NDArray[np.float32]:
        """Reads (n, d), the codes of the test images.

        Raises
        ------
        RunError
            When they are missing or damaged.
        """
        shape = self.run.dataset.test, self.run.config.model.latent_dim
        return formats.read_codes(self.path / "codes.npy", shape)
