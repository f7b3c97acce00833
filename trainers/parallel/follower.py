"""What happens to a run, read from its folder while another process trains it."""

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
    """A checkpoint is whole in the folder; its codes and pictures are there to be read."""

    evaluation: Evaluation


class Follower:
    """Tells what is new in a run's folder since the last time; reads nothing twice.

    Made before the run is given away, so that it can tell what was there before.

    Parameters
    ----------
    run
        The folder.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._steps = run.config.steps
        self._told_at = modification_time(run.path / "status.json")
        self._rows = losses_csv.Tail(run.path / "metrics.csv")
        self._known = {c.step for c in run.checkpoints() if c.is_evaluated}
        self._has_begun = False

    def new_events(self) -> Iterator[Started | Progress | CheckpointFound]:
        """What a trainer would have told, in its order.

        Raises
        ------
        RunError
            When the folder is damaged.
        """
        place = self.run.path / "status.json"
        if modification_time(place) == self._told_at:
            return
        status = self.run.written_status()
        if not self._has_begun or self._rows.is_replaced:
            # Begun, or begun anew by another worker: some rows are dropped and done again.
            self._has_begun = True
            self._rows.skip()
            yield Started(status.step, self._steps, status.device, 0)
        losses = self._rows.read()
        if len(losses.step):
            yield Progress(int(losses.step[-1]), self._steps, status.seconds, losses)
        for checkpoint in self.run.checkpoints():
            if checkpoint.step not in self._known and checkpoint.is_evaluated:
                self._known.add(checkpoint.step)
                yield CheckpointFound(checkpoint.evaluation())
