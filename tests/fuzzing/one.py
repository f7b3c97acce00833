"""One reader under atheris: `python -m tests.fuzzing.one READER [OPTIONS OF LIBFUZZER]`."""

from __future__ import annotations

import atexit
import resource
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["trainers"],
    enable_loader_override=False,
):
    from tests.fuzzing.readers import READERS

GIGABYTE = 1 << 30


def _limit_memory() -> None:
    """Whatever it holds by now, and a gigabyte more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    held = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + GIGABYTE, held + GIGABYTE))


def main() -> None:
    """Follows the command line; libFuzzer ends the process."""
    name, *options = sys.argv[1:]
    reader = READERS[name]
    ram = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="fuzzing-", dir=ram if ram.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    reader.begin(folder)
    seeds = folder.with_name(f"{folder.name}-seeds")
    seeds.mkdir()
    atexit.register(shutil.rmtree, seeds, ignore_errors=True)
    for number, content in enumerate(reader.seeds()):
        reader.try_(content, folder)  # loads whatever it needs
        (seeds / str(number)).write_bytes(content)
    _limit_memory()
    atheris.Setup([sys.argv[0], *options, str(seeds)], lambda content: reader.try_(content, folder))
    atheris.Fuzz()


main()
