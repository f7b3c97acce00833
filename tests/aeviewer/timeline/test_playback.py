"""Checkpoints aligned and played, as a person sees it: in the latent panel, by the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QToolButton

from aeviewer.panels.latent.views_menu import apply_view, capture_view
from aeviewer.panels.timeline.timeline_panel import TimelinePanel
from aeviewer.services.latent.undo_state import Pin
from tests.aeviewer.explored_run import ExploredServices, copy_run, show_latent_panel
from trainers.exploration.alignment import procrustes
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun
    from trainers.runs import Run

STEPS = (0, 20, 40)


@pytest.fixture(scope="session", params=[("vae", 2), ("elu", 5)])
def run(request: pytest.FixtureRequest, trained_run: TrainRun) -> Run:
    """Returns a run with codes of two numbers, then one of five; each has three checkpoints."""
    return trained_run(*request.param, checkpoints=STEPS)


@pytest.fixture
def explored(explored: ExploredServices, qtbot: QtBot) -> ExploredServices:
    qtbot.waitUntil(lambda: explored.alignments.aligned is not None)
    return explored


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> LatentPanel:
    return show_latent_panel(qtbot, explored)


@pytest.fixture
def timeline(explored: ExploredServices, panel: LatentPanel, qtbot: QtBot) -> TimelinePanel:
    timeline = TimelinePanel(explored)
    qtbot.addWidget(timeline)
    timeline.resize(1000, 52)
    timeline.show()
    return timeline


def button(timeline: TimelinePanel, text: str) -> QToolButton:
    return next(b for b in timeline.findChildren(QToolButton) if b.text() == text)


def go_to(qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, step: int) -> np.ndarray:
    """Shows a checkpoint; answers its codes."""
    explored.session.show_step(step)
    qtbot.waitUntil(lambda: f"step {step:,} ·" in panel.note.text())
    codes = explored.latent_state.test_codes
    assert codes is not None
    return codes


def kept(run: Run, step: int) -> np.ndarray:
    return run.checkpoint(step).codes()


def test_an_earlier_checkpoint_is_shown_as_the_last_one_lies(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, run: Run
) -> None:
    """Aligned to the next and through it to the last; the axes are the last one's."""
    go_to(qtbot, explored, panel, 0)
    second = procrustes(kept(run, 20), kept(run, 40))
    first = procrustes(kept(run, 0), second.apply(kept(run, 20)))
    expected = first.apply(kept(run, 0))[:, :2]
    np.testing.assert_allclose(panel.plot.raster.xy, expected, atol=1e-5)
    away = [np.square(xy - kept(run, 40)[:, :2]).sum() for xy in (expected, kept(run, 0)[:, :2])]
    assert away[0] < away[1]


def test_it_says_that_codes_are_aligned(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel
) -> None:
    assert "aligned" not in panel.note.text()
    assert panel.plot.axis("bottom").labelText == "z₁"
    go_to(qtbot, explored, panel, 0)
    assert "· aligned to step 40 by rotation" in panel.note.text()
    assert panel.plot.axis("bottom").labelText == "aligned z₁"
    assert panel.plot.axis("left").labelText == "aligned z₂"


def test_the_last_checkpoint_is_as_it_is(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, run: Run
) -> None:
    go_to(qtbot, explored, panel, 0)
    go_to(qtbot, explored, panel, 40)
    np.testing.assert_allclose(panel.plot.raster.xy, kept(run, 40)[:, :2], atol=1e-6)


def test_a_press_decodes_the_code_that_lies_there(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, run: Run
) -> None:
    from trainers.inference import load

    go_to(qtbot, explored, panel, 0)
    middle = panel.plot.raster.xy.mean(axis=0)
    place = panel.plot.mapFromScene(panel.plot.box.mapViewToScene(QPointF(*middle)))
    panel.plot.raster.xy = panel.plot.raster.xy + 1e6  # no code near: the place itself is meant
    panel.plot._index = None
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    code, pressed = explored.session.code, panel.plot.marker
    assert code is not None
    assert pressed is not None
    aligned = explored.alignments.at(0)
    assert aligned is not None
    np.testing.assert_allclose(aligned.apply(code)[:2], pressed, atol=1e-5)
    np.testing.assert_allclose(pressed, middle, atol=5 * panel.plot.box.viewPixelSize()[0])
    expected = load(run, 0).decode(code[None])[0]
    qtbot.waitUntil(
        lambda: (
            explored.session.image is not None
            and np.allclose(explored.session.image, expected, atol=1e-5)
        )
    )


def test_a_click_on_a_point_marks_that_image(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel
) -> None:
    codes = go_to(qtbot, explored, panel, 0)
    x, y = panel.plot.raster.xy[7]
    found = panel.plot.nearest(x, y)
    place = panel.plot.mapFromScene(panel.plot.box.mapViewToScene(QPointF(x, y)))
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    near = np.flatnonzero((codes == explored.session.code).all(axis=1))
    assert len(near) == 1
    pixel = panel.plot.box.viewPixelSize()[0]
    assert np.abs(panel.plot.raster.xy[near[0]] - (x, y)).max() < 2 * pixel
    assert found is not None


def test_the_mosaic_is_turned_with_the_codes(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, run: Run
) -> None:
    from trainers.inference import load

    go_to(qtbot, explored, panel, 0)
    mosaic, latent_state = explored.mosaic, explored.latent_state
    qtbot.waitUntil(lambda: mosaic.grid is not None and not mosaic.missing(mosaic.grid))
    grid, plane, anchor = mosaic.grid, latent_state.plane, latent_state.anchor
    assert grid is not None
    assert anchor is not None
    x, y = grid.rectangle[0] + 2.5 * grid.side, grid.rectangle[1] + 1.5 * grid.side
    motion = explored.alignments.at(0)
    assert motion is not None
    assert plane is not None
    seen = motion.apply(anchor)
    seen[:2] = x, y
    code = motion.inverse().apply(seen)
    expected = np.rint(load(run, 0).decode(code[None].astype(np.float32))[0].clip(0, 1) * 255)
    tile = mosaic.picture()[0][grid.rows - 2, 2]
    np.testing.assert_allclose(tile, expected, atol=1)


def test_the_button_shows_codes_as_they_are(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, timeline: TimelinePanel, run: Run
) -> None:
    go_to(qtbot, explored, panel, 0)
    align = button(timeline, "Align")
    assert align.isChecked()
    assert "Procrustes" in align.toolTip()
    assert "Ctrl+L" in align.toolTip()
    qtbot.mouseClick(align, Qt.MouseButton.LeftButton)
    assert not align.isChecked()
    qtbot.waitUntil(lambda: "aligned" not in panel.note.text())
    np.testing.assert_allclose(panel.plot.raster.xy, kept(run, 0)[:, :2], atol=1e-6)
    assert panel.plot.axis("bottom").labelText == "z₁"
    timeline.align_action.trigger()
    qtbot.waitUntil(lambda: "aligned" in panel.note.text())


class Watched:
    """What was seen while it played."""

    def __init__(self, explored: ExploredServices, panel: LatentPanel) -> None:
        self.frames: list[tuple[int | None, np.ndarray, tuple[tuple[float, float], ...]]] = []
        self.views: set[tuple[float, ...]] = set()
        self._explored, self._panel = explored, panel
        explored.playback.moved.connect(self.take)

    def take(self) -> None:
        plot, between = self._panel.plot, self._explored.playback.interpolation
        if between is not None:
            step = self._explored.session.step
            self.frames.append((step, np.array(plot.raster.xy), plot.pins))
            assert step == between.nearer
            self.views.add(tuple(round(side, 6) for side in plot.view().getRect()))


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("kind", ["coordinates", "principal"])
def test_codes_glide_from_the_first_checkpoint_to_the_last(
    qtbot: QtBot,
    explored: ExploredServices,
    panel: LatentPanel,
    timeline: TimelinePanel,
    run: Run,
    kind: str,
    aligned: bool,
) -> None:
    panel.plane_bar.kind.setCurrentIndex(panel.plane_bar.kind.findData(kind))
    explored.alignments.set_enabled(aligned)
    latent_state = explored.latent_state
    codes = latent_state.codes
    assert codes is not None
    latent_state.pin(Pin(codes[3], 3))
    watched = Watched(explored, panel)
    qtbot.mouseClick(button(timeline, "Play checkpoints"), Qt.MouseButton.LeftButton)
    assert explored.session.step == 0
    qtbot.waitUntil(lambda: not timeline.is_playing)
    assert list(dict.fromkeys(step for step, _, _ in watched.frames)) == [0, 20, 40]
    assert len(watched.frames) >= 8
    # Between the checkpoints, no two frames are alike, and none is far from the one before.
    span = np.ptp(watched.frames[-1][1], axis=0).max()
    for (_, before, _), (_, after, _) in zip(watched.frames, watched.frames[1:], strict=False):
        moved = np.abs(after - before).max()
        assert 0 < moved < span
    for _, xy, pins in watched.frames:
        np.testing.assert_allclose(pins, [xy[3]], atol=1e-6)
    assert len(watched.views) == 1
    # The last frame is what the checkpoint has.
    plane = latent_state.plane
    assert plane is not None
    assert not plane.is_aligned
    expected = plane.project(kept(run, 40))
    qtbot.waitUntil(lambda: np.allclose(panel.plot.raster.xy, expected, atol=1e-9))
    assert explored.playback.interpolation is None


def test_pausing_shows_the_nearer_checkpoint(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, timeline: TimelinePanel
) -> None:
    go_to(qtbot, explored, panel, 0)
    timeline.play_action.trigger()
    qtbot.waitUntil(lambda: explored.playback.interpolation is not None)
    timeline.play_action.trigger()
    assert not timeline.is_playing
    plane, step = explored.latent_state.plane, explored.session.step
    assert step in STEPS[:2]
    codes = explored.latent_state.test_codes
    assert plane is not None
    assert codes is not None
    expected = plane.project(codes)
    qtbot.waitUntil(lambda: np.allclose(panel.plot.raster.xy, expected, atol=1e-6))


def test_a_press_while_codes_glide_decodes_by_the_nearer_checkpoint(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, timeline: TimelinePanel
) -> None:
    go_to(qtbot, explored, panel, 0)
    timeline.play_action.trigger()
    qtbot.waitUntil(lambda: explored.playback.interpolation is not None)
    panel.plot.pressed_at.emit(0.3, -0.2)
    code, plane = explored.session.code, explored.latent_state.plane
    assert code is not None
    assert plane is not None
    np.testing.assert_allclose(plane.project(code), (0.3, -0.2), atol=1e-5)
    assert timeline.is_playing
    timeline.play_action.trigger()


def test_another_plane_while_it_plays_is_played_on(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, timeline: TimelinePanel
) -> None:
    timeline.play_action.trigger()
    qtbot.waitUntil(lambda: explored.playback.interpolation is not None)
    timeline.align_action.trigger()
    assert timeline.is_playing
    qtbot.waitUntil(lambda: not timeline.is_playing)
    assert explored.session.step == 40


def test_a_checkpoint_that_is_merely_saved_turns_nothing(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel, session: Session
) -> None:
    go_to(qtbot, explored, panel, 20)
    before = explored.alignments.aligned
    assert before is not None
    current = session.current
    assert current is not None
    session.add_step(current.key, 60)
    assert explored.alignments.aligned is before
    assert not explored.alignments.is_working


def test_a_plane_through_pins_stays_through_them(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel
) -> None:
    codes = go_to(qtbot, explored, panel, 0)
    if codes.shape[1] == 2:
        pytest.skip("a code of two numbers has one plane")
    for image in (3, 5, 7):
        explored.latent_state.pin(Pin(codes[image]))
    panel.plane_bar.kind.setCurrentIndex(2)
    places = np.array(panel.plot.pins)
    np.testing.assert_allclose(places[0], 0, atol=1e-4)
    np.testing.assert_allclose(places[1, 1], 0, atol=1e-4)
    away = np.linalg.norm(codes[[5, 7]] - codes[3], axis=1)
    np.testing.assert_allclose(np.linalg.norm(places[1:], axis=1), away, rtol=1e-4)
    assert panel.plot.axis("left").labelText == "aligned towards C"


def test_a_view_keeps_whether_codes_were_aligned(
    qtbot: QtBot, explored: ExploredServices, panel: LatentPanel
) -> None:
    go_to(qtbot, explored, panel, 0)
    view = capture_view(explored.latent_state, panel)
    assert view.aligned
    explored.alignments.set_enabled(False)
    assert not capture_view(explored.latent_state, panel).aligned
    apply_view(view, explored.latent_state, panel)
    assert explored.alignments.is_enabled
    assert explored.session.step == 0


def test_codes_that_can_not_be_read_are_told_and_played_over(
    qtbot: QtBot, session: Session, tmp_path: Path, trained_run: TrainRun
) -> None:
    run = copy_run(trained_run("vae", 2, checkpoints=STEPS), tmp_path / "damaged")
    (run.path / "checkpoints" / "00000000" / "codes.npy").write_bytes(b"no codes")
    explored = ExploredServices(session)
    session.set_current(session.add(run, RunState.FINISHED))
    timeline = TimelinePanel(explored)
    qtbot.addWidget(timeline)
    qtbot.waitUntil(lambda: explored.alignments.problem != "")
    assert "cannot be now" in timeline.align_action.toolTip()
    assert "codes.npy is damaged" in timeline.align_action.toolTip()
    messages: list[str] = []
    session.message_posted.connect(messages.append)
    timeline.play_action.trigger()
    qtbot.waitUntil(lambda: not timeline.is_playing)
    assert session.step == 40
    assert len(messages) == 1
    explored.close()
