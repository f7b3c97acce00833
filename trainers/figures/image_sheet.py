"""Writes images in rows as one PNG or SVG: a sheet of samples, a grid, a strip.

Pixels are not interpolated: each is a square of `scale` units in both formats. Imports no torch.
"""

from __future__ import annotations

import io
from base64 import b64encode
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from trainers.plain_text import clean_line
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SCALE, GAP = 4, 2


def write_sheet(
    path: Path,
    images: NDArray[np.uint8],
    *,
    scale: int = SCALE,
    gap: int = GAP,
    title: str = "",
    words: Sequence[str] = (),
) -> None:
    """Writes images in rows as one file with transparent gaps.

    Parameters
    ----------
    path
        The file. An existing file is replaced. The suffix .svg gives an SVG, any other a PNG.
    images
        (rows, columns, h, w) gray or (rows, columns, h, w, 3) RGB images.
    scale
        The side of an image's pixel in the file, at least 1.
    gap
        The pixels between two images in the file, at least 0.
    title
        The title in the file's metadata; it is not drawn.
    words
        A description of each image, row by row, for the tooltips of an SVG.

    Raises
    ------
    ValueError
        When there are no images, or scale or gap are below their bounds.
    AEViewerError
        When the file cannot be written.
    """
    rows, columns = images.shape[:2]
    if not rows * columns or scale < 1 or gap < 0:
        raise ValueError(
            f"The sheet has {rows} x {columns} images, scale {scale} and gap {gap}. It needs at "
            "least 1 x 1, 1 and 0."
        )
    if path.suffix.lower() == ".svg":
        atomic.write_user_file(path, _svg(images, scale, gap, title, words))
    else:
        atomic.write_user_file(path, _png(images, scale, gap, title))


def _png(images: NDArray[np.uint8], scale: int, gap: int, title: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    large = images.repeat(scale, axis=2).repeat(scale, axis=3)
    inked = large if large.ndim == 5 else large[..., None]
    opaque = np.concatenate([inked, np.full_like(inked[..., :1], 255)], axis=-1)
    tiles = np.pad(opaque, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)))
    rows, columns, height, width, channels = tiles.shape
    sheet = tiles.swapaxes(1, 2).reshape(rows * height, columns * width, channels)
    whole = sheet[: rows * height - gap, : columns * width - gap]
    metadata = PngInfo()
    if title:
        metadata.add_text("Title", clean_line(title))
    content = io.BytesIO()
    Image.fromarray(whole).save(content, "png", optimize=True, pnginfo=metadata)
    return content.getvalue()


def _svg(
    images: NDArray[np.uint8], scale: int, gap: int, title: str, words: Sequence[str]
) -> bytes:
    """Returns an SVG with the images at their own size, which the viewer enlarges unblurred."""
    rows, columns, height, width = images.shape[:4]
    across, down = scale * width + gap, scale * height + gap
    size = f'width="{columns * across - gap}" height="{rows * down - gap}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {columns * across - gap} {rows * down - gap}">',
        f"<title>{escape(clean_line(title))}</title>",
        "<style>image {image-rendering: pixelated}</style>",
    ]
    for number, image in enumerate(images.reshape(-1, *images.shape[2:])):
        row, column = divmod(number, columns)
        content = io.BytesIO()
        Image.fromarray(image).save(content, "png")
        tooltip = f"<title>{escape(clean_line(words[number]))}</title>" if words else ""
        lines.append(
            f'<image x="{column * across}" y="{row * down}" width="{scale * width}" '
            f'height="{scale * height}" '
            f'href="data:image/png;base64,{b64encode(content.getvalue()).decode()}">{tooltip}</image>'
        )
    return "\n".join([*lines, "</svg>", ""]).encode()
