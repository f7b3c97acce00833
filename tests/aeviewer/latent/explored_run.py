"""A small trained run to explore, and the services around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.services.compute.compute_client import ComputeClient
from aeviewer.services.compute.compute_thread import ComputeThread
from aeviewer.services.compute.event_queue import EventQueue
from aeviewer.services.latent.step_loader import StepLoader
from aeviewer.services.latent_services import LatentServices
from trainers import runs
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from aeviewer.services.runs.session import Session

SMALL = {"hidden": (32,), "steps": 40, "batch_size": 50}


def trained(folder: Path, name: str, latent_dim: int, **changes: object) -> runs.Run:
    """A run of a small model, a second's work."""
    from trainers.training.trainer import Trainer

    config = preset(name).replace(latent_dim=latent_dim, **{**SMALL, **changes})
    run = runs.create_run(config, folder)
    for _event in Trainer(run):
        pass
    return run


class Explored(LatentServices):
    """Services over a session, with what shows its steps; the compute thread must be closed."""

    def __init__(self, session: Session, event_queue: EventQueue | None = None) -> None:
        super().__init__(session, ComputeThread(event_queue or EventQueue()))
        self.explorer = StepLoader(session, self.compute)
        self.idle = ComputeClient(self.compute, "idle", session.report)
        self.compute.start()


def services(session: Session) -> Explored:
    """Services around a session; the compute thread runs, and must be closed."""
    return Explored(session)
