"""The losses of every step and the test figures of every checkpoint, as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.runs import losses_csv
from trainers.runs.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.exporting.exporters import Task
    from trainers.runs import Run
    from trainers.runs.metrics import Evaluation


def write(task: Task) -> Iterator[None]:
    """Writes losses.csv and checkpoints.csv; a figure that a checkpoint lacks is left empty."""
    losses = losses_csv.HEADER + losses_csv.format_rows(task.run.metrics())
    (task.folder / "losses.csv").write_text(losses, encoding="ascii", newline="")
    yield
    lines = [",".join(["step", *METRICS])]
    for evaluation in evaluations(task.run):
        cells = (metric.value(evaluation) for metric in METRICS.values())
        lines.append(
            ",".join([str(evaluation.step), *("" if c is None else str(c) for c in cells)])
        )
        yield
    text = "\n".join([*lines, ""])
    (task.folder / "checkpoints.csv").write_text(text, encoding="ascii", newline="")


def evaluations(run: Run) -> Iterator[Evaluation]:
    """The test figures of every checkpoint that has them, by step."""
    for checkpoint in run.checkpoints():
        if checkpoint.is_evaluated:
            yield checkpoint.evaluation()
