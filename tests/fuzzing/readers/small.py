"""What several of the files are made of."""

from __future__ import annotations

import io
import zipfile

from trainers.datasets.description import Dataset

SIDE = 8


def small_dataset() -> Dataset:
    return Dataset(name="small", title="Small", side=SIDE, classes=("a", "b"), train=100, test=32)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, held in files.items():
            archive.writestr(zipfile.ZipInfo(name), held, method)
    return content.getvalue()
