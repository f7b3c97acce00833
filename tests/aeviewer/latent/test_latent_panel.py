from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication

from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.services.timeline.trajectory import Interpolation
from tests.aeviewer.latent.latent_panel_hands import codes, give, show
from tests.trainers.datasets.sample_images import folder, kept
from trainers import runs
from trainers.datasets import mnist
from trainers.errors import DataError
from trainers.events import Preview
from trainers.exploration.planes import axes_plane
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.latent_services import LatentServices
    from aeviewer.services.runs.session import Session


def test_without_codes_it_says_what_to_do(panel: LatentPanel) -> None:
    assert panel.empty.isVisible()
    assert panel.empty.label.text() == "Press Train, or choose a run: its codes appear here."


def test_first_codes_give_the_decoder_their_mean(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(2)
    show(qtbot, panel, session, table)
    np.testing.assert_allclose(session.code, table.mean(axis=0), atol=1e-5)
    assert panel.plot.marker == pytest.approx(table.mean(axis=0), abs=1e-5)


def test_all_test_codes_are_shown_by_class(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(2)
    show(qtbot, panel, session, table)
    np.testing.assert_allclose(panel.plot.raster.xy, table)
    assert len(panel.plot.raster.shown) == 10_000


NO_CHECKPOINT = "This run has no checkpoint yet. Choose Continue training in the list of runs."


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.RUNNING, "Training starts: the first codes appear in a moment."),
        (RunState.QUEUED, "This run is queued."),
        (RunState.NEW, NO_CHECKPOINT),
        (RunState.STOPPED, NO_CHECKPOINT),
        (RunState.INTERRUPTED, NO_CHECKPOINT),
        (RunState.FAILED, NO_CHECKPOINT),
        (RunState.DIVERGED, "Press Train, or choose a run: its codes appear here."),
    ],
)
def test_without_codes_it_says_what_is_the_case(
    qtbot: QtBot, panel: LatentPanel, session: Session, state: RunState, words: str
) -> None:
    key = session.add(runs.create_run(preset("elu"), session.folder), RunState.PAUSED)
    session.set_current(key)
    session.set_state(key, state)
    qtbot.waitUntil(lambda: panel.empty.label.text() == words)
    assert panel.empty.isVisible()


def test_a_code_of_another_run_than_the_one_that_is_played_has_no_mark(
    qtbot: QtBot, panel: LatentPanel, session: Session, latent_services: LatentServices
) -> None:
    flat = axes_plane(2, 0, 1)
    show(qtbot, panel, session, codes(3))
    latent_services.playback.interpolation = Interpolation(
        (0, 1), (flat, flat), codes(2).astype(np.float64), 0.5
    )
    session.set_code(np.ones(3, np.float32))
    assert panel.plot.marker is None
    latent_services.playback.interpolation = None


def test_codes_that_glide_without_their_data_set_give_way_to_what_is_wrong(
    qtbot: QtBot,
    panel: LatentPanel,
    session: Session,
    latent_services: LatentServices,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(qtbot, panel, session, codes(2))
    flat, playback = axes_plane(2, 0, 1), latent_services.playback
    playback.interpolation = Interpolation((0, 1), (flat, flat), codes(2).astype(np.float64), 0.5)
    playback.trajectory = object()  # type: ignore[assignment]
    latent_services.latent_state.displayed_codes._gallery = None
    gone = DataError("There is no data set 'spots' here.")
    monkeypatch.setattr(session, "data", Mock(side_effect=gone))
    panel._show_playback()
    assert panel.empty.isVisible()
    assert panel.empty.label.text() == "There is no data set 'spots' here."
    playback.interpolation = playback.trajectory = None


def test_chips_show_and_hide_classes(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    show(qtbot, panel, session, codes(2))
    labels, view = mnist.load_split("test").labels, panel.plot.view()
    chips, left = panel.legend.chips, Qt.MouseButton.LeftButton

    def seen() -> set[int]:
        return set(labels[panel.plot.raster.shown].tolist())

    qtbot.mouseClick(chips[3], left)
    assert seen() == set(range(10)) - {3}
    qtbot.keyClick(chips[3], Qt.Key.Key_Space)
    assert seen() == set(range(10))
    qtbot.mouseClick(chips[7], left)
    qtbot.mouseDClick(chips[7], left)
    assert seen() == {7}
    qtbot.mouseClick(chips[7], left, Qt.KeyboardModifier.ControlModifier)
    assert seen() == set(range(10))
    qtbot.keyClick(chips[2], Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert seen() == {2}
    assert panel.plot.view() == view


def test_view_rests_while_codes_wander_and_fits_another_run(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(2))
    # The axes have names now: the plot between them is laid out anew, and fitted.
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    view = panel.plot.view()
    give(qtbot, panel, session, codes(2) * 0.95, 4000)
    assert panel.plot.view() == view
    panel.plot.box.sigRangeChangedManually.emit([True, True])
    show(qtbot, panel, session, codes(2) * 100, "relu")
    assert panel.plot.view().width() > 10 * view.width()


def test_prior_is_offered_for_variational_runs(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(2), "vae")
    layers = panel.plane_bar.layers
    assert layers.prior.isEnabled()
    image = panel.plot.grab().toImage()
    layers.prior.click()
    assert panel.plot.grab().toImage() != image
    show(qtbot, panel, session, codes(2), "elu")
    assert not layers.prior.isEnabled()


def test_codes_that_belong_to_no_test_image_are_refused(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    session.set_preview(Preview(1, codes(2)[:50], np.zeros((32, 28, 28), np.uint8)))
    qtbot.waitUntil(lambda: "50 codes for 10,000 test images" in panel.empty.label.text())
    assert panel.empty.isVisible()


def test_hidden_panel_catches_up(
    qtbot: QtBot, session: Session, latent_services: LatentServices
) -> None:
    panel = LatentPanel(latent_services)
    qtbot.addWidget(panel)
    config = preset("elu").replace(latent_dim=2)
    session.set_current(session.add(runs.create_run(config, session.folder), RunState.RUNNING))
    session.set_preview(Preview(7, codes(2), np.zeros((32, 28, 28), np.uint8)))
    assert session.code is not None
    assert panel.note.text() == ""
    panel.show()
    assert panel.note.text().startswith("step 7 · live · ")


def test_of_another_data_set_no_class_of_the_old_one_is_looked_up(
    qtbot: QtBot, panel: LatentPanel, session: Session, tmp_path: Path
) -> None:
    """What is chosen between the two, before there are codes, changes what will be shown."""
    show(qtbot, panel, session, codes(2))
    kept(folder(tmp_path / "unnamed", (), 120))
    config = preset("elu").replace(latent_dim=2, dataset="mine", batch_size=10)
    run = runs.create_run(config, session.folder)
    session.set_current(session.add(run, RunState.RUNNING))
    assert run.dataset.classes == ()
    panel.plane_bar.layers.choose(points=0.5)
    tests = run.dataset.test
    session.set_preview(Preview(3, codes(2)[:tests], np.zeros((32, 16, 16), np.uint8)))
    qtbot.waitUntil(
        lambda: (
            panel.note.text().startswith("step 3 · live · ")
            and panel.note.text().endswith(f" · {tests} test images")
        )
    )
    assert len(panel.plot.raster.shown) == tests


def test_ten_classes_stand_in_one_row(qtbot: QtBot, panel: LatentPanel, session: Session) -> None:
    show(qtbot, panel, session, codes(2))
    panel.resize(520, 400)
    qtbot.waitUntil(lambda: len({chip.y() for chip in panel.legend.chips}) == 1)
    assert panel.note.text()
