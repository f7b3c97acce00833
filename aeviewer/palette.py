"""The colours of classes and runs, distinguishable for the colour-blind."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle, islice

from PySide6.QtGui import QColor

from trainers.figures.palette import CLASS_COLOURS

__all__ = ["CLASS_COLOURS", "RUN_COLOURS", "class_colours"]

_GOLDEN = 0.618034
_TONES = ((0.75, 0.9), (0.45, 0.75), (0.9, 0.6))
"""Saturation and value of the colours after the tenth."""


MOST_COLOURS = 40
"""Colours that a person can tell apart; more classes have the same colours again."""


@lru_cache(maxsize=16)
def class_colours(count: int) -> tuple[str, ...]:
    """Returns a colour for each class: the ten, then hues that are a golden angle apart.

    After `MOST_COLOURS` classes the colours repeat, and the legend says so.
    """
    more = (
        QColor.fromHsvF((place * _GOLDEN) % 1, *_TONES[place % len(_TONES)]).name()
        for place in range(MOST_COLOURS - len(CLASS_COLOURS))
    )
    return tuple(islice(cycle((*CLASS_COLOURS, *more)), count))


RUN_COLOURS = ("#56b4e9", "#e69f00", "#cc79a7", "#d55e00", "#0072b2", "#b3a100")
"""The colours of runs, in the order in which they are assigned. Okabe & Ito 2008 without the green,
which is the program's accent; the yellow is darkened so that it can be read on white."""
