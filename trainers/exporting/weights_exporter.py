"""Encoder and decoder as safetensors, with a short script that loads them by torch alone.

The format is a length, a header in JSON and the numbers: torch reads it without a library. The
layers are written into the script as torch prints them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import safetensors.torch
from torch import nn

from trainers.checkpointing.weights import load_model
from trainers.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.exporting.exporters import Task
    from trainers.models.base import Autoencoder

_SCRIPT = '''"""{name} at step {step:,}: encoder and decoder by torch alone. Written by AE Viewer.

    encoder(pixels)   (n, {pixels}) of 0..1, row by row, ink is 1 -> (n, {outputs}): {codes}
    decoder(codes)    (n, {latent_dim}) -> (n, {pixels})
"""

import json, pathlib, torch
from torch.nn import {names}

encoder = {encoder}
decoder = {decoder}
raw = bytearray(pathlib.Path(__file__).with_name("weights.safetensors").read_bytes())
start, weights = 8 + int.from_bytes(raw[:8], "little"), {{}}
for name, entry in json.loads(raw[8:start]).items():
    a, b = (start + offset for offset in entry["data_offsets"])
    weights[name] = torch.frombuffer(raw[a:b], dtype=torch.float32).view(entry["shape"])
ModuleDict({{"encoder": encoder, "decoder": decoder}}).load_state_dict(weights)
'''


def write(task: Task) -> Iterator[None]:
    """Writes weights.safetensors and load_model.py.

    Raises
    ------
    ExportError
        When the model is not made of torch's own layers.
    """
    model, step = load_model(task.run, task.checkpoint.step)
    yield
    encoder, decoder = model.layers()
    state = nn.ModuleDict({"encoder": encoder, "decoder": decoder}).state_dict()
    weights = {name: tensor.detach().float().contiguous() for name, tensor in state.items()}
    (task.folder / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
    script = _script(task.run.name, step, model, encoder, decoder)
    (task.folder / "load_model.py").write_text(script, encoding="utf-8")


def _script(
    name: str, step: int, model: Autoencoder, encoder: nn.Sequential, decoder: nn.Sequential
) -> str:
    d = model.latent_dim
    layers = [*encoder, *decoder]
    return _SCRIPT.format(
        name=name.replace("\\", "/").replace('"', "'"),
        step=step,
        pixels=model.pixels,
        outputs=2 * d if model.variational else d,
        latent_dim=d,
        codes=f"{d} means, then {d} log-variances" if model.variational else "a code",
        names=", ".join(sorted({"ModuleDict", "Sequential", *(type(x).__name__ for x in layers)})),
        encoder=_source(encoder),
        decoder=_source(decoder),
    )


def _source(stack: nn.Sequential) -> str:
    """Returns the expression that makes such a stack, as torch prints its layers."""
    for layer in stack:
        if getattr(nn, type(layer).__name__, None) is not type(layer) or [*layer.children()]:
            raise ExportError(
                f"The model has a layer that torch alone does not know: {type(layer).__name__}. "
                "Carry it away as ONNX, or as the whole run."
            )
    return f"Sequential({', '.join(repr(layer) for layer in stack)})"
