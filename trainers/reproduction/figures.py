"""Draws the report's figures from the existing results. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.figures.style import (
    BAND,
    COLOURS,
    INK,
    NOISES,
    PAPER,
    SOFT,
    create_figure,
    figure_style,
    render_figure,
    set_ticks,
)
from trainers.presets import PRESETS
from trainers.reproduction import thresholds as at
from trainers.reproduction.digit_figures import FigureBlock, draw_digits
from trainers.reproduction.plan import LATENT_DIM, NOISE, SWEEP
from trainers.reproduction.result_index import METHODS, NAMES, denoising_at, probes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

    from trainers.evaluation.measurement import Probes
    from trainers.figures.style import RenderedFigure
    from trainers.reproduction.result_index import CollectedResults, FinishedRun

_ERROR_TICKS = (0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
_IMAGE_TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_WIDTH = 8.6


def draw_figures(collected: CollectedResults) -> dict[str, RenderedFigure | None]:
    """Draws every figure: those of the paper in its order, then those of the report.

    Returns
    -------
    dict
        The figures by name; None for a figure without results.
    """
    functions: dict[str, Callable[[CollectedResults], RenderedFigure | None]] = {
        "figure-2": _draw_linear,
        "figure-3": _draw_non_linear,
        "figure-5": _draw_variational,
        "curves": _draw_curves,
        "sweep": _draw_sweep,
        "denoising": _draw_denoising,
    }
    with figure_style():
        return {name: draw(collected) for name, draw in functions.items()}


def _block(collected: CollectedResults, preset: str) -> FigureBlock:
    return FigureBlock(PRESETS[preset].title, collected.first_run(preset))


def _draw_linear(collected: CollectedResults) -> RenderedFigure | None:
    return draw_digits(
        collected,
        (_block(collected, "linear"), _block(collected, "pca")),
        "figure-2",
        "Figure 2 of the paper: the linear autoencoder and PCA",
        f"Test digits (first row), what the linear autoencoder with {LATENT_DIM} codes makes of "
        f"them as it trains, and what PCA with {LATENT_DIM} components makes of them (last row).",
    )


def _draw_non_linear(collected: CollectedResults) -> RenderedFigure | None:
    return draw_digits(
        collected,
        tuple(_block(collected, name) for name in ("sigmoid", "relu", "elu")),
        "figure-3",
        "Figure 3 of the paper: non-linear autoencoders",
        f"Test digits (first row) and what autoencoders with {LATENT_DIM} codes and sigmoid, ReLU "
        "or ELU activations make of them as they train.",
    )


def _draw_variational(collected: CollectedResults) -> RenderedFigure | None:
    return draw_digits(
        collected,
        tuple(_block(collected, name) for name in ("vae", "conv-vae")),
        "figure-5",
        "Figure 5 of the paper: variational autoencoders",
        f"Test digits (first row) and what variational autoencoders with {LATENT_DIM} codes, fully "
        "connected and convolutional, make of them as they train, decoded from the mean code.",
    )


def _draw_curves(collected: CollectedResults) -> RenderedFigure | None:
    runs = [(name, collected.runs(name)) for name in METHODS if name != "pca"]
    shown = [(name, found) for name, found in runs if found]
    if not shown:
        return None
    figure = create_figure(_WIDTH, 4.0)
    axes = figure.add_axes((0.085, 0.125, 0.70, 0.78))
    for name, found in sorted(shown, key=lambda pair: -pair[1][0].squared_error):
        for f in reversed(found):
            _plot_curve(axes, name, f, is_named=f is found[0])
    floor = collected.first_run("pca")
    if floor is not None:
        value = floor.result.measurement.reconstruction.squared_error_per_pixel
        axes.axhline(value, color=SOFT, dashes=(2, 2), label=f"PCA  {value:.4f}", zorder=1)
    axes.set(xscale="log", yscale="log", xlabel="training step")
    axes.set_title("Squared error per pixel, 10,000 test images")
    steps = max(f.entry.steps for _, found in shown for f in found)
    axes.set_xlim(10, steps)
    set_ticks(axes, "x", (*_ticks_within((10, 100, 1_000, 10_000), 10, steps), steps), ",")
    set_ticks(axes, "y", _ticks_within(_ERROR_TICKS, *axes.get_ylim()), "g")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), title="at the end", alignment="left")
    return render_figure(
        figure,
        "curves",
        f"Test error during training, d = {LATENT_DIM}",
        f"Squared error per pixel on the 10,000 test images at each checkpoint, for every method "
        f"with {LATENT_DIM} codes; both axes logarithmic. Strong lines are seed 1, faint ones the "
        "other seeds. The dashed line is PCA's error, under which no linear autoencoder can get "
        "on the training images.",
        notice=collected.notice,
    )


def _plot_curve(axes: Axes, name: str, finished: FinishedRun, *, is_named: bool) -> None:
    """Plots the line of one run; the first run of a method is strong and in the legend."""
    history = [e for e in finished.result.history if e.step >= 10]
    values = [e.squared_error_per_pixel for e in history]
    if not values:
        return
    axes.plot(
        [e.step for e in history],
        values,
        color=COLOURS[name],
        alpha=1.0 if is_named else 0.35,
        linewidth=1.6 if is_named else 0.9,
        label=f"{NAMES[name]}  {values[-1]:.4f}" if is_named else "_",
    )


def _ticks_within(values: tuple[float, ...], low: float, high: float) -> tuple[float, ...]:
    """Returns the ticks inside the limits that are not too near the upper one."""
    return tuple(v for v in values if low <= v < high * 0.999)


def _draw_sweep(collected: CollectedResults) -> RenderedFigure | None:
    if not collected.sweep("elu") and not collected.sweep("pca"):
        return None
    figure = create_figure(_WIDTH, 4.1)
    left = figure.add_axes((0.075, 0.125, 0.40, 0.76))
    right = figure.add_axes((0.575, 0.125, 0.40, 0.76))
    for axes in (left, right):
        axes.axvspan(*at.GOOD_DIMENSIONS, color=BAND, linewidth=0, zorder=0)
        axes.set(xscale="log", xlabel="numbers in the code, d")
        axes.set_xlim(SWEEP[0] * 0.85, SWEEP[-1] * 1.18)
        set_ticks(axes, "x", SWEEP, "d")
    _plot_errors(left, collected)
    _plot_accuracies(right, collected)
    return render_figure(
        figure,
        "sweep",
        "Error and accuracy by the dimension of the code",
        "Left: squared error per test image (summed over pixels) against the dimension of the "
        "code, both axes logarithmic, for ELU autoencoders and PCA, with the published points of "
        "Hinton & Salakhutdinov (2006) for 30 codes. Right: accuracy of two classifiers that see "
        "only the codes; the thin horizontal lines are the same classifiers on the 784 raw pixels. "
        "Grey band: the paper's 10 < N < 100.",
        notice=collected.notice,
    )


def _plot_errors(axes: Axes, collected: CollectedResults) -> None:
    for name, marker in (("pca", "s"), ("elu", "o")):
        runs = collected.sweep(name)
        axes.plot(
            [f.entry.latent_dim for f in runs],
            [f.squared_error for f in runs],
            color=COLOURS[name],
            marker=marker,
            label=NAMES[name],
        )
    published = (("s", at.HINTON_PCA, "PCA, published"), ("D", at.HINTON, "deep, published"))
    for marker, error, label in published:
        axes.plot(
            [at.HINTON_CODES],
            [error],
            marker,
            color=INK,
            markerfacecolor=PAPER,
            markersize=7,
            label=label,
            zorder=4,
        )
    ours = collected.single_run("hinton30")
    if ours is not None:
        axes.plot(
            [ours.entry.latent_dim],
            [ours.squared_error],
            "*",
            color=COLOURS["vae"],
            markersize=10,
            label="deep, ours",
            zorder=5,
        )
    axes.set_yscale("log")
    axes.set_title("Squared error per test image")
    low, high = axes.get_ylim()
    set_ticks(axes, "y", _ticks_within(_IMAGE_TICKS, low, high), "g")
    axes.legend(loc="lower left")


def _plot_accuracies(axes: Axes, collected: CollectedResults) -> None:
    kinds: tuple[tuple[str, str, Callable[[Probes], float]], ...] = (
        ("k-NN", "-", lambda p: p.nearest_neighbours),
        ("linear probe", "--", lambda p: p.linear),
    )
    for kind, dashes, accuracy in kinds:
        for name, marker in (("elu", "o"), ("pca", "s")):
            runs = collected.sweep(name)
            axes.plot(
                [f.entry.latent_dim for f in runs],
                [100 * accuracy(probes_of(f)) for f in runs],
                color=COLOURS[name],
                linestyle=dashes,
                marker=marker,
                label=f"{NAMES[name]}, {kind}",
            )
        if collected.pixels is not None:
            level = 100 * accuracy(collected.pixels)
            axes.axhline(
                level,
                color=INK,
                linestyle=dashes,
                linewidth=0.8,
                zorder=1,
                label=f"raw pixels, {kind}",
            )
    axes.set_title("Accuracy of a classifier on the codes, %")
    axes.set_ylim(top=101)
    axes.legend(loc="lower right")


def _draw_denoising(collected: CollectedResults) -> RenderedFigure | None:
    shown = [*_denoisers(collected)]
    if not shown:
        return None
    figure = create_figure(_WIDTH, 4.0)
    axes = figure.add_axes((0.075, 0.125, 0.68, 0.78))
    for label, colour, f, own in shown:
        measured = f.result.measurement.denoising
        x, y = [d.noise for d in measured], [d.squared_error for d in measured]
        axes.plot(x, y, color=colour, marker="o", label=label, dashes=(4, 2) if own is None else ())
        seen = denoising_at(f, own) if own is not None else None
        if seen is not None:
            axes.plot([seen.noise], [seen.squared_error], "o", color=colour, markersize=8)
    untouched = shown[0][2].result.measurement.denoising
    axes.plot(
        [d.noise for d in untouched if d.input_error > 0],
        [d.input_error for d in untouched if d.input_error > 0],
        color=SOFT,
        dashes=(1, 2),
        label="the noisy input itself",
    )
    axes.set(yscale="log", xlabel="standard deviation of the noise on the input (full ink is 1)")
    axes.set_title("Squared error per test image, against the clean digit")
    noises = tuple(sorted({d.noise for d in untouched}))
    set_ticks(axes, "x", noises, "g")
    set_ticks(axes, "y", _ticks_within(_IMAGE_TICKS, *axes.get_ylim()), "g")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return render_figure(
        figure,
        "denoising",
        "Noise on the input",
        "Squared error per test image (logarithmic) between the model's output and the clean "
        "digit, against the Gaussian noise on its input. Each denoising autoencoder was trained "
        "with one noise (large dot); the plain ELU autoencoder (dashed) was trained without noise. "
        "Dotted: the error of the noisy input itself; a useful model is below it.",
        notice=collected.notice,
    )


def _denoisers(collected: CollectedResults) -> Iterator[tuple[str, str, FinishedRun, float | None]]:
    """Yields label, colour, run, and the noise that the run was trained with."""
    plain = collected.first_run("elu")
    if plain is not None and plain.result.measurement.denoising:
        yield "plain ELU", COLOURS["elu"], plain, None
    for colour, amount in zip(NOISES, NOISE, strict=True):
        run = collected.first_run("denoising", noise=amount)
        if run is not None and run.result.measurement.denoising:
            yield f"trained with {amount:g}", colour, run, amount
