"""The codes that are shown: those of the test images, and on request of the training images."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.numbers import local
from aeviewer.services.compute.compute_client import ComputeClient
from trainers.datasets import MNIST
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.runs.session import Session
    from trainers.datasets import Data, Split
    from trainers.runs import Run

_CHUNK = 1_000


class ImageLookup:
    """Finds images by their numbers: test images first, then training images.

    Parameters
    ----------
    data
        The data set.
    """

    def __init__(self, data: Data) -> None:
        self.data = data
        self.tests = len(data.test)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Returns (side, side) or (side, side, 3), an image."""
        split, at = self._found(index)
        return np.asarray(split.images[at])

    def images(self, indices: Iterable[int]) -> NDArray[np.uint8]:
        """Returns (n, side, side) or (n, side, side, 3), several images."""
        return np.stack([self.image(index) for index in indices])

    def label(self, index: int) -> int:
        """Returns the class of an image; 0 where there are no labels."""
        split, at = self._found(index)
        return int(split.labels[at])

    def class_name(self, index: int) -> str:
        """Returns the name of its class; empty where there are no labels."""
        return self.data.dataset.class_name(self.label(index))

    def kind(self, index: int) -> str:
        """Returns its class in words, as "digit 7" or "Trouser".

        Empty where there are no labels.
        """
        name = self.class_name(index)
        return f"digit {name}" if self.data.dataset == MNIST else name

    def name(self, index: int) -> str:
        """Returns the name of an image, as "Test image 17"."""
        kind, at = ("test", index) if index < self.tests else ("training", index - self.tests)
        return f"{kind} image {local(at):,}"

    def description(self, index: int) -> str:
        """Returns its name and its class: "Test image 17, digit 7"."""
        words = ", ".join(part for part in (self.name(index), self.kind(index)) if part)
        return words[0].upper() + words[1:]

    def _found(self, index: int) -> tuple[Split, int]:
        inside = index < self.tests
        return (self.data.test, index) if inside else (self.data.train, index - self.tests)


class DisplayedCodes(QObject):
    """The codes of the test images and, on request, of the training images at checkpoints.

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
        self._client = ComputeClient(compute, "displayed codes", session.report, self)
        self._wants_training = False
        self._training: tuple[tuple[str, int], NDArray[np.float32]] | None = None
        self._codes: NDArray[np.float32] | None = None
        self._gallery: ImageLookup | None = None
        session.current_changed.connect(self._take_run)
        session.preview_changed.connect(self._take_preview)

    @property
    def codes(self) -> NDArray[np.float32] | None:
        """(n, d): the test images' codes, then the training images' where they are known.

        None as soon as another run is chosen, before any signal.
        """
        return None if self._session.preview is None else self._codes

    @property
    def labels(self) -> NDArray[np.uint8]:
        """(n,), the classes of the codes."""
        data = self.images.data
        test = data.test.labels
        count = 0 if self._codes is None else len(self._codes)
        return test if count <= len(test) else np.concatenate([test, data.train.labels])

    @property
    def images(self) -> ImageLookup:
        """The images of the codes; images that are shown stay in memory when their file is deleted.

        Raises
        ------
        AEViewerError
            When the data set is not here; there are no codes then.
        """
        if self._gallery is None or self._gallery.data.dataset != self._session.dataset:
            self._gallery = ImageLookup(self._session.data())
        return self._gallery

    @property
    def shows_training(self) -> bool:
        """Whether the codes of the training images are shown too."""
        return self._wants_training

    def show_training(self, wanted: bool) -> None:
        """Shows the codes of the training images too, or hides them."""
        if wanted != self._wants_training:
            self._wants_training = wanted
            self._take_preview()

    @Slot()
    def _take_run(self) -> None:
        self._client.cancel("training")
        self._codes = None

    @Slot()
    def _take_preview(self) -> None:
        preview, current = self._session.preview, self._session.current
        self._client.cancel("training")
        self._codes = preview.codes if preview is not None and self._has_images() else None
        # A live model changes faster than 60,000 images are encoded, so training images need a
        # checkpoint.
        wanted = self._wants_training and self._session.step is not None
        if wanted and self._codes is not None and preview is not None and current is not None:
            place = current.key, preview.step
            if self._training is not None and self._training[0] == place:
                self._codes = np.concatenate([preview.codes, self._training[1]])
            else:
                run = self._session.run(current.key)
                work = partial(encode_training_images, run=run, step=preview.step)
                self._client.submit("training", work, partial(self._show_training, place))
        self.changed.emit()

    def _has_images(self) -> bool:
        """Returns whether the data set is available: codes without their images are not shown."""
        try:
            return self.images is not None
        except AEViewerError:
            return False

    def _show_training(self, place: tuple[str, int], codes: NDArray[np.float32]) -> None:
        self._training = place, codes
        self._take_preview()


def encode_training_images(
    models: ModelCache, run: Run, step: int
) -> Generator[NDArray[np.float32] | None]:
    """Encodes the training images by the model of a step, a chunk at a time.

    Yields (n, d) codes.
    """
    model, images = models.at(run, step), run.data().train.images
    codes = []
    for start in range(0, len(images), _CHUNK):
        codes.append(model.encode(images[start : start + _CHUNK]))
        yield None
    yield np.concatenate(codes)
