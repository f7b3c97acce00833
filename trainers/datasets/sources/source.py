"""What every source is: so many images, each given when it is asked for, or a flaw."""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets.importing.import_errors import Flaw, FlawError
from trainers.datasets.importing.value_range import (
    ValueRange,
    ValueSurvey,
    choose_range,
    default_range,
    fit_range,
)
from trainers.errors import DataError
from trainers.storage.drafts import DraftLock, clear_drafts

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray


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
    class_numbers
        The labels of the classes where they are whole numbers; empty where they are words.
    labelled
        (count,) bool, which images have a label; None where all of them do, or none does.
    label_problem
        Why images and labels do not belong together; empty where they do. Without labels, the
        images can be imported.
    splits
        (count,) numbers, the split of each image by its place in `SPLITS`; None where the source
        does not say.
    flaws
        What is wrong with files that are no images of this source.
    notes
        What was left out or decided, in sentences for the user.
    ranges
        The range of the values, by their type.
    is_transposed
        Whether rows and columns are swapped.
    kind
        What the source is: "a folder of images".
    """

    kind: str

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.classes: tuple[str, ...] = ()
        self.class_numbers: tuple[int, ...] = ()
        self.labelled: NDArray[np.bool_] | None = None
        self.label_problem = ""
        self.splits: NDArray[np.int8] | None = None
        self.flaws: list[Flaw] = []
        self.notes: list[str] = []
        self.ranges: dict[str, ValueRange] = {}
        self.is_transposed = False
        self._scratch: ScratchFolder | None = None

    @abstractmethod
    def name(self, index: int) -> str:
        """What an image is called: its file, or its place in one."""

    @abstractmethod
    def values(self, index: int) -> NDArray[np.generic]:
        """(h, w) or (h, w, 3), an image's values as the source has them.

        Raises
        ------
        FlawError
            When it cannot be read.
        """

    @abstractmethod
    def chunks(self) -> Generator[tuple[NDArray[np.generic], int, float], None, None]:
        """Yields the values whose range is to be known, of how many images, and the share done."""

    def image(self, index: int) -> NDArray[np.uint8]:
        """(h, w) or (h, w, 3), an image as bytes, with the range of its source.

        Raises
        ------
        FlawError
            When it cannot be read, or holds numbers that are not finite.
        """
        found = self.values(index)
        if self.is_transposed:
            found = found.swapaxes(0, 1)
        value_range = self.ranges.get(found.dtype.name) or default_range(found.dtype)
        return value_range.to_bytes(found)

    def measure_range(self) -> Generator[float, None, None]:
        """Looks at the values, so that their range is known; yields the share done."""
        surveys: dict[str, ValueSurvey] = {}
        for values, images, share in self.chunks():
            name = values.dtype.name
            if name not in surveys:
                surveys[name] = ValueSurvey(values.dtype)
            surveys[name].add(values, images)
            yield share
        self.ranges = {name: choose_range(survey.statistics()) for name, survey in surveys.items()}

    def take_range(self, low: float, high: float) -> None:
        """Takes two values as black and white.

        Raises
        ------
        DataError
            When they are no range.
        """
        if not (np.isfinite([low, high]).all() and low < high):
            raise DataError(
                f"The range from {low:g} to {high:g} is empty. Give the value of black first, and "
                "a larger one for white."
            )
        self.ranges = {
            name: ValueRange(low, high, known.found, "chosen")
            for name, known in self.ranges.items()
        }

    def stretch(self, *, is_stretched: bool) -> None:
        """Takes the data's own range, or the usual range of such numbers where there is one."""
        for name, known in self.ranges.items():
            if known.found is not None:
                self.ranges[name] = fit_range(known.found, is_stretched=is_stretched)

    @property
    def is_stretched(self) -> bool:
        """Whether values are stretched to their own range."""
        return any(known.reason == "stretched" for known in self.ranges.values())

    @property
    def range_problem(self) -> str:
        """Why no range can be taken without the user; empty where one can."""
        unknown = next((r for r in self.ranges.values() if r.reason == "unknown"), None)
        if unknown is None or unknown.found is None:
            return ""
        found = unknown.found
        return (
            f"The numbers in {self.path.name} go from {found.low:g} to {found.high:g}. Images are "
            "numbers of 0 to 1, -0.5 to 0.5, -1 to 1, 0 to 255 or 0 to 65,535. Give the values of "
            f"black and white: the range of these images is {unknown.low:g} to {unknown.high:g}."
        )

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
            found.add((*pixels.shape[:2], 1 if is_grey(pixels) else 3))
        self.release()
        return found


def spread_indices(count: int, most: int) -> list[int]:
    """Up to `most` numbers below `count`, evenly spread."""
    return [round(place) for place in np.linspace(0, count - 1, min(count, most)).tolist()]


def is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Whether an image has no colours: one number a pixel, or three equal ones."""
    return pixels.ndim == 2 or bool((pixels == pixels[..., :1]).all())
