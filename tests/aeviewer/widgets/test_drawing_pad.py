from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from aeviewer.widgets.images.drawing_pad import CANVAS, DigitPad
from trainers.datasets.mnist import load_split

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SIDE = 282
"""With a pixel of rim around it, the pad then shows its canvas a pixel a pixel."""


@pytest.fixture
def pad(qtbot: QtBot) -> DigitPad:
    pad = DigitPad()
    qtbot.addWidget(pad)
    pad.resize(SIDE, SIDE)
    pad.show()
    qtbot.waitExposed(pad)
    return pad


def stroke(pad: DigitPad, *places: tuple[int, int], button: Qt.MouseButton = LEFT) -> None:
    points = [QPoint(x + 1, y + 1) for x, y in places]
    QTest.mousePress(pad, button, Qt.KeyboardModifier.NoModifier, points[0])
    for point in points[1:]:
        QTest.mouseMove(pad, point)
        QApplication.sendEvent(pad, _moved(pad, point, button))
    QTest.mouseRelease(pad, button, Qt.KeyboardModifier.NoModifier, points[-1])


def _moved(pad: DigitPad, point: QPoint, button: Qt.MouseButton) -> object:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    where = point.toPointF()
    none = Qt.KeyboardModifier.NoModifier
    return QMouseEvent(QEvent.Type.MouseMove, where, pad.mapToGlobal(where), button, button, none)


def test_ink_is_where_it_was_drawn(pad: DigitPad) -> None:
    stroke(pad, (100, 50), (100, 150), (100, 200))
    assert pad.ink[50:200, 95:105].min() > 0.99
    assert pad.ink[:, 130:].max() == 0
    assert pad.ink[:30].max() == 0


def test_a_click_is_a_dot(pad: DigitPad) -> None:
    stroke(pad, (140, 140))
    assert pad.ink.sum() == pytest.approx(np.pi * 11**2, rel=0.05)


@pytest.mark.parametrize("by_mode", [True, False])
def test_rubbing_out(pad: DigitPad, by_mode: bool) -> None:
    stroke(pad, (20, 140), (260, 140))
    pad.erases = by_mode
    stroke(pad, (140, 100), (140, 180), button=LEFT if by_mode else RIGHT)
    assert pad.ink[140, 140] == 0
    assert pad.ink[140, 60] == 1


def test_undo_and_redo_are_exact(pad: DigitPad) -> None:
    stroke(pad, (50, 50), (100, 100))
    first = pad.ink
    stroke(pad, (200, 50), (100, 200))
    second = pad.ink
    pad.clear()
    for wanted in (second, first, np.zeros_like(first)):
        QTest.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        np.testing.assert_array_equal(pad.ink, wanted)
    control_shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    for wanted in (first, second):
        QTest.keyClick(pad, Qt.Key.Key_Z, control_shift)
        np.testing.assert_array_equal(pad.ink, wanted)


def test_it_is_drawn_with_the_keys(pad: DigitPad) -> None:
    QTest.keyClick(pad, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(pad, Qt.Key.Key_Space)
    for _ in range(2):
        QTest.keyClick(pad, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(pad, Qt.Key.Key_Space)
    QTest.keyClick(pad, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert pad.ink[140, 112:168].min() > 0.99
    assert pad.ink[170:].max() == 0
    QTest.keyClick(pad, Qt.Key.Key_Delete)
    assert pad.is_blank
    pad.stack.undo()
    assert not pad.is_blank


def test_it_tells_while_drawing_and_at_the_end(pad: DigitPad, qtbot: QtBot) -> None:
    told: list[np.ndarray] = []
    pad.drawn.connect(told.append)
    QTest.mousePress(pad, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(50, 50))
    QApplication.sendEvent(pad, _moved(pad, QPoint(150, 50), LEFT))
    qtbot.waitUntil(lambda: len(told) == 1)
    QApplication.sendEvent(pad, _moved(pad, QPoint(150, 150), LEFT))
    QTest.mouseRelease(pad, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(150, 150))
    np.testing.assert_array_equal(told[-1], pad.ink)
    assert told[-1].sum() > told[0].sum()


def test_an_image_is_a_beginning_and_can_be_undone(pad: DigitPad) -> None:
    pad.set_image(load_split("test").images[0])
    assert pad.ink.shape == (CANVAS, CANVAS)
    assert pad.ink.max() > 0.9
    pad.stack.undo()
    assert pad.is_blank


def test_an_image_is_pasted(pad: DigitPad) -> None:
    given: list[bytes] = []
    pad.image_given.connect(given.append)
    image = QImage(30, 40, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    QTest.keyClick(pad, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    with Image.open(io.BytesIO(given[0])) as read:
        assert read.size == (30, 40)


def test_a_file_is_dropped(pad: DigitPad, tmp_path: Path) -> None:
    given: list[bytes] = []
    pad.image_given.connect(given.append)
    place = tmp_path / "digit.png"
    Image.fromarray(load_split("test").images[0]).save(place)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(place))])
    how = Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(pad, QDragEnterEvent(QPoint(50, 50), *how))
    QApplication.sendEvent(pad, QDropEvent(QPointF(50, 50), *how))
    assert given == [place.read_bytes()]


def test_it_stays_a_square(pad: DigitPad) -> None:
    pad.resize(500, SIDE)
    left = (500 - SIDE) // 2
    stroke(pad, (left + 140, 140))
    assert pad.ink[140, 140] == 1
