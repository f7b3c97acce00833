"""What a data set is: the description that configs name and run folders keep. Loads no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from trainers.datasets.importing.conversion import MOST_SIDE, Conversion
from trainers.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_CLASSES = 10_000
PREVIEW_COUNT = 32
"""Test images whose reconstructions are watched; every data set has so many."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MOST_NAME = 100
"""Characters of a title, and of the name of a class."""


def storable_text(text: object) -> object:
    """Replaces what UTF-8 cannot encode: the bytes of a file name that are no UTF-8."""
    if not isinstance(text, str):
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= c <= "\udfff" else c for c in text)


_Text = Annotated[str, BeforeValidator(storable_text)]
_ShortText = Annotated[_Text, Field(max_length=MOST_NAME)]


VALIDATION_SHARE = 12
"""One of so many training images is held out for validation: 5,000 of MNIST's 60,000."""


class Dataset(BaseModel):
    """A data set's description.

    Attributes
    ----------
    name
        By which configs and commands call it: small letters, digits, . _ -
    title
        By which it is spoken of.
    side
        Pixels along an image's edge; images are square.
    channels
        1, grey, or 3, red, green and blue.
    classes
        Names of the classes, by label; none where the images have no labels.
    train, test, validation
        Images in each split. Validation images are kept apart: nothing trains on them.
    checksum
        SHA-256 of images and labels; empty for MNIST, which comes with the program.
    centred
        Whether strokes were scaled and centred as MNIST's are, so that a drawing is, too.
    conversion
        What was done to the images when they were imported.
    ranges
        The type of number of the imported images, and the values that became black and white;
        empty where these are a type's usual ones.
    history
        The same in words, and where they came from.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
    title: _ShortText
    side: Annotated[int, Field(ge=8, le=MOST_SIDE)]
    channels: Literal[1, 3] = 1
    classes: Annotated[tuple[_ShortText, ...], Field(max_length=MOST_CLASSES)] = ()
    train: Annotated[int, Field(ge=1, le=1_000_000_000)]
    test: Annotated[int, Field(ge=PREVIEW_COUNT, le=1_000_000_000)]
    validation: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    checksum: Annotated[str, Field(max_length=64)] = ""
    centred: bool = False
    conversion: Conversion | None = None
    ranges: Annotated[tuple[tuple[_ShortText, float, float], ...], Field(max_length=16)] = ()
    history: Annotated[_Text, Field(max_length=2_000)] = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image: (side, side), or (side, side, 3)."""
        return (self.side, self.side) if self.channels == 1 else (self.side, self.side, 3)

    @property
    def pixels(self) -> int:
        """P, numbers in an image."""
        return self.side**2 * self.channels

    @property
    def held_out(self) -> int:
        """The number of the last training images that a run holds out to validate: a twelfth.

        None are held out where the data set has validation images of its own.
        """
        return 0 if self.validation else self.train // VALIDATION_SHARE

    @property
    def is_labelled(self) -> bool:
        """Whether its images are of classes."""
        return bool(self.classes)

    @property
    def size(self) -> str:
        """An image's size in words: "28 × 28", "64 × 64 RGB"."""
        return f"{self.side} × {self.side}" + (" RGB" if self.channels == 3 else "")

    def class_name(self, label: int) -> str:
        """What a label stands for; empty where there are no labels."""
        return self.classes[label] if self.classes else ""


MNIST = Dataset(
    name="mnist",
    title="MNIST",
    side=28,
    classes=tuple(str(digit) for digit in range(10)),
    train=60_000,
    test=10_000,
    centred=True,
    history="Handwritten digits by Y. LeCun, C. Cortes and C. Burges; part of the program.",
)
"""What every run without a description of its own was trained on."""


@dataclass(frozen=True, slots=True)
class Split:
    """Images with their labels.

    Attributes
    ----------
    images
        (n, side, side) or (n, side, side, 3) uint8; of MNIST, 0 is paper and 255 is ink.
    labels
        (n,) uint8, or uint16 with more than 256 classes; the class of each; all 0 where there
        are no labels.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.unsignedinteger]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """A data set that is here.

    Attributes
    ----------
    dataset
        Its description.
    train, test
        Its images, mapped into memory where they were imported.
    preview
        Numbers of the test images whose reconstructions are watched.
    validation
        Images that are kept apart for validation; None where there are none.
    """

    dataset: Dataset
    train: Split
    test: Split
    preview: tuple[int, ...]
    validation: Split | None = None


def is_name(name: str) -> bool:
    """Whether a data set may be called so."""
    return bool(_NAME.fullmatch(name))


def check_name(name: str) -> str:
    """`name`, if a data set may be called so.

    Raises
    ------
    DataError
        Naming what is allowed.
    """
    if not is_name(name) or name == MNIST.name:
        why = "is the one inside the program" if name == MNIST.name else "cannot name a data set"
        raise DataError(
            f"{name!r} {why}: use up to 40 small letters, digits or . _ -, beginning with a letter "
            "or digit."
        )
    return name
