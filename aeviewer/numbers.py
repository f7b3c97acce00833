"""Numbers in the format of the user's language. Files always have Python's format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import bidirectional

from PySide6.QtCore import QLocale

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_RIGHT_TO_LEFT = frozenset({"AN", "AL", "R"})
"""Unicode's classes of what is written from right to left, and of Arabic numbers."""
_NUMBER = re.compile(r"(?P<whole>\d+(?:,\d{3})*)(?:\.(?P<part>\d+))?")


@dataclass(frozen=True, slots=True)
class local:
    """A number that formats itself in the user's language: `f"{local(1234.5):,.1f}"`."""

    value: float

    def __format__(self, spec: str) -> str:
        return localise(format(self.value, spec))


def subscript(number: int) -> str:
    """Returns a number in subscript digits: the ₁₂ of z₁₂."""
    return str(number).translate(_SUBSCRIPTS)


def find_language(name: str) -> QLocale:
    """Returns the language of numbers; "system" follows the system.

    A language whose digits or marks belong to a right-to-left script is replaced by English: in an
    English sentence such numbers change places ("20 of 100" reads "100 of 20").
    """
    language = QLocale.system() if name == "system" else QLocale(name)
    signs = language.zeroDigit() + language.decimalPoint() + language.groupSeparator()
    is_reordered = any(bidirectional(sign) in _RIGHT_TO_LEFT for sign in signs)
    return QLocale("en_US") if is_reordered else language


def choose_language(name: str) -> None:
    """Sets the language of numbers, as `find_language` returns it."""
    QLocale.setDefault(find_language(name))


def localise(text: str) -> str:
    """Returns a text with its numbers in the user's language.

    Parameters
    ----------
    text
        A text with numbers as Python formats them: 1,234.5. It must contain no names of runs or
        files, because a name may look like a number.
    """
    language = QLocale()
    # Without a language Python's format stays, because Qt's C locale does not group thousands.
    is_plain = language.language() == QLocale.Language.C
    return text if is_plain else _NUMBER.sub(lambda found: _localise_number(found, language), text)


def join_numbers(values: Iterable[float], spec: str, most: int) -> str:
    """Joins numbers; a semicolon separates them where the decimal mark is a comma.

    Parameters
    ----------
    values
        (n,) numbers.
    spec
        The format of each number; a minus sign becomes "−".
    most
        The largest count of numbers to show; an ellipsis replaces the rest.
    """
    texts = [f"{local(value):{spec}}".replace("-", "−") for value in values]
    shown = [*texts[:most], *(["…"] if len(texts) > most else [])]
    return ("; " if QLocale().decimalPoint() == "," else ", ").join(shown)


def _localise_number(found: re.Match[str], language: QLocale) -> str:
    whole, part = found["whole"], found["part"]
    if "," in whole:
        # Some languages group digits by two, or only from 10,000.
        whole = language.toString(int(whole.replace(",", "")))
    else:
        whole = _digits(whole, language)
    return whole if part is None else whole + language.decimalPoint() + _digits(part, language)


def _digits(digits: str, language: QLocale) -> str:
    zero = ord(language.zeroDigit())
    return "".join(chr(zero + int(digit)) for digit in digits)
