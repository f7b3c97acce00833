"""What selected images have in common. This module loads no torch."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.exploration.neighbours import nearest_codes
from trainers.plain_text import table_cell
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """A summary of n selected images.

    Attributes
    ----------
    counts
        (k,), how many of each class.
    mean_image
        (side, side) or (side, side, 3) float32, ink of 0..1.
    mean_code
        (d,) float32.
    nearest
        Which of them has the code nearest to the mean code, counted from 0.
    """

    counts: NDArray[np.intp]
    mean_image: NDArray[np.float32]
    mean_code: NDArray[np.float32]
    nearest: int


def summarise(
    images: NDArray[np.uint8],
    labels: NDArray[np.integer],
    codes: NDArray[np.floating],
    classes: int = 10,
) -> Summary:
    """Summarises (n, ...) images with (n,) labels of some classes and (n, d) codes; n > 0."""
    mean_code = codes.mean(axis=0, dtype=np.float64)
    return Summary(
        np.bincount(labels, minlength=classes),
        (images.mean(axis=0) / 255).astype(np.float32),
        mean_code.astype(np.float32),
        int(nearest_codes(codes, mean_code, 1)[0][0]),
    )


def write_csv(
    place: Path,
    names: Sequence[str],
    labels: Sequence[str],
    codes: NDArray[np.floating],
) -> None:
    """Writes a table with one row for each image: its name, its class and its code.

    Raises
    ------
    AEViewerError
        When the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "class", *(f"z{n + 1}" for n in range(codes.shape[1]))])
    for name, label, code in zip(names, labels, codes.tolist(), strict=True):
        writer.writerow([table_cell(name), table_cell(label), *(f"{value:.9g}" for value in code)])
    atomic.write_user_file(place, text.getvalue().encode())
