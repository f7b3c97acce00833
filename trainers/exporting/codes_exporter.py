"""The codes and labels of the test images: as CSV, as arrays, and for the Embedding Projector."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from trainers import datasets
from trainers.plain_text import clean_line, table_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from trainers.exporting.exporters import Task

_ROWS = 2_000
_CONFIG = """embeddings {{
  tensor_name: {name}
  tensor_path: "codes.tsv"
  metadata_path: "labels.tsv"
  sprite {{
    image_path: "sprite.png"
    single_image_dim: {width}
    single_image_dim: {height}
  }}
}}
"""


def write_csv(task: Task) -> Iterator[None]:
    """Writes codes.csv: image, label, class, z1, z2, …; one row for each test image."""
    codes, data = task.checkpoint.codes(), datasets.open_dataset(task.run.dataset)
    names = [_cell(name) for name in data.dataset.classes]
    cells = [(label, names[label]) if names else ("", "") for label in data.test.labels.tolist()]
    heads = ["image", "label", "class", *(f"z{place + 1}" for place in range(codes.shape[1]))]
    with (task.folder / "codes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heads)
        for part in _parts(len(codes)):
            writer.writerows((at, *cells[at], *map(str, codes[at])) for at in part)
            yield


def write_npy(task: Task) -> Iterator[None]:
    """Writes codes.npy, (n, d) float32, and labels.npy, (n,) whole numbers."""
    np.save(task.folder / "codes.npy", task.checkpoint.codes(), allow_pickle=False)
    yield
    labels = datasets.open_dataset(task.run.dataset).test.labels
    np.save(task.folder / "labels.npy", labels, allow_pickle=False)


def write_projector(task: Task) -> Iterator[None]:
    """Writes codes.tsv, labels.tsv, sprite.png and the projector's configuration."""
    folder = task.folder / "projector"
    folder.mkdir()
    codes, data = task.checkpoint.codes(), datasets.open_dataset(task.run.dataset)
    test = data.test
    with (folder / "codes.tsv").open("w", encoding="ascii", newline="") as file:
        for part in _parts(len(codes)):
            file.writelines(f"{_shortest_digits(codes[at], chr(9))}\n" for at in part)
            yield
    names = [_cell(name) for name in data.dataset.classes]
    lines = (
        f"{names[label] if names else ''}\t{image}\n" for image, label in enumerate(test.labels)
    )
    (folder / "labels.tsv").write_text(
        "label\timage\n" + "".join(lines), encoding="utf-8", newline=""
    )
    yield
    Image.fromarray(sprite(test.images)).save(folder / "sprite.png")
    yield
    height, width = test.images.shape[1:3]
    name = json.dumps(
        clean_line(f"{task.run.name}, step {task.checkpoint.step}"), ensure_ascii=False
    )
    config = _CONFIG.format(name=name, width=width, height=height)
    (folder / "projector_config.pbtxt").write_text(config, encoding="utf-8")


def sprite(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Arranges (n, h, w) or (n, h, w, 3) images row by row on a square sheet for the projector.

    What is left of the sheet is black.
    """
    count, height, width, *colours = images.shape
    side = math.ceil(math.sqrt(count))
    sheet = np.zeros((side * side, height, width, *colours), np.uint8)
    sheet[:count] = images
    rows = sheet.reshape(side, side, height, width, *colours).swapaxes(1, 2)
    return rows.reshape(side * height, side * width, *colours)


def _cell(name: str) -> str:
    """Returns the name of a class as a cell of a table separated by tabs."""
    return table_cell(" ".join(name.split()))


def _parts(count: int) -> Iterable[range]:
    return (range(at, min(at + _ROWS, count)) for at in range(0, count, _ROWS))


def _shortest_digits(code: NDArray[np.float32], between: str) -> str:
    """Returns numbers with the fewest digits that give the same float32."""
    return between.join(map(str, code))
