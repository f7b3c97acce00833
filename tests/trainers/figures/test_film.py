from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from trainers.errors import AEViewerError
from trainers.figures import film

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

RANDOM = np.random.default_rng(0)
DIGITS = RANDOM.integers(0, 256, (7, 28, 28), dtype=np.uint8)


def frames_of(place: Path) -> tuple[list[NDArray[np.uint8]], list[int], Image.Image]:
    """Returns the frames and durations of a GIF, as a viewer reads them, and the GIF itself."""
    with Image.open(place) as gif:
        frames, durations = [], []
        for number in range(gif.n_frames):
            gif.seek(number)
            frames.append(np.asarray(gif.convert("RGB")))
            durations.append(gif.info["duration"])
        return frames, durations, gif


def decode_mp4(place: Path) -> tuple[NDArray[np.uint8], str]:
    """Returns the (n, h, w, 3) frames of an MP4, and the line that describes it."""
    import imageio_ffmpeg

    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(place), *raw]
    done = subprocess.run(command, capture_output=True, check=True)
    description = next(line for line in done.stderr.decode().splitlines() if "Video:" in line)
    size = re.search(r", (\d+)x(\d+)", description)
    assert size is not None
    width, height = map(int, size.groups())
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3), description


def test_a_gray_film_is_exact(tmp_path: Path) -> None:
    film.write_gif(tmp_path / "path.gif", list(DIGITS), 80)
    shown, durations, gif = frames_of(tmp_path / "path.gif")
    assert durations == [80] * 7
    assert gif.info["loop"] == 0
    for digit, frame in zip(DIGITS, shown, strict=True):
        assert (frame == digit[..., None]).all()


def test_equal_consecutive_frames_stay_separate(tmp_path: Path) -> None:
    still = [DIGITS[0], DIGITS[0], DIGITS[1], DIGITS[1], DIGITS[1]]
    film.write_gif(tmp_path / "still.gif", still, 100)
    shown, durations, _ = frames_of(tmp_path / "still.gif")
    assert durations == [100] * 5
    assert [int(frame[3, 4, 0]) for frame in shown] == [int(digit[3, 4]) for digit in still]


def test_gray_frames_in_three_channels_are_exact_too(tmp_path: Path) -> None:
    film.write_gif(tmp_path / "film.gif", [digit[..., None].repeat(3, -1) for digit in DIGITS], 40)
    shown, _, _ = frames_of(tmp_path / "film.gif")
    assert (np.stack(shown) == DIGITS[..., None]).all()


def test_few_colours_are_kept_through_the_whole_film(tmp_path: Path) -> None:
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 200, 40], [20, 60, 255]], np.uint8)
    # Only the last frame has the fourth colour.
    frames = [colours[RANDOM.integers(0, 3, (9, 12))] for _ in range(4)]
    frames.append(np.broadcast_to(colours[3], (9, 12, 3)))
    film.write_gif(tmp_path / "film.gif", frames, 50)
    shown, _, _ = frames_of(tmp_path / "film.gif")
    assert (np.stack(shown) == np.stack(frames)).all()


def test_many_colours_are_approximated(tmp_path: Path) -> None:
    ramp = np.stack(np.meshgrid(np.arange(256), np.arange(64), indexing="ij"), -1)
    frame = np.concatenate([ramp, 255 - ramp[..., :1]], -1).astype(np.uint8)
    film.write_gif(tmp_path / "film.gif", [frame, frame[::-1]], 50)
    shown, _, _ = frames_of(tmp_path / "film.gif")
    assert np.abs(shown[0].astype(int) - frame).mean() < 6


@pytest.mark.parametrize(("asked", "kept"), [(20, 20), (33, 30), (67, 70), (1_000, 1_000)])
def test_times_are_rounded_to_the_unit_of_the_format(tmp_path: Path, asked: int, kept: int) -> None:
    film.write_gif(tmp_path / "film.gif", list(DIGITS[:2]), asked)
    assert frames_of(tmp_path / "film.gif")[1] == [kept, kept]


@pytest.mark.parametrize("milliseconds", [0, 19, 655_351])
def test_times_out_of_bounds_are_refused(tmp_path: Path, milliseconds: int) -> None:
    with pytest.raises(ValueError, match=f"is {milliseconds} ms. It must be 20 to 655,350"):
        film.write_gif(tmp_path / "film.gif", list(DIGITS), milliseconds)


def test_each_frame_may_have_its_own_time(tmp_path: Path) -> None:
    film.write_gif(tmp_path / "film.gif", list(DIGITS[:3]), [40, 80, 1_500])
    assert frames_of(tmp_path / "film.gif")[1] == [40, 80, 1_500]
    with pytest.raises(ValueError, match="2 times for 3 frames"):
        film.write_gif(tmp_path / "film.gif", list(DIGITS[:3]), [40, 80])


class ComputedFrames(Sequence):
    """Frames that are computed at each access; after `most` accesses they fail."""

    def __init__(self, count: int, most: int = 1_000) -> None:
        self.count, self.left = count, most

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        if number >= self.count:
            raise IndexError(number)
        self.left -= 1
        if self.left < 0:
            raise KeyError("no more frames")
        return np.full((8, 8, 3), (9 * number, 0, 40), np.uint8)


def test_frames_may_be_computed_at_each_access(tmp_path: Path) -> None:
    film.write_gif(tmp_path / "film.gif", ComputedFrames(5), 40)
    shown, _, _ = frames_of(tmp_path / "film.gif")
    assert [frame[0, 0, 0] for frame in shown] == [0, 9, 18, 27, 36]


@pytest.mark.parametrize("write", [film.write_gif, film.write_mp4])
def test_a_frame_that_cannot_be_computed_leaves_no_file(
    tmp_path: Path, write: Callable[[Path, Sequence[NDArray[np.uint8]], int], None]
) -> None:
    if write is film.write_mp4:
        pytest.importorskip("imageio_ffmpeg")
    with pytest.raises(KeyError, match="no more frames"):
        write(tmp_path / "film", ComputedFrames(5, most=8), 25)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("write", [film.write_gif, film.write_mp4])
def test_frames_must_exist_and_have_one_size(
    tmp_path: Path, write: Callable[[Path, list[NDArray[np.uint8]], int], None]
) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        write(tmp_path / "film", [], 25)
    with pytest.raises(ValueError, match=r"\(27, 28\), \(28, 28\)"):
        write(tmp_path / "film", [DIGITS[0], DIGITS[1, 1:]], 25)
    assert not any(tmp_path.iterdir())


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "film.gif"
    place.write_bytes(b"old")
    film.write_gif(place, list(DIGITS), 50)
    assert place.read_bytes().startswith(b"GIF89a")
    assert [file.name for file in tmp_path.iterdir()] == ["film.gif"]


def test_the_error_names_a_file_in_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(AEViewerError, match=r"away.film\.gif cannot be written"):
        film.write_gif(tmp_path / "away" / "film.gif", list(DIGITS), 50)


def test_without_the_encoders_package_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(AEViewerError, match="uv sync --extra film"):
        film.write_mp4(tmp_path / "film.mp4", list(DIGITS), 25)
    assert not any(tmp_path.iterdir())


def test_the_error_has_the_message_of_the_encoder(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    too_wide = np.zeros((2, 20_000), np.uint8)
    with pytest.raises(AEViewerError, match=r"not be encoded \(.*20000x2.*\)\. Write a GIF"):
        film.write_mp4(tmp_path / "film.mp4", [too_wide], 25)
    assert not any(tmp_path.iterdir())


def test_the_error_names_a_missing_encoder_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "no-such-program"))
    with pytest.raises(AEViewerError, match=r"not be encoded \(.*no-such-program.*\)\. Write"):
        film.write_mp4(tmp_path / "film.mp4", list(DIGITS), 25)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(56, 84), (57, 85), (57, 84, 3)])
def test_a_film_has_all_frames_and_an_even_size(tmp_path: Path, shape: tuple[int, ...]) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    frames = [np.full(shape, level, np.uint8) for level in range(0, 250, 10)]
    place = tmp_path / "film.mp4"
    film.write_mp4(place, frames, 12.5)
    assert ffmpeg.count_frames_and_secs(str(place)) == (25, pytest.approx(2.0, abs=0.01))
    shown, description = decode_mp4(place)
    height, width = (side + side % 2 for side in shape[:2])
    assert shown.shape == (25, height, width, 3)
    assert "Video: h264" in description
    assert "yuv420p" in description
    assert "12.50 fps" in description
    assert shown.mean(axis=(1, 2, 3)) == pytest.approx(range(0, 250, 10), abs=4)


def test_a_film_shows_the_digits(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    digit = np.zeros((28, 28), np.uint8)
    digit[6:22, 12:16] = 255
    film.write_mp4(tmp_path / "film.mp4", [digit.repeat(4, 0).repeat(4, 1)] * 3, 10)
    shown, _ = decode_mp4(tmp_path / "film.mp4")
    assert shown.shape == (3, 112, 112, 3)
    ink = shown[1, ..., 0].reshape(28, 4, 28, 4).mean(axis=(1, 3))
    assert np.abs(ink - digit).max() < 16


@pytest.mark.parametrize("fps", [0, -1, 241, float("nan"), float("inf")])
def test_frames_per_second_must_be_above_0_and_at_most_240(tmp_path: Path, fps: float) -> None:
    with pytest.raises(ValueError, match="at most 240"):
        film.write_mp4(tmp_path / "film.mp4", list(DIGITS), fps)
