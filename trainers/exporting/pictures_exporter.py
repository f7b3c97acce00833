"""A run's reconstructions, losses and latent space as figures: PNG and SVG. Loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import StrMethodFormatter

from trainers import datasets
from trainers.exploration.planes import axes_plane, class_jitter, line, principal_plane
from trainers.exporting.metrics_exporter import evaluations
from trainers.figures.image_sheet import write_sheet
from trainers.figures.palette import CLASS_COLOURS
from trainers.figures.style import (
    INK,
    SOFT,
    add_plain_legend,
    create_figure,
    figure_style,
    render_figure,
    set_plain_title,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from trainers.exporting.exporters import Task
    from trainers.figures.style import RenderedFigure

_ACROSS = 16
_NUMBERS = StrMethodFormatter("{x:,g}")


def write(task: Task) -> Iterator[None]:
    """Writes reconstructions, losses and codes, each as PNG and as SVG."""
    _write_reconstructions(task)
    yield
    for draw in (_losses, _codes):
        with figure_style():
            picture = draw(task)
        (task.folder / f"{picture.name}.png").write_bytes(picture.png)
        (task.folder / f"{picture.name}.svg").write_bytes(picture.svg)
        yield


def _write_reconstructions(task: Task) -> None:
    """Two rows of digits and, under each, what comes back of it."""
    outputs = task.checkpoint.preview().reconstructions
    data = datasets.open_dataset(task.run.dataset)
    shown = list(data.preview)
    inputs = data.test.images[shown]
    pairs = zip(np.split(inputs, 2), np.split(outputs, 2), strict=True)
    images = np.concatenate([np.stack(pair) for pair in pairs])
    classes = [data.dataset.class_name(int(data.test.labels[image])) for image in shown]
    names = [
        f"test {image}, {name}" if name else f"test {image}"
        for image, name in zip(shown, classes, strict=True)
    ]
    halves = names[:_ACROSS], names[_ACROSS:]
    words = [f"{n}{r}" for half in halves for r in ("", ", reconstructed") for n in half]
    title = f"{_title(task)}: test images, and what comes back of them"
    for ending in ("png", "svg"):
        write_sheet(task.folder / f"reconstructions.{ending}", images, title=title, words=words)


def _title(task: Task) -> str:
    return f"{task.run.name}, step {task.checkpoint.step:,}"


def _losses(task: Task) -> RenderedFigure:
    """The loss of every step, and that of the test images at every checkpoint."""
    losses, found = task.run.metrics(), [*evaluations(task.run)]
    figure = create_figure(6.4, 3.6)
    axes = figure.add_axes((0.12, 0.15, 0.85, 0.74))
    axes.plot(
        losses.step, losses.total, color=SOFT, lw=0.5, alpha=0.6, label="training", rasterized=True
    )
    tests = [(e.step, e.test_loss) for e in found if e.test_loss is not None]
    axes.plot(*(zip(*tests, strict=True) if tests else ([], [])), "o-", color=INK, label="test")
    values = [*losses.total, *(loss for _, loss in tests)]
    if values and min(values) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(_NUMBERS)
    axes.yaxis.set_major_formatter(_NUMBERS)
    axes.xaxis.set_major_formatter(_NUMBERS)
    axes.set(xlabel="training step")
    unit = "nats" if task.run.config.model.likelihood == "bernoulli" else "squared error"
    set_plain_title(axes, f"{task.run.name}: loss per image, {unit}")
    axes.legend(loc="upper right")
    caption = "The loss of every training step, and of the test images at every checkpoint."
    return render_figure(figure, "losses", "Losses", caption)


def _codes(task: Task) -> RenderedFigure:
    """The codes of the test images, coloured by class, in the plane that shows most of them."""
    data = datasets.open_dataset(task.run.dataset)
    codes, labels = task.checkpoint.codes(), data.test.labels
    figure = create_figure(5.6, 5.0)
    axes = figure.add_axes((0.12, 0.1, 0.72, 0.82))
    places = _project(axes, codes, labels)
    order = np.random.default_rng(0).permutation(len(codes))
    colours = np.array(CLASS_COLOURS)[labels % len(CLASS_COLOURS)]
    x, y = places[order].T
    axes.scatter(x, y, s=3, c=colours[order], linewidths=0, rasterized=True)
    names = data.dataset.classes
    dots = [
        axes.scatter([], [], s=14, color=CLASS_COLOURS[label % len(CLASS_COLOURS)])
        for label in range(len(names))
    ]
    if data.dataset.is_labelled:
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "handlelength": 1.0}
        add_plain_legend(axes, dots, names, **place)
    set_plain_title(axes, f"{_title(task)}: codes of {len(codes):,} test images")
    caption = "The code of every test image; colours are classes."
    return render_figure(figure, "codes", "Latent space", caption)


def _project(
    axes: Axes, codes: NDArray[np.float32], labels: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """(n, 2) places of (n, d) codes; names the axes after what they are."""
    d = codes.shape[1]
    if d == 1:
        apart = class_jitter(len(codes))
        axes.set(xlabel="z₁", ylabel="class", yticks=np.unique(labels))
        return line().project(codes) + np.stack([np.zeros(len(codes)), labels + apart], axis=1)
    plane = axes_plane(2, 0, 1) if d == 2 else principal_plane(codes)
    axes.set_aspect("equal", "datalim")
    if plane.shares is None:
        axes.set(xlabel="z₁", ylabel="z₂")
    else:
        names = (
            f"principal component {n} ({share:.0%})" for n, share in enumerate(plane.shares, 1)
        )
        axes.set(**dict(zip(("xlabel", "ylabel"), names, strict=True)))
    return plane.project(codes)
