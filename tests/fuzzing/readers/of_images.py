"""Readers of images from outside, of the store, and files that they take."""

from __future__ import annotations

import gzip
import io
import zipfile
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
from PIL import Image

from tests.fuzzing.readers.reader import Reader
from tests.fuzzing.readers.small import SIDE, small_dataset, zipped
from trainers.datasets import sources, store, user_drawings
from trainers.datasets.description import MNIST, Dataset
from trainers.datasets.importing import importer
from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.sources.folder import read_values
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path


def _import(folder: Path, file: str) -> None:
    """Looks at it as the import does, and at some of its images."""
    source = finish(sources.detect_source(folder / file))
    try:
        source.sizes(8)
        importer.default_conversion(source)
        for index in range(min(source.count, 4)):
            source.name(index)
            try:
                source.image(index)
                source.label(index)
            except FlawError:
                continue
    finally:
        source.close()


def _arrays() -> dict[str, np.ndarray]:
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE), dtype=np.uint8)
    return {"images": images, "labels": np.array([0, 1, 2, 1])}


def _npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


@cache
def _npys() -> list[bytes]:
    images = _arrays()["images"]
    return [_npy(images), _npy(images / 255), _npy(np.asfortranarray(images)), _npy(images > 9)]


@cache
def _label_columns() -> list[bytes]:
    kinds = (np.int64, np.float32, np.uint8, ">i2", "U3", "S3", np.bool_)
    return [_npy(np.array([0, 1, 0, 1]).astype(kind)) for kind in kinds]


@cache
def _npzs() -> list[bytes]:
    files = {f"{key}.npy": _npy(array) for key, array in _arrays().items()}
    named = {**files, "classes.npy": _npy(np.array(["a", "b", "c"]))}
    return [zipped(files), zipped(named, zipfile.ZIP_STORED)]


@cache
def _idxs() -> list[bytes]:
    images = _arrays()["images"]
    head = b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes()
    floats = b"\0\0\x0d\x03" + np.array(images.shape, ">u4").tobytes()
    return [head + images.tobytes(), floats + (images / 255).astype(">f4").tobytes()]


@cache
def _pictures() -> list[bytes]:
    image = Image.fromarray(_arrays()["images"][0])
    made = []
    for kind, mode in (
        ("PNG", "L"),
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("GIF", "P"),
        ("BMP", "RGB"),
        ("WEBP", "RGB"),
        ("TIFF", "F"),
        ("TIFF", "CMYK"),
        ("PPM", "L"),
    ):
        content = io.BytesIO()
        image.convert(mode).save(content, kind)
        made.append(content.getvalue())
    return made


def _npy_with_labels(folder: Path) -> None:
    (folder / "images.npy").write_bytes(_npys()[0])


def _as_given(folder: Path, dataset: Dataset) -> None:
    user_drawings.convert_image_file((folder / "given").read_bytes(), dataset)


@cache
def _stored() -> list[bytes]:
    dataset, rng = small_dataset(), np.random.default_rng(0)
    arrays = {
        f"{part}.{what}": rng.integers(0, top, shape, dtype=np.uint8)
        for part, count in (("train", dataset.train), ("test", dataset.test))
        for what, top, shape in (("images", 256, (count, SIDE, SIDE)), ("labels", 2, (count,)))
    }
    arrays["spectrum.mean"] = np.zeros(SIDE * SIDE)
    return [safetensors.numpy.save(arrays, {"dataset": dataset.model_dump_json()})]


def _open_stored(folder: Path) -> None:
    """As `store.opened`, past what is remembered of files that were read before."""
    header = store._read_header.__wrapped__(folder / "small.safetensors", 0)
    data = store._map_dataset.__wrapped__(header)
    data.train.images[0].sum()
    for key in header.tensors:
        np.array(header.array(key))


def _npz_around(folder: Path) -> None:
    """An NPZ whose images are the file."""
    inner = (folder / "some.npz").read_bytes()
    (folder / "some.npz").write_bytes(zipped({"images.npy": inner}, zipfile.ZIP_STORED))
    _import(folder, "some.npz")


@cache
def _tables() -> list[bytes]:
    rows = np.column_stack([np.arange(4), _arrays()["images"].reshape(4, -1)])
    content = io.StringIO()
    np.savetxt(content, rows, "%d", ",")
    head = ",".join(["label", *(f"p{at}" for at in range(SIDE**2))])
    return [content.getvalue().encode(), f"{head}\n{content.getvalue()}".encode()]


@cache
def _zips() -> list[bytes]:
    files = {f"{'ab'[at % 2]}/{at}.png": content for at, content in enumerate(_pictures()[:4])}
    return [zipped(files), zipped({**files, "labels.csv": b"0.png,a"}, zipfile.ZIP_STORED)]


@cache
def _stacks() -> list[bytes]:
    pages = [Image.fromarray(image) for image in _arrays()["images"]]
    content = io.BytesIO()
    pages[0].save(content, "TIFF", save_all=True, append_images=pages[1:])
    return [content.getvalue()]


@cache
def _label_tables() -> list[bytes]:
    return [b"file,label\n0.png,a\n1.png,b\n", b"0;a\n1;b\n"]


def _folder_with_labels(folder: Path) -> None:
    for at, content in enumerate(_pictures()[:2]):
        (folder / f"{at}.png").write_bytes(content)


IMAGES = (
    Reader("pixel-table", "some.csv", partial(_import, file="some.csv"), _tables),
    Reader("zip-folder", "some.zip", partial(_import, file="some.zip"), _zips),
    Reader("tiff-stack", "some.tif", partial(_import, file="some.tif"), _stacks),
    Reader(
        "label-table",
        "labels.csv",
        partial(_import, file=""),
        _label_tables,
        _folder_with_labels,
    ),
    Reader("store", "small.safetensors", _open_stored, _stored),
    Reader("npy", "images.npy", partial(_import, file="images.npy"), _npys),
    Reader(
        "labels",
        "labels.npy",
        partial(_import, file="images.npy"),
        _label_columns,
        _npy_with_labels,
    ),
    Reader("npz", "some.npz", partial(_import, file="some.npz"), _npzs),
    Reader("npz-member", "some.npz", _npz_around, _npys),
    Reader("idx", "some.idx", partial(_import, file="some.idx"), _idxs),
    Reader(
        "idx-gz",
        "some.idx.gz",
        partial(_import, file="some.idx.gz"),
        lambda: [gzip.compress(content, mtime=0) for content in _idxs()],
    ),
    Reader("image", "image", lambda f: read_values(f / "image"), _pictures),
    Reader(
        "drawing",
        "given",
        partial(_as_given, dataset=MNIST),
        _pictures,
        names_file=False,
    ),
    Reader(
        "drawing-of-own",
        "given",
        partial(_as_given, dataset=small_dataset()),
        _pictures,
        names_file=False,
    ),
)
