"""Autoencoders on handwritten digits: configure, train, load. No window is needed.

>>> import trainers
>>> from pathlib import Path
>>> for event in trainers.train(trainers.preset("elu").replace(steps=2000), Path("runs")):
...     print(event)
>>> model = trainers.load("runs/elu-d5")
>>> codes = model.encode(images)

Importing this loads no torch; `train` and `load` do when they are first used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from trainers.config import RunConfig
from trainers.errors import AEViewerError
from trainers.presets import PRESETS, preset

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.inference import load
    from trainers.training.trainer import Trainer

__all__ = ["PRESETS", "RunConfig", "load", "preset", "train"]


# Threads of a parallel operation that wait for each other spin for some microseconds, then sleep:
# spinning on costs all but a few steps a second where another program wants a core, sleeping at
# once a third of them where none does (docs/performance.md). Read by the OpenMP library when torch
# is loaded, so it is said before.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def train(config: RunConfig, folder: Path, name: str = "") -> Trainer:
    """Makes a trainer of a new run in `folder`; iterate it to train.

    Raises
    ------
    RunError
        When the run's folder cannot be made.
    DeviceError
        When the chosen device is not there.
    EngineError
        When the chosen engine cannot train the model there.
    """
    from trainers import runs
    from trainers.training.trainer import Trainer

    run = runs.create_run(config, folder, name)
    try:
        return Trainer(run)
    except AEViewerError:
        run.discard()
        raise


def __getattr__(name: str) -> object:
    if name == "load":
        return import_module("trainers.inference").load
    raise AttributeError(name)
