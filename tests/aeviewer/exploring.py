"""A small trained run to explore, and the services around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeviewer.services.cloud import Cloud
from aeviewer.services.compute import ComputeThread
from aeviewer.services.exploration import Exploration
from aeviewer.services.explorer import Explorer
from aeviewer.services.mailbox import Mailbox
from trainers import runs
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from aeviewer.services.session import Session

SMALL = {"hidden": (32,), "steps": 40, "batch_size": 50}


def trained(folder: Path, name: str, latent_dim: int, **changes: object) -> runs.Run:
    """A run of a small model, a second's work."""
    from trainers.training.trainer import Trainer

    config = preset(name).replace(latent_dim=latent_dim, **{**SMALL, **changes})
    run = runs.create(config, folder)
    for _event in Trainer(run):
        pass
    return run


@dataclass
class Explored:
    """Services over a session with one run."""

    session: Session
    exploration: Exploration
    explorer: Explorer
    compute: ComputeThread


def services(session: Session) -> Explored:
    """Services around a session; the compute thread runs, and must be closed."""
    compute = ComputeThread(Mailbox())
    exploration = Exploration(session, Cloud(session, compute))
    made = Explored(session, exploration, Explorer(session, compute), compute)
    compute.start()
    return made
