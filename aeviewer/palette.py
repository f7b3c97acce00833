"""The colours of classes and runs, distinguishable for the colour-blind."""

from __future__ import annotations

from PySide6.QtGui import QColor

_GOLDEN = 0.618034
_TONES = ((0.75, 0.9), (0.45, 0.75), (0.9, 0.6))

CLASS_COLOURS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""The colours of ten classes. Petroff 2021, *Accessible color sequences for data visualization*."""


def class_colours(count: int) -> tuple[str, ...]:
    """Returns a colour for each class: the ten, then others by the golden angle."""
    more = (
        QColor.fromHsvF((place * _GOLDEN) % 1, *_TONES[place % len(_TONES)]).name()
        for place in range(max(0, count - len(CLASS_COLOURS)))
    )
    return (*CLASS_COLOURS, *more)[:count]


RUN_COLOURS = ("#56b4e9", "#e69f00", "#cc79a7", "#d55e00", "#0072b2", "#b3a100")
"""Runs, in the order in which they are met. Okabe & Ito 2008 without the green, which is the
program's accent; the yellow is darkened to be read on white."""
