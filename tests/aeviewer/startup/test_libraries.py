from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

import pytest

from aeviewer.startup import libraries

if TYPE_CHECKING:
    from pathlib import Path

OURS = "/opt/aeviewer/_internal"


def test_from_source_the_environment_is_the_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    seen = {"LD_LIBRARY_PATH": "/opt/cuda/lib"}
    libraries.arrange_libraries(seen)
    assert seen == {"LD_LIBRARY_PATH": "/opt/cuda/lib"}


def test_what_the_packaged_program_starts_finds_the_systems_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    seen = {"LD_LIBRARY_PATH": OURS, "HOME": "/home/me"}
    libraries.arrange_libraries(seen)
    assert seen == {"HOME": "/home/me"}
    seen = {"LD_LIBRARY_PATH": OURS, "LD_LIBRARY_PATH_ORIG": "/opt/cuda/lib"}
    libraries.arrange_libraries(seen)
    assert seen == {"LD_LIBRARY_PATH": "/opt/cuda/lib"}


def test_on_windows_pytorchs_first_library_is_loaded_before_qts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib" / "c10.dll"
    library.parent.mkdir()
    library.touch()
    spec = ModuleSpec("torch", None, origin=os.fspath(tmp_path / "__init__.py"))
    loaded: list[str] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(libraries, "find_spec", lambda _name: spec)
    monkeypatch.setattr(ctypes, "CDLL", loaded.append)
    libraries.arrange_libraries({})
    assert loaded == [os.fspath(library)]


def test_plots_are_loaded_without_cudas_bindings() -> None:
    tell = (
        "import sys; from aeviewer.startup import libraries; libraries.load_plots();"
        "print('pyqtgraph' in sys.modules, any(name.startswith('cuda') for name in sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    ("load", "is_read"),
    [
        ("from aeviewer.startup.libraries import load_qt; load_qt()", "False"),
        ("import PySide6.QtCore", "True"),  # where this fails, `load_qt` is not needed any more
    ],
)
def test_the_source_of_what_is_imported_after_qt_is_not_read(load: str, is_read: str) -> None:
    tell = f"{load}; import linecache, wave; print(wave.__file__ in linecache.cache)"
    told = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == is_read


_HOLES = """
import numpy as np
from aeviewer.startup.libraries import return_freed_memory
from tests.benchmarks.memory import resident_megabytes
{}
np.ones(31 << 20, np.uint8)  # once it is freed, glibc takes the next such from its heap
large = np.ones(30 << 20, np.uint8)
small = [np.ones(100_000, np.uint8) for _ in range(9)]  # lie behind it, and stay
before = resident_megabytes()
del large
print(round(before - resident_megabytes()))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc alone")
@pytest.mark.parametrize(("act", "given_back"), [("return_freed_memory()", 31), ("", 0)])
def test_a_large_block_that_is_freed_leaves_no_hole(act: str, given_back: int) -> None:
    tell = _HOLES.format(act)
    told = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True)
    assert abs(int(told.stdout) - given_back) <= 1


_HEAPS = """
from threading import Barrier, Thread
import numpy as np
from aeviewer.startup.libraries import return_freed_memory
from tests.benchmarks.memory import resident_megabytes
return_freed_memory()
meeting = Barrier(7)
def use():
    blocks = [np.ones(1 << 20, np.uint8) for _ in range(30)]
    meeting.wait()
    del blocks
    meeting.wait()
    meeting.wait()
threads = [Thread(target=use) for _ in range(6)]
before = resident_megabytes()
for thread in threads: thread.start()
meeting.wait()
meeting.wait()
print(round(resident_megabytes() - before))
meeting.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc alone")
def test_six_threads_do_not_keep_six_heaps() -> None:
    command = [sys.executable, "-c", _HEAPS]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(told.stdout) < 150  # of 180; where each keeps its own, all of it
