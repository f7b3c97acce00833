"""A small trained run, and the latent services with a compute thread that shows it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from aeviewer.panels.latent.latent_panel import LatentPanel
from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.latent.step_loader import StepLoader
from aeviewer.services.latent_services import LatentServices
from trainers import runs
from trainers.presets import preset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from aeviewer.services.runs.session import Session

    TrainRun = Callable[..., runs.Run]

SMALL = {"hidden": (32,), "steps": 40, "batch_size": 50}


def train_run(folder: Path, name: str, latent_dim: int, **changes: object) -> runs.Run:
    """Trains a small model of a preset in about a second, and returns its run."""
    from trainers.training.trainer import Trainer

    config = preset(name).replace(latent_dim=latent_dim, **{**SMALL, **changes})
    run = runs.create_run(config, folder)
    for _event in Trainer(run):
        pass
    return run


def copy_run(run: runs.Run, folder: Path) -> runs.Run:
    """Copies a run into a folder, for a test that changes it."""
    return runs.Run(shutil.copytree(run.path, folder / run.name))


class ExploredServices(LatentServices):
    """The latent services of a session, and a compute thread that runs until `close` is called."""

    def __init__(self, session: Session, event_queue: EventQueue | None = None) -> None:
        super().__init__(session, ComputeThread(event_queue or EventQueue()))
        self.step_loader = StepLoader(session, self.compute)
        self.idle_client = ComputeClient(self.compute, "idle", session.report)
        self.compute.start()

    def close(self) -> None:
        """Ends the services and the compute thread."""
        super().close()
        self.compute.close()


def show_latent_panel(qtbot: QtBot, explored: ExploredServices) -> LatentPanel:
    """Shows a latent panel, and waits until it has the codes of the run."""
    panel = LatentPanel(explored)
    qtbot.addWidget(panel)
    panel.resize(700, 600)
    panel.show()
    qtbot.waitUntil(lambda: len(panel.plot.raster.xy) > 0)
    return panel
