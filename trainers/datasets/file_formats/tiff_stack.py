"""The pages of a TIFF file: one image each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.datasets.importing import image_files
from trainers.datasets.importing.import_errors import FlawError
from trainers.datasets.sources.source import Source
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = (".tif", ".tiff")


class TiffSource(Source):
    """The pages of a TIFF file.

    Raises
    ------
    DataError
        When it is no TIFF file.
    """

    kind = "a stack of pages"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._pages = image_files.PageReader(path)
        except FlawError as error:
            raise DataError(f"{path} cannot be read: {error.kind} ({error}).") from error
        self.count = self._pages.count

    def name(self, index: int) -> str:
        """The page in the file."""
        return f"{self.path.name}, page {index + 1}"

    def values(self, index: int) -> NDArray[np.generic]:
        """A page's values."""
        return self._pages.read(index)

    def close(self) -> None:
        """Closes the file."""
        self._pages.close()
        super().close()

    def chunks(self) -> Generator[tuple[NDArray[np.generic], int, float], None, None]:
        """Yields the values of every page."""
        for index in range(self.count):
            try:
                values = self.values(index)
            except FlawError:
                continue
            yield values, 1, (index + 1) / self.count
