"""Reads the events of a run from its folder while another process trains it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trainers.events import Progress, Started
from trainers.parallel.jobs import modification_time
from trainers.runs import losses_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.runs import Run
    from trainers.runs.metrics import Evaluation


class CheckpointFound(NamedTuple):
    """The event that a checkpoint is complete in the folder, with its codes and pictures."""

    evaluation: Evaluation


class Follower:
    """Reports what is new in a run's folder; reads each loss and each checkpoint once.

    Create it before the run is submitted, so that it does not report what was there before.

    Parameters
    ----------
    run
        The run to follow.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._steps = run.config.steps
        self._status_time = modification_time(run.path / "status.json")
        self._rows = losses_csv.Tail(run.path / "metrics.csv")
        self._reported = {c.step for c in run.checkpoints() if c.is_evaluated}
        self._has_begun = False

    def new_events(self) -> Iterator[Started | Progress | CheckpointFound]:
        """Yields the new events in the order in which a trainer would have yielded them.

        Raises
        ------
        RunError
            When the folder is damaged.
        """
        place = self.run.path / "status.json"
        if modification_time(place) == self._status_time:
            return
        status = self.run.written_status()
        if not self._has_begun or self._rows.is_replaced:
            # A worker has started the run, or another worker has resumed it. A resumed run drops
            # some rows and computes them again.
            self._has_begun = True
            self._rows.skip()
            yield Started(status.step, self._steps, status.device, 0)
        losses = self._rows.read()
        if len(losses.step):
            yield Progress(int(losses.step[-1]), self._steps, status.seconds, losses)
        for checkpoint in self.run.checkpoints():
            if checkpoint.step not in self._reported and checkpoint.is_evaluated:
                self._reported.add(checkpoint.step)
                yield CheckpointFound(checkpoint.evaluation())
