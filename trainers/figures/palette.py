"""The colours of the classes, the same in the window and in exported figures. Imports no torch."""

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
"""The colours of ten classes. Petroff 2021, *Accessible color sequences for data visualization*."""
