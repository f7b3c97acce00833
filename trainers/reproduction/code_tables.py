"""The report's tables about codes: the linear plane, the dimension, storage, and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.reproduction.plan import LATENT_DIM, NOISE, SWEEP
from trainers.reproduction.result_index import (
    METHODS,
    denoising_at,
    knn_accuracy,
    linear_probe_accuracy,
)
from trainers.reproduction.table_format import Cell, Column, Row, Table
from trainers.reproduction.verdict import good_dimensions

if TYPE_CHECKING:
    from trainers.reproduction.result_index import CollectedResults, FinishedRun

_GOOD = {"holds": "yes", "does not hold": "no", "open": "open"}
_STORAGES = ("float32", "float16", "8 bits")


def subspace_table(collected: CollectedResults) -> Table:
    """Returns the angles and the errors of the linear autoencoders against PCA."""
    angles = range(1, LATENT_DIM + 1)
    rows = [
        (
            f.entry.seed,
            *figures.principal_angles,
            figures.squared_error,
            figures.floor,
            figures.ratio,
        )
        for f in collected.runs("linear")
        if (figures := f.result.measurement.subspace) is not None
        and len(figures.principal_angles) == LATENT_DIM
    ]
    return Table(
        "subspace",
        "The linear autoencoder's plane against PCA's",
        f"Principal angles between the span of the linear decoder's {LATENT_DIM} columns and the "
        f"plane of the first {LATENT_DIM} principal components, ascending, after training; the "
        "angles are all 0 where the planes are one. Beside them the squared error per test image "
        "and PCA's.",
        (
            Column("seed", "seed", "", "d"),
            *(
                Column(f"angle_{i}_degrees", str(i), "°", ".2f", group="principal angle")
                for i in angles
            ),
            Column("squared_error_per_image", "error", "per image", ".3f"),
            Column("pca_squared_error_per_image", "PCA's", "per image", ".3f"),
            Column("error_over_pca", "ratio", "", ".4f"),
        ),
        tuple(rows),
    )


def sweep_table(collected: CollectedResults) -> Table:
    """Returns errors and accuracies by the dimension of the code."""
    good = good_dimensions(collected)
    columns = [Column("latent_dim", "d", "", "d")]
    for name, title in (("elu", "ELU"), ("pca", "PCA")):
        columns += [
            Column(f"{name}_squared_error_per_image", "error", "per image", ".2f", group=title),
            Column(f"{name}_linear_probe_accuracy", "linear", "%", ".2f", 100, title),
            Column(f"{name}_knn_accuracy", "k-NN", "%", ".2f", 100, title),
        ]
    columns += [Column("elu_over_pca", "ELU / PCA", "", ".3f"), Column("good", "good")]
    rows: list[Row] = []
    for latent_dim in SWEEP:
        elu, pca = (collected.first_run(name, latent_dim) for name in ("elu", "pca"))
        ratio = elu.squared_error / pca.squared_error if elu and pca else None
        verdict = "" if elu is None else _GOOD[good.get(latent_dim, "open")]
        rows.append((latent_dim, *_sweep_cells(elu), *_sweep_cells(pca), ratio, verdict))
    return Table(
        "sweep",
        "The dimension of the code",
        "Squared error per test image and accuracy of the two classifiers on the codes, by the "
        "dimension d of the code, seed 1. The last column shows which dimensions are good in the "
        "sense of the claim above, over all seeds: k-NN accuracy at its best, readable by a linear "
        "classifier, and well below PCA's error; open where the spread does not decide.",
        tuple(columns),
        tuple(rows),
    )


def _sweep_cells(run: FinishedRun | None) -> tuple[float | None, float | None, float | None]:
    return (
        (run.squared_error, linear_probe_accuracy(run), knn_accuracy(run))
        if run
        else (None, None, None)
    )


def compression_table(collected: CollectedResults) -> Table:
    """Returns the bytes of a code, and the error that its storage adds."""
    columns = [Column("method", "method"), Column("latent_dim", "d", "", "d")]
    columns.append(Column("squared_error_per_image", "error", "per image", ".2f"))
    for storage in _STORAGES:
        key = storage.replace(" ", "_")
        columns += [
            Column(f"{key}_bytes", "bytes", "", "d", group=storage),
            Column(f"{key}_ratio", "image / code", "", ".1f", group=storage),
            Column(f"{key}_added_error", "added error", "", ".4f", group=storage),
        ]
    runs = [collected.first_run(name) for name in METHODS]
    runs += [f for f in collected.sweep("elu") if f.entry.latent_dim != LATENT_DIM]
    return Table(
        "compression",
        "The size of a code, and the error that its storage adds",
        "The bytes of one code in three storage formats, how many times smaller it is than the "
        "image's 784 bytes, and the squared error per image that the format adds to the model's "
        f"own. First the methods at d = {LATENT_DIM}, then the ELU autoencoder's sweep; seed 1.",
        tuple(columns),
        tuple(_compression_row(f) for f in runs if f is not None),
    )


def _compression_row(run: FinishedRun) -> Row:
    stored = {code.storage: code for code in run.result.measurement.compression}
    cells: list[Cell] = []
    for storage in _STORAGES:
        code = stored.get(storage)
        cells += [code.code_bytes, code.ratio, code.added_error] if code else [None] * 3
    return (run.entry.title, run.entry.latent_dim, run.squared_error, *cells)


def denoising_table(collected: CollectedResults) -> Table:
    """Returns errors by the noise on the input."""
    plain = collected.first_run("elu")
    models = [("plain_elu", "plain ELU", plain)]
    for amount in NOISE:
        run = collected.first_run("denoising", noise=amount)
        models.append((f"trained_with_{amount:g}", f"trained with {amount:g}", run))
    there = [f for _, _, f in models if f is not None]
    noises = sorted({d.noise for f in there for d in f.result.measurement.denoising})
    rows: list[Row] = []
    for noise in noises:
        found = [denoising_at(f, noise) if f else None for _, _, f in models]
        untouched = next((d.input_error for d in found if d), None)
        rows.append((noise, untouched, *(d.squared_error if d else None for d in found)))
    return Table(
        "denoising",
        "Digits with noise",
        "Squared error per test image against the clean digit, by the standard deviation of the "
        "noise on the input: of the noisy input itself, of the plain ELU autoencoder, and of "
        f"denoising autoencoders trained with one noise each; d = {LATENT_DIM}, seed 1.",
        (
            Column("noise", "noise", "", "g"),
            Column("input_squared_error_per_image", "noisy input", "", ".2f"),
            *(Column(f"{key}_squared_error_per_image", h, "", ".2f") for key, h, _ in models),
        ),
        tuple(rows),
    )
