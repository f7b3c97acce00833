"""A run's codes in the latent panel, and what a person does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from trainers import runs
from trainers.events import Preview
from trainers.presets import preset
from trainers.runs import RunState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.runs.session import Session


def codes(latent_dim: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(10_000, latent_dim)) + 0.5).astype(np.float32)


def show(
    qtbot: QtBot, panel: LatentPanel, session: Session, table: np.ndarray, name: str = "elu"
) -> None:
    config = preset(name).replace(latent_dim=table.shape[1])
    session.set_current(session.add(runs.create_run(config, session.folder), RunState.RUNNING))
    give(qtbot, panel, session, table, 1000 * len(session.items))


def give(qtbot: QtBot, panel: LatentPanel, session: Session, table: np.ndarray, step: int) -> None:
    session.set_preview(Preview(step, table, np.zeros((32, 28, 28), np.uint8)))
    qtbot.waitUntil(lambda: f"step {step:,} · " in panel.note.text())


def pixel(panel: LatentPanel, x: float, y: float) -> QPoint:
    plot = panel.plot
    return plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y)))


def press(qtbot: QtBot, panel: LatentPanel, x: float, y: float) -> None:
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=pixel(panel, x, y))


def drag(
    panel: LatentPanel,
    start: QPoint,
    end: QPoint,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    viewport, left = panel.plot.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(viewport, left, keys, start)
    for place in (start + (end - start) * share / 4 for share in range(1, 5)):
        where, held = place.toPointF(), Qt.MouseButton.LeftButton
        event = QMouseEvent(
            QEvent.Type.MouseMove, where, viewport.mapToGlobal(where), held, held, keys
        )
        QApplication.sendEvent(viewport, event)
    QTest.mouseRelease(viewport, left, keys, end)


def hover(panel: LatentPanel, place: QPoint) -> None:
    none, free = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    where = place.toPointF()
    event = QMouseEvent(QEvent.Type.MouseMove, where, where, free, free, none)
    QApplication.sendEvent(panel.plot.viewport(), event)
