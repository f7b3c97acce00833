"""Everything that can be measured of a run's checkpoint, one question after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainers.checkpointing.weights import load_model
from trainers.datasets.spectrum import spectrum_of
from trainers.datasets.tensors import PARTS, resident
from trainers.evaluation.collapse import measure_collapse
from trainers.evaluation.compression import measure_compression
from trainers.evaluation.denoising import measure_denoising
from trainers.evaluation.likelihood import SAMPLES, measure_likelihood, protocol_of
from trainers.evaluation.measurement import Measurement
from trainers.evaluation.probes import codes, encoded
from trainers.evaluation.reconstruction import evaluate_test_set
from trainers.evaluation.subspace import subspace

if TYPE_CHECKING:
    from collections.abc import Generator

    from trainers.runs import Run

_CPU = torch.device("cpu")
LIKELIHOOD_IMAGES = 1_000
"""Test images whose likelihood is measured, where nothing else is asked for."""


def measure(
    run: Run,
    step: int | None = None,
    *,
    samples: int = SAMPLES,
    images: int = LIKELIHOOD_IMAGES,
) -> Generator[None, None, Measurement]:
    """Measures the checkpoint of `step`, or the newest; yields between chunks of work.

    Everything is measured anew from the weights, on the CPU. A minute for the paper's models.

    Parameters
    ----------
    run
        Whose checkpoint.
    step
        Its step; None for the newest.
    samples
        Codes an image for log p, which rises with them; time does too.
    images
        How many test images, the first ones, log p is measured on.

    Raises
    ------
    RunError
        When there is no such checkpoint, or it is damaged.
    DataError
        When the data set is not here.
    """
    model, found_step = load_model(run, step)
    dataset, data = run.dataset, run.data()
    train, test = (resident(part, _CPU, dataset) for part in PARTS)
    evaluation, _ = yield from evaluate_test_set(model, run, found_step)
    protocol = protocol_of(run.config)
    shown = None
    if protocol is not None:
        chosen = test[:images]
        shown = yield from measure_likelihood(model, chosen, protocol=protocol, samples=samples)
    train_codes = yield from encoded(model, train)
    test_codes = yield from encoded(model, test)
    spectrum = spectrum_of(dataset)
    if spectrum and spectrum.floor(model.latent_dim) is None:
        spectrum = None
    ranges = torch.from_numpy(train_codes.min(0)), torch.from_numpy(train_codes.max(0))
    return Measurement(
        run=run.name,
        preset=run.config.preset,
        latent_dim=run.config.model.latent_dim,
        step=found_step,
        reconstruction=evaluation,
        likelihood=shown,
        dataset=dataset.name,
        image_bytes=dataset.pixels,
        classes=dataset.classes,
        codes=(yield from codes(train_codes, test_codes, data)),
        subspace=subspace(model, spectrum, evaluation.squared_error) if spectrum else None,
        compression=(yield from measure_compression(model, torch.from_numpy(test_codes), test, ranges)),
        denoising=(yield from measure_denoising(model, test)),
        collapse=measure_collapse(evaluation, run.config),
    )


def complete(run: Run) -> Generator[None, None, None]:
    """Measures anew the checkpoints that an older program measured with fewer figures.

    Raises
    ------
    RunError
        When a checkpoint is damaged or the run's folder can not be written.
    """
    for checkpoint in run.checkpoints():
        if checkpoint.is_evaluated and checkpoint.evaluation().pca_ratio is not None:
            continue
        model, step = load_model(run, checkpoint.step)
        evaluation, preview = yield from evaluate_test_set(model, run, step)
        run.complete_checkpoint(step, evaluation, preview)
