"""Steps per second of each engine, of the tutorial's loop, and of the installed peers.

    uv run python -m tests.benchmarks.engines THREADS [PRESET ...]
    uv run --group bench python -m tests.benchmarks.engines 2      (with all peers)

All train the same model on the same machine, in turn and in many short rounds, so that other load
on the machine affects all of them. A ratio is the median of the ratios within a round. Each has its
own process with its own default settings for threads, and some steps to warm up. The tutorial's
loop is that of pytorch/examples/vae. The other peers (JAX's `lax.scan` with optax, Keras on JAX,
Lightning, pythae) have their images in memory. All peers are in `tests/benchmarks/peers/`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING
from unittest import mock

import torch

from tests.benchmarks.peers import available_peers, load_peer
from trainers.models import build
from trainers.presets import preset
from trainers.training.engines import registered_engines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.peers import Steps
    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder
    from trainers.training.engines import Engine

_CPU = torch.device("cpu")
_ROUND_SECONDS = 0.2
_ROUNDS = 40
_WARM_UP_STEPS = 3
PRESETS = ("linear", "elu", "vae", "burda50", "hinton30", "conv-vae")
_PEER_ENVIRONMENT = {
    "GOMP_SPINCOUNT": "300000",  # the default of libgomp
    "KERAS_BACKEND": "jax",
    "TQDM_DISABLE": "1",
}


def build_model(config: RunConfig) -> Autoencoder:
    """Returns a model with new weights, the same at every call."""
    model = build(config.model)
    model.initialise(torch.Generator().manual_seed(0), config.model.activation)
    return model.to(memory_format=torch.channels_last)


def continuous_steps(engine: Engine) -> Steps:
    """Returns a function that runs the next steps of an engine."""
    done = 0

    def steps(count: int) -> None:
        nonlocal done
        engine.run(done, count)
        done += count

    return steps


def matching_engines(config: RunConfig) -> dict[str, type[Engine]]:
    """Returns our engines that can train this model, the slowest first."""
    engines = reversed(registered_engines())
    return {e.name: e for e in engines if not e.misfit(build_model(config), _CPU)}


class Contender:
    """An engine or a peer that trains in its own process."""

    _steps: Steps
    """The function that trains; it exists in the process only."""

    def __init__(self, name: str, preset_name: str, threads: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._process = ProcessPoolExecutor(
            1, spawn, self._start_process, (name, preset_name, threads)
        )
        is_ours = name not in available_peers(preset(preset_name))
        with mock.patch.dict(os.environ, {} if is_ours else _PEER_ENVIRONMENT):
            self.time_steps(8)  # The first task starts the process.
        self._count = 8
        # JAX compiles for this number of steps.
        self._count = max(2, int(_ROUND_SECONDS / self.time_steps()))
        self.time_steps()

    def time_steps(self, count: int = 0) -> float:
        """Returns the seconds per step, over `count` steps or over as many as fit a round."""
        return self._process.submit(self._time, count or self._count).result()

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.shutdown()

    @classmethod
    def _start_process(cls, name: str, preset_name: str, threads: int) -> None:
        torch.set_num_threads(threads)
        config = preset(preset_name)
        engine = matching_engines(config).get(name)
        model = build_model(config)
        cls._steps = staticmethod(
            continuous_steps(engine(model, config.training, _CPU))
            if engine
            else load_peer(name, config, model)
        )

    @classmethod
    def _time(cls, count: int) -> float:
        cls._steps(_WARM_UP_STEPS)
        began = time.perf_counter()
        cls._steps(count)
        return (time.perf_counter() - began) / count


def measure(name: str, threads: int) -> dict[str, list[float]]:
    """Returns the seconds per step of each contender in each round."""
    config = preset(name)
    names = [*available_peers(config), *matching_engines(config)]
    order, shuffle = list(names), random.Random(0).shuffle
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as stack:
        contenders = {each: stack.enter_context(Contender(each, name, threads)) for each in names}
        for _ in range(_ROUNDS):
            shuffle(order)
            for each in order:
                seconds[each].append(contenders[each].time_steps())
    return seconds


def format_rows(name: str, seconds: dict[str, list[float]]) -> Iterator[str]:
    """Yields a line per contender: steps per second (median, quartiles), and speed ratios."""
    for contender, taken in seconds.items():
        high, median, low = (1 / t for t in statistics.quantiles(taken, n=4))
        ratios = "".join(
            f"{statistics.median(b / a for a, b in zip(taken, base, strict=True)):9.2f}"
            if (base := seconds.get(other))
            else f"{'':9}"
            for other in ("tutorial", "autograd", "jax scan")
        )
        yield f"{name:<10}{contender:<11}{median:8.1f}  ({low:.1f} – {high:.1f})".ljust(48) + ratios


def main(threads: int, names: list[str]) -> None:
    """Measures and prints."""
    if threads == 1:
        os.environ["XLA_FLAGS"] = (
            "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        )
    print(
        f"{threads} threads, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"
    )
    print(f"{'preset':<10}{'':<11}{'steps/s  (quartiles)':<27}  × tutorial autograd jax scan")
    for name in names or PRESETS:
        for line in format_rows(name, measure(name, threads)):
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
