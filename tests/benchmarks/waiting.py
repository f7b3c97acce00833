"""The effect of the time for which a waiting thread spins before it sleeps.

    uv run python -m tests.benchmarks.waiting [ENGINE ...]

Trains the paper's ELU model on two threads, for several values of `GOMP_SPINCOUNT`: in one program,
and in two programs at once. All programs start at the beginning and train in turn, in many short
rounds. A ratio is the median of the ratios within a round.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from operator import truediv
from unittest import mock

from tests.benchmarks.engines import Contender

_SPINS = (0, 1_000, 3_000, 10_000)
_USUAL = 1_000
_ROUNDS = 30

Seconds = dict[int, list[float]]


def measure(engine: str) -> tuple[Seconds, Seconds]:
    """Returns the seconds per step by spin count: of one program, and of each of two."""
    alone: Seconds = {spin: [] for spin in _SPINS}
    beside: Seconds = {spin: [] for spin in _SPINS}
    shuffled, shuffle = list(_SPINS), random.Random(0).shuffle
    with ExitStack() as stack:
        pairs: dict[int, list[Contender]] = {}
        for spin in _SPINS:
            with mock.patch.dict(os.environ, {"GOMP_SPINCOUNT": str(spin)}):
                pairs[spin] = [stack.enter_context(Contender(engine, "elu", 2)) for _ in range(2)]
        both = stack.enter_context(ThreadPoolExecutor(2))
        for _ in range(_ROUNDS):
            shuffle(shuffled)
            for spin in shuffled:
                alone[spin].append(pairs[spin][0].time_steps())
                beside[spin].append(statistics.mean(both.map(Contender.time_steps, pairs[spin])))
    return alone, beside


def main(engines: list[str]) -> None:
    """Prints steps per second, and their ratio to those of the usual spin count."""
    print(f"{'':<18}{'spins':>7}{'one program':>14}{'':7}{'each of two':>14}")
    for engine in engines or ["layerwise"]:
        measured = measure(engine)
        for spin in _SPINS:
            cells = "".join(
                f"{1 / statistics.median(seconds[spin]):14.1f}"
                f"{statistics.median(map(truediv, seconds[_USUAL], seconds[spin])):7.2f}"
                for seconds in measured
            )
            print(f"{engine:<18}{spin:>7,}{cells}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
