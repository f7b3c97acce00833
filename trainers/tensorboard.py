"""Metrics and reconstructions as TensorBoard events: of a whole run, or during training.

Written by the record writer and the message types of the package `tensorboard`, record by record,
with no thread and no open file in between: a reader never sees half an event.
"""

from __future__ import annotations

import io
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

from PIL import Image

from trainers.errors import ExportError
from trainers.optional_packages import missing_packages
from trainers.runs import formats, losses_csv
from trainers.runs.metrics import METRICS
from trainers.storage.regular_files import open_for_appending

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from trainers.events import Losses
    from trainers.runs import Checkpoint, Run

FOLDER = "tensorboard"
"""The folder in a run that requests events: they are written there during training."""
SUFFIX = ".tfevents"
_VERSION = "brain.Event:2"
_BLOCK = 1_000
_PARTS = ("loss", "reconstruction", "kl")


def write_run(run: Run, file: EventFile) -> Iterator[None]:
    """Writes all events of a run, a thousand steps at a time, at the times of the training."""
    status = run.written_status()
    began = status.created.timestamp() if status.created else (run.path).stat().st_mtime
    pace = status.seconds / max(status.step, 1)
    losses = run.metrics()
    for at in range(0, len(losses.step), _BLOCK):
        file.add_losses(slice_losses(losses, slice(at, at + _BLOCK)), began, pace)
        yield
    for checkpoint in run.checkpoints():
        if checkpoint.is_evaluated:
            file.add_checkpoint(checkpoint, began + pace * checkpoint.step)
            yield


def slice_losses(losses: Losses, part: slice) -> Losses:
    """Returns some of the steps."""
    from trainers.events import Losses as Cut

    return Cut(losses.step[part], losses.total[part], losses.reconstruction[part], losses.kl[part])


def request_events(run: Run) -> None:
    """Requests events of the run during its training, in whichever process it is trained.

    Raises
    ------
    ExportError
        When the package is missing.
    RunError
        When its folder cannot be written.
    """
    if problem := missing_packages("TensorBoard", ("tensorboard",), "export"):
        raise ExportError(problem)
    with run.report_write_errors():
        (run.path / FOLDER).mkdir(exist_ok=True)


class EventFile:
    """One file of events.

    Parameters
    ----------
    place
        Which; made by the first event, added to by those after.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def add_losses(self, losses: Losses, began: float, pace: float) -> None:
        """Adds the losses of steps.

        Parameters
        ----------
        losses
            A step each.
        began, pace
            Seconds: when step 0 was, and how long a step takes.
        """
        columns = losses.total, losses.reconstruction, losses.kl
        steps, *values = (column.tolist() for column in (losses.step, *columns))
        tags = [f"train/{part}" for part in _PARTS]
        self._add(
            (step, began + pace * step, dict(zip(tags, row, strict=True)), b"")
            for step, *row in zip(steps, *values, strict=True)
        )

    def add_checkpoint(self, checkpoint: Checkpoint, moment: float) -> None:
        """Adds the test metrics of a checkpoint, and its picture of inputs and reconstructions."""
        evaluation = checkpoint.evaluation()
        found = {f"test/{key}": metric.value(evaluation) for key, metric in METRICS.items()}
        figures = {tag: float(value) for tag, value in found.items() if value is not None}
        with formats.open_run_file(checkpoint.path / "reconstructions.png") as file:
            picture = file.read(formats.MOST_SHEET)
        self._add([(checkpoint.step, moment, figures, picture)])

    def restart(self, step: int) -> None:
        """Marks that training continues at `step`: earlier events of later steps are void."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        log = SessionLog(status=SessionLog.START)
        self._append([Event(wall_time=time.time(), step=step, session_log=log).SerializeToString()])

    def _add(self, events: Iterable[tuple[int, float, dict[str, float], bytes]]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        contents = []
        for step, moment, figures, picture in events:
            values = [Summary.Value(tag=tag, simple_value=x) for tag, x in figures.items()]
            if picture:
                seen = Image.open(io.BytesIO(picture), formats=["PNG"])
                colours = 1 if seen.mode == "L" else 3
                image = Summary.Image(height=seen.height, width=seen.width, colorspace=colours)
                image.encoded_image_string = picture
                values.append(Summary.Value(tag="test/reconstructions", image=image))
            event = Event(wall_time=moment, step=step, summary=Summary(value=values))
            contents.append(event.SerializeToString())
        self._append(contents)

    def _append(self, contents: list[bytes]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        if not self._place.exists():
            head = Event(wall_time=time.time(), file_version=_VERSION)
            contents = [head.SerializeToString(), *contents]
        with open_for_appending(self._place) as file:
            writer = RecordWriter(file)
            for content in contents:
                writer.write(content)


class LiveEvents:
    """Writes the events of a run during its training, if its folder requests them.

    It reads what the folder has got since it looked last. The first time it writes all there is,
    or, where events were written before, from where the training goes on.

    Parameters
    ----------
    run
        Which run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._file: EventFile | None = None
        self._rows = losses_csv.Tail(run.path / "metrics.csv")
        self._known: set[int] = set()

    @property
    def is_wanted(self) -> bool:
        """Whether events are requested, and can be written here."""
        return (self._run.path / FOLDER).is_dir() and find_spec("tensorboard") is not None

    def follow(self) -> None:
        """Writes the new events.

        Raises
        ------
        RunError
            When it cannot be written.
        """
        if self.is_wanted:
            with self._run.report_write_errors():
                self._write(self._file or self._begin())

    def _begin(self) -> EventFile:
        folder = self._run.path / FOLDER
        before = len([*folder.glob(f"*{SUFFIX}")])
        file = self._file = EventFile(folder / f"{before:04d}{SUFFIX}")
        if not before:
            for _ in write_run(self._run, file):
                pass
        else:
            losses = self._run.metrics()
            step = int(losses.step[-1]) if len(losses.step) else 0
            file.restart(step)
            file.add_losses(slice_losses(losses, slice(-1, None)), time.time(), 0.0)
        kept = [c.step for c in self._run.checkpoints() if c.is_evaluated]
        self._known = {at for at in kept if not before or at < step}
        self._rows.skip()
        return file

    def _write(self, file: EventFile) -> None:
        losses = self._rows.read()
        if len(losses.step):
            file.add_losses(losses, time.time(), 0.0)
        for checkpoint in self._run.checkpoints():
            if checkpoint.step not in self._known and checkpoint.is_evaluated:
                self._known.add(checkpoint.step)
                file.add_checkpoint(checkpoint, time.time())
