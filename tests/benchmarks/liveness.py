"""The share of its speed that a training keeps in the window, and the lateness of the GUI thread.

    uv run python -m tests.benchmarks.liveness [ROUNDS [SECONDS]]

The 2-D VAE is trained in turn by `aeviewer train`, in a window without input ("watched"), and in a
window in which a point is dragged through the latent space ("used"). All processes start at the
beginning, and two of them are paused while the third trains. A ratio is the median of the ratios
within a round. A precise 16 ms timer in the GUI thread records its lateness. Without a screen the
window is on a virtual X11 screen.

Processor time is printed too, because other load changes it little: the processor time of a step in
all threads, and the GUI thread's share of a core.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.end_to_end.screen import virtual_screen

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS = {"alone": "watch", "watched": "watch", "used": "use"}


class Trainee:
    """A process that trains on request; see `tests.benchmarks.trainee`."""

    def __init__(self, place: str, folder: Path, environment: dict[str, str]) -> None:
        folder.mkdir()
        command = [sys.executable, "-m", "tests.benchmarks.trainee", place, str(folder)]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read_answer()

    def train(self, kind: str, seconds: float) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{kind} {seconds}\n")
        self.process.stdin.flush()
        return self._read_answer()

    def _read_answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def _step_rates(answers: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Returns the steps per second of each round."""
    return np.array([answer["steps"] / answer["seconds"] for answer in answers])


def _processor_per_step(answers: list[dict[str, Any]]) -> float:
    """Returns the milliseconds of processor time per step over all rounds."""
    return 1000 * sum(a["processor"] for a in answers) / max(1, sum(a["steps"] for a in answers))


def _format_lateness(name: str, milliseconds: list[float]) -> str:
    late = np.array(milliseconds)
    middle, high, highest = np.percentile(late, [50, 90, 99])
    return (
        f"late, {name:<10} median {middle:5.1f}  90 % {high:5.1f}  99 % {highest:5.1f}"
        f"  worst {late.max():5.1f} ms  ({len(late):,} ticks; goal: 99 % <= 5, worst <= 50)"
    )


def main(rounds: int, seconds: float) -> None:
    """Trains in turn and prints rates, ratios and lateness."""
    has_screen = "DISPLAY" in os.environ or os.environ.get("QT_QPA_PLATFORM") == "offscreen"
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in _KINDS}
    with ExitStack() as stack:
        screen = nullcontext({**os.environ}) if has_screen else virtual_screen()
        environment = stack.enter_context(screen)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        alone = Trainee("alone", folder / "alone", environment)
        stack.callback(alone.close)
        window = Trainee("window", folder / "window", environment)
        stack.callback(window.close)
        for number in range(rounds):
            # The order is reversed in every other round.
            for name in [*_KINDS] if number % 2 else [*reversed(_KINDS)]:
                trainee = alone if name == "alone" else window
                answers[name].append(trainee.train(_KINDS[name], seconds))
    alone_rates = _step_rates(answers["alone"])
    for name, rounds_of_kind in answers.items():
        rates = _step_rates(rounds_of_kind)
        low, middle, high = np.percentile(rates / alone_rates, [25, 50, 75])
        print(
            f"{name:<10}{np.median(rates):7.1f} steps/s,"
            f" {_processor_per_step(rounds_of_kind):5.1f} ms of processor time per step"
            + ("" if name == "alone" else f"; {middle:.2f} of alone ({low:.2f}–{high:.2f})")
        )
    for name in ("watched", "used"):
        share = sum(a["thread"] for a in answers[name]) / sum(a["seconds"] for a in answers[name])
        print(f"GUI thread, {name}: {share:.2f} of a core")
        print(_format_lateness(name, [late for answer in answers[name] for late in answer["late"]]))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 12, float(given[1]) if len(given) > 1 else 5.0)
