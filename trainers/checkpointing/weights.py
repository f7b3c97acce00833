"""Weights and resume points as safetensors: nothing is ever unpickled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError

from trainers.errors import RunError
from trainers.models import build
from trainers.storage import safetensors_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from trainers.config import Precision
    from trainers.models.base import Autoencoder
    from trainers.runs import Run
    from trainers.training.adam import Adam

_NOISE = "noise"


def weights(model: Autoencoder, precision: Precision = "float32") -> bytes:
    """A model's state as the content of a safetensors file."""
    kept = getattr(torch, precision)
    state = model.state_dict().items()
    return safetensors_file.packed({n: t.detach().to("cpu", kept).numpy() for n, t in state})


def load_model(run: Run, step: int | None = None) -> tuple[Autoencoder, int]:
    """The model of a run's checkpoint at `step` (the newest where None), and that step.

    Raises
    ------
    RunError
        When there is no such checkpoint, or its weights are damaged or of another shape.
    """
    checkpoint = run.checkpoint(step)
    _compare(_shapes(run), checkpoint.model)
    model = build(run.config.model, run.dataset.pixels, run.dataset.channels)
    _load(model, _read(checkpoint.model), checkpoint.model)
    return model.requires_grad_(False).eval(), checkpoint.step


@dataclass(frozen=True)
class Snapshot:
    """A resume point in memory of its own: training goes on, and any thread may write it down."""

    arrays: dict[str, NDArray[np.generic]]
    position: str

    def to_bytes(self) -> bytes:
        """The content of a resume.safetensors; runs no torch."""
        return safetensors_file.packed(self.arrays, {"position": self.position})


@dataclass(frozen=True)
class ResumePoint:
    """Everything that a later process needs to go on as if nothing had happened."""

    step: int
    seconds: float
    model: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    noise: Tensor
    engine: str = ""
    device: str = ""

    def snapshot(self) -> Snapshot:
        """A copy of everything as it is now."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.items()}
        tensors |= {f"optimiser.{name}": tensor for name, tensor in self.optimiser.items()}
        tensors[_NOISE] = self.noise
        arrays = {name: t.detach().cpu().contiguous().numpy() for name, t in tensors.items()}
        told = ("step", "seconds", "engine", "device")
        position = json.dumps({name: getattr(self, name) for name in told})
        return Snapshot({name: array.copy() for name, array in arrays.items()}, position)

    @classmethod
    def read(cls, path: Path) -> ResumePoint:
        """The resume point in a file.

        Raises
        ------
        RunError
            When it is missing or damaged.
        """
        tensors = _read(path)
        try:
            position = json.loads(safetensors_file.told(path)["position"])
            return cls(
                step=int(position["step"]),
                seconds=float(position["seconds"]),
                engine=str(position.get("engine", "")),
                device=str(position.get("device", "")),
                model=_under("model.", tensors),
                optimiser=_under("optimiser.", tensors),
                noise=tensors[_NOISE],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} is no resume point ({error!r} is missing or odd).") from error

    def restore(
        self, model: Autoencoder, optimiser: Adam, noise: torch.Generator, path: Path
    ) -> None:
        """Puts everything back; `path` is where it came from.

        Raises
        ------
        RunError
            When something in it does not fit the model.
        """
        _load(model, self.model, path)
        try:
            if self.step > 0 or self.optimiser:  # older runs kept none before their first step
                optimiser.restore(self.optimiser)
            noise.set_state(self.noise)
        except (ValueError, TypeError, RuntimeError) as error:
            raise RunError(
                f"{path} does not fit the run ({error}): it is damaged. The run's checkpoints can "
                "still be explored; start a new run from its config."
            ) from error


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


def _read(path: Path) -> dict[str, Tensor]:
    try:
        tensors = safetensors.torch.load_file(path)
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    except (OSError, SafetensorError, TypeError) as error:
        raise RunError(f"{path} can not be read ({error}): the run is damaged.") from error
    safetensors_file.compare(path, arrays, safetensors_file.told(path))
    return tensors


def _shapes(run: Run) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights of a run's model, which is not made for that."""
    with torch.device("meta"):
        model = build(run.config.model, run.dataset.pixels, run.dataset.channels)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _compare(wanted: dict[str, tuple[int, ...]], path: Path) -> None:
    """Compares what a file says that it holds with what is wanted, before there is any of either.

    Raises
    ------
    RunError
        When the file can not be read, or holds anything else.
    """
    held = safetensors_file.shapes(path)
    odd = sorted(n for n in held.keys() | wanted.keys() if held.get(n) != wanted.get(n))
    if odd:
        name = odd[0]
        raise RunError(
            f"{path} does not fit the run's config: {name} is {held.get(name, 'missing')} in the "
            f"file and {wanted.get(name, 'nothing')} in the model."
        )


def _load(model: Autoencoder, tensors: dict[str, Tensor], path: Path) -> None:
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise RunError(f"{path} does not fit the run's config: {reason}") from error
