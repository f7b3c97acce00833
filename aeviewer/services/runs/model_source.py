"""The model that computed a result: which run, which step, and whether it is in training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelSource:
    """The model that computed a result.

    Attributes
    ----------
    run_name
        The name of its run.
    step
        The training steps behind the model.
    is_live
        Whether it was the model in training, not one of a checkpoint.
    """

    run_name: str
    step: int
    is_live: bool = False
