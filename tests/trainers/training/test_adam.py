from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from trainers.training.adam import Adam

if TYPE_CHECKING:
    from pathlib import Path

_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
_SHAPES = (8, 4, 3, 3), (8,), (5, 7)


def _parameters(device: str = "cpu") -> list[torch.Tensor]:
    """Returns weights as a model has them, one of them with channels last."""
    generator = torch.Generator().manual_seed(0)
    parameters = [torch.randn(shape, generator=generator).to(device) for shape in _SHAPES]
    parameters[0] = parameters[0].contiguous(memory_format=torch.channels_last)
    return [parameter.requires_grad_() for parameter in parameters]


def _gradients(parameters: list[torch.Tensor], step: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(step + 1)
    drawn = [torch.randn(p.shape, generator=generator) for p in parameters]
    return [torch.empty_like(p).copy_(g) for p, g in zip(parameters, drawn, strict=True)]


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=_CUDA)])
def test_the_weights_equal_those_of_torchs_adam_bit_for_bit(device: str) -> None:
    own, expected = _parameters(device), _parameters(device)
    adam, reference = Adam(own, 0.1), torch.optim.Adam(expected, 0.1, fused=True)
    for step in range(5):
        rate = 0.1 / (step + 1)
        adam.rate = reference.param_groups[0]["lr"] = rate
        for parameter, gradient in zip(expected, _gradients(expected, step), strict=True):
            parameter.grad = gradient
        reference.step()
        adam.begin()
        adam.update(_gradients(own, step))
    assert all(torch.equal(a, b) for a, b in zip(own, expected, strict=True))
    assert not torch.equal(own[0], _parameters(device)[0])
    kept = {
        f"{n}.{name}": t for n, p in enumerate(expected) for name, t in reference.state[p].items()
    }
    assert kept.keys() == adam.state().keys()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in adam.state().items())


def test_updates_of_some_weights_at_a_time_equal_one_update_of_all() -> None:
    whole, parts = _parameters(), _parameters()
    at_once, piecewise = Adam(whole, 0.1), Adam(parts, 0.1)
    for step in range(3):
        at_once.begin()
        at_once.update(_gradients(whole, step))
        piecewise.begin()
        first, *others = _gradients(parts, step)
        piecewise.update(others, 1)
        piecewise.update([first])
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_restored_moments_continue_with_the_same_weights() -> None:
    parameters = _parameters()
    adam = Adam(parameters, 0.1)
    adam.begin()
    adam.update(_gradients(parameters, 0))
    # A file stores the tensors with channels first.
    kept = {name: tensor.clone().contiguous() for name, tensor in adam.state().items()}
    again = [parameter.detach().clone() for parameter in parameters]
    other = Adam(again, 0.1)
    other.restore(kept)
    for one, weights in ((adam, parameters), (other, again)):
        one.begin()
        one.update(_gradients(weights, 1))
    assert all(torch.equal(a, b) for a, b in zip(parameters, again, strict=True))


@pytest.mark.parametrize("name", ["0.step", "2.exp_avg_sq"])
def test_moments_of_other_weights_are_refused(name: str) -> None:
    adam = Adam(_parameters(), 0.1)
    state = adam.state()
    for odd in (
        {key: tensor for key, tensor in state.items() if key != name},
        state | {name: torch.zeros(2, 2)},
        state | {"3.step": torch.zeros(())},
    ):
        with pytest.raises(ValueError, match="are not those of the model's weights"):
            adam.restore(odd)


@pytest.mark.parametrize("counts", [(3.0, 3.0, 5.0), (-1.0,) * 3, (float("nan"),) * 3])
def test_odd_counts_of_steps_are_refused(counts: tuple[float, ...]) -> None:
    adam = Adam(_parameters(), 0.1)
    state = adam.state() | {f"{n}.step": torch.tensor(count) for n, count in enumerate(counts)}
    with pytest.raises(ValueError, match="counts of steps differ"):
        adam.restore(state)
    assert adam.state()["0.step"] == 0


@pytest.mark.parametrize("name", ["elu", "conv-vae"])
def test_training_does_not_load_torchs_compiler(name: str, tmp_path: Path) -> None:
    code = (
        "import sys; from trainers.cli.train_command import train; "
        f"train(['{name}', '--steps', '2', '--runs', sys.argv[1]], standalone_mode=False); "
        "sys.exit(2 * len({'torch._dynamo', 'torch._inductor', 'sympy'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
