"""Which shared libraries this program and its child processes find, and how Qt is loaded."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.optional_packages import is_packaged

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_PATH_VARIABLE = "LD_LIBRARY_PATH"
_ORIGINAL_PATH_VARIABLE = f"{_PATH_VARIABLE}_ORIG"
"""Holds the user's own value while the packaged program runs."""
_UNUSED_BY_PLOTS = "cuda.bindings"
"""One module of pyqtgraph tries to load this for a widget that is not used here."""
_IMPORT_HOOK = "shibokensupport.feature"
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # From malloc.h.
_LARGE_BLOCK, _HEAPS = 1 << 24, 2


def arrange_libraries(environment: MutableMapping[str, str] = os.environ) -> None:
    """Makes every program find the libraries that it was built with.

    To be called before Qt is imported.

    Parameters
    ----------
    environment
        What programs that this one starts will see.
    """
    if sys.platform == "win32":
        _load_before_qt()
    elif is_packaged():
        _restore_library_path(environment)


def load_qt() -> None:
    """Loads Qt for Python, and keeps it from reading the source of all later imports.

    In case a module selects one of its features (`from __feature__ import snake_case`), its hook
    looks for the word PySide6 in the source of every module; `linecache` then holds all these
    sources, torch's and scikit-learn's too. Here no feature is selected. To the hook all modules
    are now like those of the packaged program, which have no source.
    """
    import_module("PySide6.QtCore")
    hook = sys.modules.get(_IMPORT_HOOK)
    if hook is not None:
        vars(hook)["_mod_uses_pyside"] = lambda _module: False


def load_plots() -> None:
    """Loads pyqtgraph without the bindings of CUDA, so that the window appears sooner."""
    if _UNUSED_BY_PLOTS in sys.modules:
        return
    sys.modules[_UNUSED_BY_PLOTS] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        import_module("pyqtgraph")
    finally:
        del sys.modules[_UNUSED_BY_PLOTS]


def return_freed_memory() -> None:
    """Makes glibc keep little of the memory that was freed.

    Blocks of 16 MB and more are asked of the system, and given back at once. glibc would do so from
    128 kB on at first, but from 32 MB once a block as large was freed: MNIST's test images as
    float32, 31 MB, then come from its heaps, and leave holes as large in them. Up to 32 MB of the
    free end of a heap are kept, for the next step of a training; so there are two heaps, where
    there would be one for each thread that ever came.

    To be called before there are other threads.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)
        mallopt(_TRIM_THRESHOLD, 2 * _LARGE_BLOCK)
        mallopt(_ARENA_MAX, _HEAPS)


def _restore_library_path(environment: MutableMapping[str, str]) -> None:
    """Makes a browser or file manager find the system's libraries, not the packaged ones.

    This program itself has looked the variable up when it was started.
    """
    before = environment.pop(_ORIGINAL_PATH_VARIABLE, "")
    environment.pop(_PATH_VARIABLE, None)
    if before:
        environment[_PATH_VARIABLE] = before


def _load_before_qt() -> None:
    """Loads PyTorch's first library, which its other libraries need.

    Qt brings an older C++ runtime; once that is there, PyTorch's libraries fail to initialise
    (WinError 1114).
    """
    found = find_spec("torch")
    if found is None or not found.origin:
        return
    library = Path(found.origin).parent / "lib" / "c10.dll"
    if library.is_file():
        ctypes.CDLL(str(library))
