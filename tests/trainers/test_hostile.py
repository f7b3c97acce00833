"""Files that promise much, or lead elsewhere: what they say is compared before it is believed."""

from __future__ import annotations

import io
import lzma
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from trainers.datasets import MNIST, dataset_named, sources, store
from trainers.datasets.importing.conversion import Conversion
from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.sources.label_column import Labels
from trainers.datasets.user_drawings import convert_image_file
from trainers.errors import DataError, RunError
from trainers.generators import finish
from trainers.runs import formats

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTE = 1_000_000


@contextmanager
def little_memory() -> Iterator[None]:
    """Fails where more than a few megabytes are allocated inside, if only for a moment."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 30 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_format_that_runs_a_program_is_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_args: object, **_more: object) -> None:
        raise AssertionError("a program was run for it")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", run)
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
    with pytest.raises(DataError, match="no image that can be read: none of PNG, JPEG"):
        convert_image_file(script, MNIST)


def test_a_header_as_long_as_it_says_is_not_made_room_for(tmp_path: Path) -> None:
    place = tmp_path / "long.npy"
    place.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{")
    with little_memory(), pytest.raises(DataError, match=r"long.npy.*4,294,967,295 bytes"):
        finish(sources.detect_source(place))


def test_an_array_as_large_as_it_says_is_not_made_room_for(tmp_path: Path) -> None:
    place = tmp_path / "large.npy"
    with place.open("wb") as file:
        told = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)}
        np.lib.format.write_array_header_1_0(file, told)
    with little_memory(), pytest.raises(DataError, match="promises 784,000,000,000 bytes"):
        finish(sources.detect_source(place))


def test_codes_as_many_as_a_description_says_are_not_made_room_for(tmp_path: Path) -> None:
    place = tmp_path / "codes.npy"
    place.write_bytes(formats._npy_header((10**9, 256), np.float32) + bytes(40))
    with little_memory(), pytest.raises(RunError, match=r"codes.npy is damaged \(it holds 40"):
        formats.read_codes(place, (10**9, 256))


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.float64])
def test_a_label_of_any_size_is_one_class(kind: type[np.generic]) -> None:
    with little_memory():
        labels = Labels(np.array([0, 10**12, 0]).astype(kind), "labels.npy")
    assert labels.classes == ("0", "1000000000000")
    assert [labels.at(index) for index in range(3)] == [0, 1, 0]


def test_a_label_that_no_number_holds_is_a_flaw() -> None:
    labels = Labels(np.array([0, 1, 1e300]), "labels.npy")
    with pytest.raises(FlawError, match=r"1e\+300, no class"):
        labels.at(2)


def test_a_member_packed_by_lzma_and_damaged_is_told(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("images.npy", bytes(5_000))
    packed = bytearray(content.getvalue())
    packed[60:70] = b"\xff" * 10
    place = tmp_path / "some.npz"
    place.write_bytes(packed)
    with pytest.raises(DataError, match=r"some.npz"):
        finish(sources.detect_source(place))
    assert issubclass(lzma.LZMAError, Exception) and not issubclass(lzma.LZMAError, OSError)


def test_a_data_set_s_name_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.setenv("AEVIEWER_DATASETS", str(tmp_path / "inside"))
    (tmp_path / f"outside{store.SUFFIX}").write_bytes(b"secret")
    with pytest.raises(DataError, match=r"There is no data set '../outside' here"):
        dataset_named("../outside")


def test_a_picture_too_long_to_be_padded_is_a_flaw() -> None:
    line = np.zeros((1, 1_000_000), np.uint8)
    with little_memory(), pytest.raises(FlawError, match="1,000,000 x 1,000,000"):
        Conversion(side=8, fit="pad").apply(line)


def test_a_picture_s_size_is_looked_at_before_it_is_unpacked(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.new("1", (20_000, 3_000)).save(content, "png")
    with little_memory(), pytest.raises(DataError, match=r"60,000,000 pixels; 50,000,000"):
        convert_image_file(content.getvalue(), MNIST)
