"""The texts of a comparison: rows, numbers, and captions for a paper. It uses no widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aeviewer.numbers import local
from aeviewer.services.comparison.compared_run import (
    group_by_latent_dim,
    pca_error,
    reconstruct_by_pca,
)
from trainers.datasets import MNIST
from trainers.plurals import count_of
from trainers.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeviewer.services.comparison.compared_run import ComparedRun
    from aeviewer.services.comparison.comparison import Comparison
    from aeviewer.services.runs.run_item import RunItem

_ERROR_UNIT = "Squared error is summed over the pixels of an image; full ink is 1."
NO_CHECKPOINT = "No checkpoint yet"
WAITING = "…"


def method_name(item: RunItem) -> str:
    """Returns the method of a run without its dimension: "ELU autoencoder"."""
    if item.config is None:
        return item.name
    entry = PRESETS.get(item.config.preset)
    return entry.title if entry else item.config.preset


def method_names(runs: Sequence[ComparedRun]) -> dict[str, str]:
    """What each compared run is called in a caption: its run's name too where two are alike."""
    found = {run.item.key: f"{method_name(run.item)}, d = {run.latent_dim}" for run in runs}
    alike = [name for name in found.values() if list(found.values()).count(name) > 1]
    names = {run.item.key: run.item.name for run in runs}
    return {k: f"{shown} ({names[k]})" if shown in alike else shown for k, shown in found.items()}


def step_text(run: ComparedRun, step: int | None) -> str:
    """The step of a row: "step 50,000", or "at 30,000" where it is not the one asked for."""
    if run.step is None:
        return NO_CHECKPOINT
    return f"step {local(run.step):,}" if run.step == step else f"at step {local(run.step):,}"


def is_at_other_step(run: ComparedRun, step: int | None) -> bool:
    """Returns whether a run is shown at another step than the common one."""
    return run.step is not None and run.step != step


def error_text(comparison: Comparison, run: ComparedRun) -> str:
    """Returns the squared error per image of the shown images, and of the test set."""
    evaluation = comparison.evaluation(run.item.key)
    here = f"{local(run.reconstructions.errors.mean()):.1f} here" if run.reconstructions else ""
    everywhere = f"{local(evaluation.squared_error):.1f} test" if evaluation else ""
    return " · ".join(part for part in (here, everywhere) if part)


def rule_text(comparison: Comparison) -> str:
    """Returns how the test images were chosen."""
    rule = comparison.rule
    if rule.kind == "classes":
        return "the first of each class" if rule.count == 10 else "the first of the classes in turn"
    if rule.kind == "random":
        return f"drawn at random with seed {rule.seed}"
    if rule.kind == "worst" and comparison.is_compared(rule.run):
        return f"those that {comparison.run(rule.run).item.name} gives back worst"
    return ""


def reconstructions_caption(comparison: Comparison, *, with_pca: bool) -> str:
    """Returns the caption of the grid of reconstructions."""
    names = method_names(comparison.runs)
    parts, dataset = [], comparison.data.dataset
    things = "digits" if dataset == MNIST else "images"
    for dim, runs in group_by_latent_dim(comparison.runs):
        shown = [run for run in runs if run.reconstructions is not None]
        parts += [_row_caption(comparison, run, names[run.item.key]) for run in shown]
        floor = pca_error(dim, dataset)
        if shown and with_pca and floor is not None:
            here = reconstruct_by_pca(comparison.image_indices, dim, comparison.data).errors.mean()
            parts.append(f"PCA with {count_of(dim, 'component')} ({here:.1f}; {floor:.1f})")
    if not parts:
        return ""
    numbers = ", ".join(f"{digit:,}" for digit in comparison.image_indices)
    rule = rule_text(comparison)
    return (
        f"{dataset.title} test {things} (top row) and their reconstructions, from top to bottom "
        f"by: {'; '.join(parts)}. In parentheses the squared error per image of these "
        f"{len(comparison.image_indices)} {things}; of all {dataset.test:,} test images. "
        f"{_ERROR_UNIT} "
        f"Test images {numbers}{f' ({rule})' if rule else ''}."
    )


def _row_caption(comparison: Comparison, run: ComparedRun, name: str) -> str:
    evaluation = comparison.evaluation(run.item.key)
    here = f"{run.reconstructions.errors.mean():.1f}" if run.reconstructions else "–"
    everywhere = f"{evaluation.squared_error:.1f}" if evaluation else "–"
    step = (
        f", step {run.reconstructions.step:,}"
        if run.reconstructions and run.reconstructions.step
        else ""
    )
    return f"{name}{step} ({here}; {everywhere})"


def latent_caption(comparison: Comparison, planes: Sequence[tuple[ComparedRun, str]]) -> str:
    """Returns the caption of the scatter plots; `planes` describes their axes."""
    if not planes:
        return ""
    names = method_names([run for run, _ in planes])
    shown = [
        f"({panel_letter(at)}) {names[run.item.key]}, step {run.step:,}, {axes}"
        for at, (run, axes) in enumerate(planes)
    ]
    chosen = int(comparison.selection.sum())
    lit = f" {chosen:,} selected images are lit in every panel." if chosen else ""
    return f"Codes of the {_test_images(comparison)}, coloured by class: {'; '.join(shown)}.{lit}"


def _test_images(comparison: Comparison) -> str:
    dataset = comparison.data.dataset
    return f"{dataset.test:,} {dataset.title} test images"


def panel_letter(at: int) -> str:
    """The letter of a panel in a figure: a, b, c, …."""
    return "abcdefgh"[at]


def losses_caption(
    comparison: Comparison, keys: Sequence[str], title: str, smoothed_over: int
) -> str:
    """Returns the caption of the curves: of checkpoints, or of smoothed training steps."""
    runs = [run for run in comparison.runs if run.item.key in keys]
    names = method_names(runs)
    shown = ", ".join(names[run.item.key] for run in runs)
    if not shown:
        return ""
    if smoothed_over > 1:
        how = f"over training steps, smoothed exponentially over {smoothed_over}"
        return f"{title}, {how}, of {shown}. Points: all {_test_images(comparison)} at checkpoints."
    return f"{title}, of the {_test_images(comparison)} at checkpoints of {shown}."


def class_counts_text(
    labels: NDArray[np.uint8], chosen: NDArray[np.bool_], names: Sequence[str] = MNIST.classes
) -> str:
    """Returns the number of selected images of each class, the most first: "7: 112, 9: 31"."""
    counts = np.bincount(labels[chosen], minlength=len(names))
    order = [label for label in np.argsort(-counts, kind="stable") if counts[label]]
    return ", ".join(f"{names[label]}: {local(counts[label]):,}" for label in order if names)
