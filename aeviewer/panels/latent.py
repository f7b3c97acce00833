"""The latent space: the codes of all test images in a plane, and a point in it to be decoded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget
from superqt import QElidingLabel

from aeviewer.panels.latent_backdrop import Backdrop, Surroundings, class_palette
from aeviewer.panels.layout_strip import LayoutStrip
from aeviewer.panels.plane_choice import PlaneChoice
from aeviewer.services import cloud, colouring
from aeviewer.services.cloud import TEST_IMAGES
from aeviewer.services.exploration import Pin, PlaneChosen, letter
from aeviewer.widgets.colour_bar import ColourBar, limits, shades
from aeviewer.widgets.colours import CLASS_COLOURS
from aeviewer.widgets.explorer_plot import ExplorerPlot
from aeviewer.widgets.legend import ChipLegend
from aeviewer.widgets.styled_plot import small
from trainers.datasets import mnist
from trainers.errors import DataError

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from aeviewer.services.exploring import Exploring
    from aeviewer.widgets.plane_plot import Mode
    from trainers.datasets.mnist import Split
    from trainers.exploration.planes import Plane

_CLASSES = tuple(str(digit) for digit in range(10))
_EMPTY = "Press Train, or choose a run: its codes appear here."
_STARTING = "Starting: the first codes appear in a moment"
_WAITING = "It waits for its turn"
_NOT_STARTED = "Not started: choose Continue training in the runs list"
_CONTINUABLE = {"new", "stopped", "interrupted"}
_JITTER = 0.35
_AROUND = 100
_NO_IMAGE = np.empty((0, 0), np.uint8)


class LatentPanel(QWidget):
    """All test codes, live; what is pressed is decoded.

    Parameters
    ----------
    exploring
        Plane and pins are shown, and changed by pressing, clicking and circling; behind the codes
        is the mosaic; what is known of the marked code, and the way between two pins, is drawn.
    """

    def __init__(self, exploring: Exploring, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        exploration = exploring.exploration
        self._exploration, self._session = exploration, exploring.session
        self._colouring, self._hovering = exploring.colouring, exploring.hovering
        self._alignments, self._playback = exploring.alignments, exploring.playback
        self._run: str | None = None
        self._gesture = 0
        self._corner: tuple[float, float] | None = None
        self._palette = class_palette()
        self._xy: NDArray[np.floating] = np.empty((0, 2))
        self._labels = np.empty(0, np.uint8)
        self._jitter = np.empty(0)
        self._refresh = QTimer(self, singleShot=True, interval=0)
        self._refresh.timeout.connect(self._show_codes)
        self.plot = ExplorerPlot("Latent space")
        self.choice = PlaneChoice()
        self.bar, self.point_bar = ColourBar(), ColourBar()
        self.backdrop = Backdrop(exploring, self.plot, self.choice.layers, self.bar)
        self.surroundings = Surroundings(exploring, self.plot)
        self.strip = LayoutStrip(exploring.layouts, self)
        self.legend = ChipLegend(_CLASSES, CLASS_COLOURS)
        self.empty, self.note = QLabel(_EMPTY), QElidingLabel()
        self._pages = QStackedWidget()
        self._build()
        self._connect()
        self._take_run()

    def _build(self) -> None:
        self.plot.setAccessibleDescription(
            "Press or drag to decode a point; arrow keys move it, Shift makes larger steps; P pins "
            "it; A shows all."
        )
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        for label in (self.empty, self.note):
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.note.setFont(small(self.font()))
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        footer = QHBoxLayout()
        footer.addWidget(self.legend)
        footer.addWidget(self.note, 1)
        space = QWidget()
        layout = QVBoxLayout(space)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.choice)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.strip)
        bars = QHBoxLayout()
        bars.setSpacing(24)
        bars.addWidget(self.point_bar)
        bars.addWidget(self.bar)
        layout.addLayout(bars)
        layout.addLayout(footer)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(space)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self._pages)

    def _connect(self) -> None:
        session, exploration, plot = self._session, self._exploration, self.plot
        session.current_changed.connect(self._take_run)
        session.runs_changed.connect(self._take_runs)
        session.checkpoints_changed.connect(self._take_runs)
        session.code_changed.connect(self._mark_code)
        exploration.places_changed.connect(self._take_places)
        exploration.layout_changed.connect(self._take_places)
        exploration.plane_changed.connect(self._take_plane)
        exploration.pins_changed.connect(self._show_pins)
        exploration.selection_changed.connect(self._show_points)
        self._playback.moved.connect(self._glide)
        self._colouring.changed.connect(self._show_points)
        plot.pressed_at.connect(self._decode)
        plot.clicked.connect(self._click)
        plot.circled.connect(self._select)
        plot.nudged.connect(self._nudge)
        plot.asked.connect(self._do)
        plot.hovered_at.connect(self._hover)
        plot.left.connect(self._leave)
        self._hovering.changed.connect(self._show_hovered)
        plot.following_changed.connect(self.choice.set_following)
        self.choice.plane_changed.connect(self._change_plane)
        self.choice.mode_changed.connect(self._change_mode)
        self.choice.layers.changed.connect(self._follow_layers)
        self.choice.reset_requested.connect(plot.reset_view)
        self.legend.visibility_changed.connect(self._show_points)

    def reset_view(self) -> None:
        """Shows all codes, and follows them from now on."""
        self.plot.reset_view()

    # -- the session -----------------------------------------------------------------------------

    @Slot()
    def _take_run(self) -> None:
        """Another run: nothing of the old one's view holds."""
        item = self._session.current
        key = item.key if item else None
        if key != self._run:
            self._run = key
            self.plot.reset_view()
        self._take_places()

    @Slot()
    def _take_places(self) -> None:
        if self.isVisible():
            self._refresh.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Catches up with what came while it was hidden."""
        super().showEvent(event)
        self._show_codes()

    # -- codes -----------------------------------------------------------------------------------

    @Slot()
    def _show_codes(self) -> None:
        preview = self._session.preview
        if preview is None:
            self._refuse(self._without_codes())
            return
        images = self._images()
        if images is None:
            return
        codes = self._exploration.codes
        if codes is None or len(preview.codes) != len(images):
            known = len(preview.codes)
            self._refuse(f"This run keeps {known:,} codes for {len(images):,} test images.")
            return
        self.choice.set_latent_dim(codes.shape[1])
        self._exploration_follows()
        places = self._exploration.places
        if places is None:
            return
        self._pages.setCurrentIndex(1)
        self._name_axes(self._exploration.plane)
        between = self._playback.between
        self._place(places if between is None else between.places)
        self._show_points()
        self.note.setText(self._told(preview.step, len(codes)))
        self.note.setToolTip(self.note.text())
        self._show_pins()
        self._mark_code()

    @Slot()
    def _glide(self) -> None:
        """On the way from one checkpoint to the next, only the points' places are another's."""
        between, track = self._playback.between, self._playback.track
        if between is None or track is None:
            self.plot.set_stage(None)
            self._take_places()
            return
        if not self.isVisible():
            return
        self._place(between.places)
        left, bottom, width, height = track.extent()
        if len(between.planes[0].origin) == 1:
            bottom, height = -_JITTER, len(_CLASSES) - 1 + 2 * _JITTER
        self.plot.set_stage(QRectF(left, bottom, width, height))
        self._show_points()
        self._show_pins()
        self._mark_code()

    def _told(self, step: int, count: int) -> str:
        """Which codes these are, and how they are turned."""
        return " · ".join([self._counted(step, count), *self._turned(step)])

    def _turned(self, step: int) -> list[str]:
        """That they are aligned, where they are."""
        aligned, plane = self._alignments.aligned, self._exploration.plane
        if aligned is None or plane is None or not plane.is_aligned:
            return []
        motion = aligned.alignments[step]
        way = "rotation and reflection" if motion.is_mirroring else "rotation"
        return [f"aligned to step {aligned.last:,} by {way}"]

    def _counted(self, step: int, count: int) -> str:
        if count > TEST_IMAGES and self._exploration.is_layout:
            return f"step {step:,} · {TEST_IMAGES:,} test images · training images are not laid out"
        if count > TEST_IMAGES:
            return f"step {step:,} · {count:,} test and training images"
        words = f"step {step:,} · {count:,} test images"
        if not self._exploration.cloud.wants_training:
            return words
        return f"{words} · " + (
            "training images at checkpoints" if self._session.is_live else "encoding the others…"
        )

    @Slot()
    def _show_points(self) -> None:
        """The points as they are coloured, lit and hidden."""
        if not len(self._xy):
            return
        chosen = np.zeros(len(self._xy), np.bool_)
        selection = self._exploration.selection
        chosen[selection[selection < len(chosen)]] = True
        self.plot.raster.set_opacity(self.choice.layers.chosen.points)
        visible = self.legend.visible[self._labels] & np.isfinite(self._xy).all(axis=1)
        colours, palette = self._coloured()
        self.plot.set_points(self._xy, colours, palette, visible, chosen)

    def _coloured(self) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
        """Rows of a palette for the points, and the palette."""
        found = self._colouring.coloured
        if found is None or len(found.values) != len(self._xy):
            self.point_bar.clear()
            return self._labels, self._palette
        if found.is_grouped:
            self.point_bar.clear()
            return found.values.astype(np.intp), self._palette
        low, high = limits(found.values)
        self.point_bar.set_scale(colouring.MEANINGS[found.by].name, low, high)
        palette, rows = shades(found.values, low, high)
        return rows, palette

    @Slot()
    def _follow_layers(self) -> None:
        self._exploration.cloud.want_training(self.choice.layers.chosen.training)
        self._colouring.choose(self.choice.layers.chosen.colour)
        self._show_points()

    def _without_codes(self) -> str:
        """Why there are no codes yet, and what to do."""
        item = self._session.current
        state = item.state if item else ""
        if state == "running":
            return _STARTING
        if state == "queued":
            return _WAITING
        if state in _CONTINUABLE and not self._session.checkpoints:
            return _NOT_STARTED
        return _EMPTY

    @Slot()
    def _take_runs(self) -> None:
        """Another state of the run: it matters where there are no codes."""
        if self._session.preview is None and self.isVisible():
            self._refresh.start()

    def _images(self) -> Split | None:
        try:
            return mnist.split("test")
        except DataError as error:
            self._refuse(str(error))
            return None

    def _refuse(self, reason: str) -> None:
        self._xy = np.empty((0, 2))
        self.empty.setText(reason)
        self._pages.setCurrentIndex(0)

    def _exploration_follows(self) -> None:
        """Has the plane that the row above says: another run may have other coordinates."""
        chosen = self._exploration.chosen
        if (chosen.kind, chosen.axes) != (self.choice.chosen_kind, self.choice.axes):
            self._change_plane()

    def _place(self, xy: NDArray[np.floating]) -> None:
        """Puts points at (n, 2) places; a code of one number is spread over y by class."""
        self._xy, self._labels = xy, self._exploration.cloud.labels[: len(xy)]
        plane = self._exploration.plane
        if plane is not None and len(plane.origin) == 1:
            if len(self._jitter) != len(xy):
                # Each point always alike.
                rng = np.random.default_rng(0)
                self._jitter = rng.uniform(-_JITTER, _JITTER, len(xy))
            xy[:, 1] = self._labels + self._jitter

    def _name_axes(self, plane: Plane | None) -> None:
        """What runs along x and y; in a layout nothing does, and there are no axes."""
        self.plot.show_axes(plane is not None)
        if plane is None:
            self.plot.set_square(True)
            return
        flat = len(plane.origin) == 1
        self.plot.set_square(not flat)
        x, y = self.choice.axis_names(plane)
        self.plot.axis("bottom").setLabel(x)
        self.plot.axis("left").setLabel("class" if flat else y)
        ticks = [(float(digit), name) for digit, name in enumerate(_CLASSES)]
        self.plot.axis("left").set_words(ticks if flat else None)

    @Slot()
    def _change_plane(self) -> None:
        kind, axes = self.choice.chosen_kind, self.choice.axes
        corners = [pin.code for pin in self._exploration.pins[:3]]
        if kind == "three-points" and len(corners) == 3:
            step = self._session.step
            self._exploration.choose(PlaneChosen(kind, axes, np.stack(corners), step))
        else:
            self._exploration.choose(PlaneChosen(kind, axes))

    @Slot()
    def _take_plane(self) -> None:
        self._show_codes()
        self.plot.reset_view()

    @Slot(str)
    def _change_mode(self, mode: Mode) -> None:
        self.plot.mode = mode

    # -- the code --------------------------------------------------------------------------------

    @Slot(float, float)
    def _decode(self, x: float, y: float) -> None:
        code = self._code_at(x, y)
        if code is not None:
            self._exploration.move(code, f"drag {self._gesture}")

    def _code_at(self, x: float, y: float) -> NDArray[np.float32] | None:
        """The code at a place: the plane's, or in a layout the nearest of those that are there."""
        if not self._exploration.is_layout:
            return self._exploration.lifted(np.array([x, y]))
        codes, point = self._exploration.codes, self.plot.nearest(x, y, math.inf)
        return None if codes is None or point is None else codes[point]

    @Slot(float, float, bool)
    def _click(self, x: float, y: float, pins: bool) -> None:
        """A click on a code marks that very code; with Ctrl, it or the place is pinned."""
        self._gesture += 1
        far = (math.inf,) if self._exploration.is_layout else ()
        codes, point = self._exploration.codes, self.plot.nearest(x, y, *far)
        code = self._code_at(x, y)
        if codes is None or code is None:
            return
        code = code if point is None else codes[point]
        if pins:
            self._exploration.pin(Pin(code, point))
        elif point is not None:
            self._exploration.move(code, f"drag {self._gesture - 1}")

    @Slot(object)
    def _select(self, inside: NDArray[np.bool_]) -> None:
        self._exploration.select(np.flatnonzero(inside))

    @Slot(float, float)
    def _nudge(self, right: float, up: float) -> None:
        plane, anchor = self._exploration.plane, self._exploration.anchor
        code = None
        if plane is not None and anchor is not None:
            x, y = plane.project(anchor).tolist()
            code = plane.lift(np.array([x + right, y + up]), anchor)
        elif (point := self.plot.next_towards(right, up)) is not None:
            codes = self._exploration.codes
            code = None if codes is None else codes[point]
        if code is not None:
            self._exploration.move(code, "arrows", in_bursts=True)

    @Slot(Qt.Key)
    def _do(self, key: Qt.Key) -> None:
        """What the mouse can do, by a key."""
        exploration = self._exploration
        match key:
            case Qt.Key.Key_P:
                self._pin_marked()
            case Qt.Key.Key_U if exploration.pins:
                exploration.unpin(len(exploration.pins) - 1)
            case Qt.Key.Key_D:
                self.choice.set_mode("point")
            case Qt.Key.Key_L:
                self.choice.set_mode("lasso")
            case Qt.Key.Key_R:
                self._rectangle_by_keys()
            case Qt.Key.Key_K:
                self._select_around()
            case Qt.Key.Key_M:
                layers = self.choice.layers
                layers.choose(mosaic=not layers.chosen.mosaic)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if self.plot.marker is not None:
                self._click(*self.plot.marker, False)
            case Qt.Key.Key_Escape:
                self._corner = None
                exploration.select(np.zeros(0, np.intp))

    def _pin_marked(self) -> None:
        """Pins the marked code; if it is an image's own, the pin goes with the image."""
        code, codes = self._session.code, self._exploration.codes
        if code is None or codes is None or code.shape != codes.shape[1:]:
            return
        own = np.flatnonzero((codes == code).all(axis=1))
        self._exploration.pin(Pin(code, int(own[0]) if len(own) else None))

    def _rectangle_by_keys(self) -> None:
        """First one corner at the marker, then, when it was moved, the other."""
        self.choice.set_mode("rectangle")
        marker = self.plot.marker
        if marker is None or np.isnan(marker[1]):
            return
        if self._corner is None or self._corner == marker:
            self._corner = marker
            return
        (x0, y0), (x1, y1) = self._corner, marker
        self._corner = None
        self._select(self.plot.inside(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])))

    def _select_around(self) -> None:
        """Selects the codes nearest to the marked one, in the whole latent space."""
        code, codes = self._session.code, self._exploration.codes
        if code is not None and codes is not None and code.shape == codes.shape[1:]:
            away = np.square(codes - code).sum(axis=1)
            self._exploration.select(np.argpartition(away, _AROUND)[:_AROUND])

    @Slot()
    def _show_pins(self) -> None:
        pins = self._exploration.pins
        self.choice.set_pins(len(pins))
        placed = {
            letter(at): place
            for at, pin in enumerate(pins)
            if (place := self._place_of(pin.code, pin.image)) and not np.isnan(place[1])
        }
        self.plot.set_pins([*placed.values()], [*placed])

    def _place_of(
        self, code: NDArray[np.floating], image: int | None = None
    ) -> tuple[float, float] | None:
        """Where a code is seen; that of an image is where its point is."""
        between, plane = self._playback.between, self._exploration.plane
        if between is None:
            return self._exploration.place_of(code)
        if plane is None or code.shape != plane.origin.shape:
            return None
        gone = image is None or image >= len(between.places)
        x, y = between.place(code) if gone else between.places[image].tolist()
        return x, np.nan if len(code) == 1 else y

    @Slot()
    def _mark_code(self) -> None:
        code = self._session.code
        self.plot.set_marker(None if code is None else self._place_of(code))

    # -- the mouse -------------------------------------------------------------------------------

    @Slot(float, float)
    def _hover(self, x: float, y: float) -> None:
        self._hovering.look_at(self.plot.nearest(x, y))
        self._show_hovered()

    @Slot()
    def _show_hovered(self) -> None:
        """The image under the mouse: class, number, and its error as soon as that is known."""
        point, error = self._hovering.image, self._hovering.error
        if point is None or point >= len(self._xy):
            self.plot.set_hovered(None, _NO_IMAGE, "")
            return
        told = "…" if error is None else f"{error:.2f}"
        text = f"digit {cloud.label(point)}\n{cloud.name(point)}\nsquared error {told}"
        self.plot.set_hovered(point, cloud.image(point), text)

    @Slot()
    def _leave(self) -> None:
        self._hovering.look_at(None)
        self.plot.set_hovered(None, _NO_IMAGE, "")
