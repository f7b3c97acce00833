from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.trainers.datasets.sample_images import drafted, folder, idx, kept, shapes
from trainers.datasets import open_dataset, sources
from trainers.datasets.sources.folder_layout import find_layout
from trainers.errors import DataError
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path


def _find(*files: str) -> tuple[list[str], list[str] | None]:
    layout = find_layout(list(files))
    splits: list[str] | None = None if layout.splits is None else [*layout.splits]
    return layout.folders, splits


@pytest.mark.parametrize(
    ("files", "folders", "splits"),
    [
        (["PetImages/Cat/1.jpg", "PetImages/Dog/1.jpg"], ["Cat", "Dog"], None),
        (["a/b/c/Cat/1.jpg", "a/b/c/Dog/1.jpg"], ["Cat", "Dog"], None),
        (["Cat/1.jpg", "Dog/1.jpg"], ["Cat", "Dog"], None),
        (["Cat/1.jpg", "Dog/x/1.jpg"], ["Cat", "Dog"], None),
        (["img_align/1.jpg", "img_align/2.jpg"], ["", ""], None),
        (
            ["set/train/a/1.png", "set/train/b/1.png", "set/test/a/1.png"],
            ["a", "a", "b"],
            ["test", "train", "train"],
        ),
        (
            ["training_set/training_set/a/1.png", "test_set/test_set/a/1.png"],
            ["a", "a"],
            ["test", "train"],
        ),
        (["seg_train/seg_train/a/1.png", "seg_test/seg_test/b/1.png"], ["b", "a"], None),
        (
            ["train/a/1.png", "valid/a/1.png", "test/a/1.png"],
            ["a", "a", "a"],
            ["test", "train", "validation"],
        ),
        (["train/1.png", "test/1.png"], ["", ""], ["test", "train"]),
        # Vehicles: one of the classes is called train.
        (["bus/1.png", "train/1.png"], ["bus", "train"], None),
    ],
)
def test_folders_one_level_off_are_understood(
    files: list[str], folders: list[str], splits: list[str] | None
) -> None:
    if files[0].startswith("seg"):
        splits = ["test", "train"]
    assert _find(*files) == (folders, splits)


def test_folders_beside_the_splits_are_left_out_and_named() -> None:
    layout = find_layout(["train/a/1.png", "test/a/1.png", "extra/a/1.png", "extra/a/2.png"])
    assert layout.files == ["test/a/1.png", "train/a/1.png"]
    assert layout.notes == ["2 images in extra/ are left out: it is not a split."]


def test_a_wrapping_folder_and_other_files_are_named(tmp_path: Path) -> None:
    place = folder(tmp_path / "archive" / "PetImages", ("Cat", "Dog"))
    (tmp_path / "archive" / "README.md").write_text("text")
    (place / "Cat" / "labels.xml").write_text("<a/>")
    source = finish(sources.detect_source(tmp_path / "archive"))
    assert source.classes == ("Cat", "Dog")
    assert source.notes == [
        "All images lie in PetImages/, which is not taken as a class.",
        "2 other files are passed over: 1 .md, 1 .xml.",
    ]
    draft = drafted(tmp_path / "archive", side=16)
    assert draft.flaws.total == 0
    draft.discard()


def test_images_without_a_suffix_are_images(tmp_path: Path) -> None:
    place = folder(tmp_path / "a", ())
    for file in list(place.iterdir())[:30]:
        file.rename(file.with_suffix(""))
    folder(place, (), 120)
    assert finish(sources.detect_source(place)).count >= 120


def test_splits_in_folders_keep_their_images(tmp_path: Path) -> None:
    for split, count in (("train", 60), ("valid", 20), ("test", 40)):
        folder(tmp_path / "set" / split, ("a", "b"), count)
    data = open_dataset(kept(tmp_path, side=16))
    dataset = data.dataset
    assert (dataset.train, dataset.validation, dataset.test) == (120, 40, 80)
    assert dataset.classes == ("a", "b")


@pytest.mark.parametrize("name", ["mnist.npz", "stack.npy"])
def test_a_folder_that_holds_an_importable_file_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    save = np.savez if name.endswith("npz") else np.save
    save(tmp_path / "a" / name, shapes(9))
    (tmp_path / "a" / "notes.txt").write_text("text")
    with pytest.raises(DataError, match=f"It holds {name}, which can be imported: choose it"):
        finish(sources.detect_source(tmp_path / "a"))


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_grey_images_in_formats_of_colours_are_grey(tmp_path: Path, kind: str) -> None:
    for at, image in enumerate(shapes(120, 16)):
        picture = Image.fromarray(image)
        picture = picture.convert("P") if kind != "webp" else picture.convert("RGB")
        picture.save(tmp_path / f"{at}.{kind}", lossless=True)
    dataset = kept(tmp_path)
    assert dataset.channels == 1


def test_idx_files_one_level_off_are_found(tmp_path: Path) -> None:
    inner = tmp_path / "archive" / "MNIST" / "raw"
    inner.mkdir(parents=True)
    (tmp_path / "archive" / "README.md").write_text("text")
    idx(inner / "train-images-idx3-ubyte.gz", shapes(120, 12))
    idx(inner / "train-labels-idx1-ubyte.gz", np.arange(120, dtype=np.uint8) % 4)
    source = finish(sources.detect_source(tmp_path))
    assert (source.count, source.classes) == (120, ("0", "1", "2", "3"))
    source.close()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    place = folder(tmp_path / "a", ())
    for name in ("pipe.png", "pipe", "train-images-idx3-ubyte"):
        os.mkfifo(place / name)
    os.mkfifo(tmp_path / "labels.npy")
    os.mkfifo(tmp_path / "labels.csv")
    np.save(tmp_path / "images.npy", shapes(9))
    assert finish(sources.detect_source(place)).count == 60
    assert finish(sources.detect_source(tmp_path / "images.npy")).count == 9
    for path, labels in ((place / "pipe", None), (place, tmp_path / "labels.csv")):
        with pytest.raises(DataError, match="is no regular file"):
            finish(sources.detect_source(path, labels))
