"""Products in bfloat16, for processors that have them; weights in float32."""

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


def _lacking(device: torch.device) -> str:
    """Why products in bfloat16 gain nothing on the device; empty where they do."""
    if device.type != "cpu":
        return f"it trains on the cpu, not on {device.type}"
    able = torch.cpu.get_capabilities()
    if not (able.get("avx512_bf16") or able.get("amx_bf16")):
        return "this processor has no products in bfloat16 (AVX512_BF16 or AMX)"
    return ""


def _layer(linear: nn.Linear, slope: Slope, batch_size: int) -> Dense:
    """Products with a narrow side take no time; so the code and what makes it stay exact."""
    is_narrow = min(linear.in_features, linear.out_features) < _NARROW
    return (Dense if is_narrow else HalfDense)(linear, slope, batch_size)


class LayerwiseBF16(Layerwise):
    """`Layerwise` with the products of wide layers in bfloat16."""

    name = "layerwise-bf16"
    rank = -1
    _layer = staticmethod(_layer)

    @classmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """As for `Layerwise`, on a processor that multiplies bfloat16."""
        return super().misfit(model, device) or _lacking(device)


class AutogradBF16(Autograd):
    """`Autograd` under torch's autocast: convolutions and products in bfloat16, losses not."""

    name = "autograd-bf16"
    rank = -2

    @classmethod
    def misfit(cls, model: Autoencoder, device: torch.device) -> str:
        """It wants a processor that multiplies bfloat16."""
        return _lacking(device)

    def _loss(self, seen: Tensor, target: Tensor) -> StepLoss:
        with torch.autocast("cpu", torch.bfloat16):
            return super()._loss(seen, target)
