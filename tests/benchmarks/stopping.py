"""The time to stop a training at different moments.

    uv run python -m tests.benchmarks.stopping

Prints for every preset the milliseconds from `Trainer.stop()` to `Stopped`, when everything is on
disk (or to `Finished` if the last step was already done).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import trainers
from trainers import runs
from trainers.events import CheckpointSaved, Finished, Progress, Started, Stopped, Working
from trainers.training.trainer import Trainer

_MOMENTS = {
    "at the start": Started,
    "in a step": Progress,
    "while measuring": Working,
    "after a checkpoint": CheckpointSaved,
}


def time_stop(preset: str, moment: type) -> float:
    """Returns the milliseconds from a stop at the first such event until it is reported."""
    with tempfile.TemporaryDirectory() as place:
        trainer = Trainer(
            runs.create_run(trainers.preset(preset), Path(place)), preview_seconds=0.2
        )
        events = iter(trainer)
        next(event for event in events if isinstance(event, moment))
        trainer.stop()
        began = time.perf_counter()
        next(event for event in events if isinstance(event, Stopped | Finished))
        taken = time.perf_counter() - began
        events.close()  # type: ignore[attr-defined]
        return 1000 * taken


def main() -> None:
    """Prints a row for each preset."""
    print(f"{'ms to stop':<12}" + "".join(f"{name:>20}" for name in _MOMENTS))
    for preset in trainers.PRESETS:
        row = (time_stop(preset, moment) for moment in _MOMENTS.values())
        print(f"{preset:<12}" + "".join(f"{taken:20.0f}" for taken in row))


if __name__ == "__main__":
    main()
