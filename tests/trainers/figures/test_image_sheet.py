"""Sheets of images, compared pixel by pixel."""

from __future__ import annotations

import io
from base64 import b64decode
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from trainers.errors import AEViewerError
from trainers.figures.image_sheet import write_sheet

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 3, 28, 28), dtype=np.uint8)
SVG = "{http://www.w3.org/2000/svg}"


def test_a_png_has_every_image_in_its_place_with_gaps_between(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", IMAGES, scale=3, gap=5, title="A sheet")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.size == (3 * 84 + 2 * 5, 2 * 84 + 5)
        assert picture.text == {"Title": "A sheet"}  # type: ignore[attr-defined]
        levels, opacity = np.moveaxis(np.asarray(picture.convert("LA")), -1, 0)
    covered = np.zeros_like(opacity)
    for row in range(2):
        for column in range(3):
            place = np.s_[row * 89 : row * 89 + 84, column * 89 : column * 89 + 84]
            expected = IMAGES[row, column].repeat(3, 0).repeat(3, 1)
            np.testing.assert_array_equal(levels[place], expected)
            covered[place] = 255
    np.testing.assert_array_equal(opacity, covered)


def test_a_sheet_may_have_no_gaps(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", IMAGES, scale=1, gap=0)
    with Image.open(tmp_path / "sheet.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    np.testing.assert_array_equal(pixels, IMAGES.swapaxes(1, 2).reshape(56, 84))


def test_an_svg_has_the_same_images_unblurred_with_tooltips(tmp_path: Path) -> None:
    words = [f"{number} < 6 & more" for number in range(6)]
    write_sheet(tmp_path / "sheet.SVG", IMAGES, scale=4, gap=2, title="A <sheet>", words=words)
    tree = ElementTree.parse(tmp_path / "sheet.SVG").getroot()
    assert (tree.get("width"), tree.get("height")) == ("340", "226")
    assert tree.findtext(f"{SVG}title") == "A <sheet>"
    assert "pixelated" in (tree.findtext(f"{SVG}style") or "")
    images = tree.findall(f"{SVG}image")
    assert len(images) == 6
    for number, image in enumerate(images):
        row, column = divmod(number, 3)
        assert (image.get("x"), image.get("y")) == (str(column * 114), str(row * 114))
        assert (image.get("width"), image.get("height")) == ("112", "112")
        assert image.findtext(f"{SVG}title") == words[number]
        content = b64decode((image.get("href") or "").removeprefix("data:image/png;base64,"))
        with Image.open(io.BytesIO(content)) as picture:
            np.testing.assert_array_equal(np.asarray(picture), IMAGES[row, column])


def test_images_scale_and_gap_must_be_within_bounds(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 x 0 images, scale 4 and gap 2"):
        write_sheet(tmp_path / "none.png", IMAGES[:, :0])
    with pytest.raises(ValueError, match="scale 0"):
        write_sheet(tmp_path / "none.svg", IMAGES, scale=0)
    assert not [*tmp_path.iterdir()]


def test_the_error_names_a_file_in_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(AEViewerError, match=r"sheet\.png cannot be written"):
        write_sheet(tmp_path / "away" / "sheet.png", IMAGES)
