"""Model-steps per second of four activations: in parallel, one after another, and one alone.

    uv run python -m tests.benchmarks.side_by_side [STEPS]

In parallel means one process per core with one thread each, as in the window and in `aeviewer
sweep`. The other two use one process with all cores. The workers start before the clock, and the
times include evaluation. All three are measured in turn in several rounds, because the machine may
have other load.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.parallel import Job, Workers, process_workers, train_all
from trainers.presets import preset

if TYPE_CHECKING:
    from concurrent.futures import Executor

_ACTIVATIONS = ("elu", "relu", "sigmoid", "linear")
_ROUNDS = 3


class _PersistentWorkers:
    """Workers that have started, and that no pool ends."""

    def __init__(self, count: int) -> None:
        self.executor: Executor = process_workers(count).make()
        self._shutdown = self.executor.shutdown
        self.executor.shutdown = lambda *_, **__: None  # type: ignore[method-assign]
        self.workers = Workers(lambda: self.executor, count)

    def close(self) -> None:
        self._shutdown()


def time_training(
    pool: _PersistentWorkers, names: tuple[str, ...], steps: int, threads: int
) -> float:
    """Returns the seconds to train these activations."""
    with tempfile.TemporaryDirectory() as place:
        jobs = [
            Job(Path(place) / name, preset(name).replace(steps=steps, checkpoints=()))
            for name in names
        ]
        began = time.perf_counter()
        *_, ended = train_all(jobs, pool.workers, threads=threads)
        if ended.failed:
            raise SystemExit(str(ended.failed))
        return time.perf_counter() - began


def main(steps: int) -> None:
    """Prints model-steps per second and their ratios, one row per round, then the medians."""
    cores = os.cpu_count() or 1
    many, one = _PersistentWorkers(cores), _PersistentWorkers(1)
    time_training(many, _ACTIVATIONS, 20, 1)
    time_training(one, _ACTIVATIONS[:1], 20, cores)
    print(f"{cores} cores, {steps:,} steps per run; model-steps/s")
    print(f"{'':8}{'alone':>10}{'in turn':>10}{'side by side':>14}{'/ alone':>9}{'/ in turn':>11}")
    rows: list[tuple[float, float, float]] = []
    for number in range(1, _ROUNDS + 1):
        alone = steps / time_training(one, _ACTIVATIONS[:1], steps, cores)
        in_turn = 4 * steps / time_training(one, _ACTIVATIONS, steps, cores)
        together = 4 * steps / time_training(many, _ACTIVATIONS, steps, 1)
        rows.append((alone, in_turn, together))
        _print(f"round {number}", *rows[-1])
    _print("median", *(statistics.median(column) for column in zip(*rows, strict=True)))
    for pool in (many, one):
        pool.close()


def _print(name: str, alone: float, in_turn: float, together: float) -> None:
    rates = f"{alone:10.0f}{in_turn:10.0f}{together:14.0f}"
    print(f"{name:8}{rates}{together / alone:9.2f}{together / in_turn:11.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
