"""Images in rows as one file: a sheet of samples, a grid, a strip. PNG or SVG. Loads no torch.

The pixels of an image stay whole: each is a square of `scale` units, in a PNG and in an SVG.
"""

from __future__ import annotations

import io
from base64 import b64encode
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

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
    """Writes images in rows as one file, transparent between them.

    Parameters
    ----------
    path
        Where to; a file that is there is replaced. An SVG where its name ends so, else a PNG.
    images
        (rows, columns, h, w) gray, or (rows, columns, h, w, 3) colours.
    scale
        Length of a pixel of an image, at least 1.
    gap
        Pixels of the file between two images.
    title
        What the sheet is; kept in the file, not drawn.
    words
        What each image is, row by row: an SVG's tooltips.

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
            f"{rows} x {columns} images, scale {scale}, gap {gap}: at least 1 x 1, 1 and 0 are "
            "needed."
        )
    if path.suffix.lower() == ".svg":
        atomic.keep(path, _svg(images, scale, gap, title, words))
    else:
        atomic.keep(path, _png(images, scale, gap, title))


def _png(images: NDArray[np.uint8], scale: int, gap: int, title: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    large = images.repeat(scale, axis=2).repeat(scale, axis=3)
    inked = large if large.ndim == 5 else large[..., None]
    opaque = np.concatenate([inked, np.full_like(inked[..., :1], 255)], axis=-1)
    tiles = np.pad(opaque, ((0, 0), (0, 0), (0, gap), (0, gap), (0, 0)))
    rows, columns, height, width, channels = tiles.shape
    sheet = tiles.swapaxes(1, 2).reshape(rows * height, columns * width, channels)
    whole = sheet[: rows * height - gap, : columns * width - gap]
    told = PngInfo()
    if title:
        told.add_text("Title", title)
    content = io.BytesIO()
    Image.fromarray(whole).save(content, "png", optimize=True, pnginfo=told)
    return content.getvalue()


def _svg(
    images: NDArray[np.uint8], scale: int, gap: int, title: str, words: Sequence[str]
) -> bytes:
    """Every image as a picture of its own pixels, which the viewer enlarges unblurred."""
    rows, columns, height, width = images.shape[:4]
    across, down = scale * width + gap, scale * height + gap
    size = f'width="{columns * across - gap}" height="{rows * down - gap}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {columns * across - gap} {rows * down - gap}">',
        f"<title>{escape(title)}</title>",
        "<style>image {image-rendering: pixelated}</style>",
    ]
    for number, image in enumerate(images.reshape(-1, *images.shape[2:])):
        row, column = divmod(number, columns)
        content = io.BytesIO()
        Image.fromarray(image).save(content, "png")
        told = f"<title>{escape(words[number])}</title>" if words else ""
        lines.append(
            f'<image x="{column * across}" y="{row * down}" width="{scale * width}" '
            f'height="{scale * height}" '
            f'href="data:image/png;base64,{b64encode(content.getvalue()).decode()}">{told}</image>'
        )
    return "\n".join([*lines, "</svg>", ""]).encode()
