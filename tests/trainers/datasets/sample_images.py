"""Images as a person may have them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
from click.testing import CliRunner
from PIL import Image

from aeviewer.__main__ import main
from trainers.datasets import Dataset, sources
from trainers.datasets.importing.importer import (
    ImportDraft,
    ImportRequest,
    default_conversion,
    import_images,
)
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def shapes(count: int, side: int = 16, channels: int = 1, seed: int = 0) -> NDArray[np.uint8]:
    """(count, side, side) or (…, 3), soft spots at random places."""
    rng = np.random.default_rng(seed)
    x, y, width = (
        rng.uniform(a, b, (count, 1, 1)) * side for a, b in ((0.3, 0.7),) * 2 + ((0.08, 0.2),)
    )
    rows, columns = np.mgrid[:side, :side]
    spots = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
    if channels == 3:
        spots = spots[..., None] * rng.uniform(0.3, 1, (count, 1, 1, 3))
    return np.rint(255 * spots).astype(np.uint8)


def folder(place: Path, classes: tuple[str, ...], each: int = 60) -> Path:
    """PNGs in colours and of unequal sizes, a folder a class; directly in it where none are."""
    rng = np.random.default_rng(1)
    for number, name in enumerate(classes or ("",)):
        (place / name).mkdir(parents=True, exist_ok=True)
        for at, image in enumerate(shapes(each, 20, 3, number)):
            wide = np.pad(image, ((0, int(rng.integers(9))), (int(rng.integers(9)), 0), (0, 0)))
            Image.fromarray(wide).save(place / name / f"{at:03}.png")
    return place


def idx(place: Path, array: NDArray[np.uint8], *, packed: bool = True) -> Path:
    """An IDX file of bytes."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = head + array.tobytes()
    place.write_bytes(gzip.compress(content, 1) if packed else content)
    return place


def drafted(path: Path, name: str = "mine", **changes: object) -> ImportDraft:
    """What a path becomes, with what suggests itself but for the changes."""
    source = finish(sources.detect_source(path))
    try:
        conversion = default_conversion(source).model_copy(update=changes)
        return finish(import_images(source, ImportRequest(name, conversion=conversion)))
    finally:
        source.close()


def kept(path: Path, name: str = "mine", **changes: object) -> Dataset:
    """A data set of the store."""
    return drafted(path, name, **changes).keep()


def call(*arguments: str, answers: str = "") -> tuple[int, str]:
    """Runs a command of the program; its exit code and its output in one line."""
    result = CliRunner().invoke(main, arguments, answers)
    return result.exit_code, " ".join(result.output.replace("│", " ").split())
