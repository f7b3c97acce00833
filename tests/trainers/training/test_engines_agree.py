"""Every engine agrees with the reference; choosing, naming and keeping the engine of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
import torch
from torch import nn

import trainers
from tests.trainers.conftest import of_kind
from trainers import runs
from trainers.checkpointing import weights
from trainers.config_types import Activation, EngineName, Likelihood
from trainers.datasets.tensors import load_images
from trainers.errors import EngineError, RunError
from trainers.events import CheckpointSaved, Progress
from trainers.models import build
from trainers.models.mlp import MLPAutoencoder
from trainers.presets import preset
from trainers.reproduction import plan, runner
from trainers.training.engines import Engine, choose_engine, registered_engines
from trainers.training.engines.dense import HalfDense
from trainers.training.engines.layerwise import Passes

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.training.trainer import Trainer

    Start = Callable[..., Trainer]
    Again = Callable[[str], Trainer]

_CPU = torch.device("cpu")
_SMALL = {"hidden": (24, 16), "latent_dim": 3, "batch_size": 20, "steps": 400}


def _engine(kind: str, name: str, **changes: object) -> Engine:
    config = preset(name).replace(**{**_SMALL, **changes})
    model = build(config.model)
    model.initialise(torch.Generator().manual_seed(0), config.model.activation)
    return choose_engine(kind, model, _CPU)(model, config.training, _CPU)


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("likelihood", get_args(Likelihood))
@pytest.mark.parametrize("activation", get_args(Activation))
def test_gradients_equal_those_of_autograd(
    activation: Activation, likelihood: Likelihood, variational: bool, precision: torch.dtype
) -> None:
    model = MLPAutoencoder(
        pixels=784,
        hidden=(24, 16),
        activation=activation,
        latent_dim=3,
        variational=variational,
        likelihood=likelihood,
        beta=2.5,
    )
    model.initialise(torch.Generator().manual_seed(1), activation)
    model.to(precision)
    target = load_images("train", _CPU)[:20].to(precision)
    inputs = target * 0.7
    loss = model.loss(inputs, target, torch.Generator().manual_seed(2))
    loss.total.backward()
    passes, losses = Passes(model, 20), torch.zeros(3, dtype=precision)
    with torch.inference_mode():
        layers = list(passes.backward(inputs, target, losses, torch.Generator().manual_seed(2)))
    assert layers == [*reversed(passes.layers)]
    rtol, atol = (1e-4, 2e-5) if precision == torch.float32 else (1e-10, 1e-10)
    found = [gradient for layer in passes.layers for gradient in layer.gradients]
    for gradient, parameter in zip(found, model.parameters(), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(gradient, parameter.grad, rtol=rtol, atol=atol)
    found = torch.stack([loss.reconstruction, loss.kl]).detach()
    torch.testing.assert_close(losses[1:] / 20, found, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("elu", {}),
        ("linear", {"schedule": "linear"}),
        ("vae", {"beta": 0.5}),
        ("denoising", {}),
        ("denoising", {"corruption": "masking", "activation": "silu"}),
        ("burda50", {}),
        ("vae", {"likelihood": "squared-error", "activation": "gelu", "schedule": "cosine"}),
    ],
)
def test_300_steps_agree_with_the_reference(name: str, changes: dict[str, object]) -> None:
    reference, fast = (_engine(kind, name, **changes) for kind in ("autograd", "layerwise"))
    found = [torch.cat([e.run(0, 170), e.run(170, 130)]) for e in (reference, fast)]
    # The same draws in the same order: only rounding differs, and grows with the steps.
    torch.testing.assert_close(found[1][:30], found[0][:30], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[1], found[0], rtol=1e-2, atol=1e-3)
    assert torch.equal(fast.noise.get_state(), reference.noise.get_state())


@pytest.mark.parametrize("name", ["elu", "vae"])
def test_gradients_in_bfloat16_agree_with_autograd_to_two_digits(name: str) -> None:
    config = preset(name).replace(hidden=(96, 80), latent_dim=3)
    model = build(config.model)
    model.initialise(torch.Generator().manual_seed(1), config.model.activation)
    assert isinstance(model, MLPAutoencoder)
    images = load_images("train", _CPU)[:20]
    model.loss(images, images, torch.Generator().manual_seed(2)).total.backward()
    passes = Passes(model, 20, HalfDense)
    with torch.inference_mode():
        [*passes.backward(images, images, torch.zeros(3), torch.Generator().manual_seed(2))]
    found = [gradient for layer in passes.layers for gradient in layer.gradients]
    for gradient, parameter in zip(found, model.parameters(), strict=True):
        assert parameter.grad is not None
        assert 0 < (gradient - parameter.grad).norm() < 0.02 * parameter.grad.norm()


@pytest.mark.parametrize(
    ("kind", "name", "changes"),
    [
        ("layerwise-bf16", "elu", {"hidden": (96, 80)}),
        ("layerwise-bf16", "vae", {"hidden": (96, 80)}),
        ("autograd-bf16", "vae", {"hidden": (96, 80)}),
        ("autograd-bf16", "conv-vae", {"channels": (4, 8), "dense": 32}),
    ],
)
def test_300_steps_in_bfloat16_have_the_loss_of_the_reference(
    kind: str, name: str, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every processor can emulate bfloat16, if slowly.
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    reference, short = (_engine(k, name, **changes) for k in ("autograd", kind))
    found = [engine.run(0, 300) for engine in (reference, short)]
    assert not torch.equal(found[1], found[0])
    torch.testing.assert_close(found[1][:30], found[0][:30], rtol=1e-2, atol=0.1)
    torch.testing.assert_close(
        found[1][-100:].mean(0), found[0][-100:].mean(0), rtol=1e-2, atol=0.1
    )
    assert torch.equal(short.noise.get_state(), reference.noise.get_state())


def test_narrow_layers_stay_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    # With narrow layers alone it does what `layerwise` does, bit for bit.
    exact, short = (_engine(kind, "vae") for kind in ("layerwise", "layerwise-bf16"))
    assert torch.equal(short.run(0, 5), exact.run(0, 5))


def test_bfloat16_engines_need_a_processor_with_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    model = build(preset("elu").model)
    for kind in ("layerwise-bf16", "autograd-bf16"):
        with pytest.raises(EngineError, match=r"no products in bfloat16 \(AVX512_BF16 or AMX\)"):
            choose_engine(kind, model, _CPU)
        with pytest.raises(EngineError, match="on the cpu, not on cuda"):
            choose_engine(kind, model, torch.device("cuda"))


def test_an_overflowing_logit_has_the_loss_of_the_reference() -> None:
    reference, fast = (_engine(kind, "vae", hidden=(8,)) for kind in ("autograd", "layerwise"))
    for engine in (reference, fast):
        with torch.no_grad():
            engine.model.decoder[-1].bias.copy_(torch.linspace(-200, 200, 784))  # type: ignore[index]
    found = [engine.run(0, 1) for engine in (reference, fast)]
    assert found[0].isfinite().all()
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kinds", [("autograd", "layerwise"), ("layerwise", "autograd")])
def test_every_engine_reads_the_resume_points_of_the_others(kinds: tuple[str, str]) -> None:
    before, after = (_engine(kind, "vae") for kind in kinds)
    before.run(0, 20)
    point = weights.ResumePoint(
        step=20,
        seconds=0.0,
        model={n: t.clone() for n, t in before.model.state_dict().items()},
        optimiser={n: t.clone() for n, t in before.optimiser.state().items()},
        noise=before.noise.get_state(),
    )
    after.run(0, 3)  # restoring replaces the result of these steps
    point.restore(after.model, after.optimiser, after.noise, Path("resume.safetensors"))
    torch.testing.assert_close(after.run(20, 20), before.run(20, 20), rtol=1e-4, atol=1e-4)
    moments = [e.optimiser.state() for e in (before, after)]
    assert moments[0]["0.step"] == moments[1]["0.step"] == 40
    assert moments[0].keys() == moments[1].keys()


def test_weights_without_a_gradient_stay_as_they_are() -> None:
    engine = _engine("autograd", "elu")
    first, *others = engine.model.parameters()
    first.requires_grad_(False)
    kept = [parameter.detach().clone() for parameter in (first, others[0])]
    engine.run(0, 3)
    assert torch.equal(first, kept[0])
    assert not torch.equal(others[0], kept[1])


def test_a_slice_of_no_steps_changes_nothing() -> None:
    engine = _engine("layerwise", "elu")
    assert engine.run(0, 0).shape == (0, 3)
    assert engine.optimiser.state()["0.step"] == 0


# -- choosing --------------------------------------------------------------------------------------


def test_a_config_may_name_every_engine() -> None:
    assert {*get_args(EngineName)} == {"auto", *(engine.name for engine in registered_engines())}


@pytest.mark.parametrize(("name", "chosen"), [("elu", "layerwise"), ("conv-vae", "autograd")])
def test_auto_chooses_the_fastest_fitting_engine(name: str, chosen: str) -> None:
    model = build(preset(name).model)
    assert choose_engine("auto", model, _CPU).name == chosen
    assert choose_engine("auto", model, torch.device("cuda")).name == "autograd"


def test_the_error_says_why_an_engine_does_not_fit() -> None:
    dense, conv = build(preset("elu").model), build(preset("conv-vae").model)
    with pytest.raises(EngineError, match=r"'layerwise'.*dense layers alone.*one of autograd"):
        choose_engine("layerwise", conv, _CPU)
    with pytest.raises(EngineError, match="on the cpu, not on cuda"):
        choose_engine("layerwise", dense, torch.device("cuda"))
    dense.register_parameter("scale", nn.Parameter(torch.ones(1)))
    with pytest.raises(EngineError, match="no weights beside those of dense layers"):
        choose_engine("layerwise", dense, _CPU)
    del dense.scale
    dense.encoder[1] = nn.Mish()  # type: ignore[operator]
    with pytest.raises(EngineError, match="no gradient of Mish"):
        choose_engine("layerwise", dense, _CPU)


def test_a_run_with_an_engine_that_does_not_fit_leaves_no_folder(tmp_path: Path) -> None:
    config = preset("conv-vae").replace(engine="layerwise")
    with pytest.raises(EngineError, match="dense layers alone"):
        trainers.train(config, tmp_path)
    assert not runs.find_runs(tmp_path)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "layerwise"),
        ({"engine": "autograd"}, "autograd"),
        ({"preset": "pca"}, ""),
    ],
)
def test_the_status_names_the_engine(start: Start, changes: dict[str, object], name: str) -> None:
    trainer = start(**changes)
    list(trainer)
    assert trainer.run.status().engine == name


def test_the_test_error_agrees_with_the_reference(start: Start) -> None:
    errors = [
        of_kind(list(start(engine=kind, steps=300)), CheckpointSaved)[-1].evaluation.squared_error
        for kind in ("autograd", "layerwise")
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.01)


# -- continuing -----------------------------------------------------------------------------------


def _begin(start: Start, **changes: object) -> Trainer:
    trainer = start(name="mine", steps=200, checkpoints=(), **changes)
    events = iter(trainer)
    next(e for e in events if isinstance(e, Progress) and e.step > 20)
    events.close()  # type: ignore[attr-defined]
    return trainer


def _rewrite(trainer: Trainer, **changes: object) -> None:
    trainer.run.write_status(trainer.run.status().model_copy(update=changes))


@pytest.mark.parametrize("name", ["autograd", "layerwise"])
def test_a_run_continues_with_the_engine_that_it_began_with(
    start: Start, again: Again, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = start(name="whole", engine=name, steps=200, checkpoints=())
    list(whole)
    trainer = _begin(start, engine=name)
    for engine in registered_engines():
        # "auto" would now choose another engine.
        monkeypatch.setattr(engine, "rank", -engine.rank)
    second = again("mine")
    list(second)
    assert second.run.status().engine == name
    assert np.array_equal(second.run.metrics().total, whole.run.metrics().total)
    assert trainer.run.checkpoint().model.read_bytes() == whole.run.checkpoint().model.read_bytes()


def test_a_run_without_an_engine_name_continues_with_the_reference(
    start: Start, again: Again
) -> None:
    _rewrite(_begin(start), engine="")
    trainer = again("mine")
    list(trainer)
    assert trainer.run.status().engine == "autograd"


def test_a_run_with_an_unknown_engine_cannot_continue(start: Start, again: Again) -> None:
    _rewrite(_begin(start), engine="steam")
    with pytest.raises(
        RunError, match=r"cannot continue as it began.*'steam'.*no engine of that name"
    ):
        again("mine")


def test_on_another_kind_of_device_the_config_chooses_the_engine(
    start: Start, again: Again
) -> None:
    _rewrite(_begin(start), engine="steam", device="cuda:0")
    trainer = again("mine")
    list(trainer)
    assert trainer.run.status().engine == "layerwise"


def test_a_run_with_another_engine_is_the_same_experiment(tmp_path: Path) -> None:
    entry = plan.planned_runs()[0]
    runs.create_run(entry.config.replace(engine="autograd"), tmp_path, entry.name)
    runner.refuse_other_config(entry, tmp_path)


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({}, "passive 1000"),
        ({"OMP_WAIT_POLICY": "active"}, "active None"),
        ({"GOMP_SPINCOUNT": "5"}, "passive 5"),
    ],
)
def test_idle_threads_soon_sleep_unless_the_environment_says_otherwise(
    given: dict[str, str], after: str
) -> None:
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    code = f"import os, trainers; print(*map(os.environ.get, {names}))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={name: value for name, value in os.environ.items() if name not in names} | given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == after
