"""Dense layers with hand-written gradients, in buffers that are allocated once.

Shape legend: B images in a batch, I inputs of a layer, O outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_aten = torch.ops.aten


class Slope(NamedTuple):
    """An activation and its derivative; both write into existing tensors.

    Attributes
    ----------
    forward
        (value before, tensor that receives the value after).
    backward
        (gradient, value before, value after). Turns the gradient with respect to the value after
        into that with respect to the value before, in place.
    needs_before
        Whether `backward` reads the value before; if not, `forward` may overwrite it.
    """

    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor, Tensor], object]
    needs_before: bool = False


SLOPES: dict[type[nn.Module], Slope] = {
    nn.Identity: Slope(lambda before, after: after, lambda gradient, before, after: gradient),
    nn.Sigmoid: Slope(
        lambda before, after: torch.sigmoid(before, out=after),
        lambda gradient, before, after: _aten.sigmoid_backward.grad_input(
            gradient, after, grad_input=gradient
        ),
    ),
    nn.Tanh: Slope(
        lambda before, after: torch.tanh(before, out=after),
        lambda gradient, before, after: _aten.tanh_backward.grad_input(
            gradient, after, grad_input=gradient
        ),
    ),
    nn.ReLU: Slope(
        lambda before, after: torch.clamp(before, min=0, out=after),
        lambda gradient, before, after: _aten.threshold_backward.grad_input(
            gradient, after, 0, grad_input=gradient
        ),
    ),
    nn.ELU: Slope(
        lambda before, after: _aten.elu.out(before, out=after),
        # True: the derivative is computed from the value after and needs no exponential.
        lambda gradient, before, after: _aten.elu_backward.grad_input(
            gradient, 1.0, 1.0, 1.0, True, after, grad_input=gradient
        ),
    ),
    nn.GELU: Slope(
        lambda before, after: _aten.gelu.out(before, out=after),
        lambda gradient, before, after: _aten.gelu_backward.grad_input(
            gradient, before, grad_input=gradient
        ),
        needs_before=True,
    ),
    nn.SiLU: Slope(
        lambda before, after: _aten.silu.out(before, out=after),
        lambda gradient, before, after: _aten.silu_backward.grad_input(
            gradient, before, grad_input=gradient
        ),
        needs_before=True,
    ),
}
"""The activations with a hand-written derivative."""


class Dense:
    """A linear layer and the activation after it.

    Parameters
    ----------
    linear
        (B, I) → (B, O); its weights are used in place and never replaced.
    slope
        The activation after it.
    batch_size
        B.

    Attributes
    ----------
    weight, bias : Tensor
        (O, I) and (O,).
    gradients : tuple of Tensor
        The gradients of weight and bias from the last `backward`.
    output : Tensor
        (B, O), the output of the last `forward`.
    is_lowest : bool
        Whether this is the first layer of the model, whose input needs no gradient.
    """

    def __init__(self, linear: nn.Linear, slope: Slope, batch_size: int) -> None:
        self.weight, self.bias = linear.weight.detach(), linear.bias.detach()
        self.gradients = torch.empty_like(self.weight), torch.empty_like(self.bias)
        self.is_lowest = False
        self._slope = slope
        self._before = self.weight.new_empty(batch_size, linear.out_features)
        self.output = torch.empty_like(self._before) if slope.needs_before else self._before
        self._input = self._below = self.weight.new_empty(batch_size, linear.in_features)

    def forward(self, values: Tensor) -> Tensor:
        """Computes (B, O) from (B, I); `values` must not change before `backward`."""
        self._multiply(values)
        self._slope.forward(self._before, self.output)
        return self.output

    def backward(self, gradient: Tensor) -> Tensor:
        """Computes the input's gradient, (B, I), from the output's, (B, O), and overwrites that."""
        self._slope.backward(gradient, self._before, self.output)
        torch.sum(gradient, 0, out=self.gradients[1])
        self._multiply_back(gradient)
        return self._below

    def _multiply(self, values: Tensor) -> None:
        """Computes the value before the activation, (B, O), from (B, I) values."""
        self._input = values
        torch.addmm(self.bias, values, self.weight.t(), out=self._before)

    def _multiply_back(self, gradient: Tensor) -> None:
        """Computes the gradient of the weights and, unless `is_lowest`, of the input."""
        torch.mm(gradient.t(), self._input, out=self.gradients[0])
        if not self.is_lowest:
            torch.mm(gradient, self.weight, out=self._below)


class HalfDense(Dense):
    """A dense layer with its three matrix products in bfloat16 and everything else in float32.

    Used only by the engines of `trainers.training.engines.half`, which "auto" never chooses.

    bfloat16 has the range of float32 and the first 8 of its 24 binary digits; the terms of a
    product are summed in float32 (Kalamkar et al. 2019). Adam updates float32 weights, and the
    products use a bfloat16 copy of them (Micikevicius et al. 2018), so that updates too small for
    bfloat16 are not lost.
    """

    def __init__(self, linear: nn.Linear, slope: Slope, batch_size: int) -> None:
        super().__init__(linear, slope, batch_size)
        self._half_weight, self._half_gradient, self._half_input, self._half_below = (
            tensor.to(torch.bfloat16)
            for tensor in (self.weight, self.gradients[0], self._input, self._below)
        )
        self._half_before, self._half_back = (self._before.to(torch.bfloat16) for _ in range(2))

    def _multiply(self, values: Tensor) -> None:
        self._half_weight.copy_(self.weight)
        self._half_input.copy_(values)
        torch.mm(self._half_input, self._half_weight.t(), out=self._half_before)
        torch.add(self.bias, self._half_before, out=self._before)

    def _multiply_back(self, gradient: Tensor) -> None:
        self._half_back.copy_(gradient)
        torch.mm(self._half_back.t(), self._half_input, out=self._half_gradient)
        self.gradients[0].copy_(self._half_gradient)
        if not self.is_lowest:
            torch.mm(self._half_back, self._half_weight, out=self._half_below)
            self._below.copy_(self._half_below)
