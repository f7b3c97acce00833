"""What a download finds where there is no network. Imported by a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.datasets import download

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


class _Known:
    """As torchvision has its data sets, but nowhere."""

    mirrors = ("http://127.0.0.1:9/",)
    resources = (("train-images-idx3-ubyte.gz", "0" * 32),)


def live(pipe: Connection, name: str, mirror: str) -> None:
    """Downloads without torchvision, which takes seconds to load, from where nobody answers."""
    download._kind = lambda _entry: _Known
    download._live(pipe, name, mirror)
