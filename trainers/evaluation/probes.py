"""How well codes separate the classes: classifiers fitted on training codes, scored on test codes.

The accuracies of the raw pixels, with which every run is compared, do not change: they are in
`resources/mnist/probes.json`. To write them again (some minutes):
`python -m trainers.evaluation.probes`.

Shape legend: N images, P pixels, D numbers in a code, F features of a probe.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trainers.datasets import MNIST, load_split
from trainers.embeddings.trustworthiness import NEIGHBOURS as VIEW_NEIGHBOURS
from trainers.embeddings.trustworthiness import trust_by_point
from trainers.errors import DataError
from trainers.evaluation.image_errors import standard_error
from trainers.evaluation.measurement import CodesFigures, Probes
from trainers.exploration.planes import line, principal_plane
from trainers.generators import finish

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from trainers.datasets import Data
    from trainers.datasets.tensors import Images
    from trainers.models.base import Autoencoder

    Features = NDArray[np.float32]
    Labels = NDArray[np.uint8]

NEIGHBOURS = 5
"""k of the k nearest neighbours, whose majority decides."""

_RESOURCE = files("resources") / "mnist" / "probes.json"
_CHUNK, _QUERIES = 1_000, 1_000
_MOST_STEPS, _TOLERANCE = 1_000, 1e-3
_VIEW_IMAGES = 2_000


def encode_images(model: Autoencoder, images: Images) -> Generator[None, None, Features]:
    """Returns the mean codes of (N, P) images, (N, D); yields between chunks."""
    codes = []
    for chunk in images.split(_CHUNK):
        with torch.inference_mode():
            codes.append(model.encode(chunk).float().cpu().numpy())
        yield
    return np.concatenate(codes)


def evaluate_codes(
    train: Features, test: Features, data: Data
) -> Generator[None, None, CodesFigures]:
    """Measures how well mean codes separate the classes, and how true their 2-D view is.

    Parameters
    ----------
    train, test
        (N, D), the mean codes of the training and test images.
    data
        The images and their labels.
    """
    code_probes = None
    if len(np.unique(data.train.labels)) > 1:
        code_probes = yield from fit_probes(train, data.train.labels, test, data.test.labels)
    name, view = two_dimensional_view(test)
    viewed = data.test.images[:_VIEW_IMAGES]
    pixels = viewed.reshape(len(viewed), -1).astype(np.float32)
    yield
    seen = view[:_VIEW_IMAGES]
    trust, continuity = trust_by_point(pixels, seen), trust_by_point(seen, pixels)
    return CodesFigures(
        codes=code_probes,
        pixels=pixel_probes() if data.dataset == MNIST else None,
        trustworthiness=trust.mean(),
        continuity=continuity.mean(),
        trustworthiness_se=standard_error(trust),
        continuity_se=standard_error(continuity),
        view=name,
        view_images=len(viewed),
        view_neighbours=VIEW_NEIGHBOURS,
    )


def fit_probes(
    train: Features, train_labels: Labels, test: Features, test_labels: Labels
) -> Generator[None, None, Probes]:
    """Returns the accuracies of a linear classifier and of the nearest neighbours.

    The linear classifier is a logistic regression on standardised features (scikit-learn's, C = 1).
    The neighbours have the smallest Euclidean distance between the features as they are, because
    the scale of a code is part of its information. Yields between chunks.

    Parameters
    ----------
    train, test
        (N, F) features.
    train_labels, test_labels
        (N,), the classes.
    """
    regression = LogisticRegression(max_iter=_MOST_STEPS, tol=_TOLERANCE)
    linear = make_pipeline(StandardScaler(), regression).fit(train, train_labels)
    yield
    nearest = KNeighborsClassifier(NEIGHBOURS).fit(train, train_labels)
    correct = 0
    for start in range(0, len(test), _QUERIES):
        chunk = slice(start, start + _QUERIES)
        correct += int((nearest.predict(test[chunk]) == test_labels[chunk]).sum())
        yield
    return Probes(
        linear=float(linear.score(test, test_labels)),
        nearest_neighbours=correct / len(test),
        neighbours=NEIGHBOURS,
    )


@cache
def pixel_probes() -> Probes:
    """Returns the probes on the raw pixels of 0..1.

    Raises
    ------
    DataError
        When the resource file is missing or damaged.
    """
    try:
        return Probes.model_validate_json(_RESOURCE.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"{_RESOURCE} cannot be read ({error}). Install the program again."
        ) from error


def fit_pixel_probes() -> Probes:
    """Computes the value of `pixel_probes` from the images (some minutes)."""
    train, test = load_split("train"), load_split("test")
    flat = [(part.images.reshape(len(part), -1) / 255).astype(np.float32) for part in (train, test)]
    return finish(fit_probes(flat[0], train.labels, flat[1], test.labels))


def two_dimensional_view(codes: Features) -> tuple[str, NDArray[np.float64]]:
    """Returns the name and the (N, 2) positions of the latent panel's first view of the codes."""
    latent_dim = codes.shape[1]
    if latent_dim == 1:
        return "line", line().project(codes)
    if latent_dim == 2:
        return "codes", codes.astype(np.float64)
    return "principal plane of the codes", principal_plane(codes).project(codes)


if __name__ == "__main__":
    Path(str(_RESOURCE)).write_text(fit_pixel_probes().model_dump_json(indent=2) + "\n")
