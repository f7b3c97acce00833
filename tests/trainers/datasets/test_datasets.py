from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trainers.datasets import PREVIEW_DIGITS, idx, load_split
from trainers.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def test_mnist_is_whole() -> None:
    train, test = load_split("train"), load_split("test")
    assert train.images.shape == (60_000, 28, 28)
    assert test.images.shape == (10_000, 28, 28)
    assert np.bincount(test.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert train.images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)


def test_the_preview_digits_show_every_class() -> None:
    assert set(load_split("test").labels[list(PREVIEW_DIGITS)]) == set(range(10))


def test_an_idx_file_is_read(tmp_path: Path) -> None:
    file = _written(tmp_path / "a.gz", bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9]))
    assert idx.read(file).tolist() == [[7, 8, 9]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no IDX file"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 0]), "no IDX file"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 9, 1]), "promises 9 bytes of data and holds 1"),
        (bytes([0, 0, 8, 3] + 12 * [255] + [1]), "promises"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_named(
    tmp_path: Path, content: bytes, told: str
) -> None:
    file = _written(tmp_path / "odd.gz", content)
    with pytest.raises(DataError, match=told) as caught:
        idx.read(file)
    assert "odd.gz" in str(caught.value)


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    file = _written(tmp_path / "a.gz", bytes([0, 0, 8, 1, 0, 0, 0, 1, 0]))
    with pytest.raises(DataError, match="checksum"):
        idx.read(file, md5="0" * 32)
    file.write_bytes(file.read_bytes()[:-12])
    with pytest.raises(DataError, match="cannot be read"):
        idx.read(file)
    with pytest.raises(DataError, match="gone"):
        idx.read(tmp_path / "gone.gz")
