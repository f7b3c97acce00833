"""The codes that are shown: those of the test images, and of the training images where wanted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.asking import Asker
from trainers.datasets.mnist import split

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeviewer.services.compute import Answer, ComputeThread
    from aeviewer.services.session import Session
    from aeviewer.services.shelf import ModelShelf
    from trainers.runs import Run

TEST_IMAGES = 10_000
_CHUNK = 1_000


def image(index: int) -> NDArray[np.uint8]:
    """(28, 28), an image by its number in the cloud: test images first, then training images."""
    test, train = split("test").images, split("train").images
    pixels: NDArray[np.uint8]
    pixels = test[index] if index < TEST_IMAGES else train[index - TEST_IMAGES]
    return pixels


def label(index: int) -> int:
    """The digit that an image of the cloud is of."""
    if index < TEST_IMAGES:
        return int(split("test").labels[index])
    return int(split("train").labels[index - TEST_IMAGES])


def name(index: int) -> str:
    """What an image of the cloud is called."""
    if index < TEST_IMAGES:
        return f"test image {index:,}"
    return f"training image {index - TEST_IMAGES:,}"


class Cloud(QObject):
    """Codes of test images, and of training images at checkpoints while they are wanted.

    Parameters
    ----------
    session
        Its preview holds the test images' codes.
    compute
        Encodes the training images.
    """

    changed = Signal()

    def __init__(
        self, session: Session, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._asker = Asker(compute, "cloud", self)
        self._wants_training = False
        self._training: tuple[tuple[str, int], NDArray[np.float32]] | None = None
        self._codes: NDArray[np.float32] | None = None
        session.preview_changed.connect(self._take_preview)

    @property
    def codes(self) -> NDArray[np.float32] | None:
        """(n, d): the test images' codes, then the training images' where they are known."""
        return self._codes

    @property
    def labels(self) -> NDArray[np.uint8]:
        """(n,), the digits they are of."""
        test = split("test").labels
        count = 0 if self._codes is None else len(self._codes)
        return test if count <= len(test) else np.concatenate([test, split("train").labels])

    @property
    def wants_training(self) -> bool:
        """Whether the training images' codes are wanted too."""
        return self._wants_training

    def want_training(self, wanted: bool) -> None:
        """Has the training images' codes as well, or no longer."""
        if wanted != self._wants_training:
            self._wants_training = wanted
            self._take_preview()

    @Slot()
    def _take_preview(self) -> None:
        preview, current = self._session.preview, self._session.current
        self._asker.drop("training")
        self._codes = None if preview is None else preview.codes
        # A live model changes faster than 60,000 images are encoded: its checkpoints have them.
        wanted = self._wants_training and self._session.step is not None
        if wanted and preview is not None and current is not None:
            place = current.key, preview.step
            if self._training is not None and self._training[0] == place:
                self._codes = np.concatenate([preview.codes, self._training[1]])
            else:
                run = self._session.run(current.key)
                work = partial(encoded, run=run, step=preview.step)
                self._asker.ask("training", work, partial(self._take, place))
        self.changed.emit()

    def _take(self, place: tuple[str, int], answer: Answer) -> None:
        if answer.problem:
            self._session.message_posted.emit(answer.problem)
        elif isinstance(answer.result, np.ndarray):
            self._training = place, answer.result
            self._take_preview()


def encoded(shelf: ModelShelf, run: Run, step: int) -> Generator[NDArray[np.float32] | None]:
    """(60000, d), the training images' codes by the model of a step, a chunk at a time."""
    model, images = shelf.at(run, step), split("train").images
    codes = []
    for start in range(0, len(images), _CHUNK):
        codes.append(model.encode(images[start : start + _CHUNK]))
        yield None
    yield np.concatenate(codes)
