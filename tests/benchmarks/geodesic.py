"""The time to find a geodesic, without and during a training.

    uv run python -m tests.benchmarks.geodesic [PRESET [LATENT_DIM]]

Everything runs in the compute thread, without a window. Prints the time while the training is
paused, the time while it continues, and the share of its speed that the training keeps.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from trainers import runs
from trainers.exploration import paths
from trainers.presets import preset

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from aeviewer.services.compute.model_cache import ModelCache

_WARM_UP_STEPS, _REPEATS = 100, 4


class Training:
    """A run in training, and requests to its model."""

    def __init__(self, run: runs.Run) -> None:
        self.run = run
        self.compute = ComputeThread(EventQueue())
        self.client = ComputeClient(self.compute, "benchmark", self._fail)
        self.compute.start()
        self.compute.train(run)

    def _fail(self, problem: str) -> None:
        raise RuntimeError(problem)

    def wait_for_result(self, work: Callable[[ModelCache], object]) -> object:
        """Returns the last result of some work."""
        results: list[object] = []
        ended: list[bool] = []
        self.client.submit("work", work, results.append, on_end=lambda: ended.append(True))
        while not ended:
            QCoreApplication.processEvents()
            time.sleep(0.001)
        return results[-1]

    def current_step(self) -> int:
        """Returns the step of the model in training; 0 before it has begun."""
        step = self.wait_for_result(lambda models: (models.live.step if models.live else 0, "step"))
        return step[0]  # type: ignore[index,no-any-return]

    def time_geodesic(self, codes: np.ndarray) -> float:
        """Finds the geodesic between two codes several times; returns the mean time of one."""
        began = time.perf_counter()
        for _ in range(_REPEATS):
            self.wait_for_result(partial(_find_geodesic, run=self.run, codes=codes))
        return (time.perf_counter() - began) / _REPEATS


def _find_geodesic(models: ModelCache, run: runs.Run, codes: np.ndarray) -> Generator[float | str]:
    model = models.at(run, None)
    yield from paths.geodesic(model.decode, codes, codes[0], codes[1], pull_back=model.pull_back)
    yield "found"


def main(name: str = "conv-vae", latent_dim: str = "5") -> None:
    """Prints one line."""
    app = QCoreApplication([])
    codes = np.random.default_rng(0).normal(size=(10_000, int(latent_dim))).astype(np.float32)
    with TemporaryDirectory() as folder:
        config = preset(name).replace(latent_dim=int(latent_dim), steps=1_000_000)
        training = Training(runs.create_run(config, Path(folder)))
        while training.current_step() < _WARM_UP_STEPS:
            time.sleep(0.05)
        began, step = time.perf_counter(), training.current_step()
        time.sleep(5)
        speed_alone = (training.current_step() - step) / (time.perf_counter() - began)
        training.compute.set_paused(True)
        training.time_geodesic(codes)  # The first one imports what it needs.
        alone = training.time_geodesic(codes)
        training.compute.set_paused(False)
        step = training.current_step()
        beside = training.time_geodesic(codes)
        speed = (training.current_step() - step) / (_REPEATS * beside)
        training.compute.close()
    print(
        f"{name}, d = {latent_dim}: alone {alone:.1f} s, while it trains {beside:.1f} s "
        f"(x {beside / alone:.2f}); training keeps {speed / speed_alone:.2f} of its speed"
    )
    app.processEvents()


if __name__ == "__main__":
    main(*sys.argv[1:3])
