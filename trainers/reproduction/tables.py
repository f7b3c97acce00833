"""Builds the report's tables from the existing results. Missing runs have rows that say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trainers import config as configs
from trainers.reproduction import thresholds as at
from trainers.reproduction.code_tables import (
    compression_table,
    denoising_table,
    subspace_table,
    sweep_table,
)
from trainers.reproduction.plan import CONTROL, LATENT_DIM
from trainers.reproduction.result_index import METHODS, NAMES, knn_accuracy, linear_probe_accuracy
from trainers.reproduction.table_format import Column, Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.config import RunConfig
    from trainers.reproduction.result_index import CollectedResults, FinishedRun, Spread
    from trainers.reproduction.verdict import Claim


def build_tables(collected: CollectedResults, claims: tuple[Claim, ...]) -> dict[str, Table]:
    """Returns every table by its name."""
    tables = (
        _claims_table(claims),
        _methods_table(collected),
        subspace_table(collected),
        _curves_table(collected),
        sweep_table(collected),
        compression_table(collected),
        denoising_table(collected),
        _published_table(collected),
        _runs_table(collected),
    )
    notice = collected.notice
    quick = f" ({notice[0].upper()}{notice[1:]}.)" if notice else ""
    return {table.name: replace(table, caption=table.caption + quick) for table in tables}


def _claims_table(claims: tuple[Claim, ...]) -> Table:
    columns = tuple(
        Column(key, key) for key in ("claim", "statement", "verdict", "test", "numbers")
    )
    rows = tuple((c.key, c.statement, c.verdict, c.test, " ".join(c.reasons)) for c in claims)
    return Table("claims", "Claims and verdicts", "", columns, rows)


_ACCURACIES = (
    Column("linear_probe_accuracy", "linear", "%", ".2f", 100, "accuracy on codes", True),
    Column("knn_accuracy", "k-NN", "%", ".2f", 100, "accuracy on codes", True),
)


def _methods_table(collected: CollectedResults) -> Table:
    error = "test squared error"
    columns = (
        Column("method", "method"),
        Column("runs", "seeds", "", "d"),
        Column("squared_error_per_pixel", "per pixel", "", ".5f", 1, error, True),
        Column("squared_error_per_image", "per image", "", ".2f", 1, error, True),
        Column("error_over_pca", "× PCA", "", ".3f", 1, error, True),
        *_ACCURACIES,
        Column("elbo_nats", "ELBO", "nats", ".2f", 1, "test likelihood"),
        Column("minus_log_p_nats", "IW bound", "nats", ".2f", 1, "test likelihood"),
        Column("protocol", "protocol", group="test likelihood"),
        Column("training_minutes", "training", "min", ".1f"),
    )
    rows: list[Row] = [_method_row(collected, name) for name in (*METHODS, CONTROL)]
    pixels = collected.pixels
    if pixels is not None:
        blank = (None,) * 3
        probes = (pixels.linear, pixels.nearest_neighbours)
        rows.append(("Raw pixels (784)", None, *blank, *probes, None, None, "", None))
    return Table(
        "methods",
        f"The paper's methods, d = {LATENT_DIM}",
        "All on the 10,000 test images. Squared error: per pixel, summed over an image's 784 "
        "pixels, and over the error of PCA with as many components. Accuracy: of a logistic "
        "regression and of k nearest neighbours fitted to the codes of the training images; last "
        "row, to the pixels themselves. ELBO and importance-weighted bound on −log p (IW bound"
        f"{_likelihood_protocols(collected)}) are given for variational models only, with "
        "their protocol: values of different protocols are not comparable. Those of grey Bernoulli "
        "are bounds on a cross-entropy of grey levels, no density. For several seeds: mean "
        "± half of the range. Training: mean time, with other runs in parallel.",
        columns,
        tuple(rows),
    )


def _likelihood_protocols(collected: CollectedResults) -> str:
    """Returns the samples and images from which the likelihoods were estimated, as text."""
    runs = (f for name in METHODS for f in collected.runs(name))
    protocols = {
        f"{figures.samples:,} samples an image, {figures.images:,} images"
        for f in runs
        if (figures := f.result.measurement.likelihood) is not None
    }
    return "".join(f"; {protocol}" for protocol in sorted(protocols))


def _method_row(collected: CollectedResults, preset: str) -> Row:
    runs = collected.runs(preset)

    def over(value: Callable[[FinishedRun], float | None]) -> Spread | None:
        return collected.spread_over_seeds(value, preset)

    found = [f.result.measurement.likelihood for f in runs]
    return (
        NAMES[preset] + ("" if runs else " (not trained yet)"),
        len(runs),
        over(lambda f: f.result.measurement.reconstruction.squared_error_per_pixel),
        over(lambda f: f.squared_error),
        over(lambda f: f.result.measurement.reconstruction.pca_ratio),
        over(linear_probe_accuracy),
        over(knn_accuracy),
        over(_elbo),
        over(_minus_log_p),
        next((figures.protocol for figures in found if figures), ""),
        over(lambda f: f.result.seconds / 60),
    )


def _elbo(finished: FinishedRun) -> float | None:
    found = finished.result.measurement.likelihood
    return found.elbo if found else None


def _minus_log_p(finished: FinishedRun) -> float | None:
    found = finished.result.measurement.likelihood
    return -found.log_likelihood if found else None


def _curves_table(collected: CollectedResults) -> Table:
    rows = tuple(
        (name, f.entry.seed, e.step, e.squared_error_per_pixel, e.squared_error, e.pca_ratio)
        for name in METHODS
        for f in collected.runs(name)
        for e in f.result.history
    )
    columns = (
        Column("method", "method"),
        Column("seed", "seed", "", "d"),
        Column("step", "step", "", ",d"),
        Column("squared_error_per_pixel", "per pixel", "", ".5f"),
        Column("squared_error_per_image", "per image", "", ".2f"),
        Column("error_over_pca", "× PCA", "", ".3f"),
    )
    return Table("curves", "Test error at every checkpoint", "", columns, rows)


def _published_table(collected: CollectedResults) -> Table:
    deep, vae = collected.single_run("hinton30"), collected.single_run("burda50")
    pca = collected.first_run("pca", 30)
    figures = vae.result.measurement.likelihood if vae else None
    how = (
        f"{figures.protocol}, {figures.samples:,} samples, {figures.images:,} images"
        if figures
        else ""
    )
    error = "squared error per test image"
    rows: tuple[Row, ...] = (
        (
            "PCA, 30 components",
            error,
            at.HINTON_PCA,
            pca.squared_error if pca else None,
            "Hinton & Salakhutdinov (2006)",
            "",
        ),
        (
            "Deep autoencoder, 30 codes",
            error,
            at.HINTON,
            deep.squared_error if deep else None,
            "Hinton & Salakhutdinov (2006)",
            "",
        ),
        (
            "One-layer VAE, 50 codes",
            "−log p, nats per test image",
            at.BURDA,
            -figures.log_likelihood if figures else None,
            "Burda et al. (2015), K = 1",
            how,
        ),
    )
    return Table(
        "beyond",
        "Our results and published ones",
        "Our results beside those of later papers. −log p is an upper bound that falls with the "
        "number of samples: theirs has 5,000 per image over the 10,000 test images. Both "
        "sample binary pixels from the grey levels; results on a fixed binarisation of MNIST are "
        "not comparable with these.",
        (
            Column("model", "model"),
            Column("figure", "figure"),
            Column("published", "published", "", ".2f"),
            Column("ours", "ours", "", ".2f"),
            Column("source", "source"),
            Column("how", "how ours was measured"),
        ),
        rows,
    )


def _runs_table(collected: CollectedResults) -> Table:
    there = {f.entry.name: f for f in collected.finished}
    rows: list[Row] = []
    for entry in collected.plan:
        f = there.get(entry.name)
        known: Row = ("not trained yet", *(None,) * 6, "")
        if f is not None:
            figures = f.result.measurement.reconstruction
            device = f"{f.result.device}, {f.result.threads} thread"
            device += "s" * (f.result.threads != 1)
            accuracy = knn_accuracy(f)
            known = (
                "finished",
                f.result.measurement.step,
                figures.squared_error_per_pixel,
                figures.squared_error,
                figures.pca_ratio,
                accuracy,
                f.result.seconds,
                device,
            )
        rows.append((entry.name, differences(entry.config), *known))
    return Table(
        "runs",
        "Every run",
        "The settings in which each run of the plan differs from the paper's autoencoder "
        "(784-500-500-5 and back, ELU, squared error, 50,000 steps of 100 images, Adam at 0.001), "
        "and its results on the 10,000 test images.",
        (
            Column("run", "run"),
            Column("settings", "settings"),
            Column("state", "state"),
            Column("steps", "steps", "", ",d"),
            Column("squared_error_per_pixel", "error", "per pixel", ".5f"),
            Column("squared_error_per_image", "error", "per image", ".2f"),
            Column("error_over_pca", "× PCA", "", ".3f"),
            Column("knn_accuracy", "k-NN", "%", ".2f", 100),
            Column("training_seconds", "training", "s", ",.0f"),
            Column("device", "device"),
        ),
        tuple(rows),
    )


def differences(config: RunConfig) -> str:
    """Returns the settings that differ from the defaults and have an effect in this config."""
    settings = [
        f"{leaf.term.label.lower()} {_format_setting(leaf.value(config))}".strip()
        for leaf in configs.fields()
        if leaf.term.applies(config) and leaf.value(config) != leaf.default
    ]
    return "; ".join(settings) or "none"


def _format_setting(value: object) -> str:
    if value is True:
        return ""
    if isinstance(value, tuple):
        return "–".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
