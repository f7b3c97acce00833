"""Engines with matrix products in bfloat16 and weights in float32. "auto" never chooses them.

They need a processor with bfloat16 instructions (AVX512_BF16 or AMX). A step is faster than that of
the float32 engine (docs/performance.md has the measurements), but the quality of models trained to
the full length is not shown yet. Both ranks are therefore below that of the reference, and a run
uses these engines only when its config names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.training.engines.autograd import Autograd
from trainers.training.engines.dense import Dense, HalfDense
from trainers.training.engines.layerwise import Layerwise

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainers.models.base import Autoencoder, StepLoss
    from trainers.training.engines.dense import Slope

_NARROW = 64


def _missing_support(device: torch.device) -> str:
    """Returns why the device cannot gain from bfloat16; empty if it can."""
    if device.type != "cpu":
        return f"it trains on the cpu, not on {device.type}"
    capabilities = torch.cpu.get_capabilities()
    if not (capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")):
        return "this processor has no products in bfloat16 (AVX512_BF16 or AMX)"
    return ""


def _layer(linear: nn.Linear, slope: Slope, batch_size: int) -> Dense:
    """Returns a float32 layer if one side is narrow, otherwise a bfloat16 layer.

    Narrow products take almost no time, so the code and the layer before it stay exact.
    """
    is_narrow = min(linear.in_features, linear.out_features) < _NARROW
    return (Dense if is_narrow else HalfDense)(linear, slope, batch_size)


class LayerwiseBF16(Layerwise):
    """`Layerwise` with the products of wide layers in bfloat16."""

    name = "layerwise-bf16"
    rank = -1
    _layer = staticmethod(_layer)

    @classmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """Returns the reason of `Layerwise`, or that the processor lacks bfloat16."""
        return super().misfit(model, device) or _missing_support(device)


class AutogradBF16(Autograd):
    """`Autograd` under torch's autocast: products in bfloat16, losses in float32."""

    name = "autograd-bf16"
    rank = -2

    @classmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """Returns why the processor or the device cannot gain from bfloat16."""
        return _missing_support(device)

    def _loss(self, inputs: Tensor, target: Tensor) -> StepLoss:
        with torch.autocast("cpu", torch.bfloat16):
            return super()._loss(inputs, target)
