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
        Denoising,
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
    error = _with_error(found.squared_error, found.squared_error_se, ".4f")
    yield "squared error per image", error
    yield "squared error per pixel", f"{found.squared_error_per_pixel:.6f}"
    if found.explained_variance is not None:
        yield "explained variance", f"{found.explained_variance:.4f}"
    if found.pca_ratio is not None:
        yield "error over that of PCA with as many codes", f"{found.pca_ratio:.4f}"
    if found.cross_entropy is not None:
        yield "cross-entropy of grey levels, nats per image", f"{found.cross_entropy:.4f}"
    yield from _losses(found, config)


def _losses(found: Evaluation, config: RunConfig) -> Iterator[Row]:
    """Yields the objective, and what it is at the mean code if that is another number."""
    unit = "nats" if config.model.likelihood == "bernoulli" else "squared error"
    weight = f", β = {config.model.beta:g}" if config.model.has_prior else ""
    if config.model.has_prior:
        yield "KL to the prior, nats per image", f"{found.kl:.4f}"
    if found.test_loss is not None:
        noise = _noise_text(config)
        name = f"test loss ({noise})" if noise else "test loss"
        value = _with_error(found.test_loss, found.test_loss_se, ".4f")
        yield f"{name}, {unit} per image{weight}", value
    if found.validation_loss is not None:
        of = f"validation loss, {found.validation_images:,} held-out training images"
        yield f"{of}, {unit} per image{weight}", f"{found.validation_loss:.4f}"
    if config.draws_noise:
        what = "loss at the mean code, uncorrupted input (no bound on the likelihood)"
        yield f"{what}, {unit} per image{weight}", f"{found.loss_at_mean:.4f}"


def _noise_text(config: RunConfig) -> str:
    """Names what training draws, and the test loss draws once per image; may be empty."""
    training = config.training
    is_corrupted = config.draws_noise and training.corruption != "none"
    drawn = [
        *(["binary pixels"] if config.is_binarised else []),
        *([f"{training.corruption} corruption"] if is_corrupted else []),
        *(["code"] if config.model.has_prior else []),
    ]
    return f"one fixed draw per image of {', '.join(drawn)}" if drawn else ""


def _with_error(value: float, error: float | None, form: str) -> str:
    """Returns a value with its standard error, if that is known."""
    return f"{value:{form}}" if error is None else f"{value:{form}} ± {error:{form}}"


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
    if found.protocol == "grey Bernoulli":
        bound, name = "importance-weighted bound on the cross-entropy", "−ELBO of the cross-entropy"
        yield "what it is", "a cross-entropy of grey levels, no density or probability of images"
    else:
        bound, name = "−log p(x)", "−ELBO"
    of = f"nats per image, first {found.images:,} test images"
    yield f"{name}, {of}", _with_error(-found.elbo, found.elbo_se, ".2f")
    value = _with_error(-found.reconstruction, found.reconstruction_se, ".2f")
    yield f"reconstruction term, {of}", value
    yield f"KL term, {of}", _with_error(found.kl, found.kl_se, ".2f")
    value = _with_error(-found.log_likelihood, found.log_likelihood_se, ".2f")
    yield f"{bound}, {of}, {found.samples} samples each", value


def _codes(found: CodesFigures) -> Section:
    of = f"first {found.view_images:,} test images"
    view = f"the 2-D view ({found.view}) against the pixels, {of}"
    errors = found.trustworthiness_se, found.continuity_se
    views = (
        (f"trustworthiness of {view}", _with_error(found.trustworthiness, errors[0], ".4f")),
        (f"continuity of {view}", _with_error(found.continuity, errors[1], ".4f")),
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
    title = "Dimensions"
    if found.active_units is not None:
        title += f": {found.active_units} of {len(variances)} active"
    if found.effective_dimensions is not None:
        title += f", {found.effective_dimensions:.2f} of {len(variances)} effective"
    if collapse.certain_dead:
        title += f"; at the optimum of the loss {collapse.certain_dead} are collapsed"
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
        (_level_text(level), f"{level.input_error:.2f}", f"{level.squared_error:.2f}")
        for level in measurement.denoising
    )
    headings = ("squared error per image, against the clean one", "input", "output")
    return Section("Corrupted input", rows, headings)


def _level_text(level: Denoising) -> str:
    if level.corruption == "masking":
        return f"{level.noise:.0%} of the pixels masked"
    return f"noise {level.noise:g}"
