"""What the packaged program's libraries are made of: loaded as they were, without the rest."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import PySide6
import pytest

ROOT = Path(__file__).parents[1]
WHEELS = Path(np.__file__).parents[1]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="its libraries are of one format")

_spec = spec_from_file_location("binaries", ROOT / ".ci" / "binaries.py")
assert _spec is not None and _spec.loader is not None
binaries = module_from_spec(_spec)
_spec.loader.exec_module(binaries)


def said(script: str, *words: object) -> str:
    """What a process of its own says, in which the libraries are loaded."""
    command = [sys.executable, "-c", script, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_library_that_was_changed_for_a_wheel_is_loaded_and_smaller(tmp_path: Path) -> None:
    before = after = 0
    for library in (WHEELS / "numpy.libs").glob("*.so*"):
        content = library.read_bytes()
        lean = binaries.compacted(content)
        assert binaries.compacted(lean) == lean
        (tmp_path / library.name).write_bytes(lean)
        before, after = before + len(content), after + len(lean)
    assert 0 < after < before
    (blas,) = tmp_path.glob("libscipy_openblas*")
    script = (
        "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]); "
        "ask = library.scipy_openblas_get_config64_; ask.restype = ctypes.c_char_p; "
        "print(ask().decode())"
    )
    assert said(script, blas).startswith("OpenBLAS")


def test_icu_sorts_with_what_is_left_of_its_data(tmp_path: Path) -> None:
    libraries = Path(PySide6.__file__).parent / "Qt" / "lib"
    for library in libraries.glob("libicu*.so*"):
        content = library.read_bytes()
        is_data = library.name.startswith("libicudata")
        wanted = ("root.res", "pool.res", "coll/root.res", "coll/pool.res", "coll/ucadata.icu")
        lean = binaries.with_data(content, wanted) if is_data else binaries.compacted(content)
        assert len(lean) < (len(content) / 10 if is_data else len(content))
        (tmp_path / library.name).write_bytes(lean)
    (data,) = tmp_path.glob("libicudata.so.*")
    version = data.name.rpartition(".")[2]
    script = (
        "import ctypes, sys\n"
        "folder, version = sys.argv[1:]\n"
        "load = lambda name: ctypes.CDLL(f'{folder}/lib{name}.so.{version}', ctypes.RTLD_GLOBAL)\n"
        "_, _, international = map(load, ('icudata', 'icuuc', 'icui18n'))\n"
        "failed = ctypes.c_int(0)\n"
        "opened = getattr(international, f'ucol_open_{version}')\n"
        "opened.restype = ctypes.c_void_p\n"
        "sorts = ctypes.c_void_p(opened(b'de', ctypes.byref(failed)))\n"
        "utf = lambda text: ctypes.create_string_buffer(text.encode('utf-16-le'))\n"
        "compared = getattr(international, f'ucol_strcoll_{version}')\n"
        "print(failed.value <= 0, compared(sorts, utf('ä'), 1, utf('b'), 1))\n"
    )
    assert said(script, tmp_path, version) == "True -1\n"


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_such_library_is_refused(content: bytes) -> None:
    with pytest.raises(binaries.NotForUs):
        binaries.compacted(content)
    with pytest.raises(binaries.NotForUs):
        binaries.with_data(content, ("*",))
