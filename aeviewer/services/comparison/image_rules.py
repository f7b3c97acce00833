"""Rules that choose the test images of a comparison. This module uses neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from aeviewer.numbers import local
from trainers.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST, MOST = 4, 32
"""The numbers of columns that a comparison may have."""

Kind = Literal["classes", "random", "worst", "chosen"]


@dataclass(frozen=True, slots=True)
class ImageRule:
    """A rule that chooses test images.

    Attributes
    ----------
    kind
        "classes": the first of each class, then the second, ...; "random": drawn with `seed`;
        "worst": those that `run` reconstructs worst; "chosen": those in `chosen`.
    count
        How many; of the chosen ones, all are taken.
    run
        The key of a run.
    """

    kind: Kind = "classes"
    count: int = 10
    seed: int = 0
    run: str = ""
    chosen: tuple[int, ...] = ()


def first_of_classes(labels: NDArray[np.uint8], count: int) -> tuple[int, ...]:
    """Returns the first image of each class, then the second of each, until there are `count`."""
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    turns = np.arange(len(labels)) - np.repeat(starts, sizes)
    rounds = order[np.lexsort((labels[order], turns))]
    return tuple(rounds[:count].tolist())


def random_images(images: int, count: int, seed: int) -> tuple[int, ...]:
    """Returns `count` different ones of `images`; another count keeps the same ones first."""
    return tuple(np.random.default_rng(seed).permutation(images)[:count].tolist())


def worst_images(errors: NDArray[np.floating], count: int) -> tuple[int, ...]:
    """Returns the images with the largest errors, the worst first.

    Equal errors keep their order.
    """
    return tuple(np.argsort(-errors, kind="stable")[:count].tolist())


def parse_indices(text: str, images: int) -> tuple[int, ...]:
    """Parses numbers of test images like "0, 3, 17-20"; each number counts once.

    Raises
    ------
    DataError
        Naming what is no such number, or that there are too few or too many.
    """
    found: list[int] = []
    for part in text.replace(",", " ").split():
        first, _, last = part.replace("–", "-").partition("-")
        if not first.isascii() or not first.isdigit() or not (not last or last.isdigit()):
            raise DataError(f"{part!r} is no number: write test images as 0, 3, 17-20.")
        low, high = int(first), int(last or first)
        if not low <= high < images:
            raise DataError(
                f"{part!r} is no test image: they are numbered 0 to {local(images - 1):,}."
            )
        found += [*range(low, min(high, low + MOST) + 1)]
    kept = tuple(dict.fromkeys(found))
    if not 1 <= len(kept) <= MOST:
        raise DataError(f"{len(kept)} images: name 1 to {MOST} of them, as 0, 3, 17-20.")
    return kept
