"""What every source is: so many images, each given when it is asked for, or a flaw."""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.description import MOST_CLASSES
from trainers.datasets.importing.import_errors import Flaw, FlawError
from trainers.errors import DataError
from trainers.storage.drafts import DraftLock, clear_drafts

if TYPE_CHECKING:
    from numpy.typing import NDArray


_MOST_LABEL = 1 << 53
"""A label, so that whole numbers of any kind hold it."""
_RELEASE_INTERVAL = 32
"""Images that are read before their pages are let go of: the system maps a megabyte around each."""


class ScratchFolder:
    """A folder for what has to be unpacked."""

    def __init__(self) -> None:
        clear_drafts(Path(tempfile.gettempdir()))
        self.folder = Path(tempfile.mkdtemp(prefix="aeviewer-import-"))
        self._lock = DraftLock(self.folder)

    def delete(self) -> None:
        """Deletes it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


class Source(ABC):
    """Images that may become a data set.

    Attributes
    ----------
    path
        Where they lie.
    count
        How many there are.
    classes
        Names of the classes, by label; empty where there are no labels.
    is_test
        (count,) bool, which are test images; None where the source does not say.
    flaws
        What is wrong with files that are no images of this source.
    kind
        What the source is: "a folder of images".
    """

    kind: str

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.classes: tuple[str, ...] = ()
        self.is_test: NDArray[np.bool_] | None = None
        self.flaws: list[Flaw] = []
        self._scratch: ScratchFolder | None = None

    @abstractmethod
    def name(self, index: int) -> str:
        """What an image is called: its file, or its place in one."""

    @abstractmethod
    def image(self, index: int) -> NDArray[np.uint8]:
        """(h, w) or (h, w, 3), an image.

        Raises
        ------
        FlawError
            When it cannot be read.
        """

    def label(self, index: int) -> int:
        """The class of an image; 0 where there are no labels.

        Raises
        ------
        FlawError
            When its label is of no class.
        """
        return 0

    def adopt_scratch(self, scratch: ScratchFolder) -> None:
        """Takes charge of what was unpacked for it."""
        self._scratch = scratch

    def release(self) -> None:  # noqa: B027  # most sources have nothing mapped
        """Lets go of what was read of mapped files so far."""

    def close(self) -> None:
        """Lets go of what was unpacked."""
        if self._scratch is not None:
            self._scratch.delete()
            self._scratch = None

    def sizes(self, most: int = 200) -> set[tuple[int, int, int]]:
        """Height, width and channels of some images, spread over the source."""
        found = set()
        for number, index in enumerate(spread_indices(self.count, most)):
            if number % _RELEASE_INTERVAL == 0:
                self.release()
            try:
                pixels = self.image(index)
            except FlawError:
                continue
            found.add((*pixels.shape[:2], 3 if pixels.ndim == 3 else 1))
        self.release()
        return found


def spread_indices(count: int, most: int) -> list[int]:
    """Up to `most` numbers below `count`, evenly spread."""
    return [round(place) for place in np.linspace(0, count - 1, min(count, most)).tolist()]


class Labels:
    """A column of labels, each checked when it is asked for.

    Parameters
    ----------
    values
        (n,) whole numbers, or words.
    classes
        Names by label, where they are known; otherwise they are found in the values.
    place
        What messages call it.

    Raises
    ------
    DataError
        When there are too many classes, or the values are neither numbers nor words.
    """

    def __init__(self, values: NDArray[np.generic], place: str) -> None:
        flat = np.asarray(values)
        if flat.ndim == 2 and flat.shape[1] == 1:
            flat = flat[:, 0]
        if flat.ndim != 1 or flat.dtype.kind not in "uifbUS":
            raise DataError(
                f"{place} holds {flat.dtype} of {flat.shape}; labels are one whole number or word "
                "an image."
            )
        sound = np.ones(len(flat), np.bool_)
        if flat.dtype.kind == "f":
            sound = np.isfinite(flat) & (flat == np.round(flat))
        kept = flat[sound]
        if flat.dtype.kind in "uifb":
            sound &= flat >= 0
            sound &= flat <= _MOST_LABEL
            kept = flat[sound].astype(np.int64)
            highest = int(kept.max(initial=-1))
            names = [*range(highest + 1)] if highest < MOST_CLASSES else np.unique(kept).tolist()
        else:
            names = np.unique(kept).tolist()
        if len(names) > MOST_CLASSES:
            raise DataError(
                f"{place} has {len(names):,} different labels; {MOST_CLASSES} are the most. Import "
                "the images without labels."
            )
        self.classes = tuple(_class_name(name) for name in names)
        numbers = np.full(len(flat), -1, np.int64)
        numbers[sound] = np.searchsorted(np.asarray(names), kept) if names else 0
        self._numbers, self._values = numbers, flat

    def __len__(self) -> int:
        return len(self._numbers)

    def at(self, index: int) -> int:
        """The class of an image.

        Raises
        ------
        FlawError
            When its label is of none.
        """
        found = int(self._numbers[index])
        if found < 0:
            raise FlawError(
                "label that does not fit", f"its label is {self._values[index]}, no class"
            )
        return found


def _class_name(name: object) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
