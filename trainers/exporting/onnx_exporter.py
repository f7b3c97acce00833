"""Encoder and decoder as ONNX, each checked by onnxruntime against torch.

The layers are translated one by one rather than traced by `torch.onnx`: that takes milliseconds
where tracing takes ten seconds of the thread that trains, and it wants no compiler of graphs. A
layer that is missing in `_TRANSLATED` is named; it takes a line there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from trainers.checkpointing.weights import load_model
from trainers.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from onnx import GraphProto, ModelProto

    from trainers.exporting.exporters import Task

TOLERANCE = 1e-4
"""The absolute and relative tolerance between onnxruntime's numbers and torch's."""
_CHECKED = 32
_OPSET, _IR = 20, 9

Operator = tuple[str, tuple[Tensor | None, ...], dict[str, Any]]
"""The name of an ONNX operator, its weights (None: it has none there), its attributes."""


def _convolution(layer: nn.Conv2d | nn.ConvTranspose2d) -> dict[str, Any]:
    """Attributes of Conv and ConvTranspose; padding is the same before and after."""
    attributes = {
        "kernel_shape": layer.kernel_size,
        "strides": layer.stride,
        "pads": (*layer.padding, *layer.padding),
        "dilations": layer.dilation,
        "group": layer.groups,
    }
    if isinstance(layer, nn.ConvTranspose2d):
        attributes["output_padding"] = layer.output_padding
    return attributes


_TRANSLATED: dict[type[nn.Module], Callable[[Any], Operator]] = {
    nn.Linear: lambda x: ("Gemm", (x.weight, x.bias), {"transB": 1}),
    nn.Conv2d: lambda x: ("Conv", (x.weight, x.bias), _convolution(x)),
    nn.ConvTranspose2d: lambda x: ("ConvTranspose", (x.weight, x.bias), _convolution(x)),
    nn.Flatten: lambda x: ("Flatten", (), {"axis": x.start_dim}),
    nn.Unflatten: lambda x: ("Reshape", (torch.tensor([0, *x.unflattened_size]),), {}),
    nn.Identity: lambda _: ("Identity", (), {}),
    nn.Sigmoid: lambda _: ("Sigmoid", (), {}),
    nn.Tanh: lambda _: ("Tanh", (), {}),
    nn.ReLU: lambda _: ("Relu", (), {}),
    nn.ELU: lambda x: ("Elu", (), {"alpha": x.alpha}),
    nn.GELU: lambda x: ("Gelu", (), {"approximate": x.approximate}),
    nn.SiLU: lambda _: ("Sigmoid", (), {}),  # This multiplies its input; see `_nodes`.
}


def write(task: Task) -> Iterator[None]:
    """Writes encoder.onnx and decoder.onnx; a batch may have any size.

    Raises
    ------
    ExportError
        When a layer has no translation, or onnxruntime gives other numbers than torch.
    """
    model, step = load_model(task.run, task.checkpoint.step)
    description = f"{task.run.name} at step {step:,}, by AE Viewer"
    random = torch.Generator().manual_seed(0)
    images = torch.rand(_CHECKED, model.pixels, generator=random)
    codes = torch.randn(_CHECKED, model.latent_dim, generator=random)
    yield
    encoder, decoder = model.layers()
    outputs = ["mean", "log_variance"] if model.variational else ["mean"]
    for name, stack, given, found, values in (
        ("encoder", encoder, "images", outputs, images),
        ("decoder", decoder, "codes", ["images"], codes),
    ):
        place = task.folder / f"{name}.onnx"
        content = translate(stack, name, given, found, values.shape[1], description)
        place.write_bytes(content.SerializeToString())
        check(stack, values, place)
        yield


def translate(
    stack: nn.Sequential, name: str, given: str, found: Sequence[str], width: int, description: str
) -> ModelProto:
    """Translates a stack of layers to a model.

    Parameters
    ----------
    stack
        (n, `width`) → (n, numbers), the outputs side by side.
    name
        Of the graph.
    given, found
        Names of the input, and of outputs of equal width.
    width
        Numbers in a row of the input.
    description
        What it is, kept in the file.

    Raises
    ------
    ExportError
        When a layer has no translation.
    """
    from onnx import TensorProto, checker, helper, shape_inference

    graph = helper.make_graph(
        [],
        name,
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", None]) for n in found],
    )
    last = _nodes(stack, graph, given)
    if len(found) == 1:
        graph.node.append(helper.make_node("Identity", [last], found))
    else:
        graph.node.append(helper.make_node("Split", [last], found, axis=1, num_outputs=len(found)))
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="AE Viewer",
        doc_string=description,
    )
    model = shape_inference.infer_shapes(model, strict_mode=True)
    checker.check_model(model, full_check=True)
    return model


def _nodes(stack: nn.Sequential, graph: GraphProto, given: str) -> str:
    """Adds every layer to the graph; returns the name of the last output."""
    from onnx import helper, numpy_helper

    for number, layer in enumerate(stack):
        if type(layer) not in _TRANSLATED:
            raise ExportError(
                f"The model has a layer without a translation to ONNX: {type(layer).__name__}. "
                "Export the whole run instead, or add the translation to "
                "trainers/exporting/onnx_exporter.py."
            )
        kind, weights, attributes = _TRANSLATED[type(layer)](layer)
        names = [f"{number}.{role}" for role in ("weight", "bias")[: len(weights)]]
        pairs = [(n, w) for n, w in zip(names, weights, strict=True) if w is not None]
        for name, weight in pairs:
            values = weight.detach().contiguous().numpy()
            graph.initializer.append(numpy_helper.from_array(values, name))
        inputs, result = [given, *(name for name, _ in pairs)], f"{number}.out"
        graph.node.append(helper.make_node(kind, inputs, [result], **attributes))
        if isinstance(layer, nn.SiLU):
            graph.node.append(helper.make_node("Mul", [given, result], [f"{number}.gated"]))
            result = f"{number}.gated"
        given = result
    return given


@torch.inference_mode()
def check(stack: nn.Module, values: Tensor, place: Path) -> None:
    """Runs a model by onnxruntime and compares its outputs with those of a stack.

    Raises
    ------
    ExportError
        When a number is further from torch's than `TOLERANCE`, or there are other outputs.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(place, providers=["CPUExecutionProvider"])
    parts = session.run(None, {session.get_inputs()[0].name: values.numpy()})
    theirs, ours = np.concatenate(parts, axis=1), stack(values).numpy()
    if theirs.shape != ours.shape or not np.allclose(ours, theirs, TOLERANCE, TOLERANCE):
        far = np.abs(ours - theirs).max() if theirs.shape == ours.shape else np.inf
        raise ExportError(
            f"{place.name} cannot be trusted: onnxruntime differs from torch by {far:.3g}, and "
            f"{TOLERANCE:g} is allowed. It was not kept."
        )
