from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from aeviewer.services.compute.request_thread import Reply
from trainers import runs
from trainers.datasets import PREVIEW_DIGITS
from trainers.datasets.mnist import load_split
from trainers.errors import AEViewerError, RunError
from trainers.events import Preview
from trainers.presets import preset
from trainers.runs import RunState
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from aeviewer.services.compute.request_thread import Request
    from aeviewer.services.runs.session import Session
    from trainers.runs import Run


class FakeModel:
    """Gives every image back with its ink multiplied by a factor."""

    def __init__(self, factor: float) -> None:
        self.factor = np.float32(factor)

    def encode(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return images.reshape(len(images), -1) / np.float32(255)

    def decode(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        return (codes * self.factor).reshape(-1, 28, 28)


class FakeModels:
    """The models by run name; a factor falls with the step."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.asked: list[tuple[str, int]] = []

    def at(self, run: Run, step: int) -> FakeModel:
        self.asked.append((run.name, step))
        if run.name in self.broken:
            raise RunError(f"{run.name} is damaged")
        return FakeModel(factor(step))

    def preview(self, run: Run, step: int) -> Preview:
        raise AssertionError("the checkpoint keeps its codes")


def factor(step: int) -> float:
    return 1 - 1 / (step + 2)


class FakeCompute(QObject):
    """Keeps the newest request of each channel until `answer` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, Request] = {}
        self.models = FakeModels()

    def submit(self, request: Request) -> None:
        self.waiting[request.channel] = request

    def taken(self) -> list[Request]:
        found, self.waiting = list(self.waiting.values()), {}
        return found

    def answer(self, request: Request) -> None:
        try:
            reply = Reply(request, request.work(self.models))  # type: ignore[arg-type]
        except AEViewerError as error:
            reply = Reply(request, problem=str(error))
        if receiver := request.receiver():
            receiver.receive(reply)

    def answer_all(self) -> None:
        """Until nothing is asked any more."""
        while self.waiting:
            for request in self.taken():
                self.answer(request)


def evaluation(step: int, error: float) -> Evaluation:
    return Evaluation(
        step=step,
        images=10_000,
        squared_error=error,
        squared_error_per_pixel=error / 784,
        reconstruction_at_mean=error,
        test_reconstruction=error,
        kl=0.0,
        test_kl=0.0,
        loss_at_mean=error,
        test_loss=error,
        pca_ratio=error / 34.9,
    )


def made(
    folder: Path, name: str, *steps: int, which: str = "elu", dim: int = 5, error: float = 20.0
) -> Run:
    """A finished run with measured checkpoints; its codes lie on a line of their own."""
    config = preset(which)
    config = config.model_copy(
        update={"model": config.model.model_copy(update={"latent_dim": dim})}
    )
    run = runs.create_run(config, folder, name)
    codes = np.random.default_rng(len(name)).normal(size=(10_000, dim)).astype(np.float32)
    images = load_split("test").images[list(PREVIEW_DIGITS)]
    for step in steps:
        run.write_checkpoint(step, b"weights")
        run.complete_checkpoint(step, evaluation(step, error), Preview(step, codes, images))
    reached = steps[-1] if steps else 0
    run.write_status(run.status().model_copy(update={"state": RunState.FINISHED, "step": reached}))
    return run


def keys(session: Session) -> list[str]:
    return [item.key for item in session.items]
