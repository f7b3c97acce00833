from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QComboBox, QToolButton

from aeviewer.panels.losses.loss_panel import LossPanel
from aeviewer.panels.losses.loss_table import loss_text, loss_unit
from tests.trainers.datasets.sample_images import drafted, shapes
from trainers import runs
from trainers.events import Losses
from trainers.presets import preset
from trainers.runs import RunState
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> LossPanel:
    panel = LossPanel(session)
    qtbot.addWidget(panel)
    panel.resize(1000, 400)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def losses(count: int, value: float, kl: float = 0.0, first: int = 1) -> Losses:
    step = np.arange(first, first + count)
    parts = [np.full(count, v, np.float32) for v in (value + kl, value, kl)]
    return Losses(step, *parts)


def evaluation(step: int, value: float, kl: float = 0.0) -> Evaluation:
    return Evaluation(
        step=step,
        images=10_000,
        squared_error=value,
        squared_error_per_pixel=value / 784,
        reconstruction_at_mean=value,
        test_reconstruction=value,
        kl=kl,
        test_kl=kl,
        loss_at_mean=value + kl,
        test_loss=value + kl,
    )


def started(session: Session, name: str, value: float, kl: float = 0.0) -> str:
    key = session.add(runs.create_run(preset(name), session.folder), RunState.RUNNING)
    session.append_losses(key, losses(100, value, kl))
    session.add_checkpoint(key, evaluation(50, value + 1, kl))
    session.add_checkpoint(key, evaluation(100, value + 3, kl))
    return key


def press(qtbot: QtBot, panel: LossPanel, name: str) -> None:
    buttons = {b.accessibleName(): b for b in panel.findChildren(QToolButton)}
    qtbot.mouseClick(buttons[name], Qt.MouseButton.LeftButton)


def choose_metric(panel: LossPanel, label: str) -> None:
    actions = [a for b in panel.findChildren(QToolButton) if b.menu() for a in b.menu().actions()]
    next(a for a in actions if a.text().startswith(label)).trigger()


def told(qtbot: QtBot, panel: LossPanel, *words: str) -> None:
    qtbot.waitUntil(lambda: all(word in panel.readout.text for word in words))


def test_without_a_run_it_says_what_to_do(panel: LossPanel) -> None:
    assert panel.empty.isVisible()
    assert panel.empty.label.text().startswith("Press Train to start a run")


def test_a_run_is_read_with_its_newest_and_best_values(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    key = started(session, "elu", 30)
    told(qtbot, panel, "elu-d5\t30.00\t33.00\t31.00 (0.03954/px) at 50")
    assert panel.plot.isVisible()
    session.append_losses(key, losses(100, 20, first=101))
    told(qtbot, panel, "33.00 at 100")


def places(panel: LossPanel) -> tuple[QRect, QRect]:
    """Where plot and readout are, in the panel."""
    panel.grab()
    return tuple(  # type: ignore[return-value]
        QRect(w.mapTo(panel, QPoint(0, 0)), w.size()) for w in (panel.plot, panel.readout)
    )


@pytest.mark.parametrize("count", [1, 3, 9])
@pytest.mark.parametrize(("width", "height"), [(480, 200), (480, 150), (300, 260), (700, 400)])
def test_readout_hides_nothing_and_leaves_the_curves_room(
    qtbot: QtBot, panel: LossPanel, session: Session, count: int, width: int, height: int
) -> None:
    for _ in range(count):
        started(session, "elu", 30)
    told(qtbot, panel, "elu-d5")
    panel.resize(width, height)
    plot, readout = places(panel)
    assert panel.width() == width
    assert not plot.intersects(readout)
    assert panel.rect().contains(readout)
    assert plot.width() > 0.45 * width
    assert plot.height() > 0.35 * height
    assert readout.height() >= panel.readout.height_of(1)


def test_many_runs_scroll_and_the_current_one_is_in_sight(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    keys = [started(session, "elu", 30) for _ in range(12)]
    panel.resize(600, 600)
    session.set_current(keys[-1])
    told(qtbot, panel, "elu-d5-12")
    _, readout = places(panel)
    assert readout.height() <= panel.readout.height_of(6)
    assert panel.readout.verticalScrollBar().maximum() > 0
    item = panel.readout.item(11, 0)
    assert item is not None
    assert item.text() == "elu-d5-12"
    assert panel.readout.viewport().rect().contains(panel.readout.visualItemRect(item).center())


def test_low_panel_tells_of_the_current_run_alone(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    keys = [started(session, "elu", 30) for _ in range(3)]
    session.set_current(keys[1])
    panel.resize(480, 170)
    told(qtbot, panel, "elu-d5-2")
    qtbot.waitUntil(lambda: panel.readout.rowCount() == 1)
    assert len(panel.plot.names) == 3


def test_panel_can_be_narrow(panel: LossPanel) -> None:
    assert panel.minimumSizeHint().width() <= 300


def hover(panel: LossPanel, step: float) -> None:
    plot = panel.plot
    place = plot.mapFromScene(plot.box.mapViewToScene(QPointF(step, plot.view().center().y())))
    none, free = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    where = place.toPointF()
    event = QMouseEvent(QEvent.Type.MouseMove, where, where, free, free, none)
    QApplication.sendEvent(plot.viewport(), event)


def test_reading_under_the_mouse(qtbot: QtBot, panel: LossPanel, session: Session) -> None:
    started(session, "elu", 30)
    told(qtbot, panel, "elu-d5")
    hover(panel, 60)
    told(qtbot, panel, "step 60", "30.00\t31.00 at 50\t31.00 (0.03954/px) at 50")
    QApplication.sendEvent(panel.plot, QEvent(QEvent.Type.Leave))
    told(qtbot, panel, "newest")


def test_runs_that_ended_or_were_not_yet_tested_say_nothing_under_the_mouse(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    started(session, "elu", 30)
    longer = started(session, "relu", 35)
    session.append_losses(longer, losses(900, 20, first=101))
    told(qtbot, panel, "relu-d5\t20.")
    hover(panel, 800)
    told(qtbot, panel, "\nelu-d5\t–\t–\t31.00", "relu-d5\t20.", "38.00 at 100")
    hover(panel, 20)
    told(qtbot, panel, "\nelu-d5\t30.00\t–\t31.00", "\nrelu-d5\t35.00\t–\t36.00")


def test_only_runs_of_one_unit_are_shown_that_of_the_current_one(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    elu, relu = started(session, "elu", 30), started(session, "relu", 35)
    vae = started(session, "vae", 90, kl=12)
    told(qtbot, panel, "\nelu-d5", "\nrelu-d5")
    assert set(panel.plot.names) == {elu, relu}
    assert panel.note.text() == "1 run in nats is not shown; choose it to see it"
    session.set_current(vae)
    told(qtbot, panel, "\nvae-d5")
    assert panel.plot.names == (vae,)
    assert panel.note.isVisible()
    told_of = "2 runs in squared error are not shown; choose one of them to see it"
    assert panel.note.text() == told_of
    assert panel.plot.view().contains(QPointF(100, np.log10(102)))
    press(qtbot, panel, "KL")
    qtbot.waitUntil(lambda: not panel.note.isVisible())
    press(qtbot, panel, "Loss")
    qtbot.waitUntil(panel.note.isVisible)
    for key in (elu, relu):
        session.set_visible(key, False)
    qtbot.waitUntil(lambda: not panel.note.isVisible())
    for key in (elu, relu):
        session.set_visible(key, True)
    session.set_visible(vae, False)
    qtbot.waitUntil(lambda: set(panel.plot.names) == {elu, relu})


def test_kl_has_no_best(qtbot: QtBot, panel: LossPanel, session: Session) -> None:
    key = started(session, "vae", 90, kl=12)
    session.add_checkpoint(key, evaluation(0, 500))
    press(qtbot, panel, "KL")
    told(qtbot, panel, "newest\ttrain\ttest\n", "vae-d5\t12.00\t12.00")
    assert "best" not in panel.readout.text
    assert panel.plot.reading(key).best is None
    press(qtbot, panel, "Loss")
    told(qtbot, panel, "best test", "103.0 at 50")


def test_loss_per_pixel_where_it_fits_and_always_in_the_tooltip(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    started(session, "elu", 30)
    told(qtbot, panel, "(0.03954/px)")
    panel.resize(380, 400)
    told(qtbot, panel, "31.00 at 50")
    assert "px" not in panel.readout.text
    item = panel.readout.item(0, 3)
    assert item is not None
    assert "31.00 per image, 0.03954 per pixel (÷ 784), at step 50" in item.toolTip()


def test_a_pixel_s_share_is_that_of_the_run_s_own_images(
    qtbot: QtBot, panel: LossPanel, session: Session, tmp_path: Path
) -> None:
    np.save(tmp_path / "colours.npy", shapes(160, side=10, channels=3))
    drafted(tmp_path / "colours.npy").keep()
    config = preset("elu").replace(dataset="mine")
    key = session.add(runs.create_run(config, session.folder), RunState.RUNNING)
    session.append_losses(key, losses(100, 30))
    session.add_checkpoint(key, evaluation(100, 30))
    told(qtbot, panel, "30.00 (0.10000/px)")
    item = panel.readout.item(0, 3)
    assert item is not None
    assert "0.10000 per pixel (÷ 300)" in item.toolTip()


def test_visible_runs_are_overlaid_and_hidden_ones_are_not(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    first, second = started(session, "elu", 30), started(session, "relu", 35)
    qtbot.waitUntil(lambda: set(panel.plot.names) == {first, second})
    session.set_visible(first, False)
    qtbot.waitUntil(lambda: panel.plot.names == (second,))
    qtbot.waitUntil(lambda: "\nelu-d5" not in panel.readout.text)
    assert "\nrelu-d5\t35.00" in panel.readout.text


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.DAMAGED])
def test_runs_without_curves_are_left_out(
    qtbot: QtBot, panel: LossPanel, session: Session, state: RunState
) -> None:
    key = started(session, "elu", 30)
    qtbot.waitUntil(lambda: panel.plot.names == (key,))
    session.set_state(key, state)
    qtbot.waitUntil(panel.empty.isVisible)
    assert panel.plot.names == ()


def test_kl_is_offered_where_a_run_has_one(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    started(session, "elu", 30)
    told(qtbot, panel, "elu-d5")
    kl = next(b for b in panel.findChildren(QToolButton) if b.text() == "KL")
    assert not kl.isEnabled()
    assert "train a variational preset" in kl.toolTip()
    vae = started(session, "vae", 90, kl=12)
    qtbot.waitUntil(kl.isEnabled)
    qtbot.mouseClick(kl, Qt.MouseButton.LeftButton)
    told(qtbot, panel, "vae-d5\t12.00\t12.00")
    assert panel.plot.names == (vae,)
    session.set_visible(vae, False)
    assert panel.quantity == "loss"


def test_quantities_are_different_curves(qtbot: QtBot, panel: LossPanel, session: Session) -> None:
    started(session, "vae", 90, kl=12)
    told(qtbot, panel, "102.0")
    press(qtbot, panel, "Reconstruction")
    told(qtbot, panel, "vae-d5\t90.00\t93.00\t91.00 at 50")


def test_axis_is_logarithmic_until_a_value_is_not_positive_or_somebody_chooses(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    key = started(session, "vae", 90, kl=0)
    told(qtbot, panel, "vae-d5")
    scale = next(b for b in panel.findChildren(QToolButton) if b.text() == "Log")
    assert scale.isChecked()
    press(qtbot, panel, "KL")
    qtbot.waitUntil(lambda: not scale.isChecked())
    press(qtbot, panel, "Loss")
    qtbot.waitUntil(scale.isChecked)
    press(qtbot, panel, "Log")
    assert panel.plot.view().contains(QPointF(50, 90))
    session.append_losses(key, losses(10, 80, first=101))
    told(qtbot, panel, "93.00 at 100")
    assert not scale.isChecked()


def test_smoothing_is_chosen(qtbot: QtBot, panel: LossPanel, session: Session) -> None:
    key = started(session, "elu", 30)
    session.append_losses(key, losses(1, 10, first=101))
    told(qtbot, panel, "elu-d5\t26.")  # A young curve is smoothed over a 20th of it.
    choice = panel.findChild(QComboBox)
    assert choice is not None
    qtbot.keyClick(choice, Qt.Key.Key_Home)
    told(qtbot, panel, "elu-d5\t10.00")


def test_show_all_is_offered_once_the_view_was_moved(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    started(session, "elu", 30)
    told(qtbot, panel, "elu-d5")
    reset = next(b for b in panel.findChildren(QToolButton) if b.text() == "Show all")
    assert not reset.isEnabled()
    panel.plot.box.sigRangeChangedManually.emit([True, True])
    panel.plot.box.scaleBy((0.1, 0.1))
    assert reset.isEnabled()
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert panel.plot.view().contains(QPointF(100, np.log10(33)))


def test_units_are_named() -> None:
    elu, vae = preset("elu"), preset("vae")
    assert loss_unit(elu, "loss") == "squared error per image"
    assert loss_unit(vae, "reconstruction") == "nats per image"
    assert loss_unit(elu, "kl") == loss_unit(vae, "kl") == "nats per image"
    assert loss_unit(elu, "pca_ratio") == loss_unit(vae, "pca_ratio") == "ratio"


def test_any_metric_of_the_checkpoints_is_plotted_for_runs_of_every_unit(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    elu, vae = started(session, "elu", 30), started(session, "vae", 90, kl=8)
    for key, step, ratio in ((elu, 200, 0.5), (elu, 300, 0.7), (vae, 200, 0.8)):
        changes = {"pca_ratio": ratio, "active_units": 4}
        session.add_checkpoint(key, evaluation(step, 20).model_copy(update=changes))
    choose_metric(panel, "Error over PCA's")
    told(qtbot, panel, "elu-d5\t0.7000\t0.5000 at 200", "vae-d5\t0.8000\t0.8000 at 200")
    assert "ratio" in panel.plot.plotItem.titleLabel.text
    smoothing = panel.findChild(QComboBox)
    assert smoothing is not None
    assert not smoothing.isEnabled()
    # Neither many nor few active units are the better ones.
    choose_metric(panel, "Active units")
    told(qtbot, panel, "elu-d5\t4.000", "vae-d5\t4.000")
    assert "best" not in panel.readout.text
    press(qtbot, panel, "Loss")
    told(qtbot, panel, "30.00")
    assert smoothing.isEnabled()


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (np.nan, "–"), (1234.5, "1,234"), (33.456, "33.46"), (0.012345, "0.0123")],
)
def test_numbers_have_four_figures(value: float | None, text: str) -> None:
    assert loss_text(value) == text
