"""The values that colour the points: a number or a group for each code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from aeviewer.services.compute.latest_result import LatestResult
from trainers.evaluation.image_errors import cross_entropies, squared_errors

if TYPE_CHECKING:
    from collections.abc import Generator

    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.compute.model_cache import ModelCache
    from aeviewer.services.latent.latent_state import LatentState
    from trainers.runs import Run

By = Literal["class", "error", "cross-entropy", "kl", "cluster", "nearest", "norm"]

_CHUNK = 500
_CLUSTERS = 10


@dataclass(frozen=True, slots=True)
class ColourMeaning:
    """How a colouring is offered, and what its values mean."""

    title: str
    name: str
    tooltip: str


MEANINGS: dict[By, ColourMeaning] = {
    "class": ColourMeaning("Class", "", "What is on the image; where it is MNIST, the digit."),
    "error": ColourMeaning(
        "Reconstruction error",
        "squared error per image",
        "Squared error of the reconstruction, summed over the image's pixels.",
    ),
    "cross-entropy": ColourMeaning(
        "Cross-entropy",
        "binary cross-entropy, nats per image",
        "Of grey levels taken for probabilities, summed over the image's pixels.",
    ),
    "kl": ColourMeaning(
        "KL to the prior",
        "KL to the prior, nats per image",
        "How far the image's posterior is from the prior N(0, I); for variational models.",
    ),
    "cluster": ColourMeaning(
        "Cluster", "", "Ten clusters of the codes (k-means), each in a colour of its own."
    ),
    "nearest": ColourMeaning(
        "Distance to the nearest code",
        "distance to the nearest code",
        "In the whole latent space; far ones are outliers.",
    ),
    "norm": ColourMeaning("Norm of the code", "‖z‖", "The distance of the code from 0."),
}


@dataclass(frozen=True, slots=True, eq=False)
class ColourValues:
    """A number or a group for each of n codes.

    Attributes
    ----------
    values
        (n,) float; for groups, whole numbers from 0.
    """

    by: By
    values: NDArray[np.float64]

    @property
    def is_grouped(self) -> bool:
        """Whether the values are groups."""
        return self.by == "cluster"


class PointColours(QObject):
    """Keeps the values that colour the points up to date.

    Parameters
    ----------
    latent_state
        Its codes are coloured.
    compute
        Computes.
    """

    changed = Signal()

    def __init__(
        self, latent_state: LatentState, compute: ComputeThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._latent = latent_state
        self.latest = LatestResult(
            compute, "point colours", latent_state.session.message_posted.emit, self
        )
        self.latest.changed.connect(self.changed)
        self._by: By = "class"
        latent_state.places_changed.connect(self._ask)
        latent_state.run_changed.connect(self._start_anew)

    @property
    def values(self) -> ColourValues | None:
        """The values that were computed last; `latest.is_stale` says whether others are wanted."""
        values: ColourValues | None = self.latest.value
        return values

    @property
    def by(self) -> By:
        """The quantity that is chosen."""
        return self._by

    def choose(self, by: By) -> None:
        """Chooses another quantity."""
        if by != self._by:
            self._by = by
            self._start_anew()

    @Slot()
    def _start_anew(self) -> None:
        self.latest.clear()
        self._ask()

    @Slot()
    def _ask(self) -> None:
        session, codes = self._latent.session, self._latent.codes
        if self._by == "class" or codes is None or session.current is None:
            self.latest.clear()
            return
        run = session.run(session.current.key)
        work = partial(compute_colours, run=run, step=session.step, by=self._by, codes=codes)
        question = session.current.key, session.step, self._by, len(codes)
        self.latest.ask(question, work, finishes_first=session.is_live)


# -- in the compute thread -----------------------------------------------------------------------


def compute_colours(
    models: ModelCache, run: Run, step: int | None, by: By, codes: NDArray[np.float32]
) -> Generator[ColourValues | None]:
    """Computes a number for each of (n, d) codes by the model of a step."""
    if by == "norm":
        yield ColourValues(by, np.linalg.norm(codes, axis=1).astype(np.float64))
    elif by == "nearest":
        yield ColourValues(by, _nearest(codes))
    elif by == "cluster":
        yield from _clusters(codes)
    else:
        yield from _of_images(models, run, step, by, codes)


def _nearest(codes: NDArray[np.float32]) -> NDArray[np.float64]:
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=1).fit(codes).kneighbors()
    found: NDArray[np.float64] = distances[:, 0].astype(np.float64)
    return found


def _clusters(codes: NDArray[np.float32]) -> Generator[ColourValues | None]:
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(_CLUSTERS, random_state=0, n_init=3, batch_size=2_048).fit(codes)
    yield None
    yield ColourValues("cluster", means.predict(codes).astype(np.float64))


def _of_images(
    models: ModelCache, run: Run, step: int | None, by: By, codes: NDArray[np.float32]
) -> Generator[ColourValues | None]:
    model = models.at(run, step)
    data = run.data()
    tests = len(data.test)
    # Test images come first, and chunks end where they end.
    splits = [(data.test.images, codes[:tests]), (data.train.images, codes[tests:])]
    chunks = (
        (images[start : start + _CHUNK], part[start : start + _CHUNK])
        for images, part in splits
        for start in range(0, len(part), _CHUNK)
    )
    parts: list[NDArray[np.floating]] = []
    for images, chunk in chunks:
        if by == "kl":
            parts.append(model.kl(images))
        else:
            decoded = model.decode(chunk).astype(np.float64)
            if by == "error":
                parts.append(squared_errors(decoded, images))
            else:
                parts.append(cross_entropies(decoded, images))
        yield None
    yield ColourValues(by, np.concatenate(parts).astype(np.float64))
