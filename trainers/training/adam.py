"""Adam, with moments that can be saved and restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

_DECAYS, _EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) by torch's fused kernel, for all or some of the weights.

    The weights equal those of `torch.optim.Adam(fused=True)` bit for bit. That class imports
    torch's compiler, which takes 170 MB and as long as importing torch itself.

    Parameters
    ----------
    parameters
        The float32 weights, on one device; they are changed in place.
    rate
        α, the learning rate.

    Attributes
    ----------
    rate : float
        The learning rate of the next updates.
    """

    def __init__(self, parameters: Iterable[Tensor], rate: float) -> None:
        self.rate = rate
        self._parameters = [parameter.detach() for parameter in parameters]
        # The kernel reads all tensors in memory order, so the moments have the parameters' strides.
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._step = torch.zeros((), device=self._parameters[0].device)

    def begin(self) -> None:
        """Begins the next step: the following updates belong to it."""
        self._step.add_(1)

    def update(self, gradients: list[Tensor] | tuple[Tensor, ...], first: int = 0) -> None:
        """Updates the parameters from index `first` on, one per gradient.

        A gradient must have the strides of its parameter.
        """
        chosen = slice(first, first + len(gradients))
        torch._fused_adam_(
            self._parameters[chosen],
            gradients,
            self._means[chosen],
            self._squares[chosen],
            [],
            [self._step] * len(gradients),
            lr=self.rate,
            beta1=_DECAYS[0],
            beta2=_DECAYS[1],
            weight_decay=0.0,
            eps=_EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """Returns steps and moments, uncopied, by "<index of the parameter>.<torch's name>"."""
        return {
            f"{number}.{name}": tensor
            for number, (mean, square) in enumerate(zip(self._means, self._squares, strict=True))
            for name, tensor in (("step", self._step), ("exp_avg", mean), ("exp_avg_sq", square))
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Copies the values that `state` returned back.

        Raises
        ------
        ValueError
            When the shapes are those of other parameters (the kernel would read past their end), or
            the parameters' counts of steps differ.
        """
        own = self.state()
        if {name: tensor.shape for name, tensor in state.items()} != {
            name: tensor.shape for name, tensor in own.items()
        }:
            raise ValueError("the optimiser's moments are not those of the model's weights")
        steps = {float(tensor) for name, tensor in state.items() if name.endswith(".step")}
        if len(steps) != 1 or not min(steps) >= 0:
            raise ValueError("the optimiser's counts of steps differ or are not numbers from 0")
        for name, tensor in own.items():
            tensor.copy_(state[name])
