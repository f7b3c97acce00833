from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QInputDialog, QMessageBox

from aeviewer.panels.latent.views_menu import ViewsMenu
from aeviewer.services.latent.undo_state import Pin
from tests.aeviewer.explored_run import ExploredServices, copy_run, show_latent_panel
from trainers import runs
from trainers.errors import AEViewerError
from trainers.runs import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.runs.session import Session
    from tests.aeviewer.explored_run import TrainRun


@pytest.fixture
def run(trained_run: TrainRun, session: Session) -> runs.Run:
    """Returns a run that the test may change: views are saved in its folder."""
    return copy_run(trained_run("elu", 4), session.folder)


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> LatentPanel:
    return show_latent_panel(qtbot, explored)


@pytest.fixture
def trash(tmp_path: Path) -> Path:
    folder = tmp_path / "trash"
    folder.mkdir()
    return folder


@pytest.fixture
def menu(explored: ExploredServices, panel: LatentPanel, trash: Path) -> ViewsMenu:
    def take(path: str | Path, name: str) -> None:
        if not trash.is_dir():
            raise AEViewerError(f"There is no trash for {name!r}.")
        shutil.move(path, trash)

    return ViewsMenu(explored.latent_state, panel, panel, take)


def says(panel: LatentPanel, step: int) -> bool:
    return f"step {step:,} ·" in panel.note.text()


def names(menu: ViewsMenu) -> list[str]:
    menu.fill()
    return [action.text() for action in menu.actions() if action.text()]


def test_a_menu_that_was_opened_before_still_saves(
    menu: ViewsMenu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_args, **_more: ("mine", True))
    menu.aboutToShow.emit()
    menu.aboutToShow.emit()
    menu.save_action.trigger()
    assert "mine" in names(menu)


def test_a_view_brings_everything_back(
    explored: ExploredServices, panel: LatentPanel, menu: ViewsMenu, qtbot: QtBot
) -> None:
    latent_state, session = explored.latent_state, explored.session
    codes = latent_state.codes
    assert codes is not None
    latent_state.pin(Pin(codes[3], 3))
    latent_state.select(np.array([1, 2, 3]))
    panel.plane_bar.kind.setCurrentIndex(1)
    panel.plane_bar.layers.choose(mosaic=False, points=0.25)
    session.show_step(session.checkpoints[1])
    qtbot.waitUntil(lambda: says(panel, session.checkpoints[1]))
    panel.plot.set_view(QRectF(-1, -2, 3, 1))
    seen, places, step = panel.plot.view(), panel.plot.raster.xy, session.step
    menu.save_view("mine")
    assert "mine" in names(menu)

    latent_state.unpin_all()
    latent_state.select(np.zeros(0, np.intp))
    panel.plane_bar.kind.setCurrentIndex(0)
    panel.plane_bar.layers.choose(mosaic=True, points=1.0)
    session.show_step(session.checkpoints[-1])
    qtbot.waitUntil(lambda: says(panel, session.checkpoints[-1]))
    panel.reset_view()
    menu.open_view("mine")
    qtbot.waitUntil(lambda: says(panel, session.checkpoints[1]))
    assert [pin.image for pin in latent_state.pins] == [3]
    np.testing.assert_array_equal(latent_state.selection, [1, 2, 3])
    assert latent_state.chosen.kind == panel.plane_bar.chosen_kind == "principal"
    assert panel.plane_bar.layers.points.value() == 25
    assert not panel.plane_bar.layers.mosaic.isChecked()
    assert session.step == step
    assert panel.plot.view() == seen
    assert not panel.plot.follows
    np.testing.assert_allclose(np.abs(panel.plot.raster.xy), np.abs(places), atol=1e-4)
    latent_state.undo_stack.undo()
    assert latent_state.pins == ()
    assert len(latent_state.selection) == 0


def test_a_view_of_other_codes_is_refused(
    explored: ExploredServices, menu: ViewsMenu, trained_run: TrainRun, qtbot: QtBot
) -> None:
    session, told = explored.session, []
    session.message_posted.connect(told.append)
    menu.save_view("mine")
    four = session.current
    assert four is not None
    other = copy_run(trained_run("relu", 2), session.folder)
    folder = other.path / "views"
    folder.mkdir()
    (folder / "mine.json").write_bytes(
        (runs.open_run(session.run(four.key).path).path / "views" / "mine.json").read_bytes()
    )
    session.set_current(session.add(other, RunState.FINISHED))
    qtbot.waitUntil(lambda: session.preview is not None)
    before = session.code
    menu.open_view("mine")
    assert told == [
        "The view was saved for codes of dimension 4, but this run has codes of dimension 2. Open "
        "the view with the run that it was saved for."
    ]
    assert session.code is before


def test_a_deleted_view_goes_to_the_trash(menu: ViewsMenu, trash: Path) -> None:
    menu.save_view("mine")
    menu.delete_view("mine")
    assert names(menu) == ["&Save view…", "No views of this run yet"]
    assert [file.name for file in trash.iterdir()] == ["mine.json"]


def test_without_a_trash_a_view_stays(
    explored: ExploredServices, menu: ViewsMenu, trash: Path
) -> None:
    told: list[str] = []
    explored.session.message_posted.connect(told.append)
    menu.save_view("mine")
    trash.rmdir()
    menu.delete_view("mine")
    assert names(menu)[1:] == ["mine", "&Delete view"]
    assert told == ["There is no trash for 'mine'."]


@pytest.mark.parametrize(("answer", "kept"), [("Replace", 1), ("Cancel", 0)])
def test_a_view_is_replaced_after_a_question_and_goes_to_the_trash(
    menu: ViewsMenu,
    panel: LatentPanel,
    trash: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    kept: int,
) -> None:
    menu.save_view("mine")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("mine", True))
    menu.save_action.trigger()
    (box,) = panel.findChildren(QMessageBox)
    assert "A view named “mine” exists already" in box.text()
    assert box.defaultButton().text() == "Cancel"
    next(b for b in box.buttons() if b.text().replace("&", "") == answer).click()
    assert names(menu)[1:] == ["mine", "&Delete view"]
    assert len([*trash.iterdir()]) == kept


def test_a_bad_name_is_one_message(explored: ExploredServices, menu: ViewsMenu) -> None:
    told: list[str] = []
    explored.session.message_posted.connect(told.append)
    menu.save_view("../elsewhere")
    assert len(told) == 1
    assert "cannot name a view" in told[0]
