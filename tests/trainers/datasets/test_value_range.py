from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.trainers.datasets.sample_images import call, drafted, kept, shapes
from trainers.datasets import dataset_named, open_dataset, sources
from trainers.datasets.importing.value_range import ValueSurvey, choose_range
from trainers.datasets.user_drawings import convert_image_file
from trainers.errors import DataError
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def _all_images(path: Path) -> NDArray[np.uint8]:
    data = open_dataset(kept(path))
    return np.concatenate([data.train.images, data.test.images])


def _as_set(images: NDArray[np.uint8]) -> set[bytes]:
    return {image.tobytes() for image in images}


def _choose(values: NDArray[np.generic]) -> tuple[float, float, str]:
    survey = ValueSurvey(values.dtype)
    for image in values:
        survey.add(image)
    found = choose_range(survey.statistics())
    return found.low, found.high, found.reason


@pytest.mark.parametrize(
    ("scale", "shift", "outlier"),
    [(1, 0, 255.5), (1, 0, 1e9), (1 / 255, -0.5, -0.7), (1 / 255, 0, 1.02), (2 / 255, -1, 7)],
)
def test_one_value_does_not_decide_the_scale(
    tmp_path: Path, scale: float, shift: float, outlier: float
) -> None:
    images = shapes(120, 12)
    values = (images * scale + shift).astype(np.float32)
    values[7, 3, 3] = outlier
    images[7, 3, 3] = 0 if outlier < 0 else 255
    np.save(tmp_path / "a.npy", values)
    source = finish(sources.detect_source(tmp_path / "a.npy"))
    (taken,) = source.ranges.values()
    assert taken.clipped == 1
    assert "1 of 17,280 values lie beyond and are clipped" in taken.description()
    assert _as_set(_all_images(tmp_path / "a.npy")) == _as_set(images)


def test_numbers_from_minus_a_half_to_a_half_have_their_full_contrast(tmp_path: Path) -> None:
    images = shapes(120, 12)
    np.save(tmp_path / "a.npy", (images / 255 - 0.5).astype(np.float32))
    assert _as_set(_all_images(tmp_path / "a.npy")) == _as_set(images)


@pytest.mark.parametrize(
    ("kind", "top"),
    [(np.uint8, 1), (np.uint8, 16), (np.float64, 16), (np.int64, 1), (np.uint16, 4095),
     (np.int16, 4095), (np.float32, 0.1)],
)  # fmt: skip
def test_the_range_of_the_data_is_taken_where_it_is_far_below_that_of_the_type(
    tmp_path: Path, kind: type[np.generic], top: float
) -> None:
    values = (shapes(120, 12) / 255 * top).astype(kind)
    np.save(tmp_path / "a.npy", values)
    source = finish(sources.detect_source(tmp_path / "a.npy"))
    assert source.is_stretched
    found = _all_images(tmp_path / "a.npy")
    assert found.max() == 255
    assert found.min() == 0
    assert _as_set(found) == _as_set(np.rint(values / values.max() * 255).astype(np.uint8))


def test_the_usual_range_can_be_taken_instead(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", shapes(120, 12) // 16)
    arguments = ("import", str(tmp_path / "a.npy"), "--name", "dark", "--no-stretch")
    code, text = call(*arguments)
    assert code == 0
    assert "The values go from 0 to 15 (uint8); 0 becomes black and 255 white." in text


def test_train_and_test_images_have_one_scale(tmp_path: Path) -> None:
    images = shapes(150, 12).astype(np.float32)
    np.savez(tmp_path / "a.npz", x_train=images, x_test=images[:40] / 255)
    data = open_dataset(kept(tmp_path / "a.npz"))
    assert np.array_equal(data.train.images, images.astype(np.uint8))
    assert data.test.images.max() <= 1


def test_deep_images_have_one_scale(tmp_path: Path) -> None:
    place = tmp_path / "scans"
    place.mkdir()
    images = shapes(120, 12).astype(np.uint16) * 16
    for at, image in enumerate(images):
        image //= 1 + at % 2 * 20  # every second image is dark, and is to stay so
        Image.fromarray(image).save(place / f"{at:03}.png")
    found = _all_images(place)
    expected = np.rint(images.astype(float) * (255 / images.max())).astype(np.uint8)
    assert _as_set(found) == _as_set(expected)


def test_floating_point_tiffs_are_not_black(tmp_path: Path) -> None:
    place = tmp_path / "tiffs"
    place.mkdir()
    images = shapes(120, 12)
    for at, image in enumerate(images):
        Image.fromarray((image / 255).astype(np.float32)).save(place / f"{at:03}.tif")
    assert _as_set(_all_images(place)) == _as_set(images)


def test_masks_in_files_are_not_black(tmp_path: Path) -> None:
    place = tmp_path / "masks"
    place.mkdir()
    for at, image in enumerate(shapes(250, 12)):
        Image.fromarray((image > 128).astype(np.uint8)).save(place / f"{at:03}.png")
    assert set(np.unique(_all_images(place))) == {0, 255}


def test_an_unknown_range_is_asked_for(tmp_path: Path) -> None:
    values = (shapes(120, 12) / 255 * 3.2 - 0.4).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(DataError, match=r"go from -0.4 to 2.8. Images are numbers of 0 to 1"):
        drafted(tmp_path / "a.npy")
    arguments = ("import", str(tmp_path / "a.npy"), "--name", "mine")
    code, text = call(*arguments)
    assert code == 1
    assert "Add --range LOW HIGH, or --stretch" in text
    code, text = call(*arguments, "--range", "2", "2")
    assert code == 1
    assert "The range from 2 to 2 is empty" in text
    code, text = call(*arguments, "--range", "-0.4", "2.8")
    assert code == 0
    assert "-0.4 becomes black and 2.8 white" in text


def test_few_bright_values_in_many_images_are_no_outliers() -> None:
    values = np.full((100, 64, 64), 20, np.uint16)
    values[:, 5, 5:8] = 60_000  # three stars in each image: 0.07 % of the values
    assert _choose(values) == (0, 65_535, "known")


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_blank_images_are_not_stretched(value: float) -> None:
    assert _choose(np.full((100, 8, 8), value))[2] == "known"


def test_rows_and_columns_can_be_swapped(tmp_path: Path) -> None:
    images = shapes(120, 12)
    np.save(tmp_path / "a.npy", images.swapaxes(1, 2))
    code, text = call("import", str(tmp_path / "a.npy"), "--name", "turned", "--transpose")
    assert code == 0
    assert "Rows and columns are swapped." in text
    data = open_dataset(dataset_named("turned"))
    assert _as_set(np.concatenate([data.train.images, data.test.images])) == _as_set(images)


@pytest.mark.parametrize(("kind", "top"), [(np.uint8, 1), (np.uint16, 4_095)])
def test_a_picture_of_the_set_that_is_given_has_the_range_of_the_set(
    tmp_path: Path, kind: type[np.generic], top: int
) -> None:
    place = tmp_path / "scans"
    place.mkdir()
    values = np.rint(shapes(120, 16) / 255 * top).astype(kind)
    values[0] //= 2  # a dark image, which is to stay dark
    for at, image in enumerate(values):
        Image.fromarray(image).save(place / f"{at:03}.png")
    dataset = kept(place)
    given = convert_image_file((place / "000.png").read_bytes(), dataset)
    data = open_dataset(dataset)
    assert given.tobytes() in _as_set(np.concatenate([data.train.images, data.test.images]))
    content = io.BytesIO()
    drawing = shapes(1, 16)[0]
    Image.fromarray(drawing).save(content, "PNG")
    assert np.array_equal(convert_image_file(content.getvalue(), dataset), drawing)
