"""Colours that mean something: classes and runs, told apart by the colour-blind."""

from __future__ import annotations

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
"""Ten classes. Petroff 2021, *Accessible color sequences for data visualization*."""

RUN_COLOURS = ("#56b4e9", "#e69f00", "#cc79a7", "#d55e00", "#0072b2", "#b3a100")
"""Runs, in the order in which they are met. Okabe & Ito 2008 without the green, which is the
program's accent; the yellow is darkened to be read on white."""
