"""Every plot and picture is copied and saved in one way; its SVG is read by an SVG renderer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QByteArray, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPainterPath, QPen
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QVBoxLayout, QWidget

from aeviewer.palette import CLASS_COLOURS
from aeviewer.panels.export.pictures_menu import PicturesMenu
from aeviewer.widgets.displays.class_bars import ClassBars
from aeviewer.widgets.displays.figure_export import vector
from aeviewer.widgets.displays.picture_export import PictureActions, picture_of, slug
from aeviewer.widgets.images.image_grid import ImageGrid, ImageRow
from aeviewer.widgets.images.image_view import ImageView
from aeviewer.widgets.plots.curve_plot import CurvePlot
from aeviewer.widgets.plots.latent_plot import LatentPlot
from trainers import runs
from trainers.exporting.export import export_run
from trainers.exporting.exporters import choose_exporters
from trainers.generators import finish

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session


_SVG = "{http://www.w3.org/2000/svg}"


class Window(QWidget):
    """Pictures of every kind."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.messages: list[str] = []
        session.message_posted.connect(self.messages.append)
        self.plot, self.view = CurvePlot("Loss curves"), ImageView()
        self.grid, self.bars = ImageGrid(), ClassBars(CLASS_COLOURS)
        self.view.setAccessibleName("Decoded image")
        self.grid.setAccessibleName("Digits")
        column = QVBoxLayout(self)
        for widget in (self.plot, self.view, self.grid, self.bars):
            column.addWidget(widget)
        steps = np.arange(100.0)
        self.plot.set_curve("a", "#ff0000", steps, 5 + steps, np.empty((0, 2)))
        self.menu = PicturesMenu(session, self)
        self.resize(600, 800)

    def actions_of(self, widget: QWidget) -> PictureActions:
        (found,) = widget.findChildren(PictureActions)
        return found


@pytest.fixture
def window(session: Session, qtbot: QtBot) -> Window:
    shown = Window(session)
    qtbot.addWidget(shown)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def _read(svg: bytes) -> QImage:
    """What an SVG renderer makes of it."""
    renderer = QSvgRenderer(QByteArray(svg))
    assert renderer.isValid()
    image = QImage(renderer.viewBox().size(), QImage.Format.Format_RGB32)
    image.fill(QColor("magenta"))
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def _ramp() -> np.ndarray:
    return np.linspace(0, 1, 784).reshape(28, 28)


def test_a_plot_is_words_and_lines_in_svg(window: Window) -> None:
    picture = picture_of(window.plot)
    assert picture is not None
    svg = picture.svg("Loss curves")
    assert b"<title>Loss curves</title>" in svg
    assert svg.count(b"<text") > 5  # the numbers of the axes
    assert b"<image" not in svg  # nothing of it is made of pixels
    image = _read(svg)
    assert image.size() == window.plot.size()
    colours = {image.pixelColor(x, y).name() for x in range(0, 600, 3) for y in range(0, 150, 3)}
    assert any(QColor(name).red() > 2 * QColor(name).blue() for name in colours)
    assert "#ff00ff" not in colours  # it has a surface
    assert picture.image().size() == 2 * window.plot.size()


def test_a_finer_picture_is_the_same_picture(window: Window) -> None:
    """What pyqtgraph records for the screen is not drawn larger on finer paper."""
    picture = picture_of(window.plot)
    assert picture is not None
    seen = window.plot.grab().toImage()
    fine = picture.image().scaled(seen.size(), mode=Qt.TransformationMode.SmoothTransformation)
    ours, theirs = (
        np.frombuffer(i.convertToFormat(QImage.Format.Format_Grayscale8).bits(), np.uint8)
        for i in (fine, seen)
    )
    assert np.abs(ours.astype(float) - theirs).mean() < 4


def test_symbols_are_shapes_in_svg(qtbot: QtBot) -> None:
    plot = LatentPlot("Latent space")
    qtbot.addWidget(plot)
    plot.set_pins([(0.5, 0.5)], ["A"])
    plot.set_marker((0.2, 0.2))
    plot.show()
    picture = picture_of(plot)
    assert picture is not None
    svg = picture.svg("Latent space")
    assert svg.count(b"<image") == 1  # the points, of which there may be many
    assert _read(svg).size() == plot.size()
    assert plot.grab().toImage().size() == plot.size()  # the screen has its own again


def test_a_digit_is_whole_squares_in_png_and_svg(window: Window) -> None:
    assert picture_of(window.view) is None
    window.view.set_image(_ramp())
    picture = picture_of(window.view)
    assert picture is not None
    for image in (picture.image(), _read(picture.svg("digit"))):
        assert (image.width(), image.height()) == (280, 280)
        middles = [image.pixelColor(5 + 10 * x, 135).red() for x in range(28)]
        assert middles == pytest.approx(255 * _ramp()[13], abs=1)


def test_every_picture_is_offered_and_none_twice(window: Window, session: Session) -> None:
    window.view.set_image(_ramp())
    titles = [menu.title() for menu in window.menu.findChildren(QMenu)]
    window.menu.aboutToShow.emit()
    titles = [action.text() for action in window.menu.actions()]
    assert titles == ["Loss curves", "Decoded image", window.bars.accessibleName() or "Picture"]
    window.grid.set_rows([ImageRow("a", np.zeros((4, 28, 28), np.uint8))])
    window.menu.aboutToShow.emit()
    assert "Digits" in [action.text() for action in window.menu.actions()]
    again = PicturesMenu(session, window)
    assert again.pictures == window.menu.pictures
    window.hide()
    again.aboutToShow.emit()
    assert [action.text() for action in again.actions()] == ["None is on the screen"]


def test_ctrl_c_copies_the_picture_that_has_the_keyboard(window: Window, qtbot: QtBot) -> None:
    window.plot.setFocus()
    qtbot.keyClick(window.plot, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    kinds = QGuiApplication.clipboard().mimeData()
    assert kinds.imageData().size() == 2 * window.plot.size()
    assert _read(bytes(kinds.data("image/svg+xml").data())).size() == window.plot.size()


def test_a_right_click_on_a_plot_opens_the_menu_and_a_right_drag_does_not(
    window: Window, qtbot: QtBot
) -> None:
    view, at = window.plot.viewport(), QPoint(300, 80)
    before = window.plot.view()
    qtbot.mousePress(view, Qt.MouseButton.RightButton, pos=at)
    for step in range(1, 6):
        qtbot.mouseMove(view, at + QPoint(8 * step, 0))
    qtbot.mouseRelease(view, Qt.MouseButton.RightButton, pos=at + QPoint(40, 0))
    assert QApplication.activePopupWidget() is None
    assert before is not None
    qtbot.mouseClick(view, Qt.MouseButton.RightButton, pos=at)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    shown = [action.text().replace("&", "") for action in menu.actions()]
    assert shown == ["Copy picture", "Save as PNG…", "Save as SVG…"]
    menu.close()
    window.plot.setFocus()
    qtbot.keyClick(window.plot, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.close()


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_is_saved_under_its_name(
    window: Window, session: Session, tmp_path: Path, qtbot: QtBot, ending: str
) -> None:
    with runs.demo_run() as demo:
        session.refresh([demo])
        actions = window.actions_of(window.plot)
        (actions.png_action if ending == "png" else actions.svg_action).trigger()
        (dialog,) = window.plot.findChildren(QFileDialog)
        assert dialog.selectedFiles()[0].endswith(f"vae-d2-demo-step20000-loss-curves.{ending}")
    place = tmp_path / f"plot.{ending}"
    dialog.fileSelected.emit(str(place))
    if ending == "png":
        with Image.open(place) as picture:
            assert picture.width == 2 * window.plot.width()
    else:
        assert _read(place.read_bytes()).size() == window.plot.size()
    dialog.fileSelected.emit(str(tmp_path / "gone" / "plot.png"))
    assert "cannot be written" in window.messages[-1]
    dialog.reject()
    qtbot.waitUntil(lambda: not window.plot.findChildren(QFileDialog))


def test_names_of_files_are_plain() -> None:
    assert slug("Codes of vae, d = 2") == "codes-of-vae-d-2"
    assert slug("…") == "picture"


def test_what_the_command_draws_is_read_by_an_svg_renderer(tmp_path: Path, qapp: object) -> None:
    with runs.demo_run() as demo:
        files = finish(export_run(demo, choose_exporters(["pictures"]), tmp_path))
    drawn = {file.name: file for file in files}
    for name in ("reconstructions", "losses", "codes"):
        image = _read(drawn[f"{name}.svg"].read_bytes())
        seen = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, 200, 7)}
        assert len(seen) > 2
        with Image.open(drawn[f"{name}.png"]) as picture:
            picture.load()
            assert min(picture.size) > 200


def test_a_line_is_as_wide_as_it_is_drawn_whoever_reads_the_svg() -> None:
    def draw(painter: QPainter) -> None:
        pen = QPen(QColor("#d55e00"), 2)
        pen.setCosmetic(True)
        painter.translate(10, 20)
        painter.scale(100, 0.5)
        painter.setPen(pen)
        painter.drawPolyline([QPointF(0, 0), QPointF(0.5, 10), QPointF(1, 100)])
        painter.drawPath(_round(0.25))
        painter.drawText(QPointF(0.25, 0), "here")

    found = ElementTree.fromstring(vector(QSize(120, 80), draw, "a line"))
    assert b"vector-effect" not in ElementTree.tostring(found)
    (line,) = found.iter(f"{_SVG}polyline")
    assert line.get("points", "").split() == ["10,20", "60,25", "110,70"]
    ends = [p.get("d", "").split()[0] for p in found.iter(f"{_SVG}path")]
    assert ends == ["M35,20"]
    around = {child: parent for parent in found.iter() for child in parent}
    assert around[line].get("stroke-width") == "2"
    assert around[line].get("transform") == "matrix(1,0,0,1,0,0)"
    (text,) = found.iter(f"{_SVG}text")
    placed = text.get("transform") or around[text].get("transform")
    assert placed == "matrix(100,0,0,0.5,10,20)"


def _round(x: float) -> QPainterPath:
    path = QPainterPath(QPointF(x, 0))
    path.cubicTo(x, 10, x + 1, 10, x + 1, 0)
    return path
