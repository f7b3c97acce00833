"""Steps a second of each engine against the tutorial's loop and, where they are there, the peers.

    uv run python -m tests.benchmarks.engines THREADS [PRESET ...]
    uv run --group bench python -m tests.benchmarks.engines 2      (with all the peers)

All do the same steps of the same model on the same machine, in turn, in many short rounds: what
disturbs one disturbs the others. A ratio is the median over the rounds of the ratio within a round.
The tutorial's loop is that of pytorch/examples/vae; the other peers (JAX's `lax.scan` with optax,
Keras on JAX, Lightning, pythae) have their images in memory; all are in `tests/benchmarks/peers/`.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from typing import TYPE_CHECKING

import torch

from tests.benchmarks.peers import peers
from trainers.models import build
from trainers.presets import preset
from trainers.training.engines import registered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainers.config import RunConfig
    from trainers.models.base import Autoencoder
    from trainers.training.engines import Engine

    Steps = Callable[[int], object]

_CPU = torch.device("cpu")
_ROUND_SECONDS = 0.1
_ROUNDS = 40
PRESETS = ("linear", "elu", "vae", "burda50", "hinton30", "conv-vae")


def _model(config: RunConfig) -> Autoencoder:
    model = build(config.model)
    model.initialise(torch.Generator().manual_seed(0), config.model.activation)
    return model


def onward(engine: Engine) -> Steps:
    """An engine's steps, one after the other."""
    done = 0

    def steps(count: int) -> None:
        nonlocal done
        engine.run(done, count)
        done += count

    return steps


def contenders(config: RunConfig) -> dict[str, Steps]:
    """Everyone who can train this, by name."""
    found = peers(config, lambda: _model(config))
    for engine in reversed(registered()):
        model = _model(config).to(memory_format=torch.channels_last)
        if engine.misfit(model, _CPU):
            continue
        made = engine(model, config.training, _CPU)
        found[engine.name] = onward(made)
    return found


def measure(all_steps: dict[str, Steps]) -> dict[str, list[float]]:
    """Seconds a step, of each in each round."""
    counts = {}
    for name, steps in all_steps.items():
        steps(8)
        began = time.perf_counter()
        steps(8)
        counts[name] = max(2, int(8 * _ROUND_SECONDS / (time.perf_counter() - began)))
        steps(counts[name])  # a compiler knows this length from now on
    seconds: dict[str, list[float]] = {name: [] for name in all_steps}
    for _ in range(_ROUNDS):
        for name, steps in all_steps.items():
            began = time.perf_counter()
            steps(counts[name])
            seconds[name].append((time.perf_counter() - began) / counts[name])
    return seconds


def table(name: str, seconds: dict[str, list[float]]) -> Iterator[str]:
    """A line for each: steps a second (median, quartiles), and how often the others' speed."""
    for who, taken in seconds.items():
        high, median, low = (1 / t for t in statistics.quantiles(taken, n=4))
        ratios = "".join(
            f"{statistics.median(b / a for a, b in zip(taken, base, strict=True)):9.2f}"
            if (base := seconds.get(other))
            else f"{'':9}"
            for other in ("tutorial", "autograd", "jax scan")
        )
        yield f"{name:<10}{who:<11}{median:8.1f}  ({low:.1f} – {high:.1f})".ljust(48) + ratios


def main(threads: int, names: list[str]) -> None:
    """Measures and prints."""
    torch.set_num_threads(threads)
    if threads == 1:
        os.environ["XLA_FLAGS"] = (
            "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        )
    print(
        f"{threads} threads, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"
    )
    print(f"{'preset':<10}{'':<11}{'steps/s  (quartiles)':<27}  × tutorial autograd jax scan")
    for name in names or PRESETS:
        for line in table(name, measure(contenders(preset(name)))):
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
