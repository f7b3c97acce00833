"""The two variations of the window's font: figures of one width, and a smaller size."""

from __future__ import annotations

from PySide6.QtGui import QFont


def tabular(font: QFont) -> QFont:
    """Returns the font with figures of one width, so that changing numbers stand still."""
    figures = QFont(font)
    figures.setFeature(QFont.Tag("tnum"), 1)
    return figures


def small(font: QFont) -> QFont:
    """Returns a somewhat smaller font with figures of one width."""
    smaller = tabular(font)
    if font.pixelSize() > 0:
        smaller.setPixelSize(max(font.pixelSize() - 2, 9))
    else:
        smaller.setPointSizeF(max(font.pointSizeF() - 1, 7))
    return smaller
