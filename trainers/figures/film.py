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

from trainers.errors import AEViewerError
from trainers.optional_packages import remedy
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def write_gif(
    path: Path, frames: Sequence[NDArray[np.uint8]], milliseconds: int | Sequence[int]
) -> None:
    """Writes a film that repeats for ever.

    Every frame is kept as one, also where it equals the one before: Pillow's own `save` would make
    one longer frame of the two. Gray frames are exact; of coloured ones all share one palette of
    256, without dithering, so that what stands still does not flicker.

    Parameters
    ----------
    path
        Where to; a file that is there is replaced.
    frames
        Each (h, w) gray or (h, w, 3) red, green, blue; all of one size. They are asked for one by
        one, a few times each: a sequence that makes them when asked holds no more than one.
    milliseconds
        How long each is shown, rounded to 10 ms, the format's unit; 20 to 655,350. One number for
        all, or one for each.

    Raises
    ------
    ValueError
        When there are no frames, they differ in size, or a time is missing or out of its bounds.
    AEViewerError
        When the file cannot be written.
    """
    durations = _durations(_check_frames(frames), milliseconds)
    parts: list[bytes] = []
    for picture, duration in zip(_convert_frames(frames), durations, strict=True):
        if not parts:
            header, _ = GifImagePlugin.getheader(picture.copy(), info={"loop": 0})
            parts += header
        parts += GifImagePlugin.getdata(picture, duration=duration)
    atomic.keep(path, b"".join(parts) + b";")


def write_mp4(path: Path, frames: Sequence[NDArray[np.uint8]], fps: float) -> None:
    """Writes an H.264 film that every browser and slide program plays.

    Needs the optional package imageio-ffmpeg. The format asks for even sides: the last column and
    row are repeated where one is odd.

    Parameters
    ----------
    path
        Where to; a file that is there is replaced.
    frames
        Each (h, w) gray or (h, w, 3) red, green, blue; all of one size. They are asked for one by
        one, as in `write_gif`.
    fps
        Frames a second, above 0 and at most 240.

    Raises
    ------
    ValueError
        When there are no frames, they differ in size, or `fps` is out of its bounds.
    AEViewerError
        When the package is missing, or the file cannot be made or written.
    """
    if not 0 < fps <= _MOST_FPS:
        raise ValueError(f"{fps} frames a second are not more than 0 and at most {_MOST_FPS}.")
    _check_frames(frames)
    try:
        with tempfile.TemporaryDirectory(prefix="film-") as folder:
            draft = Path(folder) / "film.mp4"
            _encode(draft, frames, fps)
            content = draft.read_bytes()
    except (OSError, RuntimeError) as error:
        raise AEViewerError(
            f"The film could not be encoded ({error}). Write a GIF instead, which needs no encoder."
        ) from error
    atomic.keep(path, content)


def _encode(draft: Path, frames: Sequence[NDArray[np.uint8]], fps: float) -> None:
    """Runs the encoder to its end; its own package's writer would not tell how that was."""
    height, width, _ = _pad_to_even(_to_rgb(frames[0])).shape
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
    kept = ["-an", "-c:v", "libx264", "-crf", _GRAIN, "-pix_fmt", "yuv420p"]
    command = [
        encoder_path(),
        "-v",
        "error",
        "-y",
        *raw,
        "-i",
        "-",
        *kept,
        "-movflags",
        "+faststart",
    ]
    told = draft.with_suffix(".txt")
    with (
        told.open("wb") as words,
        subprocess.Popen(
            [*command, draft],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows
        ) as process,
    ):
        try:
            _feed(process, frames)
        except BaseException:
            process.kill()
            raise
    if process.returncode or not draft.is_file():
        # The first line is the cause, the others what came of it.
        said = told.read_text(errors="replace").strip().splitlines()
        raise RuntimeError(said[0].rstrip(".") if said else f"it ended with {process.returncode}")


def _feed(process: subprocess.Popen[bytes], frames: Sequence[NDArray[np.uint8]]) -> None:
    """Hands the encoder frame after frame; one that ends early has said why."""
    if process.stdin is None:
        return
    try:
        for frame in frames:
            process.stdin.write(_pad_to_even(_to_rgb(frame)).tobytes())
        process.stdin.close()
    except (BrokenPipeError, OSError) as error:
        if isinstance(error, BrokenPipeError) or process.poll() is not None:
            return
        raise


def encoder_path() -> str:
    """The program that encodes."""
    try:
        # Untyped where it is installed, unknown where it is not.
        import imageio_ffmpeg  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise AEViewerError(
            "MP4 films need the package imageio-ffmpeg, which is not installed. "
            f"{remedy('film')} Or write a GIF, which needs no encoder."
        ) from None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _check_frames(frames: Sequence[NDArray[np.uint8]]) -> Sequence[NDArray[np.uint8]]:
    """The frames, if they can be one film."""
    if not len(frames):
        raise ValueError("A film needs at least one frame.")
    sizes = {frame.shape[:2] for frame in frames}
    if len(sizes) > 1:
        raise ValueError(f"The frames differ in size: {sorted(sizes)}. One film has one size.")
    return frames


def _durations(frames: Sequence[NDArray[np.uint8]], milliseconds: int | Sequence[int]) -> list[int]:
    """The time of each frame, in the format's unit."""
    times = [milliseconds] * len(frames) if isinstance(milliseconds, int) else [*milliseconds]
    if len(times) != len(frames):
        raise ValueError(f"There are {len(times)} times for {len(frames)} frames.")
    for time in times:
        if not _FASTEST <= time <= _SLOWEST:
            raise ValueError(f"{time} ms a frame is not within {_FASTEST} to {_SLOWEST:,} ms.")
    return [round(time / _TICK) * _TICK for time in times]


def _to_rgb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3), whatever it was."""
    return frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=-1)


def _is_gray(frame: NDArray[np.uint8]) -> bool:
    return frame.ndim == 2 or bool((frame == frame[..., :1]).all())


def _pad_to_even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame with its last row and column repeated where there is an odd number of them."""
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _convert_frames(frames: Sequence[NDArray[np.uint8]]) -> Iterator[Image.Image]:
    """The frames as indices into one palette."""
    if all(_is_gray(frame) for frame in frames):
        for frame in frames:
            yield _gray_picture(frame if frame.ndim == 2 else frame[..., 0])
        return
    common = _palette(frames)
    for frame in frames:
        picture = Image.fromarray(np.ascontiguousarray(_to_rgb(frame)))
        yield picture.quantize(palette=common, dither=Image.Dither.NONE)


def _gray_picture(frame: NDArray[np.uint8]) -> Image.Image:
    height, width = frame.shape
    picture = Image.frombytes("P", (width, height), frame.tobytes())
    picture.putpalette(_GRAYS)
    return picture


def _palette(frames: Sequence[NDArray[np.uint8]]) -> Image.Image:
    """A picture whose palette is that of all frames."""
    pixels = sum(frame.shape[0] * frame.shape[1] for frame in frames)
    apart = 1 + pixels // _SAMPLED
    sampled = np.concatenate([_to_rgb(frame).reshape(-1, 3)[::apart] for frame in frames])
    return Image.fromarray(sampled[None]).quantize(_COLOURS, Image.Quantize.MEDIANCUT)
