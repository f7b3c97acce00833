"""Model-steps a second of four activations: side by side, one after another, one alone.

Run it with `uv run python -m tests.benchmarks.side_by_side [STEPS]`. Side by side is a process a
core with one thread each, as the window and `aeviewer sweep` train them; alone, and one after
another, is one process with every core. Workers are there before the clock starts, measuring is
left out of none. All three are taken in turn, again and again, for the machine may be shared.
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
    """Workers that are warm, and stay when a pool lets go of them."""

    def __init__(self, count: int) -> None:
        self.executor: Executor = process_workers(count).make()
        self._shutdown = self.executor.shutdown
        self.executor.shutdown = lambda *_, **__: None  # type: ignore[method-assign]
        self.workers = Workers(lambda: self.executor, count)

    def close(self) -> None:
        self._shutdown()


def time_training(
    kept: _PersistentWorkers, names: tuple[str, ...], steps: int, threads: int
) -> float:
    """To train these activations, from first to last."""
    with tempfile.TemporaryDirectory() as place:
        jobs = [
            Job(Path(place) / name, preset(name).replace(steps=steps, checkpoints=()))
            for name in names
        ]
        began = time.perf_counter()
        *_, ended = train_all(jobs, kept.workers, threads=threads)
        if ended.failed:
            raise SystemExit(str(ended.failed))
        return time.perf_counter() - began


def main(steps: int) -> None:
    """Prints model-steps a second and their ratio to one alone, a row a round, then the median."""
    cores = os.cpu_count() or 1
    many, one = _PersistentWorkers(cores), _PersistentWorkers(1)
    time_training(many, _ACTIVATIONS, 20, 1)
    time_training(one, _ACTIVATIONS[:1], 20, cores)
    print(f"{cores} cores, {steps:,} steps a run; model-steps/s")
    print(f"{'':8}{'alone':>10}{'in turn':>10}{'side by side':>14}{'/ alone':>9}{'/ in turn':>11}")
    rows: list[tuple[float, float, float]] = []
    for number in range(1, _ROUNDS + 1):
        alone = steps / time_training(one, _ACTIVATIONS[:1], steps, cores)
        in_turn = 4 * steps / time_training(one, _ACTIVATIONS, steps, cores)
        together = 4 * steps / time_training(many, _ACTIVATIONS, steps, 1)
        rows.append((alone, in_turn, together))
        _print(f"round {number}", *rows[-1])
    _print("median", *(statistics.median(column) for column in zip(*rows, strict=True)))
    for kept in (many, one):
        kept.close()


def _print(name: str, alone: float, in_turn: float, together: float) -> None:
    rates = f"{alone:10.0f}{in_turn:10.0f}{together:14.0f}"
    print(f"{name:8}{rates}{together / alone:9.2f}{together / in_turn:11.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
