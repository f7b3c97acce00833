"""Paths through a latent space as films: GIF, MP4.

A file is whole or is not there: it is made in memory or in a folder of its own, and then renamed
into its place. Loads no torch.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from trainers import formats
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS = 256
_SAMPLED = 1 << 20
"""Pixels that decide the palette of a film: more of them choose no other colours."""
_GRAYS = bytes(np.arange(_COLOURS, dtype=np.uint8).repeat(3))
_TICK = 10
_FASTEST, _SLOWEST = 20, 655_350
"""Milliseconds: viewers slow down what is faster, and the format holds no longer ones."""
_MOST_FPS = 240
_GRAIN = "15"
"""H.264's constant rate factor, 0 (exact) to 51: an enlarged digit's edges do not ring."""


def write_gif(path: Path, frames: Sequence[NDArray[np.uint8]], milliseconds: int) -> None:
    """Writes a film that repeats for ever.

    Every frame is kept as one, also where it equals the one before: Pillow's own `save` would make
    one longer frame of the two. Gray frames are exact; of coloured ones all share one palette of
    256, without dithering, so that what stands still does not flicker.

    Parameters
    ----------
    path
        Where to; a file that is there is replaced.
    frames
        Each (h, w) gray or (h, w, 3) red, green, blue; all of one size.
    milliseconds
        How long each is shown, rounded to 10 ms, the format's unit; 20 to 655,350.

    Raises
    ------
    ValueError
        When there are no frames, they differ in size, or the time is out of its bounds.
    AEViewerError
        When the file can not be written.
    """
    if not _FASTEST <= milliseconds <= _SLOWEST:
        raise ValueError(f"{milliseconds} ms a frame is not within {_FASTEST} to {_SLOWEST:,} ms.")
    duration = round(milliseconds / _TICK) * _TICK
    pictures = _indexed(_checked(frames))
    header, _ = GifImagePlugin.getheader(pictures[0].copy(), info={"loop": 0})
    parts = [*header]
    for picture in pictures:
        parts += GifImagePlugin.getdata(picture, duration=duration)
    formats.keep(path, b"".join(parts) + b";")


def write_mp4(path: Path, frames: Sequence[NDArray[np.uint8]], fps: float) -> None:
    """Writes an H.264 film that every browser and slide program plays.

    Needs the optional package imageio-ffmpeg. The format asks for even sides: the last column and
    row are repeated where one is odd.

    Parameters
    ----------
    path
        Where to; a file that is there is replaced.
    frames
        Each (h, w) gray or (h, w, 3) red, green, blue; all of one size.
    fps
        Frames a second, above 0 and at most 240.

    Raises
    ------
    ValueError
        When there are no frames, they differ in size, or `fps` is out of its bounds.
    AEViewerError
        When the package is missing, or the file can not be made or written.
    """
    if not 0 < fps <= _MOST_FPS:
        raise ValueError(f"{fps} frames a second are not more than 0 and at most {_MOST_FPS}.")
    pictures = [_even(_coloured(frame)) for frame in _checked(frames)]
    try:
        with tempfile.TemporaryDirectory(prefix="film-") as folder:
            draft = Path(folder) / "film.mp4"
            _encode(draft, pictures, fps)
            content = draft.read_bytes()
    except (OSError, RuntimeError) as error:
        raise AEViewerError(
            f"The film could not be encoded ({error}). Write a GIF instead, which needs no encoder."
        ) from error
    formats.keep(path, content)


def _encode(draft: Path, pictures: Sequence[NDArray[np.uint8]], fps: float) -> None:
    """Runs the encoder to its end; its own package's writer would not tell how that was."""
    height, width, _ = pictures[0].shape
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
    kept = ["-an", "-c:v", "libx264", "-crf", _GRAIN, "-pix_fmt", "yuv420p"]
    done = subprocess.run(
        [_encoder(), "-v", "error", "-y", *raw, "-i", "-", *kept, "-movflags", "+faststart", draft],
        input=b"".join(picture.tobytes() for picture in pictures),
        capture_output=True,
        check=False,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows
    )
    if done.returncode or not draft.is_file():
        # The first line is the cause, the others what came of it.
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(said[0].rstrip(".") if said else f"it ended with {done.returncode}")


def _encoder() -> str:
    """The program that encodes."""
    try:
        # Untyped where it is installed, unknown where it is not.
        import imageio_ffmpeg  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise AEViewerError(
            "MP4 films need the package imageio-ffmpeg, which is not installed. "
            "Run `uv sync --extra film`, or write a GIF instead."
        ) from None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _checked(frames: Sequence[NDArray[np.uint8]]) -> Sequence[NDArray[np.uint8]]:
    """The frames, if they can be one film."""
    if not len(frames):
        raise ValueError("A film needs at least one frame.")
    sizes = {frame.shape[:2] for frame in frames}
    if len(sizes) > 1:
        raise ValueError(f"The frames differ in size: {sorted(sizes)}. One film has one size.")
    return frames


def _coloured(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3), whatever it was."""
    return frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=-1)


def _is_gray(frame: NDArray[np.uint8]) -> bool:
    return frame.ndim == 2 or bool((frame == frame[..., :1]).all())


def _even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame with its last row and column repeated where there is an odd number of them."""
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _indexed(frames: Sequence[NDArray[np.uint8]]) -> list[Image.Image]:
    """The frames as indices into one palette."""
    if all(_is_gray(frame) for frame in frames):
        return [_gray(frame if frame.ndim == 2 else frame[..., 0]) for frame in frames]
    pictures = [Image.fromarray(np.ascontiguousarray(_coloured(frame))) for frame in frames]
    common = _palette(frames)
    return [picture.quantize(palette=common, dither=Image.Dither.NONE) for picture in pictures]


def _gray(frame: NDArray[np.uint8]) -> Image.Image:
    height, width = frame.shape
    picture = Image.frombytes("P", (width, height), frame.tobytes())
    picture.putpalette(_GRAYS)
    return picture


def _palette(frames: Sequence[NDArray[np.uint8]]) -> Image.Image:
    """A picture whose palette is that of all frames."""
    pixels = np.concatenate([_coloured(frame).reshape(-1, 3) for frame in frames])
    sampled = pixels[:: 1 + len(pixels) // _SAMPLED]
    return Image.fromarray(sampled[None]).quantize(_COLOURS, Image.Quantize.MEDIANCUT)
