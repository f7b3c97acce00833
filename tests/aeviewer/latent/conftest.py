from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import Mailbox
from aeviewer.services.latent_services import Exploring

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.services.latent.latent_state import Exploration
    from aeviewer.services.runs.session import Session


@pytest.fixture
def exploring(session: Session) -> Exploring:
    """Services whose questions nobody answers: the thread does not run."""
    return Exploring(session, ComputeThread(Mailbox()))


@pytest.fixture
def exploration(exploring: Exploring) -> Exploration:
    return exploring.exploration


@pytest.fixture
def panel(qtbot: QtBot, exploring: Exploring) -> LatentPanel:
    panel = LatentPanel(exploring)
    qtbot.addWidget(panel)
    panel.resize(700, 600)
    panel.show()
    qtbot.waitExposed(panel)
    return panel
