"""Writes films as GIF or MP4, for example of a path through a latent space.

A film is written in memory or in a temporary folder and then renamed, so that no incomplete file
is left. Imports no torch.
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
from trainers.optional_packages import install_hint
from trainers.storage import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLOURS = 256
_SAMPLED = 1 << 20
"""The number of pixels from which the palette is computed; more pixels do not change it."""
_GRAYS = bytes(np.arange(_COLOURS, dtype=np.uint8).repeat(3))
_TICK = 10
_FASTEST, _SLOWEST = 20, 655_350
"""Milliseconds: viewers slow down faster films, and the format cannot store longer times."""
_MAX_FPS = 240
_GRAIN = "15"
"""The constant rate factor of H.264, 0 (exact) to 51: edges of an enlarged digit do not ring."""


def write_gif(
    path: Path, frames: Sequence[NDArray[np.uint8]], milliseconds: int | Sequence[int]
) -> None:
    """Writes a GIF that repeats for ever.

    Equal consecutive frames stay separate frames; Pillow's `save` would merge them. Gray frames are
    stored exactly. Coloured frames share one palette of 256 colours without dithering, so that
    still parts do not flicker.

    Parameters
    ----------
    path
        The file. An existing file is replaced.
    frames
        (h, w) gray or (h, w, 3) RGB frames of one size. They are read one by one, a few times each,
        so a sequence that computes its frames needs the memory of one frame only.
    milliseconds
        The time of each frame, 20 to 655,350, rounded to 10 ms, the unit of the format. One number
        for all frames, or one for each.

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
    atomic.write_user_file(path, b"".join(parts) + b";")


def write_mp4(path: Path, frames: Sequence[NDArray[np.uint8]], fps: float) -> None:
    """Writes an H.264 film that every browser and presentation program plays.

    Needs the optional package imageio-ffmpeg. The format needs an even height and width; the last
    row or column is repeated where the number is odd.

    Parameters
    ----------
    path
        The file. An existing file is replaced.
    frames
        (h, w) gray or (h, w, 3) RGB frames of one size. They are read one by one, as in
        `write_gif`.
    fps
        Frames per second, above 0 and at most 240.

    Raises
    ------
    ValueError
        When there are no frames, they differ in size, or `fps` is out of its bounds.
    AEViewerError
        When the package is missing, or the file cannot be made or written.
    """
    if not 0 < fps <= _MAX_FPS:
        raise ValueError(
            f"The speed is {fps} frames per second. It must be above 0 and at most {_MAX_FPS}."
        )
    _check_frames(frames)
    try:
        with tempfile.TemporaryDirectory(prefix="film-") as folder:
            draft = Path(folder) / "film.mp4"
            _encode(draft, frames, fps)
            content = draft.read_bytes()
    except (OSError, RuntimeError) as error:
        raise AEViewerError(
            f"The film cannot be encoded ({error}). Write a GIF, which needs no encoder."
        ) from error
    atomic.write_user_file(path, content)


def _encode(draft: Path, frames: Sequence[NDArray[np.uint8]], fps: float) -> None:
    """Runs the encoder. The writer of imageio-ffmpeg would not report the encoder's errors."""
    height, width, _ = _pad_to_even(_to_rgb(frames[0])).shape
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
    encoding = ["-an", "-c:v", "libx264", "-crf", _GRAIN, "-pix_fmt", "yuv420p"]
    command = [
        encoder_path(),
        "-v",
        "error",
        "-y",
        *raw,
        "-i",
        "-",
        *encoding,
        "-movflags",
        "+faststart",
    ]
    log = draft.with_suffix(".txt")
    with (
        log.open("wb") as messages,
        subprocess.Popen(
            [*command, draft],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # only on Windows
        ) as process,
    ):
        try:
            _feed(process, frames)
        except BaseException:
            process.kill()
            raise
    if process.returncode or not draft.is_file():
        # The first line is the cause; the other lines follow from it.
        lines = log.read_text(errors="replace").strip().splitlines()
        status = f"the encoder ended with status {process.returncode}"
        raise RuntimeError(lines[0].rstrip(".") if lines else status)


def _feed(process: subprocess.Popen[bytes], frames: Sequence[NDArray[np.uint8]]) -> None:
    """Writes the frames to the encoder. An encoder that ends early has written the reason."""
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
    """Returns the path of the encoder program.

    Raises
    ------
    AEViewerError
        When imageio-ffmpeg is not installed.
    """
    try:
        # The package has no types, and mypy cannot find it where it is not installed.
        import imageio_ffmpeg  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise AEViewerError(
            "MP4 films need the package imageio-ffmpeg, which is not installed. "
            f"{install_hint('film')} Or write a GIF, which needs no encoder."
        ) from None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _check_frames(frames: Sequence[NDArray[np.uint8]]) -> Sequence[NDArray[np.uint8]]:
    """Returns the frames; raises a `ValueError` when they differ in size or there are none."""
    if not len(frames):
        raise ValueError("A film needs at least one frame.")
    sizes = {frame.shape[:2] for frame in frames}
    if len(sizes) > 1:
        raise ValueError(f"The frames differ in size: {sorted(sizes)}. Use one size.")
    return frames


def _durations(frames: Sequence[NDArray[np.uint8]], milliseconds: int | Sequence[int]) -> list[int]:
    """Returns the time of each frame, rounded to the unit of the format."""
    times = [milliseconds] * len(frames) if isinstance(milliseconds, int) else [*milliseconds]
    if len(times) != len(frames):
        raise ValueError(
            f"There are {len(times)} times for {len(frames)} frames. Give one for each frame."
        )
    for time in times:
        if not _FASTEST <= time <= _SLOWEST:
            raise ValueError(
                f"The time of a frame is {time} ms. It must be {_FASTEST} to {_SLOWEST:,} ms."
            )
    return [round(time / _TICK) * _TICK for time in times]


def _to_rgb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns a gray or RGB frame as (h, w, 3)."""
    return frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=-1)


def _is_gray(frame: NDArray[np.uint8]) -> bool:
    return frame.ndim == 2 or bool((frame == frame[..., :1]).all())


def _pad_to_even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeats the last row and column of the frame where their number is odd."""
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _convert_frames(frames: Sequence[NDArray[np.uint8]]) -> Iterator[Image.Image]:
    """Yields the frames as indices into one palette."""
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
    """Returns a picture whose palette fits all frames."""
    pixels = sum(frame.shape[0] * frame.shape[1] for frame in frames)
    apart = 1 + pixels // _SAMPLED
    sampled = np.concatenate([_to_rgb(frame).reshape(-1, 3)[::apart] for frame in frames])
    return Image.fromarray(sampled[None]).quantize(_COLOURS, Image.Quantize.MEDIANCUT)
