"""The film of the checkpoints: what it shows, and the file that comes of it."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from aeviewer.panels.timeline.film_action import FilmAction
from aeviewer.services.latent.undo_state import Pin
from aeviewer.services.timeline.film import FilmCancelled, Frames, timing
from tests.aeviewer.explored_run import ExploredServices, show_latent_panel
from trainers.errors import DataError
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun
    from trainers.runs import Run

STEPS = (0, 40)


@pytest.fixture(scope="session")
def run(trained_run: TrainRun) -> Run:
    return trained_run("vae", 2, checkpoints=STEPS)


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> LatentPanel:
    return show_latent_panel(qtbot, explored)


@pytest.fixture
def action(explored: ExploredServices, panel: LatentPanel) -> FilmAction:
    return FilmAction(explored, panel, panel)


def frames_of(place: Path) -> tuple[np.ndarray, list[int]]:
    with Image.open(place) as film:
        shown, durations = [], []
        for number in range(film.n_frames):
            film.seek(number)
            shown.append(np.asarray(film.convert("RGB")))
            durations.append(film.info["duration"])
        return np.stack(shown), durations


def made(qtbot: QtBot, action: FilmAction, place: Path) -> None:
    action.make(place)
    qtbot.waitUntil(lambda: action.maker is None)


def test_the_key_asks_where_to_and_a_gif_of_different_frames_is_kept(
    qtbot: QtBot, action: FilmAction, panel: LatentPanel, session: Session, tmp_path: Path
) -> None:
    assert action.shortcut().toString() == "Ctrl+Shift+F"
    action.trigger()
    dialog = panel.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.windowTitle() == "Save as GIF or MP4"
    assert dialog.nameFilters() == ["Animated GIF (*.gif)", "MP4 film (*.mp4)"]
    dialog.fileSelected.emit(str(tmp_path / "film.gif"))
    dialog.close()
    assert action.maker is not None
    assert not action.isEnabled()
    qtbot.waitUntil(lambda: action.maker is None)
    assert action.isEnabled()
    shown, durations = frames_of(tmp_path / "film.gif")
    count = len(timing(2, ".gif").moments)
    assert shown.shape == (count, 720, 720, 3)
    assert durations == [80] * (count - 1) + [1_600]
    for before, after in itertools.pairwise(shown):
        assert (before != after).any()
    # The words say another step; the points are in the classes' colours.
    assert (shown[0, 10:32, :200] != shown[-1, 10:32, :200]).any()
    assert (shown[-1, 10:32, :200] == shown[-2, 10:32, :200]).all()
    assert np.ptp(shown[-1, 100:600, 100:600].astype(int), axis=-1).max() > 80
    assert session.step == 40


def test_an_mp4_is_kept_and_held_at_its_end(
    qtbot: QtBot, action: FilmAction, tmp_path: Path
) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    made(qtbot, action, tmp_path / "film.MP4")
    frames, _ = ffmpeg.count_frames_and_secs(str(tmp_path / "film.MP4"))
    assert frames == len(timing(2, ".mp4").order)


def test_decoded_images_and_pins_are_filmed_where_they_are_shown(
    qtbot: QtBot, action: FilmAction, panel: LatentPanel, explored: ExploredServices, tmp_path: Path
) -> None:
    visible = panel.legend.visible
    assert visible.all()
    panel.plane_bar.layers.choose(mosaic=False, points=0.0)
    made(qtbot, action, tmp_path / "bare.gif")
    panel.plane_bar.layers.choose(mosaic=True)
    made(qtbot, action, tmp_path / "tiles.gif")
    panel.plane_bar.layers.choose(mosaic=False)
    codes = explored.latent_state.codes
    assert codes is not None
    explored.latent_state.pin(Pin(codes[3], 3))
    made(qtbot, action, tmp_path / "pin.gif")
    bare, tiles, pin = (
        frames_of(tmp_path / f"{name}.gif")[0].astype(int) for name in ("bare", "tiles", "pin")
    )
    shown = slice(64, 660)
    assert (np.abs(tiles - bare)[:, shown, 80:].max(axis=-1) > 8).mean() > 0.02
    marked = np.abs(pin - bare)[:, shown, 80:].max(axis=-1) > 20
    assert marked.any(axis=(1, 2)).all()
    middles = [np.argwhere(frame).mean(axis=0) for frame in marked]
    assert np.linalg.norm(middles[0] - middles[-1]) > 5


def test_codes_of_one_number_are_filmed(
    qtbot: QtBot,
    action: FilmAction,
    session: Session,
    trained_run: TrainRun,
    panel: LatentPanel,
    tmp_path: Path,
) -> None:
    session.set_current(session.add(trained_run("vae", 1, checkpoints=STEPS), RunState.FINISHED))
    qtbot.waitUntil(lambda: session.preview is not None)
    made(qtbot, action, tmp_path / "line.gif")
    shown, _ = frames_of(tmp_path / "line.gif")
    # Ten rows of points, one a class: all the height is used.
    coloured = np.ptp(shown[-1, 60:660, 60:].astype(int), axis=-1) > 20
    rows = np.flatnonzero(coloured.any(axis=1))
    assert rows[0] < 60
    assert rows[-1] > 520


def test_cancelling_leaves_nothing(
    qtbot: QtBot, action: FilmAction, tmp_path: Path, session: Session
) -> None:
    told: list[str] = []
    session.message_posted.connect(told.append)
    action.make(tmp_path / "film.gif")
    maker = action.maker
    assert maker is not None
    qtbot.waitUntil(lambda: maker.progress.labelText().startswith("Drawing"))
    maker.progress.canceled.emit()
    qtbot.waitUntil(lambda: action.maker is None)
    assert not any(tmp_path.glob("*film*"))
    assert told == []
    made(qtbot, action, tmp_path / "film.gif")
    assert (tmp_path / "film.gif").is_file()


@pytest.mark.parametrize("stage", ["Reading", "Decoding", "Writing"])
def test_the_window_may_close_at_any_moment(
    qtbot: QtBot, action: FilmAction, tmp_path: Path, stage: str
) -> None:
    action.make(tmp_path / "film.gif")
    maker = action.maker
    assert maker is not None
    qtbot.waitUntil(lambda: maker.progress.labelText().startswith(stage))
    action.cancel()
    action.cancel()
    qtbot.waitUntil(lambda: action.maker is None)
    assert not any(tmp_path.glob("*film*"))


def test_a_name_that_says_no_kind_of_film_is_told(
    action: FilmAction, session: Session, tmp_path: Path
) -> None:
    told: list[str] = []
    session.message_posted.connect(told.append)
    action.make(tmp_path / "film.avi")
    assert told == ["film.avi does not say which film it is: let it end in .gif or .mp4."]
    assert action.maker is None


def test_a_missing_encoder_is_told_before_anything_is_drawn(
    action: FilmAction, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    told: list[str] = []
    session.message_posted.connect(told.append)
    action.make(tmp_path / "film.mp4")
    assert "uv sync --extra film" in told[0]
    assert action.maker is None


def test_a_folder_that_is_gone_is_told(
    qtbot: QtBot, action: FilmAction, session: Session, tmp_path: Path
) -> None:
    told: list[str] = []
    session.message_posted.connect(told.append)
    made(qtbot, action, tmp_path / "gone" / "film.gif")
    assert len(told) == 1
    assert "cannot be written" in told[0]


def test_a_data_set_that_is_gone_is_told(
    qtbot: QtBot,
    action: FilmAction,
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    session.message_posted.connect(told.append)
    gone = DataError("There is no data set 'spots' here.")
    monkeypatch.setattr(session, "data", Mock(side_effect=gone))
    made(qtbot, action, tmp_path / "film.gif")
    assert told == ["There is no data set 'spots' here."]
    assert not (tmp_path / "film.gif").exists()


def test_it_is_offered_where_there_are_two_checkpoints(
    action: FilmAction, session: Session
) -> None:
    assert action.isEnabled()
    session.set_current(None)
    assert not action.isEnabled()


@pytest.mark.parametrize("ending", [".gif", ".mp4"])
@pytest.mark.parametrize("checkpoints", [2, 7, 25, 200])
def test_every_checkpoint_is_a_frame_and_the_last_is_held(checkpoints: int, ending: str) -> None:
    found = timing(checkpoints, ending)
    at_rest = [number for number, time in found.moments if time == 0]
    assert at_rest == [*range(checkpoints - 1)]
    assert found.moments[-1] == (checkpoints - 2, 1.0)
    assert len(found.milliseconds) == len(found.moments)
    assert found.milliseconds[-1] > 10 * found.milliseconds[0]
    assert found.order[: len(found.moments)] == tuple(range(len(found.moments)))
    assert set(found.order[len(found.moments) :]) == {len(found.moments) - 1}
    per_way = (len(found.moments) - 1) / (checkpoints - 1)
    assert (3 if ending == ".gif" else 7) <= per_way <= 24


def test_frames_come_out_as_they_went_in() -> None:
    table = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)
    frames = Frames((6, 8))
    for frame in table:
        frames.append(frame)
    np.testing.assert_array_equal(np.stack([*frames]), table)
    np.testing.assert_array_equal(frames[-1], table[-1])
    frames.order = (0, 3, 3)
    np.testing.assert_array_equal(np.stack([*frames]), table[[0, 3, 3]])
    frames.cancelled.set()
    with pytest.raises(FilmCancelled):
        frames[0]


def test_the_window_lives_while_it_is_made(
    qtbot: QtBot, action: FilmAction, panel: LatentPanel, tmp_path: Path
) -> None:
    """A key that is pressed while frames are drawn is heard before the film is done."""
    action.make(tmp_path / "film.gif")
    maker = action.maker
    assert maker is not None
    drawing = maker.progress.findChild(QProgressBar).valueChanged
    with qtbot.waitSignal(drawing, timeout=60_000, check_params_cb=lambda done: done >= 1):
        pass
    window: QWidget = panel
    assert window.isEnabled()
    panel.plane_bar.set_mode("lasso")
    assert panel.plot.mode == "lasso"
    assert action.maker is not None
    action.cancel()
    qtbot.waitUntil(lambda: action.maker is None)
