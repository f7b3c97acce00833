"""The time of a training step by operations of torch.

    uv run python -m tests.benchmarks.step THREADS [PRESET [ENGINE ...]]

The difference between the step and the sum of its operations is Python, and waiting.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import torch
from torch.profiler import ProfilerActivity, profile

from tests.benchmarks.engines import build_model, continuous_steps, matching_engines
from trainers.presets import preset

if TYPE_CHECKING:
    from tests.benchmarks.peers import Steps

_STEPS = 200
_SHOWN = 8


def time_step(steps: Steps) -> float:
    """Returns the milliseconds of a step, measured without a profiler."""
    began = time.perf_counter()
    steps(_STEPS)
    return 1000 * (time.perf_counter() - began) / _STEPS


def profile_operations(steps: Steps) -> dict[str, tuple[float, float]]:
    """Returns the calls of each operation per step and its milliseconds, the longest first."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        steps(_STEPS)
    events = sorted(profiler.key_averages(), key=lambda event: -event.self_cpu_time_total)
    return {e.key: (e.count / _STEPS, e.self_cpu_time_total / 1000 / _STEPS) for e in events}


def main(threads: int, name: str = "elu", *engines: str) -> None:
    """Prints a table for each engine."""
    torch.set_num_threads(threads)
    config = preset(name)
    for engine_name, engine in matching_engines(config).items():
        if engines and engine_name not in engines:
            continue
        steps = continuous_steps(engine(build_model(config), config.training, torch.device("cpu")))
        steps(_STEPS)
        whole = time_step(steps)
        operations = profile_operations(steps)
        print(f"\n{name}, {engine_name}, {threads} threads: {whole:.2f} ms per step")
        for operation in [*operations][:_SHOWN]:
            calls, taken = operations[operation]
            print(f"{operation:<32}{calls:6.1f} calls{taken:8.2f} ms{taken / whole:8.0%}")
        rest = sum(taken for _, taken in [*operations.values()][_SHOWN:])
        print(f"{'others':<44}{rest:8.2f} ms{rest / whole:8.0%}")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
