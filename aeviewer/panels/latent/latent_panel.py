"""The latent space: the codes of all test images in a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from aeviewer.numbers import local
from aeviewer.palette import CLASS_COLOURS, class_colours
from aeviewer.panels.latent.axis_names import axis_names
from aeviewer.panels.latent.background import Annotations, Background, class_palette
from aeviewer.panels.latent.embedding_bar import EmbeddingBar
from aeviewer.panels.latent.gestures import Gestures
from aeviewer.panels.latent.plane_bar import PlaneBar
from aeviewer.panels.latent.status_text import codes_text, no_codes_text
from aeviewer.services.latent import point_colours
from aeviewer.services.latent.undo_state import PlaneChoice, pin_letter
from aeviewer.widgets.displays.empty_state import EmptyState
from aeviewer.widgets.displays.result_line import ResultLine
from aeviewer.widgets.labels import plain_tip
from aeviewer.widgets.plots.colour_bar import ColourBar, limits, shades
from aeviewer.widgets.plots.latent_plot import LatentPlot
from aeviewer.widgets.plots.legend import ChipLegend
from aeviewer.widgets.refresh import Refresh
from trainers.datasets import MNIST
from trainers.errors import AEViewerError
from trainers.exploration.planes import JITTER, class_jitter

if TYPE_CHECKING:
    from aeviewer.services.latent_services import LatentServices
    from aeviewer.widgets.plots.plane_plot import Mode
    from trainers.datasets import Split
    from trainers.exploration.planes import Plane

_LEAST_NOTE = 64


class LatentPanel(QWidget):
    """Shows all codes, live; a press decodes the place.

    Parameters
    ----------
    latent_services
        Plane, pins and selection are shown and changed; mosaic, overlay, details of the marked code
        and the path between two pins are drawn.
    """

    def __init__(self, latent_services: LatentServices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        latent_state = latent_services.latent_state
        self._latent, self._session = latent_state, latent_services.session
        self._services, self._point_colours = latent_services, latent_services.point_colours
        self._playback = latent_services.playback
        self._run: str | None = None
        self._classes, self._palette = MNIST.classes, class_palette()
        self._xy: NDArray[np.floating] = np.empty((0, 2))
        self._labels = np.empty(0, np.uint8)
        self._jitter = np.empty(0)
        self._refresh = Refresh(self, self._show_codes)
        self.plot = LatentPlot("Latent space")
        self.plane_bar = PlaneBar()
        self.bar, self.point_bar = ColourBar(), ColourBar()
        self.background = Background(latent_services, self.plot, self.plane_bar.layers, self.bar)
        self.annotations = Annotations(latent_services, self.plot)
        self.gestures = Gestures(latent_services, self.plot, self.plane_bar)
        self.embedding_bar = EmbeddingBar(latent_services.embeddings, self)
        self.legend = ChipLegend(MNIST.classes, CLASS_COLOURS)
        self.empty = EmptyState("")
        self.line = ResultLine("Computing the plane", self.plot)
        self.note = self.line.label
        self._pages = QStackedWidget()
        self._build()
        self._connect()
        self._change_run()

    def _build(self) -> None:
        self.plot.setAccessibleDescription(
            "Press or drag to decode a point; arrow keys move it, Shift makes larger steps; P pins "
            "it; A shows all."
        )
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        footer = QHBoxLayout()
        # The note is elided before the names of the classes need a second row.
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.line.setMinimumWidth(_LEAST_NOTE)
        footer.addWidget(self.legend)
        footer.addWidget(self.line, 1)
        space = QWidget()
        layout = QVBoxLayout(space)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.plane_bar)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.embedding_bar)
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
        session, latent_state, plot = self._session, self._latent, self.plot
        session.current_changed.connect(self._change_run)
        session.runs_changed.connect(self._show_run_state)
        session.checkpoints_changed.connect(self._show_run_state)
        session.code_changed.connect(self._mark_code)
        latent_state.places_changed.connect(self._refresh.request)
        latent_state.embedding_changed.connect(self._refresh.request)
        latent_state.plane_changed.connect(self._show_plane)
        latent_state.pins_changed.connect(self._show_pins)
        latent_state.selection_changed.connect(self._show_points)
        for signal in (
            session.step_changed,
            session.preview_changed,
            self._services.mosaic.status_changed,
            self._services.overlay.latest.status_changed,
            self._point_colours.latest.status_changed,
        ):
            signal.connect(self._show_status)
        self._playback.moved.connect(self._show_playback)
        self._point_colours.changed.connect(self._show_points)
        plot.following_changed.connect(self.plane_bar.set_following)
        self.plane_bar.plane_changed.connect(self._change_plane)
        self.plane_bar.mode_changed.connect(self._change_mode)
        self.plane_bar.layers.changed.connect(self._follow_layers)
        self.plane_bar.reset_requested.connect(plot.reset_view)
        self.legend.visibility_changed.connect(self._show_points)

    def reset_view(self) -> None:
        """Shows all codes, and keeps them in view."""
        self.plot.reset_view()

    # -- the session -----------------------------------------------------------------------------

    @Slot()
    def _change_run(self) -> None:
        """Clears the plot and the view for another run."""
        item = self._session.current
        key = item.key if item else None
        if key != self._run:
            self._run = key
            self._xy = np.empty((0, 2))  # The old points have labels of other classes.
            self._set_classes(self._session.dataset.classes)
            self.plot.reset_view()
        self._refresh.request()

    def _set_classes(self, classes: tuple[str, ...]) -> None:
        if classes != self._classes:
            self._classes, self._palette = classes, class_palette(max(1, len(classes)))
            self.legend.set_names(classes, class_colours(len(classes)))

    # -- codes -----------------------------------------------------------------------------------

    @Slot()
    def _show_codes(self) -> None:
        preview = self._session.preview
        if self._session.is_loading:
            # The codes arrive in a moment. Those of another run must not stand under this name.
            if preview is None:
                self._clear_codes()
            return
        if preview is None:
            self._show_reason(no_codes_text(self._session))
            return
        images = self._images()
        if images is None:
            return
        codes = self._latent.codes
        if codes is None or len(preview.codes) != len(images):
            known = len(preview.codes)
            self._show_reason(
                f"This run has {local(known):,} codes for {local(len(images)):,} test images. "
                "Train it again."
            )
            return
        self.plane_bar.set_latent_dim(codes.shape[1])
        self._sync_plane()
        places = self._latent.places
        if places is None:
            return
        self._pages.setCurrentIndex(1)
        self._name_axes(self._latent.plane)
        between = self._playback.interpolation
        self._place(places if between is None else between.places)
        self._show_points()
        self.note.setText(codes_text(self._services, preview.step, len(codes)))
        self.note.setToolTip(plain_tip(self.note.text()))
        self._show_pins()
        self._mark_code()

    @Slot()
    def _show_status(self) -> None:
        """Shows that codes or layers are computed, unless a live model renews them all the time."""
        session, mosaic = self._session, self._services.mosaic
        overlay, colours = self._services.overlay.latest, self._point_colours.latest
        is_following = session.is_live and session.preview is not None
        is_layer_computing = mosaic.is_computing or overlay.is_computing or colours.is_computing
        is_computing = session.is_loading or is_layer_computing
        is_stale = (session.is_loading and session.preview is not None) or colours.is_stale
        self.line.set_status(
            is_computing=is_computing and not is_following,
            is_stale=is_stale and not is_following,
        )

    @Slot()
    def _show_playback(self) -> None:
        """Moves the points between two checkpoints; all else stays that of the nearer one."""
        between, track = self._playback.interpolation, self._playback.trajectory
        if between is None or track is None:
            self.plot.set_stage(None)
            self._refresh.request()
            return
        if not self.isVisible():
            self._refresh.request()
            return
        try:
            self._place(between.places)
        except AEViewerError as error:
            self._show_reason(str(error))
            return
        left, bottom, width, height = track.extent()
        if between.planes[0].is_line:
            bottom, height = -JITTER, max(0, len(self._classes) - 1) + 2 * JITTER
        self.plot.set_stage(QRectF(left, bottom, width, height))
        self._show_points()
        self._show_pins()
        self._mark_code()

    @Slot()
    def _show_points(self) -> None:
        """Draws the points, with their colours, selection and visibility."""
        if not len(self._xy):
            return
        chosen = np.zeros(len(self._xy), np.bool_)
        selection = self._latent.selection
        chosen[selection[selection < len(chosen)]] = True
        self.plot.raster.set_opacity(self.plane_bar.layers.chosen.points)
        visible = self.legend.visible[self._labels] & np.isfinite(self._xy).all(axis=1)
        colours, palette = self._colour_rows()
        self.plot.set_points(self._xy, colours, palette, visible, chosen)

    def _colour_rows(self) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
        """Returns the row of the palette for each point, and the palette."""
        found = self._point_colours.values
        if found is None or len(found.values) != len(self._xy):
            self.point_bar.clear()
            return self._labels, self._palette
        if found.is_grouped:
            self.point_bar.clear()
            return found.values.astype(np.intp), class_palette()
        low, high = limits(found.values)
        self.point_bar.set_scale(point_colours.MEANINGS[found.by].name, low, high)
        palette, rows = shades(found.values, low, high)
        return rows, palette

    @Slot()
    def _follow_layers(self) -> None:
        self._latent.displayed_codes.show_training(self.plane_bar.layers.chosen.training)
        self._point_colours.choose(self.plane_bar.layers.chosen.colour)
        self._show_points()

    @Slot()
    def _show_run_state(self) -> None:
        """Updates the text that says why there are no codes."""
        if self._session.preview is None:
            self._refresh.request()

    def _images(self) -> Split | None:
        try:
            return self._session.data().test
        except AEViewerError as error:
            self._show_reason(str(error))
            return None

    def _clear_codes(self) -> None:
        """Shows an empty plane while the codes are read."""
        self._xy = np.empty((0, 2))
        self.plot.set_points(
            self._xy, np.empty(0, np.intp), self._palette, np.empty(0, bool), np.empty(0, bool)
        )
        self.plot.set_pins([], [])
        self.plot.set_marker(None)
        self.note.setText(f"reading step {local(self._session.step or 0):,}…")
        self.note.setToolTip("")

    def _show_reason(self, reason: str) -> None:
        self._xy = np.empty((0, 2))
        self.empty.label.setText(reason)
        self._pages.setCurrentIndex(0)

    def _sync_plane(self) -> None:
        """Chooses the plane of the plane bar: another run may have another dimension."""
        chosen = self._latent.chosen
        if (chosen.kind, chosen.axes) != (self.plane_bar.chosen_kind, self.plane_bar.axes):
            self._change_plane()

    def _place(self, xy: NDArray[np.floating]) -> None:
        """Puts points at (n, 2) places; one-dimensional codes are spread over y by class."""
        self._xy, self._labels = xy, self._latent.displayed_codes.labels[: len(xy)]
        plane = self._latent.plane
        if plane is not None and plane.is_line:
            if len(self._jitter) != len(xy):
                self._jitter = class_jitter(len(xy))
            xy[:, 1] = self._labels + self._jitter

    def _name_axes(self, plane: Plane | None) -> None:
        """Names the axes; an embedding has none."""
        self.plot.show_axes(plane is not None)
        if plane is None:
            self.plot.set_square(True)
            return
        flat = plane.is_line
        self.plot.set_square(not flat)
        x, y = axis_names(plane)
        self.plot.axis("bottom").setLabel(x)
        self.plot.axis("left").setLabel(y)
        ticks = [(float(digit), name) for digit, name in enumerate(self._classes)]
        self.plot.axis("left").set_words(ticks if flat else None)

    @Slot()
    def _change_plane(self) -> None:
        kind, axes = self.plane_bar.chosen_kind, self.plane_bar.axes
        corners = [pin.code for pin in self._latent.pins[:3]]
        if kind == "three-points" and len(corners) == 3:
            step = self._session.step
            self._latent.choose(PlaneChoice(kind, axes, np.stack(corners), step))
        else:
            self._latent.choose(PlaneChoice(kind, axes))

    @Slot()
    def _show_plane(self) -> None:
        self._show_codes()
        self.plot.reset_view()

    @Slot(str)
    def _change_mode(self, mode: Mode) -> None:
        self.plot.mode = mode

    # -- the code -------------------------------------------------------------------------------

    @Slot()
    def _show_pins(self) -> None:
        pins = self._latent.pins
        self.plane_bar.set_pins(len(pins))
        placed = {
            pin_letter(at): place
            for at, pin in enumerate(pins)
            if (place := self._place_of(pin.code, pin.image)) and not np.isnan(place[1])
        }
        self.plot.set_pins([*placed.values()], [*placed])

    def _place_of(
        self, code: NDArray[np.floating], image: int | None = None
    ) -> tuple[float, float] | None:
        """Returns the place of a code; the code of an image is at its point."""
        between = self._playback.interpolation
        if between is None:
            return self._latent.place_of(code)
        if code.shape != between.planes[0].origin.shape:
            return None  # The code belongs to a run that was chosen during the playback.
        gone = image is None or image >= len(between.places)
        x, y = between.place(code) if gone else between.places[image].tolist()
        return x, np.nan if len(code) == 1 else y

    @Slot()
    def _mark_code(self) -> None:
        code = self._session.code
        self.plot.set_marker(None if code is None else self._place_of(code))
