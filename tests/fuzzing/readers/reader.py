"""What a reader is, and what it may do with a file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.datasets.importing.import_errors import FlawError
from trainers.errors import AEViewerError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes
    ----------
    name
        By which it is called here.
    file
        What its file is called, within a folder of its own.
    read
        Reads that file; told the folder.
    seeds
        Contents that it takes.
    prepare
        Makes what has to lie around the file.
    needs_torch
        Whether it loads torch, which holds half a gigabyte before it begins.
    names_file
        Whether its messages can say which file it was; a clipboard has no name.
    """

    name: str
    file: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    prepare: Callable[[Path], None] = lambda folder: None
    needs_torch: bool = False
    names_file: bool = True

    @property
    def spoken(self) -> str:
        """What it reads, as the table calls it."""
        return f"`{Path(self.file).name}` ({self.name})"

    def place(self, folder: Path) -> Path:
        """Where its file lies."""
        return folder / self.file

    def begin(self, folder: Path) -> None:
        """Makes its folder."""
        self.place(folder).parent.mkdir(parents=True, exist_ok=True)
        self.prepare(folder)

    def try_(self, content: bytes, folder: Path) -> bool:
        """Has a content read; whether it was taken. Raises what no reader may."""
        place = self.place(folder)
        place.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries, about files: nobody sees them
                self.read(folder)
        except (AEViewerError, FlawError) as error:
            self._judge(error)
            return False
        return True

    def _judge(self, error: Exception) -> None:
        told, cause = str(error), error.__cause__ or error.__context__
        assert told, "an error without a message"
        assert len(told) < 2_000, f"a message of {len(told):,} characters"
        assert not isinstance(cause, MemoryError), "it allocated until there was no more"
        if self.names_file and not isinstance(error, FlawError):
            name = Path(self.file).name
            assert name in told, f"the message does not name {name}: {told}"
