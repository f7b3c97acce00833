"""The state of the latent space that can be undone (code, pins, selection), and its changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QUndoCommand

from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainers.embeddings.embedding import Method

PlaneKind = Literal["coordinates", "principal", "three-points", "t-sne", "umap"]
NOTHING = np.zeros(0, np.intp)
"""An empty selection."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaneChoice:
    """The plane that the user chose.

    Attributes
    ----------
    kind
        Two coordinates of the code, the plane in which the codes vary most, or the plane through
        three chosen codes. An embedding is not a plane: its places cannot be lifted to codes.
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
        """The method of the embedding; None where a plane is shown."""
        return self.kind if self.kind == "t-sne" or self.kind == "umap" else None


@dataclass(frozen=True, slots=True, eq=False)
class Pin:
    """A pinned code.

    Attributes
    ----------
    code
        (d,), the code.
    image
        The number of the image that the code belongs to: the pin follows the image from checkpoint
        to checkpoint. None for a code of no image.
    """

    code: NDArray[np.float32]
    image: int | None = None

    def follow(self, codes: NDArray[np.float32]) -> Pin:
        """Returns the pin at its image's code among (n, d) codes; unchanged without its image."""
        if self.image is None or self.image >= len(codes):
            return self
        return replace(self, code=codes[self.image])


@dataclass(frozen=True, slots=True, eq=False)
class UndoState:
    """The state that can be undone: marked code, pins, selected images."""

    code: NDArray[np.float32] | None = None
    pins: tuple[Pin, ...] = ()
    selection: NDArray[np.intp] = field(default_factory=lambda: NOTHING)


class StateChange(QUndoCommand):
    """A command on the undo stack; changes of one gesture are merged into one command."""

    def __init__(
        self,
        restore: Callable[[UndoState], None],
        text: str,
        before: UndoState,
        after: UndoState,
        gesture: str,
    ) -> None:
        super().__init__(text)
        self._restore, self.before, self.after, self.gesture = restore, before, after, gesture

    def id(self) -> int:
        """Returns the merge id that Qt uses to join consecutive commands."""
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Merges the next change of the same gesture into this one."""
        if not isinstance(other, StateChange) or not self.gesture or other.gesture != self.gesture:
            return False
        self.after = other.after
        return True

    def undo(self) -> None:
        """Restores the state before the change."""
        self._restore(self.before)

    def redo(self) -> None:
        """Restores the state after the change."""
        self._restore(self.after)


def pin_letter(index: int) -> str:
    """Returns the name of a pin: A, B, …, Z, AA, …."""
    first, rest = divmod(index, 26)
    return (pin_letter(first - 1) if first else "") + chr(ord("A") + rest)


def parse_code(text: str, latent_dim: int) -> NDArray[np.float32]:
    """Parses (latent_dim,), a code written as numbers separated by commas or spaces.

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
