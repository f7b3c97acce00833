"""Files that are recognised but not read, with the way to convert them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CIFAR = (
    "{path} is {what}: Python pickles, which can run code when they are opened, and are therefore "
    "never read. Download the binary version (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz), "
    "unpack it and choose its folder. Or convert the files that you trust in Python: load each "
    "with pickle.load(file, encoding='bytes'), join the arrays b'data' as (n, 3, 32, 32) and the "
    "labels, and save them with numpy.savez('cifar.npz', x_train=…, y_train=…, x_test=…, y_test=…)."
)
_UNPACK = "{path} is an archive. Unpack it, and choose the folder or file that it contains."
_QUICK_DRAW = (
    "{path} has the strokes of Quick, Draw! and no images. Download the bitmaps of the same class "
    "(numpy_bitmap, a file such as cat.npy), and choose that file or a folder of them."
)
_PICKLE = (
    "{path} is a Python pickle, which can run code when it is opened, and is therefore never read. "
    "In Python, save its arrays with numpy.savez('images.npz', images=…, labels=…)."
)
_MESSAGES = (
    (r"cifar-100?-python.*", _CIFAR, "a file of CIFAR"),
    (r"data_batch_\d|test_batch|batches\.meta", _CIFAR, "a batch of CIFAR-10"),
    (r"cifar-100?-batches-py|cifar-100-python", _CIFAR, "a folder of CIFAR's batches"),
    (r".*\.(pkl|pickle|p|pt|pth)(\.gz)?", _PICKLE, ""),
    (r".*\.(ndjson)", _QUICK_DRAW, ""),
    (r".*\.(tar|tgz|tar\.\w+|7z|rar)", _UNPACK, ""),
)


def describe_foreign_file(path: Path) -> str:
    """Says what a file of another program is and how it is converted; empty where not known.

    Parameters
    ----------
    path
        A file, or a folder whose files are recognised by their names.
    """
    names = [path.name]
    if path.is_dir():
        names += sorted(file.name for file in path.iterdir())
    for name in names:
        for pattern, message, what in _MESSAGES:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                return message.format(path=path, what=what)
    return ""
