"""Invented results of the reproduction, in round numbers, for tests of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainers.evaluation.measurement import (
    CodesFigures,
    CollapseFigures,
    Denoising,
    LikelihoodFigures,
    Measurement,
    Probes,
    StoredCode,
    SubspaceFigures,
)
from trainers.reproduction.plan import planned_runs
from trainers.reproduction.result_files import Result, landmark_steps
from trainers.reproduction.result_index import CollectedResults, FinishedRun
from trainers.runs import formats
from trainers.runs.metrics import Evaluation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from trainers.reproduction.plan import PlannedRun

PIXELS = Probes(linear=0.92, nearest_neighbours=0.97, neighbours=5)
NOISES = (0.0, 0.1, 0.3, 0.5, 0.8)
PCA_ERRORS = {2: 45.0, 3: 41.0, 5: 34.9, 10: 25.8, 20: 17.6, 30: 13.9, 50: 9.1, 100: 4.4}
_ELU_SHARE = {2: 0.75, 3: 0.65, 5: 0.52, 10: 0.36, 20: 0.30, 30: 0.32, 50: 0.42, 100: 0.75}
_AT_FIVE = {
    "linear": 34.95,
    "sigmoid": 17.35,
    "relu": 17.25,
    "elu": 17.3,
    "vae": 19.5,
    "bernoulli": 18.0,
}
_NEAREST = {2: 0.75, 3: 0.85, 5: 0.94, 10: 0.955, 20: 0.97, 30: 0.972, 50: 0.971, 100: 0.968}
_LINEAR = {2: 0.6, 3: 0.7, 5: 0.8, 10: 0.88, 20: 0.915, 30: 0.92, 50: 0.93, 100: 0.935}


def error_of(entry: PlannedRun) -> float:
    """Returns the invented squared error per image of a planned run."""
    preset, latent_dim = entry.config.preset, entry.latent_dim
    if preset == "pca":
        return PCA_ERRORS[latent_dim]
    if preset == "hinton30":
        return 2.5 + 0.01 * (entry.seed - 2)
    if preset == "burda50":
        return 8.0
    if preset == "elu" and latent_dim != 5:
        return PCA_ERRORS[latent_dim] * _ELU_SHARE[latent_dim]
    return _AT_FIVE.get(preset, 18.5) + 0.1 * (entry.seed - 2)


def evaluation(entry: PlannedRun, step: int, error: float) -> Evaluation:
    floor = PCA_ERRORS[entry.latent_dim]
    return Evaluation(
        step=step,
        images=10_000,
        squared_error=error,
        squared_error_per_pixel=error / 784,
        reconstruction_at_mean=error,
        test_reconstruction=error,
        kl=0.0,
        test_kl=0.0,
        loss_at_mean=error,
        test_loss=error,
        pca_ratio=error / floor,
        active_units=entry.latent_dim,
    )


def result_of(entry: PlannedRun, error: float | None = None, **parts: object) -> Result:
    """Returns a complete result; keyword arguments replace parts of its measurement."""
    end = error_of(entry) if error is None else error
    d = entry.latent_dim
    steps = [step for step in entry.config.checkpoint_steps if step]
    history = [evaluation(entry, step, end + 70.0 / (1 + step / 30)) for step in steps[:-1]]
    last = evaluation(entry, entry.steps, end)
    measurement: dict[str, object] = {
        "run": entry.name,
        "preset": entry.config.preset,
        "latent_dim": d,
        "step": entry.steps,
        "reconstruction": last,
        "likelihood": _likelihood(entry),
        "codes": CodesFigures(
            codes=Probes(linear=_LINEAR[d], nearest_neighbours=_NEAREST[d], neighbours=5),
            pixels=PIXELS,
            trustworthiness=0.9,
            continuity=0.9,
            view="principal plane of the codes",
            view_images=1_000,
            view_neighbours=5,
        ),
        "subspace": _subspace(entry, end),
        "compression": tuple(
            StoredCode(
                storage=storage,
                code_bytes=size * d,
                ratio=784 / (size * d),
                squared_error=end + added,
                added_error=added,
            )
            for storage, size, added in (
                ("float32", 4, 0.0),
                ("float16", 2, 1e-4),
                ("8 bits", 1, 0.05),
            )
        ),
        "denoising": tuple(
            Denoising(noise=n, input_error=784 * n * n, squared_error=_noisy(entry, end, n))
            for n in NOISES
        ),
        "collapse": CollapseFigures(dead=(), certain_dead=0),
    }
    return Result(
        config=entry.config,
        seconds=600.0,
        device="cpu",
        threads=1,
        versions={"python": "3.11.7", "torch": "2.15.0"},
        measurement=Measurement.model_validate({**measurement, **parts}),
        history=(*history, last),
    )


def _likelihood(entry: PlannedRun) -> LikelihoodFigures | None:
    if not entry.config.model.variational:
        return None
    binarised = entry.config.training.binarisation == "dynamic"
    return LikelihoodFigures(
        protocol="binarised Bernoulli" if binarised else "grey Bernoulli",
        elbo=-91.0,
        reconstruction=-66.0,
        kl=25.0,
        log_likelihood=-87.5,
        samples=128,
        images=1_000,
    )


def _subspace(entry: PlannedRun, error: float) -> SubspaceFigures | None:
    if entry.config.preset != "linear":
        return None
    floor = PCA_ERRORS[entry.latent_dim]
    return SubspaceFigures(
        principal_angles=(0.1, 0.2, 0.4, 0.9, 2.5),
        squared_error=error,
        floor=floor,
        ratio=error / floor,
    )


def _noisy(entry: PlannedRun, end: float, noise: float) -> float:
    if entry.config.training.corruption == "none":
        return end * (1 + 4 * noise)
    return end * (1 + noise * noise + abs(noise - entry.config.training.corruption_amount) / 4)


def keep(folder: Path, entry: PlannedRun, result: Result | None = None) -> None:
    """Writes a result and its sheets, as `result_files.write_result` does."""
    place = folder / entry.name
    place.mkdir(parents=True)
    content = (result or result_of(entry)).model_dump_json(exclude_none=True)
    (place / "result.json").write_text(content, encoding="utf-8")
    ramp = np.arange(32 * 28 * 28, dtype=np.uint32).reshape(32, 28, 28)
    inputs, outputs = (ramp % 256).astype(np.uint8), (ramp // 98).astype(np.uint8)
    for step in landmark_steps(entry.steps):
        (place / f"step-{step:08d}.png").write_bytes(formats.write_sheet(inputs, outputs))


def collected(
    folder: Path,
    changed: dict[str, Result] | None = None,
    without: Iterable[str] = (),
    *,
    quick: bool = False,
) -> CollectedResults:
    """Returns results of all planned runs except `without`; `changed` replaces some of them."""
    plan, missing, other = planned_runs(quick=quick), set(without), changed or {}
    finished = tuple(
        FinishedRun(e, other.get(e.name) or result_of(e)) for e in plan if e.name not in missing
    )
    return CollectedResults(plan, finished, folder, quick)
