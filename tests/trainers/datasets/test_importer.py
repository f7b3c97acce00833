from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
from PIL import Image

from tests.trainers.datasets.sample_images import drafted, folder, idx, kept, shapes
from trainers.datasets import dataset_named, dataset_names, open_dataset, sources, store
from trainers.datasets.importing.conversion import Conversion
from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.spectrum import load_spectrum
from trainers.errors import DataError
from trainers.generators import finish


def test_an_array_becomes_a_data_set(tmp_path: Path) -> None:
    images = shapes(400)
    np.save(tmp_path / "spots.npy", images)
    dataset = kept(tmp_path / "spots.npy", "spots")
    assert (dataset.side, dataset.channels, dataset.classes) == (16, 1, ())
    assert (dataset.train, dataset.test) == (360, 40)
    assert dataset_names() == ("mnist", "spots")
    assert dataset_named("spots") == dataset
    data = open_dataset(dataset)
    found = np.concatenate([data.train.images, data.test.images])
    # Every image once, none changed.
    assert {i.tobytes() for i in found} == {i.tobytes() for i in images}
    assert isinstance(data.train.images, np.memmap)
    assert len(data.preview) == 32
    finish(store.verify_checksum("spots"))
    # One file that any reader of safetensors opens.
    with safetensors.safe_open(store.dataset_path("spots"), "np") as file:
        assert np.array_equal(file.get_tensor("train.images"), data.train.images)


def test_its_principal_components_are_those_of_the_data(tmp_path: Path) -> None:
    np.save(tmp_path / "spots.npy", shapes(300, 8))
    dataset = kept(tmp_path / "spots.npy")
    data, spectrum = open_dataset(dataset), load_spectrum(dataset)
    assert spectrum is not None
    flat = data.train.images.reshape(len(data.train), -1) / 255
    values = np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2 / len(flat)
    assert np.allclose(spectrum.eigenvalues, values, atol=1e-9)
    tests = (data.test.images.reshape(len(data.test), -1) / 255).astype(np.float32)
    left = np.square(spectrum.reconstruct(tests, 5) - tests).sum(1).mean()
    assert left == pytest.approx(spectrum.test_errors[5], rel=1e-4)


def test_sub_folders_are_classes_and_sizes_are_made_equal(tmp_path: Path) -> None:
    dataset = kept(folder(tmp_path / "a", ("10", "9", "cat")), side=16, fit="pad")
    assert dataset.classes == ("9", "10", "cat")
    assert dataset.shape == (16, 16, 3)
    assert "padded to a square" in dataset.history
    assert set(open_dataset(dataset).train.labels.tolist()) == {0, 1, 2}


def test_a_folder_without_folders_has_no_labels(tmp_path: Path) -> None:
    dataset = kept(folder(tmp_path / "a", (), 120))
    assert not dataset.is_labelled
    assert not open_dataset(dataset).test.labels.any()


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_keep_their_own_test_images(tmp_path: Path, packed: bool) -> None:
    end = ".gz" if packed else ""
    train, test = shapes(200, 12), shapes(50, 12, seed=2)
    idx(tmp_path / f"train-images-idx3-ubyte{end}", train, packed=packed)
    idx(tmp_path / f"t10k-images-idx3-ubyte{end}", test, packed=packed)
    idx(
        tmp_path / f"train-labels-idx1-ubyte{end}",
        np.arange(200, dtype=np.uint8) % 4,
        packed=packed,
    )
    idx(tmp_path / f"t10k-labels-idx1-ubyte{end}", np.arange(50, dtype=np.uint8) % 4, packed=packed)
    for number, path in enumerate([tmp_path, tmp_path / f"train-images-idx3-ubyte{end}"]):
        data = open_dataset(kept(path, f"idx{number}"))
        assert np.array_equal(data.train.images, train)
        assert np.array_equal(data.test.images, test)
        assert data.test.labels[:5].tolist() == [0, 1, 2, 3, 0]


def test_numbers_of_a_well_known_data_set_have_names(tmp_path: Path) -> None:
    labels = np.arange(200) % 10
    np.savez(tmp_path / "a.npz", images=shapes(200, 12), labels=labels)
    assert kept(tmp_path / "a.npz", "fashion-mnist").classes[9] == "Ankle boot"
    assert kept(tmp_path / "a.npz", "mine").classes[9] == "9"


def test_an_npz_says_what_is_what(tmp_path: Path) -> None:
    place = tmp_path / "a.npz"
    images = shapes(150, 10, 3).transpose(0, 3, 1, 2) / 255
    words = np.array(["no", "yes"] * 75)
    np.savez_compressed(place, x_train=images, y_train=words, x_test=images[:40], y_test=words[:40])
    data = open_dataset(kept(place))
    assert data.dataset.classes == ("no", "yes")
    assert (data.dataset.train, data.dataset.test, data.dataset.shape) == (150, 40, (10, 10, 3))
    assert np.array_equal(data.train.images[7], shapes(150, 10, 3)[7])


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 255), (0, 65_535)])
def test_numbers_of_any_usual_range_become_bytes(tmp_path: Path, low: float, high: float) -> None:
    images = shapes(100, 9)
    np.save(tmp_path / "a.npy", (images / 255 * (high - low) + low).astype(np.float32))
    data = open_dataset(kept(tmp_path / "a.npy"))
    found = np.concatenate([data.train.images, data.test.images])
    assert {i.tobytes() for i in found} == {i.tobytes() for i in images}


def test_an_unusual_range_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", shapes(100, 9).astype(np.float32) - 500)
    with pytest.raises(DataError, match=r"go from -500 to -2\d\d. Images are numbers of 0 to 1"):
        drafted(tmp_path / "a.npy")


# -- what is wrong is named ------------------------------------------------------------------------


def test_what_is_wrong_is_named_counted_and_left_out_only_on_agreement(tmp_path: Path) -> None:
    place = folder(tmp_path / "a", ("x", "y"))
    (place / "x" / "none.png").write_text("no image")
    whole = (place / "y" / "003.png").read_bytes()
    (place / "y" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (place / "stray.png").write_bytes(whole)
    (place / "y" / "out.png").symlink_to(tmp_path / "elsewhere.png")
    draft = drafted(place, side=16)
    assert dict(draft.flaws.counts) == {
        "no image": 1,
        "truncated": 1,
        "label that does not fit": 1,
        "path outside": 1,
    }
    told = "\n".join(draft.flaws.lines())
    for name in ("x/none.png", "y/cut.png", "stray.png", "y/out.png"):
        assert name in told
    assert dataset_names() == ("mnist",)
    draft.discard()
    assert list(store.folder().iterdir()) == []


def test_images_of_another_size_are_flaws_where_only_that_size_is_taken(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.mkdir()
    for at, image in enumerate(shapes(150)):
        Image.fromarray(image if at % 50 else image[:9]).save(place / f"{at:03}.png")
    draft = drafted(place, side=16, fit="exact")
    assert dict(draft.flaws.counts) == {"another size": 3}
    assert draft.flaws.named[0].name in {"000.png", "050.png", "100.png"}
    assert "16 × 9, not 16 × 16" in draft.flaws.named[0].detail
    assert draft.dataset.train + draft.dataset.test == 147
    draft.discard()


def test_nan_is_a_flaw_of_its_image(tmp_path: Path) -> None:
    images = shapes(120, 8) / 255
    images[17, 3, 3] = np.nan
    np.save(tmp_path / "a.npy", images)
    draft = drafted(tmp_path / "a.npy")
    assert [(flaw.name, flaw.kind) for flaw in draft.flaws.named] == [("a.npy[17]", "not a number")]
    draft.discard()


def test_labels_that_do_not_match_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=shapes(120, 8), labels=np.zeros(119, int))
    with pytest.raises(DataError, match=r"120 images and a.npz: labels has 119 labels"):
        drafted(tmp_path / "a.npz")
    np.save(tmp_path / "images.npy", shapes(120, 8))
    np.save(tmp_path / "labels.npy", np.zeros(119, int))
    with pytest.raises(DataError, match=r"images.npy has 120 images and labels.npy has 119 labels"):
        drafted(tmp_path / "images.npy")
    idx(tmp_path / "train-images-idx3-ubyte", shapes(20, 8))
    idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(19, np.uint8))
    with pytest.raises(DataError, match="20 images and train-labels-idx1-ubyte has 19 labels"):
        drafted(tmp_path / "train-images-idx3-ubyte")
    np.savez(tmp_path / "b.npz", images=shapes(120, 8), labels=np.array([-1, *[1] * 119]))
    draft = drafted(tmp_path / "b.npz")
    assert dict(draft.flaws.counts) == {"label that does not fit": 1}
    draft.discard()


def test_a_truncated_file_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", shapes(120, 8))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-100])
    with pytest.raises(DataError, match=r"a.npy promises 7,680 .* holds 7,580: it is truncated"):
        drafted(tmp_path / "a.npy")
    packed = idx(tmp_path / "x-idx3-ubyte.gz", shapes(120, 8))
    packed.write_bytes(packed.read_bytes()[:-50])
    with pytest.raises(DataError, match=r"x-idx3-ubyte.gz is truncated"):
        drafted(packed)


def test_a_zip_bomb_is_refused_before_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.datasets.sources.compressed_files._BOMB_BYTES", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((200, 100, 100), np.uint8))
    with pytest.raises(DataError, match=r"a.npz is a zip bomb"):
        drafted(tmp_path / "a.npz")
    with pytest.raises(DataError, match="is a zip bomb"):
        drafted(idx(tmp_path / "b-idx3-ubyte.gz", np.zeros((200, 100, 100), np.uint8)))


def test_a_name_that_leads_outside_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "a.npz"
    np.savez(place, images=shapes(120, 8))
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr("../evil.npy", b"x")
    draft = drafted(place)
    assert [(flaw.name, flaw.kind) for flaw in draft.flaws.named] == [
        ("../evil.npy", "path outside")
    ]
    assert not (tmp_path.parent / "evil.npy").exists()
    draft.discard()


def test_python_objects_are_never_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}] * 3, object), allow_pickle=True)
    with pytest.raises(DataError, match="holds Python objects, which are never read"):
        drafted(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "told"),
    [("mnist", "inside the program"), ("Ä b", "cannot name a data set"), ("a" * 41, "up to 40")],
)
def test_names_are_checked(tmp_path: Path, name: str, told: str) -> None:
    np.save(tmp_path / "a.npy", shapes(120, 8))
    with pytest.raises(DataError, match=told):
        drafted(tmp_path / "a.npy", name)


def test_too_few_images_and_taken_names_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", shapes(99, 8))
    with pytest.raises(DataError, match=r"has 99 images\. At least 100 are needed"):
        drafted(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", shapes(120, 8))
    kept(tmp_path / "a.npy")
    with pytest.raises(DataError, match="There is a data set 'mine' already"):
        drafted(tmp_path / "a.npy")


# -- the store -------------------------------------------------------------------------------------


def test_a_damaged_data_set_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", shapes(120, 8))
    dataset = kept(tmp_path / "a.npy")
    place = store.dataset_path("mine")
    content = bytearray(place.read_bytes())
    content[-3000] ^= 255
    content[70_000] ^= 255
    place.write_bytes(content)
    with pytest.raises(DataError, match="fails its checksum"):
        finish(store.verify_checksum("mine"))
    place.write_bytes(content[:66_000])
    with pytest.raises(DataError, match="damaged"):
        open_dataset(dataset)
    place.unlink()
    with pytest.raises(DataError, match="There is no data set 'mine' here; there are: mnist"):
        open_dataset(dataset)


def test_conversions(tmp_path: Path) -> None:
    image = np.zeros((10, 20), np.uint8)
    image[:, 5:15] = 200
    cropped = Conversion(side=10, fit="crop").apply(image)
    assert (cropped == 200).all()
    assert (Conversion(side=10, fit="crop", inverted=True).apply(image) == 55).all()
    padded = Conversion(side=20, fit="pad").apply(image)
    assert np.array_equal(padded[5:15], image)
    assert not padded[:5].any()
    coloured = Conversion(side=10, fit="stretch", colour="rgb").apply(image)
    assert coloured.shape == (10, 10, 3)
    with pytest.raises(FlawError, match="20 × 10, not 10 × 10"):
        Conversion(side=10, fit="exact").apply(image)


def test_nothing_to_import_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    for name, told in (
        ("no", "nothing at"),
        ("empty", "no image files"),
        ("a.pdf", "nothing that"),
    ):
        with pytest.raises(DataError, match=told):
            finish(sources.detect_source(tmp_path / name))


@pytest.mark.skipif(os.name == "nt", reason="such names and links cannot be made on Windows")
def test_links_to_themselves_and_names_that_are_no_utf8_are_text(tmp_path: Path) -> None:
    place = folder(tmp_path / "pictures", ("cat", "d\udcff"))
    for link in ("loop", "cat/loop.png", "cat/nowhere.png"):
        (place / link).symlink_to("missing" if "nowhere" in link else Path(link).name)
    (place / "cat" / "up").symlink_to("..")
    source = finish(sources.detect_source(place))
    flaws = {(flaw.name, flaw.kind) for flaw in source.flaws}
    assert flaws == {(name, "path outside") for name in ("loop", "cat/loop.png", "cat/nowhere.png")}
    dataset = kept(place, "pets")
    assert dataset.classes == ("cat", "d�")
    assert store.dataset_named("pets").classes == ("cat", "d�")
