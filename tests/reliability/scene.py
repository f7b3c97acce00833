"""A run in which something goes wrong, and the uninterrupted run that it must equal in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reliability import small_run
from trainers import runs
from trainers.events import Finished, Progress
from trainers.runs import RunState
from trainers.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from trainers.events import Event


class Scene:
    """A run, and the contents of an uninterrupted run of the same config.

    Parameters
    ----------
    folder
        The folder in which the run is created.
    uninterrupted
        The folder of the uninterrupted run.
    """

    def __init__(self, folder: Path, uninterrupted: Path) -> None:
        self.expected = small_run.contents(uninterrupted)
        self.run = runs.create_run(runs.open_run(uninterrupted).config, folder / "runs", "mine")

    def train_to(self, step: int = 100) -> tuple[Trainer, Generator[Event, None, None]]:
        """Trains to that step; from there every slice is followed by a resume point."""
        trainer = Trainer(self.run, resume_seconds=0.0)
        trainer.slice_seconds = 0.0
        events = iter(trainer)
        next(e for e in events if isinstance(e, Progress) and e.step >= step)
        trainer.slice_seconds = 0.02
        return trainer, events

    def finish(self) -> None:
        """Continues the run without a fault, and checks that it ends as the uninterrupted one."""
        assert isinstance(list(Trainer(runs.open_run(self.run.path)))[-1], Finished)
        contents = small_run.contents(self.run.path)
        assert {name: contents.get(name) for name in self.expected} == self.expected
        status = self.run.status()
        assert (status.state, status.error) == (RunState.FINISHED, "")
