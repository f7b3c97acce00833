from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from trainers.datasets.centring import centre_drawing, centre_image_file
from trainers.datasets.mnist import load_split
from trainers.errors import DataError

DIGITS = load_split("test").images[:200]


def centre(image: np.ndarray) -> np.ndarray:
    weight = image.astype(np.float64)
    rows, columns = np.mgrid[0.5:28, 0.5:28]
    return np.array([(weight * rows).sum(), (weight * columns).sum()]) / weight.sum()


def missed(image: np.ndarray, wanted: np.ndarray) -> float:
    """Squared error per image after the best shift of a pixel at most."""
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    moved = (np.roll(image, shift, (0, 1)).astype(np.float64) for shift in shifts)
    return min(np.square((one - wanted) / 255).sum() for one in moved)


def png(image: np.ndarray, mode: str = "L") -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).convert(mode).save(content, "png")
    return content.getvalue()


def test_a_test_image_comes_back_to_the_bit_but_for_roundings_of_its_place() -> None:
    exact = 0
    for image in DIGITS:
        found = centre_drawing(image / 255)
        assert np.abs(centre(found) - centre(image)).max() <= 1.03
        assert missed(found, image) < 0.02
        exact += np.array_equal(found, image)
    assert exact > 0.9 * len(DIGITS)


@pytest.mark.parametrize("factor", [4, 10])
def test_a_test_image_drawn_large_comes_back_within_a_pixel(factor: int) -> None:
    for image in DIGITS[:60]:
        large = image.repeat(factor, 0).repeat(factor, 1) / 255
        found = centre_drawing(large)
        assert np.abs(centre(found) - centre(image)).max() <= 1.03
        # A fifth of what the best five-number code leaves of it.
        assert missed(found, image) < 3


def test_place_and_size_of_a_drawing_do_not_matter() -> None:
    stroke = np.zeros((280, 280))
    stroke[40:140, 60:75] = 1
    moved = np.roll(stroke, (100, 120), (0, 1))
    np.testing.assert_array_equal(centre_drawing(stroke), centre_drawing(moved))
    larger = stroke[30:150, 40:90].repeat(2, 0).repeat(2, 1)
    np.testing.assert_allclose(centre_drawing(larger).astype(int), centre_drawing(stroke), atol=2)


def test_the_longer_side_is_twenty_pixels_and_proportions_stay() -> None:
    wide = np.zeros((300, 300))
    wide[100:150, 20:270] = 1
    found = centre_drawing(wide)
    rows, columns = (np.flatnonzero(found.any(axis)) for axis in (1, 0))
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == (20, 4)


def test_nothing_drawn_is_all_paper() -> None:
    assert not centre_drawing(np.zeros((280, 280))).any()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("is_chalk", [True, False])
def test_a_file_of_ink_or_chalk_is_read(mode: str, is_chalk: bool) -> None:
    image = DIGITS[0]
    found = centre_image_file(png(image if is_chalk else 255 - image, mode))
    assert missed(found, image) < 3


def test_what_is_transparent_is_paper() -> None:
    inked = np.zeros((*DIGITS[0].shape, 4), np.uint8)
    inked[..., 3] = DIGITS[0]
    content = io.BytesIO()
    Image.fromarray(inked).save(content, "png")
    assert missed(centre_image_file(content.getvalue()), DIGITS[0]) < 3


@pytest.mark.parametrize("content", [b"", b"no image", png(DIGITS[0])[:80]])
def test_what_is_no_image_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=r"no image that can be read|cannot be read"):
        centre_image_file(content)


def test_too_large_an_image_is_refused_by_its_size() -> None:
    content = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(content, "png")
    with pytest.raises(DataError, match=r"10,000 x 6,000 = 60,000,000 pixels; 50,000,000"):
        centre_image_file(content.getvalue())
