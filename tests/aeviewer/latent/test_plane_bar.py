from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from tests.aeviewer.latent.latent_panel_hands import codes, give, press, show
from trainers.datasets import mnist

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.panels.latent.latent_panel import LatentPanel
    from aeviewer.services.runs.session import Session


def test_axes_are_chosen_and_never_the_same(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(5)
    show(qtbot, panel, session, table)
    qtbot.keyClick(panel.plane_bar.x_axis, Qt.Key.Key_End)
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [4, 1]])
    qtbot.keyClick(panel.plane_bar.y_axis, Qt.Key.Key_End)
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [0, 4]])
    assert panel.plot.axis("bottom").labelText == "z₁"
    assert panel.plot.axis("left").labelText == "z₅"


def test_runs_with_fewer_or_more_coordinates_follow_each_other(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(1))
    table = codes(5)
    show(qtbot, panel, session, table, "relu")
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [0, 1]])
    panel.plane_bar.x_axis.setCurrentIndex(1)
    qtbot.keyClick(panel.plane_bar.y_axis, Qt.Key.Key_End)
    show(qtbot, panel, session, codes(2), "sigmoid")
    np.testing.assert_allclose(panel.plot.raster.xy, codes(2))


def test_fewer_coordinates_keep_what_can_be_kept(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    show(qtbot, panel, session, codes(5))
    qtbot.keyClick(panel.plane_bar.y_axis, Qt.Key.Key_End)
    panel.plane_bar.x_axis.setCurrentIndex(1)
    table = codes(3)
    show(qtbot, panel, session, table, "relu")
    np.testing.assert_allclose(panel.plot.raster.xy, table[:, [1, 2]])


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_panel_can_be_narrow(
    qtbot: QtBot, panel: LatentPanel, session: Session, latent_dim: int
) -> None:
    show(qtbot, panel, session, codes(latent_dim), "vae")
    assert panel.minimumSizeHint().width() <= 440


def test_principal_plane_is_named_and_does_not_flip(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(5) * np.array([1, 5, 1, 3, 1], np.float32)
    show(qtbot, panel, session, table)
    qtbot.keyClick(panel.plane_bar.kind, Qt.Key.Key_Down)
    before = panel.plot.raster.xy
    label = panel.plot.axis("bottom").labelText
    assert label.startswith("PC 1 of the codes (6")
    assert label.endswith("% of variance)")
    give(qtbot, panel, session, table + 0.05 * codes(5, seed=1), 4000)
    after = panel.plot.raster.xy
    assert (np.sum(before * after, axis=0) > 0).all()


def test_one_number_is_shown_by_class_and_decoded_by_x(
    qtbot: QtBot, panel: LatentPanel, session: Session
) -> None:
    table = codes(1)
    show(qtbot, panel, session, table)
    xy, labels = panel.plot.raster.xy, mnist.load_split("test").labels
    np.testing.assert_allclose(xy[:, 0], table[:, 0])
    np.testing.assert_array_equal(np.rint(xy[:, 1]), labels)
    press(qtbot, panel, 1.0, 7.0)
    np.testing.assert_allclose(session.code, [1.0], atol=0.03)
    marker = panel.plot.marker
    assert marker is not None
    assert np.isnan(marker[1])
    qtbot.keyClick(panel.plot, Qt.Key.Key_Return)  # it is at no one's height: nothing is near
    np.testing.assert_allclose(session.code, [marker[0]])
