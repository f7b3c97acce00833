from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.latent_services import LatentServices

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from aeviewer.services.latent.latent_state import LatentState
    from aeviewer.services.runs.session import Session


@pytest.fixture
def latent_services(session: Session) -> LatentServices:
    """Services whose compute thread does not run, so that no request is answered."""
    return LatentServices(session, ComputeThread(EventQueue()))


@pytest.fixture
def latent_state(latent_services: LatentServices) -> LatentState:
    return latent_services.latent_state


@pytest.fixture
def panel(qtbot: QtBot, latent_services: LatentServices) -> LatentPanel:
    panel = LatentPanel(latent_services)
    qtbot.addWidget(panel)
    panel.resize(700, 600)
    panel.show()
    qtbot.waitExposed(panel)
    return panel
