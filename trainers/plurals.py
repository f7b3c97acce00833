"""Numbers of things in a sentence: "1 class", "2,000 classes"."""

from __future__ import annotations


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Returns a number with its noun in the right form.

    Parameters
    ----------
    number
        How many.
    noun
        One of them.
    plural
        Several of them; by default the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
