"""What can be downloaded: torchvision's family of MNIST, by the names used here. Loads no torch."""

from __future__ import annotations

import string
from dataclasses import dataclass

from trainers.errors import DataError

_DIGITS = tuple(string.digits)
_BALANCED = tuple(sorted(set(string.digits + string.ascii_letters) - set("cijklmopsuvwxyz")))


@dataclass(frozen=True)
class CatalogueEntry:
    """A data set that torchvision knows.

    Attributes
    ----------
    name, title
        What it will be called here.
    kind
        Its class in `torchvision.datasets`.
    classes
        Names by label.
    megabytes
        About how much is downloaded.
    about
        What it is, and of whom.
    centred
        Whether its strokes are scaled and centred as MNIST's are.
    split
        Which of its splits; empty where it has one.
    first
        The label of the first class.
    is_turned
        Whether rows and columns are swapped.
    """

    name: str
    title: str
    kind: str
    classes: tuple[str, ...]
    megabytes: int
    about: str
    centred: bool = True
    split: str = ""
    first: int = 0
    is_turned: bool = False


_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip

ENTRIES = {
    entry.name: entry
    for entry in (
        CatalogueEntry(
            "fashion-mnist",
            "Fashion-MNIST",
            "FashionMNIST",
            _FASHION,
            30,
            "Clothes in ten classes (Xiao, Rasul, Vollgraf 2017). MIT licence.",
            centred=False,
        ),
        CatalogueEntry(
            "kmnist",
            "KMNIST",
            "KMNIST",
            ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            20,
            "Cursive Japanese in ten classes (Clanuwat et al. 2018). CC BY-SA 4.0.",
        ),
        CatalogueEntry(
            "qmnist",
            "QMNIST",
            "QMNIST",
            _DIGITS,
            20,
            "MNIST rebuilt, with 60,000 test digits (Yadav, Bottou 2019). BSD licence.",
        ),
        CatalogueEntry(
            "emnist-letters",
            "EMNIST letters",
            "EMNIST",
            tuple(string.ascii_uppercase),
            540,
            "Handwritten letters in 26 classes (Cohen et al. 2017).",
            split="letters",
            first=1,
            is_turned=True,
        ),
        CatalogueEntry(
            "emnist-balanced",
            "EMNIST balanced",
            "EMNIST",
            _BALANCED,
            540,
            "Handwritten letters and digits in 47 classes (Cohen et al. 2017).",
            split="balanced",
            is_turned=True,
        ),
        CatalogueEntry(
            "usps",
            "USPS",
            "USPS",
            _DIGITS,
            7,
            "Handwritten digits of 16 × 16 pixels from letters (Hull 1994).",
            centred=False,
        ),
    )
}
"""By name, in the order in which they are offered."""


def find_entry(name: str) -> CatalogueEntry:
    """The entry called `name`.

    Raises
    ------
    DataError
        When there is none.
    """
    if name not in ENTRIES:
        known = ", ".join(ENTRIES)
        raise DataError(f"{name!r} cannot be downloaded; choose from {known}.")
    return ENTRIES[name]
