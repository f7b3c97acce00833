from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest

from aeviewer.panels.comparison.compare_window import CompareWindow
from aeviewer.panels.comparison.latent_page import most_square
from aeviewer.panels.comparison.metrics_page import SORT_ROLE
from aeviewer.panels.comparison.run_list import TICK_COLUMN
from aeviewer.services.comparison.comparison import Comparison
from aeviewer.services.comparison.image_rules import ImageRule
from tests.aeviewer.comparison.compared_runs import FakeCompute, keys, made
from trainers.datasets.mnist import load_split
from trainers.datasets.spectrum import load_mnist_spectrum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session
    from aeviewer.settings import Settings

SVG = "{http://www.w3.org/2000/svg}"


class Scene:
    """The window over "elu" and "wide" (steps 0, 100) and "relu" (step 0, 40); all compared."""

    def __init__(self, session: Session, settings: Settings, qtbot: QtBot) -> None:
        made(session.folder, "elu", 0, 100, error=18.0)
        made(session.folder, "relu", 0, 40, which="relu", error=16.0)
        made(session.folder, "wide", 0, 100, dim=20, error=7.0)
        session.refresh()
        self.session, self.settings, self.qtbot = session, settings, qtbot
        self.compute = FakeCompute()
        self.comparison = Comparison(session, self.compute)  # type: ignore[arg-type]
        self.window = CompareWindow(self.comparison, settings)
        self.window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(self.window)
        self.window.resize(1280, 760)
        self.window.compare([])
        self.window.show()
        qtbot.waitExposed(self.window)
        self.settle()

    def settle(self) -> None:
        """Answers every question and lets the pages draw."""
        self.compute.answer_all()
        page = self.window.tabs.currentWidget()
        self.qtbot.waitUntil(lambda: not page.refresh.is_pending)
        self.compute.answer_all()
        self.qtbot.waitUntil(lambda: not page.refresh.is_pending)

    def titles(self) -> list[str]:
        return [row.title for row in self.window.digits.table.rows]


@pytest.fixture
def scene(session: Session, settings: Settings, qtbot: QtBot) -> Iterator[Scene]:
    made_scene = Scene(session, settings, qtbot)
    yield made_scene
    made_scene.window.close()


class TestRuns:
    def test_without_a_choice_all_finished_runs_are_compared(self, scene: Scene) -> None:
        assert [run.item.name for run in scene.comparison.runs] == ["elu", "relu", "wide"]

    def test_opened_again_with_one_run_the_choice_stays(self, scene: Scene) -> None:
        scene.comparison.choose(keys(scene.session)[:2])
        scene.window.compare(keys(scene.session)[:1])
        assert len(scene.comparison.runs) == 2
        scene.window.compare(keys(scene.session)[1:])
        assert [run.item.name for run in scene.comparison.runs] == ["relu", "wide"]

    def test_a_tick_takes_a_run_out_and_in_again(self, scene: Scene) -> None:
        row = scene.window.runs.choices.index(1, TICK_COLUMN)
        checked = Qt.ItemDataRole.CheckStateRole
        scene.window.runs.clicked.emit(row)
        assert [run.item.name for run in scene.comparison.runs] == ["elu", "wide"]
        assert row.data(checked) == Qt.CheckState.Unchecked
        scene.window.runs.clicked.emit(row)
        assert row.data(checked) == Qt.CheckState.Checked

    def test_none_ticked_says_what_to_do(self, scene: Scene) -> None:
        scene.comparison.choose(())
        assert not scene.window.tabs.isVisible()

    def test_closing_ends_the_work_and_remembers_the_place(self, scene: Scene) -> None:
        scene.window.close()
        assert scene.comparison.runs == ()
        assert not scene.settings.compare_geometry.isEmpty()


class TestScrubbing:
    def test_arrow_keys_move_all_runs_and_tell_who_is_elsewhere(self, scene: Scene) -> None:
        QTest.keyClick(scene.window, Qt.Key.Key_Left)
        scene.settle()
        assert scene.window.step_label.text() == "step 40"
        assert scene.window.step_note.text() == "2 of 3 runs at another step"
        rows = {row.title: row for row in scene.window.digits.table.rows}
        assert rows["relu"].details[0] == "step 40"
        assert rows["relu"].emphasis == -1
        assert rows["elu"].details[0] == "at step 0"
        assert rows["elu"].emphasis == 0

    def test_the_slider_has_the_steps_of_all(self, scene: Scene) -> None:
        assert scene.window.slider.steps == (0, 40, 100)
        scene.window.slider.step_chosen.emit(0)
        assert scene.comparison.step == 0


class TestDigits:
    def test_rows_are_input_runs_and_a_pca_of_each_dimension(self, scene: Scene) -> None:
        assert scene.titles() == ["Input", "elu", "relu", "PCA, d = 5", "wide", "PCA, d = 20"]
        scene.window.digits.pca.setChecked(False)
        scene.settle()
        assert scene.titles() == ["Input", "elu", "relu", "wide"]

    def test_the_pca_row_tells_its_errors(self, scene: Scene) -> None:
        (row,) = [row for row in scene.window.digits.table.rows if row.title == "PCA, d = 5"]
        assert row.details[0].endswith(f"· {load_mnist_spectrum().test_errors[5]:.1f} test")

    def test_a_damaged_run_says_so_in_its_row(self, scene: Scene) -> None:
        scene.compute.models.broken = {"relu"}
        scene.window.digits.count.setValue(12)
        scene.settle()
        rows = {row.title: row for row in scene.window.digits.table.rows}
        assert rows["relu"].pixels is None
        assert rows["relu"].notice == "relu is damaged"
        assert rows["elu"].pixels is not None
        assert len(rows["elu"].pixels) == 12

    def test_shuffling_draws_others_and_names_the_seed(self, scene: Scene) -> None:
        scene.window.digits.kind.setCurrentIndex(1)
        first = scene.comparison.image_indices
        scene.window.digits.shuffle.click()
        assert scene.comparison.image_indices != first
        assert scene.window.digits.seed.text() == "seed 1"

    def test_the_worst_are_those_of_the_run_that_is_named(self, scene: Scene) -> None:
        scene.window.digits.kind.setCurrentIndex(2)
        assert "measuring" in scene.window.digits.state.text()
        scene.settle()
        ink = np.square(load_split("test").images / 255.0).sum(axis=(1, 2))
        assert scene.comparison.image_indices[0] == int(ink.argmax())
        assert scene.window.digits.state.text() == ""

    def test_numbers_that_are_none_are_marked_and_change_nothing(self, scene: Scene) -> None:
        page = scene.window.digits
        page.kind.setCurrentIndex(3)
        page.numbers.setText("7, 9")
        page.numbers.textEdited.emit("7, 9")
        assert scene.comparison.image_indices == (7, 9)
        page.numbers.textEdited.emit("7, x")
        assert page.numbers.property("invalid")
        assert scene.comparison.image_indices == (7, 9)

    def test_the_caption_names_methods_steps_errors_and_images(self, scene: Scene) -> None:
        scene.comparison.set_rule(ImageRule("chosen", chosen=(3, 61)))
        scene.settle()
        shown = scene.comparison.run(keys(scene.session)[1]).reconstructions
        assert shown is not None
        caption = scene.window.digits.caption
        assert f"ReLU autoencoder, d = 5, step 40 ({shown.errors.mean():.1f}; 16.0)" in caption
        assert f"; {load_mnist_spectrum().test_errors[20]:.1f})" in caption
        assert caption.endswith("Test images 3, 61.")
        assert caption.index("d = 5") < caption.index("d = 20")

    def test_pointing_tells_the_error_of_each_run(self, scene: Scene) -> None:
        table = scene.window.digits.table
        layout = table._layout()
        centre = layout.corner(2) + QPoint(int(layout.tile / 2), int(layout.tile / 2))
        scene.qtbot.mouseMove(table, centre.toPoint())
        shown = scene.comparison.run(keys(scene.session)[0]).reconstructions
        assert shown is not None
        digit = scene.comparison.image_indices[2]
        told = scene.window.digits.foot.text()
        assert told.startswith(f"test image {digit}, a 2: elu {shown.errors[2]:.1f}")


class TestLatent:
    def circle(self, scene: Scene) -> int:
        """Circles the middle of the first panel; the number of images inside."""
        plot = next(iter(scene.window.latent._panels.values())).plot
        middle = plot.viewport().rect().center()
        corners = [middle + QPoint(*p) for p in ((-30, -30), (30, -30), (30, 30), (-30, 30))]
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(plot.viewport(), left, pos=corners[0])
        for corner in corners[1:]:
            QTest.mouseMove(plot.viewport(), corner)
        QTest.mouseRelease(plot.viewport(), left, pos=corners[-1])
        return int(scene.comparison.selection.sum())

    @pytest.fixture
    def shown(self, scene: Scene) -> Scene:
        scene.window.tabs.setCurrentWidget(scene.window.latent)
        scene.settle()
        return scene

    def test_what_is_circled_in_one_is_lit_in_all(self, shown: Scene) -> None:
        count = self.circle(shown)
        shown.settle()
        assert 0 < count < 10_000
        assert f"{count:,} images selected" in shown.window.latent.note.text()
        for panel in shown.window.latent._panels.values():
            assert panel.plot.raster.lit == count

    def test_escape_clears_the_selection_and_no_more(self, shown: Scene) -> None:
        self.circle(shown)
        QTest.keyClick(shown.window, Qt.Key.Key_Escape)
        assert len(shown.comparison.selection) == 0
        QTest.keyClick(shown.window, Qt.Key.Key_Escape)
        assert shown.window.isVisible()

    def test_the_selection_can_become_the_columns(self, shown: Scene) -> None:
        self.circle(shown)
        expected = np.flatnonzero(shown.comparison.selection)[:32]
        shown.window.latent.to_digits.click()
        assert shown.comparison.image_indices == tuple(expected.tolist())
        assert shown.window.tabs.currentWidget() is shown.window.digits

    def test_axes_and_caption_name_the_plane(self, shown: Scene) -> None:
        caption = shown.window.latent.caption
        assert "(a) ELU autoencoder, d = 5, step 100, first two principal components" in caption
        assert "(b) ReLU autoencoder, d = 5, step 40" in caption

    @pytest.mark.parametrize(
        ("count", "size", "across"),
        [(1, (900, 600), 1), (2, (900, 600), 2), (4, (900, 700), 2), (5, (1200, 700), 3)],
    )
    def test_panels_stand_as_square_as_they_can(
        self, count: int, size: tuple[int, int], across: int
    ) -> None:
        assert most_square(count, *size) == across


class TestLosses:
    def test_runs_of_another_unit_are_left_out_and_told(self, scene: Scene) -> None:
        made(scene.session.folder, "vae", 0, which="vae")
        scene.session.refresh()
        scene.comparison.choose(keys(scene.session))
        page = scene.window.losses
        scene.window.tabs.setCurrentWidget(page)
        scene.settle()
        assert len(page.plot.names) == 4
        texts = [page.quantity.itemText(at) for at in range(page.quantity.count())]
        page.quantity.setCurrentIndex(texts.index("Training loss, nats per image"))
        assert [run.item.name for run in page.shown_runs()] == ["vae"]
        assert page.note.text() == "3 runs have another unit, not shown here"

    def test_the_caption_names_what_is_shown_and_the_figure_leaves_the_marker_out(
        self, scene: Scene
    ) -> None:
        page = scene.window.losses
        scene.window.tabs.setCurrentWidget(page)
        scene.settle()
        assert page.caption == (
            "Squared error, per image, of the 10,000 MNIST test images at checkpoints of "
            "ELU autoencoder, d = 5, ReLU autoencoder, d = 5, ELU autoencoder, d = 20."
        )
        accent = page.palette().highlight().color().rgb()
        image = page.plot.picture(1)
        row = image.height() // 3
        assert accent not in {image.pixel(x, row) for x in range(image.width())}
        assert page.plot._step.isVisible()

    def test_the_first_is_what_compares_for_all(self, scene: Scene) -> None:
        assert scene.window.losses.quantity.currentText() == "Squared error, per image"


class TestMetrics:
    @pytest.fixture
    def shown(self, scene: Scene) -> Scene:
        scene.window.tabs.setCurrentWidget(scene.window.metrics)
        scene.settle()
        return scene

    def column(self, scene: Scene, name: str) -> int:
        return next(csv.reader(io.StringIO(scene.window.metrics.csv))).index(name)

    def test_it_sorts_by_value_with_empty_cells_last(self, shown: Scene) -> None:
        page = shown.window.metrics
        made(shown.session.folder, "fresh")
        shown.session.refresh()
        shown.comparison.choose(keys(shown.session))
        shown.settle()
        at = self.column(shown, "squared_error")
        for order, expected in (
            (Qt.SortOrder.AscendingOrder, [7.0, 16.0, 18.0, None]),
            (Qt.SortOrder.DescendingOrder, [18.0, 16.0, 7.0, None]),
        ):
            page.view.sortByColumn(at, order)
            found = [page.sorted.index(row, at).data(SORT_ROLE) for row in range(4)]
            assert found == expected

    @pytest.mark.parametrize("language", ["en_US", "de_DE"])
    def test_the_csv_has_the_order_of_the_table_and_values_in_full(
        self, shown: Scene, tmp_path: Path, speak: Callable[[str], None], language: str
    ) -> None:
        page = shown.window.metrics
        speak(language)
        page.view.sortByColumn(self.column(shown, "squared_error"), Qt.SortOrder.AscendingOrder)
        page.save(str(tmp_path / "runs.csv"))
        rows = list(csv.DictReader(io.StringIO((tmp_path / "runs.csv").read_text())))
        assert [row["run"] for row in rows] == ["wide", "relu", "elu"]
        assert [row["step"] for row in rows] == ["100", "40", "100"]
        assert float(rows[1]["squared_error_per_pixel"]) == 16.0 / 784
        cell = page.sorted.index(1, self.column(shown, "squared_error")).data()
        assert cell == {"en_US": "16.00", "de_DE": "16,00"}[language]
        assert {row["explained_variance"] for row in rows} == {""}
        assert {row["loss_unit"] for row in rows} == {"squared error"}

    def test_a_column_without_figures_is_hidden(self, shown: Scene) -> None:
        page = shown.window.metrics
        assert page.view.isColumnHidden(self.column(shown, "explained_variance"))
        assert not page.view.isColumnHidden(self.column(shown, "pca_ratio"))

    def test_the_best_is_bold(self, shown: Scene) -> None:
        page, at = shown.window.metrics, self.column(shown, "squared_error")
        fonts = [page.model.index(row, at).data(Qt.ItemDataRole.FontRole) for row in range(3)]
        assert [bool(font and font.bold()) for font in fonts] == [False, False, True]


class TestExport:
    def test_the_png_has_the_size_that_is_told(self, scene: Scene, tmp_path: Path) -> None:
        dialog = scene.window.export()
        assert dialog is not None
        dialog.format.setCurrentIndex(1)
        size = dialog.figure.size * 3
        assert dialog.size_label.text() == f"{size.width():,} × {size.height():,} pixels"
        dialog.save(str(tmp_path / "figure.png"))
        kept = QImage(str(tmp_path / "figure.png"))
        assert kept.size() == size
        surface = scene.window.digits.palette().base().color()
        assert kept.pixelColor(1, 1) == surface
        assert QGuiApplication.clipboard().text() == scene.window.digits.caption

    def test_the_figure_holds_the_images_pixel_for_pixel(self, scene: Scene) -> None:
        dialog = scene.window.export()
        assert dialog is not None
        dialog.draws_caption.setChecked(False)
        image = dialog.figure.image(2)
        layout = scene.window.digits.table._layout()
        digit = load_split("test").images[scene.comparison.image_indices[0]]
        pixel = layout.tile * 2 / 28
        corner = (layout.label + 16) * 2, (layout.head + 16) * 2
        for row, column in ((14, 9), (7, 14), (20, 20), (0, 0)):
            x, y = corner[0] + (column + 0.5) * pixel, corner[1] + (row + 0.5) * pixel
            assert image.pixelColor(int(x), int(y)).red() == digit[row, column]
        dialog.reject()

    def test_without_the_caption_the_figure_is_lower(self, scene: Scene) -> None:
        dialog = scene.window.export()
        assert dialog is not None
        with_it = dialog.figure.size.height()
        dialog.draws_caption.setChecked(False)
        assert dialog.figure.size.height() < with_it
        dialog.reject()

    def test_the_svg_parses_and_says_the_changed_caption(
        self, scene: Scene, tmp_path: Path
    ) -> None:
        dialog = scene.window.export()
        assert dialog is not None
        dialog.format.setCurrentIndex(2)
        dialog.caption.setPlainText("My caption")
        size = dialog.figure.size
        dialog.save(str(tmp_path / "figure.svg"))
        root = ElementTree.fromstring((tmp_path / "figure.svg").read_bytes())
        assert root.tag == f"{SVG}svg"
        assert root.get("viewBox") == f"0 0 {size.width()} {size.height()}"
        texts = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
        assert "My caption" in texts
        assert "relu" in texts
        assert len(list(root.iter(f"{SVG}image"))) == 1

    @pytest.mark.parametrize("tab", [1, 2])
    def test_every_page_with_a_figure_can_be_kept(
        self, scene: Scene, tmp_path: Path, tab: int
    ) -> None:
        scene.window.tabs.setCurrentIndex(tab)
        scene.settle()
        dialog = scene.window.export()
        assert dialog is not None
        size = dialog.figure.size * 2
        dialog.save(str(tmp_path / "figure.png"))
        assert QImage(str(tmp_path / "figure.png")).size() == size

    def test_what_can_not_be_written_is_told(self, scene: Scene, tmp_path: Path) -> None:
        dialog = scene.window.export()
        assert dialog is not None
        dialog.failed.disconnect()
        with scene.qtbot.waitSignal(dialog.failed) as told:
            dialog.save(str(tmp_path / "missing" / "figure.png"))
        assert "Choose a folder that you may write to" in told.args[0]
        dialog.reject()
