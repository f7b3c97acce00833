"""Reads and writes weights and resume points as safetensors, without pickle."""

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
from trainers.storage.regular_files import check_regular_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from trainers.config_types import Precision
    from trainers.models.base import Autoencoder
    from trainers.runs import Run
    from trainers.training.adam import Adam

_NOISE = "noise"
_KINDS = frozenset({torch.float32, torch.float16})


def weights_to_bytes(model: Autoencoder, precision: Precision = "float32") -> bytes:
    """Returns a model's state as the content of a safetensors file."""
    dtype = getattr(torch, precision)
    state = model.state_dict().items()
    return safetensors_file.pack({n: t.detach().to("cpu", dtype).numpy() for n, t in state})


def load_model(run: Run, step: int | None = None) -> tuple[Autoencoder, int]:
    """Returns the model of a run's checkpoint and its step.

    Parameters
    ----------
    run
        The run.
    step
        The step of the checkpoint; None for the newest.

    Raises
    ------
    RunError
        When the run has no such checkpoint, or its weights are damaged or have another shape.
    """
    checkpoint = run.checkpoint(step)
    _compare(_shapes(run), checkpoint.model)
    model = build(run.config.model, run.dataset.pixels, run.dataset.channels)
    _load(model, _read(checkpoint.model), checkpoint.model)
    return model.requires_grad_(False).eval(), checkpoint.step


@dataclass(frozen=True)
class Snapshot:
    """A copy of a resume point: training may continue while any thread writes it."""

    arrays: dict[str, NDArray[np.generic]]
    position: str

    def to_bytes(self) -> bytes:
        """Returns the content of resume.safetensors; calls no torch."""
        return safetensors_file.pack(self.arrays, {"position": self.position})


@dataclass(frozen=True)
class ResumePoint:
    """Everything that a later process needs to continue a run with the same result bit for bit."""

    step: int
    seconds: float
    model: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    noise: Tensor
    engine: str = ""
    device: str = ""

    def snapshot(self) -> Snapshot:
        """Returns a copy of the present values."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.items()}
        tensors |= {f"optimiser.{name}": tensor for name, tensor in self.optimiser.items()}
        tensors[_NOISE] = self.noise
        arrays = {name: t.detach().cpu().contiguous().numpy() for name, t in tensors.items()}
        header = ("step", "seconds", "engine", "device")
        position = json.dumps({name: getattr(self, name) for name in header})
        return Snapshot({name: array.copy() for name, array in arrays.items()}, position)

    @classmethod
    def read(cls, path: Path) -> ResumePoint:
        """Reads the resume point in a file.

        Raises
        ------
        RunError
            When the file is missing or damaged.
        """
        tensors = _read(path)
        try:
            position = json.loads(safetensors_file.read_header(path)["position"])
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
            raise RunError(
                f"{path} is not a resume point: {error!r} is missing or invalid."
            ) from error

    def restore(
        self, model: Autoencoder, optimiser: Adam, noise: torch.Generator, path: Path
    ) -> None:
        """Copies everything into the model, the optimiser and the noise; `path` is for messages.

        Raises
        ------
        RunError
            When a part of it does not fit the model.
        """
        _check_numbers(self.optimiser, path)
        _load(model, self.model, path)
        try:
            if self.step > 0 or self.optimiser:  # older runs saved no moments before step 1
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
        check_regular_file(path)
        tensors = safetensors.torch.load_file(path)
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    except (OSError, SafetensorError, TypeError) as error:
        raise RunError(f"{path} cannot be read ({error}): the run is damaged.") from error
    safetensors_file.check_checksum(path, arrays, safetensors_file.read_header(path))
    return tensors


def _shapes(run: Run) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the weights of a run's model without allocating the weights."""
    with torch.device("meta"):
        model = build(run.config.model, run.dataset.pixels, run.dataset.channels)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _compare(expected: dict[str, tuple[int, ...]], path: Path) -> None:
    """Compares the shapes in a file's header with the model's before any memory is allocated.

    Raises
    ------
    RunError
        When the file cannot be read, or its shapes are not the model's.
    """
    found = safetensors_file.read_shapes(path)
    names = found.keys() | expected.keys()
    different = sorted(name for name in names if found.get(name) != expected.get(name))
    if different:
        name = different[0]
        raise RunError(
            f"{path} does not fit the run's config: {name} is {found.get(name, 'missing')} in the "
            f"file and {expected.get(name, 'nothing')} in the model."
        )


def _check_numbers(tensors: dict[str, Tensor], path: Path) -> None:
    """Checks that tensors have numbers of a kind that the program writes.

    Raises
    ------
    RunError
        Naming the first one that has not.
    """
    for name, tensor in sorted(tensors.items()):
        if tensor.dtype not in _KINDS:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise RunError(
                f"{path} is damaged: {name} has numbers of the kind {kind}, and weights are "
                "float32 or float16. The run's other checkpoints can still be explored."
            )


def _load(model: Autoencoder, tensors: dict[str, Tensor], path: Path) -> None:
    _check_numbers(tensors, path)
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise RunError(f"{path} does not fit the run's config: {reason}") from error
