"""Numbers in the format of the user's language. Numbers in files are never written so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QDoubleSpinBox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QValidator

_NUMBER = re.compile(r"(?P<whole>\d+(?:,\d{3})*)(?:\.(?P<part>\d+))?")


@dataclass(frozen=True, slots=True)
class local:
    """A number that formats itself in the user's language: `f"{local(1234.5):,.1f}"`."""

    value: float

    def __format__(self, spec: str) -> str:
        return localise(format(self.value, spec))


def choose_language(name: str) -> None:
    """Sets the language of numbers; "system" follows the system."""
    QLocale.setDefault(QLocale.system() if name == "system" else QLocale(name))


def localise(text: str) -> str:
    """Returns a text whose numbers are written in the user's language.

    Parameters
    ----------
    text
        Its numbers as Python formats them: 1,234.5. It must hold no names, which may look so too.
    """
    language = QLocale()
    # A system without a language formats as Python does, but Qt leaves the thousands together.
    is_plain = language.language() == QLocale.Language.C
    return text if is_plain else _NUMBER.sub(lambda found: _localise_number(found, language), text)


def join_numbers(values: Iterable[float], spec: str, most: int) -> str:
    """Joins numbers; a semicolon separates them where the decimal mark is a comma.

    Parameters
    ----------
    values
        (n,) numbers.
    spec
        How each is formatted; its minus is the typographer's.
    most
        The most numbers to show; an ellipsis stands for the rest.
    """
    texts = [f"{local(value):{spec}}".replace("-", "−") for value in values]
    shown = [*texts[:most], *(["…"] if len(texts) > most else [])]
    return ("; " if QLocale().decimalPoint() == "," else ", ").join(shown)


def _localise_number(found: re.Match[str], language: QLocale) -> str:
    whole, part = found["whole"], found["part"]
    if "," in whole:
        # Some languages group by two, or only from 10,000 on.
        whole = language.toString(int(whole.replace(",", "")))
    else:
        whole = _digits(whole, language)
    return whole if part is None else whole + language.decimalPoint() + _digits(part, language)


def _digits(digits: str, language: QLocale) -> str:
    zero = ord(language.zeroDigit())
    return "".join(chr(zero + int(digit)) for digit in digits)


class DecimalBox(QDoubleSpinBox):
    """A field for a decimal number, which accepts a point and a comma.

    Thousands are not set apart in it. A language with the comma would otherwise take 0.001, as
    every paper has it, for 1.
    """

    def textFromValue(self, value: float) -> str:
        """Limits the number of decimal places."""
        return f"{local(value):.{self.decimals()}f}"

    def valueFromText(self, text: str) -> float:
        """Parses the number, with either decimal mark."""
        return super().valueFromText(self._replace_mark(text))

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Replaces the other decimal mark by the language's own."""
        found: tuple[QValidator.State, str, int] = super().validate(self._replace_mark(text), place)
        return found

    def _replace_mark(self, text: str) -> str:
        mark = self.locale().decimalPoint()
        number = text.removesuffix(self.suffix())
        return re.sub("[.,]", mark, number) + text[len(number) :]


class PlainBox(DecimalBox):
    """Shows 0.001 as 0.001, without trailing zeros."""

    def textFromValue(self, value: float) -> str:
        """Limits the number to six digits."""
        return f"{local(value):g}"
