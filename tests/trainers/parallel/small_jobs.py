"""Small jobs for tests of the pool, and helpers that wait for them and read their results."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import torch

from trainers import runs
from trainers.parallel import Ending, Job, Pool
from trainers.presets import preset
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDLESS = 1_000_000
_LONG_SECONDS = 120


def job(folder: Path, name: str = "a", steps: int = 60, **changes: object) -> Job:
    sizes = {"hidden": (8,), "latent_dim": 2, "batch_size": 10, "checkpoints": (0, 400)}
    return Job(folder / name, preset("elu").replace(steps=steps, **{**sizes, **changes}))


def wait_until(condition: Callable[[], object]) -> None:
    """Waits for another process without taking its CPU time."""
    began, pause = time.monotonic(), threading.Event()
    while not condition():
        assert time.monotonic() - began < _LONG_SECONDS
        pause.wait(0.02)


def weights(job: Job) -> bytes:
    return runs.open_run(job.path).checkpoint(job.config.steps).model.read_bytes()


def train_alone(folder: Path, *names: str, **changes: object) -> dict[str, bytes]:
    """Trains the same runs one after the other, without a pool; returns their weights."""
    torch.set_num_threads(1)
    results = {}
    for seed, name in enumerate(names):
        uninterrupted = job(folder, name, seed=seed, **changes)
        for _ in Trainer(uninterrupted.open_run()):
            pass
        results[name] = weights(uninterrupted)
    return results


def submit(pool: Pool, *jobs: Job) -> Pool:
    for each in jobs:
        pool.submit(each)
    return pool


def collect_endings(pool: Pool) -> dict[str, Ending]:
    endings: dict[str, Ending] = {}
    while pool.is_busy:
        endings |= {ending.job.name: ending for ending in pool.poll(0.2)}
    return endings


def step_of(job: Job) -> int:
    return runs.Run(job.path).written_status().step
