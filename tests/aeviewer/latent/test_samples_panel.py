from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from scipy.stats import norm

from aeviewer.panels.latent.samples_panel import SamplesPanel
from aeviewer.services.latent.samples import COLUMNS
from aeviewer.services.latent.undo_state import PlaneChoice
from trainers.exploration.density import mixture_sample, prior_sample
from trainers.generators import finish
from trainers.inference import load
from trainers.runs import RunState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.aeviewer.explored_run import ExploredServices, TrainRun
    from trainers.runs import Run


@pytest.fixture(scope="session", params=["vae", "elu"])
def run(request: pytest.FixtureRequest, trained_run: TrainRun) -> Run:
    return trained_run(request.param, 2)


@pytest.fixture
def panel(explored: ExploredServices, qtbot: QtBot) -> SamplesPanel:
    panel = SamplesPanel(explored.latent_state, explored.compute)
    qtbot.addWidget(panel)
    panel.resize(320, 520)
    panel.show()
    qtbot.waitUntil(lambda: panel.sheet.shape[0] > 0)
    return panel


def marked(
    qtbot: QtBot, explored: ExploredServices, panel: SamplesPanel, number: int
) -> np.ndarray:
    """The code of a sample, as clicking it shows."""
    place = panel.sheet.place(*divmod(number, COLUMNS)).center().toPoint()
    qtbot.mouseClick(panel.sheet, Qt.MouseButton.LeftButton, pos=place)
    assert explored.session.code is not None
    return explored.session.code


def choose(qtbot: QtBot, panel: SamplesPanel, source: str) -> None:
    """By keys, as one finds it in the list."""
    panel.source.setFocus()
    qtbot.keyClicks(panel.source, panel.source.itemText(panel.source.findData(source)))
    assert panel.source.currentData() == source


def quantile_grid(qtbot: QtBot, panel: SamplesPanel, side: int) -> None:
    choose(qtbot, panel, "quantiles")
    panel.side.setValue(side)
    qtbot.waitUntil(lambda: panel.sheet.shape == (side, side))


def test_the_prior_where_there_is_one_and_a_density_elsewhere(
    qtbot: QtBot, explored: ExploredServices, panel: SamplesPanel, run: Run
) -> None:
    codes = explored.latent_state.test_codes
    assert codes is not None
    if run.config.model.variational:
        assert panel.source.currentData() == "prior"
        wanted = prior_sample(2, 48, 0)
    else:
        assert panel.source.currentData() == "mixture"
        wanted = finish(mixture_sample(codes, 48, 0))
    assert panel.sheet.shape == (8, 6)
    np.testing.assert_allclose(marked(qtbot, explored, panel, 5), wanted[5], rtol=1e-6)
    decoded = load(run).decode(wanted).reshape(8, 6, 28, 28)
    np.testing.assert_allclose(panel.sheet.images, decoded, atol=1e-5)


def test_another_seed_draws_others(
    qtbot: QtBot, explored: ExploredServices, panel: SamplesPanel
) -> None:
    first = np.array(marked(qtbot, explored, panel, 0))
    qtbot.mouseClick(panel.again, Qt.MouseButton.LeftButton)
    assert panel.seed.value() == 1
    qtbot.waitUntil(lambda: not np.array_equal(marked(qtbot, explored, panel, 0), first))
    panel.seed.setValue(0)
    qtbot.waitUntil(lambda: np.array_equal(marked(qtbot, explored, panel, 0), first))


def test_quantiles_of_the_prior_or_of_the_codes(
    qtbot: QtBot, explored: ExploredServices, panel: SamplesPanel, run: Run
) -> None:
    quantile_grid(qtbot, panel, 4)
    shares = (np.arange(4) + 0.5) / 4
    codes = explored.latent_state.test_codes
    assert codes is not None
    if run.config.model.variational:
        x = y = norm.ppf(shares)
        assert panel.note.text().startswith("Prior quantiles: z₁ to the right, z₂ upwards.")
    else:
        x, y = np.quantile(codes.astype(np.float64), shares, axis=0).T
        assert panel.note.text().startswith("Quantiles of the codes: z₁ to the right")
    panel.sheet.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Right)
    qtbot.keyClick(panel.sheet, Qt.Key.Key_Return)
    np.testing.assert_allclose(explored.session.code, [x[1], y[3]], rtol=1e-5)
    wanted = load(run).decode(np.array([[x[3], y[0]]]))[0]
    np.testing.assert_allclose(panel.sheet.images[3, 3], wanted, atol=1e-5)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_grid_is_saved_named_after_run_and_step(
    qtbot: QtBot,
    explored: ExploredServices,
    panel: SamplesPanel,
    run: Run,
    tmp_path: Path,
    ending: str,
) -> None:
    quantile_grid(qtbot, panel, 3)
    button = panel.png_button if ending == "png" else panel.svg_button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    dialog = panel.findChild(QFileDialog)
    proposed = Path(dialog.selectedFiles()[0]).name
    assert proposed == f"{run.name}-step40-quantiles-3x3.{ending}"
    place = tmp_path / proposed
    dialog.fileSelected.emit(str(place))
    dialog.close()
    pixels = np.rint(panel.sheet.images.clip(0, 1) * 255).astype(np.uint8)
    whole = pixels.swapaxes(1, 2).reshape(84, 84).repeat(4, 0).repeat(4, 1)
    if ending == "png":
        with Image.open(place) as kept:
            np.testing.assert_array_equal(np.asarray(kept.convert("L")), whole)
            assert kept.text["Title"].startswith(f"{run.name}, step 40. ")  # type: ignore[attr-defined]
    else:
        assert place.read_text(encoding="utf-8").count("<image") == 9


def test_samples_are_saved_in_rows(qtbot: QtBot, panel: SamplesPanel, tmp_path: Path) -> None:
    qtbot.mouseClick(panel.png_button, Qt.MouseButton.LeftButton)
    dialog = panel.findChild(QFileDialog)
    place = tmp_path / "sheet.png"
    dialog.fileSelected.emit(str(place))
    dialog.close()
    with Image.open(place) as kept:
        assert kept.size == (6 * 112 + 5 * 2, 8 * 112 + 7 * 2)


def test_a_folder_that_can_not_be_written_is_one_message(
    qtbot: QtBot, explored: ExploredServices, panel: SamplesPanel, tmp_path: Path
) -> None:
    qtbot.mouseClick(panel.svg_button, Qt.MouseButton.LeftButton)
    dialog = panel.findChild(QFileDialog)
    with qtbot.waitSignal(explored.session.message_posted) as told:
        dialog.fileSelected.emit(str(tmp_path / "away" / "sheet.svg"))
    dialog.close()
    assert "sheet.svg cannot be written" in told.args[0]


class TestInMoreDimensions:
    @pytest.fixture
    def run(self, trained_run: TrainRun) -> Run:
        return trained_run("vae", 4)

    def test_the_grid_lies_in_the_plane_and_is_else_as_the_marked_code(
        self, qtbot: QtBot, explored: ExploredServices, panel: SamplesPanel
    ) -> None:
        explored.latent_state.choose(PlaneChoice("coordinates", (1, 3)))
        explored.latent_state.move(np.array([0.3, 0, -0.4, 0], np.float32))
        quantile_grid(qtbot, panel, 2)
        half = norm.ppf(0.75)
        assert panel.note.text().startswith(
            "Prior quantiles: z₂ to the right, z₄ upwards, the other coordinates as in the marked "
            "code."
        )
        panel.sheet.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.keyClick(panel.sheet, Qt.Key.Key_Return)
        np.testing.assert_allclose(explored.session.code, [0.3, -half, -0.4, half], rtol=1e-5)
        before = np.array(panel.sheet.images)
        explored.latent_state.move(np.array([2, 0, 2, 0], np.float32))
        qtbot.waitUntil(lambda: not np.array_equal(panel.sheet.images, before))
        qtbot.keyClick(panel.sheet, Qt.Key.Key_Return)
        np.testing.assert_allclose(explored.session.code, [2, -half, 2, half], rtol=1e-5)


def test_the_sheet_of_another_run_is_cleared_at_once(
    qtbot: QtBot, explored: ExploredServices, panel: SamplesPanel, trained_run: TrainRun
) -> None:
    session = explored.session
    session.set_current(session.add(trained_run("relu", 2), RunState.FINISHED))
    assert panel.sheet.shape == (0, 0)
    assert panel.note.text() == ""
    qtbot.waitUntil(lambda: panel.sheet.shape[0] > 0)
