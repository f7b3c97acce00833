"""A measurement as tables of text, which `aeviewer evaluate` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainers.config import RunConfig
    from trainers.evaluation.measurement import (
        CodesFigures,
        CollapseFigures,
        LikelihoodFigures,
        Measurement,
        SubspaceFigures,
    )
    from trainers.runs.metrics import Evaluation

Row = tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One question and its answers: the first cell of a row names the others."""

    title: str
    rows: tuple[Row, ...]
    headings: Row = ("", "")


def sections(measurement: Measurement, config: RunConfig) -> Iterator[Section]:
    """Returns every section that applies to the model, in reading order."""
    yield Section("Reconstruction", tuple(_reconstruction(measurement.reconstruction, config)))
    if measurement.reconstruction.class_squared_error:
        yield _classes(measurement)
    if measurement.likelihood:
        yield Section("Likelihood", tuple(_likelihood(measurement.likelihood)))
    yield _codes(measurement.codes)
    yield _dimensions(measurement.reconstruction, measurement.collapse)
    if measurement.subspace:
        yield Section("Linear decoder", tuple(_subspace(measurement.subspace)))
    yield _compression(measurement)
    yield _denoising(measurement)


def _reconstruction(found: Evaluation, config: RunConfig) -> Iterator[Row]:
    yield "squared error per image", f"{found.squared_error:.4f}"
    yield "squared error per pixel", f"{found.squared_error_per_pixel:.6f}"
    if found.explained_variance is not None:
        yield "explained variance", f"{found.explained_variance:.4f}"
    if found.pca_ratio is not None:
        yield "error over that of PCA with as many codes", f"{found.pca_ratio:.4f}"
    if found.cross_entropy is not None:
        yield "cross-entropy of grey levels, nats per image", f"{found.cross_entropy:.4f}"
    if config.model.variational:
        unit = "nats" if config.model.likelihood == "bernoulli" else "squared error"
        yield "KL to the prior, nats per image", f"{found.kl:.4f}"
        yield f"loss, {unit} per image, β = {config.model.beta:g}", f"{found.loss:.4f}"


def _classes(measurement: Measurement) -> Section:
    """Lays the classes out in columns where they are few and short, or else in rows."""
    errors = measurement.reconstruction.class_squared_error or ()
    names, texts = measurement.classes, tuple(f"{error:.2f}" for error in errors)
    if len(names) <= _SHOWN and max(map(len, names)) <= 2:
        return Section("By class", (("squared error per image", *texts),), ("", *names))
    rows = tuple(zip(names, texts, strict=True))
    return Section("By class", rows, ("", "squared error per image"))


def _likelihood(found: LikelihoodFigures) -> Iterator[Row]:
    yield "protocol", found.protocol
    yield "ELBO, nats per image", f"{found.elbo:.3f}"
    yield "reconstruction term, nats per image", f"{found.reconstruction:.3f}"
    yield "KL term, nats per image", f"{found.kl:.3f}"
    sampled = f"{found.samples} samples, {found.images:,} images"
    yield f"−log p(x), nats per image ({sampled})", f"{-found.log_likelihood:.3f}"


def _codes(found: CodesFigures) -> Section:
    views = (
        (f"trustworthiness of the 2-D view ({found.view})", f"{found.trustworthiness:.4f}"),
        ("continuity of the 2-D view", f"{found.continuity:.4f}"),
    )
    if found.codes is None:
        return Section("Codes", views)
    pairs = [probes for probes in (found.codes, found.pixels) if probes is not None]
    neighbours, blank = found.codes.neighbours, ("",) * (len(pairs) - 1)
    rows = (
        ("linear classifier", *(f"{p.linear:.2%}" for p in pairs)),
        (f"{neighbours} nearest neighbours", *(f"{p.nearest_neighbours:.2%}" for p in pairs)),
        *((*view, *blank) for view in views),
    )
    what = "digit" if found.pixels else "class"
    headings = ("accuracy", "codes", "raw pixels")[: 1 + len(pairs)]
    return Section(f"Codes: what they know of the {what}", rows, headings)


def _dimensions(found: Evaluation, collapse: CollapseFigures) -> Section:
    variances = found.code_variances or ()
    rows = [
        ("variance of the mean code", *_short(variances, ".3g")),
        ("KL, nats per image", *_short(found.kl_per_dimension or (), ".3g")),
    ]
    rows = [row for row in rows if len(row) > 1]
    title = f"Dimensions: {found.active_units} of {len(variances)} active"
    if collapse.certain_dead:
        title += f"; the loss makes it certain that {collapse.certain_dead} die"
    return Section(title, tuple(rows), ("", *_numbers(len(variances))))


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(f"{n}" for n in range(1, min(count, _SHOWN) + 1)) + (("…",) * (count > _SHOWN))


def _short(values: Sequence[float], form: str) -> tuple[str, ...]:
    shown = tuple(format(value, form) for value in values[:_SHOWN])
    return shown + (("",) * (len(values) > _SHOWN))


_SHOWN = 10


def _subspace(found: SubspaceFigures) -> Iterator[Row]:
    yield "squared error per image", f"{found.squared_error:.4f}"
    yield "PCA's with as many codes", f"{found.floor:.4f}"
    yield "ratio", f"{found.ratio:.4f}"
    angles = ", ".join(f"{angle:.2f}" for angle in found.principal_angles[-_SHOWN:])
    yield "principal angles to PCA's plane, degrees", angles


def _compression(measurement: Measurement) -> Section:
    rows = tuple(
        (
            stored.storage,
            f"{stored.code_bytes:,}",
            f"{stored.ratio:.1f}",
            f"{stored.squared_error:.4f}",
            f"{stored.added_error:+.2g}",
        )
        for stored in measurement.compression
    )
    headings = ("", "bytes", "times smaller", "squared error per image", "added")
    title = f"Compression: a code against the {measurement.image_bytes:,} bytes of an image"
    return Section(title, rows, headings)


def _denoising(measurement: Measurement) -> Section:
    rows = tuple(
        (f"noise {level.noise:g}", f"{level.input_error:.2f}", f"{level.squared_error:.2f}")
        for level in measurement.denoising
    )
    headings = ("squared error per image, against the clean one", "input", "output")
    return Section("Noisy input", rows, headings)
