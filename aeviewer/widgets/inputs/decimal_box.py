"""Fields for decimal numbers in the format of the user's language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDoubleSpinBox

from aeviewer.numbers import local

if TYPE_CHECKING:
    from PySide6.QtGui import QValidator


class DecimalBox(QDoubleSpinBox):
    """A field for a decimal number that accepts a point and a comma as the decimal mark.

    It has no thousands separator: in a language where that is the point, 0.001, as papers write
    it, would otherwise be read as 1.
    """

    def textFromValue(self, value: float) -> str:
        """Returns the number with the decimal places of the field."""
        return f"{local(value):.{self.decimals()}f}"

    def valueFromText(self, text: str) -> float:
        """Parses the number, with either decimal mark."""
        return super().valueFromText(self._replace_mark(text))

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Validates the text after replacing its decimal mark by the language's own."""
        found: tuple[QValidator.State, str, int] = super().validate(self._replace_mark(text), place)
        return found

    def _replace_mark(self, text: str) -> str:
        mark = self.locale().decimalPoint()
        number = text.removesuffix(self.suffix())
        return re.sub("[.,]", mark, number) + text[len(number) :]


class PlainBox(DecimalBox):
    """A decimal field without trailing zeros: 0.001 is shown as 0.001."""

    def textFromValue(self, value: float) -> str:
        """Returns the number with at most six significant digits."""
        return f"{local(value):g}"
