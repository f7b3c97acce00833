from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.trainers.datasets.sample_images import call, drafted, kept, shapes
from trainers.datasets import open_dataset, sources, store
from trainers.datasets.sources.array_names import parse_name
from trainers.errors import DataError
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.datasets.description import Split

_COUNTS = {"train": 150, "val": 40, "test": 50}


def _labelled(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images whose first pixel is their label, so that a wrong pair is seen."""
    images = shapes(count, 12, seed=seed)
    labels = np.random.default_rng(seed).permutation(np.arange(count) % 10)
    images[:, 0, 0] = labels
    return images, labels


def _are_paired(split: Split | None) -> bool:
    return split is not None and bool((split.images[:, 0, 0] == split.labels).all())


@pytest.mark.parametrize("counts", [_COUNTS, dict.fromkeys(_COUNTS, 60)])
@pytest.mark.parametrize("names", ["{what}_{split}", "{split}_{what}", "{what}{split}"])
def test_labels_belong_to_the_images_of_their_own_split(
    tmp_path: Path, counts: dict[str, int], names: str
) -> None:
    words = ("images", "labels") if names.startswith("{split}") else ("x", "y")
    arrays = {}
    for seed, (split, count) in enumerate(counts.items()):
        for what, array in zip(words, _labelled(count, seed), strict=True):
            arrays[names.format(what=what, split=split)] = array
    np.savez(tmp_path / "a.npz", **dict(sorted(arrays.items(), reverse=True)))
    data = open_dataset(kept(tmp_path / "a.npz"))
    dataset = data.dataset
    assert (dataset.train, dataset.validation, dataset.test) == tuple(counts.values())
    assert all(_are_paired(split) for split in (data.train, data.validation, data.test))
    finish(store.verify_checksum("mine"))


def test_validation_images_are_joined_where_that_is_requested(tmp_path: Path) -> None:
    arrays = {}
    for seed, (split, count) in enumerate(_COUNTS.items()):
        images, labels = _labelled(count, seed)
        arrays |= {f"{split}_images": images, f"{split}_labels": labels[:, None]}
    np.savez(tmp_path / "medical.npz", **arrays)
    code, text = call("import", str(tmp_path / "medical.npz"), "--name", "apart")
    assert code == 0
    assert "240 images: 150 for training, 40 kept apart for validation, 50 for testing" in text
    assert "10 classes: 0, 1, 2" in text
    code, text = call(
        "import", str(tmp_path / "medical.npz"), "--name", "joined", "--join-validation"
    )
    assert code == 0
    assert "190 for training, 50 for testing" in text
    data = open_dataset(store.dataset_named("joined"))
    assert (len(data.train), data.validation) == (190, None)
    assert _are_paired(data.train)


def test_without_test_images_the_validation_images_are_the_test_images(tmp_path: Path) -> None:
    x, y = _labelled(150, 0)
    x_val, y_val = _labelled(40, 1)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_val=x_val, y_val=y_val)
    data = open_dataset(kept(tmp_path / "a.npz"))
    assert np.array_equal(data.test.images, x_val)
    assert np.array_equal(data.test.labels, y_val)


def test_labels_of_another_number_do_not_hinder_an_import_without_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=shapes(120, 8), labels=np.zeros(119, int))
    arguments = ("import", str(tmp_path / "a.npz"), "--name", "mine")
    code, text = call(*arguments)
    assert code == 1
    assert "120 images and a.npz: labels has 119 labels" in text
    code, text = call(*arguments, "--no-labels")
    assert code == 0
    assert store.dataset_named("mine").classes == ()


@pytest.mark.parametrize("chosen", ["kmnist-train-imgs", "kmnist-test-imgs"])
def test_images_and_labels_in_files_of_their_own(tmp_path: Path, chosen: str) -> None:
    for seed, (split, count) in enumerate({"train": 150, "test": 50}.items()):
        images, labels = _labelled(count, seed)
        np.savez(tmp_path / f"kmnist-{split}-imgs.npz", images)
        np.savez(tmp_path / f"kmnist-{split}-labels.npz", labels)
    np.savez(tmp_path / "other-train-imgs.npz", shapes(120, 8))
    data = open_dataset(kept(tmp_path / f"{chosen}.npz"))
    assert (data.dataset.train, data.dataset.test) == (150, 50)
    assert _are_paired(data.train)
    assert _are_paired(data.test)


def test_arrays_in_files_of_their_own(tmp_path: Path) -> None:
    for seed, (split, count) in enumerate(_COUNTS.items()):
        images, labels = _labelled(count, seed)
        np.save(tmp_path / f"x_{split}.npy", images)
        np.save(tmp_path / f"y_{split}.npy", labels)
    np.save(tmp_path / "cats.npy", shapes(9, 8))
    source = finish(sources.detect_source(tmp_path / "x_train.npy"))
    assert source.count == 240
    assert any(note.startswith("Read together: x_train.npy") for note in source.notes)
    data = open_dataset(kept(tmp_path / "x_train.npy"))
    assert all(_are_paired(split) for split in (data.train, data.validation, data.test))


def test_what_belongs_to_no_image_is_left_out_and_named(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "sprites.npz",
        imgs=(shapes(120, 16) > 99).astype(np.uint8),
        latents_classes=np.zeros((120, 6), int),
        latents_values=np.zeros((120, 6)),
        metadata=np.array({"a": 1}, object),
    )
    source = finish(sources.detect_source(tmp_path / "sprites.npz"))
    notes = " ".join(source.notes)
    assert "metadata is left out" in notes
    assert "Python objects, which are never read" in notes
    assert "latents_values (120 × 6)" in notes
    assert "several labels for each image" in notes
    data = open_dataset(kept(tmp_path / "sprites.npz"))
    assert data.dataset.classes == ()
    assert set(np.unique(data.train.images)) == {0, 255}


def test_images_without_labels_are_named_where_others_have_them(tmp_path: Path) -> None:
    x, y = _labelled(150, 0)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=shapes(50, 12))
    draft = drafted(tmp_path / "a.npz")
    assert dict(draft.flaws.counts) == {"label that does not fit": 50}
    assert draft.dataset.train + draft.dataset.test == 150
    draft.discard()


def test_two_arrays_that_may_be_the_images_are_not_guessed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=shapes(120, 8), right=shapes(120, 8))
    with pytest.raises(DataError, match="which of it are the images"):
        drafted(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("x_train", ("images", "train", ())),
        ("trainY", ("labels", "train", ())),
        ("kmnist-test-labels", ("labels", "test", ("kmnist",))),
        ("t10k-images-idx3-ubyte", ("images", "test", ("3",))),
        ("seg_val", (None, "validation", ("seg",))),
        ("arr_0", ("images", None, ())),
        ("validation", (None, "validation", ())),
        ("tested", (None, None, ("tested",))),
    ],
)
def test_names_are_taken_apart(name: str, parts: tuple[object, ...]) -> None:
    found = parse_name(name)
    assert (found.role, found.split, found.stem) == parts


def test_the_digits_of_scikit_learn(tmp_path: Path) -> None:
    digits = load_digits()
    words = np.array(digits.feature_names)
    np.savez(
        tmp_path / "digits.npz",
        data=digits.data,
        images=digits.images,
        target=digits.target,
        target_names=digits.target_names,
        feature_names=words,
        DESCR=np.array(digits.DESCR),
        frame=np.empty(0),
    )
    source = finish(sources.detect_source(tmp_path / "digits.npz"))
    assert source.classes == tuple("0123456789")
    assert [source.label(at) for at in range(1_797)] == digits.target.tolist()
    assert any("there is nothing in it" in note for note in source.notes)
    data = open_dataset(kept(tmp_path / "digits.npz"))
    found = np.concatenate([data.train.images, data.test.images])
    assert (found.max(), found.shape) == (255, (1_797, 8, 8))


def test_images_with_labels_of_their_very_name_are_taken(tmp_path: Path) -> None:
    images, labels = _labelled(150, 0)
    noisy = 255 - images
    np.savez(tmp_path / "a.npz", images=images, images_noisy=noisy, labels=labels)
    source = finish(sources.detect_source(tmp_path / "a.npz"))
    assert np.array_equal(source.image(7), images[7])
    assert "images_noisy (150 × 12 × 12)" in source.notes[0]
