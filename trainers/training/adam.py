"""Adam, its moments where they can be kept and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

_DECAYS, _EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) by torch's fused kernel, all or some weights at a time.

    Its weights are those of `torch.optim.Adam(fused=True)`, bit for bit. That one imports torch's
    compiler when it is made, which takes as long as torch itself, and 170 MB.

    Parameters
    ----------
    parameters
        Of float32, on one device; they are changed where they are.
    rate
        α, the learning rate.

    Attributes
    ----------
    rate : float
        That of the updates to come.
    """

    def __init__(self, parameters: Iterable[Tensor], rate: float) -> None:
        self.rate = rate
        self._parameters = [parameter.detach() for parameter in parameters]
        # The kernel goes through all of them as they lie in memory, channels last or not.
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._step = torch.zeros((), device=self._parameters[0].device)

    def begin(self) -> None:
        """One more step: the updates until the next belong to it."""
        self._step.add_(1)

    def update(self, gradients: list[Tensor] | tuple[Tensor, ...], first: int = 0) -> None:
        """Changes as many parameters as there are gradients, from number `first` on.

        A gradient lies in memory as its parameter does.
        """
        which = slice(first, first + len(gradients))
        torch._fused_adam_(
            self._parameters[which],
            gradients,
            self._means[which],
            self._squares[which],
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
        """Steps and moments as they are, under "<number>.<torch's name>" of each parameter."""
        return {
            f"{number}.{name}": tensor
            for number, (mean, square) in enumerate(zip(self._means, self._squares, strict=True))
            for name, tensor in (("step", self._step), ("exp_avg", mean), ("exp_avg_sq", square))
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` gave.

        Raises
        ------
        ValueError
            When it is that of other parameters (the kernel would read past its end), or has no
            single count of steps.
        """
        own = self.state()
        if {name: tensor.shape for name, tensor in state.items()} != {
            name: tensor.shape for name, tensor in own.items()
        }:
            raise ValueError("the optimiser's moments are not those of the model's weights")
        steps = {float(tensor) for name, tensor in state.items() if name.endswith(".step")}
        if len(steps) != 1 or not min(steps) >= 0:
            raise ValueError("the optimiser's counts of steps differ, or are none")
        for name, tensor in own.items():
            tensor.copy_(state[name])
