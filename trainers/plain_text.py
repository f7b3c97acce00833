"""Text from outside, made safe to show: in a terminal, in a picture and in a spreadsheet.

Names of files, classes and settings may contain what a terminal obeys (escape sequences, changes of
the writing direction), and line ends, with which a name could imitate a line of the program. Every
command prints through `trainers.cli.terminal` or with `clean_line`.
"""

from __future__ import annotations

import codecs
import unicodedata
from functools import cache

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LINE_ENDS = "\n\r\t\v\f\x85\u2028\u2029"
_OBEYED = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *range(0x200E, 0x2010),  # marks of the writing direction
    *range(0x2028, 0x202F),  # line ends, and changes of the writing direction
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),  # bytes of a name that are not UTF-8
)
_FORMULA_SIGNS = "=+-@＝＋－＠"
_SPELLED = str.maketrans(
    {"β": "beta", "×": "x", "–": "-", "—": "-", "−": "-", "…": "...", "·": ".", "±": "+-", "’": "'"}
)
ERRORS = "aeviewer.spell"
"""The name of the error handler that spells what an encoding lacks, for `reconfigure`."""


@cache
def _table(line_ends: bool) -> dict[int, str]:
    table = dict.fromkeys(_OBEYED, _REPLACEMENT)
    return table | {ord(end): " " for end in _LINE_ENDS} if line_ends else table | {10: "\n"}


def clean_text(text: str) -> str:
    """Replaces the characters that a terminal obeys, except line feeds; keeps the length."""
    return text.translate(_table(False))


def clean_line(text: str) -> str:
    """Replaces the characters that a terminal obeys, and line ends by spaces; keeps the length."""
    return text.translate(_table(True))


def table_cell(text: str) -> str:
    """Returns a text as a cell of a table that no spreadsheet takes for a formula.

    A text that begins with =, +, - or @ gets an apostrophe before it, unless it is a number.
    """
    line = clean_line(text)
    if not line.lstrip().startswith(tuple(_FORMULA_SIGNS)):
        return line
    try:
        float(line)
    except ValueError:
        return f"'{line}"
    return line


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Spells the characters that an encoding lacks: β becomes "beta", é becomes "e"."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end].translate(_SPELLED)
    plain = (unicodedata.normalize("NFKD", letter).encode("ascii", "ignore") for letter in letters)
    return "".join(letter.decode() or "?" for letter in plain), error.end


codecs.register_error(ERRORS, _spell)
