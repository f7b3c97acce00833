"""What a person does while exploring: the plane that is shown, pins, a selection; Qt-free."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from trainers.errors import DataError

if TYPE_CHECKING:
    from trainers.embeddings.embedding import Method

PlaneKind = Literal["coordinates", "principal", "three-points", "t-sne", "umap"]
NOTHING = np.zeros(0, np.intp)
"""No image at all."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaneChoice:
    """Which plane is shown.

    Attributes
    ----------
    kind
        Two coordinates of the code, the plane in which the codes vary most, the one through three
        codes that were picked; or a layout, which is no plane: nothing in it can be lifted.
    axes
        The coordinates on x and y, counted from 0.
    corners
        (3, d), the codes that a plane through three points passes through.
    step
        The checkpoint that the corners are codes of; None where that is not known.
    """

    kind: PlaneKind = "coordinates"
    axes: tuple[int, int] = (0, 1)
    corners: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    step: int | None = None

    @property
    def method(self) -> Method | None:
        """How the codes are laid out; None where a plane is shown."""
        return self.kind if self.kind == "t-sne" or self.kind == "umap" else None


@dataclass(frozen=True, slots=True, eq=False)
class Pin:
    """A code that is held on to.

    Attributes
    ----------
    code
        (d,), where it is.
    image
        The image whose code it is, by its number in the cloud: the pin goes with it from
        checkpoint to checkpoint.
    """

    code: NDArray[np.float32]
    image: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class UndoState:
    """What a person did that can be undone: the code moved to, pins, selected images."""

    code: NDArray[np.float32] | None = None
    pins: tuple[Pin, ...] = ()
    selection: NDArray[np.intp] = field(default_factory=lambda: NOTHING)


def pin_letter(index: int) -> str:
    """What a pin is called: A, B, ..., Z, AA, ..."""
    first, rest = divmod(index, 26)
    return (pin_letter(first - 1) if first else "") + chr(ord("A") + rest)


def parse_code(text: str, latent_dim: int) -> NDArray[np.float32]:
    """(latent_dim,), the code that a text holds: numbers with commas or spaces between.

    Raises
    ------
    DataError
        When it holds something else, or another count of numbers.
    """
    words = text.translate(str.maketrans("[](),;−", "      -")).split()
    try:
        code = np.array([float(word) for word in words], np.float32)
    except ValueError as error:
        raise DataError(f"The text is no code: {error}. Copy {latent_dim} numbers.") from None
    if len(code) != latent_dim or not np.isfinite(code).all():
        raise DataError(
            f"The text holds {len(code)} numbers; a code of this run is {latent_dim} finite ones."
        )
    return code
