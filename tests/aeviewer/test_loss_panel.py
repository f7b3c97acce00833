from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QComboBox, QToolButton

from aeviewer.panels.loss import LossPanel, number, unit
from trainers import runs
from trainers.evaluation.summary import Evaluation
from trainers.events import Losses
from trainers.presets import preset

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.services.session import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> LossPanel:
    panel = LossPanel(session)
    qtbot.addWidget(panel)
    panel.resize(700, 400)
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
        reconstruction=value,
        kl=kl,
        loss=value + kl,
    )


def started(session: Session, name: str, value: float, kl: float = 0.0) -> str:
    key = session.add(runs.create(preset(name), session.folder), "running")
    session.append_losses(key, losses(100, value, kl))
    session.add_checkpoint(key, evaluation(50, value + 1, kl))
    session.add_checkpoint(key, evaluation(100, value + 3, kl))
    return key


def press(qtbot: QtBot, panel: LossPanel, name: str) -> None:
    buttons = {b.accessibleName(): b for b in panel.findChildren(QToolButton)}
    qtbot.mouseClick(buttons[name], Qt.MouseButton.LeftButton)


def told(qtbot: QtBot, panel: LossPanel, *words: str) -> None:
    qtbot.waitUntil(lambda: all(word in panel.readout.text for word in words))


def test_without_a_run_it_says_what_to_do(panel: LossPanel) -> None:
    assert panel.empty.isVisible()
    assert panel.empty.text().startswith("Press Train to start a run")


def test_a_run_is_read_with_its_newest_and_best_values(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    key = started(session, "elu", 30)
    told(qtbot, panel, "elu-d5\t30.00\t33.00\t31.00 at 50")
    assert panel.plot.isVisible()
    session.append_losses(key, losses(100, 20, first=101))
    told(qtbot, panel, "33.00 at 100")


def test_readout_stands_in_the_corner_at_any_size(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    started(session, "elu", 30)
    told(qtbot, panel, "elu-d5")
    for width in (700, 500, 900):
        panel.resize(width, 400)
        panel.grab()
        room = panel.plot.viewport().rect()
        assert room.contains(panel.readout.geometry())
        assert room.right() - panel.readout.geometry().right() < 16


def test_reading_under_the_mouse(qtbot: QtBot, panel: LossPanel, session: Session) -> None:
    started(session, "elu", 30)
    told(qtbot, panel, "elu-d5")
    plot = panel.plot
    place = plot.mapFromScene(plot.box.mapViewToScene(QPointF(60, plot.view().center().y())))
    none, free = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    where = place.toPointF()
    event = QMouseEvent(QEvent.Type.MouseMove, where, where, free, free, none)
    QApplication.sendEvent(plot.viewport(), event)
    told(qtbot, panel, "step 60", "30.00\t31.00 at 50\t31.00 at 50")
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    told(qtbot, panel, "newest")


def test_visible_runs_are_overlaid_and_hidden_ones_are_not(
    qtbot: QtBot, panel: LossPanel, session: Session
) -> None:
    first, second = started(session, "elu", 30), started(session, "relu", 35)
    qtbot.waitUntil(lambda: set(panel.plot.names) == {first, second})
    session.set_visible(first, False)
    qtbot.waitUntil(lambda: panel.plot.names == (second,))
    qtbot.waitUntil(lambda: "\nelu-d5" not in panel.readout.text)
    assert "\nrelu-d5\t35.00" in panel.readout.text


@pytest.mark.parametrize("state", ["queued", "damaged"])
def test_runs_without_curves_are_left_out(
    qtbot: QtBot, panel: LossPanel, session: Session, state: str
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
    told(qtbot, panel, "vae-d5\t12.00\t12.00\t12.00 at 50")
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
    told(qtbot, panel, "elu-d5\t29.")
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
    assert unit([elu], "loss") == "squared error per image"
    assert unit([vae], "reconstruction") == "nats per image"
    assert unit([elu, vae], "loss") == "squared error or nats per image"
    assert unit([elu, vae], "kl") == "nats per image"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (np.nan, "–"), (1234.5, "1,234"), (33.456, "33.46"), (0.012345, "0.0123")],
)
def test_numbers_have_four_figures(value: float | None, text: str) -> None:
    assert number(value) == text
