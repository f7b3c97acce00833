from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from tests.aeviewer.explored_run import ExploredServices, show_latent_panel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_colours_of_another_step_are_dimmed_until_the_new_ones_are_computed(
    explored: ExploredServices, qtbot: QtBot
) -> None:
    panel, colours = show_latent_panel(qtbot, explored), explored.point_colours
    session = explored.session
    colours.choose("norm")
    qtbot.waitUntil(lambda: colours.values is not None)
    go_on = Event()
    explored.idle_client.submit("occupied", lambda _models: go_on.wait(60), lambda _none: None)
    before = colours.values
    session.show_step(session.checkpoints[0])
    qtbot.waitUntil(lambda: panel.line.is_dimmed and panel.line.bar.isVisible())
    assert colours.latest.is_stale
    assert colours.values is before
    go_on.set()
    qtbot.waitUntil(lambda: not colours.latest.is_stale and not colours.latest.is_computing)
    assert session.preview is not None
    norms = np.linalg.norm(session.preview.codes, axis=1)
    assert colours.values is not None
    np.testing.assert_allclose(colours.values.values, norms, rtol=1e-5)
    qtbot.waitUntil(lambda: not panel.line.is_dimmed)
