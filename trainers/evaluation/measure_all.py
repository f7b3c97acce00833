"""All measurements of a run's checkpoint, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.checkpointing.weights import load_model
from trainers.datasets.spectrum import load_spectrum
from trainers.datasets.tensors import PARTS, load_images
from trainers.evaluation.collapse import measure_collapse
from trainers.evaluation.compression import measure_compression
from trainers.evaluation.denoising import measure_denoising
from trainers.evaluation.likelihood import SAMPLES, measure_likelihood, protocol_of
from trainers.evaluation.measurement import DenoisedCorruption, Measurement
from trainers.evaluation.probes import encode_images, evaluate_codes
from trainers.evaluation.reconstruction import evaluate_test_set
from trainers.evaluation.subspace import compare_with_pca

if TYPE_CHECKING:
    from collections.abc import Generator

    from trainers.config import RunConfig
    from trainers.runs import Run

_CPU = torch.device("cpu")
LIKELIHOOD_IMAGES = 1_000
"""The default number of test images whose likelihood is measured."""


def measure_checkpoint(
    run: Run,
    step: int | None = None,
    *,
    samples: int = SAMPLES,
    images: int = LIKELIHOOD_IMAGES,
) -> Generator[None, None, Measurement]:
    """Measures a checkpoint; yields between chunks of work.

    Everything is computed from the weights, on the CPU. This takes a minute for the paper's models.

    Parameters
    ----------
    run
        The run.
    step
        The step of the checkpoint; None for the newest.
    samples
        The codes per image for log p; more codes take more time and raise the bound.
    images
        The number of test images, from the first, that log p is measured on.

    Raises
    ------
    RunError
        When the run has no such checkpoint, or the checkpoint is damaged.
    DataError
        When the data set is missing.
    """
    model, loaded_step = load_model(run, step)
    dataset, data = run.dataset, run.data()
    train, test = (load_images(part, _CPU, dataset) for part in PARTS)
    evaluation, _ = yield from evaluate_test_set(model, run, loaded_step)
    protocol = protocol_of(run.config)
    likelihood = None
    if protocol is not None:
        chosen = test[:images]
        likelihood = yield from measure_likelihood(
            model, chosen, protocol=protocol, samples=samples
        )
    train_codes = yield from encode_images(model, train)
    test_codes = yield from encode_images(model, test)
    spectrum = load_spectrum(dataset)
    if spectrum and spectrum.floor(model.latent_dim) is None:
        spectrum = None
    ranges = torch.from_numpy(train_codes.min(0)), torch.from_numpy(train_codes.max(0))
    return Measurement(
        run=run.name,
        preset=run.config.preset,
        latent_dim=run.config.model.latent_dim,
        step=loaded_step,
        reconstruction=evaluation,
        likelihood=likelihood,
        dataset=dataset.name,
        image_bytes=dataset.pixels,
        classes=dataset.classes,
        codes=(yield from evaluate_codes(train_codes, test_codes, data)),
        subspace=compare_with_pca(model, spectrum, evaluation.squared_error) if spectrum else None,
        compression=(
            yield from measure_compression(model, torch.from_numpy(test_codes), test, ranges)
        ),
        denoising=(
            yield from measure_denoising(model, test, corruption=_denoised_corruption(run.config))
        ),
        collapse=measure_collapse(evaluation, run.config),
    )


def _denoised_corruption(config: RunConfig) -> DenoisedCorruption:
    """Returns the corruption of the training; Gaussian noise for a training without one."""
    chosen = config.training.corruption
    return "masking" if config.draws_noise and chosen == "masking" else "gaussian"


def complete_evaluations(run: Run) -> Generator[None, None, None]:
    """Evaluates the checkpoints again that an older program evaluated with fewer figures.

    Raises
    ------
    RunError
        When a checkpoint is damaged or the run's folder cannot be written.
    """
    for checkpoint in run.checkpoints():
        if checkpoint.is_evaluated and checkpoint.evaluation().test_loss_se is not None:
            continue
        model, step = load_model(run, checkpoint.step)
        evaluation, preview = yield from evaluate_test_set(model, run, step)
        run.complete_checkpoint(step, evaluation, preview)
