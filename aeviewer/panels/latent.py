"""The latent space: the codes of all test images in a plane, and a point in it to be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget
from superqt import QElidingLabel

from aeviewer.panels.plane_choice import PlaneChoice
from aeviewer.widgets.colours import CLASS_COLOURS
from aeviewer.widgets.legend import ChipLegend
from aeviewer.widgets.plane_plot import PlanePlot
from aeviewer.widgets.styled_plot import small
from trainers.datasets import mnist
from trainers.errors import DataError
from trainers.exploration.planes import Plane, line, principal_plane

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from aeviewer.services.session import Session
    from trainers.datasets.mnist import Split

_CLASSES = tuple(str(digit) for digit in range(10))
_EMPTY = "Press Train, or choose a run: its codes appear here."
_STARTING = "Starting: the first codes appear in a moment"
_WAITING = "It waits for its turn"
_NOT_STARTED = "Not started: choose Continue training in the runs list"
_CONTINUABLE = {"new", "stopped", "interrupted"}
_JITTER = 0.35
_NO_IMAGE = np.empty((0, 0), np.uint8)


def class_palette() -> NDArray[np.uint8]:
    """(10, 4) uint8 red, green, blue, alpha of the classes."""
    return np.array([[*bytes.fromhex(c[1:]), 255] for c in CLASS_COLOURS], np.uint8)


class LatentPanel(QWidget):
    """All test codes, live; what is pressed is decoded.

    Parameters
    ----------
    session
        Its preview is shown; its code is marked, and set by pressing.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self._session = session
        self._plane: Plane | None = None
        self._run: str | None = None
        self._palette = class_palette()
        self._jitter = np.empty(0)
        self._refresh = QTimer(self, singleShot=True, interval=0)
        self._refresh.timeout.connect(self._show_codes)
        self.plot = PlanePlot("Latent space")
        self.choice = PlaneChoice()
        self.legend = ChipLegend(_CLASSES, CLASS_COLOURS)
        self.empty, self.note = QLabel(_EMPTY), QElidingLabel()
        self._pages = QStackedWidget()
        self._build()
        self._connect()
        self._take_run()

    def _build(self) -> None:
        self.plot.setAccessibleDescription(
            "Press or drag to decode a point; arrow keys move it, Shift makes larger steps; A "
            "shows all."
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
        layout.addLayout(footer)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(space)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self._pages)

    def _connect(self) -> None:
        session, plot = self._session, self.plot
        session.current_changed.connect(self._take_run)
        session.runs_changed.connect(self._take_runs)
        session.checkpoints_changed.connect(self._take_runs)
        session.preview_changed.connect(self._take_preview)
        session.code_changed.connect(self._mark_code)
        plot.pressed_at.connect(self._decode)
        plot.nudged.connect(self._nudge)
        plot.hovered_at.connect(self._hover)
        plot.left.connect(self._leave)
        plot.following_changed.connect(self.choice.set_following)
        self.choice.plane_changed.connect(self._change_plane)
        self.choice.prior_changed.connect(self._show_prior)
        self.choice.reset_requested.connect(plot.reset_view)
        self.legend.visibility_changed.connect(self._show_classes)

    @property
    def plane(self) -> Plane | None:
        """The plane that is shown; None before there are codes."""
        return self._plane

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
            self._run, self._plane = key, None
            self.plot.reset_view()
        self._take_preview()

    @Slot()
    def _take_preview(self) -> None:
        preview = self._session.preview
        if preview is not None and self._session.code is None:
            self._session.set_code(preview.codes.mean(axis=0))
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
        codes = preview.codes
        if len(codes) != len(images):
            self._refuse(f"This run keeps {len(codes):,} codes for {len(images):,} test images.")
            return
        item = self._session.current
        config = item.config if item else None
        self.choice.set_latent_dim(codes.shape[1])
        self.choice.set_prior(
            config is not None and config.model.variational and config.model.family != "pca"
        )
        self._pages.setCurrentIndex(1)
        self._plane = self._chosen_plane(codes)
        xy = self._places(codes, self._plane, images.labels)
        self._name_axes(self._plane)
        self.plot.set_points(xy, images.labels, self._palette, self.legend.visible)
        self.note.setText(f"step {preview.step:,} · {len(codes):,} test images")
        self.note.setToolTip(self.note.text())
        self._show_prior()
        self._mark_code()

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
        self._plane = None
        self.empty.setText(reason)
        self._pages.setCurrentIndex(0)

    def _chosen_plane(self, codes: NDArray[np.float32]) -> Plane:
        if codes.shape[1] == 1:
            return line()
        if not self.choice.is_principal:
            return self.choice.axes_plane()
        previous = self._plane if self._plane and self._plane.shares else None
        return principal_plane(codes, previous)

    def _places(
        self, codes: NDArray[np.float32], plane: Plane, labels: NDArray[np.uint8]
    ) -> NDArray[np.float64]:
        """(n, 2); a code of one number is spread over y by class, each point always alike."""
        xy = plane.project(codes)
        if codes.shape[1] == 1:
            if len(self._jitter) != len(codes):
                rng = np.random.default_rng(0)
                self._jitter = rng.uniform(-_JITTER, _JITTER, len(codes))
            xy[:, 1] = labels + self._jitter
        return xy

    def _name_axes(self, plane: Plane) -> None:
        flat = len(plane.origin) == 1
        self.plot.set_square(not flat)
        x, y = self.choice.axis_names(plane)
        self.plot.axis("bottom").setLabel(x)
        self.plot.axis("left").setLabel("class" if flat else y)
        ticks = [(float(digit), name) for digit, name in enumerate(_CLASSES)]
        self.plot.axis("left").set_words(ticks if flat else None)

    @Slot()
    def _change_plane(self) -> None:
        self._plane = None
        self._show_codes()
        self.plot.reset_view()

    @Slot()
    def _show_prior(self) -> None:
        plane = self._plane
        if plane is None or not self.choice.shows_prior or len(plane.origin) == 1:
            self.plot.set_rings((0.0, 0.0), ())
            return
        x, y = plane.project(np.zeros(len(plane.origin))).tolist()
        self.plot.set_rings((x, y), (1.0, 2.0))

    @Slot()
    def _show_classes(self) -> None:
        self.plot.set_visible(self.legend.visible)

    # -- the code --------------------------------------------------------------------------------

    def _anchor(self) -> NDArray[np.floating] | None:
        """The code that decides what the plane does not."""
        plane, code, preview = self._plane, self._session.code, self._session.preview
        if plane is None or preview is None:
            return None
        fits = code is not None and code.shape == plane.origin.shape
        return code if fits else preview.codes.mean(axis=0)

    @Slot(float, float)
    def _decode(self, x: float, y: float) -> None:
        anchor = self._anchor()
        if self._plane is not None and anchor is not None:
            self._session.set_code(self._plane.lift(np.array([x, y]), anchor).astype(np.float32))

    @Slot(float, float)
    def _nudge(self, right: float, up: float) -> None:
        anchor = self._anchor()
        if self._plane is not None and anchor is not None:
            x, y = self._plane.project(anchor).tolist()
            self._decode(x + right, y + up)

    @Slot()
    def _mark_code(self) -> None:
        plane, code = self._plane, self._session.code
        if plane is None or code is None or code.shape != plane.origin.shape:
            self.plot.set_marker(None)
            return
        x, y = plane.project(code).tolist()
        self.plot.set_marker((x, np.nan if len(code) == 1 else y))

    # -- the mouse -------------------------------------------------------------------------------

    @Slot(float, float)
    def _hover(self, x: float, y: float) -> None:
        point = self.plot.nearest(x, y)
        images = self._images()
        if point is None or images is None:
            self._leave()
            return
        text = f"digit {images.labels[point]}\ntest image {point:,}"
        self.plot.set_hovered(point, images.images[point], text)

    @Slot()
    def _leave(self) -> None:
        self.plot.set_hovered(None, _NO_IMAGE, "")
