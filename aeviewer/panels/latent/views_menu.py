"""Saving what is shown in the latent space under a name, and opening it again."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from aeviewer.services.latent.undo_state import Pin, PlaneChoice, UndoState
from aeviewer.widgets.inputs.message_boxes import ask
from aeviewer.widgets.labels import add_plain_action
from trainers.errors import AEViewerError
from trainers.exploration import views
from trainers.exploration.views import KeptLayers, KeptPin, View
from trainers.storage.trash import move_to_trash

if TYPE_CHECKING:
    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.latent.latent_state import LatentState
    from trainers.runs import Run
    from trainers.storage.trash import Trash


def capture_view(latent_state: LatentState, panel: LatentPanel) -> View:
    """Returns what is shown at this moment."""
    chosen, held = latent_state.chosen, latent_state.undo_state
    seen = panel.plot.view()
    rectangle = seen.left(), seen.top(), seen.width(), seen.height()
    return View(
        plane=chosen.kind,
        axes=chosen.axes,
        corners=tuple(map(tuple, chosen.corners.tolist())) if chosen.kind == "three-points" else (),
        rectangle=None if panel.plot.follows else rectangle,
        code=None if held.code is None else tuple(held.code.tolist()),
        pins=tuple(KeptPin(code=tuple(p.code.tolist()), image=p.image) for p in held.pins),
        selection=tuple(held.selection.tolist()),
        layers=KeptLayers(**asdict(panel.plane_bar.layers.chosen)),
        step=latent_state.session.step,
        corners_step=chosen.step,
        aligned=latent_state.alignments.is_enabled,
    )


def apply_view(view: View, latent_state: LatentState, panel: LatentPanel) -> None:
    """Shows a view; Undo brings back what was shown before.

    Raises
    ------
    AEViewerError
        When the codes of the view have another dimension than those of the run.
    """
    codes = latent_state.test_codes
    lengths = {
        len(code) for code in (view.code, *(p.code for p in view.pins), *view.corners) if code
    }
    if codes is None or lengths - {codes.shape[1]}:
        saved = ", ".join(map(str, sorted(lengths)))
        here = "no codes" if codes is None else f"codes of dimension {codes.shape[1]}"
        raise AEViewerError(
            f"The view was saved for codes of dimension {saved}, but this run has {here}. Open the "
            "view with the run that it was saved for."
        )
    latent_state.alignments.set_enabled(view.aligned)
    if view.step is not None:
        latent_state.session.show_step(view.step)
    corners = np.array(view.corners, np.float32)
    latent_state.apply(
        "Open view",
        UndoState(
            latent_state.session.code if view.code is None else np.array(view.code, np.float32),
            tuple(Pin(np.array(pin.code, np.float32), pin.image) for pin in view.pins),
            np.array(view.selection, np.intp),
        ),
    )
    panel.plane_bar.choose(view.plane, view.axes)
    latent_state.choose(PlaneChoice(view.plane, view.axes, corners, view.corners_step))
    panel.plane_bar.layers.choose(**view.layers.model_dump())
    if view.rectangle is None:
        panel.reset_view()
    else:
        panel.plot.set_view(QRectF(*view.rectangle))


class ViewsMenu(QMenu):
    """Saves, opens and deletes views of the current run.

    Parameters
    ----------
    latent_state, panel
        A view is captured from these, and shown in them.
    trash
        Moves a file to the trash, as `move_to_trash` does.
    """

    def __init__(
        self,
        latent_state: LatentState,
        panel: LatentPanel,
        parent: QWidget,
        trash: Trash = move_to_trash,
    ) -> None:
        super().__init__("&Views", parent)
        self._latent, self._panel, self._trash = latent_state, panel, trash
        self.save_action = QAction(
            "&Save view…", parent
        )  # `clear` would delete an action of the menu.
        self.save_action.setShortcut(QKeySequence("Ctrl+Shift+S"))
        # `clear` also disconnects an action from what the menu would do, so it is connected here.
        self.save_action.triggered.connect(lambda: self._ask_name())
        self._delete = QMenu("&Delete view", self)
        self.aboutToShow.connect(self.fill)
        self.fill()

    @property
    def _run(self) -> Run | None:
        session = self._latent.session
        return session.run(session.current.key) if session.current else None

    @Slot()
    def fill(self) -> None:
        """Lists the saved views."""
        self.clear()
        self._delete.clear()
        run, known = self._run, self._latent.codes is not None
        self.save_action.setEnabled(run is not None and known)
        self.addAction(self.save_action)
        self.addSeparator()
        names = views.view_names(run) if run is not None else []
        for name in names:
            add_plain_action(self, name).triggered.connect(
                lambda _checked, n=name: self.open_view(n)
            )
            add_plain_action(self._delete, name).triggered.connect(
                lambda _checked, n=name: self.delete_view(n)
            )
        if names:
            self.addSeparator()
            self.addMenu(self._delete)
        else:
            self.addAction("No views of this run yet").setEnabled(False)

    @Slot()
    def _ask_name(self) -> None:
        run = self._run
        if run is None:
            return
        count = len(views.view_names(run)) + 1
        name, accepted = QInputDialog.getText(
            self._panel, "Save view", "Name of the view", text=f"View {count}"
        )
        if accepted and name.strip() in views.view_names(run):
            self._ask_to_replace(name.strip())
        elif accepted:
            self.save_view(name.strip())

    def _ask_to_replace(self, name: str) -> None:
        ask(
            self._panel,
            "Save view",
            f"A view named “{name}” exists already. Replace it?",
            "The existing view is moved to the trash.",
            "Replace",
            lambda: self._replace(name),
        )

    def _replace(self, name: str) -> None:
        if self.delete_view(name):
            self.save_view(name)

    def save_view(self, name: str) -> None:
        """Saves what is shown; a failure is posted as a message."""
        run = self._run
        try:
            if run is not None:
                views.save_view(run, name, capture_view(self._latent, self._panel))
        except AEViewerError as error:
            self._latent.session.message_posted.emit(str(error))

    def open_view(self, name: str) -> None:
        """Shows a view; a failure is posted as a message."""
        run = self._run
        try:
            if run is not None:
                apply_view(views.open_view(run, name), self._latent, self._panel)
        except AEViewerError as error:
            self._latent.session.message_posted.emit(str(error))

    def delete_view(self, name: str) -> bool:
        """Moves a view to the trash and returns whether it succeeded; a failure is posted."""
        run = self._run
        if run is None:
            return False
        try:
            self._trash(views.place_of(run, name), name)
        except AEViewerError as error:
            self._latent.session.message_posted.emit(str(error))
            return False
        return True
