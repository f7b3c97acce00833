"""Encoder and decoder as ONNX, each checked by onnxruntime against torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trainers.errors import ExportError
from trainers.training.checkpoint import load_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainers.exporting.table import Task
    from trainers.models.base import Autoencoder

TOLERANCE = 1e-4
"""How far a number of onnxruntime may be from torch's: so much, and so much of its size."""
_CHECKED = 32


class _Encoder(nn.Module):
    """(n, P) images → (n, D) mean and, where variational, (n, D) log-variance."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """As the class says."""
        mean, log_variance = self.model.posterior(images)
        return (mean,) if log_variance is None else (mean, log_variance)


class _Decoder(nn.Module):
    """(n, D) codes → (n, P) mean images."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: Tensor) -> tuple[Tensor, ...]:
        """As the class says."""
        return (self.model.decode(codes),)


def write(task: Task) -> Iterator[None]:
    """Writes encoder.onnx and decoder.onnx; a batch may have any size.

    Raises
    ------
    ExportError
        When onnxruntime gives other numbers than torch.
    """
    model, step = load_model(task.run, task.checkpoint.step)
    told = f"{task.run.name} at step {step:,}, by AE Viewer"
    random = torch.Generator().manual_seed(0)
    images = torch.rand(_CHECKED, model.pixels, generator=random)
    codes = torch.randn(_CHECKED, model.latent_dim, generator=random)
    yield
    outputs = ("mean", "log_variance") if model.variational else ("mean",)
    _export(_Encoder(model), ("images", images), outputs, task.folder / "encoder.onnx", told)
    yield
    _export(_Decoder(model), ("codes", codes), ("images",), task.folder / "decoder.onnx", told)


def _export(
    part: nn.Module, given: tuple[str, Tensor], outputs: tuple[str, ...], place: Path, told: str
) -> None:
    name, values = given
    part.eval()
    program = torch.onnx.export(
        part,
        (values,),
        input_names=[name],
        output_names=list(outputs),
        dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise ExportError(f"torch could not write {place.name}.")
    program.model.doc_string = told
    program.save(place, external_data=False)
    check(part, values, place)


@torch.inference_mode()
def check(part: nn.Module, values: Tensor, place: Path) -> None:
    """Runs a model by onnxruntime and compares.

    Raises
    ------
    ExportError
        When a number is further from torch's than `TOLERANCE`, or there are other outputs.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(place, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: values.numpy()})
    for kind, ours, theirs in zip(session.get_outputs(), part(values), found, strict=True):
        if not np.allclose(ours.numpy(), theirs, TOLERANCE, TOLERANCE):
            far = np.abs(ours.numpy() - theirs).max()
            raise ExportError(
                f"{place.name} can not be trusted: onnxruntime's {kind.name} differs from torch's "
                f"by {far:.3g}, and {TOLERANCE:g} is allowed. It was not kept."
            )
