"""The time before the first step: importing torch and creating Adam.

    uv run python -m tests.benchmarks.first_step [ROUNDS]

Measures in turn, each in its own process: torch alone, torch with our Adam, and torch with
`torch.optim.Adam`, which imports torch's compiler. A ratio compares with torch alone in the same
round.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

_BEGIN = "import time; began = time.perf_counter(); import torch; p = [torch.zeros(9, 9)]; "
_END = (
    "; import resource; used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024; "
    "print([time.perf_counter() - began, used])"
)
_VARIANTS = {
    "torch alone": "pass",
    "our Adam": "from trainers.training.adam import Adam; Adam(p, 0.1)",
    "torch.optim.Adam": "torch.optim.Adam(p, 0.1, fused=True)",
}


def _run_code(code: str) -> list[float]:
    """Runs the code in a new process; returns its seconds and its peak memory in MB."""
    command = [sys.executable, "-c", _BEGIN + code + _END]
    done = subprocess.run(command, capture_output=True, check=True)
    values: list[float] = json.loads(done.stdout)
    return values


def main(rounds: int) -> None:
    """Measures the variants in turn and prints medians."""
    rows = [[_run_code(code) for code in _VARIANTS.values()] for _ in range(rounds + 1)]
    # (rounds, variants, seconds and MB); the first round fills the system's file cache.
    table = np.array(rows)[1:]
    ratios = table[:, :, 0] / table[:, :1, 0]
    for number, name in enumerate(_VARIANTS):
        seconds, used = np.median(table[:, number], axis=0)
        low, middle, high = np.percentile(ratios[:, number], [25, 50, 75])
        share = f"{middle:.2f} ({low:.2f}–{high:.2f})"
        print(f"{name:<16} {1000 * seconds:6.0f} ms  {used:5.0f} MB  {share}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
