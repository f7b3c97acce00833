from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests.trainers.datasets.sample_images import call, drafted, kept, shapes
from trainers.datasets import open_dataset, sources
from trainers.datasets.file_formats import hdf5_files
from trainers.datasets.file_formats.isolation import read_in_child
from trainers.errors import DataError
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.datasets.description import Data

_COUNTS = {"train": 150, "test": 50}


def _labelled(count: int, channels: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images of which one value is their label, so that a wrong pair is seen."""
    images = shapes(count, 32 if channels == 3 else 12, channels, count)
    labels = np.random.default_rng(count).permutation(np.arange(count) % 10).astype(np.uint8)
    images[:, 0, 0] = labels if channels == 1 else labels[:, None]
    return images, labels


def _are_paired(data: Data, first: int = 0) -> bool:
    names = [int(name) for name in data.dataset.classes]
    return all(
        [names[label] - first for label in split.labels.tolist()]
        == split.images.reshape(len(split), -1)[:, 0].tolist()
        for split in (data.train, data.test)
    )


def _split(data: Data) -> tuple[int, int]:
    return data.dataset.train, data.dataset.test


def test_svhn_in_matlab_files(tmp_path: Path) -> None:
    for split, count in _COUNTS.items():
        images, labels = _labelled(count, 3)
        values = {"X": np.moveaxis(images, 0, -1), "y": labels[:, None] + 1}
        savemat(tmp_path / f"{split}_32x32.mat", values, do_compression=True)
    data = open_dataset(kept(tmp_path / "train_32x32.mat"))
    assert data.dataset.classes == tuple(str(label) for label in range(1, 11))
    assert (_split(data), data.dataset.shape) == ((150, 50), (32, 32, 3))
    assert _are_paired(data, first=1)


def test_grey_images_in_a_matlab_file(tmp_path: Path) -> None:
    images, labels = _labelled(150)
    values = {"images": np.moveaxis(images, 0, -1), "labels": labels[None], "note": {"a": 1}}
    savemat(tmp_path / "mine.mat", values)
    data = open_dataset(kept(tmp_path / "mine.mat"))
    assert _split(data) == (118, 32)
    assert _are_paired(data)


def test_matlab_files_without_arrays_or_damaged_are_named(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"dataset": {"images": shapes(3)}})
    with pytest.raises(DataError, match=r"holds dataset \(struct\), and no array of numbers"):
        finish(sources.detect_source(tmp_path / "a.mat"))
    content = (tmp_path / "a.mat").read_bytes()
    for number, damaged in enumerate((content[:100], content[:200], b"no file at all")):
        (tmp_path / f"{number}.mat").write_bytes(damaged)
        with pytest.raises(DataError, match=f"{number}.mat"):
            finish(sources.detect_source(tmp_path / f"{number}.mat"))


def test_images_in_hdf5_files(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "usps.h5", "w") as file:
        for split, count in _COUNTS.items():
            images, labels = _labelled(count)
            file[f"{split}/data"], file[f"{split}/target"] = images, labels
    assert _are_paired(open_dataset(kept(tmp_path / "usps.h5", "one")))
    for split, count in _COUNTS.items():
        images, labels = _labelled(count)
        for what, array in (("x", images), ("y", labels[:, None, None, None])):
            with h5py.File(tmp_path / f"level_2_split_{split}_{what}.h5", "w") as file:
                file[what] = array
    data = open_dataset(kept(tmp_path / "level_2_split_train_x.h5", "several"))
    assert _split(data) == (150, 50)
    assert _are_paired(data)


def test_hdf5_leads_to_no_other_file(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret"
    secret.write_bytes(shapes(120, 12).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = shapes(120, 12)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["real"] = shapes(130, 12)
        file.create_dataset("external", (120, 12, 12), "u1", external=[(str(secret), 0, 120 * 144)])
        file["link"] = h5py.ExternalLink("other.h5", "/images")
        layout = h5py.VirtualLayout((120, 12, 12), "u1")
        layout[:] = h5py.VirtualSource("other.h5", "images", (120, 12, 12))
        file.create_virtual_dataset("virtual", layout)
    source = finish(sources.detect_source(tmp_path / "a.h5"))
    assert source.count == 130
    notes = " ".join(source.notes)
    assert "external is left out: its numbers lie in another file." in notes
    assert "virtual is left out: its numbers lie in another file." in notes
    source.close()


def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    monkeypatch.setattr(hdf5_files, "missing_packages", lambda *_: "Run `uv sync --extra formats`.")
    with pytest.raises(DataError, match="Run `uv sync --extra formats`"):
        finish(sources.detect_source(tmp_path / "a.h5"))


def test_a_damaged_hdf5_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    with pytest.raises(DataError, match=r"a.h5 is truncated, or no HDF5 file"):
        finish(sources.detect_source(tmp_path / "a.h5"))


@pytest.mark.parametrize("has_head", [True, False])
def test_a_table_of_pixels(tmp_path: Path, has_head: bool) -> None:
    for split, count in _COUNTS.items():
        images, labels = _labelled(count)
        head = ",".join(["label", *(f"pixel{at}" for at in range(144))])
        rows = np.column_stack([labels, images.reshape(count, -1)])
        np.savetxt(
            tmp_path / f"mnist_{split}.csv",
            rows,
            "%d",
            ",",
            header=head if has_head else "",
            comments="",
        )
    data = open_dataset(kept(tmp_path / "mnist_train.csv"))
    assert _split(data) == (150, 50)
    assert _are_paired(data)


def test_a_table_for_testing_without_labels_is_left_out(tmp_path: Path) -> None:
    images, labels = _labelled(150)
    flat = images.reshape(150, -1)
    np.savetxt(tmp_path / "train.csv", np.column_stack([labels, flat]), "%d", ",")
    np.savetxt(tmp_path / "test.csv", flat[:40], "%d", ",")
    source = finish(sources.detect_source(tmp_path / "train.csv"))
    assert source.count == 150
    assert "test.csv is left out" in source.notes[0]


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2,3\n")
    with pytest.raises(DataError, match="has 3 columns"):
        finish(sources.detect_source(tmp_path / "a.csv"))
    rows = [",".join(["7"] * 65)] * 120
    rows[60] = "7,x"
    (tmp_path / "b.csv").write_text("\n".join(rows))
    with pytest.raises(DataError, match=r"b.csv, row 1 or one of the next 1,000 is damaged"):
        finish(sources.detect_source(tmp_path / "b.csv"))


def _png(image: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def test_images_in_parquet_files_with_their_shards_and_names(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    names = [f"n{number}" for number in range(10)]
    info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    for shard in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        count = 50 if shard.startswith("test") else 75
        images, labels = _labelled(count)
        cells = [{"bytes": _png(image), "path": None} for image in images]
        table = pa.table({"image": cells, "label": labels.astype(np.int64)})
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
        pq.write_table(table, tmp_path / f"{shard}.parquet")
    data = open_dataset(kept(tmp_path / "train-00000-of-00002.parquet"))
    assert _split(data) == (150, 50)
    assert data.dataset.classes == tuple(names)
    assert np.array_equal(data.train.images[:, 0, 0], data.train.labels)
    (tmp_path / "cut.parquet").write_bytes(b"PAR1" + bytes(20))
    with pytest.raises(DataError, match=r"cut.parquet is truncated, or no Parquet file"):
        finish(sources.detect_source(tmp_path / "cut.parquet"))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_pages_of_a_tiff_file(tmp_path: Path, kind: type[np.generic]) -> None:
    images = shapes(120, 12)
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[kind]
    pages = [Image.fromarray((image.astype(np.float64) * scale).astype(kind)) for image in images]
    (tmp_path / "scan").mkdir()
    pages[0].save(tmp_path / "scan" / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=r"holds one file, stack.tif, with 120 pages"):
        finish(sources.detect_source(tmp_path / "scan"))
    Image.fromarray(images[0]).save(tmp_path / "scan" / "single.tif")
    source = finish(sources.detect_source(tmp_path / "scan"))
    assert "1 file has several pages, of which the first is taken." in source.notes
    data = open_dataset(kept(tmp_path / "scan" / "stack.tif"))
    found = np.concatenate([data.train.images, data.test.images])
    assert {image.tobytes() for image in found} == {image.tobytes() for image in images}


@pytest.mark.parametrize("is_ten", [True, False])
def test_cifar_in_its_binary_files(tmp_path: Path, is_ten: bool) -> None:
    names = "batches.meta.txt" if is_ten else "fine_label_names.txt"
    (tmp_path / names).write_text("".join(f"{label}\n" for label in range(10)))
    files = ("data_batch_1", "data_batch_2", "test_batch") if is_ten else ("train", "test")
    for file in files:
        images, labels = _labelled(75 if "data" in file else _COUNTS.get(file, 50), 3)
        rows = [labels, images.transpose(0, 3, 1, 2).reshape(len(images), -1)]
        rows = rows if is_ten else [np.full_like(labels, 9), *rows]
        (tmp_path / f"{file}.bin").write_bytes(np.column_stack(rows).tobytes())
    data = open_dataset(kept(tmp_path))
    assert (_split(data), data.dataset.shape) == ((150, 50), (32, 32, 3))
    assert _are_paired(data)
    (tmp_path / f"{files[0]}.bin").write_bytes(bytes(4_000))
    with pytest.raises(DataError, match="it is truncated"):
        finish(sources.detect_source(tmp_path))


def test_an_array_for_each_class(tmp_path: Path) -> None:
    for name, count in (("cat", 70), ("full_numpy_bitmap_alarm clock", 60)):
        np.save(tmp_path / f"{name}.npy", shapes(count, 28).reshape(count, -1))
    draft = drafted(tmp_path)
    assert draft.dataset.classes == ("cat", "alarm clock")
    assert draft.dataset.train + draft.dataset.test == 130
    draft.discard()


def test_what_is_no_source_says_what_is(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_bytes(b"?")
    code, text = call("import", str(tmp_path / "a.xyz"), "--name", "mine")
    assert code == 1
    assert ".mat, .h5, .csv, .parquet or .tif" in text


def crash(_parent: object, _path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def test_a_file_that_crashes_its_reader_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"hostile.mat cannot be read: .* crashed"):
        finish(read_in_child(crash, tmp_path / "hostile.mat"))


def test_no_process_is_left_when_the_user_cancels(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"images": np.moveaxis(shapes(120), 0, -1)})
    work = sources.detect_source(tmp_path / "a.mat")
    next(work)
    assert multiprocessing.active_children()
    work.close()
    assert not multiprocessing.active_children()
