"""A download without a network, in a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.child_process import ChildProcess
from trainers.datasets import download

if TYPE_CHECKING:
    from trainers.child_process import ParentPipe
    from trainers.datasets import Dataset


class _UnreachableDataset:
    """Stands for a class of torchvision; no server listens at its address."""

    mirrors = ("http://127.0.0.1:9/",)
    resources = (("train-images-idx3-ubyte.gz", "0" * 32),)


def start_offline_download(name: str, mirror: str) -> ChildProcess:
    """Starts a download that cannot reach any server."""
    return ChildProcess(_report_offline_download, name, mirror)


def _report_offline_download(parent: ParentPipe, name: str, mirror: str) -> Dataset:
    # torchvision is not imported, because that takes seconds.
    download.find_torchvision_class = lambda _entry: _UnreachableDataset
    return download.report_download(parent, name, mirror)
