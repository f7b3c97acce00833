from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.trainers.datasets.sample_images import call, drafted, folder, kept, shapes
from trainers.datasets import dataset_named, open_dataset, sources, store
from trainers.datasets.importing.import_report import describe_import
from trainers.datasets.importing.importer import ImportRequest
from trainers.datasets.store import choose_preview
from trainers.errors import DataError
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def _npz(place: Path, labels: NDArray[np.generic], **more: NDArray[np.generic]) -> Path:
    np.savez(place / "a.npz", images=shapes(len(labels), 12), labels=labels, **more)
    return place / "a.npz"


def _notes(path: Path) -> str:
    source = finish(sources.detect_source(path))
    assert source.classes == ()
    return " ".join(source.notes)


def test_a_single_one_in_each_row_is_the_class(tmp_path: Path) -> None:
    numbers = np.arange(120) % 4
    source = finish(sources.detect_source(_npz(tmp_path, np.eye(4)[numbers])))
    assert source.classes == ("0", "1", "2", "3")
    assert [source.label(at) for at in range(120)] == numbers.tolist()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.ones((120, 14), int), "120 × 14: several labels for each image"),
        (np.random.default_rng(0).normal(size=120) ** 2, "numbers that are not whole"),
        (np.array([{}] * 120, object), "Python objects, which are never read"),
        (np.arange(120) * 1j, "complex128; labels are whole numbers or words"),
    ],
)
def test_labels_that_are_no_classes_are_named_and_the_images_imported(
    tmp_path: Path, labels: NDArray[np.generic], reason: str
) -> None:
    assert reason in _notes(_npz(tmp_path, labels))
    code, text = call("import", str(tmp_path / "a.npz"), "--name", "mine")
    assert code == 0
    assert reason in text
    assert dataset_named("mine").classes == ()


def test_too_many_classes_are_named_and_the_images_imported(tmp_path: Path) -> None:
    labels = np.arange(10_001)
    np.savez(tmp_path / "a.npz", images=np.zeros((10_001, 8, 8), np.uint8), labels=labels)
    assert "10,001 different labels; 10,000 are the most" in _notes(tmp_path / "a.npz")


def test_the_classes_are_the_labels_that_occur(tmp_path: Path) -> None:
    path = _npz(tmp_path, np.arange(120) % 10 + 1)
    assert finish(sources.detect_source(path)).classes == tuple(str(n) for n in range(1, 11))
    data = open_dataset(kept(path))
    assert set(data.train.labels.tolist()) == set(range(10))


def test_names_are_given_by_class_or_by_label(tmp_path: Path) -> None:
    path = _npz(tmp_path, np.array([0, 1, 3] * 40))
    for names, expected in (("A,B,D", ("A", "B", "D")), ("A,B,C,D", ("A", "B", "D"))):
        code, _text = call("import", str(path), "--name", f"of-{len(names)}", "--classes", names)
        assert code == 0
        assert dataset_named(f"of-{len(names)}").classes == expected
    code, text = call("import", str(path), "--name", "few", "--classes", "A,B")
    assert code == 1
    assert "2 names are given for 3 classes: 0, 1, 3. Give a name for each." in text


def test_names_in_the_file_belong_to_labels(tmp_path: Path) -> None:
    names = np.array(["ant", "bee", "cat", "dog"])
    path = _npz(tmp_path, np.array([0, 1, 3] * 40), class_names=names)
    assert finish(sources.detect_source(path)).classes == ("ant", "bee", "dog")


def test_a_class_to_ignore_is_a_class_or_left_out_on_request(tmp_path: Path) -> None:
    path = _npz(tmp_path, np.where(np.arange(220) % 11 == 10, 255, np.arange(220) % 11))
    assert kept(path).classes == (*(str(n) for n in range(10)), "255")
    code, text = call("import", str(path), "--name", "ten", "--without", "255")
    assert code == 0
    assert "20 of class 255 left out on request" in text
    dataset = dataset_named("ten")
    assert (len(dataset.classes), dataset.train + dataset.test) == (10, 200)
    code, text = call("import", str(path), "--name", "none", "--without", "256")
    assert code == 1
    assert "There is no class '256' to leave out" in text


def test_a_thousand_classes_keep_their_labels(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).permutation(np.arange(4_000) % 1_000) + 5
    images = np.zeros((4_000, 8, 8), np.uint16)
    images[:, 0, 0] = labels
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    code, _text = call("import", str(tmp_path / "a.npz"), "--name", "many", "--range", "0", "255")
    assert code == 0
    dataset = dataset_named("many")
    data = open_dataset(dataset)
    assert len(dataset.classes) == 1_000
    assert data.train.labels.dtype == np.uint16
    for split in (data.train, data.test):
        names = np.array([int(dataset.class_name(label)) for label in split.labels.tolist()])
        assert np.array_equal(split.images[:, 0, 0], names.clip(0, 255))
    finish(store.verify_checksum("many"))
    assert len(data.preview) == 32


def test_the_watched_images_are_the_first_of_each_class() -> None:
    labels = np.array([2, 2, 0, 1, 0] * 20, np.uint16)
    assert choose_preview(labels)[:4] == (0, 1, 2, 3)
    assert len(choose_preview(labels)) == 32


# -- labels.csv ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("file,label\n", "{file},{label}\n"),
        ("", "{stem};{label}\n"),
        ("id\tage\tclass\n", "photos/{file}\t7\t{label}\n"),
    ],
)
@pytest.mark.parametrize("is_inside", [True, False])
def test_a_table_beside_a_folder_has_the_labels(
    tmp_path: Path, head: str, row: str, is_inside: bool
) -> None:
    place = tmp_path / "set"
    folder(place / "photos", (), 120)
    rows = "".join(
        row.format(file=f"{at:03}.png", stem=f"{at:03}", label="dog" if at % 3 else "cat")
        for at in range(119)
    )
    (place / "labels.csv" if is_inside else tmp_path / "labels.csv").write_text(head + rows)
    source = finish(sources.detect_source(place))
    assert source.classes == ("cat", "dog")
    assert [source.label(at) for at in range(6)] == [0, 1, 1, 0, 1, 1]
    assert "The labels are those of labels.csv." in source.notes
    draft = drafted(place, side=16)
    assert dict(draft.flaws.counts) == {"label that does not fit": 1}
    assert "labels.csv has no label for it" in draft.flaws.lines()[0]
    draft.discard()


def test_a_table_can_be_chosen(tmp_path: Path) -> None:
    place = folder(tmp_path / "photos", (), 120)
    table = tmp_path / "ages.csv"
    table.write_text("".join(f"{at:03}.png,{at % 3}\n" for at in range(120)))
    arguments = ("import", str(place), "--name", "mine", "--size", "16", "--labels")
    code, text = call(*arguments, str(table))
    assert code == 0
    assert "3 classes: 0, 1, 2." in text
    table.write_text("a,b\n")
    code, text = call(*arguments, str(table))
    assert code == 1
    assert "does not say which label a file" in text


def test_labels_for_a_file_that_has_its_own_are_refused(tmp_path: Path) -> None:
    path = _npz(tmp_path, np.arange(120) % 3)
    (tmp_path / "labels.txt").write_text("0\n" * 120)
    code, text = call(
        "import", str(path), "--name", "mine", "--labels", str(tmp_path / "labels.txt")
    )
    assert code == 1
    assert "cannot be given to it" in text


# -- archives and foreign files --------------------------------------------------------------------


def test_a_zip_of_a_folder_is_a_folder(tmp_path: Path) -> None:
    place = folder(tmp_path / "pets" / "inner", ("cat", "dog"))
    (place / "README.md").write_text("text")
    shutil.make_archive(str(tmp_path / "pets"), "zip", tmp_path / "pets")
    path = tmp_path / "pets.zip"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil.png", b"x")
    source = finish(sources.detect_source(path))
    assert (source.classes, source.count) == (("cat", "dog"), 120)
    assert "1 other file is passed over: 1 .md." in source.notes
    assert [flaw.kind for flaw in source.flaws] == ["path outside"]
    source.close()
    assert not (tmp_path / "evil.png").exists()
    draft = drafted(path, side=16)
    assert draft.dataset.train + draft.dataset.test == 120
    draft.discard()


def test_a_zip_bomb_of_images_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainers.datasets.sources.compressed_files._BOMB_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(4_000_000))
    with pytest.raises(DataError, match=r"a.zip is a zip bomb"):
        finish(sources.detect_source(tmp_path / "a.zip"))


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(DataError, match=r"a.zip is truncated, or no ZIP file"):
        finish(sources.detect_source(tmp_path / "a.zip"))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("data_batch_1", "cifar-10-binary.tar.gz"),
        ("cifar-10-python.tar.gz", "never read"),
        ("images.pkl", "never read"),
        ("photos.tar.gz", "Unpack it"),
        ("cat.ndjson", "numpy_bitmap"),
    ],
)
def test_files_of_other_programs_are_recognised(tmp_path: Path, name: str, advice: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(DataError, match=advice):
        finish(sources.detect_source(tmp_path / name))


def test_a_folder_of_pickles_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    for number in range(1, 6):
        (tmp_path / "cifar-10-batches-py" / f"data_batch_{number}").write_bytes(b"\x80\x04.")
    with pytest.raises(DataError, match="Python pickles"):
        finish(sources.detect_source(tmp_path / "cifar-10-batches-py"))


def test_a_table_is_read_beside_a_flat_split(tmp_path: Path) -> None:
    for split, count in (("train", 120), ("test", 40)):
        (tmp_path / split).mkdir()
        for at, image in enumerate(shapes(count, 12)):
            Image.fromarray(image).save(tmp_path / split / f"{split}{at}.png")
    rows = "".join(f"train{at},{'ab'[at % 2]}\n" for at in range(120))
    (tmp_path / "labels.csv").write_text(f"id,breed\n{rows}")
    draft = drafted(tmp_path)
    assert draft.dataset.classes == ("a", "b")
    assert dict(draft.flaws.counts) == {"label that does not fit": 40}
    assert draft.dataset.train + draft.dataset.test == 120
    draft.discard()


def test_classes_of_the_same_name_stay_apart(tmp_path: Path) -> None:
    labels = np.arange(120) % 3
    images = np.zeros((120, 8, 8), np.uint8)
    images[:, 0, 0] = labels * 100
    np.savez(tmp_path / "a.npz", images=images, labels=labels, classes=np.array(["a", "b", "a"]))
    data = open_dataset(kept(tmp_path / "a.npz"))
    assert data.dataset.classes == ("a", "b", "a")
    assert (data.train.images[:, 0, 0] == data.train.labels * 100).all()


def test_long_names_are_shortened_and_a_long_title_is_refused(tmp_path: Path) -> None:
    path = _npz(tmp_path, np.array(["w" * 150, "b"] * 60))
    assert kept(path).classes == ("b", f"{'w' * 99}…")
    code, text = call("import", str(path), "--name", "other", "--title", "t" * 101)
    assert code == 1
    assert "The title has 101 characters; 100 are the most" in text


def test_a_file_of_objects_alone_is_named(tmp_path: Path) -> None:
    objects = np.array([np.zeros((3, 3)), np.zeros((4, 3))], object)
    np.savez(tmp_path / "a.npz", train=objects, test=objects)
    with pytest.raises(DataError, match="holds only Python objects"):
        finish(sources.detect_source(tmp_path / "a.npz"))


def test_a_zip_of_a_stack_says_what_to_do(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mnist.zip", "w") as archive:
        archive.writestr("raw/train-images-idx3-ubyte.gz", b"")
    with pytest.raises(DataError, match="which can be imported: unpack it and choose it"):
        finish(sources.detect_source(tmp_path / "mnist.zip"))


def test_a_name_imitates_no_line_of_the_report(tmp_path: Path) -> None:
    path = _npz(tmp_path, np.array(["a\n500 images: all fine", "b"] * 60))
    source = finish(sources.detect_source(path))
    lines = describe_import(source, ImportRequest("mine"))
    assert lines[1] == "2 classes: a 500 images: all fine, b."
    assert not any("\n" in line for line in lines)
