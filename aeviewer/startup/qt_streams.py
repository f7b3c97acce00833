"""Keeps Qt for Python from running what a settings file or a clipboard says.

Qt for Python stores an object of Python in a `QVariant` by pickling it, and unpickles every such
value that it reads: the reading of one key of `QSettings` runs what any other value says. Nothing
of this program needs that.
"""

from __future__ import annotations

import pickle  # noqa: TID251 # Its `loads` is replaced, and never called.
import struct
from functools import cache

from PySide6.QtCore import QByteArray, QDataStream

_USER_TYPE, _NAME, _CONTENT = 127, b"PySide::PyObjectWrapper\0", b"N."


@cache
def forbid_unpickling() -> None:
    """Makes Qt for Python read None where a stream holds a pickled object.

    Qt for Python looks `pickle.loads` up when it first reads such an object, and keeps it: it is
    made to do so here, while another function stands in its place. To be called before anything is
    read from settings, a clipboard or a drop.
    """
    lengths = struct.pack(">ii", _USER_TYPE, len(_NAME)), struct.pack(">i", len(_CONTENT))
    stream = QDataStream(QByteArray(lengths[0] + _NAME + lengths[1] + _CONTENT))
    stream.setVersion(QDataStream.Version.Qt_4_0)  # The version that `QSettings` writes.
    functions = vars(pickle)
    loads = functions["loads"]
    functions["loads"] = _refuse
    try:
        stream.readQVariant()
    finally:
        functions["loads"] = loads


def _refuse(_content: bytes) -> None:
    """Returns None in place of the object that a stream holds."""
