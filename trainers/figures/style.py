"""The style of the report's figures, and their rendering: the same figure gives the same bytes.

The figures use only matplotlib's object interface. `figure_style` sets its parameters and restores
them afterwards, so neither the user's settings nor an earlier figure change the look. Imports no
torch.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from trainers.models import added_families
from trainers.plain_text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

INK = "#1b1d20"
SOFT = "#6a717b"
LINE = "#dcdfe4"
BAND = "#eff1f4"
PAPER = "#ffffff"
WARNING = "#b3261e"

_OURS = {
    "pca": SOFT,
    "linear": "#0072b2",
    "sigmoid": "#cc79a7",
    "relu": "#56b4e9",
    "elu": "#d55e00",
    "vae": "#009e73",
    "conv-vae": "#e69f00",
}
_OTHERS = ("#7a5c3e", "#5b6b2f", "#7b2d43", "#2f5d62")

COLOURS = {**_OURS, **dict(zip(added_families(), cycle(_OTHERS), strict=False))}
"""The colour of each method in all figures (Okabe & Ito 2008, safe for colour-blind readers)."""

NOISES = ("#b39ad6", "#8f6bc4", "#6b46a3", "#44266f")
"""The colours of increasing noise."""

DPI = 200
_THEMED = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    BAND: "var(--band)",
    PAPER: "var(--paper)",
    WARNING: "var(--warning)",
    **{colour: f"var(--{name})" for name, colour in _OURS.items() if name != "pca"},
    **{colour: f"var(--noise-{i})" for i, colour in enumerate(NOISES, 1)},
}
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "lines.linewidth": 1.5,
    "lines.markersize": 4,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.4,
    "svg.fonttype": "none",
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@dataclass(frozen=True)
class RenderedFigure:
    """A rendered figure of the report.

    Attributes
    ----------
    name
        The name of its files, without suffix.
    title
        A short title.
    caption
        A caption that can be understood without the text around it.
    png, svg
        The contents of the files.
    """

    name: str
    title: str
    caption: str
    png: bytes
    svg: bytes


@contextmanager
def figure_style() -> Iterator[None]:
    """Sets matplotlib's defaults and our style for the time of the `with`."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def create_figure(width: float, height: float) -> Figure:
    """Returns an empty figure of this size in inches. Call it within `figure_style()`."""
    return Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER)


def render_figure(
    figure: Figure, name: str, title: str, caption: str, *, notice: str = ""
) -> RenderedFigure:
    """Returns the figure as PNG and SVG, with the notice in its corner and in its caption."""
    if notice:
        figure.text(
            1 - 0.08 / figure.get_figwidth(),
            1 - 0.06 / figure.get_figheight(),
            notice,
            ha="right",
            va="top",
            color=WARNING,
            fontsize=8.5,
            fontweight="bold",
        )
        caption = f"{caption} ({notice[0].upper()}{notice[1:]}.)"
    raster, vector = io.BytesIO(), io.BytesIO()
    FigureCanvasAgg(figure).print_png(raster, metadata={"Software": None})  # type: ignore[no-untyped-call]
    # Without a salt, the ids in the SVG would be random.
    with mpl.rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(vector, metadata=_NO_METADATA)  # type: ignore[no-untyped-call]
    return RenderedFigure(name, title, caption, raster.getvalue(), vector.getvalue())


def inline_svg(picture: RenderedFigure) -> str:
    """Returns the SVG as an element of a page, in the colours of the page's light or dark theme."""
    text = picture.svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r'(<g|<image\b[^>]*?) id="(?:[\w.-]+_\d+|image\w+)"', r"\1", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg", '<svg role="img"', 1)
    for colour, variable in _THEMED.items():
        text = text.replace(colour, variable)
    return text


def set_plain_title(axes: Axes, title: str) -> None:
    """Sets the title of axes; no part of it is taken for a formula."""
    axes.set_title(clean_line(title), parse_math=False)


def add_plain_legend(
    axes: Axes, handles: Sequence[Artist], names: Sequence[str], **place: Any
) -> None:
    """Adds a legend whose names may be any text.

    matplotlib would take `$…$` for a formula, and leave out a name that begins with an underscore.
    """
    legend = axes.legend(handles, [str(number) for number in range(len(handles))], **place)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=clean_line(name), parse_math=False)


def set_ticks(axes: Axes, name: str, values: tuple[float, ...], form: str) -> None:
    """Sets labelled ticks of one axis ("x" or "y") at exactly these values."""
    axis = axes.xaxis if name == "x" else axes.yaxis
    axis.set_ticks(values, [format(value, form) for value in values])
    axis.set_ticks([], minor=True)
    axes.tick_params(length=0)
