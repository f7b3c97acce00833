"""Where the time of a step goes: torch's own operations, by the time that they take by themselves.

    uv run python -m tests.benchmarks.step THREADS [PRESET [ENGINE ...]]

What is left when they are taken together is Python, and waiting between two of them.
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
    """A step takes, without a profiler that watches."""
    began = time.perf_counter()
    steps(_STEPS)
    return 1000 * (time.perf_counter() - began) / _STEPS


def profile_operations(steps: Steps) -> dict[str, tuple[float, float]]:
    """How often a step does each operation, and its milliseconds in it; the longest first."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        steps(_STEPS)
    found = sorted(seen.key_averages(), key=lambda event: -event.self_cpu_time_total)
    return {e.key: (e.count / _STEPS, e.self_cpu_time_total / 1000 / _STEPS) for e in found}


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
        found = profile_operations(steps)
        print(f"\n{name}, {engine_name}, {threads} threads: {whole:.2f} ms a step")
        for operation in [*found][:_SHOWN]:
            times, spent = found[operation]
            print(f"{operation:<32}{times:6.1f} times{spent:8.2f} ms{spent / whole:8.0%}")
        rest = sum(spent for _, spent in [*found.values()][_SHOWN:])
        print(f"{'others':<44}{rest:8.2f} ms{rest / whole:8.0%}")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
